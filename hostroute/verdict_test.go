package hostroute_test

import (
	"net/netip"
	"testing"

	"example.com/go-hostroute/hostroute"
	"github.com/google/go-cmp/cmp"
)

// verdictOf returns the verdict on the last host route of the last subnet, or, if
// there is one, on the last manual route of the last NIC.
func verdictOf(t testing.TB, in hostroute.Instance) hostroute.Verdict {
	t.Helper()
	list := analyze(t, in).Verdicts
	if len(list) == 0 {
		t.Fatal("no verdict")
	}
	return list[len(list)-1]
}

// back is the documented instance with other host routes on eth1's subnet.
func back(routes ...string) hostroute.Instance {
	in := documented()
	in.NICs[1].Subnets[0].HostRoutes = hostRoutes(routes...)
	return in
}

// and changes an instance.
func and(in hostroute.Instance, change func(in *hostroute.Instance)) hostroute.Instance {
	change(&in)
	return in
}

func front(in *hostroute.Instance) *hostroute.Subnet { return in.NICs[0].Subnets[0] }

func TestClassOfTheNextHop(t *testing.T) {
	manual := func(routes ...string) hostroute.Instance {
		return and(back(), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = hostRoutes(routes...) })
	}
	for name, c := range map[string]struct {
		in   hostroute.Instance
		want hostroute.NextHopClass
	}{
		"the gateway":                              {back("11.11.0.0/16,11.8.0.1"), hostroute.ClassOwnGateway},
		"0.0.0.0":                                  {back("11.11.0.0/16,0.0.0.0"), hostroute.ClassOnLink},
		"multicast":                                {back("11.11.0.0/16,224.0.0.5"), hostroute.ClassUnusable},
		"loopback":                                 {back("11.11.0.0/16,127.0.0.1"), hostroute.ClassUnusable},
		"class E":                                  {back("11.11.0.0/16,240.0.0.1"), hostroute.ClassUnusable},
		"limited broadcast":                        {back("11.11.0.0/16,255.255.255.255"), hostroute.ClassUnusable},
		"its own broadcast":                        {back("11.11.0.0/16,11.8.0.255"), hostroute.ClassUnusable},
		"of another family than the destination":   {back("11.11.0.0/16,fe80::1"), hostroute.ClassUnusable},
		"of another family than the subnet":        {back("2001:db8::/48,2001:db8::1"), hostroute.ClassUnusable},
		"destination alone of another family":      {back("2001:db8::/48,11.8.0.1"), hostroute.ClassUnusable},
		"its own address":                          {back("11.11.0.0/16,11.8.0.21"), hostroute.ClassOwnAddress},
		"another NIC's gateway":                    {back("11.11.0.0/16,10.65.0.1"), hostroute.ClassOtherGateway},
		"a neighbour":                              {back("11.11.0.0/16,11.8.0.77"), hostroute.ClassNotGateway},
		"the network address":                      {back("11.11.0.0/16,11.8.0.0"), hostroute.ClassNotGateway},
		"behind an on-link route":                  {back("192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.1"), hostroute.ClassNotGateway},
		"behind an on-link route that comes later": {and(back("11.11.0.0/16,192.0.2.1"), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = nil }), hostroute.ClassOffLink},
		"another NIC's broadcast":                  {back("11.11.0.0/16,10.65.0.255"), hostroute.ClassOffLink},
		"nowhere":                                  {back("11.11.0.0/16,192.0.2.1"), hostroute.ClassOffLink},
		"not offered, in the subnet": {and(back("11.11.0.0/16,11.8.0.77"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].DHCPDisabled = true }),
			hostroute.ClassNotGateway},
		"not offered, outside": {and(back("11.11.0.0/16,192.0.2.1"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].DHCPDisabled = true }), hostroute.ClassOffLink},
		"ignored by networkd, behind a sibling route": {and(back("11.8.0.21/32,11.9.0.6"), func(in *hostroute.Instance) {
			in.Guest, in.NICs[1].Siblings = hostroute.GuestNetworkd, []netip.Prefix{netip.MustParsePrefix("11.9.0.0/24")}
		}), hostroute.ClassNotGateway},
		"ignored by dhcpcd, behind a sibling route": {and(back("11.9.0.0/25,11.9.0.0"), func(in *hostroute.Instance) {
			in.Guest, in.NICs[1].Siblings = hostroute.GuestDhcpcd, []netip.Prefix{netip.MustParsePrefix("11.9.0.0/16")}
		}), hostroute.ClassNotGateway},
		"ignored by networkd, nowhere": {and(back("11.8.0.21/32,192.0.2.1"), func(in *hostroute.Instance) { in.Guest = hostroute.GuestNetworkd }), hostroute.ClassOffLink},
		"manual, the gateway":          {manual("12.0.0.0/8,11.8.0.1"), hostroute.ClassOwnGateway},
		"manual, the gateway of its NIC's other subnet": {and(manual("12.0.0.0/8,12.8.0.1"), func(in *hostroute.Instance) {
			in.NICs[1].Subnets = append([]*hostroute.Subnet{subnet("other", "12.8.0.0/24", "12.8.0.1")}, in.NICs[1].Subnets...)
		}), hostroute.ClassOwnGateway},
		"manual, IPv6, link-local":       {manual("2001:db8::/48,fe80::7"), hostroute.ClassOwnGateway},
		"manual, IPv6, not link-local":   {manual("2001:db8::/48,2001:db8::1"), hostroute.ClassOffLink},
		"manual, IPv6, the gateway even": {and(manual("2001:db8::/48,2001:db8::1"), withSix), hostroute.ClassOffLink},
		"manual, IPv6, unspecified":      {manual("2001:db8::/48,::"), hostroute.ClassUnusable},
		"manual, IPv6, multicast":        {manual("2001:db8::/48,ff02::1"), hostroute.ClassUnusable},
		"manual, two families":           {manual("2001:db8::/48,11.8.0.1"), hostroute.ClassUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			v := verdictOf(t, c.in)
			if v.Class != c.want {
				t.Errorf("got %s, want %s", v.Class, c.want)
			}
			consistent := c.want == hostroute.ClassOwnGateway || c.want == hostroute.ClassOtherGateway
			if v.Consistent() != consistent {
				t.Errorf("Consistent is %v", v.Consistent())
			}
		})
	}
}

