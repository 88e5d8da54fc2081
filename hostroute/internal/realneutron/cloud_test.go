package realneutron

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// A cloud with everything that changes a verdict, a document or a fix. Its names are those of the tests; Neutron's
// own IDs are random.

// A network has subnets; a subnet has host routes as they are spelled, "destination,nexthop".
type (
	network []subnet
	subnet  struct {
		name, cidr string
		more       members // gateway_ip and the like
		hostRoutes []string
		leftOut    bool // the library does not read how they are spelled
	}
)

// An instance has ports. Each has addresses, "subnet" or "subnet=address".
type instance struct {
	name, host string
	ports      [][]string
}

var cloudNetworks = []network{
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
			"20.5.0.0/16,11.8.0.21",  // an instance's own address
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
	{{name: "no DHCP", cidr: "10.73.0.0/24", more: members{"enable_dhcp": false}, hostRoutes: []string{"20.14.0.0/16,10.73.0.1", "0.0.0.0/0,10.73.0.1"}}},
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
	{"web-1", "compute-1", [][]string{{"front"}, {"back=11.8.0.21", "back6"}}},
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

// members returns a subnet as the API takes it.
func (sub subnet) members(network string) members {
	m := members{"network_id": network, "name": sub.name, "cidr": sub.cidr, "ip_version": 4, "host_routes": hostRoutes(sub.hostRoutes)}
	if strings.Contains(sub.cidr, ":") {
		m["ip_version"] = 6
	}
	maps.Copy(m, sub.more)
	return m
}

func (s server) createNetwork(t testing.TB) (id string) {
	t.Helper()
	return s.create(t, "network", members{})
}

// createSubnet makes a subnet on a network.
func (s server) createSubnet(t testing.TB, network string, sub subnet) (id string) {
	t.Helper()
	return s.create(t, "subnet", sub.members(network))
}

// createCloud makes the networks, subnets and ports above.
func (s server) createCloud(t testing.TB) {
	t.Helper()
	subnetIDs, networkIDs := make(map[string]string), make(map[string]string) // by the name of the subnet
	for _, n := range cloudNetworks {
		network := s.createNetwork(t)
		for _, sub := range n {
			networkIDs[sub.name], subnetIDs[sub.name] = network, s.createSubnet(t, network, sub)
		}
	}
	for _, in := range cloudInstances {
		for i, port := range in.ports {
			m := members{"name": fmt.Sprintf("%s-%d", in.name, i), "device_id": in.name, "device_owner": "compute:nova", "binding:host_id": in.host}
			var fixed []members
			for _, address := range port {
				name, ip, given := strings.Cut(address, "=")
				f := members{"subnet_id": subnetIDs[name]}
				if given {
					f["ip_address"] = ip
				}
				fixed = append(fixed, f)
				m["network_id"] = networkIDs[name]
			}
			m["fixed_ips"] = fixed
			s.create(t, "port", m)
		}
	}
	s.create(t, "port", members{"network_id": networkIDs["front"], "device_id": "dhcp", "device_owner": "network:dhcp"})
}
