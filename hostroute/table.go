package hostroute

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// A Source says where a route of a table comes from.
type Source string

// The sources of a route.
const (
	SourceConnected Source = "connected"  // it came with the NIC's address
	SourceDefault   Source = "default"    // the subnet's gateway, offered as default
	SourceSibling   Source = "sibling"    // another subnet of the NIC's network
	SourceHostRoute Source = "host-route" // a host route of the subnet
	SourceManual    Source = "manual"     // programmed by hand in the guest
	SourceNextHop   Source = "next-hop"   // an on-link route to a next hop, which some guests add
)

// A Route is a line of an instance's routing table. The zero Route means that there is none.
type Route struct {
	Destination netip.Prefix `json:"destination"`
	NextHop     netip.Addr   `json:"next_hop"` // zero: directly connected or on-link
	NIC         string       `json:"nic"`      // "lo" is the guest's loopback device, to which dhcpcd sends data by the next hop 127.0.0.1
	Source      Source       `json:"source"`
	Subnet      string       `json:"subnet"` // ID of the subnet it comes from; "" if manual
	Metric      int          `json:"metric"` // of equal destinations, the lowest is in force; 0 is none
	// Open says that the guest configures its NICs at once, and that another NIC has a route with the
	// same destination and metric: the route of the NIC that has its lease first is in force.
	Open bool `json:"open"`
}

// String returns the route in the form of `ip route`, "11.11.0.0/16 via 11.8.0.1 dev eth1 metric 1024", with nothing else
// that `ip route` may print. A metric of 0 is left out.
func (r Route) String() string {
	s := string(r.Destination.AppendTo(nil)) // "" for the zero Prefix
	switch {
	case r.Destination.IsSingleIP():
		s = r.Destination.Addr().String()
	case r.Destination.Bits() == 0:
		s = "default"
	}
	if r.NextHop.IsValid() {
		s += " via " + addrText(r.NextHop)
	}
	s += " dev " + quoted(r.NIC)
	if r.Metric != 0 {
		s += " metric " + strconv.Itoa(r.Metric)
	}
	return s
}

// A Table is an instance's routing table. It holds the installed routes only, in the order of
// `ip route`: IPv4 before IPv6, by address, at one address the longer prefix first; of equal
// destinations the one in force comes first. Those that are Open may be in any order; the table has
// them in the order of the NICs. For IPv6, Linux lists routes in an order of its own,
// and its default is by the router's link-local address; here the subnet's gateway stands for
// that. A zero Table has no route.
type Table []Route

// String returns the table as `ip route` prints it, one route a line. Each line ends in a newline.
func (t Table) String() string {
	var b strings.Builder
	for _, r := range t {
		b.WriteString(r.String() + "\n")
	}
	return b.String()
}

// Lookup returns the route by which dst leaves: the one with the longest prefix, of equal ones the one with the
// lowest metric, of equal ones the first. If that is Open, dst may leave by the others, too. Lookup scans the whole table,
// sorted or not. It unmaps an IPv4-mapped IPv6 address. An invalid address, or one with a zone, has no route.
func (t Table) Lookup(dst netip.Addr) (Route, bool) {
	dst = canon.Addr(dst)
	is4 := dst.Is4()
	var word uint32
	if is4 {
		word = word4(dst)
	}
	best, length := -1, -1
	for i := range t {
		p := &t[i].Destination
		bits := p.Bits()
		if bits < max(length, 0) || bits == length && t[i].Metric >= t[best].Metric {
			continue // it has no prefix, or is not better
		}
		contains := is4 && p.Addr().Is4() && (word4(p.Addr())^word)>>(32-bits) == 0 // Contains, inlined
		if contains || !is4 && p.Contains(dst) {
			best, length = i, bits
		}
	}
	if best < 0 {
		return Route{}, false
	}
	return t[best], true
}

// word4 returns an IPv4 address as a number.
func word4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// tableOf returns what is installed. The destinations are sorted by address, and at one address the shorter comes first.
func tableOf(f *fib) Table {
	rows := 0
	for _, a := range f.answers {
		if a.result == installed {
			rows++
		}
	}
	t := make(Table, 0, rows)
	first := 0 // of the rows at the same address: a longer prefix goes before them
	for i := range f.destinations {
		d := &f.destinations[i]
		if i > 0 && d.prefix.Addr() != f.destinations[i-1].prefix.Addr() {
			first = len(t)
		}
		at := first
		for _, c := range d.rivals {
			if f.result(c) == installed {
				t = t[:len(t)+1]
				copy(t[at+1:], t[at:])
				fill(f, &t[at], c)
				at++
			}
		}
	}
	return t
}

// fill writes the line of the table for a candidate that is installed.
func fill(f *fib, r *Route, c *candidate) {
	*r = Route{Destination: c.dest.prefix, NIC: c.nic.Name, Source: c.source, Metric: int(c.metric), Open: inAnyOrder(f, c)}
	if !c.onLink {
		r.NextHop = c.NextHop
	}
	if c.loopback {
		r.NIC = loopbackDevice
	}
	if c.subnet != nil {
		r.Subnet = c.subnet.ID
	}
}
