package neutron_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
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
	dhcpPort = `{"id":"p9","network_id":"n1","fixed_ips":[{"subnet_id":"gone","ip_address":"x"},5],"device_id":"dhcp",
		"device_owner":"network:dhcp","binding:host_id":[]}`
	subnets = `[` + apiFront + `,` + apiBack + `]`
)

func TestDecodePortForms(t *testing.T) {
	f, b := front(), back()
	want := []hostroute.Instance{{Name: "vm", NICs: []hostroute.NIC{
		{ID: "p0", Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*hostroute.Subnet{f}, Siblings: []netip.Prefix{f.CIDR}},
		{ID: "p1", Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: []*hostroute.Subnet{b}, Siblings: []netip.Prefix{b.CIDR}},
	}}}
	for _, tt := range []struct{ name, doc string }{
		{"API list", `{"ports":[` + apiPort0 + `,` + apiPort1 + `]}`},
		{"API list in pages that overlap", `{"ports":[` + apiPort0 + `],"ports_links":[]}{"ports":[` + apiPort0 + `,` + apiPort1 + `]}`},
		{"API objects", `{"port":` + apiPort0 + `}{"port":` + apiPort1 + `}`},
		{"port show", apiPort0 + "\n" + showPort1},
		{"gophercloud's slice", `[` + apiPort0 + `,` + apiPort1 + `]`},
		{"ports of other owners are left out unread", `[` + dhcpPort + `,` + apiPort0 + `,` + dhcpPort + `,` + apiPort1 +
			`,{"device_owner":""},{"id":"p1","device_owner":"trunk:subport"}]`},
		{"columns of port list beside a device_id", `[` + apiPort0 + `,{"Device Owner":"x",` + apiPort1[1:] + `]`},
		{"other members before the list", `{"id":5,"ports_links":[],"ports":[` + apiPort0 + `,` + apiPort1 + `]}`},
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
			wantProblems(t, nil, got.Problems)
			if got.Instances[0].NICs[1].Subnets[0] != got.Subnets[1] {
				t.Error("the subnet of the NIC is not that of the deployment")
			}
		})
	}
}

