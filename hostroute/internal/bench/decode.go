package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"

	"example.com/go-hostroute/hostroute/neutron"
)

// decoding measures neutron.Decode beside json.Unmarshal into structs of just the members that are
// needed, on documents with all members that Neutron prints.
func decoding(rounds, subnets, ports int) error {
	subnetsJSON, portsJSON := documents(subnets, ports)
	d, err := neutron.Decode(bytes.NewReader(subnetsJSON), bytes.NewReader(portsJSON))
	if err != nil {
		return err
	}
	nics := 0
	for _, in := range d.Instances {
		nics += len(in.NICs)
	}
	if len(d.Subnets) != subnets || nics != ports || len(d.Problems) > 0 {
		return fmt.Errorf("decoded %d subnets, %d NICs, problems %v", len(d.Subnets), nics, d.Problems)
	}
	d = nil

	ours := subject{func() { neutron.Decode(bytes.NewReader(subnetsJSON), bytes.NewReader(portsJSON)) }, 1}
	peer := unmarshalling(subnetsJSON, portsJSON)
	ratio, allocs := compare(rounds, ours, peer)
	row(fmt.Sprintf("neutron.Decode, %d subnets, %d ports", subnets, ports), "json.Unmarshal into structs of the needed members", ratio, allocs)
	row("bytes that it allocates", "the same", float64(allocated(ours))/float64(allocated(peer)), allocs)
	return nil
}

// unmarshalling is the peer: json.Unmarshal into structs of the needed members.
func unmarshalling(subnetsJSON, portsJSON []byte) subject {
	return subject{func() {
		var s struct{ Subnets []neededOfSubnet }
		var p struct{ Ports []neededOfPort }
		json.Unmarshal(subnetsJSON, &s)
		json.Unmarshal(portsJSON, &p)
	}, 1}
}

func allocated(s subject) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

type neededOfSubnet struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	NetworkID  string `json:"network_id"`
	CIDR       string `json:"cidr"`
	GatewayIP  string `json:"gateway_ip"`
	EnableDHCP bool   `json:"enable_dhcp"`
	HostRoutes []struct {
		Destination string `json:"destination"`
		NextHop     string `json:"nexthop"`
	} `json:"host_routes"`
}

type neededOfPort struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	MAC         string `json:"mac_address"`
	NetworkID   string `json:"network_id"`
	ProjectID   string `json:"project_id"`
	DeviceID    string `json:"device_id"`
	DeviceOwner string `json:"device_owner"`
	HostID      string `json:"binding:host_id"`
	FixedIPs    []struct {
		SubnetID  string `json:"subnet_id"`
		IPAddress string `json:"ip_address"`
	} `json:"fixed_ips"`
}

// documents makes what GET /v2.0/subnets and GET /v2.0/ports return for a deployment of instances with two
// ports each. A subnet has up to 13 host routes.
func documents(subnets, ports int) (subnetsJSON, portsJSON []byte) {
	random := rand.New(rand.NewPCG(1, 3))
	id := func(kind, i int) string { return fmt.Sprintf("%08x-5a4a-4000-8000-%012d", kind, i) }
	address := func(subnet, host int) netip.Addr {
		return netip.AddrFrom4([4]byte{10, byte(subnet >> 8), byte(subnet), byte(host)})
	}

	var s, p bytes.Buffer
	for i := range subnets {
		routes := ""
		for j := range random.IntN(14) {
			if j > 0 {
				routes += ", "
			}
			routes += fmt.Sprintf(`{"destination": "172.%d.%d.0/24", "nexthop": "%v"}`, 16+j, random.IntN(256), address(i, 1))
		}
		fmt.Fprintf(&s, subnetFormat, separator(i), id(1, i), id(2, i/2), address(i, 2), address(i, 254), routes, address(i, 1), address(i, 0), id(3, i/20))
	}
	s.WriteString("]}")
	for i := range ports {
		subnet := random.IntN(subnets)
		fmt.Fprintf(&p, portFormat, separator(i), id(4, i), id(2, subnet/2), id(3, subnet/20), i/256%256, i%256, id(1, subnet),
			address(subnet, 2+random.IntN(250)), id(5, i/2), i/2%500)
	}
	p.WriteString("]}")
	return append([]byte(`{"subnets": [`), s.Bytes()...), append([]byte(`{"ports": [`), p.Bytes()...)
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}

const subnetFormat = `%s{"id": "%[2]s", "name": "subnet", "tenant_id": "%[9]s", "network_id": "%[3]s", "ip_version": 4,
 "subnetpool_id": null, "enable_dhcp": true, "ipv6_ra_mode": null, "ipv6_address_mode": null,
 "allocation_pools": [{"start": "%[4]v", "end": "%[5]v"}], "host_routes": [%[6]s], "gateway_ip": "%[7]v", "cidr": "%[8]v/24",
 "dns_nameservers": ["172.18.10.55"], "description": "", "service_types": [], "tags": [], "dns_publish_fixed_ip": false,
 "created_at": "2016-10-10T14:35:47Z", "updated_at": "2016-10-10T14:35:47Z", "revision_number": 2, "segment_id": null,
 "project_id": "%[9]s"}`

const portFormat = `%s{"id": "%[2]s", "name": "", "network_id": "%[3]s", "tenant_id": "%[4]s", "mac_address": "fa:16:3e:58:%02[5]x:%02[6]x",
 "admin_state_up": true, "status": "ACTIVE", "device_id": "%[9]s", "device_owner": "compute:nova",
 "fixed_ips": [{"subnet_id": "%[7]s", "ip_address": "%[8]v"}], "allowed_address_pairs": [], "extra_dhcp_opts": [],
 "security_groups": ["85cc3048-abc3-43cc-89b3-377341426ac5"], "description": "", "binding:vnic_type": "normal", "binding:profile": {},
 "binding:host_id": "compute-%[10]d", "binding:vif_type": "tap",
 "binding:vif_details": {"port_filter": true, "mac_address": "00:61:fe:ed:ca:fe"}, "port_security_enabled": true,
 "qos_policy_id": null, "qos_network_policy_id": null, "dns_name": "", "dns_assignment": [{"ip_address": "%[8]v",
 "hostname": "host-10-65-0-21", "fqdn": "host-10-65-0-21.openstacklocal."}], "dns_domain": "", "resource_request": null,
 "ip_allocation": "immediate", "tags": [], "created_at": "2016-03-08T20:19:41Z", "updated_at": "2016-03-08T20:19:41Z",
 "revision_number": 4, "project_id": "%[4]s"}`
