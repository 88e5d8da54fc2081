package hostroute

import (
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
	nics []nic
	// candidates are in the order of NICs. Those with a verdict are, on each NIC, in the order
	// of its subnets, their host routes, then its manual routes.
	candidates   []candidate
	attempts     []*candidate  // those that the guest tries to install, in its order
	destinations []destination // of the attempts, in the order of [sweep.Order]

	defaultDestinations []*destination // those of default routes
}

// A nic is a NIC as the guest configures it.
type nic struct {
	*NIC
	offer
	number    int32
	broadcast netip.Addr  // of its connected prefix; zero: there is none
	siblings  []candidate // of the guest's
	// What is offered beside host routes:
	connected, default4, default6 HostRoute
}

// A candidate is a route that the guest may come to install.
type candidate struct {
	*HostRoute // as configured; connected: no next hop
	source     Source
	nic        *nic
	subnet     *Subnet // that it comes from; nil: programmed by hand
	withheld   Code    // why the guest never tries it; "" if it does, or if it is the offered default

	dest    *destination // what Linux sees, masked; nil: the guest never tries it
	around  *destination // the longest one that contains the next hop, where an on-link route may cover it
	number  int32        // its place among the attempts
	badMask bool         // Linux sees host bits in its destination
}

// A destination is one that the guest tries to install. At most one of its rivals is in force.
type destination struct {
	prefix  netip.Prefix
	rivals  []*candidate // in the guest's order
	parent  *destination // the longest one around it; nil: none. Only with on-link routes.
	number  int32        // its place among the destinations
	carries bool         // a next hop lies in it, which an on-link route to it may make acceptable
	// Whether rivals are on several NICs, manual routes counted or not:
	several, offeredBySeveral bool
}

func newGuest(in Instance) *guest {
	g := &guest{Instance: in, nics: make([]nic, len(in.NICs))}
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
		g.configure(&g.nics[i])
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
		c.HostRoute, c.source, c.nic, c.subnet = r, source, n, s
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
			add(SourceSibling, s, &n.offeredSiblings[i])
		}
		n.siblings = g.candidates[first:]
	}
	for _, s := range n.Subnets {
		withheld := n.withheld(s, g.ConfigDrive)
		for i := range s.HostRoutes {
			c := add(SourceHostRoute, s, &s.HostRoutes[i])
			c.withheld = withheld
			if !c.oneFamily() {
				c.withheld = CodeNextHopUnusable
			} else if withheld == "" && !n.static && c.Destination == any4 && c.NextHop != s.Gateway {
				c.withheld = CodeDefaultDropped
			}
		}
	}
	if n.ipv4 != nil && !n.static {
		add(SourceDefault, n.ipv4, &n.default4)
	}
	if n.ipv6 != nil {
		n.default6 = HostRoute{any6, n.ipv6.Gateway}
		add(SourceDefault, n.ipv6, &n.default6)
	}
	for i := range n.ManualRoutes {
		c := add(SourceManual, nil, &n.ManualRoutes[i])
		if !c.oneFamily() {
			c.withheld = CodeNextHopUnusable
		}
	}
}

// plan fills in the attempts and their destinations.
func (g *guest) plan() {
	g.attempts = make([]*candidate, 0, len(g.candidates))
	for _, byHand := range []bool{false, true} {
		for i := range g.candidates {
			if c := &g.candidates[i]; (c.source == SourceManual) == byHand && c.withheld == "" && !c.isOfferedDefault() {
				c.number = int32(len(g.attempts))
				g.attempts = append(g.attempts, c)
			}
		}
	}
	routes := make([]sweep.Route, len(g.attempts))
	onLink := false
	for i, c := range g.attempts {
		seen := c.seen()
		routes[i] = sweep.Route{Prefix: seen.Masked(), NIC: c.nic.number}
		c.badMask = routes[i].Prefix != seen
		onLink = onLink || c.isOnLink()
	}
	g.group(routes)
	if onLink {
		g.relate()
	}
}

// seen returns the destination of an attempt as Linux sees it.
func (c *candidate) seen() netip.Prefix {
	switch {
	case c.source == SourceHostRoute && !c.nic.static:
		return onWire(c.Destination)
	case !c.Destination.Addr().Is4():
		return c.Destination.Masked() // Linux masks what is typed
	}
	return c.Destination
}

// group gives each attempt its destination.
func (g *guest) group(routes []sweep.Route) {
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
	for at, i := range order {
		if begins(at) {
			first = at
			g.destinations = append(g.destinations, destination{prefix: routes[i].Prefix, number: int32(len(g.destinations))})
		}
		d := &g.destinations[len(g.destinations)-1]
		c := g.attempts[i]
		sorted[at] = c
		c.dest, d.rivals = d, sorted[first:at+1]
		another := c.nic != d.rivals[0].nic
		d.several = d.several || another
		d.offeredBySeveral = d.offeredBySeveral || another && c.source != SourceManual
	}
	for i := range g.destinations {
		if d := &g.destinations[i]; d.prefix.Bits() == 0 {
			g.defaultDestinations = append(g.defaultDestinations, d)
		}
	}
}

func (d *destination) mayBeOnLink() bool { return slices.ContainsFunc(d.rivals, (*candidate).isOnLink) }

// relate finds each destination's parent, and the ones around next hops outside the NIC's own prefix.
func (g *guest) relate() {
	var around *destination
	for i := range g.destinations {
		d := &g.destinations[i]
		for around != nil && !around.prefix.Contains(d.prefix.Addr()) {
			around = around.parent
		}
		d.parent, around = around, d
	}
	for _, c := range g.attempts {
		if c.source == SourceConnected || c.nic.connects(c.NextHop) {
			continue
		}
		c.around = g.longest(c.NextHop)
		for d := c.around; d != nil && !d.carries; d = d.parent {
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

func (n *nic) connects(a netip.Addr) bool {
	return n.ipv4 != nil && !n.ipv4.CIDR.IsSingleIP() && n.ipv4.CIDR.Contains(a)
}

func (c *candidate) hasVerdict() bool { return c.source == SourceHostRoute || c.source == SourceManual }

func (c *candidate) tried() bool { return c.dest != nil }

func (c *candidate) isOnLink() bool { return c.NextHop == zero4 }

func (c *candidate) byDHCP() bool { return c.subnet != nil && !c.nic.static }

// isOfferedDefault reports whether a host route is the default that DHCP offers in any case.
func (c *candidate) isOfferedDefault() bool {
	return c.source == SourceHostRoute && c.withheld == "" && !c.nic.static && c.Destination == any4
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
func (c *candidate) ref(instance string) Ref {
	r := Ref{Instance: instance, NIC: c.nic.Name}
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
