package sweep

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// Of more than 1<<26 routes, an IPv4 word has no room for the whole prefix. Here
// that many need not be made: an index as wide hides the same bits.
func TestWordsTooShortForIPv4(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var routes []Route
		for range r.IntN(20) {
			a := netip.AddrFrom4([4]byte{byte(255 * r.IntN(2)), 0, byte(r.IntN(2)), byte(255 - r.IntN(3))})
			p := netip.PrefixFrom(a, []int{0, 1, 8, 23, 24, 30, 31, 32}[r.IntN(8)]).Masked()
			routes = append(routes, Route{p, int32(r.IntN(3))})
		}
		want := Effects(nil, routes)
		order := Order(nil, routes)

		k := keys{index: 1<<40 - 1}
		for i, w := range pack(nil, routes).words {
			k.words = append(k.words, w&^k.index|uint64(order[i]))
		}
		slices.Sort(k.words)
		k.sortAlike(k.words, routes)
		for i, w := range k.words {
			if w&k.index != uint64(order[i]) {
				t.Fatalf("order of %v: %x, want %v", routes, k.words, order)
			}
		}
		got := make([]Verdict, len(routes))
		if sweepWide(got, routes, k.words, k.index); !slices.Equal(got, want) {
			t.Fatalf("%v: got %v, want %v", routes, got, want)
		}
	}
}
