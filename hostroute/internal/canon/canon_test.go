package canon_test

import (
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute/internal/canon"
)

func TestAddr(t *testing.T) {
	for given, want := range map[string]string{
		"10.0.0.1":           "10.0.0.1",
		"::ffff:10.0.0.1":    "10.0.0.1",
		"::ffff:10.0.0.1%e0": "::ffff:10.0.0.1%e0",
		"fd00::1":            "fd00::1",
	} {
		if got := canon.Addr(netip.MustParseAddr(given)); got != netip.MustParseAddr(want) {
			t.Errorf("%s: got %v, want %s", given, got, want)
		}
	}
	if got := canon.Addr(netip.Addr{}); got.IsValid() {
		t.Errorf("the zero address: got %v", got)
	}
}

func TestPrefix(t *testing.T) {
	for given, want := range map[string]string{
		"10.0.0.0/8":          "10.0.0.0/8",
		"::ffff:10.0.0.0/104": "10.0.0.0/8",
		"::ffff:10.0.0.5/96":  "10.0.0.5/0",
		"::ffff:10.0.0.0/95":  "::ffff:10.0.0.0/95",
		"fd00::/8":            "fd00::/8",
	} {
		if got := canon.Prefix(netip.MustParsePrefix(given)); got.String() != want {
			t.Errorf("%s: got %v, want %s", given, got, want)
		}
	}
	if got := canon.Prefix(netip.Prefix{}); got.IsValid() {
		t.Errorf("the zero prefix: got %v", got)
	}
}

// Short lists and long ones go different ways.
func TestUnique(t *testing.T) {
	for _, n := range []int{0, 1, 10, 24, 25, 100} {
		distinct := make([]int, n)
		for i := range distinct {
			distinct[i] = (i * 7) % 101
		}
		given := slices.Concat(distinct, distinct)
		before := slices.Clone(given)
		if got := canon.Unique(given); !slices.Equal(got, distinct) {
			t.Errorf("%d values twice: got %v", n, got)
		}
		if !slices.Equal(given, before) {
			t.Errorf("%d values twice: the list was changed to %v", n, given)
		}
		if got := canon.Unique(distinct); !slices.Equal(got, distinct) || n > 0 && &got[0] != &distinct[0] {
			t.Errorf("%d distinct values: got %v", n, got)
		}
	}
}
