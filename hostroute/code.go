package hostroute

import (
	"net/netip"
	"slices"
)

// A Code names what a finding is about. Codes are stable; new ones may be added.
// [Rules] documents them.
type Code string

// The codes, each in one line; [Rules] has the rest.
const (
	CodeNextHopNotGateway  Code = "next-hop-not-gateway" // the next hop is a neighbour, not the gateway
	CodeNextHopOtherNIC    Code = "next-hop-other-nic"   // the host route is on the wrong subnet
	CodeNextHopOffLink     Code = "next-hop-off-link"    // the NIC does not reach the next hop
	CodeNextHopOwnAddress  Code = "next-hop-own-address" // the next hop is the NIC itself
	CodeNextHopOnLink      Code = "next-hop-on-link"     // the next hop is 0.0.0.0
	CodeNextHopUnusable    Code = "next-hop-unusable"    // the address cannot be a next hop, whatever the subnet
	CodeNoLease            Code = "no-lease"             // without a gateway in the subnet, DHCP gives no lease
	CodeSecondIPv4Subnet   Code = "second-ipv4-subnet"   // one lease for several IPv4 subnets
	CodeDHCPDisabled       Code = "dhcp-disabled"        // nothing hands the host routes out
	CodeIPv6NotOffered     Code = "ipv6-not-offered"     // nothing carries IPv6 host routes
	CodeDefaultDropped     Code = "default-dropped"      // 0.0.0.0/0 by another next hop than the gateway, which is the default
	CodeOptionOverflow     Code = "option-overflow"      // the offer is too long for DHCP
	CodeHostBits           Code = "host-bits"            // the destination has bits outside its mask
	CodeDuplicate          Code = "duplicate"            // installed already, through the same NIC
	CodeConflict           Code = "conflict"             // installed already, through another NIC
	CodeCapturesSubnet     Code = "captures-subnet"      // it takes another NIC's own subnet
	CodeSingleNIC          Code = "single-nic"           // there is no other NIC
	CodeRedundant          Code = "redundant"            // all would leave by that NIC anyway
	CodeShadowed           Code = "shadowed"             // other routes claim every address
	CodeMultipleDefaults   Code = "multiple-defaults"    // several NICs are offered a default
	CodeNoDefault          Code = "no-default"           // several NICs, none with a default
	CodeOverlappingSubnets Code = "overlapping-subnets"  // two NICs' subnets overlap
)

// A Rule documents a code.
type Rule struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"` // of every finding of the code
	Title    string   `json:"title"`    // what is wrong, in a few words
	Doc      string   `json:"doc"`      // when it is found, why it matters, what the fix is
	Example  Instance `json:"example"`  // has one finding: of this code
}

// Rules returns the catalogue of codes, in the order of the three stages. Every
// call makes a new one.
func Rules() []Rule {
	out := make([]Rule, len(catalogue))
	for i, c := range catalogue {
		out[i] = Rule{c.code, c.severity, c.title, c.doc, c.example()}
	}
	return out
}

func severity(c Code) Severity {
	i := slices.IndexFunc(catalogue[:], func(e entry) bool { return e.code == c })
	if i < 0 {
		return 0
	}
	return catalogue[i].severity
}

type entry struct {
	code       Code
	severity   Severity
	title, doc string
	example    func() Instance
}

// two is an instance on the subnets front and back, with host routes on back. It
// keeps the default of eth0, so that a route on back steers.
func two(back ...string) Instance {
	return Instance{Name: "web-1", DefaultNIC: "eth0", NICs: []NIC{
		{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.65.0.5")}, Subnets: []*Subnet{exampleSubnet("front", "10.65.0.0/24", "10.65.0.1")}},
		{Name: "eth1", Addrs: []netip.Addr{netip.MustParseAddr("11.8.0.21")}, Subnets: []*Subnet{exampleSubnet("back", "11.8.0.0/24", "11.8.0.1", back...)}},
	}}
}

// one is an instance on the subnet back alone.
func one(back ...string) Instance {
	in := two(back...)
	in.DefaultNIC, in.NICs = "", in.NICs[1:]
	return in
}

// with returns in with its last subnet changed.
func with(in Instance, change func(s *Subnet)) Instance {
	change(in.NICs[len(in.NICs)-1].Subnets[0])
	return in
}

func exampleSubnet(id, cidr, gateway string, routes ...string) *Subnet {
	s := &Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: netip.MustParseAddr(gateway)}
	for _, r := range routes {
		s.HostRoutes = append(s.HostRoutes, MustParseHostRoute(r))
	}
	return s
}

