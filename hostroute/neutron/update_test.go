package neutron_test

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute/neutron"
)

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
