//go:build linux

package lab

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"go4.org/netipx"
)

// instances is how many random instances each test has compared with Linux.
var instances = struct{ tables, effects int }{4000, 400}

// seed makes every run another one; HOSTROUTE_SEED repeats one.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(time.Now().UnixNano())
	if v := os.Getenv("HOSTROUTE_SEED"); v != "" {
		var err error
		if s, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("HOSTROUTE_SEED: %v", err)
		}
	}
	t.Logf("HOSTROUTE_SEED=%d", s)
	return s
}

// each runs f on n random instances that are modelled, a quarter of that with
// -short, on as many guests as there are shards.
func each(t *testing.T, n int, f func(t *testing.T, g *guest, in hostroute.Instance) []string) {
	needs(t, "ip")
	if testing.Short() {
		n /= 4
	}
	s := seed(t)
	var compared, leftOut atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d instances compared, %d left out, for they are not modelled", compared.Load(), leftOut.Load())
	})
	const shards = 2
	for shard := range shards {
		t.Run(fmt.Sprintf("shard %d", shard), func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			wrong := 0
			for i, left := shard, n/shards; left > 0 && wrong < 3; i += shards {
				if i > 2*n {
					t.Fatalf("%d more instances to compare, but most are left out", left)
				}
				in := gen.Instance(rand.New(rand.NewPCG(s, uint64(i))))
				if unmodelled(in) {
					leftOut.Add(1)
					continue
				}
				left--
				compared.Add(1)
				if problems := f(t, g, in); len(problems) > 0 {
					wrong++
					t.Errorf("instance %d of seed %d: %s\n%s", i, s, strings.Join(problems, "\n"), describe(in))
				}
			}
		})
	}
}

// unmodelled reports whether Linux does otherwise than the library with a subnet
// or an address of the instance. No Neutron hands such out, so the library does
// not model them:
//   - a subnet that begins at 0.0.0.0, and an address that is multicast or
//     255.255.255.255: there is no connected route;
//   - an address that is the broadcast address of an earlier NIC's prefix: neither;
//   - one that is the broadcast address of its own prefix: it is accepted as a
//     next hop, as any own address is.
//
// differingCases has each of them.
func unmodelled(in hostroute.Instance) bool {
	broadcasts := map[netip.Addr]bool{netip.MustParseAddr("255.255.255.255"): true}
	for _, n := range in.NICs {
		s, _ := twin.Configured(in, n)
		if s == nil {
			continue
		}
		p := address(in, n, s)
		if p.Bits() < 31 {
			broadcasts[netipx.PrefixLastIP(p)] = true
		}
		if first(p).IsUnspecified() || p.Addr().IsMulticast() || broadcasts[p.Addr()] {
			return true
		}
	}
	return false
}

// Linux installs and refuses, lists and looks up as the library says.
func TestLinuxDecidesTables(t *testing.T) {
	each(t, instances.tables, func(t *testing.T, g *guest, in hostroute.Instance) []string {
		return g.compare(in)
	})
}

// Instances that random ones seldom are, each with a rule of Linux's in it.
func TestLinuxDecidesSpecialCases(t *testing.T) {
	needs(t, "ip")
	g := newGuest(t)
	for _, test := range specialCases() {
		if unmodelled(test.in) {
			t.Errorf("%s: is not modelled, so that random instances like it are left out", test.name)
		}
		if problems := g.compare(test.in); len(problems) > 0 {
			t.Errorf("%s: %s\n%s", test.name, strings.Join(problems, "\n"), describe(test.in))
		}
	}
}

