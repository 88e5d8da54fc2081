package main

import (
	"fmt"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"github.com/gaissmai/bart"
)

// Table.Lookup is a plain scan. Who asks one table of many routes often loads it into a prefix
// table: from the end, as of equal destinations (two NICs on one network) the first is in force.
func Example_prefixTable() {
	in := manual(10_000)
	in.NICs = append(in.NICs, in.NICs[1])
	in.NICs[2].Name, in.NICs[2].ManualRoutes = "eth2", nil
	report, err := hostroute.Analyze(in)
	if err != nil {
		panic(err)
	}
	var fast bart.Table[hostroute.Route]
	for _, r := range slices.Backward(report.Table) {
		fast.Insert(r.Destination, r)
	}
	fmt.Println(len(report.Table), "routes")
	for _, a := range []string{"10.1.0.9", "20.39.15.1", "20.39.16.1"} {
		r, _ := fast.Lookup(netip.MustParseAddr(a))
		same, _ := report.Table.Lookup(netip.MustParseAddr(a))
		fmt.Println(a, "leaves by:", r, r == same)
	}
	// Output:
	// 10004 routes
	// 10.1.0.9 leaves by: 10.1.0.0/24 dev eth1 true
	// 20.39.15.1 leaves by: 20.39.15.0/24 via 10.1.0.1 dev eth1 true
	// 20.39.16.1 leaves by: default via 10.0.0.1 dev eth0 true
}
