package hostroute_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestExplain(t *testing.T) {
	wrongHop := func() hostroute.Instance {
		in := documented()
		in.NICs[1].Subnets[0].HostRoutes = hostRoutes("11.11.0.0/16,11.8.0.77")
		return in
	}
	six := func() hostroute.Instance {
		in := documented()
		in.NICs[0].Subnets = append(in.NICs[0].Subnets, subnet("six", "2001:db8::/64", "2001:db8::1", "2001:db8:77::/48,2001:db8::1"))
		in.NICs[1].ManualRoutes = hostRoutes("2001:db8:77::/48,fe80::7")
		return in
	}
	defaultRoute := hostroute.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), NextHop: netip.MustParseAddr("10.65.0.1"), NIC: "eth0", Source: hostroute.SourceDefault, Subnet: "front"}
	default6 := hostroute.Route{Destination: netip.MustParsePrefix("::/0"), NextHop: netip.MustParseAddr("2001:db8::1"), NIC: "eth0", Source: hostroute.SourceDefault, Subnet: "six"}
	connected := hostroute.Route{Destination: netip.MustParsePrefix("11.8.0.0/24"), NIC: "eth1", Source: hostroute.SourceConnected, Subnet: "back"}
	hostRoute := func(dst, hop, nic, id string) hostroute.Route {
		r := route(dst, hop, nic)
		r.Source, r.Subnet = hostroute.SourceHostRoute, id
		return r
	}
	for name, c := range map[string]struct {
		in   hostroute.Instance
		dst  string
		want hostroute.Explanation
		text []string // what the paragraph says, in this order
	}{
		"the documented example": {documented(), "11.11.3.4", hostroute.Explanation{
			Route:   hostRoute("11.11.0.0/16", "11.8.0.1", "eth1", "back"),
			Losers:  []hostroute.Loser{{Route: defaultRoute}},
			Dropped: []string{"eth0"},
		}, []string{"11.11.3.4 leaves by eth1", "11.11.0.0/16 via 11.8.0.1 dev eth1", "Not by default via 10.65.0.1 dev eth0", "shorter", "An address of eth0 cannot talk to 11.11.3.4"}},
		"a next hop that is a router": {wrongHop(), "11.11.3.4", hostroute.Explanation{
			Route:          hostRoute("11.11.0.0/16", "11.8.0.77", "eth1", "back"),
			IgnoredNextHop: netip.MustParseAddr("11.8.0.77"),
			Losers:         []hostroute.Loser{{Route: defaultRoute}},
			Dropped:        []string{"eth0"},
		}, []string{"leaves by eth1", "11.8.0.77 is ignored", "never sees", "hypervisor forwards"}},
		"the default, which the host route does not touch": {documented(), "192.0.2.1", hostroute.Explanation{
			Route:   defaultRoute,
			Dropped: []string{"eth1"},
		}, []string{"192.0.2.1 leaves by eth0", "default via 10.65.0.1"}},
		"an IPv4-mapped address": {documented(), "::ffff:11.8.0.9", hostroute.Explanation{
			Destination: netip.MustParseAddr("11.8.0.9"),
			Route:       connected,
			Losers:      []hostroute.Loser{{Route: defaultRoute}},
			Dropped:     []string{"eth0"},
		}, []string{"11.8.0.9 leaves by eth1"}},
		"a host route that is refused": {func() hostroute.Instance {
			in := documented()
			in.NICs[0].Subnets[0].HostRoutes = hostRoutes("11.11.3.0/24,11.8.0.1")
			return in
		}(), "11.11.3.4", hostroute.Explanation{
			Route: hostRoute("11.11.0.0/16", "11.8.0.1", "eth1", "back"),
			Losers: []hostroute.Loser{{Route: defaultRoute},
				{Route: hostRoute("11.11.3.0/24", "11.8.0.1", "eth0", "front"), Cause: hostroute.CodeNextHopOtherNIC}},
			Dropped: []string{"eth0"},
		}, []string{"leaves by eth1", "Not by 11.11.3.0/24 via 11.8.0.1 dev eth0", "does not install", "next-hop-other-nic"}},
		"a host route that is not offered": {six(), "2001:db8:77::1", hostroute.Explanation{
			Route:   hostroute.Route{Destination: netip.MustParsePrefix("2001:db8:77::/48"), NextHop: netip.MustParseAddr("fe80::7"), NIC: "eth1", Source: hostroute.SourceManual},
			Losers:  []hostroute.Loser{{Route: default6}, {Route: hostRoute("2001:db8:77::/48", "2001:db8::1", "eth0", "six"), Cause: hostroute.CodeIPv6NotOffered}},
			Dropped: []string{"eth0"},
		}, []string{"leaves by eth1", "Not by 2001:db8:77::/48 via 2001:db8::1 dev eth0", "never reaches the guest", "ipv6-not-offered"}},
		"an equal destination": {func() hostroute.Instance {
			in := documented()
			in.NICs[0].Subnets[0].HostRoutes = hostRoutes("11.8.0.0/24,10.65.0.1")
			return in
		}(), "11.8.0.9", hostroute.Explanation{
			Route:   hostRoute("11.8.0.0/24", "10.65.0.1", "eth0", "front"),
			Losers:  []hostroute.Loser{{Route: defaultRoute}, {Route: connected}},
			Dropped: []string{"eth1"},
		}, []string{"leaves by eth0", "shorter", "Not by 11.8.0.0/24 dev eth1", "comes first"}},
		"on-link: nothing is ignored": {func() hostroute.Instance {
			in := documented()
			in.NICs[1].Subnets[0].HostRoutes = hostRoutes("11.11.0.0/16,0.0.0.0")
			return in
		}(), "11.11.3.4", hostroute.Explanation{
			Route:   hostRoute("11.11.0.0/16", "", "eth1", "back"),
			Losers:  []hostroute.Loser{{Route: defaultRoute}},
			Dropped: []string{"eth0"},
		}, []string{"leaves by eth1"}},
		"no route": {hostroute.Instance{Name: "web-1", NICs: documented().NICs[1:2]}, "2001:db8::1", hostroute.Explanation{},
			[]string{"No route", "2001:db8::1", "nothing leaves"}},
		"a next hop on the wire": {func() hostroute.Instance {
			in := documented()
			in.NICs[1].Subnets[0].HostRoutes = hostRoutes("11.11.77.5/16,11.8.0.77")
			return in
		}(), "11.11.3.4", hostroute.Explanation{
			Route:          hostRoute("11.11.0.0/16", "11.8.0.77", "eth1", "back"),
			IgnoredNextHop: netip.MustParseAddr("11.8.0.77"),
			Losers:         []hostroute.Loser{{Route: defaultRoute}},
			Dropped:        []string{"eth0"},
		}, []string{"11.8.0.77 is ignored"}},
	} {
		t.Run(name, func(t *testing.T) {
			dst := netip.MustParseAddr(c.dst)
			got := analyze(t, c.in).Explain(dst)
			for _, l := range got.Losers {
				if l.Reason == "" {
					t.Errorf("%v loses for no reason", l.Route)
				}
			}
			if !c.want.Destination.IsValid() {
				c.want.Destination = dst
			}
			opts := cmp.Options{equateNetip, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(hostroute.Loser{}, "Reason")}
			if diff := cmp.Diff(c.want, got, opts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			text, at := got.String(), 0
			for _, part := range c.text {
				i := strings.Index(text[at:], part)
				if i < 0 {
					t.Fatalf("%q is not in its place in: %s", part, text)
				}
				at += i + len(part)
			}
		})
	}
}

