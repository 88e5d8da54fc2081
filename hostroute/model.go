package hostroute

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// A Subnet is a Neutron subnet. The zero Subnet has no CIDR, and [Analyze] refuses it with an
// [InputError].
type Subnet struct {
	// ID names the subnet in results. Within one analysis, subnets of one ID must have the same
	// content. The ID may be empty for a subnet that is only planned, but then a Ref cannot
	// tell its host routes from manual routes. Give the empty ID to one subnet at most.
	ID string `json:"id"`
	// CIDR is the subnet's network, without host bits.
	CIDR netip.Prefix `json:"cidr"`
	// Gateway stands for the hypervisor, on every host that uses the subnet. The zero Addr means
	// that the subnet has none; it does not mean that Neutron chooses one. A gateway outside the
	// CIDR is a finding, not an error.
	Gateway netip.Addr `json:"gateway"`
	// HostRoutes are in the order in which Neutron returned them. Neutron keeps no order: the next
	// time it may return another one. Equal copies are one host route.
	HostRoutes []HostRoute `json:"host_routes"`
	// DHCPDisabled is the opposite of Neutron's enable_dhcp. Nothing is offered then: in IPv4 no lease, in IPv6 no
	// default route.
	DHCPDisabled bool `json:"dhcp_disabled"`
}

// A HostRoute is a destination and the next hop towards it. Neutron stores host routes on a subnet;
// a person may also program such routes by hand in a guest ([NIC].ManualRoutes). In an [Edit] or a
// [Ref], the zero HostRoute means that there is none.
type HostRoute struct {
	Destination netip.Prefix `json:"destination"`
	NextHop     netip.Addr   `json:"nexthop"`
}

// A NIC is a network interface of an instance: a Neutron port as the guest sees it. The zero NIC
// has no name, and [Analyze] refuses it with an [InputError].
type NIC struct {
	// ID is the Neutron port's. It may be empty. No result contains it.
	ID string `json:"id"`
	// Name is the NIC's name in the guest, such as eth1. No other NIC of the instance may have it.
	Name string `json:"name"`
	// Addrs are the NIC's fixed IPs, each inside one of Subnets. They may be left out: without
	// them, the class own-address is never reported.
	Addrs []netip.Addr `json:"addrs"`
	// Subnets are those that the fixed IPs come from, in the order of the fixed IPs. They are
	// pointers because instances share subnets. A subnet listed twice counts once.
	Subnets []*Subnet `json:"subnets"`
	// Siblings are the IPv4 CIDRs of the network's subnets that are in use on this instance's
	// hypervisor, without host bits and in Neutron's order. DHCP offers each as an on-link route, except the leased
	// subnet's own, which is skipped.
	Siblings []netip.Prefix `json:"siblings"`
	// ManualRoutes are programmed by hand in the guest, after everything that is offered to any
	// of its NICs. A next hop 0.0.0.0 makes an on-link route. Equal copies are one route.
	ManualRoutes []HostRoute `json:"manual_routes"`
}

// An Instance is a virtual machine with its NICs. The zero Instance is valid: it has no NIC and
// an empty table.
type Instance struct {
	Name string `json:"name"`
	// NICs are in the order in which Linux numbers them and most guests configure them, at most 64.
	// NetworkManager goes by their names instead, with NICs whose default route is not wanted last, and
	// counts up the metrics in that order. systemd-networkd configures them at once.
	NICs []NIC `json:"nics"`
	// DefaultNIC names the NIC whose offered default route the guest is told to use. The guest drops
	// the default routes that other NICs are offered, IPv4 and IPv6. systemd-networkd is the exception: it
	// keeps the IPv4 ones, and gives all routes of those NICs a higher metric. Manual default routes are
	// never dropped. It must be the name of one of NICs, or empty. That NIC may be offered no default route: where the
	// others' are dropped, the guest has none then, and the finding no-default says so. Empty means that the guest is told
	// nothing: dhclient and udhcpc keep the first default route that they are offered, and the other
	// guests install one for each NIC.
	DefaultNIC string `json:"default_nic"`
	// ConfigDrive says that the guest also applies Nova's network_data.json, as cloud-init does.
	// It configures IPv4 subnets without DHCP.
	ConfigDrive bool `json:"config_drive"`
	// Guest is the DHCP client that configures the NICs: one of Guests(). Empty means GuestDhclient. Setting it makes the table that
	// client's. It does not make answers more certain: GuestDependent and Impact.Uncertain compare with the other guests in any
	// case. IPv6 routes and routes from the config drive are the same under every guest: that some guests give them other
	// metrics, or add more of them, is not modelled.
	Guest Guest `json:"guest"`
}

