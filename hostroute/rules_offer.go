package hostroute

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// The rules about stage 1: what is offered, and what Neutron accepts.

// isWithheld reports whether the code says why no host route of the subnet arrives.
func isWithheld(s *subject, by Code) bool { return s.nic.withheld(s.subnet, s.ConfigDrive) == by }

var noLease = rule{
	code: CodeNoLease, severity: SeverityError,
	title: "subnet without a usable gateway gives no lease",
	when:  "An IPv4 subnet with DHCP has no gateway, or one outside its CIDR.",
	why: "Calico's DHCP server takes the gateway's address. Without one in the subnet it answers nobody, and the NIC gets no address and no route. " +
		"\"No gateway on the second subnet\" is the usual advice against two default routes. Under Calico it takes the lease away.",
	remedy: "Give the subnet a gateway inside its CIDR and, in the same request, allocation pools without that address. Neutron refuses a gateway that lies " +
		"in a pool, and the pool of a subnet that was made without a gateway covers all of its addresses. For 11.8.0.0/24, the command may be: " +
		"openstack subnet set --gateway 11.8.0.1 --no-allocation-pool --allocation-pool start=11.8.0.2,end=11.8.0.254 SUBNET. First make sure that no port has the " +
		"gateway's address: Neutron does not check that. If that makes a second " +
		"default route, tell the guest which one to keep (see multiple-defaults).",
	example: func() Instance {
		s := back()
		s.Gateway = netip.Addr{}
		return oneNIC(s)
	},
	scope:   ofSubnet,
	applies: func(s *subject) bool { return isWithheld(s, CodeNoLease) },
	tell: func(s *subject, f *Finding) {
		name, cidr := s.subnet.label(), s.subnet.CIDR.String()
		problem := "subnet " + name + " has no gateway"
		if s.subnet.Gateway.IsValid() {
			problem = "gateway " + s.subnet.Gateway.String() + " of subnet " + name + " is outside its CIDR " + cidr
		}
		gateway := "a gateway inside " + cidr
		if hop := commonNextHop(s.subnet); hop.IsValid() {
			gateway += " (its host routes have the next hop " + hop.String() + ")"
		}
		f.Message = problem + ": Calico's DHCP server has no address in the subnet, so it gives no lease, and nothing from the subnet arrives"
		f.Fixes = []Fix{instruction("give subnet " + name + " " + gateway + " and, in the same request, allocation pools without that address; if that makes a second default route, tell the guest which one to keep")}
	},
}

// commonNextHop returns the next hop of all host routes, if they have one in common that could be the gateway.
func commonNextHop(s *Subnet) netip.Addr {
	var hop netip.Addr
	for _, r := range s.HostRoutes {
		hop = r.NextHop
		if hop != s.HostRoutes[0].NextHop || !s.CIDR.Contains(hop) || hop == broadcast(s.CIDR) {
			return netip.Addr{}
		}
	}
	return hop
}

var secondIPv4Subnet = rule{
	code: CodeSecondIPv4Subnet, severity: SeverityWarning,
	title:   "NIC with several IPv4 subnets",
	when:    "A NIC has fixed IPs in more than one IPv4 subnet.",
	why:     "A NIC gets one lease, however many fixed IPs it has. Only the routes of the leased subnet arrive. The DHCP server chooses which subnet that is.",
	remedy:  "Use one port for each IPv4 subnet.",
	example: func() Instance { return oneNIC(back(), exampleSubnet("more", "11.9.0.0/24", "11.9.0.1")) },
	scope:   ofNIC,
	applies: func(s *subject) bool { return count4(s.nic) > 1 },
	tell: func(s *subject, f *Finding) {
		n := s.nic
		f.Message = quoted(n.Name) + " has " + strconv.Itoa(count4(n)) + " IPv4 subnets, and a guest configures only one of them. This report assumes "
		switch {
		case n.ipv4 == nil:
			f.Message += "that it configures none"
		case n.static:
			f.Message += "subnet " + n.ipv4.label() + ", which is on the config drive"
		default:
			f.Message += "subnet " + n.ipv4.label()
		}
		mayLease := false
		for _, o := range n.Subnets {
			if o.is4() && o != n.ipv4 {
				f.Related = append(f.Related, Related{Ref{s.Name, n.Name, o.ID, HostRoute{}}, "nothing from it arrives"})
				mayLease = mayLease || !o.DHCPDisabled && o.hasGateway()
			}
		}
		if mayLease && !n.static {
			f.Message += "; the DHCP server may choose another one"
		}
		f.Fixes = []Fix{instruction("use one port for each IPv4 subnet")}
	},
}

// count4 counts the IPv4 subnets of a NIC.
func count4(n *nic) int {
	count := 0
	for _, s := range n.Subnets {
		if s.is4() {
			count++
		}
	}
	return count
}

