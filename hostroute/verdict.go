package hostroute

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// A NextHopClass is the kind of a route's next hop. It decides whether the route is consistent.
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

// An Effect says what a route changes. "Without the route" means that the host route is deleted from its
// subnet, hence for every NIC on the subnet, and that the guest installs everything again. If the offer is
// too long for DHCP, routes that would fit after a deletion are not counted. A host route to
// 0.0.0.0/0 by the gateway counts as the default route of its subnet, which is offered in any case.
//
// Under a guest that configures its NICs at once, data to one address may leave by any of several
// NICs. Then a route steers if, for some address, the set of these NICs differs without it.
type Effect string

// The effects of a route, in the order in which they are decided.
const (
	EffectNotOffered Effect = "not-offered" // it never reaches the guest, or the guest takes no routes from DHCP (udhcpc)
	EffectRefused    Effect = "refused"     // the guest does not install it
	EffectSteers     Effect = "steers"      // without it, some destination leaves by another NIC, or has no route
	EffectShadowed   Effect = "shadowed"    // longer or earlier routes cover every address of it
	EffectSingleNIC  Effect = "single-nic"  // its traffic would leave by the same NIC anyway: there is no other
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
	// Witness is an address that leaves by another NIC without the route: the lowest such address inside
	// the destination, or the lowest one anywhere if there is none inside. With and Without are the NICs by
	// which Witness leaves with the route and without it; "" means no route. Where it may leave by several NICs,
	// With and Without each name one of them. All three are zero unless Effect is steers.
	With    string     `json:"with"`
	Without string     `json:"without"`
	Witness netip.Addr `json:"witness"`
	// GuestDependent says that the verdict depends on at least one of these, which Neutron does not know:
	//   - the DHCP client: Guests is not empty;
	//   - which of the offered default routes is in force: DefaultDependent is true;
	//   - the order of the subnet's list, which Neutron does not keep: the route may be in force if it comes first and not
	//     if it comes last, or the reverse. Only the instance's own guest is asked that.
	GuestDependent bool `json:"guest_dependent"`
	// DefaultDependent says that, with another one of the offered default routes in force, Effective would change, or
	// Witness would leave by another NIC. If DefaultNIC is set, it is false.
	DefaultDependent bool `json:"default_dependent"`
	// Guests lists, in the order of Guests(), the guests under which the answer may differ: Effective may change, or
	// Witness may leave by another NIC. Each is compared with the instance's own guest, and both keep the same default route,
	// that of DefaultNIC. If that is empty, the first eight offered ones are compared in turn; DefaultDependent has that
	// limit, too.
	//   - The instance's own guest is listed if it configures its NICs at once, and the order of the leases changes the answer
	//     although the default route stays the same. Where that order decides only the default route, DefaultDependent says so.
	//   - GuestDhclient and GuestNetworkManager can lose an offer that is longer than 197 bytes. They are also compared as they are
	//     if all such offers of the instance are lost, and only the default arrives.
	//   - GuestUdhcpc is never listed. It takes no host route from DHCP, so many verdicts differ there: set Guest to it, and
	//     analyze again.
	//
	// With steers and Guests [dhcpcd], for example, the route may not steer under dhcpcd, or by another NIC.
	Guests []Guest `json:"guests"`
}

// Consistent reports whether Class is own-gateway or other-gateway. Only such a next hop stands for the
// hypervisor, as Calico requires.
func (v Verdict) Consistent() bool {
	return v.Class == ClassOwnGateway || v.Class == ClassOtherGateway
}

// Effective reports whether Effect is steers.
func (v Verdict) Effective() bool { return v.Effect == EffectSteers }

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.1: own-gateway, steers: 11.11.0.0 leaves
// by eth1, without it by eth0", or "...: off-link, refused (next-hop-off-link)". Where it is
// GuestDependent, it says so at the end.
func (v Verdict) String() string {
	s := strings.TrimPrefix(v.Subject.String()+": ", ": ") + string(v.Class) + ", " + string(v.Effect)
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
	switch {
	case len(v.Guests) > 0:
		s += "; may differ under " + guestNames(v.Guests)
	case v.GuestDependent && !v.DefaultDependent:
		s += "; depends on the order of the list"
	}
	if v.DefaultDependent {
		s += "; depends on which default route the guest keeps"
	}
	return s
}

// A judged is a candidate with its verdict.
type judged struct {
	*candidate
	*Verdict
	onList bool // the verdict depends on the order of the list
	good   bool // no rule holds, so none needs to be asked
}

