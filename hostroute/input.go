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

// input prepares an instance. The result shares with in the subnets and lists that need no change. If there is an
// error, it has the subnets that could be prepared.
func input(in Instance) (Instance, error) {
	var errs errorList
	if len(in.NICs) > maxNICs {
		errs.add("NICs", fmt.Errorf("has %d elements, and no guest has more than %d NICs", len(in.NICs), maxNICs))
	}
	names := make(map[string]bool)
	known := make(map[string]knownSubnet)
	in.NICs = slices.Clone(in.NICs)
	for i := range in.NICs {
		nic := &in.NICs[i]
		var wrong errorList
		if nic.Name == "" {
			wrong.add("Name", errors.New("is empty"))
		} else if nic.Name == loopbackDevice {
			wrong.add("Name", fmt.Errorf("%q is the guest's loopback device", nic.Name))
		} else if names[nic.Name] {
			wrong.add("Name", fmt.Errorf("another NIC is named %q", nic.Name))
		}
		names[nic.Name] = true
		inputNIC(nic, known, &wrong)
		errs.addAll("NICs", i, wrong)
	}
	if clientOf(in.Guest) == nil {
		errs.add("Guest", fmt.Errorf("%q is unknown", in.Guest))
	}
	if in.DefaultNIC != "" && !names[in.DefaultNIC] {
		errs.add("DefaultNIC", fmt.Errorf("there is no NIC %q", in.DefaultNIC))
	}
	return in, errs.join()
}

// inputNIC prepares what a NIC has.
func inputNIC(nic *NIC, known map[string]knownSubnet, errs *errorList) {
	subnets := inputSubnets(nic.Subnets, known, errs)
	complete := len(subnets) == len(nic.Subnets) // else an address may be in one that is left out
	nic.Subnets = canon.Unique(subnets)
	nic.Addrs = mapped(nic.Addrs, canon.Addr)
	for j, a := range nic.Addrs {
		if !a.IsValid() {
			errs.add(fmt.Sprintf("Addrs[%d]", j), errInvalid)
		} else if a.Zone() != "" {
			errs.add(fmt.Sprintf("Addrs[%d]", j), errZone(a))
		} else if complete && !slices.ContainsFunc(nic.Subnets, func(s *Subnet) bool { return s.CIDR.Contains(a) }) {
			errs.add(fmt.Sprintf("Addrs[%d]", j), fmt.Errorf("%v is in no subnet of the NIC", a))
		}
	}
	nic.Siblings = mapped(nic.Siblings, canon.Prefix)
	for j, p := range nic.Siblings {
		if !p.IsValid() {
			errs.add(fmt.Sprintf("Siblings[%d]", j), errInvalid)
		} else if !p.Addr().Is4() || p != p.Masked() {
			errs.add(fmt.Sprintf("Siblings[%d]", j), fmt.Errorf("%v is not an IPv4 network", p))
		}
	}
	nic.ManualRoutes = inputRoutes("ManualRoutes", nic.ManualRoutes, errs)
}

// A knownSubnet is the first subnet of an ID.
type knownSubnet struct{ given, clean *Subnet }

// inputSubnets prepares the subnets of a NIC. It leaves out one that is nil, has no CIDR, or differs from the known one of its ID.
func inputSubnets(given []*Subnet, known map[string]knownSubnet, errs *errorList) []*Subnet {
	list := make([]*Subnet, 0, len(given))
	for j, s := range given {
		if s == nil {
			errs.add(fmt.Sprintf("Subnets[%d]", j), errNil)
			continue
		}
		first, seen := known[s.ID]
		if first.given != s {
			clean, wrong := inputSubnet(s)
			errs.addAll("Subnets", j, wrong)
			if !seen {
				first = knownSubnet{s, clean}
				known[s.ID] = first
			} else if !equalSubnets(first.clean, clean) {
				errs.add(fmt.Sprintf("Subnets[%d].ID", j), fmt.Errorf("another subnet %q has other content", s.ID))
				continue
			}
		}
		if first.clean.CIDR.IsValid() {
			list = append(list, first.clean)
		}
	}
	return list
}

// inputSubnet prepares one subnet, and returns what is wrong with it.
func inputSubnet(s *Subnet) (clean *Subnet, wrong errorList) {
	cidr, gateway := canon.Prefix(s.CIDR), canon.Addr(s.Gateway)
	if !cidr.IsValid() {
		wrong.add("CIDR", errInvalid)
	} else if cidr != cidr.Masked() {
		wrong.add("CIDR", fmt.Errorf("%v has host bits: the network is %v", cidr, cidr.Masked()))
	}
	if gateway.Zone() != "" {
		wrong.add("Gateway", errZone(gateway))
	}
	routes := inputRoutes("HostRoutes", s.HostRoutes, &wrong)
	if cidr == s.CIDR && gateway == s.Gateway && slices.Equal(routes, s.HostRoutes) {
		return s, wrong
	}
	return &Subnet{s.ID, cidr, gateway, routes, s.DHCPDisabled}, wrong
}

// inputRoutes prepares the host routes or manual routes of a field.
func inputRoutes(field string, list []HostRoute, errs *errorList) []HostRoute {
	// Most lists have no IPv4-mapped address, and to compare each route with its unmapped copy takes longer.
	isMapped := func(r HostRoute) bool { return r.Destination.Addr().Is4In6() || r.NextHop.Is4In6() }
	if slices.ContainsFunc(list, isMapped) {
		list = mapped(list, unmapRoute)
	}
	for i, r := range list {
		errs.addAll(field, i, routeErrors(r))
	}
	return canon.Unique(list)
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
	if !slices.ContainsFunc(list, func(v T) bool { return f(v) != v }) {
		return list
	}
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

func unmapRoute(r HostRoute) HostRoute {
	return HostRoute{canon.Prefix(r.Destination), canon.Addr(r.NextHop)}
}
