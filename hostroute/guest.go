package hostroute

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"

	"example.com/go-hostroute/hostroute/internal/sweep"
	"go4.org/netipx"
)

// Between the stages: every route that the guest may come to install, and those that it tries to,
// in its order.

// A guest is an instance as its operating system sees it, before Linux answers.
type guest struct {
	Instance
	client *client
	keeps  defaults // that it is told to keep; some clients try other routes then, or in another order
	nics   []nic
	// candidates are in the order of NICs. Those with a verdict are, on each NIC, in the order
	// of its subnets, their host routes, then its manual routes.
	candidates   []candidate
	attempts     []*candidate  // those that the guest may try to install, in its order
	destinations []destination // of the attempts, in the order of [sweep.Order]
	prefixes     []sweep.Route // of the destinations; NIC is not set

	// Nil without on-link routes:
	around []*destination // for each attempt, the longest destination that contains its next hop
	onLink [][]*candidate // for each destination, its on-link rivals

	// Nil where the client adds no routes to next hops:
	users map[*candidate]*candidate // for each such route, the one that needs it
	hops  map[*candidate]*candidate // the reverse
}

// A nic is a NIC as the guest configures it.
type nic struct {
	*NIC
	offer
	number              int32
	metric              int16       // of what is offered to it
	broadcast           netip.Addr  // of its connected prefix; zero: there is none
	candidates          []candidate // of the guest's
	siblings            []candidate // of these
	connected, default4 HostRoute
}

// A candidate is a route that the guest may come to install.
type candidate struct {
	*HostRoute // as configured; connected: no next hop
	nic        *nic
	subnet     *Subnet // that it comes from; nil: programmed by hand
	source     Source
	tried      bool // the guest tries to install it; then the rest is set

	onLink   bool // it is installed without a next hop; not set for connected ones
	toHost   bool // on-link, and for Linux another route than the same on-link one
	badMask  bool // Linux sees host bits in its destination
	loopback bool // it leads to the device lo
	metric   int16
	number   int32        // its place among the attempts
	place    int32        // its place among the rivals
	dest     *destination // what Linux sees, masked
}

// A destination is one that the guest tries to install. At most one of its rivals is in force.
type destination struct {
	prefix  netip.Prefix
	rivals  []*candidate // by metric, then in the guest's order: the first that is installed is in force
	parent  *destination // the longest one around it; nil: none
	number  int32        // its place among the destinations
	carries bool         // a next hop lies in it, which an on-link route to it may make acceptable
	relied  bool         // the same, but no longer destination contains the next hop, and the client adds no route to it
	several bool         // rivals are on several NICs
}

// newGuest returns the guest of an instance with a client that is told to keep some defaults.
func newGuest(in Instance, c *client, keeps defaults) *guest {
	g := &guest{Instance: in, client: c, keeps: keeps, nics: make([]nic, len(in.NICs))}
	n := 0 // the most candidates that there can be
	for i := range in.NICs {
		g.nics[i] = nic{NIC: &in.NICs[i], number: int32(i)}
		n += 3 + len(in.NICs[i].Siblings) + len(in.NICs[i].ManualRoutes)
		for _, s := range in.NICs[i].Subnets {
			n += len(s.HostRoutes)
		}
	}
	g.candidates = make([]candidate, 0, n) // pointers into it stay valid
	for i := range g.nics {
		n := &g.nics[i]
		first := len(g.candidates)
		g.configure(n)
		n.candidates = g.candidates[first:]
	}
	g.plan()
	return g
}