// The limits of the library are where they are said to be: Linux does
// otherwise there.
func TestLinuxDiffersWhereNotModelled(t *testing.T) {
	needs(t, "ip")
	g := newGuest(t)
	for _, test := range differingCases() {
		report, err := hostroute.Analyze(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if !unmodelled(test.in) {
			t.Errorf("%s: counts as modelled, so that random instances like it are compared", test.name)
		}
		v4, _ := steps(test.in)
		sys := g.become("-4", v4, nil)
		for i, s := range v4 {
			if reason, refused := sys.refused[i]; refused && strings.HasPrefix(s.line, "addr ") {
				t.Errorf("%s: ip %s: %s", test.name, s.line, reason)
			}
		}
		var got hostroute.Table
		for _, r := range sys.rows {
			got = append(got, hostroute.Route{Destination: r.Dst, NextHop: r.Gateway, NIC: r.Dev})
		}
		if d := cmp.Diff(test.linux, got.String()); d != "" {
			t.Errorf("%s: table (-want +Linux):\n%s\n%s", test.name, d, describe(test.in))
		}
		if report.Table.String() == test.linux {
			t.Errorf("%s: the library says what Linux does, so that this is no limit any more", test.name)
		}
	}
}

// A host route is left out and everything is set up anew: the data leaves
// otherwise exactly where the verdict says so.
func TestLinuxDecidesEffects(t *testing.T) {
	var routes atomic.Int64
	t.Cleanup(func() { t.Logf("%d host routes left out", routes.Load()) })
	each(t, instances.effects, func(t *testing.T, g *guest, in hostroute.Instance) (problems []string) {
		report, err := hostroute.Analyze(in)
		if err != nil {
			return []string{err.Error()}
		}
		routes.Add(int64(len(report.Verdicts)))
		return g.counterfactuals(in, report)
	})
}

// compare sets the guest up as the instance, and tells where Linux and the
// library disagree.
func (g *guest) compare(in hostroute.Instance) (problems []string) {
	g.t.Helper()
	report, err := hostroute.Analyze(in)
	if err != nil {
		return []string{err.Error()}
	}
	v4, v6 := steps(in)
	ask := boundaries(in, report.Table)
	sys4, sys6 := g.set(v4, v6, ask)

	problems = append(problems, verdicts(report, append(outcomes(v4, sys4), outcomes(v6, sys6)...))...)
	want4, want6 := rows(report.Table)
	if d := cmp.Diff(want4, sys4.rows, equate); d != "" {
		problems = append(problems, "IPv4 table (-library +Linux):\n"+d)
	}
	if d := cmp.Diff(want6, sys6.rows, equate, anyOrder); d != "" {
		problems = append(problems, "IPv6 table (-library +Linux):\n"+d)
	}
	own := localTo(v4, v6)
	for _, a := range ask {
		got := sys4.answers[a]
		if a.Is6() {
			got = sys6.answers[a]
		}
		if p := own.judge(a, got, report.Table); p != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

var (
	equate   = cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})
	anyOrder = cmpopts.SortSlices(func(a, b row) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
)

// set takes the steps of both families. IPv6 costs a second run of `ip`, and
// is left out where there is nothing of it, now and before.
func (g *guest) set(v4, v6 []step, ask []netip.Addr) (sys4, sys6 system) {
	g.t.Helper()
	split := slices.IndexFunc(ask, netip.Addr.Is6)
	if split < 0 {
		split = len(ask)
	}
	sys4 = g.become("-4", v4, ask[:split])
	if g.used6 || len(v6) > 0 || split < len(ask) {
		sys6 = g.become("-6", v6, ask[split:])
		g.used6 = len(v6) > 0
	}
	return sys4, sys6
}

// An outcome says of a step whether Linux took it, and if not, why.
type outcome struct {
	step
	accepted bool
	reason   string
}

func outcomes(list []step, sys system) []outcome {
	var out []outcome
	for i, s := range list {
		reason, refused := sys.refused[i]
		out = append(out, outcome{s, s.line != "" && !refused, reason})
	}
	return out
}

// verdicts tells which verdicts are not what Linux did.
func verdicts(report *hostroute.Report, list []outcome) (problems []string) {
	for _, v := range report.Verdicts {
		tried, accepted, reason := false, false, ""
		for _, o := range list {
			if o.subject == v.Subject {
				tried, accepted = true, accepted || o.accepted
				reason += o.reason
			}
		}
		want := "accepted"
		switch {
		case !tried && isDefaultOfGateway(v):
			continue // as good as offered: the subnet's default is the same route
		case !tried:
			want = string(hostroute.EffectNotOffered)
		case !accepted:
			want = string(hostroute.EffectRefused)
		}
		got := "accepted"
		if v.Effect == hostroute.EffectNotOffered || v.Effect == hostroute.EffectRefused {
			got = string(v.Effect)
		}
		if got != want {
			problems = append(problems, fmt.Sprintf("%v: library: %s (%s %s), Linux: %s %s", v.Subject, got, v.Class, v.Cause, want, reason))
		}
	}
	return problems
}

// isDefaultOfGateway reports whether Neutron drops a default among the host routes
// without loss.
func isDefaultOfGateway(v hostroute.Verdict) bool {
	return v.Subject.HostRoute.Destination == any4 && v.Class == hostroute.ClassOwnGateway && v.Effect != hostroute.EffectSteers
}

// rows returns a table of the library's as Linux would have it.
func rows(t hostroute.Table) (v4, v6 []row) {
	for _, r := range t {
		o := row{r.Destination, r.NextHop, r.NIC}
		switch {
		case r.Destination.Addr().Is4():
			v4 = append(v4, o)
		case r.Source == hostroute.SourceDefault: // the subnet's gateway stands for it
			o.Gateway = netip.MustParseAddr(linkLocalRouter)
			fallthrough
		default:
			v6 = append(v6, o)
		}
	}
	return v4, v6
}

// boundaries returns the addresses at which a lookup can change its answer:
// the ends of every prefix that the instance or the tables know, and their
// neighbours. IPv4 stands first.
func boundaries(in hostroute.Instance, tables ...hostroute.Table) []netip.Addr {
	prefixes := []netip.Prefix{any4, netip.MustParsePrefix("11.11.0.0/16"), netip.MustParsePrefix("10.65.0.0/24")}
	for _, t := range tables {
		for _, r := range t {
			prefixes = append(prefixes, r.Destination)
		}
	}
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			prefixes = append(prefixes, s.CIDR)
			for _, r := range s.HostRoutes {
				prefixes = append(prefixes, r.Destination)
			}
		}
		for _, r := range n.ManualRoutes {
			prefixes = append(prefixes, r.Destination)
		}
	}
	set := make(map[netip.Addr]bool)
	for _, p := range prefixes {
		for _, a := range []netip.Addr{first(p), netipx.PrefixLastIP(p), first(p).Prev(), netipx.PrefixLastIP(p).Next()} {
			if a.IsValid() {
				set[a] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), netip.Addr.Compare)
}

// A locality knows which addresses Linux delivers without asking the main
// table, or will not route at all. They are out of the library's scope.
type locality struct {
	own        map[netip.Addr][]string // NICs that have the address
	broadcasts map[netip.Addr]bool
	loopback   bool // a NIC has a loopback address
}

func localTo(lists ...[]step) locality {
	l := locality{own: make(map[netip.Addr][]string), broadcasts: make(map[netip.Addr]bool)}
	for _, list := range lists {
		for _, s := range list {
			if rest, ok := strings.CutPrefix(s.line, "addr add "); ok {
				words := strings.Fields(rest) // PREFIX dev NIC
				l.add(netip.MustParsePrefix(words[0]), words[2])
			}
		}
	}
	return l
}

func (l *locality) add(p netip.Prefix, dev string) {
	l.loopback = l.loopback || p.Addr().IsLoopback()
	l.own[p.Addr()] = append(l.own[p.Addr()], dev)
	if p.Addr().Is4() && p.Bits() < 31 {
		l.broadcasts[netipx.PrefixLastIP(p)] = true
	}
}

func (l locality) holds(a netip.Addr) bool {
	return l.own[a] != nil || l.broadcasts[a] || a.IsLoopback() || a.IsUnspecified() ||
		a.Is6() && (a.IsMulticast() || a.IsLinkLocalUnicast()) // IPv6's are per link
}

// judge tells whether Linux's answer is not the library's.
func (l locality) judge(a netip.Addr, got answer, table hostroute.Table) string {
	if l.holds(a) || got.Type == noSource && l.loopback {
		return ""
	}
	want := answer{Type: got.Type}
	if r, ok := table.Lookup(a); ok {
		want.Dev, want.Gateway = r.NIC, r.NextHop
		switch {
		case a.Is6() && r.Source == hostroute.SourceDefault:
			want.Gateway = netip.MustParseAddr(linkLocalRouter)
		case slices.Contains(l.own[r.NextHop], r.NIC): // its own address as next hop is as good as none
			want.Gateway = netip.Addr{}
		}
	}
	switch got.Type {
	case "":
	case "multicast", "broadcast": // class D and 255.255.255.255: routed, though not to a gateway
		want.Gateway, got.Gateway = netip.Addr{}, netip.Addr{}
	default:
		return fmt.Sprintf("%v: Linux says %+v", a, got)
	}
	if got != want {
		return fmt.Sprintf("%v leaves by %+v, the library says %+v", a, got, want)
	}
	return ""
}

// counterfactuals takes each host route away, one at a time, and tells where
// Linux's answers do not move as the verdict says.
func (g *guest) counterfactuals(in hostroute.Instance, report *hostroute.Report) (problems []string) {
	g.t.Helper()
	ask := boundaries(in)
	for _, v := range report.Verdicts {
		if v.Witness.IsValid() {
			ask = append(ask, v.Witness)
		}
	}
	slices.SortFunc(ask, netip.Addr.Compare)
	ask = slices.Compact(ask)
	with := g.view(in, ask)
	for _, v := range report.Verdicts {
		if shortens(report, v) {
			continue
		}
		less := g.view(twin.Without(in, v), ask)
		moved := 0
		for _, d := range ask {
			if with[d] != less[d] {
				moved++
			}
		}
		if d := v.Witness; d.IsValid() && (with[d] != v.With || less[d] != v.Without) {
			problems = append(problems, fmt.Sprintf("%v: %v leaves by %q, without the route by %q; the library says %q and %q",
				v.Subject, d, with[d], less[d], v.With, v.Without))
		}
		if (moved > 0) != (v.Effect == hostroute.EffectSteers) && !silent(report, v) {
			problems = append(problems, fmt.Sprintf("%v: effect %s, but %d of %d destinations move", v.Subject, v.Effect, moved, len(ask)))
		}
	}
	return problems
}

// shortens reports whether without the host route an offer that is too long gets
// shorter, on its NIC or on another one of the subnet. What that lets in is not
// counted in verdicts.
func shortens(report *hostroute.Report, v hostroute.Verdict) bool {
	return slices.ContainsFunc(report.Verdicts, func(o hostroute.Verdict) bool {
		return o.Cause == hostroute.CodeOptionOverflow && sameRoute(o, v)
	})
}

// silent reports whether a verdict says nothing about deletion: one that the route is
// not installed here leaves open what the same host route does on another NIC.
func silent(report *hostroute.Report, v hostroute.Verdict) bool {
	if v.Effect != hostroute.EffectNotOffered && v.Effect != hostroute.EffectRefused {
		return false
	}
	return slices.ContainsFunc(report.Verdicts, func(o hostroute.Verdict) bool {
		return o.Subject != v.Subject && sameRoute(o, v)
	})
}

// sameRoute reports whether two verdicts are on one host route of a subnet.
func sameRoute(o, v hostroute.Verdict) bool {
	return v.Subject.Subnet != "" && o.Subject.Subnet == v.Subject.Subnet && o.Subject.HostRoute == v.Subject.HostRoute
}

// view returns the NIC that each destination leaves through. Where Linux does
// not ask the main table, its rows are searched here.
func (g *guest) view(in hostroute.Instance, ask []netip.Addr) map[netip.Addr]string {
	g.t.Helper()
	v4, v6 := steps(in)
	sys4, sys6 := g.set(v4, v6, ask)
	own := localTo(v4, v6)
	out := make(map[netip.Addr]string)
	for _, a := range ask {
		sys := sys4
		if a.Is6() {
			sys = sys6
		}
		if own.holds(a) || sys.answers[a].Type == noSource {
			out[a] = longest(sys.rows, a)
		} else {
			out[a] = sys.answers[a].Dev
		}
	}
	return out
}

// longest returns the NIC of the longest prefix, of equal ones the first.
func longest(rows []row, a netip.Addr) string {
	best := row{Dst: netip.PrefixFrom(a, -1)}
	for _, r := range rows {
		if r.Dst.Contains(a) && r.Dst.Bits() > best.Dst.Bits() {
			best = r
		}
	}
	return best.Dev
}

// describe prints an instance and what the guest does with it.
func describe(in hostroute.Instance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "instance %q, default NIC %q, config drive %v\n", in.Name, in.DefaultNIC, in.ConfigDrive)
	for _, n := range in.NICs {
		fmt.Fprintf(&b, "  %s %v siblings %v manual %v\n", n.Name, n.Addrs, n.Siblings, n.ManualRoutes)
		for _, s := range n.Subnets {
			fmt.Fprintf(&b, "    %s %v gateway %v DHCP disabled %v: %v\n", s.ID, s.CIDR, s.Gateway, s.DHCPDisabled, s.HostRoutes)
		}
	}
	v4, v6 := steps(in)
	for _, s := range append(v4, v6...) {
		fmt.Fprintf(&b, "  ip %s\n", s.line)
	}
	return b.String()
}
