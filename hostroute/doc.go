// Package hostroute says what the host routes of OpenStack subnets do to the
// instances of a cloud with Calico networking: which routing table an instance
// gets, and for every host route whether it is consistent and whether it is
// effective.
//
// # Host routes
//
// A host route is a destination and a next hop that an operator puts on a
// Neutron subnet. DHCP hands the host routes of a subnet to every instance that
// gets its address there, and the guest installs them: each belongs to the NIC whose
// lease carried it, never to the one whose gateway the next hop is.
//
// Under Calico, the local hypervisor routes everything that leaves an instance. The
// gateway address of a subnet stands for that hypervisor, on every host that uses the
// subnet; no data is sent to or from the address itself, it is only the first hop. Any
// other next hop on the link is answered by the hypervisor in its place (proxy ARP) and
// then ignored: the router that the operator had in mind never sees the data.
//
// So the next hop cannot choose a router, and what a host route does choose is the
// NIC. Host routes are useful where an instance has several NICs, the default through one
// of them, and other prefixes to send through another. With one NIC they are
// unhelpful, though harmless.
//
// # Three stages
//
// A host route passes three stages, and the code has them in this order:
//
//	Neutron and DHCP offer routes -> the guest installs them -> the hypervisor forwards what leaves
//
// [NIC.Offer] is the first, [Report.Table] what comes of the second, and
// [Report.Explain] tells of the third.
//
// # Two questions
//
// [Analyze] answers two questions for every host route, and leaves none out:
//
//   - Is it consistent: does its next hop stand for the hypervisor? See [Verdict.Class].
//   - Is it effective: would any destination leave by another NIC without it? See
//     [Verdict.Effect]. The answer is exact, with a witness: it is what deleting
//     the host route and configuring the guest again would show.
//
// What is worth telling a person is in [Report.Findings]: with a stable [Code], the
// reason, and fixes that were tried on the instance. [Rules] documents the codes.
//
// The reference guest is Linux with ISC dhclient. Where other DHCP clients differ, a
// verdict says GuestDependent.
//
// # Not modelled
//
// The hypervisor's own routing table, which must cover every destination (host routes
// add nothing to it); Neutron's force_metadata option; metrics, policy routing and
// firewalls in the guest; and when running instances get a change: DHCP agent and
// client see a changed host route only later, if at all. Nor are subnets and addresses that
// Linux treats specially and Neutron does not hand out: a subnet that begins at 0.0.0.0, a fixed IP that is
// multicast or a broadcast address.
//
// # Habits
//
// All functions are pure: they read their arguments, modify and retain nothing of them,
// give the same bytes for the same input, and may be called concurrently. Errors
// mean that there is no answer; findings are the answer.
package hostroute
