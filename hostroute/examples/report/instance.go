package main

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// All that is known of one instance, and of one subnet.

// instance prints an instance, or where data to one address goes. It returns the number of findings that make the status 1.
func (p *printer) instance() (failing int, err error) {
	in, err := p.find(p.opt.instance)
	if err != nil {
		return 0, err
	}
	report, err := hostroute.Analyze(*in)
	if err != nil {
		return 0, err
	}
	findings := report.Findings
	for _, s := range subnetsOf(in) {
		findings = append(findings, p.misspelt[s.ID]...)
	}
	for _, f := range findings {
		_, isAccepted := p.reasons[subjectOf(in, f.Code, f.Subject)]
		if f.Severity >= p.opt.fail && !isAccepted {
			failing++
		}
	}
	if p.opt.to.IsValid() {
		if isOwn(in, p.opt.to) {
			p.line(0, "%v is an address of the guest itself: nothing leaves.", p.opt.to)
		} else {
			p.wrapped(0, report.Explain(p.opt.to).String())
			p.assumed(in)
		}
		p.misspeltNotes(in)
		return failing, nil
	}
	p.nics(in)
	p.misspeltNotes(in)
	if p.opt.guests {
		return failing, p.guests(in)
	}
	p.paragraph("routing table")
	for line := range strings.Lines(report.Table.String()) {
		p.out.WriteString("  " + line)
	}
	p.openNote(report.Table)
	p.paragraph("remote addresses with which each NIC's own addresses can exchange data: a reply must leave by the same NIC")
	p.remotes(in, report.Table)
	if len(report.Verdicts) > 0 {
		p.paragraph("host routes")
	}
	for _, v := range report.Verdicts {
		v.Subject.Instance = ""
		p.line(2, "%v", v)
	}
	if len(findings) > 0 {
		p.paragraph("findings, with fixes for the whole cloud")
		p.wrapped(2, oneFix)
	}
	for _, f := range findings {
		f.Subject.Instance = ""
		if f.Code == hostroute.CodeMultipleDefaults {
			f.Fixes = fixesFor(in.Guest, f.Fixes)
		}
		p.finding(f, f.Fixes)
	}
	p.hiddenNote()
	return failing, nil
}

// isOwn reports whether an instance delivers data to an address to itself. A NIC has the address of its lease or, by the config
// drive, of a subnet without DHCP.
func isOwn(in *hostroute.Instance, a netip.Addr) bool {
	hasIt := func(n hostroute.NIC) bool {
		lease := leased(n)
		configures := func(s *hostroute.Subnet) bool {
			return s.CIDR.Contains(a) && (!a.Is4() || s == lease || s.DHCPDisabled && in.ConfigDrive)
		}
		return slices.Contains(n.Addrs, a) && slices.ContainsFunc(n.Subnets, configures)
	}
	return a.IsLoopback() || slices.ContainsFunc(in.NICs, hasIt)
}

// nics prints where an instance's NICs are.
func (p *printer) nics(in *hostroute.Instance) {
	p.line(0, "%s", quoted(in.Name))
	for i := range in.NICs {
		n := &in.NICs[i]
		var parts []string
		for _, s := range n.Subnets {
			parts = append(parts, p.place(s.ID))
		}
		for _, a := range n.Addrs {
			parts = append(parts, a.String())
		}
		port := p.Ports[n.ID]
		for _, is := range [][2]string{{"", port.MAC}, {"port ", n.ID}, {"named ", port.Name}, {"on ", port.Host}} {
			if is[1] != "" {
				parts = append(parts, is[0]+quoted(is[1]))
			}
		}
		p.line(2, "%s: %s", quoted(n.Name), strings.Join(parts, ", "))
	}
	p.assumed(in)
}

// assumed prints what is assumed of an instance.
func (p *printer) assumed(in *hostroute.Instance) {
	text := "NICs are in the order of the file; the guest runs " + string(in.Guest)
	switch {
	case in.DefaultNIC != "":
		text += "; the guest keeps the default of " + quoted(in.DefaultNIC)
	case len(defaultOffers(in)) > 1:
		text += "; of several defaults, it keeps the one that it takes by itself (-default-subnet assumes another)"
	}
	p.line(2, "assumed: %s", text)
}

// misspeltNotes says which lists have to be rewritten before the guest has the table that was analysed.
func (p *printer) misspeltNotes(in *hostroute.Instance) {
	for _, s := range subnetsOf(in) {
		if p.misspelt[s.ID] != nil {
			p.line(2, "A destination in the list of %s is spelled with a netmask (-subnet shows it). Until that list is rewritten, the guest may have other routes than this report assumes.", p.label(s.ID))
		}
	}
}

