package hostroute_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Each guest's table is the twin's, row by row.
func TestTablesOfGuestsAgreeWithTwin(t *testing.T) {
	random(t, 41, 4000, compareTables)
}

func compareTables(t testing.TB, in hostroute.Instance) bool {
	t.Helper()
	for _, guest := range hostroute.Guests() {
		in.Guest = guest
		r, err := hostroute.Analyze(in)
		if err != nil {
			t.Error(err)
			return false
		}
		want := twin.GuestTable(in, string(guest))
		for i, row := range want {
			want[i].Open = slices.ContainsFunc(want, func(o hostroute.Route) bool {
				return twin.AnyOrder(string(guest), row, o) && row.Destination.Addr().Is4()
			})
		}
		if diff := cmp.Diff(want, r.Table, equateNetip, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-twin +got):\n%s%s", guest, diff, describe(in))
			return false
		}
	}
	return true
}

// The empty Guest is dhclient.
func TestNoGuestIsDhclient(t *testing.T) {
	if first := hostroute.Guests()[0]; first != hostroute.GuestDhclient {
		t.Errorf("the first guest is %s", first)
	}
	random(t, 43, 400, func(t testing.TB, in hostroute.Instance) bool {
		want := analyze(t, in)
		in.Guest = hostroute.GuestDhclient
		diff := cmp.Diff(want, analyze(t, in), equateNetip)
		if diff != "" {
			t.Errorf("(-empty +dhclient):\n%s%s", diff, describe(in))
		}
		return diff == ""
	})
}

func TestGuestInJSON(t *testing.T) {
	for _, guest := range append(hostroute.Guests(), "") {
		in := documented()
		in.Guest = guest
		text, err := json.Marshal(in)
		var back hostroute.Instance
		if err != nil || json.Unmarshal(text, &back) != nil || !cmp.Equal(in, back, equateNetip, cmpopts.EquateEmpty()) {
			t.Errorf("%s gives %+v, %v", text, back, err)
		}
		if member := fmt.Sprintf(`"guest":%q`, guest); !strings.Contains(string(text), member) {
			t.Errorf("%s lacks %s", text, member)
		}
	}
}

// What differs between guests is the twin's, too: which host routes steer under each, and for which verdicts that
// depends on the guest.
func TestVerdictsOfGuestsAgreeWithTwin(t *testing.T) {
	random(t, 42, 240, func(t testing.TB, in hostroute.Instance) bool {
		return compareGuests(t, in)
	})
}

// Whether other guests are looked at depends on one odd thing, or two.
func TestVerdictsOfGuestsOfTidyInstances(t *testing.T) {
	randomOf(t, gen.Tidy, 45, 300, func(t testing.TB, in hostroute.Instance) bool {
		return compareGuests(t, in)
	})
}

// Most tiny instances have one odd route only, and whether other guests are looked at depends on it alone.
func TestVerdictsOfGuestsAgreeWithTwinOnTinyUniverses(t *testing.T) {
	step := 1009
	switch {
	case exhaustive:
		step = 499
	case testing.Short():
		step = 4001
	}
	tiny(t, step, func(t testing.TB, in hostroute.Instance) bool {
		return compareGuests(t, in)
	})
}

