//go:build linux

package lab

import (
	"fmt"
	"net/netip"

	"example.com/go-hostroute/hostroute"
)

type namedCase struct {
	name string
	in   hostroute.Instance
}

// subnet makes a subnet from its ID, CIDR, gateway ("" for none) and host
// routes in the documented form.
func subnet(id, cidr, gateway string, routes ...string) *hostroute.Subnet {
	s := &hostroute.Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr), Gateway: hop(gateway)}
	for _, r := range routes {
		s.HostRoutes = append(s.HostRoutes, hostroute.MustParseHostRoute(r))
	}
	return s
}

// nic makes a NIC in one subnet.
func nic(name, addr string, s *hostroute.Subnet) hostroute.NIC {
	n := hostroute.NIC{Name: name, Subnets: []*hostroute.Subnet{s}}
	if addr != "" {
		n.Addrs = []netip.Addr{netip.MustParseAddr(addr)}
	}
	return n
}

func instance(nics ...hostroute.NIC) hostroute.Instance {
	return hostroute.Instance{Name: "vm", NICs: nics}
}

// front and back are the two NICs of the documented example.
func front(routes ...string) hostroute.NIC {
	return nic("eth0", "10.65.0.5", subnet("front", "10.65.0.0/24", "10.65.0.1", routes...))
}

func back(routes ...string) hostroute.NIC {
	return nic("eth1", "11.8.0.21", subnet("back", "11.8.0.0/24", "11.8.0.1", routes...))
}

