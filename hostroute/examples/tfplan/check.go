package main

// This file checks a plan: it becomes the document that Neutron prints of such subnets, and each subnet is analysed.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// A result is what is said of a plan.
type result struct {
	findings        []finding // by the address of the subnet, then as AnalyzeSubnet orders them
	refused         []note    // values that no Neutron accepts
	unchecked       []note    // what the plan does not say
	subnets, routes int       // how many were checked
	assumed         int       // host routes of which assumption holds
}

// A finding has the resource that it is about: the host route's, or else the subnet's.
type finding struct {
	hostroute.Finding
	address   string
	attribute string // host_routes[0], where the host route is in the subnet's resource
}

// A note is about a resource.
type note struct{ address, text string }

// worst returns the highest severity of the findings, or 0.
func (r *result) worst() (worst hostroute.Severity) {
	for _, f := range r.findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// check analyses the subnets of a plan.
func check(p *plan) (*result, error) {
	r := &result{}
	var list []*subnet
	known := make(map[*resource]*subnet) // nil: it is not checked
	for _, s := range p.subnets {
		known[s] = r.subnet(p, s)
		if known[s] != nil {
			list = append(list, known[s])
		}
	}
	for i, at := range p.places() {
		r.route(p, p.routes[i], at, known)
	}
	for _, address := range p.deferred {
		r.skip(address, "the plan leaves it to a later one")
	}
	err := r.analyze(list)
	slices.SortStableFunc(r.unchecked, func(a, b note) int { return cmp.Compare(a.address, b.address) })
	return r, err
}

// skip notes that a resource is not checked.
func (r *result) skip(address, reason string) {
	r.unchecked = append(r.unchecked, note{address, reason})
}

// refuse notes that no Neutron accepts a resource.
func (r *result) refuse(address, reason string) { r.refused = append(r.refused, note{address, reason}) }

// analyze analyses subnets. Package neutron reads them as it does what Neutron prints: it knows what Neutron accepts.
func (r *result) analyze(list []*subnet) error {
	document, err := json.Marshal(map[string]any{"subnets": list})
	if err != nil {
		return err
	}
	deployment, err := neutron.DecodeSubnets(bytes.NewReader(document))
	if err != nil {
		return err
	}
	byAddress := make(map[string]*subnet)
	for _, s := range list {
		byAddress[s.ID] = s
	}
	for _, problem := range deployment.Problems {
		r.refuseSubnet(byAddress[problem.Subnet], problem)
	}
	misspelled := make(map[string][]hostroute.Finding)
	for _, f := range deployment.Findings {
		misspelled[f.Subject.Subnet] = append(misspelled[f.Subject.Subnet], f)
	}
	for _, s := range deployment.Subnets {
		findings := misspelled[s.ID]
		if findings != nil {
			r.skip(s.ID, "what DHCP does with its host routes is not known while a destination is spelled with a netmask")
		} else if findings, err = hostroute.AnalyzeSubnet(s); err != nil {
			return fmt.Errorf("%s: %w", oneLine(s.ID), err)
		} else {
			r.subnets++
			r.routes += len(s.HostRoutes)
		}
		for _, f := range findings {
			f = readable(f, s.ID)
			for _, from := range byAddress[s.ID].origin(s, f.Subject.HostRoute) {
				r.findings = append(r.findings, finding{f, from.address, from.attribute})
			}
		}
	}
	return nil
}

// readable returns a finding whose messages have the address of the subnet as Terraform writes it. Package hostroute quotes
// an address with a key, module.net["a"], once more.
func readable(f hostroute.Finding, address string) hostroute.Finding {
	if oneLine(address) != address {
		return f
	}
	plain := strings.NewReplacer(strconv.Quote(address), address)
	f.Message = plain.Replace(f.Message)
	f.Fixes = slices.Clone(f.Fixes)
	for i := range f.Fixes {
		f.Fixes[i].Message = plain.Replace(f.Fixes[i].Message)
	}
	return f
}

// refuseSubnet notes what no Neutron accepts of a subnet, and that the rest of it is not checked.
func (r *result) refuseSubnet(s *subnet, problem neutron.Problem) {
	at := s.named(problem.Path)
	r.refuse(at, problem.Err.Error())
	if at != s.ID {
		r.skip(s.ID, "Neutron does not accept one of its host routes")
	}
	for _, from := range s.origins {
		if from.address != at && from.address != s.ID {
			r.skip(from.address, "its subnet "+oneLine(s.ID)+" is not checked")
		}
	}
}
