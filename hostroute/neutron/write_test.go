package neutron_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

func subnetOf(id string, routes ...string) *hostroute.Subnet {
	s := &hostroute.Subnet{ID: id}
	for _, r := range routes {
		s.HostRoutes = append(s.HostRoutes, route(r))
	}
	return s
}

// words splits commands, none of whose words has a space.
func words(commands ...string) (argvs [][]string) {
	for _, c := range commands {
		argvs = append(argvs, strings.Split(c, " "))
	}
	return argvs
}

func TestTheWholeList(t *testing.T) {
	const none = `{"subnet":{"host_routes":[]}}`
	for _, tt := range []struct {
		name    string
		subnet  *hostroute.Subnet
		body    string
		options string // of the command, and the subnet
	}{
		{"no host routes", subnetOf("s"), none, "s"},
		{"in their order", subnetOf("s", "12.0.0.0/8,10.0.0.1", "11.0.0.0/8,10.0.0.1"),
			`{"subnet":{"host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.0.0.1"},{"destination":"11.0.0.0/8","nexthop":"10.0.0.1"}]}}`,
			"--host-route destination=12.0.0.0/8,gateway=10.0.0.1 --host-route destination=11.0.0.0/8,gateway=10.0.0.1 s"},
		{"destinations are masked, and what is then equal is there once", subnetOf("s", "12.1.2.3/8,10.0.0.1", "12.0.0.0/8,10.0.0.1", "12.0.0.0/8,10.0.0.2"),
			`{"subnet":{"host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.0.0.1"},{"destination":"12.0.0.0/8","nexthop":"10.0.0.2"}]}}`,
			"--host-route destination=12.0.0.0/8,gateway=10.0.0.1 --host-route destination=12.0.0.0/8,gateway=10.0.0.2 s"},
		{"IPv4-mapped addresses are unmapped", &hostroute.Subnet{ID: "s", HostRoutes: []hostroute.HostRoute{
			{Destination: netip.MustParsePrefix("::ffff:12.1.0.0/104"), NextHop: netip.MustParseAddr("::ffff:10.0.0.1")}}},
			`{"subnet":{"host_routes":[{"destination":"12.0.0.0/8","nexthop":"10.0.0.1"}]}}`,
			"--host-route destination=12.0.0.0/8,gateway=10.0.0.1 s"},
		{"IPv6", subnetOf("s", "2001:db8::/32,fe80::1"),
			`{"subnet":{"host_routes":[{"destination":"2001:db8::/32","nexthop":"fe80::1"}]}}`,
			"--host-route destination=2001:db8::/32,gateway=fe80::1 s"},
		{"an ID like an option", subnetOf("-s"), none, "-- -s"},
		{"no ID", subnetOf(""), none, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(neutron.UpdateBody(tt.subnet)); got != tt.body {
				t.Errorf("body %s, want %s", got, tt.body)
			}
			want := words("openstack subnet set --no-host-route " + tt.options)[0]
			if diff := cmp.Diff(want, neutron.ReplaceCommand(tt.subnet)); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
	if got := string(neutron.UpdateBody(nil)); got != none {
		t.Errorf("body of no subnet: %s, want %s", got, none)
	}
	if got := neutron.ReplaceCommand(nil); got != nil {
		t.Errorf("command of no subnet: %q, want none", got)
	}
}

func TestEditCommands(t *testing.T) {
	edit := func(old, new string) hostroute.Edit {
		e := hostroute.Edit{Subnet: "s"}
		if old != "" {
			e.Old = route(old)
		}
		if new != "" {
			e.New = route(new)
		}
		return e
	}
	nth := func(i int) string { return fmt.Sprintf("12.%d.0.0/16,10.0.0.1", i) }
	var twenty []string
	for i := range 20 {
		twenty = append(twenty, nth(i))
	}
	all := func(routes ...string) string {
		command := "openstack subnet set --no-host-route "
		for _, r := range routes {
			command += "--host-route destination=" + strings.Replace(r, ",", ",gateway=", 1) + " "
		}
		return command + "s"
	}
	const a, b = "11.0.0.0/8,10.0.0.1", "11.0.0.0/8,10.0.0.2"
	const setB, unsetA = "openstack subnet set --host-route destination=11.0.0.0/8,gateway=10.0.0.2 s", "openstack subnet unset --host-route destination=11.0.0.0/8,gateway=10.0.0.1 s"
	ipv6 := subnetOf("s", "2001:db8:77::/48,fe80::1", "2001:db8:78::/48,fe80::1")
	ipv6.CIDR = netip.MustParsePrefix("2001:db8::/64")
	static := subnetOf("s", a, b)
	static.DHCPDisabled = true
	for _, tt := range []struct {
		name   string
		subnet *hostroute.Subnet
		edits  []hostroute.Edit
		want   []string
	}{
		{"add", subnetOf("s", a), []hostroute.Edit{edit("", b)}, []string{setB}},
		{"remove", subnetOf("s", a, b), []hostroute.Edit{edit(a, "")}, []string{unsetA}},
		{"replace: set before unset", subnetOf("s", a), []hostroute.Edit{edit(a, b)}, []string{setB, unsetA}},
		{"replace by what is there", subnetOf("s", a, b), []hostroute.Edit{edit(a, b)}, []string{unsetA}},
		{"replace two by one", subnetOf("s", a, "11.0.0.0/8,10.0.0.3"), []hostroute.Edit{edit(a, b), edit("11.0.0.0/8,10.0.0.3", b)}, []string{
			setB, "openstack subnet unset --host-route destination=11.0.0.0/8,gateway=10.0.0.1 --host-route destination=11.0.0.0/8,gateway=10.0.0.3 s"}},
		{"add what is there", subnetOf("s", a), []hostroute.Edit{edit("", a)}, nil},
		{"what comes and goes is not touched", subnetOf("s", a), []hostroute.Edit{edit("", b), edit(b, "")}, nil},
		{"several edits", subnetOf("s", a, "12.0.0.0/8,10.0.0.1"), []hostroute.Edit{edit("12.0.0.0/8,10.0.0.1", ""), edit(a, b), edit("", "13.0.0.0/8,10.0.0.1")}, []string{
			"openstack subnet set --host-route destination=11.0.0.0/8,gateway=10.0.0.2 --host-route destination=13.0.0.0/8,gateway=10.0.0.1 s",
			"openstack subnet unset --host-route destination=11.0.0.0/8,gateway=10.0.0.1 --host-route destination=12.0.0.0/8,gateway=10.0.0.1 s"}},
		{"a New with host bits is masked", subnetOf("s", a), []hostroute.Edit{edit(a, "11.1.2.3/8,10.0.0.2")}, []string{setB, unsetA}},
		{"edits of other subnets", subnetOf("s", "11.1.2.3/8,10.0.0.1"), []hostroute.Edit{{Subnet: "t", New: route(a)}}, nil},
		{"no edits", subnetOf("s", a), nil, nil},
		{"an edit that fails", subnetOf("s", a), []hostroute.Edit{edit("", b), edit("12.0.0.0/8,10.0.0.1", "")}, nil},
		{"no subnet", nil, []hostroute.Edit{edit("", a)}, nil},
		{"host bits anywhere in the list", subnetOf("s", a, "12.1.2.3/8,10.0.0.1"), []hostroute.Edit{edit("", b)}, []string{all(a, "12.0.0.0/8,10.0.0.1", b)}},
		{"a removal on an IPv6 subnet: who knows how it is spelled", ipv6, []hostroute.Edit{edit("2001:db8:77::/48,fe80::1", "")}, []string{all("2001:db8:78::/48,fe80::1")}},
		{"an addition on an IPv6 subnet", ipv6, []hostroute.Edit{edit("", "2001:db8:79::/48,fe80::1")}, []string{
			"openstack subnet set --host-route destination=2001:db8:79::/48,gateway=fe80::1 s"}},
		{"a removal without DHCP: it may be spelled with a netmask", static, []hostroute.Edit{edit(a, "")}, []string{all(b)}},
		{"an addition without DHCP", static, []hostroute.Edit{edit("", "12.0.0.0/8,10.0.0.1")}, []string{
			"openstack subnet set --host-route destination=12.0.0.0/8,gateway=10.0.0.1 s"}},
		{"a replacement on a list of 19", subnetOf("s", twenty[:19]...), []hostroute.Edit{edit(nth(0), a)}, []string{
			"openstack subnet set --host-route destination=11.0.0.0/8,gateway=10.0.0.1 s", "openstack subnet unset --host-route destination=12.0.0.0/16,gateway=10.0.0.1 s"}},
		{"a replacement on a list of 20", subnetOf("s", twenty...), []hostroute.Edit{edit(nth(0), a)}, []string{all(append([]string{a}, twenty[1:]...)...)}},
		{"two replacements on a list of 19", subnetOf("s", twenty[:19]...), []hostroute.Edit{edit(nth(0), a), edit(nth(1), b)}, []string{
			all(append([]string{a, b}, twenty[2:19]...)...)}},
		{"an addition to a list of 20: the limit may be higher", subnetOf("s", twenty...), []hostroute.Edit{edit("", b)}, []string{setB}},
		{"a removal on a list of 20", subnetOf("s", twenty...), []hostroute.Edit{edit(nth(0), "")}, []string{
			"openstack subnet unset --host-route destination=12.0.0.0/16,gateway=10.0.0.1 s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(words(tt.want...), neutron.EditCommands(tt.subnet, tt.edits...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// run does to a list what Neutron does for a command of EditCommands or ReplaceCommand.
func run(t *testing.T, list []hostroute.HostRoute, argv []string) []hostroute.HostRoute {
	t.Helper()
	list = slices.Clone(list)
	verb := argv[2]
	for i := 3; i < len(argv)-1; i++ {
		if argv[i] == "--no-host-route" {
			list = nil
			continue
		}
		i++
		r := route(strings.Replace(strings.TrimPrefix(argv[i], "destination="), "gateway=", "", 1))
		at := slices.Index(list, r)
		switch {
		case verb == "set" && at < 0:
			list = append(list, r)
		case verb == "unset" && at >= 0:
			list = slices.Delete(list, at, at+1)
		default:
			t.Errorf("Neutron refuses %q on %v", argv, list)
		}
	}
	if len(list) > 20 {
		t.Errorf("Neutron refuses %d host routes, by %q", len(list), argv)
	}
	return list
}

// On any list, what the commands leave is what Apply and UpdateBody say.
func TestEditCommandsDoWhatApplySays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	routeOf := func() hostroute.HostRoute {
		return hostroute.HostRoute{
			Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(random.IntN(8))}), 16),
			NextHop:     netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(4))}),
		}
	}
	compare := func(a, b hostroute.HostRoute) int { return strings.Compare(a.String(), b.String()) }
	for range 500 {
		s := &hostroute.Subnet{ID: "s"}
		for range random.IntN(21) {
			if r := routeOf(); !slices.Contains(s.HostRoutes, r) {
				s.HostRoutes = append(s.HostRoutes, r)
			}
		}
		var edits []hostroute.Edit
		edited := s
		for range 1 + random.IntN(3) {
			e := hostroute.Edit{Subnet: "s", New: routeOf()}
			if n := len(edited.HostRoutes); n > 0 && random.IntN(4) > 0 {
				e.Old = edited.HostRoutes[random.IntN(n)]
			}
			if e.Old.Destination.IsValid() && random.IntN(2) == 0 {
				e.New = hostroute.HostRoute{}
			}
			next, err := edited.Apply(e)
			if err != nil {
				t.Fatal(err)
			}
			edits, edited = append(edits, e), next
		}
		if len(edited.HostRoutes) > 20 {
			continue
		}
		list := s.HostRoutes
		for _, argv := range neutron.EditCommands(s, edits...) {
			list = run(t, list, argv)
		}
		replaced := run(t, s.HostRoutes, neutron.ReplaceCommand(edited))
		want := slices.SortedFunc(slices.Values(edited.HostRoutes), compare)
		for _, got := range [][]hostroute.HostRoute{list, replaced} {
			if diff := cmp.Diff(want, slices.SortedFunc(slices.Values(got), compare), equate); diff != "" {
				t.Fatalf("%v, edits %v (-want +got):\n%s", s.HostRoutes, edits, diff)
			}
		}
	}
}

