package hostroute

import (
	"fmt"
	"net/netip"
	"slices"
)

// A Severity says what happens to packets because of a finding. The zero
// Severity is none; severities are ordered.
type Severity int

const (
	// SeverityInfo: no packet moves because of it.
	SeverityInfo Severity = iota + 1
	// SeverityWarning: where packets go depends on the guest's DHCP client, on the DHCP
	// server or on order, or a part of them is at risk although each route does what it says.
	SeverityWarning
	// SeverityError: the route never takes effect as configured, or the data
	// does not go where the route says.
	SeverityError
)

var severities = [...]string{"none", "info", "warning", "error"}

// String returns none, info, warning or error.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severities) {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return severities[s]
}

// MarshalText returns what String does; a value below 0 or above SeverityError is an error.
func (s Severity) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(severities) {
		return nil, fmt.Errorf("no severity: %d", int(s))
	}
	return []byte(severities[s]), nil
}

// UnmarshalText is the inverse of MarshalText.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severities {
		if name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("no severity: %q", text)
}

// A Finding is something worth telling a person. It is plain data; Code and
// Subject identify it within its report.
type Finding struct {
	Code     Code      `json:"code"`
	Severity Severity  `json:"severity"` // the code's
	Subject  Ref       `json:"subject"`
	Message  string    `json:"message"` // English: problem, then reason; of a manual route, what to type; may be reworded in any release
	Related  []Related `json:"related"` // what explains it
	Fixes    []Fix     `json:"fixes"`   // alternatives
}

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.77: MESSAGE (code)".
func (f Finding) String() string {
	s := f.Message + " (" + string(f.Code) + ")"
	if where := f.Subject.String(); where != "" {
		return where + ": " + s
	}
	return s
}

// A Related is something that explains a finding.
type Related struct {
	Ref     Ref    `json:"ref"`
	Message string `json:"message"`
}

// A Fix is a way to make its finding go away, proven on this instance. Apply its edits
// with [Instance.Apply], or with [Subnet.Apply] to each subnet that they name. Each was tried alone: make one, and analyze again, since
// the next may not be needed any more, or undo it. Instances share subnets: before you make it in
// earnest, apply it to every instance on the subnet, and compare the tables with [Diff] (where
// DefaultNIC is empty, also for each NIC that is offered a default as DefaultNIC, in the family of
// that default), and the findings.
type Fix struct {
	Message string `json:"message"`
	Edits   []Edit `json:"edits"`
	// KeepsEgress says that, with the edits made, no destination of this
	// instance changes the NIC it leaves through, whichever offered default
	// the guest keeps, and that no new finding of severity error appears. It is false
	// also where that is not known: for a subject whose verdict is GuestDependent, on
	// an instance with several NICs, and always from [AnalyzeSubnet].
	KeepsEgress bool `json:"keeps_egress"`
}

// code returns the code of a class; "" for the gateway's.
func (c NextHopClass) code() Code {
	switch c {
	case ClassNotGateway:
		return CodeNextHopNotGateway
	case ClassOtherGateway:
		return CodeNextHopOtherNIC
	case ClassOffLink:
		return CodeNextHopOffLink
	case ClassOwnAddress:
		return CodeNextHopOwnAddress
	case ClassOnLink:
		return CodeNextHopOnLink
	case ClassUnusable:
		return CodeNextHopUnusable
	}
	return ""
}

// A place is what a code is found at, by index: from the instance, all -1, inwards. A
// subnet is one of plan.placed.
type place struct{ nic, subnet, sibling, item int32 }

// An analysis is a plan and what came of it.
type analysis struct {
	*plan
	state    *state
	decides  []bool    // of each group, whether it decides any address
	others   []kept    // see plan.others
	verdicts []Verdict // of the items; nil where axis 2 is not asked for
	hang     []bool    // see plan.verdicts
	// What fixes are held against, once there are any.
	problems map[problem]bool
	was      []segment // the egress
}

// each yields every code with its place, in the order of a report's findings. Without
// verdicts it leaves out those of axis 2, none of which is an error.
func (a *analysis) each(yield func(at place, c Code)) {
	at := place{-1, -1, -1, -1}
	if len(a.others) > 0 {
		yield(at, CodeMultipleDefaults)
	}
	if a.noDefault() {
		yield(at, CodeNoDefault)
	}
	for n := range a.nics {
		g := &a.nics[n]
		at = place{int32(n), -1, -1, -1}
		if a.count4(g) > 1 {
			yield(at, CodeSecondIPv4Subnet)
		}
		for i := g.first; i < g.end; i++ {
			at.subnet = i
			a.eachOfSubnet(at, g, yield)
		}
		at.subnet = -1
		for i := g.manual; i < g.manualEnd; i++ {
			at.item = i
			a.eachOfItem(at, yield)
		}
	}
}

