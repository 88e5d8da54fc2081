package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// What is known of a cloud: read, ordered, counted.

// A cloud is a deployment with the answers about all of it.
type cloud struct {
	*neutron.Deployment
	audit    audit.Audit
	hasPorts bool // false: no instance is known
	defaults defaults
	subnets  map[string]*hostroute.Subnet
	users    map[string][]string            // the names of the instances on a subnet, in the order of the file
	labels   map[string]int                 // how many subnets have a name
	misspelt map[string][]hostroute.Finding // netmask-spelling, by subnet
	unsure   map[string]bool                // subnets with an instance that is on a misspelt one, too

	// judge fills these.
	findings   []audit.Occurrence // the worst first
	hostRoutes []hostRoute        // likewise
	canGo      []hostroute.Edit

	// These are made when they are needed.
	byRef   map[hostroute.Ref][]audit.Occurrence // by subnet and host route
	singles [][]found                            // by instance
}

// A hostRoute is what a host route does, and what is the worst about it.
type hostRoute struct {
	audit.Usage
	kind kind
	code hostroute.Code // the worst of its codes: of the highest severity, the first in the catalogue; "" if there is none
}

func (r *hostRoute) ref() hostroute.Ref {
	return hostroute.Ref{Subnet: r.Subnet, HostRoute: r.HostRoute}
}

func (r *hostRoute) removal() hostroute.Edit {
	return hostroute.Edit{Subnet: r.Subnet, Old: r.HostRoute}
}

// A kind says in a word what becomes of a host route. The first that holds counts.
type kind int

const (
	wrong kind = iota
	risky
	canGo
	works
	depends
	idle
	unknown
)

var kinds = [...]struct{ name, text string }{
	wrong:   {"wrong", "never take effect, or the data does not go where they say"},
	risky:   {"risky", "work with some DHCP clients only, or take another NIC's data"},
	canGo:   {"can go", "nobody needs them: all that CAN GO lists can be removed at once"},
	works:   {"works", "choose the NIC of some data, in one instance at least"},
	depends: {"depends", "do something or nothing, as the guest's default and DHCP client are"},
	idle:    {"idle", "do nothing, but cannot all be removed with the rest"},
	unknown: {"unknown", "nothing is wrong as far as the subnet alone shows"},
}

func (k kind) String() string { return kinds[k].name }

func (k kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// load reads the documents of a cloud. If first is not nil, the NICs of an instance are in the order that they have
// there.
func load(documents []string, stdin io.Reader, d defaults, first *cloud, progress *progress) (*cloud, error) {
	c := &cloud{hasPorts: len(documents) > 1, defaults: d}
	readers := make([]io.Reader, 2)
	for i, name := range documents {
		source := stdin
		if name != "-" {
			file, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			source = file
		}
		readers[i] = &reading{Reader: source, name: name, progress: progress}
	}
	var err error
	if c.hasPorts {
		c.Deployment, err = neutron.Decode(readers[0], readers[1])
	} else {
		c.Deployment, err = neutron.DecodeSubnets(readers[0])
	}
	if err != nil {
		return nil, err
	}
	if err := c.usable(); err != nil {
		return nil, err
	}
	if first != nil {
		c.order(first)
	}
	if err := c.keepDefaults(); err != nil {
		return nil, err
	}
	return c, c.add(progress)
}

// usable returns an error if everything in a document is left out.
func (c *cloud) usable() error {
	for _, p := range c.Problems {
		if p.Document == "subnets" && len(c.Subnets) == 0 {
			return fmt.Errorf("no subnet can be read: %v", p)
		}
		if p.Document == "ports" && len(c.Instances) == 0 {
			return fmt.Errorf("no instance can be read: %v", p)
		}
	}
	return nil
}

// leftOut counts what is left out.
func (c *cloud) leftOut() (subnets, instances int) {
	seen := make(map[[2]string]bool)
	for _, p := range c.Problems {
		if key := [2]string{p.Subnet, ""}; p.Subnet != "" && !seen[key] {
			seen[key] = true
			subnets++
		}
		if key := [2]string{"", p.Instance}; p.Instance != "" && !seen[key] {
			seen[key] = true
			instances++
		}
	}
	return subnets, instances
}

// order puts the NICs of each instance into the order that the same ports have in first. Documents come in any order, and
// else an unchanged cloud would seem to move.
func (c *cloud) order(first *cloud) {
	places := make(map[string]map[string]int, len(first.Instances)) // by instance and port
	for _, in := range first.Instances {
		ports := make(map[string]int, len(in.NICs))
		for i, n := range in.NICs {
			ports[n.ID] = i
		}
		places[in.Name] = ports
	}
	for _, in := range c.Instances {
		ports := places[in.Name]
		isThere := func(n hostroute.NIC) bool { _, there := ports[n.ID]; return there && n.ID != "" }
		if len(ports) != len(in.NICs) || slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return !isThere(n) }) {
			continue
		}
		slices.SortFunc(in.NICs, func(a, b hostroute.NIC) int { return cmp.Compare(ports[a.ID], ports[b.ID]) })
		for i := range in.NICs {
			in.NICs[i].Name = "eth" + strconv.Itoa(i)
		}
	}
}

