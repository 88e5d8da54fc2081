package twin

import (
	"cmp"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// The guests: what each DHCP client makes of the same offer, in IPv4.

// Raised is the metric that networkd is told to use on the NICs whose default
// is not wanted.
const Raised = 2048

// A client has all that is known about one DHCP client.
type client struct {
	name    string
	metric  func(in hostroute.Instance, nic int) int
	order   func(in hostroute.Instance) []int // its order of NICs
	appends bool                              // it appends equal destinations; others are refused the second
	atOnce  bool                              // it configures its NICs at once, so that rows of two NICs that are equal in destination and metric may be in any order

	again       bool     // with each new lease it tries again what was refused
	no121       bool     // it takes the default alone
	toHops      toHops   // the next hops that it adds a route to
	onLinkFirst bool     // it installs the on-link routes of a NIC before the others
	oneAddress  bool     // by 0.0.0.0, by the own address and by the destination's first address it routes that first address alone, on-link
	ownOnLink   bool     // it routes a destination that begins at the own address, or in 127.0.0.0/8, without its next hop, with host scope
	loopback    bool     // by 127.0.0.1 it routes through the loopback device
	masks       bool     // it clears host bits
	counts      bool     // of several defaults of a NIC, each has a higher metric than the one before
	others      unwanted // what it does with the defaults of other NICs than the one it is told
}

type toHops int

const (
	never     toHops = iota
	always           // the gateway's included
	uncovered        // that no link-scope route of the NIC covers
	routers          // of destinations that begin at 0.0.0.0, if no route before, of any NIC, is about it
)

type unwanted int

const (
	drops  unwanted = iota
	raises          // it gives all routes of the NIC a higher metric
)

// Guests are the names of the clients.
var Guests = []string{"dhclient", "systemd-networkd", "NetworkManager", "dhcpcd", "udhcpc"}

var clients = []client{
	{
		name:   "dhclient",
		metric: noMetric,
		order:  asGiven,
	},
	{
		name:      "systemd-networkd",
		metric:    func(hostroute.Instance, int) int { return 1024 },
		order:     asGiven,
		appends:   true,
		atOnce:    true,
		toHops:    always,
		ownOnLink: true,
		others:    raises,
	},
	{
		name:        "NetworkManager",
		metric:      func(in hostroute.Instance, nic int) int { return 100 + slices.Index(byName(in), nic) },
		order:       byName,
		appends:     true,
		atOnce:      true,
		toHops:      uncovered,
		onLinkFirst: true,
		masks:       true,
		counts:      true,
	},
	{
		name:       "dhcpcd",
		metric:     func(_ hostroute.Instance, nic int) int { return 1000 + 2 + nic }, // Linux counts interfaces from 1, the loopback's
		order:      asGiven,
		toHops:     routers,
		again:      true,
		oneAddress: true,
		loopback:   true,
	},
	{
		name:   "udhcpc",
		metric: noMetric,
		order:  asGiven,
		no121:  true,
	},
}

func clientOf(name string) client {
	return clients[slices.IndexFunc(clients, func(c client) bool { return c.name == name })]
}

func noMetric(hostroute.Instance, int) int { return 0 }

func asGiven(in hostroute.Instance) []int {
	var list []int
	for i := range in.NICs {
		list = append(list, i)
	}
	return list
}

// byName returns the NICs by the bytes of their names, those whose default is
// not wanted last. Those that the config drive configures keep their places.
func byName(in hostroute.Instance) []int {
	var list []int
	for i, n := range in.NICs {
		if _, static := Configured(in, n); !static {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(i, j int) int {
		a, b := in.NICs[i], in.NICs[j]
		return cmp.Or(falseFirst(isOther(in, a), isOther(in, b)), cmp.Compare(a.Name, b.Name))
	})
	for i, n := range in.NICs {
		if _, static := Configured(in, n); static {
			list = slices.Insert(list, i, i)
		}
	}
	return list
}

// falseFirst compares two booleans.
func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// isOther reports whether the guest is told to use another NIC's default.
func isOther(in hostroute.Instance, n hostroute.NIC) bool {
	return in.DefaultNIC != "" && in.DefaultNIC != n.Name
}

// isOwn reports whether an address is one that the guest has on the NIC.
func isOwn(in hostroute.Instance, n hostroute.NIC, a netip.Addr) bool {
	s, _ := Configured(in, n)
	return s != nil && s.CIDR.Contains(a) && slices.Contains(n.Addrs, a)
}

// GuestTable returns what the guest installs, in the order of `ip route`: as
// [Table], and rows with a lower metric first. Of rows that AnyOrder puts in no
// order it returns one order. IPv6 is the reference guest's.
func GuestTable(in hostroute.Instance, guest string) hostroute.Table {
	return guestTable(in, guest, overflows(in))
}

// guestTable is GuestTable if some NICs lose their offers.
func guestTable(in hostroute.Instance, guest string, overflow []bool) hostroute.Table {
	table := tableOf(guestInstall(in, guest, overflow))
	_, reference := install(in, overflow)
	for _, r := range reference {
		if r.Destination.Addr().Is6() {
			table = append(table, r)
		}
	}
	slices.SortStableFunc(table, func(a, b hostroute.Route) int {
		return cmp.Or(
			a.Destination.Addr().Compare(b.Destination.Addr()),
			b.Destination.Bits()-a.Destination.Bits(),
			a.Metric-b.Metric)
	})
	return table
}

// tableOf returns routes as a guest installs them, in its order.
func tableOf(list []wish) (table hostroute.Table) {
	for _, w := range list {
		table = append(table, w.Route)
	}
	return table
}

// guestInstall returns what the guest installs in IPv4, in its order.
func guestInstall(in hostroute.Instance, guest string, overflow []bool) []wish {
	var table []wish
	for _, w := range clientOf(guest).all(in, overflow) {
		if !w.dropped && answer(in, table, w) == installed {
			table = append(table, w)
		}
	}
	return table
}

// Foreseen reports whether the guest's table depends on nothing but the instance.
// With dhcpcd it may depend on which NIC has its lease first: where a NIC has it
// alone, dhcpcd may add a route to a next hop that it does not add otherwise; and
// with each new lease it tries again what was refused for its next hop, and gives
// it the place of a later equal one.
func Foreseen(in hostroute.Instance, guest string) bool {
	c := clientOf(guest)
	if !c.again {
		return true
	}
	overflow := overflows(in)
	for i := range in.NICs {
		list := steps(in, overflow)
		var before []wish
		for k := range i {
			before = append(before, c.wishes(in, k, list, before)...)
		}
		if len(c.wishes(in, i, list, before)) != len(c.wishes(in, i, list, nil)) {
			return false
		}
	}
	var table, refused []wish
	for _, w := range c.all(in, overflow) {
		switch {
		case w.dropped:
		case answer(in, table, w) == installed:
			table = append(table, w)
		case answer(in, table, w) == badNextHop:
			refused = append(refused, w)
		}
	}
	return !slices.ContainsFunc(refused, func(w wish) bool { return answer(in, table, w) != badNextHop })
}

// GivesUp returns the NICs, in order, on which the guest stops asking for DHCP:
// networkd does where Linux refuses a route, unless it is there already. The
// others stand until the lease ends.
func GivesUp(in hostroute.Instance, guest string) (nics []string) {
	if guest != "systemd-networkd" {
		return nil
	}
	overflow := overflows(in)
	table := guestInstall(in, guest, overflow)
	for i, n := range in.NICs {
		list := clientOf(guest).wishes(in, i, steps(in, overflow), nil)
		refused := slices.ContainsFunc(list, func(w wish) bool {
			o := answer(in, table, w)
			return o == hostBits || o == badNextHop
		})
		if _, static := Configured(in, n); refused && !static {
			nics = append(nics, n.Name)
		}
	}
	return nics
}

// A wish is a row that a guest wants to install.
type wish struct {
	hostroute.Route
	asked     hostroute.HostRoute // as configured
	nic       int
	appends   bool // behind equal destinations
	dropped   bool // it is not tried after all
	hostScope bool // for Linux it is another route than the same with link scope
}

func wishFor(in hostroute.Instance, t step, metric int) wish {
	n := in.NICs[t.nic]
	w := wish{asked: t.route, nic: t.nic, appends: t.source == hostroute.SourceConnected}
	w.Destination, w.NIC, w.Source, w.Subnet, w.Metric = t.arrives, n.Name, t.source, t.subnet, metric
	if t.route.NextHop != none4 {
		w.NextHop = t.route.NextHop
	}
	offered := t.source != hostroute.SourceManual && t.source != hostroute.SourceConnected
	w.dropped = offered && t.arrives == default4 && isOther(in, n)
	return w
}

// all returns what a guest wants to install in IPv4, in its order.
func (c client) all(in hostroute.Instance, overflow []bool) []wish {
	list := steps(in, overflow)
	var all []wish
	for _, i := range c.order(in) {
		all = append(all, c.wishes(in, i, list, all)...)
	}
	for _, t := range list {
		if t.source == hostroute.SourceManual && t.arrives.Addr().Is4() && oneFamily(t.route, nil) {
			all = append(all, wishFor(in, t, 0))
		}
	}
	return all
}

// wishes returns what a guest wants to install in IPv4 when it configures a NIC,
// after what it wanted before.
func (c client) wishes(in hostroute.Instance, nic int, steps []step, before []wish) []wish {
	n := in.NICs[nic]
	steps = slices.DeleteFunc(slices.Clone(steps), func(t step) bool {
		return t.nic != nic || t.source == hostroute.SourceManual || t.arrives.Addr().Is6()
	})
	var list []wish
	if _, static := Configured(in, n); static { // by the config drive, in which the client has no part
		for _, t := range steps {
			list = append(list, wishFor(in, t, 0))
		}
		return list
	}

	// Without host routes and siblings, the default comes by another option.
	by121 := slices.ContainsFunc(steps, isListed)
	defaults := 0
	for _, t := range steps {
		asked := t.route
		if c.no121 && isListed(t) {
			continue
		}
		if c.masks {
			t.arrives = t.arrives.Masked()
		}
		begins, hop := t.arrives.Addr(), t.route.NextHop
		if c.oneAddress && by121 && (hop == none4 || hop == begins || isOwn(in, n, hop)) {
			t.arrives, t.route.NextHop = netip.PrefixFrom(begins, 32), none4
		}
		toItself := c.ownOnLink && isListed(t) && (begins.IsLoopback() || isOwn(in, n, begins))
		if toItself {
			t.route.NextHop = none4
		}

		metric := c.metric(in, nic)
		if c.others == raises && isOther(in, n) {
			metric = Raised
		}
		if c.counts && t.arrives == default4 && t.source != hostroute.SourceConnected {
			metric += defaults
			defaults++
		}

		w := wishFor(in, t, metric)
		w.asked, w.appends = asked, w.appends || c.appends
		w.hostScope = toItself
		w.dropped = w.dropped && c.others == drops
		if c.loopback && w.NextHop == netip.MustParseAddr("127.0.0.1") {
			w.NIC = "lo"
		}
		list = append(list, w)
	}
	list = c.addHops(in, nic, before, list)
	if c.onLinkFirst {
		slices.SortStableFunc(list, func(a, b wish) int {
			return falseFirst(a.NextHop.IsValid(), b.NextHop.IsValid())
		})
	}
	return list
}

// isListed reports whether a route is a host route or a sibling.
func isListed(t step) bool {
	return t.source == hostroute.SourceHostRoute || t.source == hostroute.SourceSibling
}

// addHops puts before each wish of a NIC the route to its next hop, where the
// client adds one.
func (c client) addHops(in hostroute.Instance, nic int, before, list []wish) []wish {
	all := slices.Clone(before)
	for _, w := range list {
		hop := w.NextHop
		need := false
		switch {
		case !hop.IsValid():
		case c.toHops == always:
			need = true
		case c.toHops == uncovered:
			need = !w.dropped && !slices.ContainsFunc(list, func(o wish) bool {
				return !o.dropped && !o.NextHop.IsValid() && o.Destination.Contains(hop)
			})
		case c.toHops == routers: // of a default that is not wanted, too
			need = w.Destination.Addr() == none4 && !slices.ContainsFunc(all, func(o wish) bool {
				// It looks at its own routes. Its loop over the four octets takes a difference in the last for none.
				if _, static := Configured(in, in.NICs[o.nic]); static {
					return false
				}
				p := netip.PrefixFrom(o.Destination.Addr(), min(o.Destination.Bits(), 24))
				return p.Masked().Contains(hop)
			})
		}
		if need {
			to := w
			to.Destination, to.NextHop, to.NIC = netip.PrefixFrom(hop, 32), netip.Addr{}, in.NICs[nic].Name
			to.Source, to.dropped = hostroute.SourceNextHop, false
			all = append(all, to)
		}
		all = append(all, w)
	}
	return all[len(before):]
}

// answer is Linux's to one wish, by its rules in the order in which it checks
// them.
func answer(in hostroute.Instance, table []wish, w wish) outcome {
	n := in.NICs[w.nic]
	if w.Destination != w.Destination.Masked() {
		return hostBits
	}
	if hop := w.NextHop; hop.IsValid() && w.NIC == n.Name {
		s, _ := Configured(in, n)
		covered := slices.ContainsFunc(table, func(t wish) bool {
			return t.NIC == n.Name && !t.NextHop.IsValid() && t.Destination.Contains(hop)
		})
		if s != nil && hop == broadcast(s.CIDR) || !isOwn(in, n, hop) && !covered {
			return badNextHop
		}
	}
	for _, t := range table {
		equal := t.Destination == w.Destination && t.Metric == w.Metric
		same := t.NIC == w.NIC && t.NextHop == w.NextHop && t.hostScope == w.hostScope && t.Source != hostroute.SourceConnected
		if equal && (same || !w.appends) {
			return fileExists
		}
	}
	return installed
}

// AnyOrder reports whether two rows of a guest may be in either order: they are
// equal in destination and metric, on two NICs that it configures at once. Such a
// client has a metric; what the config drive brings has none.
func AnyOrder(guest string, a, b hostroute.Route) bool {
	return clientOf(guest).atOnce && a.Destination == b.Destination && a.Metric == b.Metric && a.Metric > 0 && a.NIC != b.NIC
}

// Egresses returns the NICs through which data to a may leave, sorted; "" is no
// route. They are several only where AnyOrder says so.
func Egresses(table hostroute.Table, guest string, a netip.Addr) []string {
	best := -1
	for i, r := range table {
		switch {
		case !r.Destination.Contains(a):
		case best < 0:
			best = i
		case r.Destination.Bits() > table[best].Destination.Bits():
			best = i
		case r.Destination.Bits() == table[best].Destination.Bits() && r.Metric < table[best].Metric:
			best = i
		}
	}
	if best < 0 {
		return []string{""}
	}
	nics := []string{table[best].NIC}
	for _, r := range table {
		if AnyOrder(guest, table[best], r) {
			nics = append(nics, r.NIC)
		}
	}
	slices.Sort(nics)
	return slices.Compact(nics)
}
