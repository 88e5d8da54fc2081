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
	keeps  defaults // that it is told to keep. Some clients choose or order their attempts by them.
	nics   []nic
	// candidates are in the order of NICs. Those with a verdict are, on each NIC, in the order
	// of its subnets, their host routes, then its manual routes.
	candidates   []candidate
	attempts     []*candidate  // those that the guest may try to install, in its order
	destinations []destination // of the attempts, in the order of [sweep.Order]

	prefixes []sweep.Route // of the destinations; NIC is not set

	hasOnLink bool // an attempt is on-link; else no candidate has a destination around its next hop
	addsHops  bool // the client may add routes to next hops

	hasLongOffer bool // some guests may not get an offer of this instance
}

// A nic is a NIC as the guest configures it.
type nic struct {
	*NIC
	offer
	index               int32
	broadcast           netip.Addr  // of its connected prefix; zero: there is none
	candidates          []candidate // of the guest's
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
	index    int32        // its place among the attempts
	dest     *destination // what Linux sees, masked
	around   *destination // the longest one that contains the next hop, if that is outside the NIC's own prefix

	hop, user *candidate // the route that the client may add to its next hop; for such a route, the one that needs it
}

// A destination is one that the guest tries to install. At most one of its rivals is in force.
type destination struct {
	prefix  netip.Prefix
	rivals  []*candidate // by metric, then in the guest's order: the first that is installed is in force
	parent  *destination // the longest one around it; nil: none
	index   int32        // its place among the destinations
	carries bool         // it contains a next hop that Linux accepts only if an on-link route contains that
	relied  bool         // it is the longest destination around such a next hop, and the client adds no route to that
	several bool         // rivals are on several NICs
}

