package main

import (
	"cmp"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// What the audit says about all host routes: counted, and each of one kind.

// A hostRoute is a host route with its usage, its kind and the worst of its codes.
type hostRoute struct {
	audit.Usage
	kind kind
	code hostroute.Code // of the highest severity, the first in the catalogue; "" if it has none

	wanted bool // it works once what keeps it from instances is mended
}

func (r *hostRoute) ref() hostroute.Ref {
	return hostroute.Ref{Subnet: r.Subnet, HostRoute: r.HostRoute}
}

func (r *hostRoute) removal() hostroute.Edit {
	return hostroute.Edit{Subnet: r.Subnet, Old: r.HostRoute}
}

// A kind sums up a host route in a word. The first that holds counts.
type kind int

const (
	wrong kind = iota
	risky
	canGo
	works
	depends
	idle
	unknown
)

var kinds = [...]struct{ name, text string }{
	wrong:   {"wrong", "never take effect, or the data does not go where they say"},
	risky:   {"risky", "work with some DHCP clients only, or take another NIC's data"},
	canGo:   {"can go", "no instance needs them"},
	works:   {"works", "choose the NIC of some data, in one instance at least"},
	depends: {"depends", "do something or nothing, depending on the guest: its default route, DHCP client or order of host routes"},
	idle:    {"idle", "do nothing as far as is known, but may be needed, so they are not in CAN GO"},
	unknown: {"unknown", "nothing is wrong as far as the subnet alone shows"},
}

func (k kind) String() string { return kinds[k].name }

func (k kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// judge asks the audit for everything that the summary counts.
func (c *cloud) judge() {
	removable := make(chan []hostroute.Edit, 1)
	go func() { // which takes as long as the rest
		var together []hostroute.Edit
		if c.knowsInstances() {
			together = c.audit.RemovableTogether()
		}
		removable <- together
	}()
	c.findings = c.occurrences()
	c.bySubject = make(map[hostroute.Ref][]audit.Occurrence)
	for _, o := range c.findings {
		c.bySubject[o.Finding.Subject] = append(c.bySubject[o.Finding.Subject], o)
	}
	for u := range c.audit.Usages() {
		r := hostRoute{Usage: u}
		r.Removable = u.Removable && c.knowsInstances() && c.unsure[u.Subnet] == ""
		for code := range u.Codes {
			r.code = worse(r.code, code)
		}
		for _, o := range slices.Concat(c.bySubject[r.ref()], c.bySubject[hostroute.Ref{Subnet: u.Subnet}]) {
			isOfIt := o.Finding.Subject == r.ref() || ofSubnet[o.Finding.Code]
			if o.Instances == 0 && isOfIt { // the Usage has the codes that instances have
				r.code = worse(r.code, o.Finding.Code)
			}
		}
		if c.misspelt[u.Subnet] != nil {
			r.code, r.Removable = neutron.CodeNetmaskSpelling, false
		}
		r.Severity = rules[r.code].Severity
		r.wanted = r.Instances > 0 && mended[r.code] && c.fits(&r)
		c.hostRoutes = append(c.hostRoutes, r)
	}
	c.canGo = c.canAllGo(<-removable)
	c.goes = make(map[hostroute.Edit]bool, len(c.canGo))
	for _, e := range c.canGo {
		c.goes[e] = true
	}
	for i := range c.hostRoutes {
		c.hostRoutes[i].kind = c.kindOf(&c.hostRoutes[i])
	}
	slices.SortStableFunc(c.hostRoutes, func(a, b hostRoute) int { return cmp.Compare(b.Severity, a.Severity) })
}

func (c *cloud) kindOf(r *hostRoute) kind {
	switch {
	case r.Severity == hostroute.SeverityError:
		return wrong
	case r.Severity == hostroute.SeverityWarning:
		return risky
	case !c.knowsInstances():
		return unknown
	case c.goes[r.removal()]:
		return canGo
	case r.Effective > 0:
		return works
	case r.Depends > 0:
		return depends
	}
	return idle
}

// occurrences returns all findings, folded: those of instances, those of the decoder, and those of subnets that no
// instance has. Of a misspelt subnet there is only that finding.
func (c *cloud) occurrences() []audit.Occurrence {
	out := []audit.Occurrence{}
	for o := range c.audit.Findings() {
		if c.misspelt[o.Finding.Subject.Subnet] == nil {
			out = append(out, o)
		}
	}
	add := func(f hostroute.Finding) {
		names := slices.Sorted(slices.Values(c.users[f.Subject.Subnet]))
		examples := append([]string{}, names[:min(len(names), 3)]...)
		out = append(out, audit.Occurrence{Finding: f, Instances: len(names), Examples: examples, Fixes: f.Fixes})
	}
	for _, f := range c.Deployment.Findings {
		add(f)
	}
	for _, s := range c.Subnets {
		if len(c.users[s.ID]) > 0 || c.misspelt[s.ID] != nil {
			continue
		}
		findings, err := hostroute.AnalyzeSubnet(s)
		if err != nil {
			continue // add would have returned it
		}
		for _, f := range findings {
			add(f)
		}
	}
	slices.SortStableFunc(out, func(a, b audit.Occurrence) int {
		x, y := a.Finding.Subject, b.Finding.Subject
		order := cmp.Or(cmp.Compare(b.Finding.Severity, a.Finding.Severity), cmp.Compare(b.Instances, a.Instances))
		if order != 0 || a.Instances > 0 { // what instances have is in order already
			return order
		}
		return cmp.Or(cmp.Compare(a.Finding.Code, b.Finding.Code), cmp.Compare(x.Subnet, y.Subnet), cmp.Compare(x.HostRoute.String(), y.HostRoute.String()))
	})
	return out
}

// fits reports whether the next hop of a host route is the gateway, or may become it where the subnet has none.
func (c *cloud) fits(r *hostRoute) bool {
	s := c.subnets[r.Subnet]
	if s.CIDR.Contains(s.Gateway) {
		return r.Classes[hostroute.ClassOwnGateway] > 0
	}
	return s.CIDR.Contains(r.HostRoute.NextHop)
}

// canAllGo returns what nobody needs of the host routes that can be removed together. It leaves out those that are wanted and
// the subnets of which too little is known, and then all that would move without them.
func (c *cloud) canAllGo(all []hostroute.Edit) []hostroute.Edit {
	wanted := make(map[hostroute.Edit]bool)
	for i := range c.hostRoutes {
		wanted[c.hostRoutes[i].removal()] = c.hostRoutes[i].wanted
	}
	out := slices.DeleteFunc(slices.Clone(all), func(e hostroute.Edit) bool {
		return wanted[e] || c.unsure[e.Subnet] != "" || c.misspelt[e.Subnet] != nil
	})
	for kept := len(all); len(out) < kept; {
		impact := c.impact(out)
		if impact == nil || impact.None() { // nil: nothing is left
			break
		}
		kept = len(out)
		out = slices.DeleteFunc(out, func(e hostroute.Edit) bool {
			return slices.ContainsFunc(impact.Examples, func(name string) bool { return slices.Contains(c.users[e.Subnet], name) })
		})
	}
	return out
}