// A host route goes from all NICs of its subnet. What else goes with it may differ between these.
func TestVerdictsOfGuestsWhereNICsShareASubnet(t *testing.T) {
	shared := func(change func(first, second *hostroute.NIC)) hostroute.Instance {
		// The halves of the first destination have routes of their own, so that its witness is elsewhere.
		in := back("14.0.0.0/8,192.0.2.1", "14.0.0.0/9,11.8.0.1", "14.128.0.0/9,11.8.0.1", "17.0.0.0/8,0.0.0.0")
		second := in.NICs[1]
		second.Name, second.Addrs = "eth2", []netip.Addr{netip.MustParseAddr("11.8.0.22")}
		in.NICs = append(in.NICs, second)
		change(&in.NICs[1], &in.NICs[2])
		return in
	}
	for name, in := range map[string]hostroute.Instance{
		"alike": shared(func(_, _ *hostroute.NIC) {}),
		"a manual route of the second uses the next hop": shared(func(_, second *hostroute.NIC) {
			second.ManualRoutes = hostRoutes("15.0.0.0/8,192.0.2.1")
		}),
		"a manual route of the first uses the next hop": shared(func(first, _ *hostroute.NIC) {
			first.ManualRoutes = hostRoutes("15.0.0.0/8,192.0.2.1")
		}),
		"a sibling route of the first contains the next hop": shared(func(first, _ *hostroute.NIC) {
			first.Siblings = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}),
		"a sibling route of the second contains the next hop": shared(func(_, second *hostroute.NIC) {
			second.Siblings = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}),
		"the next hop is an address of the second": shared(func(_, second *hostroute.NIC) {
			second.Subnets[0].HostRoutes = hostRoutes("14.0.0.0/8,11.8.0.22", "15.0.0.0/8,14.0.0.1")
		}),
		"the next hop is an address of the first": shared(func(first, _ *hostroute.NIC) {
			first.Subnets[0].HostRoutes = hostRoutes("14.0.0.0/8,11.8.0.21", "15.0.0.0/8,14.0.0.1")
		}),
	} {
		t.Run(name, func(t *testing.T) { compareGuests(t, in) })
	}
	random(t, 44, 80, func(t testing.TB, in hostroute.Instance) bool {
		if len(in.NICs) == 0 {
			return true
		}
		second := in.NICs[0]
		second.Name, second.Addrs, second.Siblings, second.ManualRoutes = "second", nil, nil, nil
		for _, s := range second.Subnets {
			for i, r := range s.HostRoutes {
				if s.CIDR.Addr().Is4() && r.NextHop.Is4() {
					second.ManualRoutes = append(second.ManualRoutes, hostroute.HostRoute{Destination: numbered(200, i), NextHop: r.NextHop})
				}
			}
		}
		in.NICs = append(in.NICs, second)
		return compareGuests(t, in)
	})
}

func compareGuests(t testing.TB, in hostroute.Instance) bool {
	t.Helper()
	for _, guest := range hostroute.Guests() {
		in.Guest = guest
		r, err := hostroute.Analyze(in)
		if err != nil {
			t.Error(err)
			return false
		}
		for _, v := range r.Verdicts {
			if guest == hostroute.GuestDhclient {
				dependent, onDefault := twin.GuestDependent(in, v.Subject), twin.DefaultDependent(in, v.Subject)
				if v.GuestDependent != dependent || v.DefaultDependent != onDefault {
					t.Errorf("got %v; guest-dependent: %v, and the twin says %v; default-dependent: %v, and the twin says %v\n%v%s",
						v, v.GuestDependent, dependent, v.DefaultDependent, onDefault, r.Table, describe(in))
					return false
				}
			}
			if want := len(v.Guests) > 0 || v.DefaultDependent || twin.ListMatters(in, v.Subject); v.GuestDependent != want {
				t.Errorf("%s: got %v; guest-dependent: %v, and the twin says %v\n%v%s", guest, v, v.GuestDependent, want, r.Table, describe(in))
				return false
			}
			if v.Effect == hostroute.EffectNotOffered && v.Cause != hostroute.CodeRoutesIgnored || !v.Subject.HostRoute.Destination.Addr().Is4() || !v.Subject.HostRoute.NextHop.Is4() {
				continue
			}
			e := twin.EffectUnder(in, string(guest), v.Subject)
			if e.Steers != v.Effective() || e.Witness != v.Witness || e.Steers && (!slices.Contains(e.With, v.With) || !slices.Contains(e.Without, v.Without)) {
				t.Errorf("%s: the twin has %+v, the library %+v\n%v%s", guest, e, v, r.Table, describe(in))
				return false
			}
			if want := twin.GuestsThatDiffer(in, v.Subject); !slices.Equal(want, v.Guests) || len(want) > 0 && !v.GuestDependent {
				t.Errorf("%s: %v differs under %v, and the library says %v\n%v%s", guest, v, want, v.Guests, r.Table, describe(in))
				return false
			}
		}
	}
	return true
}

