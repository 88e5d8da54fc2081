package neutron

// This file makes instances of ports, when all ports are read.

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"example.com/go-hostroute/hostroute"
)

const maxNICs = 64 // of an instance; package hostroute refuses more

// A device is an instance with its ports: those that have its ID as device_id.
type device struct {
	id     string
	ports  []*port // that count
	hosted bool    // a port has a host
}

// instances completes the deployment.
func (d *decoder) instances() {
	counted := make([]*port, 0, len(d.ports))
	d.out.Ports = make(map[string]Port, len(d.portsByID))
	for _, p := range d.ports {
		if p.id != "" {
			d.out.Ports[p.id] = p.Port
		}
		if p.unattached() {
			f := faultf("", "the port has no host, so it is not attached to instance %s, whose other ports have one", printable(p.device.id))
			d.report(p.at, docPorts, f).Port = p.id
			continue
		}
		if p.fault != nil {
			d.reportPort(p, p.fault)
		}
		if p.device != nil {
			counted = append(counted, p)
			p.device.ports = append(p.device.ports, p)
		}
	}
	d.groupPorts(counted)
	for _, p := range counted {
		if p == p.device.ports[0] && d.complete(p.device) {
			d.out.Instances = append(d.out.Instances, p.device.instance())
		}
	}
}

// unattached reports whether the port has no host while other ports of its instance have one. Then
// it does not count, whatever else is wrong with it. A host of another JSON type is not known.
func (p *port) unattached() bool {
	hostUnknown := p.fault != nil && (p.fault.path == "/binding:host_id" || p.fault.path == "/binding_host_id")
	return p.device != nil && p.device.hosted && p.Host == "" && !hostUnknown
}

// reportPort reports a fault that leaves out the port and its instance.
func (d *decoder) reportPort(p *port, f *fault) {
	problem := d.report(p.at, docPorts, f)
	problem.Port = p.id
	if p.device != nil {
		problem.Instance = p.device.id
	}
}

// complete reports whether a device's ports make an instance, and reports what keeps them from it.
// Faults of single ports have been reported.
func (d *decoder) complete(dev *device) bool {
	ok, host := true, ""
	for i, p := range dev.ports {
		host = cmp.Or(host, p.Host)
		if p.fault != nil {
			ok = false
		}
		if p.Host != "" && p.Host != host {
			ok = false
			f := faultf("", "the port is on host %s, but another port of its instance on host %s", printable(p.Host), printable(host))
			d.reportPort(p, f)
		}
		if i == maxNICs {
			ok = false
			f := faultf("", "the instance has %d ports: no guest has more than %d NICs", len(dev.ports), maxNICs)
			d.reportPort(p, f)
		}
	}
	return ok
}

func (dev *device) instance() hostroute.Instance {
	in := hostroute.Instance{Name: dev.id, NICs: make([]hostroute.NIC, len(dev.ports))}
	for i, p := range dev.ports {
		nic := hostroute.NIC{ID: p.id, Name: "eth" + strconv.Itoa(i), Addrs: p.addrs}
		if len(p.subnets) > 0 {
			nic.Siblings = p.group.siblings
			nic.Subnets = make([]*hostroute.Subnet, len(p.subnets))
		}
		for j, s := range p.subnets {
			nic.Subnets[j] = &s.Subnet
		}
		in.NICs[i] = nic
	}
	return in
}

// A group is the ports of a network on one host, or on all hosts.
type group struct {
	siblings []netip.Prefix
	last     *subnet // whose CIDR is the last sibling
}

// groupPorts puts the ports into groups, and finds the siblings of each group, in the order of
// the subnets.
func (d *decoder) groupPorts(ports []*port) {
	type place struct{ network, host string }
	groups := make(map[place]*group, len(ports))
	groupAt := func(at place) *group {
		g := groups[at]
		if g == nil {
			g = &group{}
			groups[at] = g
		}
		return g
	}
	for _, p := range ports {
		network := p.network()
		p.group = groupAt(place{network, p.Host})
		all := groupAt(place{network, ""})
		for _, s := range p.subnets {
			if s.dhcp4() {
				s.groups = append(s.groups, p.group, all)
			}
		}
	}
	for _, s := range d.out.Subnets {
		s := d.subnets[s.ID]
		for _, g := range s.groups {
			if g.last != s {
				g.last = s
				g.siblings = append(g.siblings, s.CIDR)
			}
		}
	}
	for _, g := range groups {
		g.siblings = slices.Clip(g.siblings)
	}
}
