package main

import (
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// All that is known of one instance.

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
	switch {
	case p.opt.to.IsValid():
		p.to(in, report)
		return 0, nil
	case p.opt.guests:
		p.nics(in)
		p.misspeltNotes(in)
		return 0, p.guests(in)
	}
	p.nics(in)
	p.misspeltNotes(in)
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
	findings := report.Findings
	for _, s := range subnetsOf(in) {
		findings = append(findings, p.misspelt[s.ID]...)
	}
	if len(findings) > 0 {
		p.paragraph("findings, with fixes for the whole cloud")
		p.wrapped(2, oneOfAll)
	}
	for _, f := range findings {
		_, isAccepted := p.reasons[subjectOf(in, f.Code, f.Subject)]
		if f.Severity >= p.opt.fail && !isAccepted {
			failing++
		}
		f.Subject.Instance = ""
		if f.Code == hostroute.CodeMultipleDefaults {
			f.Fixes = []hostroute.Fix{keepOne(in.Guest, f.Fixes)}
		}
		p.finding(f, "", f.Fixes)
	}
	if len(findings) > 0 {
		p.notes()
	}
	return failing, nil
}

// to prints where data to one address goes.
func (p *printer) to(in *hostroute.Instance, report *hostroute.Report) {
	if isOwn(in, p.opt.to) {
		p.line(0, "%v is an address of the guest itself: nothing leaves.", p.opt.to)
	} else {
		p.wrapped(0, report.Explain(p.opt.to).String())
		p.assumed(in)
	}
	p.misspeltNotes(in)
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
	case len(defaultOffers(in)) > 1 && in.Guest == hostroute.GuestNetworkd:
		text += "; of several defaults, the order of the leases decides which it uses (-default-subnet or -default-nic assumes one)"
	case len(defaultOffers(in)) > 1:
		text += "; of several defaults, it keeps the one that it takes by itself (-default-subnet or -default-nic assumes another)"
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

// finding prints a finding, where it is, and all of its fixes.
func (p *printer) finding(f hostroute.Finding, where string, candidates []hostroute.Fix) {
	p.line(2, "%v%s: %v", f.Severity, where, f)
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
	for i := range others {
		if others[i].impact == nil {
			others[i].impact = p.impact(others[i].Edits)
		}
	}
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
	p.line(4, "this needs no fix: to %s%s", what, strings.TrimPrefix(p.effect(e, f), ":"))
	p.allMoves(f.impact)
}
