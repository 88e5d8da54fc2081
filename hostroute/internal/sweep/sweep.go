// Package sweep decides, for every route of a table at once, whether the table
// would send any address out of another NIC without it: prefixes and NIC
// numbers in, a verdict a route out, in O(n log n).
//
// A route decides those addresses of its prefix that are in no longer prefix of the
// table, and of equal prefixes the first decides. Without it, these addresses go
// where the next equal prefix says, else where the longest shorter one says, which is
// the same for all of them: one that held some only would be a longer prefix.
package sweep

import (
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
	NIC    int32        // from 0, or None
}

// A Verdict says what one route decides.
type Verdict struct {
	// Without is where the addresses that the route decides would go without
	// it: a NIC number, or None. It is the route's own NIC where it decides none.
	Without int32
	// After is a route inside this one that ends right before the lowest address
	// that this one decides; this one itself if that is its first address. It is
	// None if it decides none, since longer or earlier ones claim every address of it.
	After int32
}

// Steers reports whether, without r, any address would leave by another NIC.
func (v Verdict) Steers(r Route) bool { return v.Without != r.NIC }

// Decides reports whether the route decides any address.
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
	var room [short]uint64
	k := pack(room[:0], routes, bits.Len(uint(len(routes))))
	for _, word := range k.words {
		dst = append(dst, int32(word&k.index))
	}
	return dst
}

// Effects returns a verdict for each route, appended to dst. Of routes of equal
// prefix, the earlier has precedence.
func Effects(dst []Verdict, routes []Route) []Verdict {
	return effects(dst, routes, bits.Len(uint(len(routes))))
}

func effects(dst []Verdict, routes []Route, indexBits int) []Verdict {
	base := len(dst)
	dst = slices.Grow(dst, len(routes))[:base+len(routes)]
	var room [short]uint64
	k := pack(room[:0], routes, indexBits)
	v4, v6 := k.words[:k.n4], k.words[k.n4:]
	if k.exact4 {
		sweep4(dst[base:], routes, v4, k.index)
	} else {
		sweepWide(dst[base:], routes, v4, k.index)
	}
	if len(v6) > 0 { // spares its stack
		sweepWide(dst[base:], routes, v6, k.index)
	}
	return dst
}

// lenShift is where the length stands in a word of IPv4, below 32 bits of address.
const lenShift = 32 - 6

// keys are routes in order, a word each, with the index of the route in the low bits, so
// that no two words are alike. Above it, an IPv4 word has the address and the
// length, if there is room for all of them (exact4: for fewer than 1<<26 routes);
// any other has some bits of the address or the length, see sortWide.
type keys struct {
	words  []uint64 // IPv4's first
	room   []uint64 // to sort them; nil until then
	n4     int
	index  uint64 // mask of the index
	exact4 bool
}

// pack returns the keys of routes; words may have room for them, and indexBits for an
// index of each.
func pack(words []uint64, routes []Route, indexBits int) keys {
	if cap(words) < len(routes) {
		words = make([]uint64, len(routes))
	}
	k := keys{words: words[:len(routes)], index: 1<<indexBits - 1, exact4: indexBits <= lenShift}
	at6 := len(routes)
	for i := range routes {
		if p := &routes[i].Prefix; p.Addr().Is4() {
			b := p.Addr().As4()
			k.words[k.n4] = (uint64(binary.BigEndian.Uint32(b[:]))<<32|uint64(p.Bits())<<lenShift)&^k.index | uint64(i)
			k.n4++
		} else {
			at6--
			k.words[at6] = uint64(i)
		}
	}
	if k.exact4 {
		k.sort(k.words[:k.n4])
	} else {
		k.sortWide(k.words[:k.n4], routes)
	}
	k.sortWide(k.words[k.n4:], routes)
	return k
}