func TestDefaultGateway(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.65.0.0/24":         "10.65.0.1",
		"10.65.0.7/24":         "10.65.0.1",
		"10.65.0.0/31":         "10.65.0.1",
		"10.65.0.0/32":         "invalid IP",
		"255.255.255.255/32":   "invalid IP",
		"::ffff:10.65.0.0/120": "10.65.0.1",
		"2001:db8::/64":        "2001:db8::",
		"2001:db8::/128":       "2001:db8::",
	} {
		if got := neutron.DefaultGateway(netip.MustParsePrefix(cidr)).String(); got != want {
			t.Errorf("%s: got %s, want %s", cidr, got, want)
		}
	}
	if got := neutron.DefaultGateway(netip.Prefix{}); got.IsValid() {
		t.Errorf("of no CIDR: got %v", got)
	}
}

// A removal needs no room in the list, so that it stays one that composes.
func TestEditCommandsOnlyRemoveFromALongList(t *testing.T) {
	s := &hostroute.Subnet{ID: "back", CIDR: netip.MustParsePrefix("11.8.0.0/24")}
	for i := range 21 {
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{12, 0, byte(i), 0}), 24), NextHop: netip.MustParseAddr("11.8.0.1")})
	}
	got := neutron.EditCommands(s, hostroute.Edit{Subnet: "back", Old: s.HostRoutes[0]})
	want := [][]string{{"openstack", "subnet", "unset", "--host-route", "destination=12.0.0.0/24,gateway=11.8.0.1", "back"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
