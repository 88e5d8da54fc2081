package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// The report as text: a summary, and lists of host routes.

// A printer prints about a cloud.
type printer struct {
	*cloud
	out    *bufio.Writer
	unsafe bool // print the commands of fixes that move data, too
	all    bool // list every host route
}

// Widths of the text.
const (
	textWidth       = 110
	maxDestinations = 5 // of an entry
	maxNames        = 5 // of subnets
	maxPrefixes     = 3 // that move
)

func (p *printer) line(indent int, format string, args ...any) {
	p.out.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(p.out, format, args...)
	p.out.WriteByte('\n')
}

func (p *printer) report(opt *options, v *verdict) {
	p.summary(opt, v)
	p.sections()
	p.goers()
	p.notOfOne()
	if p.all {
		p.others()
	}
	p.unmatched(v)
	p.out.WriteByte('\n')
	p.line(0, "Each code is explained in hostroute/CODES.md.")
}

// An entry is host routes of one subnet that are told together.
type entry struct {
	code   hostroute.Code
	subnet string
	routes []*hostRoute // they have the same counts
}

// sections prints the wrong and the risky host routes by code.
func (p *printer) sections() {
	byCode := make(map[hostroute.Code][]*hostRoute)
	for i := range p.hostRoutes {
		if r := &p.hostRoutes[i]; r.Severity >= hostroute.SeverityWarning {
			byCode[r.code] = append(byCode[r.code], r)
		}
	}
	instances := func(code hostroute.Code) (n int) {
		for _, r := range byCode[code] {
			n += r.with(code)
		}
		return n
	}
	codes := slices.SortedFunc(maps.Keys(byCode), func(a, b hostroute.Code) int {
		return cmp.Or(cmp.Compare(rules[b].Severity, rules[a].Severity), cmp.Compare(instances(b), instances(a)), cmp.Compare(places[a], places[b]))
	})
	for _, code := range codes {
		rule := rules[code]
		p.out.WriteByte('\n')
		p.line(0, "%s: %s: %s (%s)", strings.ToUpper(rule.Severity.String()), rule.Title, count(len(byCode[code]), "host route"), code)
		p.wrapped(2, rule.Why)
		for _, e := range entries(code, byCode[code]) {
			p.out.WriteByte('\n')
			p.entry(e)
		}
	}
}

// with returns how many instances have a code.
func (r *hostRoute) with(code hostroute.Code) int {
	if misspelling(code) {
		return r.Instances
	}
	return r.Codes[code]
}

// entries groups the host routes of a section. Those with the most instances come first.
func entries(code hostroute.Code, list []*hostRoute) []*entry {
	slices.SortStableFunc(list, func(a, b *hostRoute) int { return cmp.Compare(b.with(code), a.with(code)) })
	var out []*entry
	known := make(map[string]*entry)
	for _, r := range list {
		if !ofSubnet[code] && code != hostroute.CodeSecondIPv4Subnet {
			out = append(out, &entry{code, r.Subnet, []*hostRoute{r}})
			continue
		}
		key := strconv.Quote(r.Subnet)
		if !misspelling(code) {
			key += " " + r.counts()
		}
		if known[key] == nil {
			known[key] = &entry{code: code, subnet: r.Subnet}
			out = append(out, known[key])
		}
		known[key].routes = append(known[key].routes, r)
	}
	return out
}

// entry prints host routes, what they do, and how to mend them.
func (p *printer) entry(e *entry) {
	p.line(2, "%s, on %s", routesText(e.routes), p.place(e.subnet))
	if misspelling(e.code) {
		p.misspelling(e)
		return
	}
	p.line(4, "%s", p.counted(e))
	p.fixes(e)
}

// counted returns the counts of an entry with an example.
func (p *printer) counted(e *entry) string {
	r := e.routes[0]
	if r.Instances == 0 {
		return p.noInstance()
	}
	return r.counts() + "; e.g. " + quoted(p.example(e))
}

func (c *cloud) noInstance() string {
	if c.hasPorts {
		return "no instance"
	}
	return "no instance is known"
}

// example returns an instance with the entry's finding.
func (p *printer) example(e *entry) string {
	for _, o := range p.matching(e) {
		if len(o.Examples) > 0 {
			return o.Examples[0]
		}
	}
	return e.routes[0].Examples[0]
}

