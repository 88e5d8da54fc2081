package hostroute

import (
	"net/netip"
	"slices"
)

// Stage 1: what DHCP, the config drive and router advertisements hand to a NIC.

// Lengths of DHCP option 121 (RFC 3442), in bytes.
const (
	offerMax  = 255 // dnsmasq drops a longer option
	offerSafe = 197 // arrived at dhclient beside its other options; 205 bytes were lost
)

var (
	zero4 = netip.AddrFrom4([4]byte{}) // as next hop: on-link
	any4  = netip.PrefixFrom(zero4, 0)
	any6  = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// Offer returns what DHCP hands to the NIC, in the order in which Neutron's DHCP agent writes it:
// an on-link route (next hop 0.0.0.0) for each sibling, the last one first; the host routes of the
// leased subnet, except those to 0.0.0.0/0; the default route. It returns nil if the NIC gets no
// IPv4 lease. The list is Neutron's even if it is too long for the DHCP option that carries it
// (255 bytes, RFC 3442), so that only the default arrives. It does not depend on the guest, which may
// ignore some of it.
func (n NIC) Offer() []HostRoute {
	in, _ := input(Instance{NICs: []NIC{n}}) // [Analyze] reports what is wrong with it
	o := newOffer(&in.NICs[0], false, offerMax)
	if o.ipv4 == nil {
		return nil
	}
	list := o.siblings
	for _, r := range o.ipv4.HostRoutes {
		if o.ipv4.sends(&r) {
			list = append(list, r)
		}
	}
	return append(list, HostRoute{any4, o.ipv4.Gateway})
}

// siblingRoutes returns the routes to the siblings of a NIC leased in s. Neutron inserts each at the front.
func siblingRoutes(n *NIC, s *Subnet) []HostRoute {
	var list []HostRoute
	for _, p := range slices.Backward(n.Siblings) {
		if p != s.CIDR {
			list = append(list, HostRoute{p, zero4})
		}
	}
	return list
}

// An offer has the routes that reach one NIC of a guest, and the subnets that they come from.
type offer struct {
	ipv4   *Subnet // the subnet that the guest configures the NIC from; nil: none
	static bool    // it does so from the config drive, and not by DHCP
	ipv6   *Subnet // the table shows its gateway as the next hop of the advertised default; nil: no router advertises one
	bytes  int     // the length of DHCP option 121; 0 if static
	lost   bool    // the option is too long to reach the guest

	siblings []HostRoute // the routes to siblings that Neutron sends
}

// newOffer returns what reaches a guest that gets an option 121 of so many bytes at most.
func newOffer(n *NIC, configDrive bool, most int) offer {
	advertises := func(s *Subnet) bool { return !s.is4() && !s.DHCPDisabled && s.Gateway.Is6() }
	o := offer{ipv4: leased(n), ipv6: n.first(advertises)}
	if s := n.first((*Subnet).is4); configDrive && s != nil && s.DHCPDisabled {
		o.ipv4, o.static = s, true
	} else if o.ipv4 != nil {
		o.siblings = siblingRoutes(n, o.ipv4)
		o.bytes = optionLength(o.ipv4, o.siblings)
		o.lost = o.bytes > most
	}
	return o
}

// leased returns the subnet of the NIC's lease, nil if there is none. Of several, the server takes the last.
func leased(n *NIC) *Subnet {
	for _, s := range slices.Backward(n.Subnets) {
		if s.is4() && !s.DHCPDisabled && s.hasGateway() {
			return s
		}
	}
	return nil
}

// first returns the NIC's first subnet of a kind; nil if there is none.
func (n *NIC) first(ofKind func(*Subnet) bool) *Subnet {
	if i := slices.IndexFunc(n.Subnets, ofKind); i >= 0 {
		return n.Subnets[i]
	}
	return nil
}

// withheld returns why no host route of s reaches the NIC; "" if they do.
func (o *offer) withheld(s *Subnet, configDrive bool) Code {
	switch {
	case !s.is4():
		return CodeIPv6NotOffered
	case o.ipv4 == s && o.lost:
		return CodeOptionOverflow
	case o.ipv4 == s:
		return ""
	case s.DHCPDisabled && !configDrive:
		return CodeDHCPDisabled
	case !s.DHCPDisabled && !s.hasGateway():
		return CodeNoLease
	}
	return CodeSecondIPv4Subnet
}

// hasGateway reports whether the DHCP server can have the gateway's address.
func (s *Subnet) hasGateway() bool { return s.CIDR.Contains(s.Gateway) }

// oneFamily reports whether Neutron could hold r on s.
func (s *Subnet) oneFamily(r *HostRoute) bool {
	return r.Destination.Addr().Is4() == s.is4() && r.NextHop.Is4() == s.is4()
}

// sends reports whether DHCP hands out r. Neutron drops a default, because a leased subnet has a gateway.
func (s *Subnet) sends(r *HostRoute) bool { return s.oneFamily(r) && r.Destination != any4 }

// optionLength returns the length of the offer to a NIC leased in s, as option 121.
func optionLength(s *Subnet, siblings []HostRoute) int {
	sum := wireLength(any4)
	for _, r := range siblings {
		sum += wireLength(r.Destination)
	}
	for i := range s.HostRoutes {
		if r := &s.HostRoutes[i]; s.sends(r) {
			sum += wireLength(r.Destination)
		}
	}
	return sum
}

// wireLength is the length of a route in the option: prefix length, octets of the destination, next hop.
func wireLength(p netip.Prefix) int { return 1 + octets(p) + 4 }

// octets returns how many octets of a destination travel.
func octets(p netip.Prefix) int { return (p.Bits() + 7) / 8 }

// onWire returns an IPv4 destination as it arrives: without the bits beyond the octets that travel.
func onWire(p netip.Prefix) netip.Prefix {
	travels, _ := p.Addr().Prefix(octets(p) * 8)
	return netip.PrefixFrom(travels.Addr(), p.Bits())
}
