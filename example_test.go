package hostroute_test

import (
	"fmt"
	"log"
	"net/netip"

	"example.com/go-hostroute/hostroute"
)

// A planned change of a subnet's host routes, with the instances that share the subnet. The change is
// safe if nothing moves on any of them.
func Example() {
	front := &hostroute.Subnet{
		ID:      "front",
		CIDR:    netip.MustParsePrefix("10.65.0.0/24"),
		Gateway: netip.MustParseAddr("10.65.0.1"),
	}
	back := &hostroute.Subnet{
		ID:         "back",
		CIDR:       netip.MustParsePrefix("11.8.0.0/24"),
		Gateway:    netip.MustParseAddr("11.8.0.1"),
		HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")},
	}
	instances := []hostroute.Instance{
		{Name: "web-1", DefaultNIC: "eth0", NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{front}},
			{Name: "eth1", Subnets: []*hostroute.Subnet{back}},
		}},
		{Name: "db-1", NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{back}},
		}},
	}

	remove := hostroute.Edit{Subnet: "back", Old: back.HostRoutes[0]}
	safe := true
	for _, in := range instances {
		impact, err := in.Impact(remove)
		if err != nil {
			log.Fatal(err)
		}
		safe = safe && impact.None()
		fmt.Println(impact)
	}
	fmt.Println("safe:", safe)
	// Output:
	// web-1: 11.11.0.0/16: eth1 -> eth0
	// db-1: nothing moves; gone: single-nic of eth0: back: 11.11.0.0/16,11.8.0.1
	// safe: false
}
