package main

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
	"github.com/google/go-cmp/cmp"
)

// What the program says of a generated cloud, held against single analyses.

// A generatedCloud is a cloud, its documents, and what the program prints about it.
type generatedCloud struct {
	*neutron.Deployment
	json     *readDocument
	text     string
	subnets  map[string]*hostroute.Subnet
	users    map[string][]*hostroute.Instance
	misspelt map[string]bool
}

var generatedOnce struct {
	sync.Once
	cloud *generatedCloud
}

// theGeneratedCloud returns the one that the tests share. They do not change it.
func theGeneratedCloud(t *testing.T) *generatedCloud {
	t.Helper()
	generatedOnce.Do(func() {
		instances := 2000
		if testing.Short() {
			instances = 200
		}
		subnets, ports := generate(1, instances).write(t)
		generatedOnce.cloud = readCloud(t, subnets, ports)
	})
	return generatedOnce.cloud
}

// readCloud reads a cloud. With the flag -default-nic eth0 the guests keep that default.
func readCloud(t *testing.T, subnets, ports string, flags ...string) *generatedCloud {
	t.Helper()
	c := &generatedCloud{
		json:     asJSON(t, 1, append(flags, subnets, ports)...),
		subnets:  make(map[string]*hostroute.Subnet),
		users:    make(map[string][]*hostroute.Instance),
		misspelt: make(map[string]bool),
	}
	c.text, _ = program(t, 1, slices.Concat(flags, []string{"-all", "-unsafe", subnets, ports})...)
	s, err := os.Open(subnets)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := os.Open(ports)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if c.Deployment, err = neutron.Decode(s, p); err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Subnets {
		c.subnets[s.ID] = s
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		if len(flags) > 0 {
			in.DefaultNIC = "eth0"
		}
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				if !slices.Contains(c.users[s.ID], in) {
					c.users[s.ID] = append(c.users[s.ID], in)
				}
			}
		}
	}
	for _, f := range c.Deployment.Findings {
		c.misspelt[f.Subject.Subnet] = true
	}
	return c
}

// A tally is what single reports say about a host route, in numbers of instances.
type tally struct {
	Instances, Effective, Depends, Inconsistent int
	Effects                                     map[hostroute.Effect]int
	Classes                                     map[hostroute.NextHopClass]int
	Codes                                       map[hostroute.Code]int
}

// tallies adds up single reports: by host route, and the findings by code and subject.
func tallies(t *testing.T, c *generatedCloud) (routes map[hostroute.Ref]*tally, findings map[subject]int) {
	t.Helper()
	routes, findings = make(map[hostroute.Ref]*tally), make(map[subject]int)
	for _, s := range c.Subnets {
		for _, r := range s.HostRoutes {
			routes[hostroute.Ref{Subnet: s.ID, HostRoute: r}] = &tally{
				Effects: map[hostroute.Effect]int{}, Classes: map[hostroute.NextHopClass]int{}, Codes: map[hostroute.Code]int{},
			}
		}
	}
	for _, in := range c.Instances {
		report := analyze(t, in)
		type flags struct{ depends, steers, inconsistent bool }
		seen := make(map[hostroute.Ref]*flags)
		once := make(map[string]bool)
		first := func(key ...any) bool {
			text := fmt.Sprintf("%q", key)
			defer func() { once[text] = true }()
			return !once[text]
		}
		certain := hasOneWay(in, report)
		for _, v := range report.Verdicts {
			ref := hostroute.Ref{Subnet: v.Subject.Subnet, HostRoute: v.Subject.HostRoute}
			f := seen[ref]
			if f == nil {
				f = new(flags)
				seen[ref] = f
			}
			guest := v.GuestDependent && !certain
			f.depends = f.depends || guest
			f.steers = f.steers || v.Effective() && !guest
			f.inconsistent = f.inconsistent || !v.Consistent()
			tally := routes[ref]
			if first("effect", ref, v.Effect) {
				tally.Effects[v.Effect]++
			}
			if first("class", ref, v.Class) {
				tally.Classes[v.Class]++
			}
			if v.Cause != "" && first("code", ref, v.Cause) {
				tally.Codes[v.Cause]++
			}
		}
		for ref, f := range seen {
			tally := routes[ref]
			tally.Instances++
			switch {
			case f.steers:
				tally.Effective++
			case f.depends:
				tally.Depends++
			}
			if f.inconsistent {
				tally.Inconsistent++
			}
		}
		for _, f := range report.Findings {
			ref := hostroute.Ref{Subnet: f.Subject.Subnet, HostRoute: f.Subject.HostRoute}
			if tally := routes[ref]; tally != nil && first("code", ref, f.Code) {
				tally.Codes[f.Code]++
			}
			if s := (subject{Code: f.Code, Subnet: ref.Subnet, HostRoute: ref.HostRoute}); first("finding", s) {
				findings[s]++
			}
		}
	}
	return routes, findings
}

