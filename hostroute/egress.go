package hostroute

import (
	"cmp"
	"net/netip"
	"slices"

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
	return c.Destination.String() + ": " + cmp.Or(quoted(c.Before), "no route") + " -> " + cmp.Or(quoted(c.After), "no route")
}

// Diff returns where the egress NIC differs between two tables: as the fewest prefixes, sorted by
// address, IPv4 before IPv6. The result is empty exactly if [Table.Lookup] finds routes of the same NIC in both tables for
// every address, or none in either. Of Open routes, that is the first: data may leave by another NIC although the result is empty.
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

// Destinations returns all addresses that leave through a NIC, exactly. For a name that no row has, it is empty. Ask it about an IPv4-mapped address as IPv4: ::/0 contains
// ::ffff:0:0/96, but no address there is sent as IPv6.
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

// egress partitions a family, with the names of NICs as exits. It reads any row as Lookup does: as if masked, and without a
// destination not at all.
func (t Table) egress(space netip.Prefix) []segment[string] {
	var ways []way[string]
	for _, r := range slices.SortedStableFunc(slices.Values(t), func(a, b Route) int { return cmp.Compare(a.Metric, b.Metric) }) {
		if d := r.Destination; d.IsValid() && d.Addr().Is4() == space.Addr().Is4() {
			ways = append(ways, way[string]{d.Masked(), r.NIC})
		}
	}
	slices.SortStableFunc(ways, func(a, b way[string]) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
	})
	return partition(space, "", ways)
}

// A way is a destination and where it leaves. The zero E is no route.
type way[E comparable] struct {
	prefix netip.Prefix
	exit   E
}

// A segment is a range of addresses that leave by one exit. It begins where the segment before it ends.
type segment[E comparable] struct {
	to   netip.Addr
	exit E
}

// partition returns the egress of every address of a space: sorted segments, no two neighbours alike. The ways are sorted by
// address, at one address the shorter first; of equal ones the first is in force. What none contains leaves by the outer exit.
func partition[E comparable](space netip.Prefix, outer E, ways []way[E]) (out []segment[E]) {
	out = make([]segment[E], 0, 1+2*len(ways))
	next := space.Addr() // the first address that is in no segment yet; zero: there is none
	upTo := func(to netip.Addr, exit E) {
		if !next.IsValid() || to.Less(next) {
			return
		}
		next = to.Next()
		if n := len(out); n > 0 && out[n-1].exit == exit {
			out[n-1].to = to
		} else {
			out = append(out, segment[E]{to, exit})
		}
	}
	ways = slices.CompactFunc(ways, func(a, b way[E]) bool { return a.prefix == b.prefix })
	var fill func(way[E]) // with the ways inside it
	fill = func(around way[E]) {
		for len(ways) > 0 && around.prefix.Contains(ways[0].prefix.Addr()) {
			inside := ways[0]
			ways = ways[1:]
			upTo(inside.prefix.Addr().Prev(), around.exit)
			fill(inside)
		}
		upTo(netipx.PrefixLastIP(around.prefix), around.exit)
	}
	fill(way[E]{space, outer})
	return out
}

// A difference is a range of addresses that two partitions send to different exits.
type difference[E comparable] struct {
	from, to      netip.Addr
	before, after E
}

// differences returns where two partitions of a space differ, in order.
func differences[E comparable](space netip.Prefix, before, after []segment[E]) (out []difference[E]) {
	from := space.Addr()
	for len(before) > 0 { // both end with the space
		b, a := before[0], after[0]
		to := b.to
		if a.to.Less(to) {
			to = a.to
		}
		if b.exit != a.exit {
			out = append(out, difference[E]{from, to, b.exit, a.exit})
		}
		if b.to == to {
			before = before[1:]
		}
		if a.to == to {
			after = after[1:]
		}
		from = to.Next()
	}
	return out
}
