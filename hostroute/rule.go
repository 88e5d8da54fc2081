package hostroute

import (
	"net/netip"
	"slices"
)

// A Code names what a finding is about. Codes are stable; new ones may be added. [Code.Rule] and
// [Rules] document those of this package. Package neutron has one of its own.
type Code string

// The codes, by the stage at which they arise.
const (
	CodeNoLease             Code = "no-lease"             // without a gateway in the subnet, DHCP gives no lease
	CodeSecondIPv4Subnet    Code = "second-ipv4-subnet"   // a NIC with several IPv4 subnets gets one lease
	CodeDHCPDisabled        Code = "dhcp-disabled"        // nothing hands out the host routes
	CodeIPv6NotOffered      Code = "ipv6-not-offered"     // nothing carries IPv6 host routes
	CodeRoutesIgnored       Code = "routes-ignored"       // the guest takes no routes from DHCP
	CodeDefaultDropped      Code = "default-dropped"      // 0.0.0.0/0 by another next hop than the gateway
	CodeOptionOverflow      Code = "option-overflow"      // the offer is too long for DHCP
	CodeLoopbackDestination Code = "loopback-destination" // Neutron refuses a destination inside 127.0.0.0/8
	CodeTooManyRoutes       Code = "too-many-routes"      // Neutron refuses to change the list
	CodeHostBits            Code = "host-bits"            // the destination has bits outside its mask
	CodeNextHopNotGateway   Code = "next-hop-not-gateway" // the next hop is a neighbour, not the gateway
	CodeNextHopOtherNIC     Code = "next-hop-other-nic"   // the host route is on the wrong subnet
	CodeNextHopOffLink      Code = "next-hop-off-link"    // the NIC does not reach the next hop
	CodeNextHopOwnAddress   Code = "next-hop-own-address" // the next hop is the NIC itself
	CodeNextHopOnLink       Code = "next-hop-on-link"     // the next hop is 0.0.0.0
	CodeNextHopUnusable     Code = "next-hop-unusable"    // the address cannot be a next hop
	CodeDuplicate           Code = "duplicate"            // the destination already has a route through the same NIC
	CodeConflict            Code = "conflict"             // the destination already has a route through another NIC
	CodeMultipleDefaults    Code = "multiple-defaults"    // several NICs are offered a default route
	CodeNoDefault           Code = "no-default"           // several NICs and no default route
	CodeOverlappingSubnets  Code = "overlapping-subnets"  // subnets of two NICs overlap
	CodeCapturesSubnet      Code = "captures-subnet"      // the route takes another NIC's own subnet
	CodeSingleNIC           Code = "single-nic"           // there is no other NIC
	CodeRedundant           Code = "redundant"            // its traffic would leave by the same NIC anyway
	CodeShadowed            Code = "shadowed"             // other routes cover every address
)

// A Rule documents a code. CODES.md shows all of them, each with its example.
type Rule struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"` // of every finding with the code
	Title    string   `json:"title"`    // what is wrong, in a few words
	When     string   `json:"when"`     // when it is found
	Why      string   `json:"why"`      // why it matters
	Remedy   string   `json:"remedy"`   // what to do
	Example  Instance `json:"example"`  // an instance with exactly one finding, of this code
}

// Rules returns the catalogue of codes, by the stage at which they arise. Each call makes a new one.
func Rules() []Rule {
	out := make([]Rule, len(catalogue))
	for i, r := range catalogue {
		out[i] = r.document()
	}
	return out
}

// Rule returns what [Rules] has for the code; false if it is unknown.
func (c Code) Rule() (Rule, bool) {
	i := slices.IndexFunc(catalogue, func(r *rule) bool { return r.code == c })
	if i < 0 {
		return Rule{}, false
	}
	return catalogue[i].document(), true
}

