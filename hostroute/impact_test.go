package hostroute_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// edited is the definition of Apply for an instance, by way of Subnet.Apply.
func edited(t testing.TB, in hostroute.Instance, edits []hostroute.Edit) hostroute.Instance {
	t.Helper()
	out := clone(in)
	for i, n := range out.NICs {
		for j, s := range n.Subnets {
			s, err := s.Apply(edits...)
			if err != nil {
				t.Fatal(err)
			}
			out.NICs[i].Subnets[j] = s
		}
	}
	return out
}

// admissible returns what a guest may keep of the defaults of a family, as DefaultNIC says it: none
// in particular, or one that is offered before or after.
func admissible(family4 bool, before, after hostroute.Instance) []string {
	out := []string{before.DefaultNIC}
	for i := range before.NICs {
		if before.DefaultNIC == "" && (offersDefault(before, before.NICs[i], family4) || offersDefault(after, after.NICs[i], family4)) {
			out = append(out, before.NICs[i].Name)
		}
	}
	return out
}

// changed is the Diff of one family between two instances whose guests keep that default.
func changed(before, after hostroute.Instance, keep string, family4 bool) []hostroute.Change {
	before.DefaultNIC, after.DefaultNIC = keep, keep
	var out []hostroute.Change
	for _, c := range hostroute.Diff(twin.Table(before), twin.Table(after)) {
		if c.Destination.Addr().Is4() == family4 {
			out = append(out, c)
		}
	}
	return out
}

// wantUncertain is the definition of Uncertain.
func wantUncertain(before, after hostroute.Instance, edits []hostroute.Edit) (bool, string) {
	for _, family4 := range []bool{true, false} {
		first := changed(before, after, before.DefaultNIC, family4)
		for _, keep := range admissible(family4, before, after) {
			if !slices.Equal(first, changed(before, after, keep, family4)) {
				return true, "with the default of " + keep
			}
		}
	}
	if twin.AnotherGuestMoves(before, after, edits) {
		return true, "under another guest"
	}
	hasOneWay := func(in hostroute.Instance) bool {
		isLocal := func(r hostroute.HostRoute) bool { return r.NextHop == netip.MustParseAddr("127.0.0.1") }
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				if slices.ContainsFunc(s.HostRoutes, isLocal) {
					return false
				}
			}
			if slices.ContainsFunc(n.ManualRoutes, isLocal) {
				return false
			}
		}
		return slices.ContainsFunc(twin.Table(in), func(r hostroute.Route) bool {
			used, _ := twin.Configured(in, in.NICs[0])
			isInside := used != nil && used.CIDR.Contains(r.NextHop) && used.CIDR.Bits() < 32
			return r.Destination == any4 && r.Source == hostroute.SourceDefault && isInside && !slices.Contains(in.NICs[0].Addrs, r.NextHop)
		})
	}
	if len(before.NICs) == 1 && hasOneWay(before) && hasOneWay(after) {
		return false, ""
	}
	was, is := twin.Verdicts(before), twin.Verdicts(after)
	for i, list := range [][]hostroute.Verdict{was, is} {
		in, other := before, is
		if i == 1 {
			in, other = after, was
		}
		for _, v := range list {
			named := slices.ContainsFunc(edits, func(e hostroute.Edit) bool {
				masked := e.New
				masked.Destination = masked.Destination.Masked()
				return e.Subnet == v.Subject.Subnet && (e.Old == v.Subject.HostRoute || masked == v.Subject.HostRoute)
			})
			if named && twin.ListMattersToOthers(in, v.Subject) {
				return true, fmt.Sprint("under another guest, the order of the list decides ", v)
			}
			if !twin.ListMatters(in, v.Subject) {
				continue
			}
			if named || !slices.ContainsFunc(other, func(o hostroute.Verdict) bool { return cmp.Equal(o, v, equateNetip) }) ||
				twin.GuestDependent(before, v.Subject) != twin.GuestDependent(after, v.Subject) ||
				twin.ListMatters(before, v.Subject) != twin.ListMatters(after, v.Subject) ||
				v.Subject.HostRoute.Destination.Addr().Is4() && !slices.Equal(twin.GuestsThatDiffer(before, v.Subject), twin.GuestsThatDiffer(after, v.Subject)) {
				return true, fmt.Sprint("the order of the list, or the length of the offer, decides ", v)
			}
		}
	}
	return false, ""
}