// counts returns in how many instances the host route does what. A verdict that depends on the guest is also counted by
// what it is with ISC dhclient, so the numbers may overlap.
func (r *hostRoute) counts() string {
	does := []struct {
		what string
		n    int
	}{
		{"steers", r.Effective},
		{"depends", r.Depends},
		{"refused", r.Effects[hostroute.EffectRefused]},
		{"never arrives", r.Effects[hostroute.EffectNotOffered]},
		{"does nothing", r.Effects[hostroute.EffectShadowed] + r.Effects[hostroute.EffectSingleNIC] + r.Effects[hostroute.EffectRedundant]},
	}
	head := count(r.Instances, "instance") + ": "
	var parts []string
	for _, d := range does {
		if d.n == r.Instances {
			return head + d.what
		}
		if d.n > 0 {
			parts = append(parts, d.what+" in "+strconv.Itoa(d.n))
		}
	}
	return head + strings.Join(parts, ", ")
}

// goers prints what can be removed at once.
func (p *printer) goers() {
	if len(p.canGo) > 0 {
		unused := 0
		bySubnet := make(map[string][]hostroute.Edit)
		for _, e := range p.canGo {
			bySubnet[e.Subnet] = append(bySubnet[e.Subnet], e)
			if len(p.users[e.Subnet]) == 0 {
				unused++
			}
		}
		p.out.WriteByte('\n')
		head := "CAN GO: " + count(len(p.canGo), "host route")
		if unused > 0 {
			head += ", " + strconv.Itoa(unused) + " of them on subnets without an instance"
		}
		p.line(0, "%s", head)
		for _, id := range slices.Sorted(maps.Keys(bySubnet)) {
			var list []hostroute.HostRoute
			for _, e := range bySubnet[id] {
				list = append(list, e.Old)
			}
			text := destinations(list) + ", on " + p.place(id)
			if len(p.users[id]) == 0 {
				text += ", no instance"
			}
			p.line(2, "%s", text)
			p.commands(4, bySubnet[id])
		}
	}
	singly := 0
	going := make(map[hostroute.Edit]bool)
	for _, e := range p.canGo {
		going[e] = true
	}
	for _, r := range p.hostRoutes {
		if r.Removable && !going[r.removal()] {
			singly++
		}
	}
	if singly > 0 {
		p.out.WriteByte('\n')
		p.line(0, "%s can go singly, but not together with the rest.", count(singly, "more host route"))
	}
	if _, instances := p.leftOut(); instances > 0 && len(p.canGo) > 0 {
		p.line(0, "Nothing is known of the %s left out: they may need what CAN GO lists.", plural(instances, "instance that is", "instances that are"))
	}
	if p.hasPorts && len(p.hostRoutes) > 0 {
		p.out.WriteByte('\n')
		p.line(0, "One fix at a time; run this again after each. What CAN GO lists can all go at once.")
	}
}

// notOfOne prints the findings that are not of one host route, by code.
func (p *printer) notOfOne() {
	rest := p.rest()
	if len(rest) == 0 {
		return
	}
	p.out.WriteByte('\n')
	p.line(0, "NOT OF ONE HOST ROUTE")
	for len(rest) > 0 {
		code := rest[0].Finding.Code
		var list []audit.Occurrence
		isOther := func(o audit.Occurrence) bool { return o.Finding.Code != code }
		for _, o := range rest {
			if !isOther(o) {
				list = append(list, o)
			}
		}
		rest = slices.DeleteFunc(rest, func(o audit.Occurrence) bool { return !isOther(o) })
		p.restLine(code, list)
	}
}

func (p *printer) restLine(code hostroute.Code, list []audit.Occurrence) {
	n := list[0].Instances
	if len(list) > 1 {
		n = p.haveAny(list)
	}
	text := count(n, "instance")
	var names []string
	for _, o := range list {
		if name := p.label(o.Finding.Subject.Subnet); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		text += " on " + some(names, maxNames)
	}
	if len(list[0].Examples) > 0 {
		text += "; e.g. " + quoted(list[0].Examples[0])
	}
	p.line(2, "%-7s %-20s %s", rules[code].Severity, code, text)
}

