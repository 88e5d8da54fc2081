package hostroute_test

import (
	"fmt"
	"log"
	"net/netip"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exampleInstance is the instance of Calico's documentation, with the given host routes on eth1's
// subnet. Its guest keeps the default route of eth0.
func exampleInstance(hostRoutes ...string) hostroute.Instance {
	front := &hostroute.Subnet{
		ID:      "front",
		CIDR:    netip.MustParsePrefix("10.65.0.0/24"),
		Gateway: netip.MustParseAddr("10.65.0.1"),
	}
	back := &hostroute.Subnet{
		ID:      "back",
		CIDR:    netip.MustParsePrefix("11.8.0.0/24"),
		Gateway: netip.MustParseAddr("11.8.0.1"),
	}
	for _, r := range hostRoutes {
		back.HostRoutes = append(back.HostRoutes, hostroute.MustParseHostRoute(r))
	}
	return hostroute.Instance{
		Name:       "web-1",
		DefaultNIC: "eth0",
		NICs: []hostroute.NIC{
			{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*hostroute.Subnet{front}},
			{Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: []*hostroute.Subnet{back}},
		},
	}
}

// The documented example: an instance with two NICs, and a host route that picks the second one for
// 11.11.0.0/16.
func Example_theDocumentedTable() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report.Table)
	for _, v := range report.Verdicts {
		fmt.Println(v)
	}
	// Output:
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// 11.11.0.0/16 via 11.8.0.1 dev eth1
	// web-1: eth1: back: 11.11.0.0/16,11.8.0.1: own-gateway, steers: 11.11.0.0 leaves by eth1, without it by eth0
}

// A next hop that is ignored: the operator wants 11.11.0.0/16 to pass a router at 11.8.0.77, which
// never sees it. The finding says why, its fixes what to do, and Impact what that moves on this
// instance.
func Example_aNextHopThatIsIgnored() {
	in := exampleInstance("11.11.0.0/16,11.8.0.77")
	report, err := hostroute.Analyze(in)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.Code)
		for _, fix := range f.Fixes {
			impact, err := in.Impact(fix.Edits...)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("fix:", fix.Message)
			fmt.Println(" ", impact)
		}
	}
	// Output:
	// error next-hop-not-gateway
	// fix: set the next hop to 11.8.0.1, the gateway of subnet back; no host route can send data through another machine under Calico
	//   web-1: nothing moves; gone: next-hop-not-gateway of eth1: back: 11.11.0.0/16,11.8.0.77
	// fix: remove the host route, if no other instance on the subnet needs it
	//   web-1: 11.11.0.0/16: eth1 -> eth0; gone: next-hop-not-gateway of eth1: back: 11.11.0.0/16,11.8.0.77
}

// The same subnets, two images, two tables. The host route of eth1's subnet has the next hop of the wrong NIC. An image with
// dhclient does not install it. One with systemd-networkd does, because it adds routes to all next hops first, and its data
// leaves by another NIC. The verdict of each names the other.
func Example_theSameSubnetsTwoImages() {
	in := exampleInstance("11.11.0.0/16,10.65.0.1")
	for _, guest := range []hostroute.Guest{hostroute.GuestDhclient, hostroute.GuestNetworkd} {
		in.Guest = guest
		report, err := hostroute.Analyze(in)
		if err != nil {
			log.Fatal(err)
		}
		route, _ := report.Table.Lookup(netip.MustParseAddr("11.11.3.4"))
		fmt.Printf("%s: 11.11.3.4 leaves by %s\n", guest, route.NIC)
		fmt.Print(report.Table)
		fmt.Println(report.Verdicts[0])
	}
	// Output:
	// dhclient: 11.11.3.4 leaves by eth0
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// web-1: eth1: back: 11.11.0.0/16,10.65.0.1: other-gateway, refused (next-hop-other-nic); may differ under systemd-networkd and NetworkManager
	// systemd-networkd: 11.11.3.4 leaves by eth1
	// default via 10.65.0.1 dev eth0 metric 1024
	// default via 11.8.0.1 dev eth1 metric 2048
	// 10.65.0.0/24 dev eth0 metric 1024
	// 10.65.0.1 dev eth0 metric 1024
	// 10.65.0.1 dev eth1 metric 2048
	// 11.8.0.0/24 dev eth1 metric 2048
	// 11.8.0.1 dev eth1 metric 2048
	// 11.11.0.0/16 via 10.65.0.1 dev eth1 metric 2048
	// web-1: eth1: back: 11.11.0.0/16,10.65.0.1: other-gateway, steers: 11.11.0.0 leaves by eth1, without it by eth0; may differ under dhclient and dhcpcd
}

