package main

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// What changed between two snapshots of a cloud.

// order puts the NICs of each instance, and the subnets of each NIC, into the order that they have in first. Documents
// come in any order, and else an unchanged cloud would seem to move. What is not in first comes last.
func (c *cloud) order(first *cloud) {
	before := make(map[string][]hostroute.NIC, len(first.Instances))
	for _, in := range first.Instances {
		before[in.Name] = in.NICs
	}
	port := func(n hostroute.NIC) string { return n.ID }
	subnet := func(s *hostroute.Subnet) string { return s.ID }
	for _, in := range c.Instances {
		sortAs(before[in.Name], in.NICs, port)
		for i := range in.NICs {
			n := &in.NICs[i]
			n.Name = "eth" + strconv.Itoa(i)
			if was := slices.IndexFunc(before[in.Name], func(b hostroute.NIC) bool { return b.ID == n.ID }); was >= 0 && n.ID != "" {
				sortAs(before[in.Name][was].Subnets, n.Subnets, subnet)
			}
		}
	}
}

// sortAs sorts a list as its elements are in first. Those that are not there come last, in the order that they have.
func sortAs[T any](first, list []T, id func(T) string) {
	places := make(map[string]int, len(first))
	for i, v := range slices.Backward(first) { // of equal ones, the first counts
		places[id(v)] = i
	}
	place := func(v T) int {
		if i, there := places[id(v)]; there {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(place(a), place(b)) })
}

// changes prints what is different from before.
func (p *printer) changes(before *cloud) {
	comparison := audit.Compare(&before.audit, &p.audit)
	comparison.Findings = append(comparison.Findings, p.ownChanges(before)...)
	m := p.movement(before)
	came, went := len(p.Instances)-m.both, len(before.Instances)-m.both
	if len(comparison.Usages)+len(comparison.Findings)+came+went+m.moved+len(m.may)+m.unknown == 0 {
		p.line(0, "Nothing changed.")
		return
	}
	if came+went > 0 {
		p.line(0, "instances: %d came, %d went", came, went)
	}
	if p.knowsInstances() {
		p.line(0, "data moved in %d of the %s in both snapshots", m.moved, plural(m.both, "instance that is", "instances that are"))
	}
	if len(m.may) > 0 {
		name := slices.Min(slices.Collect(maps.Keys(m.may)))
		example := "; e.g. " + quoted(name)
		if m.may[name] != "" {
			example = ": for example " + m.may[name] + ", in " + quoted(name)
		}
		p.line(2, "it may have moved in %d more, if guests are not as assumed (default route, DHCP client, order of leases)%s", len(m.may), example)
	}
	if m.unknown > 0 {
		p.line(2, "not known: in %d of them, on a subnet with a netmask in its list. There, guests may get none of the host routes.", m.unknown)
	}
	for _, move := range m.moves {
		p.line(2, "%s", p.moveLine(move))
	}
	if p.knowsInstances() {
		p.line(0, "assumed: %s", p.assumptions())
	}
	if len(comparison.Usages) > 0 {
		p.paragraph("HOST ROUTES")
	}
	for _, c := range comparison.Usages {
		p.usageChange(before, c)
	}
	p.findingChanges(before, comparison.Findings)
}

// ownChanges compares the findings that no audit has: the decoder's, and those of subnets without an instance.
func (p *printer) ownChanges(before *cloud) []audit.Changed[audit.Occurrence] {
	before.findings = before.occurrences()
	own := func(c *cloud) map[subject]audit.Occurrence {
		out := make(map[subject]audit.Occurrence)
		for _, o := range c.findings {
			if o.Instances == 0 || misspelling(o.Finding.Code) {
				out[subjectOf(nil, o.Finding.Code, o.Finding.Subject)] = o
			}
		}
		return out
	}
	was, is := own(before), own(p.cloud)
	all := maps.Clone(was)
	maps.Copy(all, is)
	var out []audit.Changed[audit.Occurrence]
	for _, s := range slices.SortedFunc(maps.Keys(all), compareSubjects) {
		_, wasThere := was[s]
		_, isThere := is[s]
		if wasThere != isThere || was[s].Instances != is[s].Instances {
			out = append(out, audit.Changed[audit.Occurrence]{Before: was[s], After: is[s]})
		}
	}
	return out
}

// A movement says what moved in the instances that two snapshots have.
type movement struct {
	both    int // the instances that both snapshots have
	moved   int
	moves   []audit.Move
	may     map[string]string // the instances in which nothing moved as is assumed, but otherwise perhaps: how, as far as it is known
	unknown int               // they changed, and are on a subnet with netmask-spelling, so that their table is not as analysed
}

