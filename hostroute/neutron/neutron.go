// Package neutron reads what OpenStack prints about subnets and ports into the model of package
// hostroute, and writes host routes as Neutron and the openstack command take them.
//
// # Documents
//
// [Decode] reads one document of subnets and one of ports. A document is one JSON value or
// several in sequence, as when pages are concatenated. Each value has one of these forms, which
// the decoder tells apart by itself:
//
//	GET /v2.0/subnets                       {"subnets":[{"id":...},...]}
//	GET /v2.0/subnets/ID                    {"subnet":{"id":...}}
//	openstack subnet show -f json           {"id":...}
//	openstack subnet list --long -f json    [{"ID":...},...]
//
//	GET /v2.0/ports                         {"ports":[{"id":...},...]}
//	GET /v2.0/ports/ID                      {"port":{"id":...}}
//	openstack port show -f json             {"id":...}
//
// A list of the API's elements without its envelope is read as well. So is "Host Routes" as the
// text that clients before 4.0.0 print. `openstack port list` does not print which instance a
// port belongs to and is refused with an error that names `openstack port show`.
//
// gophercloud's structs marshal to the API's names, so a list of subnets.Subnet is a document. A
// plain ports.Port lacks the host: without it, the siblings of all hosts are mixed, and ports that
// only name an instance count as its NICs (see below). Embed portsbinding.PortsBindingExt beside it,
// or pass the bodies of the pages, which have everything, as hostroute/examples/gophercloud does.
// Only administrators see hosts.
//
// Member names are matched as encoding/json matches them: it prefers an exact match, and otherwise
// ignores case. Members that are not needed are ignored. If a member occurs twice, which no Neutron prints, the result is what
// encoding/json makes of the two, and that can be a mixture.
//
// # Instances
//
// An instance is all ports with one device_id whose device_owner begins with "compute:". Ports
// of other owners, such as DHCP servers and routers, are ignored. No document has the order or
// the names of the NICs in the guest: NICs are in the document's order and named eth0, eth1, ...
// A caller who knows better reorders and renames them by [hostroute.NIC.ID], which is the ID of
// the port. DefaultNIC, ConfigDrive and Guest are the caller's to set, too.
//
// The siblings of a NIC are the IPv4 subnets with DHCP of its network that a port on the same
// host uses, or a port on any host if the NIC's host is not known. Without hosts, the siblings
// of all hosts are mixed.
//
// Anyone can create a port that names any instance, but only an attached port has a host. Where
// some ports of an instance have a host, those without one are left out.
//
// # Problems
//
// What is wrong with one element never keeps the rest from being read. The element is left out,
// and a [Problem] says why:
//
//   - an element that is not an object, or that has a member of another JSON type
//   - a subnet without id, cidr or gateway_ip. A gateway_ip of null or "" means none. A missing
//     one is not read as none, because every verdict on the subnet would then be wrong. (`openstack
//     subnet list` prints the gateway with --long only.)
//   - an address or CIDR that cannot be read, a CIDR with host bits, a CIDR of IPv4-mapped
//     addresses, and IPv4-mapped addresses on an IPv6 subnet
//   - a destination in a spelling that Neutron accepts and other software does not, such as 11/8
//     or 011.0.0.0/16. (A netmask is understood, and is a finding: [CodeNetmaskSpelling].)
//   - a port without device_owner, such as one of a request with ?fields=: it may be an instance's
//   - a port without device_id, a port on a subnet that is not there or is left out, and a port with
//     an address outside its subnet
//   - a port without a host, if other ports of its instance have one
//   - a second subnet or port of the same ID with different content: the first one counts, even if it is left out
//   - an instance with ports on two hosts, or with more ports than a guest can have NICs
//   - a list that names a further page, if no other list follows it
//
// Other members may be missing, as in the answer to a request with ?fields=, and then there is no Problem. So request
// host_routes, enable_dhcp and fixed_ips: without them a subnet has no host routes, DHCP is on, and a NIC has no subnet.
//
// An instance is left out whole if a port that counts is left out. Decode returns an error only
// for a reader that fails, for malformed JSON, and for a value of no known form.
package neutron

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// A Deployment holds the subnets and instances of the documents. Its slices and maps are empty rather than nil.
type Deployment struct {
	// Subnets are in the order of their document.
	Subnets []*hostroute.Subnet `json:"subnets"`
	// Instances are named by device_id, in the order of their first port. They share Subnets. No document says which default
	// route a guest keeps. As long as DefaultNIC is empty, every verdict that depends on this is GuestDependent.
	Instances []hostroute.Instance `json:"instances"`
	// Findings are the decoder's own: CodeNetmaskSpelling, in the order of subnets and host routes.
	// Analyze and an Audit cannot know them: report them as well. As long as the list of such a subnet is not rewritten, what these
	// say about the instances on it may be wrong, and about all other subnets of those instances, too.
	Findings []hostroute.Finding `json:"findings"`
	// Problems say what was left out and why: first those of elements, in the order of the
	// documents, then those of whole instances, in the order of their first port.
	Problems []Problem `json:"problems"`
	// Ports are the instances' ports by ID, with those that are left out: no NIC of Instances has their ID. An Audit of
	// Instances does not know them, so it may call a host route of their Subnets removable that they need.
	Ports map[string]Port `json:"ports"`
	// SubnetNames are by ID, for subnets that have a name, with those that are left out.
	SubnetNames map[string]string `json:"subnet_names"`
}

