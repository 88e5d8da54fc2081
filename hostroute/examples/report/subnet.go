package main

import (
	"cmp"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// All that is known of one subnet.

// subnet prints all that is known of a subnet. It returns the number of its findings that make the status 1.
func (p *printer) subnet(status *status) (failing int, err error) {
	s, err := p.findSubnet(p.opt.subnet)
	if err != nil {
		return 0, err
	}
	for i, o := range p.findings {
		if o.Finding.Subject.Subnet == s.ID && o.Finding.Severity >= p.opt.fail && !status.accepts[i] {
			failing++
		}
	}
	p.subnetHead(s)
	if p.misspelt[s.ID] != nil {
		e := &entry{code: p.misspelt[s.ID][0].Code, subnet: s.ID, routes: p.usages(s.ID, s.HostRoutes...)}
		p.paragraph("%v: %s (%s)", rules[e.code].Severity, rules[e.code].Title, e.code)
		p.entry(e)
		return failing, nil
	}
	isIts := func(o audit.Occurrence) bool { return o.Finding.Subject.Subnet == s.ID }
	hasFindings := slices.ContainsFunc(p.findings, isIts)
	if hasFindings {
		p.blank()
		p.wrapped(0, oneOfAll)
	}
	for _, o := range p.findings {
		if about := o.Finding.Subject; about.Subnet == s.ID && len(p.usages(s.ID, about.HostRoute)) == 0 {
			p.blank()
			p.occurrence(o)
		}
	}
	for _, r := range p.usages(s.ID, s.HostRoutes...) {
		p.hostRoute(r)
	}
	if hasFindings {
		p.notes()
	}
	return failing, nil
}

// subnetHead prints what the documents say about a subnet.
func (p *printer) subnetHead(s *hostroute.Subnet) {
	p.line(0, "%s", p.place(s.ID))
	gateway, dhcp := "no gateway", "DHCP"
	if s.Gateway.IsValid() {
		gateway = "gateway " + s.Gateway.String()
	}
	if s.DHCPDisabled {
		dhcp = "no DHCP"
	}
	p.line(2, "%s, %s, %s, %s", gateway, dhcp, count(len(s.HostRoutes), "host route"), p.usersText(s.ID))
	for _, problem := range p.Problems {
		if problem.Subnet == s.ID {
			p.line(2, "problem: %s", oneLine(problem.String()))
		}
	}
	left := p.left[s.ID]
	for _, id := range left[:min(len(left), maxNames)] {
		p.line(2, "left out: port %s%s (-problems tells why)", quoted(id), naming(p.Ports[id].Instance))
	}
	if more := len(left) - maxNames; more > 0 {
		p.line(2, "left out: %s", count(more, "more port"))
	}
}

// naming says which instance a port names.
func naming(instance string) string {
	if instance == "" {
		return ""
	}
	return ", which names instance " + quoted(instance)
}

// usages returns host routes of a subnet with what is known of them, each once.
func (p *printer) usages(subnet string, routes ...hostroute.HostRoute) []*hostRoute {
	var out []*hostRoute
	for i := range p.hostRoutes {
		if r := &p.hostRoutes[i]; r.Subnet == subnet && slices.Contains(routes, r.HostRoute) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *hostRoute) int {
		return cmp.Compare(slices.Index(routes, a.HostRoute), slices.Index(routes, b.HostRoute))
	})
	return out
}

// hostRoute prints all that is known of a host route.
func (p *printer) hostRoute(r *hostRoute) {
	e := &entry{code: r.code, subnet: r.Subnet, routes: []*hostRoute{r}}
	p.paragraph("%s: %v", routesText(e.routes), r.kind)
	p.line(2, "%s", p.counted(e))
	if r.Instances > 0 {
		p.line(2, "next hop: %s", countsText(r.Classes))
		effect := "effect"
		if r.Depends > 0 {
			effect += " with " + string(p.defaults.guest) + " and the assumed default routes"
		}
		p.line(2, "%s: %s", effect, countsText(r.Effects))
	}
	if r.Depends > 0 {
		if text := countsText(p.differing(r)); text != "" {
			p.line(2, "differs under: %s", text)
		}
	}
	if len(r.Codes) > 0 {
		p.line(2, "codes: %s", countsText(r.Codes))
	}
	findings := p.bySubject[r.ref()]
	if r.Removable && findings == nil && !ofSubnet[r.code] { // else it is one of the fixes
		p.line(2, "can be removed: moves no data%s", e.mayWork())
		p.commands(4, p.editCommands([]hostroute.Edit{r.removal()})...)
	}
	for _, o := range findings {
		p.occurrence(o)
	}
}

// occurrence prints a finding with the number of instances that have it. The message is that of the first.
func (p *printer) occurrence(o audit.Occurrence) {
	where := ""
	if o.Instances > 0 {
		where = " in " + count(o.Instances, "instance") + ", e.g. " + quoted(o.Examples[0])
	}
	p.finding(o.Finding, where, o.Fixes)
}
