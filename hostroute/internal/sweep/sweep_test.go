package sweep_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go4.org/netipx"
)

var equateNetip = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// lookup returns the index of the route that decides a: the longest prefix, of equal
// ones the first; -1 if there is none. Of the routes, without is left out.
func lookup(routes []sweep.Route, without int, a netip.Addr) int {
	best := -1
	for i, r := range routes {
		if i != without && r.Prefix.Contains(a) && (best < 0 || r.Prefix.Bits() > routes[best].Prefix.Bits()) {
			best = i
		}
	}
	return best
}

// starts returns every address at which the decision can change, sorted: the first of
// each prefix and the one behind it.
func starts(routes []sweep.Route) []netip.Addr {
	var out []netip.Addr
	for _, r := range routes {
		out = append(out, r.Prefix.Addr())
		if next := netipx.PrefixLastIP(r.Prefix).Next(); next.IsValid() {
			out = append(out, next)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// A decision is what a verdict says, in addresses.
type decision struct {
	Lowest  netip.Addr // the zero Addr if the route decides none
	Without int32
}

// effects is the definition of Effects in the plainest words.
func effects(routes []sweep.Route) []decision {
	var out []decision
	at := starts(routes)
	for i, r := range routes {
		v := decision{Without: r.NIC}
		for _, a := range at {
			if lookup(routes, -1, a) != i {
				continue
			}
			if v.Lowest = a; true {
				v.Without = sweep.None
				if j := lookup(routes, i, a); j >= 0 {
					v.Without = routes[j].NIC
				}
				break
			}
		}
		out = append(out, v)
	}
	return out
}

// order is the definition of Order.
func order(routes []sweep.Route) []int32 {
	var out []int32
	for i := range routes {
		out = append(out, int32(i))
	}
	slices.SortStableFunc(out, func(i, j int32) int {
		a, b := routes[i].Prefix, routes[j].Prefix
		if c := a.Addr().Compare(b.Addr()); c != 0 { // IPv4 is less than IPv6
			return c
		}
		return a.Bits() - b.Bits()
	})
	return out
}

func check(t testing.TB, routes []sweep.Route) {
	t.Helper()
	before := slices.Clone(routes)
	// What is in dst stays; what its capacity holds is overwritten.
	dst := make([]sweep.Verdict, 1+len(routes)/2+len(routes))
	for i := range dst {
		dst[i] = sweep.Verdict{Without: 99, After: 99}
	}
	got := sweep.Effects(dst[:1], routes)
	if got[0] != dst[0] {
		t.Errorf("what was there is %v", got[0])
	}
	got = got[1:]
	var decisions []decision
	for i, v := range got {
		decisions = append(decisions, decision{v.Lowest(routes, i), v.Without})
		if v.Decides() != decisions[i].Lowest.IsValid() {
			t.Errorf("%v decides: %v\n%v", routes[i], v.Decides(), routes)
		}
	}
	if diff := cmp.Diff(effects(routes), decisions, equateNetip); diff != "" {
		t.Errorf("effects (-want +got):\n%s\n%v", diff, routes)
	}
	for i, r := range routes {
		steers := slices.ContainsFunc(starts(routes), func(a netip.Addr) bool {
			with, without := lookup(routes, -1, a), lookup(routes, i, a)
			nic := func(j int) int32 {
				if j < 0 {
					return sweep.None
				}
				return routes[j].NIC
			}
			return nic(with) != nic(without)
		})
		if v := got[i]; v.Steers(r) != steers {
			t.Errorf("%v steers: %v\n%v", r, v.Steers(r), routes)
		}
	}
	wantOrder := append([]int32{-7}, order(routes)...)
	if diff := cmp.Diff(wantOrder, sweep.Order([]int32{-7}, routes)); diff != "" {
		t.Errorf("order (-want +got):\n%s\n%v", diff, routes)
	}
	if !slices.Equal(before, routes) {
		t.Error("the routes are changed")
	}
}

// maker makes prefixes that lie close together: around a few addresses, at both ends of
// the space, equal ones, and halves of each other.
type maker struct {
	*rand.Rand
	made []netip.Prefix
}

func (m *maker) prefix(is4 bool) netip.Prefix {
	var b [16]byte
	if m.IntN(2) == 0 {
		for i := range b {
			b[i] = 0xff
		}
	}
	bits := 128
	if is4 {
		bits = 32
	}
	switch m.IntN(8) {
	case 0:
		for i := range b {
			b[i] = byte(m.Uint32())
		}
	case 1:
		if len(m.made) > 0 {
			return m.made[m.IntN(len(m.made))]
		}
	case 2: // inside or around another one
		if len(m.made) > 0 {
			p := m.made[m.IntN(len(m.made))]
			n := min(max(p.Bits()+m.IntN(7)-3, 0), p.Addr().BitLen())
			return netip.PrefixFrom(netipx.PrefixLastIP(p), n).Masked()
		}
	default:
		b[bits/8-1] ^= byte(m.IntN(16))
		if bits == 128 && m.IntN(2) == 0 {
			b[7] ^= byte(m.IntN(4)) // the border between the two words
		}
	}
	n := bits - m.IntN(7)
	switch m.IntN(6) {
	case 0:
		n = m.IntN(bits + 1)
	case 1:
		n = []int{0, 1, bits, bits - 1, bits / 2, bits/2 + 1, bits/2 - 1}[m.IntN(7)]
	}
	a, _ := netip.AddrFromSlice(b[:bits/8])
	return netip.PrefixFrom(a, n).Masked()
}

func (m *maker) routes(n int, is4 func() bool) []sweep.Route {
	m.made = nil
	var out []sweep.Route
	for range n {
		p := m.prefix(is4())
		m.made = append(m.made, p)
		out = append(out, sweep.Route{Prefix: p, NIC: int32(m.IntN(3))})
	}
	return out
}

func TestAgainstDefinition(t *testing.T) {
	const seed = 1
	m := &maker{Rand: rand.New(rand.NewPCG(seed, seed))}
	n := 4000
	if testing.Short() {
		n = 400
	}
	for name, is4 := range map[string]func() bool{
		"IPv4": func() bool { return true }, "IPv6": func() bool { return false }, "both": func() bool { return m.IntN(2) == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range n {
				if check(t, m.routes(m.IntN(12), is4)); t.Failed() {
					t.Fatalf("case %d of seed %d", i, seed)
				}
			}
			for range n / 400 {
				if check(t, m.routes(80, is4)); t.Failed() {
					t.Fatalf("a long case of seed %d", seed)
				}
			}
		})
	}
}

// Every table of up to three prefixes of a space of four addresses, at the start and at
// the end of either family, with two NICs.
func TestAgainstDefinitionExhaustively(t *testing.T) {
	for _, space := range []string{"0.0.0.0/30", "255.255.255.252/30", "::/126", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126", "0:0:0:1::/126"} {
		t.Run(space, func(t *testing.T) {
			p := netip.MustParsePrefix(space)
			var all []sweep.Route
			for bits := p.Bits(); bits <= p.Addr().BitLen(); bits++ {
				for a, n := p.Addr(), 0; n < 4; a, n = a.Next(), n+1 {
					for nic := range int32(2) {
						if q := netip.PrefixFrom(a, bits); q == q.Masked() {
							all = append(all, sweep.Route{Prefix: q, NIC: nic})
						}
					}
				}
			}
			all = append(all, sweep.Route{Prefix: netip.PrefixFrom(p.Addr(), 0).Masked(), NIC: 2})
			for _, a := range all {
				check(t, []sweep.Route{a})
				for _, b := range all {
					check(t, []sweep.Route{a, b})
					for _, c := range all {
						if check(t, []sweep.Route{a, b, c}); t.Failed() {
							t.FailNow()
						}
					}
				}
			}
		})
	}
}

func TestNoRoutes(t *testing.T) {
	if got := sweep.Effects(nil, nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := sweep.Order(nil, nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// The deepest nesting there is: every length of one family, in either order.
func TestDeepestNesting(t *testing.T) {
	for _, a := range []string{"0.0.0.0", "255.255.255.255", "10.11.12.13", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::1"} {
		addr := netip.MustParseAddr(a)
		var routes []sweep.Route
		for bits := range addr.BitLen() + 1 {
			routes = append(routes, sweep.Route{Prefix: netip.PrefixFrom(addr, bits).Masked(), NIC: int32(bits % 2)})
		}
		t.Run(fmt.Sprint(addr), func(t *testing.T) {
			check(t, routes)
			slices.Reverse(routes)
			check(t, routes)
		})
	}
}

// However many routes there are and however deep they are nested, what is
// allocated beyond the result is the words, room to sort them, and once the stack.
func TestAllocations(t *testing.T) {
	around := func(a string, n int) (routes []sweep.Route) {
		addr := netip.MustParseAddr(a)
		for i := range n {
			if i > addr.BitLen() {
				addr = addr.Next()
			}
			routes = append(routes, sweep.Route{Prefix: netip.PrefixFrom(addr, i%(addr.BitLen()+1)).Masked()})
		}
		return routes
	}
	for _, n := range []int{5, 20, 1000, 20_000} {
		v4, v6 := around("10.11.12.13", n), around("2001:db8::1", n)
		for _, routes := range [][]sweep.Route{v4, v6, append(v4, v6...)} {
			out := make([]sweep.Verdict, 0, len(routes))
			if got := testing.AllocsPerRun(3, func() { sweep.Effects(out, routes) }); got > 3 || n <= 20 && got > 0 {
				t.Errorf("%d routes: %v allocations", len(routes), got)
			}
		}
	}
}
