package hostroute

import (
	"encoding/binary"
	"net/netip"
	"strconv"

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
	NIC         string       `json:"nic"`
	Source      Source       `json:"source"`
	Subnet      string       `json:"subnet"` // ID of the subnet it comes from; "" if manual
	Metric      int          `json:"metric"` // of equal destinations, the lowest is in force; 0 is none
	// Open says that the guest configures its NICs at once, and that another NIC has a route with the
	// same destination and metric: the one whose lease comes first goes before the other.
	Open bool `json:"open"`
}

// String returns the route in the form of `ip route`, "11.11.0.0/16 via 11.8.0.1 dev eth1 metric 1024", with nothing else
// that `ip route` may print. A metric of 0 is left out.
func (r Route) String() string { return string(r.append(nil)) }

func (r Route) append(b []byte) []byte {
	switch {
	case r.Destination.IsSingleIP():
		b = r.Destination.Addr().AppendTo(b)
	case r.Destination.Bits() == 0:
		b = append(b, "default"...)
	default:
		b = r.Destination.AppendTo(b)
	}
	if r.NextHop.IsValid() {
		b = append(b, " via "...)
		b = append(b, addrText(r.NextHop)...)
	}
	b = append(b, " dev "...)
	b = append(b, quoted(r.NIC)...)
	if r.Metric != 0 {
		b = append(b, " metric "...)
		b = strconv.AppendInt(b, int64(r.Metric), 10)
	}
	return b
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
	var b []byte
	for _, r := range t {
		b = append(r.append(b), '\n')
	}
	return string(b)
}

// Lookup returns the route by which dst leaves: the one with the longest prefix, of equal ones the one with the
// lowest metric, of equal ones the first. If that is Open, dst may leave by the others, too. Lookup scans the whole table,
// sorted or not. It unmaps an IPv4-mapped IPv6 address. An invalid address, or one with a zone, has no route.
func (t Table) Lookup(dst netip.Addr) (Route, bool) {
	dst = canon.Addr(dst)
	best, length := -1, -1
	better := func(i int) bool {
		bits := t[i].Destination.Bits()
		return bits > length || bits == length && bits >= 0 && t[i].Metric < t[best].Metric
	}
	if dst.Is4() { // Contains, inlined
		d := word4(dst)
		for i := range t {
			if p := &t[i].Destination; p.Bits() >= length && p.Addr().Is4() && (word4(p.Addr())^d)>>(32-p.Bits()) == 0 && better(i) {
				best, length = i, p.Bits()
			}
		}
	} else {
		for i := range t {
			if p := t[i].Destination; p.Bits() >= length && p.Contains(dst) && better(i) {
				best, length = i, p.Bits()
			}
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

// table returns what is installed. Of destinations at one address, the shorter comes first, unlike in a table.
func (f *fib) table() Table {
	n := 0
	for _, a := range f.answers {
		if a.result == installed {
			n++
		}
	}
	t := make(Table, n)
	at := 0
	for start := 0; start < len(f.destinations); {
		end := start + 1
		for end < len(f.destinations) && f.destinations[end].prefix.Addr() == f.destinations[start].prefix.Addr() {
			end++
		}
		for i := end - 1; i >= start; i-- {
			for _, c := range f.destinations[i].rivals {
				if f.result(c) == installed {
					c.fill(&t[at])
					t[at].Open = f.inAnyOrder(c)
					at++
				}
			}
		}
		start = end
	}
	return t
}

// fill writes a candidate's line of the table.
func (c *candidate) fill(r *Route) {
	r.Destination, r.NIC, r.Source, r.Metric = c.dest.prefix, c.nic.Name, c.source, int(c.metric)
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
