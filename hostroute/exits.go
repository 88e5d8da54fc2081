package hostroute

import (
	"cmp"
	"math/bits"
	"slices"
)

// Stage 3, for guests that configure their NICs at once: nobody knows which of two equal routes is in force, so data may leave by
// either NIC.

// exits are the NICs by which data may leave. The zero exits are none: there is no route.
type exits struct {
	nics uint64 // a bit for each
	lo   bool   // it goes to the device lo instead
}

// several reports whether data may leave by more than one NIC.
func (e exits) several() bool { return bits.OnesCount64(e.nics) > 1 }

// disjoint reports whether the two have no NIC in common.
func (e exits) disjoint(o exits) bool { return e != o && e.nics&o.nics == 0 }

// leaves returns the NICs by which data may leave where route c is in force (nil: no route), after another one is deleted (nil:
// none).
func (f *fib) leaves(c, gone *candidate) exits {
	switch {
	case c == nil:
		return exits{}
	case c.loopback:
		return exits{lo: true}
	}
	out := exits{nics: 1 << c.nic.index}
	if !c.dest.several || !f.appends(c) {
		return out
	}
	for _, o := range c.dest.rivals {
		// Only an equal route of its own NIC can keep o out. Without that one, o comes in; with it, the bit is set already.
		comesIn := gone != nil && f.result(o) == exists
		if o.metric == c.metric && (f.result(o) == installed || comesIn) && !o.goes(gone) {
			out.nics |= 1 << o.nic.index
		}
	}
	return out
}

// mayBeInForce reports whether an installed route is in force, or may be.
func (f *fib) mayBeInForce(c *candidate) bool { return f.inForce[c.dest.index] == c || isOpen(f, c) }

// isOpen reports whether an installed route may be in force, and an equal one of another NIC may, too. Of equal routes of one
// NIC, that holds for the first.
func isOpen(f *fib, c *candidate) bool {
	equal := func(o *candidate) bool { return o.nic == c.nic && o.metric == c.metric && f.result(o) == installed }
	return f.inForce[c.dest.index].metric == c.metric && inAnyOrder(f, c) && c.dest.rivals[slices.IndexFunc(c.dest.rivals, equal)] == c
}

// inAnyOrder reports whether the table may have an installed route before or after an equal one of another NIC.
func inAnyOrder(f *fib, c *candidate) bool {
	return f.appends(c) && slices.ContainsFunc(c.dest.rivals, func(o *candidate) bool {
		return o.nic != c.nic && o.metric == c.metric && f.result(o) == installed
	})
}

// exitAt returns the NICs to which the route in force to a destination leads.
func (f *fib) exitAt(destination int) exits { return f.leaves(f.inForce[destination], nil) }

// exit returns the NICs by which data may leave whose longest destination is d, if a candidate is deleted.
func (f *fib) exit(d *destination, gone *candidate) exits {
	for ; d != nil; d = d.parent {
		if c := f.first(d, gone); c != nil {
			return f.leaves(c, gone)
		}
	}
	return exits{}
}

// exitNames returns two NICs that show how two sets of exits differ: if there is one, a NIC that is only in the first set,
// else any of it; and another NIC of the second set. "" is no route.
func exitNames(g *guest, before, after exits) (with, without string) {
	first := cmp.Or(before.nics&^after.nics, before.nics)
	first &= -first // its lowest bit
	return exitName(g, exits{first, before.lo}), exitName(g, exits{after.nics &^ first, after.lo})
}

// exitName names the first of some exits.
func exitName(g *guest, e exits) string {
	switch {
	case e.lo:
		return loopbackDevice
	case e.nics == 0:
		return ""
	}
	return g.nics[bits.TrailingZeros64(e.nics)].Name
}
