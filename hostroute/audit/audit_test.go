package audit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
)

func subnet(id, cidr, gateway string, hostRoutes ...string) *hostroute.Subnet {
	s := &hostroute.Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: netip.MustParseAddr(gateway)}
	for _, r := range hostRoutes {
		s.HostRoutes = append(s.HostRoutes, hostroute.MustParseHostRoute(r))
	}
	return s
}

func front() *hostroute.Subnet { return subnet("front", "10.65.0.0/24", "10.65.0.1") }

func back(hostRoutes ...string) *hostroute.Subnet {
	return subnet("back", "11.8.0.0/24", "11.8.0.1", hostRoutes...)
}

// instance is one on the subnets, with eth0, eth1 and so on. Its guest keeps the default of eth0.
func instance(name string, subnets ...*hostroute.Subnet) hostroute.Instance {
	in := hostroute.Instance{Name: name, DefaultNIC: "eth0"}
	for i, s := range subnets {
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprintf("eth%d", i), Subnets: []*hostroute.Subnet{s}})
	}
	return in
}

func edit(subnet, old, by string) hostroute.Edit {
	e := hostroute.Edit{Subnet: subnet}
	if old != "" {
		e.Old = hostroute.MustParseHostRoute(old)
	}
	if by != "" {
		e.New = hostroute.MustParseHostRoute(by)
	}
	return e
}

// paths returns the paths of all InputErrors in an error.
func paths(err error) []string {
	var out []string
	switch e := err.(type) {
	case *hostroute.InputError:
		out = append(out, e.Path)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			out = append(out, paths(err)...)
		}
	}
	return out
}

const good, moot = "11.11.0.0/16,11.8.0.1", "11.8.0.0/25,11.8.0.1"

func TestErrorsAddNothing(t *testing.T) {
	other := back(good)
	nobody := instance("web-9", front(), nil)
	nobody.DefaultNIC = "eth9"
	for name, c := range map[string]struct {
		add  func(*audit.Audit) error
		want []string
	}{
		"an instance that Analyze refuses": {func(a *audit.Audit) error { return a.Add(nobody) }, []string{"NICs[1].Subnets[0]", "DefaultNIC"}},
		"an instance on a subnet with other content": {func(a *audit.Audit) error {
			return a.Add(instance("web-2", subnet("new", "12.0.0.0/24", "12.0.0.1"), other))
		},
			[]string{"NICs[1].Subnets[0].ID"}},
		"both": {func(a *audit.Audit) error {
			in := instance("", other)
			in.DefaultNIC = "eth9"
			return a.Add(in)
		}, []string{"DefaultNIC", "NICs[0].Subnets[0].ID"}},
		"an address outside its subnet": {func(a *audit.Audit) error {
			in := instance("web-2", back())
			in.NICs[0].Addrs = []netip.Addr{netip.MustParseAddr("11.8.1.5")}
			return a.Add(in)
		}, []string{"NICs[0].Addrs[0]"}},
		"a zone": {func(a *audit.Audit) error {
			in := instance("web-2", back())
			in.NICs[0].ManualRoutes = []hostroute.HostRoute{{Destination: netip.MustParsePrefix("::/0"), NextHop: netip.MustParseAddr("fe80::1%eth0")}}
			return a.Add(in)
		}, []string{"NICs[0].ManualRoutes[0].NextHop"}},
		"no subnet":                   {func(a *audit.Audit) error { return a.AddSubnet(nil) }, []string{"Subnet"}},
		"a subnet without CIDR":       {func(a *audit.Audit) error { return a.AddSubnet(&hostroute.Subnet{ID: "new"}) }, []string{"CIDR"}},
		"a subnet with other content": {func(a *audit.Audit) error { return a.AddSubnet(other) }, []string{"ID"}},
		"an audit with other content": {func(a *audit.Audit) error {
			b := add(t, new(audit.Audit), instance("web-3", subnet("new", "12.0.0.0/24", "12.0.0.1"), other))
			return a.Merge(b)
		}, []string{`Subnets["back"]`}},
	} {
		t.Run(name, func(t *testing.T) {
			a := add(t, new(audit.Audit), instance("web-1", front(), back()))
			before := answers(t, a, nil)
			err := c.add(a)
			if diff := cmp.Diff(c.want, paths(err)); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if after := answers(t, a, nil); after != before {
				t.Errorf("something was added: %s", after)
			}
			if err := a.AddSubnet(subnet("new", "13.0.0.0/24", "13.0.0.1")); err != nil {
				t.Errorf("a subnet was added: %v", err)
			}
		})
	}
}

