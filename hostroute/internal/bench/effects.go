package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"github.com/gaissmai/bart"
	"go4.org/netipx"
)

type family string

const (
	ipv4 family = "IPv4"
	ipv6 family = "IPv6"
)

type shape string

const (
	realistic shape = "realistic"
	clustered shape = "clustered"
)

// effects measures the exact effect of every route of a table beside sorting its prefixes, and
// beside deciding it with a prefix table.
func effects(rounds, n int, f family, s shape) error {
	routes := table(n, f, s)
	prefixes := make([]netip.Prefix, n)
	for i, r := range routes {
		prefixes[i] = r.Prefix
	}
	if err := agree(routes); err != nil {
		return err
	}
	var verdicts []sweep.Verdict
	ours := subject{func() { verdicts = sweep.Effects(verdicts[:0], routes) }, n}
	room := make([]netip.Prefix, n)
	sorting := subject{func() {
		copy(room, prefixes)
		slices.SortFunc(room, netip.Prefix.Compare)
	}, n}
	peer := subject{func() { decide(routes) }, n}
	sorted, allocs := compare(rounds, ours, sorting)
	tables, _ := compare(rounds, ours, peer)
	fmt.Printf("| %s | %s | %d | %.2f | %.2f | %d |\n", f, s, n, sorted, tables, allocs)
	return nil
}

// table makes n routes of distinct prefixes on 3 NICs, a default first: with the lengths of a routing table, or
// clustered in one network, nested deeply.
func table(n int, f family, s shape) []sweep.Route {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	lengths := []int{8, 12, 16, 16, 19, 20, 21, 22, 22, 23, 24, 24, 24, 24, 24, 24, 24, 28, 30, 32}
	if f == ipv6 {
		lengths = []int{20, 29, 32, 32, 32, 36, 40, 44, 44, 48, 48, 48, 48, 48, 48, 56, 64, 64, 64, 128}
	}
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if f == ipv6 {
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	seen := map[netip.Prefix]bool{all: true}
	out := []sweep.Route{{Prefix: all}}
	for len(out) < n {
		var a netip.Addr
		bits := lengths[r.IntN(len(lengths))]
		if f == ipv4 {
			x := r.Uint32()
			if s == clustered {
				x, bits = 10<<24|x>>8, 8+r.IntN(25)
			}
			a = netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
		} else {
			b := [16]byte{0x20, 0x01, 0x0d, 0xb8}
			from := 2
			if s == clustered {
				from, bits = 6, 48+r.IntN(81)
			}
			for i := from; i < 16; i++ {
				b[i] = byte(r.Uint32())
			}
			a = netip.AddrFrom16(b)
		}
		if p := netip.PrefixFrom(a, bits).Masked(); !seen[p] {
			seen[p] = true
			out = append(out, sweep.Route{Prefix: p, NIC: int32(r.IntN(3))})
		}
	}
	return out
}

// A decision has the answers of a prefix table about one route.
type decision struct {
	without int32
	decides bool
}

// decide works out the effect of every route with a prefix table. Without a route, its addresses leave by the longest of its
// supernets. If its subnets cover all of it, the route decides nothing.
func decide(routes []sweep.Route) []decision {
	var t bart.Table[int32]
	for _, r := range routes {
		t.Insert(r.Prefix, r.NIC)
	}
	out := make([]decision, len(routes))
	for i, r := range routes {
		out[i] = decision{sweep.None, true}
		for p, nic := range t.Supernets(r.Prefix) {
			if p != r.Prefix {
				out[i].without = nic
				break
			}
		}
		next := r.Prefix.Addr() // the first address not claimed by a subnet
		last := netipx.PrefixLastIP(r.Prefix)
		for p := range t.Subnets(r.Prefix) {
			if p == r.Prefix {
				continue
			}
			if next.Less(p.Addr()) {
				break
			}
			if end := netipx.PrefixLastIP(p); !end.Less(next) {
				if end == last {
					out[i] = decision{r.NIC, false}
					break
				}
				next = end.Next()
			}
		}
	}
	return out
}

// agree holds the sweep against decide, and against the plainest way for a part of the routes.
func agree(routes []sweep.Route) error {
	verdicts := sweep.Effects(nil, routes)
	for i, d := range decide(routes) {
		if v := verdicts[i]; v.Without != d.without || v.Decides() != d.decides {
			return fmt.Errorf("%v: the sweep has %+v and bart %+v", routes[i], v, d)
		}
	}
	for i := 0; i < len(routes); i += 1 + len(routes)/64 {
		var inside netipx.IPSetBuilder
		inside.AddPrefix(routes[i].Prefix)
		without, bits := int32(sweep.None), -1
		for _, r := range routes {
			switch p := r.Prefix; {
			case p == routes[i].Prefix || !p.Overlaps(routes[i].Prefix):
			case p.Bits() > routes[i].Prefix.Bits():
				inside.RemovePrefix(p)
			case p.Bits() > bits:
				without, bits = r.NIC, p.Bits()
			}
		}
		set, err := inside.IPSet()
		if err != nil {
			return err
		}
		var lowest netip.Addr
		if ranges := set.Ranges(); len(ranges) > 0 {
			lowest = ranges[0].From()
		} else {
			without = routes[i].NIC
		}
		if verdicts[i].Without != without || verdicts[i].Lowest(routes, i) != lowest {
			return errors.Join(fmt.Errorf("%v: the sweep has %+v, the plainest way %v %v", routes[i], verdicts[i], lowest, without))
		}
	}
	return nil
}
