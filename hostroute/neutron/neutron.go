// Package neutron turns what OpenStack says of subnets and ports into the model of package hostroute, and a subnet's host
// routes into what OpenStack takes. Decoders know these forms by their shape, and likewise those of ports:
//
//	GET /v2.0/subnets, also page by page            {"subnets":[...]}
//	GET /v2.0/subnets/ID                            {"subnet":{...}}
//	openstack subnet show, or list --long, -f json  {"id":...}, or [{"ID":...}]
//
// `openstack port list` is refused: it does not tell whose a port is, as `openstack port show` does. A reader holds one or more values in
// sequence. gophercloud's types marshal to the API's names. Host routes may be text, as command lines before 4.0.0 print.
// Decoding n bytes allocates at most 20 n bytes and 64 KiB, in time O(n log n).
//
// Member names count exactly, as they stand; others are ignored. One that is read must not stand twice, for JSON does not
// say which counts. A null, empty or absent id, cidr, subnet_id, device_id, destination or nexthop is an error, and so is an
// absent gateway_ip: taken for none, it would change every verdict; null or "" is none. Without enable_dhcp there is DHCP. All
// else may be null or absent. IPv4-mapped addresses are unmapped. A subnet or port may stand twice, as when pages shift, if
// it is the same. Ports whose device_owner does not begin with compute: are left out unread.
package neutron

import (
	"io"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// A Deployment is what the documents hold.
type Deployment struct {
	Subnets []*hostroute.Subnet `json:"subnets"` // in the order of their document
	// Instances are in the order of their first port, named by device_id; their NICs in that of the document, named eth0, eth1, ...:
	// the guest's order, names, DefaultNIC and ConfigDrive are for the caller to set. Siblings are by network_id and binding:host_id.
	Instances []hostroute.Instance `json:"instances"`
	// Findings are the decoder's own, each [CodeNetmaskSpelling], by subnet and place. An analysis takes these routes as meant.
	Findings []hostroute.Finding `json:"findings"`
}

// Decode reads subnets and ports. Its errors are [DecodeError] values, joined by [errors.Join]: the first 100, and an error that
// counts the rest; then there is no Deployment. What follows malformed JSON, or a value of no known form, is not read. No reader may be nil.
func Decode(subnets, ports io.Reader) (*Deployment, error) { return decode(subnets, ports) }

// DecodeSubnets is [Decode] for subnets alone; there are no Instances.
func DecodeSubnets(subnets io.Reader) (*Deployment, error) { return decode(subnets) }

// A DecodeError says what is wrong in a document, and where.
type DecodeError struct {
	Path string // JSON pointer (RFC 6901) into one of the document's values, to what is wrong or absent; "" is all of it
	Err  error  // ends in the document and the value, such as "(subnets, value 1)"
}

func (e *DecodeError) Error() string { return strings.TrimPrefix(e.Path+": "+e.Err.Error(), ": ") }

// Unwrap returns e.Err.
func (e *DecodeError) Unwrap() error { return e.Err }