func TestExplainWhatIsNoAddress(t *testing.T) {
	r := analyze(t, documented())
	for _, a := range []netip.Addr{{}, netip.MustParseAddr("fe80::1%eth0")} {
		e := r.Explain(a)
		if e.Route != (hostroute.Route{}) || len(e.Losers) != 0 || len(e.Dropped) != 0 || e.Losers == nil || e.Dropped == nil || e.String() == "" {
			t.Errorf("%v: got %+v", a, e)
		}
	}
	e := new(hostroute.Report).Explain(netip.MustParseAddr("10.0.0.1"))
	if e.Route != (hostroute.Route{}) || e.Losers == nil {
		t.Errorf("the zero report: got %+v", e)
	}
	if (hostroute.Explanation{}).String() == "" {
		t.Error("the zero explanation prints nothing")
	}
}

func TestExplainAgreesWithLookup(t *testing.T) {
	random(t, 13, 600, func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		verdicts := twin.Verdicts(in)
		for _, a := range twin.Boundaries(r.Table) {
			if !checkExplanation(t, verdicts, r, a) {
				t.Errorf("%v\n%s%s", a, r.Table, describe(in))
				return false
			}
		}
		return true
	})
}

func checkExplanation(t testing.TB, verdicts []hostroute.Verdict, r *hostroute.Report, a netip.Addr) bool {
	e := r.Explain(a)
	winner, ok := r.Table.Lookup(a)
	if e.Route != winner || e.Destination != a {
		t.Errorf("winner is %v of %v, want %v", e.Route, e.Destination, winner)
		return false
	}
	// The losers are whatever else contains the address.
	var want []hostroute.Route
	at := slices.Index(r.Table, winner)
	var dropped []string
	for i, row := range r.Table {
		if i != at && row.Destination.Contains(a) {
			want = append(want, row)
		}
		if ok && row.NIC != winner.NIC && row.Destination.Addr().Is4() == a.Is4() {
			dropped = append(dropped, row.NIC)
		}
	}
	slices.Sort(dropped)
	if diff := cmp.Diff(slices.Compact(dropped), e.Dropped, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
		return false
	}
	rows := len(want)
	ignored := false
	for _, v := range verdicts {
		hr := v.Subject.HostRoute
		if v.Cause != "" && hr.Destination.Masked().Contains(a) {
			x := hostroute.Route{Destination: hr.Destination, NextHop: hr.NextHop, NIC: v.Subject.NIC, Source: hostroute.SourceHostRoute, Subnet: v.Subject.Subnet}
			if x.Subnet == "" {
				x.Source = hostroute.SourceManual
			}
			if x.NextHop == onLink {
				x.NextHop = netip.Addr{}
			}
			want = append(want, x)
		}
		if row, ok := rowOf(r.Table, v); ok && row == winner && v.Cause == "" && v.Class == hostroute.ClassNotGateway {
			ignored = true
		}
	}
	var got []hostroute.Route
	for i, l := range e.Losers {
		got = append(got, l.Route)
		if l.Reason == "" || (l.Cause == "") != (i < rows) {
			t.Errorf("loser %+v", l)
			return false
		}
	}
	if diff := cmp.Diff(want, got, equateNetip, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("losers (-want +got):\n%s", diff)
		return false
	}
	if e.IgnoredNextHop.IsValid() != ignored || ignored && e.IgnoredNextHop != winner.NextHop {
		t.Errorf("ignored next hop is %v of %v, want %v", e.IgnoredNextHop, winner, ignored)
		return false
	}
	return strings.Contains(e.String(), a.String())
}

