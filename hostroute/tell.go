package hostroute

import (
	"slices"
	"strconv"
	"strings"
)

// tell writes the finding of a code at a place, with fixes that are not proven yet: its message has the
// problem, then the reason.
func (a *analysis) tell(at place, c Code) Finding {
	switch c {
	case CodeMultipleDefaults:
		return a.multipleDefaults()
	case CodeNoDefault:
		return a.tellNoDefault()
	case CodeSecondIPv4Subnet:
		return a.secondIPv4Subnet(&a.nics[at.nic])
	case CodeNoLease:
		return noLease(a.placed[at.subnet].Subnet)
	case CodeDHCPDisabled:
		return dhcpDisabled(a.placed[at.subnet].Subnet)
	case CodeIPv6NotOffered:
		return ipv6NotOffered(a.placed[at.subnet].Subnet)
	case CodeOptionOverflow:
		return a.optionOverflow(at)
	case CodeOverlappingSubnets:
		return a.overlappingSubnets(at)
	case CodeCapturesSubnet:
		if at.item < 0 {
			return a.capturesSubnet(at.sibling)
		}
	}
	return a.tellItem(c, &a.items[at.item])
}

// tellItem is tell for a host route or a manual route.
func (a *analysis) tellItem(c Code, it *item) Finding {
	var d Finding
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
		d = a.capturesSubnet(it.try)
	case CodeSingleNIC:
		d = a.singleNIC(it)
	case CodeRedundant:
		d = a.redundant(it)
	case CodeShadowed:
		d = a.shadowed(it)
	}
	if it.subnet == nil { // has no fixes, as no subnet can be edited
		d.Message += "; in the guest: " + a.typed(it)
	}
	return d
}

// typed returns what to type in the guest about a manual route, the same for all its findings: a
// command that Linux takes, and that touches no other route.
func (a *analysis) typed(it *item) string {
	nic, ip, there := it.nic, "ip route ", it.cause == ""
	if !it.route.Destination.Addr().Is4() {
		ip = "ip -6 route "
	}
	if it.class == ClassOtherGateway {
		_, other := a.otherGateway(it)
		nic = int32(other)
	}
	hop, then := a.routerOf(nic, ip == "ip route ")
	dst, dev := it.route.Destination.Masked().String(), " dev "+a.nics[nic].Name
	switch {
	case !it.oneFamily(), !there && (hop == "" || a.inForce(a.state, it) >= 0): // an equal destination stays
		return "leave it out"
	case !there:
		return ip + "add " + dst + " via " + hop + dev + then
	case hop != "" && it.class.code() != "" && a.verdicts[a.tries[it.try].item].Effect == EffectSteers && !a.captures(it.try):
		return ip + "replace " + dst + " via " + hop + dev + then
	case it.route.NextHop != zero4:
		dst += " via " + it.route.NextHop.String()
	}
	return ip + "del " + dst + " dev " + a.nics[it.nic].Name
}

// routerOf returns the next hop that stands for the hypervisor on a NIC, as it is to be typed, and what to say of
// it; "" if there is none that Linux takes, whatever else is programmed by hand.
func (a *analysis) routerOf(nic int32, is4 bool) (hop, then string) {
	g := &a.nics[nic]
	if !is4 && g.advertised() != nil {
		return "LINK-LOCAL-ADDRESS", ", with the address that router advertisements on " + g.Name + " come from"
	}
	if !is4 || g.subnet == nil || g.subnet.Gateway == g.broadcast {
		return "", ""
	}
	for i := range a.tries {
		t, r := &a.tries[i], &a.routes[i]
		if t.source == SourceManual { // these come last
			break
		}
		linkScope := t.source == SourceConnected || t.onLink() && a.state.answers[i] == installed
		if linkScope && r.NIC == nic && r.Prefix.Contains(g.subnet.Gateway) {
			return g.subnet.Gateway.String(), ""
		}
	}
	return "", ""
}

