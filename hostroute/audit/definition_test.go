package audit_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The definitions, as loops over instances that remember nothing.

func smallest(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(3, len(names))]
}

// isNone reports whether edits move nothing on any instance.
func isNone(t testing.TB, instances []hostroute.Instance, edits ...hostroute.Edit) bool {
	t.Helper()
	for _, in := range instances {
		impact, err := in.Impact(edits...)
		if err != nil {
			t.Fatal(err)
		}
		moved := len(diff(t, in, edits)) > 0
		if moved && impact.None() {
			t.Errorf("the impact of %v on %s is None, and its table changes", edits, in.Name)
		}
		if !impact.None() {
			return false
		}
	}
	return true
}

// diff compares the tables before and after edits, each computed anew.
func diff(t testing.TB, in hostroute.Instance, edits []hostroute.Edit) []hostroute.Change {
	t.Helper()
	after, err := in.Apply(edits...)
	if err != nil {
		t.Fatal(err)
	}
	return hostroute.Diff(analyze(t, in).Table, analyze(t, after).Table)
}

// usages counts single reports.
func usages(t testing.TB, instances []hostroute.Instance) map[string]audit.Usage {
	t.Helper()
	out := make(map[string]audit.Usage)
	steering, depending := make(map[string][]string), make(map[string][]string) // names of instances
	for _, in := range instances {
		report := analyze(t, in)
		hasOneWay := len(in.NICs) == 1 && slices.ContainsFunc(report.Table, func(r hostroute.Route) bool {
			used, _ := twin.Configured(in, in.NICs[0])
			isInside := used != nil && used.CIDR.Contains(r.NextHop) && used.CIDR.Bits() < 32
			return r.Destination == netip.PrefixFrom(netip.IPv4Unspecified(), 0) && r.Source == hostroute.SourceDefault && isInside && !slices.Contains(in.NICs[0].Addrs, r.NextHop)
		})
		for _, v := range report.Verdicts { // dhcpcd keeps what goes there in the guest
			hasOneWay = hasOneWay && v.Subject.HostRoute.NextHop != netip.MustParseAddr("127.0.0.1")
		}
		type said struct {
			effective, depends, inconsistent bool
			effects                          map[hostroute.Effect]int
			classes                          map[hostroute.NextHopClass]int
			codes                            map[hostroute.Code]int
		}
		all := make(map[hostroute.Edit]*said)
		for _, v := range report.Verdicts {
			key := hostroute.Edit{Subnet: v.Subject.Subnet, Old: v.Subject.HostRoute}
			if key.Subnet == "" {
				continue
			}
			s := all[key]
			if s == nil {
				s = &said{effects: map[hostroute.Effect]int{}, classes: map[hostroute.NextHopClass]int{}, codes: map[hostroute.Code]int{}}
				all[key] = s
			}
			free := v.GuestDependent && !hasOneWay
			s.effective = s.effective || v.Effective() && !free
			s.depends = s.depends || free
			s.inconsistent = s.inconsistent || !v.Consistent()
			s.effects[v.Effect] = 1
			s.classes[v.Class] = 1
			if v.Cause != "" {
				s.codes[v.Cause] = 1
			}
		}
		for _, f := range report.Findings {
			if s := all[hostroute.Edit{Subnet: f.Subject.Subnet, Old: f.Subject.HostRoute}]; s != nil {
				s.codes[f.Code] = 1
			}
		}
		for key, s := range all {
			text := key.Subnet + " " + key.Old.String()
			u, known := out[text]
			if !known {
				u = audit.Usage{Subnet: key.Subnet, HostRoute: key.Old, Effects: map[hostroute.Effect]int{}, Classes: map[hostroute.NextHopClass]int{}, Codes: map[hostroute.Code]int{}}
			}
			u.Instances++
			if s.effective {
				u.Effective++
				steering[text] = append(steering[text], in.Name)
			} else if s.depends {
				u.Depends++
				depending[text] = append(depending[text], in.Name)
			}
			if s.inconsistent {
				u.Inconsistent++
			}
			sum(u.Effects, s.effects)
			sum(u.Classes, s.classes)
			sum(u.Codes, s.codes)
			u.Examples = append(u.Examples, in.Name)
			out[text] = u
		}
	}
	for text, u := range out {
		if list := steering[text]; list != nil {
			u.Examples = list
		} else if list := depending[text]; list != nil {
			u.Examples = list
		}
		u.Examples = smallest(u.Examples)
		for c := range u.Codes {
			rule, _ := c.Rule()
			u.Severity = max(u.Severity, rule.Severity)
		}
		overflows := u.Codes[hostroute.CodeOptionOverflow] > 0
		u.Removable = !overflows && isNone(t, instances, hostroute.Edit{Subnet: u.Subnet, Old: u.HostRoute})
		out[text] = u
	}
	return out
}