// checkImpact holds Impact against its definition.
func checkImpact(t testing.TB, in hostroute.Instance, list []hostroute.Edit) bool {
	t.Helper()
	got, err := in.Impact(list...)
	movesNothing, alike := in.MovesNothing(list...)
	if fmt.Sprint(err) != fmt.Sprint(alike) {
		t.Errorf("Impact: %v; MovesNothing: %v\n%s", err, alike, describe(in))
	}
	if err != nil {
		if _, applied := in.Apply(list...); applied == nil || movesNothing {
			t.Errorf("%v, though Apply says %v; MovesNothing is %v\n%s", err, applied, movesNothing, describe(in))
		}
		return !t.Failed()
	}
	after := edited(t, in, list)
	was, is := analyze(t, in), analyze(t, after)
	want := &hostroute.Impact{Instance: in.Name, Changes: hostroute.Diff(twin.Table(in), twin.Table(after))}
	var why string
	want.Uncertain, why = wantUncertain(in, after, list)
	subject := func(r hostroute.Ref) hostroute.Ref {
		for _, e := range list {
			if e.Old != none && e.New != none && e.Subnet == r.Subnet && e.Old == r.HostRoute {
				r.HostRoute = e.New
				r.HostRoute.Destination = r.HostRoute.Destination.Masked()
				break // the edits of a test replace a host route once
			}
		}
		return r
	}
	var before []key
	for _, f := range was.Findings {
		before = append(before, key{f.Code, subject(f.Subject)})
	}
	for _, f := range is.Findings {
		if !slices.Contains(before, key{f.Code, f.Subject}) {
			want.New = append(want.New, f)
		}
	}
	for i, f := range was.Findings {
		if !slices.Contains(keys(is.Findings), before[i]) {
			want.Gone = append(want.Gone, f)
		}
	}
	if diff := cmp.Diff(want, got, equateNetip, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("impact of %v (-want +got):\n%s%s\n%s", list, diff, why, describe(in))
		return false
	}
	none := len(want.Changes) == 0 && !want.Uncertain && !slices.ContainsFunc(want.New, func(f hostroute.Finding) bool { return f.Severity == hostroute.SeverityError })
	if movesNothing != none {
		t.Errorf("MovesNothing(%v) is %v, and the impact %v\n%s", list, movesNothing, got, describe(in))
		return false
	}
	if got.None() != none || got.New == nil || got.Gone == nil || got.Changes == nil || got.String() == "" {
		t.Errorf("impact of %v: None is %v of %+v\n%s", list, got.None(), got, describe(in))
		return false
	}
	return true
}

func TestImpactIsWhatItSays(t *testing.T) {
	ofSome := func(t testing.TB, in hostroute.Instance) bool {
		return checkImpact(t, in, someEdits(rand.New(rand.NewPCG(25, uint64(len(describe(in))))), in))
	}
	ofFixes := func(t testing.TB, in hostroute.Instance) bool {
		for _, f := range analyze(t, in).Findings {
			for _, fix := range f.Fixes {
				if !checkImpact(t, in, fix.Edits) {
					return false
				}
			}
		}
		return true
	}
	random(t, 25, 400, ofSome)
	random(t, 26, 40, ofFixes)
	randomOf(t, gen.Tidy, 27, 200, ofSome)
	randomOf(t, gen.Tidy, 28, 20, ofFixes)
}

// What Impact calls none for one guest moves nothing under any other one that takes host routes, with any default that it may keep,
// also with the lists of host routes in some other orders. (Not in any order: see Impact.Uncertain.)
func TestNoneMovesNothingUnderAnyGuest(t *testing.T) {
	check := func(t testing.TB, in hostroute.Instance) bool {
		var removals []hostroute.Edit
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				for _, r := range s.HostRoutes {
					removals = append(removals, hostroute.Edit{Subnet: s.ID, Old: r})
				}
			}
		}
		if len(removals) == 0 {
			return true
		}
		removal := removals[len(describe(in))%len(removals)]
		for _, guest := range hostroute.Guests() {
			in.Guest = guest
			impact, err := in.Impact(removal)
			if err != nil {
				t.Error(err)
				return false
			}
			if !impact.None() {
				continue
			}
			for seed := range uint64(4) {
				other := shuffledLists(in, seed)
				if !staysUnderAll(t, other, edited(t, other, []hostroute.Edit{removal})) {
					t.Errorf("removing %v is none for %s, with the lists in this order:\n%s", removal.Old, guest, describe(other))
					return false
				}
			}
		}
		return true
	}
	random(t, 29, 1000, check)
	randomOf(t, gen.Tidy, 30, 2000, check)
}

