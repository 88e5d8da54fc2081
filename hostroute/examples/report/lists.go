package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// The lists behind the sections: what can go, what is of no host route, and with -all the rest.

// whatCanGo prints what can be removed at once, and what only singly.
func (p *printer) whatCanGo() {
	if len(p.canGo) > 0 {
		p.canGoList()
	}
	singly := 0
	for i := range p.hostRoutes {
		if r := &p.hostRoutes[i]; r.Removable && !p.goes[r.removal()] && !r.wanted {
			singly++
		}
	}
	_, instances := p.leftOut()
	if singly > 0 || len(p.canGo) > 0 && instances > 0 {
		p.blank()
	}
	if singly > 0 {
		p.line(0, "%s can go singly, but not together with the rest: -subnet ID shows which.", count(singly, "more host route"))
	}
	if len(p.canGo) > 0 && instances > 0 {
		p.line(0, "%s what CAN GO lists.", plural(instances, "instance is left out: it may need", "instances are left out: they may need"))
	}
}

func (p *printer) canGoList() {
	var unused []string
	for _, e := range p.canGo {
		if len(p.users[e.Subnet]) == 0 {
			unused = append(unused, e.Subnet)
		}
	}
	p.paragraph("%s", canGoHead(len(p.canGo), unused))
	p.line(2, "No instance in the list of ports needs these. First make sure that an administrator fetched the whole list.")
	if !p.haveHosts() {
		p.line(2, "No port has a host, so probably no administrator fetched it: instances of other projects may be missing.")
	}
	if p.defaults.subnets != nil || p.defaults.nic != "" {
		p.line(2, "This holds only if guests keep the default routes that the flags name.")
	}
	if len(unused) > 0 {
		p.line(2, "Only ports with a device_owner compute:... are considered: trunk subports, for example, and bare metal are not.")
	}
	steps, movesNothing := p.steps()
	switch {
	case !movesNothing:
		p.line(2, "Run all of the commands: until the last is done, data may move.")
	case len(steps) > 1:
		p.line(2, "Run the commands in this order: then no data moves in between.")
	}
	for _, edits := range steps {
		id := edits[0].Subnet
		text := destinations(each(edits, func(e hostroute.Edit) hostroute.HostRoute { return e.Old })) + ", on " + p.place(id)
		if len(p.users[id]) == 0 {
			text += ", no instance"
		}
		p.line(2, "%s", text)
		p.commands(4, p.editCommands(edits)...)
	}
}

// canGoHead says how many host routes can go. Unused has the subnets of those that no instance gets.
func canGoHead(all int, unused []string) string {
	head := "CAN GO: " + count(all, "host route")
	switch n := len(unused); {
	case n == 0:
		return head
	case all == 1:
		head += ","
	case n == all:
		head += ", all"
	default:
		head += ", " + strconv.Itoa(n) + " of them"
	}
	if slices.Max(unused) == slices.Min(unused) {
		return head + " on a subnet without an instance"
	}
	return head + " on subnets without an instance"
}

// notOfOne prints the findings that are not of one host route, by code.
func (p *printer) notOfOne() {
	byCode := make(map[hostroute.Code][]audit.Occurrence)
	var codes []hostroute.Code // in the order of their first findings
	for _, o := range p.rest() {
		code := o.Finding.Code
		if byCode[code] == nil {
			codes = append(codes, code)
		}
		byCode[code] = append(byCode[code], o)
	}
	if len(codes) > 0 {
		p.paragraph("NOT OF ONE HOST ROUTE")
	}
	for _, code := range codes {
		p.restLine(code, byCode[code])
	}
}

func (p *printer) restLine(code hostroute.Code, list []audit.Occurrence) {
	n := list[0].Instances
	if len(list) > 1 {
		n = p.haveAny(list)
	}
	text := p.instances(n)
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
	if code == hostroute.CodeMultipleDefaults {
		p.severalDefaultsAdvice(list[0].Fixes)
	} else {
		p.line(4, "next: %s", advice(code))
	}
}

// advice returns what a rule says to do, in the words of this program: of a sibling route, there is no host route to
// remove, and flags are for what is a field of the library.
func advice(code hostroute.Code) string {
	switch code {
	case hostroute.CodeCapturesSubnet: // findings on host routes have a fix
		return "put the two NICs on networks whose subnets do not overlap: the sibling route comes from the network, and no host route removes it"
	case hostroute.CodeNoDefault:
		return "give the subnet that should carry the default route DHCP and a gateway inside its CIDR, or name another one with -default-subnet"
	}
	text := strings.TrimSuffix(rules[code].Remedy, ".")
	return strings.ToLower(text[:1]) + text[1:]
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
		about := o.Finding.Subject
		code, isTold := told[about]
		ofHostRoute := about.HostRoute != (hostroute.HostRoute{}) && isTold
		if ofHostRoute || isTold && code == o.Finding.Code || o.Finding.Severity == hostroute.SeverityInfo && !p.opt.all {
			continue
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b audit.Occurrence) int { return cmp.Compare(b.Finding.Severity, a.Finding.Severity) })
	return out
}

// haveAny counts the instances that have at least one of some findings.
func (c *cloud) haveAny(list []audit.Occurrence) (n int) {
	wanted := make(map[subject]bool) // without an instance
	for _, o := range list {
		at := o.Finding.Subject
		wanted[subject{Code: o.Finding.Code, Subnet: at.Subnet, HostRoute: at.HostRoute}] = true
	}
	isWanted := func(s subject) bool {
		s.Instance, s.Port = "", ""
		return wanted[s]
	}
	for _, list := range c.subjectsOfInstances() {
		if slices.ContainsFunc(list, isWanted) {
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
		head := strings.ToUpper(k.String())
		if k == canGo {
			head = "CAN GO, NEITHER WRONG NOR RISKY"
		}
		p.paragraph("%s: %s", head, count(len(list), "host route"))
		for _, r := range list {
			p.blank()
			p.entryWithoutFix(r)
		}
	}
}

func (p *printer) entryWithoutFix(r *hostRoute) {
	e := &entry{code: r.code, subnet: r.Subnet, routes: []*hostRoute{r}}
	p.line(2, "%s, on %s", routesText(e.routes), p.place(r.Subnet))
	p.line(4, "%s", p.counted(e))
	if len(r.Codes) > 0 {
		p.line(4, "codes: %s", countsText(r.Codes))
	}
}

// unmatched prints the entries of the baseline that match nothing.
func (p *printer) unmatched(status *status) {
	if len(status.unmatched) == 0 {
		return
	}
	p.paragraph("BASELINE: %s", matchText(len(status.unmatched)))
	for _, a := range status.unmatched {
		p.line(2, "%s", a.subject)
	}
}

func matchText(n int) string {
	return plural(n, "entry matches nothing", "entries match nothing")
}