// A Port has what the documents say about an instance's port and its NIC does not hold. Fields that they leave
// out are empty.
type Port struct {
	Name    string `json:"name"`
	MAC     string `json:"mac"`
	Network string `json:"network"` // ID
	Project string `json:"project"` // ID
	Host    string `json:"host"`    // the hypervisor; for administrators only
	// What the port names, whether or not it is in the Deployment:
	Instance string   `json:"instance"` // device_id
	Subnets  []string `json:"subnets"`  // IDs, in the order of the fixed IPs
}

// A Problem is an error in one element. It names the subnet, port and instance that are not in the Deployment because of the error.
type Problem struct {
	Document string `json:"document"` // subnets or ports
	Value    int    `json:"value"`    // which of the document's JSON values, from 1
	Path     string `json:"path"`     // JSON pointer (RFC 6901) into that value
	// The IDs of what is left out. Empty where nothing is, or where the ID is not known.
	Subnet   string `json:"subnet"`
	Port     string `json:"port"`
	Instance string `json:"instance"`
	Err      error  `json:"-"` // never nil; as JSON, the member error has its text
}

// String returns "ports, /ports/7/device_id: MESSAGE (port ID, instance ID)". It has the Value if that is not 1: "ports, value 2, ...".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(valueText(p.Document, p.Value))
	if p.Path != "" {
		b.WriteString(", " + printable(p.Path))
	}
	fmt.Fprintf(&b, ": %v", p.Err)

	var out []string
	for _, id := range [][2]string{{"subnet ", p.Subnet}, {"port ", p.Port}, {"instance ", p.Instance}} {
		if id[1] != "" {
			out = append(out, id[0]+printable(id[1]))
		}
	}
	if len(out) > 0 {
		b.WriteString(" (" + strings.Join(out, ", ") + ")")
	}
	return b.String()
}

// valueText names one of a document's JSON values: the document alone for the first.
func valueText(document string, value int) string {
	if value == 1 {
		return document
	}
	return document + ", value " + strconv.Itoa(value)
}

// MarshalJSON adds the member error, the text of Err.
func (p Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	return json.Marshal(struct {
		plain
		Error string `json:"error"`
	}{plain(p), fmt.Sprint(p.Err)})
}

// Decode reads the documents of subnets and ports. It reads one element at a time, so that no
// document is in memory as a whole. An error says in which document, value and byte reading
// failed; then there is no Deployment.
func Decode(subnets, ports io.Reader) (*Deployment, error) {
	d := newDecoder()
	if err := d.read(docSubnets, subnets, d.subnet); err != nil {
		return nil, err
	}
	if err := d.read(docPorts, ports, d.port); err != nil {
		return nil, err
	}
	d.instances()
	return d.out, nil
}

// DecodeSubnets is [Decode] for subnets alone. There are no Instances.
func DecodeSubnets(subnets io.Reader) (*Deployment, error) {
	d := newDecoder()
	if err := d.read(docSubnets, subnets, d.subnet); err != nil {
		return nil, err
	}
	return d.out, nil
}

// printable returns a name as it is safe to print. Tenants choose names, and a line end or a
// bidirectional control could forge output: names with anything to escape are quoted. No name of
// Neutron's has more than 255 bytes; the rest is cut off.
func printable(name string) string {
	name = name[:min(len(name), 255)]
	if q := strconv.Quote(name); q[1:len(q)-1] != name {
		return q
	}
	return name
}
