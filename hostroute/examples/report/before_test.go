package main

import (
	"slices"
	"strings"
	"testing"
)

// Documents come in any order.
func TestNothingChanged(t *testing.T) {
	g := generate(4, 150)
	subnets, ports := g.write(t)
	slices.Reverse(g.Ports)
	_, reversed := g.write(t)
	args := []string{"-before", subnets + "," + ports}
	for _, flags := range [][]string{nil, {"-default-nic", "eth1"}, {"-default-subnet", "subnet-0001"}} {
		for _, now := range []string{ports, reversed} {
			if out, _ := program(t, 1, slices.Concat(args, flags, []string{subnets, now})...); out != "Nothing changed.\n" {
				t.Errorf("%v: got\n%s", flags, out)
			}
		}
	}
	if out, _ := program(t, 1, "-before", sampleSubnets, sampleSubnets); out != "Nothing changed.\n" {
		t.Errorf("subnets alone: got\n%s", out)
	}
}

func TestBefore(t *testing.T) {
	subnets := func(onBack string) string {
		return textFile(t, `{"subnets":[{"id":"f","name":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
			{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[`+onBack+`]},
			{"id":"s","name":"spare","cidr":"11.9.0.0/24","gateway_ip":"11.9.0.1","host_routes":[{"destination":"12.0.0.0/16","nexthop":"`+map[bool]string{true: "11.9.0.77", false: "11.9.0.1"}[onBack == ""]+`"}]}]}`)
	}
	port := func(id, device, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"` + device + `","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	one, two := port("p1", "one", "f", "10.65.0.5")+","+port("p2", "one", "b", "11.8.0.5"), port("p3", "two", "f", "10.65.0.6")+","+port("p4", "two", "b", "11.8.0.6")
	document := func(ports ...string) string { return textFile(t, `{"ports":[`+strings.Join(ports, ",")+`]}`) }

	before := subnets("") + "," + document(one, two, port("p5", "gone", "f", "10.65.0.7"))
	after := []string{subnets(`{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},{"destination":"11.12.0.0/16","nexthop":"11.8.0.77"}`), document(two, one, port("p6", "new", "f", "10.65.0.8"))}
	const want = `instances: 1 came, 1 went
data moved in 2 of the 2 instances that are in both snapshots
  11.11.0.0/16, 11.12.0.0/16 front -> back in 2 instances, e.g. one

HOST ROUTES
  + 11.11.0.0/16 via 11.8.0.1, on back 11.8.0.0/24: 2 instances: depends
  + 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24: 2 instances: depends
  + 12.0.0.0/16 via 11.9.0.1, on spare 11.9.0.0/24: no instance
  - 12.0.0.0/16 via 11.9.0.77, on spare 11.9.0.0/24: no instance

FINDINGS
  + error next-hop-not-gateway of 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24: 2 instances; e.g. one
  - error next-hop-not-gateway of 12.0.0.0/16 via 11.9.0.77, on spare 11.9.0.0/24: no instance
`
	if out, _ := program(t, 1, append([]string{"-before", before}, after...)...); out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	onlyOne := append([]string{"-before", strings.Join(after, ",")}, after[0], document(one))
	if out, _ := program(t, 1, onlyOne...); !strings.Contains(out, "instances: 0 came, 2 went\n") || !strings.Contains(out, "  ~ 11.11.0.0/16 via 11.8.0.1, on back 11.8.0.0/24: was 2 instances: depends; is 1 instance: depends\n") ||
		!strings.Contains(out, "  ~ error next-hop-not-gateway of 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24: 2 -> 1 instance; e.g. one\n") {
		t.Errorf("got\n%s", out)
	}
	if _, stderr := program(t, 2, "-before", "absent.json,"+after[1], after[0], after[1]); !strings.Contains(stderr, "before: ") {
		t.Errorf("stderr: %q", stderr)
	}
}