var dhcpDisabled = rule{
	code: CodeDHCPDisabled, severity: SeverityError,
	title:  "host routes on a subnet without DHCP",
	when:   "An IPv4 subnet has host routes but no DHCP, and the guest does not read the config drive.",
	why:    "DHCP carries host routes. Without it, none of them arrives.",
	remedy: "Enable DHCP on the subnet.",
	example: func() Instance {
		s := back("11.11.0.0/16,11.8.0.1")
		s.DHCPDisabled = true
		return oneNIC(s)
	},
	scope:   ofSubnet,
	applies: func(s *subject) bool { return isWithheld(s, CodeDHCPDisabled) && len(s.subnet.HostRoutes) > 0 },
	tell: func(s *subject, f *Finding) {
		f.Message = "DHCP is off on subnet " + s.subnet.label() + ": its host routes reach only a guest that reads the config drive"
		f.Fixes = []Fix{instruction("enable DHCP on subnet " + s.subnet.label())}
	},
}

var ipv6NotOffered = rule{
	code: CodeIPv6NotOffered, severity: SeverityError,
	title:  "host routes on an IPv6 subnet",
	when:   "An IPv6 subnet has host routes.",
	why:    "DHCPv6 has no option for routes, and Calico's router advertisements carry none. No IPv6 host route ever arrives.",
	remedy: "Remove them. Program the routes in the guest instead, with the link-local address of its default route as next hop.",
	example: func() Instance {
		return oneNIC(back(), exampleSubnet("back6", "2001:db8::/64", "2001:db8::1", "2001:db8:77::/48,2001:db8::1"))
	},
	scope:   ofSubnet,
	applies: func(s *subject) bool { return isWithheld(s, CodeIPv6NotOffered) && len(s.subnet.HostRoutes) > 0 },
	tell: func(s *subject, f *Finding) {
		remove := Fix{Message: "remove all host routes of subnet " + s.subnet.label()}
		for _, r := range s.subnet.HostRoutes {
			remove.Edits = append(remove.Edits, Edit{Subnet: s.subnet.ID, Old: r})
		}
		f.Message = "host routes of IPv6 subnet " + s.subnet.label() + " never arrive: neither DHCPv6 nor router advertisements carry them"
		f.Fixes = []Fix{remove}
	},
}

var routesIgnored = rule{
	code: CodeRoutesIgnored, severity: SeverityError,
	title:  "guest that takes no routes from DHCP",
	when:   "A NIC is offered host routes by DHCP, and the instance's Guest is udhcpc.",
	why:    "udhcpc, with Debian's script, does not ask for DHCP option 121 and takes the default route from option 3. It installs no host route.",
	remedy: "Use an image with another DHCP client, or program the routes by hand.",
	example: func() Instance {
		in := twoNICs(front(), back("11.11.0.0/16,11.8.0.1"))
		in.Guest = GuestUdhcpc
		return in
	},
	scope: ofSubnet,
	applies: func(s *subject) bool {
		sent := func(r HostRoute) bool { return s.subnet.sends(&r) }
		return s.subnet == s.nic.ipv4 && !s.nic.static && s.client.ignoresRoutes && slices.ContainsFunc(s.subnet.HostRoutes, sent)
	},
	tell: func(s *subject, f *Finding) {
		f.Message = string(s.client.guest) + " ignores the host routes of subnet " + s.subnet.label() + ": it takes no routes from DHCP but the default"
		f.Fixes = []Fix{instruction("use an image with another DHCP client on this instance, or program the routes in the guest")}
	},
}

var defaultDropped = rule{
	code: CodeDefaultDropped, severity: SeverityError,
	title:   "default route among the host routes",
	when:    "The subnet of a lease has a host route to 0.0.0.0/0, and its next hop is not the gateway.",
	why:     "The subnet has a gateway, so Neutron offers the default route by way of it and drops this host route.",
	remedy:  "Remove it.",
	example: func() Instance { return oneNIC(back("0.0.0.0/0,11.8.0.77")) },
	applies: func(s *subject) bool { return s.route.Cause == CodeDefaultDropped },
	tell: func(s *subject, f *Finding) {
		f.Message = "the host route to 0.0.0.0/0 never arrives: Neutron drops it, because subnet " + s.subnet.label() + " has the gateway " + s.subnet.Gateway.String()
		f.Fixes = []Fix{{"remove the host route", s.removal()}}
	},
}