// A Guest names the DHCP client that configures an instance's NICs. Clients install different tables
// from the same offer. The model of each client was compared with the client itself, as Debian 12
// has it. The empty Guest is GuestDhclient.
type Guest string

// The guests.
const (
	GuestDhclient       Guest = "dhclient"         // ISC dhclient: its table is the one that Calico's documentation shows
	GuestNetworkd       Guest = "systemd-networkd" // Ubuntu's
	GuestNetworkManager Guest = "NetworkManager"   // Fedora's, and that of RHEL and CentOS Stream
	GuestDhcpcd         Guest = "dhcpcd"           // CirrOS's since 0.6
	GuestUdhcpc         Guest = "udhcpc"           // BusyBox's, with Debian's script: it takes no host route from DHCP
)

// Guests returns all guests, the default one first.
func Guests() []Guest {
	out := make([]Guest, len(clients))
	for i := range clients {
		out[i] = clients[i].guest
	}
	return out
}

// An InputError reports an argument for which there is no answer: a value that neither Neutron nor a guest could
// hold, or one that does not fit the other arguments. An Old that is not in the list, for example, can mean that the
// cloud has changed since it was read. Functions return all of them together, joined by [errors.Join]; errors.As finds the
// first.
type InputError struct {
	Path string // the field, such as NICs[0].Subnets[1].CIDR or edits[0].New
	Err  error
}

// Error returns "Path: Err".
func (e *InputError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap returns e.Err.
func (e *InputError) Unwrap() error { return e.Err }

// ParseHostRoute parses the form that Horizon and Calico's documentation use,
// "11.11.0.0/16,11.8.0.1": destination, comma, next hop. It keeps bits outside the destination's
// mask, because these are a finding and not an error. It unmaps IPv4-mapped IPv6 addresses, and
// refuses spaces and zones. The error joins one [InputError] for each of Destination and NextHop
// that is malformed; without a comma there is one for HostRoute.
func ParseHostRoute(s string) (HostRoute, error) {
	destination, hop, found := strings.Cut(s, ",")
	if !found {
		return HostRoute{}, &InputError{"HostRoute", fmt.Errorf("%q does not have the form destination,nexthop", s)}
	}
	var wrong errorList
	to, err := netip.ParsePrefix(destination)
	if err != nil {
		wrong.add("Destination", err)
	}
	by, err := netip.ParseAddr(hop)
	if err != nil {
		wrong.add("NextHop", err)
	} else if by.Zone() != "" {
		wrong.add("NextHop", errZone(by))
	}
	if len(wrong) > 0 {
		return HostRoute{}, wrong.join()
	}
	return unmapRoute(HostRoute{to, by}), nil
}

// MustParseHostRoute calls [ParseHostRoute] and panics if it returns an error. It is for
// constants, such as those in tests.
func MustParseHostRoute(s string) HostRoute {
	r, err := ParseHostRoute(s)
	if err != nil {
		panic(err)
	}
	return r
}

// String returns the form that [ParseHostRoute] parses. For the zero HostRoute it returns "".
func (r HostRoute) String() string {
	if r == (HostRoute{}) {
		return ""
	}
	return r.Destination.String() + "," + addrText(r.NextHop)
}

// masked returns r without host bits in its destination.
func (r HostRoute) masked() HostRoute { return HostRoute{r.Destination.Masked(), r.NextHop} }

// label names a subnet in a message.
func (s *Subnet) label() string { return cmp.Or(quoted(s.ID), s.CIDR.String()) }

func (s *Subnet) is4() bool { return s.CIDR.Addr().Is4() }
