package hostroute_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
)

var none = hostroute.HostRoute{}

// What every fix with edits does to its instance, by construction.
func TestFixesDoWhatTheySay(t *testing.T) {
	random(t, 3, 2500, func(t testing.TB, in hostroute.Instance) bool {
		guests := hostroute.Guests()
		in.Guest = guests[len(describe(in))%len(guests)]
		_, ok := checkFixes(t, in)
		return ok
	})
}

// checkFixes applies every fix of every finding of an instance, and counts them.
func checkFixes(t testing.TB, in hostroute.Instance) (n int, ok bool) {
	for _, f := range analyze(t, in).Findings {
		if !checkHasFixes(t, in, f) {
			return n, false
		}
		for _, fix := range f.Fixes {
			if len(fix.Edits) == 0 {
				continue
			}
			n++
			if problem := checkFix(t, in, f, fix); problem != "" {
				t.Errorf("%v: fix %q: %s\n%s", f, fix.Message, problem, describe(in))
				return n, false
			}
		}
	}
	return n, true
}

// checkFix returns what is wrong with a fix; "" if nothing is.
func checkFix(t testing.TB, in hostroute.Instance, f hostroute.Finding, fix hostroute.Fix) string {
	fixed, err := in.Apply(fix.Edits...)
	if err != nil {
		return err.Error()
	}
	r := analyze(t, fixed)
	if slices.Contains(keys(r.Findings), key{f.Code, f.Subject}) {
		return "the finding is still there"
	}
	impact, err := in.Impact(fix.Edits...)
	if err != nil {
		return err.Error()
	}
	if !slices.Contains(keys(impact.Gone), key{f.Code, f.Subject}) {
		return fmt.Sprintf("Impact does not say that the finding is gone: %v", impact)
	}
	for i, e := range fix.Edits {
		if problem := checkEdit(in, f, r, fix.Edits[:i], e); problem != "" {
			return problem
		}
	}
	return ""
}

// checkEdit returns what is wrong with an edit of a fix, which stands behind others.
func checkEdit(in hostroute.Instance, f hostroute.Finding, fixed *hostroute.Report, before []hostroute.Edit, e hostroute.Edit) string {
	if e.New == none {
		return ""
	}
	if slices.ContainsFunc(before, func(o hostroute.Edit) bool { return o.New == none }) {
		return "an addition stands behind a removal"
	}
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			if s.ID != e.Subnet {
				continue
			}
			copies := slices.ContainsFunc(twin.Distinct(s.HostRoutes), func(r hostroute.HostRoute) bool {
				isOld := r == e.Old
				r.Destination = r.Destination.Masked()
				return r == e.New && !isOld
			})
			switch {
			case e.New.Destination != e.New.Destination.Masked():
				return "it adds a destination with host bits"
			case copies:
				return "it adds what is there already"
			case e.Old == none && len(twin.Distinct(s.HostRoutes)) >= 20:
				return "it makes a list of 20 longer"
			}
		}
	}
	if f.Code == hostroute.CodeHostBits {
		return "" // it keeps the next hop
	}
	written := 0
	for _, v := range fixed.Verdicts {
		if v.Subject.Subnet != e.Subnet || v.Subject.HostRoute != e.New {
			continue
		}
		written++
		if v.Class != hostroute.ClassOwnGateway || strings.HasPrefix(string(v.Cause), "next-hop") {
			return fmt.Sprintf("the next hop that it writes is %s, cause %q, on %s", v.Class, v.Cause, v.Subject.NIC)
		}
	}
	if written == 0 {
		return "what it writes has no verdict"
	}
	return ""
}

