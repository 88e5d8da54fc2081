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
	n4 := count4(routes)
	if n4 < 1<<indexBits {
		for _, key := range keys4(routes, n4) {
			dst = append(dst, int32(key&indexMask))
		}
	} else {
		for _, key := range keys6(routes, n4, true) {
			dst = append(dst, key.index)
		}
	}
	if n4 < len(routes) {
		for _, key := range keys6(routes, len(routes)-n4, false) {
			dst = append(dst, key.index)
		}
	}
	return dst
}

// Effects returns a verdict for each route, appended to dst. Of routes of equal
// prefix, the earlier has precedence. Routes in [Order] take O(n).
func Effects(dst []Verdict, routes []Route) []Verdict {
	base := len(dst)
	dst = slices.Grow(dst, len(routes))[:base+len(routes)]
	out := dst[base:]
	n4 := count4(routes)
	switch {
	case n4 >= 1<<indexBits:
		effects6(out, routes, n4, true)
	case n4 > 0:
		effects4(out, routes, n4)
	}
	if n4 < len(routes) {
		effects6(out, routes, len(routes)-n4, false)
	}
	return dst
}

func count4(routes []Route) int {
	n := 0
	for i := range routes {
		if routes[i].Prefix.Addr().Is4() {
			n++
		}
	}
	return n
}

const (
	indexBits = 64 - 32 - 6 // what a packed IPv4 key leaves for the index
	indexMask = 1<<indexBits - 1
)

// keys4 packs address, length and index of each IPv4 route into one word, from
// the top in this order. Hence sorting the words sorts the routes as [Order] says.
func keys4(routes []Route, n int) []uint64 {
	keys := make([]uint64, 0, n)
	for i := range routes {
		if a := routes[i].Prefix.Addr(); a.Is4() {
			b := a.As4()
			keys = append(keys, uint64(binary.BigEndian.Uint32(b[:]))<<32|uint64(routes[i].Prefix.Bits())<<indexBits|uint64(i))
		}
	}
	slices.Sort(keys)
	return keys
}

// A key6 is keys4's word for 128 bits of address, and for IPv4 prefixes where
// there are too many for the word.
type key6 struct {
	hi, lo uint64
	bits   int32
	index  int32
}

func (k key6) compare(o key6) int {
	if k.hi != o.hi {
		return cmp.Compare(k.hi, o.hi)
	}
	if k.lo != o.lo {
		return cmp.Compare(k.lo, o.lo)
	}
	if k.bits != o.bits {
		return cmp.Compare(k.bits, o.bits)
	}
	return cmp.Compare(k.index, o.index)
}

func keys6(routes []Route, n int, is4 bool) []key6 {
	keys := make([]key6, 0, n)
	for i := range routes {
		a := routes[i].Prefix.Addr()
		if a.Is4() != is4 {
			continue
		}
		b := a.As16()
		k := key6{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), int32(routes[i].Prefix.Bits()), int32(i)}
		if is4 {
			k.bits += 96
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, key6.compare)
	return keys
}

// effects4 sweeps the IPv4 routes in order.
func effects4(out []Verdict, routes []Route, n int) {
	// open holds the prefixes that contain the one at hand, the longest on top.
	type frame struct {
		low   uint64 // the lowest address that no prefix inside has claimed so far
		end   uint64 // the first address after the prefix
		index int
		nic   int32
		free  bool // low is not claimed by any: it is settled
	}
	var open [33]frame
	top := -1
	pop := func() {
		f := &open[top]
		top--
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
	for _, key := range keys4(routes, n) {
		i := int(key & indexMask)
		nic := routes[i].NIC
		if key>>indexBits == last {
			if equals++; equals == 1 {
				out[open[top].index].Without = nic
			}
			out[i] = Verdict{Without: nic}
			continue
		}
		last, equals = key>>indexBits, 0
		addr := key >> 32
		end := addr + 1<<(32-key>>indexBits&63)
		for top >= 0 && open[top].end <= addr {
			pop()
		}
		out[i] = Verdict{Without: None}
		if top >= 0 {
			f := &open[top]
			out[i].Without = f.nic
			if f.low < addr {
				f.free = true
			} else if !f.free {
				f.low = end
			}
		}
		top++
		open[top] = frame{addr, end, i, nic, false}
	}
	for top >= 0 {
		pop()
	}
}

// effects6 is effects4 for wide addresses, those of the one family or the other.
func effects6(out []Verdict, routes []Route, n int, is4 bool) {
	keys := keys6(routes, n, is4)
	type frame struct {
		lowHi, lowLo   uint64 // the lowest address that no prefix inside has claimed so far
		lastHi, lastLo uint64 // the last address of the prefix
		index          int32
		nic            int32
		free           bool // low is not claimed by any: it is settled
		full           bool // low would be the address after the last of all
	}
	var open [129]frame
	top := -1
	pop := func() {
		f := &open[top]
		top--
		if f.free || !f.full && !less(f.lastHi, f.lastLo, f.lowHi, f.lowLo) {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:8], f.lowHi)
			binary.BigEndian.PutUint64(b[8:], f.lowLo)
			out[f.index].Lowest = netip.AddrFrom16(b)
			if is4 {
				out[f.index].Lowest = out[f.index].Lowest.Unmap()
			}
		} else {
			out[f.index] = Verdict{Without: f.nic}
		}
	}
	equals := 0
	for j, k := range keys {
		nic := routes[k.index].NIC
		if j > 0 && keys[j-1].hi == k.hi && keys[j-1].lo == k.lo && keys[j-1].bits == k.bits {
			if equals++; equals == 1 {
				out[open[top].index].Without = nic
			}
			out[k.index] = Verdict{Without: nic}
			continue
		}
		equals = 0
		maskHi, maskLo := ^uint64(0)>>min(k.bits, 64), ^uint64(0)>>max(k.bits-64, 0)
		lastHi, lastLo := k.hi|maskHi, k.lo|maskLo
		for top >= 0 && less(open[top].lastHi, open[top].lastLo, k.hi, k.lo) {
			pop()
		}
		out[k.index] = Verdict{Without: None}
		if top >= 0 {
			f := &open[top]
			out[k.index].Without = f.nic
			if less(f.lowHi, f.lowLo, k.hi, k.lo) {
				f.free = true
			} else if !f.free {
				f.lowHi, f.lowLo = lastHi, lastLo+1
				if f.lowLo == 0 {
					f.lowHi++
					f.full = f.lowHi == 0
				}
			}
		}
		top++
		open[top] = frame{lowHi: k.hi, lowLo: k.lo, lastHi: lastHi, lastLo: lastLo, index: k.index, nic: nic}
	}
	for top >= 0 {
		pop()
	}
}

func less(aHi, aLo, bHi, bLo uint64) bool {
	return aHi < bHi || aHi == bHi && aLo < bLo
}
