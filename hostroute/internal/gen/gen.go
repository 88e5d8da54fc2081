// Package gen makes instances for tests: random ones full of what is
// interesting, and all of a tiny universe. Every instance is valid and has no
// IPv4-mapped address.
package gen

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"example.com/go-hostroute/hostroute"
	"go4.org/netipx"
)

// Instance returns a random instance. The same state of r gives the same
// instance.
func Instance(r *rand.Rand) hostroute.Instance {
	g := &maker{pick: r.IntN}
	return g.instance()
}

// FromBytes returns the instance that the bytes spell, for fuzzing: each choice
// takes a byte. Any bytes are an instance, those that are missing are zero, and
// zero chooses what is plainest.
func FromBytes(b []byte) hostroute.Instance {
	g := &maker{pick: func(n int) int {
		if len(b) == 0 {
			return 0
		}
		c := int(b[0])
		b = b[1:]
		return c % n
	}}
	return g.instance()
}

// A maker makes one instance out of choices. It knows what it has used, for
// what is interesting is mostly how things relate.
type maker struct {
	pick    func(n int) int // a number below n; n is at most 256
	subnets []*hostroute.Subnet
	dests   []netip.Prefix // of routes made so far
	in      hostroute.Instance
}

// oneIn is true once in n times.
func (g *maker) oneIn(n int) bool { return g.pick(n) == n-1 }

func of[T any](g *maker, list ...T) T { return list[g.pick(len(list))] }

// cidrs are the subnets' networks: plain ones, nested and adjacent ones, the
// longest, which have no broadcast address or no connected route, and
// outlandish ones.
var cidrs = prefixes("10.65.0.0/24", "11.8.0.0/24", "12.0.0.0/24", "10.65.0.0/25", "10.65.0.128/25", "11.8.0.0/16",
	"172.16.0.0/30", "192.0.2.0/31", "192.0.2.7/32", "10.64.0.0/15", "11.11.0.0/16", "11.8.0.1/32",
	"2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:1::/65", "fe80::/64")

var wildCIDRs = prefixes("0.0.0.0/0", "0.0.0.0/8", "128.0.0.0/1", "224.0.0.0/24", "127.0.0.0/8", "255.255.255.0/24", "::/0")

// destinations beside those that relate to subnets and to each other.
var destinations = prefixes("11.11.0.0/16", "11.11.0.0/17", "11.11.128.0/17", "11.11.77.0/24", "11.11.77.5/32",
	"0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/1", "1.2.3.4/0", "10.0.0.0/8", "11.0.0.0/8", "0.0.0.0/8", "0.0.0.0/32",
	"192.0.2.99/32", "224.0.0.0/4", "240.0.0.0/4", "127.0.0.0/8", "255.255.255.255/32",
	"11.11.77.5/16", "11.11.77.0/20", "11.11.77.5/23", "129.0.0.0/1",
	"2001:db8:9::/48", "::/0", "::1/0", "2001:db8:9::1/48")

// hops beside those that relate to subnets and destinations.
var hops = addrs("192.0.2.99", "11.11.77.5", "224.0.0.1", "240.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.1", "203.0.113.1",
	"fe80::1", "fe80::2", "2001:db8:9::1", "::", "::1", "ff02::1")

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func (g *maker) instance() hostroute.Instance {
	g.in.Name = "vm"
	for i := range of(g, 2, 1, 3, 2, 4, 2, 1, 2, 3, 0) {
		g.in.NICs = append(g.in.NICs, g.nic(i))
	}
	g.in.ConfigDrive = g.oneIn(3)
	if len(g.in.NICs) > 0 && g.oneIn(3) {
		g.in.DefaultNIC = of(g, g.in.NICs...).Name
	}
	// Routes last, for they relate to all subnets.
	for _, s := range g.subnets {
		s.HostRoutes = g.routes(s, of(g, 2, 1, 0, 3, 4, 3, 5, 8))
		if g.oneIn(60) {
			s.HostRoutes = append(s.HostRoutes, g.routes(s, 12+g.pick(30))...)
		}
	}
	for i := range g.in.NICs {
		n := &g.in.NICs[i]
		home := new(hostroute.Subnet) // a NIC without one
		if len(n.Subnets) > 0 {
			home = of(g, n.Subnets...)
		}
		n.ManualRoutes = g.routes(home, of(g, 0, 1, 0, 2, 0, 3))
		n.Siblings = g.siblings()
	}
	return g.in
}

