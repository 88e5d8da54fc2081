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
	attempts     []*candidate   // those that the guest tries to install, in its order
	destinations []destination  // of the attempts, in the order of [sweep.Order]
	around       []*destination // for each attempt, the longest one that contains its next hop. Nil without on-link routes.

	defaultDestinations []*destination // those of default routes
}

// A nic is a NIC as the guest configures it.
type nic struct {
	*NIC
	offer
	number              int32
	broadcast           netip.Addr  // of its connected prefix; zero: there is none
	siblings            []candidate // of the guest's
	connected, default4 HostRoute
}

// A source is the number of a [Source], so that a candidate is small.
type source uint8

const (
	fromConnected source = iota
	fromDefault
	fromSibling
	fromHostRoute
	fromManual
)

var sources = [...]Source{SourceConnected, SourceDefault, SourceSibling, SourceHostRoute, SourceManual}

// A candidate is a route that the guest may come to install.
type candidate struct {
	*HostRoute // as configured; connected: no next hop
	nic        *nic
	subnet     *Subnet // that it comes from; nil: programmed by hand
	source     source

	tried   bool         // the guest tries to install it; then the rest is set
	badMask bool         // Linux sees host bits in its destination
	number  int32        // its place among the attempts
	dest    *destination // what Linux sees, masked
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
	add := func(source source, s *Subnet, r *HostRoute) *candidate {
		g.candidates = g.candidates[:len(g.candidates)+1]
		c := &g.candidates[len(g.candidates)-1]
		c.HostRoute, c.source, c.nic, c.subnet, c.tried = r, source, n, s, true
		return c
	}
	if s := n.ipv4; s != nil {
		n.broadcast = broadcast(s.CIDR)
		n.connected, n.default4 = HostRoute{Destination: s.CIDR}, HostRoute{any4, s.Gateway}
		if !s.CIDR.IsSingleIP() { // a single address brings no connected route
			add(fromConnected, s, &n.connected)
		}
		if n.static && s.Gateway.Is4() {
			add(fromDefault, s, &n.default4)
		}
		first := len(g.candidates)
		for i := range n.offeredSiblings {
			add(fromSibling, s, &n.offeredSiblings[i])
		}
		n.siblings = g.candidates[first:]
	}
	for _, s := range n.Subnets {
		withheld := n.withheld(s, g.ConfigDrive)
		for i := range s.HostRoutes {
			c := add(fromHostRoute, s, &s.HostRoutes[i])
			c.tried = withheld == "" && c.oneFamily() && (n.static || c.Destination != any4)
		}
	}
	if n.ipv4 != nil && !n.static {
		add(fromDefault, n.ipv4, &n.default4)
	}
	if n.ipv6 != nil {
		add(fromDefault, n.ipv6, &HostRoute{any6, n.ipv6.Gateway})
	}
	for i := range n.ManualRoutes {
		c := add(fromManual, nil, &n.ManualRoutes[i])
		c.tried = c.oneFamily()
	}
}

// plan fills in the attempts and their destinations.
func (g *guest) plan() {
	g.attempts = make([]*candidate, 0, len(g.candidates))
	for _, byHand := range []bool{false, true} {
		for i := range g.candidates {
			if c := &g.candidates[i]; (c.source == fromManual) == byHand && c.tried {
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
	case c.source == fromHostRoute && !c.nic.static:
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
		d.offeredBySeveral = d.offeredBySeveral || another && c.source != fromManual
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
	g.around = make([]*destination, len(g.attempts))
	for i, c := range g.attempts {
		if c.source == fromConnected || c.nic.connects(c.NextHop) {
			continue
		}
		g.around[i] = g.longest(c.NextHop)
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

func (n *nic) connects(a netip.Addr) bool {
	return n.ipv4 != nil && !n.ipv4.CIDR.IsSingleIP() && n.ipv4.CIDR.Contains(a)
}

func (c *candidate) hasVerdict() bool { return c.source == fromHostRoute || c.source == fromManual }

func (c *candidate) isOnLink() bool { return c.NextHop == zero4 }

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
	if code == "" && c.NextHop != c.subnet.Gateway {
		return CodeDefaultDropped
	}
	return code
}

// isDefault reports whether the guest takes an attempt for an offered default route.
func (c *candidate) isDefault() bool {
	return c.dest.prefix.Bits() == 0 && c.source != fromConnected && c.source != fromManual && !c.badMask
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
	if c.source == fromHostRoute && o.source == fromHostRoute {
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
	if c.source != fromConnected {
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