// decode decodes ports that are on netSubnets.
func decode(t *testing.T, ports ...string) *neutron.Deployment {
	t.Helper()
	d, err := neutron.Decode(strings.NewReader(netSubnets), strings.NewReader("["+strings.Join(ports, ",")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// netSubnets are subnets of two networks: four of IPv4, one of them without DHCP,
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
		{"a port without address has none of its network's", []string{strings.Replace(portOn("1", "h"), "{", `{"network_id":"m",`, 1), portOn("2", "h", "a")},
			[]string{"", "10.0.1.0/24"}},
		{"ports of an instance that is left out count", []string{portOn("1", "h", "a"), portOn("2", "h", "b"), portOn("2", "g", "b"), portOn("3", "h", "c", "gone"), portOn("4", "g", "a")},
			[]string{"10.0.2.0/24 10.0.1.0/24 10.0.4.0/24", "10.0.2.0/24 10.0.1.0/24"}},
		{"an unattached port does not count", []string{portOn("1", "h", "a"), portOn("1", "", "b"), portOn("2", "", "n")},
			[]string{"10.0.1.0/24", "10.1.0.0/24"}},
		{"other owners do not count", []string{portOn("1", "h", "a"), strings.Replace(portOn("2", "h", "b"), "compute:nova", "network:dhcp", 1)},
			[]string{"10.0.1.0/24"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decode(t, tt.ports...)
			var got []string
			for _, in := range d.Instances {
				got = append(got, sprint(in.NICs[0].Siblings))
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
	d := decode(t, portOn("1", "h", "a"), portOn("2", "h", "b"), portOn("3", "h", "c"))
	one, two := d.Instances[0].NICs[0].Siblings, d.Instances[1].NICs[0].Siblings
	if len(one) != 3 || &one[0] != &two[0] {
		t.Fatalf("two NICs of one network and host have slices of their own: %v, %v", one, two)
	}
	longer := append(one, netip.MustParsePrefix("1.0.0.0/8"))
	if other := append(two, netip.MustParsePrefix("2.0.0.0/8")); longer[3] == other[3] {
		t.Error("who appends to the slice changes what others appended")
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

// portWith returns a port of instance vm that has more members.
func portWith(id, more string) string {
	return `{"id":"` + id + `","device_id":"vm","device_owner":"compute:nova",` + more + `}`
}

// What is wrong with a port is a problem of that port, and leaves out its instance. Those around
// it are read.
func TestPortProblems(t *testing.T) {
	const out, noOwner = " (port p, instance vm)", "the port has no device_owner, which says whether it is an instance's"
	for _, tt := range []struct {
		name, elements string
		want           []string
		complete       bool // whether instance vm is
	}{
		{"no object", `5,null`, []string{"/1: the element is not an object but a JSON number", "/2/device_owner: " + noOwner}, false},
		{"no owner, as where ?fields= leaves it out", `{"id":"p","device_id":"vm","fixed_ips":[{"subnet_id":"a"}]},{"id":"q","device_id":"vm","device_owner":null}`, []string{
			"/1/device_owner: " + noOwner + out, "/2/device_owner: " + noOwner + " (port q, instance vm)"}, false},
		{"no port, but a page of them", `{"ports":[` + apiPort0 + `]}`, []string{"/1/device_owner: " + noOwner}, false},
		{"no device_id", `{"id":"p","device_owner":"compute:nova"},{"id":"q","device_id":"","device_owner":"compute:nova"}`, []string{
			"/1/device_id: the port has no device_id, which names its instance (port p)",
			"/2/device_id: the port has no device_id, which names its instance (port q)"}, false},
		{"an owner of another type", `{"id":"p","device_owner":5,"device_id":"vm"}`, []string{
			"/1/device_owner: the member has the wrong JSON type: number" + out}, false},
		{"members of another type", portWith("p", `"name":[]`) + `,` + portWith("q", `"fixed_ips":[{"subnet_id":5}]`) + `,` + portWith("r", `"binding:host_id":5`), []string{
			"/1/name: the member has the wrong JSON type: array" + out,
			"/2/fixed_ips: the member has the wrong JSON type: number (port q, instance vm)",
			"/3/binding:host_id: the member has the wrong JSON type: number (port r, instance vm)"}, false},
		{"a subnet that is not there", portWith("p", `"fixed_ips":[{"subnet_id":"a"},{"subnet_id":"gone","ip_address":"1.2.3.4"}]`), []string{
			`/1/fixed_ips/1/subnet_id: subnet "gone" is not in the subnets document` + out}, false},
		{"a subnet that is left out", portWith("p", `"fixed_ips":[{"subnet_id":"out"}]`) + `,` + portWith("q", `"fixed_ips":[{"subnet_id":"out"}]`), []string{
			`/1/fixed_ips/0/subnet_id: subnet "out" is left out` + out,
			`/2/fixed_ips/0/subnet_id: subnet "out" is left out (port q, instance vm)`}, false},
		{"no subnet", portWith("p", `"fixed_ips":[{}]`), []string{"/1/fixed_ips/0/subnet_id: the fixed IP has no subnet_id" + out}, false},
		{"no address", portWith("p", `"fixed_ips":[{"subnet_id":"a","ip_address":"x"}]`), []string{
			`/1/fixed_ips/0/ip_address: fixed IP "x" is not an IP address` + out}, false},
		{"an address outside its subnet", portWith("p", `"fixed_ips":[{"subnet_id":"a","ip_address":"11.8.0.21"}]`), []string{
			"/1/fixed_ips/0/ip_address: fixed IP 11.8.0.21 is outside 10.0.1.0/24, the CIDR of its subnet" + out}, false},
		{"an IPv4-mapped address on an IPv6 subnet", portWith("p", `"fixed_ips":[{"subnet_id":"six","ip_address":"::ffff:1.2.3.4"}]`), []string{
			"/1/fixed_ips/0/ip_address: fixed IP ::ffff:1.2.3.4 is an IPv4-mapped address on an IPv6 subnet" + out}, false},
		{"another port of one ID", portWith("p", `"name":""`) + `,` + portWith("p", `"binding_host_id":"h"`), []string{
			"/2: port p was listed before with different content: the first one counts"}, true},
		{"the same port again, left out", portWith("p", `"fixed_ips":[{}]`) + `,` + portWith("p", `"fixed_ips":[{}]`), []string{
			"/1/fixed_ips/0/subnet_id: the fixed IP has no subnet_id" + out}, false},
		{"characters that are not printable", `{"id":"\u202e","device_id":"a\nb","device_owner":"compute:","fixed_ips":[{"subnet_id":"\u001b[2J"}]}`, []string{
			`/1/fixed_ips/0/subnet_id: subnet "\x1b[2J" is not in the subnets document (port "\u202e", instance "a\nb")`}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			subnets := netSubnets[:len(netSubnets)-1] + `,{"id":"out","cidr":"x","gateway_ip":null}]`
			got, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(`[`+portOn("before", "h", "a")+`,`+tt.elements+`,`+portOn("after", "h", "a")+`]`))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{`subnets, /8/cidr: "x" is not a CIDR (subnet out)`}
			for _, s := range tt.want {
				want = append(want, "ports, "+s)
			}
			wantProblems(t, want, got.Problems)
			var names []string
			for _, in := range got.Instances {
				names = append(names, in.Name)
			}
			instances := []string{"before", "after"}
			if tt.complete {
				instances = []string{"before", "vm", "after"}
			}
			if diff := cmp.Diff(instances, names); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

// identified gives a port of portOn an ID.
func identified(id, port string) string { return `{"id":"` + id + `",` + port[1:] }

func TestInstancesThatAreLeftOut(t *testing.T) {
	var many, unattached []string
	for i := range 65 {
		many = append(many, portOn("1", "", "a"))
		unattached = append(unattached, fmt.Sprintf("/%d: the port has no host, so it is not attached to instance 1, whose other ports have one", i))
	}
	for _, tt := range []struct {
		name  string
		ports []string
		want  []string // problems
		names []string // of instances
	}{
		{"on two hosts", []string{identified("p", portOn("1", "h", "a")), identified("q", portOn("1", "g", "a")), portOn("2", "h", "a"),
			identified("r", portOn("1", "h", "a")), identified("s", portOn("1", "f", "a"))}, []string{
			"/1: the port is on host g, but another port of its instance on host h (port q, instance 1)",
			"/4: the port is on host f, but another port of its instance on host h (port s, instance 1)"}, []string{"2"}},
		{"problems of elements come first", []string{identified("p", portOn("1", "h", "a")), identified("q", portOn("1", "g", "a")),
			identified("r", portOn("2", "h", "gone")), identified("s", portOn("1", "", "a"))}, []string{
			`/2/fixed_ips/0/subnet_id: subnet "gone" is not in the subnets document (port r, instance 2)`,
			"/3: the port has no host, so it is not attached to instance 1, whose other ports have one (port s)",
			"/1: the port is on host g, but another port of its instance on host h (port q, instance 1)"}, nil},
		{"a host that cannot be read may be there", []string{identified("p", portOn("1", "h", "a")), `{"id":"q","device_id":"1","device_owner":"compute:","binding:host_id":5}`}, []string{
			"/1/binding:host_id: the member has the wrong JSON type: number (port q, instance 1)"}, nil},
		{"more ports than a guest can have", many, []string{"/64: the instance has 65 ports: no guest has more than 64 NICs (instance 1)"}, nil},
		{"as many ports as a guest can have", many[:64], nil, []string{"1"}},
		{"ports without a host do not count", append(slices.Clone(many), portOn("1", "h", "a")), unattached, []string{"1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := decode(t, tt.ports...)
			var want []string
			for _, s := range tt.want {
				want = append(want, "ports, "+s)
			}
			wantProblems(t, want, got.Problems)
			var names []string
			for _, in := range got.Instances {
				names = append(names, in.Name)
				if _, err := hostroute.Analyze(in); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(tt.names, names); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

// A port that somebody else created for a victim's instance changes nothing but the problem that
// names it, wherever it is and whatever is wrong with it.
func TestAPlantedPortChangesNothing(t *testing.T) {
	victim := []string{
		identified("p0", portOn("other", "h", "c")), identified("p1", portOn("victim", "h", "a")), identified("p2", portOn("other", "h", "b")),
		identified("p3", portOn("victim", "h", "n")),
	}
	want := decode(t, victim...)
	wantProblems(t, nil, want.Problems)
	for name, planted := range map[string]string{
		"a port like any":     identified("planted", portOn("victim", "", "c")),
		"an unknown subnet":   identified("planted", portOn("victim", "", "a", "gone")),
		"no address":          identified("planted", portOn("victim", "")),
		"another type":        `{"id":"planted","name":5,"device_id":"victim","device_owner":"compute:","fixed_ips":[{"subnet_id":"b"}]}`,
		"an address outside":  `{"id":"planted","device_id":"victim","device_owner":"compute:","fixed_ips":[{"subnet_id":"b","ip_address":"1.1.1.1"}]}`,
		"the same, no prefix": `{"id":"planted","device_id":"victim","device_owner":"compute:x","binding:host_id":""}`,
	} {
		for at := range len(victim) + 1 {
			ports := slices.Insert(slices.Clone(victim), at, planted, planted) // as when pages overlap
			got := decode(t, ports...)
			if diff := cmp.Diff(want.Instances, got.Instances, equate); diff != "" {
				t.Errorf("%s, at %d (-want +got):\n%s", name, at, diff)
			}
			wantProblems(t, []string{"ports, /" + strconv.Itoa(at) +
				": the port has no host, so it is not attached to instance victim, whose other ports have one (port planted)"}, got.Problems)
			delete(got.Ports, "planted")
			if diff := cmp.Diff(want.Ports, got.Ports); diff != "" {
				t.Errorf("%s, at %d: ports (-want +got):\n%s", name, at, diff)
			}
		}
	}
}

func TestPorts(t *testing.T) {
	got := decode(t,
		`{"id":"p0","name":"web","mac_address":"fa:16:3e:58:42:ed","network_id":"m","project_id":"x","device_id":"1","device_owner":"compute:nova","binding:host_id":"h","fixed_ips":[{"subnet_id":"a"}]}`,
		`{"id":"p1","device_id":"1","device_owner":"compute:nova","binding_host_id":"h"}`,
		`{"id":"p2","name":"unattached","device_id":"1","device_owner":"compute:nova"}`,
		`{"id":"p3","name":"wrong","device_id":"2","device_owner":"compute:nova","fixed_ips":[{}]}`,
		`{"id":"p4","name":"dhcp","device_id":"3","device_owner":"network:dhcp"}`,
		`{"id":"p0","name":"later","network_id":"m","device_id":"1","device_owner":"compute:nova","binding:host_id":"h","fixed_ips":[{"subnet_id":"a"}]}`,
	)
	want := map[string]neutron.Port{
		"p0": {Name: "web", MAC: "fa:16:3e:58:42:ed", Network: "m", Project: "x", Host: "h", Instance: "1", Subnets: []string{"a"}},
		"p1": {Host: "h", Instance: "1", Subnets: []string{}},
		"p2": {Name: "unattached", Instance: "1", Subnets: []string{}},
		"p3": {Name: "wrong", Instance: "2", Subnets: []string{}},
	}
	if diff := cmp.Diff(want, got.Ports); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPortDocumentErrors(t *testing.T) {
	const form = "ports: the form is unknown: "
	const list = "ports: `openstack port list` does not print which instance a port belongs to: use `openstack port show -f json`"
	for _, tt := range []struct{ name, document, want string }{
		{"no value", "", "ports: the document is empty"},
		{"subnets", `{"subnets":[]}`, form},
		{"no list", `{"ports":{}}`, form},
		{"port list --long", `[{"ID":"p0","Name":"","MAC Address":"fa:16:3e:58:42:ed","Fixed IP Addresses":[{"ip_address":"10.65.0.5",
			"subnet_id":"front"}],"Status":"ACTIVE","Security Groups":[],"Device Owner":"compute:nova","Tags":[]}]`, list},
		{"port list", `[{"ID":"p0","Name":"","MAC Address":"","Fixed IP Addresses":[],"Status":"DOWN"}]`, list},
		{"port list with the owner only", `[{"ID":"p0","Device Owner":"network:dhcp"}]`, list},
		{"malformed", `{"ports":[}`, "ports: reading failed after byte "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(tt.document))
			if d != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want an error %s", d, err, tt.want)
			}
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
	decodeAll := func(sep string) map[string]hostroute.Instance {
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
	want := decodeAll(",")
	for range 10 {
		rng.Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
		if diff := cmp.Diff(want, decodeAll(" ,\n"), equate); diff != "" {
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

// A list whose last page is missing is not the whole cloud.
func TestAMissingPageIsAProblem(t *testing.T) {
	const subnets = `{"subnets":[]}`
	const first, last = `{"ports":[],"ports_links":[{"rel":"next","href":"http://x"}]}`, `{"ports":[],"ports_links":[{"rel":"previous","href":"http://x"}]}`
	for document, want := range map[string]int{first: 1, first + last: 0, last + first: 1, first + "[]": 0, first + `{"ports":null}`: 0, last: 0, last + first + `{"id":"x","device_owner":""}`: 1, `{"ports":[],"ports_links":7}`: 0} {
		d, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(document))
		if err != nil || len(d.Problems) != want {
			t.Errorf("%s: %v, %v; want %d problems", document, d.Problems, err, want)
		}
		for _, p := range d.Problems {
			if p.Document != "ports" || p.Path != "/ports_links" || p.Value != 1+strings.Count(document, last) {
				t.Errorf("%s: %v", document, p)
			}
		}
	}
}