// hasOneWay reports whether everything leaves by one NIC, whatever the guest.
func hasOneWay(in hostroute.Instance, report *hostroute.Report) bool {
	isDefault := func(r hostroute.Route) bool {
		isGateway := func(s *hostroute.Subnet) bool {
			return s.ID == r.Subnet && s.CIDR.Contains(r.NextHop) && s.CIDR.Bits() < 32
		}
		return r.Destination == netip.PrefixFrom(netip.IPv4Unspecified(), 0) && slices.ContainsFunc(in.NICs[0].Subnets, isGateway) && !slices.Contains(in.NICs[0].Addrs, r.NextHop)
	}
	staysInside := func(v hostroute.Verdict) bool { return v.Subject.HostRoute.NextHop == netip.MustParseAddr("127.0.0.1") } // under dhcpcd
	return len(in.NICs) == 1 && slices.ContainsFunc(report.Table, isDefault) && !slices.ContainsFunc(report.Verdicts, staysInside)
}

func analyze(t testing.TB, in hostroute.Instance) *hostroute.Report {
	t.Helper()
	report, err := hostroute.Analyze(in)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestCountsAreSumsOfSingleReports(t *testing.T) {
	checkCounts(t, theGeneratedCloud(t))
	subnets, ports := generate(5, 200).write(t)
	c := readCloud(t, subnets, ports, "-default-nic", "eth0")
	checkCounts(t, c)
	if c.json.Summary.Kinds["works"] < 10 {
		t.Errorf("kinds: %v", c.json.Summary.Kinds)
	}
}

func checkCounts(t *testing.T, c *generatedCloud) {
	t.Helper()
	routes, findings := tallies(t, c)

	if len(c.json.HostRoutes) != len(routes) {
		t.Errorf("%d host routes, want %d", len(c.json.HostRoutes), len(routes))
	}
	alone := make(map[hostroute.Ref]hostroute.Severity) // of subnets without an instance
	for _, s := range c.Subnets {
		if c.users[s.ID] != nil {
			continue
		}
		list, err := hostroute.AnalyzeSubnet(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			alone[f.Subject] = max(alone[f.Subject], f.Severity)
			findings[subject{Code: f.Code, Subnet: f.Subject.Subnet, HostRoute: f.Subject.HostRoute}] = 0
			if f.Subject.HostRoute == (hostroute.HostRoute{}) && f.Code != hostroute.CodeTooManyRoutes {
				for _, r := range s.HostRoutes {
					ref := hostroute.Ref{Subnet: s.ID, HostRoute: r}
					alone[ref] = max(alone[ref], f.Severity)
				}
			}
		}
	}
	number := make(map[string]int)
	for _, r := range c.json.HostRoutes {
		ref := hostroute.Ref{Subnet: r.Subnet, HostRoute: r.HostRoute}
		want := routes[ref]
		got := &tally{r.Instances, r.Effective, r.Depends, r.Inconsistent, r.Effects, r.Classes, r.Codes}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", ref, diff)
		}
		severity := alone[ref]
		for code := range want.Codes {
			severity = max(severity, rules[code].Severity)
		}
		kind := "idle"
		switch {
		case c.misspelt[ref.Subnet] || severity == hostroute.SeverityError:
			kind = "wrong"
		case severity == hostroute.SeverityWarning:
			kind = "risky"
		case r.CanGo:
			kind = "can go"
		case want.Effective > 0:
			kind = "works"
		case want.Depends > 0:
			kind = "depends"
		}
		if r.Kind != kind {
			t.Errorf("%v is %s, want %s", ref, r.Kind, kind)
		}
		number[kind]++
	}
	for kind, n := range c.json.Summary.Kinds {
		if number[kind] != n {
			t.Errorf("%d host routes are %s, want %d", n, kind, number[kind])
		}
	}

	// Findings with a subject that differ in what they relate to are several; an instance may have more than one of them.
	largest, sum := make(map[subject]int), make(map[subject]int)
	for _, o := range c.json.Findings {
		s := subject{Code: o.Finding.Code, Subnet: o.Finding.Subject.Subnet, HostRoute: o.Finding.Subject.HostRoute}
		largest[s], sum[s] = max(largest[s], o.Instances), sum[s]+o.Instances
	}
	for s, n := range findings {
		if _, there := sum[s]; c.misspelt[s.Subnet] {
			if there {
				t.Errorf("%v is told of a misspelt subnet", s)
			}
		} else if !there || n < largest[s] || n > sum[s] {
			t.Errorf("%v: in %d to %d instances, want %d", s, largest[s], sum[s], n)
		}
	}
	for s := range sum {
		if _, there := findings[s]; !there && s.Code != neutron.CodeNetmaskSpelling {
			t.Errorf("%v is in no single report", s)
		}
	}
	checkText(t, c, number)
}

