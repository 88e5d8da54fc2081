package hostroute_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var onLink = netip.IPv4Unspecified()

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

// offersDefault says whether a NIC is offered a default of a family.
func offersDefault(in hostroute.Instance, n hostroute.NIC, family4 bool) bool {
	if family4 {
		s, static := twin.Configured(in, n)
		if s == nil {
			return false
		}
		return !static || s.Gateway.Is4() || slices.ContainsFunc(s.HostRoutes, func(r hostroute.HostRoute) bool {
			return r.Destination == netip.MustParsePrefix("0.0.0.0/0") && r.NextHop.Is4()
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

// decidesInside says whether the row of a table takes addresses of another
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
	hasDefault := slices.ContainsFunc(table, func(r hostroute.Route) bool { return r.Destination == netip.MustParsePrefix("0.0.0.0/0") })
	if len(in.NICs) > 1 && with4 > 0 && unconfigured == 0 && !hasDefault {
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
					for _, c := range wantCodes(in, table, v) {
						add(c, v.Subject)
					}
				}
			}
		}
		for _, v := range verdicts {
			if v.Subject.NIC == nic.Name && v.Subject.Subnet == "" {
				for _, c := range wantCodes(in, table, v) {
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

// wantCodes returns the codes of a host route or a manual route, sorted.
func wantCodes(in hostroute.Instance, table hostroute.Table, v hostroute.Verdict) []hostroute.Code {
	var out []hostroute.Code
	if v.Cause == hostroute.CodeOptionOverflow {
		return nil // it mutes the rest
	}
	r := v.Subject.HostRoute
	switch {
	case v.Cause == hostroute.CodeNextHopUnusable:
		out = append(out, v.Cause)
	case v.Class == hostroute.ClassOwnGateway:
	case v.Class == hostroute.ClassNotGateway && (v.Effect == hostroute.EffectRefused || v.Cause == hostroute.CodeDefaultDropped):
		// It is told of what is installed, and of what is not offered.
	default:
		out = append(out, classCode[v.Class])
	}
	manual := v.Subject.Subnet == ""
	if r.Destination != r.Destination.Masked() && !(manual && r.Destination.Addr().Is6()) {
		out = append(out, hostroute.CodeHostBits)
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
	random(t, 2, 4000, func(t testing.TB, in hostroute.Instance) bool {
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
	})
}

func analyze(t testing.TB, in hostroute.Instance) *hostroute.Report {
	t.Helper()
	r, err := hostroute.Analyze(in)
	if err != nil {
		t.Fatalf("Analyze: %v\n%s", err, describe(in))
	}
	return r
}

// A problem is a finding of severity error, its subject by destination.
type problem struct {
	code        hostroute.Code
	nic, subnet string
	destination netip.Prefix
}

func problems(r *hostroute.Report) map[problem]bool {
	out := map[problem]bool{}
	for _, f := range r.Findings {
		if f.Severity == hostroute.SeverityError {
			out[problem{f.Code, f.Subject.NIC, f.Subject.Subnet, f.Subject.HostRoute.Destination.Masked()}] = true
		}
	}
	return out
}

// A keeping is one way in which a guest may treat the offered defaults of a family.
type keeping struct {
	defaultNIC string
	family4    bool
}

// admissible returns all of them: by the DefaultNIC that the guest is told, else by none
// and by each NIC that is offered a default of the family before or after a fix.
func admissible(instances ...hostroute.Instance) []keeping {
	d := instances[0].DefaultNIC
	out := []keeping{{d, true}, {d, false}}
	for _, in := range instances {
		for _, n := range in.NICs {
			for _, family4 := range []bool{true, false} {
				if d == "" && offersDefault(in, n, family4) {
					out = append(out, keeping{n.Name, family4})
				}
			}
		}
	}
	return out
}

// keepsEgress says by definition whether a fix, which makes after of before, must say
// KeepsEgress, and why.
func keepsEgress(before, after hostroute.Instance, was, is *hostroute.Report, f hostroute.Finding) (bool, string) {
	for _, v := range was.Verdicts {
		if v.Subject == f.Subject && v.GuestDependent && len(before.NICs) > 1 {
			return false, "guest-dependent"
		}
	}
	had := problems(was)
	for p := range problems(is) {
		if !had[p] {
			return false, fmt.Sprint("new error ", p)
		}
	}
	for _, k := range admissible(before, after) {
		a, b := before, after
		a.DefaultNIC, b.DefaultNIC = k.defaultNIC, k.defaultNIC
		for _, c := range hostroute.Diff(twin.Table(a), twin.Table(b)) {
			if c.Destination.Addr().Is4() == k.family4 {
				return false, fmt.Sprintf("with the default of %q: %v", k.defaultNIC, c)
			}
		}
	}
	return true, "nothing moves"
}

func TestFixesDoWhatTheySay(t *testing.T) {
	random(t, 3, 4000, checkFixes)
}

func checkFixes(t testing.TB, in hostroute.Instance) bool {
	was := analyze(t, in)
	for _, f := range was.Findings {
		for _, fix := range f.Fixes {
			fixed, err := in.Apply(fix.Edits...)
			if err != nil {
				t.Errorf("%v: fix %q: %v\n%s", f, fix.Message, err, describe(in))
				return false
			}
			r := analyze(t, fixed)
			if slices.Contains(keys(r.Findings), key{f.Code, f.Subject}) {
				t.Errorf("%v: fix %q leaves it there\n%s", f, fix.Message, describe(in))
				return false
			}
			if want, why := keepsEgress(in, fixed, was, r, f); want != fix.KeepsEgress {
				t.Errorf("%v: fix %q %v: KeepsEgress is %v, but %s\n%s", f, fix.Message, fix.Edits, fix.KeepsEgress, why, describe(in))
				return false
			}
			if !checkCure(t, in, r, f, fix) {
				return false
			}
		}
		if f.Subject.Subnet == "" && len(f.Fixes) > 0 {
			t.Errorf("%v: has fixes", f)
			return false
		}
	}
	return true
}

// checkCure says whether a fix that sets another next hop, or moves the host route,
// makes a good one of it: of class own-gateway, and installed.
func checkCure(t testing.TB, in hostroute.Instance, r *hostroute.Report, f hostroute.Finding, fix hostroute.Fix) bool {
	switch f.Code {
	case hostroute.CodeNextHopNotGateway, hostroute.CodeNextHopOtherNIC, hostroute.CodeNextHopOffLink:
	default:
		return true
	}
	for _, e := range fix.Edits {
		if e.New == (hostroute.HostRoute{}) {
			continue
		}
		cured := 0
		for _, v := range r.Verdicts {
			if v.Subject.Subnet != e.Subnet || v.Subject.HostRoute != e.New {
				continue
			}
			if v.Class != hostroute.ClassOwnGateway {
				t.Errorf("%v: fix %q makes class %s\n%s", f, fix.Message, v.Class, describe(in))
				return false
			}
			switch v.Cause {
			case "", hostroute.CodeNoLease, hostroute.CodeDHCPDisabled, hostroute.CodeSecondIPv4Subnet, hostroute.CodeOptionOverflow, hostroute.CodeIPv6NotOffered: // the offer
			case hostroute.CodeHostBits, hostroute.CodeDuplicate, hostroute.CodeConflict: // the destination
			default:
				t.Errorf("%v: fix %q: not installed, %s\n%s", f, fix.Message, v.Cause, describe(in))
				return false
			}
			cured++
		}
		if cured == 0 {
			t.Errorf("%v: fix %q makes nothing of %v\n%s", f, fix.Message, e, describe(in))
			return false
		}
	}
	return true
}

// proposals is the column "fixes" of the table of codes: the edits of each
// alternative, whether or not it helps; two that come to the same are one.
func proposals(in hostroute.Instance, f hostroute.Finding) [][]hostroute.Edit {
	r, id := f.Subject.HostRoute, f.Subject.Subnet
	if id == "" || r == (hostroute.HostRoute{}) {
		return nil // not of a host route
	}
	subnets := map[string]*hostroute.Subnet{}
	var nic hostroute.NIC
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			subnets[s.ID] = s
		}
		if n.Name == f.Subject.NIC {
			nic = n
		}
	}
	s := subnets[id]
	remove := []hostroute.Edit{{Subnet: id, Old: r}}
	replace := func(by hostroute.HostRoute) []hostroute.Edit {
		if slices.Contains(s.HostRoutes, by) {
			return remove
		}
		return []hostroute.Edit{{Subnet: id, Old: r, New: by}}
	}
	var out [][]hostroute.Edit
	gateway := func() {
		if g := (hostroute.HostRoute{Destination: r.Destination, NextHop: s.Gateway}); s.Gateway.IsValid() && g != r {
			out = append(out, replace(g))
		}
	}
	switch f.Code {
	case hostroute.CodeNextHopNotGateway, hostroute.CodeNextHopOwnAddress:
		gateway()
		if len(in.NICs) == 1 {
			out = append(out, remove)
		}
	case hostroute.CodeNextHopOtherNIC:
		for _, n := range in.NICs {
			for _, o := range n.Subnets {
				if n.Name != nic.Name && o.Gateway == r.NextHop && len(out) == 0 {
					if slices.Contains(o.HostRoutes, r) {
						out = append(out, remove)
					} else {
						out = append(out, []hostroute.Edit{remove[0], {Subnet: o.ID, New: r}})
					}
				}
			}
		}
	case hostroute.CodeNextHopOffLink:
		gateway()
		out = append(out, remove)
	case hostroute.CodeNextHopOnLink:
		gateway()
	case hostroute.CodeNextHopUnusable:
		if r.Destination.Addr().Is4() == is4(s) && r.NextHop.Is4() == is4(s) {
			gateway()
		}
		out = append(out, remove)
	case hostroute.CodeHostBits:
		out = append(out, replace(hostroute.HostRoute{Destination: r.Destination.Masked(), NextHop: r.NextHop}))
	case hostroute.CodeDefaultDropped, hostroute.CodeDuplicate, hostroute.CodeSingleNIC, hostroute.CodeRedundant, hostroute.CodeShadowed:
		out = append(out, remove)
	case hostroute.CodeCapturesSubnet:
		if sourceOf(twin.Table(in), r.Destination.Masked()) != hostroute.SourceSibling {
			out = append(out, remove)
		}
	case hostroute.CodeConflict:
		var other hostroute.Ref // what is in force; none where DefaultNIC drops a default
		ofHostRoute := false
		if len(f.Related) == 1 {
			other = f.Related[0].Ref
			ofHostRoute = sourceOf(twin.Table(in), r.Destination.Masked()) == hostroute.SourceHostRoute
		}
		switch {
		case ofHostRoute && other.Subnet == id:
		case ofHostRoute:
			out = append(out, remove, []hostroute.Edit{{Subnet: other.Subnet, Old: other.HostRoute}})
		default:
			out = append(out, remove)
		}
	}
	return slices.CompactFunc(out, slices.Equal)
}

// A fix of the table of codes is offered exactly if it helps: if its finding is
// gone, and what it adds has no bad next hop.
func TestFixesAreThoseOfTheTableOfCodes(t *testing.T) {
	random(t, 4, 2000, func(t testing.TB, in hostroute.Instance) bool {
		for _, f := range analyze(t, in).Findings {
			var want, got [][]hostroute.Edit
			for _, edits := range proposals(in, f) {
				if helps(t, in, f, edits) {
					want = append(want, edits)
				}
			}
			for _, fix := range f.Fixes {
				got = append(got, fix.Edits)
			}
			if diff := cmp.Diff(want, got, equateNetip); diff != "" {
				t.Errorf("%v: fixes (-want +got):\n%s%s", f, diff, describe(in))
				return false
			}
		}
		return true
	})
}

// sourceOf returns where the route comes from that is in force for a destination.
func sourceOf(table hostroute.Table, dst netip.Prefix) hostroute.Source {
	i := slices.IndexFunc(table, func(r hostroute.Route) bool { return r.Destination == dst })
	return table[i].Source
}

func helps(t testing.TB, in hostroute.Instance, f hostroute.Finding, edits []hostroute.Edit) bool {
	fixed, err := in.Apply(edits...)
	if err != nil {
		t.Errorf("%v: %v", f, err)
		return false
	}
	r := analyze(t, fixed)
	for _, g := range r.Findings {
		if g.Code == f.Code && g.Subject == f.Subject {
			return false
		}
	}
	if f.Code == hostroute.CodeHostBits {
		return true
	}
	// The next hops of what an overflow mutes are not told; look at the verdicts.
	for _, v := range r.Verdicts {
		for _, e := range edits {
			if e.New != (hostroute.HostRoute{}) && v.Subject.Subnet == e.Subnet && v.Subject.HostRoute == e.New {
				if v.Class != hostroute.ClassOwnGateway || v.Cause == hostroute.CodeNextHopUnusable {
					return false
				}
			}
		}
	}
	return true
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

// Many NICs on one subnet do not make a list of their square.
func TestOverlappingSubnetsAreListedUpToALimit(t *testing.T) {
	in := hostroute.Instance{Name: "vm"}
	s := subnet("s", "10.65.0.0/24", "10.65.0.1")
	for i := range 40 {
		in.NICs = append(in.NICs, hostroute.NIC{Name: fmt.Sprint("eth", i), Subnets: []*hostroute.Subnet{s}})
	}
	var last hostroute.Finding
	for _, f := range analyze(t, in).Findings {
		if f.Code == hostroute.CodeOverlappingSubnets {
			last = f
		}
	}
	if last.Subject.NIC != "eth39" || len(last.Related) != 32 || !strings.Contains(last.Message, "7 more") {
		t.Errorf("got %d related, %v", len(last.Related), last)
	}
}

// Every code's fixes on a hand-written instance, and what they say of the egress.
func TestFixes(t *testing.T) {
	type fix struct {
		edits string
		keeps bool
	}
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
	for name, c := range map[string]struct {
		in   hostroute.Instance
		code hostroute.Code
		want []fix
	}{
		"not the gateway":                         {back("11.11.0.0/16,11.8.0.77"), hostroute.CodeNextHopNotGateway, []fix{{"-11.11.0.0/16,11.8.0.77 +11.11.0.0/16,11.8.0.1", true}}},
		"not the gateway, one NIC":                {one("11.11.0.0/16,11.8.0.77"), hostroute.CodeNextHopNotGateway, []fix{{"-11.11.0.0/16,11.8.0.77 +11.11.0.0/16,11.8.0.1", true}, {"-11.11.0.0/16,11.8.0.77", true}}},
		"not the gateway, the good one is behind": {back("11.11.0.0/16,11.8.0.77", "11.11.0.0/16,11.8.0.1"), hostroute.CodeNextHopNotGateway, []fix{{"-11.11.0.0/16,11.8.0.77", false}}},
		"another NIC's gateway":                   {back("11.11.0.0/16,10.65.0.1"), hostroute.CodeNextHopOtherNIC, []fix{{"-11.11.0.0/16,10.65.0.1 front+11.11.0.0/16,10.65.0.1", false}}},
		"another NIC's gateway, there already": {and(back("11.11.0.0/16,10.65.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }),
			hostroute.CodeNextHopOtherNIC, []fix{{"-11.11.0.0/16,10.65.0.1", false}}},
		"off-link":                    {back("11.11.0.0/16,192.0.2.1"), hostroute.CodeNextHopOffLink, []fix{{"-11.11.0.0/16,192.0.2.1 +11.11.0.0/16,11.8.0.1", false}, {"-11.11.0.0/16,192.0.2.1", false}}},
		"off-link, one NIC":           {one("11.11.0.0/16,192.0.2.1"), hostroute.CodeNextHopOffLink, []fix{{"-11.11.0.0/16,192.0.2.1 +11.11.0.0/16,11.8.0.1", true}, {"-11.11.0.0/16,192.0.2.1", true}}},
		"own address":                 {back("11.11.0.0/16,11.8.0.21"), hostroute.CodeNextHopOwnAddress, []fix{{"-11.11.0.0/16,11.8.0.21 +11.11.0.0/16,11.8.0.1", true}}},
		"own address, one NIC":        {one("11.11.0.0/16,11.8.0.21"), hostroute.CodeNextHopOwnAddress, []fix{{"-11.11.0.0/16,11.8.0.21 +11.11.0.0/16,11.8.0.1", true}, {"-11.11.0.0/16,11.8.0.21", true}}},
		"on-link":                     {back("11.11.0.0/16,0.0.0.0"), hostroute.CodeNextHopOnLink, []fix{{"-11.11.0.0/16,0.0.0.0 +11.11.0.0/16,11.8.0.1", false}}},
		"on-link, one NIC":            {one("11.11.0.0/16,0.0.0.0"), hostroute.CodeNextHopOnLink, []fix{{"-11.11.0.0/16,0.0.0.0 +11.11.0.0/16,11.8.0.1", true}}},
		"unusable":                    {back("11.11.0.0/16,224.0.0.5"), hostroute.CodeNextHopUnusable, []fix{{"-11.11.0.0/16,224.0.0.5 +11.11.0.0/16,11.8.0.1", false}, {"-11.11.0.0/16,224.0.0.5", false}}},
		"unusable, of another family": {back("11.11.0.0/16,fe80::1"), hostroute.CodeNextHopUnusable, []fix{{"-11.11.0.0/16,fe80::1", true}}},
		"unusable, the gateway": {and(back("11.11.0.0/16,11.8.0.255"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("11.8.0.255") }),
			hostroute.CodeNextHopUnusable, []fix{{"-11.11.0.0/16,11.8.0.255", false}}},
		"no gateway to name": {and(back("11.11.0.0/16,11.8.0.77"), func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.Addr{} }),
			hostroute.CodeNextHopNotGateway, nil},
		"a default":                       {back("0.0.0.0/0,11.8.0.77"), hostroute.CodeDefaultDropped, []fix{{"-0.0.0.0/0,11.8.0.77", true}}},
		"host bits":                       {back("11.11.77.5/16,11.8.0.1"), hostroute.CodeHostBits, []fix{{"-11.11.77.5/16,11.8.0.1 +11.11.0.0/16,11.8.0.1", false}}},
		"host bits, masked there already": {back("11.11.77.5/16,11.8.0.1", "11.11.0.0/16,11.8.0.1"), hostroute.CodeHostBits, []fix{{"-11.11.77.5/16,11.8.0.1", false}}},
		"host bits, one NIC":              {one("11.11.77.5/16,11.8.0.1"), hostroute.CodeHostBits, []fix{{"-11.11.77.5/16,11.8.0.1 +11.11.0.0/16,11.8.0.1", true}}},
		"duplicate":                       {back("11.8.0.0/24,11.8.0.1"), hostroute.CodeDuplicate, []fix{{"-11.8.0.0/24,11.8.0.1", true}}},
		"conflict": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) { front(in).HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1") }),
			hostroute.CodeConflict, []fix{{"-11.11.0.0/16,11.8.0.1", false}, {"front-11.11.0.0/16,10.65.0.1", false}}},
		"conflict with a connected route": {back("10.65.0.0/24,11.8.0.1"), hostroute.CodeConflict, []fix{{"-10.65.0.0/24,11.8.0.1", false}}},
		"conflict within one subnet":      {sharing("11.11.0.0/16,10.65.0.1"), hostroute.CodeConflict, nil},
		"captures a subnet":               {back("10.65.0.128/25,11.8.0.1"), hostroute.CodeCapturesSubnet, []fix{{"-10.65.0.128/25,11.8.0.1", false}}},
		"captures a subnet, a sibling":    {and(back(), func(in *hostroute.Instance) { in.NICs[1].Siblings = prefixes("10.65.0.128/25") }), hostroute.CodeCapturesSubnet, nil},
		"one NIC":                         {one("11.11.0.0/16,11.8.0.1"), hostroute.CodeSingleNIC, []fix{{"-11.11.0.0/16,11.8.0.1", true}}},
		"redundant":                       {back("11.8.0.128/25,11.8.0.1"), hostroute.CodeRedundant, []fix{{"-11.8.0.128/25,11.8.0.1", true}}},
		"shadowed":                        {back("11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1", "11.11.0.0/16,11.8.0.1"), hostroute.CodeShadowed, []fix{{"-11.11.0.0/16,11.8.0.1", true}}},
		"by hand":                         {and(back(), func(in *hostroute.Instance) { in.NICs[1].ManualRoutes = hostRoutes("11.11.0.0/16,11.8.0.77") }), hostroute.CodeNextHopNotGateway, nil},
		"redundant with one default and not with another": {and(back("11.11.0.0/16,11.8.0.1"), func(in *hostroute.Instance) {
			in.DefaultNIC = ""
			in.NICs[0], in.NICs[1] = in.NICs[1], in.NICs[0]
		}), hostroute.CodeRedundant, []fix{{"-11.11.0.0/16,11.8.0.1", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []fix
			found := 0
			for _, f := range analyze(t, c.in).Findings {
				if f.Code != c.code {
					continue
				}
				found++
				for _, x := range f.Fixes {
					var parts []string
					for _, e := range x.Edits {
						id := strings.Replace(e.Subnet, "back", "", 1)
						if e.Old != (hostroute.HostRoute{}) {
							parts = append(parts, id+"-"+e.Old.String())
						}
						if e.New != (hostroute.HostRoute{}) {
							parts = append(parts, id+"+"+e.New.String())
						}
					}
					got = append(got, fix{strings.Join(parts, " "), x.KeepsEgress})
				}
			}
			if found != 1 {
				t.Fatalf("%d findings of %s", found, c.code)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(fix{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkFixes(t, c.in)
		})
	}
}

// A subnet that a NIC is configured from by the config drive may have no gateway, and then
// the advice on a manual route cannot name it.
func TestAdviceNamesNoGatewayWhereThereIsNone(t *testing.T) {
	in := hostroute.Instance{Name: "vm", ConfigDrive: true, NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("s", "10.65.0.0/24", "")},
		ManualRoutes: hostRoutes("11.11.0.0/16,192.0.2.1", "11.12.0.0/16,10.65.0.77")}}}
	in.NICs[0].Subnets[0].DHCPDisabled = true
	findings := analyze(t, in).Findings
	if len(findings) != 2 {
		t.Errorf("got %v", findings)
	}
	for _, f := range findings {
		if strings.Contains(f.Message, "invalid IP") {
			t.Errorf("got %v", f)
		}
	}
}

// Linux refuses eth0's default, for no connected route covers its next hop. A guest that is told
// to keep that one has none; one that takes what comes keeps eth1's. So the host
// route moves data in the first case, and removing it does not keep the egress.
func TestKeepsEgressHoldsForADefaultThatLinuxRefuses(t *testing.T) {
	in := hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
		{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("s0", "192.0.2.7/32", "192.0.2.7")}},
		{Name: "eth1", Subnets: []*hostroute.Subnet{subnet("s1", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")}},
	}}
	for _, f := range analyze(t, in).Findings {
		for _, fix := range f.Fixes {
			if fix.KeepsEgress {
				t.Errorf("%v: %q says KeepsEgress", f, fix.Message)
			}
		}
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

// What to type in the guest about a manual route, and nothing that Linux would refuse, or that would
// take the place of another route.
func TestMessagesOnManualRoutesSayWhatToType(t *testing.T) {
	two := func(change func(in *hostroute.Instance), routes ...string) hostroute.Instance {
		in := hostroute.Instance{Name: "vm", DefaultNIC: "eth0", NICs: []hostroute.NIC{
			{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("front", "10.65.0.0/24", "10.65.0.1")}},
			{Name: "eth1", Subnets: []*hostroute.Subnet{subnet("back", "11.8.0.0/24", "11.8.0.1"), subnet("back6", "2001:db8::/64", "2001:db8::1")}, ManualRoutes: hostRoutes(routes...)},
		}}
		if change != nil {
			change(&in)
		}
		return in
	}
	const linkLocal = " via LINK-LOCAL-ADDRESS dev eth1, with the address that router advertisements on eth1 come from"
	for name, c := range map[string]struct {
		in    hostroute.Instance
		types []string // by finding
	}{
		"a neighbour":                        {two(nil, "11.11.0.0/16,11.8.0.77"), []string{"ip route replace 11.11.0.0/16 via 11.8.0.1 dev eth1"}},
		"off-link":                           {two(nil, "11.11.0.0/16,192.0.2.1"), []string{"ip route add 11.11.0.0/16 via 11.8.0.1 dev eth1"}},
		"off-link, and there is a default":   {two(nil, "0.0.0.0/0,192.0.2.1"), []string{"leave it out"}},
		"unusable, for the NIC's own subnet": {two(nil, "11.8.0.0/24,11.8.0.255"), []string{"leave it out"}},
		"there already":                      {two(nil, "11.8.0.0/24,11.8.0.1"), []string{"leave it out"}},
		"another NIC's gateway":              {two(nil, "11.11.0.0/16,10.65.0.1"), []string{"ip route add 11.11.0.0/16 via 10.65.0.1 dev eth0"}},
		"another NIC's gateway, installed": {two(nil, "10.65.0.0/25,0.0.0.0", "11.11.0.0/16,10.65.0.1"),
			[]string{"ip route del 10.65.0.0/25 dev eth1", "ip route del 10.65.0.0/25 dev eth1", "ip route replace 11.11.0.0/16 via 10.65.0.1 dev eth0"}},
		"host bits":                     {two(nil, "11.11.77.0/20,11.8.0.1"), []string{"ip route add 11.11.64.0/20 via 11.8.0.1 dev eth1"}},
		"host bits, and a neighbour":    {two(nil, "11.11.77.0/20,11.8.0.77"), []string{"ip route add 11.11.64.0/20 via 11.8.0.1 dev eth1"}},
		"host bits, and another family": {two(nil, "10.0.0.1/8,2001:db8::1"), []string{"leave it out", "leave it out"}},
		"host bits, and the gateway refused": {two(func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("11.8.0.255") },
			"11.11.77.0/20,11.8.0.255"), []string{"leave it out"}},
		"the gateway, refused": {two(func(in *hostroute.Instance) { in.NICs[1].Subnets[0].Gateway = netip.MustParseAddr("11.8.0.255") },
			"11.11.0.0/16,11.8.0.255"), []string{"leave it out"}},
		"a neighbour, and no gateway to name": {two(func(in *hostroute.Instance) {
			in.ConfigDrive, in.NICs[1].Subnets[0].DHCPDisabled, in.NICs[1].Subnets[0].Gateway = true, true, netip.Addr{}
		}, "11.11.0.0/16,11.8.0.77"), []string{"ip route del 11.11.0.0/16 via 11.8.0.77 dev eth1"}},
		"no effect":       {two(nil, "11.8.0.128/25,11.8.0.1"), []string{"ip route del 11.8.0.128/25 via 11.8.0.1 dev eth1"}},
		"IPv6":            {two(nil, "2001:db8:5::1/48,2001:db8::7"), []string{"ip -6 route add 2001:db8:5::/48" + linkLocal}},
		"IPv6, no effect": {two(func(in *hostroute.Instance) { in.DefaultNIC = "eth1" }, "2001:db8:5::1/48,fe80::1"), []string{"ip -6 route del 2001:db8:5::/48 via fe80::1 dev eth1"}},
		"IPv6, another NIC's gateway": {two(func(in *hostroute.Instance) {
			in.NICs[0].ManualRoutes, in.NICs[1].ManualRoutes = in.NICs[1].ManualRoutes, nil
		}, "2001:db8:5::/48,2001:db8::1"), []string{"ip -6 route add 2001:db8:5::/48" + linkLocal}},
		"IPv6, without a router": {two(func(in *hostroute.Instance) { in.NICs[1].Subnets[1].DHCPDisabled = true },
			"2001:db8:5::/48,2001:db8::1"), []string{"leave it out"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range analyze(t, c.in).Findings {
				if _, command, ok := strings.Cut(f.Message, "; in the guest: "); ok {
					got = append(got, command)
				}
			}
			if diff := cmp.Diff(c.types, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// After what a message says to type, its finding is gone, and what is typed is in force, by the gateway.
func TestWhatIsTypedHelps(t *testing.T) {
	random(t, 23, 8000, func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		commands := make(map[hostroute.Ref]string)
		for _, f := range r.Findings {
			_, command, ok := strings.Cut(f.Message, "; in the guest: ")
			if first, told := commands[f.Subject]; told && first != command {
				t.Errorf("%v: another finding of it says to type %q", f, first)
				return false
			}
			commands[f.Subject] = command
			if isManual := f.Subject.Subnet == "" && f.Subject.HostRoute != (hostroute.HostRoute{}); ok != isManual {
				t.Errorf("%v: manual: %v, says what to type: %v", f, isManual, ok)
				return false
			}
			if !ok {
				continue
			}
			after, added := typeIn(t, in, f.Subject, command)
			r := analyze(t, after)
			if slices.Contains(keys(r.Findings), key{f.Code, f.Subject}) {
				t.Errorf("%v: is still there", f)
				return false
			}
			for _, v := range r.Verdicts {
				if v.Subject == added && (v.Cause != "" || v.Class != hostroute.ClassOwnGateway) {
					t.Errorf("%v: what is typed is %s, and has the cause %q\n%s", f, v.Class, v.Cause, describe(in))
					return false
				}
			}
		}
		return true
	})
}

// typeIn returns the instance as if a command had been typed instead of a manual route, and the route
// that this brings.
func typeIn(t testing.TB, in hostroute.Instance, subject hostroute.Ref, command string) (hostroute.Instance, hostroute.Ref) {
	in, err := in.Apply()
	if err != nil {
		t.Fatal(err)
	}
	nic := func(name string) *hostroute.NIC {
		return &in.NICs[slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })]
	}
	old := nic(subject.NIC)
	at := slices.Index(old.ManualRoutes, subject.HostRoute)
	old.ManualRoutes = slices.DeleteFunc(old.ManualRoutes, func(r hostroute.HostRoute) bool { return r == subject.HostRoute })
	command = strings.TrimPrefix(strings.TrimPrefix(command, "ip "), "-6 ")
	words := strings.Fields(strings.NewReplacer("LINK-LOCAL-ADDRESS", "fe80::ecee:eeff:feee:eeee", ",", "").Replace(command))
	if words[0] != "route" || words[1] == "del" {
		return in, hostroute.Ref{}
	}
	r := hostroute.HostRoute{Destination: netip.MustParsePrefix(words[2]), NextHop: netip.MustParseAddr(words[4])}
	to := nic(words[6])
	if to != old || at > len(to.ManualRoutes) {
		at = len(to.ManualRoutes)
	}
	// What was refused for an equal destination stays refused.
	for i := range in.NICs {
		in.NICs[i].ManualRoutes = slices.DeleteFunc(in.NICs[i].ManualRoutes, func(o hostroute.HostRoute) bool { return o.Destination.Masked() == r.Destination })
	}
	to.ManualRoutes = slices.Insert(to.ManualRoutes, min(at, len(to.ManualRoutes)), r)
	return in, hostroute.Ref{Instance: in.Name, NIC: to.Name, HostRoute: r}
}

// What never reaches the guest does nothing there, and no message says that it does.
func TestMessagesOnWhatDoesNotArriveSayWhatWouldBe(t *testing.T) {
	codes := map[hostroute.Code]bool{hostroute.CodeNextHopNotGateway: true, hostroute.CodeNextHopOtherNIC: true, hostroute.CodeNextHopOffLink: true,
		hostroute.CodeNextHopOwnAddress: true, hostroute.CodeNextHopOnLink: true}
	random(t, 24, 4000, func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		arrives := make(map[hostroute.Ref]bool)
		for _, v := range r.Verdicts {
			arrives[v.Subject] = v.Effect != hostroute.EffectNotOffered
		}
		for _, f := range r.Findings {
			if says := strings.Contains(f.Message, "arrived"); codes[f.Code] && says == arrives[f.Subject] {
				t.Errorf("arrives: %v: %v", arrives[f.Subject], f)
				return false
			}
		}
		return true
	})
}

func TestSecondIPv4SubnetNamesAChoiceOnlyWhereThereIsOne(t *testing.T) {
	for name, c := range map[string]struct {
		second *hostroute.Subnet
		choice bool
	}{
		"two leases":               {subnet("more", "11.9.0.0/24", "11.9.0.1"), true},
		"the other has no gateway": {subnet("more", "11.9.0.0/24", ""), false},
	} {
		in := hostroute.Instance{NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{subnet("s", "11.8.0.0/24", "11.8.0.1"), c.second}}}}
		found := analyze(t, in).Findings
		if i := slices.IndexFunc(found, func(f hostroute.Finding) bool { return f.Code == hostroute.CodeSecondIPv4Subnet }); i < 0 || strings.Contains(found[i].Message, "choice") != c.choice {
			t.Errorf("%s: %v", name, found)
		}
	}
}
