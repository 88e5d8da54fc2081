package hostroute_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func subnet(id, cidr, gateway string, routes ...string) *hostroute.Subnet {
	s := &hostroute.Subnet{ID: id, CIDR: netip.MustParsePrefix(cidr)}
	if gateway != "" {
		s.Gateway = netip.MustParseAddr(gateway)
	}
	s.HostRoutes = hostRoutes(routes...)
	return s
}

func hostRoutes(list ...string) []hostroute.HostRoute {
	var out []hostroute.HostRoute
	for _, r := range list {
		out = append(out, hostroute.MustParseHostRoute(r))
	}
	return out
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// documented is the instance of Calico's documentation: the data of eth1's host route
// leaves by eth1, everything else by eth0.
func documented() hostroute.Instance {
	return hostroute.Instance{Name: "web-1", DefaultNIC: "eth0", NICs: []hostroute.NIC{
		{Name: "eth0", Addrs: addrs("10.65.0.5"), Subnets: []*hostroute.Subnet{subnet("front", "10.65.0.0/24", "10.65.0.1")}},
		{Name: "eth1", Addrs: addrs("11.8.0.21"), Subnets: []*hostroute.Subnet{subnet("back", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")}},
	}}
}

// clone copies an instance in depth. Subnets that NICs share stay shared.
func clone(in hostroute.Instance) hostroute.Instance {
	done := map[*hostroute.Subnet]*hostroute.Subnet{nil: nil}
	in.NICs = slices.Clone(in.NICs)
	for i := range in.NICs {
		n := &in.NICs[i]
		n.Addrs, n.Siblings, n.ManualRoutes, n.Subnets = slices.Clone(n.Addrs), slices.Clone(n.Siblings), slices.Clone(n.ManualRoutes), slices.Clone(n.Subnets)
		for j, s := range n.Subnets {
			if _, ok := done[s]; !ok {
				c := *s
				c.HostRoutes = slices.Clone(s.HostRoutes)
				done[s] = &c
			}
			n.Subnets[j] = done[s]
		}
	}
	return in
}

// scramble changes everything that an instance points to.
func scramble(in hostroute.Instance) {
	junk := hostroute.MustParseHostRoute("203.0.113.0/24,203.0.113.1")
	for i := range in.NICs {
		n := &in.NICs[i]
		for j := range n.ManualRoutes {
			n.ManualRoutes[j] = junk
		}
		for j := range n.Addrs {
			n.Addrs[j] = junk.NextHop
		}
		for j := range n.Siblings {
			n.Siblings[j] = junk.Destination
		}
		for j, s := range n.Subnets {
			for k := range s.HostRoutes {
				s.HostRoutes[k] = junk
			}
			s.ID, s.CIDR, s.Gateway = "junk", junk.Destination, junk.NextHop
			n.Subnets[j] = nil
		}
		n.Name = "junk"
	}
}

func TestParseHostRoute(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"the documented form":         {"11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.1"},
		"host bits are kept":          {"11.11.77.5/16,11.8.0.1", "11.11.77.5/16,11.8.0.1"},
		"IPv6":                        {"2001:DB8:77::/48,fe80::1", "2001:db8:77::/48,fe80::1"},
		"mapped next hop":             {"11.11.0.0/16,::ffff:11.8.0.1", "11.11.0.0/16,11.8.0.1"},
		"mapped destination":          {"::ffff:11.11.0.0/112,11.8.0.1", "11.11.0.0/16,11.8.0.1"},
		"two families":                {"11.11.0.0/16,fe80::1", "11.11.0.0/16,fe80::1"},
		"on-link default":             {"0.0.0.0/0,0.0.0.0", "0.0.0.0/0,0.0.0.0"},
		"mapped, but no IPv4 network": {"::ffff:0.0.0.0/95,11.8.0.1", "::ffff:0.0.0.0/95,11.8.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := hostroute.ParseHostRoute(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseHostRouteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		paths []string
	}{
		"nothing":                       {"", []string{"HostRoute"}},
		"no comma":                      {"11.11.0.0/16 11.8.0.1", []string{"HostRoute"}},
		"a destination without length":  {"11.11.0.0,11.8.0.1", []string{"Destination"}},
		"a destination with a net mask": {"11.11.0.0/255.255.0.0,11.8.0.1", []string{"Destination"}},
		"a zone in the destination":     {"fe80::%eth0/64,fe80::1", []string{"Destination"}},
		"no next hop":                   {"11.11.0.0/16,", []string{"NextHop"}},
		"a next hop with a zone":        {"2001:db8::/48,fe80::1%eth0", []string{"NextHop"}},
		"spaces":                        {"11.11.0.0/16, 11.8.0.1", []string{"NextHop"}},
		"both, told together":           {"x,y", []string{"Destination", "NextHop"}},
		"three parts":                   {"11.11.0.0/16,11.8.0.1,x", []string{"NextHop"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := hostroute.ParseHostRoute(c.in)
			if r != (hostroute.HostRoute{}) {
				t.Errorf("got %v beside the error", r)
			}
			if diff := cmp.Diff(c.paths, paths(err)); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMustParseHostRoutePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	hostroute.MustParseHostRoute("x")
}

func TestZeroHostRouteIsEmptyText(t *testing.T) {
	if s := (hostroute.HostRoute{}).String(); s != "" {
		t.Errorf("got %q", s)
	}
}

// paths returns the paths of all InputErrors of an error, in their order.
func paths(err error) []string {
	var out []string
	switch e := err.(type) {
	case nil:
	case *hostroute.InputError:
		out = append(out, e.Path)
	case interface{ Unwrap() []error }:
		for _, e := range e.Unwrap() {
			out = append(out, paths(e)...)
		}
	default:
		out = append(out, "not an InputError: "+err.Error())
	}
	return out
}

func TestInputErrorUnwraps(t *testing.T) {
	_, err := hostroute.Analyze(hostroute.Instance{DefaultNIC: "eth0"})
	var in *hostroute.InputError
	if !errors.As(err, &in) || in.Path != "DefaultNIC" || in.Err == nil || !errors.Is(err, in.Err) {
		t.Fatalf("got %#v", err)
	}
	if got, want := in.Error(), "DefaultNIC: "+in.Err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnalyzeRefusesWhatNoNeutronHolds(t *testing.T) {
	hop := netip.MustParseAddr("11.8.0.1")
	dst := netip.MustParsePrefix("11.11.0.0/16")
	zoned := netip.MustParseAddr("fe80::1%eth0")
	for name, c := range map[string]struct {
		change func(in *hostroute.Instance)
		paths  []string
	}{
		"no CIDR":               {func(in *hostroute.Instance) { in.NICs[1].Subnets[0].CIDR, in.NICs[1].Addrs = netip.Prefix{}, nil }, []string{"NICs[1].Subnets[0].CIDR"}},
		"a CIDR with host bits": {func(in *hostroute.Instance) { in.NICs[1].Subnets[0].CIDR = netip.MustParsePrefix("11.8.0.7/24") }, []string{"NICs[1].Subnets[0].CIDR"}},
		"a gateway with a zone": {func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = zoned }, []string{"NICs[1].Subnets[0].Gateway"}},
		"no NIC name":           {func(in *hostroute.Instance) { in.NICs[1].Name = "" }, []string{"NICs[1].Name"}},
		"two NICs of one name":  {func(in *hostroute.Instance) { in.NICs[1].Name = "eth0" }, []string{"NICs[1].Name"}},
		"more NICs than any guest has": {func(in *hostroute.Instance) {
			for i := range 63 {
				in.NICs = append(in.NICs, hostroute.NIC{Name: "more" + string(rune('A'+i))})
			}
		}, []string{"NICs"}},
		"a nil subnet":              {func(in *hostroute.Instance) { in.NICs[0].Subnets = append(in.NICs[0].Subnets, nil) }, []string{"NICs[0].Subnets[1]"}},
		"an unknown guest":          {func(in *hostroute.Instance) { in.Guest = "dhclient5" }, []string{"Guest"}},
		"a DefaultNIC of nowhere":   {func(in *hostroute.Instance) { in.DefaultNIC = "eth7" }, []string{"DefaultNIC"}},
		"an address in no subnet":   {func(in *hostroute.Instance) { in.NICs[1].Addrs = addrs("11.8.0.2", "11.8.1.2") }, []string{"NICs[1].Addrs[1]"}},
		"an address of another NIC": {func(in *hostroute.Instance) { in.NICs[1].Addrs = addrs("10.65.0.9") }, []string{"NICs[1].Addrs[0]"}},
		"an invalid address":        {func(in *hostroute.Instance) { in.NICs[1].Addrs = []netip.Addr{{}} }, []string{"NICs[1].Addrs[0]"}},
		"an address with a zone":    {func(in *hostroute.Instance) { in.NICs[1].Addrs = []netip.Addr{zoned} }, []string{"NICs[1].Addrs[0]"}},
		"a host route without destination": {func(in *hostroute.Instance) {
			in.NICs[1].Subnets[0].HostRoutes = append(in.NICs[1].Subnets[0].HostRoutes, hostroute.HostRoute{NextHop: hop})
		}, []string{"NICs[1].Subnets[0].HostRoutes[1].Destination"}},
		"a host route without next hop": {func(in *hostroute.Instance) {
			in.NICs[1].Subnets[0].HostRoutes = []hostroute.HostRoute{{Destination: dst}}
		}, []string{"NICs[1].Subnets[0].HostRoutes[0].NextHop"}},
		"the zero host route": {func(in *hostroute.Instance) {
			in.NICs[1].Subnets[0].HostRoutes = []hostroute.HostRoute{{}}
		}, []string{"NICs[1].Subnets[0].HostRoutes[0].Destination", "NICs[1].Subnets[0].HostRoutes[0].NextHop"}},
		"a next hop with a zone": {func(in *hostroute.Instance) {
			in.NICs[1].Subnets[0].HostRoutes = []hostroute.HostRoute{{Destination: dst, NextHop: zoned}}
		}, []string{"NICs[1].Subnets[0].HostRoutes[0].NextHop"}},
		"the zero manual route":      {func(in *hostroute.Instance) { in.NICs[0].ManualRoutes = make([]hostroute.HostRoute, 1) }, []string{"NICs[0].ManualRoutes[0].Destination", "NICs[0].ManualRoutes[0].NextHop"}},
		"a sibling that is invalid":  {func(in *hostroute.Instance) { in.NICs[0].Siblings = make([]netip.Prefix, 1) }, []string{"NICs[0].Siblings[0]"}},
		"a sibling with host bits":   {func(in *hostroute.Instance) { in.NICs[0].Siblings = prefixes("10.66.0.0/24", "10.67.0.1/24") }, []string{"NICs[0].Siblings[1]"}},
		"a sibling of IPv6":          {func(in *hostroute.Instance) { in.NICs[0].Siblings = prefixes("2001:db8::/64") }, []string{"NICs[0].Siblings[0]"}},
		"one ID, two CIDRs":          {func(in *hostroute.Instance) { in.NICs[1].Subnets[0].ID = "front" }, []string{"NICs[1].Subnets[0].ID"}},
		"one ID, other host routes":  {second(func(s *hostroute.Subnet) { s.HostRoutes = hostRoutes("11.12.0.0/16,11.8.0.1") }), []string{"NICs[1].Subnets[1].ID"}},
		"one ID, other gateways":     {second(func(s *hostroute.Subnet) { s.Gateway = netip.Addr{} }), []string{"NICs[1].Subnets[1].ID"}},
		"one ID, other DHCP":         {second(func(s *hostroute.Subnet) { s.DHCPDisabled = true }), []string{"NICs[1].Subnets[1].ID"}},
		"one ID, host route missing": {second(func(s *hostroute.Subnet) { s.HostRoutes = nil }), []string{"NICs[1].Subnets[1].ID"}},
		"everything at once, in order": {func(in *hostroute.Instance) {
			in.DefaultNIC, in.Guest = "eth7", "dhclient5"
			in.NICs[0].Name = ""
			in.NICs[0].Subnets[0].CIDR = netip.MustParsePrefix("10.65.0.1/24")
			in.NICs[0].Siblings = make([]netip.Prefix, 1)
			in.NICs[1].Subnets[0].Gateway = zoned
			in.NICs[1].Subnets[0].HostRoutes = []hostroute.HostRoute{{Destination: dst}, {NextHop: hop}}
			in.NICs[1].Addrs = addrs("10.65.0.5")
			in.NICs[1].ManualRoutes = []hostroute.HostRoute{{Destination: dst, NextHop: hop}, {Destination: dst}}
		}, []string{"NICs[0].Name", "NICs[0].Subnets[0].CIDR", "NICs[0].Siblings[0]", "NICs[1].Subnets[0].Gateway",
			"NICs[1].Subnets[0].HostRoutes[0].NextHop", "NICs[1].Subnets[0].HostRoutes[1].Destination", "NICs[1].Addrs[0]", "NICs[1].ManualRoutes[1].NextHop", "Guest", "DefaultNIC"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := documented()
			c.change(&in)
			r, err := hostroute.Analyze(in)
			if r != nil {
				t.Error("a report beside the error")
			}
			if diff := cmp.Diff(c.paths, paths(err)); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			for _, word := range []string{"%!", "invalid Prefix", "invalid IP"} {
				if err != nil && strings.Contains(err.Error(), word) {
					t.Errorf("%q in: %v", word, err)
				}
			}
		})
	}
}

// second changes a copy of the last subnet, which stands beside it on its NIC.
func second(change func(*hostroute.Subnet)) func(*hostroute.Instance) {
	return func(in *hostroute.Instance) {
		n := &in.NICs[len(in.NICs)-1]
		s := *n.Subnets[0]
		change(&s)
		n.Subnets = append(n.Subnets, &s)
	}
}

func TestWhatAPersonCanTypeIsNoError(t *testing.T) {
	for name, change := range map[string]func(in *hostroute.Instance){
		"no NIC":               func(in *hostroute.Instance) { *in = hostroute.Instance{} },
		"a NIC without subnet": func(in *hostroute.Instance) { in.NICs[1].Subnets, in.NICs[1].Addrs = nil, nil },
		"gateway outside":      func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("192.0.2.1") },
		"gateway of IPv6":      func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("2001:db8::1") },
		"another family":       func(in *hostroute.Instance) { in.NICs[1].Subnets[0].HostRoutes = hostRoutes("2001:db8::/48,11.8.0.1") },
		"equal copies":         second(func(s *hostroute.Subnet) { s.HostRoutes = append(s.HostRoutes, s.HostRoutes...) }),
		"equal content":        second(func(s *hostroute.Subnet) { s.HostRoutes = slices.Clone(s.HostRoutes) }),
		"mapped, equal content": second(func(s *hostroute.Subnet) {
			s.CIDR, s.Gateway = netip.MustParsePrefix("::ffff:11.8.0.0/120"), netip.MustParseAddr("::ffff:11.8.0.1")
			s.HostRoutes = []hostroute.HostRoute{{Destination: netip.MustParsePrefix("::ffff:11.11.0.0/112"), NextHop: netip.MustParseAddr("::ffff:11.8.0.1")}}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			in := documented()
			in.DefaultNIC = ""
			change(&in)
			if _, err := hostroute.Analyze(in); err != nil {
				t.Error(err)
			}
		})
	}
}

// mapped returns in with every IPv4 address and prefix in its IPv4-mapped form.
func mapped(in hostroute.Instance) hostroute.Instance {
	in = clone(in)
	addr := func(a netip.Addr) netip.Addr {
		if a.Is4() {
			return netip.AddrFrom16(a.As16())
		}
		return a
	}
	prefix := func(p netip.Prefix) netip.Prefix {
		if p.Addr().Is4() {
			return netip.PrefixFrom(addr(p.Addr()), p.Bits()+96)
		}
		return p
	}
	route := func(r hostroute.HostRoute) hostroute.HostRoute {
		return hostroute.HostRoute{Destination: prefix(r.Destination), NextHop: addr(r.NextHop)}
	}
	each := func(list []hostroute.HostRoute) {
		for i := range list {
			list[i] = route(list[i])
		}
	}
	done := map[*hostroute.Subnet]bool{}
	for i := range in.NICs {
		n := &in.NICs[i]
		for j := range n.Addrs {
			n.Addrs[j] = addr(n.Addrs[j])
		}
		for j := range n.Siblings {
			n.Siblings[j] = prefix(n.Siblings[j])
		}
		each(n.ManualRoutes)
		for _, s := range n.Subnets {
			if !done[s] {
				done[s] = true
				s.CIDR, s.Gateway = prefix(s.CIDR), addr(s.Gateway)
				each(s.HostRoutes)
			}
		}
	}
	return in
}

func TestMappedAddressesAreUnmappedFirst(t *testing.T) {
	random(t, 5, 1000, func(t testing.TB, in hostroute.Instance) bool {
		m := mapped(in)
		before := clone(m)
		want, got := analyze(t, in), analyze(t, m)
		if diff := cmp.Diff(want, got, equateNetip); diff != "" {
			t.Errorf("report (-plain +mapped):\n%s%s", diff, describe(in))
			return false
		}
		if diff := cmp.Diff(before, m, equateNetip); diff != "" {
			t.Errorf("the input is changed (-before +after):\n%s", diff)
			return false
		}
		for i := range in.NICs {
			if diff := cmp.Diff(in.NICs[i].Offer(), m.NICs[i].Offer(), equateNetip); diff != "" {
				t.Errorf("offer (-plain +mapped):\n%s%s", diff, describe(in))
				return false
			}
		}
		return true
	})
}

// edit is an edit of the subnet back; "" is the zero host route.
func edit(old, by string) hostroute.Edit {
	e := hostroute.Edit{Subnet: "back"}
	if old != "" {
		e.Old = hostroute.MustParseHostRoute(old)
	}
	if by != "" {
		e.New = hostroute.MustParseHostRoute(by)
	}
	return e
}

func TestSubnetApply(t *testing.T) {
	const a, b, c, d = "1.0.0.0/8,11.8.0.1", "2.0.0.0/8,11.8.0.1", "3.0.0.0/8,11.8.0.1", "4.0.0.0/8,11.8.0.1"
	const bits, e = "5.1.2.3/8,11.8.0.1", "5.0.0.0/8,11.8.0.1"
	elsewhere := edit("9.0.0.0/8,11.8.0.1", "")
	elsewhere.Subnet = "front"
	mappedEdit := hostroute.Edit{Subnet: "back",
		Old: hostroute.HostRoute{Destination: netip.MustParsePrefix("::ffff:1.0.0.0/104"), NextHop: netip.MustParseAddr("::ffff:11.8.0.1")},
		New: hostroute.HostRoute{Destination: netip.MustParsePrefix("::ffff:4.0.0.0/104"), NextHop: netip.MustParseAddr("::ffff:11.8.0.1")}}
	for name, x := range map[string]struct {
		before []string
		edits  []hostroute.Edit
		want   []string
	}{
		"no edit":                            {[]string{a, b}, nil, []string{a, b}},
		"add, at the end":                    {[]string{a, b}, []hostroute.Edit{edit("", c)}, []string{a, b, c}},
		"add to none":                        {nil, []hostroute.Edit{edit("", c)}, []string{c}},
		"add what is there":                  {[]string{a, b}, []hostroute.Edit{edit("", a)}, []string{a, b}},
		"remove":                             {[]string{a, b, c}, []hostroute.Edit{edit(b, "")}, []string{a, c}},
		"remove all equal copies":            {[]string{a, b, a, c, a}, []hostroute.Edit{edit(a, "")}, []string{b, c}},
		"replace, in place":                  {[]string{a, b, c}, []hostroute.Edit{edit(b, d)}, []string{a, d, c}},
		"replace all copies by one":          {[]string{a, b, c, b}, []hostroute.Edit{edit(b, d)}, []string{a, d, c}},
		"replace by what stands before":      {[]string{a, b, c}, []hostroute.Edit{edit(b, a)}, []string{a, c}},
		"replace by what stands behind":      {[]string{a, b, c}, []hostroute.Edit{edit(a, c)}, []string{b, c}},
		"replace by itself":                  {[]string{a, b}, []hostroute.Edit{edit(b, b)}, []string{a, b}},
		"replace by itself, with copies":     {[]string{a, b, a}, []hostroute.Edit{edit(a, a)}, []string{a, b}},
		"no edit: host bits and copies stay": {[]string{bits, a, a}, nil, []string{bits, a, a}},
		"for another subnet: they stay":      {[]string{bits, a, a}, []hostroute.Edit{elsewhere}, []string{bits, a, a}},
		"an edit masks the others":           {[]string{bits, a}, []hostroute.Edit{edit("", b)}, []string{e, a, b}},
		"what is equal when masked is once":  {[]string{bits, a, e, a}, []hostroute.Edit{edit("", b)}, []string{e, a, b}},
		"an addition is masked":              {[]string{a}, []hostroute.Edit{edit("", bits)}, []string{a, e}},
		"old is looked up as it is":          {[]string{bits, e}, []hostroute.Edit{edit(bits, "")}, []string{e}},
		"old is looked up as it was added":   {nil, []hostroute.Edit{edit("", bits), edit(bits, c)}, []string{c}},
		"in their order":                     {[]string{a}, []hostroute.Edit{edit(a, b), edit(b, c), edit("", a)}, []string{c, a}},
		"for another subnet":                 {[]string{a}, []hostroute.Edit{elsewhere}, []string{a}},
		"of mapped addresses":                {[]string{a, b}, []hostroute.Edit{mappedEdit}, []string{d, b}},
	} {
		t.Run(name, func(t *testing.T) {
			s := subnet("back", "11.8.0.0/24", "11.8.0.1", x.before...)
			s.DHCPDisabled = true
			s.HostRoutes = slices.Grow(s.HostRoutes, 8) // room that a careless append would write to
			want := subnet("back", "11.8.0.0/24", "11.8.0.1", x.want...)
			want.DHCPDisabled = true
			got, err := s.Apply(x.edits...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, equateNetip, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(hostRoutes(x.before...), s.HostRoutes, equateNetip, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the input is changed (-before +after):\n%s", diff)
			}
			for i := range got.HostRoutes {
				got.HostRoutes[i] = hostroute.HostRoute{}
			}
			_ = append(got.HostRoutes, hostRoutes(d)...)
			if diff := cmp.Diff(hostRoutes(x.before...), s.HostRoutes, equateNetip, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the result shares memory with the input:\n%s", diff)
			}
		})
	}
}

func TestSubnetApplyFindsMappedRoutesOfTheSubnet(t *testing.T) {
	s := subnet("back", "11.8.0.0/24", "11.8.0.1")
	s.HostRoutes = []hostroute.HostRoute{{Destination: netip.MustParsePrefix("::ffff:1.0.0.0/104"), NextHop: netip.MustParseAddr("::ffff:11.8.0.1")}}
	got, err := s.Apply(hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("1.0.0.0/8,11.8.0.1")})
	if err != nil || len(got.HostRoutes) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

var badEdits = []struct {
	name  string
	edit  hostroute.Edit
	paths []string // behind edits[i]
}{
	{"neither old nor new", hostroute.Edit{Subnet: "back"}, []string{""}},
	{"old is there only masked", hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.77.5/16,11.8.0.1")}, []string{".Old"}},
	{"old is not there", hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("9.0.0.0/8,11.8.0.1")}, []string{".Old"}},
	{"new has no next hop", hostroute.Edit{Subnet: "back", New: hostroute.HostRoute{Destination: netip.MustParsePrefix("9.0.0.0/8")}}, []string{".New.NextHop"}},
	{"new has no destination", hostroute.Edit{Subnet: "back", New: hostroute.HostRoute{NextHop: netip.MustParseAddr("11.8.0.1")}}, []string{".New.Destination"}},
	{"new has a zone", hostroute.Edit{Subnet: "back", New: hostroute.HostRoute{Destination: netip.MustParsePrefix("2001:db8::/48"), NextHop: netip.MustParseAddr("fe80::1%x")}}, []string{".New.NextHop"}},
	{"old is not there, new is none", hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("9.0.0.0/8,11.8.0.1"),
		New: hostroute.HostRoute{NextHop: netip.MustParseAddr("11.8.0.1")}}, []string{".New.Destination", ".Old"}},
}

func TestApplyRefusesBadEditsAllAtOnce(t *testing.T) {
	good := hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}
	edits, want := []hostroute.Edit{good}, []string(nil)
	for i, c := range badEdits {
		var one []string
		for _, p := range c.paths {
			one = append(one, "edits[0]"+p)
			want = append(want, "edits["+string(rune('1'+i))+"]"+p)
		}
		edits = append(edits, c.edit)
		t.Run(c.name, func(t *testing.T) {
			s, err := documented().NICs[1].Subnets[0].Apply(c.edit)
			if s != nil {
				t.Error("a copy beside the error")
			}
			if diff := cmp.Diff(one, paths(err)); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
	in := documented()
	s, err := in.NICs[1].Subnets[0].Apply(edits...)
	if diff := cmp.Diff(want, paths(err)); diff != "" || s != nil {
		t.Errorf("subnet: %v, paths (-want +got):\n%s", s, diff)
	}
	// The same subnet on two NICs, and twice on one of them, by pointer and by
	// content: told once.
	twin := *in.NICs[1].Subnets[0]
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, &twin, in.NICs[1].Subnets[0])
	out, err := in.Apply(edits...)
	if diff := cmp.Diff(want, paths(err)); diff != "" || out.NICs != nil {
		t.Errorf("instance: %v, paths (-want +got):\n%s", out, diff)
	}
	if diff := cmp.Diff(hostRoutes("11.11.0.0/16,11.8.0.1"), in.NICs[1].Subnets[0].HostRoutes, equateNetip); diff != "" {
		t.Errorf("the input is changed (-before +after):\n%s", diff)
	}
}

func TestApplyOfTheSameOldTwiceIsAnError(t *testing.T) {
	e := hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")}
	_, err := documented().NICs[1].Subnets[0].Apply(e, e)
	if diff := cmp.Diff([]string{"edits[1].Old"}, paths(err)); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestApplyRefusesNilSubnets(t *testing.T) {
	var s *hostroute.Subnet
	if out, err := s.Apply(); out != nil || !slices.Equal(paths(err), []string{"Subnet"}) {
		t.Errorf("got %v, %v", out, err)
	}
	in := documented()
	in.NICs[0].Subnets = []*hostroute.Subnet{nil}
	in.NICs[1].Subnets = append(in.NICs[1].Subnets, nil)
	if _, err := in.Apply(); !slices.Equal(paths(err), []string{"NICs[0].Subnets[0]", "NICs[1].Subnets[1]"}) {
		t.Errorf("got %v", err)
	}
}

func TestInstanceApply(t *testing.T) {
	in := documented()
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, in.NICs[1].Subnets[0])
	in.NICs[0].ManualRoutes = hostRoutes("12.0.0.0/8,10.65.0.1")
	in.NICs[0].Siblings = prefixes("10.66.0.0/24")
	out, err := in.Apply(
		hostroute.Edit{Subnet: "back", Old: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"), New: hostroute.MustParseHostRoute("11.12.0.0/16,11.8.0.1")},
		hostroute.Edit{Subnet: "front", New: hostroute.MustParseHostRoute("11.13.0.0/16,10.65.0.1")},
		hostroute.Edit{Subnet: "nowhere", Old: hostroute.MustParseHostRoute("11.13.0.0/16,10.65.0.1")},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := clone(in)
	want.NICs[0].Subnets[0].HostRoutes = hostRoutes("11.13.0.0/16,10.65.0.1")
	want.NICs[1].Subnets[0].HostRoutes = hostRoutes("11.12.0.0/16,11.8.0.1")
	if diff := cmp.Diff(want, out, equateNetip); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out.NICs[0].Subnets[1] != out.NICs[1].Subnets[0] {
		t.Error("a subnet that NICs shared is not shared any more")
	}
}

// Any edits on any instance: nothing of the input changes, nothing is shared, and
// what is not edited is the same.
func TestInstanceApplySharesNothing(t *testing.T) {
	random(t, 6, 1000, func(t testing.TB, in hostroute.Instance) bool {
		before := clone(in)
		edits := someEdits(rand.New(rand.NewPCG(6, uint64(len(describe(in))))), in)
		out, err := in.Apply(edits...)
		if err == nil {
			for i, n := range in.NICs {
				for j, s := range n.Subnets {
					want, err := s.Apply(edits...)
					if diff := cmp.Diff(want, out.NICs[i].Subnets[j], equateNetip); diff != "" || err != nil {
						t.Errorf("%v, subnet %s (-want +got):\n%s", err, s.ID, diff)
						return false
					}
				}
			}
			scramble(out)
		}
		if diff := cmp.Diff(before, in, equateNetip); diff != "" {
			t.Errorf("the input is changed (-before +after):\n%s", diff)
			return false
		}
		return true
	})
}

// someEdits makes edits for an instance's subnets, most of them valid.
func someEdits(r *rand.Rand, in hostroute.Instance) []hostroute.Edit {
	var out []hostroute.Edit
	routes := func() []hostroute.HostRoute {
		for _, n := range gen.Instance(r).NICs {
			for _, s := range n.Subnets {
				if len(s.HostRoutes) > 0 {
					return s.HostRoutes
				}
			}
		}
		return hostRoutes("9.0.0.0/8,9.0.0.1")
	}
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			e := hostroute.Edit{Subnet: s.ID}
			if len(s.HostRoutes) > 0 && r.IntN(3) > 0 {
				e.Old = s.HostRoutes[r.IntN(len(s.HostRoutes))]
			}
			if e.Old == (hostroute.HostRoute{}) || r.IntN(3) > 0 {
				e.New = routes()[0]
			}
			if !slices.ContainsFunc(out, func(o hostroute.Edit) bool { return o.Subnet == s.ID }) {
				out = append(out, e)
			}
		}
	}
	return out
}