// An instance in which it depends on the guest is in no other number.
func TestSharesAreThoseOfSingleReports(t *testing.T) {
	c := theGeneratedCloud(t)
	number := regexp.MustCompile(`(refused|never arrives|does nothing)(?: in (\d+))?`)
	told, open := 0, 0
	for _, r := range c.json.HostRoutes {
		if r.Depends == 0 {
			continue
		}
		text := (&hostRoute{Usage: r.Usage}).counts()
		if strings.Contains(text, "; if guests are as assumed: ") {
			open++
			continue
		}
		told++
		want, got := make(map[string]int), make(map[string]int)
		for _, in := range c.users[r.Subnet] {
			for does := range surelyDoes(*in, analyze(t, *in), r.Subnet, r.HostRoute) {
				want[does]++
			}
		}
		for _, m := range number.FindAllStringSubmatch(text, -1) {
			got[m[1]], _ = strconv.Atoi(m[2])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %v: %q (-want +got):\n%s", r.Subnet, r.HostRoute, text, diff)
		}
	}
	if told < 20 {
		t.Errorf("the shares of %d host routes are told, of %d not", told, open)
	}
	t.Logf("the shares of %d host routes are told, of %d not", told, open)
}

// surelyDoes returns what a host route does in an instance in which it does not steer with any guest.
func surelyDoes(in hostroute.Instance, report *hostroute.Report, subnet string, route hostroute.HostRoute) map[string]bool {
	out := make(map[string]bool)
	for _, v := range report.Verdicts {
		switch {
		case v.Subject.Subnet != subnet || v.Subject.HostRoute != route:
		case v.GuestDependent && !hasOneWay(in, report), v.Effective():
			return nil
		case v.Effect == hostroute.EffectRefused:
			out["refused"] = true
		case v.Effect == hostroute.EffectNotOffered:
			out["never arrives"] = true
		default:
			out["does nothing"] = true
		}
	}
	return out
}