// A rule is everything about one code.
type rule struct {
	code     Code
	severity Severity
	title    string
	when     string
	why      string
	remedy   string
	example  func() Instance
	scope    scope
	applies  func(*subject) bool
	tell     func(*subject) Finding // Message, Related and Fixes
}

// A scope says what a rule is asked about.
type scope int

const (
	ofInstance scope = 1 << iota
	ofNIC
	ofSubnet  // on a NIC
	ofRoute   // a host route or manual route
	ofSibling // a sibling route
)

// A subject is what a rule is asked about.
type subject struct {
	*analysis
	nic    *nic    // nil: the instance
	subnet *Subnet // nil: the NIC
	route  judged  // zero: the subnet. A sibling route has no verdict.

	lists map[*Subnet]map[HostRoute][]HostRoute // see written
}

func (r *rule) document() Rule {
	return Rule{r.code, r.severity, r.title, r.when, r.why, r.remedy, r.example()}
}

// catalogue has the rules by stage.
var catalogue = []*rule{
	&noLease, &secondIPv4Subnet, &dhcpDisabled, &ipv6NotOffered, &routesIgnored, &defaultDropped, &optionOverflow, &loopbackDestination, &tooManyRoutes, &hostBits,
	&nextHopNotGateway, &nextHopOtherNIC, &nextHopOffLink, &nextHopOwnAddress, &nextHopOnLink, &nextHopUnusable,
	&duplicate, &conflict, &multipleDefaults, &noDefault, &overlappingSubnets,
	&capturesSubnet, &singleNIC, &redundant, &shadowed,
}

// maxHostRoutes is Neutron's default limit for a subnet, max_subnet_host_routes. No fix makes a
// list longer than that, or changes more host routes.
const maxHostRoutes = 20

// The fixes that rules share. They depend on the subnets alone, so that they are the same on
// every instance.

// instruction is a fix without edits.
func instruction(message string) Fix { return Fix{message, []Edit{}} }

func removeEdit(c *candidate) Edit { return Edit{Subnet: c.subnet.ID, Old: *c.HostRoute} }

// removal returns the edits that remove the route, and those that equal it once they are masked.
func (s *subject) removal() []Edit {
	c := s.route.candidate
	edits := []Edit{removeEdit(c)}
	for _, o := range s.others(c.subnet, *c.HostRoute, *c.HostRoute) {
		edits = append(edits, Edit{Subnet: c.subnet.ID, Old: o})
	}
	return edits
}

// remove proposes to remove a route that other instances may need.
func (s *subject) remove() Fix {
	switch {
	case s.route.subnet == nil:
		return instruction("in the guest, delete the route")
	case s.isAlone():
		return s.removeUseless()
	}
	return Fix{"remove the host route, if no other instance on the subnet needs it", s.removal()}
}

// removeUseless proposes to remove a host route that is of no use to any instance.
func (s *subject) removeUseless() Fix { return Fix{"remove the host route", s.removal()} }

// isAlone reports whether a subnet is looked at with no instance known: its NIC has no name then.
func (s *subject) isAlone() bool { return len(s.nics) == 1 && s.nics[0].Name == "" }

// replace proposes to put a host route, by, in the place of the route. If by is listed already, it proposes to remove the route.
func (s *subject) replace(by HostRoute, message string) Fix {
	c := s.route.candidate
	if len(s.others(c.subnet, by, *c.HostRoute)) > 0 {
		return Fix{"remove the host route: subnet " + c.subnet.label() + " already has " + by.String(), s.removal()}
	}
	edits := s.removal()
	edits[0].New = by
	return Fix{message, edits}
}