// checkHasFixes reports whether a finding has the kinds of fixes that it must have.
func checkHasFixes(t testing.TB, in hostroute.Instance, f hostroute.Finding) bool {
	sibling := f.Code == hostroute.CodeCapturesSubnet && f.Subject.HostRoute.NextHop == onLink && f.Subject.Subnet != ""
	if len(f.Fixes) == 0 && f.Severity > hostroute.SeverityInfo && f.Code != hostroute.CodeConflict && !sibling {
		t.Errorf("%v: has no fix\n%s", f, describe(in))
		return false
	}
	manual := f.Subject.Subnet == "" && f.Subject.HostRoute != none
	if manual && (len(f.Fixes) != 1 || len(f.Fixes[0].Edits) != 0) {
		t.Errorf("%v: a manual route has the fixes %v\n%s", f, f.Fixes, describe(in))
		return false
	}
	for i, fix := range f.Fixes {
		if fix.Message == "" || strings.Contains(fix.Message, "invalid IP") || strings.ContainsAny(fix.Message, "\n\r") || fix.Edits == nil {
			t.Errorf("%v: fix %+v\n%s", f, fix, describe(in))
			return false
		}
		if slices.ContainsFunc(f.Fixes[:i], func(o hostroute.Fix) bool {
			return o.Message == fix.Message || len(o.Edits) > 0 && slices.Equal(o.Edits, fix.Edits)
		}) {
			t.Errorf("%v: the fix %q is listed twice\n%s", f, fix.Message, describe(in))
			return false
		}
	}
	return true
}

// edits writes edits as "back-OLD back+NEW"; without the name of the subnet back.
func edits(list []hostroute.Edit) string {
	var parts []string
	for _, e := range list {
		id := strings.Replace(e.Subnet, "back", "", 1)
		if e.Old != none {
			parts = append(parts, id+"-"+e.Old.String())
		}
		if e.New != none {
			parts = append(parts, id+"+"+e.New.String())
		}
	}
	return strings.Join(parts, " ")
}

