package hostroute

import (
	"cmp"
	"net/netip"
	"slices"
)

// Between the stages: what each DHCP client makes of an offer. All of it was asked from the clients of
// Debian 12: dhclient 4.4.3, systemd-networkd 252, NetworkManager 1.42, dhcpcd 9.4.1, and udhcpc 1.35
// with Debian's script.

// A client is all that is known about one DHCP client. All other code reads these fields, and never asks which client it is.
type client struct {
	guest Guest

	// The metric of all routes of the first NIC, how much higher each further NIC's is, and that of the
	// NICs whose default route is not wanted. 0: those defaults are dropped instead.
	metric, step, raised int16

	byName bool // it configures NICs by name, those whose default route is not wanted last
	// It configures NICs at once, and installs all of several routes to one destination: equal ones of two NICs may come in any
	// order. Linux refuses the later ones of other clients.
	appends bool

	takes int // the length of the longest option 121 that reaches it

	ignoresRoutes bool // it does not ask for option 121
	masks         bool // it clears host bits
	onLinkFirst   bool // it installs the on-link routes of a NIC before the others
	oneAddress    bool // if the next hop is 0.0.0.0, the NIC's address or the destination's first one, it routes only that first address, on-link
	ownOnLink     bool // it ignores the next hop of a destination that begins at the NIC's address or in 127.0.0.0/8
	loopback      bool // if the next hop is 127.0.0.1, it routes through the device lo
	countsUp      bool // it gives each further default route of a NIC a metric that is higher by 1
	toHops        toHops
}

// toHops are the next hops that a client adds an on-link route to, so that Linux accepts them.
type toHops uint8

const (
	toNone      toHops = iota
	toAll              // the gateway, too
	toUncovered        // those that neither the NIC's prefix nor its on-link routes contain
	toRouters          // those of 0.0.0.0/N that no destination before contains
)

var clients = [...]client{
	{guest: GuestDhclient, takes: offerMax},
	{guest: GuestNetworkd, takes: offerMax, metric: 1024, raised: 2048, appends: true, ownOnLink: true, toHops: toAll},
	{guest: GuestNetworkManager, takes: offerMax, metric: 100, step: 1, byName: true, appends: true, masks: true, onLinkFirst: true,
		countsUp: true, toHops: toUncovered},
	{guest: GuestDhcpcd, takes: offerMax, metric: 1002, step: 1, oneAddress: true, loopback: true, toHops: toRouters},
	{guest: GuestUdhcpc, takes: offerMax, ignoresRoutes: true},
}

// losing are clients that announce so small a message that an offer above offerSafe may not fit beside other options: as they are
// where it does not.
var losing = [...]client{small(GuestDhclient), small(GuestNetworkManager)}

func small(g Guest) client {
	c := *clientOf(g)
	c.takes = offerSafe
	return c
}

// loopbackDevice is what Linux calls its loopback interface.
const loopbackDevice = "lo"

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// clientOf returns the client of a guest; nil if it is unknown.
func clientOf(g Guest) *client {
	i := slices.IndexFunc(clients[:], func(c client) bool { return c.guest == cmp.Or(g, GuestDhclient) })
	if i < 0 {
		return nil
	}
	return &clients[i]
}

// others returns the other clients that install host routes and, if an offer is long, those that lose it.
func (g *guest) others() (list []*client) {
	for i := range clients {
		if c := &clients[i]; c != g.client && !c.ignoresRoutes {
			list = append(list, c)
		}
	}
	if g.hasLongOffer {
		for i := range losing {
			list = append(list, &losing[i])
		}
	}
	return list
}

// order returns the NICs in the order in which the client configures them. Those that the config drive configures keep their
// places: no client has a part in them.
func (cl *client) order(nics []nic, keeps defaults) []*nic {
	list := make([]*nic, 0, len(nics))
	for i := range nics {
		if !nics[i].static {
			list = append(list, &nics[i])
		}
	}
	if cl.byName {
		last := func(n *nic) int {
			if keeps.unwanted(n) {
				return 1
			}
			return 0
		}
		slices.SortStableFunc(list, func(a, b *nic) int { return cmp.Or(last(a)-last(b), cmp.Compare(a.Name, b.Name)) })
	}
	for i := range nics {
		if nics[i].static {
			list = slices.Insert(list, i, &nics[i])
		}
	}
	return list
}

// settle decides whether what DHCP offers leads to the link or to the device lo instead of its next hop.
func (cl *client) settle(c *candidate) {
	begins := func() netip.Addr { return c.arrives().Addr() }
	switch {
	case cl.oneAddress && c.nic.by121() && (c.nic.owns(c.NextHop) || c.NextHop == begins()):
		c.onLink = true
	case cl.ownOnLink && (c.source == SourceSibling || c.source == SourceHostRoute) && (begins().IsLoopback() || c.nic.owns(begins())):
		c.onLink, c.toHost = true, true
	case cl.loopback && c.NextHop == localhost:
		c.loopback = true
	}
}

// seen returns the destination of an attempt as Linux sees it.
func (cl *client) seen(c *candidate) netip.Prefix {
	d := c.arrives()
	switch {
	case !d.Addr().Is4(), cl.masks && c.byDHCP():
		return d.Masked() // Linux masks an IPv6 destination that is typed
	case cl.oneAddress && c.onLink && c.byDHCP():
		return netip.PrefixFrom(d.Addr(), 32)
	}
	return d
}

// mayAddHop reports whether the client adds a route to the next hop of what DHCP offers where that needs one (see needsHop).
// Unwanted says that the candidate is a default that the guest is told not to use.
func (cl *client) mayAddHop(c *candidate, unwanted bool) bool {
	switch {
	case c.linkScope() > 0:
		return false
	case cl.toHops == toUncovered:
		return !unwanted && !c.nic.connects(c.NextHop)
	case cl.toHops == toRouters:
		return cl.seen(c).Addr() == zero4 && !c.nic.connects(c.NextHop)
	}
	return cl.toHops == toAll
}

// needsHop reports whether a candidate's next hop needs a route of its own, as the client sees it after the attempts before, if
// another candidate is deleted; nil: none is.
func needsHop(g *guest, c, gone *candidate, before []*candidate) bool {
	switch g.client.toHops {
	case toUncovered:
		for i := range c.nic.candidates {
			o := &c.nic.candidates[i]
			covers := o.tried && o.onLink && o.byDHCP() && o.dest.prefix.Contains(c.NextHop) && !(o.isDefault() && g.keeps.unwanted(o.nic))
			if covers && !o.goes(gone) {
				return false
			}
		}
	case toRouters:
		isCovered := func(o *candidate) bool { return !o.nic.static && o.dest.covers(c.NextHop) } // by dhcpcd's own routes
		return !slices.ContainsFunc(before, isCovered)
	}
	return true
}

// covers reports whether dhcpcd takes a next hop for one inside a destination. It compares three octets at most.
func (d *destination) covers(hop netip.Addr) bool {
	return netip.PrefixFrom(d.prefix.Addr(), min(d.prefix.Bits(), 24)).Masked().Contains(hop)
}
