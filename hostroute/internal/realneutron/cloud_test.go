package realneutron

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// A cloud with everything that makes a difference to a document, a verdict or a fix.

// A subnet to make. Its host routes are "destination,nexthop", as they are spelled in the request.
type subnet struct {
	name, cidr string
	more       members // gateway_ip and the like
	hostRoutes []string
	leftOut    bool // because of their spelling, by the library
}

// An instance to make. Each port has subnets.
type instance struct {
	name, host string
	ports      [][]string
}

// cloudNetworks are the subnets of each network.
var cloudNetworks = [][]subnet{
	{
		// Two IPv4 subnets are siblings where both are in use on a host.
		{name: "front", cidr: "10.65.0.0/24", hostRoutes: []string{
			"20.8.0.0/16,10.65.0.1",  // back has it, too
			"20.10.0.0/16,10.65.0.1", // goes to the default gateway anyway
		}},
		{name: "side", cidr: "10.66.0.0/24", hostRoutes: []string{"20.11.0.0/16,10.66.0.1"}},
	},
	{
		{name: "back", cidr: "11.8.0.0/24", hostRoutes: []string{
			"20.1.0.0/16,11.8.0.1",
			"20.2.0.0/16,11.8.0.77",  // a router on the subnet
			"20.3.0.0/16,10.65.0.1",  // front's gateway
			"20.4.0.0/16,192.0.2.1",  // on no link
			"20.5.0.0/16,11.8.0.21",  // the address of the first port on the subnet
			"20.6.0.0/16,0.0.0.0",    // on-link
			"20.7.0.0/16,224.0.0.5",  // multicast
			"0.0.0.0/0,11.8.0.77",    // a default
			"11.8.0.0/24,11.8.0.1",   // the subnet itself
			"20.8.0.0/16,11.8.0.1",   // front has it, too
			"10.65.0.0/25,11.8.0.1",  // a half of front
			"20.9.0.0/16,11.8.0.1",   // hidden by the next two
			"20.9.0.0/17,11.8.0.1",   //
			"20.9.128.0/17,11.8.0.1", //
			"20.12.0.0/16,10.70.0.1", // the gateway of full
			"169.254.169.254/32,11.8.0.2",
		}},
		{name: "back6", cidr: "2001:db8:8::/64", more: members{"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"},
			hostRoutes: []string{"2001:db8:77::/48,2001:db8:8::1", "2001:DB8:78::/48,fe80::1"}},
	},
	{{name: "full", cidr: "10.70.0.0/24", hostRoutes: append(numbered(19, "10.70.0.1"), "21.0.19.0/24,10.70.0.77")}},
	{{name: "no gateway", cidr: "10.72.0.0/24", more: members{"gateway_ip": nil}, hostRoutes: []string{"20.13.0.0/16,10.72.0.1"}}},
	{{name: "no DHCP", cidr: "10.73.0.0/24", more: members{"enable_dhcp": false}, hostRoutes: []string{
		"20.14.0.0/16,10.73.0.1", "0.0.0.0/0,10.73.0.77", "20.19.0.0/255.255.0.0,10.73.0.77"}}},
	{{name: "another gateway", cidr: "10.76.0.0/24", more: members{"gateway_ip": "10.76.0.254"}, hostRoutes: []string{"20.15.0.0/16,10.76.0.1"}}},
	{{name: "netmasks", cidr: "10.74.0.0/24", hostRoutes: []string{
		"20.16.0.0/255.255.0.0,10.74.0.1", "20.17.0.0/0.0.255.255,10.74.0.1", "20.18.0.0/16,10.74.0.77", "20.18.0.0/16,10.74.0.1"}}},
	{{name: "11/8", cidr: "10.75.0.0/24", leftOut: true, hostRoutes: []string{"11/8,10.75.0.1", "20.16.0.0/16,10.75.0.1"}}},
	{{name: "011", cidr: "10.75.0.0/24", leftOut: true, hostRoutes: []string{"011.0.0.0/16,10.75.0.1"}}},
	{{name: "/+16", cidr: "10.75.0.0/24", leftOut: true, hostRoutes: []string{"20.0.0.0/+16,10.75.0.1"}}},
	{{name: "/\u0661\u0666", cidr: "10.75.0.0/24", leftOut: true, hostRoutes: []string{"20.0.0.0/\u0661\u0666,10.75.0.1"}}},
	{{name: "mapped", cidr: "2001:db8:9::/64", leftOut: true, hostRoutes: []string{"::ffff:20.0.0.0/112,2001:db8:9::1"}}},
	{{name: "it's \u202e\"odd\"\n\\ \U0001F600", cidr: "10.77.0.0/24"}},
	{{name: "unused", cidr: "10.65.0.0/24", hostRoutes: []string{"20.2.0.0/16,10.65.0.77"}}},
}

