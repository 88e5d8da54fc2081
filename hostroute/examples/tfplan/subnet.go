package main

// This file turns resources into subnets as Neutron prints them.

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

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

// An origin is where a host route comes from.
type origin struct {
	address   string
	attribute string // host_routes[0] in the resource of a subnet; "" for a route resource
	assumed   bool   // its subnet or next hop is; see result
}

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
	own, reason := s.value("host_routes")
	if reason != "" {
		r.skip(s.address, reason)
	}
	list, _ := own.([]any)
	for i := range list {
		path := []string{"host_routes", strconv.Itoa(i)}
		r.add(p, out, s, origin{address: s.address, attribute: pathText(path)}, path...)
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
		r.add(p, known[at.subnet], s, origin{address: s.address, assumed: at.assumed})
	}
}

// add adds the host route at a path of a resource to its subnet.
func (r *result) add(p *plan, to *subnet, s *resource, from origin, path ...string) {
	at := func(name string) []string { return append(slices.Clip(path), name) }
	destination, reason := s.text(at("destination_cidr")...)
	hop, hopReason := s.text(at("next_hop")...)
	if gateway := p.gatewayMeant(s); gateway != "" {
		hop, hopReason = gateway, ""
		from.assumed = true
	}
	if reason = cmp.Or(reason, hopReason); reason != "" {
		r.skip(s.address, reason)
		return
	}
	if from.assumed {
		r.assumed++
	}
	to.HostRoutes = append(to.HostRoutes, route{destination, hop})
	to.origins = append(to.origins, from)
}

// gatewayMeant returns the gateway that the unknown next_hop of a route resource refers to, or "".
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
