package realneutron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// What the library says about host routes beside its findings.
const (
	plain   = ""        // it reads them as they are
	problem = "problem" // it leaves the subnet out, with a Problem
)

const (
	accepted = true
	refused  = false
)

// hostRouteRules are the sentences about what Neutron's API does with a subnet's list of host routes. Each has lists that
// show it, for 11.8.0.0/24 and 2001:db8:8::/64.
var hostRouteRules = []struct {
	sentence string
	accepted bool
	library  string // plain, problem, or the code of a finding
	onIPv4   [][]string
	onIPv6   [][]string
}{
	{"refuses a destination without a slash", refused, problem,
		[][]string{{"20.1.0.0,11.8.0.1"}, {"20.1.0.1,11.8.0.1"}}, [][]string{{"2001:db8:77::1,2001:db8:8::1"}}},
	{"refuses host bits", refused, "host-bits",
		[][]string{{"11.11.77.5/16,11.8.0.1"}, {"11.11.77.0/20,11.8.0.1"}, {"1.2.3.4/0,11.8.0.1"}, {"11.11.77.5/255.255.0.0,11.8.0.1"}},
		[][]string{{"2001:db8:77::1/48,2001:db8:8::1"}}},
	{"refuses a destination inside 127.0.0.0/8", refused, "loopback-destination",
		[][]string{{"127.0.0.0/8,11.8.0.1"}, {"127.1.0.0/16,11.8.0.1"}, {"127.0.0.1/32,11.8.0.1"}}, nil},
	{"accepts a destination around 127.0.0.0/8", accepted, plain, [][]string{{"126.0.0.0/7,11.8.0.1"}}, nil},
	{"refuses exact duplicates", refused, plain,
		[][]string{{"20.1.0.0/16,11.8.0.1", "20.1.0.0/16,11.8.0.1"}}, [][]string{{"2001:db8:77::/48,2001:db8:8::1", "2001:db8:77::/48,2001:db8:8::1"}}},
	{"refuses a family other than the subnet's", refused, "next-hop-unusable",
		[][]string{{"2001:db8:77::/48,2001:db8:8::1"}, {"2001:db8:77::/48,11.8.0.1"}, {"20.1.0.0/16,2001:db8:8::1"}},
		[][]string{{"20.1.0.0/16,11.8.0.1"}, {"20.1.0.0/16,2001:db8:8::1"}, {"2001:db8:77::/48,11.8.0.1"}}},
	{"refuses more than 20 routes", refused, "too-many-routes", [][]string{numbered(21, "11.8.0.1")}, nil},
	{"accepts 20 routes", accepted, plain, [][]string{numbered(20, "11.8.0.1")}, nil},
	{"refuses next hops with leading zeros", refused, problem, [][]string{{"20.1.0.0/16,011.8.0.1"}, {"20.1.0.0/16,11.8.0.01"}}, nil},
	{"refuses next hops with zones", refused, problem, nil, [][]string{{"2001:db8:77::/48,fe80::1%eth0"}}},
	{"refuses next hops that are null", refused, problem, [][]string{{"20.1.0.0/16,null"}}, [][]string{{"2001:db8:77::/48,null"}}},
	{"refuses IPv4-mapped addresses on an IPv4 subnet", refused, plain, [][]string{{"::ffff:20.1.0.0/112,11.8.0.1"}, {"20.1.0.0/16,::ffff:11.8.0.1"}}, nil},

	{"accepts netmasks", accepted, "netmask-spelling",
		[][]string{{"11.0.0.0/255.0.0.0,11.8.0.1"}, {"20.1.2.3/255.255.255.255,11.8.0.1"}, {"0.0.0.0/0.0.0.0,11.8.0.1"}}, nil},
	{"accepts IPv6 netmasks", accepted, plain, nil, [][]string{{"2001:db8::/ffff:ffff::,2001:db8:8::1"}}},
	{"accepts inverted netmasks", accepted, "netmask-spelling", [][]string{{"11.0.0.0/0.255.255.255,11.8.0.1"}}, nil},
	{"accepts /016, /+16 and /-0", accepted, problem, [][]string{{"20.1.0.0/016,11.8.0.1"}, {"20.1.0.0/+16,11.8.0.1"}, {"0.0.0.0/-0,11.8.0.1"}}, nil},
	{"accepts 11/8 and 11.1/16", accepted, problem, [][]string{{"11/8,11.8.0.1"}, {"11.1/16,11.8.0.1"}}, nil},
	{"accepts 011.0.0.0/16", accepted, problem, [][]string{{"011.0.0.0/16,11.8.0.1"}}, nil},
	{"accepts digits of other scripts", accepted, problem, [][]string{{"20.1.0.0/\u0661\u0666,11.8.0.1"}, {"\uff12\uff10.1.0.0/16,11.8.0.1"}}, nil},
	{"accepts IPv6 destinations in any spelling", accepted, plain, nil, [][]string{{"2001:DB8:77::/48,2001:db8:8::1"}, {"2001:0db8:77:0::/48,2001:db8:8::1"}}},
	{"accepts a duplicate in another spelling", accepted, "netmask-spelling", [][]string{{"20.1.0.0/16,11.8.0.1", "20.1.0.0/255.255.0.0,11.8.0.1"}}, nil},
	{"accepts a destination twice, by two next hops", accepted, plain, [][]string{{"20.1.0.0/16,11.8.0.1", "20.1.0.0/16,11.8.0.2"}}, nil},
	{"accepts 0.0.0.0/0", accepted, plain, [][]string{{"0.0.0.0/0,11.8.0.1"}, {"0.0.0.0/0,11.8.0.77"}}, [][]string{{"::/0,2001:db8:8::1"}}},
	{"accepts any next hop of the family, inside the subnet or not", accepted, plain,
		[][]string{{"20.1.0.0/16,0.0.0.0"}, {"20.1.0.0/16,127.0.0.1"}, {"20.1.0.0/16,224.0.0.5"}, {"20.1.0.0/16,11.8.0.0"}, {"20.1.0.0/16,11.8.0.255"},
			{"20.1.0.0/16,255.255.255.255"}, {"20.1.0.0/16,240.0.0.1"}, {"20.1.0.0/16,192.0.2.1"}},
		[][]string{{"2001:db8:77::/48,::"}, {"2001:db8:77::/48,::1"}, {"2001:db8:77::/48,fe80::1"}, {"2001:db8:77::/48,ff02::1"}, {"2001:db8:77::/48,2001:db8:9::1"}}},
	{"accepts multicast destinations", accepted, plain, [][]string{{"224.0.0.0/4,11.8.0.1"}, {"239.1.2.3/32,11.8.0.1"}}, [][]string{{"ff00::/8,2001:db8:8::1"}}},
	{"accepts IPv4-mapped addresses on an IPv6 subnet", accepted, problem, nil, [][]string{{"::ffff:20.1.0.0/112,2001:db8:8::1"}, {"2001:db8:77::/48,::ffff:11.8.0.1"}}},
}