func (a *analysis) multipleDefaults() Finding {
	var d Finding
	var names []string
	for _, o := range a.others {
		if name := a.nics[max(o.v4, o.v6)].Name; !slices.Contains(names, name) {
			names = append(names, name)
			d.Related = append(d.Related, Related{Ref{Instance: a.in.Name, NIC: name}, "is offered a default"})
		}
	}
	d.Message = strings.Join(names, ", ") + " are each offered a default, and nothing says which one the guest keeps: DHCP clients differ, the first is taken here"
	for i, hangs := range a.hang {
		if hangs {
			d.Related = append(d.Related, Related{a.ref(&a.items[i]), "its effect depends on which default is kept"})
		}
	}
	if hanging := d.Related[len(names):]; len(hanging) > 0 {
		first := hanging[0].Ref
		first.Instance = ""
		d.Message += "; the effect of " + first.String() + " depends on it"
		if more := len(hanging) - 1; more > 0 {
			d.Message += ", and of " + strconv.Itoa(more) + " more"
		}
	}
	return d
}

func (a *analysis) tellNoDefault() Finding {
	if a.in.DefaultNIC != "" {
		return Finding{Message: "the guest is told to keep the IPv4 default of " + a.in.DefaultNIC + ", and that gets none: what no other route covers is unreachable"}
	}
	return Finding{Message: "no NIC gets an IPv4 default: what no other route covers is unreachable"}
}

func (a *analysis) secondIPv4Subnet(g *guestNIC) Finding {
	d := Finding{Message: g.Name + " has " + strconv.Itoa(a.count4(g)) + " IPv4 subnets, and a guest configures one of them: "}
	switch {
	case g.subnet == nil:
		d.Message += "here none gives an address"
	case g.static:
		d.Message += g.subnet.label() + ", the first, from the config drive"
	default:
		d.Message += "only what " + g.subnet.label() + " offers arrives"
		if slices.ContainsFunc(a.placed[g.first:g.end], func(s placed) bool { return s.leases() && !g.uses(s.Subnet) }) {
			d.Message += ", and which one is leased is the DHCP server's choice"
		}
	}
	for _, s := range a.placed[g.first:g.end] {
		if s.is4() && !g.uses(s.Subnet) {
			d.Related = append(d.Related, Related{Ref{a.in.Name, g.Name, s.ID, HostRoute{}}, "nothing of it arrives"})
		}
	}
	return d
}

func noLease(s *Subnet) Finding {
	d := Finding{Message: "subnet " + s.label() + " has no gateway"}
	if s.Gateway.IsValid() {
		d.Message = "gateway " + s.Gateway.String() + " of subnet " + s.label() + " is outside its CIDR " + s.CIDR.String()
	}
	d.Message += ": the DHCP server has no address in it, so that it gives no lease and nothing of the subnet arrives"
	return d
}

func dhcpDisabled(s *Subnet) Finding {
	return Finding{Message: "host routes of subnet " + s.label() + " do not arrive: DHCP is off, and only a guest that reads the config drive has them"}
}

func ipv6NotOffered(s *Subnet) Finding {
	return Finding{Message: "host routes of IPv6 subnet " + s.label() + " never arrive: neither DHCPv6 nor a router advertisement carries them"}
}

func (a *analysis) optionOverflow(at place) Finding {
	return Finding{Message: "the offer of subnet " + a.placed[at.subnet].label() + " needs " + strconv.Itoa(int(a.nics[at.nic].bytes)) +
		" bytes and DHCP option 121 holds 255: no host route of it and no route to a sibling arrives, only the default"}
}

func (a *analysis) overlappingSubnets(at place) Finding {
	const most = 32 // so that many NICs on one subnet do not make a list of their square
	var d Finding
	s, first, more := a.placed[at.subnet], "", 0
	for i := range a.nics[:at.nic] {
		g := &a.nics[i]
		for _, o := range a.placed[g.first:g.end] {
			if !o.CIDR.Overlaps(s.CIDR) {
				continue
			}
			if len(d.Related) == most {
				more++
				continue
			}
			switch {
			case first != "":
			case o.ID == s.ID:
				first = g.Name + " is on subnet " + s.label() + " as well: its addresses are"
			default:
				first = s.CIDR.String() + " overlaps subnet " + o.label() + " of " + g.Name + ": an address that both contain is"
			}
			d.Related = append(d.Related, Related{Ref{a.in.Name, g.Name, o.ID, HostRoute{}}, "has " + o.CIDR.String()})
		}
	}
	d.Message = first + " reached through one of the NICs only"
	if more > 0 {
		d.Message += "; " + strconv.Itoa(more) + " more are not listed"
	}
	return d
}