// A removal that moves data only with the lists in another order, under another guest, is not safe.
func TestImpactInAnotherOrder(t *testing.T) {
	on := func(s *hostroute.Subnet, name string) hostroute.NIC {
		return hostroute.NIC{Name: name, Subnets: []*hostroute.Subnet{s}}
	}
	for name, c := range map[string]struct {
		in   hostroute.Instance
		edit hostroute.Edit
	}{
		"the named route last, the others reversed": {
			hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
				on(subnet("a", "10.0.3.128/25", "10.0.3.129", "10.0.0.0/9,0.0.0.0", "10.0.0.0/8,10.0.3.141", "10.99.0.1/32,0.0.0.0", "20.0.0.0/16,10.99.0.1"), "eth0"),
				on(subnet("b", "10.99.0.0/22", "10.99.0.1"), "eth1"),
			}},
			hostroute.Edit{Subnet: "a", Old: hostroute.MustParseHostRoute("10.0.0.0/9,0.0.0.0")},
		},
		"one list reversed, and the named route in its place": {
			hostroute.Instance{Name: "vm", DefaultNIC: "eth1", Guest: hostroute.GuestUdhcpc, NICs: []hostroute.NIC{
				on(subnet("a", "10.65.0.0/24", "10.65.0.1"), "eth0"),
				on(subnet("b", "192.168.1.0/24", "192.168.1.1", "10.65.0.1/32,0.0.0.0", "10.20.0.0/16,10.65.0.1"), "eth1"),
				on(subnet("c", "172.20.0.0/16", "172.20.0.1", "192.168.1.1/32,0.0.0.0", "10.20.0.0/16,192.168.1.1"), "eth2"),
			}},
			hostroute.Edit{Subnet: "c", Old: hostroute.MustParseHostRoute("10.20.0.0/16,192.168.1.1")},
		},
		"what is added comes last, and not in the place of what it replaces": {
			hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
				on(subnet("a", "10.0.0.0/24", "10.0.0.1", "10.0.0.0/16,10.0.0.77", "0.0.0.0/1,10.0.2.1"), "eth0"),
				on(subnet("c", "10.0.2.0/24", "10.0.2.1"), "eth1"),
			}},
			hostroute.Edit{Subnet: "a", Old: hostroute.MustParseHostRoute("10.0.0.0/16,10.0.0.77"), New: hostroute.MustParseHostRoute("10.0.0.0/16,10.0.0.1")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if impact, err := c.in.Impact(c.edit); err != nil || !impact.Uncertain {
				t.Errorf("got %v, %v", impact, err)
			}
			checkImpact(t, c.in, []hostroute.Edit{c.edit})
		})
	}
}

// shuffledLists returns a copy of an instance whose lists of host routes are in another order; 0: the same one.
func shuffledLists(in hostroute.Instance, seed uint64) hostroute.Instance {
	out := clone(in)
	if seed == 0 {
		return out
	}
	done := make(map[*hostroute.Subnet]bool)
	for _, n := range out.NICs {
		for _, s := range n.Subnets {
			r := rand.New(rand.NewPCG(seed, 1)) // copies of a subnet get the same order
			if !done[s] {
				r.Shuffle(len(s.HostRoutes), func(i, j int) { s.HostRoutes[i], s.HostRoutes[j] = s.HostRoutes[j], s.HostRoutes[i] })
			}
			done[s] = true
		}
	}
	return out
}

// staysUnderAll reports whether all data leaves two instances alike under all guests but udhcpc, with each default that they may keep.
func staysUnderAll(t testing.TB, before, after hostroute.Instance) bool {
	t.Helper()
	var offered []string
	for _, n := range before.NICs {
		if offersDefault(before, n, true) {
			offered = append(offered, n.Name)
		}
	}
	kept := []string{before.DefaultNIC}
	if before.DefaultNIC == "" && len(offered) > 0 {
		kept = offered
	}
	for _, guest := range hostroute.Guests() {
		for _, nic := range kept {
			before.Guest, after.Guest = guest, guest
			before.DefaultNIC, after.DefaultNIC = nic, nic
			moved := hostroute.Diff(analyze(t, before).Table, analyze(t, after).Table)
			if guest != hostroute.GuestUdhcpc && len(moved) > 0 {
				t.Errorf("under %s with the default of %q: %v\n%s", guest, nic, moved, describe(before))
				return false
			}
		}
	}
	return true
}

