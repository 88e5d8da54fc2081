package hostroute

import (
	"net/netip"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// What deleting each route would change. The sweep decides all routes at once. Only where an
// on-link route goes or comes that may carry the next hops of others, everything is installed again.

// An outcome says what a route does in the table. For a route that is not in force it is zero.
type outcome struct {
	decides       bool // any address
	steers        bool // without it, some address leaves by another NIC
	with, without int32
	witness       netip.Addr // the lowest such address inside its destination, else the lowest of all
}

// outcomes has the outcome of every candidate for one guest.
type outcomes struct {
	*fib
	routes   []sweep.Route   // those in force, each with the one behind it
	verdicts []sweep.Verdict // what the sweep says of them: right if no next hop depends on the route
	at       []int32         // the place of the one in force among them, by the destination's number

	reinstalled map[*candidate]outcome // for the others, what installing everything without them says
}

// effects returns the outcomes for guests that keep different defaults.
func effects(fibs []*fib) []*outcomes {
	all := make([]*outcomes, len(fibs))
	for i, f := range fibs {
		all[i] = f.outcomes()
	}
	first := fibs[0]
	for _, c := range first.attempts {
		if !c.hasVerdict() || !c.dest.carries {
			continue
		}
		var left *fib
		for i, f := range fibs {
			if f.inForce[c.dest.number] != c {
				continue
			}
			if behind := f.behind(c); !c.isOnLink() && (behind == nil || !behind.isOnLink()) {
				continue
			}
			if left == nil {
				left = install(first.guest, without(first.attempts, c), first.defaults)
			}
			after := left
			if i > 0 {
				after = left.keeping(f.defaults)
			}
			all[i].reinstall(c, lowestDifference(f, after, c.dest.prefix))
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
		routes = append(routes, c.sweepRoute())
		if behind := f.behind(c); behind != nil {
			routes = append(routes, behind.sweepRoute())
		}
	}
	return &outcomes{fib: f, routes: routes, verdicts: sweep.Effects(nil, routes), at: at}
}

func (o *outcomes) reinstall(c *candidate, lowest difference) {
	if o.reinstalled == nil {
		o.reinstalled = make(map[*candidate]outcome)
	}
	o.reinstalled[c] = outcome{o.outcome(c).decides, lowest.before != lowest.after, lowest.before, lowest.after, lowest.from}
}

// outcome returns what a candidate does in the table.
func (o *outcomes) outcome(c *candidate) outcome {
	if !c.tried || o.inForce[c.dest.number] != c {
		return outcome{}
	}
	if out, found := o.reinstalled[c]; found {
		return out
	}
	at := int(o.at[c.dest.number])
	v := o.verdicts[at]
	return outcome{v.Decides(), v.Steers(o.routes[at]), c.nic.number, v.Without, v.Lowest(o.routes, at)}
}

// lowestDifference begins with the lowest address inside within that leaves by another NIC, else the lowest of all.
func lowestDifference(a, b *fib, within netip.Prefix) difference {
	var lowest difference
	for i := 0; i < len(a.destinations); {
		if a.nicAt(i) == b.nicAt(i) {
			i++
			continue
		}
		// Egress may differ inside this destination, and so in those that it contains.
		d, end := &a.destinations[i], i
		for end < len(a.destinations) && d.prefix.Overlaps(a.destinations[end].prefix) {
			end++
		}
		for _, d := range differences(d.prefix, a.egress(i, end), b.egress(i, end)) {
			if d.from.Less(within.Addr()) && !d.to.Less(within.Addr()) {
				d.from = within.Addr()
			}
			if within.Contains(d.from) {
				return d
			}
			if !lowest.from.IsValid() {
				lowest = d
			}
		}
		i = end
	}
	return lowest
}

// egress partitions the first destination of a range by the routes in force to all of them.
func (f *fib) egress(start, end int) []segment {
	outer := int32(sweep.None)
	for d := f.destinations[start].parent; d != nil && outer == sweep.None; d = d.parent {
		outer = f.nicAt(int(d.number))
	}
	var routes []sweep.Route
	for _, c := range f.inForce[start:end] {
		if c != nil {
			routes = append(routes, c.sweepRoute())
		}
	}
	return partition(f.destinations[start].prefix, outer, routes)
}

// nicAt returns the number of the NIC of the route in force to a destination.
func (f *fib) nicAt(destination int) int32 {
	if c := f.inForce[destination]; c != nil {
		return c.nic.number
	}
	return sweep.None
}

func (c *candidate) sweepRoute() sweep.Route {
	return sweep.Route{Prefix: c.dest.prefix, NIC: c.nic.number}
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
