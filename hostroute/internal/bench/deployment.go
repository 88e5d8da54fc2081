package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// Generated deployments.

// A deployShape says which subnets the instances of a deployment are on.
type deployShape string

const (
	uniform deployShape = "uniform" // any
	tenants deployShape = "tenants" // any of a tenant's 20
	roles   deployShape = "roles"   // those of one of a tenant's 8 roles
	halved  deployShape = "halved"  // half of them as in uniform, half as in roles
)

const (
	subnetsOfTenant = 20
	rolesOfTenant   = 8
)

// A deployment is n instances of 2 to 4 NICs, on subnets with 0 to 20 host routes. The instances of a tenant follow
// each other. Deployments with as many subnets have the same subnets and roles.
type deployment struct {
	shape   deployShape
	n       int
	subnets []*hostroute.Subnet
	roles   [][]*hostroute.Subnet // eight of each tenant
}

func newDeployment(shape deployShape, n, subnets int) *deployment {
	r := rand.New(rand.NewPCG(3, uint64(subnets)))
	d := &deployment{shape: shape, n: n}
	for i := range max(subnets/subnetsOfTenant, 1) * subnetsOfTenant {
		d.subnets = append(d.subnets, someSubnet(r, i))
	}
	for tenant := range len(d.subnets) / subnetsOfTenant {
		for range rolesOfTenant {
			d.roles = append(d.roles, choose(r, d.ofTenant(tenant)))
		}
	}
	return d
}

func (d *deployment) ofTenant(tenant int) []*hostroute.Subnet {
	return d.subnets[tenant*subnetsOfTenant:][:subnetsOfTenant]
}

// instances returns a part of the deployment. The deployment does not keep it.
func (d *deployment) instances(from, to int) []hostroute.Instance {
	var out []hostroute.Instance
	for i := from; i < to; i++ {
		r := rand.New(rand.NewPCG(4, uint64(i)))
		tenant := i * (len(d.subnets) / subnetsOfTenant) / d.n
		var on []*hostroute.Subnet
		switch {
		case d.shape == uniform, d.shape == halved && i%2 == 0:
			on = choose(r, d.subnets)
		case d.shape == tenants:
			on = choose(r, d.ofTenant(tenant))
		default:
			on = d.roles[tenant*rolesOfTenant+r.IntN(rolesOfTenant)]
		}
		out = append(out, instanceOn(r, i, on))
	}
	return out
}

func choose(r *rand.Rand, subnets []*hostroute.Subnet) []*hostroute.Subnet {
	var out []*hostroute.Subnet
	for n := 2 + r.IntN(3); len(out) < n; {
		if s := subnets[r.IntN(len(subnets))]; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func instanceOn(r *rand.Rand, i int, subnets []*hostroute.Subnet) hostroute.Instance {
	in := hostroute.Instance{Name: fmt.Sprintf("%08x-0000-4000-8000-%012d", r.Uint32(), i)}
	for k, s := range subnets {
		a := s.CIDR.Addr().As4()
		a[3] = byte(20 + r.IntN(200))
		in.NICs = append(in.NICs, hostroute.NIC{
			ID:      fmt.Sprintf("%08x-0000-4000-9000-%012d", r.Uint32(), i),
			Name:    fmt.Sprintf("eth%d", k),
			Addrs:   []netip.Addr{netip.AddrFrom4(a)},
			Subnets: []*hostroute.Subnet{s},
		})
	}
	if r.IntN(2) == 0 {
		in.DefaultNIC = "eth0"
	}
	return in
}

// someSubnet returns a subnet of 24 bits. One in ten of its host routes has a next hop that is not the gateway.
func someSubnet(r *rand.Rand, i int) *hostroute.Subnet {
	network := func(first byte, number int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{first + byte(number>>16), byte(number >> 8), byte(number), 0}), 24)
	}
	s := &hostroute.Subnet{ID: fmt.Sprintf("%08x-0000-4000-a000-%012d", r.Uint32(), i), CIDR: network(10, i)}
	s.Gateway = s.CIDR.Addr().Next()
	for range r.IntN(21) {
		route := hostroute.HostRoute{Destination: network(40, r.IntN(1<<12)), NextHop: s.Gateway}
		if r.IntN(10) == 0 {
			route.NextHop = route.NextHop.Next()
		}
		s.HostRoutes = append(s.HostRoutes, route)
	}
	return s
}

// documents returns what GET /v2.0/subnets and GET /v2.0/ports return for the deployment.
func (d *deployment) documents() (subnetsJSON, portsJSON []byte) {
	s, p := bytes.NewBufferString(`{"subnets": [`), bytes.NewBufferString(`{"ports": [`)
	for i, subnet := range d.subnets {
		var routes []string
		for _, r := range subnet.HostRoutes {
			routes = append(routes, fmt.Sprintf(`{"destination": "%v", "nexthop": "%v"}`, r.Destination, r.NextHop))
		}
		fmt.Fprintf(s, subnetFormat, separator(i), subnet.ID, "network of "+subnet.ID, subnet.Gateway.Next(), subnet.Gateway.Next(),
			strings.Join(routes, ", "), subnet.Gateway, subnet.CIDR.Addr(), "project")
	}
	ports := 0
	for i, in := range d.instances(0, d.n) {
		for _, n := range in.NICs {
			id := n.Subnets[0].ID
			fmt.Fprintf(p, portFormat, separator(ports), fmt.Sprintf("%s-%d", n.ID, ports), "network of "+id, "project", ports>>8&0xff, ports&0xff, id, n.Addrs[0], in.Name, i%500)
			ports++
		}
	}
	s.WriteString("]}")
	p.WriteString("]}")
	return s.Bytes(), p.Bytes()
}
