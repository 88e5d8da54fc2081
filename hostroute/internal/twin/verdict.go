package twin

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Verdicts returns one verdict for every distinct host route of every subnet
// of every NIC, and for every distinct manual route: in the order of NICs,
// their subnets, the host routes, then the NIC's manual routes.
func Verdicts(in hostroute.Instance) []hostroute.Verdict {
	var list []hostroute.Verdict
	for i, n := range in.NICs {
		for _, s := range Subnets(n) {
			for _, r := range Distinct(s.HostRoutes) {
				list = append(list, verdict(in, subject{i, s, r}))
			}
		}
		for _, r := range Distinct(n.ManualRoutes) {
			list = append(list, verdict(in, subject{i, nil, r}))
		}
	}
	return list
}

// A subject is a route that has a verdict: a host route of a subnet on one NIC,
// or, with no subnet, a manual route.
type subject struct {
	nic    int
	subnet *hostroute.Subnet
	route  hostroute.HostRoute
}

func verdict(in hostroute.Instance, x subject) hostroute.Verdict {
	v := effect(in, x)
	v.Subject = hostroute.Ref{Instance: in.Name, NIC: in.NICs[x.nic].Name, HostRoute: x.route}
	if x.subnet != nil {
		v.Subject.Subnet = x.subnet.ID
	}
	return v
}

// find returns the step in which the subject is tried, nil if it is not
// offered.
func find(list []step, x subject) *step {
	for k := range list {
		t := &list[k]
		if t.nic != x.nic || t.route != x.route {
			continue
		}
		if x.subnet == nil && t.source == hostroute.SourceManual ||
			x.subnet != nil && t.source == hostroute.SourceHostRoute && t.subnet == x.subnet.ID {
			return t
		}
	}
	return nil
}

var classE = netip.MustParsePrefix("240.0.0.0/4") // with 255.255.255.255

// class returns the first class that applies to the next hop. t is the step in which the route is
// tried, nil if it is not offered.
func class(in hostroute.Instance, x subject, t *step) hostroute.NextHopClass {
	n := in.NICs[x.nic]
	hop := x.route.NextHop
	if !oneFamily(x.route, x.subnet) {
		return hostroute.ClassUnusable
	}

	// The gateway of the carrying subnet; for a manual route of any subnet of
	// the NIC, in IPv6 any link-local address instead.
	switch {
	case x.subnet != nil:
		if hop == x.subnet.Gateway {
			return hostroute.ClassOwnGateway
		}
	case hop.Is6():
		if hop.IsLinkLocalUnicast() {
			return hostroute.ClassOwnGateway
		}
	default:
		for _, s := range n.Subnets {
			if hop == s.Gateway {
				return hostroute.ClassOwnGateway
			}
		}
	}

	if hop == none4 {
		return hostroute.ClassOnLink
	}

	if hop.IsMulticast() || hop.IsLoopback() || hop == none6 || classE.Contains(hop) {
		return hostroute.ClassUnusable
	}
	if s, _ := Configured(in, n); s != nil && hop == broadcast(s.CIDR) {
		return hostroute.ClassUnusable
	}
	if x.subnet != nil && hop == broadcast(x.subnet.CIDR) {
		return hostroute.ClassUnusable
	}

	if slices.Contains(n.Addrs, hop) {
		return hostroute.ClassOwnAddress
	}

	for i, other := range in.NICs {
		for _, s := range other.Subnets {
			if i != x.nic && hop == s.Gateway {
				return hostroute.ClassOtherGateway
			}
		}
	}

	// Inside a link-scope route when it is tried; if it never is, inside its
	// subnet.
	if t != nil && t.covered || t == nil && x.subnet.CIDR.Contains(hop) {
		return hostroute.ClassNotGateway
	}
	return hostroute.ClassOffLink
}

// effect returns a verdict with the effect, decided in the order of the constants, and with the class, because
// a cause may depend on it.
func effect(in hostroute.Instance, x subject) hostroute.Verdict {
	overflow := overflows(in)
	list, with := install(in, overflow)
	t := find(list, x)
	v := hostroute.Verdict{Class: class(in, x, t)}
	if t == nil {
		v.Effect, v.Cause = notOffered(in, x, overflow[x.nic])
		return v
	}
	if t.outcome != installed {
		v.Effect, v.Cause = hostroute.EffectRefused, refused(in, *t, v.Class)
		return v
	}

	// Without it, everything is offered and installed again; but an offer that
	// overflows still does, and none else.
	_, without := install(remove(in, x), overflow)
	var witness netip.Addr
	boundaries := Boundaries(with, without)
	for _, inside := range []bool{true, false} {
		for _, a := range boundaries {
			if !witness.IsValid() && t.arrives.Contains(a) == inside && Egress(with, a) != Egress(without, a) {
				witness = a
			}
		}
	}
	if witness.IsValid() {
		v.Effect = hostroute.EffectSteers
		v.With, v.Without, v.Witness = Egress(with, witness), Egress(without, witness), witness
		return v
	}

	claims := false
	for _, a := range boundaries {
		claims = claims || lookup(with, a) == t.row
	}
	switch {
	case !claims:
		v.Effect = hostroute.EffectShadowed
	case len(in.NICs) == 1:
		v.Effect = hostroute.EffectSingleNIC
	default:
		v.Effect = hostroute.EffectRedundant
	}
	return v
}

