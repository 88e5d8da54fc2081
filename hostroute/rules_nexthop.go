package hostroute

import (
	"cmp"
	"net/netip"
	"slices"
)

// The rules about the next hop: does it stand for the hypervisor?

var metadata = netip.MustParsePrefix("169.254.169.254/32")

var nextHopNotGateway = rule{
	code: CodeNextHopNotGateway, severity: SeverityError,
	title: "next hop is not the gateway",
	when:  "The next hop is an address that the NIC reaches directly, but not the gateway of the subnet.",
	why: "The hypervisor answers for every address on the link and forwards the data itself. A router, firewall or VPN instance at the next hop never " +
		"sees the data, and no host route can send it there. If the hypervisor has no route to that address, nothing answers, and the data is lost. A " +
		"host route that leads to the metadata address 169.254.169.254 through a DHCP port is the same mistake.",
	remedy: "Set the next hop to the gateway, or remove the host route. Routing in the hypervisors (BGP) can send data through another machine, and so " +
		"can a tunnel from the guest. A NIC on the router's own network does not help: the hypervisor forwards that data, too.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,11.8.0.77")) },
	applies: func(s *subject) bool {
		switch s.route.Cause {
		case CodeNoLease, CodeHostBits, CodeConflict:
			return false // the finding with that code says what is wrong
		case CodeDuplicate: // it may come first in its list another time, because Neutron keeps no order
			isListed := s.route.source == SourceHostRoute && s.inForce[s.route.dest.index].source == SourceHostRoute
			return isListed && hasClass(s, ClassNotGateway)
		}
		return hasClass(s, ClassNotGateway)
	},
	tell: func(s *subject, f *Finding) {
		hop := s.route.NextHop.String()
		f.Message = "next hop " + hop + " is not the gateway" + gatewayOf(s) + because(s, "the hypervisor forwards the data itself, and a router at "+hop+
			" never sees it; if the hypervisor has no route to "+hop+", the data is lost")
		if s.route.Destination == metadata {
			f.Message += "; 169.254.169.254 is the metadata address, and no host route leads to it through a DHCP port"
		}
		f.Fixes = s.nextHopFixes("; no host route can send data through another machine under Calico")
	},
}

// hasClass reports whether the next hop has a class, unless Neutron drops the route for its destination.
func hasClass(s *subject, class NextHopClass) bool {
	return s.route.Class == class && s.route.Cause != CodeDefaultDropped
}

// because gives the reason of a problem, or says that the route does not even arrive.
func because(s *subject, reason string) string {
	if s.route.tried {
		return ": " + reason
	}
	return ", and the route does not arrive (" + string(s.route.Cause) + ")"
}

// gatewayOf returns " 11.8.0.1 of subnet back"; for a manual route, of the NIC's configured subnet.
func gatewayOf(s *subject) string {
	subnet := cmp.Or(s.subnet, s.nic.ipv4)
	switch {
	case subnet == nil:
		return ""
	case !subnet.Gateway.IsValid():
		return " (subnet " + subnet.label() + " has none)"
	}
	return " " + subnet.Gateway.String() + " of subnet " + subnet.label()
}

var nextHopOtherNIC = rule{
	code: CodeNextHopOtherNIC, severity: SeverityWarning,
	title:   "next hop is another NIC's gateway",
	when:    "The next hop is the gateway of a subnet of another NIC: the host route is on the wrong subnet.",
	why:     "A route belongs to the NIC whose lease carried it. Some DHCP clients refuse this one, others send the data out of the wrong NIC.",
	remedy:  "Move the host route to that gateway's subnet, or remove it.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,10.65.0.1")) },
	applies: func(s *subject) bool { return hasClass(s, ClassOtherGateway) },
	tell: func(s *subject, f *Finding) {
		subnet, other := otherGateway(s.fib, s.route.candidate)
		hop, own := s.route.NextHop.String(), quoted(s.nic.Name)
		reason := "the guest refuses it"
		if s.route.Cause == "" {
			reason = "data that uses it leaves by " + own
		}
		f.Message = "next hop " + hop + " is the gateway of subnet " + subnet.label() + " on " + quoted(other.Name) + ", but the route belongs to " + own +
			because(s, reason+elsewhere(s))
		f.Related = []Related{{Ref{s.Name, other.Name, subnet.ID, HostRoute{}}, "has the gateway " + hop}}
		f.Fixes = moveTo(s, subnet)
	},
}

// moveTo proposes to move a host route. The addition comes first: if Neutron refuses it, nothing is lost.
func moveTo(s *subject, to *Subnet) []Fix {
	if s.subnet == nil {
		return []Fix{s.manualNextHop()}
	}
	there := s.route.masked()
	if s.has(to, there, HostRoute{}) {
		return []Fix{{"remove the host route: subnet " + to.label() + " already has it", s.removal()}}
	}
	if !to.usableGateway().IsValid() || to.DHCPDisabled || len(to.HostRoutes) >= maxHostRoutes {
		return []Fix{s.remove()}
	}
	move := Fix{"move the host route to subnet " + to.label(), append([]Edit{{Subnet: to.ID, New: there}}, s.removal()...)}
	return []Fix{move, s.remove()}
}