// rest returns the findings that no list of host routes tells. Those of severity info are left out, unless all is asked for.
func (p *printer) rest() []audit.Occurrence {
	told := make(map[hostroute.Ref]hostroute.Code) // by subnet, or by host route
	for i := range p.hostRoutes {
		r := &p.hostRoutes[i]
		told[r.ref()] = r.code
		if ofSubnet[r.code] {
			told[hostroute.Ref{Subnet: r.Subnet}] = r.code
		}
	}
	var out []audit.Occurrence
	for _, o := range p.findings {
		ref := hostroute.Ref{Subnet: o.Finding.Subject.Subnet, HostRoute: o.Finding.Subject.HostRoute}
		code, isTold := told[ref]
		ofHostRoute := ref.HostRoute != (hostroute.HostRoute{}) && isTold
		if ofHostRoute || isTold && code == o.Finding.Code || o.Finding.Severity == hostroute.SeverityInfo && !p.all {
			continue
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b audit.Occurrence) int { return cmp.Compare(b.Finding.Severity, a.Finding.Severity) })
	return out
}

// haveAny counts the instances that have at least one of some findings.
func (c *cloud) haveAny(list []audit.Occurrence) (n int) {
	wanted := make(map[hostroute.Ref]bool)
	for _, o := range list {
		wanted[o.Finding.Subject] = true
	}
	code := list[0].Finding.Code
	for i := range c.Instances {
		isWanted := func(f found) bool { return f.code == code && wanted[f.folded()] }
		if slices.ContainsFunc(c.single(i), isWanted) {
			n++
		}
	}
	return n
}

// others lists the host routes that no section has, by kind.
func (p *printer) others() {
	for k := canGo; int(k) < len(kinds); k++ {
		var list []*hostRoute
		for i := range p.hostRoutes {
			if p.hostRoutes[i].kind == k {
				list = append(list, &p.hostRoutes[i])
			}
		}
		if len(list) == 0 || k == canGo && !slices.ContainsFunc(list, func(r *hostRoute) bool { return len(r.Codes) > 0 }) {
			continue
		}
		p.out.WriteByte('\n')
		head := strings.ToUpper(k.String())
		if k == canGo {
			head = "AMONG THOSE THAT CAN GO"
		}
		p.line(0, "%s: %s", head, count(len(list), "host route"))
		for _, r := range list {
			p.out.WriteByte('\n')
			p.entryWithoutFix(r)
		}
	}
}

func (p *printer) entryWithoutFix(r *hostRoute) {
	e := &entry{r.code, r.Subnet, []*hostRoute{r}}
	p.line(2, "%s, on %s", routesText(e.routes), p.place(r.Subnet))
	p.line(4, "%s", p.counted(e))
	if len(r.Codes) > 0 {
		p.line(4, "findings: %s", r.codesText())
	}
}

// codesText returns "redundant in 3, shadowed in 1".
func (r *hostRoute) codesText() string {
	var parts []string
	for _, code := range slices.SortedFunc(maps.Keys(r.Codes), compareCodes) {
		parts = append(parts, string(code)+" in "+strconv.Itoa(r.Codes[code]))
	}
	return strings.Join(parts, ", ")
}

// unmatched prints the entries of the baseline that match nothing.
func (p *printer) unmatched(v *verdict) {
	if len(v.unmatched) == 0 {
		return
	}
	p.out.WriteByte('\n')
	p.line(0, "BASELINE: %s", matchText(len(v.unmatched)))
	for _, a := range v.unmatched {
		p.line(2, "%s", a.subject)
	}
}

func matchText(n int) string {
	return plural(n, "entry matches nothing", "entries match nothing")
}

// routesText returns "10.71.0.0/16 via 10.70.0.77".
func routesText(list []*hostRoute) string {
	var out []hostroute.HostRoute
	for _, r := range list {
		out = append(out, r.HostRoute)
	}
	return destinations(out)
}

// destinations names host routes, five at most. A next hop stands behind the last destination that has it.
func destinations(list []hostroute.HostRoute) string {
	shown := list[:min(len(list), maxDestinations)]
	var b strings.Builder
	for i, r := range shown {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.Destination.String())
		if i == len(shown)-1 || shown[i+1].NextHop != r.NextHop {
			b.WriteString(" via " + r.NextHop.String())
		}
	}
	if more := len(list) - len(shown); more > 0 {
		b.WriteString(" and " + strconv.Itoa(more) + " more")
	}
	return b.String()
}

// some names the first of a list.
func some(list []string, limit int) string {
	if more := len(list) - limit; more > 0 {
		return strings.Join(list[:limit], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(list, ", ")
}

func count(n int, what string) string { return plural(n, what, what+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// wrapped prints text in lines of 110 characters at most.
func (p *printer) wrapped(indent int, text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && indent+len(line)+1+len(word) > textWidth {
			p.line(indent, "%s", line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		p.line(indent, "%s", line)
	}
}
