package neutron_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

var equate = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()}

func route(text string) hostroute.HostRoute { return hostroute.MustParseHostRoute(text) }

// front and back are the subnets of Calico's documented example.
func front() *hostroute.Subnet {
	return &hostroute.Subnet{ID: "front", CIDR: netip.MustParsePrefix("10.65.0.0/24"), Gateway: netip.MustParseAddr("10.65.0.1")}
}

func back() *hostroute.Subnet {
	return &hostroute.Subnet{
		ID: "back", CIDR: netip.MustParsePrefix("11.8.0.0/24"), Gateway: netip.MustParseAddr("11.8.0.1"),
		HostRoutes: []hostroute.HostRoute{
			hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"), hostroute.MustParseHostRoute("169.254.169.254/32,11.8.0.1"),
		},
	}
}

// The forms of a subnet, as the API, gophercloud and the command line print
// them, with most of what they print and nobody reads.
const (
	apiFront = `{"id":"front","name":"front","tenant_id":"4fd44f30","network_id":"n0","ip_version":4,"subnetpool_id":null,
		"enable_dhcp":true,"ipv6_ra_mode":null,"ipv6_address_mode":null,"gateway_ip":"10.65.0.1","cidr":"10.65.0.0/24",
		"allocation_pools":[{"start":"10.65.0.2","end":"10.65.0.254"}],"host_routes":[],"dns_nameservers":["172.18.10.55"],
		"description":"","service_types":[],"tags":[],"created_at":"2016-10-10T14:35:47Z","revision_number":2,"segment_id":null}`
	apiBack = `{"id":"back","name":"back","network_id":"n1","ip_version":4,"enable_dhcp":true,"gateway_ip":"11.8.0.1",
		"cidr":"11.8.0.0/24","allocation_pools":[{"start":"11.8.0.2","end":"11.8.0.254"}],"host_routes":[
		{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},{"destination":"169.254.169.254/32","nexthop":"11.8.0.1"}]}`
	goFront = `{"id":"front","network_id":"n0","name":"front","description":"","ip_version":4,"cidr":"10.65.0.0/24",
		"gateway_ip":"10.65.0.1","dns_nameservers":null,"service_types":null,"allocation_pools":[],"host_routes":null,
		"enable_dhcp":true,"tenant_id":"","project_id":"","ipv6_address_mode":"","ipv6_ra_mode":"","subnetpool_id":"","tags":null}`
	showBack = `{
  "allocation_pools": [{"start": "11.8.0.2", "end": "11.8.0.254"}],
  "cidr": "11.8.0.0/24",
  "created_at": "2016-10-10T14:35:47Z",
  "dns_publish_fixed_ip": false,
  "enable_dhcp": true,
  "gateway_ip": "11.8.0.1",
  "host_routes": [
    {"destination": "11.11.0.0/16", "nexthop": "11.8.0.1"},
    {"destination": "169.254.169.254/32", "nexthop": "11.8.0.1"}
  ],
  "id": "back",
  "ip_version": 4,
  "name": "back",
  "network_id": "n1",
  "service_types": [],
  "updated_at": "2016-10-10T14:35:47Z"
}`
	listFront = `{"ID": "front", "Name": "front", "Network": "n0", "Subnet": "10.65.0.0/24", "Project": "4fd44f30", "DHCP": true,
		"Name Servers": [], "Allocation Pools": [{"start": "10.65.0.2", "end": "10.65.0.254"}], "Host Routes": [],
		"IP Version": 4, "Gateway": "10.65.0.1", "Service Types": [], "Tags": []}`
	listBack = `{"ID": "back", "Name": "back", "Network": "n1", "Subnet": "11.8.0.0/24", "DHCP": true, "Host Routes": [
		{"destination": "11.11.0.0/16", "nexthop": "11.8.0.1"}, {"destination": "169.254.169.254/32", "nexthop": "11.8.0.1"}],
		"IP Version": 4, "Gateway": "11.8.0.1"}`
	oldBack = `{"ID": "back", "Name": "back", "Network": "n1", "Subnet": "11.8.0.0/24", "DHCP": true, "Host Routes":
		"destination='11.11.0.0/16', gateway='11.8.0.1'\ndestination='169.254.169.254/32', gateway='11.8.0.1'",
		"IP Version": 4, "Gateway": "11.8.0.1"}`
)

