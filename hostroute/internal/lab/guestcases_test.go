//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// third is the third NIC of the cases that have one.
func third(routes ...string) hostroute.NIC {
	return nic("eth2", "172.16.0.9", subnet("third", "172.16.0.0/28", "172.16.0.1", routes...))
}

// named gives NICs other names.
func named(in hostroute.Instance, names ...string) hostroute.Instance {
	for i, name := range names {
		in.NICs[i].Name = name
	}
	return in
}

// guestCases are configurations each with a rule in it by which DHCP clients may
// differ, on top of those that operators configure.
func guestCases() []namedCase {
	keep := func(name string, in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC = name
		return in
	}
	reversed := func(in hostroute.Instance) hostroute.Instance {
		slices.Reverse(in.NICs)
		return in
	}
	manual := func(n hostroute.NIC, routes ...string) hostroute.NIC {
		for _, r := range routes {
			n.ManualRoutes = append(n.ManualRoutes, hostroute.MustParseHostRoute(r))
		}
		return n
	}
	const d = "11.11.0.0/16,"
	return append(dhcpCases(), []namedCase{
		// One NIC.
		{"one NIC, on-link", instance(back(d + "0.0.0.0"))},
		{"one NIC, own address", instance(back(d + "11.8.0.21"))},

		// Order and names.
		{"the order of NICs reversed", reversed(instance(front(), back(d+"11.8.0.1")))},
		{"reversed, the same destination from both", reversed(instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")))},
		{"reversed, each other's subnet", reversed(instance(front("11.8.0.0/24,10.65.0.1"), back("10.65.0.0/24,11.8.0.1")))},
		{"names by bytes: ens10 before ens3", named(instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")), "ens3", "ens10")},
		{"names by bytes, three NICs", named(instance(front(d+"10.65.0.1"), back(d+"11.8.0.1"), third(d+"172.16.0.1")), "ens9", "ens3", "ens10")},
		{"capital letters before small ones", named(instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")), "eth0", "Eth1")},
		{"three NICs, the same destination from all", instance(front(d+"10.65.0.1"), back(d+"11.8.0.1"), third(d+"172.16.0.1"))},
		{"three NICs, the same destination from the last two", instance(front(), back(d+"11.8.0.1"), third(d+"172.16.0.1"))},
		{"three NICs, reversed", reversed(instance(front(d+"10.65.0.1"), back("12.0.0.0/8,11.8.0.1"), third("13.0.0.0/8,172.16.0.1")))},

		// Whose default it is.
		{"default of the first NIC", keep("eth0", instance(front(), back(d+"11.8.0.1")))},
		{"default of the second NIC", keep("eth1", instance(front(d+"10.65.0.1"), back()))},
		{"default of the second of three", keep("eth1", instance(front(d+"10.65.0.1"), back(), third("12.0.0.0/8,172.16.0.1")))},
		{"default of the last of three", keep("eth2", instance(front(), back(), third()))},
		{"default of the second NIC, the same destination from both", keep("eth1", instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")))},
		{"default of the last of three, the same destination from all", keep("eth2", instance(front(d+"10.65.0.1"), back(d+"11.8.0.1"), third(d+"172.16.0.1")))},
		{"default of the second NIC, the other NIC's subnet on each", keep("eth1", instance(front("11.8.0.0/24,10.65.0.1"), back("10.65.0.0/24,11.8.0.1")))},
		{"default of the second NIC, no host route", keep("eth1", instance(front(), back()))},
		{"default of the second NIC, halves of it on the first", keep("eth1", instance(front("0.0.0.0/1,10.65.0.1", "128.0.0.0/1,10.65.0.1"), back()))},
		{"default of the second NIC, another default in the first's list", keep("eth1", instance(front("1.2.3.4/0,10.65.0.77"), back()))},
		{"default of the second NIC, another default in its list", keep("eth1", instance(front(), back("1.2.3.4/0,11.8.0.77")))},
		{"default of the first NIC by name bytes", keep("ens3", named(instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")), "ens3", "ens10"))},
		{"default of a NIC without lease", keep("eth1", instance(front(d+"10.65.0.1"), nic("eth1", "11.8.0.21", subnet("back", "11.8.0.0/24", "", d+"11.8.0.1"))))},
		{"default of the second NIC, an on-link one in the first's list", keep("eth1", instance(front("1.2.3.4/0,0.0.0.0"), back()))},

		{"default of the second NIC, one by the own address in the first's list", keep("eth1", instance(front("1.2.3.4/0,10.65.0.5"), back()))},

		// Defaults in a list.
		{"two defaults of the last NIC", instance(front(), back("1.2.3.4/0,11.8.0.77"))},
		{"two defaults of each NIC", instance(front("1.2.3.4/0,10.65.0.77"), back("1.2.3.4/0,11.8.0.77"))},
		{"a default on-link", instance(front(), back("1.2.3.4/0,0.0.0.0"))},
		{"a default by a hop outside", instance(front(), back("1.2.3.4/0,192.0.2.99"))},
		{"a default by a hop outside, on the first NIC", instance(front("1.2.3.4/0,192.0.2.99"), back())},
		{"a default by a hop outside, on the first NIC, not wanted", keep("eth1", instance(front("1.2.3.4/0,192.0.2.99"), back()))},
		{"half of everything by a hop outside, on the first NIC", instance(front("0.0.0.0/1,192.0.2.99", "128.0.0.0/1,192.0.2.98"), back())},
		{"half of everything by a hop inside a refused destination", keep("eth0", instance(front("11.0.0.0/8,192.0.2.99", "0.0.0.0/1,11.11.0.5"), back("0.0.0.0/1,11.8.0.1")))},
		{"the same without the refused route", keep("eth0", instance(front("0.0.0.0/1,11.11.0.5"), back("0.0.0.0/1,11.8.0.1")))},
		{"a default by a hop beside another destination", instance(front("192.0.2.1/32,10.65.0.1", "1.2.3.4/0,192.0.2.99"), back())},
		{"a default by the loopback address, on the first NIC", instance(front("1.2.3.4/0,127.0.0.1"), back())},
		{"a default by a hop outside that another route has too", instance(front(d+"192.0.2.99", "1.2.3.4/0,192.0.2.99", "1.2.3.4/0,192.0.2.98"), back())},
		{"a default on-link, then a hop outside", instance(front("1.2.3.4/0,0.0.0.0", d+"192.0.2.99"), back())},
		{"a default by the own address", instance(front(), back("1.2.3.4/0,11.8.0.21"))},

		// Equal destinations in one list.
		{"twice, the second on-link", instance(front(), back(d+"11.8.0.1", d+"0.0.0.0"))},
		{"twice, the first on-link", instance(front(), back(d+"0.0.0.0", d+"11.8.0.1"))},
		{"twice, the first by a hop outside", instance(front(), back(d+"192.0.2.99", d+"11.8.0.1"))},
		{"twice, the first by the broadcast address", instance(front(), back(d+"11.8.0.255", d+"11.8.0.1"))},
		{"three times", instance(front(d+"10.65.0.77"), back(d+"11.8.0.2", d+"11.8.0.3", d+"11.8.0.1"))},
		{"twice after masking", instance(front(), back("11.11.77.0/20,11.8.0.1", "11.11.64.0/20,11.8.0.77"))},
		{"twice on each NIC", instance(front(d+"10.65.0.1", d+"10.65.0.77"), back(d+"11.8.0.1", d+"11.8.0.77"))},
		{"the second equal one makes a next hop acceptable", instance(front(), back("192.0.2.0/24,11.8.0.1", "192.0.2.0/24,0.0.0.0", d+"192.0.2.99"))},

		// Subnets as destination.
		{"the own subnet by its gateway", instance(front("10.65.0.0/24,10.65.0.1"), back("11.8.0.0/24,11.8.0.1"))},
		{"the own subnet on-link", instance(front(), back("11.8.0.0/24,0.0.0.0"))},
		{"half of the own subnet", instance(front(), back("11.8.0.128/25,11.8.0.1"))},
		{"the other NIC's subnet on-link", instance(front("11.8.0.0/24,0.0.0.0"), back())},
		{"the other NIC's gateway", instance(front("11.8.0.1/32,10.65.0.1"), back())},
		{"the own gateway", instance(front(), back("11.8.0.1/32,11.8.0.1"))},
		{"the own gateway on-link", instance(front(), back("11.8.0.1/32,0.0.0.0"))},
		{"the own gateway by another host", instance(front(), back("11.8.0.1/32,11.8.0.77"))},
		{"the last NIC takes the middle's subnet", instance(front(), back(), third("11.8.0.0/24,172.16.0.1"))},
		{"each NIC takes the next one's subnet", instance(front("11.8.0.0/24,10.65.0.1"), back("172.16.0.0/28,11.8.0.1"), third("10.65.0.0/24,172.16.0.1"))},

		// Next hops.
		{"next hop outside on each NIC", instance(front("12.0.0.0/8,192.0.2.99"), back(d+"192.0.2.99"))},
		{"next hop outside, twice", instance(front(), back(d+"192.0.2.99", "12.0.0.0/8,192.0.2.99"))},
		{"next hop that a later route is about", instance(front(), back(d+"192.0.2.99", "192.0.2.99/32,11.8.0.1"))},
		{"next hop that an earlier route is about", instance(front(), back("192.0.2.99/32,11.8.0.1", d+"192.0.2.99"))},
		{"next hop inside an earlier on-link route of the other NIC", instance(front("192.0.2.0/24,0.0.0.0"), back(d+"192.0.2.99"))},
		{"next hop inside a later on-link route", instance(front(), back(d+"192.0.2.99", "192.0.2.0/24,0.0.0.0"))},
		{"next hop is the other NIC's address", instance(front(), back(d+"10.65.0.5"))},
		{"next hop is the other NIC's broadcast address", instance(front(), back(d+"10.65.0.255"))},
		{"next hop 0.0.0.0 on both", instance(front(d+"0.0.0.0"), back(d+"0.0.0.0"))},
		{"next hop 0.0.0.1", instance(front(), back(d+"0.0.0.1"))},
		{"next hop is the destination's first address", instance(front(), back("192.0.2.0/24,192.0.2.0"))},
		{"next hop is inside its destination", instance(front(), back("192.0.2.0/24,192.0.2.99"))},
		{"next hop is its destination", instance(front(), back("192.0.2.99/32,192.0.2.99", "11.8.0.77/32,11.8.0.77"))},
		{"loopback, then others", instance(front(), back("12.0.0.0/8,127.0.0.1", d+"11.8.0.1"))},
		{"loopback from both", instance(front(d+"127.0.0.1"), back(d+"127.1.2.3"))},
		{"broadcast between others", instance(front(), back("12.0.0.0/8,11.8.0.1", d+"11.8.0.255", "13.0.0.0/8,11.8.0.1"))},
		{"broadcast under an on-link /32", instance(front(), back("11.8.0.255/32,0.0.0.0", d+"11.8.0.255"))},
		{"host bits between others", instance(front(), back("12.0.0.0/8,11.8.0.1", "11.11.77.0/20,11.8.0.1", "13.0.0.0/8,11.8.0.1"))},
		{"host bits, next hop outside", instance(front(), back("11.11.77.0/20,192.0.2.99"))},
		{"half of everything by a hop outside", instance(front(), back("128.0.0.0/1,192.0.2.99", "0.0.0.0/1,192.0.2.99"))},
		{"loopback destination by a hop outside", instance(front(), back("127.1.0.0/16,192.0.2.99", d+"11.8.0.1"))},
		{"own address as destination", instance(front(), back("11.8.0.21/32,11.8.0.1", "10.65.0.5/32,11.8.0.1"))},

		{"own address as destination and as next hop", instance(front(), back("11.8.0.21/32,11.8.0.1", d+"11.8.0.21"))},
		{"own address as destination by a hop outside", instance(front(), back("11.8.0.21/32,192.0.2.99"))},

		// Siblings.
		{"siblings that are both NICs' subnets", instance(with(front(), "11.8.0.0/24", "10.66.0.0/24"), with(back(), "10.65.0.0/24", "10.66.0.0/24"))},
		{"a sibling and a host route for it", instance(front(), with(back("11.9.0.0/24,11.8.0.1"), "11.9.0.0/24"))},
		{"host routes by siblings' gateways", instance(front(), with(back(d+"11.9.0.1", "12.0.0.0/8,11.8.0.1"), "11.9.0.0/24"))},

		// Lengths.
		{"197 bytes", instance(front(), back(sized(197, "11.8.0.1")...))},
		{"230 bytes", instance(front(), back(sized(230, "11.8.0.1")...))},
		{"197 bytes on each", instance(front(sized(197, "10.65.0.1")...), back(sized(197, "11.8.0.1")...))},

		// No DHCP, no gateway.
		{"three NICs, the middle one without gateway", instance(front(), nic("eth1", "11.8.0.21", subnet("back", "11.8.0.0/24", "", d+"11.8.0.1")), third(d+"172.16.0.1"))},

		// By hand.
		{"by hand, after the same by DHCP", instance(manual(front(d+"10.65.0.1"), "12.0.0.0/8,10.65.0.1"), manual(back("12.0.0.0/8,11.8.0.1"), d+"11.8.0.1"))},
		{"a default by hand", instance(front(), manual(back(), "0.0.0.0/0,11.8.0.1"))},
	}...)
}

// sized returns host routes that are so many bytes of DHCP's option, with the default.
func sized(bytes int, hop string) []string {
	var list []string
	for left := bytes - 5; left > 0; { // of the default
		length, octets := 24, 8
		if left%8 != 0 {
			length, octets = 32, 9
		}
		list = append(list, fmt.Sprintf("%d.0.0.0/%d,%s", 12+len(list), length, hop))
		left -= octets
	}
	return list
}

// A differingGuest is an instance with a verdict that names guests, and where
// data to an address leaves under each of these.
type differingGuest struct {
	namedCase
	to     netip.Addr
	leaves map[hostroute.Guest]string
}

// differingGuests has each guest whose name a verdict may bear.
func differingGuests() []differingGuest {
	to := netip.MustParseAddr("11.11.0.0")
	told := func(nic string, in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC = nic
		return in
	}
	under := func(guest hostroute.Guest, in hostroute.Instance) hostroute.Instance {
		in.Guest = guest
		return in
	}
	const d = "11.11.0.0/16,"
	return []differingGuest{
		{namedCase{"a next hop outside", told("eth0", instance(front(), back(d+"192.0.2.99")))}, to,
			map[hostroute.Guest]string{hostroute.GuestNetworkd: "eth1", hostroute.GuestNetworkManager: "eth1"}},
		{namedCase{"a next hop outside, for networkd", under(hostroute.GuestNetworkd, told("eth0", instance(front(), back(d+"192.0.2.99"))))}, to,
			map[hostroute.Guest]string{hostroute.GuestDhclient: "eth0", hostroute.GuestDhcpcd: "eth0"}},
		{namedCase{"the same destination from both, a higher metric for the first", told("eth1", instance(front(d+"10.65.0.1"), back(d+"11.8.0.1")))}, to,
			map[hostroute.Guest]string{hostroute.GuestNetworkd: "eth1", hostroute.GuestNetworkManager: "eth1"}},
		{namedCase{"host bits that stay", told("eth0", instance(front(), back("11.11.77.0/20,11.8.0.1")))}, netip.MustParseAddr("11.11.77.1"),
			map[hostroute.Guest]string{hostroute.GuestNetworkManager: "eth1"}},
		{namedCase{"a next hop in an on-link route, of which dhcpcd installs one address", told("eth0", instance(front(), back("192.0.2.0/24,0.0.0.0", d+"192.0.2.99")))}, to,
			map[hostroute.Guest]string{hostroute.GuestDhcpcd: "eth0"}},
		{namedCase{"a next hop in 127.0.0.0/8", told("eth0", instance(front(), back(d+"127.0.0.1")))}, to,
			map[hostroute.Guest]string{hostroute.GuestDhcpcd: "lo", hostroute.GuestNetworkd: "eth1", hostroute.GuestNetworkManager: "eth1"}},
	}
}