// checkText holds the text against the numbers of host routes by kind.
func checkText(t *testing.T, c *generatedCloud, number map[string]int) {
	t.Helper()
	wantContains(t, c.text[:strings.Index(c.text, "\n\n")], fmt.Sprintf("%d host routes on %d subnets, %d instances. Each ", len(c.json.HostRoutes), len(c.Subnets), len(c.Instances)))
	for kind, n := range number {
		if !strings.Contains(c.text, fmt.Sprintf("\n%6d %-8s ", n, kind)) {
			t.Errorf("the summary lacks %d %s", n, kind)
		}
	}
	sections, last := 0, [2]int{int(hostroute.SeverityError), 1 << 30}
	for _, m := range regexp.MustCompile(`(?m)^(?:ERROR|WARNING): .*: (\d+) host routes? \(([a-z0-9-]+)\)$`).FindAllStringSubmatch(c.text, -1) {
		n, _ := strconv.Atoi(m[1])
		sections += n
		if misspelling(hostroute.Code(m[2])) { // the other fixes of these subnets have to wait for it
			if sections > n {
				t.Errorf("section %s is not the first", m[2])
			}
			continue
		}

		at := [2]int{int(rules[hostroute.Code(m[2])].Severity), 0} // severity, instances of one host route
		for _, r := range c.json.HostRoutes {
			if string(r.Code) == m[2] {
				at[1] = max(at[1], r.Codes[r.Code])
			}
		}
		if slices.Compare(last[:], at[:]) < 0 {
			t.Errorf("section %s with %v comes after one with %v", m[2], at, last)
		}
		last = at
	}
	if want := number["wrong"] + number["risky"]; sections != want {
		t.Errorf("the sections have %d host routes, want %d", sections, want)
	}
	mended := []hostroute.Code{hostroute.CodeNoLease, hostroute.CodeSecondIPv4Subnet, hostroute.CodeDHCPDisabled, hostroute.CodeOptionOverflow, hostroute.CodeRoutesIgnored}
	goers, singly := 0, 0
	for _, r := range c.json.HostRoutes {
		s := c.subnets[r.Subnet]
		fits := r.HostRoute.NextHop == s.Gateway
		if !s.CIDR.Contains(s.Gateway) {
			fits = s.CIDR.Contains(r.HostRoute.NextHop)
		}
		switch {
		case r.CanGo:
			goers++
		case r.Removable && !(r.Instances > 0 && slices.Contains(mended, r.Code) && fits):
			singly++
		}
	}
	if singly > 0 {
		wantContains(t, c.text, fmt.Sprintf("\n%s can go singly, but not together with the rest: -subnet ID shows which.\n", count(singly, "more host route")))
	}
	wantContains(t, c.text, fmt.Sprintf("\nCAN GO: %d host route", goers))

	// Of the findings that are not of a host route, each line has the number of instances.
	for _, line := range strings.Split(lines(c.text, "NOT OF ONE HOST ROUTE"), "\n")[1:] {
		m := regexp.MustCompile(`^  (?:error|warning|info) +([a-z0-9-]+) +(\d+) instances?\b`).FindStringSubmatch(line)
		if m == nil {
			if line != "" && !strings.HasPrefix(line, "    ") {
				t.Errorf("line %q", line)
			}
			continue
		}
		code, n := hostroute.Code(m[1]), 0
		if ofSubnet[code] || code == hostroute.CodeCapturesSubnet || code == hostroute.CodeTooManyRoutes {
			continue // some are told elsewhere, or muted
		}
		for _, in := range c.Instances {
			if slices.ContainsFunc(analyze(t, in).Findings, func(f hostroute.Finding) bool { return f.Code == code && !c.misspelt[f.Subject.Subnet] }) {
				n++
			}
		}
		if m[2] != strconv.Itoa(n) {
			t.Errorf("line %q, want %d instances", line, n)
		}
	}
}