func withSix(in *hostroute.Instance) {
	n := &in.NICs[1]
	n.Subnets = append(n.Subnets, subnet("six", "2001:db8::/64", "2001:db8::1"))
}

func TestEffect(t *testing.T) {
	one := func(in hostroute.Instance) hostroute.Instance {
		in.DefaultNIC, in.NICs = "", in.NICs[1:]
		return in
	}
	type want struct {
		effect        hostroute.Effect
		cause         hostroute.Code
		with, without string
		witness       string
	}
	for name, c := range map[string]struct {
		in   hostroute.Instance
		want want
	}{
		"steers: the documented example": {back("11.11.0.0/16,11.8.0.1"), want{hostroute.EffectSteers, "", "eth1", "eth0", "11.11.0.0"}},
		"steers: the witness is the lowest that it decides": {back("11.11.0.0/17,11.8.0.1", "11.11.0.0/16,11.8.0.1"),
			want{hostroute.EffectSteers, "", "eth1", "eth0", "11.11.128.0"}},
		"steers: one NIC, no default": {and(one(back("11.11.0.0/16,11.8.0.1")), func(in *hostroute.Instance) {
			in.ConfigDrive = true
			s := in.NICs[0].Subnets[0]
			s.DHCPDisabled, s.Gateway = true, netip.Addr{}
			s.HostRoutes = hostRoutes("11.11.0.0/16,11.8.0.77")
		}), want{hostroute.EffectSteers, "", "eth1", "", "11.11.0.0"}},
		"steers: what it makes acceptable": {back("11.11.0.0/16,192.0.2.1", "192.0.2.0/24,0.0.0.0"), want{hostroute.EffectSteers, "", "eth1", "eth0", "192.0.2.0"}},
		"steers: what it keeps out": {back("192.0.2.0/24,11.8.0.1", "192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.9"),
			want{hostroute.EffectRefused, hostroute.CodeNextHopOffLink, "", "", ""}},
		"single-nic": {one(back("11.11.0.0/16,11.8.0.1")), want{effect: hostroute.EffectSingleNIC}},
		"single-nic: the default through the gateway": {one(back("0.0.0.0/0,11.8.0.1")), want{effect: hostroute.EffectSingleNIC}},
		"redundant: a part of the subnet":             {back("11.8.0.128/25,11.8.0.1"), want{effect: hostroute.EffectRedundant}},
		"redundant: the default through the gateway":  {back("0.0.0.0/0,11.8.0.1"), want{effect: hostroute.EffectRedundant}},
		"shadowed by its halves":                      {back("11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1", "11.11.0.0/16,11.8.0.1"), want{effect: hostroute.EffectShadowed}},
		"refused: the connected route":                {back("11.8.0.0/24,11.8.0.1"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeDuplicate}},
		"refused: the same once more":                 {back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeDuplicate}},
		"refused: another NIC has it": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }),
			want{effect: hostroute.EffectRefused, cause: hostroute.CodeConflict}},
		"refused: a default that DefaultNIC drops": {and(back("0.0.0.0/0,11.8.0.77"), func(in *hostroute.Instance) {
			in.ConfigDrive, in.NICs[1].Subnets[0].DHCPDisabled = true, true
		}), want{effect: hostroute.EffectRefused, cause: hostroute.CodeConflict}},
		"refused: off-link":                 {back("11.11.0.0/16,192.0.2.1"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopOffLink}},
		"refused: another NIC's gateway":    {back("11.11.0.0/16,10.65.0.1"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopOtherNIC}},
		"refused: broadcast":                {back("11.11.0.0/16,11.8.0.255"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopUnusable}},
		"refused: bits in the last octet":   {back("11.11.77.0/20,11.8.0.1"), want{effect: hostroute.EffectRefused, cause: hostroute.CodeHostBits}},
		"accepted: bits that vanish":        {back("11.11.77.5/16,11.8.0.1"), want{hostroute.EffectSteers, "", "eth1", "eth0", "11.11.0.0"}},
		"accepted: multicast under on-link": {back("128.0.0.0/1,0.0.0.0", "11.11.0.0/16,224.0.0.1"), want{hostroute.EffectSteers, "", "eth1", "eth0", "11.11.0.0"}},
		"refused: the gateway is the broadcast address": {and(back("11.11.0.0/16,11.8.0.255"), func(in *hostroute.Instance) {
			in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("11.8.0.255")
		}), want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopUnusable}},
		"not offered: no lease": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.Addr{} }),
			want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeNoLease}},
		"not offered: no DHCP": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].DHCPDisabled = true }),
			want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeDHCPDisabled}},
		"not offered: the other subnet is leased": {and(back(), func(in *hostroute.Instance) {
			in.NICs[0].Subnets, in.NICs[0].Addrs = nil, nil
			in.NICs[1].Subnets = append(in.NICs[1].Subnets, subnet("off", "12.8.0.0/24", "12.8.0.1", "11.11.0.0/16,12.8.0.1"))
			in.NICs[1].Subnets[1].DHCPDisabled, in.ConfigDrive = true, true
		}), want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeSecondIPv4Subnet}},
		"not offered: a default among them": {back("0.0.0.0/0,11.8.0.77"), want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeDefaultDropped}},
		"not offered: IPv6": {and(back(), func(in *hostroute.Instance) {
			withSix(in)
			in.NICs[1].Subnets[1].HostRoutes = hostRoutes("2001:db8:77::/48,2001:db8::1")
		}), want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeIPv6NotOffered}},
		"not offered: another family": {back("2001:db8::/48,fe80::1"), want{effect: hostroute.EffectNotOffered, cause: hostroute.CodeNextHopUnusable}},
		"refused: manual, two families": {and(back(), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = hostRoutes("2001:db8::/48,11.8.0.1") }),
			want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopUnusable}},
		"refused: manual, IPv6, the subnet's gateway": {and(back(), func(in *hostroute.Instance) {
			withSix(in)
			in.NICs[1].ManualRoutes = hostRoutes("2001:db8:77::/48,2001:db8::1")
		}), want{effect: hostroute.EffectRefused, cause: hostroute.CodeNextHopOffLink}},
		"steers: manual, IPv6, host bits are masked": {and(back(), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = hostRoutes("2001:db8:77::9/48,fe80::1") }),
			want{hostroute.EffectSteers, "", "eth1", "", "2001:db8:77::"}},
		"steers: a manual default": {and(back(), func(in *hostroute.Instance) {
			in.DefaultNIC = ""
			in.NICs[0].Subnets, in.NICs[0].Addrs = nil, nil
			in.NICs[1].Subnets[0].DHCPDisabled, in.NICs[1].Subnets[0].Gateway, in.ConfigDrive = true, netip.Addr{}, true
			in.NICs[1].ManualRoutes = hostRoutes("0.0.0.0/0,11.8.0.77")
		}), want{hostroute.EffectSteers, "", "eth1", "", "0.0.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := verdictOf(t, c.in)
			got := want{v.Effect, v.Cause, v.With, v.Without, ""}
			if v.Witness.IsValid() {
				got.witness = v.Witness.String()
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if v.Effective() != (c.want.effect == hostroute.EffectSteers) {
				t.Errorf("Effective is %v", v.Effective())
			}
		})
	}
}