// sortWide sorts words by the routes that they are the index of, whatever else is in
// them: by as many bits as fit of the addresses, from the first in which any two differ,
// and likewise each run that is alike in these; equal addresses by length.
func (k *keys) sortWide(words []uint64, routes []Route) {
	if len(words) < 2 {
		return
	}
	addr := func(word uint64) (hi, lo uint64) { return halves(routes[word&k.index].Prefix.Addr()) }
	firstHi, firstLo := addr(words[0])
	var differHi, differLo uint64
	for _, w := range words[1:] {
		hi, lo := addr(w)
		differHi |= hi ^ firstHi
		differLo |= lo ^ firstLo
	}
	if differHi|differLo == 0 {
		for at, w := range words {
			i := w & k.index
			words[at] = uint64(routes[i].Prefix.Bits())<<56 | i
		}
		k.sort(words)
		return
	}
	lead := uint(bits.LeadingZeros64(differHi))
	if lead == 64 {
		lead += uint(bits.LeadingZeros64(differLo))
	}
	for at, w := range words {
		hi, lo := addr(w)
		words[at] = (hi<<lead|lo<<(lead-64)|lo>>(64-lead))&^k.index | w&k.index
	}
	k.sort(words)
	for start, end := 0, 1; end <= len(words); end++ {
		if end == len(words) || (words[end]^words[start])&^k.index != 0 {
			if end-start > 1 {
				k.sortWide(words[start:end], routes)
			}
			start = end
		}
	}
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

// short is how many words are faster sorted by insertion than by radix.
const short = 64

func (k *keys) sort(words []uint64) {
	if len(words) <= short {
		insertion(words)
		return
	}
	if k.room == nil {
		k.room = make([]uint64, len(k.words))
	}
	radix(words, k.room)
}

func insertion(words []uint64) {
	for i, w := range words {
		for ; i > 0 && words[i-1] > w; i-- {
			words[i] = words[i-1]
		}
		words[i] = w
	}
}

// radix sorts words, no two of them alike, by eight bits, from the first in which any two
// differ, and then each group that is alike in these. It uses room, which is no shorter.
func radix(words, room []uint64) {
	differ := uint64(0)
	for _, w := range words {
		differ |= w ^ words[0]
	}
	shift := max(bits.Len64(differ), 8) - 8
	var at [256]uint32 // of each group: how many, then where the next goes, at last its end
	for _, w := range words {
		at[uint8(w>>shift)]++
	}
	sum := uint32(0)
	for i, n := range at {
		at[i] = sum
		sum += n
	}
	copy(room, words)
	for _, w := range room[:len(words)] {
		next := &at[uint8(w>>shift)]
		words[*next] = w
		*next++
	}
	start := uint32(0)
	for _, end := range at {
		if group := words[start:end]; len(group) > short {
			radix(group, room)
		} else {
			insertion(group)
		}
		start = end
	}
}

// sweep4 goes through IPv4's words in order.
func sweep4(out []Verdict, routes []Route, words []uint64, index uint64) {
	// open holds the prefixes that contain the one at hand, the longest on top. The
	// bottom one contains every address, and means that there is no route.
	type frame struct {
		// low is the lowest address of the prefix that none inside has claimed so far; if
		// there is none, it does not matter any more.
		low, last  uint32
		route, nic int32 // None at the bottom
	}
	var open [1 + 33]frame
	open[0] = frame{last: 1<<32 - 1, route: None, nic: None}
	top := 0
	before, again := ^uint64(0), false // the prefix of the word before, and whether it has stood twice
	for _, word := range words {
		i := int32(word & index)
		nic := routes[i].NIC
		prefix := word >> lenShift
		if prefix == before {
			if !again {
				out[open[top].route].Without, again = nic, true
			}
			out[i] = Verdict{nic, None}
			continue
		}
		before, again = prefix, false
		addr, n := uint32(word>>32), prefix&63
		last := addr | uint32(1<<(32-n)-1)
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
	var room [24]frame // of usual depth
	ones := ^uint64(0)
	open := append(room[:0], frame{lastHi: ones, lastLo: ones, route: None, nic: None})
	beforeHi, beforeLo, beforeBits, again := uint64(0), uint64(0), -1, false
	for _, word := range words {
		i := int32(word & index)
		p, nic := &routes[i].Prefix, routes[i].NIC
		hi, lo := halves(p.Addr())
		n := p.Bits()
		if p.Addr().Is4() {
			n += 96
		}
		f := &open[len(open)-1]
		if hi == beforeHi && lo == beforeLo && n == beforeBits {
			if !again {
				out[f.route].Without, again = nic, true
			}
			out[i] = Verdict{nic, None}
			continue
		}
		beforeHi, beforeLo, beforeBits, again = hi, lo, n, false
		lastHi, lastLo := hi|ones>>n, lo|ones>>(max(n, 64)-64)
		for f.lastHi < hi || f.lastHi == hi && f.lastLo < lo {
			open = open[:len(open)-1]
			f = &open[len(open)-1]
		}
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
			open = append(make([]frame, 0, 1+129), open...) // no deeper than that
		}
		open = open[:len(open)+1]
		f = &open[len(open)-1] // field by field is twice as fast as whole
		f.lowHi, f.lowLo, f.lastHi, f.lastLo, f.route, f.nic = hi, lo, lastHi, lastLo, i, nic
	}
}
