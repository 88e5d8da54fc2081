package audit_test

import (
	"fmt"
	"log"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// From Neutron's documents to commands: what no instance needs goes, and of each finding the first fix is made, unless that moves
// data together with the rest.
func Example_commands() {
	const subnets = `{"subnets":[{"id":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
		{"id":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[
			{"destination":"11.11.0.0/16","nexthop":"11.8.0.77"},{"destination":"11.12.0.0/16","nexthop":"192.0.2.1"},{"destination":"11.8.0.0/25","nexthop":"11.8.0.1"}]}]}`
	const ports = `{"ports":[{"id":"p1","device_id":"web-1","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"front","ip_address":"10.65.0.5"}]},
		{"id":"p2","device_id":"web-1","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.5"}]}]}`
	cloud, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(ports))
	if err != nil {
		log.Fatal(err)
	}
	if len(cloud.Problems)+len(cloud.Findings) > 0 {
		log.Fatal("what is left out or misspelt may need what seems to be of no use")
	}
	var a audit.Audit
	byID := make(map[string]*hostroute.Subnet)
	for _, s := range cloud.Subnets {
		byID[s.ID] = s
		if err := a.AddSubnet(s); err != nil {
			log.Fatal(err)
		}
	}
	for _, in := range cloud.Instances {
		in.DefaultNIC = "eth0" // as the guests are configured
		if err := a.Add(in); err != nil {
			log.Fatal(err)
		}
	}

	fixes := [][]hostroute.Edit{a.RemovableTogether()}
	for o := range a.Findings() {
		if len(o.Fixes) > 0 && len(o.Fixes[0].Edits) > 0 {
			fixes = append(fixes, o.Fixes[0].Edits)
		}
	}
	var edits []hostroute.Edit
	for i, taken := range a.Together(fixes...) {
		if taken {
			edits = append(edits, fixes[i]...)
		}
	}
	done := make(map[string]bool)
	for _, e := range edits { // all edits of a subnet at once, as several fixes may have the same host route; data may move until the last command
		if !done[e.Subnet] {
			for _, argv := range neutron.EditCommands(byID[e.Subnet], edits...) {
				fmt.Println(strings.Join(argv, " "))
			}
		}
		done[e.Subnet] = true
	}
	// Output:
	// openstack subnet set --host-route destination=11.11.0.0/16,gateway=11.8.0.1 back
	// openstack subnet unset --host-route destination=11.11.0.0/16,gateway=11.8.0.77 --host-route destination=11.8.0.0/25,gateway=11.8.0.1 back
}
