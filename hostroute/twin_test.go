package hostroute_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
	// What depends on the guest is held against the twin by compareGuests.
	if diff := cmp.Diff(twin.Verdicts(in), r.Verdicts, equateNetip, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(hostroute.Verdict{}, "Guests", "GuestDependent", "DefaultDependent")); diff != "" {
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
		fmt.Fprintf(&b, "%s: addrs %v, siblings %v, routes %v\n", n.Name, n.Addrs, n.Siblings, n.ManualRoutes)
		for _, s := range n.Subnets {
			fmt.Fprintf(&b, "\t%+v\n", *s)
		}
	}
	return b.String()
}

// exhaustive asks for all that CI has time for: HOSTROUTE_EXHAUSTIVE=1, which it sets.
var exhaustive = os.Getenv("HOSTROUTE_EXHAUSTIVE") == "1"

// random calls f with n instances of a seed, a quarter of them unless exhaustive, a
// fortieth under -short, on all processors, until f returns false.
func random(t *testing.T, seed uint64, n int, f func(t testing.TB, in hostroute.Instance) bool) {
	t.Helper()
	randomOf(t, gen.Instance, seed, n, f)
}

func randomOf(t *testing.T, maker func(*rand.Rand) hostroute.Instance, seed uint64, n int, f func(t testing.TB, in hostroute.Instance) bool) {
	t.Helper()
	switch {
	case exhaustive:
	case testing.Short():
		n = (n + 39) / 40
	default:
		n = (n + 3) / 4
	}
	parallel(t, func(worker, workers int, failed *atomic.Bool) {
		for i := worker; i < n && !failed.Load(); i += workers {
			in := maker(rand.New(rand.NewPCG(seed, uint64(i))))
			if !f(t, in) {
				failed.Store(true)
				t.Errorf("instance %d of seed %d", i, seed)
			}
		}
	})
}

func parallel(t *testing.T, work func(worker, workers int, failed *atomic.Bool)) {
	t.Helper()
	var failed atomic.Bool
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() { work(worker, workers, &failed) })
	}
	group.Wait()
}

func TestAnalyzeAgreesWithTwinOnRandomInstances(t *testing.T) {
	random(t, 1, 4000, compare)
}

// stride is the share of a tiny universe that is looked at: every so many'th
// instance. A prime, so that the loops that make the universe do not resonate with it.
func stride() int {
	switch {
	case exhaustive:
		return 7
	case testing.Short():
		return 997
	}
	return 61
}

func TestAnalyzeAgreesWithTwinOnTinyUniverses(t *testing.T) { tiny(t, stride(), compare) }

// tiny calls f with every so many'th instance of the tiny universes, on all processors, until f returns false.
func tiny(t *testing.T, step int, f func(t testing.TB, in hostroute.Instance) bool) {
	for name, universe := range map[string]iter.Seq[hostroute.Instance]{"three routes": gen.Tiny(), "two routes, all next hops": gen.TinyHops()} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			parallel(t, func(worker, workers int, failed *atomic.Bool) {
				i := 0
				for in := range universe {
					if mine := i%step == 0 && i/step%workers == worker; mine {
						seen.Add(1)
						if !f(t, in) {
							failed.Store(true)
							t.Errorf("instance %d", i)
						}
					}
					if i++; failed.Load() {
						return
					}
				}
			})
			t.Logf("compared %d instances", seen.Load())
			if seen.Load() == 0 {
				t.Error("compared none")
			}
		})
	}
}
