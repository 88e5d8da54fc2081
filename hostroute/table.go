package hostroute

import (
	"cmp"
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
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
)

// A Route is a line of an instance's routing table. The zero Route is none.
type Route struct {
	Destination netip.Prefix `json:"destination"`
	NextHop     netip.Addr   `json:"next_hop"` // zero: directly connected or on-link
	NIC         string       `json:"nic"`
	Source      Source       `json:"source"`
	Subnet      string       `json:"subnet"` // ID of the subnet it comes from; "" if manual
}

// String returns the route as `ip route` prints it,
// "11.11.0.0/16 via 11.8.0.1 dev eth1".
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
		b = r.NextHop.AppendTo(b)
	}
	b = append(b, " dev "...)
	return append(b, r.NIC...)
}

// A Table is an instance's routing table, with the installed routes only. It is
// sorted as `ip route` lists it: IPv4 before IPv6, by address, at one address the
// longer prefix first; of equal destinations, the one in force stands first. (For
// IPv6, Linux lists in an order of its own.) A zero Table has no route.
type Table []Route

// String returns the table as `ip route` prints it, a line a route, each with
// its newline.
func (t Table) String() string {
	var b []byte
	for _, r := range t {
		b = append(r.append(b), '\n')
	}
	return string(b)
}

// Lookup returns the route that decides where dst leaves: the longest prefix,
// of equal ones the first. It is a plain scan of any table, sorted or not. An
// IPv4-mapped IPv6 address is unmapped; an invalid one, or one with a zone, has
// no route.
func (t Table) Lookup(dst netip.Addr) (Route, bool) {
	dst = dst.Unmap()
	best, length := -1, -1
	for i := range t {
		if p := t[i].Destination; p.Bits() > length && p.Contains(dst) {
			best, length = i, p.Bits()
		}
	}
	if best < 0 {
		return Route{}, false
	}
	return t[best], true
}

// An item is what gets a verdict: a host route on one NIC, or a manual route.
type item struct {
	route  HostRoute // as configured
	subnet *Subnet   // that carries it; nil for a manual route
	nic    int
	id     int  // of the host route, the same on every NIC that has its subnet
	try    int  // index of the attempt to install it; -1 if there is none
	merged bool // 0.0.0.0/0 through the gateway, which is offered anyway
	class  NextHopClass
	cause  Code // why it is not offered or refused
}

// A try is one attempt of the guest to install a route, or a connected route,
// which Linux appends without asking.
type try struct {
	dst      netip.Prefix // as it arrives, masked
	hop      netip.Addr   // 0.0.0.0: on-link
	subnet   *Subnet      // that offers it; nil if manual
	nic      int
	item     int // index of the item; -1: connected, sibling or default
	group    int // index in plan.groups
	source   Source
	hostBits bool // Linux sees bits outside the mask
}

// A group is the tries of one destination. Only one of them is in force.
type group struct {
	start, end int // in plan.order
	// nic is of one of the tries; several says that others are of other NICs.
	nic     int
	several bool
	// The same of those that are not manual; offered is -1 without any.
	offered        int
	offeredSeveral bool
}

// A guestNIC is a NIC as its guest configures it.
type guestNIC struct {
	*NIC
	subnet    *Subnet    // the IPv4 subnet that it is configured from; nil: none
	static    bool       // from the config drive
	bytes     int        // of the DHCP offer, as option 121
	broadcast netip.Addr // of its connected prefix; zero if that has none
	default4  bool       // it is offered a default
	default6  bool
	// onLinkItems says that host routes among the tries are on-link, so that
	// the order of the list decides what else is accepted.
	onLinkItems       bool
	placed            []placed
	manual, manualEnd int // its manual routes in plan.items
}

// A placed is a subnet on a NIC, and where its items stand.
type placed struct {
	*Subnet
	first, end int // in plan.items
	id         int // of the first item
}

// A plan is everything that the guest of an instance tries to install, in its
// order, and what of it gets a verdict. It does not depend on what is accepted.
type plan struct {
	in    *Instance // valid and unmapped
	keep  int       // index of the DefaultNIC; -1: none
	nics  []guestNIC
	items []item
	tries []try
	// order is the tries as the table lists them, but at one address the
	// shorter prefix first, so that a prefix stands before all that it contains.
	// Equal destinations stand in the order in which they are tried.
	order  []int32
	groups []group // in the same order
}

