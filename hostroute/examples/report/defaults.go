package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.com/go-hostroute/hostroute"
)

// What is assumed of guests.

// defaults say what is assumed of guests: their DHCP client, which default route they keep, and whether they read the config
// drive.
type defaults struct {
	guest   hostroute.Guest
	subnets []string // those of the NICs, the first that an instance has counts
	nic     string   // where the instance has none of these

	configDrive string // whether guests read the config drive: yes, no or not known
}

// keepDefaults sets what the documents do not say about instances.
func (c *cloud) keepDefaults() {
	for i := range c.Instances {
		in := &c.Instances[i]
		in.Guest = c.defaults.guest
		in.ConfigDrive = c.defaults.configDrive == "yes"
		if named := c.defaults.named(in); len(named) > 0 {
			in.DefaultNIC = named[0].nic
		}
	}
}

// A keeping is a NIC whose default route an instance is said to keep.
type keeping struct {
	nic string
	by  int // the place of the -default-subnet that names it; behind these, -default-nic
}

// named returns the NICs of an instance that the flags name, each once. The first counts.
func (d *defaults) named(in *hostroute.Instance) []keeping {
	var out []keeping
	add := func(by int, isNamed func(hostroute.NIC) bool) {
		i := slices.IndexFunc(in.NICs, isNamed)
		if i >= 0 && !slices.ContainsFunc(out, func(k keeping) bool { return k.nic == in.NICs[i].Name }) {
			out = append(out, keeping{in.NICs[i].Name, by})
		}
	}
	for by, id := range d.subnets {
		add(by, func(n hostroute.NIC) bool {
			return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return s.ID == id })
		})
	}
	add(len(d.subnets), func(n hostroute.NIC) bool { return n.Name == d.nic })
	return out
}

// keptText says whose default routes the flags say are kept. Where an instance has one NIC, that decides nothing. It returns
// "" without such flags.
func (c *cloud) keptText() string {
	var names []string
	for _, id := range c.defaults.subnets {
		names = append(names, c.label(id))
	}
	if c.defaults.nic != "" {
		names = append(names, quoted(c.defaults.nic))
	}
	if names == nil {
		return ""
	}
	kept := make([]int, len(names))
	several, lacking := 0, 0
	for i := range c.Instances {
		in := &c.Instances[i]
		named := c.defaults.named(in)
		if len(in.NICs) < 2 || len(named) == 0 {
			continue
		}
		kept[named[0].by]++
		if len(named) > 1 {
			several++
		}
		if !c.isOfferedDefault(in) {
			lacking++
		}
	}
	var parts []string
	for by, name := range names {
		parts = append(parts, strconv.Itoa(kept[by])+" on "+name)
	}
	text := "instances with several NICs keep the default: " + some(parts, maxNames)
	if several > 0 {
		text += " (for " + strconv.Itoa(several) + ", more than one is named: the first counts)"
	}
	if lacking > 0 {
		text += " (" + plural(lacking, "is", "are") + " offered no default there)"
	}
	return text
}

func hasNIC(in hostroute.Instance, name string) bool {
	return slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })
}

// severalDefaultsAdvice prints what to do about instances that are offered several default routes.
func (p *printer) severalDefaultsAdvice(fixes []hostroute.Fix) {
	how := oneLine(fixesFor(p.defaults.guest, fixes)[0].Message)
	p.line(4, "next: have each guest keep one default route. %s (hostroute/CODES.md has other DHCP clients; what that moves is not worked out)", how)
	var names []string
	offering := make(map[string]int) // instances by subnet
	for i := range p.Instances {
		in := &p.Instances[i]
		if ids := offeringDefaults(in); in.DefaultNIC == "" && len(ids) > 1 {
			names = append(names, quoted(in.Name))
			for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
				offering[id]++
			}
		}
	}
	var parts []string
	for _, id := range slices.SortedFunc(maps.Keys(offering), func(a, b string) int {
		return cmp.Or(cmp.Compare(offering[b], offering[a]), cmp.Compare(a, b))
	}) {
		parts = append(parts, shellQuote(id)+" ("+count(offering[id], "instance")+")")
	}
	if parts != nil {
		p.line(4, "then tell this report which one, by its subnet: -default-subnet ID changes no guest. IDs: %s", some(parts, maxNames))
	}
	if p.all {
		p.line(4, "the instances:")
		for _, name := range slices.Sorted(slices.Values(names)) {
			p.line(6, "%s", name)
		}
	}
}

// offeringDefaults returns the subnets that offer an instance an IPv4 default route: one for each NIC that is offered one.
func offeringDefaults(in *hostroute.Instance) []string {
	var out []string
	for _, n := range in.NICs {
		i := slices.IndexFunc(n.Subnets, func(s *hostroute.Subnet) bool {
			return s.CIDR.Addr().Is4() && s.CIDR.Contains(s.Gateway) && (in.ConfigDrive || !s.DHCPDisabled)
		})
		if i >= 0 {
			out = append(out, n.Subnets[i].ID)
		}
	}
	return out
}

// check returns an error if something that guests are said to keep is in none of the clouds.
func (d *defaults) check(clouds ...*cloud) error {
	for _, id := range d.subnets {
		if !slices.ContainsFunc(clouds, func(c *cloud) bool { return len(c.users[id]) > 0 }) {
			return fmt.Errorf("-default-subnet: no instance is on subnet %q%s", id, clouds[len(clouds)-1].hint(id))
		}
	}
	isNamed := func(in hostroute.Instance) bool { return hasNIC(in, d.nic) }
	if d.nic != "" && !slices.ContainsFunc(clouds, func(c *cloud) bool { return slices.ContainsFunc(c.Instances, isNamed) }) {
		return fmt.Errorf("-default-nic: no instance has a NIC %q", d.nic)
	}
	return nil
}