func sum[K comparable](to, from map[K]int) {
	for k, n := range from {
		to[k] += n
	}
}

func TestUsagesAreWhatTheySay(t *testing.T) {
	removable := 0
	deployments(t, 500, func(t *testing.T, _ uint64, instances []hostroute.Instance) {
		got := make(map[string]audit.Usage)
		var before audit.Usage
		for u := range add(t, new(audit.Audit), instances...).Usages() {
			got[u.Subnet+" "+u.HostRoute.String()] = u
			if before.Subnet != "" && before.Severity < u.Severity {
				t.Errorf("%v comes before %v", before, u)
			}
			before = u
			if u.Removable {
				removable++
			}
		}
		if d := cmp.Diff(usages(t, instances), got, equateNetip); d != "" {
			t.Errorf("-sum of reports +got:\n%s", d)
		}
	})
	t.Logf("%d removable", removable)
}

// together is the definition of RemovableTogether.
func together(t testing.TB, instances []hostroute.Instance) []hostroute.Edit {
	t.Helper()
	overflowing := make(map[hostroute.Edit]bool)
	for _, in := range instances {
		for _, v := range analyze(t, in).Verdicts {
			if v.Cause == hostroute.CodeOptionOverflow {
				overflowing[hostroute.Edit{Subnet: v.Subject.Subnet, Old: v.Subject.HostRoute}] = true
			}
		}
	}
	var set []hostroute.Edit
	for again := true; again; {
		again = false
		for _, e := range hostRoutes(t, instances) {
			if !slices.Contains(set, e) && !overflowing[e] && isNone(t, instances, append(slices.Clone(set), e)...) {
				set = append(set, e)
				again = true
			}
		}
	}
	slices.SortFunc(set, compareEdits)
	return set
}

func TestRemovableTogether(t *testing.T) {
	total := 0
	deployments(t, 500, func(t *testing.T, _ uint64, instances []hostroute.Instance) {
		a := add(t, new(audit.Audit), instances...)
		got := a.RemovableTogether()
		total += len(got)
		if d := cmp.Diff(together(t, instances), got, equateNetip, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("-definition +got:\n%s", d)
		}
		if impact, err := a.Impact(got...); err != nil || !impact.None() {
			t.Errorf("together they move something: %+v, %v", impact, err)
		}
	})
	t.Logf("%d host routes", total)
}

// fixes returns some lists of edits: removals of host routes, one by one, the fixes of a few findings, some edits at once, and
// some that cannot be made.
func fixes(t testing.TB, seed uint64, instances []hostroute.Instance) [][]hostroute.Edit {
	t.Helper()
	out := [][]hostroute.Edit{someEdits(t, seed, instances), {}, {{Subnet: "unknown", Old: hostroute.MustParseHostRoute(good)}}}
	for _, e := range hostRoutes(t, instances) {
		out = append(out, []hostroute.Edit{e})
	}
	for _, f := range analyze(t, instances[0]).Findings {
		for _, fix := range f.Fixes {
			out = append(out, fix.Edits)
		}
	}
	r := rand.New(rand.NewPCG(seed, 9))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestTogether(t *testing.T) {
	taken, alone := 0, 0
	deployments(t, 100, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		a := add(t, new(audit.Audit), instances...)
		lists := fixes(t, seed, instances)
		var want []bool
		var all []hostroute.Edit
		for _, edits := range lists {
			with := append(slices.Clone(all), edits...)
			_, err := a.Impact(with...) // else it cannot be made
			isFree := err == nil && isNone(t, instances, with...)
			if isFree {
				all = with
				taken++
			} else if _, err := a.Impact(edits...); err == nil && isNone(t, instances, edits...) {
				alone++
			}
			want = append(want, isFree)
		}
		if d := cmp.Diff(want, a.Together(lists...)); d != "" {
			t.Errorf("%v: -definition +got:\n%s", lists, d)
		}
	})
	t.Logf("%d taken, %d only alone", taken, alone)
	if taken == 0 || alone == 0 {
		t.Error("one kind is missing")
	}
}

