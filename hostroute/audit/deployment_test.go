package audit_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var equateNetip = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// deployment returns a few random instances that share subnets. Some differ in nothing but their names and addresses, some
// have the same name.
func deployment(seed uint64) []hostroute.Instance {
	r := rand.New(rand.NewPCG(seed, 7))
	var nics []hostroute.NIC
	drive := false
	for len(nics) == 0 || r.IntN(2) == 0 && len(nics) < 6 {
		in := gen.Instance(r)
		drive = drive || in.ConfigDrive
		seen := make(map[*hostroute.Subnet]bool)
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				if !seen[s] {
					s.ID = fmt.Sprintf("%s-%d", s.ID, len(nics))
					seen[s] = true
				}
			}
		}
		nics = append(nics, in.NICs...)
	}
	var out []hostroute.Instance
	for range 2 + r.IntN(6) {
		in := hostroute.Instance{Name: fmt.Sprintf("vm-%d", r.IntN(12)), ConfigDrive: drive && r.IntN(3) > 0}
		for i := range 1 + r.IntN(3) {
			n := nics[r.IntN(len(nics))]
			n.ID, n.Name = fmt.Sprint("port", r.IntN(100)), fmt.Sprintf("eth%d", i)
			if r.IntN(2) == 0 {
				n.ManualRoutes, n.Siblings = nil, nil
			}
			in.NICs = append(in.NICs, n)
		}
		if r.IntN(3) == 0 {
			in.Guest = hostroute.Guests()[r.IntN(len(hostroute.Guests()))]
		}
		if r.IntN(3) == 0 {
			in.DefaultNIC = in.NICs[r.IntN(len(in.NICs))].Name
		}
		for range 1 + r.IntN(3) {
			out = append(out, in)
			in.Name = fmt.Sprintf("vm-%d", r.IntN(12))
			in.NICs = slices.Clone(in.NICs)
			in.NICs[0].Addrs = slices.Clone(in.NICs[0].Addrs)
			slices.Reverse(in.NICs[0].Addrs)
		}
	}
	return out
}

// deployments calls f with n random deployments, a quarter of them unless HOSTROUTE_EXHAUSTIVE=1 is set,
// as CI does, a fortieth under -short.
func deployments(t *testing.T, n int, f func(t *testing.T, seed uint64, instances []hostroute.Instance)) {
	t.Helper()
	t.Parallel()
	switch {
	case os.Getenv("HOSTROUTE_EXHAUSTIVE") == "1":
	case testing.Short():
		n = (n + 39) / 40
	default:
		n = (n + 3) / 4
	}
	for seed := range uint64(n) {
		f(t, seed, deployment(seed))
		if t.Failed() {
			t.Fatalf("deployment %d", seed)
		}
	}
}

func add(t testing.TB, a *audit.Audit, instances ...hostroute.Instance) *audit.Audit {
	t.Helper()
	for _, in := range instances {
		if err := a.Add(in); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// hostRoutes returns the host routes of all instances, as edits that remove them, by subnet, destination and next hop.
func hostRoutes(t testing.TB, instances []hostroute.Instance) []hostroute.Edit {
	t.Helper()
	var out []hostroute.Edit
	for _, in := range instances {
		for _, v := range analyze(t, in).Verdicts {
			e := hostroute.Edit{Subnet: v.Subject.Subnet, Old: v.Subject.HostRoute}
			if e.Subnet != "" && !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, compareEdits)
	return out
}

func compareEdits(a, b hostroute.Edit) int {
	text := func(e hostroute.Edit) string {
		address := func(a netip.Addr) string { b := a.AsSlice(); return fmt.Sprintf("%02d %x", len(b), b) }
		return fmt.Sprintf("%s %s %03d %s", e.Subnet, address(e.Old.Destination.Addr()), e.Old.Destination.Bits(), address(e.Old.NextHop))
	}
	return cmpText(text(a), text(b))
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func analyze(t testing.TB, in hostroute.Instance) *hostroute.Report {
	t.Helper()
	r, err := hostroute.Analyze(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// someEdits returns edits of the instances' subnets that can be made one after the other.
func someEdits(t testing.TB, seed uint64, instances []hostroute.Instance) []hostroute.Edit {
	r := rand.New(rand.NewPCG(seed, 8))
	var out []hostroute.Edit
	gateways := make(map[string]netip.Addr)
	for _, in := range instances {
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				gateways[s.ID] = s.Gateway
			}
		}
	}
	for _, e := range hostRoutes(t, instances) {
		switch r.IntN(4) {
		case 0:
			out = append(out, e)
		case 1:
			e.New = hostroute.HostRoute{Destination: e.Old.Destination, NextHop: gateways[e.Subnet]}
			if e.New.NextHop.IsValid() {
				out = append(out, e)
			}
		}
	}
	return out
}

// answers are the bytes of all that an audit says.
func answers(t testing.TB, a *audit.Audit, edits []hostroute.Edit) string {
	t.Helper()
	impact, err := a.Impact(edits...)
	if err != nil {
		t.Fatal(err)
	}
	var singly [][]hostroute.Edit
	for _, e := range edits {
		singly = append(singly, []hostroute.Edit{e})
	}
	b, err := json.MarshalIndent(map[string]any{
		"usages":   slices.Collect(a.Usages()),
		"findings": slices.Collect(a.Findings()),
		"together": a.RemovableTogether(),
		"fixes":    a.Together(singly...),
		"impact":   impact,
		"compared": audit.Compare(nil, a),
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOrderAndSplitDoNotMatter(t *testing.T) {
	deployments(t, 100, func(t *testing.T, seed uint64, instances []hostroute.Instance) {
		edits := someEdits(t, seed, instances)
		want := answers(t, add(t, new(audit.Audit), instances...), edits)
		r := rand.New(rand.NewPCG(seed, 9))
		for range 3 {
			list := slices.Clone(instances)
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			workers := make([]audit.Audit, 1+r.IntN(4))
			for _, in := range list {
				add(t, &workers[r.IntN(len(workers))], in)
			}
			var all audit.Audit
			for _, i := range r.Perm(len(workers)) {
				if err := all.Merge(&workers[i]); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, answers(t, &all, edits)); diff != "" {
				t.Errorf("-in one go +split:\n%s", diff)
			}
		}
	})
}
