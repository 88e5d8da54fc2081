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

// effects returns the outcome of every attempt, by the candidate's number, for guests that keep different defaults.
func effects(fibs []*fib) [][]outcome {
	all := make([][]outcome, len(fibs))
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
			lowest := lowestDifference(f, after, c.dest.prefix)
			all[i][c.number] = outcome{all[i][c.number].decides, lowest.before != lowest.after, lowest.before, lowest.after, lowest.from}
		}
	}
	return all
}

// outcomes returns what the sweep says: what is right if no next hop depends on another route.
func (f *fib) outcomes() []outcome {
	routes := make([]sweep.Route, 0, len(f.inForce)) // those in force, each with the one behind it
	for _, c := range f.inForce {
		if c == nil {
			continue
		}
		routes = append(routes, c.sweepRoute())
		if behind := f.behind(c); behind != nil {
			routes = append(routes, behind.sweepRoute())
		}
	}
	verdicts := sweep.Effects(make([]sweep.Verdict, 0, len(routes)), routes)
	out := make([]outcome, len(f.attempts))
	at := 0
	for _, c := range f.inForce {
		if c == nil {
			continue
		}
		v := verdicts[at]
		out[c.number] = outcome{v.Decides(), v.Steers(routes[at]), c.nic.number, v.Without, v.Lowest(routes, at)}
		at++
		if at < len(routes) && routes[at].Prefix == c.dest.prefix {
			at++ // the one behind
		}
	}
	return out
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

// effect returns the effect of a candidate with a verdict.
func (f *fib) effect(c *candidate, outcomes []outcome) Effect {
	single := len(f.nics) == 1
	switch {
	case c.withheld != "" && c.subnet != nil:
		return EffectNotOffered
	case c.withheld != "":
		return EffectRefused
	case c.isOfferedDefault() && single:
		return EffectSingleNIC
	case c.isOfferedDefault():
		return EffectRedundant
	case f.result(c) != installed:
		return EffectRefused
	}
	switch o := &outcomes[c.number]; {
	case o.steers:
		return EffectSteers
	case !o.decides:
		return EffectShadowed
	case single:
		return EffectSingleNIC
	}
	return EffectRedundant
}
