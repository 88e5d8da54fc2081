// Package canon brings addresses, prefixes and lists into the one form in which they are compared.
package canon

import "net/netip"

// Addr unmaps an IPv4-mapped address. Unlike [netip.Addr.Unmap] it keeps an address with a zone as it is, so that the
// zone can be reported.
func Addr(a netip.Addr) netip.Addr {
	if a.Is4In6() && a.Zone() == "" {
		return a.Unmap()
	}
	return a
}

// Prefix unmaps a prefix inside ::ffff:0:0/96. A shorter one is not an IPv4 network.
func Prefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

// Unique returns list without the later ones of equal values: list itself if there are none.
func Unique[T comparable](list []T) []T {
	const short = 24 // up to here, comparing each with each is faster than a map
	if len(list) <= short && !hasCopies(list) {
		return list
	}
	seen := make(map[T]bool, len(list))
	out := make([]T, 0, len(list))
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	if len(out) == len(list) {
		return list
	}
	return out
}

func hasCopies[T comparable](list []T) bool {
	for i := range list {
		for j := range i {
			if list[i] == list[j] {
				return true
			}
		}
	}
	return false
}
