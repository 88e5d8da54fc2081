// Package sweep decides, for every route of a table at once, whether the table
// would send any address out of another NIC without it: prefixes and NIC
// numbers in, a verdict a route out, in O(n log n).
//
// A route decides the addresses of its prefix that no longer prefix of the
// table claims, and of equal prefixes the first decides. Without it, those
// addresses, all of them alike, go where the next equal prefix says, else where
// the longest shorter one says.
package sweep

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// None is the NIC number of "no route".
const None = -1

// A Route is a prefix and the number of the NIC that it leads to.
type Route struct {
	Prefix netip.Prefix // valid and masked
	NIC    int32        // from 0
}

// A Verdict says what one route decides.
type Verdict struct {
	// Without is where the addresses that the route decides would go without
	// it: a NIC number, or None. It is the route's own NIC where it decides none.
	Without int32
	// After is the route inside this one that ends right before the lowest address
	// that this one decides; this one itself if that is its first address. It is
	// None if it decides none, since longer or earlier ones claim every address of it.
	After int32
}

// Steers says whether any address would leave by another NIC without r.
func (v Verdict) Steers(r Route) bool { return v.Without != r.NIC }

// Decides says whether the route decides any address.
func (v Verdict) Decides() bool { return v.After != None }

// Lowest returns the lowest address that route i of routes decides; the zero Addr if it
// decides none.
func (v Verdict) Lowest(routes []Route, i int) netip.Addr {
	switch int(v.After) {
	case None:
		return netip.Addr{}
	case i:
		return routes[i].Prefix.Addr()
	}
	return netipx.PrefixLastIP(routes[v.After].Prefix).Next()
}

// Order returns the indices of routes sorted by family, IPv4 first, by address,
// then shorter first, then earlier first, appended to dst. So a prefix
// stands before all that it contains, and equal prefixes stand together in order
// of precedence.
func Order(dst []int32, routes []Route) []int32 {
	var room [few]uint64
	k := pack(room[:0], routes)
	for _, word := range k.words {
		dst = append(dst, int32(word&k.index))
	}
	return dst
}

// Effects returns a verdict for each route, appended to dst. Of routes of equal
// prefix, the earlier has precedence.
func Effects(dst []Verdict, routes []Route) []Verdict {
	base := len(dst)
	dst = slices.Grow(dst, len(routes))[:base+len(routes)]
	var room [few]uint64
	k := pack(room[:0], routes)
	if k.exact4 {
		sweep4(dst[base:], routes, k.words[:k.n4], k.index)
	} else {
		sweepWide(dst[base:], routes, k.words[:k.n4], k.index)
	}
	if k.n4 < len(routes) {
		sweepWide(dst[base:], routes, k.words[k.n4:], k.index)
	}
	return dst
}

// few is for how many routes the keys fit on the stack.
const few = 32

// lenShift is where the length stands in a word of IPv4, below 32 bits of address.
const lenShift = 32 - 6

// keys are routes in order, a word each: from the top, as many bits of address
// and length as fit, then the index of the route. Of IPv4, with up to 1<<26 routes, that is
// all of them (exact4): sorting the words sorts the routes. Of IPv6 it is the address
// from the first bit in which any two differ; where words are alike in that, they
// are sorted by the routes.
type keys struct {
	words  []uint64 // IPv4's first
	n4     int
	index  uint64 // mask of the index in a word
	exact4 bool
}

// pack returns the keys of routes; words has room for some.
func pack(words []uint64, routes []Route) keys {
	indexBits := bits.Len(uint(len(routes)))
	k := keys{words: slices.Grow(words, len(routes))[:len(routes)], index: 1<<indexBits - 1, exact4: indexBits <= lenShift}
	for i := range routes {
		if p := &routes[i].Prefix; p.Addr().Is4() {
			b := p.Addr().As4()
			k.words[k.n4] = (uint64(binary.BigEndian.Uint32(b[:]))<<32|uint64(p.Bits())<<lenShift)&^k.index | uint64(i)
			k.n4++
		}
	}
	sortWords(k.words[:k.n4])
	if !k.exact4 {
		k.sortAlike(k.words[:k.n4], routes)
	}
	if k.n4 < len(routes) {
		k.pack6(routes)
	}
	return k
}

// pack6 makes and sorts the words of IPv6.
func (k *keys) pack6(routes []Route) {
	var first, differ [2]uint64 // an address, and the bits in which another one differs
	for i, n := 0, 0; i < len(routes); i++ {
		if a := routes[i].Prefix.Addr(); !a.Is4() {
			hi, lo := halves(a)
			if n++; n == 1 {
				first = [2]uint64{hi, lo}
			}
			differ[0] |= hi ^ first[0]
			differ[1] |= lo ^ first[1]
		}
	}
	lead := uint(bits.LeadingZeros64(differ[0]))
	if lead == 64 {
		lead += uint(bits.LeadingZeros64(differ[1]))
	}
	at := k.n4
	for i := range routes {
		if a := routes[i].Prefix.Addr(); !a.Is4() {
			hi, lo := halves(a)
			k.words[at] = (hi<<lead|lo<<(lead-64)|lo>>(64-lead))&^k.index | uint64(i)
			at++
		}
	}
	sortWords(k.words[k.n4:])
	k.sortAlike(k.words[k.n4:], routes)
}

