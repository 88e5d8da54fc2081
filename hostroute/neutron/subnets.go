package neutron

// This file turns an element of the subnets document into a subnet.

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"reflect"
	"regexp"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// A subnetElement has the members that are needed, with a field for each spelling: first those of
// the API and `openstack subnet show`, then those of `openstack subnet list`.
type subnetElement struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Network    string          `json:"network_id"`
	CIDR       string          `json:"cidr"`
	Gateway    json.RawMessage `json:"gateway_ip"` // nil if absent, which is not the same as null
	DHCP       *bool           `json:"enable_dhcp"`
	HostRoutes []routeElement  `json:"host_routes"`

	ListID         string          `json:"ID"`
	ListName       string          `json:"Name"`
	ListNetwork    string          `json:"Network"`
	ListCIDR       string          `json:"Subnet"`
	ListGateway    json.RawMessage `json:"Gateway"`
	ListDHCP       *bool           `json:"DHCP"`
	ListHostRoutes json.RawMessage `json:"Host Routes"` // text, or a list
}

type routeElement struct {
	Destination string `json:"destination"`
	NextHop     string `json:"nexthop"`
}

// Pointers to the members, for faults.
type subnetPaths struct{ id, cidr, gateway, hostRoutes string }

var (
	apiPaths  = subnetPaths{"/id", "/cidr", "/gateway_ip", "/host_routes"}
	listPaths = subnetPaths{"/ID", "/Subnet", "/Gateway", "/Host Routes"}
)

// A subnet is a subnet element, decoded.
type subnet struct {
	hostroute.Subnet
	network string
	netmask []netmask
	fault   *fault // then the subnet is left out
	groups  []*group
}

// dhcp4 reports whether the subnet is one of IPv4 with DHCP.
func (s *subnet) dhcp4() bool { return s.CIDR.Addr().Is4() && !s.DHCPDisabled }

// subnet takes a subnet element.
func (d *decoder) subnet(at position, decode decode) error {
	e := &d.subnetElement
	*e = subnetElement{}
	wrong, err := decode(e)
	if err != nil {
		return err
	}
	s := e.subnet()
	s.fault = cmp.Or(wrong, s.fault)

	if first := d.subnets[s.ID]; first != nil {
		if !reflect.DeepEqual(first, s) {
			d.report(at, docSubnets, faultf("", "subnet %s was listed before with different content: the first one counts", printable(s.ID)))
		}
		return nil
	}
	if s.ID != "" {
		d.subnets[s.ID] = s
	}
	if name := cmp.Or(e.Name, e.ListName); s.ID != "" && name != "" {
		d.out.SubnetNames[s.ID] = name
	}
	if s.fault != nil {
		d.report(at, docSubnets, s.fault).Subnet = s.ID
		return nil
	}
	d.out.Subnets = append(d.out.Subnets, &s.Subnet)
	if s.dhcp4() {
		for _, m := range s.netmask {
			d.out.Findings = append(d.out.Findings, m.finding(s.ID))
		}
	}
	return nil
}

// subnet returns what the element means, with the first fault.
func (e *subnetElement) subnet() *subnet {
	paths := apiPaths
	if e.ListID != "" || e.ListCIDR != "" {
		paths = listPaths
	}
	gateway := e.Gateway
	if gateway == nil {
		gateway = e.ListGateway
	}
	dhcp := cmp.Or(e.DHCP, e.ListDHCP)

	s := &subnet{network: cmp.Or(e.Network, e.ListNetwork)}
	s.ID, s.DHCPDisabled = cmp.Or(e.ID, e.ListID), dhcp != nil && !*dhcp
	if s.ID == "" {
		s.fault = faultf(paths.id, "the subnet has no ID")
		return s
	}
	if s.CIDR, s.fault = parseCIDR(paths.cidr, cmp.Or(e.CIDR, e.ListCIDR)); s.fault != nil {
		return s
	}
	if s.Gateway, s.fault = parseGateway(paths.gateway, gateway, s.CIDR); s.fault != nil {
		return s
	}
	s.fault = s.addHostRoutes(e, paths.hostRoutes)
	return s
}

