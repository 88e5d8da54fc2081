package hostroute_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
)

func TestTheDocumentedTable(t *testing.T) {
	const want = `default via 10.65.0.1 dev eth0
10.65.0.0/24 dev eth0
11.8.0.0/24 dev eth1
11.11.0.0/16 via 11.8.0.1 dev eth1
`
	for _, keep := range []string{"", "eth0"} {
		in := documented()
		in.DefaultNIC = keep
		if diff := cmp.Diff(want, analyze(t, in).Table.String()); diff != "" {
			t.Errorf("DefaultNIC %q (-want +got):\n%s", keep, diff)
		}
	}
}

func TestRouteString(t *testing.T) {
	for name, c := range map[string]struct {
		route [2]string // destination, next hop
		want  string
	}{
		"via":                    {[2]string{"11.11.0.0/16", "11.8.0.1"}, "11.11.0.0/16 via 11.8.0.1 dev eth1"},
		"connected, on-link":     {[2]string{"11.8.0.0/24", ""}, "11.8.0.0/24 dev eth1"},
		"default":                {[2]string{"0.0.0.0/0", "11.8.0.1"}, "default via 11.8.0.1 dev eth1"},
		"on-link default":        {[2]string{"0.0.0.0/0", ""}, "default dev eth1"},
		"not a default":          {[2]string{"0.0.0.0/1", "11.8.0.1"}, "0.0.0.0/1 via 11.8.0.1 dev eth1"},
		"one address":            {[2]string{"192.0.2.99/32", "11.8.0.1"}, "192.0.2.99 via 11.8.0.1 dev eth1"},
		"IPv6":                   {[2]string{"2001:db8:77::/48", "fe80::1"}, "2001:db8:77::/48 via fe80::1 dev eth1"},
		"one IPv6 address":       {[2]string{"2001:db8::7/128", "fe80::1"}, "2001:db8::7 via fe80::1 dev eth1"},
		"IPv6 default":           {[2]string{"::/0", "fe80::1"}, "default via fe80::1 dev eth1"},
		"IPv4 default, via IPv6": {[2]string{"0.0.0.0/0", "fe80::1"}, "default via fe80::1 dev eth1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := route(c.route[0], c.route[1], "eth1")
			if got := r.String(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			table := hostroute.Table{r, r}
			if got, want := table.String(), c.want+"\n"+c.want+"\n"; got != want {
				t.Errorf("table: got %q, want %q", got, want)
			}
		})
	}
	if got := (hostroute.Table{}).String(); got != "" {
		t.Errorf("the empty table prints %q", got)
	}
	if got := (hostroute.Route{}).String(); got == "" {
		t.Error("the zero route prints nothing") // it may be anything, but does not panic
	}
}

func route(dst, hop, nic string) hostroute.Route {
	r := hostroute.Route{Destination: netip.MustParsePrefix(dst), NIC: nic}
	if hop != "" {
		r.NextHop = netip.MustParseAddr(hop)
	}
	return r
}

// At one address, the longer prefix stands first, so that 0.0.0.0/8 stands before the
// default; equal destinations stand in order of precedence; IPv6 comes last.
func TestTableIsInTheOrderOfIPRoute(t *testing.T) {
	in := documented()
	in.DefaultNIC = ""
	in.NICs[0].Subnets[0].HostRoutes = hostRoutes("0.0.0.0/8,10.65.0.1", "11.8.0.0/24,10.65.0.1", "0.0.0.0/32,10.65.0.1", "11.11.0.0/24,10.65.0.1")
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, subnet("six", "2001:db8::/64", "2001:db8::1"))
	in.NICs[1].ManualRoutes = hostRoutes("::/8,fe80::1", "255.255.255.255/32,11.8.0.1")
	const want = `0.0.0.0 via 10.65.0.1 dev eth0
0.0.0.0/8 via 10.65.0.1 dev eth0
default via 10.65.0.1 dev eth0
10.65.0.0/24 dev eth0
11.8.0.0/24 via 10.65.0.1 dev eth0
11.8.0.0/24 dev eth1
11.11.0.0/24 via 10.65.0.1 dev eth0
11.11.0.0/16 via 11.8.0.1 dev eth1
255.255.255.255 via 11.8.0.1 dev eth1
::/8 via fe80::1 dev eth1
default via 2001:db8::1 dev eth0
`
	table := analyze(t, in).Table
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r, _ := table.Lookup(netip.MustParseAddr("11.8.0.9")); r.NIC != "eth0" {
		t.Errorf("of equal destinations, %v decides", r)
	}
}

func TestLookupAgreesWithTwin(t *testing.T) {
	random(t, 8, 2000, func(t testing.TB, in hostroute.Instance) bool {
		table := analyze(t, in).Table
		shuffled := slices.Clone(table)
		r := rand.New(rand.NewPCG(8, uint64(len(table))))
		r.Shuffle(len(shuffled), func(i, j int) {
			if shuffled[i].Destination != shuffled[j].Destination {
				shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			}
		})
		for _, a := range twin.Boundaries(table) {
			won, ok := table.Lookup(a)
			if want := twin.Egress(table, a); won.NIC != want || ok != (want != "") || ok && !won.Destination.Contains(a) {
				t.Errorf("%v: got %v, %v, want %q\n%s", a, won, ok, want, table)
				return false
			}
			if won, _ := table.Lookup(netip.AddrFrom16(a.As16())); won.NIC != twin.Egress(table, a.Unmap()) {
				t.Errorf("%v, IPv4-mapped: got %v\n%s", a, won, table)
				return false
			}
			if got, _ := shuffled.Lookup(a); got.NIC != twin.Egress(shuffled, a) {
				t.Errorf("%v in a table that is not sorted: got %v\n%s", a, got, shuffled)
				return false
			}
		}
		return true
	})
}

func TestLookupOfWhatIsNoAddress(t *testing.T) {
	table := hostroute.Table{route("0.0.0.0/0", "", "eth0"), route("::/0", "", "eth0"), {}}
	for _, a := range []netip.Addr{{}, netip.MustParseAddr("fe80::1%eth0")} {
		if r, ok := table.Lookup(a); ok || r != (hostroute.Route{}) {
			t.Errorf("%v: got %v", a, r)
		}
	}
	if r, ok := hostroute.Table(nil).Lookup(netip.MustParseAddr("10.0.0.1")); ok || r != (hostroute.Route{}) {
		t.Errorf("no table: got %v", r)
	}
}