// specialCases are those that random instances seldom are, each with a rule of
// Linux's in it. Those of DHCP come on top.
func specialCases() []namedCase {
	manual := func(n hostroute.NIC, routes ...string) hostroute.NIC {
		for _, r := range routes {
			n.ManualRoutes = append(n.ManualRoutes, hostroute.MustParseHostRoute(r))
		}
		return n
	}
	drive := func(nics ...hostroute.NIC) hostroute.Instance {
		in := instance(nics...)
		in.ConfigDrive = true
		for _, n := range in.NICs {
			n.Subnets[0].DHCPDisabled = true
		}
		return in
	}
	second := func(in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC = in.NICs[1].Name
		return in
	}
	v6 := func(name, addr, cidr, gateway string, routes ...string) hostroute.NIC {
		return manual(nic(name, addr, subnet(name, cidr, gateway)), routes...)
	}
	return append(dhcpCases(), []namedCase{
		{"no NIC", hostroute.Instance{}},

		// The connected route.
		{"a subnet beside one that begins at 0.0.0.0 has one", instance(nic("eth0", "0.0.1.5", subnet("one", "0.0.1.0/24", "0.0.1.1", "11.11.0.0/16,0.0.1.1")))},
		{"a loopback subnet has one", instance(nic("eth0", "127.1.0.5", subnet("loopback", "127.1.0.0/24", "127.1.0.1", "11.11.0.0/16,127.1.0.1")))},
		{"a class E subnet has one", instance(nic("eth0", "255.255.255.5", subnet("last", "255.255.255.0/24", "255.255.255.1", "11.11.0.0/16,255.255.255.1")))},
		{"a NIC whose address is a later NIC's broadcast address has one", instance(nic("eth0", "10.65.0.127", subnet("whole", "10.65.0.0/24", "10.65.0.1", "11.11.0.0/16,10.65.0.1")),
			nic("eth1", "10.65.0.5", subnet("half", "10.65.0.0/25", "10.65.0.1")))},
		{"one address, no connected route", instance(nic("eth0", "10.65.0.5", subnet("front", "10.65.0.5/32", "10.65.0.5", "11.11.0.0/16,10.65.0.5")), back())},

		// Next hops.
		{"the last address of a subnet of two is no broadcast address", instance(nic("eth0", "10.65.0.0", subnet("front", "10.65.0.0/31", "10.65.0.1", "11.11.0.0/16,10.65.0.1")))},
		{"of a subnet of four it is", instance(nic("eth0", "10.65.0.1", subnet("front", "10.65.0.0/30", "10.65.0.2", "11.11.0.0/16,10.65.0.3")))},
		{"an on-link route has no broadcast address", instance(front(), back("192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.255"))},
		{"the broadcast address under an on-link route of its own", instance(front(), back("11.8.0.255/32,0.0.0.0", "11.11.0.0/16,11.8.0.255"))},
		{"the other NIC's broadcast address under an on-link route", instance(front(), back("10.65.0.0/25,0.0.0.0", "10.65.0.128/25,0.0.0.0", "11.11.0.0/16,10.65.0.255"))},
		{"the other NIC's address under an on-link route", instance(front(), back("10.65.0.0/25,0.0.0.0", "11.11.0.0/16,10.65.0.5"))},
		{"special addresses under an on-link route", instance(front(), back("128.0.0.0/1,0.0.0.0", "11.11.0.0/16,224.0.0.1", "12.11.0.0/16,240.0.0.1", "13.11.0.0/16,255.255.255.255"))},
		{"loopback under an on-link route", instance(front(), back("0.0.0.0/1,0.0.0.0", "11.11.0.0/16,127.0.0.1", "12.0.0.0/8,0.0.0.1"))},
		{"a longer route by a gateway does not hide an on-link one", instance(front(), back("192.0.2.0/24,0.0.0.0", "192.0.2.128/25,11.8.0.1", "11.11.0.0/16,192.0.2.129"))},
		{"a longer on-link route of the other NIC neither", instance(front("192.0.2.128/25,0.0.0.0"), back("192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.129"))},
		{"on-link, then by a gateway within it, then by a gateway within that", instance(front(), back("192.0.2.0/24,0.0.0.0", "198.51.100.0/24,192.0.2.1", "11.11.0.0/16,198.51.100.1"))},

		// Duplicates.
		{"an invalid duplicate is refused for its next hop", instance(front(), back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,192.0.2.99"))},
		{"the own subnet as destination", instance(front("10.65.0.0/24,10.65.0.77"), back("11.8.0.0/24,0.0.0.0"))},
		{"three NICs, one destination", instance(front("11.11.0.0/16,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"),
			nic("eth2", "172.16.0.9", subnet("third", "172.16.0.0/28", "172.16.0.1", "11.11.0.0/16,172.16.0.1")))},

		// Whose default it is.
		{"the second NIC's default", second(instance(front(), back("11.11.0.0/16,11.8.0.1")))},
		{"the second NIC's default, with host bits on the first", second(instance(front("1.2.3.4/0,10.65.0.1"), back()))},

		// The config drive.
		{"config drive", drive(front(), back("11.11.0.0/16,11.8.0.1"))},
		{"config drive, default among the host routes", drive(front("0.0.0.0/0,10.65.0.77"), back("0.0.0.0/0,11.8.0.77"))},
		{"config drive, no gateway and a default", drive(nic("eth0", "10.65.0.5", subnet("front", "10.65.0.0/24", "", "0.0.0.0/0,10.65.0.77")), back())},
		{"config drive, host bits do not vanish", drive(front(), back("11.11.77.5/16,11.8.0.1", "1.2.3.4/0,11.8.0.1"))},
		{"config drive, gateway outside", drive(nic("eth0", "10.65.0.5", subnet("front", "10.65.0.0/24", "10.66.0.1", "10.66.0.0/24,0.0.0.0", "11.11.0.0/16,10.66.0.1")), back())},
		{"config drive, no limit of length", drive(front(), back(many(35, "11.8.0.1")...))},

		// By hand.
		{"by hand", instance(manual(front(), "11.11.0.0/16,10.65.0.1", "12.0.0.0/8,11.8.0.1"), manual(back("11.11.0.0/16,11.8.0.1"), "13.0.0.0/8,11.8.0.1", "14.0.0.0/8,0.0.0.0"))},
		{"by hand, host bits", instance(manual(front(), "11.11.77.5/16,10.65.0.1", "1.2.3.4/0,10.65.0.1"))},
		{"by hand, of two families", instance(manual(front(), "11.11.0.0/16,fe80::1", "2001:db8::/32,10.65.0.1"))},

		// IPv6.
		{"IPv6 defaults", instance(v6("eth0", "2001:db8:1::5", "2001:db8:1::/64", "2001:db8:1::1"), v6("eth1", "2001:db8:2::5", "2001:db8:2::/64", "2001:db8:2::1"))},
		{"IPv6 next hops", instance(v6("eth0", "2001:db8:1::5", "2001:db8:1::/64", "2001:db8:1::1",
			"2001:db8:a::/48,fe80::2", "2001:db8:b::/48,2001:db8:1::1", "2001:db8:c::/48,2001:db8:1::5", "2001:db8:d::/48,::",
			"2001:db8:e::/48,ff02::1", "2001:db8:f::5/48,fe80::2", "2001:db8:a::/48,fe80::3", "::1/0,fe80::2", "2001:db8:10::/48,::1"))},
		{"IPv6 next hop: own link-local address", instance(v6("eth0", "fe80::5", "fe80::/64", "fe80::1", "2001:db8:a::/48,fe80::5"))},
	}...)
}

// A differingCase is one that the library does not model, with the table that
// Linux has.
type differingCase struct {
	namedCase
	linux string
}

// differingCases are what the library does not model, for no Neutron hands such
// subnets and addresses out.
func differingCases() []differingCase {
	one := func(name, addr, cidr, gateway, nextHop, linux string) differingCase {
		s := subnet("front", cidr, gateway, "11.11.0.0/16,"+nextHop)
		return differingCase{namedCase{name, instance(nic("eth0", addr, s))}, linux}
	}
	return []differingCase{
		// There is no connected route, so that no next hop is accepted either.
		one("a subnet that begins at 0.0.0.0", "0.0.0.5", "0.0.0.0/24", "0.0.0.1", "0.0.0.1", ""),
		one("the subnet of everything", "10.65.0.5", "0.0.0.0/0", "10.65.0.1", "10.65.0.1", ""),
		one("address 0.0.0.0", "0.0.0.0", "0.0.0.0/24", "0.0.0.1", "0.0.0.1", ""),
		one("a multicast subnet", "224.0.0.5", "224.0.0.0/24", "224.0.0.1", "224.0.0.1", ""),
		one("a multicast address in a subnet that has others", "224.0.0.5", "128.0.0.0/1", "128.0.0.1", "128.0.0.1", ""),
		one("address 255.255.255.255", "255.255.255.255", "255.255.255.0/24", "255.255.255.1", "255.255.255.1", ""),
		one("address 255.255.255.255 in a subnet of two", "255.255.255.255", "255.255.255.254/31", "255.255.255.254", "255.255.255.254", ""),
		{namedCase{"the broadcast address of an earlier NIC's prefix", instance(nic("eth0", "10.65.0.5", subnet("half", "10.65.0.0/25", "10.65.0.1")),
			nic("eth1", "10.65.0.127", subnet("whole", "10.65.0.0/24", "10.65.0.1", "11.11.0.0/16,10.65.0.1")))},
			"default via 10.65.0.1 dev eth0\n10.65.0.0/25 dev eth0\n"},
		{namedCase{"the same, of two NICs in one subnet", instance(nic("eth0", "10.65.0.5", subnet("front", "10.65.0.0/24", "10.65.0.1")),
			nic("eth1", "10.65.0.255", subnet("front", "10.65.0.0/24", "10.65.0.1")))},
			"default via 10.65.0.1 dev eth0\n10.65.0.0/24 dev eth0\n"},

		// There is, but a broadcast address is accepted that else is not.
		one("the broadcast address that is the own address", "10.65.0.255", "10.65.0.0/24", "10.65.0.1", "10.65.0.255",
			"default via 10.65.0.1 dev eth0\n10.65.0.0/24 dev eth0\n11.11.0.0/16 via 10.65.0.255 dev eth0\n"),
	}
}

// With siblings, of the NIC's network.
func with(n hostroute.NIC, siblings ...string) hostroute.NIC {
	for _, s := range siblings {
		n.Siblings = append(n.Siblings, netip.MustParsePrefix(s))
	}
	return n
}

// many returns so many host routes of eight bytes each on the wire.
func many(n int, nextHop string) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("12.0.%d.0/24,%s", i, nextHop))
	}
	return list
}

