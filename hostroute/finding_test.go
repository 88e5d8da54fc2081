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

var (
	onLink = netip.IPv4Unspecified()
	any4   = netip.MustParsePrefix("0.0.0.0/0")
)

// A key identifies a finding in its report.
type key struct {
	Code    hostroute.Code
	Subject hostroute.Ref
}

func keys(findings []hostroute.Finding) []key {
	var out []key
	for _, f := range findings {
		out = append(out, key{f.Code, f.Subject})
	}
	return out
}

func is4(s *hostroute.Subnet) bool { return s.CIDR.Addr().Is4() }

func subnets4(n hostroute.NIC) []*hostroute.Subnet {
	return slices.DeleteFunc(twin.Subnets(n), func(s *hostroute.Subnet) bool { return !is4(s) })
}

// offersDefault reports whether a NIC is offered a default of a family.
func offersDefault(in hostroute.Instance, n hostroute.NIC, family4 bool) bool {
	if family4 {
		s, static := twin.Configured(in, n)
		if s == nil {
			return false
		}
		return !static || s.Gateway.Is4() || slices.ContainsFunc(s.HostRoutes, func(r hostroute.HostRoute) bool {
			return r.Destination == any4 && r.NextHop.Is4()
		})
	}
	return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return !is4(s) && !s.DHCPDisabled && s.Gateway.Is6() })
}

func overflows(in hostroute.Instance, n hostroute.NIC) bool {
	_, static := twin.Configured(in, n)
	bytes := 0
	for _, r := range n.Offer() {
		bytes += 1 + (r.Destination.Bits()+7)/8 + 4
	}
	return !static && bytes > 255
}

// decidesInside reports whether the row of a table takes addresses of another
// NIC's own subnet, in which it lies.
func decidesInside(in hostroute.Instance, table hostroute.Table, row hostroute.Route) bool {
	inside := slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool {
		s, _ := twin.Configured(in, n)
		return n.Name != row.NIC && s != nil && s.CIDR.Bits() <= row.Destination.Bits() && s.CIDR.Contains(row.Destination.Addr())
	})
	return inside && slices.ContainsFunc(twin.Boundaries(table), func(a netip.Addr) bool {
		won, ok := table.Lookup(a)
		return ok && won == row
	})
}

