package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// The commands of every fix of every finding are exactly its edits, those that the text does not show included.
func TestCommandsOfEveryFix(t *testing.T) {
	g := theGeneratedCloud(t)
	subnets, ports := generate(1, len(g.Instances)).write(t)
	c, err := load([]string{subnets, ports}, nil, defaults{}, nil, newProgress(nil))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, o := range c.occurrences() {
		for _, fix := range o.Fixes {
			if len(fix.Edits) == 0 {
				continue
			}
			var b strings.Builder
			p := &printer{cloud: c, out: bufio.NewWriter(&b)}
			p.commands(0, p.editCommands(fix.Edits)...)
			p.out.Flush()
			commands := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			isComment := func(line string) bool { return strings.HasPrefix(line, "#") }
			g.wantEdits(t, slices.DeleteFunc(commands, isComment), fix.Edits...)
			checked++
		}
	}
	if checked < 100 {
		t.Errorf("only %d fixes", checked)
	}
}

const misspeltSubnets = `{"subnets":[
	{"id":"f","name":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"12.0.0.0/16","nexthop":"10.65.0.77"},{"destination":"12.1.0.0/16","nexthop":"10.65.0.1"}]},
	{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.0.0.0/255.0.0.0","nexthop":"11.8.0.1"},{"destination":"13.0.0.0/16","nexthop":"11.8.0.77"}]},
	{"id":"o","name":"other","cidr":"11.9.0.0/24","gateway_ip":"11.9.0.1","host_routes":[{"destination":"12.0.0.0/16","nexthop":"11.9.0.77"}]}]}`

const misspeltPorts = `{"ports":[
	{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]},
	{"id":"p2","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.5"}]},
	{"id":"p3","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"o","ip_address":"11.9.0.5"}]}]}`

// Of a misspelt subnet there is its finding and the command that rewrites its list, and nothing else. A guest on it has other
// routes than were analysed, so nothing is called harmless that touches such a guest.
func TestMisspeltSubnet(t *testing.T) {
	subnets, ports := textFile(t, misspeltSubnets), textFile(t, misspeltPorts)
	const entry = `
  11.0.0.0/8 via 11.8.0.1, 13.0.0.0/16 via 11.8.0.77, on back 11.8.0.0/24 (b)
    1 instance; e.g. one
    destination 11.0.0.0/255.0.0.0 is spelled with a netmask and not as 11.0.0.0/8: dnsmasq sends it with the length 255, and dhclient installs no route of the subnet, not even the default
    fix: rewrite the list with prefix lengths, then run this again. That can move data, and how much is not known: guests that get none of the host routes today will get all of them
      # This replaces the whole list. Fetch SUBNETS and run this again just before: host routes that were added in between would be lost.
      openstack subnet set --no-host-route --host-route destination=11.0.0.0/8,gateway=11.8.0.1 --host-route destination=13.0.0.0/16,gateway=11.8.0.77 b
`
	out, _ := program(t, 1, "-unsafe", "-all", "-default-nic", "eth0", subnets, ports)
	wantContains(t, out, entry, "\n  12.0.0.0/16 via 10.65.0.77, on front 10.65.0.0/24 (f)\n    1 instance: does nothing; e.g. one\n    fix: next hop 10.65.0.1: moves nothing if done after the list of back is rewritten\n",
		"\nCAN GO: 1 host route\n", "\n  12.0.0.0/16 via 11.9.0.77, on other 11.9.0.0/24 (o)\n",
		"\n  No port has a host, so probably no administrator fetched it: ", "\n  This holds only if guests keep the default routes that ")
	if n := strings.Count(out, " b\n"); n != 1 {
		t.Errorf("%d commands for the misspelt subnet:\n%s", n, out)
	}
	intoIt := textFile(t, strings.Replace(misspeltSubnets, `"12.1.0.0/16","nexthop":"10.65.0.1"`, `"12.1.0.0/16","nexthop":"11.8.0.1"`, 1))
	for _, flag := range []string{"-unsafe=false", "-unsafe"} {
		into, _ := program(t, 1, flag, "-default-nic", "eth0", intoIt, ports)
		wantContains(t, into, ": move the host route to back 11.8.0.0/24 (b): ", "\n      no command before the list of back is rewritten\n")
	}
	if safe, _ := program(t, 1, "-default-nic", "eth0", subnets, ports); strings.Contains(safe, " f\n") {
		t.Errorf("a command for an instance on the misspelt subnet:\n%s", safe)
	}
	if out, _ := program(t, 1, "-subnet", "b", subnets, ports); !strings.HasSuffix(out, "\nerror: destination is spelled with a netmask (netmask-spelling)"+entry) {
		t.Errorf("got\n%s", out)
	}
	out, _ = program(t, 1, "-instance", "one", subnets, ports)
	wantContains(t, out, "\n  A destination in the list of back is spelled with a netmask (-subnet shows it). Until that list is rewritten, ", "\n    no fix before the list of back is rewritten\n", " (netmask-spelling)\n")
	for _, f := range asJSON(t, 1, subnets, ports).Findings {
		if f.Finding.Subject.Subnet == "b" && f.Finding.Code != "netmask-spelling" {
			t.Errorf("finding %v", f.Finding)
		}
	}
	for _, r := range asJSON(t, 1, subnets, ports).HostRoutes {
		if want := r.Subnet == "o"; r.Removable != want || r.CanGo != want {
			t.Errorf("%s %v: removable %v, can go %v", r.Subnet, r.HostRoute, r.Removable, r.CanGo)
		}
	}
}