func TestFixes(t *testing.T) {
	one := func(routes ...string) hostroute.Instance {
		in := back(routes...)
		in.DefaultNIC, in.NICs = "", in.NICs[1:]
		return in
	}
	sharing := func(routes ...string) hostroute.Instance {
		in := documented()
		in.NICs[1].Subnets, in.NICs[1].Addrs = in.NICs[0].Subnets, nil
		front(&in).HostRoutes = hostRoutes(routes...)
		return in
	}
	onFront := func(in hostroute.Instance, routes ...string) hostroute.Instance {
		return and(in, func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes(routes...) })
	}
	gateway := func(in hostroute.Instance, a string) hostroute.Instance {
		return and(in, func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr(a) })
	}
	full := make([]string, 20)
	for i := range full {
		full[i] = fmt.Sprintf("12.0.%d.0/24,10.65.0.1", i)
	}
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("11.11.64.0/20,11.8.0.%d", 30+i))
	}
	overflowing := func() hostroute.Instance {
		in := back("12.0.0.0/24,11.8.0.1")
		front(&in).HostRoutes = hostRoutes(full...)
		in.NICs = []hostroute.NIC{{Name: "eth2", Subnets: in.NICs[0].Subnets}, in.NICs[0], in.NICs[1]}
		for i := range 12 {
			in.NICs[0].Siblings = append(in.NICs[0].Siblings, netip.PrefixFrom(netip.AddrFrom4([4]byte{12, 0, byte(13 * i % 256), 0}), 24))
		}
		return in
	}
	const d, gw = "11.11.0.0/16,", "11.8.0.1"
	for name, c := range map[string]struct {
		in   hostroute.Instance
		code hostroute.Code
		want []string // of the finding with the code, about the last such subject
	}{
		"not the gateway":                               {back(d + "11.8.0.77"), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77 +" + d + gw, "-" + d + "11.8.0.77"}},
		"not the gateway, one NIC":                      {one(d + "11.8.0.77"), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77 +" + d + gw, "-" + d + "11.8.0.77"}},
		"not the gateway, host bits":                    {back("11.11.7.7/16,11.8.0.77"), hostroute.CodeNextHopNotGateway, []string{"-11.11.7.7/16,11.8.0.77 +" + d + gw, "-11.11.7.7/16,11.8.0.77"}},
		"not the gateway, the good one is behind":       {back(d+"11.8.0.77", d+gw), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77"}},
		"not the gateway, the good one is before":       {back(d+gw, d+"11.8.0.77"), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77"}},
		"not the gateway, the good one has host bits":   {back("11.11.7.7/16,"+gw, d+"11.8.0.77"), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77"}},
		"not the gateway, on a full list":               {back(append(slices.Clone(full[:19]), d+"11.8.0.77")...), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77 +" + d + gw, "-" + d + "11.8.0.77"}},
		"another NIC's gateway":                         {back(d + "10.65.0.1"), hostroute.CodeNextHopOtherNIC, []string{"front+" + d + "10.65.0.1 -" + d + "10.65.0.1", "-" + d + "10.65.0.1"}},
		"another NIC's gateway, there already":          {onFront(back(d+"10.65.0.1"), d+"10.65.0.1"), hostroute.CodeNextHopOtherNIC, []string{"-" + d + "10.65.0.1"}},
		"another NIC's gateway, with host bits there":   {onFront(back(d+"10.65.0.1"), "11.11.7.7/16,10.65.0.1"), hostroute.CodeNextHopOtherNIC, []string{"-" + d + "10.65.0.1"}},
		"another NIC's gateway, the list there is full": {onFront(back(d+"10.65.0.1"), full...), hostroute.CodeNextHopOtherNIC, []string{"-" + d + "10.65.0.1"}},
		"another NIC's gateway, which Linux refuses": {and(back(d+"10.65.0.255"), func(in *hostroute.Instance) { front(in).Gateway = netip.MustParseAddr("10.65.0.255") }),
			hostroute.CodeNextHopOtherNIC, []string{"-" + d + "10.65.0.255"}},
		"off-link":                    {back(d + "192.0.2.1"), hostroute.CodeNextHopOffLink, []string{"-" + d + "192.0.2.1 +" + d + gw, "-" + d + "192.0.2.1"}},
		"own address":                 {back(d + "11.8.0.21"), hostroute.CodeNextHopOwnAddress, []string{"-" + d + "11.8.0.21 +" + d + gw, "-" + d + "11.8.0.21"}},
		"on-link":                     {back(d + "0.0.0.0"), hostroute.CodeNextHopOnLink, []string{"-" + d + "0.0.0.0 +" + d + gw, "-" + d + "0.0.0.0"}},
		"unusable":                    {back(d + "224.0.0.5"), hostroute.CodeNextHopUnusable, []string{"-" + d + "224.0.0.5 +" + d + gw, "-" + d + "224.0.0.5"}},
		"unusable, of another family": {back(d + "fe80::1"), hostroute.CodeNextHopUnusable, []string{"-" + d + "fe80::1"}},
		"unusable, the gateway":       {gateway(back(d+"11.8.0.255"), "11.8.0.255"), hostroute.CodeNextHopUnusable, []string{"-" + d + "11.8.0.255"}},
		"a gateway that Linux refuses is not named": {gateway(back(d+"11.8.0.77"), "11.8.0.255"), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77"}},
		"nor is one of a subnet without a connected route": {and(back("10.0.0.0/8,0.0.0.0", d+"10.2.0.9"), func(in *hostroute.Instance) {
			in.NICs[1].Addrs = nil
			in.NICs[1].Subnets[0].CIDR, in.NICs[1].Subnets[0].Gateway = netip.MustParsePrefix("11.8.0.1/32"), netip.MustParseAddr("11.8.0.1")
		}), hostroute.CodeNextHopNotGateway, []string{"-" + d + "10.2.0.9"}},
		"nor is one outside the CIDR": {and(gateway(back(d+"11.8.0.77"), "10.9.0.1"), func(in *hostroute.Instance) {
			in.ConfigDrive, in.NICs[1].Subnets[0].DHCPDisabled = true, true
		}), hostroute.CodeNextHopNotGateway, []string{"-" + d + "11.8.0.77"}},
		"a default":                       {back("0.0.0.0/0,11.8.0.77"), hostroute.CodeDefaultDropped, []string{"-0.0.0.0/0,11.8.0.77"}},
		"loopback":                        {back("127.0.0.1/32," + gw), hostroute.CodeLoopbackDestination, []string{"-127.0.0.1/32," + gw}},
		"host bits":                       {back("11.11.77.5/16," + gw), hostroute.CodeHostBits, []string{"-11.11.77.5/16," + gw + " +" + d + gw}},
		"host bits, masked there already": {back("11.11.77.5/16,"+gw, d+gw), hostroute.CodeHostBits, []string{"-11.11.77.5/16," + gw}},
		"host bits, the masked one has other ones": {back("11.11.77.5/16,"+gw, "11.11.7.7/16,"+gw), hostroute.CodeHostBits, []string{"-11.11.7.7/16," + gw}},
		"duplicate": {back("11.8.0.0/24," + gw), hostroute.CodeDuplicate, []string{"-11.8.0.0/24," + gw}},
		"duplicate by the gateway, behind a neighbour":            {back(d+"11.8.0.77", d+gw), hostroute.CodeDuplicate, []string{"-" + d + "11.8.0.77"}},
		"duplicate by the gateway, behind two":                    {back(d+"11.8.0.77", d+"0.0.0.0", d+gw), hostroute.CodeDuplicate, []string{"-" + d + "11.8.0.77 -" + d + "0.0.0.0"}},
		"duplicate by the gateway, behind another spelling of it": {back(d+gw, "11.11.7.7/16,"+gw), hostroute.CodeDuplicate, []string{"-11.11.7.7/16," + gw}},
		"duplicate by the gateway, behind a sibling too": {and(back(d+"11.8.0.77", d+gw), func(in *hostroute.Instance) { in.NICs[1].Siblings = prefixes("11.11.0.0/16") }),
			hostroute.CodeDuplicate, []string{"-" + d + gw}},
		"duplicate by a neighbour":       {back(d+gw, d+"11.8.0.77"), hostroute.CodeDuplicate, []string{"-" + d + "11.8.0.77"}},
		"conflict":                       {onFront(back(d+gw), d+"10.65.0.1"), hostroute.CodeConflict, []string{"-" + d + gw, "front-" + d + "10.65.0.1"}},
		"conflict with two of one list":  {onFront(back(d+gw), d+"10.65.0.1", d+"10.65.0.9"), hostroute.CodeConflict, []string{"-" + d + gw, "front-" + d + "10.65.0.1 front-" + d + "10.65.0.9"}},
		"conflict with what masks to it": {onFront(back("11.11.64.0/20,"+gw), "11.11.64.0/20,10.65.0.1", "11.11.77.0/20,10.65.0.1"), hostroute.CodeConflict, []string{"-11.11.64.0/20," + gw, "front-11.11.64.0/20,10.65.0.1 front-11.11.77.0/20,10.65.0.1"}},
		"conflict with a list whose shorter offer would bring a sibling in": {overflowing(), hostroute.CodeConflict, []string{"-12.0.0.0/24," + gw}},
		"conflict with a list without which dhcpcd adds a route to the router": {and(onFront(back("10.65.0.5/32,"+gw), "10.65.0.5/32,0.0.0.0"), func(in *hostroute.Instance) {
			in.Guest = hostroute.GuestDhcpcd
			front(in).CIDR, front(in).Gateway = netip.MustParsePrefix("10.65.0.5/32"), netip.MustParseAddr("10.65.0.5")
		}), hostroute.CodeConflict, []string{"-10.65.0.5/32," + gw}},
		"conflict with a default whose place NetworkManager gives to the offered one": {and(onFront(back("1.2.3.4/0,"+gw), "1.2.3.4/0,10.65.0.255", "1.2.3.4/0,10.65.0.9"), func(in *hostroute.Instance) {
			in.Guest, in.DefaultNIC = hostroute.GuestNetworkManager, ""
		}), hostroute.CodeConflict, []string{"-1.2.3.4/0," + gw}},
		"duplicate by the gateway, behind more than a list holds": {back(append(many, "11.11.77.0/20,11.8.0.99", "11.11.64.0/20,"+gw)...), hostroute.CodeDuplicate, []string{"-11.11.64.0/20," + gw}},
		"another NIC's gateway, on a subnet without DHCP": {and(back(d+"10.65.0.1"), func(in *hostroute.Instance) { front(in).DHCPDisabled = true }),
			hostroute.CodeNextHopOtherNIC, []string{"-" + d + "10.65.0.1"}},
		"conflict, and a neighbour of its own list": {onFront(back(d+"11.8.0.77", d+gw), d+"10.65.0.1"), hostroute.CodeConflict, []string{"-" + d + gw}},
		"conflict with a connected route":           {back("10.65.0.0/24," + gw), hostroute.CodeConflict, []string{"-10.65.0.0/24," + gw}},
		"conflict within one subnet":                {sharing(d + "10.65.0.1"), hostroute.CodeConflict, nil},
		"conflict, a default that the guest drops": {and(back("0.0.0.0/0,11.8.0.77"), func(in *hostroute.Instance) { in.ConfigDrive, in.NICs[1].Subnets[0].DHCPDisabled = true, true }),
			hostroute.CodeConflict, []string{"-0.0.0.0/0,11.8.0.77"}},
		"captures a subnet":            {back("10.65.0.128/25," + gw), hostroute.CodeCapturesSubnet, []string{"-10.65.0.128/25," + gw}},
		"captures a subnet, a sibling": {and(back(), func(in *hostroute.Instance) { in.NICs[1].Siblings = prefixes("10.65.0.128/25") }), hostroute.CodeCapturesSubnet, nil},
		"one NIC":                      {one(d + gw), hostroute.CodeSingleNIC, []string{"-" + d + gw}},
		"redundant":                    {back("11.8.0.128/25," + gw), hostroute.CodeRedundant, []string{"-11.8.0.128/25," + gw}},
		"shadowed":                     {back("11.11.0.0/17,"+gw, "11.11.128.0/17,"+gw, d+gw), hostroute.CodeShadowed, []string{"-" + d + gw}},
		"IPv6": {and(back(), func(in *hostroute.Instance) {
			withSix(in)
			in.NICs[1].Subnets[1].HostRoutes = hostRoutes("2001:db8:77::/48,fe80::1", "2001:db8:78::/48,fe80::1")
		}), hostroute.CodeIPv6NotOffered, []string{"six-2001:db8:77::/48,fe80::1 six-2001:db8:78::/48,fe80::1"}},
		"IPv6, a neighbour": {and(back(), func(in *hostroute.Instance) {
			withSix(in)
			in.NICs[1].Subnets[1].HostRoutes = hostRoutes("2001:db8:77::/48,2001:db8::7")
		}), hostroute.CodeNextHopNotGateway, []string{"six-2001:db8:77::/48,2001:db8::7"}},
		"no edit: no lease":            {and(back(), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.Addr{} }), hostroute.CodeNoLease, []string{""}},
		"no edit: DHCP":                {and(back(d+gw), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].DHCPDisabled = true }), hostroute.CodeDHCPDisabled, []string{""}},
		"no edit: too many":            {back(append(slices.Clone(full), d+gw)...), hostroute.CodeTooManyRoutes, []string{""}},
		"no edit: one for each client": {and(back(), func(in *hostroute.Instance) { in.DefaultNIC = "" }), hostroute.CodeMultipleDefaults, []string{"", "", "", ""}},
		"no edit: overlapping":         {sharing(), hostroute.CodeOverlappingSubnets, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			found := false
			for _, f := range analyze(t, c.in).Findings {
				if f.Code != c.code {
					continue
				}
				found, got = true, nil
				for _, x := range f.Fixes {
					got = append(got, edits(x.Edits))
				}
			}
			if !found {
				t.Fatalf("no finding of %s", c.code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkFixes(t, c.in)
		})
	}
}

// A fix that would touch more host routes than a list of Neutron's holds is not proposed: the
// findings about n routes to one destination must not hold n² edits.
func TestFixesStaySmall(t *testing.T) {
	in := documented()
	in.NICs[1].Subnets[0].HostRoutes = nil
	for i := range 300 {
		hop := func(third byte) netip.Addr { return netip.AddrFrom4([4]byte{third, 65, byte(i >> 8), byte(i)}) }
		to := netip.MustParsePrefix("11.11.0.0/16")
		front(&in).HostRoutes = append(front(&in).HostRoutes, hostroute.HostRoute{Destination: to, NextHop: hop(10)})
		in.NICs[1].Subnets[0].HostRoutes = append(in.NICs[1].Subnets[0].HostRoutes, hostroute.HostRoute{Destination: to, NextHop: hop(11)})
	}
	for i := range in.NICs {
		s := in.NICs[i].Subnets[0]
		in.NICs[i].Addrs, s.CIDR = nil, netip.PrefixFrom(s.CIDR.Addr(), 8).Masked()
		s.DHCPDisabled, in.ConfigDrive = true, true // no offer is too long
		s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.MustParsePrefix("11.11.0.0/16"), NextHop: s.Gateway})
	}
	conflicts := 0
	for _, f := range analyze(t, in).Findings {
		if f.Code == hostroute.CodeConflict {
			conflicts++
		}
		for _, fix := range f.Fixes {
			if len(fix.Edits) > 20 {
				t.Fatalf("%v: %d edits", f, len(fix.Edits))
			}
		}
	}
	if conflicts != 301 {
		t.Errorf("%d conflicts, want 301", conflicts)
	}
}

// Where the routes to siblings alone are too long, fewer host routes do not help.
func TestTooManySiblings(t *testing.T) {
	for n, want := range map[int]string{31: "use fewer host routes on subnet back", 32: "use fewer subnets on the network of subnet back"} {
		in := back("11.11.0.0/16,11.8.0.1")
		for i := range n {
			in.NICs[1].Siblings = append(in.NICs[1].Siblings, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100, byte(i), 0}), 24))
		}
		found := false
		for _, f := range analyze(t, in).Findings {
			found = found || f.Code == hostroute.CodeOptionOverflow && strings.HasPrefix(f.Fixes[0].Message, want)
		}
		if !found {
			t.Errorf("%d siblings: no fix %q", n, want)
		}
	}
}

