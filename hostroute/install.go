package hostroute

import (
	"net/netip"
	"slices"
)

// Stage 2: the guest tries one route after the other, and Linux answers.

// A fib is what came of a guest's attempts: Linux's forwarding table, and its answers.
type fib struct {
	*guest
	defaults defaults
	answers  []answer     // by the candidate's index
	inForce  []*candidate // by the destination's index; nil: none

	// By the destination's index, the NICs with an installed on-link route to it, a bit each. Links counts the routes that
	// the client adds to next hops, and asked does not.
	links, asked []uint64
}

// defaults holds the NIC whose offered default the guest keeps, for each of families: its index plus 1.
// 0: the guest is told none.
type defaults [2]int32

var families = [...]netip.Prefix{any4, any6}

// unwanted reports whether the guest is told to keep the IPv4 default of another NIC.
func (d defaults) unwanted(n *nic) bool { return d[0] != 0 && d[0] != n.index+1 }

// An answer is Linux's to one attempt.
type answer struct {
	result  result
	covered bool // a link-scope route of the NIC contains the next hop, apart from the one that the client adds for it
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
	f := &fib{guest: g, defaults: keeps}
	f.answers, f.inForce = make([]answer, len(g.attempts)), make([]*candidate, len(g.destinations))
	if g.hasOnLink {
		f.links, f.asked = make([]uint64, len(g.destinations)), make([]uint64, len(g.destinations))
	}
	for _, c := range attempts {
		covered := f.covers(c, f.links)
		a := answer{f.answer(c, covered), covered && (c.hop == nil || f.covers(c, f.asked))}
		if a.result == installed && f.exists(c) {
			a.result = exists
		}
		f.answers[c.index] = a
		if a.result != installed {
			continue
		}
		if there := f.inForce[c.dest.index]; there == nil || c.metric < there.metric {
			f.inForce[c.dest.index] = c
		}
		if c.onLink {
			f.links[c.dest.index] |= 1 << c.nic.index
		}
		if c.onLink && c.source != SourceNextHop {
			f.asked[c.dest.index] |= 1 << c.nic.index
		}
	}
	return f
}

// answer applies Linux's rules in their order, but for what is in the table already.
func (f *fib) answer(c *candidate, covered bool) result {
	switch {
	case c.source == SourceConnected:
		return installed
	case f.drops(c):
		return dropped
	case c.badMask:
		return badMask
	case !c.dest.prefix.Addr().Is4():
		if c.source == SourceManual && (!c.NextHop.IsLinkLocalUnicast() || slices.Contains(c.nic.Addrs, c.NextHop)) {
			return badNextHop
		}
		return installed
	case c.onLink, c.loopback:
		return installed
	case c.NextHop == c.nic.broadcast:
		return badNextHop
	case covered, c.nic.owns(c.NextHop):
		return installed
	}
	return badNextHop
}

// exists reports whether the destination of a route is in the table already, with the same metric.
func (f *fib) exists(c *candidate) bool {
	first := f.inForce[c.dest.index]
	if first == nil || c.source == SourceConnected { // connected routes are appended
		return false
	}
	appends := f.appends(c)
	if !appends && first.metric == c.metric {
		return true // with no look at the rivals, of which there may be many
	}
	for _, o := range c.dest.rivals {
		if o == c {
			break // the rest is tried later, or has a higher metric
		}
		isSame := o.nic == c.nic && o.onLink == c.onLink && o.toHost == c.toHost && (o.onLink || o.NextHop == c.NextHop)
		if (isSame || !appends) && o.metric == c.metric && f.result(o) == installed {
			return true
		}
	}
	return false
}

// appends reports whether the client installs a route although others to its destination are there.
func (f *fib) appends(c *candidate) bool {
	return f.client.appends && c.byDHCP()
}

// drops reports whether the guest drops a candidate, because it keeps another NIC's default.
func (f *fib) drops(c *candidate) bool {
	keeps := f.defaults[0]
	if !c.dest.prefix.Addr().Is4() {
		keeps = f.defaults[1]
	} else if f.client.raised > 0 && c.byDHCP() {
		return false // it has a higher metric
	}
	return keeps != 0 && keeps != c.nic.index+1 && c.isDefault()
}

// with returns what comes of the same instance under a client, if it keeps these defaults.
func (f *fib) with(c *client, keeps defaults) *fib {
	if c == f.client && c.raised == 0 && !c.byName { // it tries the same routes with the same metrics
		return install(f.guest, f.attempted(nil), keeps)
	}
	return fibUnder(f.Instance, c, keeps)
}

// fibUnder returns what a client makes of a prepared instance, if it keeps these defaults.
func fibUnder(in Instance, c *client, keeps defaults) *fib {
	g := newGuest(in, c, keeps)
	return install(g, g.attempted(nil), keeps)
}

// covers reports whether a link-scope route of its NIC contains a candidate's next hop: the connected one, or
// one of some on-link ones.
func (f *fib) covers(c *candidate, links []uint64) bool {
	if c.nic.connects(c.NextHop) {
		return true
	}
	for d := c.around; d != nil; d = d.parent {
		if links[d.index]&(1<<c.nic.index) != 0 {
			return true
		}
	}
	return false
}

// result is Linux's answer to a candidate that was tried.
func (f *fib) result(c *candidate) result { return f.answers[c.index].result }

// accepts reports whether Linux installed a candidate, or refused it only because an equal route is there.
func (f *fib) accepts(c *candidate) bool {
	return f.result(c) == installed || f.result(c) == exists
}

// first returns what would be in force for a destination without a candidate; nil: nothing.
func (f *fib) first(d *destination, gone *candidate) *candidate {
	if c := f.inForce[d.index]; c == nil || !c.goes(gone) {
		return c
	}
	for _, c := range d.rivals {
		if f.accepts(c) && !c.goes(gone) {
			return c
		}
	}
	return nil
}

// default4 returns the IPv4 default route in force; nil if there is none. Its destination sorts before all others.
func (f *fib) default4() *candidate {
	if len(f.destinations) == 0 || f.destinations[0].prefix != any4 {
		return nil
	}
	return f.inForce[0]
}

// offeredDefault returns the NICs that are offered a default of a family, in their order, whatever the client makes of it.
func offeredDefault(g *guest, family int) []*nic {
	var out []*nic
	for i := range g.candidates {
		c := &g.candidates[i]
		isDefault := c.tried && c.source != SourceConnected && c.source != SourceManual && c.arrives() == families[family]
		if isDefault && !slices.Contains(out, c.nic) {
			out = append(out, c.nic)
		}
	}
	return out
}

// maxCompared bounds how many default routes are compared, because each costs as much as the first: no real instance is offered
// as many and keeps an unknown one.
const maxCompared = 8

// choices returns what a guest may keep of several offered defaults, where nothing says which. Those of IPv4 come first.
func choices(g *guest) []defaults {
	if g.DefaultNIC != "" {
		return nil
	}
	var out []defaults
	for family := range families {
		if offered := offeredDefault(g, family); len(offered) > 1 {
			for _, n := range offered {
				out = append(out, keeping(n, family))
			}
		}
	}
	return out
}

// keeping returns the defaults of a guest that keeps the NIC's of one family.
func keeping(n *nic, family int) (keeps defaults) {
	keeps[family] = n.index + 1
	return keeps
}
