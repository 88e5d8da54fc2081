package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// The head of the report.

// summary prints ten lines at most.
func (p *printer) summary(status *status) {
	head := count(len(p.hostRoutes), "host route") + " on " + count(len(p.Subnets), "subnet")
	switch {
	case p.knowsInstances():
		head += ", " + count(len(p.Instances), "instance")
	case len(p.opt.documents) > 1:
		head += "; no instance is known, because no port in the list belongs to one (device_owner compute:...)"
	default:
		head += "; without PORTS, no instance is known, nor what a fix moves"
	}
	if len(p.hostRoutes) > 0 {
		head += ". Each host route counts once, as the first of these that holds:"
	}
	p.line(0, "%s", head)
	number := p.kindCounts()
	for k := range kinds {
		if n := number[kinds[k].name]; n > 0 {
			p.line(0, "%6d %-8s %s", n, kinds[k].name, p.kindText(kind(k), n))
		}
	}
	if text := p.leftOutText(); text != "" {
		p.line(0, "%s", text)
	}
	if p.reasons != nil {
		p.line(0, "baseline: it accepts %s; %s at or above %v; %s", count(status.accepted, "finding"), plural(status.failing, "more is", "more are"), p.opt.fail, matchText(len(status.unmatched)))
	}
	if p.knowsInstances() {
		p.line(0, "assumed: %s", p.assumptions())
	}
}

// kindText explains a kind that n host routes have. CAN GO may also list some that count as wrong or risky. Kinds behind it are
// listed only with -all.
func (p *printer) kindText(k kind, n int) string {
	text := kinds[k].text
	switch more := len(p.canGo) - n; {
	case k == canGo && more > 0:
		text += fmt.Sprintf(" (CAN GO lists these and %d of the wrong or risky)", more)
	case k == canGo:
		text += " (CAN GO lists them)"
	case k > canGo && !p.opt.all:
		text += " (-all lists them)"
	}
	return text
}

func (p *printer) kindCounts() map[string]int {
	number := make(map[string]int)
	for _, k := range kinds {
		number[k.name] = 0
	}
	for _, r := range p.hostRoutes {
		number[r.kind.String()]++
	}
	return number
}

func (p *printer) leftOutText() string {
	if len(p.Problems) == 0 {
		return ""
	}
	subnets, instances := p.leftOut()
	var what []string
	if instances > 0 {
		what = append(what, count(instances, "instance"))
	}
	if subnets > 0 {
		what = append(what, count(subnets, "subnet"))
	}
	text := "left out: " + strings.Join(what, ", ")
	if what == nil {
		text = "problems: " + strconv.Itoa(len(p.Problems)) + ", but no instance or subnet is known to be left out"
	}
	text += " (" + oneLine(p.Problems[0].String())
	if len(p.Problems) > 1 {
		text += "; -problems lists all"
	}
	return text + ")"
}

func (p *printer) assumptions() string {
	text := "NICs are in the order of the file; guests run " + string(p.defaults.guest)
	if p.defaults.guest == hostroute.GuestDhclient {
		text += " (-guest assumes another)"
	}
	if kept := p.keptText(); kept != "" {
		text += "; " + kept
	}
	isUsed := func(s *hostroute.Subnet) bool { return needsConfigDrive(s) && len(p.users[s.ID]) > 0 }
	switch {
	case p.defaults.configDrive == "yes":
		text += "; all instances read the config drive"
	case slices.ContainsFunc(p.Subnets, isUsed) && p.defaults.configDrive == "":
		text += "; no instance reads the config drive (-config-drive yes assumes that all do)"
	}
	if !p.haveHosts() {
		text += "; no port has a host, so routes to sibling subnets are those of all hosts"
	}
	if several := p.severalDefaults(); several > 0 {
		text += "; " + count(several, "instance") + " with several defaults: each keeps the one that it takes by itself (-default-subnet or -default-nic assumes another)"
	}
	return text
}

// haveHosts reports whether any port has a host. Neutron tells these to administrators only.
func (c *cloud) haveHosts() bool {
	for _, port := range c.Ports {
		if port.Host != "" {
			return true
		}
	}
	return false
}

// severalDefaults counts the instances that are offered several default routes.
func (c *cloud) severalDefaults() (n int) {
	for _, o := range c.findings {
		if o.Finding.Code == hostroute.CodeMultipleDefaults {
			n += o.Instances
		}
	}
	return n
}