// newGuest returns the guest of an instance with a client that is told to keep some defaults.
func newGuest(in Instance, c *client, keeps defaults) *guest {
	g := &guest{Instance: in, client: c, keeps: keeps, nics: make([]nic, len(in.NICs))}
	n := 0 // the most candidates that there can be
	for i := range in.NICs {
		g.nics[i] = nic{NIC: &in.NICs[i], index: int32(i)}
		n += 1 + len(in.NICs[i].Siblings) + len(in.NICs[i].ManualRoutes) // 1: connected
		for _, s := range in.NICs[i].Subnets {
			n += 1 + len(s.HostRoutes) // 1: default
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
	start := len(g.candidates)
	add := func(source Source, s *Subnet, r *HostRoute) *candidate {
		g.candidates = g.candidates[:len(g.candidates)+1] // not copied
		c := &g.candidates[len(g.candidates)-1]
		c.HostRoute, c.source, c.nic, c.subnet, c.tried = r, source, n, s, true
		c.onLink = r.NextHop == zero4
		return c
	}
	n.offer = newOffer(n.NIC, g.ConfigDrive, g.client.takes)
	g.hasLongOffer = g.hasLongOffer || n.bytes > offerSafe && n.bytes <= offerMax
	if s := n.ipv4; s != nil {
		n.broadcast = broadcast(s.CIDR)
		n.connected, n.default4 = HostRoute{Destination: s.CIDR}, HostRoute{any4, s.Gateway}
		if !s.CIDR.IsSingleIP() { // a single address brings no connected route
			add(SourceConnected, s, &n.connected)
		}
		if n.static && s.Gateway.Is4() {
			add(SourceDefault, s, &n.default4)
		}
		for i := range n.siblings {
			add(SourceSibling, s, &n.siblings[i]).tried = !n.lost && !g.client.ignoresRoutes
		}
	}
	for _, s := range n.Subnets {
		for i := range s.HostRoutes {
			c := add(SourceHostRoute, s, &s.HostRoutes[i])
			c.tried = g.withheld(c) == "" && (n.static || c.Destination != any4)
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
		c.tried = g.withheld(c) == ""
	}
	n.candidates = g.candidates[start:]
}

// plan fills in the attempts: what is offered in IPv4, then in IPv6, then manual routes.
func (g *guest) plan() {
	g.attempts = make([]*candidate, 0, len(g.candidates))
	try := func(among []candidate, which func(c *candidate) bool) {
		for i := range among {
			if c := &among[i]; c.tried && which(c) {
				g.attempts = append(g.attempts, c)
			}
		}
	}
	for i, n := range g.client.order(g.nics, g.keeps) {
		if n.static { // no DHCP client has a part in it
			try(n.candidates, (*candidate).isOffered4)
		} else {
			g.planLease(n, g.client.metric+g.client.step*int16(i))
		}
	}
	try(g.candidates, func(c *candidate) bool { return c.source == SourceDefault && c.Destination == any6 })
	try(g.candidates, func(c *candidate) bool { return c.source == SourceManual })
	g.group()
	g.hasOnLink = slices.ContainsFunc(g.attempts, func(c *candidate) bool { return c.onLink })
	if g.hasOnLink {
		g.relate()
	}
}

// planLease appends the attempts at what DHCP offers to a NIC.
func (g *guest) planLease(n *nic, metric int16) {
	unwanted := g.keeps.unwanted(n)
	if unwanted && g.client.raised > 0 {
		metric = g.client.raised
	}
	start, defaults := len(g.attempts), int16(0)
	for i := range n.candidates {
		c := &n.candidates[i]
		if !c.tried || !c.isOffered4() {
			continue
		}
		g.client.settle(c)
		c.metric = metric
		isDefault := c.Destination.Bits() == 0 && c.source != SourceConnected
		if g.client.countsUp && isDefault {
			c.metric += defaults
			defaults++
		}
		if g.client.mayAddHop(c, isDefault && unwanted) {
			g.attempts = append(g.attempts, g.addHop(c))
		}
		g.attempts = append(g.attempts, c)
	}
	if g.client.onLinkFirst {
		slices.SortStableFunc(g.attempts[start:], func(a, b *candidate) int { return b.linkScope() - a.linkScope() })
	}
}

// addHop makes the route to a candidate's next hop.
func (g *guest) addHop(c *candidate) *candidate {
	to := &HostRoute{netip.PrefixFrom(c.NextHop, 32), zero4}
	c.hop = &candidate{HostRoute: to, nic: c.nic, subnet: c.subnet, source: SourceNextHop, tried: true, onLink: true, metric: c.metric, user: c}
	g.addsHops = true
	return c.hop
}

// attempted returns the attempts that are made if a candidate is deleted; nil: none is deleted.
func (g *guest) attempted(gone *candidate) []*candidate {
	if gone == nil && !g.addsHops {
		return g.attempts
	}
	list := make([]*candidate, 0, len(g.attempts))
	for _, c := range g.attempts {
		if !c.goes(gone) && (c.user == nil || needsHop(g, c.user, gone, list)) {
			list = append(list, c)
		}
	}
	return list
}

// goes reports whether c disappears if a candidate is deleted; nil: none is. A route to a next hop disappears with the route that
// needs it.
func (c *candidate) goes(gone *candidate) bool {
	return gone != nil && cmp.Or(c.user, c).sameRoute(gone)
}

// variesByNIC reports whether the client treats the same host route differently on another NIC: as another destination, on-link or
// not, or with an added route to the next hop.
func variesByNIC(g *guest, c *candidate) bool {
	if g.client.metric == 0 || !c.byDHCP() {
		return false
	}
	return slices.ContainsFunc(g.attempts, func(o *candidate) bool {
		return o.sameRoute(c) && (o.dest != c.dest || o.onLink != c.onLink || (o.hop == nil) != (c.hop == nil))
	})
}

// group gives each attempt its index and its destination.
func (g *guest) group() {
	routes := make([]sweep.Route, len(g.attempts))
	for i, c := range g.attempts {
		seen := g.client.seen(c)
		routes[i].Prefix = seen.Masked()
		c.index, c.badMask = int32(i), routes[i].Prefix != seen
	}
	rivals := make([]*candidate, len(routes))            // room for those of all destinations
	g.destinations = make([]destination, 0, len(routes)) // pointers into it stay valid
	var d *destination
	for at, i := range sweep.Order(make([]int32, 0, len(routes)), routes) {
		c, p := g.attempts[i], routes[i].Prefix
		if d == nil || d.prefix != p {
			n, around := len(g.destinations), d.around(p.Addr())
			g.destinations = g.destinations[:n+1]
			d = &g.destinations[n]
			d.prefix, d.parent, d.index, d.rivals = p, around, int32(n), rivals[at:at]
		}
		c.dest = d
		d.rivals = append(d.rivals, c)
		d.several = d.several || c.nic != d.rivals[0].nic
	}
	g.prefixes = routes[:len(g.destinations)] // the attempts no longer need the room
	for i := range g.destinations {
		g.prefixes[i].Prefix = g.destinations[i].prefix
		if rivals := g.destinations[i].rivals; len(rivals) > 1 {
			slices.SortStableFunc(rivals, func(a, b *candidate) int { return cmp.Compare(a.metric, b.metric) })
		}
	}
}

// relate finds the destinations around next hops outside the NIC's own prefix.
func (g *guest) relate() {
	for _, c := range g.attempts {
		if around := g.longest(c.NextHop); around != nil && !c.nic.connects(c.NextHop) {
			c.around = around
			if c.onLink {
				continue // it does not depend on what is around its next hop
			}
			around.relied = around.relied || c.hop == nil
			for d := around; d != nil; d = d.parent {
				d.carries = true
			}
		}
	}
}

// longest returns the longest destination that contains an address; nil if none does.
func (g *guest) longest(a netip.Addr) *destination {
	after := sort.Search(len(g.destinations), func(i int) bool { return a.Less(g.destinations[i].prefix.Addr()) })
	if after == 0 {
		return nil
	}
	return g.destinations[after-1].around(a)
}

// around returns the longest of d and the destinations around it that contains an address; nil if none does, or if d is nil.
func (d *destination) around(a netip.Addr) *destination {
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

// by121 reports whether option 121 arrives. It brings more than the default then, which comes by option 3 otherwise.
func (n *nic) by121() bool { return n.bytes > wireLength(any4) && !n.lost }

func (n *nic) connects(a netip.Addr) bool {
	return n.ipv4 != nil && !n.ipv4.CIDR.IsSingleIP() && n.ipv4.CIDR.Contains(a)
}

func (c *candidate) hasVerdict() bool { return c.source == SourceHostRoute || c.source == SourceManual }

func (c *candidate) isOffered4() bool { return c.source != SourceManual && c.Destination.Addr().Is4() }

// linkScope is 1 for connected and on-link routes.
func (c *candidate) linkScope() int {
	if c.onLink || c.source == SourceConnected {
		return 1
	}
	return 0
}

// byDHCP reports whether DHCP brings a candidate. Router advertisements bring IPv6 defaults.
func (c *candidate) byDHCP() bool {
	return c.subnet != nil && !c.nic.static && c.Destination.Addr().Is4()
}

// withheld returns why the guest never tries a host route or manual route; "" if it does, or if it is the
// default that DHCP offers in any case.
func (g *guest) withheld(c *candidate) Code {
	switch {
	case !c.oneFamily():
		return CodeNextHopUnusable
	case c.subnet == nil:
		return ""
	}
	code := c.nic.withheld(c.subnet, g.ConfigDrive)
	if code == CodeOptionOverflow && g.client.ignoresRoutes {
		code = "" // it does not ask for the option
	}
	switch {
	case code != "" || c.nic.static:
		return code
	case c.Destination == any4 && c.NextHop != c.subnet.Gateway:
		return CodeDefaultDropped
	case c.Destination != any4 && g.client.ignoresRoutes:
		return CodeRoutesIgnored
	}
	return ""
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
	return c == o || c.source == SourceHostRoute && c.subnet == o.subnet && c.HostRoute == o.HostRoute
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