// wantFindings is the table of codes in the plainest words: which finding there
// is, in the order of a report.
func wantFindings(in hostroute.Instance) []key {
	table := twin.Table(in)
	verdicts := twin.Verdicts(in)
	var out []key
	add := func(c hostroute.Code, r hostroute.Ref) { out = append(out, key{c, r}) }

	// Of the instance.
	self := hostroute.Ref{Instance: in.Name}
	for _, family4 := range []bool{true, false} {
		n := 0
		for _, nic := range in.NICs {
			if offersDefault(in, nic, family4) {
				n++
			}
		}
		if n > 1 && in.DefaultNIC == "" && len(out) == 0 {
			add(hostroute.CodeMultipleDefaults, self)
		}
	}
	with4, unconfigured := 0, 0
	for _, nic := range in.NICs {
		if len(subnets4(nic)) > 0 {
			with4++
			if s, _ := twin.Configured(in, nic); s == nil {
				unconfigured++
			}
		}
	}
	hasDefault := slices.ContainsFunc(table, func(r hostroute.Route) bool { return r.Destination == any4 })
	kept, another := false, false // whether the NIC that DefaultNIC names, or another, is offered a default
	for _, nic := range in.NICs {
		if offersDefault(in, nic, true) {
			kept = kept || nic.Name == in.DefaultNIC
			another = another || nic.Name != in.DefaultNIC
		}
	}
	dropped := in.DefaultNIC != "" && !kept && another
	if len(in.NICs) > 1 && !hasDefault && (with4 > 0 && unconfigured == 0 || dropped) {
		add(hostroute.CodeNoDefault, self)
	}

	for i, nic := range in.NICs {
		ofNIC := hostroute.Ref{Instance: in.Name, NIC: nic.Name}
		if len(subnets4(nic)) > 1 {
			add(hostroute.CodeSecondIPv4Subnet, ofNIC)
		}
		used, _ := twin.Configured(in, nic)
		for _, s := range twin.Subnets(nic) {
			ofSubnet := hostroute.Ref{Instance: in.Name, NIC: nic.Name, Subnet: s.ID}
			if is4(s) && s.DHCPDisabled && !in.ConfigDrive && len(s.HostRoutes) > 0 {
				add(hostroute.CodeDHCPDisabled, ofSubnet)
			}
			if !is4(s) && len(s.HostRoutes) > 0 {
				add(hostroute.CodeIPv6NotOffered, ofSubnet)
			}
			if is4(s) && !s.DHCPDisabled && !s.CIDR.Contains(s.Gateway) {
				add(hostroute.CodeNoLease, ofSubnet)
			}
			isUsed := used != nil && used.ID == s.ID
			if isUsed && overflows(in, nic) {
				add(hostroute.CodeOptionOverflow, ofSubnet)
			}
			if slices.ContainsFunc(in.NICs[:i], func(o hostroute.NIC) bool {
				return slices.ContainsFunc(o.Subnets, func(os *hostroute.Subnet) bool { return os.CIDR.Overlaps(s.CIDR) })
			}) {
				add(hostroute.CodeOverlappingSubnets, ofSubnet)
			}
			if len(twin.Distinct(s.HostRoutes)) > 20 {
				add(hostroute.CodeTooManyRoutes, ofSubnet)
			}
			if isUsed {
				told := map[netip.Prefix]bool{}
				for _, p := range slices.Backward(nic.Siblings) {
					for _, row := range table {
						if row.NIC == nic.Name && row.Source == hostroute.SourceSibling && row.Destination == p && !told[p] && decidesInside(in, table, row) {
							told[p] = true
							r := ofSubnet
							r.HostRoute = hostroute.HostRoute{Destination: p, NextHop: onLink}
							add(hostroute.CodeCapturesSubnet, r)
						}
					}
				}
			}
			for _, v := range verdicts {
				if v.Subject.NIC == nic.Name && v.Subject.Subnet == s.ID {
					for _, c := range wantCodes(in, table, s, v) {
						add(c, v.Subject)
					}
				}
			}
		}
		for _, v := range verdicts {
			if v.Subject.NIC == nic.Name && v.Subject.Subnet == "" {
				for _, c := range wantCodes(in, table, nil, v) {
					add(c, v.Subject)
				}
			}
		}
	}
	return out
}

var classCode = map[hostroute.NextHopClass]hostroute.Code{
	hostroute.ClassNotGateway:   hostroute.CodeNextHopNotGateway,
	hostroute.ClassOtherGateway: hostroute.CodeNextHopOtherNIC,
	hostroute.ClassOffLink:      hostroute.CodeNextHopOffLink,
	hostroute.ClassOwnAddress:   hostroute.CodeNextHopOwnAddress,
	hostroute.ClassOnLink:       hostroute.CodeNextHopOnLink,
	hostroute.ClassUnusable:     hostroute.CodeNextHopUnusable,
}

// wantCodes returns the codes of a host route, or a manual route if there is no subnet, sorted.
func wantCodes(in hostroute.Instance, table hostroute.Table, s *hostroute.Subnet, v hostroute.Verdict) []hostroute.Code {
	var out []hostroute.Code
	if v.Cause == hostroute.CodeOptionOverflow {
		return nil // it mutes the rest
	}
	r := v.Subject.HostRoute
	switch {
	case v.Cause == hostroute.CodeDefaultDropped: // it mutes the next hop
	case v.Cause == hostroute.CodeNextHopUnusable:
		out = append(out, v.Cause)
	case v.Class == hostroute.ClassOwnGateway:
	case v.Class == hostroute.ClassNotGateway && !neighbourMatters(table, s, v):
	default:
		out = append(out, classCode[v.Class])
	}
	if r.Destination != r.Destination.Masked() && !(s == nil && r.Destination.Addr().Is6()) {
		out = append(out, hostroute.CodeHostBits)
	}
	if d := r.Destination; s != nil && d.Addr().Is4() && d.Bits() >= 8 && d.Addr().As4()[0] == 127 {
		out = append(out, hostroute.CodeLoopbackDestination)
	}
	switch v.Cause {
	case hostroute.CodeDefaultDropped, hostroute.CodeDuplicate, hostroute.CodeConflict:
		out = append(out, v.Cause)
	case "":
		switch v.Effect {
		case hostroute.EffectSingleNIC:
			out = append(out, hostroute.CodeSingleNIC)
		case hostroute.EffectRedundant:
			out = append(out, hostroute.CodeRedundant)
		case hostroute.EffectShadowed:
			out = append(out, hostroute.CodeShadowed)
		}
		if row, ok := rowOf(table, v); ok && decidesInside(in, table, row) {
			out = append(out, hostroute.CodeCapturesSubnet)
		}
	}
	slices.Sort(out)
	return out
}