// defaults say which default route guests keep.
type defaults struct {
	subnets []string // of the NIC; the first that an instance has counts
	nic     string   // where the instance has none of these
}

// keepDefaults sets the DefaultNIC of instances.
func (c *cloud) keepDefaults() error {
	used := make(map[string]bool)
	nicUsed := c.defaults.nic == ""
	for i := range c.Instances {
		in := &c.Instances[i]
		has := func(n hostroute.NIC) bool { return n.Name == c.defaults.nic }
		if c.defaults.nic != "" && slices.ContainsFunc(in.NICs, has) {
			nicUsed, in.DefaultNIC = true, c.defaults.nic
		}
		for _, id := range slices.Backward(c.defaults.subnets) {
			isOn := func(n hostroute.NIC) bool {
				return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return s.ID == id })
			}
			if nic := slices.IndexFunc(in.NICs, isOn); nic >= 0 {
				used[id], in.DefaultNIC = true, in.NICs[nic].Name
			}
		}
	}
	for _, id := range c.defaults.subnets {
		if !used[id] {
			return fmt.Errorf("-default-subnet: no instance is on subnet %q", id)
		}
	}
	if !nicUsed {
		return fmt.Errorf("-default-nic: no instance has a NIC %q", c.defaults.nic)
	}
	return nil
}

// add adds everything to the audit.
func (c *cloud) add(progress *progress) error {
	c.subnets = make(map[string]*hostroute.Subnet, len(c.Subnets))
	c.users = make(map[string][]string)
	c.labels = make(map[string]int)
	for _, s := range c.Subnets {
		if err := c.audit.AddSubnet(s); err != nil {
			return fmt.Errorf("subnet %q: %w", s.ID, err)
		}
		c.subnets[s.ID] = s
		c.labels[c.name(s.ID)]++
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		if i%256 == 0 {
			progress.say("instance %d of %d", i, len(c.Instances))
		}
		if err := c.audit.Add(*in); err != nil {
			return fmt.Errorf("instance %q: %w", in.Name, err)
		}
		for _, s := range subnetsOf(in) {
			c.users[s.ID] = append(c.users[s.ID], in.Name)
		}
	}

	c.misspelt = make(map[string][]hostroute.Finding)
	for _, f := range c.Deployment.Findings {
		c.misspelt[f.Subject.Subnet] = append(c.misspelt[f.Subject.Subnet], f)
	}
	c.unsure = make(map[string]bool)
	for i := range c.Instances {
		list := subnetsOf(&c.Instances[i])
		if slices.ContainsFunc(list, func(s *hostroute.Subnet) bool { return c.misspelt[s.ID] != nil }) {
			for _, s := range list {
				c.unsure[s.ID] = true
			}
		}
	}
	return nil
}

