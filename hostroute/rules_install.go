package hostroute

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The rules about stage 2: what the guest installs.

var duplicate = rule{
	code: CodeDuplicate, severity: SeverityInfo,
	title: "destination already has a route through the same NIC",
	when:  "The destination is already installed through the same NIC.",
	why:   "Linux keeps the first route and refuses the later one (\"File exists\").",
	remedy: "Remove it. If it is by the gateway and the others in its list are not, remove those instead: Neutron keeps no order, so another one may " +
		"come first the next time.",
	example: func() Instance { return twoNICs("11.8.0.0/24,11.8.0.1") },
	scope:   ofRoute,
	cause:   CodeDuplicate,
	tell: func(s *subject) Finding {
		c := s.route.candidate
		f := Finding{
			Message: "destination " + c.dest.prefix.String() + " already has a route through " + quoted(c.nic.Name) + ": Linux keeps the first",
			Related: s.winner(c),
			Fixes:   s.remove(),
		}
		if edits := s.removeNeighbours(c); len(edits) > 0 {
			f.Fixes = []Fix{{"remove the host routes to " + c.dest.prefix.String() + " by other next hops than the gateway", edits}}
		}
		return f
	},
}

// removeNeighbours returns the edits that leave a host route by the gateway alone in its list, if that lets it in.
func (f *fib) removeNeighbours(c *candidate) []Edit {
	if c.subnet == nil || c.NextHop != c.subnet.usableGateway() {
		return nil
	}
	var edits []Edit
	for _, o := range c.dest.rivals {
		own := o.source == SourceHostRoute && o.nic == c.nic
		switch {
		case own && o.NextHop != c.NextHop && len(edits) < maxHostRoutes:
			edits = append(edits, removeEdit(o)) // those that Linux refuses, too: masked, it may not
		case o != c && o.number < c.number && f.accepts(o):
			return nil
		}
	}
	return edits
}

// winner names what is installed for a candidate's destination.
func (f *fib) winner(c *candidate) []Related {
	w := f.inForce[c.dest.number]
	message := "is installed instead"
	if w.source == SourceDefault {
		message += ", as the default route of the subnet"
	}
	return []Related{{w.ref(f.Name), message}}
}

var conflict = rule{
	code: CodeConflict, severity: SeverityWarning,
	title:  "destination already has a route through another NIC",
	when:   "The destination is already installed through another NIC, or it is a default route that the guest is told to drop.",
	why:    "This NIC does not get the destination. Which NIC wins depends on the order of the NICs and on the DHCP client.",
	remedy: "Remove one or the other.",
	example: func() Instance {
		in := twoNICs("11.11.0.0/16,11.8.0.1")
		in.NICs[0].Subnets[0].HostRoutes = []HostRoute{MustParseHostRoute("11.11.0.0/16,10.65.0.1")}
		return in
	},
	scope: ofRoute,
	cause: CodeConflict,
	tell: func(s *subject) Finding {
		c := s.route.candidate
		own := quoted(c.nic.Name)
		w := s.inForce[c.dest.number]
		f := Finding{Fixes: s.remove()}
		if w != nil && c.subnet != nil && w.subnet == c.subnet {
			f.Fixes = nil // no edit of their one list settles it
		}
		if s.result(c) == dropped {
			f.Message = "the guest keeps the default of " + quoted(s.DefaultNIC) + " and drops that of " + own
			return f
		}
		f.Related = s.winner(c)
		f.Message = "destination " + c.dest.prefix.String() + " already has a route through " + quoted(w.nic.Name) + " and leaves there"
		if c.byDHCP() {
			f.Message += ", and other DHCP clients may choose otherwise"
		}
		if edits, from := s.removeRivals(c); len(edits) > 0 {
			f.Fixes = append(f.Fixes, Fix{"remove the host routes to " + c.dest.prefix.String() + " from " + from + ": " + own + " gets the destination", edits})
		}
		return f
	},
}