// neighbourMatters reports whether a next hop that is a neighbour is told.
func neighbourMatters(table hostroute.Table, s *hostroute.Subnet, v hostroute.Verdict) bool {
	if s != nil && is4(s) && !s.DHCPDisabled && !s.CIDR.Contains(s.Gateway) {
		return false // no-lease tells it
	}
	if v.Cause != hostroute.CodeDuplicate {
		return v.Effect != hostroute.EffectRefused
	}
	// Kept out by an equal destination of its own list, which Neutron may order otherwise.
	i := slices.IndexFunc(table, func(r hostroute.Route) bool { return r.Destination == v.Subject.HostRoute.Destination.Masked() })
	return s != nil && table[i].Source == hostroute.SourceHostRoute && table[i].Subnet == s.ID
}

// rowOf returns the row of a table that a verdict is about.
func rowOf(table hostroute.Table, v hostroute.Verdict) (hostroute.Route, bool) {
	want := hostroute.Route{Destination: v.Subject.HostRoute.Destination.Masked(), NextHop: v.Subject.HostRoute.NextHop, NIC: v.Subject.NIC,
		Source: hostroute.SourceHostRoute, Subnet: v.Subject.Subnet}
	if want.NextHop == onLink {
		want.NextHop = netip.Addr{}
	}
	if want.Subnet == "" {
		want.Source = hostroute.SourceManual
	}
	return want, slices.Contains(table, want)
}

func TestFindingsAreThoseOfTheTableOfCodes(t *testing.T) {
	severity := map[hostroute.Code]hostroute.Severity{}
	for _, r := range hostroute.Rules() {
		severity[r.Code] = r.Severity
	}
	check := func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		if diff := cmp.Diff(wantFindings(in), keys(r.Findings), equateNetip, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("findings (-want +got):\n%s%s", diff, describe(in))
			return false
		}
		var worst hostroute.Severity
		seen := map[key]bool{}
		for _, f := range r.Findings {
			k := key{f.Code, f.Subject}
			if seen[k] {
				t.Errorf("%v stands twice\n%s", k, describe(in))
				return false
			}
			seen[k] = true
			if f.Severity != severity[f.Code] || f.Severity == 0 {
				t.Errorf("%s is of severity %v, its rule of %v", f.Code, f.Severity, severity[f.Code])
				return false
			}
			worst = max(worst, f.Severity)
			if f.Related == nil || f.Fixes == nil {
				t.Errorf("%v has nil lists\n%s", k, describe(in))
				return false
			}
			for _, r := range f.Related {
				if f.Code == hostroute.CodeCapturesSubnet && r.Ref.NIC == f.Subject.NIC {
					t.Errorf("%v captures a subnet of its own NIC: %v\n%s", k, f.Message, describe(in))
					return false
				}
			}
			if f.Message == "" || strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "%!") || strings.Contains(f.Message, "invalid IP") {
				t.Errorf("message %q\n%s", f.Message, describe(in))
				return false
			}
		}
		if r.Worst() != worst {
			t.Errorf("Worst is %v, want %v", r.Worst(), worst)
			return false
		}
		return true
	}
	random(t, 2, 4000, check)
	randomOf(t, gen.Tidy, 3, 4000, check) // where few rules are asked
}

func analyze(t testing.TB, in hostroute.Instance) *hostroute.Report {
	t.Helper()
	r, err := hostroute.Analyze(in)
	if err != nil {
		t.Fatalf("Analyze: %v\n%s", err, describe(in))
	}
	return r
}