// subnetsOf returns the subnets of an instance, each once.
func subnetsOf(in *hostroute.Instance) []*hostroute.Subnet {
	var out []*hostroute.Subnet
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// find returns an instance; if there is none of that name, an error that says why.
func (c *cloud) find(name string) (*hostroute.Instance, error) {
	for i := range c.Instances {
		if c.Instances[i].Name == name {
			return &c.Instances[i], nil
		}
	}
	for _, p := range c.Problems {
		if p.Instance == name {
			return nil, fmt.Errorf("instance %q is left out: %v", name, p)
		}
	}
	return nil, fmt.Errorf("there is no instance %q", name)
}

// findSubnet returns a subnet; if there is none of that ID, an error that says why.
func (c *cloud) findSubnet(id string) (*hostroute.Subnet, error) {
	if s := c.subnets[id]; s != nil {
		return s, nil
	}
	for _, p := range c.Problems {
		if p.Subnet == id {
			return nil, fmt.Errorf("subnet %q is left out: %v", id, p)
		}
	}
	return nil, fmt.Errorf("there is no subnet %q", id)
}

// judge asks the audit for everything that the summary counts.
func (c *cloud) judge() {
	c.findings = c.occurrences()
	c.canGo = c.removable()
	going := make(map[hostroute.Edit]bool)
	for _, e := range c.canGo {
		going[e] = true
	}
	alone := make(map[hostroute.Ref][]hostroute.Code) // by subnet, or by host route: the findings of subnets without an instance
	for _, o := range c.findings {
		if s := o.Finding.Subject; o.Instances == 0 {
			alone[s] = append(alone[s], o.Finding.Code)
		}
	}
	for u := range c.audit.Usages() {
		r := hostRoute{Usage: u}
		r.Removable = u.Removable && c.hasPorts && !c.unsure[u.Subnet]
		for code := range u.Codes {
			r.code = worse(r.code, code)
		}
		for _, code := range alone[r.ref()] {
			r.code = worse(r.code, code)
		}
		for _, code := range alone[hostroute.Ref{Subnet: u.Subnet}] {
			if ofSubnet[code] {
				r.code = worse(r.code, code)
			}
		}
		if c.misspelt[u.Subnet] != nil {
			r.code, r.Removable = neutron.CodeNetmaskSpelling, false
		}
		r.Severity = rules[r.code].Severity
		r.kind = c.kindOf(&r, going[r.removal()])
		c.hostRoutes = append(c.hostRoutes, r)
	}
	slices.SortStableFunc(c.hostRoutes, func(a, b hostRoute) int { return cmp.Compare(b.Severity, a.Severity) })
}

func (c *cloud) kindOf(r *hostRoute, going bool) kind {
	switch {
	case r.Severity == hostroute.SeverityError:
		return wrong
	case r.Severity == hostroute.SeverityWarning:
		return risky
	case !c.hasPorts:
		return unknown
	case going:
		return canGo
	case r.Effective > 0:
		return works
	case r.Depends > 0:
		return depends
	}
	return idle
}

// occurrences returns all findings, folded: those of instances, those of the decoder, and those of subnets that no
// instance has. Of a misspelt subnet there is only that finding.
func (c *cloud) occurrences() []audit.Occurrence {
	out := []audit.Occurrence{}
	for o := range c.audit.Findings() {
		if c.misspelt[o.Finding.Subject.Subnet] == nil {
			out = append(out, o)
		}
	}
	add := func(f hostroute.Finding) {
		names := slices.Sorted(slices.Values(c.users[f.Subject.Subnet]))
		examples := slices.Concat([]string{}, names[:min(len(names), 3)])
		out = append(out, audit.Occurrence{Finding: f, Instances: len(names), Examples: examples, Fixes: f.Fixes})
	}
	for _, f := range c.Deployment.Findings {
		add(f)
	}
	for _, s := range c.Subnets {
		if len(c.users[s.ID]) > 0 || c.misspelt[s.ID] != nil {
			continue
		}
		findings, err := hostroute.AnalyzeSubnet(s)
		if err != nil {
			continue // add would have returned it
		}
		for _, f := range findings {
			add(f)
		}
	}
	slices.SortStableFunc(out, func(a, b audit.Occurrence) int {
		return cmp.Or(cmp.Compare(b.Finding.Severity, a.Finding.Severity), cmp.Compare(b.Instances, a.Instances))
	})
	return out
}

// removable returns what can be removed together. It leaves out the subnets of which too little is known, and then all that
// would move without their host routes.
func (c *cloud) removable() []hostroute.Edit {
	if !c.hasPorts {
		return nil
	}
	all := c.audit.RemovableTogether()
	out := slices.DeleteFunc(slices.Clone(all), func(e hostroute.Edit) bool { return c.unsure[e.Subnet] || c.misspelt[e.Subnet] != nil })
	for kept := len(all); len(out) < kept; {
		impact, err := c.audit.Impact(out...)
		if err != nil || impact.None() {
			break
		}
		kept = len(out)
		out = slices.DeleteFunc(out, func(e hostroute.Edit) bool {
			return slices.ContainsFunc(impact.Examples, func(name string) bool { return slices.Contains(c.users[e.Subnet], name) })
		})
	}
	return out
}

// A found is a finding of one instance.
type found struct {
	code    hostroute.Code
	subject hostroute.Ref
}

// folded returns the subject as an [audit.Occurrence] has it.
func (f found) folded() hostroute.Ref {
	return hostroute.Ref{Subnet: f.subject.Subnet, HostRoute: f.subject.HostRoute}
}

// single returns the findings of the i-th instance.
func (c *cloud) single(i int) []found {
	if c.singles == nil {
		c.singles = make([][]found, len(c.Instances))
		for i := range c.Instances {
			report, err := hostroute.Analyze(c.Instances[i])
			if err != nil {
				continue // add would have returned it
			}
			for _, f := range report.Findings {
				c.singles[i] = append(c.singles[i], found{f.Code, f.Subject})
			}
		}
	}
	return c.singles[i]
}

// rules are the rules by code, with that of the decoder's own code.
var rules = func() map[hostroute.Code]hostroute.Rule {
	out := map[hostroute.Code]hostroute.Rule{neutron.CodeNetmaskSpelling: {
		Code:     neutron.CodeNetmaskSpelling,
		Severity: hostroute.SeverityError,
		Title:    "destination is spelled with a netmask",
		Why: "Neutron hands such a destination on as it is. dnsmasq takes the first number of the netmask for the length. With a length " +
			"above 32, dhclient installs no route of the subnet, not even the default. Rewrite the list before you look at the other host routes of " +
			"this subnet: none of them works as it was analysed.",
	}}
	for _, r := range hostroute.Rules() {
		out[r.Code] = r
	}
	return out
}()

// places are the places of the codes in the catalogue. The decoder's comes first.
var places = func() map[hostroute.Code]int {
	out := make(map[hostroute.Code]int)
	for i, r := range hostroute.Rules() {
		out[r.Code] = i + 1
	}
	return out
}()

// worse returns the worse of two codes: of equal severity, the one that comes first in the catalogue.
func worse(a, b hostroute.Code) hostroute.Code {
	if compareCodes(b, a) < 0 {
		return b
	}
	return a
}

func compareCodes(a, b hostroute.Code) int {
	return cmp.Or(cmp.Compare(rules[b].Severity, rules[a].Severity), cmp.Compare(places[a], places[b]))
}

// ofSubnet has the codes whose cause is the subnet's: its host routes share them, and one remedy.
var ofSubnet = map[hostroute.Code]bool{
	hostroute.CodeNoLease:        true,
	hostroute.CodeDHCPDisabled:   true,
	hostroute.CodeOptionOverflow: true,
	hostroute.CodeIPv6NotOffered: true,
	neutron.CodeNetmaskSpelling:  true,
}

// oneLine returns text without anything that could start a line or hide one: where it has such characters, it is quoted.
func oneLine(text string) string { return hostroute.Ref{Subnet: text}.String() }

// name returns the name of a subnet, or its ID if it has none.
func (c *cloud) name(id string) string { return cmp.Or(c.SubnetNames[id], id) }

// label returns the name of a subnet as text, with the ID where several subnets have that name.
func (c *cloud) label(id string) string {
	if name := c.name(id); c.labels[name] < 2 || name == id {
		return oneLine(name)
	}
	return oneLine(c.name(id)) + " (" + oneLine(id) + ")"
}

// place returns "storage 10.70.0.0/24".
func (c *cloud) place(id string) string {
	s := c.subnets[id]
	if s == nil {
		return c.label(id)
	}
	text := oneLine(c.name(id)) + " " + s.CIDR.String()
	if c.label(id) != oneLine(c.name(id)) {
		text += " (" + oneLine(id) + ")"
	}
	return text
}

// nicLabel returns how a NIC is called whose subnets have these IDs, separated by commas.
func (c *cloud) nicLabel(ids string) string {
	if ids == "" {
		return "no route"
	}
	if c.subnets[ids] != nil {
		return c.label(ids)
	}
	var names []string
	for id := range strings.SplitSeq(ids, ",") {
		names = append(names, c.label(id))
	}
	return strings.Join(names, "+")
}