// What is called removable is removed, all at once and each alone, and no instance's table changes its egress, whichever
// offered default the guest keeps.
func TestWhatCanGoMovesNothing(t *testing.T) {
	c := theGeneratedCloud(t)
	var together []hostroute.Edit
	single := 0
	for _, r := range c.json.HostRoutes {
		e := hostroute.Edit{Subnet: r.Subnet, Old: r.HostRoute}
		if r.CanGo {
			together = append(together, e)
		}
		if r.Removable && single < 300 {
			single++
			for _, in := range c.users[e.Subnet] {
				wantNoMove(t, *in, e)
			}
		}
	}
	if len(together) == 0 || single == 0 {
		t.Fatalf("%d can go together, %d singly", len(together), single)
	}
	for _, in := range c.Instances {
		wantNoMove(t, in, together...)
	}
}

// What -json calls a harmless fix has no Impact on any instance; and the reverse, unless too little is known of a subnet.
func TestHarmlessFixesHaveNoImpact(t *testing.T) {
	c := theGeneratedCloud(t)
	unsure := func(e hostroute.Edit) bool {
		s := c.subnets[e.Subnet]
		return s.DHCPDisabled && s.CIDR.Addr().Is4() || slices.ContainsFunc(c.users[s.ID], func(in *hostroute.Instance) bool {
			return slices.ContainsFunc(subnetsOf(in), func(o *hostroute.Subnet) bool { return c.misspelt[o.ID] })
		})
	}
	checked := make(map[bool]int)
	for _, o := range c.json.Findings {
		for k, fix := range o.Fixes {
			if checked[o.Harmless[k]] == 100 {
				continue
			}
			checked[o.Harmless[k]]++
			want := len(fix.Edits) > 0 && !slices.ContainsFunc(fix.Edits, unsure)
			moves := func(in *hostroute.Instance) bool {
				impact, err := in.Impact(fix.Edits...)
				return err != nil || !impact.None()
			}
			for _, e := range fix.Edits {
				want = want && !slices.ContainsFunc(c.users[e.Subnet], moves)
			}
			if o.Harmless[k] != want {
				t.Errorf("%v: %v: harmless is %v", o.Finding, fix.Edits, o.Harmless[k])
			}
		}
	}
	if checked[true] < 10 || checked[false] < 10 {
		t.Errorf("checked %v", checked)
	}
}

// What can be done together is done in the order that the report says, by its commands. After each step, no instance's table has
// changed its egress.
func TestWhatIsDoneTogetherMovesNothing(t *testing.T) {
	subnets, ports := generate(5, 200).write(t)
	done, alone := 0, 0
	for _, c := range []*generatedCloud{theGeneratedCloud(t), readCloud(t, subnets, ports, "-default-nic", "eth0")} {
		var goes, fixes [][]string // the commands of each step
		inCanGo, isTogether := false, false
		for line := range strings.Lines(c.text) {
			text := strings.TrimSuffix(strings.TrimSpace(line), " &&")
			switch {
			case strings.HasPrefix(line, "CAN GO: "):
				inCanGo = true
			case !strings.HasPrefix(line, "  "):
				inCanGo, isTogether = false, false
			case inCanGo && strings.HasPrefix(text, "openstack "):
				goes = append(goes, []string{text})
			case strings.HasPrefix(line, "    fix: "):
				_, effect, _ := strings.Cut(strings.TrimPrefix(line, "    fix: "), ": ")
				isTogether = strings.HasPrefix(effect, "moves no data\n") || strings.HasPrefix(effect, "moves no data (but ")
				if isTogether {
					fixes = append(fixes, nil)
				}
				if strings.HasSuffix(line, "; do it alone\n") {
					alone++
				}
			case strings.HasPrefix(line, "    or: "):
				isTogether = false
			case isTogether && strings.HasPrefix(text, "openstack "):
				fixes[len(fixes)-1] = append(fixes[len(fixes)-1], text)
			}
		}
		wantContains(t, c.text, "\n\nWhat to do:\n  1. All of CAN GO, if it is there. Then from top to bottom each fix ")
		done += len(fixes)
		doInSteps(t, c, slices.Concat(goes, fixes))
	}
	if !testing.Short() && (done < 5 || alone < 5) {
		t.Errorf("%d fixes can be done together, %d only alone", done, alone)
	}
	t.Logf("%d fixes can be done together, %d only alone", done, alone)
}