func TestImpactIsTheSumOfImpacts(t *testing.T) {
	deployments(t, 500, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		edits := someEdits(t, seed, instances)
		a := add(t, new(audit.Audit), instances...)
		got, err := a.Impact(edits...)
		if err != nil {
			t.Fatal(err)
		}
		var want audit.Impact
		moves := make(map[string]int)
		came, gone := make(map[string]int), make(map[string]int)
		none := true
		for _, in := range instances {
			touched := slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool {
				return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool {
					return slices.ContainsFunc(edits, func(e hostroute.Edit) bool { return e.Subnet == s.ID })
				})
			})
			if touched {
				want.Touched++
			}
			single, err := in.Impact(edits...)
			if err != nil {
				t.Fatal(err)
			}
			changes := diff(t, in, edits)
			switch {
			case len(changes) > 0:
				want.Moved++
			case single.Uncertain:
				want.Uncertain++
			}
			if !single.None() {
				none = false
				want.Examples = append(want.Examples, in.Name)
			}
			byNICs := make(map[string][]string)
			for _, c := range changes {
				pair := subnetsOf(in, c.Before) + " -> " + subnetsOf(in, c.After)
				byNICs[pair] = append(byNICs[pair], c.Destination.String())
			}
			for pair, list := range byNICs {
				moves[fmt.Sprint(list, pair)]++
			}
			count(came, in, single.New)
			count(gone, in, single.Gone)
		}
		want.Examples = smallest(want.Examples)
		if d := cmp.Diff(&want, got, cmpopts.IgnoreFields(audit.Impact{}, "Moves", "New", "Gone"), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("-sum +got:\n%s", d)
		}
		gotMoves := make(map[string]int)
		for _, m := range got.Moves {
			gotMoves[fmt.Sprint(m.Destinations, m.From, " -> ", m.To)] = m.Instances
		}
		if d := cmp.Diff(moves, gotMoves); d != "" {
			t.Errorf("moves, -sum +got:\n%s", d)
		}
		if d := cmp.Diff(came, counted(got.New)); d != "" {
			t.Errorf("new, -sum +got:\n%s", d)
		}
		if d := cmp.Diff(gone, counted(got.Gone)); d != "" {
			t.Errorf("gone, -sum +got:\n%s", d)
		}
		if got.None() != none {
			t.Errorf("None is %v", got.None())
		}
		if still, err := a.MovesNothing(edits...); still != none || err != nil {
			t.Errorf("MovesNothing is %v, %v", still, err)
		}
	})
}

// What an audit calls safe is so for every instance, whatever addresses the edits bring.
func TestNoneIsSafeWithAnyAddress(t *testing.T) {
	safe, unsafe := 0, 0
	deployments(t, 100, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		a := add(t, new(audit.Audit), instances...)
		r := rand.New(rand.NewPCG(seed, 10))
		for _, e := range hostRoutes(t, instances) {
			n := instances[r.IntN(len(instances))].NICs
			if len(n) == 0 || len(n[0].Addrs) == 0 {
				continue
			}
			e.New = e.Old
			if own := n[0].Addrs[0]; r.IntN(2) == 0 {
				e.New.NextHop = own
			} else {
				e.New.Destination = netip.PrefixFrom(own, own.BitLen())
			}
			still, err := a.MovesNothing(e)
			if err != nil {
				t.Fatal(err)
			}
			if still {
				safe++
			} else {
				unsafe++
			}
			if still && !isNone(t, instances, e) {
				t.Errorf("%v is not safe", e)
			}
		}
	})
	t.Logf("%d safe, %d not", safe, unsafe)
	if unsafe == 0 {
		t.Error("one kind is missing")
	}
}

func subnetsOf(in hostroute.Instance, nic string) string {
	for _, n := range in.NICs {
		if n.Name == nic {
			var ids []string
			for _, s := range n.Subnets {
				if !slices.Contains(ids, s.ID) {
					ids = append(ids, s.ID)
				}
			}
			if ids == nil {
				return nic
			}
			return strings.Join(ids, ",")
		}
	}
	return nic // "", or lo
}

// occurrenceText is what findings of one occurrence agree in, as far as an [audit.Occurrence] shows it.
func occurrenceText(f hostroute.Finding) string {
	text := fmt.Sprint(f.Code, " ", f.Subject.Subnet, " ", f.Subject.HostRoute)
	switch f.Code {
	case hostroute.CodeConflict, hostroute.CodeCapturesSubnet, hostroute.CodeOverlappingSubnets, hostroute.CodeNextHopOtherNIC:
		var related []string
		for _, r := range f.Related {
			related = append(related, r.Ref.Subnet+r.Ref.HostRoute.String())
		}
		slices.Sort(related)
		text += fmt.Sprint(slices.Compact(related))
	}
	return text
}

// count counts findings of an instance, each occurrence once.
func count(to map[string]int, in hostroute.Instance, findings []hostroute.Finding) {
	seen := make(map[string]bool)
	for _, f := range findings {
		key := occurrenceText(f)
		if f.Subject.Subnet == "" {
			key += subnetsOf(in, f.Subject.NIC)
		}
		if !seen[key] {
			seen[key] = true
			to[occurrenceText(f)]++ // of several NICs or manual routes, an Occurrence does not show which
		}
	}
}

func counted(list []audit.Occurrence) map[string]int {
	out := make(map[string]int)
	for _, o := range list {
		out[occurrenceText(o.Finding)] += o.Instances
	}
	return out
}

