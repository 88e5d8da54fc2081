package hostroute

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Subnet is a Neutron subnet. The zero Subnet has no CIDR and is refused
// with an [InputError].
type Subnet struct {
	// ID names the subnet in results. Within one analysis, subnets of one ID
	// must be equal in content. It may be empty, as that of a subnet which is only
	// planned (one only in an analysis); but a [Ref] does not tell its host routes from
	// manual routes then.
	ID string `json:"id"`
	// CIDR is the subnet's network, without host bits.
	CIDR netip.Prefix `json:"cidr"`
	// Gateway stands for the hypervisor, on every host that uses the subnet.
	// The zero Addr means that the subnet has none, and not that it is left to Neutron,
	// which takes the second address of the CIDR then. One outside the CIDR is a finding,
	// not an error.
	Gateway netip.Addr `json:"gateway"`
	// HostRoutes are in the order in which Neutron lists them. Equal copies
	// are one host route.
	HostRoutes []HostRoute `json:"host_routes"`
	// DHCPDisabled is the negation of Neutron's enable_dhcp.
	DHCPDisabled bool `json:"dhcp_disabled"`
}

// A HostRoute is what Neutron stores on a subnet, and what a person programs
// in a guest: a destination and the next hop towards it. The zero HostRoute is
// no host route; it stands for "none" in an [Edit] and in a [Ref].
type HostRoute struct {
	Destination netip.Prefix `json:"destination"`
	NextHop     netip.Addr   `json:"nexthop"`
}

// A NIC is a network interface of an instance: a Neutron port as the guest
// sees it. The zero NIC has no name and is refused with an [InputError].
type NIC struct {
	// ID is the Neutron port's. It may be empty, and no result has it.
	ID string `json:"id"`
	// Name is what the guest calls the NIC, such as eth1.
	Name string `json:"name"`
	// Addrs are the NIC's fixed IPs, each in one of Subnets. They may be left out; then
	// only the class own-address cannot be told from others.
	Addrs []netip.Addr `json:"addrs"`
	// Subnets are those that the fixed IPs come from, in the order of the
	// fixed IPs. Instances share subnets, hence pointers. A subnet that stands
	// twice counts once.
	Subnets []*Subnet `json:"subnets"`
	// Siblings are the IPv4 CIDRs of the network's subnets that are in use on
	// this instance's hypervisor, in Neutron's order. DHCP offers each as an
	// on-link route, except that of the leased subnet itself, which is skipped.
	Siblings []netip.Prefix `json:"siblings"`
	// ManualRoutes are programmed by hand in the guest, after everything that is
	// offered to any of its NICs. A next hop 0.0.0.0 makes an on-link route. Equal
	// copies are one route.
	ManualRoutes []HostRoute `json:"manual_routes"`
}

// An Instance is a virtual machine with its NICs. The zero Instance is valid:
// it has no NIC, and an empty table.
type Instance struct {
	Name string `json:"name"`
	// NICs are in the order in which the guest configures them.
	NICs []NIC `json:"nics"`
	// DefaultNIC names the NIC whose offered default the guest keeps; those
	// of all other NICs are dropped, in both families. Manual defaults are
	// kept. Empty means that the guest keeps the first that it is offered.
	DefaultNIC string `json:"default_nic"`
	// ConfigDrive says that the guest also applies Nova's network_data.json
	// (cloud-init does), which configures IPv4 subnets without DHCP.
	ConfigDrive bool `json:"config_drive"`
}

// An InputError says that a value is one that no Neutron and no guest could
// hold, so that there is no answer. Functions return all of them together,
// joined by [errors.Join]; errors.As finds the first.
type InputError struct {
	Path string // of the field in the argument, such as NICs[0].Subnets[1].CIDR or edits[0].New; or Subnet, HostRoute: all of it
	Err  error
}

func (e *InputError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *InputError) Unwrap() error { return e.Err }

