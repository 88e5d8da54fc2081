package audit

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Whose data an edit moves.

// An Impact is what edits do to all instances that were added. The zero Impact says that nothing moves.
type Impact struct {
	Touched int `json:"touched"` // instances on a subnet that the edits name
	// Moved counts the instances whose data moves. Uncertain counts those of the others whose data may move
	// with another guest, as [hostroute.Impact] says.
	Moved     int    `json:"moved"`
	Uncertain int    `json:"uncertain"`
	Moves     []Move `json:"moves"` // those of the most instances first, then by destinations, From and To
	// New and Gone are the findings that the edits bring and take away, in the order of [Audit.Findings].
	New  []Occurrence `json:"new"`
	Gone []Occurrence `json:"gone"`
	// Examples are the three smallest names of the instances on which [hostroute.Impact.None] is false.
	Examples []string `json:"examples"`
}

// None says that nothing moves, for sure: no instance counts as Moved or Uncertain, and no finding of severity error is
// new. For a nil Impact it returns false.
func (i *Impact) None() bool {
	return i != nil && i.Moved == 0 && i.Uncertain == 0 &&
		!slices.ContainsFunc(i.New, func(o Occurrence) bool { return o.Finding.Severity == hostroute.SeverityError })
}

// A Move says that all of Destinations leave by another NIC than before, in Instances instances. NIC names mean
// nothing across instances, so From and To name a NIC by the IDs of its subnets, separated by commas. (A subnet without an ID is named
// by its CIDR, and a NIC without subnets by its name.) The zero Move moves nothing.
type Move struct {
	Destinations []netip.Prefix `json:"destinations"` // sorted, IPv4 first
	From         string         `json:"from"`         // "" means no route
	To           string         `json:"to"`           // "" means no route
	Instances    int            `json:"instances"`    // in which exactly these destinations move from From to To
	Examples     []string       `json:"examples"`     // the three smallest names of the instances
}

// Impact returns what edits do to all instances that were added. It is [hostroute.Instance.Impact], counted.
//
// It returns an [hostroute.InputError] for each edit of a subnet that was not added, and the errors of
// [hostroute.Subnet.Apply]. An added next hop that is an instance's own address is taken for a neighbour's, unless it was a next hop or
// gateway already: an Audit does not keep other addresses.
func (a *Audit) Impact(edits ...hostroute.Edit) (*Impact, error) {
	touched, err := a.touched(edits)
	if err != nil {
		return nil, err
	}
	out := &Impact{Examples: []string{}}
	moves, came, gone := make(map[string]*Move), make(fold), make(fold)
	for c := range touched {
		in := c.named()
		impact, err := in.Impact(edits...)
		if err != nil {
			return nil, err
		}
		out.Touched += c.count
		if len(impact.Changes) > 0 {
			out.Moved += c.count
		} else if impact.Uncertain {
			out.Uncertain += c.count
		}
		if !impact.None() {
			out.Examples = addNames(out.Examples, c.names...)
		}
		for _, m := range gather(impact.Changes, func(nic string) string { return nicLabel(&in, nic) }) {
			key := fmt.Sprintf("%q %q %v", m.From, m.To, m.Destinations)
			if moves[key] == nil {
				moves[key] = &m
			}
			moves[key].Instances += c.count
			moves[key].Examples = addNames(moves[key].Examples, c.names...)
		}
		for _, f := range impact.New {
			came.add(c, subjectOf(&in, &f), f)
		}
		for _, f := range impact.Gone {
			gone.add(c, subjectOf(&in, &f), f)
		}
	}
	out.New, out.Gone, out.Moves = came.occurrences(), gone.occurrences(), []Move{}
	for _, m := range moves {
		out.Moves = append(out.Moves, *m)
	}
	slices.SortFunc(out.Moves, compareMoves)
	return out, nil
}

// touched returns the combinations on the subnets that edits name.
func (a *Audit) touched(edits []hostroute.Edit) (map[*combination]bool, error) {
	out := make(map[*combination]bool)
	var errs []error
	for i, e := range edits {
		s := a.subnet(e.Subnet)
		if s == nil {
			errs = append(errs, &hostroute.InputError{Path: fmt.Sprintf("edits[%d].Subnet", i), Err: fmt.Errorf("subnet %q was not added", e.Subnet)})
			continue
		}
		if first := slices.IndexFunc(edits, func(o hostroute.Edit) bool { return o.Subnet == e.Subnet }); first < i {
			continue
		}
		if _, err := s.Apply(edits...); err != nil {
			errs = append(errs, err)
		}
		for _, c := range s.users {
			out[c] = true
		}
	}
	return out, errors.Join(errs...)
}

// gather puts the changes between the same two NICs into one Move.
func gather(changes []hostroute.Change, label func(nic string) string) []Move {
	out := []Move{}
	for _, c := range changes {
		from, to := label(c.Before), label(c.After)
		i := slices.IndexFunc(out, func(m Move) bool { return m.From == from && m.To == to })
		if i < 0 {
			i = len(out)
			out = append(out, Move{From: from, To: to})
		}
		out[i].Destinations = append(out[i].Destinations, c.Destination)
	}
	return out
}

func compareMoves(a, b Move) int {
	return cmp.Or(
		cmp.Compare(b.Instances, a.Instances),
		slices.CompareFunc(a.Destinations, b.Destinations, comparePrefixes),
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To),
	)
}

// Moves compares an instance at two times, and returns which destinations leave by another NIC. Unlike [hostroute.Diff] it compares
// NICs by their subnets. Each guest keeps the default route that its DefaultNIC says. Each Move is of one
// instance, with the name of after. They are sorted by destinations, From and To.
//
// Moves returns nil if [hostroute.Analyze] returns an error for before or after.
func Moves(before, after hostroute.Instance) []Move {
	labels := make(map[string]string)
	was, errBefore := labelled(before, labels)
	is, errAfter := labelled(after, labels)
	if errBefore != nil || errAfter != nil {
		return nil
	}
	out := gather(hostroute.Diff(was, is), func(nic string) string { return labels[nic] })
	for i := range out {
		out[i].Instances, out[i].Examples = 1, []string{after.Name}
	}
	slices.SortFunc(out, compareMoves)
	return out
}

// labelled returns an instance's table with other NIC names: their labels, with a suffix where several NICs have the
// same. It adds the label of each name to labels.
func labelled(in hostroute.Instance, labels map[string]string) (hostroute.Table, error) {
	report, err := hostroute.Analyze(in)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string)
	used := make(map[string]int)
	for _, n := range in.NICs {
		label := nicLabel(&in, n.Name)
		used[label]++
		name := fmt.Sprintf("%s %d", label, used[label])
		names[n.Name], labels[name] = name, label
	}
	for i := range report.Table {
		report.Table[i].NIC = names[report.Table[i].NIC]
	}
	return report.Table, nil
}
