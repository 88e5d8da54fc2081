package hostroute

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// This file prepares the input for the stages that follow. Afterwards IPv4-mapped addresses are
// unmapped, equal copies of routes are gone, subnets of one ID are one pointer, and a NIC has each
// of its subnets once. So later stages compare subnets by ==.

// maxNICs bounds what an instance can cost. No guest has more, but anyone can make ports that
// name an instance.
const maxNICs = 64

var (
	errNil     = errors.New("is nil")
	errInvalid = errors.New("is missing or invalid")
)

func errZone(a netip.Addr) error { return fmt.Errorf("%s has a zone", addrText(a)) }

// An errorList collects what is wrong with a value, with paths relative to it.
type errorList []*InputError

func (l *errorList) add(path string, err error) { *l = append(*l, &InputError{path, err}) }

// addAll adds what is wrong with element i of a field.
func (l *errorList) addAll(field string, i int, wrong errorList) {
	for _, e := range wrong {
		l.add(strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", field, i, e.Path), "."), e.Err)
	}
}

func (l errorList) join() error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// input prepares an instance. The result shares with in what needs no change.
func input(in Instance) (Instance, error) {
	var errs errorList
	if len(in.NICs) > maxNICs {
		errs.add("NICs", fmt.Errorf("has %d elements, and no guest has more than %d NICs", len(in.NICs), maxNICs))
	}
	names := make(map[string]bool)
	known := make(map[string]knownSubnet)
	given := in.NICs
	for i, nic := range given {
		var wrong errorList
		if nic.Name == "" {
			wrong.add("Name", errors.New("is empty"))
		} else if names[nic.Name] {
			wrong.add("Name", fmt.Errorf("another NIC is named %q", nic.Name))
		}
		names[nic.Name] = true
		complete := inputSubnets(&nic, known, &wrong)
		inputAddrs(&nic, complete, &wrong)
		errs.addAll("NICs", i, wrong)
		if sameSlices(&nic, &given[i]) {
			continue
		}
		if &in.NICs[0] == &given[0] {
			in.NICs = slices.Clone(given)
		}
		in.NICs[i] = nic
	}
	if clientOf(in.Guest) == nil {
		errs.add("Guest", fmt.Errorf("%q is unknown", in.Guest))
	}
	if in.DefaultNIC != "" && !names[in.DefaultNIC] {
		errs.add("DefaultNIC", fmt.Errorf("there is no NIC %q", in.DefaultNIC))
	}
	return in, errs.join()
}

// A knownSubnet is the first subnet of an ID.
type knownSubnet struct{ given, clean *Subnet }

// inputSubnets prepares the subnets of a NIC, and reports whether each has its own CIDR.
func inputSubnets(nic *NIC, known map[string]knownSubnet, errs *errorList) (complete bool) {
	given := nic.Subnets
	complete = true
	for j, s := range given {
		if s == nil {
			errs.add(fmt.Sprintf("Subnets[%d]", j), errNil)
			complete = false
			continue
		}
		complete = complete && s.CIDR.IsValid()
		first, seen := known[s.ID]
		if !seen || first.given != s {
			clean, wrong := inputSubnet(s)
			errs.addAll("Subnets", j, wrong)
			if !seen {
				first = knownSubnet{s, clean}
				known[s.ID] = first
			} else if !equalSubnets(first.clean, clean) {
				errs.add(fmt.Sprintf("Subnets[%d].ID", j), fmt.Errorf("another subnet %q has other content", s.ID))
				complete = false
			}
		}
		if first.clean == s {
			continue
		}
		if sameSlice(nic.Subnets, given) {
			nic.Subnets = slices.Clone(given)
		}
		nic.Subnets[j] = first.clean
	}
	nic.Subnets = canon.Unique(nic.Subnets)
	return complete
}

// inputAddrs prepares what else a NIC has. Addresses are looked for in complete subnets only.
func inputAddrs(nic *NIC, complete bool, errs *errorList) {
	nic.Addrs = mapped(nic.Addrs, canon.Addr)
	nic.Siblings = mapped(nic.Siblings, canon.Prefix)
	nic.ManualRoutes = mapped(nic.ManualRoutes, unmapRoute)
	for j, a := range nic.Addrs {
		if !a.IsValid() {
			errs.add(fmt.Sprintf("Addrs[%d]", j), errInvalid)
		} else if a.Zone() != "" {
			errs.add(fmt.Sprintf("Addrs[%d]", j), errZone(a))
		} else if complete && !slices.ContainsFunc(nic.Subnets, func(s *Subnet) bool { return s.CIDR.Contains(a) }) {
			errs.add(fmt.Sprintf("Addrs[%d]", j), fmt.Errorf("%v is in no subnet of the NIC", a))
		}
	}
	for j, p := range nic.Siblings {
		if !p.IsValid() {
			errs.add(fmt.Sprintf("Siblings[%d]", j), errInvalid)
		} else if !p.Addr().Is4() || p != p.Masked() {
			errs.add(fmt.Sprintf("Siblings[%d]", j), fmt.Errorf("%v is not an IPv4 network", p))
		}
	}
	for j, r := range nic.ManualRoutes {
		errs.addAll("ManualRoutes", j, routeErrors(r))
	}
	nic.ManualRoutes = canon.Unique(nic.ManualRoutes)
}

// inputSubnet prepares one subnet, and returns what is wrong with it.
func inputSubnet(s *Subnet) (clean *Subnet, wrong errorList) {
	cidr, gateway, routes := canon.Prefix(s.CIDR), canon.Addr(s.Gateway), mapped(s.HostRoutes, unmapRoute)
	if !cidr.IsValid() {
		wrong.add("CIDR", errInvalid)
	} else if cidr != cidr.Masked() {
		wrong.add("CIDR", fmt.Errorf("%v has host bits: the network is %v", cidr, cidr.Masked()))
	}
	if gateway.Zone() != "" {
		wrong.add("Gateway", errZone(gateway))
	}
	for i := range routes {
		wrong.addAll("HostRoutes", i, routeErrors(routes[i]))
	}
	distinct := canon.Unique(routes)
	if cidr == s.CIDR && gateway == s.Gateway && sameSlice(distinct, s.HostRoutes) {
		return s, wrong
	}
	return &Subnet{s.ID, cidr, gateway, distinct, s.DHCPDisabled}, wrong
}

// routeErrors returns what is wrong with a host route or a manual route.
func routeErrors(r HostRoute) (wrong errorList) {
	if !r.Destination.IsValid() {
		wrong.add("Destination", errInvalid)
	}
	if !r.NextHop.IsValid() {
		wrong.add("NextHop", errInvalid)
	} else if r.NextHop.Zone() != "" {
		wrong.add("NextHop", errZone(r.NextHop))
	}
	return wrong
}

// equalSubnets compares the content of two prepared subnets.
func equalSubnets(a, b *Subnet) bool {
	return a.CIDR == b.CIDR && a.Gateway == b.Gateway && a.DHCPDisabled == b.DHCPDisabled && slices.Equal(a.HostRoutes, b.HostRoutes)
}

// mapped returns f of each element: list itself if f changes none.
func mapped[T comparable](list []T, f func(T) T) []T {
	out := list
	for i, v := range list {
		to := f(v)
		if to == v {
			continue
		}
		if sameSlice(out, list) {
			out = slices.Clone(list)
		}
		out[i] = to
	}
	return out
}

func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func sameSlices(a, b *NIC) bool {
	return sameSlice(a.Addrs, b.Addrs) && sameSlice(a.Subnets, b.Subnets) && sameSlice(a.Siblings, b.Siblings) &&
		sameSlice(a.ManualRoutes, b.ManualRoutes)
}

func unmapRoute(r HostRoute) HostRoute {
	return HostRoute{canon.Prefix(r.Destination), canon.Addr(r.NextHop)}
}
