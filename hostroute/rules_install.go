package hostroute

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// The rules about stage 2: what the guest installs.

var duplicate = rule{
	code: CodeDuplicate, severity: SeverityInfo,
	title: "destination already has a route through the same NIC",
	when:  "The guest already has a route to the destination through the same NIC.",
	why:   "Linux keeps the first route and refuses the later one (\"File exists\").",
	remedy: "Remove it. But if it is the only host route to the destination by way of the gateway, remove the others instead: Neutron keeps " +
		"no order, so another one may come first the next time.",
	example: func() Instance { return twoNICs(front(), back("11.8.0.0/24,11.8.0.1")) },
	applies: func(s *subject) bool { return s.route.Cause == CodeDuplicate },
	tell: func(s *subject, f *Finding) {
		c := s.route.candidate
		to := c.dest.prefix.String()
		f.Message = "destination " + to + " already has a route through " + quoted(c.nic.Name) + ": Linux keeps the first"
		f.Related = winnerOf(s)
		f.Fixes = []Fix{s.remove()}
		isWorse := func(o *candidate) bool {
			return o.subnet == c.subnet && o.NextHop != c.NextHop && c.NextHop == c.subnet.usableGateway()
		}
		if edits := removeRivals(s, isWorse); len(edits) > 0 {
			f.Fixes = []Fix{{"remove the host routes to " + to + " whose next hop is not the gateway", edits}}
		}
	},
}

// removeRivals returns the edits that remove the routes which keep a host route out; nil if one of these is not a host route or
// may not go, or if there would be more edits than a list of Neutron's has room for. The edits also remove the other host routes
// to the destination from the same subnets, even those that Linux refuses: it may accept them once the list is written masked.
func removeRivals(s *subject, mayGo func(*candidate) bool) (edits []Edit) {
	c := s.route.candidate
	if c.subnet == nil {
		return nil
	}
	var subnets []*Subnet
	for _, o := range c.dest.rivals {
		before := o.metric < c.metric || o.metric == c.metric && (o.index < c.index || s.client.appends && o.nic != c.nic)
		if !before || !s.accepts(o) {
			continue
		}
		if o.source != SourceHostRoute || !mayGo(o) {
			return nil
		}
		subnets = append(subnets, o.subnet)
	}
	subnets = canon.Unique(subnets)
	for i := range s.candidates {
		if o := &s.candidates[i]; slices.Contains(subnets, o.subnet) && mayComeInstead(s, o) {
			return nil
		}
	}
	for _, o := range c.dest.rivals {
		isRoute := o.subnet == c.subnet && o.NextHop == c.NextHop // the route, or another spelling of it
		if o.source != SourceHostRoute || !slices.Contains(subnets, o.subnet) || isRoute {
			continue
		}
		e := Edit{Subnet: o.subnet.ID, Old: *o.HostRoute}
		if !slices.Contains(edits, e) { // a subnet may be on several NICs
			edits = append(edits, e)
		}
		if len(edits) > maxHostRoutes {
			return nil
		}
	}
	return edits
}

// mayComeInstead reports whether a candidate may become a rival of the route when others of its subnet are removed. There are
// five ways: another subnet's offer, which overflows now, becomes shorter and arrives; the client adds a route to the next
// hop; an on-link route begins at the destination when the list is written masked; the default comes by option 3, and
// dhcpcd adds a route to the router; or NetworkManager, which counts default routes, gives it the metric of one that goes.
func mayComeInstead(s *subject, o *candidate) bool {
	d := s.route.dest
	switch {
	case o.source == SourceDefault:
		return s.client.toHops == toRouters && d.prefix == netip.PrefixFrom(o.NextHop, 32) || s.client.countsUp && o.dest == d
	case o.source != SourceHostRoute:
		return false
	case !o.tried:
		return o.subnet != s.subnet && s.withheld(o) == CodeOptionOverflow
	case !d.prefix.IsSingleIP():
		return false
	}
	first := o.Destination.Masked().Addr()
	return s.client.toHops != toNone && o.NextHop == d.prefix.Addr() || s.client.oneAddress && o.onLink && o.dest != d && first == d.prefix.Addr()
}

