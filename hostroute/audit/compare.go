package audit

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// What changed between two audits of one deployment.

// A Comparison has the host routes and findings that came, went or changed their counts. In the zero Comparison
// there are none.
type Comparison struct {
	Usages   []UsageChange      `json:"usages"`   // by subnet, destination and next hop
	Findings []OccurrenceChange `json:"findings"` // by severity, the highest first, then by code, subnet, destination and next hop
}

// A UsageChange is a host route that came (Before is zero), that went (After is zero), or of which
// a count changed.
type UsageChange struct {
	Before Usage `json:"before,omitzero"`
	After  Usage `json:"after,omitzero"`
}

// An OccurrenceChange is a finding that came (Before is zero), that went (After is zero), or that
// more or fewer instances have.
type OccurrenceChange struct {
	Before Occurrence `json:"before,omitzero"`
	After  Occurrence `json:"after,omitzero"`
}

// Compare returns what differs between two audits. A nil Audit is empty. It does not say what data moved, because an
// Audit does not keep instances: ask [Moves] about each.
func Compare(before, after *Audit) Comparison {
	out := Comparison{Usages: []UsageChange{}, Findings: []OccurrenceChange{}}

	wasUsed, isUsed := before.usages(), after.usages()
	for _, ref := range keys(wasUsed, isUsed, compareHostRoutes) {
		var c UsageChange
		if u := wasUsed[ref]; u != nil {
			c.Before = u.usage()
		}
		if u := isUsed[ref]; u != nil {
			c.After = u.usage()
		}
		if c.Before.sameCounts(c.After) {
			continue
		}
		if wasUsed[ref] != nil {
			c.Before.Removable = before.removable(&c.Before)
		}
		if isUsed[ref] != nil {
			c.After.Removable = after.removable(&c.After)
		}
		out.Usages = append(out.Usages, c)
	}

	was, is := before.findings(), after.findings()
	changed := slices.DeleteFunc(keys(was, is, compareSubjects), func(s subject) bool {
		return was[s] != nil && is[s] != nil && was[s].instances.n == is[s].instances.n
	})
	slices.SortStableFunc(changed, func(a, b subject) int { return cmp.Compare(severities[b.code], severities[a.code]) })
	was.analyze(changed)
	is.analyze(changed)
	for _, s := range changed {
		var c OccurrenceChange
		if o := was[s]; o != nil {
			c.Before = o.occurrence()
		}
		if o := is[s]; o != nil {
			c.After = o.occurrence()
		}
		out.Findings = append(out.Findings, c)
	}
	return out
}

func (u Usage) sameCounts(o Usage) bool {
	u.Examples, o.Examples = nil, nil
	return reflect.DeepEqual(u, o)
}

// keys returns the keys of either map, sorted.
func keys[K comparable, V any](a, b map[K]V, compare func(K, K) int) []K {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), compare)
}