// dhcpCases are what operators configure, and what they get wrong.
func dhcpCases() []namedCase {
	noGateway := func(name, addr, cidr string, routes ...string) hostroute.NIC {
		return nic(name, addr, subnet(name, cidr, "", routes...))
	}
	return []namedCase{
		{"no host route", instance(front(), back())},
		{"the documented example", instance(front(), back("11.11.0.0/16,11.8.0.1"))},
		{"one NIC", instance(front("11.11.0.0/16,10.65.0.1"))},
		{"three NICs", instance(front("12.0.0.0/8,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"),
			nic("eth2", "172.16.0.9", subnet("third", "172.16.0.0/28", "172.16.0.1", "13.0.0.0/8,172.16.0.1", "11.11.0.0/17,172.16.0.1")))},

		{"next hop: a router VM", instance(front(), back("11.11.0.0/16,11.8.0.77"))},
		{"next hop: own address", instance(front(), back("11.11.0.0/16,11.8.0.21"))},
		{"next hop: on-link", instance(front(), back("11.11.0.0/16,0.0.0.0"))},
		{"next hop: the other NIC's gateway", instance(front("11.11.0.0/16,11.8.0.1"), back())},
		{"next hop: the first NIC's gateway", instance(front(), back("11.11.0.0/16,10.65.0.1"))},
		{"next hop: off-link", instance(front(), back("11.11.0.0/16,192.0.2.99"))},
		{"next hop: broadcast address", instance(front(), back("11.11.0.0/16,11.8.0.255"))},
		{"next hop: network address", instance(front(), back("11.11.0.0/16,11.8.0.0"))},
		{"next hop: multicast", instance(front(), back("11.11.0.0/16,224.0.0.1"))},
		{"next hop: class E", instance(front(), back("11.11.0.0/16,240.0.0.1"))},
		{"next hop: limited broadcast", instance(front(), back("11.11.0.0/16,255.255.255.255"))},
		{"next hop: loopback", instance(front(), back("11.11.0.0/16,127.0.0.1"))},

		{"default on the front", instance(front("0.0.0.0/0,10.65.0.77"), back("11.11.0.0/16,11.8.0.1"))},
		{"halves of the default", instance(front(), back("0.0.0.0/1,11.8.0.1", "128.0.0.0/1,11.8.0.1"))},
		{"same destination from both NICs", instance(front("11.11.0.0/16,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"))},
		{"same destination twice in one subnet", instance(front(), back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"))},
		{"shadowed by its halves", instance(front(), back("11.11.0.0/16,11.8.0.1", "11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1"))},
		{"redundant on the default's NIC", instance(front("11.11.0.0/16,10.65.0.1"), back())},
		{"an exception inside", instance(front("11.11.77.0/24,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"))},

		{"on-link route that makes a next hop acceptable", instance(front(), back("192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.99"))},
		{"the same in the wrong order", instance(front(), back("11.11.0.0/16,192.0.2.99", "192.0.2.0/24,0.0.0.0"))},
		{"own address makes nothing acceptable", instance(front(), back("192.0.2.0/24,11.8.0.21", "11.11.0.0/16,192.0.2.99"))},
		{"the first NIC takes the second's subnet", instance(front("11.8.0.0/24,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"))},
		{"the second NIC takes the first's subnet", instance(front(), back("10.65.0.0/24,11.8.0.1"))},
		{"the first NIC takes half of the second's subnet", instance(front("11.8.0.0/25,10.65.0.1"), back("11.11.0.0/16,11.8.0.1"))},
		{"siblings", instance(with(front(), "10.66.0.0/24", "10.65.0.0/24", "10.67.0.0/24"), with(back("11.11.0.0/16,11.8.0.1"), "11.9.0.0/24"))},
		{"a sibling that is the other NIC's subnet", instance(with(front(), "11.8.0.0/24"), back("11.11.0.0/16,11.8.0.1"))},
		{"a host route through a sibling", instance(front(), with(back("11.11.0.0/16,11.9.0.77"), "11.9.0.0/24"))},

		{"no gateway, no lease", instance(front(), noGateway("eth1", "11.8.0.21", "11.8.0.0/24", "11.11.0.0/16,11.8.0.77"))},
		{"gateway outside, no lease", instance(front(), nic("eth1", "11.8.0.21", subnet("back", "11.8.0.0/24", "11.9.0.1", "11.11.0.0/16,11.9.0.1")))},
		{"overflow", instance(front(), back(many(35, "11.8.0.1")...))},
		{"overflow by siblings", instance(front(), with(back(many(17, "11.8.0.1")...), manySiblings(18)...))},
		{"twenty host routes, Neutron's limit", instance(front(), back(many(20, "11.8.0.1")...))},

		{"host bits that vanish on the wire", instance(front(), back("11.11.77.5/16,11.8.0.1", "12.1.2.3/8,11.8.0.1", "13.0.0.7/24,11.8.0.1"))},
		{"host bits that stay", instance(front(), back("11.11.77.0/20,11.8.0.1", "12.0.0.0/8,11.8.0.1"))},
		{"default with host bits, ahead of the real one", instance(front("1.2.3.4/0,10.65.0.77"), back())},
		{"all octets", instance(front(), back("12.0.0.0/6,11.8.0.1", "12.64.0.0/10,11.8.0.1", "12.64.64.0/18,11.8.0.1", "12.64.64.64/26,11.8.0.1", "12.64.64.64/32,11.8.0.1"))},
		{"loopback and multicast destinations", instance(front(), back("127.1.0.0/16,11.8.0.1", "224.0.0.0/4,11.8.0.1", "240.0.0.0/4,11.8.0.1"))},
		{"small subnets", instance(nic("eth0", "10.65.0.2", subnet("front", "10.65.0.0/30", "10.65.0.1")),
			nic("eth1", "11.8.0.1", subnet("back", "11.8.0.0/31", "11.8.0.0", "11.11.0.0/16,11.8.0.0")))},
		{"overlapping subnets", instance(nic("eth0", "10.65.0.5", subnet("wide", "10.65.0.0/16", "10.65.0.1", "11.11.0.0/16,10.65.0.1")),
			nic("eth1", "10.65.7.5", subnet("narrow", "10.65.7.0/24", "10.65.7.1", "12.0.0.0/8,10.65.7.1")))},
		{"both NICs in one subnet", instance(nic("eth0", "10.65.0.5", subnet("front", "10.65.0.0/24", "10.65.0.1", "11.11.0.0/16,10.65.0.1")),
			nic("eth1", "10.65.0.6", subnet("front", "10.65.0.0/24", "10.65.0.1", "11.11.0.0/16,10.65.0.1")))},
	}
}

func manySiblings(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("11.9.%d.0/24", i))
	}
	return list
}