// What a fix says of a manual route's next hop, done in the guest, removes the finding.
func TestInstructionsForManualRoutesHelp(t *testing.T) {
	random(t, 23, 4000, func(t testing.TB, in hostroute.Instance) bool {
		for _, f := range analyze(t, in).Findings {
			if f.Subject.Subnet != "" || f.Subject.HostRoute == none {
				continue
			}
			after, typed := doAsTold(t, in, f)
			r := analyze(t, after)
			if slices.Contains(keys(r.Findings), key{f.Code, f.Subject}) {
				t.Errorf("%v: %q leaves it there\n%s", f, f.Fixes[0].Message, describe(in))
				return false
			}
			for _, v := range r.Verdicts {
				if v.Subject == typed && (v.Class != hostroute.ClassOwnGateway || strings.HasPrefix(string(v.Cause), "next-hop")) {
					t.Errorf("%v: %q makes it %v\n%s", f, f.Fixes[0].Message, v, describe(in))
					return false
				}
			}
		}
		return true
	})
}

// doAsTold returns the instance with a manual route changed as its finding says, and the route with
// a new next hop, if it has one.
func doAsTold(t testing.TB, in hostroute.Instance, f hostroute.Finding) (hostroute.Instance, hostroute.Ref) {
	in, err := in.Apply()
	if err != nil {
		t.Fatal(err)
	}
	n := &in.NICs[slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == f.Subject.NIC })]
	old := f.Subject.HostRoute
	by, ref := old, hostroute.Ref{}
	message := f.Fixes[0].Message
	word := func(after string) (string, bool) {
		_, rest, found := strings.Cut(message, after)
		rest, _, _ = strings.Cut(rest, ",")
		return rest, found
	}
	switch hop, sets := word("set the next hop to "); {
	case sets && strings.Contains(hop, "link-local"):
		by.NextHop = netip.MustParseAddr("fe80::ecee:eeff:feee:eeee")
	case sets:
		by.NextHop = netip.MustParseAddr(hop)
	default:
		to, masks := word("use the destination ")
		if !masks {
			if !strings.Contains(message, "leave the route out") && !strings.Contains(message, "delete the route") {
				t.Fatalf("%v: %q", f, message)
			}
			n.ManualRoutes = slices.DeleteFunc(n.ManualRoutes, func(r hostroute.HostRoute) bool { return r == old })
			return in, ref
		}
		by.Destination = netip.MustParsePrefix(to)
	}
	for i, r := range n.ManualRoutes {
		if r == old {
			n.ManualRoutes[i] = by
		}
	}
	if by.NextHop != old.NextHop {
		ref = hostroute.Ref{Instance: in.Name, NIC: n.Name, HostRoute: by}
	}
	return in, ref
}