// With two NICs on one subnet, a guest gets a host route twice. That is not the host route's fault.
func TestHostRouteThatComesTwice(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"12.0.0.0/8","nexthop":"11.8.0.1"}]}]}`)
	port := `{"id":"p%d","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.%d"}]}`
	ports := textFile(t, `{"ports":[`+fmt.Sprintf(port+","+port, 1, 5, 2, 6)+`]}`)
	for _, about := range [][]string{nil, {"-instance", "one"}, {"-subnet", "b"}} {
		out, _ := program(t, 1, append(about, subnets, ports)...)
		wantContains(t, out, "(conflict)\n", "\n    fix: put the NICs of each instance on different subnets: with two on this one, the guest gets the host route twice (no command; what it moves is not known)\n")
		for _, part := range []string{"or: remove", "openstack", "CAN GO:", "-unsafe"} {
			if strings.Contains(out, part) {
				t.Errorf("%v: the text has %q:\n%s", about, part, out)
			}
		}
	}
}

// An offer that is too long brings nothing. Once it is shorter, the host routes work.
func TestLongOffersAreWanted(t *testing.T) {
	var list []string
	for i := range 40 {
		list = append(list, fmt.Sprintf(`{"destination":"12.%d.0.0/24","nexthop":"11.8.0.1"}`, i))
	}
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[`+strings.Join(list, ",")+`]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]},
		{"id":"p2","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.5"}]}]}`)
	out, _ := program(t, 1, "-default-subnet", "f", subnets, ports)
	wantContains(t, out, "(option-overflow)\n", "\n    or: remove: moves no data (but the host routes may work once option-overflow is fixed)\n")
}