// Explain is asked of tables that are large; the answer does not depend on when.
func TestExplainTwiceIsTheSame(t *testing.T) {
	r := analyze(t, documented())
	rnd := rand.New(rand.NewPCG(14, 0))
	for range 100 {
		a := netip.AddrFrom4([4]byte{byte(10 + rnd.IntN(2)), byte(rnd.Uint32()), byte(rnd.Uint32()), 1})
		if diff := cmp.Diff(r.Explain(a), r.Explain(a), equateNetip); diff != "" {
			t.Fatalf("%v: %s", a, diff)
		}
	}
}

// Who does not look at the error of Analyze has a nil Report.
func TestNilReport(t *testing.T) {
	var r *hostroute.Report
	if got := r.Worst(); got != 0 {
		t.Errorf("worst: %v", got)
	}
	dst := netip.MustParseAddr("11.11.3.4")
	if diff := cmp.Diff(new(hostroute.Report).Explain(dst), r.Explain(dst), equateNetip); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Where the order of leases decides, no reason says that one route comes first.
func TestExplainWhatIsOpen(t *testing.T) {
	in := documented()
	in.DefaultNIC = ""
	for guest, want := range map[hostroute.Guest]string{
		hostroute.GuestNetworkd: "the order of the leases decides",
		hostroute.GuestDhcpcd:   "its metric is higher",
	} {
		in.Guest = guest
		e := analyze(t, in).Explain(netip.MustParseAddr("192.0.2.1"))
		if len(e.Losers) != 1 || e.Route.NIC != "eth0" || e.Losers[0].Route.NIC != "eth1" || e.Losers[0].Reason != want {
			t.Errorf("%s: got %+v", guest, e)
		}
		open := guest == hostroute.GuestNetworkd
		said := strings.Contains(e.String(), "An equal route of another NIC is used instead if that NIC has its lease first.")
		if e.Route.Open != open || e.Losers[0].Route.Open != open || said != open {
			t.Errorf("%s: got %+v", guest, e)
		}
	}
}

// dhcpcd routes to the loopback device if the next hop is 127.0.0.1.
func TestExplainWhatStaysInTheGuest(t *testing.T) {
	in := back("11.11.0.0/16,127.0.0.1")
	in.Guest = hostroute.GuestDhcpcd
	e := analyze(t, in).Explain(netip.MustParseAddr("11.11.0.1"))
	const want = "11.11.0.1 stays in the guest, by the route 11.11.0.0/16 via 127.0.0.1 dev lo metric 1003: nothing leaves."
	if got := e.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "hypervisor") || len(e.Dropped) > 0 {
		t.Errorf("got %q, dropped %v", got, e.Dropped)
	}
}
