package hostroute

import (
	"net/netip"
	"slices"
)

// What travels as DHCP option 121 (RFC 3442), in bytes.
const (
	offerMax  = 255 // dnsmasq drops a longer option whole
	offerSafe = 197 // seen to arrive at dhclient beside its other options; 205 were lost
)

var (
	zero4 = netip.AddrFrom4([4]byte{})
	any4  = netip.PrefixFrom(zero4, 0)
	any6  = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// Offer returns what DHCP hands to the NIC, in the order in which Neutron's DHCP
// agent writes it: an on-link route (next hop 0.0.0.0) for each sibling, the last
// one first; the host routes of the leased subnet, except those to 0.0.0.0/0; the
// default. It is nil where the NIC gets no lease, and for IPv6, where nothing is
// offered by DHCP. It is Neutron's list even where that is too long for the option
// that carries it (255 bytes, RFC 3442), so that only the default arrives.
func (n NIC) Offer() []HostRoute {
	n = unmap(Instance{NICs: []NIC{n}}).NICs[0]
	s := n.leased()
	if s == nil {
		return nil
	}
	list := make([]HostRoute, 0, len(n.Siblings)+len(s.HostRoutes)+1)
	for i := len(n.Siblings) - 1; i >= 0; i-- {
		if p := n.Siblings[i]; p != s.CIDR {
			list = append(list, HostRoute{p, zero4})
		}
	}
	for _, r := range unique(s.HostRoutes) {
		if s.sends(&r) {
			list = append(list, r)
		}
	}
	return append(list, HostRoute{any4, s.Gateway})
}

// leased returns the subnet of the NIC's lease, nil if it gets none: of several
// IPv4 subnets, the last with DHCP and a gateway that the DHCP server can have.
func (n *NIC) leased() *Subnet {
	for i := len(n.Subnets) - 1; i >= 0; i-- {
		if s := n.Subnets[i]; s != nil && s.leases() && !contains(n.Subnets[:i], s) {
			return s
		}
	}
	return nil
}

// static returns the subnet that a guest configures from the config drive: the
// NIC's first IPv4 subnet, if that is without DHCP; else nil.
func (n *NIC) static() *Subnet {
	for _, s := range n.Subnets {
		if s.is4() {
			if s.DHCPDisabled {
				return s
			}
			break
		}
	}
	return nil
}

// advertised returns the IPv6 subnet whose gateway stands for the default of
// the router advertisement; nil if there is none.
func (n *NIC) advertised() *Subnet {
	for _, s := range n.Subnets {
		if !s.is4() && !s.DHCPDisabled && s.Gateway.Is6() {
			return s
		}
	}
	return nil
}

func (s *Subnet) is4() bool { return s.CIDR.Addr().Is4() }

// oneFamily says whether Neutron could hold r on s.
func (s *Subnet) oneFamily(r *HostRoute) bool {
	return r.Destination.Addr().Is4() == s.is4() && r.NextHop.Is4() == s.is4()
}

// leases says whether the DHCP server can give leases in s.
func (s *Subnet) leases() bool { return s.is4() && !s.DHCPDisabled && s.hasGateway() }

// hasGateway says whether the DHCP server can have the gateway's address.
func (s *Subnet) hasGateway() bool { return s.CIDR.Contains(s.Gateway) }

// contains says whether list has s, which counts once on a NIC, at its first place.
func contains(list []*Subnet, s *Subnet) bool {
	return slices.ContainsFunc(list, func(o *Subnet) bool { return o != nil && o.ID == s.ID })
}

// sends says whether DHCP hands r, of s's own host routes, to a NIC leased in s:
// the subnet has a gateway, so that a default among the host routes is dropped.
func (s *Subnet) sends(r *HostRoute) bool { return s.oneFamily(r) && r.Destination != any4 }

// offerLen returns the length of the offer to a NIC leased in s, whose host routes are
// these, as option 121.
func (n *NIC) offerLen(s *Subnet, routes []HostRoute) int {
	sum := wireLen(any4)
	for _, p := range n.Siblings {
		if p != s.CIDR {
			sum += wireLen(p)
		}
	}
	for i := range routes {
		if s.sends(&routes[i]) {
			sum += wireLen(routes[i].Destination)
		}
	}
	return sum
}

// isMasked says whether p has no host bits.
func isMasked(p netip.Prefix) bool { return p == p.Masked() }

// wireLen is the length of a route in the option: the prefix length, as many octets
// of the destination as that needs, the next hop.
func wireLen(p netip.Prefix) int { return 1 + (p.Bits()+7)/8 + 4 }

// onWire returns a destination as it arrives: bits beyond the octets that travel
// are gone, those within them are not.
func onWire(p netip.Prefix) netip.Prefix {
	octets, _ := p.Addr().Prefix((p.Bits() + 7) / 8 * 8)
	return netip.PrefixFrom(octets.Addr(), p.Bits())
}