// A subnet made without a gateway gets one as the remedy of no-lease says: only with other allocation pools, in one request. Neutron
// does not look at whether a port has the address.
func (s server) testGatewayAndPools(t *testing.T) {
	id := s.createSubnet(t, members{"ip_version": 4, "cidr": "10.72.0.0/24", "gateway_ip": nil})
	gateway := members{"gateway_ip": "10.72.0.1"}
	if status, answer := s.call(t, "PUT", "subnets/"+id, members{"subnet": gateway}); status != http.StatusConflict {
		t.Errorf("in a pool: %d %s", status, answer)
	}
	const fixedIP = `{"port":{"network_id":%q,"fixed_ips":[{"subnet_id":%q,"ip_address":"10.72.0.1"}]}}`
	document, _ := s.subnet(t, id)
	status, answer := s.call(t, "POST", "ports", json.RawMessage(fmt.Sprintf(fixedIP, document["network_id"], id)))
	if status != http.StatusCreated {
		t.Fatalf("a port with the address: %d %s", status, answer)
	}
	rule, _ := hostroute.CodeNoLease.Rule()
	_, command, found := strings.Cut(rule.Remedy, "openstack ")
	command, _, ends := strings.Cut(command, " SUBNET")
	if !found || !ends {
		t.Fatalf("the remedy has no command: %s", rule.Remedy)
	}
	s.script(t, []string{strings.ReplaceAll(command, "11.8.0.", "10.72.0.") + " " + id})
	if now, _ := s.subnet(t, id); now["gateway_ip"] != "10.72.0.1" {
		t.Errorf("with other pools, the gateway is %v", now["gateway_ip"])
	}
}

