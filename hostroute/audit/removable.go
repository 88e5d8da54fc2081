package audit

import (
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Which host routes no instance needs, and which edits can be made at once.

// objector returns a combination whose data may move if a host route is removed together with others; nil
// if there is none.
func (p place) objector(others editsBySubnet) *combination {
	for _, c := range p.subnet.users {
		// The verdict says that the removal moves data, or may. It does not know of other removals, nor that the whole list is
		// written masked.
		m := p.mark(c)
		says := m.has(effectBit(hostroute.EffectSteers)) || m.has(depends)
		if says && p.subnet.masked && len(others.on(c)) == 0 {
			return c
		}
	}
	for _, c := range p.subnet.users {
		free, err := c.instance.MovesNothing(append(others.on(c), p.removal())...)
		if err != nil || !free {
			return c
		}
	}
	return nil
}

// RemovableTogether returns host routes that can all be removed at once, as edits, sorted by subnet,
// destination and next hop. The [Audit.Impact] of these edits is None. Host routes in an offer that is too long for DHCP are left out,
// as in [Usage]. Of the rest, no other one could be removed with them: then the Impact would not be None. All host routes of a subnet
// without an instance are among them.
//
// The result holds for the instances that were added, as they are. An instance that could not be read may need one of these
// host routes. So may one that gets nothing from a subnet today, once that is mended: look at the host routes with the codes
// no-lease, second-ipv4-subnet, dhcp-disabled, option-overflow and routes-ignored first.
//
// That holds for all of them together, not for a part. Neutron changes one subnet at a time, and the order here is for reading:
// in another order, less data may move on the way. So ask [Audit.MovesNothing] for the edits of the first subnet, of the first two,
// and so on. Where it is false, data may move until a later step is done: try another order.
//
// If of several host routes one must stay, it is the last in that order: RemovableTogether goes through
// all host routes and removes each whose removal, with those before it, moves nothing. It repeats this
// until nothing more can go. So the result can contain a host route that is removable only after others,
// and lack one that is removable alone.
func (a *Audit) RemovableTogether() []hostroute.Edit {
	type candidate struct {
		place
		objector *combination // that was found last
		edits    int          // that it had then
	}
	var list []*candidate
	for _, p := range a.places() {
		if !p.tally().overflows() {
			list = append(list, &candidate{place: p})
		}
	}
	removed, out := make(editsBySubnet), []hostroute.Edit{}
	for before := -1; before < len(out); {
		before = len(out)
		list = slices.DeleteFunc(list, func(c *candidate) bool {
			if c.objector != nil && c.edits == len(removed.on(c.objector)) {
				return false // nothing changed for the objector
			}
			if c.objector = c.place.objector(removed); c.objector != nil {
				c.edits = len(removed.on(c.objector))
				return false
			}
			removed[c.subnet] = append(removed[c.subnet], c.removal())
			out = append(out, c.removal())
			return true
		})
	}
	slices.SortFunc(out, compareRemovals)
	return out
}

// Together reports which of several fixes can all be made at once, each given by its edits. It goes through them in order,
// and takes a fix if the [Audit.Impact] of its edits and those of all that it has taken is None. The result has true for
// those that it has taken. Make these one after the other in that order, and skip the others: after each complete fix, all data leaves
// as before. In another order, and while a fix is half done, data may move.
//
// A fix has false if something moves or may move, if it brings a new finding of severity error, and if it cannot be made: a subnet
// was not added, an Old is not in its list as it was added, or a fix before it takes it away. It may still be safe alone, or if it
// comes earlier.
//
// The Fixes of an [Occurrence] are alternatives: give one of them. To combine fixes with RemovableTogether, give its result
// as the first. Then a broken host route that no instance needs is removed and not mended, and its own fix has false. A fix without
// edits is taken, because nothing changes: leave it out.
func (a *Audit) Together(fixes ...[]hostroute.Edit) []bool {
	out := make([]bool, len(fixes))
	taken := make(editsBySubnet)
	for i, edits := range fixes {
		if bySubnet, err := a.bySubnet(edits); err == nil {
			var with editsBySubnet
			if with, out[i] = a.join(taken, bySubnet); out[i] {
				taken = with
			}
		}
	}
	return out
}

// join returns edits with more behind them, and whether these move nothing then.
func (a *Audit) join(edits, more editsBySubnet) (all editsBySubnet, isFree bool) {
	all = maps.Clone(edits)
	for s := range more {
		all[s] = slices.Concat(edits[s], more[s])
		if _, err := s.Apply(all[s]...); err != nil {
			return nil, false
		}
	}
	isFree, err := a.movesNothing(more.touched(), all)
	return all, isFree && err == nil
}