func TestSeverity(t *testing.T) {
	if !(hostroute.SeverityInfo < hostroute.SeverityWarning && hostroute.SeverityWarning < hostroute.SeverityError && hostroute.SeverityInfo > 0) {
		t.Error("severities are not ordered from info, with zero as none")
	}
	for s, want := range map[hostroute.Severity]string{0: "none", hostroute.SeverityInfo: "info", hostroute.SeverityWarning: "warning", hostroute.SeverityError: "error"} {
		text, err := s.MarshalText()
		if err != nil || string(text) != want || s.String() != want {
			t.Errorf("%d: %q, %v and %q, want %q", int(s), text, err, s, want)
		}
		var back hostroute.Severity
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%q comes back as %v, %v", text, back, err)
		}
	}
	for _, s := range []hostroute.Severity{-1, 4} {
		if _, err := s.MarshalText(); err == nil {
			t.Errorf("%d is marshalled", int(s))
		}
		if got := s.String(); got != fmt.Sprintf("Severity(%d)", int(s)) {
			t.Errorf("String of %d is %q", int(s), got)
		}
	}
	var s hostroute.Severity
	if err := json.Unmarshal([]byte(`"fatal"`), &s); err == nil {
		t.Error("an unknown severity is unmarshalled")
	}
}

func TestFindingString(t *testing.T) {
	f := hostroute.Finding{Code: "x-y", Message: "no good", Subject: hostroute.Ref{Instance: "web-1", NIC: "eth1", Subnet: "back",
		HostRoute: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77")}}
	if got, want := f.String(), "web-1: eth1: back: 11.11.0.0/16,11.8.0.77: no good (x-y)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f.Subject = hostroute.Ref{}
	if got, want := f.String(), "no good (x-y)"; got != want {
		t.Errorf("without a subject: got %q, want %q", got, want)
	}
}

// Many NICs on many subnets do not make a list of their square.
func TestOverlappingSubnetsAreListedUpToALimit(t *testing.T) {
	in := hostroute.Instance{Name: "vm"}
	s := subnet("s", "10.65.0.0/24", "10.65.0.1")
	for i := range 64 {
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprint("eth", i), Subnets: []*hostroute.Subnet{s}})
	}
	overlap := func() hostroute.Finding {
		var last hostroute.Finding
		for _, f := range analyze(t, in).Findings {
			if f.Code == hostroute.CodeOverlappingSubnets {
				last = f
			}
		}
		return last
	}
	if f := overlap(); f.Subject.NIC != "eth63" || len(f.Related) != 63 || strings.Contains(f.Message, "more") {
		t.Errorf("of 64 NICs on one subnet: %d related, %v", len(f.Related), f)
	}
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, subnet("t", "10.65.0.0/25", ""), subnet("u", "10.65.0.0/26", ""))
	if f := overlap(); len(f.Related) != 64 || !strings.HasSuffix(f.Message, "; more subnets that overlap it: 1") {
		t.Errorf("of 66: %d related, %v", len(f.Related), f)
	}
}

// What counts as a default that a NIC is offered, so that there are several, or DefaultNIC drops it.
func TestOfferedDefaults(t *testing.T) {
	static := func(s *hostroute.Subnet) *hostroute.Subnet { s.DHCPDisabled = true; return s }
	two := func(first *hostroute.Subnet, manual ...string) hostroute.Instance {
		return hostroute.Instance{Name: "vm", ConfigDrive: true, NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{first}},
			{Name: "eth1", Subnets: []*hostroute.Subnet{subnet("back", "11.8.0.0/24", "11.8.0.1")}, ManualRoutes: hostRoutes(manual...)},
		}}
	}
	keep := func(in hostroute.Instance, nic string) hostroute.Instance { in.DefaultNIC = nic; return in }
	const multiple, none, offLink = hostroute.CodeMultipleDefaults, hostroute.CodeNoDefault, hostroute.CodeNextHopOffLink
	for name, c := range map[string]struct {
		in   hostroute.Instance
		code hostroute.Code
		want bool
	}{
		"two leases":       {two(subnet("s", "10.65.0.0/24", "10.65.0.1")), multiple, true},
		"the config drive": {two(static(subnet("s", "10.65.0.0/24", "10.65.0.1"))), multiple, true},
		"the config drive, with a gateway of IPv6":   {two(static(subnet("s", "10.65.0.0/24", "2001:db8::1"))), multiple, false},
		"the config drive, without a gateway":        {two(static(subnet("s", "10.65.0.0/24", ""))), multiple, false},
		"a default among its host routes":            {two(static(subnet("s", "10.65.0.0/24", "", "0.0.0.0/0,10.65.0.9"))), multiple, true},
		"one with host bits, which Linux refuses":    {two(static(subnet("s", "10.65.0.0/24", "", "1.2.3.4/0,10.65.0.9"))), multiple, false},
		"a subnet that is everything":                {two(static(subnet("s", "0.0.0.0/0", ""))), multiple, false},
		"by hand":                                    {two(static(subnet("s", "10.65.0.0/24", "")), "0.0.0.0/0,11.8.0.1"), multiple, false},
		"the kept NIC is offered none":               {keep(two(static(subnet("s", "10.65.0.0/24", ""))), "eth0"), none, true},
		"the kept NIC is offered none, one by hand":  {keep(two(static(subnet("s", "10.65.0.0/24", "")), "0.0.0.0/0,11.8.0.1"), "eth0"), none, false},
		"the kept NIC is offered one":                {keep(two(static(subnet("s", "10.65.0.0/24", ""))), "eth1"), none, false},
		"a manual default is tried, though not kept": {keep(two(static(subnet("s", "10.65.0.0/24", "")), "0.0.0.0/0,192.0.2.1"), "eth0"), offLink, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.ContainsFunc(analyze(t, c.in).Findings, func(f hostroute.Finding) bool { return f.Code == c.code })
			if got != c.want {
				t.Errorf("%s: got %v, want %v", c.code, got, c.want)
			}
			compare(t, c.in)
		})
	}
}