func (a *analysis) nextHopNotGateway(it *item) Finding {
	hop := it.route.NextHop.String()
	d := Finding{Message: "next hop " + hop + " is not the gateway" + a.gatewayOf(it), Fixes: gatewayOrRemove(it, len(a.nics) == 1 && !a.lone)}
	switch {
	case !it.route.NextHop.Is4():
		d.Message += ": if the route arrived, nothing would answer for it, as IPv6 neighbours are not proxied"
	case it.try < 0:
		d.Message += ": if the route arrived, the hypervisor would forward the data itself, or lose it"
	default:
		d.Message += ": the hypervisor forwards the data itself, and a router at " + hop + " never sees it; if the hypervisor has no route to " + hop + ", nothing answers for it and the data is lost"
	}
	return d
}

func (a *analysis) nextHopOtherNIC(it *item) Finding {
	s, nic := a.otherGateway(it)
	g := &a.nics[nic]
	d := Finding{
		Message: "next hop " + it.route.NextHop.String() + " is the gateway of subnet " + s.label() + " on " + g.Name + ", not of this NIC",
		Related: []Related{{Ref{a.in.Name, g.Name, s.ID, HostRoute{}}, "has the gateway " + s.Gateway.String()}},
	}
	switch {
	case it.subnet == nil && it.cause != "":
		d.Message += ": the guest refuses the route"
		return d
	case it.subnet == nil:
		d.Message += ": the data leaves by " + a.nics[it.nic].Name
		return d
	}
	then := ": some DHCP clients refuse the route, some send the data out of "
	if it.try < 0 {
		then = ": if the route arrived, some DHCP clients would refuse it, some would send the data out of "
	}
	d.Message += then + a.nics[it.nic].Name
	out := Edit{Subnet: it.subnet.ID, Old: *it.route}
	if slices.Contains(s.HostRoutes, *it.route) {
		d.Fixes = []Fix{{Message: "remove it: subnet " + s.label() + " has it already", Edits: []Edit{out}}}
	} else {
		d.Fixes = []Fix{{Message: "move it to subnet " + s.label() + ", whose instances all get it", Edits: []Edit{out, {Subnet: s.ID, New: *it.route}}}}
	}
	return d
}

func (a *analysis) nextHopOffLink(it *item) Finding {
	where, then := " is on no link of this NIC", ": the guest refuses the route"
	if it.try < 0 {
		then = ": the guest would refuse the route, if it arrived"
	}
	if a.lone {
		where, then = " is not in "+it.subnet.CIDR.String(), then+"; if that is the gateway of another subnet, the host route belongs there"
	}
	return Finding{Message: "next hop " + it.route.NextHop.String() + where + then, Fixes: gatewayOrRemove(it, true)}
}

func (a *analysis) nextHopOwnAddress(it *item) Finding {
	d := Finding{Message: "next hop " + it.route.NextHop.String() + " is the NIC's own address, not the gateway" + a.gatewayOf(it),
		Fixes: gatewayOrRemove(it, len(a.nics) == 1 && !a.lone)}
	switch {
	case it.cause == CodeNextHopOwnAddress:
		d.Message += ": the guest refuses the route"
	case it.try < 0:
		d.Message += ": if the route arrived, the guest would look for every destination on the link"
	default:
		d.Message += ": the guest looks for every destination on the link, and the hypervisor alone can answer"
	}
	return d
}

func (a *analysis) nextHopOnLink(it *item) Finding {
	d := Finding{Message: "next hop 0.0.0.0 makes the destination on-link: that works by proxy ARP only", Fixes: gatewayOrRemove(it, false)}
	switch {
	case it.try < 0:
		d.Message = "next hop 0.0.0.0 would make the destination on-link: if the route arrived, it would work by proxy ARP only"
	case a.byDHCP(it):
		d.Message += ", and dhcpcd installs just its first address"
	}
	return d
}