// Deleting a host route can change what the client makes of the rest, and NICs that share a subnet are alike.
func TestVerdictsWhereTheClientMakesOtherRoutesOfTheRest(t *testing.T) {
	withAddrs := func(in hostroute.Instance, nic int, addrs ...string) hostroute.Instance {
		in.NICs[nic].Addrs = nil
		for _, a := range addrs {
			in.NICs[nic].Addrs = append(in.NICs[nic].Addrs, netip.MustParseAddr(a))
		}
		return in
	}
	third := func(in hostroute.Instance) hostroute.Instance { // on the subnet of eth1
		n := in.NICs[1]
		n.Name, n.Addrs = "eth2", nil
		in.NICs = append(in.NICs, n)
		return in
	}
	for name, in := range map[string]hostroute.Instance{
		"a second default of NetworkManager":          back("1.2.3.4/0,11.8.0.1"),
		"two more defaults":                           back("1.2.3.4/0,11.8.0.1", "5.6.7.8/0,11.8.0.1"),
		"two more defaults, one of them on-link":      and(back("1.2.3.4/0,0.0.0.0", "1.2.3.4/0,11.8.0.77"), func(in *hostroute.Instance) { in.DefaultNIC = "eth1" }),
		"all that option 121 brings to a gateway":     withAddrs(back("11.8.1.8/32,11.8.0.77"), 1, "11.8.0.1"),
		"more than one route by which 121 arrives":    withAddrs(back("11.8.1.8/32,11.8.0.77", "11.9.0.0/16,11.8.0.77"), 1, "11.8.0.1"),
		"two NICs on one subnet":                      third(back("11.11.0.0/16,11.8.0.1")),
		"two NICs on one subnet, two next hops":       third(back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.9")),
		"on-link beside a next hop":                   back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,0.0.0.0"),
		"on-link beside two next hops":                back("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,0.0.0.0", "11.11.0.0/16,11.8.0.9"),
		"the default of a NIC that is on two subnets": third(back("1.2.3.4/0,11.8.0.1")),
	} {
		t.Run(name, func(t *testing.T) {
			compareGuests(t, in)
			in.DefaultNIC = "eth0"
			compareGuests(t, in)
			in.DefaultNIC = ""
			compareGuests(t, in)
		})
	}
}

// The config drive brings the same to every guest.
func TestTheConfigDriveIsTheSameUnderEveryGuest(t *testing.T) {
	in := back("11.11.0.0/16,11.8.0.1")
	in.NICs[0].Name, in.NICs[1].Name = "eth1", "eth0"
	in.NICs[0].Subnets[0].HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1", "11.8.0.0/24,10.65.0.1")
	in.ConfigDrive, in.DefaultNIC = true, ""
	for _, n := range in.NICs {
		n.Subnets[0].DHCPDisabled = true
	}
	want := analyze(t, in)
	for _, guest := range hostroute.Guests() {
		in.Guest = guest
		got := analyze(t, in)
		got.Findings = want.Findings // multiple-defaults names the guest
		if diff := cmp.Diff(want, got, equateNetip); diff != "" {
			t.Errorf("(-%s +%s):\n%s", hostroute.Guests()[0], guest, diff)
		}
		compareTables(t, in)
		compareGuests(t, in)
	}
}

// A guest that ignores option 121 loses nothing if the option is too long.
func TestLongOfferToAGuestThatIgnoresIt(t *testing.T) {
	var routes []string
	for i := range 40 {
		routes = append(routes, fmt.Sprintf("77.%d.0.0/16,11.8.0.1", i))
	}
	in := back(routes...)
	in.Guest = hostroute.GuestUdhcpc
	r := analyze(t, in)
	for _, v := range r.Verdicts {
		if v.Cause != hostroute.CodeRoutesIgnored || len(v.Guests) > 0 {
			t.Fatalf("got %v", v)
		}
	}
	var codes []hostroute.Code
	for _, f := range r.Findings {
		codes = append(codes, f.Code)
	}
	if want := []hostroute.Code{hostroute.CodeRoutesIgnored, hostroute.CodeTooManyRoutes}; !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
}
