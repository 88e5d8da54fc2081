package audit

import (
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Which host routes nobody needs.

// removable says what Usage.Removable is.
func (a *Audit) removable(u *Usage) bool {
	if u.Codes[hostroute.CodeOptionOverflow] > 0 {
		return false
	}
	s := a.subnets[u.Subnet]
	if s.masked && u.Effects[hostroute.EffectSteers] > 0 {
		return false // the verdict answers it, because no edit masks the rest of the list
	}
	return a.objector(s, u.HostRoute, nil) == nil
}

// objector returns a combination whose data may move if a host route is removed beside others, which are given by subnet; nil if
// there is none.
func (a *Audit) objector(s *subnet, r hostroute.HostRoute, others map[string][]hostroute.Edit) *combination {
	for _, c := range s.users {
		edits := append(c.editsOn(others), hostroute.Edit{Subnet: s.ID, Old: r})
		impact, err := c.instance.Impact(edits...)
		if err != nil || !impact.None() {
			return c
		}
	}
	return nil
}

// editsOn returns those of the edits that are on the combination's subnets.
func (c *combination) editsOn(edits map[string][]hostroute.Edit) []hostroute.Edit {
	seen := make(map[string]bool)
	var out []hostroute.Edit
	for _, n := range c.instance.NICs {
		for _, s := range n.Subnets {
			if !seen[s.ID] {
				seen[s.ID] = true
				out = append(out, edits[s.ID]...)
			}
		}
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
		ref      hostroute.Ref
		objector *combination // the last one
		edits    int          // made on its subnets by then
	}
	var list []*candidate
	usages := a.usages()
	for _, ref := range slices.SortedFunc(maps.Keys(usages), compareHostRoutes) {
		if usages[ref].codes[hostroute.CodeOptionOverflow] == nil {
			list = append(list, &candidate{ref: ref})
		}
	}
	removed := make(map[string][]hostroute.Edit)
	out := []hostroute.Edit{}
	for before := -1; before < len(out); {
		before = len(out)
		list = slices.DeleteFunc(list, func(c *candidate) bool {
			if c.objector != nil && c.edits == len(c.objector.editsOn(removed)) {
				return false // nothing changed for the objector
			}
			c.objector = a.objector(a.subnets[c.ref.Subnet], c.ref.HostRoute, removed)
			if c.objector != nil {
				c.edits = len(c.objector.editsOn(removed))
				return false
			}
			e := hostroute.Edit{Subnet: c.ref.Subnet, Old: c.ref.HostRoute}
			removed[e.Subnet] = append(removed[e.Subnet], e)
			out = append(out, e)
			return true
		})
	}
	slices.SortFunc(out, func(a, b hostroute.Edit) int {
		return compareHostRoutes(hostroute.Ref{Subnet: a.Subnet, HostRoute: a.Old}, hostroute.Ref{Subnet: b.Subnet, HostRoute: b.Old})
	})
	return out
}