// newPlan lays out the two stages of an instance: first what is offered to each
// NIC, NIC by NIC, then what is programmed by hand.
func newPlan(in *Instance) *plan {
	n, hosts := len(in.NICs), 0
	for i := range in.NICs {
		hosts += len(in.NICs[i].Routes)
		for _, s := range in.NICs[i].Subnets {
			hosts += len(s.HostRoutes)
		}
		n += 1 + len(in.NICs[i].Siblings)
	}
	p := &plan{in: in, keep: -1, nics: make([]guestNIC, len(in.NICs)), items: make([]item, 0, hosts), tries: make([]try, 0, n+hosts)}
	for i := range in.NICs {
		p.nics[i].NIC = &in.NICs[i]
		if in.NICs[i].Name == in.DefaultNIC {
			p.keep = i
		}
		p.place(i)
		p.offer(i)
	}
	for i := range p.items {
		if it := &p.items[i]; it.subnet == nil && it.cause == "" {
			p.attempt(it.route.Destination, i, SourceManual)
		}
	}
	p.sort()
	return p
}

// place makes the items of a NIC, and decides which are offered.
func (p *plan) place(nic int) {
	g := &p.nics[nic]
	if g.subnet = g.leased(); p.in.ConfigDrive {
		if s := g.NIC.static(); s != nil {
			g.subnet, g.static = s, true
		}
	}
	if g.subnet != nil {
		g.broadcast = broadcast(g.subnet.CIDR)
	}
	if g.subnet != nil && !g.static {
		g.bytes = wireLen(any4)
		g.siblings(g.subnet, func(d netip.Prefix) { g.bytes += wireLen(d) })
		for _, r := range unique(g.subnet.HostRoutes) {
			if g.subnet.sends(r) {
				g.bytes += wireLen(r.Destination)
			}
		}
	}
	for _, s := range g.Subnets {
		if slices.ContainsFunc(g.placed, func(o placed) bool { return o.ID == s.ID }) {
			continue
		}
		at := placed{s, len(p.items), len(p.items), p.id(s, nic)}
		for i, r := range unique(s.HostRoutes) {
			it := item{route: r, subnet: s, nic: nic, id: at.id + i, try: -1}
			if it.cause = p.withheld(g, s, r); it.cause == "" {
				it.merged = !g.static && r.Destination == any4
			}
			p.items = append(p.items, it)
		}
		at.end = len(p.items)
		g.placed = append(g.placed, at)
	}
	g.manual = len(p.items)
	for _, r := range unique(g.Routes) {
		it := item{route: r, nic: nic, id: len(p.items), try: -1}
		if r.Destination.Addr().Is4() != r.NextHop.Is4() {
			it.cause = CodeNextHopUnusable
		}
		p.items = append(p.items, it)
	}
	g.manualEnd = len(p.items)
}

// id returns the id of the first item of s on a NIC: that of the NIC which has
// the subnet already, else the item's own index.
func (p *plan) id(s *Subnet, nic int) int {
	for i := range nic {
		for _, o := range p.nics[i].placed {
			if o.ID == s.ID {
				return o.id
			}
		}
	}
	return len(p.items)
}

// withheld returns why a host route does not reach the guest; "" if it does.
func (p *plan) withheld(g *guestNIC, s *Subnet, r HostRoute) Code {
	switch {
	case !s.oneFamily(r):
		return CodeNextHopUnusable
	case !s.is4():
		return CodeIPv6NotOffered
	case g.uses(s) && g.static:
		return ""
	case g.uses(s) && g.bytes > offerMax:
		return CodeOptionOverflow
	case g.uses(s) && r.Destination == any4 && r.NextHop != s.Gateway:
		return CodeDefaultDropped
	case g.uses(s):
		return ""
	case s.DHCPDisabled && !p.in.ConfigDrive:
		return CodeDHCPDisabled
	case !s.DHCPDisabled && !s.CIDR.Contains(s.Gateway):
		return CodeNoLease
	}
	return CodeSecondIPv4Subnet
}

// uses says whether the NIC is configured from s.
func (g *guestNIC) uses(s *Subnet) bool { return g.subnet != nil && g.subnet.ID == s.ID }