// configure appends the candidates of a NIC.
func (g *guest) configure(n *nic) {
	n.offer = newOffer(n.NIC, g.ConfigDrive)
	add := func(source Source, s *Subnet, r *HostRoute) *candidate {
		g.candidates = g.candidates[:len(g.candidates)+1]
		c := &g.candidates[len(g.candidates)-1]
		c.HostRoute, c.source, c.nic, c.subnet, c.tried = r, source, n, s, true
		return c
	}
	if s := n.ipv4; s != nil {
		n.broadcast = broadcast(s.CIDR)
		n.connected, n.default4 = HostRoute{Destination: s.CIDR}, HostRoute{any4, s.Gateway}
		if !s.CIDR.IsSingleIP() { // a single address brings no connected route
			add(SourceConnected, s, &n.connected)
		}
		if n.static && s.Gateway.Is4() {
			add(SourceDefault, s, &n.default4)
		}
		first := len(g.candidates)
		for i := range n.offeredSiblings {
			add(SourceSibling, s, &n.offeredSiblings[i]).tried = !g.client.ignoresRoutes
		}
		n.siblings = g.candidates[first:]
	}
	for _, s := range n.Subnets {
		arrives := n.withheld(s, g.ConfigDrive) == "" && (n.static || !g.client.ignoresRoutes)
		for i := range s.HostRoutes {
			c := add(SourceHostRoute, s, &s.HostRoutes[i])
			c.tried = arrives && c.oneFamily() && (n.static || c.Destination != any4)
		}
	}
	if n.ipv4 != nil && !n.static {
		add(SourceDefault, n.ipv4, &n.default4)
	}
	if n.ipv6 != nil {
		add(SourceDefault, n.ipv6, &HostRoute{any6, n.ipv6.Gateway})
	}
	for i := range n.ManualRoutes {
		c := add(SourceManual, nil, &n.ManualRoutes[i])
		c.tried = c.oneFamily()
	}
}

// plan fills in the attempts: what is offered in IPv4, then in IPv6, then manual routes.
func (g *guest) plan() {
	g.attempts = make([]*candidate, 0, len(g.candidates))
	for _, n := range g.client.order(g.nics, g.keeps) {
		g.attempts = g.appendOffered4(g.attempts, n)
	}
	for _, byHand := range []bool{false, true} {
		for i := range g.candidates {
			c := &g.candidates[i]
			if c.tried && (c.source == SourceManual) == byHand && (byHand || !c.Destination.Addr().Is4()) {
				c.onLink = c.NextHop == zero4
				g.attempts = append(g.attempts, c)
			}
		}
	}
	g.group()
	if slices.ContainsFunc(g.attempts, func(c *candidate) bool { return c.onLink }) {
		g.relate()
	}
}

// appendOffered4 appends the attempts at what is offered to a NIC in IPv4.
func (g *guest) appendOffered4(list []*candidate, n *nic) []*candidate {
	start, defaults := len(list), int16(0)
	for i := range n.candidates {
		c := &n.candidates[i]
		if !c.tried || c.source == SourceManual || !c.Destination.Addr().Is4() {
			continue
		}
		g.client.settle(c)
		isDefault := c.Destination.Bits() == 0 && c.byDHCP() && c.source != SourceConnected && g.client.seen(c) == any4
		if g.client.countsUp && isDefault {
			c.metric += defaults
			defaults++
		}
		if g.client.mayAddHop(c, isDefault && g.keeps.unwanted(n)) {
			list = append(list, g.addHop(c))
		}
		list = append(list, c)
	}
	if g.client.onLinkFirst && !n.static {
		slices.SortStableFunc(list[start:], func(a, b *candidate) int { return b.linkScope() - a.linkScope() })
	}
	return list
}

// addHop makes the route to a candidate's next hop.
func (g *guest) addHop(c *candidate) *candidate {
	to := &HostRoute{netip.PrefixFrom(c.NextHop, 32), zero4}
	hop := &candidate{HostRoute: to, nic: c.nic, subnet: c.subnet, source: SourceNextHop, tried: true, onLink: true, metric: c.metric}
	if g.users == nil {
		g.users, g.hops = make(map[*candidate]*candidate), make(map[*candidate]*candidate)
	}
	g.users[hop], g.hops[c] = c, hop
	return hop
}

// attempted returns the attempts that are made if a candidate is deleted; nil: none is deleted.
func (g *guest) attempted(gone *candidate) []*candidate {
	if gone == nil && g.users == nil {
		return g.attempts
	}
	list := make([]*candidate, 0, len(g.attempts))
	for _, c := range g.attempts {
		if user := g.users[c]; !g.goes(c, gone) && (user == nil || g.needsHop(user, gone, list)) {
			list = append(list, c)
		}
	}
	return list
}

