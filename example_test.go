package hostroute_test

import (
	"fmt"
	"log"
	"net/netip"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// front and back are the subnets of Calico's documentation: eth0 is on the one, eth1
// on the other, and 11.11.0.0/16 is to leave by eth1.
func front() *hostroute.Subnet {
	return &hostroute.Subnet{
		ID:      "front",
		CIDR:    netip.MustParsePrefix("10.65.0.0/24"),
		Gateway: netip.MustParseAddr("10.65.0.1"),
	}
}

func back(hostRoutes ...hostroute.HostRoute) *hostroute.Subnet {
	return &hostroute.Subnet{
		ID:         "back",
		CIDR:       netip.MustParsePrefix("11.8.0.0/24"),
		Gateway:    netip.MustParseAddr("11.8.0.1"),
		HostRoutes: hostRoutes,
	}
}

// The documented example: the routing table of an instance with two NICs, and a host route
// that picks the second.
func Example_theDocumentedTable() {
	r, err := hostroute.Analyze(hostroute.Instance{
		Name: "web-1",
		NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{front()}},
			{Name: "eth1", Subnets: []*hostroute.Subnet{back(hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"))}},
		},
		DefaultNIC: "eth0",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(r.Table)
	for _, v := range r.Verdicts {
		fmt.Printf("%v: consistent %t, effective %t: %v leaves by %s, else by %s\n",
			v.Subject, v.Consistent(), v.Effective(), v.Witness, v.With, v.Without)
	}
	// Output:
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// 11.11.0.0/16 via 11.8.0.1 dev eth1
	// web-1: eth1: back: 11.11.0.0/16,11.8.0.1: consistent true, effective true: 11.11.0.0 leaves by eth1, else by eth0
}

// A next hop that is ignored: the operator wants 11.11.0.0/16 to pass a router at 11.8.0.77,
// which never sees it. The finding says why, its fix what to do, and neutron.ReplaceCommand what to type.
func Example_aNextHopThatIsIgnored() {
	subnet := back(hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77"))
	r, err := hostroute.Analyze(hostroute.Instance{
		Name: "web-1",
		NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{front()}},
			{Name: "eth1", Subnets: []*hostroute.Subnet{subnet}},
		},
		DefaultNIC: "eth0",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Explain(netip.MustParseAddr("11.11.3.4")))
	for _, f := range r.Findings {
		fmt.Println(f.Severity, f.Code)
		for _, fix := range f.Fixes {
			fmt.Printf("fix: %s (keeps egress: %t)\n", fix.Message, fix.KeepsEgress)
			fixed, err := subnet.Apply(fix.Edits...)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(strings.Join(neutron.ReplaceCommand(fixed), " "))
		}
	}
	// Output:
	// 11.11.3.4 leaves by eth1, by the route 11.11.0.0/16 via 11.8.0.77 dev eth1. The next hop 11.8.0.77 is ignored: the hypervisor answers in its place, and a router at 11.8.0.77 never sees the data. The hypervisor forwards it by its own routing table. Not by default via 10.65.0.1 dev eth0: its prefix is shorter. Traffic between 11.11.3.4 and an address of eth0 is dropped by the hypervisor (reverse path filter): it would have to leave by that NIC.
	// error next-hop-not-gateway
	// fix: set the next hop to 11.8.0.1, the gateway of subnet back (keeps egress: true)
	// openstack subnet set --no-host-route --host-route destination=11.11.0.0/16,gateway=11.8.0.1 back
}

// A subnet is shared by instances, and a host route on it is of use to one of them only. The
// documents are what Neutron's API returns.
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
		before, err := hostroute.Analyze(in)
		if err != nil {
			log.Fatal(err)
		}
		edited, err := in.Apply(remove)
		if err != nil {
			log.Fatal(err)
		}
		after, err := hostroute.Analyze(edited)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s; without it, %d destinations change: %v\n", in.Name, before.Verdicts[0].Effect,
			len(hostroute.Diff(before.Table, after.Table)), hostroute.Diff(before.Table, after.Table))
	}
	// Output:
	// web-1: steers; without it, 1 destinations change: [{11.11.0.0/16 eth1 eth0}]
	// db-1: single-nic; without it, 0 destinations change: []
}
