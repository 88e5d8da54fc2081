package hostroute

import (
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// A NextHopClass says what the next hop of a route is, and so whether the route is consistent.
type NextHopClass string

// The classes of a next hop. If several apply, the first one counts.
const (
	// ClassOwnGateway: the gateway of the carrying subnet. For a manual route: the gateway of
	// any subnet of its NIC; in IPv6 any link-local address instead.
	ClassOwnGateway NextHopClass = "own-gateway"
	// ClassOnLink: 0.0.0.0.
	ClassOnLink NextHopClass = "on-link"
	// ClassUnusable: a multicast, loopback or class E address, the broadcast address of the
	// NIC's own prefix, :: or an address of another family than the destination or the subnet.
	// (A next hop of another family is never own-gateway.)
	ClassUnusable NextHopClass = "unusable"
	// ClassOwnAddress: an address of the NIC itself.
	ClassOwnAddress NextHopClass = "own-address"
	// ClassOtherGateway: the gateway of another NIC's subnet.
	ClassOtherGateway NextHopClass = "other-gateway"
	// ClassNotGateway: any other address that the NIC reaches directly.
	ClassNotGateway NextHopClass = "not-gateway"
	// ClassOffLink: an address that the NIC does not reach directly.
	ClassOffLink NextHopClass = "off-link"
)

// An Effect says what a route changes. "Without the route" means: without that host route in its
// subnet, and so on every NIC that has the subnet, with everything installed again. If the offer is
// too long for DHCP, routes that would fit after a deletion are not counted. A host route to
// 0.0.0.0/0 by the gateway counts as the default route of its subnet, which is offered in any case.
type Effect string

// The effects of a route, in the order in which they are decided.
const (
	EffectNotOffered Effect = "not-offered" // it never reaches the guest
	EffectRefused    Effect = "refused"     // the guest does not install it
	EffectSteers     Effect = "steers"      // without it, some destination leaves by another NIC, or has no route
	EffectShadowed   Effect = "shadowed"    // longer or earlier routes cover every address of it
	EffectSingleNIC  Effect = "single-nic"  // its traffic would leave by the same NIC anyway, for there is only one
	EffectRedundant  Effect = "redundant"   // its traffic would leave by the same NIC anyway
)

// A Ref names the subject of a verdict or a finding. Parts that do not apply are zero: all but
// Instance for an instance, Subnet for a manual route.
type Ref struct {
	Instance  string    `json:"instance"`
	NIC       string    `json:"nic"`
	Subnet    string    `json:"subnet"`     // ID
	HostRoute HostRoute `json:"host_route"` // as configured; also a manual route or a sibling route
}

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.77", without the parts that are empty.
func (r Ref) String() string {
	parts := []string{quoted(r.Instance), quoted(r.NIC), quoted(r.Subnet), r.HostRoute.String()}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// A Verdict answers the two questions for one host route on one NIC, or for one manual route. The
// answers are independent of each other.
type Verdict struct {
	Subject Ref          `json:"subject"`
	Class   NextHopClass `json:"class"`  // what the next hop is
	Effect  Effect       `json:"effect"` // what the route changes
	// Cause is the code that says why the route is not in force. It is set exactly if Effect is
	// not-offered or refused.
	Cause Code `json:"cause"`
	// With and Without are the egress NICs of Witness with the route and without it; "" means no
	// route. Witness is the lowest address inside the destination for which they differ, else the
	// lowest of all. All three are zero unless Effect is steers.
	With    string     `json:"with"`
	Without string     `json:"without"`
	Witness netip.Addr `json:"witness"`
	// GuestDependent says that other DHCP clients may behave differently from ISC dhclient, whose
	// behaviour this verdict describes. It is set if the route is offered and one of these holds:
	//   - the next hop is not in the carrying subnet: some clients add a route to it;
	//   - the next hop is 0.0.0.0 or the NIC's own address: dhcpcd installs only the first
	//     address of the destination;
	//   - Linux refuses the next hop, or the destination has host bits: systemd-networkd then
	//     stops DHCP on the NIC;
	//   - the destination also comes by another NIC, or is another NIC's subnet: clients differ
	//     on which one wins;
	//   - the route is installed if it comes first in its subnet's list and not if it comes last,
	//     or the reverse: Neutron keeps no order;
	//   - the offer is longer than 197 bytes, which not every client gets whole;
	//   - DefaultNIC is empty, and Effect would differ if the guest kept another one of the
	//     offered default routes.
	// A manual route meets no DHCP client. For it, only two things count: a destination that
	// another NIC is offered or has as its subnet, and the default route.
	GuestDependent bool `json:"guest_dependent"`
}

// Consistent reports whether the next hop stands for the hypervisor, as Calico requires: whether
// Class is own-gateway or other-gateway.
func (v Verdict) Consistent() bool {
	return v.Class == ClassOwnGateway || v.Class == ClassOtherGateway
}

// Effective reports whether Effect is steers.
func (v Verdict) Effective() bool { return v.Effect == EffectSteers }

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.1: own-gateway, steers: 11.11.0.0 leaves
// by eth1, without it by eth0", or "...: off-link, refused (next-hop-off-link)". Where it is
// GuestDependent, it says so at the end.
func (v Verdict) String() string {
	s := string(v.Class) + ", " + string(v.Effect)
	if where := v.Subject.String(); where != "" {
		s = where + ": " + s
	}
	if v.Cause != "" {
		s += " (" + string(v.Cause) + ")"
	}
	if v.Effective() {
		s += ": " + v.Witness.String()
		switch {
		case v.With == "":
			s += " has no route, without it leaves by " + quoted(v.Without)
		case v.Without == "":
			s += " leaves by " + quoted(v.With) + ", without it has no route"
		default:
			s += " leaves by " + quoted(v.With) + ", without it by " + quoted(v.Without)
		}
	}
	if v.GuestDependent {
		s += "; another DHCP client or default may differ"
	}
	return s
}

// A judged is a candidate with its verdict.
type judged struct {
	*candidate
	*Verdict
	// What makes the verdict guest-dependent:
	onClient  bool // the DHCP client, or the order of a list
	onDefault bool // the default that the guest keeps
}

// judge returns every host route and manual route with its verdict, and the verdicts themselves. Besides the
// guest, it looks at those that keep other defaults.
func judge(o *outcomes, others []*outcomes) ([]judged, []Verdict) {
	n := 0
	for i := range o.candidates {
		if o.candidates[i].hasVerdict() {
			n++
		}
	}
	all, verdicts := make([]judged, 0, n), make([]Verdict, n)
	for i := range o.candidates {
		c := &o.candidates[i]
		if !c.hasVerdict() {
			continue
		}
		out := o.outcome(c)
		v := &verdicts[len(all)]
		v.Subject = c.ref(o.Name)
		v.Class, v.Effect = classOf(o.fib, c), o.effect(c, out)
		v.Cause = causeOf(o.fib, c, v.Class)
		if v.Effect == EffectSteers {
			v.With, v.Without, v.Witness = o.nicName(out.with), o.nicName(out.without), out.witness
		}
		j := judged{candidate: c, Verdict: v, onClient: clientsDiffer(o.fib, c)}
		for _, other := range others {
			j.onDefault = j.onDefault || other.effect(c, other.outcome(c)) != v.Effect
		}
		v.GuestDependent = j.onClient || j.onDefault
		all = append(all, j)
	}
	return all, verdicts
}

func (f *fib) nicName(number int32) string {
	if number == sweep.None {
		return ""
	}
	return f.nics[number].Name
}

// classOf returns the class of a candidate's next hop.
func classOf(f *fib, c *candidate) NextHopClass {
	hop := c.NextHop
	switch {
	case !c.oneFamily():
		return ClassUnusable
	case c.isOwnGateway():
		return ClassOwnGateway
	case hop == zero4:
		return ClassOnLink
	case hop.IsUnspecified(), hop.IsMulticast(), hop.IsLoopback(), isClassE(hop), c.isBroadcast():
		return ClassUnusable
	case slices.Contains(c.nic.Addrs, hop):
		return ClassOwnAddress
	}
	if s, _ := f.otherGateway(c); s != nil {
		return ClassOtherGateway
	}
	covered := c.subnet != nil && c.subnet.CIDR.Contains(hop)
	if c.tried {
		covered = f.answers[c.number].covered
	}
	if covered {
		return ClassNotGateway
	}
	return ClassOffLink
}

// isOwnGateway reports whether the next hop stands for the hypervisor on the route's own NIC.
func (c *candidate) isOwnGateway() bool {
	switch {
	case c.subnet != nil:
		return c.NextHop == c.subnet.Gateway
	case c.NextHop.Is6():
		return c.NextHop.IsLinkLocalUnicast()
	}
	return slices.ContainsFunc(c.nic.Subnets, func(s *Subnet) bool { return s.Gateway == c.NextHop })
}

func (c *candidate) isBroadcast() bool {
	return c.NextHop == c.nic.broadcast || c.subnet != nil && c.NextHop == broadcast(c.subnet.CIDR)
}

// isClassE reports whether an address is in 240.0.0.0/4, to which 255.255.255.255 belongs.
func isClassE(a netip.Addr) bool { return a.Is4() && a.As4()[0] >= 240 }

// otherGateway returns the first subnet of another NIC whose gateway is the next hop, and that NIC.
func (f *fib) otherGateway(c *candidate) (*Subnet, *nic) {
	for i := range f.nics {
		for _, s := range f.nics[i].Subnets {
			if s.Gateway == c.NextHop && &f.nics[i] != c.nic {
				return s, &f.nics[i]
			}
		}
	}
	return nil, nil
}

// causeOf returns why a candidate is not in force; "" if it is.
func causeOf(f *fib, c *candidate, class NextHopClass) Code {
	if !c.tried {
		return f.withheld(c)
	}
	switch f.result(c) {
	case badMask:
		return CodeHostBits
	case dropped:
		return CodeConflict
	case exists:
		if f.inForce[c.dest.number].nic == c.nic {
			return CodeDuplicate
		}
		return CodeConflict
	case badNextHop:
		switch class {
		case ClassOtherGateway:
			return CodeNextHopOtherNIC
		case ClassOffLink:
			return CodeNextHopOffLink
		case ClassOwnAddress:
			return CodeNextHopOwnAddress
		}
		return CodeNextHopUnusable
	}
	return ""
}

// clientsDiffer reports whether DHCP clients, or orders of the list, differ on a candidate.
func clientsDiffer(f *fib, c *candidate) bool {
	switch {
	case !c.tried:
		return false
	case c.subnet == nil:
		return c.comesElsewhere()
	}
	return !c.subnet.CIDR.Contains(c.NextHop) || c.isOnLink() || slices.Contains(c.nic.Addrs, c.NextHop) || f.result(c) == badNextHop ||
		c.hasHostBits() || c.comesElsewhere() || c.nic.bytes > offerSafe || orderMatters(f, c)
}

// comesElsewhere reports whether the destination also comes by another NIC; to a manual route only offers count.
func (c *candidate) comesElsewhere() bool {
	first := c.dest.rivals[0]
	if c.source != fromManual {
		return c.dest.several
	}
	return first.source != fromManual && (first.nic != c.nic || c.dest.offeredBySeveral)
}

// orderMatters reports whether a host route is installed if it comes first in its subnet's list and
// not if it comes last, or the reverse. Its next hop lies in its subnet.
func orderMatters(f *fib, c *candidate) bool {
	inList := func(o *candidate) bool { return o.source == fromHostRoute && o.nic == c.nic }
	if !f.accepts(c) || !inList(f.inForce[c.dest.number]) {
		return false // a dropped default, or the destination is taken before the list begins
	}
	first := f.covers(c, (*candidate).comesBeforeList)
	last := !slices.ContainsFunc(c.dest.rivals, func(o *candidate) bool { return o != c && inList(o) && f.accepts(o) })
	return first != last
}

// comesBeforeList reports whether a NIC installs an on-link route before any host route.
func (c *candidate) comesBeforeList() bool {
	return c.source == fromSibling || c.source == fromDefault && c.nic.static
}
