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
	// Lowest is the lowest address that the route decides; the zero Addr if it
	// decides none, since longer or earlier ones claim every address of it.
	Lowest netip.Addr
	// Without is where the addresses that the route decides would go without
	// it: a NIC number, or None. It is the route's own NIC where Lowest is zero.
	Without int32
}

// Steers says whether any address would leave by another NIC without r.
func (v Verdict) Steers(r Route) bool { return v.Without != r.NIC }

// Order returns the indices of routes sorted by family, IPv4 first, by address,
// then shorter first, then earlier first, appended to dst. So a prefix
// stands before all that it contains, and equal prefixes stand together in order
// of precedence.
func Order(dst []int32, routes []Route) []int32 {
	var room [few]uint64
	var wide [few][2]uint64
	k := pack(room[:0], wide[:], routes)
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
	var wide [few][2]uint64
	k := pack(room[:0], wide[:], routes)
	n4 := k.n4
	if k.exact4 {
		sweep4(dst[base:], routes, k.words[:n4], k.index)
	} else {
		sweepWide(dst[base:], routes, k.words[:n4], &k)
	}
	sweepWide(dst[base:], routes, k.words[n4:], &k)
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
	wide   [][2]uint64 // the address of each route that has no exact word
}

// pack returns the keys of routes; words and wide have room for some.
func pack(words []uint64, wide [][2]uint64, routes []Route) keys {
	indexBits := bits.Len(uint(len(routes)))
	k := keys{words: slices.Grow(words, len(routes))[:len(routes)], index: 1<<indexBits - 1, exact4: indexBits <= lenShift}
	if k.wide = wide; len(wide) < len(routes) && (!k.exact4 || count6(routes) > 0) {
		k.wide = make([][2]uint64, len(routes))
	}
	var first, differ [2]uint64 // an IPv6 address, and the bits in which another one differs
	n6 := 0
	for i := range routes {
		if p := &routes[i].Prefix; p.Addr().Is4() {
			b := p.Addr().As4()
			if !k.exact4 {
				k.wide[i] = halves(p.Addr())
			}
			k.words[k.n4] = (uint64(binary.BigEndian.Uint32(b[:]))<<32|uint64(p.Bits())<<lenShift)&^k.index | uint64(i)
			k.n4++
		} else {
			a := halves(p.Addr())
			if n6 == 0 {
				first = a
			}
			differ[0] |= a[0] ^ first[0]
			differ[1] |= a[1] ^ first[1]
			k.wide[i] = a
			n6++
		}
	}
	if n6 > 0 {
		lead := uint(bits.LeadingZeros64(differ[0]))
		if lead == 64 {
			lead += uint(bits.LeadingZeros64(differ[1]))
		}
		at := k.n4
		for i := range routes {
			if !routes[i].Prefix.Addr().Is4() {
				hi, lo := k.wide[i][0], k.wide[i][1]
				k.words[at] = (hi<<lead|lo<<(lead-64)|lo>>(64-lead))&^k.index | uint64(i)
				at++
			}
		}
	}
	if k.exact4 {
		sortWords(k.words[:k.n4], lenShift)
	} else {
		sortWords(k.words[:k.n4], indexBits)
		k.sortAlike(k.words[:k.n4], routes)
	}
	sortWords(k.words[k.n4:], indexBits)
	k.sortAlike(k.words[k.n4:], routes)
	return k
}

