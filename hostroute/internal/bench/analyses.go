package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/sweep"
	"github.com/gaissmai/bart"
)

// analyses measures the library as a whole.
func analyses(rounds int) error {
	in := clean()
	r, err := hostroute.Analyze(in)
	if err != nil {
		return err
	}
	if len(r.Findings) > 0 || len(r.Verdicts) != 20 {
		return fmt.Errorf("not clean: %v", r.Findings)
	}
	bad := untidy()
	if r, err := hostroute.Analyze(bad); err != nil || len(r.Findings) != 5 {
		return fmt.Errorf("not five findings: %v, %v", r, err)
	}
	analyze := func(in hostroute.Instance) subject {
		return subject{func() { hostroute.Analyze(in) }, 1}
	}
	routes := routesOf(r.Table)
	if err := agree(routes); err != nil {
		return err
	}
	deciding := subject{func() { decide(routes) }, 1}
	ratio, allocs := compare(rounds, analyze(in), deciding)
	row("Analyze, 3 NICs, 20 host routes, no findings", "deciding the effects of its table with bart", ratio, allocs)
	var copied *hostroute.Report
	floor := subject{func() {
		copied = &hostroute.Report{Table: slices.Clone(r.Table), Verdicts: slices.Clone(r.Verdicts)}
	}, 1}
	ratio, allocs = compare(rounds, floor, deciding)
	row("its floor: that report allocated and copied, nothing computed", "the same", ratio, allocs)
	if len(copied.Verdicts) != 20 {
		return fmt.Errorf("not copied: %v", copied)
	}
	ratio, allocs = compare(rounds, analyze(bad), analyze(in))
	row("Analyze, 1 NIC, 5 host routes, five findings with fixes", "the first row", ratio, allocs)

	t, addrs := build(r.Table), []netip.Addr{}
	random := rand.New(rand.NewPCG(1, 1))
	for _, row := range r.Table {
		b := row.Destination.Addr().As4()
		b[3] |= byte(random.Uint32())
		addrs = append(addrs, netip.AddrFrom4(b), netip.AddrFrom4([4]byte{byte(random.Uint32()), byte(random.Uint32()), 1, 1}))
	}
	found := 0
	ours := subject{func() {
		for _, a := range addrs {
			if _, ok := r.Table.Lookup(a); ok {
				found++
			}
		}
	}, len(addrs)}
	peer := subject{func() {
		for _, a := range addrs {
			if _, ok := t.Lookup(a); ok {
				found++
			}
		}
	}, len(addrs)}
	ratio, allocs = compare(rounds, ours, peer)
	row(fmt.Sprintf("Table.Lookup, %d routes", len(r.Table)), "bart", ratio, allocs)

	few, many := analyze(manual(100)), analyze(manual(10_000))
	few.per, many.per = 100, 10_000
	ratio, allocs = compare(rounds, many, few)
	row("Analyze, 10,000 manual routes, per route", "100 manual routes", ratio, allocs)
	few = analyze(manual(1000))
	few.per = 1000
	ratio, allocs = compare(rounds, many, few)
	row("Analyze, 10,000 manual routes, per route", "1,000 manual routes", ratio, allocs)
	return nil
}

// build makes a prefix table that holds what a Table holds.
func build(t hostroute.Table) *bart.Table[hostroute.Route] {
	var out bart.Table[hostroute.Route]
	for _, r := range t {
		out.Insert(r.Destination, r)
	}
	return &out
}

// routesOf returns a table as the sweep takes it, its NICs numbered.
func routesOf(t hostroute.Table) []sweep.Route {
	var nics []string
	var out []sweep.Route
	for _, r := range t {
		if !slices.Contains(nics, r.NIC) {
			nics = append(nics, r.NIC)
		}
		out = append(out, sweep.Route{Prefix: r.Destination, NIC: int32(slices.Index(nics, r.NIC))})
	}
	return out
}

// subnet is 10.i.0.0/24 with a gateway.
func subnet(i int) *hostroute.Subnet {
	return &hostroute.Subnet{
		ID:      fmt.Sprintf("5a4ae1e1-0000-4000-8000-%012d", i),
		CIDR:    netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 24),
		Gateway: netip.AddrFrom4([4]byte{10, byte(i), 0, 1}),
	}
}

func nic(i int) hostroute.NIC {
	return hostroute.NIC{Name: fmt.Sprintf("eth%d", i), Addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, byte(i), 0, 5})}, Subnets: []*hostroute.Subnet{subnet(i)}}
}

// clean is an instance with 3 NICs and 20 host routes, all of them consistent and effective.
func clean() hostroute.Instance {
	r := rand.New(rand.NewPCG(1, 2))
	in := hostroute.Instance{Name: "web-1", DefaultNIC: "eth0", NICs: []hostroute.NIC{nic(0), nic(1), nic(2)}}
	lengths := []int{12, 16, 16, 20, 22, 24, 24, 24, 24, 28}
	for i := range 20 {
		s := in.NICs[1+i/10].Subnets[0]
		dst := netip.AddrFrom4([4]byte{byte(20 + 8*i), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(dst, lengths[i%10]).Masked(), NextHop: s.Gateway})
	}
	return in
}

// untidy is an instance with 1 NIC and 5 host routes, none of them of use.
func untidy() hostroute.Instance {
	n := nic(1)
	for i := range 5 {
		s := n.Subnets[0]
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 24), NextHop: s.Gateway})
	}
	return hostroute.Instance{Name: "web-2", NICs: []hostroute.NIC{n}}
}

// manual is an instance with n manual routes on its second NIC.
func manual(n int) hostroute.Instance {
	in := hostroute.Instance{Name: "web-3", DefaultNIC: "eth0", NICs: []hostroute.NIC{nic(0), nic(1)}}
	for i := range n {
		in.NICs[1].ManualRoutes = append(in.NICs[1].ManualRoutes, hostroute.HostRoute{
			Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24), NextHop: in.NICs[1].Subnets[0].Gateway})
	}
	return in
}