func TestDecodeSubnetsForms(t *testing.T) {
	for _, tt := range []struct{ name, doc string }{
		{"API list", `{"subnets":[` + apiFront + `,` + apiBack + `]}`},
		{"API list in pages", `{"subnets":[` + apiFront + `],"subnets_links":[{"rel":"next","href":"..."}]}{"subnets":[` + apiBack + `]}{"subnets":[]}`},
		{"pages that overlap", `{"subnets":[` + apiFront + `]}` + "\n" + `{"subnets":[` + apiFront + `,` + apiBack + `]}`},
		{"API objects", `{"subnet":` + apiFront + `}` + "\n" + `{"subnet":` + apiBack + `}`},
		{"gophercloud's slice", `[` + goFront + `,` + apiBack + `]`},
		{"subnet show", apiFront + "\n" + showBack},
		{"subnet list --long", `[` + listFront + `,` + listBack + `]`},
		{"subnet list --long before 4.0.0", `[` + listFront + `,` + oldBack + `]`},
		{"mixed, and told twice", `[` + listFront + `]` + oldBack + `{"subnets":[` + apiBack + `,` + goFront + `]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := neutron.DecodeSubnets(strings.NewReader(tt.doc))
			if err != nil {
				t.Fatal(err)
			}
			want := &neutron.Deployment{Subnets: []*hostroute.Subnet{front(), back()}}
			if diff := cmp.Diff(want, got, equate); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeSubnetsMembers(t *testing.T) {
	subnet := func(edit func(*hostroute.Subnet)) *hostroute.Subnet {
		s := front()
		edit(s)
		return s
	}
	same := func(*hostroute.Subnet) {}
	noGateway := func(s *hostroute.Subnet) { s.Gateway = netip.Addr{} }
	route := func(text string) func(*hostroute.Subnet) {
		return func(s *hostroute.Subnet) { s.HostRoutes = []hostroute.HostRoute{route(text)} }
	}
	for _, tt := range []struct {
		name, members string // beside id and cidr
		edit          func(*hostroute.Subnet)
	}{
		{"gateway_ip null is none", `"gateway_ip":null`, noGateway},
		{"gateway_ip empty is none", `"gateway_ip":""`, noGateway},
		{"a gateway outside the CIDR is kept", `"gateway_ip":"9.9.9.9"`, func(s *hostroute.Subnet) { s.Gateway = netip.MustParseAddr("9.9.9.9") }},
		{"enable_dhcp absent is true", `"gateway_ip":"10.65.0.1"`, same},
		{"enable_dhcp null is true", `"gateway_ip":"10.65.0.1","enable_dhcp":null`, same},
		{"enable_dhcp false", `"gateway_ip":"10.65.0.1","enable_dhcp":false`, func(s *hostroute.Subnet) { s.DHCPDisabled = true }},
		{"host_routes null is empty", `"gateway_ip":"10.65.0.1","host_routes":null`, same},
		{"host_routes text empty", `"gateway_ip":"10.65.0.1","host_routes":""`, same},
		{"network_id null", `"gateway_ip":"10.65.0.1","network_id":null`, same},
		{"host bits of a destination stay", `"gateway_ip":"10.65.0.1","host_routes":[{"nexthop":"10.65.0.1","destination":"11.11.77.5/16"}]`,
			route("11.11.77.5/16,10.65.0.1")},
		{"IPv4-mapped addresses are unmapped", `"gateway_ip":"::ffff:10.65.0.1","host_routes":[
			{"destination":"::ffff:11.11.0.0/112","nexthop":"::ffff:a41:1"}]`, route("11.11.0.0/16,10.65.0.1")},
		{"escapes in values", `"gateway_ip":"10.65.0.\u0031","host_routes":[{"destination":"11.11.0.0\u002f16","nexthop":"10.65.0.1"}]`,
			route("11.11.0.0/16,10.65.0.1")},
		{"names in another case are others", `"gateway_ip":"10.65.0.1","Gateway_IP":5,"HOST_ROUTES":5,"Enable_dhcp":[false]`, same},
		{"unknown members hold anything", `"a\"b":{"id":["}",{}],"cidr":"]\\"},"gateway_ip":"10.65.0.1","é":-1.5e+9,"":[[],{}]`, same},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := neutron.DecodeSubnets(strings.NewReader(` [ {"id" : "front" ,"cidr":"10.65.0.0/24",` + tt.members + "}\t]\n"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]*hostroute.Subnet{subnet(tt.edit)}, got.Subnets, equate); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeEmptyLists(t *testing.T) {
	for _, doc := range []string{`[]`, ` [ ] `, `{"subnets":[]}`, `{"subnets":null}`, `[][]`} {
		got, err := neutron.Decode(strings.NewReader(doc), strings.NewReader(strings.ReplaceAll(doc, "subnet", "port")))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		} else if diff := cmp.Diff(&neutron.Deployment{}, got, equate); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", doc, diff)
		}
	}
}

// Each subnet keeps what is its own, whatever others hold.
func TestSubnetsKeepTheirHostRoutes(t *testing.T) {
	doc := ""
	for i, routes := range []string{
		`[{"destination":"1.0.0.0/255.0.0.0","nexthop":"10.0.0.9"},{"destination":"2.0.0.0/8","nexthop":"10.0.0.9"}],"enable_dhcp":false`,
		`[{"destination":"3.0.0.0/8","nexthop":"10.1.0.9"},{"destination":"4.0.0.0/255.0.0.0","nexthop":"10.1.0.9"}]`,
		`"destination='5.0.0.0/8', gateway='10.2.0.9'"`,
		`[]`,
	} {
		doc += fmt.Sprintf(`{"id":"%d","cidr":"10.%[1]d.0.0/16","gateway_ip":null,"host_routes":%s}`, i, routes)
	}
	d, err := neutron.DecodeSubnets(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range d.Subnets {
		got = append(got, fmt.Sprint(s.HostRoutes))
	}
	for _, f := range d.Findings {
		got = append(got, f.String())
	}
	if diff := cmp.Diff([]string{"[1.0.0.0/8,10.0.0.9 2.0.0.0/8,10.0.0.9]", "[3.0.0.0/8,10.1.0.9 4.0.0.0/8,10.1.0.9]", "[5.0.0.0/8,10.2.0.9]", "[]",
		"1: 4.0.0.0/8,10.1.0.9: destination 4.0.0.0/255.0.0.0 is not spelled 4.0.0.0/8: dnsmasq sends it with the length 255" +
			", and dhclient installs nothing of the subnet, not even the default (netmask-spelling)"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A spelling may be of any length; a message is not.
func TestLongSpellingIsCutShort(t *testing.T) {
	zeros := strings.Repeat("0", 1000)
	d, err := neutron.DecodeSubnets(strings.NewReader(`{"id":"s","cidr":"10.0.0.0/16","gateway_ip":null,"host_routes":[{"destination":"0.0.0.0/` + zeros + `","nexthop":"10.0.0.1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Findings) != 1 || !strings.HasPrefix(d.Findings[0].Message, "destination 0.0.0.0/"+zeros[:56]+" is not spelled") {
		t.Errorf("got %v", d.Findings)
	}
}

// Spellings of a destination that Neutron accepts, and what dnsmasq makes of them.
func TestDestinationSpelling(t *testing.T) {
	const beyond = ", and dhclient installs nothing of the subnet, not even the default"
	for _, tt := range []struct{ text, want, finding string }{
		{"10.0.0.0/8", "10.0.0.0/8", ""},
		{"10.0.0.0/08", "10.0.0.0/8", ""},
		{"10.0.0.0/+8", "10.0.0.0/8", ""},
		{"10.1.2.3/8", "10.1.2.3/8", ""},
		{"0.0.0.0/0", "0.0.0.0/0", ""},
		{"1.2.3.4/00", "1.2.3.4/0", ""},
		{"10.0.0.0/255.0.0.0", "10.0.0.0/8", "10.0.0.0/8: dnsmasq sends it with the length 255" + beyond},
		{"10.1.2.3/255.0.0.0", "10.1.2.3/8", "10.1.2.3/8: dnsmasq sends it with the length 255" + beyond},
		{"128.0.0.0/128.0.0.0", "128.0.0.0/1", "128.0.0.0/1: dnsmasq sends it with the length 128" + beyond},
		{"10.0.0.1/255.255.255.255", "10.0.0.1/32", "10.0.0.1/32: dnsmasq sends it with the length 255" + beyond},
		{"10.0.0.0/0.255.255.255", "10.0.0.0/8", "10.0.0.0/8: dnsmasq sends it with the length 0"},
		{"64.0.0.0/63.255.255.255", "64.0.0.0/2", "64.0.0.0/2: dnsmasq sends it with the length 63" + beyond},
		{"2.0.0.0/1.255.255.255", "2.0.0.0/7", "2.0.0.0/7: dnsmasq sends it with the length 1"},
		{"0.0.0.0/0.0.0.0", "0.0.0.0/0", "0.0.0.0/0: dnsmasq sends it with the length 0"},
		{"0.0.0.0/00", "0.0.0.0/0", "0.0.0.0/0: dnsmasq sends it with the length 0"},
		{"2001:db8::/ffff:ffff::", "2001:db8::/32", ""},
		{"2001:db8::/0:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32", ""},
	} {
		t.Run(tt.text, func(t *testing.T) {
			doc := func(route, more string) io.Reader {
				return strings.NewReader(`{"id":"s","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":` + route + more + `}`)
			}
			api := `[{"destination":"` + tt.text + `","nexthop":"10.65.0.1"}]`
			for _, route := range []string{api, `"destination='` + tt.text + `', gateway='10.65.0.1'"`} {
				got, err := neutron.DecodeSubnets(doc(route, ""))
				if err != nil {
					t.Fatal(err)
				}
				r := hostroute.HostRoute{Destination: netip.MustParsePrefix(tt.want), NextHop: netip.MustParseAddr("10.65.0.1")}
				if diff := cmp.Diff([]hostroute.HostRoute{r}, got.Subnets[0].HostRoutes, equate); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				var want []hostroute.Finding
				if tt.finding != "" {
					want = []hostroute.Finding{{
						Code: neutron.CodeNetmaskSpelling, Severity: hostroute.SeverityError,
						Subject: hostroute.Ref{Subnet: "s", HostRoute: r}, Message: "destination " + tt.text + " is not spelled " + tt.finding,
					}}
				}
				if diff := cmp.Diff(want, got.Findings, equate); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			if got, err := neutron.DecodeSubnets(doc(api, `,"enable_dhcp":false`)); err != nil || len(got.Findings) > 0 {
				t.Errorf("without DHCP: %v, %v; want no finding", got, err)
			}
		})
	}
}

func TestFindingsStandOnceInOrder(t *testing.T) {
	const s = `{"id":"%s","cidr":"10.65.0.0/24","gateway_ip":null,"host_routes":[
		{"destination":"10.0.0.0/255.0.0.0","nexthop":"10.65.0.1"},{"destination":"9.0.0.0/8","nexthop":"10.65.0.1"},
		{"destination":"9.0.0.0/255.0.0.0","nexthop":"10.65.0.2"}]}`
	got, err := neutron.DecodeSubnets(strings.NewReader(fmt.Sprintf(s+s+s, "b", "a", "b")))
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, f := range got.Findings {
		subjects = append(subjects, f.Subject.String())
	}
	want := []string{"b: 10.0.0.0/8,10.65.0.1", "b: 9.0.0.0/8,10.65.0.2", "a: 10.0.0.0/8,10.65.0.1", "a: 9.0.0.0/8,10.65.0.2"}
	if diff := cmp.Diff(want, subjects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sub and okSub are subnets for the error tests; more adds members.
const okSub = `{"id":"s","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"}`

func sub(more string) string {
	return `[{"id":"s","cidr":"10.65.0.0/24","gateway_ip":null,` + more + `}]`
}

func TestDecodeSubnetsErrors(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		want      []string
	}{
		{"no value", "", []string{`there is no JSON value (subnets, value 1)`}},
		{"white space", " \n", []string{`there is no JSON value (subnets, value 1)`}},
		{"malformed JSON tells the byte", `[1,]`, []string{`invalid character ']' looking for beginning of value at byte 4 (subnets, value 1)`}},
		{"malformed second value", `[] [1,]`, []string{`invalid character ']' looking for beginning of value at byte 7 (subnets, value 2)`}},
		{"truncated JSON", `{"subnets":[`, []string{`unexpected EOF (subnets, value 1)`}},
		{"trailing garbage", okSub + ` x`, []string{`invalid character 'x' looking for beginning of value at byte 59 (subnets, value 2)`}},
		{"a scalar has no known form", `5`, []string{form}},
		{"null has no known form", `null`, []string{form}},
		{"an empty object has no known form", `{}`, []string{form}},
		{"ports are no subnets", `{"ports":[]}`, []string{form}},
		{"an envelope of another kind", `{"subnet":[` + okSub + `]}`, []string{form}},
		{"envelope and subnet in one", `{"id":"s","subnets":[]}`, []string{form}},
		{"an answer that is an error", `{"NeutronError":{"type":"SubnetNotFound"}}`, []string{form}},
		{"a list that is none", `{"subnets":5}`, []string{`/subnets: "5" is no array (subnets, value 1)`}},
		{"elements that are no objects", `{"subnets":[1,"a",null,[]]}`, []string{
			`/subnets/0: "1" is no object (subnets, value 1)`, `/subnets/1: "\"a\"" is no object (subnets, value 1)`,
			`/subnets/2: "null" is no object (subnets, value 1)`, `/subnets/3: "[]" is no object (subnets, value 1)`}},
		{"absent members", `[` + okSub + `,{"name":"x"}]`, []string{
			`/1/id: is absent (subnets, value 1)`, `/1/cidr: is absent (subnets, value 1)`,
			`/1/gateway_ip: is absent (subnets, value 1)`}},
		{"an absent ID is called as the others are", `[{"Subnet":"10.0.0.0/8","Gateway":null}]`, []string{`/0/ID: is absent (subnets, value 1)`}},
		{"absent members are called as the others are", `[{"ID":"s","Name":"s"}]`, []string{
			`/0/Subnet: is absent (subnets, value 1)`, `/0/Gateway: is absent: openstack subnet list prints it with --long (subnets, value 1)`}},
		{"wrong types, all of them", `{"subnet":{"id":1,"cidr":null,"gateway_ip":[],"enable_dhcp":"True","host_routes":{},"network_id":false}}`, []string{
			`/subnet/id: "1" is no text, or empty (subnets, value 1)`,
			`/subnet/cidr: "null" is no text, or empty (subnets, value 1)`,
			`/subnet/gateway_ip: "[]" is no text, or empty (subnets, value 1)`,
			`/subnet/enable_dhcp: "\"True\"" is no boolean (subnets, value 1)`,
			`/subnet/host_routes: "{}" is no array (subnets, value 1)`,
			`/subnet/network_id: "false" is no text, or empty (subnets, value 1)`}},
		{"id null, id empty", `[{"id":null,"cidr":"::/0","gateway_ip":""}]{"id":"","cidr":"::/0","gateway_ip":""}`, []string{
			`/0/id: "null" is no text, or empty (subnets, value 1)`,
			`/id: "\"\"" is no text, or empty (subnets, value 2)`}},
		{"the names of the command line in paths", `[{"ID":"s","Subnet":"10.65.0.1","Gateway":"x","DHCP":1,"Host Routes":"route"}]`, []string{
			`/0/Subnet: "10.65.0.1" is no CIDR (subnets, value 1)`, `/0/Gateway: "x" is no IP address (subnets, value 1)`,
			`/0/DHCP: "1" is no boolean (subnets, value 1)`,
			`/0/Host Routes: "route" is not of the form destination='11.11.0.0/16', gateway='11.8.0.1' (subnets, value 1)`}},
		{"a CIDR with host bits", `[{"id":"s","cidr":"10.65.0.1/24","gateway_ip":null}]`, []string{`/0/cidr: 10.65.0.1/24 has host bits (subnets, value 1)`}},
		{"a gateway with a zone", `{"id":"s","cidr":"fe80::/64","gateway_ip":"fe80::1%eth0"}`, []string{
			`/gateway_ip: "fe80::1%eth0" is no IP address (subnets, value 1)`}},
		{"host routes", sub(`"host_routes":[5,{},{"destination":"x","nexthop":"y"},{"destination":1,"nexthop":null}]`), []string{
			`/0/host_routes/0: "5" is no object (subnets, value 1)`,
			`/0/host_routes/1/destination: is absent (subnets, value 1)`,
			`/0/host_routes/1/nexthop: is absent (subnets, value 1)`,
			`/0/host_routes/2/destination: "x" is no CIDR (subnets, value 1)`,
			`/0/host_routes/2/nexthop: "y" is no IP address (subnets, value 1)`,
			`/0/host_routes/3/destination: "1" is no text, or empty (subnets, value 1)`,
			`/0/host_routes/3/nexthop: "null" is no text, or empty (subnets, value 1)`}},
		{"a destination without a length, which Neutron refuses", sub(`"host_routes":[{"destination":"10.0.0.0","nexthop":"10.65.0.1"}]`), []string{
			`/0/host_routes/0/destination: "10.0.0.0" is no CIDR (subnets, value 1)`}},
		{"a member that stands twice", sub(`"id":"s"`), []string{`/0/id: stands twice in its object (subnets, value 1)`}},
		{"a member that stands under two names", sub(`"ID":"s"`), []string{`/0/ID: stands twice in its object (subnets, value 1)`}},
		{"invalid UTF-8 in what is read", sub("\"name\":\"\xff\",\"network_id\":\"\xff\""), []string{
			`/0/network_id: "\"\xff\"" is no text, or empty (subnets, value 1)`}},
		{"another subnet of one ID", `{"subnets":[` + okSub + `]}{"subnets":[{"id":"t","cidr":"::/0","gateway_ip":null},` + sub(`"tags":[]`)[1:] + `}`, []string{
			`/subnets/1/id: "s" is the ID of an earlier subnet with other content (subnets, value 2)`}},
		{"another network of one ID", okSub + `{"id":"s","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","network_id":"n"}`, []string{
			`/id: "s" is the ID of an earlier subnet with other content (subnets, value 2)`}},
		{"a long value is cut short", sub(`"network_id":[` + strings.Repeat("1,", 99) + `1]`), []string{
			`/0/network_id: "[` + strings.Repeat("1,", 31) + `1" is no text, or empty (subnets, value 1)`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.DecodeSubnets(strings.NewReader(tt.doc))
			wantErrors(t, d, err, tt.want)
		})
	}
}

const form = `is neither {"subnets":[...]} nor {"subnet":{...}} nor JSON of openstack subnet show or list --long (subnets, value 1)`

func wantErrors(t *testing.T, d *neutron.Deployment, err error, want []string) {
	t.Helper()
	if d != nil || err == nil {
		t.Fatalf("got %v, %v; want errors", d, err)
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var de *neutron.DecodeError
	if !errors.As(err, &de) {
		t.Fatalf("%T is no DecodeError", err)
	}
	if path, _, ok := strings.Cut(want[0], ": "); ok && strings.HasPrefix(path, "/") && de.Path != path {
		t.Errorf("path %q, want %q", de.Path, path)
	}
}

func TestDestinationsNeutronRefuses(t *testing.T) {
	for _, text := range []string{
		"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/255.0.255.0", "10.0.0.0/255.0.0", "10.0.0.0/ 8",
		"10.0.0.0/::", "10.0.0.0/ffff::", "::/255.0.0.0", "::/129", "::/ffff::ffff", "10/8", "010.0.0.0/8", "fe80::%eth0/64", "fe80::/ffff::%eth0",
		"10.0.0.0/99999999999999999999", strings.Repeat("1", 500),
	} {
		_, err := neutron.DecodeSubnets(strings.NewReader(sub(`"host_routes":[{"destination":"` + text + `","nexthop":"10.65.0.1"}]`)))
		var de *neutron.DecodeError
		if !errors.As(err, &de) || de.Path != "/0/host_routes/0/destination" {
			t.Errorf("%q: got %v, want an error of the destination", text, err)
		}
	}
}

func TestDecodeErrorsAreLimited(t *testing.T) {
	for n, want := range map[int]int{99: 99, 100: 100, 101: 101, 5000: 101} {
		_, err := neutron.DecodeSubnets(strings.NewReader("[0" + strings.Repeat(",0", n-1) + "]"))
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != want {
			t.Errorf("%d errors: %d lines, want %d", n, len(lines), want)
		}
		if last := fmt.Sprintf("and %d more errors", n-100); n > 100 && lines[100] != last {
			t.Errorf("%d errors: last %q, want %q", n, lines[100], last)
		}
	}
}

func TestReadErrorsAreWrapped(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := neutron.DecodeSubnets(io.MultiReader(strings.NewReader(`{"subnets":[`), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	_, err = neutron.Decode(strings.NewReader(`[]`), strings.NewReader(`[`))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "(ports, value 1)") {
		t.Errorf("got %v", err)
	}
}

func TestReadersMayReturnOneByteAtATime(t *testing.T) {
	got, err := neutron.DecodeSubnets(iotest.OneByteReader(strings.NewReader(`{"subnets":[` + apiFront + `,` + apiBack + `]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*hostroute.Subnet{front(), back()}, got.Subnets, equate); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
