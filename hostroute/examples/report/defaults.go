package main

import (
	"fmt"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What is assumed of guests.

// defaults say what is assumed of guests: their DHCP client, which default route they keep, and whether they read the config
// drive.
type defaults struct {
	guest   hostroute.Guest
	subnets []string // of the NIC; the first that an instance has counts
	nic     string   // where the instance has none of these

	configDrive string // whether guests read the config drive: yes, no or not known
}

// keepDefaults sets what the documents do not say about instances.
func (c *cloud) keepDefaults() {
	for i := range c.Instances {
		in := &c.Instances[i]
		in.Guest = c.defaults.guest
		in.ConfigDrive = c.defaults.configDrive == "yes"
		if hasNIC(*in, c.defaults.nic) {
			in.DefaultNIC = c.defaults.nic
		}
		for _, id := range slices.Backward(c.defaults.subnets) {
			isOn := func(n hostroute.NIC) bool {
				return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return s.ID == id })
			}
			if nic := slices.IndexFunc(in.NICs, isOn); nic >= 0 {
				in.DefaultNIC = in.NICs[nic].Name
			}
		}
	}
}

func hasNIC(in hostroute.Instance, name string) bool {
	return slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })
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