var optionOverflow = rule{
	code: CodeOptionOverflow, severity: SeverityError,
	title: "too many routes for DHCP",
	when: "The routes that a NIC is offered need more than 255 bytes in DHCP option 121 (RFC 3442). Of the host routes of that subnet, nothing else is " +
		"reported as long as the offer is too long.",
	why: "dnsmasq then drops the whole option. No host route and no sibling route of the subnet arrives, only the default route, by another option. " +
		"Some clients lose offers of more than 197 bytes, too.",
	remedy: "Use fewer host routes, or wider ones.",
	example: func() Instance {
		in := oneNIC(back(numbered(20)...))
		for i := range 12 {
			in.NICs[0].Siblings = append(in.NICs[0].Siblings, netip.MustParsePrefix(fmt.Sprintf("11.9.%d.0/24", i)))
		}
		return in
	},
	scope:   ofSubnet,
	applies: func(s *subject) bool { return isWithheld(s, CodeOptionOverflow) && !s.client.ignoresRoutes },
	tell: func(s *subject, f *Finding) {
		f.Message = "the routes that subnet " + s.subnet.label() + " offers"
		if n := len(s.nic.siblings); n > 0 {
			f.Message += ", " + strconv.Itoa(n) + " of them to sibling subnets,"
		}
		f.Message += " need " + strconv.Itoa(s.nic.bytes) + " bytes, but DHCP option 121 holds 255: no host route and no sibling route arrives, only the default"
		fix := "use fewer host routes on subnet " + s.subnet.label() + ", or wider ones: each takes 5 to 9 bytes, and an offer of up to 197 bytes reaches every client"
		if n := optionLength(&Subnet{}, s.nic.siblings); n > offerMax {
			fix = "use fewer subnets on the network of subnet " + s.subnet.label() + ", or wider ones: without any host route, the offer needs " + strconv.Itoa(n) + " bytes"
		}
		f.Fixes = []Fix{instruction(fix)}
	},
}

var loopbackDestination = rule{
	code: CodeLoopbackDestination, severity: SeverityError,
	title:   "destination inside 127.0.0.0/8",
	when:    "The destination of a host route lies inside 127.0.0.0/8.",
	why:     "Neutron refuses such a host route, so it can only be planned. A guest delivers these addresses to itself.",
	remedy:  "Remove it.",
	example: func() Instance { return twoNICs(front(), back("127.1.0.0/16,11.8.0.1")) },
	applies: func(s *subject) bool {
		d := s.route.Destination
		return s.subnet != nil && d.Addr().Is4() && d.Addr().IsLoopback() && d.Bits() >= 8
	},
	tell: func(s *subject, f *Finding) {
		f.Message = "destination " + s.route.Destination.String() + " is inside 127.0.0.0/8: Neutron refuses the host route"
		f.Fixes = []Fix{{"remove the host route", s.removal()}}
	},
}

var tooManyRoutes = rule{
	code: CodeTooManyRoutes, severity: SeverityWarning,
	title:   "more host routes than Neutron's default limit",
	when:    "A subnet has more than 20 host routes.",
	why:     "By default Neutron allows 20 for a subnet (max_subnet_host_routes). It refuses any change that leaves more.",
	remedy:  "Use fewer and wider host routes, or raise the limit.",
	example: func() Instance { return twoNICs(front(), back(numbered(maxHostRoutes+1)...)) },
	scope:   ofSubnet,
	applies: func(s *subject) bool { return len(s.subnet.HostRoutes) > maxHostRoutes },
	tell: func(s *subject, f *Finding) {
		f.Message = "subnet " + s.subnet.label() + " has " + strconv.Itoa(len(s.subnet.HostRoutes)) +
			" host routes: Neutron's default limit is 20 (max_subnet_host_routes), and it refuses a change that leaves more"
		f.Fixes = []Fix{instruction("use fewer and wider host routes on subnet " + s.subnet.label() + ", or raise Neutron's limit")}
	},
}

var hostBits = rule{
	code: CodeHostBits, severity: SeverityError,
	title: "destination has host bits",
	when:  "The destination of a route has bits outside its mask.",
	why: "Neutron refuses such a host route today, but a plan or older data can hold one. DHCP (RFC 3442) carries only the octets that the " +
		"prefix length reaches. Bits in the other octets vanish. Host bits in the last octet carried stay: NetworkManager masks them, the other guests " +
		"refuse the route, and systemd-networkd stops DHCP on the whole NIC.",
	remedy:  "Mask the destination.",
	example: func() Instance { return twoNICs(front(), back("11.11.77.5/16,11.8.0.1")) },
	applies: func(s *subject) bool { return s.route.hasHostBits() },
	tell: func(s *subject, f *Finding) {
		c := s.route.candidate
		masked := c.Destination.Masked().String()
		f.Message = "destination " + c.Destination.String() + " has bits outside its mask: "
		if c.subnet == nil {
			f.Message += refusal(c, true)
			f.Fixes = []Fix{instruction("in the guest, use the destination " + masked)}
			return
		}
		f.Message += "Neutron refuses such a host route today"
		switch {
		case c.tried && c.badMask:
			f.Message += "; where older data has one, " + refusal(c, true)
		case c.tried:
			f.Message += "; one from older data arrives as " + masked
		}
		f.Fixes = s.replace(c.masked(), "mask the destination: "+masked)
	},
}

// refusal tells what becomes of a route that the guest refuses, perhaps because Linux refuses it whatever else is installed.
func refusal(c *candidate, always bool) string {
	if always && c.byDHCP() {
		return "the guest refuses the route, and systemd-networkd stops DHCP on the whole NIC"
	}
	return "the guest refuses the route"
}