// notOffered says why a host route never reaches the guest; and what becomes
// of a default that reaches it anyway, as the gateway.
func notOffered(in hostroute.Instance, x subject, overflow bool) (hostroute.Effect, hostroute.Code) {
	const no = hostroute.EffectNotOffered
	s := x.subnet
	conf, _ := Configured(in, in.NICs[x.nic])
	switch {
	case !oneFamily(x.route, s):
		return no, "next-hop-unusable"
	case s.CIDR.Addr().Is6():
		return no, "ipv6-not-offered"
	case conf == nil || conf.ID != s.ID:
		switch {
		case s.DHCPDisabled && !in.ConfigDrive:
			return no, "dhcp-disabled"
		case s.DHCPDisabled:
			return no, "second-ipv4-subnet"
		case !s.CIDR.Contains(s.Gateway):
			return no, "no-lease"
		default:
			return no, "second-ipv4-subnet"
		}
	case overflow:
		return no, "option-overflow"
	case x.route.NextHop != s.Gateway:
		return no, "default-dropped" // only 0.0.0.0/0 is left
	case len(in.NICs) == 1:
		return hostroute.EffectSingleNIC, ""
	default:
		return hostroute.EffectRedundant, ""
	}
}

// refused says why the guest does not install a route that reaches it.
func refused(in hostroute.Instance, t step, c hostroute.NextHopClass) hostroute.Code {
	if t.route.Destination.Addr().Is4() != t.route.NextHop.Is4() {
		return "next-hop-unusable" // whatever else is wrong with it
	}
	switch t.outcome {
	case hostBits:
		return "host-bits"
	case fileExists:
		if t.first.NIC == in.NICs[t.nic].Name {
			return "duplicate"
		}
		return "conflict"
	case dropped:
		return "conflict"
	}
	switch c {
	case hostroute.ClassOwnAddress:
		return "next-hop-own-address"
	case hostroute.ClassOtherGateway:
		return "next-hop-other-nic"
	case hostroute.ClassOffLink:
		return "next-hop-off-link"
	}
	return "next-hop-unusable" // an own gateway too
}

// GuestDependent reports whether a verdict of the reference guest depends on the guest: on the DHCP client, on the order
// of a list, or on the default that it keeps.
func GuestDependent(in hostroute.Instance, subject hostroute.Ref) bool {
	x, found := subjectOf(in, subject)
	if !found || !reaches(in, x) {
		return false
	}
	differs := x.route.Destination.Addr().Is4() && len(GuestsThatDiffer(in, subject)) > 0
	return differs || ListMatters(in, subject) || DefaultDependent(in, subject)
}

// ListMatters reports whether it depends on the order of a list whether the subject is, or may be, in force for the
// instance's guest.
func ListMatters(in hostroute.Instance, subject hostroute.Ref) bool {
	x, found := subjectOf(in, subject)
	guest := string(guestOf(in))
	if !found || !reaches(in, x) || x.subnet == nil || clientOf(guest).no121 && !isStatic(in, x) {
		return false
	}
	return listDecides(in, guest, x, 0)
}

// ListMattersToOthers reports whether it depends on the order of a list whether the subject is, or may be, in force under
// another guest that takes host routes, with any IPv4 default that it may keep.
func ListMattersToOthers(in hostroute.Instance, subject hostroute.Ref) bool {
	x, found := subjectOf(in, subject)
	own := string(guestOf(in))
	if !found || !reaches(in, x) || x.subnet == nil {
		return false
	}
	for _, told := range defaults(in) {
		for _, guest := range Guests {
			for i := range losses(told, guest) {
				if (guest != own || i > 0) && !clientOf(guest).no121 && listDecides(told, guest, x, i) {
					return true
				}
			}
		}
	}
	return false
}

// listDecides reports whether a subject is, or may be, in force if it comes first in its list and not if it comes last, or
// the reverse. The guest loses its offers in one of its ways.
func listDecides(in hostroute.Instance, guest string, x subject, way int) bool {
	overflow := losses(in, guest)[way]
	front := guestInstall(reorder(in, x, true), guest, overflow)
	back := guestInstall(reorder(in, x, false), guest, overflow)
	return mayBeInForce(guest, front, x) != mayBeInForce(guest, back, x)
}

