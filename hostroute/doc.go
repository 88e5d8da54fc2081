// Package hostroute shows what the host routes of OpenStack subnets really do in a cloud
// with Calico networking: which routing table an instance gets, which host routes work,
// which are ignored, and which change nothing.
//
// # Host routes
//
// A host route is a destination and a next hop that an operator puts on a Neutron subnet.
// DHCP hands the host routes of a subnet to every instance that gets its address there, and
// the guest installs them. A route belongs to the NIC whose lease carried it, even if its next hop
// is the gateway of another NIC.
//
// Under Calico the local hypervisor routes everything that an instance sends. The gateway
// address of a subnet stands for that hypervisor, on every host that uses the subnet. No data
// is sent to or from this address; it is only the first hop. Any other next hop on the link is
// ignored: the hypervisor answers for it (proxy ARP) and forwards the data itself. The router
// that the operator had in mind never sees it.
//
// So a host route cannot choose a router. It can only choose the NIC. Host routes are useful
// where an instance has several NICs, one of them with the default route, and some prefixes
// should leave by another one. With one NIC they are unhelpful, though harmless.
//
// Host routes cannot send data through a router, firewall or VPN instance, and they cannot lead to
// the metadata address through a DHCP port. Routing in the hypervisors (BGP) or a tunnel from the
// guest can do the first. A NIC on the router's own network does not help: the hypervisor forwards
// that data, too.
//
// A trap: "no gateway on the second subnet" is the usual advice against two default routes.
// Under Calico such a subnet gives no lease, and the NIC gets no address and no route at all.
// Give the subnet a gateway, and tell the guest which default to keep.
//
// # Three stages
//
// A host route passes three stages, and the code has them in this order:
//
//	Neutron and DHCP offer routes -> the guest installs them -> the hypervisor forwards what leaves
//
// [NIC.Offer] returns what the first stage hands to a NIC. [Report.Table] is what the second
// leaves in the guest. [Report.Explain] follows one destination through the third.
//
// # Two questions
//
// [Analyze] answers two questions about every host route, and leaves none out:
//
//   - Is it consistent? Does its next hop stand for the hypervisor? See [Verdict.Class].
//   - Is it effective? Would any traffic use another NIC without it? See [Verdict.Effect].
//     For a host route in force, the answer is exact: it is what deleting the host route and
//     configuring the guest again would show, with the rest of the list as it is. A real deletion
//     can move more, for two reasons. Deleting a host route that is refused or not offered can move
//     data, for example if it is in force on another NIC. And any edit masks all destinations with
//     host bits. [Instance.Impact] counts both: ask it before you delete a host route.
//
// [Report.Findings] holds what a person should know: a stable [Code], the reason, and fixes.
// [Rules] documents the codes. A subnet is shared, and a fix for one instance may move the data
// of another: [Instance.Impact] says what edits do to an instance. [Instance.MovesNothing]
// answers only whether they are safe, as [Impact.None] does. Ask for every instance on the subnet before you edit.
//
// # Guests
//
// DHCP clients install different tables from the same offer. Instance.Guest names the client:
// dhclient (the default, because Calico's documentation shows its table), systemd-networkd,
// NetworkManager, dhcpcd or udhcpc. The table with its metrics, the verdicts and the findings show
// what that client does, in the version of Debian 12. [Verdict.Guests] names the clients under
// which a verdict differs.
//
// An offer of more than 255 bytes reaches no client (see [CodeOptionOverflow]). One of more than 197 bytes may not fit beside the
// other options in the small messages that dhclient and NetworkManager announce, so these can lose it.
//
// systemd-networkd configures all NICs at once, with one metric. If two NICs get equal routes, the
// one whose lease comes first is in force. Nobody can know which one that is, so both routes are
// open: the table has both, and [Table.Lookup] returns the first. Verdicts and [Instance.Impact]
// treat each as possible. NetworkManager gives each NIC a metric of its own; two of its routes are
// open only if a NIC has several default routes, which it counts up.
//
// # Not modelled
//
// The model leaves out:
//
//   - The hypervisor's own routing table. It must cover every destination, and host routes add
//     nothing to it.
//   - Neutron's force_metadata option.
//   - An offer that is too long and has more than 1024 characters as text. dnsmasq takes the rest for other
//     options, and in rare cases the NIC then gets no lease.
//   - Policy routing, firewalls and metrics that a person sets in the guest.
//   - The time at which running instances get a change. A changed host route reaches them only
//     later, if at all.
//   - Subnets and addresses that Linux treats specially and Neutron does not hand out: a subnet that
//     begins at 0.0.0.0, or a fixed IP that is a multicast or broadcast address.
//   - What a DHCP client changes when a lease is renewed or lost. The table is the one that it
//     installs at the first lease of each NIC.
//   - The order of dhcpcd's leases, although dhcpcd tries again with each new lease what Linux has
//     refused.
//   - The routes to name servers that systemd-networkd adds.
//   - The IPv6 routes that dhcpcd adds to the default route of the router advertisement.
//   - Metrics of routes from the config drive.
//
// # Habits
//
// All functions are pure: they neither modify nor retain their arguments, give the same bytes for
// the same input, and may be called concurrently. An error means that there is
// no answer; findings are the answer. Names and IDs come from tenants: where they are printed as
// text, those with anything but letters, digits and a few signs are quoted, as by [strconv.Quote].
//
// Slices in results are empty rather than nil, so that they are [] in JSON. Three kinds may be nil:
// results beside an error, those whose documentation says so, and the fields of Subnet, NIC and Instance.
package hostroute