func TestImpact(t *testing.T) {
	unknownDefault := func(in hostroute.Instance) hostroute.Instance { in.DefaultNIC = ""; return in }
	one := func(in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC, in.NICs = "", in.NICs[1:]
		return in
	}
	const good, bad, far = "11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77", "11.11.0.0/16,192.0.2.1"
	for name, c := range map[string]struct {
		in    hostroute.Instance
		edits []hostroute.Edit
		none  bool
		want  string
	}{
		"no edit":                     {back(good), nil, true, "web-1: nothing moves"},
		"an edit of another subnet":   {back(good), []hostroute.Edit{{Subnet: "nowhere", Old: hostroute.MustParseHostRoute(good)}}, true, "web-1: nothing moves"},
		"a removal that moves data":   {back(good), []hostroute.Edit{edit(good, "")}, false, "web-1: 11.11.0.0/16: eth1 -> eth0"},
		"the gateway for a neighbour": {back(bad), []hostroute.Edit{edit(bad, good)}, true, "web-1: nothing moves; gone: next-hop-not-gateway of eth1: back: " + bad},
		"a neighbour for the gateway": {back(good), []hostroute.Edit{edit(good, bad)}, false, "web-1: nothing moves; new: next-hop-not-gateway of eth1: back: " + bad},
		"a replaced host route is the same subject": {back("11.8.0.0/25,11.8.0.1"), []hostroute.Edit{edit("11.8.0.0/25,11.8.0.1", "11.8.0.128/25,11.8.0.1")}, true,
			"web-1: nothing moves"},
		"one removed and another added are not": {back("11.8.0.0/25,11.8.0.1"), []hostroute.Edit{edit("11.8.0.0/25,11.8.0.1", ""), edit("", "11.8.0.128/25,11.8.0.1")}, true,
			"web-1: nothing moves; new: redundant of eth1: back: 11.8.0.128/25,11.8.0.1; gone: redundant of eth1: back: 11.8.0.0/25,11.8.0.1"},
		"replaced twice": {back("11.8.0.0/25,11.8.0.1"), []hostroute.Edit{edit("11.8.0.0/25,11.8.0.1", "11.8.0.64/26,11.8.0.1"), edit("11.8.0.64/26,11.8.0.1", "11.8.0.128/25,11.8.0.1")}, true,
			"web-1: nothing moves"},
		"clients differ on what the edits name": {back(far), []hostroute.Edit{edit(far, "")}, false,
			"web-1: nothing moves; with another DHCP client, default route or order of the list, that may differ; gone: next-hop-off-link of eth1: back: " + far},
		"but all leaves by the one NIC": {one(back(far)), []hostroute.Edit{edit(far, "")}, true, "web-1: nothing moves; gone: next-hop-off-link of eth1: back: " + far},
		"static routes meet no client": {and(one(back(far)), func(in *hostroute.Instance) {
			in.ConfigDrive, in.NICs[0].Subnets[0].DHCPDisabled, in.NICs[0].Subnets[0].Gateway = true, true, netip.Addr{}
		}), []hostroute.Edit{edit(far, "")}, true,
			"web-1: nothing moves; gone: next-hop-off-link of eth1: back: " + far},
		"with the other default, something moves": {unknownDefault(and(back(good), func(in *hostroute.Instance) { in.NICs[0], in.NICs[1] = in.NICs[1], in.NICs[0] })), []hostroute.Edit{edit(good, "")}, false,
			"web-1: nothing moves; with another DHCP client, default route or order of the list, that may differ; gone: redundant of eth1: back: " + good},
		"an edit masks the rest of the list": {back("11.12.7.7/16,11.8.0.1", good), []hostroute.Edit{edit("", "11.8.0.0/25,11.8.0.1")}, true,
			"web-1: nothing moves; new: redundant of eth1: back: 11.8.0.0/25,11.8.0.1; gone: host-bits of eth1: back: 11.12.7.7/16,11.8.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := c.in.Impact(c.edits...)
			if err != nil {
				t.Fatal(err)
			}
			if got := i.String(); got != c.want || i.None() != c.none {
				t.Errorf("got %q, none %v\nwant %q, none %v", got, i.None(), c.want, c.none)
			}
		})
	}
}

