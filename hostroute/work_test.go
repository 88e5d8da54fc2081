package hostroute_test

import (
	"encoding/json"
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
// and of package slices, and how often it installs a table, as the coverage counters of `go test` have them.

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
	{"host routes on a subnet that two NICs share", 4000, 2.5, func(n int) hostroute.Instance {
		in := sharedBy(2, n, "10.0.0.1")
		in.NICs[0].Subnets[0].DHCPDisabled, in.ConfigDrive = true, true
		return in
	}},
	{"host routes that differ in their host bits", 4000, 2.5, func(n int) hostroute.Instance {
		in := sharedBy(1, 0, "")
		s := in.NICs[0].Subnets[0]
		s.DHCPDisabled, in.ConfigDrive = true, true
		for i := range n {
			p := netip.PrefixFrom(numbered(20, i).Addr(), 9)
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: p, NextHop: s.Gateway})
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

// TestWorkOfOne analyzes the instance in a file, where a counter runs it.
func TestWorkOfOne(t *testing.T) {
	file := os.Getenv("HOSTROUTE_WORK")
	if file == "" {
		t.Skip("is run by the tests that count")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var in hostroute.Instance
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	analyze(t, in)
}

// A counter is this test, built with coverage counters.
type counter string

func newCounter(t *testing.T) counter {
	t.Helper()
	if testing.Short() || os.Getenv("HOSTROUTE_WORK") != "" {
		t.Skip("builds this test with coverage counters, which takes long")
	}
	binary := filepath.Join(t.TempDir(), "work.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "-covermode", "count", "-coverpkg", ".,./internal/sweep,slices,sort", ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return counter(binary)
}

// count analyzes an instance, and returns how many statements that executes, and how often the function install.
func (c counter) count(t *testing.T, in hostroute.Instance) (statements, installs float64) {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	file, profile := filepath.Join(t.TempDir(), "instance"), filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(string(c), "-test.run", "^TestWorkOfOne$", "-test.coverprofile", profile)
	run.Env = append(os.Environ(), "HOSTROUTE_WORK="+file)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	begins := fmt.Sprintf("/install.go:%d.", lineOf(t, "install.go", "func install("))
	for line := range strings.Lines(string(lines)) {
		words := strings.Fields(line) // file:from,to statements count
		if len(words) != 3 {
			continue
		}
		n, _ := strconv.ParseFloat(words[1], 64)
		times, _ := strconv.ParseFloat(words[2], 64)
		statements += n * times
		if strings.Contains(words[0], begins) {
			installs += times
		}
	}
	return statements, installs
}

// lineOf returns the number of the line of a file that begins with a text.
func lineOf(t *testing.T, file, text string) int {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(content), "\n"+text)
	if !found {
		t.Fatalf("%s has no %q", file, text)
	}
	return strings.Count(before, "\n") + 2
}

func TestWorkGrowsAsDocumented(t *testing.T) {
	c := newCounter(t)
	for _, s := range workShapes {
		for _, guest := range []hostroute.Guest{hostroute.GuestDhclient, hostroute.GuestNetworkd, hostroute.GuestNetworkManager} {
			t.Run(s.name+"/"+string(guest), func(t *testing.T) {
				t.Parallel()
				sized := func(n int) hostroute.Instance {
					in := s.make(n)
					in.Guest = guest
					return in
				}
				half, _ := c.count(t, sized(s.n/2))
				whole, installs := c.count(t, sized(s.n))
				t.Logf("%d: %.2g statements; %d: %.2g, %.1f times as many, %.0f installs", s.n/2, half, s.n, whole, whole/half, installs)
				if half < 1e4 || whole > s.growth*half {
					t.Errorf("%.0f and %.0f statements: they grow by %.1f, at most by %.1f", half, whole, whole/half, s.growth)
				}
			})
		}
	}
}

// Where no guest can differ, a table is installed once, and once for each default that may be kept. Where guests differ,
// it is once for each of them and each default, and once more for each of the two that may lose a long offer. Only deletions on which the next hops of other routes depend come on top of
// that: one for each on-link route around such a next hop, as with one guest. Here there are none.
func TestInstallsAreFew(t *testing.T) {
	c := newCounter(t)
	anyDefault := func(in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC = ""
		return in
	}
	plain := back("11.11.0.0/16,11.8.0.1", "12.0.0.0/8,11.8.0.1")
	// All in which guests differ: host bits; broadcast, off-link, other NIC's, loopback, own and no next hop; equal
	// destinations in one list and of two NICs; the own subnet, and the other NIC's; a destination that begins at its next hop.
	unlike := back("11.11.77.0/20,11.8.0.1", "12.0.0.0/8,11.8.0.255", "13.0.0.0/8,11.8.0.1", "13.0.0.0/8,11.8.0.77", "11.8.0.0/24,11.8.0.1",
		"10.65.0.0/24,11.8.0.1", "14.0.0.0/8,192.0.2.1", "15.0.0.0/8,10.65.0.1", "16.0.0.0/8,127.0.0.1", "17.0.0.0/8,0.0.0.0", "18.0.0.0/8,11.8.0.21",
		"19.0.0.0/8,19.0.0.0", "11.0.0.0/8,11.8.0.1")
	front(&unlike).HostRoutes = hostRoutes("13.0.0.0/8,10.65.0.1")
	unlike.NICs[1].Siblings = []netip.Prefix{netip.MustParsePrefix("10.66.0.0/24")}
	long := back("11.11.0.0/16,11.8.0.1", "12.0.0.0/8,11.8.0.1")
	for i := range 25 {
		long.NICs[1].Siblings = append(long.NICs[1].Siblings, numbered(10, 100<<8+i))
	}
	for name, test := range map[string]struct {
		in   hostroute.Instance
		most float64
	}{
		"no guest differs":               {plain, 1},
		"no guest differs, two defaults": {anyDefault(plain), 1 + 2},
		"guests differ":                  {unlike, 6},
		"guests differ, two defaults":    {anyDefault(unlike), 2 * 6},
		"an offer is long":               {long, 7},
		"an offer is long, two defaults": {anyDefault(long), 1 + 2*7},
	} {
		for _, guest := range hostroute.Guests() {
			if guest == hostroute.GuestUdhcpc && test.most <= 1+2 {
				continue // which differs from all others in any host route
			}
			t.Run(name+"/"+string(guest), func(t *testing.T) {
				in := test.in
				in.Guest = guest
				_, installs := c.count(t, in)
				t.Logf("%.0f installs", installs)
				if installs < 1 || installs > test.most {
					t.Errorf("%.0f installs, at most %.0f", installs, test.most)
				}
			})
		}
	}
}
