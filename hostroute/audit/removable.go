package audit

import (
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Which host routes nobody needs.

// removable says what Usage.Removable is.
func (p place) removable(t *tally) bool {
	if p.subnet.masked && t.effects[slices.Index(effects, hostroute.EffectSteers)] > 0 {
		return false // an edit does not mask anything else, so the verdict is right
	}
	return !t.overflows() && p.objector(nil) == nil
}

func (t *tally) overflows() bool { return t.codes[codeNumbers[hostroute.CodeOptionOverflow]] > 0 }

// objector returns a combination whose data may move if a host route is removed together with others; nil if there
// is none.
func (p place) objector(others removals) *combination {
	for _, u := range p.subnet.users {
		impact, err := u.instance.Impact(append(others.on(u.combination), p.removal())...)
		if err != nil || !impact.None() {
			return u.combination
		}
	}
	return nil
}

// removals are edits by their subnets.
type removals map[*subnet][]hostroute.Edit

// on returns those on the subnets of a combination.
func (r removals) on(c *combination) []hostroute.Edit {
	var out []hostroute.Edit
	for _, s := range c.subnets {
		out = append(out, r[s]...)
	}
	return out
}

// RemovableTogether returns host routes that can all be removed at once, as edits, sorted by subnet, destination and next hop. The
// [Audit.Impact] of these edits is None, and no further host route can be removed with them so that it stays None.
//
// Where host routes stand in for each other, not all of them can go. RemovableTogether then keeps those that come last in the order
// of the result. It tries each host route in that order, removes it if the Impact of all removals so far is None with it, and
// repeats this until nothing more can go. So the result may have host routes that are removable only
// after others, and lack some that are removable alone. Like [Usage.Removable], it leaves out offers that are too long for DHCP.
func (a *Audit) RemovableTogether() []hostroute.Edit {
	type candidate struct {
		place
		objector *combination // the last one
		edits    int          // on it at that time
	}
	var list []*candidate
	for _, p := range a.places() {
		if !p.tally().overflows() {
			list = append(list, &candidate{place: p})
		}
	}
	removed, out := make(removals), []hostroute.Edit{}
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