// Neutron refuses and accepts what the library's documentation says, and keeps what it accepts as it is spelled.
func (s server) testHostRoutes(t *testing.T) {
	for _, cidr := range []string{"11.8.0.0/24", "2001:db8:8::/64"} {
		id := s.createSubnet(t, subnet{cidr: cidr}.members())
		other := s.create(t, "network", members{})
		for _, rule := range hostRouteRules {
			lists := rule.onIPv4
			if strings.Contains(cidr, ":") {
				lists = rule.onIPv6
			}
			for _, list := range lists {
				t.Run(rule.sentence+"/"+list[0], func(t *testing.T) {
					m := subnet{cidr: cidr, hostRoutes: list}.members()
					m["network_id"] = other
					s.checkNew(t, rule.accepted, m)
					document := s.checkChange(t, rule.accepted, id, list)
					s.checkTreatment(t, rule.library, document)
				})
			}
		}
	}
}

// checkNew makes a subnet, and deletes it.
func (s server) checkNew(t *testing.T, accepted bool, m members) {
	t.Helper()
	status, answer := s.call(t, "POST", "subnets", map[string]members{"subnet": m})
	want := http.StatusBadRequest
	if accepted {
		want = http.StatusCreated
	}
	if status != want {
		t.Errorf("POST is answered %d, want %d: %s", status, want, answer)
	}
	if status == http.StatusCreated {
		s.call(t, "DELETE", "subnets/"+created(t, answer), nil)
	}
}

// checkChange gives a subnet without host routes a list, and returns the subnet with it, even if Neutron refuses the list.
func (s server) checkChange(t *testing.T, accepted bool, id string, list []string) members {
	t.Helper()
	sent := hostRoutes(list)
	status, answer := s.call(t, "PUT", "subnets/"+id, map[string]members{"subnet": {"host_routes": sent}})
	t.Cleanup(func() { s.call(t, "PUT", "subnets/"+id, json.RawMessage(neutron.UpdateBody(nil))) })
	document, kept := s.subnet(t, id)
	want, wantStatus := slices.Sorted(slices.Values(list)), http.StatusOK
	if !accepted {
		want, wantStatus = nil, http.StatusBadRequest
		document["host_routes"] = sent // as in a plan
	}
	if status != wantStatus {
		t.Errorf("PUT is answered %d, want %d: %s", status, wantStatus, answer)
	}
	if diff := gocmp.Diff(want, kept); diff != "" {
		t.Errorf("Neutron keeps (-want +got):\n%s", diff)
	}
	return document
}

// checkTreatment holds what the library says about a subnet against what it should say. Neutron accepts what the library
// writes for it, unless a finding says that Neutron refuses it.
func (s server) checkTreatment(t *testing.T, want string, document members) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	d, err := neutron.DecodeSubnets(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Problems) > 0 {
		if want != problem {
			t.Errorf("the library has %v, want %q", d.Problems, want)
		}
		return
	}
	sub := d.Subnets[0]
	findings, err := hostroute.AnalyzeSubnet(sub)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range append(d.Findings, findings...) {
		codes = append(codes, string(f.Code))
	}
	notPlain := []string{"netmask-spelling", "host-bits", "loopback-destination", "too-many-routes"}
	isNotPlain := func(code string) bool { return slices.Contains(notPlain, code) }
	if want == plain && slices.ContainsFunc(codes, isNotPlain) || want != plain && !slices.Contains(codes, want) {
		t.Errorf("the library's findings are %q, want %q", codes, want)
	}
	wantStatus := http.StatusOK
	switch want {
	case "loopback-destination", "too-many-routes", "next-hop-unusable":
		wantStatus = http.StatusBadRequest
	}
	if status, answer := s.call(t, "PUT", "subnets/"+sub.ID, json.RawMessage(neutron.UpdateBody(sub))); status != wantStatus {
		t.Errorf("what the library writes is answered %d, want %d: %s", status, wantStatus, answer)
	}
}

// Without gateway_ip in a request, Neutron takes the gateway that the library says.
func (s server) testDefaultGateway(t *testing.T) {
	for _, cidr := range []string{"11.8.0.0/24", "11.8.0.128/25", "11.8.0.0/30", "2001:db8:8::/64", "2001:db8:8::10/124"} {
		document, _ := s.subnet(t, s.createSubnet(t, subnet{cidr: cidr}.members()))
		if got, want := document["gateway_ip"], neutron.DefaultGateway(netip.MustParsePrefix(cidr)).String(); got != want {
			t.Errorf("%s: Neutron takes %v, the library %s", cidr, got, want)
		}
	}
}