// ParseHostRoute parses the form that Horizon and Calico's documentation use,
// "11.11.0.0/16,11.8.0.1": destination, comma, next hop. Bits outside the
// destination's mask are kept, for they are a finding and no error.
// IPv4-mapped IPv6 addresses are unmapped; spaces and zones are refused. The error joins one
// [InputError] for each of Destination and NextHop that is malformed; without a comma it is
// one for HostRoute.
func ParseHostRoute(s string) (HostRoute, error) {
	d, n, ok := strings.Cut(s, ",")
	if !ok {
		return HostRoute{}, &InputError{"HostRoute", fmt.Errorf("%q is not of the form destination,nexthop", s)}
	}
	var errs []error
	dst, err := netip.ParsePrefix(d)
	if err != nil {
		errs = append(errs, &InputError{"Destination", err})
	}
	hop, err := netip.ParseAddr(n)
	if err == nil && hop.Zone() != "" {
		err = errZone(hop)
	}
	if err != nil {
		errs = append(errs, &InputError{"NextHop", err})
	}
	if len(errs) > 0 {
		return HostRoute{}, errors.Join(errs...)
	}
	return unmapRoute(HostRoute{dst, hop}), nil
}

// MustParseHostRoute is [ParseHostRoute] for constants, such as those of
// tests; it panics where ParseHostRoute returns an error.
func MustParseHostRoute(s string) HostRoute {
	r, err := ParseHostRoute(s)
	if err != nil {
		panic(err)
	}
	return r
}

// String returns the form that [ParseHostRoute] parses; "" for the zero
// HostRoute.
func (r HostRoute) String() string {
	if r == (HostRoute{}) {
		return ""
	}
	return r.Destination.String() + "," + r.NextHop.String()
}

// An Edit is one change of a subnet's host routes. An edit with a zero Old adds
// New at the end of the list, one with a zero New removes Old, any other
// puts New into Old's place. One with neither is refused.
type Edit struct {
	Subnet string    `json:"subnet"` // the ID of the subnet
	Old    HostRoute `json:"old,omitzero"`
	New    HostRoute `json:"new,omitzero"`
}

