package audit

import (
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What changed between two audits of one deployment.

// A Comparison lists the host routes and findings that came, went or changed their counts. The zero
// Comparison lists none.
type Comparison struct {
	Usages []Changed[Usage] `json:"usages"` // by subnet, destination and next hop
	// Findings are sorted by severity, the highest first, then by code, subnet, destination and next hop.
	Findings []Changed[Occurrence] `json:"findings"`
}

// A Changed is a host route or finding that came (Before is zero), that went (After is zero), or of which a
// count changed.
type Changed[T Usage | Occurrence] struct {
	Before T `json:"before,omitzero"`
	After  T `json:"after,omitzero"`
}

// Compare returns what differs between two audits. A nil Audit is empty. An Audit does not keep instances, so
// this does not say what moved: call [Moves] for each instance, and [FoldMoves] to add them up.
func Compare(before, after *Audit) Comparison {
	equalTallies := func(p, q place) bool { return *p.tally() == *q.tally() }
	equalCounts := func(o, p *folded) bool { return o.Instances == p.Instances }
	return Comparison{
		Usages:   changed(before.byRemoval(), after.byRemoval(), compareRemovals, equalTallies, place.usage),
		Findings: changed(before.findings(), after.findings(), compareSubjects, equalCounts, (*folded).answer),
	}
}

// changed returns what two maps do not have in common, sorted by key. Of each value it returns what answer says.
func changed[K comparable, V any, T Usage | Occurrence](before, after map[K]V, compare func(K, K) int, equal func(V, V) bool, answer func(V) T) []Changed[T] {
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	out := []Changed[T]{}
	for _, key := range slices.SortedFunc(maps.Keys(keys), compare) {
		was, existed := before[key]
		is, exists := after[key]
		if existed && exists && equal(was, is) {
			continue
		}
		var c Changed[T]
		if existed {
			c.Before = answer(was)
		}
		if exists {
			c.After = answer(is)
		}
		out = append(out, c)
	}
	return out
}

// byRemoval returns the places of all host routes, by the edits that remove them.
func (a *Audit) byRemoval() map[hostroute.Edit]place {
	out := make(map[hostroute.Edit]place)
	for _, p := range a.places() {
		out[p.removal()] = p
	}
	return out
}
