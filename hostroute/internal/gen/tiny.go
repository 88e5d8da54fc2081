package gen

import (
	"iter"
	"net/netip"

	"example.com/go-hostroute/hostroute"
)

// The tiny universe is 10.0.0.0/28, sixteen addresses. eth0's subnet is its first
// quarter, eth1's its last; the two in the middle belong to nobody.
var (
	tinySpace = netip.MustParsePrefix("10.0.0.0/28")
	tinyNICs  = [2]hostroute.Subnet{
		{ID: "s0", CIDR: netip.MustParsePrefix("10.0.0.0/30"), Gateway: netip.MustParseAddr("10.0.0.1")},
		{ID: "s1", CIDR: netip.MustParsePrefix("10.0.0.12/30"), Gateway: netip.MustParseAddr("10.0.0.13")},
	}
	// tinyHops are of every class: the gateways (to each other), on-link, a
	// broadcast address that is the NIC's own or the other's, a multicast address,
	// eth0's address, a network address, and one on no link.
	tinyHops = addrs("10.0.0.1", "10.0.0.13", "0.0.0.0", "10.0.0.3", "224.0.0.1", "10.0.0.2", "10.0.0.12", "10.0.0.6")
)

// Tiny yields the tiny universe whole: every choice of three host routes, each
// with any of the 31 prefixes as its destination, on either of two NICs, with
// the gateway of its subnet as next hop. These are 62³ = 238,328 instances.
func Tiny() iter.Seq[hostroute.Instance] {
	var routes []tinyRoute
	for nic := range tinyNICs {
		for _, p := range tinyPrefixes() {
			routes = append(routes, tinyRoute{nic, hostroute.HostRoute{Destination: p, NextHop: tinyNICs[nic].Gateway}})
		}
	}
	return func(yield func(hostroute.Instance) bool) {
		for _, a := range routes {
			for _, b := range routes {
				for _, c := range routes {
					if !yield(tiny(a, b, c)) {
						return
					}
				}
			}
		}
	}
}

// TinyHops yields every choice of two host routes of the tiny universe, with
// eight next hops, of which each class is one: (31·2·8)² = 246,016
// instances.
func TinyHops() iter.Seq[hostroute.Instance] {
	var routes []tinyRoute
	for nic := range tinyNICs {
		for _, p := range tinyPrefixes() {
			for _, hop := range tinyHops {
				routes = append(routes, tinyRoute{nic, hostroute.HostRoute{Destination: p, NextHop: hop}})
			}
		}
	}
	return func(yield func(hostroute.Instance) bool) {
		for _, a := range routes {
			for _, b := range routes {
				if !yield(tiny(a, b)) {
					return
				}
			}
		}
	}
}

type tinyRoute struct {
	nic   int
	route hostroute.HostRoute
}

// tinyPrefixes returns all prefixes inside the space.
func tinyPrefixes() []netip.Prefix {
	var list []netip.Prefix
	for bits := tinySpace.Bits(); bits <= 32; bits++ {
		for a := tinySpace.Addr(); tinySpace.Contains(a); a = a.Next() {
			if p := netip.PrefixFrom(a, bits); p == p.Masked() {
				list = append(list, p)
			}
		}
	}
	return list
}

func tiny(routes ...tinyRoute) hostroute.Instance {
	s0, s1 := tinyNICs[0], tinyNICs[1]
	for _, r := range routes {
		s := [...]*hostroute.Subnet{&s0, &s1}[r.nic]
		s.HostRoutes = append(s.HostRoutes, r.route)
	}
	return hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
		{Name: "eth0", Addrs: addrs("10.0.0.2"), Subnets: []*hostroute.Subnet{&s0}},
		{Name: "eth1", Addrs: addrs("10.0.0.14"), Subnets: []*hostroute.Subnet{&s1}},
	}}
}