// offer makes the tries of a NIC that come with its configuration.
func (p *plan) offer(nic int) {
	g := &p.nics[nic]
	if s := g.subnet; s != nil {
		if !s.CIDR.IsSingleIP() {
			p.tries = append(p.tries, try{dst: s.CIDR, subnet: s, nic: nic, item: -1, source: SourceConnected})
		}
		if g.static && s.Gateway.Is4() {
			p.tries = append(p.tries, try{dst: any4, hop: s.Gateway, subnet: s, nic: nic, item: -1, source: SourceDefault})
		}
		if !g.static && g.bytes <= offerMax {
			g.siblings(s, func(d netip.Prefix) {
				p.tries = append(p.tries, try{dst: d, hop: zero4, subnet: s, nic: nic, item: -1, source: SourceSibling})
			})
		}
		for _, at := range g.placed {
			if !g.uses(at.Subnet) {
				continue
			}
			for i := at.first; i < at.end; i++ {
				if it := &p.items[i]; it.cause == "" && !it.merged {
					d := it.route.Destination
					if !g.static {
						d = onWire(d)
					}
					p.attempt(d, i, SourceHostRoute)
				}
			}
		}
		if !g.static {
			p.tries = append(p.tries, try{dst: any4, hop: s.Gateway, subnet: s, nic: nic, item: -1, source: SourceDefault})
		}
	}
	if s := g.advertised(); s != nil {
		p.tries = append(p.tries, try{dst: any6, hop: s.Gateway, subnet: s, nic: nic, item: -1, source: SourceDefault})
	}
	for i := len(p.tries) - 1; i >= 0 && p.tries[i].nic == nic; i-- {
		t := &p.tries[i]
		g.default4 = g.default4 || t.isDefault() && t.dst.Addr().Is4()
		g.default6 = g.default6 || t.isDefault() && !t.dst.Addr().Is4()
	}
}

// attempt makes the try of an item. IPv6 masks host bits silently.
func (p *plan) attempt(d netip.Prefix, i int, source Source) {
	it := &p.items[i]
	it.try = len(p.tries)
	if source == SourceHostRoute && it.route.NextHop == zero4 {
		p.nics[it.nic].onLinkItems = true
	}
	m := d.Masked()
	p.tries = append(p.tries, try{dst: m, hop: it.route.NextHop, subnet: it.subnet, nic: it.nic, item: i, source: source,
		hostBits: m != d && d.Addr().Is4()})
}

// sort fills order and groups.
func (p *plan) sort() {
	routes := make([]sweep.Route, len(p.tries))
	for i := range p.tries {
		routes[i] = sweep.Route{Prefix: p.tries[i].dst}
	}
	p.order = sweep.Order(make([]int32, 0, len(p.tries)), routes)
	p.groups = make([]group, 0, len(p.tries))
	for at, i := range p.order {
		t := &p.tries[i]
		if at == 0 || p.tries[p.order[at-1]].dst != t.dst {
			p.groups = append(p.groups, group{start: at, nic: t.nic, offered: -1})
		}
		t.group = len(p.groups) - 1
		g := &p.groups[t.group]
		g.end = at + 1
		g.several = g.several || t.nic != g.nic
		if t.source != SourceManual {
			if g.offered < 0 {
				g.offered = t.nic
			}
			g.offeredSeveral = g.offeredSeveral || t.nic != g.offered
		}
	}
}

// An answer is Linux's to a try.
type answer uint8

const (
	absent     answer = iota // it was not tried
	installed                // it is in the table; in force if it is the first of its group
	exists                   // its destination is in the table already
	badNextHop               // "Nexthop has invalid gateway"
	badMask                  // the destination has host bits
	dropped                  // a default that the guest was told not to keep
)

// A state is what came of trying some or all of a plan.
type state struct {
	plan    *plan
	keep    int // the NIC whose offered default is kept; -1: the first that comes
	answers []answer
	first   []int32 // of each group, the try in force; -1: none
	// onLink holds, for each NIC, the on-link routes that it has: the widest of
	// them, sorted. With the connected prefix they are its link-scope routes.
	onLink [][]netip.Prefix
}

