package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"example.com/go-hostroute/hostroute"
)

// The report as text: a summary, and lists of host routes.

// A printer prints about a cloud.
type printer struct {
	*cloud
	opt     *options
	reasons map[subject]string // why findings are accepted; nil: there is no baseline
	out     *bufio.Writer
	hidden  bool // the commands of a fix were left out
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

func (p *printer) blank() { p.out.WriteByte('\n') }

// paragraph prints a line after an empty one.
func (p *printer) paragraph(format string, args ...any) {
	p.blank()
	p.line(0, format, args...)
}

func (p *printer) report(status *status) {
	p.summary(status)
	sections := p.sections()
	isToMend := func(r hostRoute) bool { return r.kind <= canGo }
	if p.knowsInstances() && slices.ContainsFunc(p.hostRoutes, isToMend) {
		p.blank()
		p.together(sections)
		p.whatToDo()
		text := dataMoves
		dependsShown := func(r hostRoute) bool { return r.Depends > 0 && (r.kind <= risky || p.opt.all) }
		if slices.ContainsFunc(p.hostRoutes, dependsShown) {
			text += " " + onTheGuest
		}
		p.wrapped(0, text)
	}
	for _, s := range sections {
		p.section(s)
	}
	p.whatCanGo()
	p.notOfOne()
	if p.opt.all {
		p.others()
	}
	p.unmatched(status)
	p.notes()
}

// notes says where there is more about the findings that were printed.
func (p *printer) notes() {
	if p.hidden {
		p.paragraph("-unsafe also prints the commands that are left out here: their fixes can move data or bring findings of severity error.")
	}
	p.paragraph("Each code is explained in hostroute/CODES.md.")
}

// An entry is host routes of one subnet that are told together.
type entry struct {
	code   hostroute.Code
	subnet string
	routes []*hostRoute // they have the same counts
	fixes  []fix        // the best one, and the removal if that is another one; none for netmask-spelling
}

// A section has the host routes that stand under one code.
type section struct {
	code    hostroute.Code
	entries []*entry
}

// sections returns the wrong and the risky host routes by code.
func (p *printer) sections() (out []section) {
	byCode := make(map[hostroute.Code][]*hostRoute)
	for i := range p.hostRoutes {
		if r := &p.hostRoutes[i]; r.Severity >= hostroute.SeverityWarning {
			byCode[r.code] = append(byCode[r.code], r)
		}
	}
	instances := func(code hostroute.Code) (n int) {
		for _, r := range byCode[code] {
			n = max(n, r.with(code))
		}
		return n
	}
	codes := slices.SortedFunc(maps.Keys(byCode), func(a, b hostroute.Code) int {
		if misspelling(a) || misspelling(b) { // whose list has to be rewritten before the rest counts
			return cmp.Compare(places[a], places[b])
		}
		return cmp.Or(cmp.Compare(rules[b].Severity, rules[a].Severity), cmp.Compare(instances(b), instances(a)), cmp.Compare(places[a], places[b]))
	})
	for _, code := range codes {
		out = append(out, section{code, entries(code, byCode[code])})
	}
	p.chooseFixes(out)
	return out
}

// chooseFixes sets the fixes of all entries. It uses all processors, because what a fix moves is asked of every instance on its subnet.
func (p *printer) chooseFixes(sections []section) {
	waiting := make(chan *entry)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for e := range waiting {
				e.fixes = p.fixes(e)
			}
		})
	}
	for _, s := range sections {
		if !misspelling(s.code) {
			for _, e := range s.entries {
				waiting <- e
			}
		}
	}
	close(waiting)
	workers.Wait()
}

func (p *printer) section(s section) {
	rule := rules[s.code]
	p.paragraph("%s: %s: %s (%s)", strings.ToUpper(rule.Severity.String()), rule.Title, p.numberText(s), s.code)
	p.wrapped(2, rule.Why)
	for _, e := range s.entries {
		p.blank()
		p.entry(e)
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
		if !isShared(code) {
			out = append(out, &entry{code: code, subnet: r.Subnet, routes: []*hostRoute{r}})
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
	for _, e := range out {
		slices.SortFunc(e.routes, func(a, b *hostRoute) int { return compareHostRoutes(a.HostRoute, b.HostRoute) })
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
	p.accepted(e)
	if text := e.further(); text != "" {
		p.line(4, "further codes: %s (-subnet %s shows more)", text, shellQuote(e.subnet))
	}
	if e.code == hostroute.CodeNextHopOffLink {
		p.gatewayNote(e)
	}
	p.printFixes(e, e.fixes)
}

// gatewayNote names the subnets that have the next hop of an entry as their gateway.
func (p *printer) gatewayNote(e *entry) {
	hop := e.routes[0].HostRoute.NextHop
	var names []string
	for _, s := range p.Subnets {
		if s.Gateway == hop && s.ID != e.subnet {
			names = append(names, p.place(s.ID))
		}
	}
	if len(names) > 0 {
		p.line(4, "%v is the gateway of %s: the host route may belong there", hop, some(names, maxNames))
	}
}

// further returns the other codes of an entry's host routes, without those of severity info.
func (e *entry) further() string {
	have := make(map[hostroute.Code][]*hostRoute)
	for _, r := range e.routes {
		for code := range r.Codes {
			if code != e.code && rules[code].Severity >= hostroute.SeverityWarning {
				have[code] = append(have[code], r)
			}
		}
	}
	var parts []string
	for _, code := range slices.SortedFunc(maps.Keys(have), compareCodes) {
		part := string(code)
		if len(have[code]) < len(e.routes) {
			part += " of " + routesText(have[code])
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// about returns the subject of the findings of an entry.
func (e *entry) about() hostroute.Ref {
	if ofSubnet[e.code] {
		return hostroute.Ref{Subnet: e.subnet}
	}
	return e.routes[0].ref()
}

// routesText returns "10.71.0.0/16 via 10.70.0.77".
func routesText(list []*hostRoute) string {
	return destinations(each(list, func(r *hostRoute) hostroute.HostRoute { return r.HostRoute }))
}

// destinations names five host routes at most. If several in a row have the same next hop, it is named once, after the last of them.
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

// each returns what a function makes of each element of a list; nil if there are none.
func each[T, U any](list []T, f func(T) U) []U {
	var out []U
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
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