// Linux refuses eth0's default, for no connected route covers its next hop. A guest that is told
// to keep that one has none; one that takes what comes keeps eth1's. So the host route matters in the
// first case only.
func TestImpactSeesADefaultThatLinuxRefuses(t *testing.T) {
	in := hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
		{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("s0", "192.0.2.7/32", "192.0.2.7")}},
		{Name: "eth1", Subnets: []*hostroute.Subnet{subnet("s1", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")}},
	}}
	i, err := in.Impact(hostroute.Edit{Subnet: "s1", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")})
	if err != nil || len(i.Changes) > 0 || !i.Uncertain || i.None() {
		t.Errorf("got %v, %v", i, err)
	}
}

func TestImpactRefusesWhatApplyAndAnalyzeRefuse(t *testing.T) {
	in := documented()
	i, err := in.Impact(hostroute.Edit{Subnet: "back"}, hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("9.0.0.0/8,11.8.0.1")})
	if diff := cmp.Diff([]string{"edits[0]", "edits[1].Old"}, paths(err)); diff != "" || i != nil {
		t.Errorf("%v (-want +got):\n%s", i, diff)
	}
	in.DefaultNIC = "eth9"
	if i, err := in.Impact(); i != nil || !slices.Equal(paths(err), []string{"DefaultNIC"}) {
		t.Errorf("got %v, %v", i, err)
	}
}

func TestNilImpact(t *testing.T) {
	var i *hostroute.Impact
	if i.None() || i.String() == "" {
		t.Errorf("None is %v, String %q", i.None(), i)
	}
}

func TestImpactStringNamesAFewOfMany(t *testing.T) {
	in := back()
	var add []hostroute.Edit
	for k := range 8 {
		add = append(add, hostroute.Edit{Subnet: "back", New: hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(2 * k), 0, 0}), 16), NextHop: netip.MustParseAddr("11.8.0.1")}})
	}
	i, err := in.Impact(add...)
	const want = "web-1: 20.0.0.0/16: eth0 -> eth1, 20.2.0.0/16: eth0 -> eth1, 20.4.0.0/16: eth0 -> eth1, 20.6.0.0/16: eth0 -> eth1, 20.8.0.0/16: eth0 -> eth1, 3 more"
	if err != nil || i.String() != want {
		t.Errorf("got %q, %v\nwant %q", i, err, want)
	}
}

// Where the place of a host route in its list decides what a removal moves, the removal is not called safe.
func TestPlaceInTheListThatLosesItsMeaning(t *testing.T) {
	for _, routes := range [][]string{{"11.11.0.0/16,192.0.2.99", "192.0.2.0/24,0.0.0.0"}, {"192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.99"}} {
		in := back("11.11.0.0/16,11.8.0.1")
		front(&in).HostRoutes = hostRoutes(routes...)
		if still, err := in.MovesNothing(hostroute.Edit{Subnet: front(&in).ID, Old: hostroute.MustParseHostRoute("192.0.2.0/24,0.0.0.0")}); still || err != nil {
			t.Errorf("%v: %v, %v", routes, still, err)
		}
	}
	static := subnet("x", "11.8.0.0/24", "")
	static.DHCPDisabled, static.HostRoutes = true, hostRoutes("10.66.0.0/24,0.0.0.0", "0.0.0.0/0,10.66.0.1")
	in := hostroute.Instance{ConfigDrive: true, NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{static}}}}
	e := hostroute.Edit{Subnet: "x", Old: static.HostRoutes[1], New: hostroute.MustParseHostRoute("0.0.0.0/0,11.8.0.77")}
	if impact, err := in.Impact(e); err != nil || !impact.Uncertain {
		t.Errorf("%v, %v", impact, err)
	}
}

