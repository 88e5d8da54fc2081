package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What edits move, and in which instances.

// An Impact tells how edits change all instances that were added. The zero Impact says that nothing moves.
type Impact struct {
	Touched int `json:"touched"` // instances with a subnet that the edits name
	// Moved counts the instances in which destinations leave by another NIC than before, with their Guest and
	// DefaultNIC as they were added. Uncertain counts those of the others in which that may happen, depending on
	// the guest (see hostroute.Impact) or on the addresses of the instance (see Audit.Impact). What moves there is
	// not in Moves. An instance that counts as Moved may be uncertain, too.
	Moved     int    `json:"moved"`
	Uncertain int    `json:"uncertain"`
	Moves     []Move `json:"moves"` // those in the most instances first, then by destinations, From and To
	// New and Gone are the findings that the edits bring and take away, in the order of Audit.Findings.
	New  []Occurrence `json:"new"`
	Gone []Occurrence `json:"gone"`
	// Examples are the three smallest names of the instances that keep the edits from being safe: those that count as Moved
	// or Uncertain, or have a new finding of severity error.
	Examples []string `json:"examples"`
}

// None reports whether the edits are safe: nothing moves, for sure (no instance counts as Moved or Uncertain), and no
// finding of severity error is new. So false does not mean that something moves. For a nil Impact it returns false.
func (i *Impact) None() bool {
	return i != nil && i.Moved == 0 && i.Uncertain == 0 &&
		!slices.ContainsFunc(i.New, func(o Occurrence) bool { return o.Finding.Severity == hostroute.SeverityError })
}

// Impact returns what edits do to all instances that were added: it asks [hostroute.Instance.Impact] about
// each. It compares the state before all edits with the state after all of them. Neutron changes one subnet at a time:
// to know what moves in between, ask for the edits of the first subnet, of the first two, and so on.
//
// It returns a [hostroute.InputError] for each edit of a subnet that was not added, and the errors of
// [hostroute.Subnet.Apply], for instance for an Old that is not there. "Nothing moves" would be a wrong
// answer to a mistyped ID.
//
// Without edits nothing changes, and None is true. So it says nothing about a [hostroute.Fix] without Edits:
// what that moves is not computed.
//
// Of the addresses of NICs, an Audit keeps only those that are a gateway, a next hop or the first address of a
// destination. If an edit makes another one a next hop or such a first address, Impact takes it for a neighbour's address:
// Moves, New and Gone are then those of instances that do not have it. But an instance on the subnet of the edit may have
// that address, if it lies in a subnet of the NIC. Such instances count as Uncertain, unless they count as Moved.
func (a *Audit) Impact(edits ...hostroute.Edit) (*Impact, error) {
	bySubnet, err := a.bySubnet(edits)
	if err != nil {
		return nil, err
	}
	out := &Impact{Examples: []string{}}
	var moves []Move
	came, gone := make(fold), make(fold)
	for _, c := range byName(maps.Keys(bySubnet.touched())) {
		in, edits := c.named(), bySubnet.on(c)
		impact, err := in.Impact(edits...)
		if err != nil {
			return nil, err
		}
		impact.Uncertain = impact.Uncertain || a.mayOwn(c, edits)
		out.Touched += c.count
		if len(impact.Changes) > 0 {
			out.Moved += c.count
		} else if impact.Uncertain {
			out.Uncertain += c.count
		}
		if !impact.None() {
			out.Examples = addNames(out.Examples, c.names...)
		}
		label := func(nic string) string { return nicLabel(&in, nic) }
		moves = append(moves, gather(impact.Changes, label, c.count, c.names...)...)
		came.add(c, &in, impact.New)
		gone.add(c, &in, impact.Gone)
	}
	out.New, out.Gone, out.Moves = came.occurrences(), gone.occurrences(), FoldMoves(moves)
	return out, nil
}

// MovesNothing reports whether the edits are safe: whether their [Audit.Impact] is None. It takes less time than Impact, because
// it stops at the first instance on which that is false. Without edits it returns true, and so it says nothing about a
// [hostroute.Fix] without Edits. The errors are those of Impact.
func (a *Audit) MovesNothing(edits ...hostroute.Edit) (bool, error) {
	bySubnet, err := a.bySubnet(edits)
	if err != nil {
		return false, err
	}
	return a.movesNothing(bySubnet.touched(), bySubnet)
}

// movesNothing reports whether edits move nothing on any instance of some combinations.
func (a *Audit) movesNothing(combinations map[*combination]bool, edits editsBySubnet) (bool, error) {
	for c := range combinations {
		own := edits.on(c)
		if a.mayOwn(c, own) {
			return false, nil
		}
		if free, err := c.instance.MovesNothing(own...); err != nil || !free {
			return false, err
		}
	}
	return true, nil
}

// editsBySubnet has edits in groups, so that an instance is not asked about those for other subnets.
type editsBySubnet map[*subnet][]hostroute.Edit

// bySubnet groups edits, if all of them can be made.
func (a *Audit) bySubnet(edits []hostroute.Edit) (editsBySubnet, error) {
	if a == nil {
		a = new(Audit)
	}
	out := make(editsBySubnet)
	var subnets []*subnet
	var errs []error
	for i, e := range edits {
		s := a.subnets[e.Subnet]
		if s == nil {
			err := fmt.Errorf("subnet %q was not added", e.Subnet)
			errs = append(errs, &hostroute.InputError{Path: fmt.Sprintf("edits[%d].Subnet", i), Err: err})
			continue
		}
		if out[s] == nil {
			subnets = append(subnets, s)
		}
		out[s] = append(out[s], e)
	}
	for _, s := range subnets {
		if _, err := s.Apply(out[s]...); err != nil {
			_, err = s.Apply(edits...) // with the paths of all edits
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// touched has the combinations with a subnet that the edits name.
func (e editsBySubnet) touched() map[*combination]bool {
	out := make(map[*combination]bool)
	for s := range e {
		for _, c := range s.users {
			out[c] = true
		}
	}
	return out
}

// on returns the edits on the subnets of a combination.
func (e editsBySubnet) on(c *combination) []hostroute.Edit {
	var out []hostroute.Edit
	for _, s := range c.subnets {
		out = append(out, e[s]...)
	}
	return out
}
