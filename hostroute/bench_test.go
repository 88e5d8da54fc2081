package hostroute_test

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/go-hostroute/hostroute"
)

// clean is an instance with 3 NICs and 20 host routes, and nothing to find.
func clean() hostroute.Instance {
	in := hostroute.Instance{Name: "web-1", DefaultNIC: "eth0"}
	n := 0
	for i := range 3 {
		s := &hostroute.Subnet{ID: fmt.Sprintf("subnet-%d", i), CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 24),
			Gateway: netip.AddrFrom4([4]byte{10, byte(i), 0, 1})}
		for ; i > 0 && n < 10*i; n++ {
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(n), 0}), 24), NextHop: s.Gateway})
		}
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprintf("eth%d", i), Addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, byte(i), 0, 5})}, Subnets: []*hostroute.Subnet{s}})
	}
	return in
}

// untidy is an instance with 1 NIC and 5 host routes, each with a finding.
func untidy() hostroute.Instance {
	s := &hostroute.Subnet{ID: "back", CIDR: netip.MustParsePrefix("11.8.0.0/24"), Gateway: netip.MustParseAddr("11.8.0.1")}
	for i := range 5 {
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 24), NextHop: s.Gateway})
	}
	return hostroute.Instance{Name: "web-2", NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{s}}}}
}

// manual is an instance with n manual routes on two NICs.
func manual(n int) hostroute.Instance {
	in := clean()
	in.NICs = in.NICs[:2]
	in.NICs[1].Subnets[0].HostRoutes = nil
	for i := range n {
		nic := &in.NICs[i%2]
		nic.ManualRoutes = append(nic.ManualRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24), NextHop: nic.Subnets[0].Gateway})
	}
	return in
}

// What is allocated for an instance with nothing to find is a few slices, however many routes it has.
func TestAnalyzeAllocatesLittle(t *testing.T) {
	in := clean()
	if r, err := hostroute.Analyze(in); err != nil || len(r.Findings) > 0 || len(r.Verdicts) != 20 {
		t.Fatalf("not a clean instance: %v, %v", r, err)
	}
	if n := testing.AllocsPerRun(100, func() { hostroute.Analyze(in) }); n > 30 {
		t.Errorf("%v allocations, want 30 at most", n)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	for name, in := range map[string]hostroute.Instance{"Clean": clean(), "Untidy": untidy(), "Manual100": manual(100), "Manual1000": manual(1000), "Manual10000": manual(10000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r, err := hostroute.Analyze(in)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				hostroute.Analyze(in)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(max(1, len(r.Verdicts))), "ns/route")
			b.ReportMetric(float64(len(r.Findings)), "findings")
		})
	}
}
