package hostroute

import (
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// A NextHopClass is axis 1 of a [Verdict], which says whether the route is consistent:
// what the next hop is.
type NextHopClass string

// The classes of a next hop; of several that apply, the first.
const (
	// ClassOwnGateway: the gateway of the carrying subnet; of a manual route, that
	// of any subnet of its NIC, or in IPv6 any link-local address.
	ClassOwnGateway NextHopClass = "own-gateway"
	// ClassOnLink: 0.0.0.0.
	ClassOnLink NextHopClass = "on-link"
	// ClassUnusable: multicast, loopback, class E, a broadcast address of the
	// NIC's own prefix, :: or an address of another family than the destination
	// or the subnet. (Own-gateway comes first only within one family.)
	ClassUnusable NextHopClass = "unusable"
	// ClassOwnAddress: an address of the NIC itself.
	ClassOwnAddress NextHopClass = "own-address"
	// ClassOtherGateway: the gateway of another NIC's subnet.
	ClassOtherGateway NextHopClass = "other-gateway"
	// ClassNotGateway: any other address that the NIC reaches directly.
	ClassNotGateway NextHopClass = "not-gateway"
	// ClassOffLink: an address that it does not.
	ClassOffLink NextHopClass = "off-link"
)

// An Effect is axis 2 of a [Verdict], which says whether the route is effective: whether
// it changes through which NIC any destination leaves. Without the route means: without
// that host route in its subnet, hence on every NIC that has the subnet, and
// everything installed again. Only what an offer that is too long for DHCP would let in
// if it got shorter does not count. A host route to 0.0.0.0/0 that names the gateway counts as
// the default of its subnet, which is offered anyway.
type Effect string

// The effects of a route, in the order in which they are decided.
const (
	EffectNotOffered Effect = "not-offered" // it never reaches the guest
	EffectRefused    Effect = "refused"     // the guest does not install it
	EffectSteers     Effect = "steers"      // without it, some destination leaves by another NIC, or has no route
	EffectShadowed   Effect = "shadowed"    // longer or earlier routes claim every address of it
	EffectSingleNIC  Effect = "single-nic"  // all would leave by the same NIC anyway, and there is but one
	EffectRedundant  Effect = "redundant"   // all would leave by the same NIC anyway
)

// A Ref names what a verdict or a finding is about. Parts that do not apply are
// zero: all but Instance for an instance, Subnet for a manual route.
type Ref struct {
	Instance  string    `json:"instance"`
	NIC       string    `json:"nic"`
	Subnet    string    `json:"subnet"`     // ID
	HostRoute HostRoute `json:"host_route"` // as configured; also a manual or a sibling route
}

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.77", without the
// parts that are empty.
func (r Ref) String() string {
	parts := []string{r.Instance, r.NIC, r.Subnet, r.HostRoute.String()}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// A Verdict says what is true of one host route on one NIC, or of one manual
// route, on two axes that are independent of each other.
type Verdict struct {
	Subject Ref          `json:"subject"`
	Class   NextHopClass `json:"class"`
	Effect  Effect       `json:"effect"`
	// Cause is the code that says why the route is not in force. It is set
	// exactly where Effect is not-offered or refused.
	Cause Code `json:"cause"`
	// With and Without are the egress NICs of Witness with the route and without it, ""
	// being no route. Witness is the lowest address inside the destination for which they
	// differ, else the lowest of all. All three are zero unless Effect is steers.
	With    string     `json:"with"`
	Without string     `json:"without"`
	Witness netip.Addr `json:"witness"`
	// GuestDependent says that another guest may do otherwise than this verdict,
	// that of ISC dhclient. It is set if the route is offered and one of these holds:
	//   - the next hop is not in the carrying subnet: some clients add a route to it;
	//   - the next hop is 0.0.0.0: dhcpcd installs the first address only (and does so for
	//     the NIC's own address, which is an error anyway and does not set this);
	//   - Linux refuses the next hop, or the destination has host bits: under
	//     systemd-networkd, the NIC's DHCP stops;
	//   - the destination also comes by another NIC, or is another NIC's subnet:
	//     clients differ on which one wins;
	//   - it is installed if it stands first in its subnet's list and not if last, or
	//     vice versa: Neutron keeps no order;
	//   - the offer is longer than 197 bytes, which not every client gets whole;
	//   - DefaultNIC is empty, and Effect would differ if the guest kept another offered
	//     default.
	// A manual route meets no DHCP client. For it, the destination counts that another NIC
	// is offered, or has as its subnet, and the default.
	GuestDependent bool `json:"guest_dependent"`
}

// Consistent says whether the next hop stands for the hypervisor, as Calico
// demands: Class is own-gateway or other-gateway.
func (v Verdict) Consistent() bool {
	return v.Class == ClassOwnGateway || v.Class == ClassOtherGateway
}

// Effective says whether Effect is steers.
func (v Verdict) Effective() bool { return v.Effect == EffectSteers }

// class is axis 1. covered says whether the NIC reaches the next hop directly.
func (p *plan) class(it *item, covered bool) NextHopClass {
	hop, g := it.route.NextHop, &p.nics[it.nic]
	switch {
	case !it.oneFamily():
		return ClassUnusable
	case p.isGateway(it):
		return ClassOwnGateway
	case hop == zero4:
		return ClassOnLink
	case hop.IsUnspecified(), hop.IsMulticast(), hop.IsLoopback(), hop.Is4() && hop.As4()[0] >= 240, hop == g.broadcast,
		it.subnet != nil && hop == broadcast(it.subnet.CIDR):
		return ClassUnusable
	case slices.Contains(g.Addrs, hop):
		return ClassOwnAddress
	}
	if other, _ := p.otherGateway(it); other != nil {
		return ClassOtherGateway
	}
	if covered {
		return ClassNotGateway
	}
	return ClassOffLink
}

func (it *item) oneFamily() bool {
	if it.subnet != nil {
		return it.subnet.oneFamily(it.route)
	}
	return it.route.Destination.Addr().Is4() == it.route.NextHop.Is4()
}

// isGateway says whether the next hop stands for the hypervisor on its own NIC.
func (p *plan) isGateway(it *item) bool {
	hop := it.route.NextHop
	switch {
	case it.subnet != nil:
		return hop == it.subnet.Gateway
	case hop.Is6():
		return hop.IsLinkLocalUnicast()
	}
	return slices.ContainsFunc(p.nics[it.nic].Subnets, func(s *Subnet) bool { return s.Gateway == hop })
}

// otherGateway returns the first subnet of another NIC whose gateway is the next
// hop, and that NIC.
func (p *plan) otherGateway(it *item) (*Subnet, int) {
	for i := range p.nics {
		for _, s := range p.nics[i].Subnets {
			if i != int(it.nic) && s.Gateway == it.route.NextHop {
				return s, i
			}
		}
	}
	return nil, 0
}

// decide installs the plan as the guest does, and gives every item its class and
// what keeps it from being in force.
func (p *plan) decide(r *stateRoom) state {
	s := p.install(r, p.keep, -1, true)
	for i := range p.items {
		if it := &p.items[i]; it.try < 0 {
			it.class = p.class(it, it.subnet != nil && it.subnet.CIDR.Contains(it.route.NextHop))
		}
	}
	return s
}

// cause returns why an item that was tried is not installed; "" if it is.
func (p *plan) cause(s *state, it *item) Code {
	switch s.answers[it.try] {
	case badMask:
		return CodeHostBits
	case dropped:
		return CodeConflict
	case exists:
		if p.routes[p.inForce(s, it)].NIC == it.nic {
			return CodeDuplicate
		}
		return CodeConflict
	case badNextHop:
		if it.class != ClassOwnGateway {
			return it.class.code()
		}
		return CodeNextHopUnusable
	}
	return ""
}

// inForce returns the try that decides the destination of an item that was tried.
func (p *plan) inForce(s *state, it *item) int32 { return s.first[p.tries[it.try].group] }

// effect is axis 2 of an item in a state, whose outcomes are given.
func (p *plan) effect(s *state, outcomes []outcome, i int) Effect {
	switch it := &p.items[i]; {
	case it.merged && len(p.nics) == 1:
		return EffectSingleNIC
	case it.merged:
		return EffectRedundant
	case it.try >= 0 && s.answers[it.try] == installed:
		return outcomes[i].effect
	case it.try < 0 && it.subnet != nil:
		return EffectNotOffered
	}
	return EffectRefused
}

// guestDependent says whether guests differ on an item, DefaultNIC apart.
func (p *plan) guestDependent(s *state, it *item) bool {
	if it.try < 0 {
		return false
	}
	if it.subnet == nil {
		return p.elsewhere(it)
	}
	g := &p.nics[it.nic]
	return !it.subnet.CIDR.Contains(it.route.NextHop) || it.route.NextHop == zero4 || s.answers[it.try] == badNextHop ||
		it.hostBits || p.elsewhere(it) || !g.static && g.bytes > offerSafe ||
		p.orderMatters(s, it)
}

// elsewhere says whether the destination of an item also comes by another NIC; of a manual
// route, whether another NIC is offered it.
func (p *plan) elsewhere(it *item) bool {
	for _, i := range p.tried(int(p.tries[it.try].group)) {
		if it.subnet == nil && p.tries[i].source == SourceManual {
			break // these come last
		}
		if p.routes[i].NIC != it.nic {
			return true
		}
	}
	return false
}

// orderMatters says whether a host route is installed if it is tried first in its subnet's
// list and not if last, or vice versa. Its next hop is in the subnet here; so, but for a
// subnet without a connected route, only an equal destination in the list can matter.
func (p *plan) orderMatters(s *state, it *item) bool {
	listed := func(i int32) bool { return p.routes[i].NIC == it.nic && p.tries[i].source == SourceHostRoute }
	rivals, accepted := false, false
	for _, i := range p.tried(int(p.tries[it.try].group)) {
		if i != it.try && listed(i) {
			rivals, accepted = true, accepted || s.accepted(i)
		}
	}
	if p.nics[it.nic].onLinkItems && (rivals || it.subnet.CIDR.IsSingleIP()) { // next hops may depend on these
		return p.installedAt(it, false) != p.installedAt(it, true)
	}
	return accepted && s.accepted(it.try) && listed(p.inForce(s, it))
}

// installedAt says whether a host route is installed if it stands first, or last, in its subnet's list.
func (p *plan) installedAt(it *item, last bool) bool {
	moved := *it.subnet
	moved.HostRoutes = slices.DeleteFunc(slices.Clone(moved.HostRoutes), func(r HostRoute) bool { return r == *it.route })
	at := 0
	if last {
		at = len(moved.HostRoutes)
	}
	moved.HostRoutes = slices.Insert(moved.HostRoutes, at, *it.route)
	in, _ := p.in.mapped(func(s *Subnet) (*Subnet, error) {
		if s.ID == moved.ID {
			return &moved, nil
		}
		return s, nil
	})
	var r room
	q := newPlan(&in, p.lone, &r)
	q.decide(&r.state)
	return slices.ContainsFunc(q.items, func(o item) bool {
		return o.nic == it.nic && o.subnet == &moved && *o.route == *it.route && o.cause == ""
	})
}

// others returns what else the guest may keep: each default that it is offered, where there
// are several of a family and nothing says which one.
func (p *plan) others() []kept {
	if p.keep != (kept{-1, -1}) || len(p.nics) == 1 {
		return nil
	}
	var out []kept
	for _, all := range [...]netip.Prefix{any4, any6} {
		start := len(out)
		for i, r := range p.routes {
			k := p.keep
			if all == any4 {
				k.v4 = r.NIC
			} else {
				k.v6 = r.NIC
			}
			if r.Prefix == all && p.tries[i].isDefault(all) && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
		if len(out) == start+1 {
			out = out[:start]
		}
	}
	return out
}

// verdicts returns the verdicts of all items, and which of them hang on what default
// the guest keeps.
func (p *plan) verdicts(s *state, outcomes []outcome, others []kept) (all []Verdict, hang []bool) {
	all = make([]Verdict, len(p.items))
	for i := range p.items {
		it, v := &p.items[i], &all[i]
		p.name(&v.Subject, it)
		v.Class, v.Effect, v.Cause = it.class, p.effect(s, outcomes, i), it.cause
		v.GuestDependent = p.guestDependent(s, it)
		if v.Effect == EffectSteers {
			o := &outcomes[i]
			v.With, v.Without, v.Witness = p.nicName(o.with), p.nicName(o.without), o.witness
		}
	}
	if len(others) > 0 {
		hang = make([]bool, len(p.items))
	}
	for _, keep := range others {
		s := p.install(new(stateRoom), keep, -1, false)
		outcomes, _ := p.effects(&s, nil, nil)
		for i := range p.items {
			if p.items[i].try >= 0 && p.effect(&s, outcomes, i) != all[i].Effect {
				hang[i], all[i].GuestDependent = true, true
			}
		}
	}
	return all, hang
}

// name fills in what an item is called.
func (p *plan) name(r *Ref, it *item) {
	r.Instance, r.NIC, r.HostRoute = p.in.Name, p.nics[it.nic].Name, *it.route
	if it.subnet != nil {
		r.Subnet = it.subnet.ID
	}
}

func (p *plan) ref(it *item) (r Ref) {
	p.name(&r, it)
	return r
}

// nicName returns the name of an egress; "" for no route.
func (p *plan) nicName(nic int32) string {
	if nic == sweep.None {
		return ""
	}
	return p.nics[nic].Name
}