func TestNilAndZeroAudits(t *testing.T) {
	var none *audit.Audit
	for _, err := range []error{none.Add(hostroute.Instance{}), none.AddSubnet(front()), none.Merge(new(audit.Audit))} {
		if !slices.Equal(paths(err), []string{"Audit"}) {
			t.Errorf("adding to a nil Audit: %v", err)
		}
	}
	if want := answers(t, new(audit.Audit), nil); answers(t, none, nil) != want {
		t.Errorf("a nil Audit is not empty: %s", want)
	}
	var a audit.Audit
	if err := a.Merge(nil); err != nil {
		t.Error(err)
	}
	add(t, &a, hostroute.Instance{}, hostroute.Instance{Name: "vm"})
	if got := len(slices.Collect(a.Usages())) + len(slices.Collect(a.Findings())); got > 0 {
		t.Errorf("%d answers about instances without NICs", got)
	}
	if i := (*audit.Impact)(nil); i.None() {
		t.Error("a nil Impact is None")
	}
	if !new(audit.Impact).None() {
		t.Error("the zero Impact is not None")
	}
}

func TestImpactRefusesWhatMovesNothing(t *testing.T) {
	a := add(t, new(audit.Audit), instance("web-1", front(), back(good)))
	impact, err := a.Impact(edit("bakc", good, ""), edit("back", moot, ""), edit("front", "", ""), edit("back", good, ""))
	if diff := cmp.Diff([]string{"edits[0].Subnet", "edits[1].Old", "edits[2]"}, paths(err)); diff != "" || impact != nil {
		t.Errorf("%v, %v (-want +got):\n%s", impact, err, diff)
	}
	if still, alike := a.MovesNothing(edit("bakc", good, ""), edit("back", moot, ""), edit("front", "", ""), edit("back", good, "")); still || fmt.Sprint(alike) != fmt.Sprint(err) {
		t.Errorf("MovesNothing is %v, %v", still, alike)
	}
	if err := a.AddSubnet(subnet("empty", "12.0.0.0/24", "12.0.0.1")); err != nil {
		t.Fatal(err)
	}
	impact, err = a.Impact(edit("empty", "", "11.11.0.0/16,12.0.0.1"))
	if err != nil || impact.Touched > 0 || !impact.None() {
		t.Errorf("%+v, %v", impact, err)
	}
}