// judge returns the verdict on every host route and manual route. To see on what they depend, it compares the outcomes with
// those for other defaults that the guest may keep, and under other guests. If no attempt is unusual, under is nil. Then no rule
// but loopback-destination can hold for a route that steers and has the own gateway as next hop.
func judge(o *outcomes, kept []*outcomes, under []comparison) *analysis {
	n := 0
	for i := range o.candidates {
		if o.candidates[i].hasVerdict() {
			n++
		}
	}
	a := &analysis{o, make([]judged, 0, n), make([]Verdict, n)}
	onOrder := dependOnOrder(o.fib, o.attempts)
	for i := range o.candidates {
		c := &o.candidates[i]
		if !c.hasVerdict() {
			continue
		}
		out := o.outcome(c)
		v := &a.verdicts[len(a.judged)]
		v.Subject, v.Class = c.ref(o.Name), classOf(o.fib, c)
		v.Cause = causeOf(o.fib, c, v.Class)
		v.Effect = o.effect(c, v.Cause, out)
		if v.Effect == EffectSteers {
			v.With, v.Without = exitNames(o.guest, out.with, out.without)
			v.Witness = out.witness
		}
		v.Guests = differing(o, under, i)
		for _, other := range kept {
			v.DefaultDependent = v.DefaultDependent || differs(o, other, i)
		}
		v.GuestDependent = len(v.Guests) > 0 || onOrder[c] || v.DefaultDependent
		good := under == nil && v.Class == ClassOwnGateway && v.Effect == EffectSteers && !c.Destination.Addr().IsLoopback()
		a.judged = append(a.judged, judged{c, v, onOrder[c], good})
	}
	return a
}

// differing returns the guests under which a candidate, given by its index among all, has another effect. The
// instance's own is among them where the order in which it configures its NICs decides.
func differing(o *outcomes, under []comparison, i int) []Guest {
	c := &o.candidates[i]
	out := []Guest{}
	if under == nil || !c.tried && o.withheld(c) != CodeRoutesIgnored { // most routes, with no look at the clients
		return out
	}
	for _, cl := range clients {
		isOther := func(k comparison) bool { return k.guest == cl.guest && differs(k.own, k.other, i) }
		if slices.ContainsFunc(under, isOther) {
			out = append(out, cl.guest)
		}
	}
	return out
}

// differs reports whether a candidate, given by its index, is effective for one guest and perhaps not for another
// one, or whether its witness may leave by another NIC there. If both are the same, it reports whether the order of leases matters.
func differs(a, b *outcomes, i int) bool {
	one := a.outcome(&a.candidates[i])
	if a == b {
		return one.steers() && (!one.surely || one.with.several())
	}
	other := b.outcome(&b.candidates[i])
	if one.steers() != other.steers() || one.surely != other.surely {
		return true
	}
	return one.steers() && b.exit(b.longest(one.witness), nil) != one.with
}

// mayDiffer reports whether guests can differ on any route. It is cheap, and spares most instances the other guests.
func mayDiffer(f *fib) bool {
	return f.client.ignoresRoutes || f.hasLongOffer || slices.ContainsFunc(f.attempts, func(c *candidate) bool { return c.Destination.Addr().Is4() && isUnusual(f, c) })
}

// isUnusual reports whether guests can differ on a route, or on others because of it.
func isUnusual(f *fib, c *candidate) bool {
	a := f.answers[c.index]
	isOdd := !a.covered || c.NextHop == localhost || c.NextHop == c.Destination.Addr() || slices.Contains(c.nic.Addrs, c.NextHop)
	switch {
	case a.result == badNextHop, a.result == badMask:
		return true
	case c.source == SourceNextHop:
		return false // the route that it serves is unusual, if anything is
	case c.source == SourceDefault:
		// Of an unwanted default, networkd makes one that counts where there is no other. The rest drop it.
		return isOdd || a.result == dropped && f.default4() == nil || f.defaults.unwanted(c.nic) && f.inForce[c.dest.index] == c
	case len(c.dest.rivals) > 1, captured(f.guest, c) != nil:
		return true
	case c.source == SourceConnected, c.source == SourceManual:
		return false
	}
	return isOdd || c.onLink || c.dest.prefix != c.Destination
}

// classOf returns the class of a candidate's next hop.
func classOf(f *fib, c *candidate) NextHopClass {
	hop := c.NextHop
	switch {
	case !c.oneFamily():
		return ClassUnusable
	case isOwnGateway(c):
		return ClassOwnGateway
	case hop == zero4:
		return ClassOnLink
	case hop.IsUnspecified(), hop.IsMulticast(), hop.IsLoopback(), isClassE(hop), isBroadcast(c):
		return ClassUnusable
	case slices.Contains(c.nic.Addrs, hop):
		return ClassOwnAddress
	}
	if s, _ := otherGateway(f, c); s != nil {
		return ClassOtherGateway
	}
	covered := c.subnet != nil && c.subnet.CIDR.Contains(hop)
	if c.tried {
		covered = f.answers[c.index].covered
	}
	if covered {
		return ClassNotGateway
	}
	return ClassOffLink
}

// isOwnGateway reports whether the next hop is the gateway of the route's own NIC.
func isOwnGateway(c *candidate) bool {
	switch {
	case c.subnet != nil:
		return c.NextHop == c.subnet.Gateway
	case c.NextHop.Is6():
		return c.NextHop.IsLinkLocalUnicast()
	}
	return slices.ContainsFunc(c.nic.Subnets, func(s *Subnet) bool { return s.Gateway == c.NextHop })
}

