package hostroute_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go4.org/netipx"
)

// tablePair returns two tables of a seed: of an instance and of the same, of another, or of
// none; every third pair is of many short prefixes.
func tablePair(seed, n uint64) (a, b hostroute.Table) {
	r := rand.New(rand.NewPCG(seed, n))
	in := gen.Instance(r)
	a = twin.Table(in)
	switch r.IntN(6) {
	case 0, 1:
		b = twin.Table(gen.Instance(r))
	case 2:
		changed := clone(in)
		for i := range changed.NICs {
			changed.NICs[i].ManualRoutes = nil
		}
		b = twin.Table(changed)
	case 3:
		b = slices.Clone(a)
	case 4, 5:
		a, b = tinyTable(r), tinyTable(r)
	}
	return a, b
}

// tinyTable makes a table of the space 10.0.0.0/28 and its neighbours.
func tinyTable(r *rand.Rand) hostroute.Table {
	var t hostroute.Table
	for range r.IntN(7) {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(16))}), 27+r.IntN(6)).Masked()
		t = append(t, hostroute.Route{Destination: p, NIC: []string{"eth0", "eth1", "eth2"}[r.IntN(3)]})
	}
	return t
}

func TestDiffSaysWhatDiffersAndNothingElse(t *testing.T) {
	const seed = 9
	for n := range uint64(1500) {
		a, b := tablePair(seed, n)
		checkDiff(t, a, b)
		if t.Failed() {
			t.Fatalf("pair %d of seed %d\n%s\n%s", n, seed, a, b)
		}
	}
}

// checkDiff holds Diff against lookups of every address at which anything can change.
// Tables must be of masked, unmapped prefixes.
func checkDiff(t testing.TB, a, b hostroute.Table) {
	t.Helper()
	changes := hostroute.Diff(a, b)
	if changes == nil {
		t.Error("nil, not empty")
	}
	var edges hostroute.Table
	for i, c := range changes {
		if c.Before == c.After || !c.Destination.IsValid() || c.Destination != c.Destination.Masked() {
			t.Errorf("%v", c)
			return
		}
		if i > 0 && changes[i-1].Destination.Addr().Compare(c.Destination.Addr()) >= 0 {
			t.Errorf("%v stands before %v", changes[i-1], c)
		}
		edges = append(edges, hostroute.Route{Destination: c.Destination})
	}
	for _, addr := range twin.Boundaries(a, b, edges) {
		before, after := twin.Egress(a, addr), twin.Egress(b, addr)
		var got []hostroute.Change
		for _, c := range changes {
			if c.Destination.Contains(addr) {
				got = append(got, c)
			}
		}
		if before == after && len(got) != 0 || before != after && (len(got) != 1 || got[0].Before != before || got[0].After != after) {
			t.Errorf("%v leaves by %q and %q, but %v", addr, before, after, got)
		}
	}
	for i := 1; i < len(changes); i++ {
		if c, o := changes[i], changes[i-1]; c.Destination.Bits() == o.Destination.Bits() && c.Destination.Bits() > 0 && c.Before == o.Before && c.After == o.After {
			if up := netip.PrefixFrom(o.Destination.Addr(), o.Destination.Bits()-1).Masked(); up.Contains(c.Destination.Addr()) {
				t.Errorf("%v and %v could be one", o, c)
			}
		}
	}
	var mirrored []hostroute.Change
	for _, c := range hostroute.Diff(b, a) {
		mirrored = append(mirrored, hostroute.Change{Destination: c.Destination, Before: c.After, After: c.Before})
	}
	if diff := cmp.Diff(changes, mirrored, equateNetip, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the other way round (-want +got):\n%s", diff)
	}
}

// The fewest prefixes that cut a set of addresses out of a tiny space are found by
// trying: a prefix whose addresses all change alike is one, else its halves are cut.
func TestDiffIsOfFewestPrefixes(t *testing.T) {
	const seed = 10
	r := rand.New(rand.NewPCG(seed, 0))
	for n := range 3000 {
		a, b := tinyTable(r), tinyTable(r)
		if r.IntN(4) == 0 {
			a = append(a, hostroute.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), NIC: "eth0"})
		}
		want := fewest(a, b, netip.MustParsePrefix("0.0.0.0/0"))
		if got := len(hostroute.Diff(a, b)); got != want {
			t.Fatalf("pair %d of seed %d: %d prefixes, want %d\n%s\n%s", n, seed, got, want, a, b)
		}
	}
}

func fewest(a, b hostroute.Table, within netip.Prefix) int {
	first := within.Addr()
	alike := true
	for _, x := range twin.Boundaries(a, b, hostroute.Table{{Destination: within}}) {
		if within.Contains(x) {
			alike = alike && twin.Egress(a, x) == twin.Egress(a, first) && twin.Egress(b, x) == twin.Egress(b, first)
		}
	}
	switch {
	case alike && twin.Egress(a, first) == twin.Egress(b, first):
		return 0
	case alike:
		return 1
	}
	lower := netip.PrefixFrom(first, within.Bits()+1)
	upper := netip.PrefixFrom(netipx.PrefixLastIP(lower).Next(), within.Bits()+1)
	return fewest(a, b, lower) + fewest(a, b, upper)
}

