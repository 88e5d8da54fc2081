package hostroute

import (
	"iter"
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// A NextHopClass is axis 1 of a [Verdict]: what the next hop is.
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

// An Effect is axis 2 of a [Verdict]: whether the route changes through which
// NIC any destination leaves.
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
	// Witness is an address for which the egress NIC differs: With is the one with the
	// route and Without the one without it, "" being no route. It is the lowest
	// such address inside the destination, else the lowest of all. All three are
	// zero unless Effect is steers.
	With    string     `json:"with"`
	Without string     `json:"without"`
	Witness netip.Addr `json:"witness"`
	// GuestDependent says that another guest may do otherwise than this verdict,
	// that of ISC dhclient. It is set, but never where nothing is
	// offered, if one of these holds:
	//   - the next hop is not in the carrying subnet: some clients add a route to it;
	//   - the next hop is 0.0.0.0: dhcpcd installs the first address only;
	//   - Linux refuses the next hop, or the destination has host bits: under
	//     systemd-networkd, the NIC's DHCP stops;
	//   - the destination also comes by another NIC, or is another NIC's subnet:
	//     clients differ on which one wins;
	//   - it is installed if it stands first in its subnet's list and not if last, or
	//     vice versa: Neutron keeps no order;
	//   - the offer is longer than 197 bytes, which not every client gets whole;
	//   - DefaultNIC is empty, and Effect is another with another of the offered
	//     defaults.
	// A manual route meets no DHCP client; of it, only the fourth (by what another
	// NIC is offered) and the last can hold.
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
	for _, s := range p.nics[it.nic].Subnets {
		if hop == s.Gateway {
			return true
		}
	}
	return false
}

// otherGateway returns the first subnet of another NIC whose gateway is the next
// hop, and that NIC.
func (p *plan) otherGateway(it *item) (*Subnet, int) {
	for i := range p.nics {
		if i == it.nic {
			continue
		}
		for _, s := range p.nics[i].Subnets {
			if s.Gateway == it.route.NextHop {
				return s, i
			}
		}
	}
	return nil, 0
}

// decide installs the plan as the guest does, and gives every item its class and
// what keeps it from being in force.
func (p *plan) decide() *state {
	s := p.install(p.all(), p.keep, func(it *item, covered bool) { it.class = p.class(it, covered) })
	for i := range p.items {
		it := &p.items[i]
		if it.try < 0 {
			it.class = p.class(it, it.subnet != nil && it.subnet.CIDR.Contains(it.route.NextHop))
			continue
		}
		it.cause = s.cause(it)
	}
	return s
}

// cause returns why an item that is offered is not installed; "" if it is.
func (s *state) cause(it *item) Code {
	switch s.answers[it.try] {
	case badMask:
		return CodeHostBits
	case dropped:
		return CodeConflict
	case exists:
		if s.inForce(it).nic == it.nic {
			return CodeDuplicate
		}
		return CodeConflict
	case badNextHop:
		if code := nextHopCode[it.class]; code != "" {
			return code
		}
		return CodeNextHopUnusable // an own gateway that Linux refuses
	}
	return ""
}

// inForce returns the try that decides the destination of an item that is offered.
func (s *state) inForce(it *item) *try {
	return &s.plan.tries[s.first[s.plan.tries[it.try].group]]
}