// doInSteps runs commands, and looks after each step at the instances on its subnets.
func doInSteps(t *testing.T, c *generatedCloud, steps [][]string) {
	t.Helper()
	before, after := newModel(c.Subnets), newModel(c.Subnets)
	for _, commands := range steps {
		touched := make(map[*hostroute.Instance]bool)
		for _, command := range commands {
			argv := strings.Fields(command)
			if err := after.run(argv); err != nil {
				t.Errorf("%s: %v", command, err)
			}
			for _, in := range c.users[argv[len(argv)-1]] {
				touched[in] = true
			}
		}
		for in := range touched {
			var edits []hostroute.Edit
			for _, s := range subnetsOf(in) {
				edits = append(edits, changesOf(s, before[s.ID], after[s.ID])...)
			}
			wantNoMove(t, *in, edits...)
		}
	}
}

// changesOf returns the edits that make one list of a subnet from another.
func changesOf(s *hostroute.Subnet, before, after map[hostroute.HostRoute]bool) (edits []hostroute.Edit) {
	for _, r := range slices.SortedFunc(maps.Keys(after), compareHostRoutes) {
		if !before[r] {
			edits = append(edits, hostroute.Edit{Subnet: s.ID, New: r})
		}
	}
	for _, r := range s.HostRoutes {
		if e := (hostroute.Edit{Subnet: s.ID, Old: r}); !after[masked(r)] && !slices.Contains(edits, e) {
			edits = append(edits, e)
		}
	}
	return edits
}

func wantNoMove(t *testing.T, in hostroute.Instance, edits ...hostroute.Edit) {
	t.Helper()
	after, err := in.Apply(edits...)
	if err != nil {
		t.Fatal(err)
	}
	keeps := []string{in.DefaultNIC}
	for _, n := range in.NICs {
		if in.DefaultNIC == "" && slices.ContainsFunc(n.Offer(), func(r hostroute.HostRoute) bool { return r.Destination.Bits() == 0 }) {
			keeps = append(keeps, n.Name)
		}
	}
	for _, nic := range keeps {
		in.DefaultNIC, after.DefaultNIC = nic, nic
		if changes := hostroute.Diff(analyze(t, in).Table, analyze(t, after).Table); len(changes) > 0 {
			t.Errorf("%s, default of %q: %v moves %v", in.Name, nic, edits, changes)
		}
	}
}

// A neutronModel is what Neutron has: lists of host routes by subnet, without an order.
type neutronModel map[string]map[hostroute.HostRoute]bool

func newModel(subnets []*hostroute.Subnet) neutronModel {
	m := make(neutronModel)
	for _, s := range subnets {
		m[s.ID] = make(map[hostroute.HostRoute]bool)
		for _, r := range s.HostRoutes {
			m[s.ID][masked(r)] = true
		}
	}
	return m
}

func masked(r hostroute.HostRoute) hostroute.HostRoute {
	r.Destination = r.Destination.Masked()
	return r
}

// run does what the openstack command does. It refuses what Neutron refuses.
func (m neutronModel) run(argv []string) error {
	if len(argv) < 4 || argv[0] != "openstack" || argv[1] != "subnet" {
		return fmt.Errorf("no such command: %q", argv)
	}
	id, options := argv[len(argv)-1], argv[3:len(argv)-1]
	list := m[id]
	if list == nil {
		return fmt.Errorf("no subnet %q", id)
	}
	if n := len(options) - 1; strings.HasPrefix(id, "-") {
		if n < 0 || options[n] != "--" {
			return fmt.Errorf("%q is an option", id)
		}
		options = options[:n]
	}
	for len(options) > 0 {
		if options[0] == "--no-host-route" && argv[2] == "set" {
			clear(list)
			options = options[1:]
			continue
		}
		text, found := strings.CutPrefix(options[min(1, len(options)-1)], "destination=")
		destination, hop, isRoute := strings.Cut(text, ",gateway=")
		if options[0] != "--host-route" || !found || !isRoute {
			return fmt.Errorf("option %q", options)
		}
		r, err := hostroute.ParseHostRoute(destination + "," + hop)
		if err != nil {
			return err
		}
		adds := argv[2] == "set"
		if list[r] == adds {
			return fmt.Errorf("%s of %v, there: %v", argv[2], r, list[r])
		}
		delete(list, r)
		if adds {
			list[r] = true
		}
		options = options[2:]
	}
	return nil
}

