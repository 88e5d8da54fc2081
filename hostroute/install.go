package hostroute

import (
	"net/netip"
	"slices"
)

// Stage 2: the guest tries one route after the other, and Linux answers.

// A fib is what came of a guest's attempts: Linux's forwarding table, and its answers.
type fib struct {
	*guest
	kept    kept
	answers []answer     // by the candidate's number
	inForce []*candidate // by the destination's number; nil: none
}

// kept holds the NICs whose offered defaults the guest keeps; nil: the first that is offered one.
type kept struct{ v4, v6 *nic }

// An answer is Linux's to one attempt.
type answer struct {
	result  result
	covered bool // a link-scope route of the NIC contains the next hop
}

type result uint8

const (
	absent     result = iota // it was not tried
	installed                // it is in the table
	exists                   // "File exists": its destination is in the table already
	badNextHop               // "Nexthop has invalid gateway"
	badMask                  // the destination has host bits
	dropped                  // an offered default that the guest does not keep
)

// install tries attempts, all of them or some, in their order.
func install(g *guest, attempts []*candidate, k kept) *fib {
	f := &fib{g, k, make([]answer, len(g.attempts)), make([]*candidate, len(g.destinations))}
	for _, c := range attempts {
		a := answer{covered: f.covers(c)}
		a.result = f.answer(c, a.covered)
		if there := &f.inForce[c.dest.number]; a.result == installed && *there == nil {
			*there = c
		} else if a.result == installed && c.source != SourceConnected { // connected routes are appended
			a.result = exists
		}
		f.answers[c.number] = a
	}
	return f
}

// answer applies Linux's rules in their order, but for what is in the table already.
func (f *fib) answer(c *candidate, covered bool) result {
	ownAddress := func() bool { return slices.Contains(c.nic.Addrs, c.NextHop) }
	switch {
	case c.source == SourceConnected:
		return installed
	case c.isDefault() && f.kept.drops(c):
		return dropped
	case c.badMask:
		return badMask
	case !c.dest.prefix.Addr().Is4():
		if c.source == SourceManual && (!c.NextHop.IsLinkLocalUnicast() || ownAddress()) {
			return badNextHop
		}
		return installed
	case c.isOnLink():
		return installed
	case c.NextHop == c.nic.broadcast:
		return badNextHop
	case covered, c.nic.ipv4 != nil && c.nic.ipv4.CIDR.Contains(c.NextHop) && ownAddress():
		return installed
	}
	return badNextHop
}

func (k kept) drops(c *candidate) bool {
	keeps := k.v4
	if !c.dest.prefix.Addr().Is4() {
		keeps = k.v6
	}
	return keeps != nil && keeps != c.nic
}

// covers says whether a link-scope route of its NIC contains a candidate's next hop.
func (f *fib) covers(c *candidate) bool {
	if c.nic.connects(c.NextHop) {
		return true
	}
	for d := c.reach; d != nil; d = d.parent {
		if in := f.inForce[d.number]; in != nil && in.nic == c.nic && in.isOnLink() {
			return true
		}
	}
	return false
}

// result is Linux's answer to a candidate that was tried.
func (f *fib) result(c *candidate) result { return f.answers[c.number].result }

// accepts says whether Linux takes a candidate, but for a route that is there already.
func (f *fib) accepts(c *candidate) bool {
	return f.result(c) == installed || f.result(c) == exists
}

// behind returns what would be in force for a destination without the route that is; nil: nothing.
func (f *fib) behind(d *destination) *candidate {
	gone := f.inForce[d.number]
	for _, c := range d.rivals {
		if f.accepts(c) && !c.sameRoute(gone) {
			return c
		}
	}
	return nil
}

// without returns the attempts that are left if a candidate is deleted.
func without(attempts []*candidate, gone *candidate) []*candidate {
	left := make([]*candidate, 0, len(attempts))
	for _, c := range attempts {
		if !c.sameRoute(gone) {
			left = append(left, c)
		}
	}
	return left
}

// keptDefault returns the NICs whose defaults the guest is told to keep.
func (g *guest) keptDefault() kept {
	for i := range g.nics {
		if n := &g.nics[i]; g.DefaultNIC != "" && n.Name == g.DefaultNIC {
			return kept{n, n}
		}
	}
	return kept{}
}

// offered returns the NICs that are offered a default of a family, in their order.
func (g *guest) offered(all netip.Prefix) []*nic {
	var out []*nic
	for _, c := range g.attempts {
		if c.dest.prefix == all && c.isDefault() && !slices.Contains(out, c.nic) {
			out = append(out, c.nic)
		}
	}
	return out
}

// choices returns what a guest may keep of several offered defaults, where nothing says which.
func (g *guest) choices() []kept {
	if g.DefaultNIC != "" || len(g.nics) < 2 {
		return nil
	}
	var out []kept
	if v4 := g.offered(any4); len(v4) > 1 {
		for _, n := range v4 {
			out = append(out, kept{v4: n})
		}
	}
	if v6 := g.offered(any6); len(v6) > 1 {
		for _, n := range v6 {
			out = append(out, kept{v6: n})
		}
	}
	return out
}
