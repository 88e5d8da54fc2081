package neutron_test

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// The forms of a port.
const (
	apiPort0 = `{"id":"p0","network_id":"n0","tenant_id":"4fd44f30","name":"","admin_state_up":true,"status":"ACTIVE",
		"mac_address":"fa:16:3e:58:42:ed","fixed_ips":[{"subnet_id":"front","ip_address":"10.65.0.5"}],"device_id":"vm",
		"device_owner":"compute:nova","binding:host_id":"compute-1","binding:vif_type":"tap","binding:profile":{},
		"extra_dhcp_opts":[],"security_groups":["85cc3048"],"allowed_address_pairs":[],"port_security_enabled":true}`
	apiPort1 = `{"id":"p1","network_id":"n1","fixed_ips":[{"ip_address":"11.8.0.21","subnet_id":"back"}],"device_id":"vm",
		"device_owner":"compute:nova","binding:host_id":"compute-1"}`
	showPort1 = `{
  "admin_state_up": true,
  "binding_host_id": "compute-1",
  "binding_vif_details": {"port_filter": true, "mac_address": "00:61:fe:ed:ca:fe"},
  "device_id": "vm",
  "device_owner": "compute:nova",
  "dns_assignment": [{"hostname": "host-11-8-0-21", "ip_address": "11.8.0.21", "fqdn": "host-11-8-0-21.openstacklocal."}],
  "fixed_ips": [{"ip_address": "11.8.0.21", "subnet_id": "back"}],
  "id": "p1",
  "mac_address": "fa:16:3e:58:42:ee",
  "network_id": "n1",
  "numa_affinity_policy": null,
  "revision_number": 1,
  "security_group_ids": ["85cc3048"],
  "tags": []
}`
	dhcpPort = `{"id":"p9","network_id":"n1","fixed_ips":[{"subnet_id":"gone","ip_address":"x"},5],"device_id":5,
		"device_owner":"network:dhcp","binding:host_id":[]}`
	subnets = `[` + apiFront + `,` + apiBack + `]`
)

func TestDecodePortForms(t *testing.T) {
	f, b := front(), back()
	want := []hostroute.Instance{{Name: "vm", NICs: []hostroute.NIC{
		{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*hostroute.Subnet{f}, Siblings: []netip.Prefix{f.CIDR}},
		{Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: []*hostroute.Subnet{b}, Siblings: []netip.Prefix{b.CIDR}},
	}}}
	for _, tt := range []struct{ name, doc string }{
		{"API list", `{"ports":[` + apiPort0 + `,` + apiPort1 + `]}`},
		{"API list in pages that overlap", `{"ports":[` + apiPort0 + `],"ports_links":[]}{"ports":[` + apiPort0 + `,` + apiPort1 + `]}`},
		{"API objects", `{"port":` + apiPort0 + `}{"port":` + apiPort1 + `}`},
		{"port show", apiPort0 + "\n" + showPort1},
		{"gophercloud's slice", `[` + apiPort0 + `,` + apiPort1 + `]`},
		{"ports of other owners are left out unread", `[` + dhcpPort + `,` + apiPort0 + `,` + dhcpPort + `,` + apiPort1 +
			`,{"device_owner":""},{"device_owner":null,"id":{}},{"id":"p1"}]`},
		{"port list --long of other owners", `[` + apiPort0 + `,` + apiPort1 + `,{"ID":"p2","Fixed IP Addresses":[],"Device Owner":"network:dhcp"}]`},
		{"the same port told in two forms", `[` + apiPort0 + `]` + apiPort1 + showPort1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Instances, equate); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Instances[0].NICs[1].Subnets[0] != got.Subnets[1] {
				t.Error("the subnet of the NIC is not that of the deployment")
			}
		})
	}
}

