package hostroute_test

import (
	"fmt"
	"net/netip"

	"example.com/go-hostroute/hostroute"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exampleInstance has two NICs. The host route of eth1's subnet sends 11.11.0.0/16 out of
// eth1; all else leaves by eth0.
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

// What does an instance's routing table become, and is each host route of any use?
func ExampleAnalyze() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report.Table)
	for _, v := range report.Verdicts {
		fmt.Printf("%v: consistent %v, effective %v: %v leaves by %s, not by %s\n",
			v.Subject, v.Consistent(), v.Effective(), v.Witness, v.With, v.Without)
	}
	fmt.Println(len(report.Findings), "findings")
	// Output:
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// 11.11.0.0/16 via 11.8.0.1 dev eth1
	// web-1: eth1: back: 11.11.0.0/16,11.8.0.1: consistent true, effective true: 11.11.0.0 leaves by eth1, not by eth0
	// 0 findings
}

// What is wrong with a host route, and what would put it right?
func ExampleAnalyze_findings() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.77"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.Code)
		for _, fix := range f.Fixes {
			fmt.Println("fix:", fix.Message)
			for _, e := range fix.Edits {
				fmt.Printf("  %s: %v becomes %v\n", e.Subnet, e.Old, e.New)
			}
			fmt.Println("  keeps egress:", fix.KeepsEgress)
		}
	}
	fmt.Println("worst:", report.Worst())
	// Output:
	// error next-hop-not-gateway
	// fix: set the next hop to 11.8.0.1, the gateway of subnet back
	//   back: 11.11.0.0/16,11.8.0.77 becomes 11.11.0.0/16,11.8.0.1
	//   keeps egress: true
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

// What leaves through eth1, all of it?
func ExampleTable_Destinations() {
	report, err := hostroute.Analyze(exampleInstance("11.11.0.0/16,11.8.0.1", "11.10.0.0/16,11.8.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range report.Table.Destinations("eth1").Prefixes() {
		fmt.Println(p)
	}
	// Output:
	// 11.8.0.0/24
	// 11.10.0.0/15
}

// Whose data moves if a host route is deleted?
func ExampleDiff() {
	in := exampleInstance("11.11.0.0/16,11.8.0.1")
	without, err := in.Apply(hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	before, err := hostroute.Analyze(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := hostroute.Analyze(without)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range hostroute.Diff(before.Table, after.Table) {
		fmt.Printf("%v leaves by %s instead of %s\n", c.Destination, c.After, c.Before)
	}
	// Output:
	// 11.11.0.0/16 leaves by eth0 instead of eth1
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
	// move it to subnet front, whose instances all get it
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
	// next-hop-not-gateway: next hop is not the gateway
	// next-hop-off-link: next hop is not on the NIC's link
	// next-hop-own-address: next hop is the NIC's own address
	// next-hop-unusable: next hop cannot be one
	// no-lease: subnet without a usable gateway gives no lease
	// dhcp-disabled: host routes on a subnet without DHCP
	// ipv6-not-offered: host routes on an IPv6 subnet
	// default-dropped: default route among the host routes
	// option-overflow: too many routes for DHCP
	// host-bits: destination has host bits
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
