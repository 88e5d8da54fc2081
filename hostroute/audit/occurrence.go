package audit

import (
	"cmp"
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
// number of instances, then by code, subnet, destination and next hop. About a subnet that no instance has it
// says nothing: ask [hostroute.AnalyzeSubnet].
func (a *Audit) Findings() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		all := a.findings()
		all.analyze(slices.Collect(maps.Keys(all)))
		for _, o := range all.occurrences() {
			if !yield(o) {
				return
			}
		}
	}
}

// A fold gathers the findings of combinations by their subject.
type fold map[subject]*folded

type folded struct {
	subject   subject
	finding   hostroute.Finding // of first
	first     *combination      // the one with the smallest name
	instances counter
	names     []string
	fixes     map[string]*foldedFix // by edits, or by message
}

type foldedFix struct {
	hostroute.Fix
	place     int // the first that it has in a finding
	instances counter
}

// findings folds the findings of all combinations, of which only the facts are known.
func (a *Audit) findings() fold {
	f := make(fold)
	if a == nil {
		return f
	}
	for _, c := range a.combinations {
		for _, fact := range c.facts {
			if fact.subject.code != "" {
				f.add(c, fact.subject, hostroute.Finding{Fixes: fact.fixes})
			}
		}
	}
	return f
}

// add adds a finding of a combination.
func (f fold) add(c *combination, s subject, finding hostroute.Finding) {
	o := f[s]
	if o == nil {
		o = &folded{subject: s, fixes: make(map[string]*foldedFix)}
		f[s] = o
	}
	if o.instances.last != c { // of several findings of one instance, take the first
		o.instances.add(c)
		o.names = addNames(o.names, c.names...)
		if o.first == nil || c.less(o.first) {
			o.first, o.finding = c, finding
		}
	}
	for place, fix := range finding.Fixes {
		text := fix.Message
		if len(fix.Edits) > 0 {
			text = editsText(fix.Edits)
		}
		known := o.fixes[text]
		if known == nil {
			known = &foldedFix{Fix: fix, place: place}
			o.fixes[text] = known
		}
		known.Message = min(known.Message, fix.Message) // it may name a NIC
		known.place = min(known.place, place)
		known.instances.add(c)
	}
}

func editsText(edits []hostroute.Edit) string {
	var b strings.Builder
	for _, e := range edits {
		b.WriteString(strconv.Quote(e.Subnet) + " " + e.Old.String() + " " + e.New.String() + "\n")
	}
	return b.String()
}

// analyze gives the occurrences of some subjects their findings.
func (f fold) analyze(subjects []subject) {
	byInstance := make(map[*combination][]*folded)
	for _, s := range subjects {
		if o := f[s]; o != nil {
			byInstance[o.first] = append(byInstance[o.first], o)
		}
	}
	for c, list := range byInstance {
		in := c.named()
		report, err := hostroute.Analyze(in)
		if err != nil {
			continue // it was analysed before
		}
		first := make(map[subject]hostroute.Finding)
		for _, finding := range slices.Backward(report.Findings) {
			first[subjectOf(&in, &finding)] = finding
		}
		for _, o := range list {
			o.finding = first[o.subject]
		}
	}
}

// occurrences returns what was gathered, the worst first.
func (f fold) occurrences() []Occurrence {
	out := []Occurrence{}
	for _, o := range slices.SortedFunc(maps.Values(f), func(a, b *folded) int {
		return cmp.Or(
			cmp.Compare(b.severity(), a.severity()),
			cmp.Compare(b.instances.n, a.instances.n),
			compareSubjects(a.subject, b.subject),
		)
	}) {
		out = append(out, o.occurrence())
	}
	return out
}

func (o *folded) severity() hostroute.Severity { return severities[o.subject.code] }

func compareSubjects(a, b subject) int {
	return cmp.Or(
		cmp.Compare(a.code, b.code),
		cmp.Compare(a.subnet, b.subnet),
		compareRoutes(a.route, b.route),
		cmp.Compare(a.nic, b.nic),
		cmp.Compare(a.related, b.related),
	)
}

func (o *folded) occurrence() Occurrence {
	out := Occurrence{Finding: o.finding, Instances: o.instances.n, Examples: o.names, Fixes: []hostroute.Fix{}}
	out.Finding.Subject.Instance, out.Finding.Subject.NIC = "", ""
	for _, text := range slices.SortedFunc(maps.Keys(o.fixes), func(x, y string) int {
		a, b := o.fixes[x], o.fixes[y]
		return cmp.Or(cmp.Compare(b.instances.n, a.instances.n), cmp.Compare(a.place, b.place), cmp.Compare(x, y))
	}) {
		fix := o.fixes[text].Fix
		out.Fixes = append(out.Fixes, hostroute.Fix{Message: fix.Message, Edits: slices.Clone(fix.Edits)})
	}
	return out
}
