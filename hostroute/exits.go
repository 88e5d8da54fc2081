package hostroute

import (
	"math/bits"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// Stage 3, for guests that configure their NICs at once: which of several equal routes is in force is open then,
// and data may leave by any of their NICs.

// exits numbers the sets of NICs by which data may leave. A NIC alone has its own number, the device lo has
// loopbackNumber, and sets of several NICs have numbers above that. All guests of an analysis share one, so that their
// numbers can be compared.
type exits struct {
	sets []uint64 // a bit for each NIC
}

const loopbackNumber = maxNICs

// exit returns the number of the NIC, or of the device, by which a route leads.
func (c *candidate) exit() int32 {
	if c.loopback {
		return loopbackNumber
	}
	return c.nic.number
}

// maybeOpen reports whether equal routes to a destination can be on several NICs at once.
func (g *guest) maybeOpen(d *destination) bool {
	return g.client.atOnce && d.several && d.prefix.Addr().Is4()
}

// leaves returns the number of the NICs by which data may leave where a route is in force, if another one is deleted; nil:
// none is deleted.
func (f *fib) leaves(c, gone *candidate) int32 {
	if !f.maybeOpen(c.dest) {
		return c.exit()
	}
	set := uint64(1) << c.nic.number
	for _, o := range c.dest.rivals {
		// An equal route of its own NIC keeps it out: gone, or one that sets the same bit.
		comesIn := gone != nil && f.appends(o) && f.result(o) == exists
		if o.metric == c.metric && (f.result(o) == installed || comesIn) && !f.goes(o, gone) {
			set |= 1 << o.nic.number
		}
	}
	return f.exits.number(set)
}

// open reports whether an installed route may be in force, and an equal one of another NIC may, too. Of equal routes of one
// NIC, that holds for the first.
func (f *fib) open(c *candidate) bool {
	if f.inForce[c.dest.number].metric != c.metric || !f.inAnyOrder(c) {
		return false
	}
	ofNIC := func(o *candidate) bool { return o.nic == c.nic && o.metric == c.metric && f.result(o) == installed }
	return c.dest.rivals[slices.IndexFunc(c.dest.rivals, ofNIC)] == c
}

// inAnyOrder reports whether the table may have an installed route before or after an equal one of another NIC.
func (f *fib) inAnyOrder(c *candidate) bool {
	return f.maybeOpen(c.dest) && slices.ContainsFunc(c.dest.rivals, func(o *candidate) bool {
		return o.nic != c.nic && o.metric == c.metric && f.result(o) == installed
	})
}

// exitAt returns the number of the NICs to which the route in force to a destination leads; None: there is none.
func (f *fib) exitAt(destination int) int32 {
	if c := f.inForce[destination]; c != nil {
		return f.leaves(c, nil)
	}
	return sweep.None
}

// exit returns the number of the NICs by which data may leave whose longest destination is d, if a candidate is deleted.
func (f *fib) exit(d *destination, gone *candidate) int32 {
	for ; d != nil; d = d.parent {
		if c := f.first(d, gone); c != nil {
			return f.leaves(c, gone)
		}
	}
	return sweep.None
}

func (e *exits) number(set uint64) int32 {
	if bits.OnesCount64(set) == 1 {
		return int32(bits.TrailingZeros64(set))
	}
	i := slices.Index(e.sets, set)
	if i < 0 {
		i = len(e.sets)
		e.sets = append(e.sets, set)
	}
	return int32(loopbackNumber + 1 + i)
}

// set returns the NICs of a number; none for the device lo and for no route.
func (e *exits) set(number int32) uint64 {
	switch {
	case number > loopbackNumber:
		return e.sets[number-loopbackNumber-1]
	case number == loopbackNumber, number == sweep.None:
		return 0
	}
	return 1 << number
}

// disjoint reports whether data that leaves by one cannot leave by the other.
func (e *exits) disjoint(a, b int32) bool { return a != b && e.set(a)&e.set(b) == 0 }

// exitNames returns two NICs that show how two sets of exits differ: if there is one, a NIC that is only in the first set,
// else any of it; and another NIC of the second set. "" is no route.
func (g *guest) exitNames(before, after int32) (with, without string) {
	was, is := g.exits.set(before), g.exits.set(after)
	first := was &^ is
	if first == 0 {
		first = was
	}
	first &= -first
	return g.exitName(before, first), g.exitName(after, is&^first)
}

func (g *guest) exitName(number int32, set uint64) string {
	switch {
	case number == loopbackNumber:
		return loopbackDevice
	case set == 0:
		return ""
	}
	return g.nics[bits.TrailingZeros64(set)].Name
}