// A subnet is shared, and a host route on it matters to one instance only. Advice about it is for all
// of them. The documents are what Neutron's API returns.
func Example_aSubnetSharedByInstances() {
	const subnets = `{"subnets": [
		{"id": "front", "network_id": "n1", "cidr": "10.65.0.0/24", "gateway_ip": "10.65.0.1", "enable_dhcp": true, "host_routes": []},
		{"id": "back", "network_id": "n2", "cidr": "11.8.0.0/24", "gateway_ip": "11.8.0.1", "enable_dhcp": true,
		 "host_routes": [{"destination": "11.11.0.0/16", "nexthop": "11.8.0.1"}]}]}`
	const ports = `{"ports": [
		{"id": "p1", "device_id": "web-1", "device_owner": "compute:nova", "network_id": "n1", "fixed_ips": [{"subnet_id": "front", "ip_address": "10.65.0.5"}]},
		{"id": "p2", "device_id": "web-1", "device_owner": "compute:nova", "network_id": "n2", "fixed_ips": [{"subnet_id": "back", "ip_address": "11.8.0.21"}]},
		{"id": "p3", "device_id": "db-1", "device_owner": "compute:nova", "network_id": "n2", "fixed_ips": [{"subnet_id": "back", "ip_address": "11.8.0.22"}]}]}`
	d, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(ports))
	if err != nil {
		log.Fatal(err)
	}
	remove := hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}
	for _, in := range d.Instances {
		impact, err := in.Impact(remove)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(impact, impact.None())
	}
	// Output:
	// web-1: 11.11.0.0/16: eth1 -> eth0; with another DHCP client, default route or order of the list, that may differ false
	// db-1: nothing moves; gone: single-nic of eth0: back: 11.11.0.0/16,11.8.0.1 true
}

// What does an instance's routing table become, and is each host route of any use?
func ExampleAnalyze() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report.Table)
	for _, v := range report.Verdicts {
		fmt.Println(v.Subject)
		fmt.Println("consistent:", v.Consistent())
		fmt.Println("effective:", v.Effective())
	}
	fmt.Println(len(report.Findings), "findings")
	// Output:
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// 11.11.0.0/16 via 11.8.0.1 dev eth1
	// web-1: eth1: back: 11.11.0.0/16,11.8.0.1
	// consistent: true
	// effective: true
	// 0 findings
}

// What is wrong with a host route?
func ExampleAnalyze_findings() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,192.0.2.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f)
		for _, fix := range f.Fixes {
			fmt.Println("fix:", fix.Message)
			for _, e := range fix.Edits {
				fmt.Printf("  %s: %v becomes %q\n", e.Subnet, e.Old, e.New.String())
			}
		}
	}
	fmt.Println("worst:", report.Worst())
	// Output:
	// error web-1: eth1: back: 11.11.0.0/16,192.0.2.1: next hop 192.0.2.1 is not on the link of eth1: the guest refuses the route; it is installed on eth1 under systemd-networkd and NetworkManager (next-hop-off-link)
	// fix: set the next hop to 11.8.0.1, the gateway of subnet back
	//   back: 11.11.0.0/16,192.0.2.1 becomes "11.11.0.0/16,11.8.0.1"
	// fix: remove the host route, if no other instance on the subnet needs it
	//   back: 11.11.0.0/16,192.0.2.1 becomes ""
	// worst: error
}

