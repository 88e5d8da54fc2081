package hostroute

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"go4.org/netipx"
)

// A Change says that the addresses of Destination leave through one NIC before
// and through another one after.
type Change struct {
	Destination netip.Prefix `json:"destination"`
	Before      string       `json:"before"` // NIC; "" is no route
	After       string       `json:"after"`
}

// Diff returns where the egress NIC of two tables differs: as the fewest
// prefixes, sorted by address, IPv4 before IPv6. It is empty exactly if every
// address leaves by the same NIC in both tables, or has no route in either.
func Diff(before, after Table) []Change {
	names := []string{""} // by number, from None on
	numbers := map[string]int32{"": sweep.None}
	number := func(name string) int32 {
		n, ok := numbers[name]
		if !ok {
			n = int32(len(names)) + sweep.None
			numbers[name], names = n, append(names, name)
		}
		return n
	}
	name := func(n int32) string { return names[n-sweep.None] }
	changes := []Change{}
	differences(before.egress(number), after.egress(number), func(from, to netip.Addr, was, is int32) bool {
		for _, p := range netipx.IPRangeFrom(from, to).Prefixes() {
			changes = append(changes, Change{p, name(was), name(is)})
		}
		return true
	})
	return changes
}

// Destinations returns all addresses for which the table chooses a NIC, exactly.
func (t Table) Destinations(nic string) *netipx.IPSet {
	var b netipx.IPSetBuilder
	none := []segment{{zero4, sweep.None}, {any6.Addr(), sweep.None}}
	wanted := func(name string) int32 {
		if name == nic {
			return 0
		}
		return 1
	}
	differences(none, t.egress(wanted), func(from, to netip.Addr, _, n int32) bool {
		if n == 0 {
			b.AddRange(netipx.IPRangeFrom(from, to))
		}
		return true
	})
	set, _ := b.IPSet() // only an invalid range is an error
	return set
}

// egress returns t as a partition of the address space, with NICs numbered. Rows
// that no table of [Analyze] has are read as Lookup does: as if masked, and those
// without a valid destination not at all.
func (t Table) egress(number func(string) int32) []segment {
	routes := make([]sweep.Route, 0, len(t))
	for i := range t {
		if d := t[i].Destination; d.IsValid() {
			routes = append(routes, sweep.Route{Prefix: d.Masked(), NIC: number(t[i].NIC)})
		}
	}
	sorted := make([]sweep.Route, 0, len(routes))
	for _, i := range sweep.Order(nil, routes) {
		sorted = append(sorted, routes[i])
	}
	return partition(nil, sorted)
}

// A segment is a range of addresses that leave by one NIC: from its first
// address to the one before the next segment, or to the end of its family.
type segment struct {
	from netip.Addr
	nic  int32 // sweep.None: no route
}

// partition returns the egress of every address: sorted segments, the first from
// 0.0.0.0, one from ::, no two neighbours of a family alike. It takes routes in the
// order of [sweep.Order], and room to return them in.
func partition(out []segment, routes []sweep.Route) []segment {
	out = slices.Grow(out, 2*len(routes)+2)
	start := func(from netip.Addr, nic int32) {
		n := len(out)
		if n > 0 && out[n-1].from == from {
			out = out[:n-1] // an empty segment
			n--
		}
		if n > 0 && out[n-1].nic == nic && out[n-1].from.Is4() == from.Is4() {
			return
		}
		out = append(out, segment{from, nic})
	}
	var room [8]sweep.Route
	open := room[:0] // the prefixes around the address at hand, the longest last
	closeTo := func(a netip.Addr) {
		for n := len(open); n > 0 && !open[n-1].Prefix.Contains(a); n-- {
			last := netipx.PrefixLastIP(open[n-1].Prefix)
			open = open[:n-1]
			if next := last.Next(); next.IsValid() {
				outer := int32(sweep.None)
				if n > 1 {
					outer = open[n-2].NIC
				}
				start(next, outer)
			}
		}
	}
	family := func(unspecified netip.Addr, routes []sweep.Route) {
		start(unspecified, sweep.None)
		for _, r := range routes {
			closeTo(r.Prefix.Addr())
			if n := len(open); n == 0 || open[n-1].Prefix != r.Prefix {
				start(r.Prefix.Addr(), r.NIC)
				open = append(open, r)
			}
		}
		closeTo(netip.Addr{})
	}
	n4 := 0
	for n4 < len(routes) && routes[n4].Prefix.Addr().Is4() {
		n4++
	}
	family(zero4, routes[:n4])
	family(any6.Addr(), routes[n4:])
	return out
}