// winnerOf names what is installed for the route's destination.
func winnerOf(s *subject) []Related {
	w := s.inForce[s.route.dest.index]
	message := "is installed instead"
	if s.result(s.route.candidate) == installed {
		message = "is used instead"
	}
	if w.source == SourceDefault {
		message += ", as the default route of the subnet"
	}
	return []Related{{w.ref(s.Name), message}}
}

var conflict = rule{
	code: CodeConflict, severity: SeverityWarning,
	title:   "destination already has a route through another NIC",
	when:    "The guest already has a route to the destination through another NIC, or the host route is a default route that the guest is told to drop.",
	why:     "This NIC does not get the destination. Which NIC wins depends on the order of the NICs and on the DHCP client.",
	remedy:  "Remove one or the other.",
	example: func() Instance { return twoNICs(front("11.11.0.0/16,10.65.0.1"), back("11.11.0.0/16,11.8.0.1")) },
	applies: func(s *subject) bool { return s.route.Cause == CodeConflict || isContested(s) },
	tell: func(s *subject, f *Finding) {
		c := s.route.candidate
		w := s.inForce[c.dest.index]
		own, to := quoted(c.nic.Name), c.dest.prefix.String()
		isTwice := w != nil && c.subnet != nil && w.subnet == c.subnet // from one list, on two NICs: no edit settles it
		if !isTwice {
			f.Fixes = []Fix{s.remove()}
		}
		if s.result(c) == dropped {
			f.Message = "the guest keeps the default of " + quoted(s.DefaultNIC) + " and drops that of " + own
			return
		}
		winner := quoted(w.nic.Name)
		f.Related = winnerOf(s)
		switch {
		case w.metric == c.metric && s.result(c) == installed:
			f.Message = "several NICs get a route to " + to + ", and " + string(s.client.guest) + " uses that of the NIC that has its lease first"
			f.Related = rivalNICs(s)
		case w.metric < c.metric:
			f.Message = winner + " has a route to " + to + " with a lower metric: data to it leaves by " + winner
		default:
			f.Message = winner + " already has a route to " + to + ": data to it leaves by " + winner
		}
		f.Message += elsewhere(s)
		isElsewhere := func(o *candidate) bool { return o.subnet != c.subnet }
		if edits := removeRivals(s, isElsewhere); len(edits) > 0 {
			var from []string
			for _, e := range edits {
				from = append(from, "subnet "+quoted(e.Subnet))
			}
			message := "remove the host routes to " + to + " from " + strings.Join(canon.Unique(from), " and ") + ": " + own + " gets the destination"
			f.Fixes = append(f.Fixes, Fix{message, edits})
		}
	},
}

// isContested reports whether a route is installed, and an equal one of another NIC is in force, or may be.
func isContested(s *subject) bool {
	c := s.route.candidate
	return c.tried && s.result(c) == installed && (s.inForce[c.dest.index].nic != c.nic || isOpen(s.fib, c))
}

// maxListed is how many subnets or routes of other NICs one finding lists.
const maxListed = maxNICs

// rivalNICs names the equal routes of other NICs.
func rivalNICs(s *subject) (list []Related) {
	c := s.route.candidate
	for _, o := range c.dest.rivals {
		if o.nic != c.nic && o.metric == c.metric && s.result(o) == installed && len(list) < maxListed {
			list = append(list, Related{o.ref(s.Name), "has an equal destination"})
		}
	}
	return list
}

// elsewhere names the guests under which a route may act otherwise.
func elsewhere(s *subject) string {
	isOwn := func(g Guest) bool { return g == s.client.guest } // the message says what it does
	guests := slices.DeleteFunc(slices.Clone(s.route.Guests), isOwn)
	switch {
	case len(guests) == 0:
		return ""
	case s.route.Cause != "" && !s.hasLongOffer: // else it may be there only if the offer gets lost
		return "; it is installed on " + quoted(s.nic.Name) + " under " + guestNames(guests)
	}
	return "; that may differ under " + guestNames(guests)
}