// goes reports whether deleting a candidate deletes c, or the one that needs c as a route to its next hop. Nil: none is deleted.
func (g *guest) goes(c, gone *candidate) bool {
	if gone == nil {
		return false
	}
	if c.source == SourceNextHop {
		c = g.users[c]
	}
	return c.sameRoute(gone)
}

// copies returns what the same host route becomes on other NICs, if the client makes another destination of it there, or reaches it
// in another way.
func (g *guest) copies(c *candidate) []*candidate {
	if g.client.metric == 0 || !c.byDHCP() {
		return nil
	}
	var out []*candidate
	for i := range g.nics {
		n := &g.nics[i]
		if n == c.nic || n.ipv4 != c.subnet {
			continue
		}
		for k := range n.candidates {
			o := &n.candidates[k]
			if o.tried && o.sameRoute(c) && (o.dest != c.dest || o.onLink != c.onLink || (g.hops[o] == nil) != (g.hops[c] == nil)) {
				out = append(out, o)
			}
		}
	}
	return out
}

// needsHop reports whether a candidate's next hop needs a route of its own, as the client sees it after the attempts before.
func (g *guest) needsHop(c, gone *candidate, before []*candidate) bool {
	switch g.client.toHops {
	case toUncovered:
		for i := range c.nic.candidates {
			o := &c.nic.candidates[i]
			covers := o.tried && o.onLink && o.byDHCP() && o.dest.prefix.Contains(c.NextHop) && !(o.isDefault() && g.keeps.unwanted(o.nic))
			if covers && !g.goes(o, gone) {
				return false
			}
		}
		return true
	case toRouters:
		return !slices.ContainsFunc(before, func(o *candidate) bool {
			p := o.dest.prefix // dhcpcd compares three octets at most
			return netip.PrefixFrom(p.Addr(), min(p.Bits(), 24)).Masked().Contains(c.NextHop)
		})
	}
	return true
}

// group gives each attempt its destination.
func (g *guest) group() {
	attempts := g.attempts
	if g.client.metric > 0 {
		attempts = slices.Clone(attempts)
		slices.SortStableFunc(attempts, func(a, b *candidate) int { return cmp.Compare(a.metric, b.metric) })
	}
	for i, c := range g.attempts {
		c.number = int32(i)
	}
	routes := make([]sweep.Route, len(attempts))
	for i, c := range attempts {
		seen := g.client.seen(c)
		routes[i].Prefix = seen.Masked()
		c.badMask = routes[i].Prefix != seen
	}
	order := sweep.Order(make([]int32, 0, len(routes)), routes)
	begins := func(at int) bool { return at == 0 || routes[order[at]].Prefix != routes[order[at-1]].Prefix }
	n := 0
	for at := range order {
		if begins(at) {
			n++
		}
	}
	g.destinations = make([]destination, 0, n) // pointers into it stay valid
	sorted := make([]*candidate, len(order))
	first := 0
	var around *destination
	for at, i := range order {
		c := attempts[i]
		if begins(at) {
			first = at
			g.destinations = g.destinations[:len(g.destinations)+1]
			d := &g.destinations[len(g.destinations)-1]
			d.prefix, d.number = routes[i].Prefix, int32(len(g.destinations)-1)
			for around != nil && !around.prefix.Contains(d.prefix.Addr()) {
				around = around.parent
			}
			d.parent, around = around, d
		}
		d := around
		sorted[at] = c
		c.dest, c.place, d.rivals = d, int32(at-first), sorted[first:at+1]
		d.several = d.several || c.nic != d.rivals[0].nic
	}
	g.prefixes = routes[:n] // the attempts no longer need the room
	for i := range g.destinations {
		g.prefixes[i].Prefix = g.destinations[i].prefix
	}
}

// relate finds the on-link routes, and the destinations around next hops outside the NIC's own prefix.
func (g *guest) relate() {
	g.onLink = make([][]*candidate, len(g.destinations))
	g.around = make([]*destination, len(g.attempts))
	for i, c := range g.attempts {
		if c.onLink {
			g.onLink[c.dest.number] = append(g.onLink[c.dest.number], c)
		}
		if c.source == SourceConnected || c.onLink || c.nic.connects(c.NextHop) {
			continue
		}
		g.around[i] = g.longest(c.NextHop)
		if g.around[i] != nil && g.hops[c] == nil {
			g.around[i].relied = true
		}
		for d := g.around[i]; d != nil && !d.carries; d = d.parent {
			d.carries = true
		}
	}
}