// wantEdits expects that commands do what the edits do, and no more, and that each but the last ends in &&.
func (c *generatedCloud) wantEdits(t *testing.T, commands []string, edits ...hostroute.Edit) {
	t.Helper()
	var touched, after []*hostroute.Subnet
	for _, e := range edits {
		s := c.subnets[e.Subnet]
		if s == nil || slices.Contains(touched, s) {
			continue
		}
		edited, err := s.Apply(edits...)
		if err != nil {
			t.Fatal(err)
		}
		touched, after = append(touched, s), append(after, edited)
	}
	got := newModel(touched)
	for i, command := range commands {
		command, isJoined := strings.CutSuffix(command, " &&")
		if isJoined != (i < len(commands)-1) {
			t.Errorf("%q: command %d is joined to the next: %v", commands, i, isJoined)
		}
		if err := got.run(strings.Fields(command)); err != nil {
			t.Errorf("%v: %s: %v", edits, command, err)
		}
	}
	if diff := cmp.Diff(newModel(after), got); diff != "" {
		t.Errorf("%v by %q (-want +got):\n%s", edits, commands, diff)
	}
}

var (
	entryLine = regexp.MustCompile(`^  (\S.*?), on (\S+) \S+(?: \(\S+\))?(?:, no instance)?$`)
	fixLine   = regexp.MustCompile(`^    (?:fix|or): (.*)$`)
	moveTo    = regexp.MustCompile(`^move the host route to (\S+) \S+ \(\S+\)$`)
	others    = regexp.MustCompile(`^remove (\S+) via (\S+?)( and \d+ more)? from (\S+) \S+ \(\S+\)$`)
	change    = regexp.MustCompile(`^(?:next hop ([0-9a-f.:]+[0-9a-f]))?(?:, )?(?:destination (\S+))?$`)
)

// The commands of each fix that the text shows do what the text says that the fix is.
func TestCommandsDoWhatTheTextSays(t *testing.T) {
	checked := make(map[string]int)
	checkCommands(t, theGeneratedCloud(t), checked)
	checkCommands(t, readCloud(t, sampleSubnets, samplePorts), checked)
	for _, kind := range []string{"can go", "rewrite", "remove", "next", "move", "destination"} {
		if checked[kind] == 0 && !testing.Short() {
			t.Errorf("no command of kind %q: %v", kind, checked)
		}
	}
}

// checkCommands counts the fixes that it has checked, by the first word.
func checkCommands(t *testing.T, c *generatedCloud, checked map[string]int) {
	t.Helper()
	ids := make(map[string]string)
	for id, name := range c.SubnetNames {
		ids[name] = id
	}
	goes := make(map[string][]hostroute.Edit)
	for _, r := range c.json.HostRoutes {
		if r.CanGo {
			goes[r.Subnet] = append(goes[r.Subnet], hostroute.Edit{Subnet: r.Subnet, Old: r.HostRoute})
		}
	}
	var section, subnet, route, what string
	var commands []string
	check := func() {
		t.Helper()
		defer func() { commands, what = nil, "" }()
		if len(commands) == 0 {
			return
		}
		if section == "CAN GO" {
			checked["can go"]++
			c.wantEdits(t, commands, goes[subnet]...)
			delete(goes, subnet)
			return
		}
		if c.misspelt[subnet] {
			checked["rewrite"]++
			c.wantRewrite(t, commands, subnet)
			return
		}
		if edits := c.editsOf(ids, subnet, route, what); edits != nil {
			checked[strings.Fields(what)[0]]++
			c.wantEdits(t, commands, edits...)
		}
	}
	for line := range strings.Lines(c.text) {
		line = strings.TrimSuffix(line, "\n")
		command := strings.TrimLeft(line, " ")
		switch m, f := entryLine.FindStringSubmatch(line), fixLine.FindStringSubmatch(line); {
		case strings.HasPrefix(command, "openstack "):
			commands = append(commands, command)
		case m != nil:
			check()
			route, subnet = m[1], ids[m[2]]
		case f != nil:
			check()
			what, _, _ = strings.Cut(f[1], ": ")
		case line != "" && line[0] != ' ':
			check()
			section, _, _ = strings.Cut(line, ":")
		}
	}
	check()
	if len(goes) > 0 {
		t.Errorf("CAN GO lacks subnets %v", slices.Sorted(maps.Keys(goes)))
	}
}

