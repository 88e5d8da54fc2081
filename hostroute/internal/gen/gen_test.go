package gen_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDeterministic(t *testing.T) {
	opt := cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})
	for seed := range uint64(200) {
		a := gen.Instance(rand.New(rand.NewPCG(seed, 1)))
		b := gen.Instance(rand.New(rand.NewPCG(seed, 1)))
		if d := cmp.Diff(a, b, opt); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// Tiny universes have the documented size and no two equal instances side by
// side share a subnet that a test might change.
func TestTinySize(t *testing.T) {
	n := 0
	var before *hostroute.Subnet
	for in := range gen.Tiny() {
		if n++; in.NICs[0].Subnets[0] == before {
			t.Fatal("two instances share a subnet")
		}
		before = in.NICs[0].Subnets[0]
	}
	if n != 238_328 {
		t.Errorf("Tiny yields %d instances", n)
	}
	n = 0
	for range gen.TinyHops() {
		n++
	}
	if n != 246_016 {
		t.Errorf("TinyHops yields %d instances", n)
	}
}

// FromBytes is total, and small inputs make small instances.
func TestFromBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if in := gen.FromBytes(b); len(in.NICs) > 4 {
			t.Fatalf("%d NICs", len(in.NICs))
		}
	}
	if in := gen.FromBytes(nil); len(in.NICs) != 2 {
		t.Errorf("no bytes make %d NICs", len(in.NICs))
	}
}
