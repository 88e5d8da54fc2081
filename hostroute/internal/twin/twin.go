// Package twin is the slow, obvious twin of package hostroute: the rules of
// offer, installation and effect in the plainest code that says them, for tests
// to compare the real one with. It takes hostroute's types and nothing else.
//
// Everything is a linear scan, and nothing is remembered: the effect of a
// route is found by deleting it, installing everything again, and asking both
// tables for every address at which an answer can change.
//
// An instance must be valid, and its IPv4-mapped addresses unmapped.
package twin

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"go4.org/netipx"
)

var (
	default4 = netip.MustParsePrefix("0.0.0.0/0")
	default6 = netip.MustParsePrefix("::/0")
	none4    = netip.MustParseAddr("0.0.0.0") // as next hop: on-link
	last4    = netipx.PrefixLastIP(default4)
	none6    = netip.MustParseAddr("::")
	last6    = netipx.PrefixLastIP(default6)
)

// Stage 1: what reaches the guest.

// Offer returns what DHCP hands to the NIC, as configured: siblings, host
// routes, and the default last. It is nil without a lease.
func Offer(n hostroute.NIC) []hostroute.HostRoute {
	s := leased(n)
	if s == nil {
		return nil
	}
	var offer []hostroute.HostRoute
	// Neutron inserts each sibling at the front: the last comes first.
	for _, sibling := range slices.Backward(n.Siblings) {
		if sibling != s.CIDR {
			offer = append(offer, hostroute.HostRoute{Destination: sibling, NextHop: none4})
		}
	}
	// A host route 0.0.0.0/0, spelled exactly so, is dropped in favour of the
	// gateway.
	for _, r := range Distinct(s.HostRoutes) {
		if oneFamily(r, s) && r.Destination != default4 {
			offer = append(offer, r)
		}
	}
	return append(offer, hostroute.HostRoute{Destination: default4, NextHop: s.Gateway})
}

// Subnets returns the NIC's subnets; one that stands twice counts once, at its
// first place.
func Subnets(n hostroute.NIC) []*hostroute.Subnet {
	var list []*hostroute.Subnet
	for _, s := range n.Subnets {
		if !slices.ContainsFunc(list, func(t *hostroute.Subnet) bool { return t.ID == s.ID }) {
			list = append(list, s)
		}
	}
	return list
}

