package neutron

// This file turns an element of the ports document into a port of an instance.

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// A portElement has the members that are needed. The API and `openstack port show` spell one of
// them differently.
type portElement struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	MAC         string           `json:"mac_address"`
	Network     string           `json:"network_id"`
	Project     string           `json:"project_id"`
	DeviceID    string           `json:"device_id"`
	DeviceOwner string           `json:"device_owner"`
	FixedIPs    []fixedIPElement `json:"fixed_ips"`
	Host        string           `json:"binding:host_id"`
	ShowHost    string           `json:"binding_host_id"`

	// Columns of `openstack port list`, which lacks device_id.
	ListFixedIPs    json.RawMessage `json:"Fixed IP Addresses"`
	ListDeviceOwner json.RawMessage `json:"Device Owner"`
}

// unknownOwner stays in an element whose owner is absent, null or of another type. It may be an instance.
const unknownOwner = "\x00"

type fixedIPElement struct {
	SubnetID  string `json:"subnet_id"`
	IPAddress string `json:"ip_address"`
}

var errPortList = errors.New("`openstack port list` does not print which instance a port belongs to: use `openstack port show -f json` for each port, or GET /v2.0/ports")

// A port is an instance's port, as far as its element can be read.
type port struct {
	Port
	at      position
	id      string
	device  *device // nil if the port has no device_id
	addrs   []netip.Addr
	subnets []*subnet
	group   *group
	fault   *fault // then the port is left out, and its instance with it
}

// port takes a port element.
func (d *decoder) port(at position, decode decode) error {
	e := &d.portElement
	*e = portElement{DeviceOwner: unknownOwner}
	wrong, err := decode(e)
	if err != nil {
		return err
	}
	if e.DeviceID == "" && (e.ListFixedIPs != nil || e.ListDeviceOwner != nil) {
		return errPortList
	}
	if !strings.HasPrefix(e.DeviceOwner, "compute:") && e.DeviceOwner != unknownOwner {
		return nil
	}

	p := d.portOf(e)
	if e.DeviceOwner == unknownOwner {
		p.fault = faultf("/device_owner", "the port has no device_owner, which says whether it is an instance's")
	}
	p.at, p.fault = at, cmp.Or(wrong, p.fault)
	if first := d.portsByID[e.ID]; first != nil {
		if first.sameAs(p) {
			return nil
		}
		p = &port{at: at, fault: faultf("", "port %s was listed before with different content: the first one counts", printable(e.ID))}
	} else if e.ID != "" {
		d.portsByID[e.ID] = p
	}
	if p.device != nil && p.Host != "" {
		p.device.hosted = true
	}
	d.ports = append(d.ports, p)
	return nil
}

// sameAs reports whether two elements of one ID mean the same instance's NIC.
func (p *port) sameAs(q *port) bool {
	return p.device == q.device && p.network() == q.network() && p.Host == q.Host && slices.Equal(p.addrs, q.addrs) &&
		slices.Equal(p.subnets, q.subnets) && reflect.DeepEqual(p.fault, q.fault)
}

// portOf returns what the element means, with the first fault.
func (d *decoder) portOf(e *portElement) *port {
	p := &port{
		Port:   Port{Name: e.Name, MAC: e.MAC, Network: e.Network, Project: e.Project, Host: cmp.Or(e.Host, e.ShowHost), Instance: e.DeviceID, Subnets: []string{}},
		id:     e.ID,
		device: d.devices[e.DeviceID],
	}
	if e.DeviceID == "" {
		p.fault = faultf("/device_id", "the port has no device_id, which names its instance")
	} else if p.device == nil {
		p.device = &device{id: e.DeviceID}
		d.devices[e.DeviceID] = p.device
	}
	for i, fixed := range e.FixedIPs {
		if fixed.SubnetID != "" && !slices.Contains(p.Subnets, fixed.SubnetID) {
			p.Subnets = append(p.Subnets, fixed.SubnetID)
		}
		if f := d.addFixedIP(p, fixed); f != nil && p.fault == nil {
			f.path = pointer("/fixed_ips", i) + f.path
			p.fault = f
		}
	}
	return p
}

// network returns the network of the port, for siblings. Where no document names it, the port's
// first subnet is a network of its own.
func (p *port) network() string {
	if len(p.subnets) == 0 {
		return p.Network
	}
	if network := cmp.Or(p.subnets[0].network, p.Network); network != "" {
		return network
	}
	return "network of subnet " + p.subnets[0].ID
}

func (d *decoder) addFixedIP(p *port, e fixedIPElement) *fault {
	if e.SubnetID == "" {
		return faultf("/subnet_id", "the fixed IP has no subnet_id")
	}
	s := d.subnets[e.SubnetID]
	if s == nil {
		return faultf("/subnet_id", "subnet %.64q is not in the subnets document", e.SubnetID)
	}
	if s.fault != nil {
		return faultf("/subnet_id", "subnet %.64q is left out", e.SubnetID)
	}
	if e.IPAddress != "" {
		a, f := parseAddr("/ip_address", "fixed IP", e.IPAddress, s.CIDR)
		if f != nil {
			return f
		}
		if !s.CIDR.Contains(a) {
			return faultf("/ip_address", "fixed IP %v is outside %v, the CIDR of its subnet", a, s.CIDR)
		}
		p.addrs = append(p.addrs, a)
	}
	p.subnets = append(p.subnets, s)
	return nil
}
