package hostroute_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var equateNetip = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// compare holds Analyze's report against the slow twin's.
func compare(t testing.TB, in hostroute.Instance) bool {
	t.Helper()
	r, err := hostroute.Analyze(in)
	if err != nil {
		t.Errorf("Analyze: %v\n%s", err, describe(in))
		return false
	}
	ok := true
	if diff := cmp.Diff(twin.Table(in), r.Table, equateNetip, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("table (-twin +got):\n%s%s", diff, describe(in))
		ok = false
	}
	if diff := cmp.Diff(twin.Verdicts(in), r.Verdicts, equateNetip, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("verdicts (-twin +got):\n%s%s", diff, describe(in))
		ok = false
	}
	return ok
}

// describe prints an instance for the log of a failure.
func describe(in hostroute.Instance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "default NIC %q, config drive %v\n", in.DefaultNIC, in.ConfigDrive)
	for _, n := range in.NICs {
		fmt.Fprintf(&b, "%s: addrs %v, siblings %v, routes %v\n", n.Name, n.Addrs, n.Siblings, n.Routes)
		for _, s := range n.Subnets {
			fmt.Fprintf(&b, "\t%+v\n", *s)
		}
	}
	return b.String()
}

func TestAnalyzeAgreesWithTwinOnRandomInstances(t *testing.T) {
	const seed = 1
	n := 4000
	if testing.Short() {
		n = 400
	}
	r := rand.New(rand.NewPCG(seed, seed))
	for i := range n {
		if !compare(t, gen.Instance(r)) {
			t.Fatalf("instance %d of seed %d", i, seed)
		}
	}
}
