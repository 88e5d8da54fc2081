package main

import (
	"slices"
	"strings"
	"testing"
)

// A shorter route of one NIC, that longer ones of another NIC cover, goes before these. Where two subnets each have one that has
// to go first, their host routes go one after the other.
func TestOrderOfWhatCanGo(t *testing.T) {
	const (
		x1, x2 = `{"destination":"11.11.0.0/24","nexthop":"10.65.0.1"}`, `{"destination":"11.11.1.0/24","nexthop":"10.65.0.1"}`
		y      = `{"destination":"11.11.0.0/23","nexthop":"11.8.0.1"}` // covered by x1 and x2
		stays  = `{"destination":"12.0.0.0/8","nexthop":"11.8.0.1"}`
		r1, r2 = `{"destination":"12.11.0.0/24","nexthop":"11.8.0.1"}`, `{"destination":"12.11.1.0/24","nexthop":"11.8.0.1"}`
		q      = `{"destination":"12.11.0.0/23","nexthop":"10.65.0.1"}` // covered by r1 and r2
	)
	port := func(id, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	ports := textFile(t, `{"ports":[`+port("p1", "a", "10.65.0.5")+","+port("p2", "b", "11.8.0.5")+`]}`)
	for _, test := range []struct{ onA, onB, want []string }{
		{[]string{x1, x2}, []string{y}, []string{"11.11.0.0/23 b", "11.11.0.0/24 11.11.1.0/24 a"}},
		{[]string{x1, x2, q}, []string{y, stays, r1, r2}, []string{"12.11.0.0/23 a", "11.11.0.0/23 b", "12.11.0.0/24 b", "12.11.1.0/24 b", "11.11.0.0/24 a", "11.11.1.0/24 a"}},
	} {
		subnets := textFile(t, `{"subnets":[{"id":"a","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[`+strings.Join(test.onA, ",")+`]},
			{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[`+strings.Join(test.onB, ",")+`]}]}`)
		out, _ := program(t, 0, "-default-subnet", "a", subnets, ports)
		wantContains(t, out, "\n  Run the commands in this order: then no data moves in between.\n")
		var got []string
		for line := range strings.Lines(lines(out, "CAN GO")) {
			if command, isCommand := strings.CutPrefix(line, "    openstack subnet unset "); isCommand {
				var parts []string
				for _, word := range strings.Fields(command) {
					if destination, is := strings.CutPrefix(word, "destination="); is {
						destination, _, _ = strings.Cut(destination, ",")
						parts = append(parts, destination)
					}
				}
				got = append(got, strings.Join(append(parts, strings.Fields(command)[len(strings.Fields(command))-1]), " "))
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q\n%s", got, test.want, out)
		}
	}
}

// Where lists with host bits are written whole, no order may do. Then the text does not promise one.
func TestOrderThatDoesNotExist(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"s0","cidr":"10.0.0.0/24","gateway_ip":"10.0.0.1","host_routes":[
			{"destination":"11.0.0.9/8","nexthop":"10.0.0.1"},{"destination":"11.128.0.0/9","nexthop":"10.0.0.1"},{"destination":"11.128.0.0/10","nexthop":"10.0.0.1"}]},
		{"id":"s1","cidr":"10.0.1.0/24","gateway_ip":"10.0.1.1","host_routes":[
			{"destination":"11.0.0.0/9","nexthop":"10.0.1.1"},{"destination":"11.0.0.9/8","nexthop":"10.0.1.1"},{"destination":"11.128.0.0/10","nexthop":"10.0.1.1"}]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p0","device_id":"i0","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"s0","ip_address":"10.0.0.5"}]},
		{"id":"p1","device_id":"i0","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"s1","ip_address":"10.0.1.5"}]}]}`)
	out, _ := program(t, 1, "-default-nic", "eth0", subnets, ports)
	wantContains(t, lines(out, "CAN GO"), "\n  Run all of the commands: until the last is done, data may move.\n")
	if strings.Contains(out, "Run the commands in this order") {
		t.Errorf("got\n%s", out)
	}
}