var cloudInstances = []instance{
	{"web-1", "compute-1", [][]string{{"front"}, {"back", "back6"}}},
	{"web-2", "compute-2", [][]string{{"front"}, {"back"}}},
	{"side-1", "compute-1", [][]string{{"side"}, {"back"}}},
	{"two-subnets", "compute-1", [][]string{{"front", "side"}}},
	{"nfs", "compute-1", [][]string{{"front"}, {"full"}, {"no gateway"}}},
	{"mover", "compute-3", [][]string{{"back"}, {"full"}}},
	{"static", "compute-3", [][]string{{"front"}, {"no DHCP"}, {"another gateway"}}},
	{"masks", "compute-3", [][]string{{"netmasks"}, {"front"}}},
	{"alone", "compute-3", [][]string{{"back"}}},
	{"odd", "compute-3", [][]string{{"it's \u202e\"odd\"\n\\ \U0001F600"}, {"front"}}},
	{"spelled", "compute-3", [][]string{{"front"}, {"11/8"}}}, // left out with its subnet
	{"web-1", "", [][]string{{"back"}}},                       // a port of another project that names web-1
	{"", "compute-1", [][]string{{"front"}}},                  // nobody's
}

// numbered returns n host routes by a next hop.
func numbered(n int, nextHop string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("21.0.%d.0/24,%s", i, nextHop))
	}
	return list
}

// hostRoutes returns host routes as members of the API.
func hostRoutes(spelled []string) []members {
	list := []members{}
	for _, text := range spelled {
		destination, nextHop, _ := strings.Cut(text, ",")
		m := members{"destination": destination, "nexthop": nextHop}
		if nextHop == "null" {
			m["nexthop"] = nil
		}
		list = append(list, m)
	}
	return list
}

// members returns a subnet as the API takes it, without its network.
func (sub subnet) members() members {
	m := members{"name": sub.name, "cidr": sub.cidr, "ip_version": 4, "host_routes": hostRoutes(sub.hostRoutes)}
	if strings.Contains(sub.cidr, ":") {
		m["ip_version"] = 6
	}
	maps.Copy(m, sub.more)
	return m
}

// createCloud makes the cloud. The first port on an IPv4 subnet has an address that ends in .21, the next one in .22.
func (s server) createCloud(t testing.TB) {
	t.Helper()
	type made struct {
		network, id string
		cidr        netip.Prefix
		ports       byte
	}
	subnets := make(map[string]*made)
	for _, n := range cloudNetworks {
		network := s.create(t, "network", members{})
		for _, sub := range n {
			m := sub.members()
			m["network_id"] = network
			subnets[sub.name] = &made{network: network, id: s.create(t, "subnet", m), cidr: netip.MustParsePrefix(sub.cidr)}
		}
	}
	for _, in := range cloudInstances {
		for i, names := range in.ports {
			port := members{"name": fmt.Sprintf("%s-%d", in.name, i), "device_id": in.name, "device_owner": "compute:nova", "binding:host_id": in.host}
			var fixedIPs []members
			for _, name := range names {
				sub := subnets[name]
				fixed := members{"subnet_id": sub.id}
				if sub.cidr.Addr().Is4() { // SLAAC allows no choice
					a := sub.cidr.Addr().As4()
					a[3] = 21 + sub.ports
					sub.ports++
					fixed["ip_address"] = netip.AddrFrom4(a)
				}
				fixedIPs = append(fixedIPs, fixed)
				port["network_id"] = sub.network
			}
			port["fixed_ips"] = fixedIPs
			s.create(t, "port", port)
		}
	}
	s.create(t, "port", members{"network_id": subnets["front"].network, "device_id": "dhcp", "device_owner": "network:dhcp"})
}

