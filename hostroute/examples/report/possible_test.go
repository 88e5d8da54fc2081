package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// Where it depends on the guest whether data moves, the text names a guest under which some does. Where the order of a list
// decides, it names none: see TestNoFixOfWhatOthersNeed.
func TestWhatMayMove(t *testing.T) {
	ports := snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b"))
	const front, back = "f", "b"
	for _, test := range []struct {
		name, subnet, hop, want string
		flags                   []string
	}{
		{"under another client", back, "192.0.2.1", "or: remove: may move data of 1 of 1 instance: for example 11.11.0.0/16, 192.0.2.1/32 back -> front under systemd-networkd, in one\n",
			[]string{"-default-subnet", "f"}},
		{"under the client that is assumed", back, "192.0.2.1", "or: remove: moves data of 1 of 1 instance: 11.11.0.0/16, 192.0.2.1/32 back -> front, e.g. in one\n",
			[]string{"-default-subnet", "f", "-guest", "NetworkManager"}},
		{"with another default route", front, "10.65.0.1", "this needs no fix: to remove it may move data of 1 of 1 instance: for example 11.11.0.0/16 front -> back if the guest keeps the default of back, in one\n", nil},
		{"with the leases in another order", front, "192.0.2.1", "or: remove: may move data of 1 of 1 instance: for example 11.11.0.0/16, 192.0.2.1/32 front -> back " +
			"under systemd-networkd if back has its lease first, in one\n", nil},
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

// Client, default route and order of leases can differ all at once.
func TestPossibleText(t *testing.T) {
	in := snapshotInstance("eth0")
	c := &cloud{Deployment: &neutron.Deployment{SubnetNames: map[string]string{"f": "front", "b": "back"}}}
	move := audit.Move{Destinations: []netip.Prefix{netip.MustParsePrefix("11.11.0.0/16")}, From: "f", To: "b"}
	const want = "11.11.0.0/16 front -> back under systemd-networkd if the guest keeps the default of back and front has its lease first"
	if got := c.possibleText(&in, move, hostroute.GuestNetworkd, "eth1", "eth0"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// mayMove reports whether data may move, without how.
func mayMove(was, is hostroute.Instance) bool {
	_, may := (&cloud{Deployment: &neutron.Deployment{}}).mayMove(was, is)
	return may
}

// What moves with another default route is found, if the guest is offered it.
func TestWhatMovesWithAnotherDefault(t *testing.T) {
	one, two := snapshotInstance("eth1"), snapshotInstance("eth1")
	two.NICs[1].Subnets[0].HostRoutes = append(two.NICs[1].Subnets[0].HostRoutes, hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"))
	if mayMove(one, one) || mayMove(one, two) {
		t.Error("all leaves by eth1 anyway")
	}
	one.DefaultNIC, two.DefaultNIC = "", ""
	if mayMove(one, one) || !mayMove(one, two) {
		t.Error("if the guest keeps the default of eth0, the host route steers")
	}

	for _, in := range []*hostroute.Instance{&one, &two} { // the guest cannot keep a default that it is not offered
		in.NICs[0].Subnets[0].Gateway = netip.Addr{}
	}
	if mayMove(one, two) {
		t.Error("the only default is that of eth1")
	}
}

// systemd-networkd has its leases in any order, whichever default route it is told to keep.
func TestOrderOfLeasesMayMove(t *testing.T) {
	instance := func(routes ...string) hostroute.Instance {
		in := snapshotInstance("eth0")
		for i, id := range []string{"d", "s"} {
			s := &hostroute.Subnet{ID: id, CIDR: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", i+1)), Gateway: netip.MustParseAddr(fmt.Sprintf("10.0.%d.1", i+1))}
			if slices.Contains(routes, id) {
				s.HostRoutes = []hostroute.HostRoute{{Destination: netip.MustParsePrefix("172.21.0.0/16"), NextHop: s.Gateway}}
			}
			in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprintf("eth%d", i+2), Subnets: []*hostroute.Subnet{s}})
		}
		return in
	}
	if !mayMove(instance("d", "s"), instance("d")) {
		t.Error("data left by eth3 if that had its lease first")
	}
	if mayMove(instance("d", "s"), instance("d", "s")) {
		t.Error("nothing changed")
	}
}

// An instance that is offered more default routes than any real one is not looked at. Then nobody may say that nothing moves.
func TestTooManyDefaultsToLook(t *testing.T) {
	instance := func(gateway string) hostroute.Instance {
		in := hostroute.Instance{Name: "one"}
		for i := range maxOffers + 1 {
			s := &hostroute.Subnet{ID: fmt.Sprint(i), CIDR: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", i)), Gateway: netip.MustParseAddr(fmt.Sprintf("10.0.%d.%s", i, gateway))}
			in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprint("eth", i), Subnets: []*hostroute.Subnet{s}})
		}
		return in
	}
	if how, may := new(cloud).mayMove(instance("1"), instance("2")); how != "" || !may {
		t.Errorf("got %q, %v", how, may)
	}
}

// The names of NICs change if a port goes, and what may have moved is told though nothing else changed.
func TestWhatMayHaveMovedWithThePorts(t *testing.T) {
	port := func(id, device, network, host, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"` + device + `","device_owner":"compute:nova","network_id":"` + network + `","binding:host_id":"` + host +
			`","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	subnets := textFile(t, `{"subnets":[{"id":"a","name":"A","network_id":"na","cidr":"10.0.0.0/24","gateway_ip":"10.0.0.1"},{"id":"a2","name":"A2","network_id":"na","cidr":"10.9.0.0/24","gateway_ip":"10.9.0.1"},
		{"id":"b","name":"B","network_id":"nb","cidr":"10.0.1.0/24","gateway_ip":"10.0.1.1"},{"id":"n","name":"N","network_id":"nn","cidr":"10.0.3.0/24","gateway_ip":null}]}`)
	one := []string{port("p1", "one", "na", "h1", "a", "10.0.0.5"), port("p2", "one", "nb", "h1", "b", "10.0.1.5")}
	for _, test := range []struct {
		name          string
		flags         []string
		before, after []string
		want          string
	}{
		{"a sibling comes with another instance", nil, append(one, port("p3", "two", "na", "h2", "a2", "10.9.0.5")), append(one, port("p3", "two", "na", "h1", "a2", "10.9.0.5")),
			"it may have moved in 1 more, if guests are not as assumed (default route, DHCP client, order of leases): for example 10.9.0.0/24 B -> A if the guest keeps the default of B, in one\n"},
		{"the NIC before goes", nil, []string{one[0], port("p0", "one", "nn", "h1", "n", "10.0.3.5"), one[1]}, one, ""},
		{"the NIC before goes under networkd", []string{"-guest", "systemd-networkd"}, []string{one[0], port("p0", "one", "nn", "h1", "n", "10.0.3.5"), one[1]}, one, ""},
		{"the NIC before goes with a known default", []string{"-default-subnet", "b"}, []string{one[0], port("p0", "one", "nn", "h1", "n", "10.0.3.5"), one[1]}, one, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			run(append(test.flags, "-before", subnets+","+snapshot(t, test.before...), subnets, snapshot(t, test.after...)), strings.NewReader(""), &stdout, &stderr)
			out := stdout.String()
			if test.want == "" {
				if !strings.Contains(out, "data moved in 0 of the 1 instance ") || strings.Contains(out, "may have moved") {
					t.Errorf("got\n%s", out)
				}
			} else {
				wantContains(t, out, test.want)
			}
		})
	}
}