// nextHopFixes proposes the subnet's gateway as next hop, if Linux takes it, and to remove the route. The note ends the first message.
func (s *subject) nextHopFixes(note string) []Fix {
	c := s.route.candidate
	if c.subnet == nil {
		return []Fix{instruction(s.manualNextHop())}
	}
	gateway := c.subnet.usableGateway()
	if !gateway.IsValid() || gateway == c.NextHop || !c.oneFamily() {
		return []Fix{s.remove()}
	}
	by := HostRoute{c.Destination.Masked(), gateway}
	fix := s.replace(by, "set the next hop to "+gateway.String()+", the gateway of subnet "+c.subnet.label()+note)
	if fix.Edits[0].New == (HostRoute{}) {
		return []Fix{fix}
	}
	return []Fix{fix, s.remove()}
}

// manualNextHop says what the next hop of a manual route should be.
func (s *subject) manualNextHop() string {
	c := s.route.candidate
	switch {
	case !c.oneFamily():
	case !c.Destination.Addr().Is4() && c.nic.ipv6 != nil:
		return "in the guest, set the next hop to the link-local address that router advertisements on " + quoted(c.nic.Name) + " come from"
	case c.Destination.Addr().Is4() && c.nic.ipv4 != nil && c.nic.ipv4.usableGateway().IsValid():
		return "in the guest, set the next hop to " + c.nic.ipv4.Gateway.String() + ", the gateway of subnet " + c.nic.ipv4.label()
	}
	return "in the guest, leave the route out: Linux accepts no next hop for it on " + quoted(c.nic.Name)
}

// usableGateway returns the gateway if Linux accepts it whatever else is installed; else the zero Addr.
func (s *Subnet) usableGateway() netip.Addr {
	if !s.is4() || !s.hasGateway() || s.CIDR.IsSingleIP() || s.Gateway == broadcast(s.CIDR) {
		return netip.Addr{}
	}
	return s.Gateway
}

// others returns the host routes of a subnet that equal r once they are masked, without but.
func (s *subject) others(of *Subnet, r, but HostRoute) (out []HostRoute) {
	const short = 24 // up to here, a scan is faster
	list := of.HostRoutes
	if len(list) > short {
		list = s.written(of)[r]
	}
	for _, o := range list {
		if o != but && o.NextHop == r.NextHop && o.masked() == r {
			out = append(out, o)
		}
	}
	return out
}

// written returns the host routes of a subnet by what is written for them, masked. It remembers them.
func (s *subject) written(of *Subnet) map[HostRoute][]HostRoute {
	if list, known := s.lists[of]; known {
		return list
	}
	list := make(map[HostRoute][]HostRoute, len(of.HostRoutes))
	for _, r := range of.HostRoutes {
		list[r.masked()] = append(list[r.masked()], r)
	}
	if s.lists == nil {
		s.lists = make(map[*Subnet]map[HostRoute][]HostRoute)
	}
	s.lists[of] = list
	return list
}

// The instances of the examples.

// twoNICs is on the subnets front and back. It keeps the default of eth0, so that a route on back steers.
func twoNICs(onBack ...string) Instance {
	return Instance{Name: "web-1", DefaultNIC: "eth0", NICs: []NIC{
		{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*Subnet{exampleSubnet("front", "10.65.0.0/24", "10.65.0.1")}},
		{Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: []*Subnet{exampleSubnet("back", "11.8.0.0/24", "11.8.0.1", onBack...)}},
	}}
}

// oneNIC is an instance on the subnet back alone.
func oneNIC(onBack ...string) Instance {
	in := twoNICs(onBack...)
	in.DefaultNIC, in.NICs = "", in.NICs[1:]
	return in
}

func exampleSubnet(id, cidr, gateway string, routes ...string) *Subnet {
	s := &Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: netip.MustParseAddr(gateway)}
	for _, r := range routes {
		s.HostRoutes = append(s.HostRoutes, MustParseHostRoute(r))
	}
	return s
}

// addNumbered adds n host routes to a subnet, to networks of 24 bits in 172.16.0.0/16.
func addNumbered(s *Subnet, n int) {
	for i := range n {
		to := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 24)
		s.HostRoutes = append(s.HostRoutes, HostRoute{to, s.Gateway})
	}
}
