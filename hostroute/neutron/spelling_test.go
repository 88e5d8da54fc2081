package neutron_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// withDestination returns a subnet with a host route, as the API prints it and as clients before
// 4.0.0 do.
func withDestination(destination, more string) []string {
	const format = `{"%s":"s","%s":"10.65.0.0/24","%s":"10.65.0.1","%s":%s%s}`
	return []string{
		fmt.Sprintf(format, "id", "cidr", "gateway_ip", "host_routes", `[{"destination":"`+destination+`","nexthop":"10.65.0.1"}]`, more),
		fmt.Sprintf(format, "ID", "Subnet", "Gateway", "Host Routes", `"destination='`+destination+`', gateway='10.65.0.1'"`, more),
	}
}

// Destinations that are understood, and what dnsmasq makes of their spelling.
func TestDestinationSpelling(t *testing.T) {
	const beyond = ", and dhclient installs no route of the subnet, not even the default"
	for _, tt := range []struct{ text, want, finding string }{
		{"10.0.0.0/8", "10.0.0.0/8", ""},
		{"10.1.2.3/8", "10.1.2.3/8", ""},
		{"0.0.0.0/0", "0.0.0.0/0", ""},
		{"2001:DB8::/32", "2001:db8::/32", ""},
		{"10.0.0.0/255.0.0.0", "10.0.0.0/8", "255" + beyond},
		{"10.1.2.3/255.0.0.0", "10.1.2.3/8", "255" + beyond},
		{"128.0.0.0/128.0.0.0", "128.0.0.0/1", "128" + beyond},
		{"10.0.0.1/255.255.255.255", "10.0.0.1/32", "255" + beyond},
		{"10.0.0.0/0.255.255.255", "10.0.0.0/8", "0"},
		{"64.0.0.0/63.255.255.255", "64.0.0.0/2", "63" + beyond},
		{"2.0.0.0/1.255.255.255", "2.0.0.0/7", "1"},
		{"0.0.0.0/0.0.0.0", "0.0.0.0/0", "0"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			r := route(tt.want + ",10.65.0.1")
			for _, document := range withDestination(tt.text, "") {
				got := decodeSubnets(t, document)
				wantProblems(t, nil, got.Problems)
				if diff := cmp.Diff([]hostroute.HostRoute{r}, got.Subnets[0].HostRoutes, equate); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				var want []hostroute.Finding
				if tt.finding != "" {
					want = []hostroute.Finding{{
						Code:     neutron.CodeNetmaskSpelling,
						Severity: hostroute.SeverityError,
						Subject:  hostroute.Ref{Subnet: "s", HostRoute: r},
						Message:  "destination " + tt.text + " is spelled with a netmask and not as " + tt.want + ": dnsmasq sends it with the length " + tt.finding,
						Fixes: []hostroute.Fix{{
							Message: "rewrite the subnet's list of host routes, with " + tt.want + " as destination",
						}},
					}}
				}
				if diff := cmp.Diff(want, got.Findings, equate); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			for _, document := range withDestination(tt.text, `,"enable_dhcp":false`) {
				if got := decodeSubnets(t, document); len(got.Findings) > 0 {
					t.Errorf("without DHCP: %v; want no finding", got.Findings)
				}
			}
		})
	}
}

func TestIPv6NetmasksAreNoFinding(t *testing.T) {
	for _, text := range []string{"2001:db8::/ffff:ffff::", "2001:db8::/0:0:ffff:ffff:ffff:ffff:ffff:ffff"} {
		got := decodeSubnets(t, `{"id":"s","cidr":"2001:db8::/64","gateway_ip":null,"host_routes":[{"destination":"`+text+`","nexthop":"2001:db8::1"}]}`)
		wantProblems(t, nil, got.Problems)
		if r := got.Subnets[0].HostRoutes[0]; r != route("2001:db8::/32,2001:db8::1") || len(got.Findings) > 0 {
			t.Errorf("%s: got %v, findings %v", text, r, got.Findings)
		}
	}
}

// What is not understood for certain is a problem: spellings that Neutron takes and other software
// does not, and those that nobody takes.
func TestOtherSpellingsAreProblems(t *testing.T) {
	for _, text := range []string{
		"11/8", "11.1/16", "011.0.0.0/16", "10.0.0.0/08", "10.0.0.0/016", "10.0.0.0/+16", "10.0.0.0/\u0668", "0.0.0.0/00", "10.0.0.0",
		"/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/255.0.255.0", "10.0.0.0/255.0.0", "10.0.0.0/ 8", "10.0.0.0/010.0.0.0",
		"10.0.0.0/::", "10.0.0.0/ffff::", "::/255.0.0.0", "::/129", "::/ffff::ffff", "fe80::%eth0/64", "fe80::/ffff::%eth0",
		"10.0.0.0/99999999999999999999",
	} {
		for i, document := range withDestination(text, "") {
			got := decodeSubnets(t, document+`{"id":"other","cidr":"::/0","gateway_ip":null}`)
			path := []string{"/host_routes/0/destination", "/Host Routes"}[i]
			wantProblems(t, []string{fmt.Sprintf("subnets, %s: destination %q is not spelled as a CIDR: a guest may get another one, or none (subnet s)", path, text)}, got.Problems)
			if len(got.Subnets) != 1 || got.Subnets[0].ID != "other" {
				t.Errorf("%s: got %v, want the other subnet", text, got.Subnets)
			}
		}
	}
}

func TestFindingsAreInTheOrderOfHostRoutes(t *testing.T) {
	const s = `{"id":"%s","cidr":"10.65.0.0/24","gateway_ip":null,"host_routes":[
		{"destination":"10.0.0.0/255.0.0.0","nexthop":"10.65.0.1"},{"destination":"9.0.0.0/8","nexthop":"10.65.0.1"},
		{"destination":"9.0.0.0/255.0.0.0","nexthop":"10.65.0.2"}]}`
	got := decodeSubnets(t, fmt.Sprintf(s+s+s, "b", "a", "b"))
	wantProblems(t, nil, got.Problems)
	var subjects []string
	for _, f := range got.Findings {
		subjects = append(subjects, f.Subject.String())
	}
	want := []string{"b: 10.0.0.0/8,10.65.0.1", "b: 9.0.0.0/8,10.65.0.2", "a: 10.0.0.0/8,10.65.0.1", "a: 9.0.0.0/8,10.65.0.2"}
	if diff := cmp.Diff(want, subjects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What the fix advises removes the finding.
func TestWritingTheListRemovesNetmaskSpelling(t *testing.T) {
	got := decodeSubnets(t, withDestination("10.0.0.0/255.0.0.0", "")[0])
	body := strings.TrimPrefix(string(neutron.UpdateBody(got.Subnets[0])), `{"subnet":{`)
	again := decodeSubnets(t, `{"subnet":{"id":"s","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1",`+body)
	if len(got.Findings) != 1 || len(again.Findings) != 0 {
		t.Errorf("got %v, then %v; want one finding, then none", got.Findings, again.Findings)
	}
}