// A host route can keep out an on-link one, behind which others would be reachable.
func TestEffectOfWhatARouteKeepsOut(t *testing.T) {
	in := back("192.0.2.0/24,11.8.0.1", "192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.9")
	v := analyze(t, in).Verdicts[0]
	if v.Effect != hostroute.EffectSteers || v.Witness != netip.MustParseAddr("11.11.0.0") || v.With != "eth0" || v.Without != "eth1" {
		t.Errorf("got %v", v)
	}
	compare(t, in)
}

// In a subnet of one address, which brings no connected route, it is the order of the list that decides
// whether a next hop is reachable.
func TestOrderInASubnetOfOneAddress(t *testing.T) {
	one := func(gateway string, routes ...string) hostroute.Instance {
		return hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("one", "10.2.0.7/32", gateway, routes...)}}}}
	}
	static := func(in *hostroute.Instance) { in.ConfigDrive, in.NICs[0].Subnets[0].DHCPDisabled = true, true }
	sibling := func(in *hostroute.Instance) { in.NICs[0].Siblings = prefixes("10.2.0.0/24") }
	const behind = "11.11.0.0/16,10.2.0.7"
	for name, c := range map[string]struct {
		in   hostroute.Instance
		want bool
	}{
		"behind an on-link host route":          {one("10.2.0.7", "10.2.0.0/24,0.0.0.0", behind), true},
		"behind a sibling route":                {and(one("10.2.0.7", behind), sibling), false},
		"behind both":                           {and(one("10.2.0.7", "10.2.0.0/25,0.0.0.0", behind), sibling), false},
		"behind an on-link default":             {and(one("0.0.0.0", behind), static), false},
		"a rival, too, behind an on-link route": {one("10.2.0.7", "10.2.0.0/24,0.0.0.0", "11.11.0.0/16,10.2.0.9", behind), false},
		"a rival, too, behind a sibling route":  {and(one("10.2.0.7", "11.11.0.0/16,10.2.0.9", behind), sibling), true},
	} {
		t.Run(name, func(t *testing.T) {
			if v := verdictOf(t, c.in); v.GuestDependent != c.want {
				t.Errorf("got %v, want %v", v, c.want)
			}
			compare(t, c.in)
		})
	}
}

