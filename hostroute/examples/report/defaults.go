package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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
		if n, _ := c.defaults.kept(in); n != nil {
			in.DefaultNIC = n.Name
		}
	}
}

// kept returns the NIC of an instance whose default route the flags say it keeps; nil if they name none. By is the place of the
// -default-subnet that names it; behind these is -default-nic.
func (d *defaults) kept(in *hostroute.Instance) (nic *hostroute.NIC, by int) {
	for by, id := range d.subnets {
		isIt := func(s *hostroute.Subnet) bool { return s.ID == id }
		i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return slices.ContainsFunc(n.Subnets, isIt) })
		if i >= 0 {
			return &in.NICs[i], by
		}
	}
	i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == d.nic })
	if i < 0 {
		return nil, 0
	}
	return &in.NICs[i], len(d.subnets)
}

// keptText says whose default routes the flags say are kept. Where an instance has one NIC, that decides nothing. It returns
// "" without such flags.
func (c *cloud) keptText() string {
	names := each(c.defaults.subnets, c.label)
	if c.defaults.nic != "" {
		names = append(names, quoted(c.defaults.nic))
	}
	if names == nil {
		return ""
	}
	kept := make([]int, len(names))
	lacking := 0
	for i := range c.Instances {
		in := &c.Instances[i]
		n, by := c.defaults.kept(in)
		if len(in.NICs) < 2 || n == nil {
			continue
		}
		kept[by]++
		isKept := func(o defaultOffer) bool { return o.nic.Name == n.Name }
		if !slices.ContainsFunc(defaultOffers(in), isKept) {
			lacking++
		}
	}
	var parts []string
	for by, name := range names {
		parts = append(parts, strconv.Itoa(kept[by])+" on "+name)
	}
	text := "instances with several NICs keep the default: " + some(parts, maxNames)
	if lacking > 0 {
		text += " (" + plural(lacking, "of them is", "of them are") + " offered none there)"
	}
	return text
}

// severalDefaultsAdvice prints what to do about instances that are offered several default routes.
func (p *printer) severalDefaultsAdvice(fixes []hostroute.Fix) {
	p.line(4, "next: %s. What this moves is not known.", oneLine(keepOne(p.defaults.guest, fixes).Message))
	var instances []string
	offering := make(map[string]int) // instances by subnet
	for i := range p.Instances {
		in := &p.Instances[i]
		offers := defaultOffers(in)
		if in.DefaultNIC != "" || len(offers) < 2 {
			continue
		}
		var labels []string
		for k, o := range offers {
			labels = append(labels, p.label(o.subnet))
			isSame := func(earlier defaultOffer) bool { return earlier.subnet == o.subnet }
			if !slices.ContainsFunc(offers[:k], isSame) { // two NICs can be on one subnet
				offering[o.subnet]++
			}
		}
		instances = append(instances, quoted(in.Name)+": "+strings.Join(labels, ", "))
	}
	var parts []string
	for _, id := range largestFirst(offering) {
		parts = append(parts, fmt.Sprintf("%s to %d", p.place(id), offering[id]))
	}
	if limit := maxNames; parts != nil {
		if p.opt.all {
			limit = len(parts)
		}
		p.line(4, "then name its subnet to this report with -default-subnet ID, which changes no guest. Defaults are offered on %s", some(parts, limit))
	}
	if p.opt.all {
		p.line(4, "the instances, each with the subnets that offer it a default, in the order of its NICs:")
		for _, line := range slices.Sorted(slices.Values(instances)) {
			p.line(6, "%s", line)
		}
	}
}

// A defaultOffer is an IPv4 default route that a NIC is offered.
type defaultOffer struct {
	nic    hostroute.NIC
	subnet string // that it comes from
	static bool   // by the config drive
}

// defaultOffers returns the default routes that an instance is offered, at most one for each NIC: that of the lease or, by the
// config drive, that of the first IPv4 subnet.
func defaultOffers(in *hostroute.Instance) []defaultOffer {
	var out []defaultOffer
	for _, n := range in.NICs {
		var from *hostroute.Subnet
		static := false
		if first := slices.IndexFunc(n.Subnets, isIPv4); in.ConfigDrive && first >= 0 && n.Subnets[first].DHCPDisabled {
			if n.Subnets[first].Gateway.Is4() {
				from, static = n.Subnets[first], true
			}
		} else {
			from = leased(n)
		}
		if from != nil {
			out = append(out, defaultOffer{n, from.ID, static})
		}
	}
	return out
}

func isIPv4(s *hostroute.Subnet) bool { return s.CIDR.Addr().Is4() }

// needsConfigDrive reports whether only the config drive can configure a subnet.
func needsConfigDrive(s *hostroute.Subnet) bool { return isIPv4(s) && s.DHCPDisabled }

// leased returns the subnet that DHCP leases a NIC an address of; nil if there is none. It always offers a default route, which
// comes last.
func leased(n hostroute.NIC) *hostroute.Subnet {
	offer := n.Offer()
	isLeased := func(s *hostroute.Subnet) bool {
		return len(offer) > 0 && isIPv4(s) && !s.DHCPDisabled && s.CIDR.Contains(s.Gateway) && s.Gateway == offer[len(offer)-1].NextHop
	}
	i := slices.IndexFunc(n.Subnets, isLeased)
	if i < 0 {
		return nil
	}
	return n.Subnets[i]
}

// check returns an error if something that guests are said to keep is in none of the clouds.
func (d *defaults) check(clouds ...*cloud) error {
	for _, id := range d.subnets {
		if !slices.ContainsFunc(clouds, func(c *cloud) bool { return len(c.users[id]) > 0 }) {
			return fmt.Errorf("-default-subnet: no instance is on subnet %q%s", id, clouds[len(clouds)-1].hint(id))
		}
	}
	isNamed := func(in hostroute.Instance) bool {
		return slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == d.nic })
	}
	if d.nic != "" && !slices.ContainsFunc(clouds, func(c *cloud) bool { return slices.ContainsFunc(c.Instances, isNamed) }) {
		return fmt.Errorf("-default-nic: no instance has a NIC %q", d.nic)
	}
	return nil
}