// net returns subnets of two networks: four of IPv4, one of them without DHCP,
// and one of IPv6 in network m; one in network n.
const netSubnets = `[
	{"id":"b","network_id":"m","cidr":"10.0.2.0/24","gateway_ip":"10.0.2.1"},
	{"id":"a","network_id":"m","cidr":"10.0.1.0/24","gateway_ip":"10.0.1.1"},
	{"id":"off","network_id":"m","cidr":"10.0.3.0/24","gateway_ip":"10.0.3.1","enable_dhcp":false},
	{"id":"six","network_id":"m","cidr":"2001:db8::/64","gateway_ip":"2001:db8::1"},
	{"id":"c","network_id":"m","cidr":"10.0.4.0/24","gateway_ip":"10.0.4.1"},
	{"id":"n","network_id":"n","cidr":"10.1.0.0/24","gateway_ip":"10.1.0.1"},
	{"id":"lone","cidr":"10.2.0.0/24","gateway_ip":"10.2.0.1"},
	{"id":"lone2","cidr":"10.3.0.0/24","gateway_ip":"10.3.0.1"}]`

// portOn returns a port of an instance on a host, with addresses in subnets.
func portOn(instance, host string, subnets ...string) string {
	s := `{"device_id":"` + instance + `","device_owner":"compute:nova","fixed_ips":[`
	for i, id := range subnets {
		if i > 0 {
			s += ","
		}
		s += `{"subnet_id":"` + id + `"}`
	}
	s += "]"
	if host != "" {
		s += `,"binding:host_id":"` + host + `"`
	}
	return s + "}"
}