// What is safe under the instance's own guest alone is not safe.
func TestWhatMovesUnderOthersIsUncertain(t *testing.T) {
	remove := func(subnet, route string) hostroute.Edit {
		return hostroute.Edit{Subnet: subnet, Old: hostroute.MustParseHostRoute(route)}
	}
	nic := func(i int, s *hostroute.Subnet) hostroute.NIC {
		return hostroute.NIC{Name: fmt.Sprintf("eth%d", i), Subnets: []*hostroute.Subnet{s}}
	}
	wide := func(n int) (in hostroute.Instance) { // the same host route on n subnets, each with a default
		for i := range n {
			gateway := fmt.Sprintf("10.0.%d.1", i)
			in.NICs = append(in.NICs, nic(i, subnet(fmt.Sprint("s", i), fmt.Sprintf("10.0.%d.0/24", i), gateway, "20.0.0.0/8,"+gateway)))
		}
		return in
	}
	long := func(n int) *hostroute.Subnet { // of 5 + 7n bytes
		s := subnet("b", "10.0.1.0/24", "10.0.1.1")
		for i := range n {
			s.HostRoutes = append(s.HostRoutes, hostroute.MustParseHostRoute(fmt.Sprintf("30.%d.0.0/16,10.0.1.1", i)))
		}
		return s
	}
	// What b's host routes cover twice, no single one of them decides.
	covered := hostroute.Instance{DefaultNIC: "eth2", NICs: []hostroute.NIC{
		nic(0, subnet("a", "10.0.0.0/24", "10.0.0.1", "20.0.0.0/8,10.0.0.1")), nic(1, long(24)), nic(2, subnet("c", "10.0.2.0/24", "10.0.2.1"))}}
	covered.NICs[1].Subnets[0].HostRoutes = append(covered.NICs[1].Subnets[0].HostRoutes, hostRoutes("20.0.0.0/9,10.0.1.1", "20.128.0.0/9,10.0.1.1",
		"20.0.0.0/10,10.0.1.1", "20.64.0.0/10,10.0.1.1", "20.128.0.0/10,10.0.1.1", "20.192.0.0/10,10.0.1.1")...)
	shared := subnet("s", "10.0.0.0/24", "10.0.0.1", "40.0.0.0/8,10.0.0.1", "50.0.0.0/8,10.0.0.77")
	for name, test := range map[string]struct {
		in   hostroute.Instance
		edit hostroute.Edit
	}{
		"one of eight defaults": {wide(8), remove("s7", "20.0.0.0/8,10.0.7.1")},
		"one of nine defaults":  {wide(9), remove("s8", "20.0.0.0/8,10.0.8.1")},
		"an offer that becomes long": {
			hostroute.Instance{DefaultNIC: "eth0", NICs: []hostroute.NIC{nic(0, subnet("a", "10.0.0.0/24", "10.0.0.1")), nic(1, long(27))}},
			hostroute.Edit{Subnet: "b", New: hostroute.MustParseHostRoute("30.0.0.0/17,10.0.1.1")}},
		"a long offer of another NIC": {covered, remove("a", "20.0.0.0/8,10.0.0.1")},
		"a default of which dhcpcd makes another route": {
			hostroute.Instance{NICs: []hostroute.NIC{nic(0, shared), {Name: "eth1", Subnets: []*hostroute.Subnet{shared}, Addrs: []netip.Addr{shared.Gateway}}}},
			hostroute.Edit{Subnet: "s", New: hostroute.MustParseHostRoute("30.0.0.1/32,10.0.0.1")}},
	} {
		for _, guest := range hostroute.Guests() {
			in := test.in
			in.Guest = guest
			impact, err := in.Impact(test.edit)
			if err != nil {
				t.Fatal(err)
			}
			if still, _ := in.MovesNothing(test.edit); still || !impact.Uncertain && len(impact.Changes) == 0 {
				t.Errorf("%s, %s: MovesNothing says %v, Impact %v", name, guest, still, impact)
			}
		}
	}
}

// A verdict says so where a long offer of another NIC decides, and only where one decides.
func TestLongOfferOfAnotherNIC(t *testing.T) {
	in := hostroute.Instance{DefaultNIC: "eth2", NICs: []hostroute.NIC{
		{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("a", "10.0.0.0/24", "10.0.0.1", "20.0.0.0/8,10.0.0.1", "21.0.0.0/8,10.0.0.1")}},
		{Name: "eth1", Subnets: []*hostroute.Subnet{subnet("b", "10.0.1.0/24", "10.0.1.1", "20.0.0.0/9,10.0.1.1", "20.128.0.0/9,10.0.1.1", "20.1.0.0/16,10.0.1.1")}},
		{Name: "eth2", Subnets: []*hostroute.Subnet{subnet("c", "10.0.2.0/24", "10.0.2.1")}},
	}}
	for i := range 24 {
		in.NICs[1].Siblings = append(in.NICs[1].Siblings, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(i), 0}), 24))
	}
	lose := []hostroute.Guest{hostroute.GuestDhclient, hostroute.GuestNetworkManager}
	want := map[string][]hostroute.Guest{"20.0.0.0/8": lose, "21.0.0.0/8": {}, "20.0.0.0/9": lose, "20.128.0.0/9": lose, "20.1.0.0/16": {}}
	for _, v := range analyze(t, in).Verdicts {
		if got := v.Guests; !slices.Equal(got, want[v.Subject.HostRoute.Destination.String()]) {
			t.Errorf("%v differs under %v", v, got)
		}
	}
}
