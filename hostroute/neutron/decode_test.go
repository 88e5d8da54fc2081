package neutron_test

import (
	"encoding/json"
	"errors"
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

// decodeSubnets decodes a document that must be readable.
func decodeSubnets(t *testing.T, document string) *neutron.Deployment {
	t.Helper()
	d, err := neutron.DecodeSubnets(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wantProblems compares problems by their text, which has all that they hold.
func wantProblems(t *testing.T, want []string, got []neutron.Problem) {
	t.Helper()
	var text []string
	for _, p := range got {
		text = append(text, p.String())
	}
	if diff := cmp.Diff(want, text, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

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
		{"other members before the list", `{"id":{"a":[1]},"subnets_links":[],"subnets":[` + apiFront + `,` + apiBack + `]}`},
		{"Go's names", `{"Subnets":[` + apiFront + `]}{"Subnet":` + apiBack + `}`},
		{"other members beside the object", `{"a":1,"subnet":` + apiFront + `,"id":5}{"subnet":` + apiBack + `}`},
		{"pages that overlap", `{"subnets":[` + apiFront + `]}` + "\n" + `{"subnets":[` + apiFront + `,` + apiBack + `]}`},
		{"API objects", `{"subnet":` + apiFront + `}` + "\n" + `{"subnet":` + apiBack + `}`},
		{"gophercloud's slice", `[` + goFront + `,` + apiBack + `]`},
		{"subnet show", apiFront + "\n" + showBack},
		{"subnet list --long", `[` + listFront + `,` + listBack + `]`},
		{"subnet list --long before 4.0.0", `[` + listFront + `,` + oldBack + `]`},
		{"mixed, and told twice", `[` + listFront + `]` + oldBack + `{"subnets":[` + apiBack + `,` + goFront + `]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := decodeSubnets(t, tt.doc)
			want := &neutron.Deployment{
				Subnets:     []*hostroute.Subnet{front(), back()},
				SubnetNames: map[string]string{"front": "front", "back": "back"},
			}
			if diff := cmp.Diff(want, got, equate); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSubnetMembers(t *testing.T) {
	same := func(*hostroute.Subnet) {}
	noGateway := func(s *hostroute.Subnet) { s.Gateway = netip.Addr{} }
	noDHCP := func(s *hostroute.Subnet) { s.DHCPDisabled = true }
	with := func(text string) func(*hostroute.Subnet) {
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
		{"enable_dhcp false", `"gateway_ip":"10.65.0.1","enable_dhcp":false`, noDHCP},
		{"host_routes null is empty", `"gateway_ip":"10.65.0.1","host_routes":null`, same},
		{"network_id null", `"gateway_ip":"10.65.0.1","network_id":null`, same},
		{"host bits of a destination stay", `"gateway_ip":"10.65.0.1","host_routes":[{"nexthop":"10.65.0.1","destination":"11.11.77.5/16"}]`,
			with("11.11.77.5/16,10.65.0.1")},
		{"a destination of the other family stays", `"gateway_ip":"10.65.0.1","host_routes":[{"nexthop":"2001:db8::1","destination":"2001:db8::/32"}]`,
			with("2001:db8::/32,2001:db8::1")},
		{"IPv4-mapped addresses on an IPv4 subnet are unmapped", `"gateway_ip":"::ffff:10.65.0.1","host_routes":[
			{"destination":"::ffff:11.11.0.0/112","nexthop":"::ffff:a41:1"}]`, with("11.11.0.0/16,10.65.0.1")},
		{"escapes", `"gateway_ip":"10.65.0.\u0031","host_routes":[{"destination":"11.11.0.0\/16","nexthop":"10.65.0.1"}]`,
			with("11.11.0.0/16,10.65.0.1")},
		{"names in another case", `"Gateway_IP":"10.65.0.1","HOST_ROUTES":[{"Destination":"11.11.0.0/16","NextHop":"10.65.0.1"}],"Enable_dhcp":true`,
			with("11.11.0.0/16,10.65.0.1")},
		{"the last of equal names counts", `"gateway_ip":"9.9.9.9","enable_dhcp":true,"gateway_ip":"10.65.0.1","enable_dhcp":false`, noDHCP},
		{"members that are not needed hold anything", `"a\"b":{"id":["}",{}],"cidr":"]\\"},"gateway_ip":"10.65.0.1","é":-1.5e+9,"":[[],{}]`, same},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := decodeSubnets(t, ` [ {"id" : "front" ,"cidr":"10.65.0.0/24",`+tt.members+"}\t]\n")
			want := front()
			tt.edit(want)
			if diff := cmp.Diff([]*hostroute.Subnet{want}, got.Subnets, equate); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantProblems(t, nil, got.Problems)
		})
	}
}

func TestEmptyDocuments(t *testing.T) {
	for _, doc := range []string{`[]`, ` [ ] `, `{"subnets":[]}`, `{"subnets":null}`, `[][]`} {
		got, err := neutron.Decode(strings.NewReader(doc), strings.NewReader(strings.ReplaceAll(doc, "subnet", "port")))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		if diff := cmp.Diff(&neutron.Deployment{}, got, equate); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", doc, diff)
		}
		if b, err := json.Marshal(got); err != nil || strings.Contains(string(b), "null") {
			t.Errorf("%s: %s, %v; want no null", doc, b, err)
		}
	}
}

// subnetWith returns a subnet that has more members.
func subnetWith(id, more string) string {
	return `{"id":"` + id + `","cidr":"10.0.0.0/8","gateway_ip":null,` + more + `}`
}

// What is wrong with a subnet is a problem of that subnet alone: those around it are read.
func TestSubnetProblems(t *testing.T) {
	const none = "the gateway is absent: a subnet without one has null here"
	for _, tt := range []struct {
		name, elements string
		want           []string
	}{
		{"no object", `1,"a",[]`, []string{
			"/subnets/1: the element is not an object but a JSON number",
			"/subnets/2: the element is not an object but a JSON string",
			"/subnets/3: the element is not an object but a JSON array"}},
		{"null", `null`, []string{"/subnets/1/id: the subnet has no ID"}},
		{"nothing in it", `{}`, []string{"/subnets/1/id: the subnet has no ID"}},
		{"no id", `{"id":null,"cidr":"10.0.0.0/8","gateway_ip":null}`, []string{"/subnets/1/id: the subnet has no ID"}},
		{"no cidr", `{"id":"s","gateway_ip":null}`, []string{"/subnets/1/cidr: the subnet has no CIDR (subnet s)"}},
		{"no gateway_ip", `{"id":"s","cidr":"10.0.0.0/8"}`, []string{"/subnets/1/gateway_ip: " + none + " (subnet s)"}},
		{"no columns of --long", `{"ID":"s","Name":"x","Network":"n","Subnet":"10.0.0.0/8"}`, []string{
			"/subnets/1/Gateway: the gateway is absent: `openstack subnet list` prints it with --long only (subnet s)"}},
		{"the columns of networks", `{"ID":"s","Name":"x"}`, []string{"/subnets/1/Subnet: the subnet has no CIDR (subnet s)"}},
		{"members of another type", subnetWith("s", `"name":5`) + `,{"id":5},` + subnetWith("t", `"enable_dhcp":"True"`) + `,` + subnetWith("u", `"network_id":{}`), []string{
			"/subnets/1/name: the member has the wrong JSON type: number (subnet s)",
			"/subnets/2/id: the member has the wrong JSON type: number",
			"/subnets/3/enable_dhcp: the member has the wrong JSON type: string (subnet t)",
			"/subnets/4/network_id: the member has the wrong JSON type: object (subnet u)"}},
		{"a gateway of another type", `{"id":"s","cidr":"10.0.0.0/8","gateway_ip":[]}`, []string{"/subnets/1/gateway_ip: the gateway is not text (subnet s)"}},
		{"several members of another type are one problem", `{"id":"s","name":5,"cidr":5,"host_routes":5}`, []string{
			"/subnets/1/name: the member has the wrong JSON type: number (subnet s)"}},
		{"host routes of another type", subnetWith("s", `"host_routes":{}`) + `,` + subnetWith("t", `"host_routes":[5]`) + `,` +
			subnetWith("u", `"host_routes":[{"destination":5}]`) + `,{"ID":"v","Subnet":"10.0.0.0/8","Gateway":null,"Host Routes":[{"nexthop":5}]}`, []string{
			"/subnets/1/host_routes: the member has the wrong JSON type: object (subnet s)",
			"/subnets/2/host_routes: the member has the wrong JSON type: number (subnet t)",
			"/subnets/3/host_routes: the member has the wrong JSON type: number (subnet u)",
			"/subnets/4/Host Routes: the host routes are neither a list of objects nor text (subnet v)"}},
		{"no CIDR", `{"id":"s","cidr":"10.65.0.1","gateway_ip":null}`, []string{`/subnets/1/cidr: "10.65.0.1" is not a CIDR (subnet s)`}},
		{"a CIDR with host bits", `{"id":"s","cidr":"10.65.0.1/24","gateway_ip":null}`, []string{
			"/subnets/1/cidr: CIDR 10.65.0.1/24 has host bits: the network is 10.65.0.0/24 (subnet s)"}},
		{"an IPv4-mapped CIDR", `{"id":"s","cidr":"::ffff:10.65.0.0/120","gateway_ip":null}`, []string{
			"/subnets/1/cidr: CIDR ::ffff:10.65.0.0/120 has IPv4-mapped addresses (subnet s)"}},
		{"IPv4-mapped addresses on an IPv6 subnet", `{"id":"s","cidr":"::/0","gateway_ip":"::ffff:1.2.3.4"},` +
			`{"id":"t","cidr":"::/0","gateway_ip":null,"host_routes":[{"destination":"::ffff:1.2.3.0/120","nexthop":"::1"}]},` +
			`{"id":"u","cidr":"::/0","gateway_ip":null,"host_routes":[{"destination":"::/0","nexthop":"::ffff:1.2.3.4"}]}`, []string{
			"/subnets/1/gateway_ip: gateway ::ffff:1.2.3.4 is an IPv4-mapped address on an IPv6 subnet (subnet s)",
			"/subnets/2/host_routes/0/destination: destination ::ffff:1.2.3.0/120 has IPv4-mapped addresses on an IPv6 subnet (subnet t)",
			"/subnets/3/host_routes/0/nexthop: next hop ::ffff:1.2.3.4 is an IPv4-mapped address on an IPv6 subnet (subnet u)"}},
		{"no address", `{"id":"s","cidr":"fe80::/64","gateway_ip":"fe80::1%eth0"},{"id":"t","cidr":"10.0.0.0/8","gateway_ip":"x"}`, []string{
			`/subnets/1/gateway_ip: gateway "fe80::1%eth0" is not an IP address (subnet s)`,
			`/subnets/2/gateway_ip: gateway "x" is not an IP address (subnet t)`}},
		{"no host routes", subnetWith("s", `"host_routes":[{"nexthop":"10.0.0.1"}]`) + `,` + subnetWith("t", `"host_routes":[null]`) + `,` +
			subnetWith("u", `"host_routes":[{"destination":"11.0.0.0/8","nexthop":"10.0.0.1"},{"destination":"11.0.0.0/8"}]`) + `,` +
			subnetWith("v", `"host_routes":[{"destination":"11.0.0.0/8","nexthop":"11.8.0.01"}]`), []string{
			"/subnets/1/host_routes/0/destination: the host route has no destination (subnet s)",
			"/subnets/2/host_routes/0/destination: the host route has no destination (subnet t)",
			"/subnets/3/host_routes/1/nexthop: the host route has no next hop (subnet u)",
			`/subnets/4/host_routes/0/nexthop: next hop "11.8.0.01" is not an IP address (subnet v)`}},
		{"a line that is not a host route", `{"ID":"s","Subnet":"10.0.0.0/8","Gateway":null,"Host Routes":"\ndestination='11.0.0.0/8', gateway='10.0.0.1'\nroute\nother"}`, []string{
			`/subnets/1/Host Routes: "route" is not of the form destination='11.11.0.0/16', gateway='11.8.0.1' (subnet s)`}},
		{"a line with a wrong next hop", `{"ID":"s","Subnet":"10.0.0.0/8","Gateway":null,"Host Routes":"destination='11.0.0.0/8', gateway='x'"}`, []string{
			`/subnets/1/Host Routes: next hop "x" is not an IP address (subnet s)`}},
		{"another subnet of one ID", subnetWith("s", `"x":1`) + `,` + subnetWith("s", `"network_id":"n"`), []string{
			"/subnets/2: subnet s was listed before with different content: the first one counts"}},
		{"another subnet of one ID, the first left out", `{"id":"s","gateway_ip":null},` + subnetWith("s", `"x":1`), []string{
			"/subnets/1/cidr: the subnet has no CIDR (subnet s)",
			"/subnets/2: subnet s was listed before with different content: the first one counts"}},
		{"the same subnet again, left out", `{"id":"s"},{"id":"s","name":"x"}`, []string{"/subnets/1/cidr: the subnet has no CIDR (subnet s)"}},
		{"the text of a value is cut short", `{"id":"s","cidr":"` + strings.Repeat("1", 1000) + `","gateway_ip":null}`, []string{
			`/subnets/1/cidr: "` + strings.Repeat("1", 64) + `" is not a CIDR (subnet s)`}},
		{"characters that are not printable", `{"id":"\u202e\n","cidr":"\u001b[31m","gateway_ip":null}`, []string{
			`/subnets/1/cidr: "\x1b[31m" is not a CIDR (subnet "\u202e\n")`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const before, after = `{"id":"before","cidr":"10.1.0.0/16","gateway_ip":""}`, `{"id":"after","cidr":"10.2.0.0/16","gateway_ip":""}`
			got := decodeSubnets(t, `{"subnets":[`+before+`,`+tt.elements+`,`+after+`]}`)
			var want []string
			for _, s := range tt.want {
				want = append(want, "subnets, "+s)
			}
			wantProblems(t, want, got.Problems)
			if n := len(got.Subnets); n < 2 || got.Subnets[0].ID != "before" || got.Subnets[n-1].ID != "after" {
				t.Errorf("got %d subnets, want at least those before and after", n)
			}
		})
	}
}

// Problems name the value and the path of their element, whatever the form.
func TestProblemsOfEachForm(t *testing.T) {
	got := decodeSubnets(t, `{"id":"a"} [{"ID":"b"},{"Id":"c"}] {"subnet":{"id":"d"}} {"x":1,"Subnets":[{"id":"e"}]} {"Subnet":"10.0.0.0/33","ID":"f"}`)
	wantProblems(t, []string{
		"subnets, /cidr: the subnet has no CIDR (subnet a)",
		"subnets, value 2, /0/Subnet: the subnet has no CIDR (subnet b)",
		"subnets, value 2, /1/cidr: the subnet has no CIDR (subnet c)",
		"subnets, value 3, /subnet/cidr: the subnet has no CIDR (subnet d)",
		"subnets, value 4, /Subnets/0/cidr: the subnet has no CIDR (subnet e)",
		`subnets, value 5, /Subnet: "10.0.0.0/33" is not a CIDR (subnet f)`,
	}, got.Problems)
}

func TestProblemsMarshalWithTheirReason(t *testing.T) {
	got := decodeSubnets(t, `[{"id":"a","gateway_ip":null}]`)
	b, err := json.Marshal(got.Problems)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"document":"subnets","value":1,"path":"/0/cidr","subnet":"a","port":"","instance":"","error":"the subnet has no CIDR"}]`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestSubnetNames(t *testing.T) {
	got := decodeSubnets(t, `[{"id":"a","name":"front","cidr":"10.0.0.0/8","gateway_ip":""},{"id":"b","name":""},{"ID":"c","Name":"left out"},{"name":"nobody"},{"id":"a","name":"other","cidr":"10.0.0.0/8","gateway_ip":""}]`)
	if diff := cmp.Diff(map[string]string{"a": "front", "c": "left out"}, got.SubnetNames); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An error names the document, the value and the byte, and says what was expected. What
// encoding/json says is not compared: it changes with releases.
func TestDocumentErrors(t *testing.T) {
	const form = "subnets: the form is unknown: "
	for _, tt := range []struct{ name, document, want string }{
		{"no value", "", "subnets: the document is empty"},
		{"white space", " \n", "subnets: the document is empty"},
		{"a number", `5`, form},
		{"a number that no float64 holds", `1` + strings.Repeat("0", 400), form},
		{"null", `null`, form},
		{"an empty object", `{}`, form},
		{"ports", `{"ports":[]}`, form},
		{"an error of the API", `{"NeutronError":{"type":"SubnetNotFound"}}`, form},
		{"a list that is none", `{"subnets":5}`, form},
		{"an object for a list", `{"subnets":{"id":"s"}}`, form},
		{"a list for an object", `{"subnet":[]}`, form},
		{"the second value", `[]5`, "subnets, value 2: the form is unknown: "},
		{"malformed", `nul`, "subnets: reading failed after byte 0: "},
		{"malformed list", `[1}`, "subnets: reading failed after byte "},
		{"malformed object", `{"id":1]`, "subnets: reading failed after byte "},
		{"malformed name", `{"id":1,5:1}`, "subnets: reading failed after byte "},
		{"malformed value of the envelope", `{"subnets":]}`, "subnets: reading failed after byte "},
		{"malformed other member", `{"x":[}`, "subnets: reading failed after byte "},
		{"a comma too many", `[{},]`, "subnets: reading failed after byte "},
		{"a comma too few", `[{}{}]`, "subnets: reading failed after byte "},
		{"malformed second value", `[] [{"id":}]`, "subnets, value 2: reading failed after byte 4: "},
		{"malformed in a later element", `[{"id":"s"},{"id"}]`, "subnets: reading failed after byte 1"},
		{"garbage at the end", `[] x`, "subnets, value 2: reading failed after byte "},
		{"10001 levels", `[` + strings.Repeat("[", 10001) + strings.Repeat("]", 10002), "subnets: reading failed after byte 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.DecodeSubnets(strings.NewReader(tt.document))
			if d != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want an error %s", d, err, tt.want)
			}
		})
	}
}

func TestTruncatedDocuments(t *testing.T) {
	document, whole := "", make(map[int]bool)
	for _, value := range []string{`[` + apiFront + `]`, `{"subnet":` + apiBack + `}`, `{"x":[],"subnets":[` + apiFront + `]}`, showBack} {
		document += value
		whole[len(document)] = true
	}
	for n := 1; n <= len(document); n++ {
		_, err := neutron.DecodeSubnets(strings.NewReader(document[:n]))
		if whole[n] && err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%d bytes: %v is an end that is expected", n, err)
		}
		if !whole[n] && (err == nil || !strings.Contains(err.Error(), ": reading failed after byte ")) {
			t.Fatalf("%d bytes: got %v, want that reading failed", n, err)
		}
	}
}

func TestReaders(t *testing.T) {
	broken := errors.New("connection reset")
	once := &failsOnce{strings.NewReader(`{"subnets":[`), broken, strings.NewReader(`]}`)}
	for _, tt := range []struct {
		name           string
		subnets, ports io.Reader
		want           error  // that is wrapped
		text           string // that it begins with
	}{
		{"no subnets", nil, strings.NewReader(`[]`), nil, "subnets: the reader is nil"},
		{"no ports", strings.NewReader(`[]`), nil, nil, "ports: the reader is nil"},
		{"a reader that fails", io.MultiReader(strings.NewReader(`{"subnets":[`), iotest.ErrReader(broken)), strings.NewReader(`[]`), broken,
			"subnets: reading failed after byte "},
		{"a reader that fails once", once, strings.NewReader(`[]`), broken, "subnets: reading failed after byte "},
		{"a reader that fails between values", io.MultiReader(strings.NewReader(`[]`), iotest.ErrReader(broken)), strings.NewReader(`[]`), broken,
			"subnets, value 2: reading failed after byte "},
		{"a body that is cut off", io.MultiReader(strings.NewReader(`[]`), iotest.ErrReader(io.ErrUnexpectedEOF)), strings.NewReader(`[]`), io.ErrUnexpectedEOF,
			"subnets, value 2: reading failed after byte "},
		{"a reader that reads nothing", neverReads{}, strings.NewReader(`[]`), io.ErrNoProgress, "subnets: reading failed after byte 0: "},
		{"truncated ports", strings.NewReader(`[]`), strings.NewReader(`[`), nil, "ports: reading failed after byte 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := neutron.Decode(tt.subnets, tt.ports)
			if d != nil || err == nil || !strings.HasPrefix(err.Error(), tt.text) {
				t.Fatalf("got %v, %v; want an error %s", d, err, tt.text)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v does not wrap %v", err, tt.want)
			}
		})
	}
}

// A failsOnce reads on after an error.
type failsOnce struct {
	io.Reader
	err  error
	next io.Reader
}

func (r *failsOnce) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF && r.err != nil {
		err, r.err, r.Reader = r.err, nil, r.next
	}
	return n, err
}

type neverReads struct{}

func (neverReads) Read([]byte) (int, error) { return 0, nil }

func TestReadersMayReturnOneByteAtATime(t *testing.T) {
	got, err := neutron.DecodeSubnets(iotest.OneByteReader(strings.NewReader(`{"subnets":[` + apiFront + `,` + apiBack + `]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*hostroute.Subnet{front(), back()}, got.Subnets, equate); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