// What is harmless needs no fix. If others need it, there is none.
func TestNoFixOfWhatOthersNeed(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[
		{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},{"destination":"11.12.0.0/16","nexthop":"11.8.0.77"},{"destination":"11.12.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	port := func(id, device, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"` + device + `","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	ports := func(list ...string) string { return textFile(t, `{"ports":[`+strings.Join(list, ",")+`]}`) }
	front, back, alone := port("p1", "two", "f", "10.65.0.5"), port("p2", "two", "b", "11.8.0.5"), port("p3", "one", "b", "11.8.0.6")
	all := ports(front, back, alone)
	for _, of := range [][]string{{"-instance", "one"}, {"-subnet", "b"}} {
		out, _ := program(t, 1, slices.Concat([]string{"-unsafe", "-default-subnet", "f"}, of, []string{subnets, all})...)
		wantContains(t, out, "(single-nic)\n    this needs no fix: to remove it moves data of 1 of 2 instances: 11.11.0.0/16 b -> f, e.g. in two\n",
			"(single-nic)\n    this needs no fix: to remove it may move data of 1 of 2 instances, e.g. two\n",
			"(duplicate)\n    this needs no fix: to remove 11.12.0.0/16 via 11.8.0.77 from b 11.8.0.0/24 may move data of 1 of 2 instances, e.g. two\n")
		for _, part := range strings.Split(out, "no fix needed: ")[1:] {
			if _, next, _ := strings.Cut(part, "\n"); strings.HasPrefix(strings.TrimLeft(next, " "), "openstack ") {
				t.Errorf("a command follows:\n%s", part)
			}
		}
	}
	out, _ := program(t, 1, "-instance", "one", subnets, ports(alone))
	wantContains(t, out, "(single-nic)\n    fix: remove: moves no data\n      openstack ")
}

// If every fix moves data, the one that moves it in the fewest instances comes first.
func TestTheFixThatMovesTheLeastComesFirst(t *testing.T) {
	moves := func(moved, uncertain int) *audit.Impact { return &audit.Impact{Moved: moved, Uncertain: uncertain} }
	brings := &audit.Impact{New: []audit.Occurrence{{Finding: hostroute.Finding{Severity: hostroute.SeverityError}, Instances: 3}}}
	for _, test := range []struct {
		impacts []*audit.Impact
		want    int
	}{
		{[]*audit.Impact{moves(3, 0), moves(0, 2)}, 1},
		{[]*audit.Impact{moves(1, 1), moves(2, 0)}, 0},
		{[]*audit.Impact{moves(2, 0), moves(0, 0), moves(0, 0)}, 1},
		{[]*audit.Impact{brings, moves(2, 0)}, 1},
		{[]*audit.Impact{brings, moves(2, 2)}, 0},
		{[]*audit.Impact{nil, moves(1, 0)}, 0},
		{[]*audit.Impact{moves(1, 0), nil}, 0},
		{[]*audit.Impact{nil, nil}, 0},
	} {
		var fixes []fix
		for _, impact := range test.impacts {
			fixes = append(fixes, fix{impact: impact})
		}
		if got := least(fixes); got != test.want {
			t.Errorf("%v: got %d, want %d", test.impacts, got, test.want)
		}
	}

	// Both touch one instance. The sample has an entry where the removal touches fewer.
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
		{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"192.0.2.1"}]}]}`)
	port := func(id, device, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"` + device + `","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	ports := textFile(t, `{"ports":[`+port("p1", "one", "f", "10.65.0.5")+","+port("p2", "one", "b", "11.8.0.5")+`]}`)
	out, _ := program(t, 1, "-default-subnet", "f", subnets, ports)
	wantContains(t, out, "\n    fix: next hop 11.8.0.1: moves data of 1 of 1 instance: 11.11.0.0/16 f -> b, e.g. in one\n    or: remove: may move data of 1 of 1 instance: for example 11.11.0.0/16, 192.0.2.1/32 b -> f under systemd-networkd, in one\n")
}

// A host route that is wrong in itself does not work when the guest is another, or the subnet is mended.
func TestOnlyWhatIsRightMayWorkAfterTheOtherFix(t *testing.T) {
	const unset = "openstack subnet unset --host-route destination="
	out, _ := program(t, 1, "-guest", "udhcpc", sampleSubnets, samplePorts)
	wantContains(t, out, `
  10.81.0.0/16 via 192.0.2.1, 10.82.0.0/16 via 10.80.0.1, on lab 10.80.0.0/24 (lab-subnet)
    1 instance: never arrives; e.g. lab00001-0000-4000-8000-000000000008
    further codes: next-hop-off-link of 10.81.0.0/16 via 192.0.2.1 (-subnet lab-subnet shows more)
    fix: use an image with another DHCP client, or program the routes by hand (no command; what it moves is not known)
    or: remove: moves no data (but 10.82.0.0/16 via 10.80.0.1 may work once routes-ignored is fixed)
      `+unset, `
  10.71.0.0/16 via 10.70.0.77, on storage 10.70.0.0/24 (storage-subnet)
    1 instance: never arrives; e.g. nfs00001-0000-4000-8000-000000000007
    further codes: next-hop-not-gateway (-subnet storage-subnet shows more)
    fix: `, "\nCAN GO: 2 host routes", "\n  10.81.0.0/16 via 192.0.2.1, on lab 10.80.0.0/24 (lab-subnet)\n    "+unset)
	if rest := lines(out, "NOT OF ONE HOST ROUTE"); strings.Contains(rest, "routes-ignored") {
		t.Errorf("said above:\n%s", rest)
	}
	out, _ = program(t, 1, "-guest", "udhcpc", "-subnet", "lab-subnet", sampleSubnets, samplePorts)
	wantContains(t, out, "\n10.82.0.0/16 via 10.80.0.1: wrong\n", "\n    fix: remove: moves no data\n      "+unset+"10.81")

	// Without a gateway in the subnet, any address of it may become the gateway.
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"192.0.2.1",
		"host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},{"destination":"11.12.0.0/16","nexthop":"192.0.2.1"}]}]}`)
	port := func(id, subnet, address string) string {
		return `{"id":"` + id + `","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"` + subnet + `","ip_address":"` + address + `"}]}`
	}
	ports := textFile(t, `{"ports":[`+port("p1", "f", "10.65.0.5")+","+port("p2", "b", "11.8.0.5")+`]}`)
	out, _ = program(t, 1, subnets, ports)
	wantContains(t, out, "    or: remove: moves no data (but the NIC still gets no lease, and 11.11.0.0/16 via 11.8.0.1 may work once no-lease is fixed)\n", "\nCAN GO: 1 host route\n", "\n  11.12.0.0/16 via 192.0.2.1, on b 11.8.0.0/24\n")
}

