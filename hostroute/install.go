package hostroute

import (
	"net/netip"
	"slices"
)

// Stage 2: the guest tries one route after the other, and Linux answers.

// A fib is what came of a guest's attempts: Linux's forwarding table, and its answers.
type fib struct {
	*guest
	tried    []*candidate // the attempts, or some of them
	defaults defaults
	answers  []answer     // by the candidate's number
	inForce  []*candidate // by the destination's number; nil: none
}

// defaults holds the NIC whose offered default the guest keeps, for each of families; nil: the first that is offered one.
type defaults [2]*nic

var families = [...]netip.Prefix{any4, any6}

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
func install(g *guest, attempts []*candidate, keeps defaults) *fib {
	f := &fib{g, attempts, keeps, make([]answer, len(g.attempts)), make([]*candidate, len(g.destinations))}
	for _, c := range attempts {
		a := answer{covered: f.covers(c, anySource)}
		a.result = f.answer(c, a.covered)
		if there := &f.inForce[c.dest.number]; a.result == installed && *there == nil {
			*there = c
		} else if a.result == installed && c.source != fromConnected { // connected routes are appended
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
	case c.source == fromConnected:
		return installed
	case f.defaults.drop(c):
		return dropped
	case c.badMask:
		return badMask
	case !c.dest.prefix.Addr().Is4():
		if c.source == fromManual && (!c.NextHop.IsLinkLocalUnicast() || ownAddress()) {
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

// drop reports whether the guest drops a candidate, because it keeps another NIC's default.
func (d defaults) drop(c *candidate) bool {
	keeps := d[0]
	if !c.dest.prefix.Addr().Is4() {
		keeps = d[1]
	}
	return keeps != nil && keeps != c.nic && c.isDefault()
}

// keeping returns what comes of the same attempts if a guest that was not told keeps these defaults.
func (f *fib) keeping(keeps defaults) *fib {
	if slices.ContainsFunc(f.defaultDestinations, (*destination).mayBeOnLink) {
		return install(f.guest, f.tried, keeps) // other next hops may depend on it
	}
	other := &fib{f.guest, f.tried, keeps, slices.Clone(f.answers), slices.Clone(f.inForce)}
	for _, d := range f.defaultDestinations {
		there := &other.inForce[d.number]
		*there = nil
		for _, c := range d.rivals {
			answer := &other.answers[c.number].result
			switch {
			case !f.accepts(c): // whatever stands there
			case keeps.drop(c):
				*answer = dropped
			case *there == nil:
				*there, *answer = c, installed
			case c.source != fromConnected:
				*answer = exists
			}
		}
	}
	return other
}

// covers reports whether a link-scope route of its NIC contains a candidate's next hop: the connected one, or
// an on-link one from a source that counts.
func (f *fib) covers(c *candidate, counts func(*candidate) bool) bool {
	if c.nic.connects(c.NextHop) {
		return true
	}
	if f.around == nil {
		return false
	}
	for d := f.around[c.number]; d != nil; d = d.parent {
		if in := f.inForce[d.number]; in != nil && in.nic == c.nic && in.isOnLink() && counts(in) {
			return true
		}
	}
	return false
}

func anySource(*candidate) bool { return true }

// result is Linux's answer to a candidate that was tried.
func (f *fib) result(c *candidate) result { return f.answers[c.number].result }

// accepts reports whether Linux takes a candidate, but for a route that is there already.
func (f *fib) accepts(c *candidate) bool {
	return f.result(c) == installed || f.result(c) == exists
}

// behind returns what would be in force for a candidate's destination without it; nil: nothing.
func (f *fib) behind(gone *candidate) *candidate {
	for _, c := range gone.dest.rivals {
		if f.accepts(c) && !c.sameRoute(gone) {
			return c
		}
	}
	return nil
}

// without returns the attempts that are left if a candidate is deleted.
func without(attempts []*candidate, gone *candidate) []*candidate {
	return slices.DeleteFunc(slices.Clone(attempts), gone.sameRoute)
}

// told returns the NICs whose defaults the guest is told to keep.
func (g *guest) told() defaults {
	for i := range g.nics {
		if n := &g.nics[i]; g.DefaultNIC != "" && n.Name == g.DefaultNIC {
			return defaults{n, n}
		}
	}
	return defaults{}
}

// offered returns the NICs that are offered a default of a family, in their order.
func (g *guest) offered(family int) []*nic {
	var out []*nic
	for _, d := range g.defaultDestinations {
		for _, c := range d.rivals {
			if d.prefix == families[family] && c.isDefault() && !slices.Contains(out, c.nic) {
				out = append(out, c.nic)
			}
		}
	}
	return out
}

// choices returns what a guest may keep of several offered defaults, where nothing says which.
func (g *guest) choices() []defaults {
	if g.DefaultNIC != "" {
		return nil
	}
	var out []defaults
	for i := range families {
		offered := g.offered(i)
		if len(offered) < 2 {
			continue
		}
		for _, n := range offered {
			var d defaults
			d[i] = n
			out = append(out, d)
		}
	}
	return out
}