var multipleDefaults = rule{
	code: CodeMultipleDefaults, severity: SeverityWarning,
	title: "several NICs are offered a default route",
	when:  "More than one NIC is offered a default route of one family, and DefaultNIC is empty.",
	why: "Nothing says which one the guest uses, and guests differ. This report assumes the one that the instance's DHCP client uses by itself; for " +
		"dhclient, that is the first. If the guest uses another one, other host routes may matter.",
	remedy:  "Tell the guest which NIC's default route to keep, and set DefaultNIC to that NIC.",
	example: func() Instance { in := twoNICs(front(), back()); in.DefaultNIC = ""; return in },
	scope:   ofInstance,
	applies: func(s *subject) bool { return len(choices(s.guest)) > 0 },
	tell: func(s *subject, f *Finding) {
		var names []string
		for _, d := range choices(s.guest) {
			n := &s.nics[max(d[0], d[1])-1]
			if name := quoted(n.Name); !slices.Contains(names, name) {
				names = append(names, name)
				f.Related = append(f.Related, Related{Ref{Instance: s.Name, NIC: n.Name}, "is offered a default route"})
			}
		}
		f.Fixes = []Fix{
			instruction("netplan or systemd-networkd: give every NIC but the one whose default route you want a higher route-metric (RouteMetric)"),
			instruction("NetworkManager: set ipv4.never-default on the other NICs"),
			instruction("dhcpcd: set nogateway in the interface sections of the other NICs"),
			instruction("dhclient: on the other NICs, add an enter hook that takes the default route out of option 121 and unsets new_routers"),
		}
		a := "a"
		if len(offeredDefault(s.guest, 0)) < 2 {
			a = "an IPv6"
			f.Fixes = []Fix{instruction("have the guest keep the IPv6 default route of one NIC")}
		}
		f.Message = strings.Join(names, ", ") + " are each offered " + a + " default route, and nothing says which one the guest keeps: guests differ, and this report assumes " + keptDefault(s)
		offered := len(f.Related)
		f.Related = slices.Grow(f.Related, len(s.judged))
		for _, j := range s.judged {
			if j.DefaultDependent {
				f.Related = append(f.Related, Related{j.Subject, "its effect depends on which default route the guest keeps"})
			}
		}
		if depend := f.Related[offered:]; len(depend) > 0 {
			example := depend[0].Ref
			example.Instance = ""
			routes := " routes depend"
			if len(depend) == 1 {
				routes = " route depends"
			}
			f.Message += "; " + strconv.Itoa(len(depend)) + routes + " on that choice, such as " + example.String()
		}
	},
}

// keptDefault says which default is in force where several are offered.
func keptDefault(s *subject) string {
	in := s.default4()
	switch {
	case in != nil && in.source == SourceManual:
		return "the one programmed by hand on " + quoted(in.nic.Name)
	case in == nil, s.client.metric == 0:
		return "the first"
	case isOpen(s.fib, in):
		return "none: " + string(s.client.guest) + " may use any of them"
	}
	return "that of " + quoted(in.nic.Name) + ", as " + string(s.client.guest) + " does"
}