// If no instance is on its subnet, a wrong host route that can go has its command in CAN GO alone.
func TestWrongOnASubnetWithoutAnInstance(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},{"id":"n","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.65.0.1"}]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]}]}`)
	out, _ := program(t, 1, subnets, ports)
	wantContains(t, out, "\n  12.0.0.0/8 via 10.65.0.1, on n 11.8.0.0/24\n    no instance\n    10.65.0.1 is the gateway of f 10.65.0.0/24: the host route may belong there\n    fix: remove: moves no data; CAN GO has the command\n\nCAN GO: ")
	out, _ = program(t, 1, subnets)
	wantContains(t, out, "    10.65.0.1 is the gateway of f 10.65.0.0/24: the host route may belong there\n    fix: next hop 11.8.0.1: what it moves is not known\n")
}

// The instance that is named has the finding. Other codes are named.
func TestTheExampleHasTheFinding(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"14.0.0.0/8","nexthop":"10.65.0.1"}]},{"id":"g","cidr":"10.66.0.0/24","gateway_ip":"10.66.0.1"},
		{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"12.0.0.0/8","nexthop":"11.8.0.1"},{"destination":"13.0.0.0/8","nexthop":"10.65.0.1"}]}]}`)
	ports := `{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]},
		{"id":"p2","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.5"}]},
		{"id":"p3","device_id":"three","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"g","ip_address":"10.66.0.6"}]},
		{"id":"p4","device_id":"three","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.6"}]}`
	out, _ := program(t, 1, subnets, textFile(t, `{"ports":[`+ports+`]}`))
	wantContains(t, out, "\n  13.0.0.0/8 via 10.65.0.1, on b 11.8.0.0/24\n    2 instances: depends on the guest; the finding is in 1, e.g. three\n    further codes: next-hop-other-nic (-subnet b shows more)\n")
	second := `,{"id":"p5","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.7"},{"subnet_id":"b","ip_address":"11.8.0.7"}]}`
	out, _ = program(t, 1, subnets, textFile(t, `{"ports":[`+ports+second+`]}`))
	wantContains(t, out, "(second-ipv4-subnet)\n", "; the finding is in 1, e.g. two\n")
}