// byDHCP says whether an item comes by DHCP.
func (p *plan) byDHCP(it *item) bool { return it.subnet != nil && !p.nics[it.nic].static }

func (a *analysis) nextHopUnusable(it *item) Finding {
	hop := it.route.NextHop.String()
	d := Finding{Fixes: gatewayOrRemove(it, true)}
	switch {
	case !it.oneFamily():
		d.Message = "destination " + it.route.Destination.String() + " and next hop " + hop + " are not of the family of each other and the subnet: it cannot be installed"
		d.Fixes = remove(it)
	case it.class == ClassOwnGateway:
		d.Message = "next hop " + hop + " is the gateway, but Linux refuses it: " + a.notANeighbour(it)
	default:
		d.Message = "next hop " + hop + " cannot be a next hop: it is no address of a single neighbour"
	}
	if it.try >= 0 && it.cause != "" {
		d.Message += "; " + a.refused(it)
	}
	return d
}

// notANeighbour tells why the NIC has no such neighbour as an item's next hop.
func (a *analysis) notANeighbour(it *item) string {
	switch g := &a.nics[it.nic]; {
	case it.route.NextHop == g.broadcast:
		return "it is the broadcast address of " + g.subnet.CIDR.String()
	case slices.Contains(g.Addrs, it.route.NextHop):
		return "it is the NIC's own address"
	}
	return "it is on no link of the NIC"
}

// refused tells that the guest refuses an item.
func (a *analysis) refused(it *item) string {
	if a.byDHCP(it) {
		return "the guest refuses the route, and systemd-networkd stops DHCP on the whole NIC for it"
	}
	return "the guest refuses the route"
}

func (a *analysis) defaultDropped(it *item) Finding {
	return Finding{
		Message: "a default route among the host routes never arrives: Neutron drops it, because subnet " + it.subnet.label() + " has a gateway, " + it.subnet.Gateway.String(),
		Fixes:   remove(it),
	}
}

func (a *analysis) hostBits(it *item) Finding {
	d := it.route.Destination
	masked := HostRoute{d.Masked(), it.route.NextHop}
	out := Finding{Message: "destination " + d.String() + " has bits outside its mask: "}
	switch {
	case it.try >= 0 && a.tries[it.try].hostBits:
		out.Message += a.refused(it)
	case it.try >= 0:
		out.Message += "DHCP does not carry them, and it arrives as " + masked.Destination.String()
	default:
		out.Message += "it stands for " + masked.Destination.String()
	}
	if it.subnet != nil {
		out.Fixes = []Fix{replace(it, masked, "mask the destination: "+masked.Destination.String())}
	}
	return out
}

func (a *analysis) duplicate(it *item) Finding {
	i := a.inForce(a.state, it)
	return Finding{
		Message: "destination " + a.routes[i].Prefix.String() + " is already installed through the same NIC: Linux keeps the first",
		Related: a.instead(i),
		Fixes:   remove(it),
	}
}

func (a *analysis) conflict(it *item) Finding {
	if a.state.answers[it.try] == dropped {
		return Finding{
			Message: "the guest is told to keep the default of " + a.in.DefaultNIC + " and drops the one of " + a.nics[it.nic].Name,
			Fixes:   remove(it),
		}
	}
	otherwise := ""
	if a.byDHCP(it) {
		otherwise = ", and other DHCP clients may choose otherwise"
	}
	i := a.inForce(a.state, it)
	winner := a.nics[a.routes[i].NIC].Name
	d := Finding{
		Message: "destination " + a.routes[i].Prefix.String() + " is already installed through " + winner + ": it leaves there" + otherwise,
		Related: a.instead(i),
		Fixes:   remove(it),
	}
	if t := &a.tries[i]; t.source == SourceHostRoute && it.subnet != nil {
		if d.Fixes = nil; t.subnet.ID != it.subnet.ID {
			o := &a.items[t.item]
			d.Fixes = append(remove(it), remove(o)...)
			d.Fixes[0].Message = "remove it here: " + winner + " keeps the destination"
			d.Fixes[1].Message = "remove " + o.route.String() + " from subnet " + o.subnet.label() + ": " + a.nics[it.nic].Name + " gets the destination"
		}
	}
	return d
}