// How are the errors of an input told apart from the findings about it?
func ExampleAnalyze_inputErrors() {
	in := exampleInstance()
	in.DefaultNIC = "eth2"
	in.NICs[1].Subnets[0].CIDR = netip.MustParsePrefix("11.8.0.1/24")
	_, err := hostroute.Analyze(in)
	fmt.Println(err)
	// Output:
	// NICs[1].Subnets[0].CIDR: 11.8.0.1/24 has host bits: the network is 11.8.0.0/24
	// DefaultNIC: there is no NIC "eth2"
}

// What can be said of a subnet in a plan, before any instance is known?
func ExampleAnalyzeSubnet() {
	findings, err := hostroute.AnalyzeSubnet(&hostroute.Subnet{
		ID:         "back",
		CIDR:       netip.MustParsePrefix("11.8.0.0/24"),
		Gateway:    netip.MustParseAddr("11.8.0.1"),
		HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.77.5/16,11.8.0.1"), hostroute.MustParseHostRoute("11.12.0.0/16,11.8.0.1")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Println(f.Code, "of", f.Subject)
		fmt.Println(f.Fixes[0].Message)
	}
	// Output:
	// host-bits of back: 11.11.77.5/16,11.8.0.1
	// mask the destination: 11.11.0.0/16
}

// What does DHCP hand to a NIC?
func ExampleNIC_Offer() {
	nic := exampleInstance("11.11.0.0/16,11.8.0.1").NICs[1]
	nic.Siblings = []netip.Prefix{netip.MustParsePrefix("11.9.0.0/24")} // another subnet of the network
	for _, r := range nic.Offer() {
		fmt.Println(r)
	}
	// Output:
	// 11.9.0.0/24,0.0.0.0
	// 11.11.0.0/16,11.8.0.1
	// 0.0.0.0/0,11.8.0.1
}

// By which route does the instance reach an address?
func ExampleTable_Lookup() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range []string{"11.11.3.4", "192.0.2.1", "2001:db8::1"} {
		route, ok := report.Table.Lookup(netip.MustParseAddr(a))
		if !ok {
			fmt.Println(a, "has no route")
			continue
		}
		fmt.Println(a, "leaves by", route)
	}
	// Output:
	// 11.11.3.4 leaves by 11.11.0.0/16 via 11.8.0.1 dev eth1
	// 192.0.2.1 leaves by default via 10.65.0.1 dev eth0
	// 2001:db8::1 has no route
}

// What leaves through eth1? These are also the addresses that can talk to eth1's own address.
func ExampleTable_Destinations() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1", "11.10.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	eth1 := report.Table.Destinations("eth1")
	for _, p := range eth1.Prefixes() {
		fmt.Println(p)
	}
	for _, client := range []string{"11.10.4.4", "192.0.2.1"} {
		fmt.Println(client, "can talk to 11.8.0.21:", eth1.Contains(netip.MustParseAddr(client)))
	}
	// Output:
	// 11.8.0.0/24
	// 11.10.0.0/15
	// 11.10.4.4 can talk to 11.8.0.21: true
	// 192.0.2.1 can talk to 11.8.0.21: false
}