// eachOfSubnet yields the codes of a subnet, sorted, of its siblings and its items.
func (a *analysis) eachOfSubnet(at place, g *guestNIC, yield func(place, Code)) {
	s := &a.placed[at.subnet]
	if s.is4() && s.DHCPDisabled && !a.in.ConfigDrive && len(s.HostRoutes) > 0 {
		yield(at, CodeDHCPDisabled)
	}
	if !s.is4() && len(s.HostRoutes) > 0 {
		yield(at, CodeIPv6NotOffered)
	}
	if s.is4() && !s.DHCPDisabled && !s.hasGateway() {
		yield(at, CodeNoLease)
	}
	if g.uses(s.Subnet) && g.bytes > offerMax {
		yield(at, CodeOptionOverflow)
	}
	if a.overlaps(g, s.CIDR) {
		yield(at, CodeOverlappingSubnets)
	}
	for i := range a.tries {
		if len(g.Siblings) == 0 || a.verdicts == nil || !g.uses(s.Subnet) {
			break
		}
		if a.routes[i].NIC == at.nic && a.tries[i].source == SourceSibling && a.captures(int32(i)) {
			at.sibling = int32(i)
			yield(at, CodeCapturesSubnet)
		}
	}
	at.sibling = -1
	for i := s.first; i < s.end; i++ {
		at.item = i
		a.eachOfItem(at, yield)
	}
}

// eachOfItem yields the codes of a host route or a manual route, sorted.
func (a *analysis) eachOfItem(at place, yield func(place, Code)) {
	it := &a.items[at.item]
	if it.cause == CodeOptionOverflow {
		return
	}
	inForce := it.cause == "" && a.verdicts != nil
	if inForce && it.try >= 0 && a.captures(it.try) {
		yield(at, CodeCapturesSubnet)
	}
	if it.cause == CodeDefaultDropped || (it.cause == CodeDuplicate || it.cause == CodeConflict) && !a.lone {
		yield(at, it.cause)
	}
	if it.hostBits {
		yield(at, CodeHostBits)
	}
	if c := a.nextHopCode(it); c != "" {
		yield(at, c)
	}
	if inForce {
		switch a.verdicts[at.item].Effect {
		case EffectRedundant:
			yield(at, CodeRedundant)
		case EffectShadowed:
			yield(at, CodeShadowed)
		case EffectSingleNIC:
			yield(at, CodeSingleNIC)
		}
	}
}

// nextHopCode returns the code of axis 1; "" if there is nothing to tell.
func (p *plan) nextHopCode(it *item) Code {
	switch {
	case it.cause == CodeNextHopUnusable:
		return CodeNextHopUnusable // also an own gateway that Linux refuses
	case it.class == ClassNotGateway && it.try >= 0 && it.cause != "" && !p.rival(it):
		return "" // refused for something else: there is no data to go astray
	case it.class == ClassNotGateway && it.cause == CodeDefaultDropped:
		return "" // that code tells it
	}
	return it.class.code()
}

// rival says whether an item of a subnet with no instance known only lost to an equal destination
// of its list: as Neutron keeps no order, it may be the one that is installed.
func (p *plan) rival(it *item) bool {
	return p.lone && it.cause == CodeDuplicate && (p.routes[it.try].Prefix != it.subnet.CIDR || it.subnet.CIDR.IsSingleIP())
}

// noDefault says whether no NIC gives an instance of several its IPv4 default, though
// each that has IPv4 is configured.
func (a *analysis) noDefault() bool {
	some := false
	for i := range a.nics {
		if g := &a.nics[i]; g.subnet != nil {
			some = true
		} else if a.count4(g) > 0 {
			return false
		}
	}
	// 0.0.0.0/0 sorts before all other destinations.
	has := len(a.order) > 0 && a.prefix(0) == any4 && a.state.first[0] >= 0
	return some && len(a.nics) > 1 && !has
}

// count4 counts the IPv4 subnets of a NIC.
func (p *plan) count4(g *guestNIC) int {
	n := 0
	for _, s := range p.placed[g.first:g.end] {
		if s.is4() {
			n++
		}
	}
	return n
}

// overlaps says whether a NIC before g has a subnet that overlaps.
func (p *plan) overlaps(g *guestNIC, cidr netip.Prefix) bool {
	return slices.ContainsFunc(p.placed[:g.first], func(s placed) bool { return s.CIDR.Overlaps(cidr) })
}

// captures says whether a try takes addresses of another NIC's subnet: whether it
// decides any, for then they are that subnet's own.
func (a *analysis) captures(i int32) bool {
	g := a.tries[i].group
	return a.state.first[g] == i && a.decides[g] && a.captured(i) >= 0
}

// captured returns the NIC whose subnet contains a try's destination, its own
// apart; -1 if there is none.
func (p *plan) captured(i int32) int {
	r := &p.routes[i]
	for n := range p.nics {
		if s := p.nics[n].subnet; n != int(r.NIC) && s != nil && s.CIDR.Bits() <= r.Prefix.Bits() && s.CIDR.Contains(r.Prefix.Addr()) {
			return n
		}
	}
	return -1
}
