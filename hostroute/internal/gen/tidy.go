package gen

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"example.com/go-hostroute/hostroute"
)

// Tidy returns an instance as an operator wants it, but for two oddities at most: several NICs, each on a subnet of its own, and
// host routes to different destinations by the gateway. In [Instance]'s, one oddity hides the next.
func Tidy(r *rand.Rand) hostroute.Instance {
	in := hostroute.Instance{Name: "vm"}
	next := 0
	destination := func() netip.Prefix {
		next++
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(next), 0, 0}), 16)
	}
	for i := range 2 + r.IntN(3) {
		network := netip.AddrFrom4([4]byte{10, byte(i), 0, 0})
		s := &hostroute.Subnet{ID: fmt.Sprintf("s%d", i), CIDR: netip.PrefixFrom(network, 24), Gateway: network.Next()}
		for range r.IntN(4) {
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: destination(), NextHop: s.Gateway})
		}
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprintf("eth%d", i), Subnets: []*hostroute.Subnet{s}})
	}
	if r.IntN(4) > 0 {
		in.DefaultNIC = in.NICs[r.IntN(len(in.NICs))].Name
	}
	for range r.IntN(3) {
		n := &in.NICs[r.IntN(len(in.NICs))]
		s := n.Subnets[0]
		if !s.Gateway.IsValid() {
			continue
		}
		route := hostroute.HostRoute{Destination: destination(), NextHop: s.Gateway}
		switch r.IntN(16) {
		case 0:
			s.DHCPDisabled = true
		case 1:
			in.ConfigDrive, s.DHCPDisabled = true, true
		case 2:
			s.Gateway = netip.Addr{}
		case 3: // the gateway is the only address
			s.CIDR = netip.PrefixFrom(s.CIDR.Addr(), 32)
			route.NextHop = s.CIDR.Addr()
			byGateway(s, route.NextHop)
			n.Addrs = nil
		case 4:
			s.CIDR = netip.MustParsePrefix("127.0.0.0/8")
			route.NextHop = netip.MustParseAddr("127.0.0.1")
			byGateway(s, route.NextHop)
			n.Addrs = nil
		case 5:
			route.Destination = netip.MustParsePrefix("127.1.0.0/16")
		case 6:
			route.Destination = netip.MustParsePrefix("0.0.0.0/0")
		case 7:
			route.Destination = netip.MustParsePrefix("20.0.7.7/12")
		case 8:
			route.NextHop = s.CIDR.Addr().Next().Next()
		case 9:
			route.NextHop = netip.MustParseAddr("192.0.2.1")
		case 10:
			route.NextHop = netip.IPv4Unspecified()
		case 11: // an address of the NIC
			route.NextHop = s.CIDR.Addr().Next().Next()
			if s.CIDR.Contains(route.NextHop) {
				n.Addrs = []netip.Addr{route.NextHop}
			}
		case 12: // another NIC's destination, or its subnet
			other := in.NICs[r.IntN(len(in.NICs))].Subnets[0]
			route.Destination = other.CIDR
			if len(other.HostRoutes) > 0 && r.IntN(2) == 0 {
				route.Destination = other.HostRoutes[0].Destination
			}
		case 13:
			n.Siblings = []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}
		case 14:
			n.ManualRoutes = append(n.ManualRoutes, route)
			continue
		case 15:
			n.ManualRoutes = append(n.ManualRoutes, hostroute.HostRoute{Destination: netip.MustParsePrefix("0.0.0.0/0"), NextHop: route.NextHop})
			continue
		}
		s.HostRoutes = append(s.HostRoutes, route)
	}
	return in
}

// byGateway gives a subnet another gateway, by which all of its host routes are.
func byGateway(s *hostroute.Subnet, gateway netip.Addr) {
	s.Gateway = gateway
	for i := range s.HostRoutes {
		s.HostRoutes[i].NextHop = gateway
	}
}