// effect is axis 2 of an item in a state, whose outcomes are given.
func (s *state) effect(i int, outcomes []outcome) Effect {
	switch it := &s.plan.items[i]; {
	case it.merged && len(s.plan.nics) == 1:
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
func (s *state) guestDependent(i int) bool {
	p := s.plan
	it := &p.items[i]
	if it.try < 0 {
		return false
	}
	g, group := &p.nics[it.nic], &p.groups[p.tries[it.try].group]
	if it.subnet == nil {
		return group.offered >= 0 && (group.offeredSeveral || group.offered != it.nic)
	}
	return !it.subnet.CIDR.Contains(it.route.NextHop) || it.route.NextHop == zero4 || s.answers[it.try] == badNextHop ||
		it.route.Destination != it.route.Destination.Masked() || group.several || !g.static && g.bytes > offerSafe ||
		s.orderMatters(it)
}

// orderMatters says whether an offered host route is installed if it is tried first in
// its subnet's list and not if last, or vice versa.
func (s *state) orderMatters(it *item) bool {
	p := s.plan
	group := p.groups[p.tries[it.try].group]
	if p.nics[it.nic].onLinkItems {
		first := p.install(p.moved(it, false), p.keep, nil)
		last := p.install(p.moved(it, true), p.keep, nil)
		return (first.answers[it.try] == installed) != (last.answers[it.try] == installed)
	}
	// No next hop depends on the list then, so that only an equal destination in
	// it can make a difference: where the list is what fills it.
	if a := s.answers[it.try]; a != installed && a != exists {
		return false
	}
	if f := s.inForce(it); f.nic != it.nic || f.source != SourceHostRoute {
		return false
	}
	for _, i := range p.order[group.start:group.end] {
		t := &p.tries[i]
		if a := s.answers[i]; t.nic == it.nic && t.source == SourceHostRoute && t.item != p.tries[it.try].item && (a == installed || a == exists) {
			return true
		}
	}
	return false
}

// moved is all, with an item tried first or last among the host routes of its
// subnet, on every NIC that has it.
func (p *plan) moved(it *item, last bool) iter.Seq[int] {
	listed := func(i int) bool {
		return i < len(p.tries) && p.tries[i].source == SourceHostRoute && p.tries[i].subnet.ID == it.subnet.ID
	}
	return func(yield func(int) bool) {
		for i := 0; i < len(p.tries); {
			if !listed(i) {
				if !yield(i) {
					return
				}
				i++
				continue
			}
			run, at := []int{}, -1
			for nic := p.tries[i].nic; listed(i) && p.tries[i].nic == nic; i++ {
				if p.items[p.tries[i].item].id == it.id {
					at = i
				} else {
					run = append(run, i)
				}
			}
			if at >= 0 && last {
				run = append(run, at)
			} else if at >= 0 {
				run = slices.Insert(run, 0, at)
			}
			for _, i := range run {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// An analysis is a plan, decided.
type analysis struct {
	*plan
	*state
	outcomes []outcome // of the items; nil where axis 2 is not asked for
	decides  []bool    // whether a group decides any address
	// others are the states with another of the offered defaults.
	others []other
	hangs  []bool // the item's effect is another in one of them
	lone   bool   // of a subnet, with no instance known
}

// An other is the state in which the guest keeps the default of another NIC.
type other struct {
	*state
	is4 bool // only this family is asked for
}

// analyze decides a plan on both axes.
func analyze(p *plan) *analysis {
	s := p.decide()
	a := &analysis{plan: p, state: s}
	a.outcomes, a.decides = s.effects()
	a.others = p.otherDefaults()
	if len(a.others) > 0 {
		a.hangs = make([]bool, len(p.items))
	}
	for _, o := range a.others {
		outcomes, _ := o.effects()
		for i := range p.items {
			if p.items[i].route.Destination.Addr().Is4() == o.is4 && p.items[i].try >= 0 {
				a.hangs[i] = a.hangs[i] || o.effect(i, outcomes) != s.effect(i, a.outcomes)
			}
		}
	}
	return a
}

// otherDefaults returns a state for every default that is offered beside the first of
// its family, where nothing says which one the guest keeps.
func (p *plan) otherDefaults() []other {
	var out []other
	if p.keep >= 0 {
		return nil
	}
	for _, is4 := range [...]bool{true, false} {
		seen := false
		for i := range p.nics {
			if is4 && p.nics[i].default4 || !is4 && p.nics[i].default6 {
				if seen {
					out = append(out, other{p.install(p.all(), i, nil), is4})
				}
				seen = true
			}
		}
	}
	return out
}

// verdicts returns the verdicts of all items.
func (a *analysis) verdicts() []Verdict {
	out := make([]Verdict, len(a.items))
	for i := range a.items {
		it := &a.items[i]
		v := &out[i]
		*v = Verdict{Subject: a.ref(it), Class: it.class, Effect: a.effect(i, a.outcomes), Cause: it.cause}
		v.GuestDependent = a.isGuestDependent(i)
		if v.Effect == EffectSteers {
			o := &a.outcomes[i]
			v.With, v.Without, v.Witness = a.nicName(o.with), a.nicName(o.without), o.witness
		}
	}
	return out
}

func (a *analysis) isGuestDependent(i int) bool {
	return a.hangs != nil && a.hangs[i] || a.guestDependent(i)
}

func (a *analysis) ref(it *item) Ref {
	r := Ref{Instance: a.in.Name, NIC: a.nics[it.nic].Name, HostRoute: it.route}
	if it.subnet != nil {
		r.Subnet = it.subnet.ID
	}
	return r
}

// nicName returns the name of an egress; "" for no route.
func (p *plan) nicName(nic int32) string {
	if nic == sweep.None {
		return ""
	}
	return p.nics[nic].Name
}