func TestImpactTellsWhoMoves(t *testing.T) {
	a := add(t, new(audit.Audit), instance("web-2", front(), back(good)), instance("web-1", front(), back(good)), instance("db-1", back(good)))
	impact, err := a.Impact(edit("back", good, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Move{{
		Destinations: []netip.Prefix{netip.MustParsePrefix("11.11.0.0/16")},
		From:         "back", To: "front", Instances: 2, Examples: []string{"web-1", "web-2"},
	}}
	if diff := cmp.Diff(want, impact.Moves, equateNetip); diff != "" || impact.Touched != 3 || impact.Moved != 2 || impact.None() {
		t.Errorf("%+v (-want +got):\n%s", impact, diff)
	}
}

// An audit forgets addresses that are neither a gateway nor a next hop, nor where a destination begins. If an edit brings one,
// it may be an instance's own, and the audit does not call the edit safe.
func TestImpactOfAForgottenAddress(t *testing.T) {
	both, one := instance("web-1", front(), back(good)), instance("web-1", back(good))
	for _, in := range []hostroute.Instance{both, one} {
		last := &in.NICs[len(in.NICs)-1]
		last.Addrs = []netip.Addr{netip.MustParseAddr("11.8.0.77")}
		in.DefaultNIC = in.NICs[0].Name
		for _, guest := range hostroute.Guests() {
			in.Guest = guest
			for _, e := range []hostroute.Edit{
				edit("back", good, "11.11.0.0/16,11.8.0.77"), edit("back", good, "11.8.0.77/32,11.8.0.1"), edit("back", "", "11.8.0.77/32,192.0.2.1"),
			} {
				a := add(t, new(audit.Audit), in)
				all, err := a.Impact(e)
				if err != nil {
					t.Fatal(err)
				}
				still, err := a.MovesNothing(e)
				if all.Moved+all.Uncertain != 1 || all.None() || still || err != nil || a.Together([]hostroute.Edit{e})[0] {
					t.Errorf("%s: %v: %+v, %v, %v", guest, e, all, still, err)
				}
			}
			// What it has kept, it knows.
			e := edit("back", "", "11.11.0.0/17,11.8.0.1")
			single, err := in.Impact(e)
			all, alike := add(t, new(audit.Audit), in).Impact(e)
			if err != nil || alike != nil || single.None() != all.None() || all.Uncertain > 0 != (single.Uncertain && len(single.Changes) == 0) {
				t.Errorf("%s: of the instance %v, of the audit %+v, %v, %v", guest, single, all, err, alike)
			}
		}
	}
}

// What an audit forgets stays forgotten in a Merge, whichever of the two knew the subnet first.
func TestImpactOfAForgottenAddressAfterAMerge(t *testing.T) {
	in := instance("web-1", front(), back(good))
	in.NICs[1].Addrs = []netip.Addr{netip.MustParseAddr("11.8.0.77")}
	var all audit.Audit
	if err := all.AddSubnet(back(good)); err != nil {
		t.Fatal(err)
	}
	if err := all.Merge(add(t, new(audit.Audit), in)); err != nil {
		t.Fatal(err)
	}
	e := edit("back", "", "11.8.0.77/32,11.8.0.1")
	impact, err := all.Impact(e)
	if err != nil || impact.Uncertain != 1 {
		t.Errorf("%+v, %v", impact, err)
	}
	if still, err := all.MovesNothing(e); still || err != nil {
		t.Errorf("MovesNothing is %v, %v", still, err)
	}
}

func TestRemovableNeedsEveryInstance(t *testing.T) {
	removable := func(a *audit.Audit) (out []string) {
		for u := range a.Usages() {
			if u.Removable {
				out = append(out, u.HostRoute.String())
			}
		}
		return out
	}
	a := add(t, new(audit.Audit), instance("db-1", back(good, moot)))
	if got := removable(a); !slices.Equal(got, []string{moot, good}) {
		t.Errorf("with one NIC, %v can go", got)
	}
	add(t, a, instance("web-1", front(), back(good, moot)))
	if got := removable(a); !slices.Equal(got, []string{moot}) {
		t.Errorf("one needs %s, and %v can go", good, got)
	}
	if diff := cmp.Diff([]hostroute.Edit{edit("back", moot, "")}, a.RemovableTogether(), equateNetip); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	unused := new(audit.Audit)
	if err := unused.AddSubnet(back(good)); err != nil {
		t.Fatal(err)
	}
	if got := removable(unused); !slices.Equal(got, []string{good}) {
		t.Errorf("without an instance, %v can go", got)
	}
}

// One of two halves of a prefix stands in for the other and the whole: not all three can go.
func TestNotAllThatIsRemovableIsRemovableTogether(t *testing.T) {
	s := back("11.11.0.0/16,11.8.0.1", "11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1")
	a := add(t, new(audit.Audit), instance("web-1", front(), s))
	alone := 0
	for u := range a.Usages() {
		if u.Removable {
			alone++
		}
	}
	if got := a.RemovableTogether(); alone != 3 || len(got) != 1 {
		t.Errorf("alone %d, together %v", alone, got)
	}
}

func TestOverflowIsNeverRemovable(t *testing.T) {
	s := back()
	for i := range 40 {
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i), 0, 0}), 16), NextHop: s.Gateway})
	}
	a := add(t, new(audit.Audit), instance("web-1", front(), s))
	for u := range a.Usages() {
		if u.Removable || u.Codes[hostroute.CodeOptionOverflow] != 1 || u.Severity != hostroute.SeverityError {
			t.Errorf("%+v", u)
		}
	}
	if got := a.RemovableTogether(); len(got) > 0 {
		t.Errorf("together: %v", got)
	}
}

