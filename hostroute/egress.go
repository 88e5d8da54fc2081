package hostroute

import (
	"cmp"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"go4.org/netipx"
)

// Stage 3: where data leaves. A table is turned into a partition of the address space, and two
// partitions are compared.

// A Change says that the addresses of Destination leave through one NIC before and through
// another one after.
type Change struct {
	Destination netip.Prefix `json:"destination"`
	Before      string       `json:"before"` // NIC; "" means no route
	After       string       `json:"after"`
}

// String returns "11.11.0.0/16: eth1 -> eth0".
func (c Change) String() string {
	name := func(nic string) string {
		if nic == "" {
			return "no route"
		}
		return quoted(nic)
	}
	return c.Destination.String() + ": " + name(c.Before) + " -> " + name(c.After)
}

// Diff returns where the egress NIC differs between two tables: as the fewest prefixes, sorted by
// address, IPv4 before IPv6. The result is empty exactly if every address leaves by the same NIC
// in both tables, or has no route in either. If routes are Open, the first counts.
func Diff(before, after Table) []Change {
	changes := []Change{}
	for _, space := range families {
		for _, d := range differences(space, before.egress(space), after.egress(space)) {
			for _, p := range netipx.IPRangeFrom(d.from, d.to).Prefixes() {
				changes = append(changes, Change{p, d.before, d.after})
			}
		}
	}
	return changes
}

// Destinations returns all addresses that leave through a NIC, exactly.
//
// They are also the addresses that can talk to the NIC's own addresses. A reply must leave by the
// NIC whose address it bears, because the hypervisor's strict reverse path filter drops it elsewhere. If
// routes are Open, the first counts.
func (t Table) Destinations(nic string) *netipx.IPSet {
	var set netipx.IPSetBuilder
	for _, c := range Diff(nil, t) {
		if c.After == nic {
			set.AddPrefix(c.Destination)
		}
	}
	out, _ := set.IPSet() // fails only on invalid prefixes
	return out
}

// egress partitions a family, with the names of NICs as exits. It reads any row as Lookup does: as if masked, and without a destination not at all.
func (t Table) egress(space netip.Prefix) []segment[string] {
	if !slices.IsSortedFunc(t, byMetric) { // of equal destinations, the first is in force then
		t = slices.Clone(t)
		slices.SortStableFunc(t, byMetric)
	}
	routes := make([]sweep.Route, 0, len(t))
	nics := make([]string, 0, len(t))
	for i := range t {
		if d := t[i].Destination; d.IsValid() && d.Addr().Is4() == space.Addr().Is4() {
			routes = append(routes, sweep.Route{Prefix: d.Masked()})
			nics = append(nics, t[i].NIC)
		}
	}
	sorted := make([]way[string], 0, len(routes))
	for _, i := range sweep.Order(nil, routes) {
		sorted = append(sorted, way[string]{routes[i].Prefix, nics[i]})
	}
	return partition(space, "", sorted)
}

func byMetric(a, b Route) int { return cmp.Compare(a.Metric, b.Metric) }

// A way is a destination and where it leaves. The zero E is no route.
type way[E comparable] struct {
	prefix netip.Prefix
	exit   E
}

// A segment is a range of addresses that leave by one exit. It ends where the next segment begins.
type segment[E comparable] struct {
	from netip.Addr
	exit E
}

// partition returns the egress of every address of a space: sorted segments, no two neighbours alike.
// Its ways are in the order of [sweep.Order]. What none of them contains leaves by the outer exit.
func partition[E comparable](space netip.Prefix, outer E, ways []way[E]) []segment[E] {
	out := make([]segment[E], 0, 2*len(ways)+1)
	start := func(from netip.Addr, exit E) {
		if n := len(out); n > 0 && out[n-1].from == from { // the last segment is empty
			out = out[:n-1]
		}
		if n := len(out); n == 0 || out[n-1].exit != exit {
			out = append(out, segment[E]{from, exit})
		}
	}
	open := []way[E]{{space, outer}} // the prefixes around the address at hand, the longest last
	closeTo := func(a netip.Addr) {
		for n := len(open) - 1; n > 0 && !open[n].prefix.Contains(a); n-- {
			next := netipx.PrefixLastIP(open[n].prefix).Next()
			open = open[:n]
			if space.Contains(next) {
				start(next, open[n-1].exit)
			}
		}
	}
	start(space.Addr(), outer)
	for i, w := range ways {
		if i > 0 && w.prefix == ways[i-1].prefix {
			continue // the first is in force
		}
		closeTo(w.prefix.Addr())
		start(w.prefix.Addr(), w.exit)
		open = append(open, w)
	}
	closeTo(netip.Addr{})
	return out
}

// A difference is a range of addresses that two partitions send to different exits.
type difference[E comparable] struct {
	from, to      netip.Addr
	before, after E
}

// differences returns where two partitions of a space differ, in order.
func differences[E comparable](space netip.Prefix, a, b []segment[E]) []difference[E] {
	var out []difference[E]
	from := space.Addr()
	for i, j := 0, 0; ; { // the segments that contain from
		var next netip.Addr // where the first of them ends; zero: with the space
		if i+1 < len(a) {
			next = a[i+1].from
		}
		if j+1 < len(b) && (!next.IsValid() || b[j+1].from.Less(next)) {
			next = b[j+1].from
		}
		if a[i].exit != b[j].exit {
			to := netipx.PrefixLastIP(space)
			if next.IsValid() {
				to = next.Prev()
			}
			out = append(out, difference[E]{from, to, a[i].exit, b[j].exit})
		}
		if !next.IsValid() {
			return out
		}
		from = next
		if i+1 < len(a) && a[i+1].from == next {
			i++
		}
		if j+1 < len(b) && b[j+1].from == next {
			j++
		}
	}
}
