package audit

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// What leaves by another NIC than before.

// A Move says that destinations leave by another NIC than before. The names of NICs mean nothing across
// instances, so From and To are the IDs of the NIC's subnets, separated by commas. A subnet without an ID
// appears with its CIDR, and a NIC without subnets with its name. An instance is in a Move for each pair of NICs between which
// something moves, so that the sum of Instances may exceed their number. The zero Move moves nothing.
type Move struct {
	Destinations []netip.Prefix `json:"destinations"` // sorted by address, IPv4 first
	From         string         `json:"from"`         // "" means no route; "lo" that it stays in the guest, as in hostroute.Route
	To           string         `json:"to"`           // likewise
	Instances    int            `json:"instances"`    // in which these destinations, and no others, move from From to To
	Examples     []string       `json:"examples"`     // the three smallest names of the instances
}

// Moves returns which destinations leave by another NIC in after than in before, which are one instance at two
// times. It is the [hostroute.Diff] of their tables, but a NIC is the same if its subnets are, whatever its
// name. Each Move has one instance, the name of after as its example. They are sorted by destinations, From
// and To.
//
// Moves returns nil if [hostroute.Analyze] returns an error for before or after. Otherwise the result is not nil, even if
// nothing moves.
func Moves(before, after hostroute.Instance) []Move {
	was, errBefore := labelled(before)
	is, errAfter := labelled(after)
	if errBefore != nil || errAfter != nil {
		return nil
	}
	label := func(nic string) string { return nic[:max(strings.LastIndexByte(nic, ' '), 0)] }
	return FoldMoves(gather(hostroute.Diff(was, is), label, 1, after.Name))
}

// labelled returns an instance's table in which each NIC has another name: its label, a space, and a number, because two
// can have the same label.
func labelled(in hostroute.Instance) (hostroute.Table, error) {
	report, err := hostroute.Analyze(in)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string)
	used := make(map[string]int)
	for _, n := range in.NICs {
		label := nicLabel(&in, n.Name)
		used[label]++
		names[n.Name] = fmt.Sprintf("%s %d", label, used[label])
	}
	for i := range report.Table {
		nic := &report.Table[i].NIC
		*nic = cmp.Or(names[*nic], *nic+" 1") // lo is no NIC
	}
	return report.Table, nil
}

// nicLabel returns what a [Move] calls the NIC of a name: its subnets; the name itself if it has none, as for "" and lo.
func nicLabel(in *hostroute.Instance, name string) string {
	i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })
	if i < 0 {
		return name
	}
	var ids []string
	for _, s := range in.NICs[i].Subnets {
		ids = append(ids, cmp.Or(s.ID, s.CIDR.String()))
	}
	if ids == nil {
		return name
	}
	return strings.Join(canon.Unique(ids), ",")
}

// gather makes one Move of all changes between the same two NICs, in some instances with these names.
func gather(changes []hostroute.Change, label func(nic string) string, instances int, names ...string) []Move {
	var out []Move
	for _, c := range changes {
		from, to := label(c.Before), label(c.After)
		i := slices.IndexFunc(out, func(m Move) bool { return m.From == from && m.To == to })
		if i < 0 {
			i = len(out)
			out = append(out, Move{From: from, To: to, Instances: instances, Examples: names})
		}
		out[i].Destinations = append(out[i].Destinations, c.Destination)
	}
	return out
}

// FoldMoves adds up the moves of many instances: it makes one Move of those with the same Destinations, From and To.
// Moves in the most instances come first, then they are sorted by destinations, From and To.
func FoldMoves(moves []Move) []Move {
	out := []Move{}
	at := make(map[string]int)
	for _, m := range moves {
		key := fmt.Sprintf("%q %q %v", m.From, m.To, m.Destinations)
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, Move{Destinations: slices.Clone(m.Destinations), From: m.From, To: m.To, Examples: []string{}})
		}
		out[i].Instances += m.Instances
		out[i].Examples = addNames(out[i].Examples, m.Examples...)
	}
	slices.SortFunc(out, func(a, b Move) int {
		return cmp.Or(
			cmp.Compare(b.Instances, a.Instances),
			slices.CompareFunc(a.Destinations, b.Destinations, comparePrefixes),
			cmp.Compare(a.From, b.From),
			cmp.Compare(a.To, b.To),
		)
	})
	return out
}