// wireCases are offers of one NIC; only option 121 is asked for, so that
// nothing but its own limit decides.
func wireCases() []namedCase {
	one := func(name string, routes ...string) namedCase {
		return namedCase{name, instance(nic("eth0", "11.8.0.21", subnet("back", "11.8.0.0/24", "11.8.0.1", routes...)))}
	}
	// 25 of 8 bytes, 2 of 7, 4 of 9, and the default of 5.
	longest := append(many(25, "11.8.0.1"), "13.0.0.0/16,11.8.0.1", "14.0.0.0/16,11.8.0.1",
		"15.0.0.1/32,11.8.0.1", "15.0.0.2/32,11.8.0.1", "15.0.0.3/32,11.8.0.1", "15.0.0.4/32,11.8.0.1")
	return []namedCase{
		one("the default alone is no option 121"),
		one("documented example", "11.11.0.0/16,11.8.0.1"),
		one("a length of each kind", "12.0.0.0/6,11.8.0.1", "128.0.0.0/1,11.8.0.1", "13.0.0.0/8,11.8.0.1", "12.128.0.0/9,11.8.0.1", "11.11.0.0/16,11.8.0.1",
			"11.11.128.0/17,11.8.0.1", "11.11.77.0/24,11.8.0.1", "11.11.77.128/25,11.8.0.1", "11.11.77.5/32,11.8.0.1"),
		one("host bits that do not travel", "11.11.77.5/16,11.8.0.1", "12.1.2.3/8,11.8.0.1", "13.0.0.7/24,11.8.0.1", "1.2.3.4/0,11.8.0.1"),
		one("host bits that do", "11.11.77.0/20,11.8.0.1", "12.1.0.0/7,11.8.0.1", "11.11.77.5/31,11.8.0.1"),
		one("a default beside others is dropped", "0.0.0.0/0,11.8.0.77", "11.11.0.0/16,11.8.0.1"),
		one("on-link", "11.11.0.0/16,0.0.0.0"),
		{"siblings, the last first", instance(with(nic("eth0", "11.8.0.21", subnet("back", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")),
			"11.9.0.0/24", "11.8.0.0/24", "11.10.0.0/17"))},
		one("255 bytes are sent", longest...),
		one("256 bytes are not", append(longest[:25:25], "13.0.0.0/16,11.8.0.1", "14.0.0.0/24,11.8.0.1",
			"15.0.0.1/32,11.8.0.1", "15.0.0.2/32,11.8.0.1", "15.0.0.3/32,11.8.0.1", "15.0.0.4/32,11.8.0.1")...),
		one("far too many", many(60, "11.8.0.1")...),
	}
}
