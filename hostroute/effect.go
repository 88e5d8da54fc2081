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
	with, without exits      // of the witness
	witness       netip.Addr // the lowest address inside its destination that may leave by another NIC without it, else the lowest of all
	surely        bool       // without it, some address leaves by another NIC, whatever the order of leases
}

// steers reports whether, without the candidate, some address may leave by another NIC.
func (out outcome) steers() bool { return out.with != out.without }

// outcomes has the outcome of every candidate for one guest.
type outcomes struct {
	*fib
	decided []sweep.Verdict        // by the destination's index: which address it decides, with After as such an index
	known   map[*candidate]outcome // of those that change others, and of those with copies on several NICs
}

// outcomesOf returns the outcomes for a guest.
func outcomesOf(f *fib) *outcomes {
	o := &outcomes{fib: f, decided: decisions(f)}
	if !f.hasOnLink && !f.client.countsUp {
		return o // no route depends on another one
	}
	o.known = make(map[*candidate]outcome)
	for _, c := range f.attempts {
		if _, done := o.known[c]; done || !c.hasVerdict() || f.result(c) != installed {
			continue
		}
		var out outcome
		copies := f.attempts
		switch {
		case changesOthers(f, c):
			out = compareEgress(f, withoutRoute(f, c), c)
		case c.dest.several: // one answer for all copies, of which there may be many
			out, copies = o.outcome(c), c.dest.rivals // the client makes the same destination of all copies
		default:
			continue
		}
		for _, other := range copies { // they go with it
			if other.sameRoute(c) && f.result(other) == installed {
				o.known[other] = out
			}
		}
	}
	return o
}

// withoutRoute returns what comes of the instance without the route of a candidate.
func withoutRoute(f *fib, c *candidate) *fib {
	if reshapes(f, c) {
		return relisted(f, c.subnet, restOfList(c))
	}
	return install(f.guest, f.attempted(c), f.defaults)
}

// relisted returns what comes of the instance if a subnet has another list of host routes.
func relisted(f *fib, of *Subnet, list []HostRoute) *fib {
	return fibUnder(withList(f.Instance, of, list), f.client, f.defaults)
}

// withList returns a copy of a prepared instance in which a subnet has another list of host routes.
func withList(in Instance, of *Subnet, list []HostRoute) Instance {
	edited := *of
	edited.HostRoutes = list
	in.NICs = slices.Clone(in.NICs)
	for i := range in.NICs {
		in.NICs[i].Subnets = mapped(in.NICs[i].Subnets, func(s *Subnet) *Subnet {
			if s == of {
				return &edited
			}
			return s
		})
	}
	return in
}

// restOfList returns the other host routes of a candidate's subnet.
func restOfList(c *candidate) []HostRoute {
	return slices.DeleteFunc(slices.Clone(c.subnet.HostRoutes), func(r HostRoute) bool { return r == *c.HostRoute })
}

// reshapes reports whether, without a host route, the client may make other attempts of the rest. NetworkManager counts the
// defaults of a NIC. dhcpcd takes the default by option 3 if option 121 brings nothing else.
func reshapes(f *fib, c *candidate) bool {
	if !c.byDHCP() || c.source != SourceHostRoute {
		return false
	}
	isLast := func(n nic) bool { // of what option 121 brings to a NIC that has the gateway's address
		return n.ipv4 == c.subnet && n.bytes == wireLength(c.Destination)+wireLength(any4) && n.owns(c.subnet.Gateway)
	}
	return f.client.countsUp && c.Destination.Bits() == 0 || f.client.oneAddress && slices.ContainsFunc(f.nics, isLast)
}

// decisions returns what the destinations in force decide. The others decide nothing.
func decisions(f *fib) []sweep.Verdict {
	if !slices.Contains(f.inForce, nil) {
		return sweep.Effects(nil, f.prefixes)
	}
	out := make([]sweep.Verdict, len(f.inForce))
	var routes []sweep.Route
	var indices []int32 // of the destinations
	for i, c := range f.inForce {
		out[i].After = sweep.None
		if c != nil {
			routes = append(routes, f.prefixes[i])
			indices = append(indices, int32(i))
		}
	}
	for at, v := range sweep.Effects(nil, routes) {
		if v.Decides() {
			v.After = indices[v.After]
		}
		out[indices[at]] = v
	}
	return out
}

// changesOthers reports whether, without an installed candidate, more may change than what leaves by the routes to its destination
// and to its next hop: next hops of others may become acceptable or not, or it is another route on another NIC. Only
// installing everything again shows what changes then.
func changesOthers(f *fib, c *candidate) bool {
	if decidesHops(f, c) || reshapes(f, c) {
		return true
	}
	comesIn := func(behind *candidate) bool { return behind.onLink && f.result(behind) == exists }
	carries := c.dest.carries && (c.onLink || slices.ContainsFunc(c.dest.rivals, comesIn))
	return carries || c.hop != nil && c.hop.dest.relied || variesByNIC(f.guest, c)
}