// The offer of 255 bytes arrives, the one of 256 does not; from 198 on, not every client
// gets it.
func TestLengthOfTheOffer(t *testing.T) {
	for name, c := range map[string]struct {
		siblings  []string // beside 23 of eight bytes and the default of five
		n         int
		effect    hostroute.Effect
		dependent bool
	}{
		"197 bytes": {nil, 23, hostroute.EffectSteers, false},                     // 5 + 24·8
		"198 bytes": {[]string{"11.99.0.0/25"}, 22, hostroute.EffectSteers, true}, // 5 + 23·8 + 9
		"255 bytes": {[]string{"11.99.0.0/25", "11.98.0.0/25"}, 28, hostroute.EffectSteers, true},
		"256 bytes": {[]string{"11.99.0.0/25", "11.98.0.0/25", "11.97.0.0/25"}, 27, hostroute.EffectNotOffered, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := back("11.11.12.0/24,11.8.0.1")
			in.NICs[1].Siblings = prefixes(c.siblings...)
			for i := range c.n {
				in.NICs[1].Siblings = append(in.NICs[1].Siblings, netip.PrefixFrom(netip.AddrFrom4([4]byte{12, 0, byte(i), 0}), 24))
			}
			bytes := 0
			for _, r := range in.NICs[1].Offer() {
				bytes += 5 + (r.Destination.Bits()+7)/8
			}
			t.Log(bytes, "bytes")
			if v := verdictOf(t, in); v.Effect != c.effect || v.GuestDependent != c.dependent {
				t.Errorf("%d bytes: got %s, guest-dependent %v", bytes, v.Effect, v.GuestDependent)
			}
		})
	}
}