// movement compares what is now with what was before.
func (p *printer) movement(before *cloud) movement {
	m := movement{may: make(map[string]string)}
	was := make(map[string]*hostroute.Instance, len(before.Instances))
	for i := range before.Instances {
		was[before.Instances[i].Name] = &before.Instances[i]
	}
	for _, in := range p.Instances {
		old := was[in.Name]
		if old == nil {
			continue
		}
		m.both++
		hasChanged := !reflect.DeepEqual(*old, in)
		isUnknown := func(s *hostroute.Subnet) bool {
			was, is := before.misspelt[s.ID] != nil, p.misspelt[s.ID] != nil
			return was != is || was && hasChanged
		}
		if slices.ContainsFunc(slices.Concat(subnetsOf(old), subnetsOf(&in)), isUnknown) {
			m.unknown++
			continue
		}
		list := audit.Moves(*old, in)
		if len(list) > 0 {
			m.moved++
		} else if how, may := p.mayMove(*old, in); may {
			m.may[in.Name] = how
		}
		m.moves = append(m.moves, list...)
	}
	m.moves = audit.FoldMoves(m.moves)
	return m
}

// usageChange prints a host route that came (+), went (-) or changed (~).
func (p *printer) usageChange(before *cloud, c audit.Changed[audit.Usage]) {
	was, is := &hostRoute{Usage: c.Before}, &hostRoute{Usage: c.After}
	none := hostroute.HostRoute{}
	switch {
	case was.HostRoute == none:
		p.line(2, "+ %s, on %s: %s", routesText([]*hostRoute{is}), p.place(is.Subnet), p.use(is))
		return
	case is.HostRoute == none:
		p.line(2, "- %s, on %s: %s", routesText([]*hostRoute{was}), before.place(was.Subnet), p.use(was))
		return
	}
	describe := p.use
	if describe(was) == describe(is) {
		describe = (*hostRoute).details
	}
	p.line(2, "~ %s, on %s: was %s; is %s", routesText([]*hostRoute{is}), p.place(is.Subnet), describe(was), describe(is))
}

// details returns what [hostRoute.counts] does not tell.
func (r *hostRoute) details() string {
	return countsText(r.Classes) + ", " + countsText(r.Effects) + ", with findings " + cmp.Or(countsText(r.Codes), "none")
}

func (p *printer) use(r *hostRoute) string {
	if r.Instances == 0 {
		return p.instances(0)
	}
	return r.counts()
}

// findingChanges prints the findings that came, went or changed. Where one came and another went that only differ in what they
// relate to, the text would be the same, and nothing is printed.
func (p *printer) findingChanges(before *cloud, list []audit.Changed[audit.Occurrence]) {
	type line struct{ sign, text string }
	var lines []line
	number := make(map[string]int) // of lines with a text
	for _, c := range list {
		sign, text := p.findingChange(before, c)
		lines = append(lines, line{sign, text})
		number[text]++
	}
	lines = slices.DeleteFunc(lines, func(l line) bool { return number[l.text] > 1 })
	if len(lines) > 0 {
		p.paragraph("FINDINGS")
	}
	for _, l := range lines {
		p.line(2, "%s %s", l.sign, l.text)
	}
}

// findingChange describes a finding that came (+), went (-) or that another number of instances has (~).
func (p *printer) findingChange(before *cloud, c audit.Changed[audit.Occurrence]) (sign, text string) {
	sign = "~"
	in, o := p.cloud, c.After
	n := strconv.Itoa(c.Before.Instances) + " -> " + count(c.After.Instances, "instance")
	switch {
	case c.Before.Finding.Code == "":
		sign, n = "+", p.instances(o.Instances)
	case c.After.Finding.Code == "":
		sign, in, o = "-", before, c.Before
		n = p.instances(o.Instances)
	}
	about := ""
	if s := o.Finding.Subject; s.Subnet != "" {
		about = " on " + in.place(s.Subnet)
		if s.HostRoute != (hostroute.HostRoute{}) {
			about = " of " + destinations([]hostroute.HostRoute{s.HostRoute}) + "," + about
		}
	}
	example := ""
	if len(o.Examples) > 0 {
		example = "; e.g. " + quoted(o.Examples[0])
	}
	return sign, fmt.Sprintf("%v %s%s: %s%s", o.Finding.Severity, o.Finding.Code, about, n, example)
}