// install tries what seq lists, in its order. Where classify is given, it is
// called for each try of an item, with whether a link-scope route of its
// NIC, installed so far, covers the next hop.
func (p *plan) install(seq iter.Seq[int], keep int, classify func(it *item, covered bool)) *state {
	s := &state{plan: p, keep: keep, answers: make([]answer, len(p.tries)), first: make([]int32, len(p.groups)), onLink: make([][]netip.Prefix, len(p.nics))}
	for i := range s.first {
		s.first[i] = -1
	}
	for i := range seq {
		t := &p.tries[i]
		covered := t.source != SourceConnected && s.covers(t.nic, t.hop)
		if classify != nil && t.item >= 0 {
			classify(&p.items[t.item], covered)
		}
		a := p.accepts(t, keep, covered)
		if a == installed {
			if s.first[t.group] < 0 {
				s.first[t.group] = int32(i)
			} else if t.source != SourceConnected {
				a = exists
			}
		}
		if a == installed && t.onLink() {
			s.onLink[t.nic] = widen(s.onLink[t.nic], t.dst)
		}
		s.answers[i] = a
	}
	return s
}

// all is the tries in their order.
func (p *plan) all() iter.Seq[int] { return p.except(-1) }

// except is all without those of one host route.
func (p *plan) except(id int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range p.tries {
			if t := &p.tries[i]; t.item >= 0 && p.items[t.item].id == id {
				continue
			}
			if !yield(i) {
				return
			}
		}
	}
}

// accepts gives Linux's answer, by its rules in their order, but for what is in
// the table already.
func (p *plan) accepts(t *try, keep int, covered bool) answer {
	g := &p.nics[t.nic]
	switch {
	case t.source == SourceConnected:
		return installed
	case keep >= 0 && keep != t.nic && t.isDefault():
		return dropped
	case t.hostBits:
		return badMask
	case !t.dst.Addr().Is4():
		if t.source == SourceManual && (!t.hop.IsLinkLocalUnicast() || slices.Contains(g.Addrs, t.hop)) {
			return badNextHop
		}
		return installed
	case t.hop == zero4:
		return installed
	case t.hop == g.broadcast:
		return badNextHop
	case covered, g.subnet != nil && g.subnet.CIDR.Contains(t.hop) && slices.Contains(g.Addrs, t.hop):
		return installed
	}
	return badNextHop
}

// covers says whether a link-scope route of a NIC contains a.
func (s *state) covers(nic int, a netip.Addr) bool {
	if n := s.plan.nics[nic].subnet; n != nil && !n.CIDR.IsSingleIP() && n.CIDR.Contains(a) {
		return true
	}
	list := s.onLink[nic]
	if len(list) == 0 {
		return false
	}
	i, found := slices.BinarySearchFunc(list, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return found || i > 0 && list[i-1].Contains(a)
}

// widen adds p to a list of disjoint prefixes, sorted by address.
func widen(list []netip.Prefix, p netip.Prefix) []netip.Prefix {
	i, found := slices.BinarySearchFunc(list, p.Addr(), func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	if found && list[i].Bits() <= p.Bits() || i > 0 && list[i-1].Overlaps(p) {
		return list
	}
	j := i
	for j < len(list) && p.Contains(list[j].Addr()) {
		j++
	}
	return slices.Replace(list, i, j, p)
}

func (t *try) onLink() bool { return t.source != SourceConnected && t.hop == zero4 }

// isDefault says whether the guest is offered t as a default.
func (t *try) isDefault() bool {
	return t.dst.Bits() == 0 && t.source != SourceManual && t.source != SourceConnected && !t.hostBits
}

// table returns the installed routes as a table.
func (s *state) table() Table {
	p := s.plan
	t := make(Table, 0, len(p.tries))
	for _, i := range p.order {
		if s.answers[i] == installed {
			t = append(t, p.route(&p.tries[i]))
		}
	}
	slices.SortStableFunc(t, func(a, b Route) int {
		return cmp.Or(a.Destination.Addr().Compare(b.Destination.Addr()), cmp.Compare(b.Destination.Bits(), a.Destination.Bits()))
	})
	return t
}

func (p *plan) route(t *try) Route {
	r := Route{Destination: t.dst, NIC: p.nics[t.nic].Name, Source: t.source}
	if t.hop != zero4 {
		r.NextHop = t.hop
	}
	if t.subnet != nil {
		r.Subnet = t.subnet.ID
	}
	return r
}

// broadcast returns the last address of an IPv4 prefix that has a broadcast
// address; else the zero Addr.
func broadcast(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 || !p.Addr().Is4() {
		return netip.Addr{}
	}
	a := p.Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])|^uint32(0)>>p.Bits())
	return netip.AddrFrom4(a)
}
