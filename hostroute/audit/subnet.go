package audit

import (
	"cmp"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// The audit's own subnets: one for each ID, whoever has it.

// A subnet is a copy of what was added. Only its users change.
type subnet struct {
	*hostroute.Subnet                // with addresses unmapped and equal host routes once
	matter            []netip.Addr   // as a NIC's own address: the gateway, the next hops, and the first addresses of destinations; sorted
	masked            bool           // no destination has host bits
	users             []*combination // that have it
}

func newSubnet(s *hostroute.Subnet) *subnet {
	clean := *s
	clean.CIDR, clean.Gateway, clean.HostRoutes = canon.Prefix(s.CIDR), canon.Addr(s.Gateway), cleanRoutes(s.HostRoutes)
	matter, masked := []netip.Addr{clean.Gateway}, true
	for _, r := range clean.HostRoutes {
		octets := (r.Destination.Bits() + 7) / 8 * 8 // those that DHCP carries
		begins, _ := r.Destination.Addr().Prefix(octets)
		edited := r.Destination.Masked() // as after an edit
		matter = append(matter, r.NextHop, begins.Addr(), edited.Addr())
		masked = masked && r.Destination == edited
	}
	slices.SortFunc(matter, netip.Addr.Compare)
	return &subnet{Subnet: &clean, matter: slices.Clone(slices.Compact(matter)), masked: masked}
}

// matters reports whether an analysis looks at an address if it is a NIC's own.
func (s *subnet) matters(a netip.Addr) bool {
	_, found := slices.BinarySearchFunc(s.matter, a, netip.Addr.Compare)
	return found
}

// equals reports whether another subnet with the same ID has the same content.
func (s *subnet) equals(o *hostroute.Subnet) bool {
	return s.CIDR == canon.Prefix(o.CIDR) && s.Gateway == canon.Addr(o.Gateway) && s.DHCPDisabled == o.DHCPDisabled &&
		(slices.Equal(s.HostRoutes, o.HostRoutes) || slices.Equal(s.HostRoutes, cleanRoutes(o.HostRoutes)))
}

// cleanRoutes returns a copy of list with addresses unmapped and equal host routes once.
func cleanRoutes(list []hostroute.HostRoute) []hostroute.HostRoute {
	out := make([]hostroute.HostRoute, len(list))
	for i, r := range list {
		out[i] = hostroute.HostRoute{Destination: canon.Prefix(r.Destination), NextHop: canon.Addr(r.NextHop)}
	}
	return canon.Unique(out)
}

// compareRoutes orders host routes by destination, then by next hop.
func compareRoutes(a, b hostroute.HostRoute) int {
	return cmp.Or(comparePrefixes(a.Destination, b.Destination), a.NextHop.Compare(b.NextHop))
}

// comparePrefixes orders prefixes by address, IPv4 first, then by length.
func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
