package hostroute_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzParseHostRoute(f *testing.F) {
	for _, s := range []string{"11.11.0.0/16,11.8.0.1", "0.0.0.0/0,0.0.0.0", "2001:db8::/48,fe80::1", "::ffff:11.11.0.0/112,::ffff:11.8.0.1", "::ffff:1.2.3.4/95,::1",
		"11.11.77.5/16,11.8.0.1", "fe80::/64,fe80::1%eth0", ",", "", "11.11.0.0/255.255.0.0,11.8.0.1", "11.11.0.0/16,11.8.0.1,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := hostroute.ParseHostRoute(s)
		if err != nil {
			if r != (hostroute.HostRoute{}) || len(paths(err)) == 0 {
				t.Errorf("%q: %v, %v", s, r, err)
			}
			return
		}
		if r.NextHop.Is4In6() || r.NextHop.Zone() != "" || !r.NextHop.IsValid() || !r.Destination.IsValid() {
			t.Errorf("%q gives %v", s, r)
		}
		back, err := hostroute.ParseHostRoute(r.String())
		if err != nil || back != r {
			t.Errorf("%q gives %v, which gives %v, %v", s, r, back, err)
		}
		text, err := json.Marshal(r)
		var fromJSON hostroute.HostRoute
		if err != nil || json.Unmarshal(text, &fromJSON) != nil || fromJSON != r {
			t.Errorf("%v is %s in JSON, %v, which gives %v", r, text, err, fromJSON)
		}
	})
}

// small bounds what the twin takes long for.
func small(in hostroute.Instance) bool {
	n := 0
	for _, nic := range in.NICs {
		n += len(nic.ManualRoutes) + len(nic.Siblings)
		for _, s := range nic.Subnets {
			n += len(s.HostRoutes)
		}
	}
	return n <= 20
}

// hasSubnetAtZero reports whether a subnet begins at 0.0.0.0, of which guests can make anything.
func hasSubnetAtZero(in hostroute.Instance) bool {
	return slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool {
		return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return s.CIDR.Addr() == onLink })
	})
}

// seeds adds the bytes of a few instances: the plainest, and some that are not.
func seeds(f *testing.F, more ...any) {
	for i := range 12 {
		b := make([]byte, 20*i)
		for j := range b {
			b[j] = byte((i*31 + j*j*7 + j) % 251)
		}
		f.Add(append([]any{b}, more...)...)
	}
}

func FuzzAnalyze(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		in := gen.FromBytes(b)
		if !small(in) {
			t.Skip("takes the twin long")
		}
		before := clone(in)
		r := analyze(t, in)
		if hasSubnetAtZero(in) {
			t.Skip("not modelled")
		}
		compare(t, in)
		if diff := cmp.Diff(wantFindings(in), keys(r.Findings), equateNetip, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("findings (-want +got):\n%s%s", diff, describe(in))
		}
		checkFixes(t, in)
		checkImpact(t, in, someEdits(rand.New(rand.NewPCG(uint64(len(b)), 0)), in))
		explain(t, r)
		compareTables(t, in)
		in.Guest = hostroute.Guests()[len(b)%len(hostroute.Guests())]
		fuzzGuest(t, in)
		in.Guest = ""
		if diff := cmp.Diff(before, in, equateNetip); diff != "" {
			t.Errorf("the input is changed (-before +after):\n%s", diff)
		}
	})
}

// fuzzGuest asks all about an instance with a guest. What the twin takes too long for, random instances are compared in.
func fuzzGuest(t *testing.T, in hostroute.Instance) {
	explain(t, analyze(t, in))
	checkFixes(t, in)
	edits := someEdits(rand.New(rand.NewPCG(uint64(len(in.NICs)), 0)), in)
	_, failed := in.Impact(edits...)
	if _, err := in.Apply(edits...); (failed == nil) != (err == nil) {
		t.Errorf("Impact says %v, and Apply %v\n%s", failed, err, describe(in))
	}
}

func explain(t *testing.T, r *hostroute.Report) {
	for _, a := range addrs("11.11.77.5", "10.65.0.1", "0.0.0.0", "255.255.255.255", "2001:db8:9::1") {
		if e := r.Explain(a); e.String() == "" {
			t.Errorf("%v: nothing to say", a)
		}
	}
}

// table makes any table of bytes, six a row: NIC, source, and a prefix of the tiny
// space, of its surroundings, or of IPv6.
func tableOf(b []byte) hostroute.Table {
	var t hostroute.Table
	for ; len(b) >= 6 && len(t) < 32; b = b[6:] {
		a := netip.AddrFrom4([4]byte{b[1], b[2], b[3], b[4]})
		p := netip.PrefixFrom(a, int(b[5])%33)
		if b[0]&8 != 0 {
			p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0: b[1], 7: b[2], 8: b[3], 15: b[4]}), int(b[5])%129)
		}
		t = append(t, hostroute.Route{Destination: p.Masked(), NIC: []string{"eth0", "eth1", "eth2"}[b[0]%3]})
	}
	return t
}

