package neutron_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

func TestUpdates(t *testing.T) {
	list := func(routes ...string) (out []hostroute.HostRoute) {
		for _, r := range routes {
			out = append(out, hostroute.MustParseHostRoute(r))
		}
		return out
	}
	set := []string{"openstack", "subnet", "set", "--no-host-route"}[:4:4] // append copies it
	for _, tt := range []struct {
		name    string
		subnet  *hostroute.Subnet
		body    string
		command []string
	}{
		{"no subnet", nil, `{"subnet":{"host_routes":[]}}`, nil},
		{"no host routes", &hostroute.Subnet{ID: "s"}, `{"subnet":{"host_routes":[]}}`, append(set, "s")},
		{"in their order", &hostroute.Subnet{ID: "s", HostRoutes: list("12.0.0.0/8,10.0.0.1", "11.0.0.0/8,10.0.0.1")},
			`{"subnet":{"host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.0.0.1"},{"destination":"11.0.0.0/8","nexthop":"10.0.0.1"}]}}`,
			append(set, "--host-route", "destination=12.0.0.0/8,gateway=10.0.0.1", "--host-route", "destination=11.0.0.0/8,gateway=10.0.0.1", "s")},
		{"equal copies once", &hostroute.Subnet{ID: "s", HostRoutes: list("12.0.0.0/8,10.0.0.1", "12.0.0.0/8,10.0.0.1")},
			`{"subnet":{"host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.0.0.1"}]}}`,
			append(set, "--host-route", "destination=12.0.0.0/8,gateway=10.0.0.1", "s")},
		{"an ID like an option", &hostroute.Subnet{ID: "-s"}, `{"subnet":{"host_routes":[]}}`, append(set, "--", "-s")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(neutron.UpdateBody(tt.subnet)); got != tt.body {
				t.Errorf("body %s, want %s", got, tt.body)
			}
			if diff := cmp.Diff(tt.command, neutron.Command(tt.subnet)); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
}

// JSON may write a slash as \/, and results hold [] where there is nothing.
func TestEscapedSlashesAndEmptyLists(t *testing.T) {
	const doc = `{"subnet":{"id":"s","cidr":"10.65.0.0\/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.0.0.0\/255.0.0.0","nexthop":"10.65.0.1"}]}}`
	d, err := neutron.DecodeSubnets(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Subnets[0].CIDR.String() + " " + d.Subnets[0].HostRoutes[0].String(); got != "10.65.0.0/24 11.0.0.0/8,10.65.0.1" {
		t.Errorf("got %s", got)
	}
	b, err := json.Marshal(d.Findings)
	if err != nil || strings.Contains(string(b), "null") || len(d.Findings) != 1 {
		t.Errorf("findings: %s, %v", b, err)
	}
	if d, err = neutron.DecodeSubnets(strings.NewReader(`[]`)); err != nil || d.Findings == nil {
		t.Errorf("no subnets: %+v, %v", d, err)
	}
}
