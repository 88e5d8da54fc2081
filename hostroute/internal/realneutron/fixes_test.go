package realneutron

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// Each fix of the cloud, made by a request, by the command that replaces the list and by the commands that change it,
// leaves the host routes that [hostroute.Subnet.Apply] returns.
func (s server) testFixes(t *testing.T, d *neutron.Deployment) {
	list, codes := fixes(t, d)
	for _, r := range hostroute.Rules() {
		refused := r.Code == hostroute.CodeHostBits || r.Code == hostroute.CodeLoopbackDestination // by Neutron
		if hasEdits(t, r) && !refused && !codes[r.Code] {
			t.Errorf("the cloud has no fix of %s", r.Code)
		}
	}
	misspelt := make(map[string]bool)
	for _, f := range d.Findings {
		misspelt[f.Subject.Subnet] = true
	}

	var trials []*trial
	var commands []string
	for _, edits := range list {
		for _, sub := range d.Subnets {
			if !slices.ContainsFunc(edits, func(e hostroute.Edit) bool { return e.Subnet == sub.ID }) {
				continue
			}
			byPUT := s.newTrial(t, "PUT", sub, edits)
			status, answer := s.call(t, "PUT", "subnets/"+byPUT.subnet.ID, json.RawMessage(neutron.UpdateBody(byPUT.applied)))
			if status != http.StatusOK {
				t.Errorf("%s: %d %s", byPUT.name, status, answer)
			}

			byReplace := s.newTrial(t, "ReplaceCommand", sub, edits)
			commands = append(commands, line(neutron.ReplaceCommand(byReplace.applied)))
			trials = append(trials, byPUT, byReplace)
			if misspelt[sub.ID] {
				continue // ReplaceCommand is for these
			}

			byEdits := s.newTrial(t, "EditCommands", sub, edits)
			for _, argv := range neutron.EditCommands(byEdits.subnet, byEdits.edits...) {
				commands = append(commands, line(argv))
			}
			trials = append(trials, byEdits)
		}
	}
	s.script(t, commands)
	for _, try := range trials {
		s.checkHostRoutes(t, try.name, try.applied)
	}
	t.Logf("%d fixes, %d copies of subnets, %d commands", len(list), len(trials), len(commands))
}

// A full list loses nothing: no fix adds to it, and what cannot be added is not removed elsewhere.
func (s server) testFullList(t *testing.T, d *neutron.Deployment) {
	full, back := named(t, d, "full"), named(t, d, "back")
	moved := hostroute.MustParseHostRoute("20.12.0.0/16,10.70.0.1") // on back, by the gateway of full
	if len(full.HostRoutes) != 20 || !slices.Contains(back.HostRoutes, moved) {
		t.Fatalf("full has %v, back %v", full.HostRoutes, back.HostRoutes)
	}
	additions, replaces := 0, []hostroute.Edit(nil)
	list, _ := fixes(t, d)
	for _, edits := range list {
		for _, e := range edits {
			adds := e.Old == hostroute.HostRoute{}
			if adds {
				additions++
			}
			if adds && e.Subnet == full.ID {
				t.Errorf("a fix adds to a full list: %v", edits)
			}
			if e.Subnet == full.ID && e.New != (hostroute.HostRoute{}) {
				replaces = edits
			}
		}
	}
	if additions == 0 || replaces == nil {
		t.Fatalf("the cloud has %d fixes that add, and the replacement %v", additions, replaces)
	}

	// Who moves a host route there all the same meets an error before the removal.
	to, from := s.copySubnet(t, full), s.copySubnet(t, back)
	s.fails(t, neutron.EditCommands(to, hostroute.Edit{Subnet: to.ID, New: moved}, hostroute.Edit{Subnet: from.ID, Old: moved})[0])
	s.checkHostRoutes(t, "the target of the move", to)
	s.checkHostRoutes(t, "the source of the move", from)

	replacement := s.newTrial(t, "EditCommands, one process each", full, replaces)
	for _, argv := range neutron.EditCommands(replacement.subnet, replacement.edits...) {
		if out, errs, err := s.openstack(t, "", argv[1:]...); err != nil {
			t.Fatalf("%v: %v\n%s%s", argv, err, out, errs)
		}
	}
	s.checkHostRoutes(t, replacement.name, replacement.applied)

	// What is wrong with a part of a command is refused as a whole.
	there, absent := neutron.ReplaceCommand(&hostroute.Subnet{HostRoutes: to.HostRoutes[:1]})[5], "destination=20.99.0.0/16,gateway=10.70.0.1"
	s.fails(t, []string{"openstack", "subnet", "set", "--host-route", there, to.ID})
	s.fails(t, []string{"openstack", "subnet", "unset", "--host-route", there, "--host-route", absent, to.ID})
	s.checkHostRoutes(t, "after commands that fail", to)
}