func FuzzDiff(f *testing.F) {
	seeds(f, []byte(nil))
	seeds(f, []byte("\x01\x0a\x00\x00\x00\x08\x00\xff\xff\xff\xff\x20\x08\x00\x00\x00\x00\x00\x02\x0a\x00\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a, b := tableOf(x), tableOf(y)
		checkDiff(t, a, b)
		checkDiff(t, a, a)
		for _, nic := range []string{"eth0", "eth1", "eth2"} {
			for _, p := range a.Destinations(nic).Prefixes() {
				if r, _ := a.Lookup(p.Addr()); r.NIC != nic {
					t.Errorf("%v is among the destinations of %s and leaves by %q", p, nic, r.NIC)
				}
			}
		}
		if t.Failed() {
			t.Logf("\n%s\n%s", a, b)
		}
	})
}

// routesOf makes host routes of bytes, two each, few of them different, some with host bits.
func routesOf(b []byte) []hostroute.HostRoute {
	var out []hostroute.HostRoute
	for ; len(b) >= 2 && len(out) < 40; b = b[2:] {
		r := hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{b[0] % 4, b[0] >> 7, 0, 0}), 8), NextHop: netip.AddrFrom4([4]byte{11, 8, 0, b[1] % 2})}
		if b[1]&16 != 0 {
			r = hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom16(r.Destination.Addr().As16()), 104), NextHop: netip.AddrFrom16(r.NextHop.As16())}
		}
		out = append(out, r)
	}
	return out
}

// plainly is what Apply says that it does with an edit, in the plainest words; false is an error.
func plainly(list []hostroute.HostRoute, old, add hostroute.HostRoute) ([]hostroute.HostRoute, bool) {
	if old == none && add == none || old != none && !slices.Contains(list, old) {
		return list, false
	}
	if old == add {
		return list, true
	}
	there := add != none && slices.Contains(list, add)
	var out []hostroute.HostRoute
	for _, r := range list {
		switch {
		case r != old:
			out = append(out, r)
		case add != none && !there:
			out = append(out, add)
			there = true
		}
	}
	if old == none && !there {
		out = append(out, add)
	}
	return out, true
}

// written is the list that Neutron is sent.
func written(list []hostroute.HostRoute) []hostroute.HostRoute {
	var out []hostroute.HostRoute
	for _, r := range list {
		r.Destination = r.Destination.Masked()
		out = append(out, r)
	}
	return twin.Distinct(out)
}

func unmapped(r hostroute.HostRoute) hostroute.HostRoute {
	if a := r.Destination.Addr(); a.Is4In6() {
		r.Destination = netip.PrefixFrom(a.Unmap(), r.Destination.Bits()-96)
	}
	r.NextHop = r.NextHop.Unmap()
	return r
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 0, 0, 2, 1}, []byte{0, 0, 3, 0}, []byte{1, 1})
	f.Add([]byte{0, 16, 1, 0}, []byte{0, 0, 3, 0}, []byte{4})
	f.Add([]byte{0, 0, 1, 0}, []byte{0, 0, 0, 0}, []byte{0})
	f.Add([]byte{}, []byte{0, 0, 0, 0}, []byte{2, 3, 5})
	f.Fuzz(func(t *testing.T, have, with, kinds []byte) {
		s := &hostroute.Subnet{ID: "back", CIDR: netip.MustParsePrefix("11.8.0.0/24"), HostRoutes: routesOf(have)}
		before := slices.Clone(s.HostRoutes)
		var want []hostroute.HostRoute
		for _, r := range s.HostRoutes {
			want = append(want, unmapped(r))
		}
		pairs := routesOf(with)
		var edits []hostroute.Edit
		ok, named := true, false
		for i, k := range kinds {
			if 2*i+1 >= len(pairs) {
				break
			}
			e := hostroute.Edit{Subnet: "back", Old: pairs[2*i], New: pairs[2*i+1]}
			switch k % 6 {
			case 1:
				e.Old = hostroute.HostRoute{}
			case 2:
				e.New = hostroute.HostRoute{}
			case 3:
				e.Subnet = "front"
			case 4:
				e.New = e.Old
			case 5:
				e.Old, e.New = hostroute.HostRoute{}, hostroute.HostRoute{}
			}
			edits = append(edits, e)
			named = named || e.Subnet == "back"
			if e.Subnet == "back" && ok {
				want, ok = plainly(want, unmapped(e.Old), unmapped(e.New))
			}
		}
		got, err := s.Apply(edits...)
		if (err == nil) != ok || (got == nil) != (err != nil) {
			t.Fatalf("%v of %v: got %v, %v; want one: %v", edits, before, got, err, ok)
		}
		if named {
			want = written(want)
		}
		if err == nil {
			var list []hostroute.HostRoute
			for _, r := range got.HostRoutes {
				list = append(list, unmapped(r))
			}
			if diff := cmp.Diff(want, list, equateNetip, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%v of %v (-want +got):\n%s", edits, before, diff)
			}
			clear(got.HostRoutes)
		}
		if diff := cmp.Diff(before, s.HostRoutes, equateNetip, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the input is changed (-before +after):\n%s", diff)
		}
	})
}