// halves returns the bits of an IPv6 address, or of an IPv4 one as it is mapped.
func halves(a netip.Addr) [2]uint64 {
	b := a.AsSlice() // on the stack, and not copied as the result of As16 is
	if len(b) == 4 {
		mapped := a.As16()
		b = mapped[:]
	}
	return [2]uint64{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func count6(routes []Route) int {
	n := 0
	for i := range routes {
		if !routes[i].Prefix.Addr().Is4() {
			n++
		}
	}
	return n
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

// sortWords sorts words that are sorted by their index by their bits from the low-th up:
// where there are enough of them by radix, least digit first.
func sortWords(words []uint64, low int) {
	const digit = 11
	if len(words) < 256 {
		slices.Sort(words)
		return
	}
	from, to := words, make([]uint64, len(words))
	for ; low < 64; low += digit {
		var start [1 << digit]uint32 // of each digit, where its words go
		for _, w := range from {
			start[w>>low&(1<<digit-1)]++
		}
		if start[from[0]>>low&(1<<digit-1)] == uint32(len(from)) {
			continue // all alike
		}
		sum := uint32(0)
		for i, n := range start {
			start[i] = sum
			sum += n
		}
		for _, w := range from {
			at := &start[w>>low&(1<<digit-1)]
			to[*at] = w
			*at++
		}
		from, to = to, from
	}
	copy(words, from)
}

// sweep4 goes through the words in order.
func sweep4(out []Verdict, routes []Route, words []uint64, index uint64) {
	// open holds the prefixes that contain the one at hand, the longest on top.
	type frame struct {
		low   uint64 // the lowest address that no prefix inside has claimed so far
		end   uint64 // the first address after the prefix
		index int
		nic   int32
		free  bool // low is not claimed by any: it is settled
		moved bool // low is not the first address
	}
	var room [24]frame
	open := room[:0]
	pop := func() {
		f := &open[len(open)-1]
		open = open[:len(open)-1]
		if !f.moved {
			return
		}
		if f.free || f.low < f.end {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(f.low))
			out[f.index].Lowest = netip.AddrFrom4(b)
		} else {
			out[f.index] = Verdict{Without: f.nic}
		}
	}
	last := ^uint64(0)
	equals := 0
	for _, word := range words {
		i := int(word & index)
		nic := routes[i].NIC
		if word>>lenShift == last {
			if equals++; equals == 1 {
				out[open[len(open)-1].index].Without = nic
			}
			out[i] = Verdict{Without: nic}
			continue
		}
		last, equals = word>>lenShift, 0
		addr := word >> 32
		end := addr + 1<<(32-word>>lenShift&63)
		for len(open) > 0 && open[len(open)-1].end <= addr {
			pop()
		}
		out[i] = Verdict{routes[i].Prefix.Addr(), None}
		if len(open) > 0 {
			f := &open[len(open)-1]
			out[i].Without = f.nic
			if f.low < addr {
				f.free = true
			} else if !f.free {
				f.low, f.moved = end, true
			}
		}
		open = append(open, frame{low: addr, end: end, index: i, nic: nic})
	}
	for len(open) > 0 {
		pop()
	}
}

// sweepWide is sweep4 for addresses of 128 bits, or of IPv4 as they are mapped.
func sweepWide(out []Verdict, routes []Route, words []uint64, k *keys) {
	type frame struct {
		lowHi, lowLo   uint64 // the lowest address that no prefix inside has claimed so far
		lastHi, lastLo uint64 // the last address of the prefix
		index          int
		nic            int32
		free           bool // low is not claimed by any: it is settled
		moved          bool // low is not the first address
		full           bool // low would be the address after the last of all
	}
	var room [24]frame
	open := room[:0]
	pop := func() {
		f := &open[len(open)-1]
		open = open[:len(open)-1]
		if !f.moved {
			return
		}
		if f.free || !f.full && !less(f.lastHi, f.lastLo, f.lowHi, f.lowLo) {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:8], f.lowHi)
			binary.BigEndian.PutUint64(b[8:], f.lowLo)
			out[f.index].Lowest = netip.AddrFrom16(b)
			if routes[f.index].Prefix.Addr().Is4() {
				out[f.index].Lowest = out[f.index].Lowest.Unmap()
			}
		} else {
			out[f.index] = Verdict{Without: f.nic}
		}
	}
	var last netip.Prefix
	equals := 0
	for _, word := range words {
		i := int(word & k.index)
		p, nic := routes[i].Prefix, routes[i].NIC
		if p == last {
			if equals++; equals == 1 {
				out[open[len(open)-1].index].Without = nic
			}
			out[i] = Verdict{Without: nic}
			continue
		}
		last, equals = p, 0
		hi, lo := k.wide[i][0], k.wide[i][1]
		n := p.Bits()
		if p.Addr().Is4() {
			n += 96
		}
		lastHi, lastLo := hi|^uint64(0)>>n, lo|^uint64(0)>>(max(n, 64)-64)
		for len(open) > 0 && less(open[len(open)-1].lastHi, open[len(open)-1].lastLo, hi, lo) {
			pop()
		}
		out[i] = Verdict{p.Addr(), None}
		if len(open) > 0 {
			f := &open[len(open)-1]
			out[i].Without = f.nic
			if less(f.lowHi, f.lowLo, hi, lo) {
				f.free = true
			} else if !f.free {
				f.lowHi, f.lowLo, f.moved = lastHi, lastLo+1, true
				if f.lowLo == 0 {
					f.lowHi++
					f.full = f.lowHi == 0
				}
			}
		}
		open = append(open, frame{lowHi: hi, lowLo: lo, lastHi: lastHi, lastLo: lastLo, index: i, nic: nic})
	}
	for len(open) > 0 {
		pop()
	}
}

func less(aHi, aLo, bHi, bLo uint64) bool {
	return aHi < bHi || aHi == bHi && aLo < bLo
}