// checkCloud holds a deployment against what was made.
func checkCloud(t *testing.T, d *neutron.Deployment) {
	t.Helper()
	byName := make(map[string]*hostroute.Subnet)
	for _, s := range d.Subnets {
		byName[d.SubnetNames[s.ID]] = s
	}
	for _, n := range cloudNetworks {
		for _, sub := range n {
			got := byName[sub.name]
			if (got == nil) != sub.leftOut {
				t.Errorf("subnet %s is left out: %v, want %v", sub.name, got == nil, sub.leftOut)
			}
			want := parsed(sub.hostRoutes)
			if got == nil || want == nil {
				continue
			}
			if diff := gocmp.Diff(want, slices.SortedFunc(slices.Values(got.HostRoutes), compareHostRoutes), equate); diff != "" {
				t.Errorf("%s: host routes (-made +decoded):\n%s", sub.name, diff)
			}
		}
	}
	siblings := make(map[string]int) // of each instance, of all NICs
	for _, in := range d.Instances {
		for _, n := range in.NICs {
			siblings[in.Name] += len(n.Siblings)
		}
	}
	wantSiblings := map[string]int{
		"web-1": 2 + 1, "web-2": 1 + 1, "side-1": 2 + 1, "two-subnets": 2, "nfs": 2 + 1 + 1,
		"mover": 1 + 1, "static": 1 + 0 + 1, "masks": 1 + 1, "alone": 1, "odd": 1 + 1,
	}
	if diff := gocmp.Diff(wantSiblings, siblings); diff != "" {
		t.Errorf("instances, with their siblings (-want +got):\n%s", diff)
	}

	var problems []string
	for _, p := range d.Problems {
		problems = append(problems, uuid.ReplaceAllString(p.Err.Error(), "ID"))
	}
	slices.Sort(problems)
	const notCIDR = " is not spelled as a CIDR: a guest may get another one, or none"
	wantProblems := []string{
		`destination "011.0.0.0/16"` + notCIDR, `destination "11/8"` + notCIDR, `destination "20.0.0.0/+16"` + notCIDR, "destination \"20.0.0.0/\u0661\u0666\"" + notCIDR,
		"destination ::ffff:20.0.0.0/112 has IPv4-mapped addresses on an IPv6 subnet",
		`subnet "ID" is left out`,
		"the port has no device_id, which names its instance", "the port has no host, so it is not attached to instance web-1, whose other ports have one",
	}
	if diff := gocmp.Diff(wantProblems, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var misspelt []string
	for _, f := range d.Findings {
		misspelt = append(misspelt, string(f.Code)+" "+f.Subject.HostRoute.String())
	}
	slices.Sort(misspelt)
	if diff := gocmp.Diff([]string{"netmask-spelling 20.16.0.0/16,10.74.0.1", "netmask-spelling 20.17.0.0/16,10.74.0.1"}, misspelt); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// parsed returns host routes in order; nil if one has a netmask.
func parsed(list []string) []hostroute.HostRoute {
	out := []hostroute.HostRoute{}
	for _, text := range list {
		r, err := hostroute.ParseHostRoute(text)
		if err != nil {
			return nil
		}
		out = append(out, r)
	}
	slices.SortFunc(out, compareHostRoutes)
	return out
}