// Where NICs share a subnet, it is the other NIC's that is captured.
func TestCapturesSubnetNamesTheOtherNIC(t *testing.T) {
	in := documented()
	front(&in).HostRoutes = hostRoutes("10.65.0.128/25,10.65.0.1")
	in.NICs[1].Subnets, in.NICs[1].Addrs = in.NICs[0].Subnets, nil
	found := false
	for _, f := range analyze(t, in).Findings {
		if f.Code == hostroute.CodeCapturesSubnet {
			found = true
			if f.Subject.NIC != "eth0" || len(f.Related) != 1 || f.Related[0].Ref.NIC != "eth1" {
				t.Errorf("got %v, related %v", f, f.Related)
			}
		}
	}
	if !found {
		t.Error("it is not found")
	}
}

// What never reaches the guest does nothing there, and the message says that it does not arrive.
func TestMessagesSayWhatDoesNotArrive(t *testing.T) {
	codes := map[hostroute.Code]bool{hostroute.CodeNextHopNotGateway: true, hostroute.CodeNextHopOtherNIC: true, hostroute.CodeNextHopOffLink: true,
		hostroute.CodeNextHopOwnAddress: true, hostroute.CodeNextHopOnLink: true}
	random(t, 24, 4000, func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		withheld := make(map[hostroute.Ref]bool)
		for _, v := range r.Verdicts {
			withheld[v.Subject] = v.Effect == hostroute.EffectNotOffered
		}
		for _, f := range r.Findings {
			if says := strings.Contains(f.Message, "does not arrive"); codes[f.Code] && says != withheld[f.Subject] {
				t.Errorf("withheld: %v: %v", withheld[f.Subject], f)
				return false
			}
		}
		return true
	})
}

