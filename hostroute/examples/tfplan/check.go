package main

// This file checks a plan: it becomes the document that Neutron prints of such subnets, and each subnet is analysed.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
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
	assumed         int       // of routes, those whose subnet is taken from an index; see place
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

// A subnet is one as Neutron prints it, with where its host routes come from.
type subnet struct {
	ID         string   `json:"id"` // the resource's address
	CIDR       string   `json:"cidr"`
	Gateway    string   `json:"gateway_ip"`
	DHCP       bool     `json:"enable_dhcp"`
	HostRoutes []route  `json:"host_routes"`
	origins    []origin // of HostRoutes
}

type route struct {
	Destination string `json:"destination"`
	NextHop     string `json:"nexthop"`
}

// An origin is a subnet's route resource, or an element of the host_routes of a subnet.
type origin struct{ address, attribute string }

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
	for route, at := range p.places() {
		r.route(p, route, at, known)
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

// subnet returns a subnet with its own host routes; nil if it cannot be checked.
func (r *result) subnet(p *plan, s *resource) *subnet {
	cidr, reason := s.text("cidr")
	dhcp, dhcpReason := s.flag("enable_dhcp", true)
	gateway, gatewayReason := p.gateway(s)
	for _, reason := range []string{reason, dhcpReason, gatewayReason} {
		if reason != "" {
			r.skip(s.address, reason)
			return nil
		}
	}
	prefix, err := netip.ParsePrefix(cidr)
	if version, ok := s.values["ip_version"].(float64); ok && err == nil && (version == 4) != prefix.Addr().Is4() {
		r.refuse(s.address, fmt.Sprintf("ip_version is %v, and the cidr is %v", version, prefix))
		return nil
	}
	out := &subnet{ID: s.address, CIDR: cidr, Gateway: gateway, DHCP: dhcp}
	if s.isUnknown("host_routes") && s.config != nil && s.config.Expressions["host_routes"] != nil {
		r.skip(s.address, "host_routes is known only after the apply")
	}
	own, _ := s.values["host_routes"].([]any)
	for i := range own {
		r.add(p, out, s, origin{s.address, pathText([]string{"host_routes", strconv.Itoa(i)})}, "host_routes", strconv.Itoa(i))
	}
	return out
}

// gateway returns the gateway that a subnet will have, "" for none, or else why that is not known.
func (p *plan) gateway(s *resource) (gateway, reason string) {
	none, reason := s.flag("no_gateway", false)
	if reason != "" || none {
		return "", reason // of the two, no_gateway counts: in an update, gateway_ip is still the old one
	}
	if s.isUnknown("gateway_ip") {
		// The attribute is computed. So it is unknown before Neutron chooses it, and also where it is given as "" or null.
		if e, given := s.expression("gateway_ip"); s.config == nil || given && !p.isKnown(e) {
			return "", "gateway_ip is known only after the apply"
		}
	} else {
		gateway, reason = s.text("gateway_ip")
	}
	if gateway != "" || reason != "" || !s.created {
		return gateway, reason
	}
	cidr, _ := s.text("cidr")
	prefix, _ := netip.ParsePrefix(cidr)
	if a := neutron.DefaultGateway(prefix); a.IsValid() {
		return a.String(), ""
	}
	return "", ""
}

// route adds the host route of a subnet's route resource to its subnet.
func (r *result) route(p *plan, s *resource, at place, known map[*resource]*subnet) {
	switch {
	case at.subnet == nil:
		r.skip(s.address, at.reason)
	case known[at.subnet] == nil:
		r.skip(s.address, "its subnet "+oneLine(at.subnet.address)+" is not checked")
	default:
		if r.add(p, known[at.subnet], s, origin{s.address, ""}) && at.assumed {
			r.assumed++
		}
	}
}

// add adds the host route at a path of a resource to its subnet. It reports whether it could.
func (r *result) add(p *plan, to *subnet, s *resource, from origin, path ...string) bool {
	at := func(name string) []string { return append(slices.Clip(path), name) }
	destination, reason := s.text(at("destination_cidr")...)
	hop, hopReason := s.text(at("next_hop")...)
	if hopReason != "" {
		if gateway := p.gatewayMeant(s); gateway != "" && len(path) == 0 {
			hop, hopReason = gateway, ""
		}
	}
	if reason = cmp.Or(reason, hopReason); reason != "" {
		r.skip(s.address, reason)
		return false
	}
	to.HostRoutes = append(to.HostRoutes, route{destination, hop})
	to.origins = append(to.origins, from)
	return true
}

// gatewayMeant returns the gateway that an unknown next_hop refers to, or "".
func (p *plan) gatewayMeant(s *resource) string {
	e, given := s.expression("next_hop")
	if !given || !s.isUnknown("next_hop") {
		return ""
	}
	of, assumed := p.subnet(e, "gateway_ip")
	if of == nil || assumed {
		return ""
	}
	gateway, _ := p.gateway(of)
	return gateway
}

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

// named returns the resource that a problem is about. Its path is like /subnets/0/host_routes/2/destination.
func (s *subnet) named(path string) string {
	if parts := strings.Split(path, "/"); len(parts) > 4 && parts[3] == "host_routes" {
		if i, err := strconv.Atoi(parts[4]); err == nil && i < len(s.origins) {
			return s.origins[i].address
		}
	}
	return s.ID
}

// origin returns where the equal copies of a host route come from; the subnet itself for the zero one.
func (s *subnet) origin(read *hostroute.Subnet, of hostroute.HostRoute) (list []origin) {
	if of == (hostroute.HostRoute{}) {
		return []origin{{address: s.ID}}
	}
	for i, r := range read.HostRoutes {
		if r == of {
			list = append(list, s.origins[i])
		}
	}
	return list
}
