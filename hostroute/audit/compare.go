package audit

import (
	"cmp"
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What changed between two audits of one deployment.

// A Comparison lists the host routes and findings that came, went or changed their counts. The zero
// Comparison lists none.
type Comparison struct {
	Usages []UsageChange `json:"usages"` // by subnet, destination and next hop
	// Findings are sorted by severity, the highest first, then by code, subnet, destination and next hop.
	Findings []OccurrenceChange `json:"findings"`
}

// A UsageChange is a host route that came (Before is zero), that went (After is zero), or of which a count
// changed.
type UsageChange struct {
	Before Usage `json:"before,omitzero"`
	After  Usage `json:"after,omitzero"`
}

// An OccurrenceChange is a finding that came (Before is zero), that went (After is zero), or that more or
// fewer instances have.
type OccurrenceChange struct {
	Before Occurrence `json:"before,omitzero"`
	After  Occurrence `json:"after,omitzero"`
}

// Compare returns what differs between two audits. A nil Audit is empty. An Audit does not keep instances, so
// this does not say what moved: call [Moves] for each instance.
func Compare(before, after *Audit) Comparison {
	out := Comparison{Usages: []UsageChange{}, Findings: []OccurrenceChange{}}

	beforeRoutes, afterRoutes := before.byRemoval(), after.byRemoval()
	for _, removal := range keys(beforeRoutes, afterRoutes, compareRemovals) {
		p, existed := beforeRoutes[removal]
		q, exists := afterRoutes[removal]
		if existed && exists && *p.tally() == *q.tally() {
			continue
		}
		var c UsageChange
		if existed {
			c.Before = p.usage()
		}
		if exists {
			c.After = q.usage()
		}
		out.Usages = append(out.Usages, c)
	}

	was, is := before.findings(), after.findings()
	for _, s := range keys(was, is, compareSubjects) {
		o, existed := was[s]
		p, exists := is[s]
		if existed && exists && o.instances == p.instances {
			continue
		}
		var c OccurrenceChange
		if existed {
			c.Before = o.occurrence()
		}
		if exists {
			c.After = p.occurrence()
		}
		out.Findings = append(out.Findings, c)
	}
	slices.SortStableFunc(out.Findings, func(a, b OccurrenceChange) int {
		return cmp.Compare(b.severity(), a.severity())
	})
	return out
}

func (c *OccurrenceChange) severity() hostroute.Severity {
	return max(c.Before.Finding.Severity, c.After.Finding.Severity)
}

// byRemoval returns the places of all host routes, by the edits that remove them.
func (a *Audit) byRemoval() map[hostroute.Edit]place {
	out := make(map[hostroute.Edit]place)
	for _, p := range a.places() {
		out[p.removal()] = p
	}
	return out
}

// keys returns the keys of either map, sorted.
func keys[K comparable, V any](a, b map[K]V, compare func(K, K) int) []K {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), compare)
}