func TestMessages(t *testing.T) {
	static := func(in hostroute.Instance) hostroute.Instance {
		in.ConfigDrive, in.DefaultNIC = true, ""
		for _, n := range in.NICs {
			n.Subnets[0].DHCPDisabled = true
		}
		return in
	}
	onFront := func(in hostroute.Instance) hostroute.Instance {
		front(&in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1")
		return in
	}
	manual := func(in hostroute.Instance) hostroute.Instance {
		in.NICs[1].ManualRoutes, in.NICs[1].Subnets[0].HostRoutes = in.NICs[1].Subnets[0].HostRoutes, nil
		return in
	}
	several := func(second *hostroute.Subnet) hostroute.Instance {
		return hostroute.Instance{NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("s", "11.8.0.0/24", "11.8.0.1"), second}}}}
	}
	const otherClients, networkd, choice = "other DHCP clients", "systemd-networkd", "DHCP server may choose"
	for name, c := range map[string]struct {
		in       hostroute.Instance
		code     hostroute.Code
		has, not string
	}{
		"a conflict names the guests that use the other NIC": {and(onFront(back("11.11.0.0/16,11.8.0.1")), func(in *hostroute.Instance) { in.NICs[0].Name, in.DefaultNIC = "eth9", "" }), hostroute.CodeConflict, "it is installed on eth1 under systemd-networkd and NetworkManager", "\x00"},
		"or that configure NICs at once":                     {and(onFront(back("11.11.0.0/16,11.8.0.1")), func(in *hostroute.Instance) { in.Guest, in.DefaultNIC = hostroute.GuestNetworkd, "" }), hostroute.CodeConflict, "systemd-networkd uses that of the NIC that has its lease first", "\x00"},
		"which are not named again":                          {and(onFront(back("11.11.0.0/16,11.8.0.1")), func(in *hostroute.Instance) { in.Guest, in.DefaultNIC = hostroute.GuestNetworkd, "" }), hostroute.CodeConflict, "that may differ under dhclient", "dhclient, systemd-networkd"},
		"one from the config drive does not":                 {static(onFront(back("11.11.0.0/16,11.8.0.1"))), hostroute.CodeConflict, "leaves by eth0", otherClients},
		"nor does one by hand":                               {manual(onFront(back("11.11.0.0/16,11.8.0.1"))), hostroute.CodeConflict, "leaves by eth0", otherClients},
		"a refused route stops networkd":                     {back("11.11.0.0/16,11.8.0.255"), hostroute.CodeNextHopUnusable, networkd, "\x00"},
		"but if it can be accepted, it does not":             {back("11.11.0.0/16,224.0.0.5"), hostroute.CodeNextHopUnusable, "the guest refuses the route", networkd},
		"a next hop that dhclient refuses":                   {back("11.11.0.0/16,192.0.2.1"), hostroute.CodeNextHopOffLink, "the guest refuses the route", "adds a route"},
		"a long offer, which NetworkManager may lose": {and(back("11.11.0.0/16,192.0.2.1"), func(in *hostroute.Instance) {
			in.Guest = hostroute.GuestDhcpcd
			for i := range 25 {
				in.NICs[1].Siblings = append(in.NICs[1].Siblings, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100, byte(i), 0}), 24))
			}
		}), hostroute.CodeNextHopOffLink, "that may differ under systemd-networkd and NetworkManager", "installed"},
		"a next hop that gets a route":                 {and(back("11.11.0.0/16,192.0.2.1"), func(in *hostroute.Instance) { in.Guest = hostroute.GuestNetworkd }), hostroute.CodeNextHopOffLink, "the guest adds a route to it", "ignores"},
		"a next hop that is ignored":                   {and(back("127.0.0.0/8,192.0.2.1"), func(in *hostroute.Instance) { in.Guest = hostroute.GuestNetworkd }), hostroute.CodeNextHopOffLink, "the guest ignores it, and takes 127.0.0.0/8 for on-link", "adds a route"},
		"a next hop that dhcpcd ignores":               {and(back("11.11.0.0/16,11.11.0.0"), func(in *hostroute.Instance) { in.Guest = hostroute.GuestDhcpcd }), hostroute.CodeNextHopOffLink, "takes 11.11.0.0/32 for on-link", "adds a route"},
		"not from the config drive":                    {static(back("11.11.0.0/16,11.8.0.255")), hostroute.CodeNextHopUnusable, "refuses the route", networkd},
		"nor by hand":                                  {manual(back("11.11.0.0/16,11.8.0.255")), hostroute.CodeNextHopUnusable, "refuses the route", networkd},
		"on-link depends on the client":                {back("11.11.0.0/16,0.0.0.0"), hostroute.CodeNextHopOnLink, "dhcpcd", "\x00"},
		"not from the config drive, on-link":           {static(back("11.11.0.0/16,0.0.0.0")), hostroute.CodeNextHopOnLink, "proxy ARP", "dhcpcd"},
		"a neighbour says what cannot be":              {back("11.11.0.0/16,11.8.0.77"), hostroute.CodeNextHopNotGateway, "a router at 11.8.0.77 never sees it", "metadata"},
		"the metadata address by a DHCP port is named": {back("169.254.169.254/32,11.8.0.2"), hostroute.CodeNextHopNotGateway, "169.254.169.254 is the metadata address", "\x00"},
		"host bits that vanish":                        {back("11.11.77.5/16,11.8.0.1"), hostroute.CodeHostBits, "arrives as 11.11.0.0/16", networkd},
		"host bits that stay":                          {back("11.11.77.0/20,11.8.0.1"), hostroute.CodeHostBits, networkd, "arrives as"},
		"Neutron refuses host bits":                    {back("11.11.77.5/16,11.8.0.1"), hostroute.CodeHostBits, "Neutron refuses", "\x00"},
		"but not by hand":                              {manual(back("11.11.77.5/16,11.8.0.1")), hostroute.CodeHostBits, "the guest refuses", "Neutron"},
		"two leases: the server chooses":               {several(subnet("more", "11.9.0.0/24", "11.9.0.1")), hostroute.CodeSecondIPv4Subnet, choice, "\x00"},
		"one lease: it does not":                       {several(subnet("more", "11.9.0.0/24", "")), hostroute.CodeSecondIPv4Subnet, "assumes subnet s", choice},
		"a subnet without an ID is named by its CIDR":  {several(subnet("", "11.9.0.0/24", "")), hostroute.CodeNoLease, "subnet 11.9.0.0/24 has no gateway", "\x00"},
		"no lease names the trap":                      {several(subnet("more", "11.9.0.0/24", "")), hostroute.CodeNoLease, "no gateway", "\x00"},
		"several defaults name what depends on them":   {and(back("11.11.0.0/16,11.8.0.1", "11.12.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { in.DefaultNIC = "" }), hostroute.CodeMultipleDefaults, "2 routes depend on that choice, such as eth1: back: 11.11.0.0/16,11.8.0.1", "\x00"},
		"a default by hand is no client's choice": {and(manual(back("0.0.0.0/0,11.8.0.1")), func(in *hostroute.Instance) { in.Guest, in.DefaultNIC = hostroute.GuestNetworkManager, "" }), hostroute.CodeMultipleDefaults,
			"this report assumes the one programmed by hand on eth1", "as NetworkManager does"},
		"another NIC's gateway, and the guest uses another route": {and(onFront(back("11.11.0.0/16,10.65.0.1")), func(in *hostroute.Instance) { in.Guest = hostroute.GuestNetworkManager }), hostroute.CodeNextHopOtherNIC,
			"data that uses it leaves by eth1", "\x00"},
		"a subnet that is captured, perhaps":            {and(back("10.65.0.0/24,11.8.0.1"), func(in *hostroute.Instance) { in.Guest, in.DefaultNIC = hostroute.GuestNetworkd, "" }), hostroute.CodeCapturesSubnet, "the guest may reach these addresses through eth1", "\x00"},
		"a next hop in another subnet of the NIC":       {several(subnet("more", "11.9.0.0/24", "", "11.11.0.0/16,11.8.0.77")), hostroute.CodeNextHopOffLink, "next hop 11.8.0.77 is not in 11.9.0.0/24, and the route does not arrive", "on the link"},
		"no default, though another NIC is offered one": {and(back(), func(in *hostroute.Instance) { front(in).Gateway = netip.Addr{} }), hostroute.CodeNoDefault, "use the IPv4 default route of eth0, and gets none", "\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range analyze(t, c.in).Findings {
				if f.Code == c.code {
					if !strings.Contains(f.Message, c.has) || strings.Contains(f.Message, c.not) {
						t.Errorf("got %q, want %q in it and not %q", f.Message, c.has, c.not)
					}
					return
				}
			}
			t.Errorf("no finding of %s", c.code)
		})
	}
}