// differences yields the ranges of addresses that two partitions send to
// different NICs, until yield returns false. Neighbouring ranges of a
// family differ in a NIC.
func differences(a, b []segment, yield func(from, to netip.Addr, a, b int32) bool) {
	var from netip.Addr
	was, is := int32(sweep.None), int32(sweep.None)
	for i, j := 0, 0; ; {
		// The ranges of a and b at hand both hold the lowest address not seen yet.
		var next netip.Addr
		switch {
		case i == len(a) && j == len(b):
		case j == len(b) || i < len(a) && a[i].from.Less(b[j].from):
			next = a[i].from
		default:
			next = b[j].from
		}
		x, y := was, is
		if i < len(a) && a[i].from == next {
			x = a[i].nic
			i++
		}
		if j < len(b) && b[j].from == next {
			y = b[j].nic
			j++
		}
		if was != is {
			to := netipx.PrefixLastIP(netip.PrefixFrom(from, 0)) // of the family
			if next.IsValid() && next.Is4() == from.Is4() {
				to = next.Prev()
			}
			if !yield(from, to, was, is) {
				return
			}
		}
		if !next.IsValid() {
			return
		}
		from, was, is = next, x, y
	}
}

// egress returns the partition of a state, in the room of out.
func (p *plan) egress(out []segment, s *state) []segment {
	var room [16]sweep.Route
	routes := room[:0]
	for _, i := range s.first {
		if i >= 0 {
			routes = append(routes, p.routes[i])
		}
	}
	return partition(out, routes)
}

// An outcome is what an item changes: where its witness goes with and without it.
type outcome struct {
	effect        Effect
	with, without int32
	witness       netip.Addr
}

// effects returns the outcome of every item that is in force in s, in the given room, as if its host
// route were deleted from its subnet and everything installed again; and of every group
// whether any address is decided by it. It does not install again: without the item, the
// next try of its destination that Linux accepts comes in, and the sweep sees that as a
// route that stands behind. Only where an on-link route goes or comes in, on which other
// next hops may depend, everything is indeed installed.
func (p *plan) effects(s *state, outcomes []outcome, decides []bool) ([]outcome, []bool) {
	var room [32]sweep.Route
	var verdictRoom [32]sweep.Verdict
	routes := room[:0] // those in force, each with the one behind it
	for g, i := range s.first {
		if i < 0 {
			continue
		}
		routes = append(routes, p.routes[i])
		if item := p.tries[i].item; item >= 0 {
			if behind := p.behind(s, g, p.items[item].id); behind >= 0 {
				routes = append(routes, p.routes[behind])
			}
		}
	}
	verdicts := sweep.Effects(verdictRoom[:0], routes)

	outcomes = slices.Grow(outcomes, len(p.items))[:len(p.items)]
	decides = slices.Grow(decides, len(s.first))[:len(s.first)]
	clear(decides)
	var whole []segment
	at := 0
	for g, i := range s.first {
		if i < 0 {
			continue
		}
		v, r, t := &verdicts[at], &p.routes[i], &p.tries[i]
		decides[g] = v.Decides()
		own := at
		if at++; t.item < 0 {
			continue
		}
		id, onLink := p.items[t.item].id, t.onLink()
		if at < len(routes) && routes[at].Prefix == r.Prefix {
			onLink = onLink || p.tries[p.behind(s, g, id)].onLink()
			at++
		}
		o, steers := &outcomes[t.item], v.Steers(*r)
		o.with, o.without, o.witness = r.NIC, v.Without, v.Lowest(routes, own)
		if onLink {
			if whole == nil {
				whole = p.egress(nil, s)
			}
			left := p.install(new(stateRoom), s.keep, id, false)
			o.witness, o.with, o.without, steers = lowestDifference(whole, p.egress(nil, &left), r.Prefix)
		}
		switch {
		case steers:
			o.effect = EffectSteers
		case !decides[g]:
			o.effect = EffectShadowed
		case len(p.nics) == 1:
			o.effect = EffectSingleNIC
		default:
			o.effect = EffectRedundant
		}
	}
	return outcomes, decides
}

// behind returns the try of a group that is in force if all items of an id are
// gone; -1 if there is none.
func (p *plan) behind(s *state, g int, id int32) int32 {
	for _, i := range p.tried(g) {
		if item := p.tries[i].item; s.accepted(i) && (item < 0 || p.items[item].id != id) {
			return i
		}
	}
	return -1
}

// accepted says whether Linux took a try, but for an equal destination in the table.
func (s *state) accepted(i int32) bool { return s.answers[i] == installed || s.answers[i] == exists }

// lowestDifference returns the lowest address in within whose NIC differs, else
// the lowest of all, and whether there is one.
func lowestDifference(a, b []segment, within netip.Prefix) (at netip.Addr, with, without int32, ok bool) {
	differences(a, b, func(from, to netip.Addr, x, y int32) bool {
		if from.Less(within.Addr()) && !to.Less(within.Addr()) {
			from = within.Addr()
		}
		if inside := within.Contains(from); inside || !ok {
			at, with, without, ok = from, x, y, true
			return !inside
		}
		return true
	})
	return at, with, without, ok
}
