package hostroute

import (
	"fmt"
	"iter"
	"net/netip"
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

// Rule returns what [Rules] has for the code; the zero Rule and false if it is none of this package's.
func (c Code) Rule() (Rule, bool) {
	for _, r := range catalogue {
		if r.code == c {
			return r.document(), true
		}
	}
	return Rule{}, false
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
	scope    scope // zero: a route
	siblings bool  // it is asked about sibling routes, too
	applies  func(*subject) bool
	tell     func(*subject, *Finding) // sets Message, Related and Fixes
}

func (r *rule) document() Rule {
	return Rule{r.code, r.severity, r.title, r.when, r.why, r.remedy, r.example()}
}

// A scope says what a rule is asked about.
type scope int

const (
	ofRoute scope = iota // a host route or manual route
	ofInstance
	ofNIC
	ofSubnet  // on a NIC
	ofSibling // a sibling route
)

// A subject is the thing that a rule is asked about: the instance, a NIC, a subnet or a route.
type subject struct {
	*analysis
	nic    *nic    // nil: the instance
	subnet *Subnet // nil: the NIC, or a manual route
	route  judged  // zero: the subnet. A sibling route has no verdict.

	masked map[*Subnet]map[HostRoute][]HostRoute // see byMasked
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

// The fixes that rules share. They depend on the subnets alone, so that they are the same on every instance.

// instruction is a fix without edits.
func instruction(message string) Fix { return Fix{message, []Edit{}} }

// isAlone reports whether a subnet is looked at with no instance known: its NIC has no name then.
func (s *subject) isAlone() bool { return len(s.nics) == 1 && s.nics[0].Name == "" }

// remove proposes to remove a route that other instances may need.
func (s *subject) remove() Fix {
	switch {
	case s.subnet == nil:
		return instruction("in the guest, delete the route")
	case s.isAlone():
		return Fix{"remove the host route", s.removal()}
	}
	return Fix{"remove the host route, if no other instance on the subnet needs it", s.removal()}
}

// removal returns the edits that remove the route, and those that equal it once they are masked.
func (s *subject) removal() []Edit {
	route := *s.route.HostRoute
	edits := []Edit{{Subnet: s.subnet.ID, Old: route}}
	for r := range s.others(s.subnet, route, route) {
		edits = append(edits, Edit{Subnet: s.subnet.ID, Old: r})
	}
	return edits
}

// replace proposes to put by in the place of the route, or one of the alternatives. If by is listed already, it removes the route.
func (s *subject) replace(by HostRoute, message string, alternatives ...Fix) []Fix {
	edits := s.removal()
	if s.has(s.subnet, by, *s.route.HostRoute) {
		return []Fix{{"remove the host route: subnet " + s.subnet.label() + " already has " + by.String(), edits}}
	}
	edits[0].New = by
	return append([]Fix{{message, edits}}, alternatives...)
}

// nextHopFixes proposes the subnet's gateway as next hop, if Linux takes it, and to remove the route. The note ends the first message.
func (s *subject) nextHopFixes(note string) []Fix {
	if s.subnet == nil {
		return []Fix{s.manualNextHop()}
	}
	gateway := s.subnet.usableGateway()
	if !gateway.IsValid() || !s.route.oneFamily() {
		return []Fix{s.remove()}
	}
	by := HostRoute{s.route.Destination.Masked(), gateway}
	return s.replace(by, "set the next hop to "+gateway.String()+", the gateway of subnet "+s.subnet.label()+note, s.remove())
}

// manualNextHop says what the next hop of a manual route should be.
func (s *subject) manualNextHop() Fix {
	is4 := s.route.Destination.Addr().Is4()
	ipv4 := s.nic.ipv4
	switch {
	case !s.route.oneFamily():
	case !is4 && s.nic.ipv6 != nil:
		return instruction("in the guest, set the next hop to the link-local address that router advertisements on " + quoted(s.nic.Name) + " come from")
	case is4 && ipv4 != nil && ipv4.usableGateway().IsValid():
		return instruction("in the guest, set the next hop to " + ipv4.Gateway.String() + ", the gateway of subnet " + ipv4.label())
	}
	return instruction("in the guest, leave the route out: Linux accepts no next hop for it on " + quoted(s.nic.Name))
}

// usableGateway returns the gateway if Linux accepts it whatever else is installed; else the zero Addr.
func (s *Subnet) usableGateway() netip.Addr {
	if !s.is4() || !s.hasGateway() || s.CIDR.IsSingleIP() || s.Gateway == broadcast(s.CIDR) {
		return netip.Addr{}
	}
	return s.Gateway
}

// others returns the host routes of a subnet that equal r once they are masked, without but.
func (s *subject) others(of *Subnet, r, but HostRoute) iter.Seq[HostRoute] {
	list := of.HostRoutes
	if len(list) > maxHostRoutes { // a scan of every list for every route would take too long
		list = s.byMasked(of)[r]
	}
	return func(yield func(HostRoute) bool) {
		for _, o := range list {
			if o != but && o.masked() == r && !yield(o) {
				return
			}
		}
	}
}

// has reports whether there are others. Of many it looks at the first.
func (s *subject) has(of *Subnet, r, but HostRoute) bool {
	for range s.others(of, r, but) {
		return true
	}
	return false
}

// byMasked returns the host routes of a subnet by what they are once they are masked. It remembers them.
func (s *subject) byMasked(of *Subnet) map[HostRoute][]HostRoute {
	list, known := s.masked[of]
	if !known {
		list = make(map[HostRoute][]HostRoute, len(of.HostRoutes))
		for _, o := range of.HostRoutes {
			list[o.masked()] = append(list[o.masked()], o)
		}
		if s.masked == nil {
			s.masked = make(map[*Subnet]map[HostRoute][]HostRoute)
		}
		s.masked[of] = list
	}
	return list
}

// The instances of the examples, and their subnets.

// oneNIC is on back, and perhaps on more subnets.
func oneNIC(subnets ...*Subnet) Instance {
	eth1 := NIC{Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: subnets}
	return Instance{Name: "web-1", NICs: []NIC{eth1}}
}

// twoNICs keeps the default of eth0, so that a route on back steers.
func twoNICs(front, back *Subnet) Instance {
	eth0 := NIC{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*Subnet{front}}
	return Instance{Name: "web-1", DefaultNIC: "eth0", NICs: append([]NIC{eth0}, oneNIC(back).NICs...)}
}

func front(routes ...string) *Subnet {
	return exampleSubnet("front", "10.65.0.0/24", "10.65.0.1", routes...)
}

func back(routes ...string) *Subnet {
	return exampleSubnet("back", "11.8.0.0/24", "11.8.0.1", routes...)
}

func exampleSubnet(id, cidr, gateway string, routes ...string) *Subnet {
	s := &Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: netip.MustParseAddr(gateway)}
	for _, r := range routes {
		s.HostRoutes = append(s.HostRoutes, MustParseHostRoute(r))
	}
	return s
}

// numbered returns n host routes for back.
func numbered(n int) (routes []string) {
	for i := range n {
		routes = append(routes, fmt.Sprintf("172.16.%d.0/24,11.8.0.1", i))
	}
	return routes
}