// Apply returns a copy of s with the edits made, in their order; those for
// other subnets are ignored. As equal copies are one host route, an Old that
// stands twice goes whole, and a New that is there already is not repeated.
// An edit without Old and New, one whose New is no host route and one whose Old
// is not there (any more) are an [InputError]; then no copy is returned. One whose Old
// and New are equal changes nothing.
func (s *Subnet) Apply(edits ...Edit) (*Subnet, error) {
	if s == nil {
		return nil, &InputError{"Subnet", errNil}
	}
	out := *s
	out.HostRoutes = slices.Clone(s.HostRoutes)
	var errs []error
	for i := range edits {
		if edits[i].Subnet == s.ID {
			out.HostRoutes = edits[i].apply(out.HostRoutes, func(field string, err error) {
				errs = append(errs, &InputError{"edits[" + strconv.Itoa(i) + "]" + field, err})
			})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &out, nil
}

// apply returns list with e made, in place, or calls fail for each of its fields that is wrong.
func (e *Edit) apply(list []HostRoute, fail func(field string, err error)) []HostRoute {
	old, add := unmapRoute(e.Old), unmapRoute(e.New)
	adds, removes, ok := add != HostRoute{}, old != HostRoute{}, true
	at := -1
	if removes {
		at = slices.IndexFunc(list, equals(old))
	}
	if !adds && !removes {
		fail("", errors.New("has neither Old nor New"))
		return list
	}
	if adds {
		add.check(func(field string, err error) { ok = false; fail(".New."+field, err) })
	}
	if removes && at < 0 {
		ok = false
		fail(".Old", fmt.Errorf("host route %v is not in subnet %q", old, e.Subnet))
	}
	if !ok || add == old {
		return list
	}
	if adds && !slices.ContainsFunc(list, equals(add)) {
		if !removes {
			return append(list, add)
		}
		list[at] = add
	}
	if removes {
		list = slices.DeleteFunc(list, equals(old))
	}
	return list
}

func equals(r HostRoute) func(HostRoute) bool {
	return func(o HostRoute) bool { return unmapRoute(o) == r }
}

// Apply returns a copy of in on edited copies of its subnets, as
// [Subnet.Apply] makes them; edits for subnets that in does not have are
// ignored. Nothing of in's subnets, addresses and routes is shared with the
// copy.
func (in Instance) Apply(edits ...Edit) (Instance, error) {
	out := in
	out.NICs = slices.Clone(in.NICs)
	done := make(map[*Subnet]*Subnet)
	told := make(map[string]bool)
	var errs []error
	for i := range out.NICs {
		nic := &out.NICs[i]
		nic.Addrs = slices.Clone(nic.Addrs)
		nic.Siblings = slices.Clone(nic.Siblings)
		nic.ManualRoutes = slices.Clone(nic.ManualRoutes)
		nic.Subnets = slices.Clone(nic.Subnets)
		for j, s := range nic.Subnets {
			if s == nil {
				errs = append(errs, &InputError{fmt.Sprintf("NICs[%d].Subnets[%d]", i, j), errNil})
				continue
			}
			if done[s] == nil {
				edited, err := s.Apply(edits...)
				if err != nil {
					if !told[s.ID] {
						errs = append(errs, err)
					}
					told[s.ID] = true
					edited = s
				}
				done[s] = edited
			}
			nic.Subnets[j] = done[s]
		}
	}
	if len(errs) > 0 {
		return Instance{}, errors.Join(errs...)
	}
	return out, nil
}

var (
	errNil     = errors.New("is nil")
	errInvalid = errors.New("is missing or invalid")
)

func errZone(a netip.Addr) error { return fmt.Errorf("%v has a zone", a) }

// check returns an [InputError] for each value that no Neutron and no guest
// could hold. It expects unmapped addresses.
func check(in Instance) error {
	var errs []error
	fail := func(err error, format string, args ...any) {
		errs = append(errs, &InputError{fmt.Sprintf(format, args...), err})
	}
	names := make(map[string]bool)
	subnets := make(map[string]*Subnet)
	for i := range in.NICs {
		nic := &in.NICs[i]
		if nic.Name == "" {
			fail(errors.New("is empty"), "NICs[%d].Name", i)
		} else if names[nic.Name] {
			fail(fmt.Errorf("another NIC is named %q", nic.Name), "NICs[%d].Name", i)
		}
		names[nic.Name] = true
		whole := true // then its addresses can be looked for
		for j, s := range nic.Subnets {
			if s == nil {
				whole = false
				fail(errNil, "NICs[%d].Subnets[%d]", i, j)
				continue
			}
			whole = whole && s.CIDR.IsValid()
			s.check(func(field string, err error) { fail(err, "NICs[%d].Subnets[%d].%s", i, j, field) })
			if first := subnets[s.ID]; first == nil {
				subnets[s.ID] = s
			} else if !sameSubnet(first, s) {
				fail(fmt.Errorf("another subnet %q has other content", s.ID), "NICs[%d].Subnets[%d].ID", i, j)
			}
		}
		for j, a := range nic.Addrs {
			if !a.IsValid() {
				fail(errInvalid, "NICs[%d].Addrs[%d]", i, j)
			} else if a.Zone() != "" {
				fail(errZone(a), "NICs[%d].Addrs[%d]", i, j)
			} else if whole && !slices.ContainsFunc(nic.Subnets, func(s *Subnet) bool { return s.CIDR.Contains(a) }) {
				fail(fmt.Errorf("%v is in no subnet of the NIC", a), "NICs[%d].Addrs[%d]", i, j)
			}
		}
		for j, p := range nic.Siblings {
			if !p.IsValid() {
				fail(errInvalid, "NICs[%d].Siblings[%d]", i, j)
			} else if !p.Addr().Is4() || p != p.Masked() {
				fail(fmt.Errorf("%v is no IPv4 network", p), "NICs[%d].Siblings[%d]", i, j)
			}
		}
		for j := range nic.ManualRoutes {
			nic.ManualRoutes[j].check(func(field string, err error) { fail(err, "NICs[%d].ManualRoutes[%d].%s", i, j, field) })
		}
	}
	if in.DefaultNIC != "" && !names[in.DefaultNIC] {
		fail(fmt.Errorf("there is no NIC %q", in.DefaultNIC), "DefaultNIC")
	}
	return errors.Join(errs...)
}

// label names a subnet in a message.
func (s *Subnet) label() string {
	if s.ID == "" {
		return s.CIDR.String()
	}
	return s.ID
}

// check calls fail for each field that no Neutron could hold.
func (s *Subnet) check(fail func(field string, err error)) {
	if !s.CIDR.IsValid() {
		fail("CIDR", errInvalid)
	} else if s.CIDR != s.CIDR.Masked() {
		fail("CIDR", fmt.Errorf("%v has host bits: the network is %v", s.CIDR, s.CIDR.Masked()))
	}
	if s.Gateway.Zone() != "" {
		fail("Gateway", errZone(s.Gateway))
	}
	for i := range s.HostRoutes {
		s.HostRoutes[i].check(func(field string, err error) { fail(fmt.Sprintf("HostRoutes[%d].%s", i, field), err) })
	}
}

func (r *HostRoute) check(fail func(field string, err error)) {
	if !r.Destination.IsValid() {
		fail("Destination", errInvalid)
	}
	if !r.NextHop.IsValid() {
		fail("NextHop", errInvalid)
	} else if r.NextHop.Zone() != "" {
		fail("NextHop", errZone(r.NextHop))
	}
}

// sameSubnet says whether two subnets of one ID have the same content.
func sameSubnet(a, b *Subnet) bool {
	return a == b || a.CIDR == b.CIDR && a.Gateway == b.Gateway && a.DHCPDisabled == b.DHCPDisabled &&
		(slices.Equal(a.HostRoutes, b.HostRoutes) || slices.Equal(unique(a.HostRoutes), unique(b.HostRoutes)))
}

// unique returns list without the later ones of equal copies: list itself where it is
// short and has none.
func unique(list []HostRoute) []HostRoute {
	const short = 24 // up to here, comparing each with each beats hashing
	if len(list) <= short && !copies(list) {
		return list
	}
	seen := make(map[HostRoute]struct{}, len(list))
	out := make([]HostRoute, 0, len(list))
	for _, r := range list {
		if _, ok := seen[r]; !ok {
			seen[r] = struct{}{}
			out = append(out, r)
		}
	}
	return out
}

func copies(list []HostRoute) bool {
	for i := range list {
		for j := range i {
			if list[j].Destination == list[i].Destination && list[j].NextHop == list[i].NextHop {
				return true
			}
		}
	}
	return false
}

// unmap returns in with IPv4-mapped IPv6 addresses unmapped: in itself where
// there are none, else a copy.
func unmap(in Instance) Instance {
	mapped := func(s *Subnet) bool {
		return s != nil && (isMapped(s.CIDR.Addr(), s.Gateway) || anyMapped(s.HostRoutes))
	}
	if !slices.ContainsFunc(in.NICs, func(n NIC) bool {
		return isMapped(n.Addrs...) || anyMapped(n.ManualRoutes) || slices.ContainsFunc(n.Subnets, mapped) ||
			slices.ContainsFunc(n.Siblings, func(p netip.Prefix) bool { return p.Addr().Is4In6() })
	}) {
		return in
	}
	in.NICs = slices.Clone(in.NICs)
	for i := range in.NICs {
		n := &in.NICs[i]
		n.Addrs = mapSlice(n.Addrs, unmapAddr)
		n.Siblings = mapSlice(n.Siblings, unmapPrefix)
		n.ManualRoutes = mapSlice(n.ManualRoutes, unmapRoute)
		n.Subnets = mapSlice(n.Subnets, func(s *Subnet) *Subnet {
			if !mapped(s) {
				return s
			}
			return &Subnet{s.ID, unmapPrefix(s.CIDR), unmapAddr(s.Gateway), mapSlice(s.HostRoutes, unmapRoute), s.DHCPDisabled}
		})
	}
	return in
}

func isMapped(addrs ...netip.Addr) bool { return slices.ContainsFunc(addrs, netip.Addr.Is4In6) }

func anyMapped(list []HostRoute) bool {
	for i := range list {
		if list[i].NextHop.Is4In6() || list[i].Destination.Addr().Is4In6() {
			return true
		}
	}
	return false
}

func mapSlice[T any](list []T, f func(T) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// unmapAddr is Unmap, but that it does not lose a zone.
func unmapAddr(a netip.Addr) netip.Addr {
	if a.Zone() != "" {
		return a
	}
	return a.Unmap()
}

// unmapPrefix unmaps a prefix whose mask covers all of ::ffff:0:0/96; a
// shorter one is no IPv4 network.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

func unmapRoute(r HostRoute) HostRoute {
	return HostRoute{unmapPrefix(r.Destination), unmapAddr(r.NextHop)}
}