// Where two subnets have one name, the text has their IDs, too.
func TestSameNames(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"b","name":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1"},
		{"id":"c","name":"back","cidr":"11.9.0.0/24","gateway_ip":"11.9.0.1","host_routes":[{"destination":"127.0.1.0/24","nexthop":"11.9.0.1"}]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"c","ip_address":"11.9.0.5"}]}]}`)
	out, _ := program(t, 1, subnets, ports)
	wantContains(t, out, "\n  127.0.1.0/24 via 11.9.0.1, on back 11.9.0.0/24 (c)\n    1 instance: does nothing; e.g. two\n    fix: remove: moves no data; CAN GO has the command\n")
}

func TestDestinations(t *testing.T) {
	list := []hostroute.HostRoute{
		hostroute.MustParseHostRoute("10.1.0.0/16,10.0.0.1"), hostroute.MustParseHostRoute("10.2.0.0/16,10.0.0.1"), hostroute.MustParseHostRoute("10.3.0.0/16,10.0.0.7"),
		hostroute.MustParseHostRoute("10.4.0.0/16,10.0.0.7"), hostroute.MustParseHostRoute("10.5.0.0/16,10.0.0.1"), hostroute.MustParseHostRoute("10.6.0.0/16,10.0.0.1"),
	}
	for n, want := range map[int]string{
		1: "10.1.0.0/16 via 10.0.0.1",
		2: "10.1.0.0/16, 10.2.0.0/16 via 10.0.0.1",
		3: "10.1.0.0/16, 10.2.0.0/16 via 10.0.0.1, 10.3.0.0/16 via 10.0.0.7",
		6: "10.1.0.0/16, 10.2.0.0/16 via 10.0.0.1, 10.3.0.0/16, 10.4.0.0/16 via 10.0.0.7, 10.5.0.0/16 via 10.0.0.1 and 1 more",
	} {
		if got := destinations(list[:n]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Host routes that stand in for each other cannot all go.
func TestSinglyAndTogether(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[
		{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},{"destination":"11.11.0.0/17","nexthop":"11.8.0.1"},{"destination":"11.11.128.0/17","nexthop":"11.8.0.1"}]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]},
		{"id":"p2","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.5"}]}]}`)
	out, _ := program(t, 0, "-default-subnet", "f", subnets, ports)
	wantContains(t, out, "\n     1 can go   ", "\n     2 idle     ", "\nCAN GO: 1 host route\n", "\n  11.11.0.0/16 via 11.8.0.1, on b 11.8.0.0/24\n",
		"\n2 more host routes can go singly, but not together with the rest: -subnet ID shows which.\n")
}

// -unsafe prints all commands but those of a list that has to be rewritten first, and then does not promise more.
func TestUnsafeBesideAMisspeltSubnet(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/255.255.0.0","nexthop":"10.65.0.1"}]},
		{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	ports := textFile(t, `{"ports":[{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"f","ip_address":"10.65.0.5"}]},
		{"id":"p2","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"11.8.0.5"}]}]}`)
	for _, flags := range [][]string{{"-fail", "warning", "-unsafe"}, {"-fail", "warning", "-unsafe", "-subnet", "b"}} {
		if out, _ := program(t, 1, append(flags, subnets, ports)...); strings.Contains(out, "\n-unsafe ") || !strings.Contains(out, "conflict") {
			t.Errorf("%s", out)
		}
	}
}

// Of a host route that another one keeps out, the removal comes first if nothing moves: the other fix takes the destination
// from whoever uses it.
func TestTheRemovalOfAConflictComesFirst(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"10.65.0.1"}]},
		{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	out, _ := program(t, 0, "-default-subnet", "f", subnets, snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b")))
	wantContains(t, out, "(conflict)\n", "\n    fix: remove: moves no data; CAN GO has the command\n    or: remove 11.11.0.0/16 via 10.65.0.1 from f 10.65.0.0/24: moves no data as a part of CAN GO, which has the command\n")
}

// Neutron's default limit is told where a command goes beyond it.
func TestCommandBeyondTheLimit(t *testing.T) {
	var routes []string
	for i := range 22 {
		routes = append(routes, fmt.Sprintf(`{"destination":"172.%d.0.0/16","nexthop":"11.8.0.%d"}`, i, map[bool]int{true: 77, false: 1}[i == 7]))
	}
	subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
		{"id":"b","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[`+strings.Join(routes, ",")+`]}]}`)
	out, _ := program(t, 1, "-default-subnet", "f", subnets, snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b")))
	wantContains(t, out, "\n    fix: next hop 11.8.0.1: moves no data; do it alone\n      # This replaces the whole list, because it has no room for one more host route. ",
		"\n      # The list has 22 host routes: by default, max_subnet_host_routes, Neutron refuses more than 20.\n      openstack subnet set --no-host-route ")
}

// Without an instance, nothing moves if a list is rewritten. With one, its own report says where the command is.
func TestMisspeltSubnetElsewhere(t *testing.T) {
	subnets := textFile(t, misspeltSubnets)
	out, _ := program(t, 1, subnets, snapshot(t, snapshotPort("p1", "f")))
	wantContains(t, out, "\n    fix: rewrite the list with prefix lengths, then run this again. That moves no data: no instance is on the subnet\n")
	out, _ = program(t, 1, "-instance", "one", subnets, textFile(t, misspeltPorts))
	wantContains(t, out, "(netmask-spelling)\n    fix: rewrite the list of the subnet; -subnet b shows the command\n")
}