// removeRivals returns the edits that remove what keeps a host route out, and from where; nil if one
// of these is of its own subnet or is no host route, or if they are more than a list holds.
func (f *fib) removeRivals(c *candidate) (edits []Edit, from string) {
	if c.subnet == nil {
		return nil, ""
	}
	var subnets []*Subnet
	for _, o := range c.dest.rivals {
		if o.number >= c.number || !f.accepts(o) {
			continue
		}
		if o.source != SourceHostRoute || o.subnet == c.subnet {
			return nil, ""
		}
		if !slices.Contains(subnets, o.subnet) {
			subnets = append(subnets, o.subnet)
		}
		if len(subnets) > maxHostRoutes {
			return nil, ""
		}
	}
	for _, o := range c.dest.rivals { // those that Linux refuses, too: masked, it may not
		if o.source != SourceHostRoute || !slices.Contains(subnets, o.subnet) {
			continue
		}
		if e := removeEdit(o); !slices.Contains(edits, e) {
			edits = append(edits, e)
		}
		if len(edits) > maxHostRoutes {
			return nil, ""
		}
	}
	var names []string
	for _, s := range subnets {
		names = append(names, s.label())
	}
	if len(names) == 1 {
		return edits, "subnet " + names[0]
	}
	return edits, "subnets " + strings.Join(names, ", ")
}

var multipleDefaults = rule{
	code: CodeMultipleDefaults, severity: SeverityWarning,
	title: "several NICs are offered a default route",
	when:  "More than one NIC is offered a default route of one family, and DefaultNIC is empty.",
	why: "Nothing says which one the guest keeps, and DHCP clients differ. This report assumes the first one. With another one, other host routes " +
		"may matter.",
	remedy:  "Tell the guest which NIC's default route to keep, and set DefaultNIC to that NIC.",
	example: func() Instance { in := twoNICs(); in.DefaultNIC = ""; return in },
	scope:   ofInstance,
	applies: func(s *subject) bool { return len(s.choices()) > 0 },
	tell: func(s *subject) Finding {
		var f Finding
		var names []string
		for _, k := range s.choices() {
			n := k.v4
			if n == nil {
				n = k.v6
			}
			if name := quoted(n.Name); !slices.Contains(names, name) {
				names = append(names, name)
				f.Related = append(f.Related, Related{Ref{Instance: s.Name, NIC: n.Name}, "is offered a default route"})
			}
		}
		f.Message = strings.Join(names, ", ") + " are each offered a default route, and nothing says which one the guest keeps: DHCP clients differ, and this report assumes the first"
		var first Ref
		depend := 0
		for _, j := range s.judged {
			if j.onDefault {
				if depend == 0 {
					first = j.Subject
				}
				depend++
				f.Related = append(f.Related, Related{j.Subject, "its effect depends on which default route the guest keeps"})
			}
		}
		first.Instance = ""
		switch depend {
		case 0:
		case 1:
			f.Message += "; 1 route depends on it, " + first.String()
		default:
			f.Message += "; " + strconv.Itoa(depend) + " routes depend on it, " + first.String() + " first"
		}
		f.Fixes = instructions(
			"netplan or systemd-networkd: give every NIC but the one whose default route you want a higher route-metric (RouteMetric)",
			"NetworkManager: set ipv4.never-default on the other NICs",
			"dhcpcd: set nogateway in the interface sections of the other NICs",
			"dhclient: on the other NICs, add an enter hook that takes the default route out of option 121 and unsets new_routers",
		)
		return f
	},
}