// decidesHops reports whether it depends on a candidate, or on its place, to which next hops of others the client adds a route.
func decidesHops(f *fib, c *candidate) bool {
	return f.client.toHops == toRouters && f.addsHops && slices.ContainsFunc(f.attempts, func(o *candidate) bool {
		return o.user != nil && (c.hop != nil || c.dest.covers(o.user.NextHop))
	})
}

// outcome returns what a candidate does in the table. The route to its next hop goes with it.
func (o *outcomes) outcome(c *candidate) outcome {
	if known, found := o.known[c]; found {
		return known
	}
	switch {
	case !c.tried || o.result(c) != installed:
		return outcome{}
	case c.hop == nil:
		return o.at(c.dest, c)
	}
	return o.at(c.dest, c).and(o.at(c.hop.dest, c), c)
}

// at returns what deleting a candidate does to the addresses that a destination decides.
func (o *outcomes) at(d *destination, gone *candidate) outcome {
	witness := o.decided[d.index].Lowest(o.prefixes, int(d.index))
	if !witness.IsValid() {
		return outcome{}
	}
	before, after := o.exitAt(int(d.index)), o.exit(d, gone)
	return outcome{before, after, witness, before.disjoint(after)}
}

// and adds what the deletion of a candidate does to other addresses. A witness inside its destination is preferred.
func (out outcome) and(other outcome, gone *candidate) outcome {
	switch {
	case !other.steers():
		return out
	case !out.steers():
		return other
	}
	surely, within := out.surely || other.surely, gone.arrives()
	inside, otherInside := within.Contains(out.witness), within.Contains(other.witness)
	if otherInside && !inside || otherInside == inside && other.witness.Less(out.witness) {
		out = other
	}
	out.surely = surely
	return out
}

// decides reports whether a candidate that was tried decides any address.
func (o *outcomes) decides(c *candidate) bool {
	return o.result(c) == installed && o.mayBeInForce(c) && o.decided[c.dest.index].Decides()
}

// compareEgress returns what the deletion of a candidate does, which changes the table from a to b.
func compareEgress(a, b *fib, gone *candidate) (out outcome) {
	if a.guest != b.guest { // their destinations may differ
		return outcomeOf(moves(a, b), gone)
	}
	for i := 0; i < len(a.destinations); {
		if a.exitAt(i) == b.exitAt(i) {
			i++
			continue
		}
		// Egress may differ inside this destination, and so in those that it contains.
		space, outer, end := a.destinations[i].prefix, a.destinations[i].parent, i
		for end < len(a.destinations) && space.Overlaps(a.destinations[end].prefix) {
			end++
		}
		before := egressOf(a, space, a.exit(outer, nil), a.destinations[i:end])
		after := egressOf(b, space, b.exit(outer, nil), b.destinations[i:end])
		out = out.and(outcomeOf(differences(space, before, after), gone), gone)
		if out.surely && gone.arrives().Contains(out.witness) {
			break
		}
		i = end
	}
	return out
}

// outcomeOf returns what the deletion of a candidate does, from where egress differs then.
func outcomeOf(list []difference[exits], c *candidate) (out outcome) {
	within := c.arrives().Masked().Addr()
	for _, d := range list {
		if d.from.Less(within) && !d.to.Less(within) {
			d.from = within
		}
		out = out.and(outcome{d.before, d.after, d.from, d.before.disjoint(d.after)}, c)
	}
	return out
}

// egressOf partitions a space by the routes in force to some destinations. What these leave out leaves by the outer exits.
func egressOf(f *fib, space netip.Prefix, outer exits, among []destination) []segment[exits] {
	ways := make([]way[exits], 0, len(among))
	for i := range among {
		if c := f.inForce[among[i].index]; c != nil && space.Overlaps(c.dest.prefix) {
			ways = append(ways, way[exits]{c.dest.prefix, f.leaves(c, nil)})
		}
	}
	return partition(space, outer, ways)
}

// effect returns the effect of a candidate with a verdict, from why it is not in force, and its outcome.
func (o *outcomes) effect(c *candidate, cause Code, out outcome) Effect {
	switch {
	case cause != "" && (c.tried || c.subnet == nil):
		return EffectRefused
	case cause != "":
		return EffectNotOffered
	case out.steers():
		return EffectSteers
	case c.tried && !o.decides(c):
		return EffectShadowed
	case len(o.nics) == 1:
		return EffectSingleNIC
	}
	return EffectRedundant
}
