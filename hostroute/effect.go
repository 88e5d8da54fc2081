package hostroute

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// What deleting each route would change. The sweep finds the addresses that each destination decides, and its rivals show where
// these leave after the deletion. Everything is installed again only where an on-link route goes or comes on which the next hops
// of other routes may depend.

// An outcome says what a candidate does in the table. For one that does nothing there it is zero.
type outcome struct {
	steers        bool // without it, some address may leave by another NIC
	surely        bool // without it, some address cannot leave by a NIC that it leaves by now
	with, without exits
	witness       netip.Addr // the lowest such address inside its destination, else the lowest of all
}

// outcomes has the outcome of every candidate for one guest.
type outcomes struct {
	*fib
	routes   []sweep.Route   // the destinations with a route in force
	verdicts []sweep.Verdict // what each of them decides
	places   []int32         // their places, by the number of the destination

	reinstalled map[*candidate]outcome // of those that change others
}

// outcomes returns the outcomes for a guest.
func (f *fib) outcomes() *outcomes {
	o := &outcomes{fib: f, routes: f.prefixes}
	if slices.Contains(f.inForce, nil) {
		o.routes, o.places = nil, make([]int32, len(f.inForce))
		for i, c := range f.inForce {
			o.places[i] = int32(len(o.routes))
			if c != nil {
				o.routes = append(o.routes, f.prefixes[i])
			}
		}
	}
	o.verdicts = sweep.Effects(nil, o.routes)
	if !f.hasOnLink {
		return o // no next hop depends on another route
	}
	for _, c := range f.attempts {
		if _, done := o.reinstalled[c]; !done && c.hasVerdict() && f.changesOthers(c) {
			o.reinstall(c, install(f.guest, f.attempted(c), f.defaults))
		}
	}
	return o
}

// place returns the place of a destination among those with a route in force; it has one.
func (o *outcomes) place(d *destination) int {
	if o.places == nil {
		return int(d.number)
	}
	return int(o.places[d.number])
}

// changesOthers reports whether, without a candidate, next hops of others may become acceptable or not acceptable. Only
// installing everything again shows what changes then.
func (f *fib) changesOthers(c *candidate) bool {
	if f.result(c) != installed {
		return false
	}
	if f.client.toHops == toRouters && f.addsHops {
		return true
	}
	comesIn := func(behind *candidate) bool { return behind.onLink && f.result(behind) == exists }
	carries := func(c *candidate) bool {
		return c.hop != nil && c.hop.dest.relied || c.dest.carries && (c.onLink || slices.ContainsFunc(c.dest.rivals, comesIn))
	}
	return carries(c) || slices.ContainsFunc(f.copies(c), carries)
}

// reinstall notes the outcome of a candidate without which the table is after. Its copies on other NICs go with it, so theirs
// is noted, too.
func (o *outcomes) reinstall(gone *candidate, after *fib) {
	if o.reinstalled == nil {
		o.reinstalled = make(map[*candidate]outcome)
	}
	lowest, surely := compareEgress(o.fib, after, gone.arrives().Masked())
	for _, c := range o.attempts {
		if c.sameRoute(gone) && o.changesOthers(c) {
			o.reinstalled[c] = outcome{lowest.before != lowest.after, surely, lowest.before, lowest.after, lowest.from}
		}
	}
}

// outcome returns what a candidate does in the table. Its copies go with it.
func (o *outcomes) outcome(c *candidate) outcome {
	if out, found := o.reinstalled[c]; found {
		return out
	}
	if !c.tried || o.result(c) != installed {
		return outcome{}
	}
	out := o.without(c, c)
	for _, other := range o.copies(c) {
		out = out.and(o.without(c, other), c)
	}
	return out
}

// without returns what deleting a candidate does to the addresses that c decides, which is that candidate or a copy of it, and to
// those of the route to the next hop of c.
func (o *outcomes) without(gone, c *candidate) outcome {
	out := o.at(c.dest, gone)
	if c.hop != nil {
		out = out.and(o.at(c.hop.dest, gone), gone)
	}
	return out
}

// at returns what deleting a candidate does to the addresses that a destination decides.
func (o *outcomes) at(d *destination, gone *candidate) outcome {
	if o.inForce[d.number] == nil {
		return outcome{}
	}
	place := o.place(d)
	if !o.verdicts[place].Decides() {
		return outcome{}
	}
	before, after := o.exitAt(int(d.number)), o.exit(d, gone)
	if before == after {
		return outcome{}
	}
	return outcome{
		steers: true, surely: before.disjoint(after),
		with: before, without: after, witness: o.verdicts[place].Lowest(o.routes, place),
	}
}

// and adds what the same deletion does to other addresses.
func (out outcome) and(other outcome, gone *candidate) outcome {
	switch {
	case !other.steers:
		return out
	case !out.steers:
		return other
	}
	surely := out.surely || other.surely
	within := gone.arrives().Masked()
	inside, otherInside := within.Contains(out.witness), within.Contains(other.witness)
	if otherInside && !inside || otherInside == inside && other.witness.Less(out.witness) {
		out = other
	}
	out.surely = surely
	return out
}

// decides reports whether a candidate that was tried decides any address.
func (o *outcomes) decides(c *candidate) bool {
	return o.result(c) == installed && (o.inForce[c.dest.number] == c || o.open(c)) && o.verdicts[o.place(c.dest)].Decides()
}

// compareEgress returns the lowest address inside within that leaves otherwise, else the lowest of all; and whether
// any address cannot leave by a NIC that it left by before.
func compareEgress(a, b *fib, within netip.Prefix) (lowest difference[exits], surely bool) {
	found := false // inside
	for i := 0; i < len(a.destinations); {
		if a.exitAt(i) == b.exitAt(i) {
			i++
			continue
		}
		// Egress may differ inside this destination, and so in those that it contains.
		d, end := &a.destinations[i], i
		for end < len(a.destinations) && d.prefix.Overlaps(a.destinations[end].prefix) {
			end++
		}
		before := a.egress(d.prefix, a.exit(d.parent, nil), a.destinations[i:end])
		after := b.egress(d.prefix, b.exit(d.parent, nil), b.destinations[i:end])
		for _, d := range differences(d.prefix, before, after) {
			surely = surely || d.before.disjoint(d.after)
			if d.from.Less(within.Addr()) && !d.to.Less(within.Addr()) {
				d.from = within.Addr()
			}
			if inside := within.Contains(d.from); inside && !found || !lowest.from.IsValid() {
				lowest, found = d, inside
			}
			if found && surely {
				return lowest, surely
			}
		}
		i = end
	}
	return lowest, surely
}

// egress partitions a space by the routes in force to some destinations. What these leave out leaves by the outer exits.
func (f *fib) egress(space netip.Prefix, outer exits, among []destination) []segment[exits] {
	var ways []way[exits]
	for i := range among {
		if c := f.inForce[among[i].number]; c != nil && space.Overlaps(c.dest.prefix) {
			ways = append(ways, way[exits]{c.dest.prefix, f.leaves(c, nil)})
		}
	}
	return partition(space, outer, ways)
}

// effect returns the effect of a candidate with a verdict, which has an outcome.
func (o *outcomes) effect(c *candidate, out outcome) Effect {
	switch {
	case c.tried && o.result(c) != installed, !c.tried && c.subnet == nil:
		return EffectRefused
	case out.steers:
		return EffectSteers
	case c.tried && !o.decides(c):
		return EffectShadowed
	case o.withheld(c) != "":
		return EffectNotOffered
	case len(o.nics) == 1:
		return EffectSingleNIC
	}
	return EffectRedundant
}