func TestFixesOfManualRoutes(t *testing.T) {
	two := func(change func(in *hostroute.Instance), routes ...string) hostroute.Instance {
		in := back()
		in.NICs[1].Subnets = append(in.NICs[1].Subnets, subnet("back6", "2001:db8::/64", "2001:db8::1"))
		in.NICs[1].ManualRoutes = hostRoutes(routes...)
		if change != nil {
			change(&in)
		}
		return in
	}
	broadcastGateway := func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("11.8.0.255") }
	const gateway = "in the guest, set the next hop to 11.8.0.1, the gateway of subnet back"
	const router = "in the guest, set the next hop to the link-local address that router advertisements on eth1 come from"
	const leaveOut = "in the guest, leave the route out: Linux accepts no next hop for it on eth1"
	const remove = "in the guest, delete the route"
	for name, c := range map[string]struct {
		in   hostroute.Instance
		want []string // by finding
	}{
		"a neighbour":           {two(nil, "11.11.0.0/16,11.8.0.77"), []string{gateway}},
		"off-link":              {two(nil, "11.11.0.0/16,192.0.2.1"), []string{gateway}},
		"another NIC's gateway": {two(nil, "11.11.0.0/16,10.65.0.1"), []string{gateway}},
		"there already":         {two(nil, "11.8.0.0/24,11.8.0.1"), []string{remove}},
		"no effect":             {two(nil, "11.8.0.128/25,11.8.0.1"), []string{remove}},
		"host bits":             {two(nil, "11.11.77.0/20,11.8.0.1"), []string{"in the guest, use the destination 11.11.64.0/20"}},
		"two families":          {two(nil, "10.0.0.0/8,2001:db8::1"), []string{leaveOut}},
		"the gateway, refused":  {two(broadcastGateway, "11.11.0.0/16,11.8.0.255"), []string{leaveOut}},
		"a neighbour, and the gateway is refused": {two(broadcastGateway, "11.11.0.0/16,11.8.0.77"), []string{leaveOut}},
		"a neighbour, and no gateway": {two(func(in *hostroute.Instance) {
			in.ConfigDrive, in.NICs[1].Subnets[0].DHCPDisabled, in.NICs[1].Subnets[0].Gateway = true, true, netip.Addr{}
		}, "11.11.0.0/16,11.8.0.77"), []string{leaveOut}},
		"IPv6":                   {two(nil, "2001:db8:5::/48,2001:db8::7"), []string{router}},
		"IPv6, without a router": {two(func(in *hostroute.Instance) { in.NICs[1].Subnets[1].DHCPDisabled = true }, "2001:db8:5::/48,2001:db8::7"), []string{leaveOut}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range analyze(t, c.in).Findings {
				for _, fix := range f.Fixes {
					got = append(got, fix.Message)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