func TestGuestDependent(t *testing.T) {
	manual := func(routes ...string) hostroute.Instance {
		return and(back(), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = hostRoutes(routes...) })
	}
	for name, c := range map[string]struct {
		in   hostroute.Instance
		want bool
	}{
		"the documented example":               {documented(), false},
		"a neighbour":                          {back("11.11.0.0/16,11.8.0.77"), false},
		"a next hop outside the subnet":        {back("11.11.0.0/16,192.0.2.1"), true},
		"outside, behind an on-link route":     {back("192.0.2.0/24,0.0.0.0", "11.11.0.0/16,192.0.2.1"), true},
		"next hop 0.0.0.0":                     {back("11.11.0.0/16,0.0.0.0"), false},
		"its own address":                      {back("11.11.0.0/16,11.8.0.21"), false},
		"the second of two of one destination": {back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"), true},
		"one that a sibling has before":        {and(back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"), func(in *hostroute.Instance) { in.NICs[1].Siblings = prefixes("11.11.0.0/16") }), false},
		"a next hop that Linux refuses":        {back("11.11.0.0/16,11.8.0.255"), false},
		"host bits":                            {back("11.11.77.5/16,11.8.0.1"), false},
		"a destination on another NIC":         {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }), false},
		"a destination inside another's":       {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/17,10.65.0.1") }), false},
		"another NIC's subnet":                 {back("10.65.0.0/24,11.8.0.1"), false},
		"its own subnet":                       {back("11.8.0.0/24,11.8.0.1"), false},
		"acceptable by what stands before":     {back("11.8.0.77/32,11.8.0.1", "11.11.0.0/16,11.8.0.77"), false},
		"a destination on two other NICs, which lease at once": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) {
			in.NICs = append(in.NICs, hostroute.NIC{Name: "eth2", Subnets: []*hostroute.Subnet{subnet("third", "12.0.0.0/24", "12.0.0.1", "11.11.0.0/16,12.0.0.1")}})
		}), true},
		"effect hangs on the default that is kept": {and(documented(), func(in *hostroute.Instance) { in.DefaultNIC = "" }), true},
		"manual, behind an on-link default by hand": {and(manual("0.0.0.0/0,0.0.0.0", "11.11.0.0/16,192.0.2.9"), func(in *hostroute.Instance) {
			in.NICs[0].Subnets = append(in.NICs[0].Subnets, subnet("six", "2001:db8::/64", "2001:db8::1"))
			in.DefaultNIC = ""
		}), false},
		"manual, behind an on-link default by hand, which the offered one keeps out": {and(manual("0.0.0.0/0,0.0.0.0", "11.11.0.0/16,192.0.2.9"), func(in *hostroute.Instance) {
			in.DefaultNIC = ""
			in.NICs[0].Subnets[0].CIDR, in.NICs[0].Subnets[0].Gateway, in.NICs[0].Addrs = netip.MustParsePrefix("10.65.0.1/32"), netip.MustParseAddr("10.65.0.1"), nil
		}), false},
		"never where nothing is offered":         {back("0.0.0.0/0,192.0.2.1"), false},
		"manual, next hop 0.0.0.0":               {manual("11.11.0.0/16,0.0.0.0"), false},
		"manual, destination offered to another": {and(manual("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }), true},
		"manual, destination by hand on another": {and(manual("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { in.NICs[0].ManualRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }), false},
	} {
		t.Run(name, func(t *testing.T) {
			if v := verdictOf(t, c.in); v.GuestDependent != c.want {
				t.Errorf("got %v, want %v: %+v", v.GuestDependent, c.want, v)
			}
		})
	}
}

func TestVerdictsAreInTheOrderOfTheInput(t *testing.T) {
	in := documented()
	in.NICs[0].Subnets[0].HostRoutes = hostRoutes("2.0.0.0/8,10.65.0.1", "1.0.0.0/8,10.65.0.1", "2.0.0.0/8,10.65.0.1")
	in.NICs[0].Subnets = append([]*hostroute.Subnet{subnet("z", "2001:db8::/64", "", "2001:db8:1::/48,fe80::1")}, in.NICs[0].Subnets...)
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, in.NICs[0].Subnets[0])
	in.NICs[0].ManualRoutes = hostRoutes("4.0.0.0/8,10.65.0.1", "3.0.0.0/8,10.65.0.1", "4.0.0.0/8,10.65.0.1")
	in.NICs[1].Subnets = append(in.NICs[1].Subnets, in.NICs[0].Subnets[0])
	var got []string
	for _, v := range analyze(t, in).Verdicts {
		got = append(got, v.Subject.String())
	}
	want := []string{
		"web-1: eth0: z: 2001:db8:1::/48,fe80::1",
		"web-1: eth0: front: 2.0.0.0/8,10.65.0.1",
		"web-1: eth0: front: 1.0.0.0/8,10.65.0.1",
		"web-1: eth0: 4.0.0.0/8,10.65.0.1",
		"web-1: eth0: 3.0.0.0/8,10.65.0.1",
		"web-1: eth1: back: 11.11.0.0/16,11.8.0.1",
		"web-1: eth1: z: 2001:db8:1::/48,fe80::1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefStringLeavesOutWhatIsEmpty(t *testing.T) {
	if got := (hostroute.Ref{}).String(); got != "" {
		t.Errorf("the zero Ref prints %q", got)
	}
	if got, want := (hostroute.Ref{Instance: "vm", Subnet: "s"}).String(), "vm: s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVerdictString(t *testing.T) {
	subject := hostroute.Ref{Instance: "web-1", NIC: "eth1", Subnet: "back", HostRoute: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}
	at := netip.MustParseAddr("11.11.0.0")
	for want, v := range map[string]hostroute.Verdict{
		"web-1: eth1: back: 11.11.0.0/16,11.8.0.1: own-gateway, steers: 11.11.0.0 leaves by eth1, without it by eth0": {Subject: subject, Class: hostroute.ClassOwnGateway,
			Effect: hostroute.EffectSteers, With: "eth1", Without: "eth0", Witness: at},
		"own-gateway, steers: 11.11.0.0 leaves by eth1, without it has no route": {Class: hostroute.ClassOwnGateway, Effect: hostroute.EffectSteers, With: "eth1", Witness: at},
		"on-link, steers: 11.11.0.0 has no route, without it leaves by eth0":     {Class: hostroute.ClassOnLink, Effect: hostroute.EffectSteers, Without: "eth0", Witness: at},
		"off-link, refused (next-hop-off-link); may differ under systemd-networkd and NetworkManager": {Class: hostroute.ClassOffLink, Effect: hostroute.EffectRefused, Cause: hostroute.CodeNextHopOffLink, GuestDependent: true,
			Guests: []hostroute.Guest{hostroute.GuestNetworkd, hostroute.GuestNetworkManager}},
		"own-gateway, redundant; depends on which default route the guest keeps": {Class: hostroute.ClassOwnGateway, Effect: hostroute.EffectRedundant, GuestDependent: true, DefaultDependent: true},
		"own-gateway, redundant; depends on the order of the list":               {Class: hostroute.ClassOwnGateway, Effect: hostroute.EffectRedundant, GuestDependent: true},
		"own-gateway, redundant; may differ under dhcpcd; depends on which default route the guest keeps": {Class: hostroute.ClassOwnGateway, Effect: hostroute.EffectRedundant,
			GuestDependent: true, DefaultDependent: true, Guests: []hostroute.Guest{hostroute.GuestDhcpcd}},
		"own-gateway, redundant": {Class: hostroute.ClassOwnGateway, Effect: hostroute.EffectRedundant},
	} {
		if got := v.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
