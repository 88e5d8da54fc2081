package hostroute

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Severity says what happens to packets because of a finding. The zero
// Severity is none; severities are ordered.
type Severity int

const (
	// SeverityInfo: no packet moves because of it.
	SeverityInfo Severity = iota + 1
	// SeverityWarning: it depends on the guest's DHCP client or on order.
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

// MarshalText returns what String does; any other Severity is an error.
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
	Message  string    `json:"message"` // English: problem, then reason; may be reworded in any release
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

// A Fix is a proven way to make its finding go away. Apply its edits with
// [Instance.Apply] or [Subnet.Apply].
type Fix struct {
	Message string `json:"message"`
	Edits   []Edit `json:"edits"`
	// KeepsEgress says that, with the edits made, no destination of this
	// instance changes the NIC it leaves through, whichever offered default
	// the guest keeps, and that no new finding of severity error appears. It
	// says nothing of other instances on the subnet.
	KeepsEgress bool `json:"keeps_egress"`
}

// nextHopCode is the code of each class that is not the gateway's.
var nextHopCode = map[NextHopClass]Code{
	ClassNotGateway:   CodeNextHopNotGateway,
	ClassOtherGateway: CodeNextHopOtherNIC,
	ClassOffLink:      CodeNextHopOffLink,
	ClassOwnAddress:   CodeNextHopOwnAddress,
	ClassOnLink:       CodeNextHopOnLink,
	ClassUnusable:     CodeNextHopUnusable,
}

// A place is what a code is found at: from the instance (all -1, nil) inwards.
type place struct {
	nic, subnet, item int
	sibling           *try
}

// each yields every code with its place, in the order of a report's findings. Without
// outcomes it leaves out those of axis 2, none of which is an error.
func (a *analysis) each(yield func(at place, c Code)) {
	at := place{-1, -1, -1, nil}
	if a.outcomes != nil && a.manyDefaults() {
		yield(at, CodeMultipleDefaults)
	}
	if a.outcomes != nil && a.noDefault() {
		yield(at, CodeNoDefault)
	}
	for n := range a.nics {
		g := &a.nics[n]
		at = place{n, -1, -1, nil}
		if g.count4() > 1 && !a.lone {
			yield(at, CodeSecondIPv4Subnet)
		}
		for i := range g.placed {
			at = place{n, i, -1, nil}
			a.eachOfSubnet(at, yield)
		}
		for i := g.manual; i < g.manualEnd; i++ {
			at = place{n, -1, i, nil}
			a.eachOfItem(at, yield)
		}
	}
}

func (a *analysis) eachOfSubnet(at place, yield func(place, Code)) {
	g := &a.nics[at.nic]
	s := &g.placed[at.subnet]
	if s.is4() && s.DHCPDisabled && !a.in.ConfigDrive && len(s.HostRoutes) > 0 {
		yield(at, CodeDHCPDisabled)
	}
	if !s.is4() && len(s.HostRoutes) > 0 {
		yield(at, CodeIPv6NotOffered)
	}
	if s.is4() && !s.DHCPDisabled && !s.CIDR.Contains(s.Gateway) {
		yield(at, CodeNoLease)
	}
	if g.uses(s.Subnet) && g.bytes > offerMax && !g.static {
		yield(at, CodeOptionOverflow)
	}
	if a.overlaps(at.nic, s.CIDR) {
		yield(at, CodeOverlappingSubnets)
	}
	if g.uses(s.Subnet) && a.outcomes != nil && len(g.Siblings) > 0 && len(a.nics) > 1 {
		a.eachSibling(at, yield)
	}
	for i := s.first; i < s.end; i++ {
		a.eachOfItem(place{at.nic, at.subnet, i, nil}, yield)
	}
}

// eachSibling yields the sibling routes that capture a subnet.
func (a *analysis) eachSibling(at place, yield func(place, Code)) {
	for i := range a.tries {
		t := &a.tries[i]
		if t.nic == at.nic && t.source == SourceSibling && a.first[t.group] == int32(i) && a.decides[t.group] && a.captured(t) != nil {
			yield(place{at.nic, at.subnet, -1, t}, CodeCapturesSubnet)
		}
	}
}

// eachOfItem yields the codes of a host route or a manual route, sorted.
func (a *analysis) eachOfItem(at place, yield func(place, Code)) {
	it := &a.items[at.item]
	if it.cause == CodeOptionOverflow {
		return
	}
	var codes [4]Code
	n := 0
	add := func(c Code) { codes[n] = c; n++ }
	if c := a.nextHopCode(it); c != "" {
		add(c)
	}
	// Linux masks the bits of an IPv6 route that is typed in.
	if d := it.route.Destination; d != d.Masked() && (it.subnet != nil || d.Addr().Is4()) {
		add(CodeHostBits)
	}
	switch it.cause {
	case CodeDefaultDropped, CodeDuplicate, CodeConflict:
		add(it.cause)
	case "":
		if a.outcomes != nil {
			a.addEffect(at.item, add)
		}
	}
	slices.Sort(codes[:n])
	for _, c := range codes[:n] {
		if !a.lone || c != CodeDuplicate && c != CodeConflict {
			yield(at, c)
		}
	}
}

// addEffect adds the codes of axis 2 of an item that is in force.
func (a *analysis) addEffect(i int, add func(Code)) {
	switch a.effect(i, a.outcomes) {
	case EffectSingleNIC:
		add(CodeSingleNIC)
	case EffectRedundant:
		add(CodeRedundant)
	case EffectShadowed:
		add(CodeShadowed)
	}
	if it := &a.items[i]; it.try >= 0 && a.decides[a.tries[it.try].group] && a.captured(&a.tries[it.try]) != nil {
		add(CodeCapturesSubnet)
	}
}

// nextHopCode returns the code of axis 1; "" if there is nothing to tell.
func (a *analysis) nextHopCode(it *item) Code {
	switch {
	case it.cause == CodeNextHopUnusable:
		return CodeNextHopUnusable // also an own gateway that Linux refuses
	case it.class == ClassNotGateway && it.try >= 0 && it.cause != "":
		return "" // refused for something else: there is no data to go astray
	case it.class == ClassNotGateway && it.cause == CodeDefaultDropped:
		return "" // that code tells it
	}
	return nextHopCode[it.class]
}

// manyDefaults says whether several NICs are offered a default of one family, and
// nothing says which one the guest keeps.
func (a *analysis) manyDefaults() bool { return len(a.others) > 0 }

// noDefault says whether no NIC gives an instance of several its IPv4 default, though
// each that has IPv4 is configured.
func (a *analysis) noDefault() bool {
	some := false
	for i := range a.nics {
		if a.nics[i].count4() > 0 {
			some = true
			if a.nics[i].subnet == nil {
				return false
			}
		}
	}
	// 0.0.0.0/0 sorts before all other destinations.
	has := len(a.order) > 0 && a.tries[a.order[0]].dst == any4 && a.first[0] >= 0
	return some && len(a.nics) > 1 && !has
}

// count4 counts the IPv4 subnets of a NIC.
func (g *guestNIC) count4() int {
	n := 0
	for _, s := range g.placed {
		if s.is4() {
			n++
		}
	}
	return n
}

// overlaps says whether an earlier NIC has a subnet that overlaps.
func (a *analysis) overlaps(nic int, cidr netip.Prefix) bool {
	for i := range nic {
		for _, s := range a.nics[i].placed {
			if s.CIDR.Overlaps(cidr) {
				return true
			}
		}
	}
	return false
}

// captured returns the subnet of another NIC that contains a try's destination, so
// that what the try decides is that subnet's own; nil if there is none.
func (a *analysis) captured(t *try) *Subnet {
	for i := range a.nics {
		if s := a.nics[i].subnet; i != t.nic && s != nil && s.CIDR.Bits() <= t.dst.Bits() && s.CIDR.Contains(t.dst.Addr()) {
			return s
		}
	}
	return nil
}

// A draft is a finding whose fixes are not proven yet.
type draft struct {
	message string
	related []Related
	fixes   []Fix
}

// tell writes the finding of a code at a place: problem, then reason.
func (a *analysis) tell(at place, c Code) draft {
	switch {
	case at.item >= 0:
		return a.tellItem(at, c, &a.items[at.item])
	case at.sibling != nil:
		return a.capturesSubnet(at.sibling)
	case at.subnet >= 0:
		return a.tellSubnet(at, c, a.nics[at.nic].placed[at.subnet].Subnet)
	}
	switch c {
	case CodeMultipleDefaults:
		return a.multipleDefaults()
	case CodeNoDefault:
		return draft{message: "no NIC is given an IPv4 default: what no other route covers is unreachable"}
	}
	return a.secondIPv4Subnet(&a.nics[at.nic])
}

func (a *analysis) tellSubnet(at place, c Code, s *Subnet) draft {
	switch c {
	case CodeNoLease:
		return a.noLease(at, s)
	case CodeDHCPDisabled:
		return a.dhcpDisabled(s)
	case CodeIPv6NotOffered:
		return draft{message: "host routes of IPv6 subnet " + s.ID + " never arrive: neither DHCPv6 nor a router advertisement carries them"}
	case CodeOptionOverflow:
		return draft{message: "the offer of subnet " + s.ID + " needs " + strconv.Itoa(a.nics[at.nic].bytes) +
			" bytes and DHCP option 121 holds 255: none of its host routes arrives, only the default"}
	}
	return a.overlappingSubnets(at, s)
}

func (a *analysis) tellItem(at place, c Code, it *item) draft {
	var d draft
	switch c {
	case CodeNextHopNotGateway:
		d = a.nextHopNotGateway(it)
	case CodeNextHopOtherNIC:
		d = a.nextHopOtherNIC(it)
	case CodeNextHopOffLink:
		d = a.nextHopOffLink(it)
	case CodeNextHopOwnAddress:
		d = a.nextHopOwnAddress(it)
	case CodeNextHopOnLink:
		d = a.nextHopOnLink(it)
	case CodeNextHopUnusable:
		d = a.nextHopUnusable(it)
	case CodeDefaultDropped:
		d = a.defaultDropped(it)
	case CodeHostBits:
		d = a.hostBits(it)
	case CodeDuplicate:
		d = a.duplicate(it)
	case CodeConflict:
		d = a.conflict(it)
	case CodeCapturesSubnet:
		d = a.capturesSubnet(&a.tries[it.try])
	case CodeSingleNIC:
		d = a.singleNIC(it)
	case CodeRedundant:
		d = a.redundant(it)
	case CodeShadowed:
		d = a.shadowed(it)
	}
	if it.subnet == nil {
		d.fixes = nil
		d.message += "; in the guest: " + a.typed(it, c)
	}
	return d
}

// typed returns what to type in the guest about a manual route.
func (a *analysis) typed(it *item, c Code) string {
	d, dev := it.route.Destination, " dev "+a.nics[it.nic].Name
	ip := "ip "
	if !d.Addr().Is4() {
		ip = "ip -6 "
	}
	gateway := ""
	if s := a.nics[it.nic].subnet; s != nil && d.Addr().Is4() {
		gateway = s.Gateway.String()
	}
	switch {
	case c == CodeHostBits:
		return ip + "route add " + d.Masked().String() + " via " + it.route.NextHop.String() + dev
	case nextHopCode[it.class] != c:
	case !d.Addr().Is4():
		return ip + "route add " + d.Masked().String() + " via LINK-LOCAL-ADDRESS" + dev + ", with the address of the default route"
	case gateway != "" && it.oneFamily():
		return ip + "route replace " + d.Masked().String() + " via " + gateway + dev
	}
	if it.cause != "" {
		return "leave it out"
	}
	via := " via " + it.route.NextHop.String()
	if it.route.NextHop == zero4 {
		via = ""
	}
	return ip + "route del " + d.String() + via + dev
}

func (a *analysis) multipleDefaults() draft {
	var d draft
	var names []string
	for i := range a.nics {
		if g := &a.nics[i]; g.default4 || g.default6 {
			names = append(names, g.Name)
			d.related = append(d.related, Related{Ref{Instance: a.in.Name, NIC: g.Name}, "is offered a default"})
		}
	}
	d.message = strings.Join(names, ", ") + " are each offered a default, and nothing says which one the guest keeps: DHCP clients differ, the first is taken here"
	hanging := 0
	for i, hangs := range a.hangs {
		if hangs {
			hanging++
			d.related = append(d.related, Related{a.ref(&a.items[i]), "its effect depends on which default is kept"})
		}
	}
	if hanging > 0 {
		d.message += "; the effect of " + strconv.Itoa(hanging) + " host routes depends on it"
	}
	return d
}

func (a *analysis) secondIPv4Subnet(g *guestNIC) draft {
	d := draft{message: g.Name + " has " + strconv.Itoa(g.count4()) + " IPv4 subnets and gets one lease: "}
	if g.subnet != nil {
		d.message += "only what " + g.subnet.ID + " offers arrives, and which one is leased is the DHCP server's choice"
	} else {
		d.message += "which one is the DHCP server's choice"
	}
	for _, s := range g.placed {
		if s.is4() && !g.uses(s.Subnet) {
			d.related = append(d.related, Related{Ref{a.in.Name, g.Name, s.ID, HostRoute{}}, "nothing of it arrives"})
		}
	}
	return d
}

func (a *analysis) noLease(at place, s *Subnet) draft {
	d := draft{message: "subnet " + s.ID + " has no gateway"}
	if s.Gateway.IsValid() {
		d.message = "gateway " + s.Gateway.String() + " of subnet " + s.ID + " is outside its CIDR " + s.CIDR.String()
	}
	d.message += ": the DHCP server has no address in it, so that it gives no lease and nothing of the subnet arrives"
	return d
}

func (a *analysis) dhcpDisabled(s *Subnet) draft {
	d := draft{message: "host routes of subnet " + s.ID + " never arrive: it has no DHCP"}
	if a.lone {
		d.message += ", unless a guest reads the config drive"
	} else {
		d.message += ", and the guest does not read the config drive"
	}
	return d
}

func (a *analysis) overlappingSubnets(at place, s *Subnet) draft {
	const most = 32 // so that many NICs on one subnet do not make a list of their square
	var d draft
	more := 0
	for i := range at.nic {
		for _, o := range a.nics[i].placed {
			if !o.CIDR.Overlaps(s.CIDR) {
				continue
			}
			if len(d.related) == most {
				more++
				continue
			}
			d.related = append(d.related, Related{Ref{a.in.Name, a.nics[i].Name, o.ID, HostRoute{}}, "has " + o.CIDR.String()})
		}
	}
	first := d.related[0].Ref
	d.message = s.CIDR.String() + " overlaps subnet " + first.Subnet + " of " + first.NIC + ": what both contain is reached through the earlier or the narrower of them only"
	if more > 0 {
		d.message += "; " + strconv.Itoa(more) + " more are not listed"
	}
	return d
}

func (a *analysis) nextHopNotGateway(it *item) draft {
	hop := it.route.NextHop.String()
	return draft{
		message: "next hop " + hop + " is not the gateway" + a.gatewayOf(it) + ": the hypervisor takes the data all the same and a router at " + hop +
			" sees none of it; without a route of the hypervisor to " + hop + " the data is lost",
		fixes: a.gatewayOrRemove(it, len(a.nics) == 1 && !a.lone),
	}
}

func (a *analysis) nextHopOtherNIC(it *item) draft {
	s, nic := a.otherGateway(it)
	g := &a.nics[nic]
	d := draft{
		message: "next hop " + it.route.NextHop.String() + " is the gateway of subnet " + s.ID + " on " + g.Name + ", not of this NIC: " +
			"some DHCP clients refuse the route, some send the data out of " + a.nics[it.nic].Name,
		related: []Related{{Ref{a.in.Name, g.Name, s.ID, HostRoute{}}, "has the gateway " + s.Gateway.String()}},
	}
	if it.subnet == nil {
		return d
	}
	out := Edit{Subnet: it.subnet.ID, Old: it.route}
	if slices.Contains(s.HostRoutes, it.route) {
		d.fixes = []Fix{{Message: "remove it: subnet " + s.ID + " has it already", Edits: []Edit{out}}}
	} else {
		d.fixes = []Fix{{Message: "move it to subnet " + s.ID, Edits: []Edit{out, {Subnet: s.ID, New: it.route}}}}
	}
	return d
}

func (a *analysis) nextHopOffLink(it *item) draft {
	d := draft{message: "next hop " + it.route.NextHop.String() + " is on no link of this NIC: the guest refuses the route", fixes: a.gatewayOrRemove(it, true)}
	if a.lone {
		d.message = "next hop " + it.route.NextHop.String() + " is not in " + it.subnet.CIDR.String() +
			": the guest refuses the route, or it belongs on another subnet, if it is the gateway of that"
	}
	return d
}

func (a *analysis) nextHopOwnAddress(it *item) draft {
	return draft{
		message: "next hop " + it.route.NextHop.String() + " is the NIC's own address, not the gateway" + a.gatewayOf(it) +
			": the guest looks for every destination on the link, and the hypervisor alone can answer",
		fixes: a.gatewayOrRemove(it, len(a.nics) == 1 && !a.lone),
	}
}

func (a *analysis) nextHopOnLink(it *item) draft {
	return draft{
		message: "next hop 0.0.0.0 makes the destination on-link: that works by proxy ARP only, and dhcpcd installs just its first address",
		fixes:   a.gatewayOrRemove(it, false),
	}
}

func (a *analysis) nextHopUnusable(it *item) draft {
	hop := it.route.NextHop.String()
	d := draft{fixes: a.gatewayOrRemove(it, true)}
	switch {
	case !it.oneFamily():
		d.message = "destination " + it.route.Destination.String() + " and next hop " + hop + " are not of the family of each other and the subnet: it cannot be installed"
		d.fixes = a.remove(it)
	case it.class == ClassOwnGateway:
		d.message = "next hop " + hop + " is the gateway, but Linux refuses it as one" + a.networkdStops(it)
	default:
		d.message = "next hop " + hop + " cannot be a next hop: it is no address of a single neighbour" + a.networkdStops(it)
	}
	return d
}

func (a *analysis) networkdStops(it *item) string {
	if it.subnet == nil || it.cause != CodeNextHopUnusable || it.try < 0 {
		return ""
	}
	return "; the guest refuses the route, and systemd-networkd stops DHCP on the whole NIC for it"
}

func (a *analysis) defaultDropped(it *item) draft {
	return draft{
		message: "a default route among the host routes never arrives: Neutron drops it, because subnet " + it.subnet.ID + " has a gateway, " + it.subnet.Gateway.String(),
		fixes:   a.remove(it),
	}
}

func (a *analysis) hostBits(it *item) draft {
	d := it.route.Destination
	masked := HostRoute{d.Masked(), it.route.NextHop}
	out := draft{message: "destination " + d.String() + " has bits outside its mask: "}
	if it.try >= 0 && a.tries[it.try].hostBits {
		out.message += "the guest refuses the route"
		if it.subnet != nil {
			out.message += ", and systemd-networkd stops DHCP on the whole NIC for it"
		}
	} else {
		out.message += "it stands for " + masked.Destination.String()
	}
	if it.subnet != nil {
		out.fixes = []Fix{a.replace(it, masked, "mask the destination: "+masked.Destination.String())}
	}
	return out
}

func (a *analysis) duplicate(it *item) draft {
	t := a.inForce(it)
	return draft{
		message: "destination " + t.dst.String() + " is already installed through the same NIC: Linux keeps the first",
		related: []Related{{a.tryRef(t), "is installed instead"}},
		fixes:   a.remove(it),
	}
}

func (a *analysis) conflict(it *item) draft {
	if a.answers[it.try] == dropped {
		return draft{
			message: "the guest is told to keep the default of " + a.in.DefaultNIC + " and drops the one of " + a.nics[it.nic].Name,
			fixes:   a.remove(it),
		}
	}
	t := a.inForce(it)
	other := a.nics[t.nic].Name
	d := draft{
		message: "destination " + t.dst.String() + " is already installed through " + other + ": it leaves there, and other DHCP clients may choose otherwise",
		related: []Related{{a.tryRef(t), "is installed instead"}},
	}
	if t.item < 0 || a.items[t.item].subnet == nil || it.subnet == nil {
		d.fixes = a.remove(it)
	} else if o := &a.items[t.item]; o.subnet.ID != it.subnet.ID {
		d.fixes = append(a.remove(it), a.remove(o)...)
		d.fixes[0].Message = "remove it here: " + other + " keeps the destination"
		d.fixes[1].Message = "remove " + o.route.String() + " from subnet " + o.subnet.ID + ": this NIC gets the destination"
	}
	return d
}

func (a *analysis) capturesSubnet(t *try) draft {
	s := a.captured(t)
	at := slices.IndexFunc(a.nics, func(g guestNIC) bool { return g.subnet == s })
	d := draft{
		message: t.dst.String() + " lies in subnet " + s.ID + " of " + a.nics[at].Name + ": its addresses are reached through " + a.nics[t.nic].Name +
			", where data with the address of " + a.nics[at].Name + " is dropped",
		related: []Related{{Ref{a.in.Name, a.nics[at].Name, s.ID, HostRoute{}}, "has " + s.CIDR.String()}},
	}
	if t.item >= 0 {
		d.fixes = a.remove(&a.items[t.item])
	}
	return d
}

func (a *analysis) singleNIC(it *item) draft {
	return draft{message: "there is one NIC, and the data leaves by it anyway: unhelpful, though harmless", fixes: a.remove(it)}
}

func (a *analysis) redundant(it *item) draft {
	return draft{message: "all that it decides leaves by " + a.nics[it.nic].Name + " anyway", fixes: a.remove(it)}
}

func (a *analysis) shadowed(it *item) draft {
	return draft{message: "other routes claim every address of " + it.route.Destination.String() + ": it decides none", fixes: a.remove(it)}
}

// gatewayOf returns " 11.8.0.1 of subnet back"; of the NIC's subnet for a manual route.
func (a *analysis) gatewayOf(it *item) string {
	s := it.subnet
	if s == nil {
		s = a.nics[it.nic].subnet
	}
	switch {
	case s == nil:
		return ""
	case !s.Gateway.IsValid():
		return " (subnet " + s.ID + " has none)"
	}
	return " " + s.Gateway.String() + " of subnet " + s.ID
}

// gatewayOrRemove proposes the carrying subnet's gateway, where it has one, and, if
// asked for, to remove the host route.
func (a *analysis) gatewayOrRemove(it *item, remove bool) []Fix {
	s := it.subnet
	if s == nil {
		return nil
	}
	var fixes []Fix
	if gateway := (HostRoute{it.route.Destination, s.Gateway}); s.Gateway.IsValid() && gateway != it.route {
		fixes = append(fixes, a.replace(it, gateway, "set the next hop to "+s.Gateway.String()+", the gateway of subnet "+s.ID))
	}
	if remove {
		fixes = append(fixes, a.remove(it)...)
	}
	return fixes
}

// replace proposes to put a host route into the place of an item; Neutron refuses
// equal copies, so that where it is there already, the item only goes.
func (a *analysis) replace(it *item, by HostRoute, message string) Fix {
	if slices.Contains(it.subnet.HostRoutes, by) {
		return Fix{Message: "remove it: subnet " + it.subnet.ID + " has " + by.String() + " already", Edits: []Edit{{Subnet: it.subnet.ID, Old: it.route}}}
	}
	return Fix{Message: message, Edits: []Edit{{Subnet: it.subnet.ID, Old: it.route, New: by}}}
}

// remove proposes to remove a host route.
func (a *analysis) remove(it *item) []Fix {
	if it.subnet == nil {
		return nil
	}
	return []Fix{{Message: "remove the host route", Edits: []Edit{{Subnet: it.subnet.ID, Old: it.route}}}}
}

// tryRef names what a try comes from.
func (a *analysis) tryRef(t *try) Ref {
	if t.item >= 0 {
		return a.ref(&a.items[t.item])
	}
	r := Ref{Instance: a.in.Name, NIC: a.nics[t.nic].Name, Subnet: t.subnet.ID}
	if t.source != SourceConnected {
		r.HostRoute = HostRoute{t.dst, t.hop}
	}
	return r
}
