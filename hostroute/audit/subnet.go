package audit

import (
	"cmp"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// The audit's own subnets: one for each ID, whoever has it.

// A subnet is a copy of what was added. Only its users change.
type subnet struct {
	*hostroute.Subnet              // with addresses unmapped and equal host routes once
	hops              []netip.Addr // the gateway and the next hops, sorted
	masked            bool         // no destination has host bits
	users             []user
}

// A user is a combination that has the subnet. Its marks for the host routes of the subnet begin at first.
type user struct {
	*combination
	first int
}

func newSubnet(s *hostroute.Subnet) *subnet {
	clean := *s
	clean.CIDR, clean.Gateway, clean.HostRoutes = unmapPrefix(s.CIDR), unmapAddr(s.Gateway), cleanRoutes(s.HostRoutes)
	out := &subnet{Subnet: &clean, hops: []netip.Addr{clean.Gateway}, masked: true}
	for _, r := range clean.HostRoutes {
		out.hops = append(out.hops, r.NextHop)
		out.masked = out.masked && r.Destination == r.Destination.Masked()
	}
	slices.SortFunc(out.hops, netip.Addr.Compare)
	out.hops = slices.Clone(slices.Compact(out.hops))
	return out
}

// equals reports whether another subnet with the same ID has the same content.
func (s *subnet) equals(o *hostroute.Subnet) bool {
	return s.CIDR == unmapPrefix(o.CIDR) && s.Gateway == unmapAddr(o.Gateway) && s.DHCPDisabled == o.DHCPDisabled &&
		(slices.Equal(s.HostRoutes, o.HostRoutes) || slices.Equal(s.HostRoutes, cleanRoutes(o.HostRoutes)))
}

// cleanRoutes returns a copy of list with addresses unmapped and equal host routes once.
func cleanRoutes(list []hostroute.HostRoute) []hostroute.HostRoute {
	out := make([]hostroute.HostRoute, 0, len(list))
	seen := make(map[hostroute.HostRoute]bool, len(list))
	for _, r := range list {
		r = hostroute.HostRoute{Destination: unmapPrefix(r.Destination), NextHop: unmapAddr(r.NextHop)}
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

func unmapAddr(a netip.Addr) netip.Addr {
	if a.Zone() != "" {
		return a // an error, of which the zone is the reason
	}
	return a.Unmap()
}

func unmapPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

// compareRoutes orders host routes by destination, then by next hop.
func compareRoutes(a, b hostroute.HostRoute) int {
	return cmp.Or(comparePrefixes(a.Destination, b.Destination), a.NextHop.Compare(b.NextHop))
}

// comparePrefixes orders prefixes by address, IPv4 first, then by length.
func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
