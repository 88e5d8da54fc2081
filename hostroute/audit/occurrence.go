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
	// Finding is what the instance with the smallest name has. Its messages and Related are about that
	// instance; its Subject has no Instance and no NIC.
	Finding   hostroute.Finding `json:"finding"`
	Instances int               `json:"instances"` // that have the finding
	Examples  []string          `json:"examples"`  // the three smallest names of the instances
	// Fixes are those of all the findings. Fixes with the same edits are listed once, and so are fixes
	// without edits that have the same message. Those for the most instances come first, then the
	// likeliest. Audit.Impact says what a fix with edits moves.
	Fixes []hostroute.Fix `json:"fixes"`
}

// Findings returns the findings of all instances. The worst come first: they are sorted by severity, then by
// the number of instances, then by code, subnet, destination and next hop. To do so it analyses every
// combination again. It has nothing about subnets without an instance: call [hostroute.AnalyzeSubnet] for
// these.
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
	for _, c := range a.combinations {
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

// A fold has the findings that were gathered so far.
type fold map[subject]*folded

// A folded is an Occurrence without its Fixes, and what it takes to fold more into it.
type folded struct {
	Occurrence
	subject subject
	first   *combination          // whose Finding it is
	fixes   map[string]*foldedFix // by text
}

type foldedFix struct {
	hostroute.Fix
	text      string // of the edits or, if there are none, the message
	rank      int    // the lowest that it has in any finding
	instances int
}

// add adds the findings of a combination. An instance counts once, even if several of its findings are one.
func (f fold) add(c *combination, in *hostroute.Instance, findings []hostroute.Finding) {
	counted := make(map[any]bool) // subjects and fixes
	for _, finding := range findings {
		s := subjectOf(in, &finding)
		o := f[s]
		if o == nil {
			o = &folded{subject: s, fixes: make(map[string]*foldedFix)}
			f[s] = o
		}
		if !counted[s] {
			counted[s] = true
			o.Instances += c.count
			o.Examples = addNames(o.Examples, c.names...)
			if o.first == nil || c.less(o.first) {
				o.first, o.Finding = c, finding
			}
		}
		for rank, fix := range finding.Fixes {
			known := o.fix(rank, fix)
			if !counted[known] {
				counted[known] = true
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
		known = &foldedFix{Fix: fix, text: text, rank: rank}
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
	for _, o := range slices.SortedFunc(maps.Values(f), func(a, b *folded) int {
		return cmp.Or(
			cmp.Compare(b.Finding.Severity, a.Finding.Severity),
			cmp.Compare(b.Instances, a.Instances),
			compareSubjects(a.subject, b.subject),
		)
	}) {
		out = append(out, o.answer())
	}
	return out
}

func (o *folded) answer() Occurrence {
	out := o.Occurrence
	out.Finding.Subject = o.subject.about
	out.Finding.Subject.NIC = ""
	out.Fixes = []hostroute.Fix{}
	for _, fix := range slices.SortedFunc(maps.Values(o.fixes), func(a, b *foldedFix) int {
		return cmp.Or(cmp.Compare(b.instances, a.instances), cmp.Compare(a.rank, b.rank), cmp.Compare(a.text, b.text))
	}) {
		out.Fixes = append(out.Fixes, fix.Fix)
	}
	return out
}