var catalogue = [...]entry{
	{CodeNextHopNotGateway, SeverityError, "next hop is not the gateway",
		"The next hop lies on the NIC's link, but it is not the gateway of the subnet. The guest installs the route, and the hypervisor forwards " +
			"the data itself: the router that the next hop seems to name never sees it. If the hypervisor has no route to that address, " +
			"nothing answers for it and the data is lost. Fix: name the gateway; with one NIC, the host route may also go.",
		func() Instance { return two("11.11.0.0/16,11.8.0.77") }},
	{CodeNextHopOtherNIC, SeverityWarning, "next hop is another NIC's gateway",
		"The next hop is the gateway of a subnet of another NIC: the host route is on the wrong subnet. A route belongs to the NIC whose lease " +
			"carried it. Some DHCP clients refuse it, some send the data out of the wrong NIC. Fix: move it to that gateway's subnet.",
		func() Instance { return two("11.11.0.0/16,10.65.0.1") }},
	{CodeNextHopOffLink, SeverityError, "next hop is not on the NIC's link",
		"The next hop lies neither in the subnet nor behind an on-link route of the NIC. Linux refuses the route (\"Nexthop has invalid " +
			"gateway\"). Fix: name the gateway of the subnet, or remove the host route.",
		func() Instance { return two("11.11.0.0/16,192.0.2.1") }},
	{CodeNextHopOwnAddress, SeverityError, "next hop is the NIC's own address",
		"The next hop is an address of the instance itself. Linux accepts it and treats the destination as on-link, which reaches the hypervisor " +
			"only as long as that answers for every single address. Fix: name the gateway; with one NIC, the host route may also go.",
		func() Instance { return two("11.11.0.0/16,11.8.0.21") }},
	{CodeNextHopOnLink, SeverityWarning, "next hop is 0.0.0.0",
		"The next hop 0.0.0.0 makes the destination on-link. That works by proxy ARP, and with some DHCP clients only: dhcpcd installs the " +
			"first address of it. Fix: name the gateway.",
		func() Instance { return two("11.11.0.0/16,0.0.0.0") }},
	{CodeNextHopUnusable, SeverityError, "next hop cannot be one",
		"The next hop is a multicast, loopback, class E or broadcast address, of another family than the destination or the subnet, or a gateway that " +
			"Linux refuses. Where it is refused, it stops systemd-networkd's DHCP on the whole NIC. Fix: name the gateway, or remove the host route.",
		func() Instance { return two("11.11.0.0/16,224.0.0.5") }},
	{CodeNoLease, SeverityError, "subnet without a usable gateway gives no lease",
		"The subnet has DHCP, and no gateway or one outside its CIDR. Calico's DHCP server takes the gateway's address; without one in the " +
			"subnet it answers nobody. The NIC gets no address and no route. Fix: give the subnet a gateway.",
		func() Instance { return with(one(), func(s *Subnet) { s.Gateway = netip.Addr{} }) }},
	{CodeSecondIPv4Subnet, SeverityWarning, "NIC with several IPv4 subnets",
		"A NIC gets one lease, whatever the number of its fixed IPs. Only the routes of the leased subnet arrive; which one that is, is the DHCP " +
			"server's choice. Fix: one port for each IPv4 subnet.",
		func() Instance {
			in := one()
			in.NICs[0].Subnets = append(in.NICs[0].Subnets, exampleSubnet("more", "11.9.0.0/24", "11.9.0.1"))
			return in
		}},
	{CodeDHCPDisabled, SeverityError, "host routes on a subnet without DHCP",
		"Host routes travel by DHCP, which is off, and the guest does not read the config drive. None of them arrives. Fix: enable DHCP.",
		func() Instance { return with(one("11.11.0.0/16,11.8.0.1"), func(s *Subnet) { s.DHCPDisabled = true }) }},
	{CodeIPv6NotOffered, SeverityError, "host routes on an IPv6 subnet",
		"Neither DHCPv6 nor Calico's router advertisements carry routes. No IPv6 host route ever arrives. Fix: remove them; program the " +
			"routes in the guest, with the link-local address of its default route as next hop.",
		func() Instance {
			in := one()
			in.NICs[0].Subnets = append(in.NICs[0].Subnets, exampleSubnet("back6", "2001:db8::/64", "2001:db8::1", "2001:db8:77::/48,2001:db8::1"))
			return in
		}},
	{CodeDefaultDropped, SeverityError, "default route among the host routes",
		"Neutron drops a host route to 0.0.0.0/0 where the subnet has a gateway, and without one Calico gives no lease. So it never arrives, " +
			"and its next hop is not the gateway that the default has. Fix: remove it.",
		func() Instance { return one("0.0.0.0/0,11.8.0.77") }},
	{CodeOptionOverflow, SeverityError, "too many routes for DHCP",
		"All routes travel in DHCP option 121 (RFC 3442), and the offer needs more than 255 bytes. dnsmasq drops the option whole: no host route " +
			"and no sibling route of the subnet arrives, only the default, by another option. Fix: fewer or wider host routes.",
		func() Instance {
			return with(one(), func(s *Subnet) {
				for i := range 32 {
					dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 24)
					s.HostRoutes = append(s.HostRoutes, HostRoute{dst, s.Gateway})
				}
			})
		}},
	{CodeHostBits, SeverityError, "destination has host bits",
		"The destination has bits outside its mask. On the wire (RFC 3442) whole octets beyond the mask vanish; bits within the last one stay, " +
			"and Linux refuses the route, which also stops systemd-networkd's DHCP on the NIC. Fix: mask the destination.",
		func() Instance { return two("11.11.77.5/16,11.8.0.1") }},
	{CodeDuplicate, SeverityInfo, "destination is there already",
		"The destination is already installed through the same NIC. Linux keeps the first (\"File exists\"). Fix: remove the later.",
		func() Instance { return two("11.8.0.0/24,11.8.0.1") }},
	{CodeConflict, SeverityWarning, "destination is there through another NIC",
		"The destination is already installed through another NIC, so that this NIC does not get it. Which of the two wins depends on the order of " +
			"the NICs and on the DHCP client. Fix: remove one or the other.",
		func() Instance {
			in := two("11.11.0.0/16,11.8.0.1")
			in.NICs[0].Subnets[0].HostRoutes = []HostRoute{MustParseHostRoute("11.11.0.0/16,10.65.0.1")}
			return in
		}},
	{CodeCapturesSubnet, SeverityWarning, "route takes another NIC's subnet",
		"The route takes addresses that lie in another NIC's own subnet: they are reached through the wrong NIC, and what bears that other NIC's " +
			"address is dropped by reverse path filtering. Fix: remove it.",
		func() Instance {
			in := two()
			in.NICs[0].Subnets[0].HostRoutes = []HostRoute{MustParseHostRoute("11.8.0.0/24,10.65.0.1")}
			return in
		}},
	{CodeSingleNIC, SeverityInfo, "host route with one NIC",
		"The instance has one NIC, and what the route decides leaves by it anyway. Unhelpful, though harmless. Fix: remove it, if no other instance on the subnet needs it.",
		func() Instance { return one("11.11.0.0/16,11.8.0.1") }},
	{CodeRedundant, SeverityInfo, "host route that changes nothing",
		"What the route decides would leave by the same NIC without it. Fix: remove it, if no other instance on the subnet needs it.",
		func() Instance {
			return with(two(), func(s *Subnet) { s.HostRoutes = []HostRoute{MustParseHostRoute("11.8.0.128/25,11.8.0.1")} })
		}},
	{CodeShadowed, SeverityInfo, "host route that decides nothing",
		"Longer or earlier routes claim every address of the destination. Fix: remove it, if no other instance on the subnet needs it.",
		func() Instance {
			in := two("11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1")
			in.NICs[0].Subnets[0].HostRoutes = []HostRoute{MustParseHostRoute("11.11.0.0/16,10.65.0.1")}
			return in
		}},
	{CodeMultipleDefaults, SeverityWarning, "several NICs are offered a default",
		"More than one NIC is offered a default, and nothing says which one the guest keeps: DHCP clients differ. It is the first here. Fix: tell the " +
			"guest which NIC's default to keep, and say so by DefaultNIC.",
		func() Instance { in := two(); in.DefaultNIC = ""; return in }},
	{CodeNoDefault, SeverityWarning, "several NICs and no default",
		"The instance has several NICs, each is configured, and it gets no IPv4 default, from any NIC or from the one that DefaultNIC names: what no route covers is unreachable. Fix: a gateway on the " +
			"subnet that is meant to carry the default.",
		func() Instance {
			in := two()
			in.DefaultNIC, in.ConfigDrive = "", true
			for i := range in.NICs {
				s := in.NICs[i].Subnets[0]
				s.Gateway, s.DHCPDisabled = netip.Addr{}, true
			}
			return in
		}},
	{CodeOverlappingSubnets, SeverityError, "subnets of two NICs overlap",
		"Subnets of two NICs overlap or are the same. The connected route of the earlier NIC wins, and the later NIC's neighbours are reached " +
			"through the wrong one. Fix: subnets that do not overlap.",
		func() Instance {
			in := two()
			in.NICs[1] = NIC{Name: "eth1", Subnets: []*Subnet{exampleSubnet("wide", "10.65.0.0/16", "10.65.255.1")}}
			return in
		}},
}
