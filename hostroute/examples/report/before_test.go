package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
)

// Documents come in any order.
func TestNothingChanged(t *testing.T) {
	g := generate(4, 60)
	subnets, ports := g.write(t)
	slices.Reverse(g.Ports)
	_, reversed := g.write(t)
	args := []string{"-before", subnets + "," + ports}
	isUnchanged := func(out string) bool { // and nothing follows but why the status is 1
		text, status, _ := strings.Cut(out, "\nThe exit status is 1, because ")
		return text == "Nothing changed.\n" && strings.HasSuffix(status, " at or above error, old ones included.\n") && strings.Count(status, "\n") == 1
	}
	for _, flags := range [][]string{nil, {"-default-nic", "eth1"}, {"-default-subnet", "subnet-0001"}} {
		for _, now := range []string{ports, reversed} {
			if out, _ := program(t, 1, slices.Concat(args, flags, []string{subnets, now})...); !isUnchanged(out) {
				t.Errorf("%v: got\n%s", flags, out)
			}
		}
	}
	if out, _ := program(t, 1, "-before", sampleSubnets, sampleSubnets); !isUnchanged(out) {
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
assumed: NICs are in the order of the file; guests run dhclient (-guest assumes another); no port has a host, so routes to sibling subnets are those of all hosts; 2 instances with several defaults: each keeps the one that it takes by itself (-default-subnet or -default-nic assumes another)

HOST ROUTES
  + 11.11.0.0/16 via 11.8.0.1, on back 11.8.0.0/24 (b): 2 instances: depends on the guest
  + 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24 (b): 2 instances: depends on the guest
  + 12.0.0.0/16 via 11.9.0.1, on spare 11.9.0.0/24 (s): no instance
  - 12.0.0.0/16 via 11.9.0.77, on spare 11.9.0.0/24 (s): no instance

FINDINGS
  + error next-hop-not-gateway of 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24 (b): 2 instances; e.g. one
  - error next-hop-not-gateway of 12.0.0.0/16 via 11.9.0.77, on spare 11.9.0.0/24 (s): no instance

The exit status is 1, because 1 finding is at or above error, old ones included.
`
	if out, _ := program(t, 1, append([]string{"-before", before}, after...)...); out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	onlyOne := append([]string{"-before", strings.Join(after, ",")}, after[0], document(one))
	if out, _ := program(t, 1, onlyOne...); !strings.Contains(out, "instances: 0 came, 2 went\n") || !strings.Contains(out, "  ~ 11.11.0.0/16 via 11.8.0.1, on back 11.8.0.0/24 (b): was 2 instances: depends on the guest; is 1 instance: depends on the guest\n") ||
		!strings.Contains(out, "  ~ error next-hop-not-gateway of 11.12.0.0/16 via 11.8.0.77, on back 11.8.0.0/24 (b): 2 -> 1 instance; e.g. one\n") {
		t.Errorf("got\n%s", out)
	}
	if _, stderr := program(t, 2, "-before", "absent.json,"+after[1], after[0], after[1]); !strings.Contains(stderr, "before: ") {
		t.Errorf("stderr: %q", stderr)
	}
}

const snapshotSubnets = `{"subnets":[{"id":"f","name":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
	{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1"},
	{"id":"s","name":"spare","cidr":"11.9.0.0/24","gateway_ip":"11.9.0.1"}]}`

// snapshotPort is a port of instance one on some subnets of snapshotSubnets.
func snapshotPort(id string, on ...string) string {
	addresses := map[string]string{"f": "10.65.0.5", "b": "11.8.0.5", "s": "11.9.0.5"}
	var fixed []string
	for _, s := range on {
		fixed = append(fixed, `{"subnet_id":"`+s+`","ip_address":"`+addresses[s]+`"}`)
	}
	return `{"id":"` + id + `","device_id":"one","device_owner":"compute:nova","fixed_ips":[` + strings.Join(fixed, ",") + `]}`
}

func snapshot(t *testing.T, ports ...string) string {
	t.Helper()
	return textFile(t, `{"ports":[`+strings.Join(ports, ",")+`]}`)
}

// Ports come in the order of their random IDs, and the fixed IPs of a port in any order.
func TestOrderOfTheFirstSnapshotIsKept(t *testing.T) {
	subnets := textFile(t, snapshotSubnets)
	const moved = "data moved in 1 of the 1 instance that is in both snapshots\n"
	for _, test := range []struct {
		name          string
		before, after string
		want          string
	}{
		{"a port that was added comes last",
			snapshot(t, snapshotPort("p2", "f"), snapshotPort("p3", "b")),
			snapshot(t, snapshotPort("p1", "s"), snapshotPort("p3", "b"), snapshotPort("p2", "f")),
			moved + "  11.9.0.0/24 front -> spare in 1 instance, e.g. one\n"},
		{"ports that stay keep their order",
			snapshot(t, snapshotPort("p1", "s"), snapshotPort("p2", "f"), snapshotPort("p3", "b")),
			snapshot(t, snapshotPort("p3", "b"), snapshotPort("p2", "f")),
			moved + "  39 prefixes spare -> front in 1 instance, e.g. one\n"},
		{"fixed IPs are swapped",
			snapshot(t, snapshotPort("p1", "f", "b")),
			snapshot(t, snapshotPort("p1", "b", "f")),
			"Nothing changed.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, _ := program(t, 0, "-before", subnets+","+test.before, subnets, test.after)
			moves, _, _ := strings.Cut(out, "\nassumed: ")
			if strings.TrimSuffix(moves, "\n") != strings.TrimSuffix(test.want, "\n") {
				t.Errorf("got\n%s", out)
			}
		})
	}
}

// What moves only with another default route or DHCP client is counted, too.
func TestWhatMayHaveMoved(t *testing.T) {
	text, err := os.ReadFile(sampleSubnets)
	if err != nil {
		t.Fatal(err)
	}
	var d map[string][]object
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, s := range d["subnets"] {
		if s["id"] == "app-subnet" {
			s["host_routes"] = []object{} // it had 11.12.0.0/16, which the report calls a removal that may move data
		}
	}
	out, _ := program(t, 1, "-before", sampleSubnets+","+samplePorts, jsonFile(t, d), samplePorts)
	wantContains(t, out, "data moved in 0 of the 10 instances that are in both snapshots\n  it may have moved in 1 more, if guests are not as assumed (default route, DHCP client, order of leases): "+
		"for example 11.8.0.1/32 (only a gateway's own address) app -> back under systemd-networkd, in app00001-0000-4000-8000-000000000009\n")
	out, _ = program(t, 1, "-guest", "systemd-networkd", "-before", sampleSubnets+","+samplePorts, jsonFile(t, d), samplePorts)
	wantContains(t, out, "data moved in 1 of the 10 instances that are in both snapshots\n")

}

// A default route is that of the lease or, by the config drive, of the first IPv4 subnet, as in the library's table.
func TestDefaultOffers(t *testing.T) {
	in := snapshotInstance("")
	front, back := in.NICs[0].Subnets[0], in.NICs[1].Subnets[0]
	static := &hostroute.Subnet{ID: "s", CIDR: netip.MustParsePrefix("11.9.0.0/24"), Gateway: netip.MustParseAddr("11.9.0.1"), DHCPDisabled: true}
	none := &hostroute.Subnet{ID: "n", CIDR: netip.MustParsePrefix("11.7.0.0/24")}
	for _, test := range []struct {
		configDrive bool
		subnets     []*hostroute.Subnet // of the second NIC
		want        string
	}{
		{false, []*hostroute.Subnet{back}, "b"},
		{false, []*hostroute.Subnet{back, none, static}, "b"},
		{false, []*hostroute.Subnet{none, back, front}, "f"}, // the last one is leased
		{false, []*hostroute.Subnet{none}, ""},
		{false, []*hostroute.Subnet{static}, ""},
		{true, []*hostroute.Subnet{static, back}, "s"},
		{true, []*hostroute.Subnet{back, static}, "b"},
	} {
		in.ConfigDrive, in.NICs[1].Subnets = test.configDrive, test.subnets
		want := []string{"eth0 f false", fmt.Sprint("eth1 ", test.want, " ", test.want != "" && test.configDrive && test.subnets[0] == static)}
		if test.want == "" {
			want = want[:1]
		}
		got := each(defaultOffers(&in), func(o defaultOffer) string { return fmt.Sprint(o.nic.Name, " ", o.subnet, " ", o.static) })
		if !slices.Equal(got, want) {
			t.Errorf("config drive %v, %d subnets: got %v, want %v", test.configDrive, len(test.subnets), got, want)
		}
		alone := in
		alone.NICs = in.NICs[1:]
		route, _ := analyze(t, alone).Table.Lookup(netip.MustParseAddr("192.0.2.1"))
		if route.Subnet != test.want {
			t.Errorf("config drive %v, %d subnets: the table has the default of %q, want %q", test.configDrive, len(test.subnets), route.Subnet, test.want)
		}
	}
}

// snapshotInstance keeps the default of a NIC.
func snapshotInstance(keeps string) hostroute.Instance {
	subnet := func(id, cidr, gateway string) []*hostroute.Subnet {
		return []*hostroute.Subnet{{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: netip.MustParseAddr(gateway)}}
	}
	return hostroute.Instance{Name: "one", DefaultNIC: keeps, NICs: []hostroute.NIC{
		{Name: "eth0", Subnets: subnet("f", "10.65.0.0/24", "10.65.0.1")}, {Name: "eth1", Subnets: subnet("b", "11.8.0.0/24", "11.8.0.1")}}}
}

// What a guest gets of a list with a netmask is not modelled, so that nothing is said to have stayed.
func TestSpellingThatChanges(t *testing.T) {
	subnets, ports := textFile(t, misspeltSubnets), textFile(t, misspeltPorts)
	rewritten := textFile(t, strings.Replace(misspeltSubnets, "11.0.0.0/255.0.0.0", "11.0.0.0/8", 1))
	for _, snapshots := range [][2]string{{subnets, rewritten}, {rewritten, subnets}} {
		out, _ := program(t, 1, "-before", snapshots[0]+","+ports, snapshots[1], ports)
		wantContains(t, out, "data moved in 0 of the 2 instances that are in both snapshots\n  not known: in 1 of them, on a subnet with a netmask in its list. There, guests may get none of the host routes.\n")
	}
}

// A subnet for -default-subnet may be new, or gone.
func TestDefaultsOfOneSnapshot(t *testing.T) {
	subnets := textFile(t, snapshotSubnets)
	one, two := snapshot(t, snapshotPort("p1", "f")), snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b"))
	for _, flags := range [][]string{{"-default-subnet", "b"}, {"-default-nic", "eth1"}} {
		for _, documents := range [][2]string{{one, two}, {two, one}} {
			program(t, 0, append(flags, "-before", subnets+","+documents[0], subnets, documents[1])...)
		}
	}
	for _, flags := range [][]string{{"-default-subnet", "s"}, {"-default-nic", "eth2"}} {
		if _, stderr := program(t, 2, append(flags, "-before", subnets+","+one, subnets, two)...); !strings.Contains(stderr, flags[1]) {
			t.Errorf("%v: stderr %q", flags, stderr)
		}
	}
}

// Where a list has a netmask before and after, nobody knows what another change moves.
func TestSpellingThatStays(t *testing.T) {
	ports := textFile(t, misspeltPorts)
	one, two := textFile(t, misspeltSubnets), textFile(t, strings.Replace(misspeltSubnets, "13.0.0.0/16", "13.0.0.0/17", 1))
	out, _ := program(t, 1, "-before", one+","+ports, two, ports)
	wantContains(t, out, "data moved in 0 of the 2 instances that are in both snapshots\n  not known: in 1 of them, on a subnet with a netmask in its list.")
	if out, _ := program(t, 1, "-before", one+","+ports, one, ports); strings.Contains(out, "not known") {
		t.Errorf("got\n%s", out)
	}
}

// A finding that differs only in what it relates to is not printed twice with opposite signs.
func TestFindingsWithTheSameTextAreNotPrinted(t *testing.T) {
	subnets := func(hop string) string {
		return textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"`+hop+`"}]},
			{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	}
	ports := snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b"))
	out, _ := program(t, 0, "-before", subnets("10.65.0.77")+","+ports, subnets("10.65.0.1"), ports)
	if wantContains(t, out, "\nFINDINGS\n  - error next-hop-not-gateway of "); strings.Contains(out, " conflict of ") {
		t.Errorf("got\n%s", out)
	}
}