// halves returns the bits of an IPv6 address, or of an IPv4 one as it is mapped.
func halves(a netip.Addr) (hi, lo uint64) {
	b := a.AsSlice() // on the stack, and not copied as the result of As16 is
	if len(b) == 4 {
		mapped := a.As16()
		b = mapped[:]
	}
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
}

// sortAlike sorts words that differ in their index only.
func (k *keys) sortAlike(words []uint64, routes []Route) {
	for i := 0; i < len(words); {
		j := i + 1
		for j < len(words) && (words[j]^words[i])&^k.index == 0 {
			j++
		}
		if j-i > 1 {
			slices.SortFunc(words[i:j], func(v, w uint64) int {
				p, q := routes[v&k.index].Prefix, routes[w&k.index].Prefix
				return cmp.Or(p.Addr().Compare(q.Addr()), cmp.Compare(p.Bits(), q.Bits()), cmp.Compare(v, w))
			})
		}
		i = j
	}
}

// short is how many words are faster sorted by insertion than by radix.
const short = 64

// sortWords sorts words, no two of them alike.
func sortWords(words []uint64) {
	if len(words) <= short {
		insertion(words)
		return
	}
	radix(words, make([]uint64, len(words)))
}

func insertion(words []uint64) {
	for i, w := range words {
		for ; i > 0 && words[i-1] > w; i-- {
			words[i] = words[i-1]
		}
		words[i] = w
	}
}

// radix sorts words by eight bits, from the first in which any two differ, and
// then each group that is alike in these. It has room for a copy.
func radix(words, room []uint64) {
	differ := uint64(0)
	for _, w := range words {
		differ |= w ^ words[0]
	}
	shift := max(bits.Len64(differ), 8) - 8
	var next [256]uint32 // of each group, where its next word goes
	for _, w := range words {
		next[uint8(w>>shift)]++
	}
	sum := uint32(0)
	for i, n := range next {
		next[i] = sum
		sum += n
	}
	copy(room, words)
	for _, w := range room[:len(words)] {
		at := &next[uint8(w>>shift)]
		words[*at] = w
		*at++
	}
	from := uint32(0)
	for _, to := range next {
		if group := words[from:to]; len(group) > short {
			radix(group, room)
		} else {
			insertion(group)
		}
		from = to
	}
}

// sweep4 goes through IPv4's words in order.
func sweep4(out []Verdict, routes []Route, words []uint64, index uint64) {
	// open holds the prefixes that contain the one at hand, the longest on top;
	// at the bottom, that there is no route.
	type frame struct {
		low, last uint32 // the lowest address that no prefix inside has claimed so far, and the last one
		route     int32
		nic       int32
	}
	var open [1 + 33]frame
	open[0] = frame{last: 1<<32 - 1, route: None, nic: None}
	top, before, again := 0, ^uint64(0), false
	for _, word := range words {
		i := int32(word & index)
		nic := routes[i].NIC
		if word>>lenShift == before {
			if !again {
				out[open[top].route].Without, again = nic, true
			}
			out[i] = Verdict{nic, None}
			continue
		}
		before, again = word>>lenShift, false
		addr := uint32(word >> 32)
		last := addr | uint32(1<<(32-word>>lenShift&63)-1)
		for open[top].last < addr {
			top--
		}
		f := &open[top]
		out[i] = Verdict{f.nic, i}
		if f.low == addr && f.route != None {
			out[f.route].After, f.low = i, last+1
			if f.last == last {
				out[f.route] = Verdict{f.nic, None}
			}
		}
		top++
		open[top] = frame{addr, last, i, nic}
	}
}

// sweepWide is sweep4 for addresses of 128 bits, or of IPv4 as they are mapped.
func sweepWide(out []Verdict, routes []Route, words []uint64, index uint64) {
	type frame struct {
		lowHi, lowLo, lastHi, lastLo uint64
		route, nic                   int32
	}
	var room [24]frame
	ones := ^uint64(0)
	open := append(room[:0], frame{lastHi: ones, lastLo: ones, route: None, nic: None})
	var before netip.Prefix
	again := false
	for _, word := range words {
		i := int32(word & index)
		p, nic := routes[i].Prefix, routes[i].NIC
		if p == before {
			if !again {
				out[open[len(open)-1].route].Without, again = nic, true
			}
			out[i] = Verdict{nic, None}
			continue
		}
		before, again = p, false
		hi, lo := halves(p.Addr())
		n := p.Bits() + 128 - p.Addr().BitLen()
		lastHi, lastLo := hi|ones>>n, lo|ones>>(max(n, 64)-64)
		for f := &open[len(open)-1]; f.lastHi < hi || f.lastHi == hi && f.lastLo < lo; f = &open[len(open)-1] {
			open = open[:len(open)-1]
		}
		f := &open[len(open)-1]
		out[i] = Verdict{f.nic, i}
		if f.lowHi == hi && f.lowLo == lo && f.route != None {
			out[f.route].After, f.lowHi, f.lowLo = i, lastHi, lastLo+1
			if f.lowLo == 0 {
				f.lowHi++
			}
			if f.lastHi == lastHi && f.lastLo == lastLo {
				out[f.route] = Verdict{f.nic, None}
			}
		}
		if len(open) == cap(open) {
			open = slices.Grow(open, 1+129-len(open)) // no deeper than that
		}
		open = append(open, frame{hi, lo, lastHi, lastLo, i, nic})
	}
}
