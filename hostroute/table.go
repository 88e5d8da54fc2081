package hostroute

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"go4.org/netipx"
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
// IPv6, Linux lists in an order of its own, and its default is by the router's link-local
// address, for which the subnet's gateway stands here.) A zero Table has no route.
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
	dst = unmapAddr(dst)
	best, length := -1, -1
	if dst.Is4() { // Contains, inlined
		d := word4(dst)
		for i := range t {
			if p := &t[i].Destination; p.Bits() > length && p.Addr().Is4() && (word4(p.Addr())^d)>>(32-p.Bits()) == 0 {
				best, length = i, p.Bits()
			}
		}
	} else {
		for i := range t {
			if p := t[i].Destination; p.Bits() > length && p.Contains(dst) {
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

// An item is what gets a verdict: a host route on one NIC, or a manual route.
type item struct {
	route  *HostRoute // as configured
	subnet *Subnet    // that carries it; nil for a manual route
	nic    int32
	id     int32 // of the host route, the same on every NIC that has its subnet
	try    int32 // the attempt to install it; -1 if there is none
	merged bool  // 0.0.0.0/0 through the gateway, which is offered anyway
	// hostBits says that the destination has bits outside its mask.
	hostBits bool
	class    NextHopClass
	cause    Code // why it is not offered or refused
}

// A try is one attempt of the guest to install a route, or a connected route,
// which Linux appends without asking. Its destination and NIC are in plan.routes.
type try struct {
	hop      netip.Addr // 0.0.0.0: on-link
	subnet   *Subnet    // that offers it; nil if manual
	item     int32      // -1: connected, sibling or default
	group    int32
	source   Source
	hostBits bool // Linux sees bits outside the mask
}

// A group is the tries of one destination. Only one of them is in force.
type group struct{ start, end int32 } // in plan.order

// A guestNIC is a NIC as its guest configures it.
type guestNIC struct {
	*NIC
	subnet    *Subnet    // the IPv4 subnet that it is configured from; nil: none
	broadcast netip.Addr // of its connected prefix; zero if that has none
	bytes     int32      // of the DHCP offer, as option 121
	static    bool       // configured from the config drive
	// onLinkItems says that host routes among the tries are on-link, so that
	// the order of the list decides what else is accepted.
	onLinkItems bool
	first, end  int32 // its subnets in plan.placed
	// Its manual routes in plan.items.
	manual, manualEnd int32
}

// A placed is a subnet on a NIC, and where its items stand.
type placed struct {
	*Subnet
	first, end int32 // in plan.items
}

// A kept has the NIC whose offered default the guest keeps, for each family; -1: that of
// the first NIC that is offered one.
type kept struct{ v4, v6 int32 }

func (k kept) drops(r *sweep.Route) bool {
	nic := k.v4
	if !r.Prefix.Addr().Is4() {
		nic = k.v6
	}
	return nic >= 0 && nic != r.NIC
}

// A plan is everything that the guest of an instance tries to install, in its
// order, and what of it gets a verdict. It does not depend on what is accepted.
type plan struct {
	in     *Instance // valid and unmapped
	keep   kept      // the DefaultNIC's
	lone   bool      // a subnet, with no instance known
	nics   []guestNIC
	placed []placed
	items  []item
	tries  []try
	routes []sweep.Route // of the tries: destination as it arrives, masked, and NIC
	order  []int32       // the tries in [sweep.Order]
	groups []group       // in the same order
}

// A room is space for a plan of the usual size and what comes of it. It is on the stack:
// no function below stores into a plan or a state what points into its room.
type room struct {
	nics   [4]guestNIC
	placed [4]placed
	items  [24]item
	tries  [32]try
	routes [32]sweep.Route
	order  [32]int32
	groups [32]group
	state  stateRoom
}

// newPlan lays out two stages of an instance: first what is offered to each NIC, NIC
// by NIC, then what is programmed by hand.
func newPlan(in *Instance, lone bool, r *room) plan {
	p := plan{in: in, keep: kept{-1, -1}, lone: lone, nics: r.nics[:0], placed: r.placed[:0], items: r.items[:0], tries: r.tries[:0], routes: r.routes[:0]}
	for i := range in.NICs {
		if in.DefaultNIC != "" && in.NICs[i].Name == in.DefaultNIC {
			p.keep = kept{int32(i), int32(i)}
		}
		p.nics = append(p.nics, guestNIC{NIC: &in.NICs[i]})
		p.placed, p.items = p.place(int32(i))
		p.tries, p.routes = p.offer(int32(i))
	}
	for i := range p.items {
		if it := &p.items[i]; it.subnet == nil && it.cause == "" {
			it.try = int32(len(p.tries))
			p.tries, p.routes = append(p.tries, try{}), append(p.routes, sweep.Route{})
			p.attempt(int32(i), SourceManual, &p.tries[it.try], &p.routes[it.try])
		}
	}
	p.order = sweep.Order(r.order[:0], p.routes)
	p.groups = p.group(r.groups[:0])
	return p
}

// place returns p.placed and p.items with those of a NIC, and decides which are offered.
func (p *plan) place(nic int32) ([]placed, []item) {
	g, all, items := &p.nics[nic], p.placed, p.items
	if g.subnet = g.leased(); p.in.ConfigDrive {
		if s := g.NIC.static(); s != nil {
			g.subnet, g.static = s, true
		}
	}
	if g.subnet != nil {
		g.broadcast = broadcast(g.subnet.CIDR)
	}
	g.first = int32(len(all))
	for i, s := range g.Subnets {
		if contains(g.Subnets[:i], s) {
			continue
		}
		first, routes := int32(len(items)), unique(s.HostRoutes)
		if g.uses(s) && !g.static {
			g.bytes = int32(g.offerLen(s, routes))
		}
		id, cause := p.id(s, first), p.withheld(g, s)
		for i := range routes {
			items = append(items, item{})
			it := &items[len(items)-1]
			it.route, it.subnet, it.nic, it.id, it.try, it.cause = &routes[i], s, nic, id+int32(i), -1, cause
			if it.hostBits = !isMasked(it.route.Destination); !it.oneFamily() {
				it.cause = CodeNextHopUnusable
			} else if cause == "" && !g.static && it.route.Destination == any4 {
				if it.merged = it.route.NextHop == s.Gateway; !it.merged {
					it.cause = CodeDefaultDropped
				}
			}
		}
		all = append(all, placed{s, first, int32(len(items))})
	}
	g.end, g.manual = int32(len(all)), int32(len(items))
	routes := unique(g.ManualRoutes)
	for i := range routes {
		items = append(items, item{})
		it := &items[len(items)-1]
		it.route, it.nic, it.id, it.try = &routes[i], nic, int32(len(items)-1), -1
		// Of an IPv6 route that is typed in, Linux masks the bits.
		it.hostBits = it.route.Destination.Addr().Is4() && !isMasked(it.route.Destination)
		if !it.oneFamily() {
			it.cause = CodeNextHopUnusable
		}
	}
	g.manualEnd = int32(len(items))
	return all, items
}

// id returns the id of the first item of s: that which it has on an earlier NIC, else
// its own index.
func (p *plan) id(s *Subnet, index int32) int32 {
	for i := range p.placed {
		if o := &p.placed[i]; o.ID == s.ID && o.first < o.end {
			return p.items[o.first].id
		}
	}
	return index
}

// withheld returns why no host route of s reaches the guest; "" if they do.
func (p *plan) withheld(g *guestNIC, s *Subnet) Code {
	switch {
	case !s.is4():
		return CodeIPv6NotOffered
	case g.uses(s) && g.bytes > offerMax:
		return CodeOptionOverflow
	case g.uses(s):
		return ""
	case s.DHCPDisabled && !p.in.ConfigDrive:
		return CodeDHCPDisabled
	case !s.DHCPDisabled && !s.hasGateway():
		return CodeNoLease
	}
	return CodeSecondIPv4Subnet
}

// uses says whether the NIC is configured from s.
func (g *guestNIC) uses(s *Subnet) bool { return g.subnet != nil && g.subnet.ID == s.ID }

// offer returns p.tries and p.routes with those that come with a NIC's configuration.
func (p *plan) offer(nic int32) ([]try, []sweep.Route) {
	g, tries, routes := &p.nics[nic], p.tries, p.routes
	// Filled in where they stand: to copy a struct right after it is written stalls.
	next := func() (*try, *sweep.Route) {
		tries, routes = append(tries, try{}), append(routes, sweep.Route{})
		return &tries[len(tries)-1], &routes[len(routes)-1]
	}
	add := func(source Source, s *Subnet, d netip.Prefix, hop netip.Addr) {
		t, r := next()
		t.source, t.subnet, t.hop, t.item = source, s, hop, -1
		r.Prefix, r.NIC = d, nic
	}
	if s := g.subnet; s != nil {
		if !s.CIDR.IsSingleIP() {
			add(SourceConnected, s, s.CIDR, netip.Addr{})
		}
		if g.static && s.Gateway.Is4() {
			add(SourceDefault, s, any4, s.Gateway)
		}
		for i := len(g.Siblings) - 1; i >= 0 && !g.static && g.bytes <= offerMax; i-- {
			if d := g.Siblings[i]; d != s.CIDR {
				add(SourceSibling, s, d, zero4)
			}
		}
		for _, at := range p.placed[g.first:g.end] {
			for i := at.first; i < at.end && at.Subnet == s; i++ {
				if it := &p.items[i]; it.cause == "" && !it.merged {
					it.try = int32(len(tries))
					t, r := next()
					p.attempt(i, SourceHostRoute, t, r)
				}
			}
		}
		if !g.static {
			add(SourceDefault, s, any4, s.Gateway)
		}
	}
	if s := g.advertised(); s != nil {
		add(SourceDefault, s, any6, s.Gateway)
	}
	return tries, routes
}

// attempt fills in the try of an item, with its destination as it arrives, masked.
func (p *plan) attempt(i int32, source Source, t *try, r *sweep.Route) {
	it := &p.items[i]
	t.source, t.subnet, t.hop, t.item = source, it.subnet, it.route.NextHop, i
	if source == SourceHostRoute && t.hop == zero4 {
		p.nics[it.nic].onLinkItems = true
	}
	r.Prefix, r.NIC = it.route.Destination, it.nic
	if it.hostBits && source == SourceHostRoute && !p.nics[it.nic].static {
		r.Prefix = onWire(r.Prefix)
	}
	if m := r.Prefix.Masked(); m != r.Prefix {
		r.Prefix, t.hostBits = m, it.hostBits
	}
}

// isDefault says whether the guest is offered t, to d, as a default.
func (t *try) isDefault(d netip.Prefix) bool {
	return d.Bits() == 0 && t.source != SourceManual && t.source != SourceConnected && !t.hostBits
}

// group returns p.groups, and gives each try its group.
func (p *plan) group(groups []group) []group {
	for at, i := range p.order {
		if at == 0 || p.routes[p.order[at-1]].Prefix != p.routes[i].Prefix {
			groups = append(groups, group{start: int32(at)})
		}
		last := len(groups) - 1
		p.tries[i].group, groups[last].end = int32(last), int32(at+1)
	}
	return groups
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

// A state is what came of trying a plan.
type state struct {
	keep    kept
	answers []answer
	first   []int32 // of each group, the try in force; -1: none
	// onLink holds the on-link routes of each NIC, the widest of them, sorted; nil
	// without any. With the connected prefix they are its link-scope routes.
	onLink [][]netip.Prefix
}

// A stateRoom is space for a state of the usual size, see room.
type stateRoom struct {
	answers [32]answer
	first   [32]int32
}

// install tries a plan, without the host route of an id (-1: with all), for a guest that keeps these
// of the offered defaults. In the decisive run, the items get their class and cause.
func (p *plan) install(r *stateRoom, keep kept, without int32, decisive bool) state {
	s := state{keep: keep, answers: r.answers[:0], first: r.first[:0]}
	s.answers = slices.Grow(s.answers, len(p.tries))[:len(p.tries)]
	clear(s.answers)
	for range p.groups {
		s.first = append(s.first, -1)
	}
	for i := range p.tries {
		if item := p.tries[i].item; item < 0 || p.items[item].id != without {
			p.try(&s, int32(i), decisive)
		}
	}
	return s
}

// try tries one route.
func (p *plan) try(s *state, i int32, decisive bool) {
	t, nic := &p.tries[i], p.routes[i].NIC
	covered := t.source != SourceConnected && p.covers(s, nic, t.hop)
	a := p.accepts(s, i, covered)
	if a == installed && s.first[t.group] < 0 {
		s.first[t.group] = i
	} else if a == installed && t.source != SourceConnected {
		a = exists
	}
	if a == installed && t.onLink() {
		if s.onLink == nil {
			s.onLink = make([][]netip.Prefix, len(p.nics))
		}
		s.onLink[nic] = widen(s.onLink[nic], p.routes[i].Prefix)
	}
	s.answers[i] = a
	if decisive && t.item >= 0 {
		it := &p.items[t.item]
		it.class = p.class(it, covered)
		it.cause = p.cause(s, it)
	}
}

// accepts gives Linux's answer, by its rules in their order, but for what is in
// the table already.
func (p *plan) accepts(s *state, i int32, covered bool) answer {
	t, r := &p.tries[i], &p.routes[i]
	g := &p.nics[r.NIC]
	switch {
	case t.source == SourceConnected:
		return installed
	case t.isDefault(r.Prefix) && s.keep.drops(r):
		return dropped
	case t.hostBits:
		return badMask
	case !r.Prefix.Addr().Is4():
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

func (t *try) onLink() bool { return t.source != SourceConnected && t.hop == zero4 }

// covers says whether a link-scope route of a NIC contains a.
func (p *plan) covers(s *state, nic int32, a netip.Addr) bool {
	if n := p.nics[nic].subnet; n != nil && !n.CIDR.IsSingleIP() && n.CIDR.Contains(a) {
		return true
	}
	if s.onLink == nil {
		return false
	}
	list := s.onLink[nic]
	i, found := slices.BinarySearchFunc(list, a, prefixAt)
	return found || i > 0 && list[i-1].Contains(a)
}

// widen adds p to a list of disjoint prefixes, sorted by address.
func widen(list []netip.Prefix, p netip.Prefix) []netip.Prefix {
	i, found := slices.BinarySearchFunc(list, p.Addr(), prefixAt)
	if found && list[i].Bits() <= p.Bits() || i > 0 && list[i-1].Overlaps(p) {
		return list
	}
	j := i
	for j < len(list) && p.Contains(list[j].Addr()) {
		j++
	}
	return slices.Replace(list, i, j, p)
}

func prefixAt(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) }

// table returns the installed routes as a table. The plan's order is the table's
// but that at one address it has the shorter prefix first.
func (p *plan) table(s *state) Table {
	t := make(Table, 0, len(p.tries))
	for at := 0; at < len(p.groups); {
		end := at + 1
		for end < len(p.groups) && p.prefix(end).Addr() == p.prefix(at).Addr() {
			end++
		}
		for g := end - 1; g >= at; g-- {
			for _, i := range p.tried(g) {
				if s.answers[i] == installed {
					t = append(t, Route{})
					p.row(&t[len(t)-1], i)
				}
			}
		}
		at = end
	}
	return t
}

// prefix returns the destination of a group, and tried its tries in their order.
func (p *plan) prefix(g int) netip.Prefix { return p.routes[p.order[p.groups[g].start]].Prefix }
func (p *plan) tried(g int) []int32       { return p.order[p.groups[g].start:p.groups[g].end] }

// row fills in the row of a try.
func (p *plan) row(out *Route, i int32) {
	t, r := &p.tries[i], &p.routes[i]
	out.Destination, out.NIC, out.Source = r.Prefix, p.nics[r.NIC].Name, t.source
	if t.hop != zero4 {
		out.NextHop = t.hop
	}
	if t.subnet != nil {
		out.Subnet = t.subnet.ID
	}
}

// broadcast returns the last address of an IPv4 prefix that has a broadcast
// address; else the zero Addr.
func broadcast(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 || !p.Addr().Is4() {
		return netip.Addr{}
	}
	return netipx.PrefixLastIP(p)
}
