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

// Findings of many instances that have one cause are one occurrence.

// An Occurrence is a finding that Instances instances have. Findings are one if they agree in their code and in what
// they are about: the subnet and the host route; or the subnet; or, for a NIC, its subnets; or, for a manual route, the route
// and the NIC's subnets. Findings about an instance need only agree in their code. A conflict, captures-subnet,
// overlapping-subnets or next-hop-other-nic must also agree in the subnets and host routes of Related. The zero
// Occurrence is of no instance.
type Occurrence struct {
	// Finding is that of the instance with the smallest name, to which Message and Related refer. Its Subject has neither
	// Instance nor NIC.
	Finding   hostroute.Finding `json:"finding"`
	Instances int               `json:"instances"`
	Examples  []string          `json:"examples"` // the three smallest names of the instances
	// Fixes are the fixes of all these findings: once for the same edits, or, without edits, for the same message.
	// Those that the most findings have come first, then the likeliest. Before you make one, ask [Audit.Impact] what it moves.
	Fixes []hostroute.Fix `json:"fixes"`
}

// Findings returns what is wrong in all instances, folded. The worst come first: they are sorted by severity, then by the
// number of instances, then by code, subnet, destination and next hop. It analyses one instance of each combination
// again. About a subnet that no instance has it says nothing: ask [hostroute.AnalyzeSubnet].
func (a *Audit) Findings() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		for _, o := range a.findings().sorted() {
			if !yield(o.occurrence()) {
				return
			}
		}
	}
}

// findings folds the findings of all combinations.
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

// A fold gathers the findings of combinations by their subject.
type fold map[subject]*folded

// A subject is what the findings of an occurrence agree in.
type subject struct {
	code    hostroute.Code
	subnet  string
	route   hostroute.HostRoute
	nic     string // for a NIC or a manual route: what nicLabel returns
	related string
}

type folded struct {
	subject   subject
	finding   hostroute.Finding // of first
	first     *combination      // the one with the smallest name
	instances int
	names     []string
	fixes     map[string]*foldedFix // by what identifies them
}

type foldedFix struct {
	hostroute.Fix
	place     int // the first that it has in a finding
	instances int
}

// add adds the findings of a combination. Findings of one instance that have the same subject count once.
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
			o.instances += c.count
			o.names = addNames(o.names, c.names...)
			if o.first == nil || c.less(o.first) {
				o.first, o.finding = c, finding
			}
		}
		for place, fix := range finding.Fixes {
			known := o.fix(place, fix)
			if !counted[known] {
				counted[known] = true
				known.instances += c.count
			}
		}
	}
}

// fix returns what is known of a fix.
func (o *folded) fix(place int, fix hostroute.Fix) *foldedFix {
	text := fix.Message
	if len(fix.Edits) > 0 {
		text = fmt.Sprint(fix.Edits)
	}
	known := o.fixes[text]
	if known == nil {
		known = &foldedFix{Fix: fix, place: place}
		o.fixes[text] = known
	}
	known.Message = min(known.Message, fix.Message) // with the same edits it may name another NIC
	known.place = min(known.place, place)
	return known
}

func subjectOf(in *hostroute.Instance, f *hostroute.Finding) subject {
	s := subject{code: f.Code, subnet: f.Subject.Subnet, route: f.Subject.HostRoute}
	if s.subnet == "" {
		s.nic = nicLabel(in, f.Subject.NIC)
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

func compareSubjects(a, b subject) int {
	return cmp.Or(
		cmp.Compare(a.code, b.code),
		cmp.Compare(a.subnet, b.subnet),
		compareRoutes(a.route, b.route),
		cmp.Compare(a.nic, b.nic),
		cmp.Compare(a.related, b.related),
	)
}

// sorted returns what was gathered, the worst first.
func (f fold) sorted() []*folded {
	return slices.SortedFunc(maps.Values(f), func(a, b *folded) int {
		return cmp.Or(
			cmp.Compare(severities[b.subject.code], severities[a.subject.code]),
			cmp.Compare(b.instances, a.instances),
			compareSubjects(a.subject, b.subject),
		)
	})
}

func (f fold) occurrences() []Occurrence {
	out := []Occurrence{}
	for _, o := range f.sorted() {
		out = append(out, o.occurrence())
	}
	return out
}

func (o *folded) occurrence() Occurrence {
	out := Occurrence{Finding: o.finding, Instances: o.instances, Examples: o.names, Fixes: []hostroute.Fix{}}
	out.Finding.Subject = hostroute.Ref{Subnet: o.subject.subnet, HostRoute: o.subject.route}
	for _, text := range slices.SortedFunc(maps.Keys(o.fixes), func(x, y string) int {
		a, b := o.fixes[x], o.fixes[y]
		return cmp.Or(cmp.Compare(b.instances, a.instances), cmp.Compare(a.place, b.place), cmp.Compare(x, y))
	}) {
		out.Fixes = append(out.Fixes, o.fixes[text].Fix)
	}
	return out
}

// nicLabel returns how a [Move] names a NIC; "" if there is no NIC of that name.
func nicLabel(in *hostroute.Instance, name string) string {
	i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })
	if i < 0 {
		return ""
	}
	var ids []string
	for _, s := range in.NICs[i].Subnets {
		id := s.ID
		if id == "" {
			id = s.CIDR.String()
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return name
	}
	return strings.Join(ids, ",")
}