func TestDiff(t *testing.T) {
	before := hostroute.Table{route("0.0.0.0/0", "10.65.0.1", "eth0"), route("::/0", "fe80::1", "eth0")}
	for name, c := range map[string]struct {
		after hostroute.Table
		want  []hostroute.Change
	}{
		"the same": {slices.Clone(before), nil},
		"another next hop and source is the same": {hostroute.Table{route("0.0.0.0/0", "", "eth0"), {Destination: netip.MustParsePrefix("::/0"), NIC: "eth0", Source: "x", Subnet: "y"}}, nil},
		"in other words": {hostroute.Table{route("0.0.0.0/1", "", "eth0"), route("128.0.0.0/1", "", "eth0"), before[1]}, nil},
		"no table":       {nil, []hostroute.Change{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Before: "eth0"}, {Destination: netip.MustParsePrefix("::/0"), Before: "eth0"}}},
		"one route more": {append(slices.Clone(before), route("11.11.0.0/16", "11.8.0.1", "eth1")),
			[]hostroute.Change{{Destination: netip.MustParsePrefix("11.11.0.0/16"), Before: "eth0", After: "eth1"}}},
		"with a hole": {append(slices.Clone(before), route("11.11.0.0/16", "11.8.0.1", "eth1"), route("11.11.0.0/17", "", "eth0")),
			[]hostroute.Change{{Destination: netip.MustParsePrefix("11.11.128.0/17"), Before: "eth0", After: "eth1"}}},
		"the last addresses": {append(slices.Clone(before), route("255.255.255.255/32", "", "eth1"), route("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "", "eth1")),
			[]hostroute.Change{{Destination: netip.MustParsePrefix("255.255.255.255/32"), Before: "eth0", After: "eth1"},
				{Destination: netip.MustParsePrefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"), Before: "eth0", After: "eth1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := hostroute.Diff(before, c.after)
			if diff := cmp.Diff(c.want, got, equateNetip, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffOfTablesThatNobodyMade(t *testing.T) {
	bad := hostroute.Table{{}, {NIC: "eth0"}, route("10.0.0.9/8", "", "eth1"), route("11.0.0.0/8", "", "eth1"),
		{Destination: netip.PrefixFrom(netip.MustParseAddr("10.0.0.0"), 99), NIC: "eth9"}, route("10.0.0.0/8", "", "eth2")}
	good := hostroute.Table{route("10.0.0.0/8", "", "eth1"), route("11.0.0.0/8", "", "eth1")}
	if got := hostroute.Diff(bad, good); len(got) != 0 {
		t.Errorf("unsorted, masked, invalid left out: got %v", got)
	}
	if t.Failed() {
		return
	}
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		table := twin.Table(gen.Instance(r))
		shuffled := slices.Clone(table)
		r.Shuffle(len(shuffled), func(i, j int) {
			if shuffled[i].Destination != shuffled[j].Destination {
				shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			}
		})
		// Swapping may have reordered equal destinations, so that something may differ.
		checkDiff(t, table, shuffled)
		if t.Failed() {
			t.Fatalf("seed %d\n%s\n%s", seed, table, shuffled)
		}
	}
}

// A name that no NIC has is "no route" in a Change; so it is in a table.
func TestDiffTakesNoNameForNoRoute(t *testing.T) {
	if got := hostroute.Diff(nil, hostroute.Table{route("10.0.0.0/8", "", "")}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestDestinationsPartitionWhatHasARoute(t *testing.T) {
	const seed = 12
	for n := range uint64(1000) {
		table, _ := tablePair(seed, n)
		sets := map[string]*netipx.IPSet{}
		for _, r := range table {
			sets[r.NIC] = table.Destinations(r.NIC)
		}
		var edges hostroute.Table
		for _, s := range sets {
			for _, p := range s.Prefixes() {
				edges = append(edges, hostroute.Route{Destination: p})
			}
		}
		for _, a := range twin.Boundaries(table, edges) {
			want := twin.Egress(table, a)
			for nic, s := range sets {
				if s.Contains(a) != (nic == want) {
					t.Fatalf("pair %d of seed %d: %v leaves by %q; that it is in %s is %v\n%s", n, seed, a, want, nic, s.Contains(a), table)
				}
			}
		}
		if s := table.Destinations("nowhere"); s == nil || len(s.Prefixes()) != 0 {
			t.Fatalf("a NIC that is not there has %v", s)
		}
	}
}

func TestDestinationsOfTheDocumentedExample(t *testing.T) {
	table := analyze(t, documented()).Table
	if diff := cmp.Diff(prefixes("11.8.0.0/24", "11.11.0.0/16"), table.Destinations("eth1").Prefixes(), equateNetip); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := hostroute.Table(nil).Destinations("eth0"); len(s.Prefixes()) != 0 {
		t.Errorf("no table: %v", s.Prefixes())
	}
}