func TestFindingsAreTheSumOfFindings(t *testing.T) {
	deployments(t, 500, func(t *testing.T, _ uint64, instances []hostroute.Instance) {
		want := make(map[string]int)
		fixes := make(map[string]map[string]bool)
		for _, in := range instances {
			report := analyze(t, in)
			count(want, in, report.Findings)
			for _, f := range report.Findings {
				text := occurrenceText(f)
				if fixes[text] == nil {
					fixes[text] = make(map[string]bool)
				}
				for _, fix := range f.Fixes {
					fixes[text][fixText(fix)] = true
				}
			}
		}
		got := slices.Collect(add(t, new(audit.Audit), instances...).Findings())
		if d := cmp.Diff(want, counted(got)); d != "" {
			t.Errorf("-sum +got:\n%s", d)
		}
		gotFixes := make(map[string]map[string]bool)
		for i, o := range got {
			text := occurrenceText(o.Finding)
			if gotFixes[text] == nil {
				gotFixes[text] = make(map[string]bool)
			}
			for _, fix := range o.Fixes {
				gotFixes[text][fixText(fix)] = true
			}
			if i > 0 && got[i-1].Finding.Severity < o.Finding.Severity {
				t.Errorf("%v comes before %v", got[i-1], o)
			}
			smallest := o.Examples[0]
			if f := o.Finding; f.Subject.NIC != "" || f.Subject.Instance != "" || f.Message == "" ||
				slices.ContainsFunc(f.Related, func(r hostroute.Related) bool { return r.Ref.Instance != smallest }) {
				t.Errorf("not a finding of %s: %+v", smallest, f)
			}
		}
		if d := cmp.Diff(fixes, gotFixes); d != "" {
			t.Errorf("fixes, -all +got:\n%s", d)
		}
	})
}

func fixText(fix hostroute.Fix) string {
	if len(fix.Edits) == 0 {
		return fix.Message
	}
	return fmt.Sprint(fix.Edits)
}

func TestCompareIsTheDifferenceOfTwoAudits(t *testing.T) {
	deployments(t, 100, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		edits := someEdits(t, seed, instances)
		var later []hostroute.Instance
		for _, in := range instances[1:] {
			after, err := in.Apply(edits...)
			if err != nil {
				t.Fatal(err)
			}
			later = append(later, after)
		}
		before, after := add(t, new(audit.Audit), instances...), add(t, new(audit.Audit), later...)
		got := audit.Compare(before, after)

		was, is := usages(t, instances), usages(t, later)
		var want []audit.Changed[audit.Usage]
		for key := range union(was, is) {
			a, b := was[key], is[key]
			a.Removable, b.Removable, a.Examples, b.Examples = false, false, nil, nil
			if !cmp.Equal(a, b, equateNetip) {
				want = append(want, audit.Changed[audit.Usage]{Before: was[key], After: is[key]})
			}
		}
		text := func(c audit.Changed[audit.Usage]) string {
			return max(c.Before.Subnet+c.Before.HostRoute.String(), c.After.Subnet+c.After.HostRoute.String())
		}
		byText := cmpopts.SortSlices(func(a, b audit.Changed[audit.Usage]) bool { return text(a) < text(b) })
		if d := cmp.Diff(want, got.Usages, equateNetip, byText, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("usages, -want +got:\n%s", d)
		}

		occurrences := func(a *audit.Audit) map[string]audit.Occurrence {
			out := make(map[string]audit.Occurrence)
			for o := range a.Findings() {
				if o.Finding.Subject.Subnet != "" { // of NICs and manual routes the text does not show which
					out[occurrenceText(o.Finding)] = o
				}
			}
			return out
		}
		had, has := occurrences(before), occurrences(after)
		changes := make(map[string]audit.Changed[audit.Occurrence])
		for key := range union(had, has) {
			if had[key].Instances != has[key].Instances {
				changes[key] = audit.Changed[audit.Occurrence]{Before: had[key], After: has[key]}
			}
		}
		gotChanges := make(map[string]audit.Changed[audit.Occurrence])
		for _, c := range got.Findings {
			f := c.Before.Finding
			if c.Before.Instances == 0 {
				f = c.After.Finding
			}
			if f.Subject.Subnet != "" {
				gotChanges[occurrenceText(f)] = c
			}
		}
		if d := cmp.Diff(changes, gotChanges, equateNetip); d != "" {
			t.Errorf("findings, -want +got:\n%s", d)
		}
		if same := audit.Compare(before, before); len(same.Usages)+len(same.Findings) > 0 {
			t.Errorf("not equal to itself: %+v", same)
		}
	})
}

func union[V any](a, b map[string]V) map[string]bool {
	out := make(map[string]bool)
	for _, m := range []map[string]V{a, b} {
		for k := range maps.Keys(m) {
			out[k] = true
		}
	}
	return out
}
