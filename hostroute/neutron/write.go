package neutron

// This file writes host routes as Neutron and the openstack command take them.

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// maxHostRoutes is Neutron's default limit of host routes on a subnet, max_subnet_host_routes.
const maxHostRoutes = 20

// UpdateBody returns the body of PUT /v2.0/subnets/ID that gives the subnet the host routes of s:
// {"subnet":{"host_routes":[...]}}. Neutron replaces the whole list. Destinations are masked,
// IPv4-mapped addresses unmapped, and equal copies written once, since Neutron refuses anything
// else. For nil the list is empty.
func UpdateBody(s *hostroute.Subnet) []byte {
	var body struct {
		Subnet struct {
			HostRoutes []hostroute.HostRoute `json:"host_routes"`
		} `json:"subnet"`
	}
	body.Subnet.HostRoutes = []hostroute.HostRoute{}
	if s != nil {
		body.Subnet.HostRoutes = written(s.HostRoutes)
	}
	b, _ := json.Marshal(body) // addresses and prefixes always marshal
	return b
}

// ReplaceCommand returns the command that gives the subnet the host routes of s, and no other, in
// one request. The list is that of [UpdateBody]. The arguments are not quoted for a shell. If s has
// no ID, the last one is "". For nil it returns nil.
func ReplaceCommand(s *hostroute.Subnet) []string {
	if s == nil {
		return nil
	}
	return command(s.ID, written(s.HostRoutes), "set", "--no-host-route")
}

// EditCommands returns the commands that make the edits of s and touch none of its other host
// routes, so commands of different edits can be run one after the other: `subnet set` for what
// is added, then `subnet unset` for what goes. If one fails, do not run the next: the host route that it should replace would
// be lost. The arguments are not quoted for a shell.
//
// The result is nil if [hostroute.Subnet.Apply] fails, and if there is nothing to change. Call Apply first to see why it fails. Edits
// of other subnets are ignored.
//
// Edits that add or remove the same host route belong in one call: Neutron refuses to add one that is there and to
// remove one that is not. The fixes of two host routes to one destination are such edits if both get the gateway as next hop.
// With the edits of several fixes in one call, the commands are those of all of them, and not of one after the other: data may move
// until the last command is run.
//
// In three cases there are no such commands, and [ReplaceCommand] of the edited subnet is
// returned instead. It has --no-host-route and the whole list, so it undoes every change that was made since s was read, such
// as one by a command of other edits. To make another edit of such a subnet later, call EditCommands with s as it was read, the
// earlier edits and the new one. Its command makes them all.
//
//   - a destination of s has host bits, which Neutron refuses when it is sent the list
//   - something is added and something goes, and the list would be longer than Neutron's default limit of 20 in between
//   - something goes from a subnet of IPv6 or without DHCP. `unset` compares text and fails where the
//     list has another spelling, such as 2001:DB8::/32 or a netmask. s does not show the spelling, and
//     there it makes no finding.
//
// EditCommands cannot see a [CodeNetmaskSpelling]. For a subnet with that finding, run ReplaceCommand of the subnet as it is,
// and read the cloud again: no answer about the instances on it holds before.
//
// One fix can have edits of several subnets. Then call EditCommands once for each, in the order in which the edits of the fix first name
// them: a host route that moves to another subnet is then added before it is removed. For the edits of several fixes together no such
// order is known, so make one fix after the other.
func EditCommands(s *hostroute.Subnet, edits ...hostroute.Edit) [][]string {
	edited, err := s.Apply(edits...)
	if err != nil || !slices.ContainsFunc(edits, func(e hostroute.Edit) bool { return e.Subnet == s.ID }) {
		return nil
	}
	before, after := written(s.HostRoutes), edited.HostRoutes
	added, gone := without(after, before), without(before, after)
	hostBits := slices.ContainsFunc(s.HostRoutes, func(r hostroute.HostRoute) bool { return r.Destination != r.Destination.Masked() })
	noRoom := len(added) > 0 && len(gone) > 0 && len(before)+len(added) > maxHostRoutes
	unknownSpelling := len(gone) > 0 && (s.CIDR.Addr().Is6() || s.DHCPDisabled)
	if hostBits || noRoom || unknownSpelling {
		return [][]string{ReplaceCommand(edited)}
	}
	var commands [][]string
	if len(added) > 0 {
		commands = append(commands, command(s.ID, added, "set"))
	}
	if len(gone) > 0 {
		commands = append(commands, command(s.ID, gone, "unset"))
	}
	return commands
}

func command(subnet string, routes []hostroute.HostRoute, verb ...string) []string {
	argv := append([]string{"openstack", "subnet"}, verb...)
	for _, r := range routes {
		argv = append(argv, "--host-route", "destination="+r.Destination.String()+",gateway="+r.NextHop.String())
	}
	if strings.HasPrefix(subnet, "-") {
		argv = append(argv, "--") // else the ID would be an option
	}
	return append(argv, subnet)
}

// written returns host routes as Neutron takes them.
func written(list []hostroute.HostRoute) []hostroute.HostRoute {
	out := make([]hostroute.HostRoute, len(list))
	for i, r := range list {
		out[i] = hostroute.HostRoute{Destination: canon.Prefix(r.Destination).Masked(), NextHop: r.NextHop.Unmap()}
	}
	return canon.Unique(out)
}

// without returns the host routes of list that are not in other.
func without(list, other []hostroute.HostRoute) []hostroute.HostRoute {
	in := make(map[hostroute.HostRoute]bool, len(other))
	for _, r := range other {
		in[r] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(r hostroute.HostRoute) bool { return in[r] })
}

// DefaultGateway returns the gateway that Neutron takes for a subnet whose request has no
// gateway_ip: in IPv4 the address after the network address, in IPv6 the network address itself.
// It returns the zero Addr if that is outside the CIDR, or the CIDR is invalid.
func DefaultGateway(cidr netip.Prefix) netip.Addr {
	if !cidr.IsValid() {
		return netip.Addr{}
	}
	cidr = canon.Prefix(cidr).Masked()
	gateway := cidr.Addr()
	if gateway.Is4() {
		gateway = gateway.Next()
	}
	if !cidr.Contains(gateway) {
		return netip.Addr{}
	}
	return gateway
}