func (a *analysis) capturesSubnet(i int32) Finding {
	other, nic := &a.nics[a.captured(i)], a.nics[a.routes[i].NIC].Name
	d := Finding{
		Message: a.routes[i].Prefix.String() + " lies in subnet " + other.subnet.label() + " of " + other.Name + ": its addresses are reached through " + nic +
			", where data with the address of " + other.Name + " is dropped",
		Related: []Related{{Ref{a.in.Name, other.Name, other.subnet.ID, HostRoute{}}, "has " + other.subnet.CIDR.String()}},
	}
	if item := a.tries[i].item; item >= 0 {
		d.Fixes = remove(&a.items[item])
	}
	return d
}

func (a *analysis) singleNIC(it *item) Finding {
	const message = "there is one NIC, and the data leaves by it anyway"
	if it.class != ClassOwnGateway { // that has a finding of its own
		return Finding{Message: message, Fixes: remove(it)}
	}
	return Finding{Message: message + ": unhelpful, though harmless", Fixes: remove(it)}
}

func (a *analysis) redundant(it *item) Finding {
	return Finding{Message: "all that it decides leaves by " + a.nics[it.nic].Name + " anyway", Fixes: remove(it)}
}

func (a *analysis) shadowed(it *item) Finding {
	return Finding{Message: "other routes claim every address of " + it.route.Destination.String() + ": it decides none", Fixes: remove(it)}
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
		return " (subnet " + s.label() + " has none)"
	}
	return " " + s.Gateway.String() + " of subnet " + s.label()
}

// gatewayOrRemove proposes the carrying subnet's gateway, where it has one, and, if
// asked for, to remove the host route.
func gatewayOrRemove(it *item, orRemove bool) []Fix {
	s := it.subnet
	if s == nil {
		return nil
	}
	var fixes []Fix
	if gateway := (HostRoute{it.route.Destination, s.Gateway}); s.Gateway.IsValid() && gateway != *it.route {
		fixes = append(fixes, replace(it, gateway, "set the next hop to "+s.Gateway.String()+", the gateway of subnet "+s.label()))
	}
	if orRemove && (len(fixes) == 0 || fixes[0].Edits[0].New != HostRoute{}) {
		fixes = append(fixes, remove(it)...)
	}
	return fixes
}

// replace proposes to put a host route into the place of an item; Neutron refuses
// equal copies, so that where it is there already, the item only goes.
func replace(it *item, by HostRoute, message string) Fix {
	if slices.Contains(it.subnet.HostRoutes, by) {
		return Fix{Message: "remove it: subnet " + it.subnet.label() + " has " + by.String() + " already", Edits: []Edit{{Subnet: it.subnet.ID, Old: *it.route}}}
	}
	return Fix{Message: message, Edits: []Edit{{Subnet: it.subnet.ID, Old: *it.route, New: by}}}
}

// remove proposes to remove a host route.
func remove(it *item) []Fix {
	if it.subnet == nil {
		return nil
	}
	return []Fix{{Message: "remove the host route, if no other instance on the subnet needs it", Edits: []Edit{{Subnet: it.subnet.ID, Old: *it.route}}}}
}

// instead names a try as what is installed instead of another one.
func (a *analysis) instead(i int32) []Related {
	message := "is installed instead"
	if a.tries[i].source == SourceDefault {
		message += ", as the default of the subnet"
	}
	return []Related{{a.tryRef(i), message}}
}

// tryRef names what a try comes from.
func (a *analysis) tryRef(i int32) Ref {
	t, r := &a.tries[i], &a.routes[i]
	if t.item >= 0 {
		return a.ref(&a.items[t.item])
	}
	out := Ref{Instance: a.in.Name, NIC: a.nics[r.NIC].Name, Subnet: t.subnet.ID}
	if t.source != SourceConnected {
		out.HostRoute = HostRoute{r.Prefix, t.hop}
	}
	return out
}
