package main

// This file checks a plan: its resources become subnets, and each is analysed.

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// A result holds the findings about a plan.
type result struct {
	findings        []finding // by the address of the subnet, then as AnalyzeSubnet orders them
	invalid         []note    // values that cannot be right
	unchecked       []note    // what the plan does not tell
	subnets, routes int       // how many were checked
	assumed         int       // host routes for which something is assumed; see remarks
	partial         bool      // the plan is
}

// A finding is about one resource: the host route's, or else the subnet's.
type finding struct {
	hostroute.Finding
	origin
}

// An origin is where a host route comes from: a route resource, or the attribute of a subnet, such as host_routes[0].
type origin struct{ address, attribute string }

// A note is about a resource.
type note struct{ address, text string }

// A planned subnet has the host routes that the plan gives it, and their origins.
type planned struct {
	*hostroute.Subnet
	origins []origin
}

// worst returns the highest severity of the findings, or 0.
func (r *result) worst() (worst hostroute.Severity) {
	for _, f := range r.findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// check analyses the subnets of a plan.
func check(p *plan) *result {
	r := &result{partial: p.partial}
	subnets := make(map[*resource]*planned) // those that are checked
	for _, s := range p.all(subnetType) {
		subnet, err := p.subnet(s)
		if err != nil {
			r.note(s.address, err)
		}
		if subnet == nil {
			continue
		}
		subnets[s] = subnet
		list, err := s.list("host_routes")
		if err != nil {
			r.note(s.address, err)
		}
		for i, v := range list {
			hop, err := get(v, "next_hop", "")
			r.add(subnet, origin{s.address, "host_routes[" + strconv.Itoa(i) + "]"}, v, hop, err)
		}
	}
	for _, s := range p.all(readType) {
		subnets[s], _ = p.subnet(s) // what is wrong with it is told elsewhere
	}
	for _, route := range p.all(routeType) {
		on, assumed, err := p.place(route)
		if err == nil && subnets[on] == nil {
			err = unchecked("its subnet " + oneLine(on.address) + " is not checked")
		}
		if err != nil {
			r.note(route.address, err)
			continue
		}
		hop, meant, err := p.nextHop(route)
		if r.add(subnets[on], origin{address: route.address}, route.values, hop, err) && (assumed || meant) {
			r.assumed++
		}
	}
	for _, s := range p.all(subnetType, readType) {
		if on := subnets[s]; on != nil && (s.kind == subnetType || len(on.HostRoutes) > 0) {
			r.analyze(on)
		}
	}
	slices.SortStableFunc(r.unchecked, func(a, b note) int { return cmp.Compare(a.address, b.address) })
	return r
}

// note notes why a resource is not checked.
func (r *result) note(address string, err error) {
	n := note{address, err.Error()}
	if reason := unchecked(""); errors.As(err, &reason) {
		r.unchecked = append(r.unchecked, n)
	} else {
		r.invalid = append(r.invalid, n)
	}
}

// add adds a host route to a subnet, or notes why it cannot. The error is that of the next hop.
func (r *result) add(to *planned, from origin, v values, hop string, hopErr error) (added bool) {
	destination, err := get(v, "destination_cidr", "")
	var route hostroute.HostRoute
	if err = cmp.Or(err, hopErr); err == nil {
		route, err = hostroute.ParseHostRoute(destination + "," + hop)
	}
	if err == nil {
		to.HostRoutes = append(to.HostRoutes, route)
		to.origins = append(to.origins, from)
		return true
	}
	if from.attribute != "" {
		err = fmt.Errorf("%s: %w", from.attribute, err)
	}
	r.note(from.address, err)
	return false
}

// analyze analyses a subnet with all its host routes.
func (r *result) analyze(s *planned) {
	findings, err := hostroute.AnalyzeSubnet(s.Subnet)
	if err != nil {
		r.note(s.ID, err)
		return
	}
	r.subnets++
	r.routes += len(s.HostRoutes)
	for _, f := range findings {
		f = readable(f, s.ID)
		if f.Subject.HostRoute == (hostroute.HostRoute{}) {
			r.findings = append(r.findings, finding{f, origin{address: s.ID}})
		}
		for i, route := range s.HostRoutes {
			if route == f.Subject.HostRoute {
				r.findings = append(r.findings, finding{f, s.origins[i]})
			}
		}
	}
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

// subnet returns a subnet without host routes, or nil if it cannot be checked, and what is wrong. Host bits in its CIDR are
// wrong, but the subnet that was meant is clear.
func (p *plan) subnet(s *resource) (*planned, error) {
	cidr, err := get(s.values, "cidr", "")
	if err != nil {
		return nil, err
	}
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, fmt.Errorf("cidr: %w", err)
	}
	version, err := get(s.values, "ip_version", 0.0)
	if err == nil && version != 0 && (version == 6) != prefix.Addr().Is6() { // if it is not known, the CIDR tells it
		return nil, fmt.Errorf("ip_version is %v, and cidr %v is not: Neutron refuses the subnet", version, prefix)
	}
	var hostBits error
	if masked := prefix.Masked(); prefix != masked {
		hostBits = fmt.Errorf("cidr %v has host bits, which the provider refuses: write %v", prefix, masked)
		prefix = masked
	}
	dhcp, dhcpErr := get(s.values, "enable_dhcp", true)
	gateway, gatewayErr := p.gateway(s, prefix)
	if err := cmp.Or(dhcpErr, gatewayErr); err != nil {
		return nil, cmp.Or(hostBits, err)
	}
	subnet := &hostroute.Subnet{ID: s.address, CIDR: prefix, Gateway: gateway, DHCPDisabled: !dhcp}
	if _, err := hostroute.AnalyzeSubnet(subnet); err != nil { // then check notes its host routes as not checked
		return nil, cmp.Or(hostBits, err)
	}
	return &planned{Subnet: subnet}, hostBits
}

// gateway returns the gateway that a subnet will have; the zero address for none.
func (p *plan) gateway(s *resource, cidr netip.Prefix) (netip.Addr, error) {
	none, err := get(s.values, "no_gateway", false)
	if err != nil || none {
		return netip.Addr{}, err // of the two, no_gateway counts: in an update, gateway_ip is still the old one
	}
	gateway, err := get(s.values, "gateway_ip", "")
	if err != nil {
		// The attribute is computed. So it is unknown before Neutron chooses it, and also where it is given as "" or null.
		neutronChooses := s.configured && p.isKnown(s.block, s.expressions["gateway_ip"])
		if member(s.unknown, "gateway_ip") != true || !neutronChooses {
			return netip.Addr{}, err
		}
	}
	switch {
	case gateway != "":
		a, err := netip.ParseAddr(gateway)
		if err != nil {
			return a, fmt.Errorf("gateway_ip: %w", err)
		}
		return a, nil
	case s.created:
		return neutron.DefaultGateway(cidr), nil
	}
	return netip.Addr{}, nil
}

// nextHop returns the next hop of a route. If it is unknown and refers to one gateway, it is assumed to be that.
func (p *plan) nextHop(route *resource) (hop string, assumed bool, err error) {
	if hop, err = get(route.values, "next_hop", ""); err == nil || member(route.unknown, "next_hop") != true {
		return hop, false, err
	}
	of, oneOfSeveral := p.find(route.block, "next_hop", "gateway_ip")
	if of == nil || oneOfSeveral {
		return "", false, err
	}
	subnet, _ := p.subnet(of)
	if subnet == nil || !subnet.Gateway.IsValid() {
		return "", false, err
	}
	return subnet.Gateway.String(), true, nil
}
