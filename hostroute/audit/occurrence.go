package audit

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// The findings of all instances, those with one cause together.

// An Occurrence is one finding of many instances. Findings with the same code are one Occurrence if they
// are about the same thing, which is:
//   - for a host route: the subnet and the host route;
//   - for a subnet: the subnet;
//   - for a NIC: its subnets;
//   - for a manual route: the route and the NIC's subnets;
//   - for an instance: only the code, so that all instances with it are one Occurrence.
//
// For conflict, captures-subnet, overlapping-subnets and next-hop-other-nic, the subnets and host routes of
// Related must be the same, too. The zero Occurrence is about no instance.
type Occurrence struct {
	// Finding is that of the instance with the smallest name, Examples[0]. Its Message, Related and Fixes are about that
	// instance; its Subject has no Instance and no NIC.
	Finding   hostroute.Finding `json:"finding"`
	Instances int               `json:"instances"` // that have the finding
	Examples  []string          `json:"examples"`  // the three smallest names of the instances
	// Fixes are those of all the findings; they are alternatives. Fixes with the same edits are listed once, and so are fixes
	// without edits that have the same message. Those for the most instances come first, then the
	// likeliest. Audit.Impact says what a fix with edits moves.
	Fixes []hostroute.Fix `json:"fixes"`
}

// Findings returns the findings of all instances. The worst come first: they are sorted by severity, then by
// the number of instances, then by code, subnet, destination and next hop. To do so it analyses every
// combination again. It has nothing about subnets without an instance: call [hostroute.AnalyzeSubnet] for
// these, which are the subnets that no NIC has.
func (a *Audit) Findings() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		for _, o := range a.findings().occurrences() {
			if !yield(o) {
				return
			}
		}
	}
}

// findings gathers the findings of all combinations.
func (a *Audit) findings() fold {
	f := make(fold)
	if a == nil {
		return f
	}
	for _, c := range byName(maps.Values(a.combinations)) {
		in := c.named()
		if report, err := hostroute.Analyze(in); err == nil { // it was valid when it was added
			f.add(c, &in, report.Findings)
		}
	}
	return f
}

// A subject is what the findings of one Occurrence have in common.
type subject struct {
	code    hostroute.Code
	about   hostroute.Ref // a subnet or host route or, with only the label of its NIC, a NIC or manual route
	related string
}

// A fold has the findings that were gathered so far. Combinations are added by name, so that the first one with a subject
// has its Finding.
type fold map[subject]*folded

// A folded is an Occurrence without its Fixes, and what it takes to fold more into it.
type folded struct {
	Occurrence
	last  *combination          // that was counted
	fixes map[string]*foldedFix // by the edits or, if there are none, the message
}

type foldedFix struct {
	hostroute.Fix
	rank      int // the lowest that it has in any finding
	instances int
	last      *combination // that was counted
}

// add adds the findings of a combination. An instance counts once, even if several of its findings are one.
func (f fold) add(c *combination, in *hostroute.Instance, findings []hostroute.Finding) {
	for _, finding := range findings {
		s := subjectOf(in, &finding)
		o := f[s]
		if o == nil {
			o = &folded{Occurrence: Occurrence{Finding: finding}, fixes: make(map[string]*foldedFix)}
			o.Finding.Subject = hostroute.Ref{Subnet: s.about.Subnet, HostRoute: s.about.HostRoute}
			f[s] = o
		}
		if o.last != c {
			o.last = c
			o.Instances += c.count
			o.Examples = addNames(o.Examples, c.names...)
		}
		for rank, fix := range finding.Fixes {
			known := o.fix(rank, fix)
			if known.last != c {
				known.last = c
				known.instances += c.count
			}
		}
	}
}

// fix returns the fix that is the same as the given one.
func (o *folded) fix(rank int, fix hostroute.Fix) *foldedFix {
	text := fix.Message
	if len(fix.Edits) > 0 {
		text = fmt.Sprint(fix.Edits)
	}
	known := o.fixes[text]
	if known == nil {
		known = &foldedFix{Fix: fix, rank: rank}
		o.fixes[text] = known
	}
	known.Message = min(known.Message, fix.Message) // it can name another NIC
	known.rank = min(known.rank, rank)
	return known
}

func subjectOf(in *hostroute.Instance, f *hostroute.Finding) subject {
	s := subject{code: f.Code, about: hostroute.Ref{Subnet: f.Subject.Subnet, HostRoute: f.Subject.HostRoute}}
	if s.about.Subnet == "" {
		s.about.NIC = nicLabel(in, f.Subject.NIC)
	}
	switch f.Code {
	case hostroute.CodeConflict, hostroute.CodeCapturesSubnet, hostroute.CodeOverlappingSubnets, hostroute.CodeNextHopOtherNIC:
		var related []string
		for _, r := range f.Related {
			related = append(related, strconv.Quote(r.Ref.Subnet)+" "+r.Ref.HostRoute.String())
		}
		slices.Sort(related)
		s.related = strings.Join(slices.Compact(related), "\n")
	}
	return s
}

// compareSubjects puts the highest severity first.
func compareSubjects(a, b subject) int {
	return cmp.Or(
		cmp.Compare(severities[b.code], severities[a.code]),
		cmp.Compare(a.code, b.code),
		cmp.Compare(a.about.Subnet, b.about.Subnet),
		compareRoutes(a.about.HostRoute, b.about.HostRoute),
		cmp.Compare(a.about.NIC, b.about.NIC),
		cmp.Compare(a.related, b.related),
	)
}

// occurrences returns the worst first.
func (f fold) occurrences() []Occurrence {
	out := []Occurrence{}
	for _, s := range slices.SortedFunc(maps.Keys(f), func(a, b subject) int {
		return cmp.Or(
			cmp.Compare(severities[b.code], severities[a.code]),
			cmp.Compare(f[b].Instances, f[a].Instances),
			compareSubjects(a, b),
		)
	}) {
		out = append(out, f[s].answer())
	}
	return out
}

// answer returns the Occurrence with its Fixes.
func (o *folded) answer() Occurrence {
	out := o.Occurrence
	out.Fixes = []hostroute.Fix{}
	for _, text := range slices.SortedFunc(maps.Keys(o.fixes), func(a, b string) int {
		x, y := o.fixes[a], o.fixes[b]
		return cmp.Or(cmp.Compare(y.instances, x.instances), cmp.Compare(x.rank, y.rank), cmp.Compare(a, b))
	}) {
		out.Fixes = append(out.Fixes, o.fixes[text].Fix)
	}
	return out
}