// longest returns the longest destination that contains an address; nil if none does.
func (g *guest) longest(a netip.Addr) *destination {
	after := sort.Search(len(g.destinations), func(i int) bool { return a.Less(g.destinations[i].prefix.Addr()) })
	if after == 0 {
		return nil
	}
	d := &g.destinations[after-1]
	for d != nil && !d.prefix.Contains(a) {
		d = d.parent
	}
	return d
}

// arrives returns the destination as the guest gets it.
func (c *candidate) arrives() netip.Prefix {
	if c.byDHCP() {
		return onWire(c.Destination)
	}
	return c.Destination
}

// owns reports whether an IPv4 address is the NIC's.
func (n *nic) owns(a netip.Addr) bool {
	return n.ipv4 != nil && n.ipv4.CIDR.Contains(a) && slices.Contains(n.Addrs, a)
}

// by121 reports whether option 121 brings anything but the default. Without that, the default comes by option 3.
func (n *nic) by121() bool {
	return slices.ContainsFunc(n.candidates, func(c candidate) bool { return c.tried && (c.source == SourceSibling || c.source == SourceHostRoute) })
}

func (n *nic) connects(a netip.Addr) bool {
	return n.ipv4 != nil && !n.ipv4.CIDR.IsSingleIP() && n.ipv4.CIDR.Contains(a)
}

func (c *candidate) hasVerdict() bool { return c.source == SourceHostRoute || c.source == SourceManual }

// linkScope is 1 for connected and on-link routes.
func (c *candidate) linkScope() int {
	if c.onLink || c.source == SourceConnected {
		return 1
	}
	return 0
}

func (c *candidate) byDHCP() bool { return c.subnet != nil && !c.nic.static }

// withheld returns why the guest never tries a host route or manual route; "" if it does, or if it is the
// default that DHCP offers in any case.
func (g *guest) withheld(c *candidate) Code {
	switch {
	case c.tried:
		return ""
	case !c.oneFamily():
		return CodeNextHopUnusable
	}
	code := c.nic.withheld(c.subnet, g.ConfigDrive)
	switch {
	case code != "":
		return code
	case c.Destination == any4 && c.NextHop != c.subnet.Gateway:
		return CodeDefaultDropped
	case c.Destination == any4:
		return ""
	}
	return CodeRoutesIgnored
}

// isDefault reports whether the guest takes an attempt for an offered default route.
func (c *candidate) isDefault() bool {
	return c.dest.prefix.Bits() == 0 && c.source != SourceConnected && c.source != SourceManual && !c.badMask
}

// hasHostBits reports whether host bits matter: Linux masks an IPv6 destination that is typed in.
func (c *candidate) hasHostBits() bool {
	return c.Destination != c.Destination.Masked() && (c.subnet != nil || c.Destination.Addr().Is4())
}

func (c *candidate) oneFamily() bool {
	if c.subnet != nil {
		return c.subnet.oneFamily(c.HostRoute)
	}
	return c.Destination.Addr().Is4() == c.NextHop.Is4()
}

// sameRoute reports whether deleting o deletes c: a host route is one on all NICs with its subnet.
func (c *candidate) sameRoute(o *candidate) bool {
	if c.source == SourceHostRoute && o.source == SourceHostRoute {
		return c.subnet == o.subnet && c.HostRoute == o.HostRoute
	}
	return c == o
}

// ref names a candidate; a sibling route or an offered default as if it were a host route.
func (c *candidate) ref(instance string) (r Ref) {
	r.Instance, r.NIC = instance, c.nic.Name
	if c.subnet != nil {
		r.Subnet = c.subnet.ID
	}
	if c.source != SourceConnected {
		r.HostRoute = *c.HostRoute
	}
	return r
}

// broadcast returns the broadcast address of an IPv4 prefix; the zero Addr if it has none.
func broadcast(p netip.Prefix) netip.Addr {
	if p.Bits() > 30 || !p.Addr().Is4() {
		return netip.Addr{}
	}
	return netipx.PrefixLastIP(p)
}