func TestSiblings(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ports []string
		want  []string // of each NIC, in the order of ports; every port is of an instance of its own
	}{
		{"one host, in the order of the subnets document", []string{portOn("1", "h", "a"), portOn("2", "h", "b")},
			[]string{"10.0.2.0/24 10.0.1.0/24", "10.0.2.0/24 10.0.1.0/24"}},
		{"another host has its own", []string{portOn("1", "h", "a"), portOn("2", "g", "b"), portOn("3", "g", "c")},
			[]string{"10.0.1.0/24", "10.0.2.0/24 10.0.4.0/24", "10.0.2.0/24 10.0.4.0/24"}},
		{"without a host, any host counts", []string{portOn("1", "", "a"), portOn("2", "g", "b"), portOn("3", "h", "c")},
			[]string{"10.0.2.0/24 10.0.1.0/24 10.0.4.0/24", "10.0.2.0/24", "10.0.4.0/24"}},
		{"no other network", []string{portOn("1", "h", "a"), portOn("2", "h", "n")}, []string{"10.0.1.0/24", "10.1.0.0/24"}},
		{"without DHCP or IPv4 a subnet is no sibling", []string{portOn("1", "h", "a", "six"), portOn("2", "h", "off"), portOn("3", "h", "six")},
			[]string{"10.0.1.0/24", "10.0.1.0/24", "10.0.1.0/24"}},
		{"a subnet of no known network is alone", []string{portOn("1", "h", "lone"), portOn("2", "h", "lone2"), portOn("3", "h", "lone")},
			[]string{"10.2.0.0/24", "10.3.0.0/24", "10.2.0.0/24"}},
		{"the port's network_id counts if the subnet's is absent", []string{
			strings.Replace(portOn("1", "h", "lone"), "{", `{"network_id":"x",`, 1), strings.Replace(portOn("2", "h", "lone2"), "{", `{"network_id":"x",`, 1)},
			[]string{"10.2.0.0/24 10.3.0.0/24", "10.2.0.0/24 10.3.0.0/24"}},
		{"unused subnets and ports without address have none", []string{portOn("1", "h"), portOn("2", "h", "off")}, []string{"", ""}},
		{"other owners do not count", []string{portOn("1", "h", "a"), strings.Replace(portOn("2", "h", "b"), "compute:nova", "network:dhcp", 1)},
			[]string{"10.0.1.0/24"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.Decode(strings.NewReader(netSubnets), strings.NewReader("["+strings.Join(tt.ports, ",")+"]"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, in := range d.Instances {
				got = append(got, strings.Trim(strings.ReplaceAll(strings.Trim(sprint(in.NICs[0].Siblings), "[]"), ",", ""), " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func sprint(list []netip.Prefix) string {
	var s []string
	for _, p := range list {
		s = append(s, p.String())
	}
	return strings.Join(s, " ")
}

func TestSiblingsAreOneSlice(t *testing.T) {
	d, err := neutron.Decode(strings.NewReader(netSubnets), strings.NewReader("["+portOn("1", "h", "a")+","+portOn("2", "h", "b")+","+portOn("1", "g", "a")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := d.Instances[0].NICs, d.Instances[1].NICs
	if &one[0].Siblings[0] != &two[0].Siblings[0] {
		t.Error("two NICs of one network and host have slices of their own")
	}
	if other := append(one[0].Siblings, netip.Prefix{}); one[1].Siblings[0] != netip.MustParsePrefix("10.0.1.0/24") {
		t.Errorf("appending %v to a slice changed another", other)
	}
}

func TestInstancesStandInTheOrderOfTheirFirstPort(t *testing.T) {
	d, err := neutron.Decode(strings.NewReader(netSubnets), strings.NewReader(
		portOn("z", "h", "a")+portOn("y", "h", "b")+`{"ports":[`+portOn("z", "h", "six", "n", "six")+`]}`+portOn("x", "", "a")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range d.Instances {
		for _, n := range in.NICs {
			s := in.Name + " " + n.Name
			for _, sub := range n.Subnets {
				s += " " + sub.ID
			}
			got = append(got, s)
		}
	}
	if diff := cmp.Diff([]string{"z eth0 a", "z eth1 six n six", "y eth0 b", "x eth0 a"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodePortErrors(t *testing.T) {
	const noDevice = `is absent: openstack port list does not print it, openstack port show does (ports, value 1)`
	port := func(more string) string {
		return `[{"id":"p","device_id":"vm","device_owner":"compute:nova",` + more + `}]`
	}
	for _, tt := range []struct {
		name, subnets, ports string
		want                 []string
	}{
		{"no value", subnets, "", []string{`there is no JSON value (ports, value 1)`}},
		{"malformed subnets leave the ports unread", `[`, `[5]`, []string{`unexpected EOF (subnets, value 1)`}},
		{"subnets are no ports", subnets, `{"subnets":[]}`, []string{
			`is neither {"ports":[...]} nor {"port":{...}} nor JSON of openstack port show (ports, value 1)`}},
		{"port list --long", subnets, `[{"ID":"p0","Name":"","MAC Address":"fa:16:3e:58:42:ed","Fixed IP Addresses":[{"ip_address":"10.65.0.5",
			"subnet_id":"front"}],"Status":"ACTIVE","Security Groups":[],"Device Owner":"compute:nova","Tags":[]},
			{"ID":"p1","Device Owner":"network:dhcp"},{"ID":"p2","Device Owner":"compute:nova"}]`, []string{`/0/device_id: ` + noDevice, `/2/device_id: ` + noDevice}},
		{"port list", subnets, `[{"ID":"p0","Name":"","MAC Address":"fa:16:3e:58:42:ed","Fixed IP Addresses":[{"ip_address":"10.65.0.5","subnet_id":"front"}],
			"Status":"ACTIVE"},{"ID":"p1","Name":"","MAC Address":"","Fixed IP Addresses":[],"Status":"DOWN"}]`, []string{`/0/device_id: ` + noDevice, `/1/device_id: ` + noDevice}},
		{"device_id empty", subnets, `{"port":{"device_id":"","device_owner":"compute:nova"}}`, []string{
			`/port/device_id: "\"\"" is no text, or empty (ports, value 1)`}},
		{"an owner of another type", subnets, `[{"device_owner":5,"device_id":"vm"}]`, []string{
			`/0/device_owner: "5" is no text, or empty (ports, value 1)`}},
		{"unknown subnets", subnets, port(`"fixed_ips":[{"subnet_id":"front"},{"subnet_id":"gone","ip_address":"1.2.3.4"}]`), []string{
			`/0/fixed_ips/1/subnet_id: "gone" is the ID of no subnet in the document of subnets (ports, value 1)`}},
		{"a subnet with errors is not unknown", `[{"id":"s","cidr":"x","gateway_ip":null}]`, port(`"fixed_ips":[{"subnet_id":"s","ip_address":"1.2.3.4"}]`), []string{
			`/0/cidr: "x" is no CIDR (subnets, value 1)`}},
		{"an address outside its subnet", subnets, port(`"fixed_ips":[{"subnet_id":"front","ip_address":"11.8.0.21"}]`), []string{
			`/0/fixed_ips/0/ip_address: "11.8.0.21" is not in its subnet (ports, value 1)`}},
		{"fixed IPs", subnets, port(`"binding:host_id":7,"fixed_ips":["x",{},{"subnet_id":"front","ip_address":"x"},{"subnet_id":null}]`), []string{
			`/0/binding:host_id: "7" is no text, or empty (ports, value 1)`,
			`/0/fixed_ips/0: "\"x\"" is no object (ports, value 1)`,
			`/0/fixed_ips/1/subnet_id: is absent (ports, value 1)`,
			`/0/fixed_ips/2/ip_address: "x" is no IP address (ports, value 1)`,
			`/0/fixed_ips/3/subnet_id: "null" is no text, or empty (ports, value 1)`}},
		{"another port of one ID", subnets, port(`"name":""`) + port(`"binding_host_id":"h"`), []string{
			`/0/id: "p" is the ID of an earlier port with other content (ports, value 2)`}},
		{"a host told twice", subnets, port(`"binding_host_id":"h","binding:host_id":"h"`), []string{
			`/0/binding:host_id: stands twice in its object (ports, value 1)`}},
		{"both documents are read to the end", `[5]`, `[6]`, []string{
			`/0: "5" is no object (subnets, value 1)`, `/0: "6" is no object (ports, value 1)`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.Decode(strings.NewReader(tt.subnets), strings.NewReader(tt.ports))
			wantErrors(t, d, err, tt.want)
		})
	}
}

// The order of members, of white space and, but for names and order in the
// result, of ports means nothing.
func TestOrderMeansNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var ports []string
	for i := range 40 {
		ports = append(ports, portOn("vm"+strconv.Itoa(i), []string{"", "g", "h"}[rng.IntN(3)], []string{"a", "b", "c", "off", "n"}[rng.IntN(5)]))
	}
	decode := func(sep string) map[string]hostroute.Instance {
		d, err := neutron.Decode(strings.NewReader(netSubnets), strings.NewReader(`{"ports":[`+strings.Join(ports, sep)+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		m := make(map[string]hostroute.Instance)
		for _, in := range d.Instances {
			m[in.Name] = in
		}
		return m
	}
	want := decode(",")
	for range 10 {
		rng.Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
		if diff := cmp.Diff(want, decode(" ,\n"), equate); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	members := []string{`"id":"back"`, `"cidr":"11.8.0.0/24"`, `"gateway_ip":"11.8.0.1"`, `"enable_dhcp":true`, `"network_id":"n1"`,
		`"host_routes":[{"nexthop":"11.8.0.1","destination":"11.11.0.0/16"},{"destination":"169.254.169.254/32","nexthop":"11.8.0.1"}]`}
	for range 10 {
		rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		d, err := neutron.DecodeSubnets(strings.NewReader(`{` + strings.Join(members, ",") + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]*hostroute.Subnet{back()}, d.Subnets, equate); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}