// isStatic reports whether the config drive brings the subject.
func isStatic(in hostroute.Instance, x subject) bool {
	_, static := Configured(in, in.NICs[x.nic])
	return static
}

// mayBeInForce reports whether a guest installs the subject, and no equal route comes before it.
func mayBeInForce(guest string, list []wish, x subject) bool {
	at := slices.IndexFunc(list, func(w wish) bool { return isWish(w, x) })
	if at < 0 {
		return false
	}
	for k, o := range list {
		w := list[at]
		isBefore := o.Metric < w.Metric || o.Metric == w.Metric && k < at && !AnyOrder(guest, o.Route, w.Route)
		if o.Destination == w.Destination && isBefore {
			return false
		}
	}
	return true
}

// reaches reports whether a guest tries to install the subject.
func reaches(in hostroute.Instance, x subject) bool {
	list, _ := install(in, overflows(in))
	return find(list, x) != nil && oneFamily(x.route, x.subnet)
}

// DefaultDependent reports whether the route is effective with another one of several offered defaults and not with this
// one, or the reverse, or whether its witness leaves by another NIC then.
func DefaultDependent(in hostroute.Instance, subject hostroute.Ref) bool {
	x, found := subjectOf(in, subject)
	if !found || !reaches(in, x) || in.DefaultNIC != "" {
		return false
	}
	family := default4
	if x.route.Destination.Addr().Is6() {
		family = default6
	}
	list, _ := install(in, overflows(in))
	var names []string
	for i, n := range in.NICs {
		offers := func(t step) bool {
			return t.nic == i && t.arrives == family && t.source != hostroute.SourceConnected && t.source != hostroute.SourceManual
		}
		if slices.ContainsFunc(list, offers) {
			names = append(names, n.Name)
		}
	}
	if len(names) < 2 {
		return false
	}
	here := effect(in, x)
	for _, name := range names {
		other := in
		other.DefaultNIC = name
		there := effect(other, x)
		if here.Effective() != there.Effective() || here.Effective() && Egress(Table(other), here.Witness) != here.With {
			return true
		}
	}
	return false
}

// Without returns a copy of the instance in which the subject of v, a verdict
// on in, is left out: a host route (and its equal copies) of its subnet,
// hence on every NIC that has it; a manual route of its NIC alone. No subnet
// may have the empty ID.
func Without(in hostroute.Instance, v hostroute.Verdict) hostroute.Instance {
	if x, found := subjectOf(in, v.Subject); found {
		return remove(in, x)
	}
	return in
}

// subjectOf returns what a Ref names.
func subjectOf(in hostroute.Instance, r hostroute.Ref) (subject, bool) {
	for i, n := range in.NICs {
		if n.Name != r.NIC {
			continue
		}
		if r.Subnet == "" {
			return subject{i, nil, r.HostRoute}, true
		}
		for _, s := range n.Subnets {
			if s.ID == r.Subnet {
				return subject{i, s, r.HostRoute}, true
			}
		}
	}
	return subject{}, false
}

func remove(in hostroute.Instance, x subject) hostroute.Instance {
	others := func(list []hostroute.HostRoute) []hostroute.HostRoute {
		var out []hostroute.HostRoute
		for _, r := range list {
			if r != x.route {
				out = append(out, r)
			}
		}
		return out
	}
	if x.subnet != nil {
		return replace(in, x.subnet.ID, others(x.subnet.HostRoutes))
	}
	in.NICs = slices.Clone(in.NICs)
	in.NICs[x.nic].ManualRoutes = others(in.NICs[x.nic].ManualRoutes)
	return in
}

// reorder moves the subject, a host route, to the front or the back of its
// subnet's list.
func reorder(in hostroute.Instance, x subject, front bool) hostroute.Instance {
	var list []hostroute.HostRoute
	if front {
		list = append(list, x.route)
	}
	for _, r := range x.subnet.HostRoutes {
		if r != x.route {
			list = append(list, r)
		}
	}
	if !front {
		list = append(list, x.route)
	}
	return replace(in, x.subnet.ID, list)
}

// replace puts other host routes in the place of a subnet's, on every NIC that
// has it.
func replace(in hostroute.Instance, id string, routes []hostroute.HostRoute) hostroute.Instance {
	in.NICs = slices.Clone(in.NICs)
	for i := range in.NICs {
		n := &in.NICs[i]
		n.Subnets = slices.Clone(n.Subnets)
		for j, s := range n.Subnets {
			if s.ID == id {
				changed := *s
				changed.HostRoutes = routes
				n.Subnets[j] = &changed
			}
		}
	}
	return in
}