// Equal findings are one, with the three smallest names and the fixes of all.
func TestFindingsFold(t *testing.T) {
	var a audit.Audit
	for _, name := range []string{"e", "d", "c", "b", "b", "a"} {
		in := instance(name, front(), back("11.11.0.0/16,11.8.0.77"))
		in.NICs[1].Addrs = []netip.Addr{netip.AddrFrom4([4]byte{11, 8, 0, name[0]})}
		add(t, &a, in)
	}
	var got []string
	for o := range a.Findings() {
		got = append(got, fmt.Sprint(o.Finding.Code, " ", o.Instances, " ", o.Examples, " ", o.Finding.Subject, " ", len(o.Fixes)))
	}
	if diff := cmp.Diff([]string{"next-hop-not-gateway 6 [a b c] back: 11.11.0.0/16,11.8.0.77 2"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestInputIsNeitherModifiedNorRetained(t *testing.T) {
	deployments(t, 100, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		a := add(t, new(audit.Audit), instances...)
		if diff := cmp.Diff(deployment(seed), instances, equateNetip); diff != "" {
			t.Errorf("modified:\n%s", diff)
		}
		want := answers(t, a, nil)
		for _, in := range instances {
			for i := range in.NICs {
				n := &in.NICs[i]
				clear(n.Addrs)
				clear(n.Siblings)
				clear(n.ManualRoutes)
				for j, s := range n.Subnets {
					if s != nil { // NICs share slices
						clear(s.HostRoutes)
						*s = hostroute.Subnet{}
					}
					n.Subnets[j] = nil
				}
			}
			clear(in.NICs)
		}
		if diff := cmp.Diff(want, answers(t, a, nil)); diff != "" {
			t.Errorf("retained:\n%s", diff)
		}
	})
}

func TestSpellingsOfOneSubnetAreEqual(t *testing.T) {
	mapped := back(good, good)
	mapped.CIDR = netip.MustParsePrefix("::ffff:11.8.0.0/120")
	mapped.HostRoutes[0].NextHop = netip.MustParseAddr("::ffff:11.8.0.1")
	a := add(t, new(audit.Audit), instance("web-1", front(), back(good)), instance("web-2", front(), mapped))
	for u := range a.Usages() {
		if u.Instances != 2 || u.Effective != 2 {
			t.Errorf("%+v", u)
		}
	}
}

func TestMergeWithItselfCountsTwice(t *testing.T) {
	a := add(t, new(audit.Audit), instance("web-1", front(), back(good)))
	if err := a.Merge(a); err != nil {
		t.Fatal(err)
	}
	for u := range a.Usages() {
		if u.Instances != 2 || !slices.Equal(u.Examples, []string{"web-1"}) {
			t.Errorf("%+v", u)
		}
	}
}

// After a Merge, neither of the two changes with the other.
func TestMergedAuditsAreIndependent(t *testing.T) {
	named := func(name string) hostroute.Instance { return instance(name, front(), back(good)) }
	var all audit.Audit
	worker := add(t, new(audit.Audit), named("web-5"), named("web-7"), named("web-9"))
	if err := all.Merge(worker); err != nil {
		t.Fatal(err)
	}
	add(t, &all, named("web-6"))
	add(t, worker, named("web-4"))
	for a, want := range map[*audit.Audit][]string{&all: {"web-5", "web-6", "web-7"}, worker: {"web-4", "web-5", "web-7"}} {
		for u := range a.Usages() {
			if u.Instances != 4 || !slices.Equal(u.Examples, want) {
				t.Errorf("%d instances, examples %v, want %v", u.Instances, u.Examples, want)
			}
		}
	}
}

func TestMoves(t *testing.T) {
	before := instance("web-1", front(), back(good))
	after := instance("web-1", front(), back())
	want := []audit.Move{{Destinations: []netip.Prefix{netip.MustParsePrefix("11.11.0.0/16")}, From: "back", To: "front", Instances: 1, Examples: []string{"web-1"}}}
	if diff := cmp.Diff(want, audit.Moves(before, after), equateNetip); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	renamed := instance("web-1", front(), back(good))
	renamed.NICs[0].Name, renamed.NICs[1].Name, renamed.DefaultNIC = "ens3", "ens4", "ens3"
	if got := audit.Moves(before, renamed); got == nil || len(got) > 0 {
		t.Errorf("NICs were renamed: %v", got)
	}
	twice := instance("web-1", front(), front())
	other := instance("web-1", front(), front())
	other.NICs[0].Name, other.NICs[1].Name = "eth1", "eth0"
	other.DefaultNIC, twice.DefaultNIC = "eth0", "eth0"
	for _, m := range audit.Moves(twice, other) {
		if m.From != "front" || m.To != "front" {
			t.Errorf("%+v", m)
		}
	}
	inside, outside := instance("web-1", back("11.11.0.0/16,127.0.0.1")), instance("web-1", back())
	inside.Guest, outside.Guest = hostroute.GuestDhcpcd, hostroute.GuestDhcpcd
	var all audit.Audit
	if err := all.Add(inside); err != nil {
		t.Fatal(err)
	}
	impact, err := all.Impact(edit("back", "11.11.0.0/16,127.0.0.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]audit.Move{audit.Moves(inside, outside), impact.Moves} {
		if len(got) != 1 || got[0].From != "lo" || got[0].To != "back" {
			t.Errorf("what stayed in the guest: %+v", got)
		}
	}
	if got := audit.Moves(before, hostroute.Instance{DefaultNIC: "eth0"}); got != nil {
		t.Errorf("Analyze refuses an instance: %v", got)
	}
	if got := audit.Moves(hostroute.Instance{}, hostroute.Instance{}); got == nil || len(got) > 0 {
		t.Errorf("no NICs: %v", got)
	}
}

func TestFoldMoves(t *testing.T) {
	move := func(from, to string, instances int, names []string, destinations ...string) audit.Move {
		m := audit.Move{From: from, To: to, Instances: instances, Examples: names}
		for _, d := range destinations {
			m.Destinations = append(m.Destinations, netip.MustParsePrefix(d))
		}
		return m
	}
	moves := []audit.Move{
		move("front", "back", 1, []string{"d"}, "11.0.0.0/8"),
		move("back", "front", 2, []string{"a", "b"}, "12.0.0.0/8"),
		move("front", "back", 1, []string{"e"}, "11.0.0.0/8", "12.0.0.0/8"),
		move("front", "back", 3, []string{"a", "b", "c"}, "11.0.0.0/8"),
	}
	want := []audit.Move{
		move("front", "back", 4, []string{"a", "b", "c"}, "11.0.0.0/8"),
		move("back", "front", 2, []string{"a", "b"}, "12.0.0.0/8"),
		move("front", "back", 1, []string{"e"}, "11.0.0.0/8", "12.0.0.0/8"),
	}
	for range 2 {
		if diff := cmp.Diff(want, audit.FoldMoves(moves), equateNetip); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		slices.Reverse(moves) // their order does not matter, and they were not changed
	}
	if got := audit.FoldMoves(nil); got == nil || len(got) > 0 {
		t.Errorf("no moves: %v", got)
	}
}

func TestAddOfAKnownCombinationAllocatesAtMostOnce(t *testing.T) {
	a := new(audit.Audit)
	in := instance("web-5", front(), back(good, moot))
	in.NICs[1].Addrs = []netip.Addr{netip.MustParseAddr("11.8.0.21")}
	add(t, a, in)
	if n := testing.AllocsPerRun(100, func() { add(t, a, in) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrentQuestions(t *testing.T) {
	instances := deployment(3)
	a := add(t, new(audit.Audit), instances...)
	want := answers(t, a, nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if got := answers(t, a, nil); got != want {
				t.Error("answers differ")
			}
		})
	}
	group.Wait()
}

// Every code, effect and class that Analyze can report has its bit.
func TestEveryRuleFitsAMark(t *testing.T) {
	if n := len(hostroute.Rules()); n > 64-16 {
		t.Errorf("%d codes do not fit into a mark, beside 16 other bits", n)
	}
	for _, r := range hostroute.Rules() {
		a := add(t, new(audit.Audit), r.Example)
		var codes []hostroute.Code
		for o := range a.Findings() {
			codes = append(codes, o.Finding.Code)
		}
		if !slices.Equal(codes, []hostroute.Code{r.Code}) {
			t.Errorf("%s: found %v", r.Code, codes)
		}
	}
}

// Any instances can be added, in any halves, and asked about.
func FuzzAudit(f *testing.F) {
	f.Add([]byte{}, []byte{1, 2, 3}, "web-1", "\n")
	f.Add([]byte("some bytes, 32 or so, make a NIC."), []byte("and these another instance, with other subnets"), "a", "a")
	f.Fuzz(func(t *testing.T, x, y []byte, first, second string) {
		x, y = x[:min(len(x), 256)], y[:min(len(y), 256)] // go test -fuzz kills what takes ten seconds, and here it takes many times as long
		in, other := gen.FromBytes(x), gen.FromBytes(y)
		in.Name, other.Name = first, second
		for _, n := range other.NICs {
			for _, s := range n.Subnets {
				s.ID = "other-" + strings.TrimPrefix(s.ID, "other-")
			}
		}
		if len(in.NICs) > 0 && len(other.NICs) > 0 && len(x)%2 == 0 { // share subnets
			shared := in.NICs[len(in.NICs)-1]
			shared.Name = "shared"
			other.NICs = append(other.NICs, shared)
		}
		edits := someEdits(t, uint64(len(x)), []hostroute.Instance{in, other})
		want := answers(t, add(t, new(audit.Audit), in, other), edits)
		a, b := add(t, new(audit.Audit), in), add(t, new(audit.Audit), other)
		if err := b.Merge(a); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answers(t, b, edits)); diff != "" {
			t.Errorf("-added +merged:\n%s", diff)
		}
	})
}

var errInput *hostroute.InputError

func TestErrorsAreInputErrors(t *testing.T) {
	a := add(t, new(audit.Audit), instance("web-1", back()))
	if err := a.AddSubnet(back(good)); !errors.As(err, &errInput) {
		t.Errorf("%v", err)
	}
}

// A guest that ignores routes needs none, and with one NIC no other guest does, even if a long offer does not arrive at some.
func TestWhatIsIgnoredIsRemovable(t *testing.T) {
	s := subnet("long", "10.0.0.0/24", "10.0.0.1")
	for i := range 28 {
		s.HostRoutes = append(s.HostRoutes, hostroute.MustParseHostRoute(fmt.Sprintf("77.%d.0.0/16,10.0.0.1", i)))
	}
	in := hostroute.Instance{Name: "vm", Guest: hostroute.GuestUdhcpc, NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{s}}, {Name: "eth1"}}}
	a := add(t, new(audit.Audit), in)
	for u := range a.Usages() {
		still, err := a.MovesNothing(hostroute.Edit{Subnet: "long", Old: u.HostRoute})
		if u.Depends != 0 || !u.Removable || !still || err != nil {
			t.Errorf("%v depends in %d, removable is %v, MovesNothing %v, %v", u.HostRoute, u.Depends, u.Removable, still, err)
		}
	}
	if got := a.RemovableTogether(); len(got) != 28 {
		t.Errorf("%d can go together", len(got))
	}
}

// With one NIC everything leaves by it; but dhcpcd keeps in the guest what goes to the next hop 127.0.0.1.
func TestWhatStaysInTheGuestDepends(t *testing.T) {
	in := instance("vm", back("11.11.0.0/16,127.0.0.1"))
	for _, guest := range hostroute.Guests() {
		if in.Guest = guest; guest == hostroute.GuestUdhcpc {
			continue
		}
		for u := range add(t, new(audit.Audit), in).Usages() {
			if u.Depends != 1 || u.Effective > 0 || u.Removable {
				t.Errorf("%s: %+v", guest, u)
			}
		}
	}
}