// What keeps a route from being used is installed instead, or both are.
func TestWhatIsUsedInstead(t *testing.T) {
	in := back("11.11.0.0/16,11.8.0.1")
	front(&in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1")
	for guest, want := range map[hostroute.Guest]string{hostroute.GuestDhclient: "is installed instead", hostroute.GuestDhcpcd: "is used instead"} {
		in.Guest = guest
		for _, f := range analyze(t, in).Findings {
			if f.Code == hostroute.CodeConflict && f.Related[0].Message != want {
				t.Errorf("%s: got %v, want %q", guest, f.Related, want)
			}
		}
	}
}

// Which of two equal destinations is told, and which goes, does not depend on their order: Neutron
// keeps none.
func TestANeighbourIsToldInEitherOrder(t *testing.T) {
	const good, bad = "11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"
	for _, routes := range [][]string{{good, bad}, {bad, good}} {
		in := back(routes...)
		told := false
		for _, f := range analyze(t, in).Findings {
			for _, fix := range f.Fixes {
				if f.Code == hostroute.CodeRedundant {
					continue // either of them is, while the other is there
				}
				if len(fix.Edits) != 1 || fix.Edits[0].Old.String() != bad {
					t.Errorf("%v: %v proposes %v", routes, f, fix)
				}
			}
			told = told || f.Code == hostroute.CodeNextHopNotGateway && f.Subject.HostRoute.String() == bad
		}
		if !told {
			t.Errorf("%v: the neighbour is not told", routes)
		}
	}
}