// remotes prints the destinations that leave by each NIC. Only these can exchange data with its own addresses: the hypervisor
// drops what leaves by another NIC than that of its source address.
func (p *printer) remotes(in *hostroute.Instance, table hostroute.Table) {
	prefixes := make(map[string][]netip.Prefix, len(in.NICs))
	for _, n := range in.NICs {
		prefixes[n.Name] = table.Destinations(n.Name).Prefixes()
	}
	for _, n := range in.NICs {
		var parts []string
		for _, family := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			if text := remotesText(table, prefixes, n.Name, family); text != "" {
				parts = append(parts, text)
			}
		}
		if parts == nil {
			parts = []string{"none"}
		}
		p.line(2, "%s: %s", quoted(n.Name), strings.Join(parts, "; "))
	}
}

// remotesText names the prefixes of one family that leave by a NIC: for the default's NIC, those that do not.
func remotesText(table hostroute.Table, prefixes map[string][]netip.Prefix, nic string, family netip.Addr) string {
	isDefault := func(r hostroute.Route) bool { return r.Destination == netip.PrefixFrom(family, 0) }
	i := slices.IndexFunc(table, isDefault)
	ofDefault := i >= 0 && table[i].NIC == nic
	var list []netip.Prefix
	for name, of := range prefixes {
		if (name == nic) == ofDefault {
			continue
		}
		for _, prefix := range of {
			if prefix.Addr().Is4() == family.Is4() {
				list = append(list, prefix)
			}
		}
	}
	slices.SortFunc(list, comparePrefixes)
	text := strings.Join(each(list, netip.Prefix.String), ", ")
	all := "all IPv6"
	if family.Is4() {
		all = "all IPv4"
	}
	switch {
	case ofDefault && text == "":
		return all
	case ofDefault:
		return all + " but " + text
	}
	return text
}

// finding prints a finding and all of its fixes.
func (p *printer) finding(f hostroute.Finding, candidates []hostroute.Fix) {
	p.line(2, "%v: %v", f.Severity, f)
	if misspelling(f.Code) {
		p.line(4, "fix: rewrite the list of the subnet; -subnet %s shows the command", shellQuote(f.Subject.Subnet))
		return
	}
	s := f.Subject
	if p.misspelt[s.Subnet] != nil {
		p.line(4, "no fix before the list of %s is rewritten", p.label(s.Subnet))
		return
	}
	e := &entry{code: f.Code, subnet: s.Subnet}
	switch carrier := p.subnets[s.Subnet]; {
	case s.HostRoute != (hostroute.HostRoute{}):
		e.routes = p.usages(s.Subnet, s.HostRoute)
	case carrier != nil && isShared(f.Code):
		e.routes = p.usages(s.Subnet, carrier.HostRoutes...)
	}
	best, others := p.choose(e, orAdvice(f.Code, candidates))
	var needed []fix
	for _, option := range append(best, others...) {
		if f.Severity == hostroute.SeverityInfo && option.impact != nil && !option.impact.None() {
			p.noFix(e, option)
		} else {
			needed = append(needed, option)
		}
	}
	p.printFixes(e, needed)
}

// noFix prints what a fix would move, of a finding that moves no packet itself.
func (p *printer) noFix(e *entry, f fix) {
	what := p.what(e, f.Edits)
	if what == "remove" {
		what = "remove it"
	}
	p.line(4, "this needs no fix: to %s%s", what, strings.TrimPrefix(p.effect(f), ":"))
}

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
	if slices.ContainsFunc(p.findings, isIts) {
		p.blank()
		p.wrapped(0, oneFix)
	}
	for _, o := range p.findings {
		if about := o.Finding.Subject; about.Subnet == s.ID && len(p.usages(s.ID, about.HostRoute)) == 0 {
			p.blank()
			p.finding(o.Finding, o.Fixes)
		}
	}
	for _, r := range p.usages(s.ID, s.HostRoutes...) {
		p.hostRoute(r)
	}
	p.hiddenNote()
	return failing, nil
}

// subnetHead prints what the documents say about a subnet.
func (p *printer) subnetHead(s *hostroute.Subnet) {
	p.line(0, "%s", p.place(s.ID))
	p.line(2, "ID %s", quoted(s.ID))
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
		p.line(2, "effect: %s", countsText(r.Effects))
	}
	if r.Depends > 0 {
		if text := countsText(p.differing(r)); text != "" {
			p.line(2, "differs under: %s", text)
		}
	}
	if len(r.Codes) > 0 {
		p.line(2, "codes: %s", r.codesText())
	}
	findings := p.bySubject[r.ref()]
	if r.Removable && findings == nil { // else it is one of the fixes
		effect := "moves no data"
		if r.wanted {
			effect += " (but it may work once its subnet, port or guest is mended)"
		}
		p.line(2, "can be removed: %s", effect)
		p.commands(4, p.editCommands([]hostroute.Edit{r.removal()})...)
	}
	for _, o := range findings {
		p.finding(o.Finding, o.Fixes)
	}
}

// countsText returns "off-link in 3, own-gateway in 1", the largest first.
func countsText[K ~string](counts map[K]int) string {
	var parts []string
	for _, key := range largestFirst(counts) {
		parts = append(parts, string(key)+" in "+strconv.Itoa(counts[key]))
	}
	return strings.Join(parts, ", ")
}

func largestFirst[K ~string](counts map[K]int) []K {
	return slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
