package sweep

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// Of more routes than an IPv4 word has room for, that need not be made: an index as
// wide as theirs would be takes the same bits.
func TestIndexTooWideForIPv4(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		var routes []Route
		for range r.IntN(80) {
			a := netip.AddrFrom4([4]byte{byte(255 * r.IntN(2)), 0, byte(r.IntN(2)), byte(255 - r.IntN(3))})
			n := []int{0, 1, 8, 23, 24, 30, 31, 32}[r.IntN(8)]
			if r.IntN(4) == 0 {
				a, n = netip.AddrFrom16(a.As16()), 96+n // sorts as IPv6
			}
			routes = append(routes, Route{netip.PrefixFrom(a, n).Masked(), int32(r.IntN(3))})
		}
		want := Effects(nil, routes)
		for _, indexBits := range []int{lenShift, lenShift + 1, 31} {
			k := pack(nil, routes, indexBits)
			if k.exact4 != (indexBits == lenShift) {
				t.Fatalf("%d bits: exact is %v", indexBits, k.exact4)
			}
			var order []int32
			for _, w := range k.words {
				order = append(order, int32(w&k.index))
			}
			if !slices.Equal(order, Order(nil, routes)) {
				t.Fatalf("%v with %d bits: order is %v", routes, indexBits, order)
			}
			if got := effects(nil, routes, indexBits); !slices.Equal(got, want) {
				t.Fatalf("%v with %d bits: got %v, want %v", routes, indexBits, got, want)
			}
		}
	}
}
