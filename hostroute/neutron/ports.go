package neutron

import (
	"cmp"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

var portNames = [][]string{{"/id", "/ID"}, {"/device_id"}, {"/device_owner", "/Device Owner"}, {"/network_id"},
	{"/fixed_ips", "/Fixed IP Addresses"}, {"/binding:host_id", "/binding_host_id"}, {"/ports"}, {"/port"}}
var fixedNames = [][]string{{"/subnet_id"}, {"/ip_address"}}

// A port is a NIC of an instance. Network and host are numbers.
type port struct{ instance, nic, network, host int32 }

// port reads a port, and keeps it if it is an instance's and nothing is wrong with it.
func (d *decoder) port(m [8]member) {
	before, ownerless := d.failed, m[2].value == nil && m[4].name == portNames[4][1] // a row of port list without --long
	if owner := d.str(m[2], ""); d.failed == before && !ownerless && !strings.HasPrefix(owner, "compute:") {
		return
	}
	id, device := d.str(m[0], ""), d.str(m[1], "is absent: openstack port list does not print it, openstack port show does")
	p, known := port{}, false
	p.network, _ = index(d.numbers, d.str(m[3], ""))
	p.host, _ = index(d.numbers, d.str(m[5], ""))
	d.nic = hostroute.NIC{}
	d.each(m[4], (*decoder).fixedIP)
	if d.failed > before {
		return
	}
	if len(d.nic.Subnets) > 0 { // its network_id counts first; without any, it is alone
		first := d.subnetIDs[d.nic.Subnets[0].ID]
		p.network = cmp.Or(d.networks[first], p.network, -1-first)
	}
	if p.instance, known = index(d.devices, device); !known {
		d.out.Instances = push(d.out.Instances, hostroute.Instance{Name: device})
	}
	nics := d.out.Instances[p.instance].NICs
	if at, twice := d.portIDs[id]; twice && id != "" {
		if p.nic = d.ports[at].nic; p != d.ports[at] || !reflect.DeepEqual(d.nic, nics[p.nic]) {
			d.fail(m[0].name, []byte(id), "is the ID of an earlier port with other content")
		}
		return
	}
	d.portIDs[id] = int32(len(d.ports))
	p.nic = int32(len(nics))
	d.out.Instances[p.instance].NICs, d.ports = push(nics, d.nic), push(d.ports, p)
}

// fixedIP reads an element of fixed_ips.
func (d *decoder) fixedIP(b []byte) {
	m, _ := d.members(b, fixedNames)
	id, text := d.str(m[0], "is absent"), d.str(m[1], "")
	a := d.addr(m[1].name, text)
	switch at, ok := d.subnetIDs[id]; {
	case id == "" || at < 0:
	case !ok:
		d.fail(m[0].name, []byte(id), "is the ID of no subnet in the document of subnets")
	case a.IsValid() && !d.out.Subnets[at].CIDR.Contains(a):
		d.fail(m[1].name, []byte(text), "is not in its subnet")
	default:
		if d.nic.Subnets = push(d.nic.Subnets, d.out.Subnets[at]); a.IsValid() {
			d.nic.Addrs = push(d.nic.Addrs, a)
		}
	}
}

// siblings completes the NICs with names and siblings. Those of one network and host share one slice.
func (d *decoder) siblings() {
	type use [3]int32 // of a network, on a host or on any host (0): a subnet with DHCP
	compare := func(u, v use) int { return slices.Compare(u[:], v[:]) }
	var uses []use
	for _, p := range d.ports {
		for _, s := range d.out.Instances[p.instance].NICs[p.nic].Subnets {
			if at := d.subnetIDs[s.ID]; s.CIDR.Addr().Is4() && !s.DHCPDisabled {
				uses = push(push(uses, use{p.network, 0, at}), use{p.network, p.host, at})
			}
		}
	}
	slices.SortFunc(uses, compare)
	uses = slices.Compact(uses)
	cidrs := make([]netip.Prefix, len(uses))
	for i, u := range uses {
		cidrs[i] = d.out.Subnets[u[2]].CIDR
	}
	for _, p := range d.ports {
		from, _ := slices.BinarySearchFunc(uses, use{p.network, p.host, 0}, compare)
		to, _ := slices.BinarySearchFunc(uses, use{p.network, p.host + 1, 0}, compare)
		n := &d.out.Instances[p.instance].NICs[p.nic]
		n.Name = "eth" + strconv.Itoa(int(p.nic))
		if from < to && n.Subnets != nil {
			n.Siblings = cidrs[from:to:to]
		}
	}
}
