package main

import (
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// doubts returns why an audit of the cloud cannot know all that an edit of s moves.
func doubts(cloud *neutron.Deployment, s *hostroute.Subnet) []string {
	var out []string
	hasHost := func(p neutron.Port) bool { return p.Host != "" }
	if !slices.ContainsFunc(slices.Collect(maps.Values(cloud.Ports)), hasHost) {
		out = append(out, "no port has a host: only an administrator sees all ports, and their hosts")
	}
	if s.DHCPDisabled && s.CIDR.Addr().Is4() {
		out = append(out, "the subnet has no DHCP, but guests that read the config drive have its host routes")
	}
	for _, p := range cloud.Problems {
		for _, port := range cloud.Ports {
			if p.Instance != "" && p.Instance == port.Instance && slices.Contains(port.Subnets, s.ID) {
				out = append(out, "an instance on the subnet is left out: "+p.String())
				break
			}
		}
	}
	near := []string{s.ID} // the subnets of the instances on s
	for _, in := range cloud.Instances {
		var ids []string
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				ids = append(ids, s.ID)
			}
		}
		if slices.Contains(ids, s.ID) {
			near = append(near, ids...)
		}
	}
	for _, f := range cloud.Findings {
		if slices.Contains(near, f.Subject.Subnet) {
			out = append(out, "guests do not get the host routes that the audit assumes: "+f.String())
		}
	}
	return out
}