// Distinct returns the routes without the later ones of equal copies, which
// are one route.
func Distinct(routes []hostroute.HostRoute) []hostroute.HostRoute {
	var list []hostroute.HostRoute
	for _, r := range routes {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}

// oneFamily reports whether destination, next hop and carrying subnet (nil: a
// manual route has none) are of one family.
func oneFamily(r hostroute.HostRoute, s *hostroute.Subnet) bool {
	is4 := r.Destination.Addr().Is4()
	return r.NextHop.Is4() == is4 && (s == nil || s.CIDR.Addr().Is4() == is4)
}

// leased returns the subnet of the NIC's one IPv4 lease: the last one with
// DHCP and a gateway inside its CIDR; nil if there is none.
func leased(n hostroute.NIC) *hostroute.Subnet {
	for _, s := range slices.Backward(Subnets(n)) {
		if s.CIDR.Addr().Is4() && !s.DHCPDisabled && s.CIDR.Contains(s.Gateway) {
			return s
		}
	}
	return nil
}

// Configured returns the IPv4 subnet that the guest configures on the NIC,
// nil if there is none, and whether it does so from the config drive. That
// configures the NIC's first IPv4 subnet, if it is without DHCP.
func Configured(in hostroute.Instance, n hostroute.NIC) (s *hostroute.Subnet, static bool) {
	if in.ConfigDrive {
		for _, s := range Subnets(n) {
			if s.CIDR.Addr().Is4() {
				if s.DHCPDisabled {
					return s, true
				}
				break
			}
		}
	}
	return leased(n), false
}

// wireLength returns the length in bytes of a list of routes as DHCP option
// 121 (RFC 3442): prefix length, the octets of the destination that matter,
// next hop.
func wireLength(offer []hostroute.HostRoute) int {
	n := 0
	for _, r := range offer {
		n += 1 + octets(r.Destination) + 4
	}
	return n
}

func octets(p netip.Prefix) int { return (p.Bits() + 7) / 8 }

// wire returns an IPv4 destination as it arrives: bits beyond its last octet
// that travels are gone.
func wire(p netip.Prefix) netip.Prefix {
	b := p.Addr().As4()
	clear(b[octets(p):])
	return netip.PrefixFrom(netip.AddrFrom4(b), p.Bits())
}

// overflows says for each NIC whether its DHCP offer is longer than dnsmasq
// sends.
func overflows(in hostroute.Instance) []bool { return longer(in, 255) }

// longer says for each NIC whether its DHCP offer has more bytes than some.
func longer(in hostroute.Instance, most int) []bool {
	var list []bool
	for _, n := range in.NICs {
		_, static := Configured(in, n)
		list = append(list, !static && wireLength(Offer(n)) > most)
	}
	return list
}

// Stage 2: what the guest installs.

// A step is one route that a guest tries to install, with Linux's answer.
type step struct {
	nic     int
	source  hostroute.Source
	subnet  string // "" if manual
	route   hostroute.HostRoute
	arrives netip.Prefix // the destination as the guest gets it

	outcome outcome
	covered bool            // the next hop lay inside a link-scope route of the NIC
	first   hostroute.Route // fileExists: the one that stood first
	row     int             // installed: its place in the table, in order of installation
}

type outcome int

const (
	installed outcome = iota
	hostBits
	badNextHop
	fileExists
	dropped // by DefaultNIC: never tried
)

// steps lists everything that reaches the guest, in the order in which it is
// tried: NIC by NIC the connected route, what is offered in IPv4, and the IPv6
// default; then the manual routes, NIC by NIC. Of an offer that overflows only
// the default arrives.
func steps(in hostroute.Instance, overflow []bool) []step {
	var list []step
	for i, n := range in.NICs {
		if s, static := Configured(in, n); s != nil {
			add := func(source hostroute.Source, r hostroute.HostRoute, arrives netip.Prefix) {
				list = append(list, step{nic: i, source: source, subnet: s.ID, route: r, arrives: arrives})
			}
			// An address with prefix length 32 brings no connected route.
			if s.CIDR.Bits() < 32 {
				add(hostroute.SourceConnected, hostroute.HostRoute{Destination: s.CIDR}, s.CIDR)
			}
			defaultRoute := hostroute.HostRoute{Destination: default4, NextHop: s.Gateway}
			if static {
				// The config drive has the default first, if there is one, and
				// the host routes verbatim.
				if s.Gateway.Is4() {
					add(hostroute.SourceDefault, defaultRoute, default4)
				}
				for _, r := range Distinct(s.HostRoutes) {
					if oneFamily(r, s) {
						add(hostroute.SourceHostRoute, r, r.Destination)
					}
				}
			} else {
				offer := Offer(n)
				routes := len(offer) - 1
				siblings := 0
				for _, p := range n.Siblings {
					if p != s.CIDR {
						siblings++
					}
				}
				if !overflow[i] {
					for _, r := range offer[:siblings] {
						add(hostroute.SourceSibling, r, wire(r.Destination))
					}
					for _, r := range offer[siblings:routes] {
						add(hostroute.SourceHostRoute, r, wire(r.Destination))
					}
				}
				add(hostroute.SourceDefault, defaultRoute, default4)
			}
		}
		// The router advertisement's default, shown with the gateway.
		for _, s := range Subnets(n) {
			if s.CIDR.Addr().Is6() && !s.DHCPDisabled && s.Gateway.Is6() {
				r := hostroute.HostRoute{Destination: default6, NextHop: s.Gateway}
				list = append(list, step{nic: i, source: hostroute.SourceDefault, subnet: s.ID, route: r, arrives: default6})
				break
			}
		}
	}
	for i, n := range in.NICs {
		for _, r := range Distinct(n.ManualRoutes) {
			arrives := r.Destination
			if arrives.Addr().Is6() {
				arrives = arrives.Masked() // silently
			}
			list = append(list, step{nic: i, source: hostroute.SourceManual, route: r, arrives: arrives})
		}
	}
	return list
}

// install tries everything that reaches the guest, and returns what came of
// each, and the table in order of installation.
func install(in hostroute.Instance, overflow []bool) ([]step, hostroute.Table) {
	list := steps(in, overflow)
	var table hostroute.Table
	for k := range list {
		t := &list[k]
		t.outcome = try(in, table, t)
		if t.outcome != installed {
			continue
		}
		row := hostroute.Route{Destination: t.arrives, NIC: in.NICs[t.nic].Name, Source: t.source, Subnet: t.subnet}
		if t.route.NextHop != none4 {
			row.NextHop = t.route.NextHop
		}
		t.row = len(table)
		table = append(table, row)
	}
	return list, table
}

// try answers one attempt by Linux's rules, in the order in which it checks
// them.
func try(in hostroute.Instance, table hostroute.Table, t *step) outcome {
	n := in.NICs[t.nic]
	hop := t.route.NextHop
	// A connected route is appended, whatever is there.
	if t.source == hostroute.SourceConnected {
		return installed
	}
	for _, row := range table {
		// Link scope: connected or on-link.
		if row.NIC == n.Name && row.NextHop == (netip.Addr{}) && row.Destination.Contains(hop) {
			t.covered = true
		}
	}
	isDefault := t.arrives == default4 || t.arrives == default6
	if isDefault && t.source != hostroute.SourceManual && in.DefaultNIC != "" && in.DefaultNIC != n.Name {
		return dropped
	}
	if t.arrives != t.arrives.Masked() {
		return hostBits
	}
	switch {
	case !oneFamily(t.route, nil):
		return badNextHop // manual: what is offered is of one family
	case t.arrives.Addr().Is6() && t.source == hostroute.SourceDefault:
		// The hypervisor's link-local address: accepted.
	case t.arrives.Addr().Is6():
		// By hand, only a neighbour's link-local address is accepted: the
		// prefix is announced off-link.
		if !hop.IsLinkLocalUnicast() || slices.Contains(n.Addrs, hop) {
			return badNextHop
		}
	default:
		s, _ := Configured(in, n)
		if s != nil && hop == broadcast(s.CIDR) {
			return badNextHop
		}
		own := s != nil && s.CIDR.Contains(hop) && slices.Contains(n.Addrs, hop)
		if !own && !t.covered && hop != none4 {
			return badNextHop
		}
	}
	for _, row := range table {
		if row.Destination == t.arrives {
			t.first = row
			return fileExists
		}
	}
	return installed
}

// broadcast returns the broadcast address of an IPv4 prefix, the zero Addr if
// it has none: one longer than 30 bits, or IPv6.
func broadcast(p netip.Prefix) netip.Addr {
	if p.Addr().Is6() || p.Bits() > 30 {
		return netip.Addr{}
	}
	return netipx.PrefixLastIP(p)
}

// Table returns what the guest installs, in the order of `ip route`: IPv4
// before IPv6, by address, the longer prefix first, and equal ones in order of
// precedence.
func Table(in hostroute.Instance) hostroute.Table {
	_, table := install(in, overflows(in))
	slices.SortStableFunc(table, func(a, b hostroute.Route) int {
		// Addr.Compare puts IPv4 before IPv6.
		if c := a.Destination.Addr().Compare(b.Destination.Addr()); c != 0 {
			return c
		}
		return b.Destination.Bits() - a.Destination.Bits()
	})
	return table
}

// Stage 3: where data leaves.

// Egress returns the NIC through which data to a leaves, "" if there is no
// route.
func Egress(t hostroute.Table, a netip.Addr) string {
	if i := lookup(t, a); i >= 0 {
		return t[i].NIC
	}
	return ""
}

// lookup returns the index of the row that claims a, -1 if none does: the
// longest prefix, of equal ones the earlier.
func lookup(t hostroute.Table, a netip.Addr) int {
	best := -1
	for i, row := range t {
		if row.Destination.Contains(a) && (best < 0 || row.Destination.Bits() > t[best].Destination.Bits()) {
			best = i
		}
	}
	return best
}

// Boundaries returns, in order and each once, the first and last address of
// every destination, the one before and the one after, and the first and last of
// either family. Between two of them nothing changes; and where something does,
// it does at one of them.
func Boundaries(tables ...hostroute.Table) []netip.Addr {
	list := []netip.Addr{none4, last4, none6, last6}
	for _, t := range tables {
		for _, row := range t {
			lo, hi := row.Destination.Addr(), netipx.PrefixLastIP(row.Destination)
			for _, a := range []netip.Addr{lo.Prev(), lo, hi, hi.Next()} {
				if a.IsValid() { // there is one before, or after
					list = append(list, a)
				}
			}
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}