var noDefault = rule{
	code: CodeNoDefault, severity: SeverityWarning,
	title: "several NICs and no default route",
	when: "The instance has several NICs and no IPv4 default route is installed. Either every NIC on an IPv4 subnet is configured, or " +
		"DefaultNIC names a NIC that is offered no default route while another NIC is offered one.",
	why:    "Destinations without a route of their own are unreachable.",
	remedy: "Give the subnet that should carry the default route DHCP and a gateway inside its CIDR, or set DefaultNIC to a NIC that is offered one.",
	example: func() Instance {
		in := twoNICs(front(), back())
		in.DefaultNIC, in.ConfigDrive = "", true
		for _, n := range in.NICs {
			n.Subnets[0].Gateway, n.Subnets[0].DHCPDisabled = netip.Addr{}, true
		}
		return in
	},
	scope: ofInstance,
	applies: func(s *subject) bool {
		isConfigured := func(n nic) bool { return n.ipv4 != nil }
		isMissing := func(n nic) bool { return n.ipv4 == nil && count4(&n) > 0 }
		allConfigured := slices.ContainsFunc(s.nics, isConfigured) && !slices.ContainsFunc(s.nics, isMissing)
		return len(s.nics) > 1 && s.default4() == nil && (allConfigured || len(lostDefaults(s)) > 0)
	},
	tell: func(s *subject, f *Finding) {
		f.Message = "no NIC gets an IPv4 default route"
		if s.DefaultNIC != "" {
			f.Message = "the guest is told to use the IPv4 default route of " + quoted(s.DefaultNIC) + ", and gets none there"
		}
		f.Message += ": destinations without a route of their own are unreachable"
		for _, n := range lostDefaults(s) {
			f.Related = append(f.Related, Related{Ref{Instance: s.Name, NIC: n.Name}, "is offered a default route, and the guest drops it"})
			f.Fixes = append(f.Fixes, instruction("have the guest keep the default route of "+quoted(n.Name)))
		}
		f.Fixes = append(f.Fixes, instruction("give the subnet that should carry the default route DHCP and a gateway inside its CIDR"))
	},
}

// lostDefaults returns the NICs whose offered default the guest drops for a NIC that is offered none.
func lostDefaults(s *subject) []*nic {
	offered := offeredDefault(s.guest, 0)
	if keeps := s.defaults[0]; keeps == 0 || slices.Contains(offered, &s.nics[keeps-1]) {
		return nil
	}
	return offered
}

var overlappingSubnets = rule{
	code: CodeOverlappingSubnets, severity: SeverityError,
	title: "subnets of two NICs overlap",
	when:  "A subnet of a NIC overlaps a subnet of an earlier NIC, or is the same.",
	why: "The guest reaches an address in both subnets by only one of the NICs: the one with the longer prefix or, if the prefixes are equal, the " +
		"earlier one under most guests. Data to the other NIC's neighbours leaves by the wrong NIC, and the hypervisor drops it if its source address " +
		"is the other NIC's.",
	remedy: "Use subnets that do not overlap. Put two NICs that are on one subnet on different subnets.",
	example: func() Instance {
		in := twoNICs(front(), exampleSubnet("wide", "10.65.0.0/16", "10.65.255.1"))
		in.NICs[1].Addrs = nil
		return in
	},
	scope:   ofSubnet,
	applies: func(s *subject) bool { return len(overlapping(s)) > 0 },
	tell: func(s *subject, f *Finding) {
		overlaps := overlapping(s)
		first := overlaps[0].Ref
		f.Message = s.subnet.CIDR.String() + " overlaps subnet " + quoted(first.Subnet) + " of " + quoted(first.NIC) +
			": the guest reaches an address in both by one of the NICs only"
		fix := "use subnets that do not overlap"
		if first.Subnet == s.subnet.ID {
			f.Message = quoted(first.NIC) + " is on subnet " + s.subnet.label() + ", too: the guest reaches its addresses by one of the NICs only"
			fix = "put " + quoted(first.NIC) + " and " + quoted(s.nic.Name) + " on different subnets"
		}
		if more := len(overlaps) - maxListed; more > 0 {
			f.Message += "; more subnets that overlap it: " + strconv.Itoa(more)
		}
		f.Related = overlaps[:min(len(overlaps), maxListed)]
		f.Fixes = []Fix{instruction(fix)}
	},
}

// overlapping returns the overlapping subnets of earlier NICs.
func overlapping(s *subject) (list []Related) {
	for _, n := range s.nics[:s.nic.index] {
		for _, o := range n.Subnets {
			if o.CIDR.Overlaps(s.subnet.CIDR) {
				list = append(list, Related{Ref{s.Name, n.Name, o.ID, HostRoute{}}, "has " + o.CIDR.String()})
			}
		}
	}
	return list
}
