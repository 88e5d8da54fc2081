package hostroute

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// What deleting each route would change. The sweep decides all routes at once. Only where an
// on-link route goes or comes that may carry the next hops of others, everything is installed again.

// An outcome says what a candidate does in the table. For one that does nothing there it is zero.
type outcome struct {
	decides       bool // any address
	steers        bool // without it, some address may leave by another NIC
	surely        bool // without it, some address cannot leave by a NIC that it leaves by now
	with, without int32
	witness       netip.Addr // the lowest such address inside its destination, else the lowest of all
}

// outcomes has the outcome of every candidate for one guest.
type outcomes struct {
	*fib
	routes   []sweep.Route   // those in force, each with the one behind it
	verdicts []sweep.Verdict // what the sweep says of them: right if only the route itself goes
	at       []int32         // the place of the one in force among them, by the destination's number

	reinstalled map[*candidate]outcome // for the others, what installing everything without them says
}

// effects returns the outcomes for one guest that keeps different defaults. Where that changes nothing but the defaults, they
// share the work.
func effects(fibs []*fib) []*outcomes {
	all := make([]*outcomes, len(fibs))
	for i, f := range fibs {
		if f.guest == fibs[0].guest {
			all[i] = f.outcomes()
		} else {
			all[i] = effects([]*fib{f})[0]
		}
	}
	first := fibs[0]
	for _, c := range first.attempts {
		if !c.hasVerdict() {
			continue
		}
		var left *fib
		for i, f := range fibs {
			if _, done := all[i].reinstalled[c]; done || f.guest != first.guest || !all[i].changesOthers(c) {
				continue
			}
			if left == nil {
				left = install(first.guest, first.attempted(c), first.defaults)
			}
			after := left
			if i > 0 {
				after = left.keeping(f.defaults)
			}
			all[i].reinstall(c, after)
		}
	}
	return all
}

func (f *fib) outcomes() *outcomes {
	routes, at := make([]sweep.Route, 0, len(f.inForce)), make([]int32, len(f.inForce))
	for i, c := range f.inForce {
		if c == nil {
			continue
		}
		at[i] = int32(len(routes))
		routes = append(routes, sweep.Route{Prefix: c.dest.prefix, NIC: f.leaves(c, nil)})
		if behind := f.behind(c); behind != nil {
			routes = append(routes, sweep.Route{Prefix: c.dest.prefix, NIC: f.leaves(behind, c)})
		}
	}
	return &outcomes{fib: f, routes: routes, verdicts: sweep.Effects(nil, routes), at: at}
}

// changesOthers reports whether without a candidate more may change than that an equal destination comes in. Only
// installing everything again shows what, then.
func (o *outcomes) changesOthers(c *candidate) bool {
	if o.result(c) != installed {
		return false
	}
	comesIn := func(behind *candidate) bool { return o.result(behind) == exists }
	if c.dest.carries && (c.onLink || slices.ContainsFunc(o.onLink[c.dest.number], comesIn)) {
		return true
	}
	if o.client.toHops == toRouters && o.users != nil {
		return true
	}
	if hop := o.hops[c]; hop != nil && o.result(hop) == installed && (o.open(hop) || c.dest.prefix.Contains(c.NextHop) || c.nic.reliesOn(c.NextHop)) {
		return true
	}
	return o.open(c) || o.client.metric > 0 && o.hasCopies(c)
}

// hasCopies reports whether another NIC gets the same host route.
func (g *guest) hasCopies(c *candidate) bool {
	for i := range g.nics {
		if n := &g.nics[i]; n != c.nic && n.ipv4 == c.subnet && c.subnet != nil {
			return true
		}
	}
	return false
}

// reinstall notes the outcome of a candidate without which the table is after. Its copies on other NICs go with it,
// so theirs is noted, too.
func (o *outcomes) reinstall(gone *candidate, after *fib) {
	if o.reinstalled == nil {
		o.reinstalled = make(map[*candidate]outcome)
	}
	lowest, surely := compareEgress(o.fib, after, gone.arrives().Masked())
	for _, c := range o.attempts {
		if c.sameRoute(gone) && o.changesOthers(c) {
			decides := o.outcome(o.inForce[c.dest.number]).decides && (o.inForce[c.dest.number] == c || o.open(c))
			o.reinstalled[c] = outcome{decides, lowest.before != lowest.after, surely, lowest.before, lowest.after, lowest.from}
		}
	}
}

// outcome returns what a candidate does in the table. Without it, the route to its next hop goes, too.
func (o *outcomes) outcome(c *candidate) outcome {
	if out, found := o.reinstalled[c]; found {
		return out
	}
	if !c.tried || o.result(c) != installed {
		return outcome{}
	}
	out := o.swept(c)
	if hop := o.hops[c]; hop != nil {
		with := o.swept(hop)
		out.surely = out.surely || with.surely
		if with.steers && !out.steers { // no address of it is inside the destination
			out.steers, out.with, out.without, out.witness = true, with.with, with.without, with.witness
		}
	}
	return out
}

// swept returns what the sweep says of a candidate.
func (o *outcomes) swept(c *candidate) outcome {
	if o.inForce[c.dest.number] != c {
		return outcome{}
	}
	at := int(o.at[c.dest.number])
	v := o.verdicts[at]
	with := o.routes[at].NIC
	return outcome{v.Decides(), v.Without != with, o.exits.disjoint(with, v.Without), with, v.Without, v.Lowest(o.routes, at)}
}

// compareEgress returns the lowest address inside within that leaves otherwise, else the lowest of all; and whether
// any address cannot leave by a NIC that it left by before.
func compareEgress(a, b *fib, within netip.Prefix) (lowest difference, surely bool) {
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
		for _, d := range differences(d.prefix, a.egress(i, end), b.egress(i, end)) {
			surely = surely || a.exits.disjoint(d.before, d.after)
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

// egress partitions the first destination of a range by the routes in force to all of them.
func (f *fib) egress(start, end int) []segment {
	outer := int32(sweep.None)
	for d := f.destinations[start].parent; d != nil && outer == sweep.None; d = d.parent {
		outer = f.exitAt(int(d.number))
	}
	var routes []sweep.Route
	for _, c := range f.inForce[start:end] {
		if c != nil {
			routes = append(routes, sweep.Route{Prefix: c.dest.prefix, NIC: f.leaves(c, nil)})
		}
	}
	return partition(f.destinations[start].prefix, outer, routes)
}

// exitAt returns the number of the NICs by which data to a destination may leave; None: no route to it is in force.
func (f *fib) exitAt(destination int) int32 {
	if c := f.inForce[destination]; c != nil {
		return f.leaves(c, nil)
	}
	return sweep.None
}

// effect returns the effect of a candidate with a verdict, which has an outcome.
func (f *fib) effect(c *candidate, o outcome) Effect {
	switch {
	case c.tried && f.result(c) != installed, !c.tried && c.subnet == nil:
		return EffectRefused
	case o.steers:
		return EffectSteers
	case c.tried && !o.decides:
		return EffectShadowed
	case f.withheld(c) != "":
		return EffectNotOffered
	case len(f.nics) == 1:
		return EffectSingleNIC
	}
	return EffectRedundant
}
