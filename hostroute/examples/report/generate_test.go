package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A generated cloud: tenants of a few subnets, instances in a few roles of one to four NICs, and every mistake that the
// rules know.

type object = map[string]any

// A generated is the documents of a cloud, as objects that a test may change before it writes them.
type generated struct {
	Subnets []object `json:"subnets"`
	Ports   []object `json:"ports"`
}

const (
	subnetsOfTenant = 10
	rolesOfTenant   = 8
)

// generate makes a cloud with a subnet for about seven instances.
func generate(seed uint64, instances int) *generated {
	r := rand.New(rand.NewPCG(seed, 1))
	g := new(generated)
	subnets := max(instances*3/20, 2*subnetsOfTenant)
	for i := range subnets {
		g.Subnets = append(g.Subnets, subnetObject(r, i))
	}
	roles := make(map[int][]int) // the subnets of the NICs
	role := func(tenant int) []int {
		var list []int
		for range 1 + r.IntN(4) {
			s := tenant*subnetsOfTenant + r.IntN(subnetsOfTenant)
			if r.IntN(10) == 0 {
				s = r.IntN(3) // shared by all tenants
			}
			if !slices.Contains(list, s) || r.IntN(8) == 0 {
				list = append(list, s)
			}
		}
		return list
	}
	for i := range instances {
		name := fmt.Sprintf("%08x-58ed-4fc1-952e-%012x", r.Uint32(), i)
		host := fmt.Sprintf("compute-%d", r.IntN(20))
		tenant := r.IntN(subnets / subnetsOfTenant)
		key := tenant*rolesOfTenant + r.IntN(rolesOfTenant)
		if roles[key] == nil || r.IntN(50) == 0 {
			roles[key] = role(tenant)
		}
		for nic, s := range roles[key] {
			fixed := []object{{"subnet_id": g.Subnets[s]["id"], "ip_address": address(s, 2+r.IntN(250))}}
			if r.IntN(200) == 0 {
				second := tenant*subnetsOfTenant + r.IntN(subnetsOfTenant)
				fixed = append(fixed, object{"subnet_id": g.Subnets[second]["id"], "ip_address": address(second, 2+r.IntN(250))})
			}
			g.Ports = append(g.Ports, object{
				"id": fmt.Sprintf("port-%06d-%d", i, nic), "name": "", "network_id": fmt.Sprint("network-", s/2), "device_id": name,
				"device_owner": "compute:nova", "binding:host_id": host, "mac_address": fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", i>>8&255, i&255, nic),
				"project_id": fmt.Sprint("project-", tenant), "fixed_ips": fixed,
			})
		}
	}
	return g
}

// address returns an address of the i-th subnet. Each sixtieth subnet is of IPv6.
func address(i, host int) string {
	if isIPv6(i) {
		return fmt.Sprintf("2001:db8:%x::%x", i, host)
	}
	return fmt.Sprintf("10.%d.%d.%d", i/200, i%200, host)
}

func isIPv6(i int) bool { return i%60 == 59 }

func subnetObject(r *rand.Rand, i int) object {
	s := object{
		"id": fmt.Sprintf("subnet-%04d", i), "name": fmt.Sprintf("net%04d", i), "network_id": fmt.Sprint("network-", i/2), "enable_dhcp": r.IntN(80) > 0,
		"cidr": fmt.Sprintf("10.%d.%d.0/24", i/200, i%200), "gateway_ip": any(address(i, 1)),
	}
	if isIPv6(i) {
		s["cidr"] = fmt.Sprintf("2001:db8:%x::/64", i)
		s["host_routes"] = []object{{"destination": "2001:db8:ff::/48", "nexthop": address(i, 1)}, {"destination": "2001:db8:fe::/48", "nexthop": address(i, 7)}}
		return s
	}
	switch r.IntN(80) {
	case 0:
		s["gateway_ip"] = nil
	case 1:
		s["gateway_ip"] = "192.0.2.254"
	}
	n := r.IntN(14)
	long := r.IntN(40) == 0
	if long {
		n = 19 + r.IntN(10)
	}
	list := []object{}
	for k := range n {
		destination, hop := fmt.Sprintf("172.%d.%d.0/24", 16+r.IntN(4), r.IntN(256)), address(i, 1)
		if r.IntN(20) == 0 {
			hop = nextHop(r, i)
		}
		switch {
		case long:
			destination = fmt.Sprintf("172.20.%d.%d/32", i%256, k)
		case i > 3 && r.IntN(600) == 0:
			destination = "11.0.0.0/255.0.0.0"
		case r.IntN(12) == 0:
			destination = strangeDestination(r, i)
		}
		list = append(list, object{"destination": destination, "nexthop": hop})
	}
	s["host_routes"] = list
	return s
}

func strangeDestination(r *rand.Rand, i int) string {
	other := i/subnetsOfTenant*subnetsOfTenant + r.IntN(subnetsOfTenant)
	switch r.IntN(8) {
	case 0:
		return "0.0.0.0/0"
	case 1:
		return fmt.Sprintf("10.%d.%d.0/24", i/200, i%200) // the subnet itself
	case 2:
		return fmt.Sprintf("10.%d.%d.128/25", other/200, other%200) // a neighbour's
	case 3:
		return fmt.Sprintf("11.%d.77.5/16", r.IntN(8))
	case 4:
		return "127.1.0.0/16"
	}
	return fmt.Sprintf("11.%d.0.0/16", r.IntN(4)) // others have it, too
}

func nextHop(r *rand.Rand, i int) string {
	other := i/subnetsOfTenant*subnetsOfTenant + r.IntN(subnetsOfTenant)
	switch hops := []string{address(i, 77), "192.0.2.1", "0.0.0.0", "224.0.0.5", address(i, 2+r.IntN(20))}; {
	case r.IntN(3) == 0 && !isIPv6(other):
		return address(other, 1)
	default:
		return hops[r.IntN(len(hops))]
	}
}

// write writes the documents, and returns their names.
func (g *generated) write(t testing.TB) (subnets, ports string) {
	t.Helper()
	return jsonFile(t, object{"subnets": g.Subnets}), jsonFile(t, object{"ports": g.Ports})
}

func jsonFile(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "document.json")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