func parseCIDR(path, text string) (netip.Prefix, *fault) {
	if text == "" {
		return netip.Prefix{}, faultf(path, "the subnet has no CIDR")
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return p, faultf(path, "%.64q is not a CIDR", text)
	case p.Addr().Is4In6():
		return p, faultf(path, "CIDR %v has IPv4-mapped addresses", p)
	case p != p.Masked():
		return p, faultf(path, "CIDR %v has host bits: the network is %v", p, p.Masked())
	}
	return p, nil
}

func parseGateway(path string, raw json.RawMessage, cidr netip.Prefix) (netip.Addr, *fault) {
	if raw == nil && path == listPaths.gateway {
		return netip.Addr{}, faultf(path, "the gateway is absent: `openstack subnet list` prints it with --long only")
	}
	if raw == nil {
		return netip.Addr{}, faultf(path, "the gateway is absent: a subnet without one has null here")
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return netip.Addr{}, faultf(path, "the gateway is not text")
	}
	if text == "" {
		return netip.Addr{}, nil
	}
	return parseAddr(path, "gateway", text, cidr)
}

// addHostRoutes adds the host routes up to the first fault.
func (s *subnet) addHostRoutes(e *subnetElement, path string) *fault {
	list := e.HostRoutes
	if len(e.ListHostRoutes) > 0 && e.ListHostRoutes[0] == '"' {
		return s.addRouteLines(e.ListHostRoutes, path)
	}
	if e.ListHostRoutes != nil && json.Unmarshal(e.ListHostRoutes, &list) != nil {
		return faultf(path, "the host routes are neither a list of objects nor text")
	}
	if len(list) > 0 {
		s.HostRoutes = make([]hostroute.HostRoute, 0, len(list))
	}
	for i, r := range list {
		if f := s.addRoute(r); f != nil {
			f.path = pointer(path, i) + f.path
			return f
		}
	}
	return nil
}

var routeLine = regexp.MustCompile(`^destination='([^']+)', gateway='([^']+)'$`)

// addRouteLines adds the host routes that clients before 4.0.0 print, one a line.
func (s *subnet) addRouteLines(raw json.RawMessage, path string) *fault {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return &fault{path, err}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		m := routeLine.FindStringSubmatch(line)
		if m == nil {
			return faultf(path, "%.64q is not of the form destination='11.11.0.0/16', gateway='11.8.0.1'", line)
		}
		if f := s.addRoute(routeElement{m[1], m[2]}); f != nil {
			f.path = path
			return f
		}
	}
	return nil
}

func (s *subnet) addRoute(r routeElement) *fault {
	if r.Destination == "" {
		return faultf("/destination", "the host route has no destination")
	}
	if r.NextHop == "" {
		return faultf("/nexthop", "the host route has no next hop")
	}
	destination, mask, ok := parseDestination(r.Destination)
	if !ok {
		return faultf("/destination", "destination %.64q is not spelled as a CIDR: a guest may get another one, or none", r.Destination)
	}
	if s.CIDR.Addr().Is6() && destination.Addr().Is4In6() {
		return faultf("/destination", "destination %v has IPv4-mapped addresses on an IPv6 subnet", destination)
	}
	hop, f := parseAddr("/nexthop", "next hop", r.NextHop, s.CIDR)
	if f != nil {
		return f
	}
	route := hostroute.HostRoute{Destination: canon.Prefix(destination), NextHop: hop}
	if mask != "" {
		s.netmask = append(s.netmask, netmask{r.Destination, mask, route})
	}
	s.HostRoutes = append(s.HostRoutes, route)
	return nil
}

// parseAddr reads an address on a subnet. In Neutron no address has a zone.
func parseAddr(path, what, text string, cidr netip.Prefix) (netip.Addr, *fault) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, faultf(path, "%s %.64q is not an IP address", what, text)
	}
	if a.Is4In6() && cidr.Addr().Is6() {
		return netip.Addr{}, faultf(path, "%s %v is an IPv4-mapped address on an IPv6 subnet", what, a)
	}
	return a.Unmap(), nil
}
