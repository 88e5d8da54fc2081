package hostroute_test

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
)

// Work is counted, not timed: the statements that Analyze executes, of this package, of the sweep
// and of package slices, as the coverage counters of `go test` have them.

// workShapes are what costs most, each for a size n. The growth is how much more work 2n may cost.
var workShapes = []struct {
	name   string
	n      int // the larger size
	growth float64
	make   func(n int) hostroute.Instance
}{
	// k NICs with a default each: k times the work.
	{"NICs on a dual-stack pair of subnets, with 20 off-link host routes", 64, 4.5, func(n int) hostroute.Instance {
		return sharedBy(n, 20, "192.0.2.1")
	}},
	{"NICs with 20 on-link host routes each", 64, 4.5, func(n int) hostroute.Instance { return ownSubnets(n, 20, 0) }},
	// m on-link routes that carry others: m times the work, and that for each of k defaults.
	{"NICs with 10 on-link host routes, and 10 behind them", 32, 9, func(n int) hostroute.Instance { return ownSubnets(n, 10, 10) }},
	{"NICs with 19 on-link host routes, one in the other, and one behind them", 32, 9, func(n int) hostroute.Instance {
		in := ownSubnets(n, 0, 0)
		for i := range in.NICs {
			s := in.NICs[i].Subnets[0]
			for bits := 14; bits <= 32; bits++ {
				p := netip.PrefixFrom(numbered(byte(20+i), 0).Addr(), bits)
				s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: p, NextHop: onLink})
			}
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: numbered(byte(120+i), 0), NextHop: numbered(byte(20+i), 0).Addr()})
		}
		return in
	}},
	{"wrong host routes on a subnet without DHCP", 4000, 2.5, func(n int) hostroute.Instance {
		in := sharedBy(1, n, "192.0.2.1")
		in.NICs[0].Subnets[0].DHCPDisabled = true
		return in
	}},
	{"on-link manual routes in descending order", 3000, 2.5, func(n int) hostroute.Instance {
		in := sharedBy(1, 0, "192.0.2.1")
		for i := range n {
			in.NICs[0].ManualRoutes = append(in.NICs[0].ManualRoutes, hostroute.HostRoute{Destination: numbered(20, n-i), NextHop: onLink})
		}
		return in
	}},
	{"manual routes", 4000, 2.5, func(n int) hostroute.Instance { return manual(n) }},
	{"host routes to one destination", 2000, 2.5, func(n int) hostroute.Instance {
		in := sharedBy(2, 0, "192.0.2.1")
		s := in.NICs[0].Subnets[0]
		s.CIDR = netip.MustParsePrefix("10.0.0.0/8")
		s.DHCPDisabled, in.ConfigDrive = true, true
		for i := range n {
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: numbered(20, 0), NextHop: numbered(10, i+1).Addr()})
		}
		return in
	}},
}

// numbered is the network of 24 bits with a number in first.0.0.0/8.
func numbered(first byte, i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{first, byte(i >> 8), byte(i), 0}), 24)
}

// sharedBy is an instance with n NICs on a dual-stack pair of subnets, with host routes by a next hop.
func sharedBy(n, routes int, hop string) hostroute.Instance {
	four, six := subnet("four", "10.0.0.0/24", "10.0.0.1"), subnet("six", "2001:db8::/64", "2001:db8::1")
	for i := range routes {
		four.HostRoutes = append(four.HostRoutes, hostroute.HostRoute{Destination: numbered(20, i), NextHop: netip.MustParseAddr(hop)})
	}
	var in hostroute.Instance
	for i := range n {
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprint("eth", i), Subnets: []*hostroute.Subnet{four, six}})
	}
	return in
}

// ownSubnets is an instance with n NICs, each with a subnet that has on-link host routes, and host
// routes behind these.
func ownSubnets(n, onLinks, behind int) hostroute.Instance {
	var in hostroute.Instance
	for i := range n {
		s := subnet(fmt.Sprint("s", i), fmt.Sprintf("10.%d.0.0/24", i), fmt.Sprintf("10.%d.0.1", i))
		for k := range onLinks {
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: numbered(20, 256*i+k), NextHop: onLink})
		}
		for k := range behind {
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: numbered(30, 256*i+k), NextHop: numbered(20, 256*i+k).Addr().Next()})
		}
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprint("eth", i), Subnets: []*hostroute.Subnet{s}})
	}
	return in
}

// TestWorkOfOneShape analyzes one shape, where TestWorkGrowsAsDocumented runs it to count.
func TestWorkOfOneShape(t *testing.T) {
	shape, n, _ := strings.Cut(os.Getenv("HOSTROUTE_WORK"), ",")
	if n == "" {
		t.Skip("is run by TestWorkGrowsAsDocumented")
	}
	i, _ := strconv.Atoi(shape)
	size, _ := strconv.Atoi(n)
	analyze(t, workShapes[i].make(size))
}

func TestWorkGrowsAsDocumented(t *testing.T) {
	if testing.Short() || os.Getenv("HOSTROUTE_WORK") != "" {
		t.Skip("builds this test with coverage counters, which takes long")
	}
	binary := filepath.Join(t.TempDir(), "work.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "-covermode", "count", "-coverpkg", ".,./internal/sweep,slices,sort", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	statements := func(shape, n int) (sum float64) {
		profile := filepath.Join(t.TempDir(), "profile")
		run := exec.Command(binary, "-test.run", "^TestWorkOfOneShape$", "-test.coverprofile", profile)
		run.Env = append(os.Environ(), fmt.Sprintf("HOSTROUTE_WORK=%d,%d", shape, n))
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		f, err := os.Open(profile)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			words := strings.Fields(lines.Text()) // file:from,to statements count
			if len(words) == 3 {
				n, _ := strconv.ParseFloat(words[1], 64)
				count, _ := strconv.ParseFloat(words[2], 64)
				sum += n * count
			}
		}
		return sum
	}
	for i, s := range workShapes {
		t.Run(s.name, func(t *testing.T) {
			half, whole := statements(i, s.n/2), statements(i, s.n)
			t.Logf("%d: %.2g statements; %d: %.2g, %.1f times as many", s.n/2, half, s.n, whole, whole/half)
			if half < 1e4 || whole > s.growth*half {
				t.Errorf("%.0f and %.0f statements: they grow by %.1f, at most by %.1f", half, whole, whole/half, s.growth)
			}
		})
	}
}