// nic makes a NIC with subnets and addresses, and no routes.
func (g *maker) nic(i int) hostroute.NIC {
	n := hostroute.NIC{Name: fmt.Sprintf("eth%d", i)}
	for range of(g, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 2, 0) {
		switch {
		case len(g.subnets) > 0 && g.oneIn(6):
			n.Subnets = append(n.Subnets, of(g, g.subnets...)) // shared, or twice on one NIC
		default:
			s := g.subnet()
			g.subnets = append(g.subnets, s)
			n.Subnets = append(n.Subnets, s)
		}
	}
	for j, s := range n.Subnets {
		for range of(g, 1, 1, 0, 1, 2) {
			a := s.CIDR.Addr()
			switch g.pick(6) {
			case 0, 1, 2, 3: // an ordinary one
				a = inside(s.CIDR, 10+i*4+j)
			case 4:
				a = inside(s.CIDR, g.pick(256))
			case 5: // network, broadcast or gateway
				a = of(g, s.CIDR.Addr(), netipx.PrefixLastIP(s.CIDR), inside(s.CIDR, 1))
			}
			n.Addrs = append(n.Addrs, a)
		}
	}
	return n
}

// subnet makes a subnet without host routes.
func (g *maker) subnet() *hostroute.Subnet {
	s := &hostroute.Subnet{ID: fmt.Sprintf("s%d", len(g.subnets))}
	switch k := g.pick(64); {
	case k < 36: // one of the plain ones, mostly not there yet
		s.CIDR = cidrs[(len(g.subnets)+g.pick(3)/2)%3]
	case k < 63:
		s.CIDR = of(g, cidrs...)
	default:
		s.CIDR = of(g, wildCIDRs...)
	}
	switch g.pick(24) {
	default:
		s.Gateway = inside(s.CIDR, 1)
	case 9:
		s.Gateway = s.CIDR.Addr() // network address
	case 10:
		s.Gateway = netipx.PrefixLastIP(s.CIDR) // broadcast address
	case 11:
		s.Gateway = inside(s.CIDR, 254)
	case 12, 13: // none
	case 14: // outside
		s.Gateway = of(g, netipx.PrefixLastIP(s.CIDR).Next(), s.CIDR.Addr().Prev(), of(g, hops...))
	case 15: // another subnet's
		if len(g.subnets) > 0 {
			s.Gateway = of(g, g.subnets...).Gateway
		}
	}
	s.DHCPDisabled = g.oneIn(8)
	return s
}

// siblings makes the list of a NIC: mostly none or a few, which may be subnets
// of this NIC and of others; seldom so many that the offer overflows.
func (g *maker) siblings() []netip.Prefix {
	var list []netip.Prefix
	for range of(g, 0, 0, 1, 0, 0, 2, 0, 4) {
		p := g.destination(new(hostroute.Subnet)).Masked()
		if len(g.subnets) > 0 && g.oneIn(2) {
			p = of(g, g.subnets...).CIDR
		}
		if p.Addr().Is4() {
			list = append(list, p)
		}
	}
	if g.oneIn(16) {
		for k := range 18 + g.pick(15) { // eight bytes each, so about 144 to 256
			a := netip.AddrFrom4([4]byte{10, 100, byte(k), 0})
			list = append(list, netip.PrefixFrom(a, 24))
		}
	}
	return list
}

// routes makes n routes for a subnet, or for a NIC in that subnet.
func (g *maker) routes(s *hostroute.Subnet, n int) []hostroute.HostRoute {
	var list []hostroute.HostRoute
	for len(list) < n {
		r := hostroute.HostRoute{Destination: g.destination(s), NextHop: g.hop(s)}
		switch g.pick(24) {
		case 18, 19: // a destination that its halves cover wholly
			if n-len(list) > 2 {
				for _, upper := range []bool{false, true} {
					h := hostroute.HostRoute{Destination: half(r.Destination, upper), NextHop: r.NextHop}
					if g.oneIn(2) {
						h.NextHop = g.hop(s)
					}
					list = append(list, h)
				}
			}
		case 20, 21: // the same destination once more
			if len(list) > 0 {
				r.Destination = of(g, list...).Destination
			}
		case 22: // an equal copy
			if len(list) > 0 {
				r = of(g, list...)
			}
		case 23: // an on-link route, and one through it
			if n-len(list) > 1 {
				r.NextHop = netip.IPv4Unspecified()
				list = append(list, r)
				r = hostroute.HostRoute{Destination: g.destination(s), NextHop: inside(r.Destination, 1+g.pick(8))}
			}
		}
		g.dests = append(g.dests, r.Destination)
		list = append(list, r)
	}
	return list
}