var noDefault = rule{
	code: CodeNoDefault, severity: SeverityWarning,
	title: "several NICs and no default route",
	when: "The instance has several NICs and no IPv4 default route is installed. Either every NIC with IPv4 is configured, or DefaultNIC names one that is " +
		"offered no default route while another NIC is.",
	why:    "Destinations without a route of their own are unreachable.",
	remedy: "Give a gateway to the subnet that should carry the default route, or set DefaultNIC to a NIC that is offered one.",
	example: func() Instance {
		in := twoNICs()
		in.DefaultNIC, in.ConfigDrive = "", true
		for i := range in.NICs {
			s := in.NICs[i].Subnets[0]
			s.Gateway, s.DHCPDisabled = netip.Addr{}, true
		}
		return in
	},
	scope: ofInstance,
	applies: func(s *subject) bool {
		if len(s.nics) < 2 || s.defaultInForce() {
			return false
		}
		return s.configured4() || len(s.lostDefaults()) > 0
	},
	tell: func(s *subject) Finding {
		f := Finding{
			Message: "no NIC gets an IPv4 default route",
			Fixes:   instructions("give a gateway to the subnet that should carry the default route"),
		}
		if s.DefaultNIC != "" {
			f.Message = "the guest is told to keep the IPv4 default route of " + quoted(s.DefaultNIC) + ", and gets none there"
		}
		f.Message += ": destinations without a route of their own are unreachable"
		for _, n := range s.lostDefaults() {
			f.Related = append(f.Related, Related{Ref{Instance: s.Name, NIC: n.Name}, "is offered a default route, and the guest drops it"})
			f.Fixes = append(f.Fixes, instructions("have the guest keep the default route of "+quoted(n.Name))...)
		}
		return f
	},
}

// configured4 says whether every NIC with IPv4 is configured, and at least one is.
func (g *guest) configured4() bool {
	some := false
	for i := range g.nics {
		n := &g.nics[i]
		if n.ipv4 == nil && n.count4() > 0 {
			return false
		}
		some = some || n.ipv4 != nil
	}
	return some
}

// lostDefaults returns the NICs whose offered default the guest drops for a NIC that is offered none.
func (f *fib) lostDefaults() []*nic {
	offered := f.offered(any4)
	if f.kept.v4 == nil || slices.Contains(offered, f.kept.v4) {
		return nil
	}
	return offered
}

// maxOverlaps is how many subnets one finding lists, so that NICs with many subnets make no long lists.
const maxOverlaps = maxNICs

var overlappingSubnets = rule{
	code: CodeOverlappingSubnets, severity: SeverityError,
	title:  "subnets of two NICs overlap",
	when:   "A subnet of a NIC overlaps a subnet of an earlier NIC, or is the same.",
	why:    "The connected route of the earlier NIC wins. The neighbours of the later NIC are reached through the wrong one.",
	remedy: "Use subnets that do not overlap.",
	example: func() Instance {
		in := twoNICs()
		in.NICs[1] = NIC{Name: "eth1", Subnets: []*Subnet{exampleSubnet("wide", "10.65.0.0/16", "10.65.255.1")}}
		return in
	},
	scope: ofSubnet,
	applies: func(s *subject) bool {
		overlaps, _ := s.overlaps()
		return len(overlaps) > 0
	},
	tell: func(s *subject) Finding {
		overlaps, more := s.overlaps()
		first := overlaps[0]
		m := s.subnet.CIDR.String() + " overlaps subnet " + first.subnet.label() + " of " + quoted(first.nic.Name) + ": an address in both is"
		if first.subnet == s.subnet {
			m = quoted(first.nic.Name) + " is on subnet " + s.subnet.label() + " as well: its addresses are"
		}
		m += " reached through one of the NICs only"
		if more > 0 {
			m += "; " + strconv.Itoa(more) + " more subnets overlap it"
		}
		f := Finding{Message: m, Fixes: instructions("use subnets that do not overlap")}
		for _, o := range overlaps {
			f.Related = append(f.Related, Related{Ref{s.Name, o.nic.Name, o.subnet.ID, HostRoute{}}, "has " + o.subnet.CIDR.String()})
		}
		return f
	},
}

// An attachment is a NIC's to a subnet.
type attachment struct {
	nic    *nic
	subnet *Subnet
}

// overlaps returns the overlapping subnets of earlier NICs, up to maxOverlaps, and how many more there are.
func (s *subject) overlaps() (list []attachment, more int) {
	for i := range s.nics[:s.nic.number] {
		n := &s.nics[i]
		for _, o := range n.Subnets {
			switch {
			case !o.CIDR.Overlaps(s.subnet.CIDR):
			case len(list) < maxOverlaps:
				list = append(list, attachment{n, o})
			default:
				more++
			}
		}
	}
	return list, more
}