func isBroadcast(c *candidate) bool {
	return c.NextHop == c.nic.broadcast || c.subnet != nil && c.NextHop == broadcast(c.subnet.CIDR)
}

// isClassE reports whether an address is in 240.0.0.0/4, to which 255.255.255.255 belongs.
func isClassE(a netip.Addr) bool { return a.Is4() && a.As4()[0] >= 240 }

// otherGateway returns the first subnet of another NIC whose gateway is the next hop, and that NIC.
func otherGateway(f *fib, c *candidate) (*Subnet, *nic) {
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
	result := f.result(c)
	switch {
	case result == badMask:
		return CodeHostBits
	case result == exists && f.inForce[c.dest.index].nic == c.nic:
		return CodeDuplicate
	case result == exists, result == dropped:
		return CodeConflict
	case result == installed:
		return ""
	case class == ClassOtherGateway:
		return CodeNextHopOtherNIC
	case class == ClassOffLink:
		return CodeNextHopOffLink
	case class == ClassOwnAddress:
		return CodeNextHopOwnAddress
	}
	return CodeNextHopUnusable
}

// dependOnOrder says which host routes among some attempts may be in force if they come first in their subnet's list and not if
// they come last, or the reverse. Those that it leaves out do not.
func dependOnOrder(f *fib, asked []*candidate) map[*candidate]bool {
	var out map[*candidate]bool // made when it is needed, for most instances never
	set := func(c *candidate, depends bool) {
		if out == nil {
			out = make(map[*candidate]bool)
		}
		out[c] = depends
	}
	for _, c := range asked {
		if _, done := out[c]; done || c.source != SourceHostRoute {
			continue
		}
		switch {
		case changesByOrder(f, c):
			rest := restOfList(c)
			first := relisted(f, c.subnet, slices.Concat([]HostRoute{*c.HostRoute}, rest))
			last := relisted(f, c.subnet, append(rest, *c.HostRoute))
			for _, o := range f.attempts { // one answer for all copies, of which there may be many
				if o.sameRoute(c) {
					set(o, mayWin(first, o) != mayWin(last, o))
				}
			}
		case competes(f, c):
			set(c, true)
		}
	}
	return out
}

// changesByOrder reports whether other routes than a host route may change with its place in the list, so that only installing
// everything again shows whether it is in force.
func changesByOrder(f *fib, c *candidate) bool {
	isOnLink := func(o *candidate) bool { return o.onLink && sameList(o, c) }
	isCovered := func(o *candidate) bool { // by an on-link route of their list
		for d := o.around; d != nil && sameList(o, c); d = d.parent {
			if slices.ContainsFunc(d.rivals, isOnLink) {
				return true
			}
		}
		return false
	}
	needsRouter := f.client.toHops == toRouters && f.addsHops && c.around != nil
	return c.byDHCP() && (decidesHops(f, c) || needsRouter) || f.hasOnLink && !f.appends(c) && slices.ContainsFunc(c.dest.rivals, isCovered)
}

// competes reports whether a host route has a rival in its list, and whichever of them comes first may be in force.
func competes(f *fib, c *candidate) bool {
	comesAfterHop := c.hop != nil && c.hop.dest == c.dest // in any order
	if len(c.dest.rivals) == 1 || !f.accepts(c) || comesAfterHop {
		return false
	}
	isCounted := f.client.countsUp && c.dest.prefix.Bits() == 0 // in the order of the list, on-link ones too
	changesPlaces := func(o *candidate) bool {
		return sameList(c, cmp.Or(o.user, o)) && (!f.client.onLinkFirst || !c.byDHCP() || isCounted || c.linkScope() == o.linkScope())
	}
	isRival := func(o *candidate) bool { return o != c && changesPlaces(o) && f.accepts(o) }
	mayLead := func(o *candidate) bool { return changesPlaces(o) && f.result(o) == installed && isOpen(f, o) }
	isFirst := changesPlaces(f.inForce[c.dest.index]) || f.appends(c) && slices.ContainsFunc(c.dest.rivals, mayLead)
	return isFirst && slices.ContainsFunc(c.dest.rivals, isRival)
}

// mayWin reports whether a host route of one fib may be in force in another one of the same instance.
func mayWin(f *fib, c *candidate) bool {
	own := f.nics[c.nic.index].candidates
	isIt := func(o candidate) bool {
		return o.source == SourceHostRoute && o.subnet.ID == c.subnet.ID && *o.HostRoute == *c.HostRoute
	}
	moved := &own[slices.IndexFunc(own, isIt)]
	return f.result(moved) == installed && f.mayBeInForce(moved)
}

// sameList reports whether two candidates come from one list.
func sameList(c, o *candidate) bool {
	return c.nic == o.nic && c.subnet == o.subnet && c.source == o.source
}