// What moves if the guest keeps the default route of the other NIC?
func ExampleDiff() {
	in := exampleInstance("11.11.0.0/16,11.8.0.1")
	before, err := hostroute.Analyze(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	in.DefaultNIC = "eth1"
	after, err := hostroute.Analyze(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	changes := hostroute.Diff(before.Table, after.Table)
	fmt.Println(len(changes), "prefixes, first", changes[0])
	// Output:
	// 39 prefixes, first 0.0.0.0/5: eth0 -> eth1
}

// Whose data moves if a host route is deleted?
func ExampleInstance_Impact() {
	in := exampleInstance("11.11.0.0/16,11.8.0.1")
	impact, err := in.Impact(hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(impact)
	fmt.Println("nothing moves:", impact.None())
	// Output:
	// web-1: 11.11.0.0/16: eth1 -> eth0
	// nothing moves: false
}

// What does a code mean?
func ExampleCode_Rule() {
	rule, ok := hostroute.CodeNextHopOffLink.Rule()
	fmt.Println(rule.Title, ok)
	fmt.Println(rule.Why)
	// Output:
	// next hop is not on the NIC's link true
	// Linux refuses the route ("Nexthop has invalid gateway"). systemd-networkd and NetworkManager first add a route to the next hop, and then Linux accepts this one. The hypervisor still forwards the data itself.
}

// Why does an address not reach the router that the host route names?
func ExampleReport_Explain() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.77"))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := report.Explain(netip.MustParseAddr("11.11.3.4"))
	fmt.Println("by", e.Route.NIC)
	fmt.Println("ignored:", e.IgnoredNextHop)
	for _, l := range e.Losers {
		fmt.Printf("not by %v: %s\n", l.Route, l.Reason)
	}
	fmt.Println("dropped with an address of", e.Dropped)
	// Output:
	// by eth1
	// ignored: 11.8.0.77
	// not by default via 10.65.0.1 dev eth0: its prefix is shorter
	// dropped with an address of [eth0]
}

// How is a host route put right?
func ExampleSubnet_Apply() {
	back := exampleInstance("11.11.0.0/16,11.8.0.77").NICs[1].Subnets[0]
	fixed, err := back.Apply(hostroute.Edit{
		Subnet: "back",
		Old:    hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77"),
		New:    hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.HostRoutes, "becomes", fixed.HostRoutes)
	// Output:
	// [11.11.0.0/16,11.8.0.77] becomes [11.11.0.0/16,11.8.0.1]
}

// What would the first fix of the first finding make of the instance?
func ExampleInstance_Apply() {
	in := exampleInstance("11.11.0.0/16,10.65.0.1") // on the wrong subnet
	report, err := hostroute.Analyze(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	fix := report.Findings[0].Fixes[0]
	fmt.Println(fix.Message)
	in, err = in.Apply(fix.Edits...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, nic := range in.NICs {
		fmt.Println(nic.Name, nic.Subnets[0].HostRoutes)
	}
	// Output:
	// move the host route to subnet front
	// eth0 [11.11.0.0/16,10.65.0.1]
	// eth1 []
}

// Which codes are errors?
func ExampleRules() {
	for _, r := range hostroute.Rules() {
		if r.Severity == hostroute.SeverityError {
			fmt.Printf("%s: %s\n", r.Code, r.Title)
		}
	}
	// Output:
	// no-lease: subnet without a usable gateway gives no lease
	// dhcp-disabled: host routes on a subnet without DHCP
	// ipv6-not-offered: host routes on an IPv6 subnet
	// routes-ignored: guest that takes no routes from DHCP
	// default-dropped: default route among the host routes
	// option-overflow: too many routes for DHCP
	// loopback-destination: destination inside 127.0.0.0/8
	// host-bits: destination has host bits
	// next-hop-not-gateway: next hop is not the gateway
	// next-hop-off-link: next hop is not on the NIC's link
	// next-hop-own-address: next hop is the NIC's own address
	// next-hop-unusable: address cannot be a next hop
	// overlapping-subnets: subnets of two NICs overlap
}

func ExampleParseHostRoute() {
	r, err := hostroute.ParseHostRoute("11.11.0.0/16,11.8.0.1")
	fmt.Println(r.Destination, "via", r.NextHop, err)
	_, err = hostroute.ParseHostRoute("11.11.0.0,11.8.0.1")
	fmt.Println(err)
	// Output:
	// 11.11.0.0/16 via 11.8.0.1 <nil>
	// Destination: netip.ParsePrefix("11.11.0.0"): no '/'
}

// Do two reports say the same?
func ExampleReport() {
	one, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	two, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.77"))
	if err != nil {
		fmt.Println(err)
		return
	}
	equal := cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})
	fmt.Println("one and one differ:", cmp.Diff(one, one, equal) != "")
	fmt.Println("one and two differ:", cmp.Diff(one, two, equal) != "")
	// Output:
	// one and one differ: false
	// one and two differ: true
}
