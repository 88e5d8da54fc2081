package main

import "testing"

// Where it depends on the guest whether data moves, the text names a guest under which some does. Where the order of a list
// decides, it names none: see TestNoFixOfWhatOthersNeed.
func TestWhatMayMove(t *testing.T) {
	port := func(id, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	ports := textFile(t, `{"ports":[`+port("p1", "f", "10.65.0.5")+","+port("p2", "b", "11.8.0.5")+`]}`)
	const front, back = "f", "b"
	for _, test := range []struct {
		name, subnet, hop, want string
		flags                   []string
	}{
		{"under another client", back, "192.0.2.1", "or: remove: may move data of 1 of 1 instance: 11.11.0.0/16, 192.0.2.1/32 back -> front under systemd-networkd, e.g. in one\n",
			[]string{"-default-subnet", "f"}},
		{"under the client that is assumed", back, "192.0.2.1", "or: remove: moves data of 1 of 1 instance: 11.11.0.0/16, 192.0.2.1/32 back -> front, e.g. in one\n",
			[]string{"-default-subnet", "f", "-guest", "NetworkManager"}},
		{"with another default route", front, "10.65.0.1", "this needs no fix: to remove it may move data of 1 of 1 instance: 11.11.0.0/16 front -> back if the guest keeps the default of back, e.g. in one\n", nil},
		{"under another client with another default route", front, "192.0.2.1", "or: remove: may move data of 1 of 1 instance: 11.11.0.0/16, 192.0.2.1/32 front -> back " +
			"under systemd-networkd if the guest keeps the default of back, e.g. in one\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			routes := map[string]string{test.subnet: `{"destination":"11.11.0.0/16","nexthop":"` + test.hop + `"}`}
			subnets := textFile(t, `{"subnets":[{"id":"f","name":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[`+routes[front]+`]},
				{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[`+routes[back]+`]}]}`)
			out, _ := program(t, 1, append(test.flags, "-fail", "info", "-subnet", test.subnet, subnets, ports)...)
			wantContains(t, out, test.want)
		})
	}
}