var nextHopOffLink = rule{
	code: CodeNextHopOffLink, severity: SeverityError,
	title: "next hop is not on the NIC's link",
	when:  "The next hop lies neither in the subnet nor in an on-link route of the NIC.",
	why: "Linux refuses the route (\"Nexthop has invalid gateway\"). systemd-networkd and NetworkManager first add a route to the " +
		"next hop, and then Linux accepts this one. The hypervisor still forwards the data itself.",
	remedy:  "Set the next hop to the gateway of the subnet, or remove the host route. If the next hop is the gateway of another subnet, the host route belongs there.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,192.0.2.1")) },
	applies: func(s *subject) bool { return hasClass(s, ClassOffLink) },
	tell: func(s *subject, f *Finding) {
		hop := s.route.NextHop.String()
		reason := "the guest refuses the route"
		switch c := s.route.candidate; {
		case s.route.Cause != "":
		case c.onLink:
			reason = "the guest ignores it, and takes " + c.dest.prefix.String() + " for on-link"
		default:
			reason = "the guest adds a route to it, and the hypervisor forwards the data itself"
		}
		place := "on the link of " + quoted(s.nic.Name)
		if !s.route.tried || s.isAlone() { // another subnet of the NIC may be on its link
			place = "in " + s.subnet.CIDR.String()
		}
		f.Message = "next hop " + hop + " is not " + place
		if s.isAlone() {
			f.Message += because(s, reason) + "; if that is another subnet's gateway, the host route belongs on that subnet"
		} else {
			f.Message += because(s, reason+elsewhere(s))
		}
		f.Fixes = s.nextHopFixes("")
	},
}

var nextHopOwnAddress = rule{
	code: CodeNextHopOwnAddress, severity: SeverityError,
	title: "next hop is the NIC's own address",
	when:  "The next hop is an address of the NIC itself.",
	why: "Linux accepts it and treats the destination as on-link. The guest then sends an ARP request for each destination address, which works only " +
		"while the hypervisor answers. dhcpcd installs only the first address of the destination.",
	remedy:  "Set the next hop to the gateway, or remove the host route.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,11.8.0.21")) },
	applies: func(s *subject) bool { return hasClass(s, ClassOwnAddress) },
	tell: func(s *subject, f *Finding) {
		reason := "the guest sends an ARP request for each destination address, which works only while the hypervisor answers"
		if s.route.Cause == CodeNextHopOwnAddress {
			reason = "the guest refuses the route"
		}
		f.Message = "next hop " + s.route.NextHop.String() + " is " + quoted(s.nic.Name) + "'s own address, not the gateway" + gatewayOf(s) + because(s, reason)
		f.Fixes = s.nextHopFixes("")
	},
}

var nextHopOnLink = rule{
	code: CodeNextHopOnLink, severity: SeverityWarning,
	title: "next hop is 0.0.0.0",
	when:  "The next hop is 0.0.0.0, which makes the destination on-link.",
	why: "The guest then sends an ARP request for each destination address, and only the hypervisor's proxy ARP answers. Not every DHCP client installs " +
		"the whole route: until it renews the lease, dhcpcd installs only the first address of the destination.",
	remedy:  "Set the next hop to the gateway, or remove the host route.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,0.0.0.0")) },
	applies: func(s *subject) bool { return hasClass(s, ClassOnLink) },
	tell: func(s *subject, f *Finding) {
		reason := "this works by proxy ARP only"
		if s.route.byDHCP() {
			reason += ", and dhcpcd installs only the first address of the destination"
		}
		f.Message = "next hop 0.0.0.0 makes the destination on-link" + because(s, reason)
		f.Fixes = s.nextHopFixes("")
	},
}

var nextHopUnusable = rule{
	code: CodeNextHopUnusable, severity: SeverityError,
	title: "address cannot be a next hop",
	when: "The next hop is a multicast, loopback, class E or broadcast address, or of another family than the destination or the subnet, or it is a " +
		"gateway that Linux refuses.",
	why: "No neighbour can have such an address. Linux refuses the route, unless an on-link route contains the next hop. systemd-networkd and " +
		"NetworkManager first add such a route, and then Linux accepts this one. Linux always refuses the broadcast address of the NIC's own subnet, " +
		"and systemd-networkd then stops DHCP on the whole NIC.",
	remedy:  "Set the next hop to the gateway, or remove the host route.",
	example: func() Instance { return twoNICs(front(), back("11.11.0.0/16,224.0.0.5")) },
	applies: func(s *subject) bool { return s.route.Cause == CodeNextHopUnusable || hasClass(s, ClassUnusable) },
	tell: func(s *subject, f *Finding) {
		c := s.route.candidate
		hop := "next hop " + c.NextHop.String()
		switch {
		case !c.oneFamily() && c.subnet == nil:
			f.Message = "destination " + c.Destination.String() + " and " + hop + " are not of one family: the route cannot be installed"
		case !c.oneFamily():
			f.Message = "destination " + c.Destination.String() + ", " + hop + " and subnet " + c.subnet.label() + " are not all of one family: the route cannot be installed"
		case s.route.Class == ClassOwnGateway:
			f.Message = hop + " is the gateway, but Linux refuses it: it is " + kindOfHop(c)
		default:
			f.Message = hop + " cannot be a next hop: it is " + kindOfHop(c)
		}
		if c.tried && s.route.Cause != "" {
			f.Message += "; " + refusal(c, c.NextHop == c.nic.broadcast)
		}
		f.Fixes = s.nextHopFixes("")
	},
}

// kindOfHop says what a next hop is that no neighbour of the NIC can have.
func kindOfHop(c *candidate) string {
	hop := c.NextHop
	switch {
	case c.nic.broadcast == hop:
		return "the broadcast address of " + c.nic.ipv4.CIDR.String()
	case isBroadcast(c):
		return "the broadcast address of " + c.subnet.CIDR.String()
	case hop.IsMulticast():
		return "a multicast address"
	case hop.IsLoopback():
		return "a loopback address"
	case isClassE(hop):
		return "a reserved address"
	case hop.IsUnspecified():
		return "the unspecified address"
	case slices.Contains(c.nic.Addrs, hop):
		return "the NIC's own address"
	}
	return "not on the link of the NIC"
}
