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
)

// The report as text: a summary, and lists of host routes.

// A printer prints about a cloud.
type printer struct {
	*cloud
	out    *bufio.Writer
	unsafe bool // print the commands of fixes that move data, too
	all    bool // list every host route
	hidden bool // the commands of a fix were left out

	reasons map[subject]string // why findings are accepted; nil: there is no baseline
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
			n = max(n, r.with(code))
		}
		return n
	}
	codes := slices.SortedFunc(maps.Keys(byCode), func(a, b hostroute.Code) int {
		return cmp.Or(cmp.Compare(rules[b].Severity, rules[a].Severity), cmp.Compare(instances(b), instances(a)), cmp.Compare(places[a], places[b]))
	})
	for _, code := range codes {
		rule := rules[code]
		p.out.WriteByte('\n')
		list := entries(code, byCode[code])
		number := count(len(byCode[code]), "host route") + p.acceptedText(list)
		p.line(0, "%s: %s: %s (%s)", strings.ToUpper(rule.Severity.String()), rule.Title, number, code)
		p.wrapped(2, rule.Why)
		for _, e := range list {
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
		if !isShared(code) {
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
		p.line(4, "further codes: %s", text)
	}
	p.fixes(e)
}

// further returns the other codes of host routes that share the entry's, without those of severity info.
func (e *entry) further() string {
	if !isShared(e.code) {
		return ""
	}
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

// counted returns the counts of an entry with an example.
func (p *printer) counted(e *entry) string {
	r := e.routes[0]
	if r.Instances == 0 {
		return p.instances(0) + p.butLeftOut(e.subnet)
	}
	return r.counts() + "; e.g. " + quoted(p.example(e))
}

// instances returns "5 instances".
func (c *cloud) instances(n int) string {
	switch {
	case !c.hasPorts:
		return "no instance is known"
	case n == 0:
		return "no instance"
	}
	return count(n, "instance")
}

// butLeftOut names the ports on a subnet that are left out.
func (c *cloud) butLeftOut(subnet string) string {
	var ids []string
	for _, id := range c.left[subnet] {
		ids = append(ids, quoted(id))
	}
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return ", but port " + ids[0] + " is left out"
	}
	return ", but ports " + some(ids, maxNames) + " are left out"
}

// usersText returns "5 instances; e.g. NAME" for those on a subnet.
func (c *cloud) usersText(subnet string) string {
	names := c.users[subnet]
	if len(names) == 0 {
		return c.instances(0)
	}
	return count(len(names), "instance") + "; e.g. " + quoted(slices.Min(names))
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

// A share is the instances in which a host route does something.
type share struct {
	does string
	n    int
}

// counts returns in how many instances the host route does what. An instance in which it depends on the guest counts as that
// alone, if the Usage tells so much: its Effects are those with the assumed guest.
func (r *hostRoute) counts() string {
	head := count(r.Instances, "instance") + ": "
	if r.Effects[hostroute.EffectNotOffered] == r.Instances {
		return head + "never arrives"
	}
	shares := []share{{"steers", r.Effective}, {"depends", r.Depends}}
	rest := []share{
		{"refused", r.Effects[hostroute.EffectRefused]},
		{"never arrives", r.Effects[hostroute.EffectNotOffered]},
		{"does nothing", r.Effects[hostroute.EffectShadowed] + r.Effects[hostroute.EffectSingleNIC] + r.Effects[hostroute.EffectRedundant]},
	}
	rest = slices.DeleteFunc(rest, func(s share) bool { return s.n == 0 })
	sum := 0
	for _, s := range rest {
		sum += s.n
	}
	left := r.Instances - r.Effective - r.Depends // it steers in none of these, whatever the guest
	switch {
	case left == 0:
		rest = nil
	case r.Depends == 0 || sum == left:
	case len(rest) == 1:
		rest[0].n = left
	default:
		return head + r.sharesText(shares) + "; with the assumed guest: " + r.sharesText(rest)
	}
	return head + r.sharesText(append(shares, rest...))
}

// sharesText returns "steers in 1, depends in 2"; one of them alone if it is all.
func (r *hostRoute) sharesText(shares []share) string {
	var parts []string
	for _, s := range shares {
		if s.n == r.Instances {
			return s.does
		}
		if s.n > 0 {
			parts = append(parts, s.does+" in "+strconv.Itoa(s.n))
		}
	}
	return strings.Join(parts, ", ")
}

// routesText returns "10.71.0.0/16 via 10.70.0.77".
func routesText(list []*hostRoute) string {
	var out []hostroute.HostRoute
	for _, r := range list {
		out = append(out, r.HostRoute)
	}
	return destinations(out)
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