// destination makes one for a route of s: mostly of its family.
func (g *maker) destination(s *hostroute.Subnet) netip.Prefix {
	p := g.anyDestination()
	for range 8 {
		if p.Addr().Is4() == !s.CIDR.Addr().Is6() || g.oneIn(24) {
			break
		}
		p = g.anyDestination()
	}
	return p
}

func (g *maker) anyDestination() netip.Prefix {
	p := of(g, destinations...)
	switch k := g.pick(16); {
	case k < 4:
		return p
	case k < 10 && len(g.dests) > 0:
		p = of(g, g.dests...)
	case len(g.subnets) > 0:
		p = of(g, g.subnets...).CIDR
	}
	switch g.pick(12) {
	case 0, 1, 2: // equal
		return p
	case 3, 4: // the lower half
		return half(p, false)
	case 5, 6:
		return half(p, true)
	case 7: // the neighbour, its other half
		if p.Bits() == 0 {
			return p
		}
		up := netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked()
		return half(up, up.Addr() == p.Masked().Addr())
	case 8: // covering
		return netip.PrefixFrom(p.Addr(), max(p.Bits()-1-g.pick(8), 0)).Masked()
	case 9: // inside
		return netip.PrefixFrom(p.Addr(), min(p.Bits()+1+g.pick(16), p.Addr().BitLen()))
	case 10: // one address
		a := inside(p, g.pick(256))
		return netip.PrefixFrom(a, a.BitLen())
	}
	// Host bits: some of a shorter prefix.
	return netip.PrefixFrom(inside(p, 1+g.pick(255)), max(p.Bits()-g.pick(3), 0))
}

// hop makes a next hop for a route of s, mostly of its family.
func (g *maker) hop(s *hostroute.Subnet) netip.Addr {
	for range 8 {
		a := g.anyHop(s)
		if a.IsValid() && (a.Is4() == !s.CIDR.Addr().Is6() || g.oneIn(24)) {
			return a
		}
	}
	return of(g, hops...)
}

func (g *maker) anyHop(s *hostroute.Subnet) netip.Addr {
	k := g.pick(16)
	if k < 5 {
		return s.Gateway
	}
	if k == 5 || k == 6 {
		if s.CIDR.Addr().Is6() {
			return of(g, hops[8:10]...) // link-local
		}
		return netip.IPv4Unspecified()
	}
	if k == 7 {
		return of(g, hops...)
	}
	if k < 10 && len(g.dests) > 0 { // inside what may be on-link
		return inside(of(g, g.dests...), g.pick(256))
	}
	if k == 10 && len(g.in.NICs) > 0 {
		if n := of(g, g.in.NICs...); len(n.Addrs) > 0 {
			return of(g, n.Addrs...)
		}
	}
	t := s
	if k > 11 && len(g.subnets) > 0 {
		t = of(g, g.subnets...)
	}
	if !t.CIDR.IsValid() {
		return of(g, hops...)
	}
	switch g.pick(6) {
	case 0, 1:
		return t.Gateway
	case 2:
		return t.CIDR.Addr()
	case 3:
		return netipx.PrefixLastIP(t.CIDR)
	case 4:
		return inside(t.CIDR, 77)
	}
	return inside(t.CIDR, g.pick(256))
}

// half returns one half of p; p itself, if it is one address.
func half(p netip.Prefix, upper bool) netip.Prefix {
	p = p.Masked()
	if p.IsSingleIP() {
		return p
	}
	lower := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	if !upper {
		return lower
	}
	return netip.PrefixFrom(netipx.PrefixLastIP(lower).Next(), p.Bits()+1)
}

// inside returns the address of p with the number n, as far as its host bits
// hold it.
func inside(p netip.Prefix, n int) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	host := uint64(n)
	if free := p.Addr().BitLen() - p.Bits(); free < 64 {
		host &= 1<<free - 1
	}
	if len(b) == 4 {
		binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)|uint32(host))
	} else {
		binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])|host)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