// fixes returns the fixes with edits that the findings of a deployment have, and the codes of these findings.
func fixes(t *testing.T, d *neutron.Deployment) (list [][]hostroute.Edit, codes map[hostroute.Code]bool) {
	t.Helper()
	codes = make(map[hostroute.Code]bool)
	known := make(map[string]bool)
	add := func(code hostroute.Code, fixes []hostroute.Fix) {
		for _, fix := range fixes {
			if len(fix.Edits) == 0 {
				continue
			}
			codes[code] = true
			if key := fmt.Sprint(fix.Edits); !known[key] {
				known[key] = true
				list = append(list, fix.Edits)
			}
		}
	}

	var all audit.Audit
	for _, in := range d.Instances {
		if err := all.Add(inGuestsOrder(in, d.Ports)); err != nil {
			t.Fatal(err)
		}
	}
	for o := range all.Findings() {
		add(o.Finding.Code, o.Fixes)
	}
	for _, s := range d.Subnets {
		findings, err := hostroute.AnalyzeSubnet(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			add(f.Code, f.Fixes)
		}
	}
	return list, codes
}

// inGuestsOrder returns an instance with the NICs in the order of cloudInstances, which the names of the ports have. The
// order of the documents is another one in each run, and with it the findings.
func inGuestsOrder(in hostroute.Instance, ports map[string]neutron.Port) hostroute.Instance {
	in.NICs = slices.SortedFunc(slices.Values(in.NICs), func(a, b hostroute.NIC) int { return cmp.Compare(ports[a.ID].Name, ports[b.ID].Name) })
	for i := range in.NICs {
		in.NICs[i].Name = "eth" + strconv.Itoa(i)
	}
	return in
}

// hasEdits reports whether the finding of a rule's example has a fix with edits.
func hasEdits(t *testing.T, r hostroute.Rule) bool {
	t.Helper()
	report, err := hostroute.Analyze(r.Example)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		for _, fix := range f.Fixes {
			if f.Code == r.Code && len(fix.Edits) > 0 {
				return true
			}
		}
	}
	return false
}

// A trial is a copy of a subnet on which a fix is made.
type trial struct {
	name            string
	subnet, applied *hostroute.Subnet
	edits           []hostroute.Edit
}

func (s server) newTrial(t *testing.T, how string, of *hostroute.Subnet, edits []hostroute.Edit) *trial {
	t.Helper()
	try := &trial{name: fmt.Sprintf("%v of %v by %s", edits, of.CIDR, how), subnet: s.copySubnet(t, of), edits: slices.Clone(edits)}
	for i := range try.edits {
		if try.edits[i].Subnet == of.ID {
			try.edits[i].Subnet = try.subnet.ID
		}
	}
	var err error
	if try.applied, err = try.subnet.Apply(try.edits...); err != nil {
		t.Fatal(err)
	}
	return try
}

// copySubnet makes a subnet like another one, with the same spelling of its host routes.
func (s server) copySubnet(t *testing.T, of *hostroute.Subnet) *hostroute.Subnet {
	t.Helper()
	document, _ := s.subnet(t, of.ID)
	m := members{}
	for _, name := range []string{"cidr", "ip_version", "gateway_ip", "enable_dhcp", "host_routes"} {
		m[name] = document[name]
	}
	copied := *of
	copied.ID = s.createSubnet(t, m)
	return &copied
}

// line writes a command as the openstack command reads it from its standard input. No argument here needs quotes.
func line(argv []string) string { return strings.Join(argv[1:], " ") }

// checkHostRoutes holds the host routes that Neutron has against those of a subnet, in any order.
func (s server) checkHostRoutes(t *testing.T, name string, want *hostroute.Subnet) {
	t.Helper()
	_, got := s.subnet(t, want.ID)
	var list []string
	for _, r := range want.HostRoutes {
		list = append(list, r.String())
	}
	slices.Sort(list)
	if diff := gocmp.Diff(list, got); diff != "" {
		t.Errorf("%s: host routes (-want +got):\n%s", name, diff)
	}
}

// fails runs a command that must fail.
func (s server) fails(t *testing.T, argv []string) {
	t.Helper()
	if out, errs, err := s.openstack(t, "", argv[1:]...); err == nil || errs == "" {
		t.Errorf("%v does not fail: %s%s", argv, out, errs)
	}
}

// named returns the subnet of a name.
func named(t *testing.T, d *neutron.Deployment, name string) *hostroute.Subnet {
	t.Helper()
	for _, s := range d.Subnets {
		if d.SubnetNames[s.ID] == name {
			return s
		}
	}
	t.Fatalf("no subnet %s", name)
	return nil
}