// editsOf returns the edits that a line of the text describes. It returns nil for an entry of several host routes that names
// not all of them, and where another host route would be written the same.
func (c *generatedCloud) editsOf(ids map[string]string, subnet, route, what string) []hostroute.Edit {
	var subjects []hostroute.HostRoute
	hop := ""
	if strings.HasSuffix(route, " more") {
		return nil
	}
	for _, text := range slices.Backward(strings.Split(route, ", ")) {
		destination, own, found := strings.Cut(text, " via ")
		if found {
			hop = own
		}
		subjects = append(subjects, hostroute.MustParseHostRoute(destination+","+hop))
	}
	for _, r := range subjects {
		same := 0
		for _, o := range c.subnets[subnet].HostRoutes {
			if masked(o) == masked(r) {
				same++
			}
		}
		if same > 1 {
			return nil
		}
	}
	subject := subjects[0]
	switch to, from, m := moveTo.FindStringSubmatch(what), others.FindStringSubmatch(what), change.FindStringSubmatch(what); {
	case what == "remove":
		var edits []hostroute.Edit
		for _, r := range subjects {
			edits = append(edits, hostroute.Edit{Subnet: subnet, Old: r})
		}
		return edits
	case to != nil:
		return []hostroute.Edit{{Subnet: ids[to[1]], New: masked(subject)}, {Subnet: subnet, Old: subject}}
	case from != nil && from[3] == "":
		return []hostroute.Edit{{Subnet: ids[from[4]], Old: hostroute.MustParseHostRoute(from[1] + "," + from[2])}}
	case from != nil:
		return nil
	case m != nil:
		by := subject
		if m[1] != "" {
			by.NextHop = netip.MustParseAddr(m[1])
		}
		if m[2] != "" {
			by.Destination = netip.MustParsePrefix(m[2])
		}
		return []hostroute.Edit{{Subnet: subnet, Old: subject, New: by}}
	}
	return nil
}

// wantRewrite expects the command that writes a list as it is understood.
func (c *generatedCloud) wantRewrite(t *testing.T, commands []string, subnet string) {
	t.Helper()
	list := []*hostroute.Subnet{c.subnets[subnet]}
	got := newModel(list)
	clear(got[subnet])
	if len(commands) != 1 || !strings.Contains(commands[0], " --no-host-route ") {
		t.Errorf("got %q", commands)
	} else if err := got.run(strings.Fields(strings.Replace(commands[0], " --no-host-route", "", 1))); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(newModel(list), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The bytes are equal however often the program runs.
func TestSameBytes(t *testing.T) {
	subnets, ports := generate(2, 60).write(t)
	for _, flags := range [][]string{{"-all", "-unsafe"}, {"-json"}} {
		args := append(flags, subnets, ports)
		want, _ := program(t, 1, args...)
		for range 2 {
			if got, _ := program(t, 1, args...); got != want {
				t.Fatalf("%v: %s", flags, cmp.Diff(want, got))
			}
		}
	}
}
