package neutron_test

import (
	"fmt"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// The answers of GET /v2.0/subnets and GET /v2.0/ports become instances, ready to be analysed.
func ExampleDecode() {
	subnets := `{"subnets":[
		{"id":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[]},
		{"id":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}]}`
	ports := `{"ports":[
		{"id":"p0","device_id":"web-1","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"front","ip_address":"10.65.0.5"}]},
		{"id":"p1","device_id":"web-1","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.21"}]},
		{"id":"p2","device_id":"dhcp-1","device_owner":"network:dhcp","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.2"}]}]}`
	d, err := neutron.Decode(strings.NewReader(subnets), strings.NewReader(ports))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, in := range d.Instances {
		in.DefaultNIC = "eth0" // the documents do not tell which default the guest keeps
		r, err := hostroute.Analyze(in)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(r.Instance, "\n", r.Table)
		for _, v := range r.Verdicts {
			fmt.Println(v.Subject.HostRoute, v.Class, v.Effect)
		}
	}
	// Output:
	// web-1
	// default via 10.65.0.1 dev eth0
	// 10.65.0.0/24 dev eth0
	// 11.8.0.0/24 dev eth1
	// 11.11.0.0/16 via 11.8.0.1 dev eth1
	// 11.11.0.0/16,11.8.0.1 own-gateway steers
}

// What `openstack subnet list --long -f json` prints is enough to look at the subnets alone.
func ExampleDecodeSubnets() {
	d, err := neutron.DecodeSubnets(strings.NewReader(`[{"ID": "back", "Name": "back", "Subnet": "11.8.0.0/24", "DHCP": true,
		"Gateway": "11.8.0.1", "Host Routes": [{"destination": "11.0.0.0/255.0.0.0", "nexthop": "11.8.0.1"}]}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range d.Findings {
		fmt.Println(f)
	}
	// Output:
	// back: 11.0.0.0/8,11.8.0.1: destination 11.0.0.0/255.0.0.0 is spelled with a netmask and not as 11.0.0.0/8: dnsmasq sends it with the length 255, and dhclient installs no route of the subnet, not even the default (netmask-spelling)
}

// What is wrong with one element leaves out that element, and says why.
func ExampleDeployment_problems() {
	d, err := neutron.DecodeSubnets(strings.NewReader(`{"subnets":[
		{"id":"front","cidr":"10.65.0.1/24","gateway_ip":null},
		{"id":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11/8","nexthop":"11.8.0.1"}]},
		{"id":"storage","cidr":"10.70.0.0/24","gateway_ip":"10.70.0.1"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range d.Subnets {
		fmt.Println(s.ID)
	}
	for _, p := range d.Problems {
		fmt.Println(p)
	}
	// Output:
	// storage
	// subnets, /subnets/0/cidr: CIDR 10.65.0.1/24 has host bits: the network is 10.65.0.0/24 (subnet front)
	// subnets, /subnets/1/host_routes/0/destination: destination "11/8" is not spelled as a CIDR: a guest may get another one, or none (subnet back)
}

// A fix becomes the body of a request.
func ExampleUpdateBody() {
	back := &hostroute.Subnet{ID: "back", HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77")}}
	fixed, err := back.Apply(hostroute.Edit{Subnet: "back", Old: back.HostRoutes[0], New: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("PUT /v2.0/subnets/%s\n%s\n", fixed.ID, neutron.UpdateBody(fixed))
	// Output:
	// PUT /v2.0/subnets/back
	// {"subnet":{"host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}}
}

// The whole list in one request.
func ExampleReplaceCommand() {
	back := &hostroute.Subnet{ID: "back", HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}}
	fmt.Println(strings.Join(neutron.ReplaceCommand(back), " "))
	back.HostRoutes = nil
	fmt.Println(strings.Join(neutron.ReplaceCommand(back), " "))
	// Output:
	// openstack subnet set --no-host-route --host-route destination=11.11.0.0/16,gateway=11.8.0.1 back
	// openstack subnet set --no-host-route back
}

// A fix becomes commands that leave the subnet's other host routes alone.
func ExampleEditCommands() {
	back := &hostroute.Subnet{ID: "back", HostRoutes: []hostroute.HostRoute{
		hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77"), hostroute.MustParseHostRoute("11.12.0.0/16,11.8.0.1"),
	}}
	fix := hostroute.Edit{Subnet: "back", Old: back.HostRoutes[0], New: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}
	for _, argv := range neutron.EditCommands(back, fix) {
		fmt.Println(strings.Join(argv, " "))
	}
	// Output:
	// openstack subnet set --host-route destination=11.11.0.0/16,gateway=11.8.0.1 back
	// openstack subnet unset --host-route destination=11.11.0.0/16,gateway=11.8.0.77 back
}
