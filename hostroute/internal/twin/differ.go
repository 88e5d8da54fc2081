package twin

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What guests make of one host route: the effect of it under each, found by deleting it.

// An Effect is what a route does in a guest's table. Where rows may be in any order, data may
// leave by several NICs.
type Effect struct {
	Steers, Surely bool // without it, data to some address may, or must, leave otherwise
	Witness        netip.Addr
	With, Without  []string // the NICs by which data to the witness may leave

	table hostroute.Table // with it
}

// EffectUnder returns the effect of a verdict's subject under a guest, in IPv4.
func EffectUnder(in hostroute.Instance, guest string, subject hostroute.Ref) Effect {
	return effectUnder(in, guest, overflows(in), subject)
}

// effectUnder is EffectUnder if some NICs lose their offers.
func effectUnder(in hostroute.Instance, guest string, overflow []bool, subject hostroute.Ref) Effect {
	x, _ := subjectOf(in, subject)
	list := guestInstall(in, guest, overflow)
	e := Effect{table: tableOf(list)}
	if !slices.ContainsFunc(list, func(w wish) bool { return isWish(w, x) }) {
		return e
	}
	without := tableOf(guestInstall(remove(in, x), guest, overflow))
	inside := x.route.Destination
	if s, static := Configured(in, in.NICs[x.nic]); x.subnet != nil && s != nil && !static {
		inside = wire(inside)
	}
	boundaries := Boundaries(e.table, without)
	for _, within := range []bool{true, false} {
		for _, a := range boundaries {
			if !a.Is4() {
				continue
			}
			before, after := Egresses(e.table, guest, a), Egresses(without, guest, a)
			if !slices.ContainsFunc(before, func(nic string) bool { return slices.Contains(after, nic) }) {
				e.Surely = true
			}
			if !e.Steers && inside.Contains(a) == within && !slices.Equal(before, after) {
				e.Steers, e.Witness, e.With, e.Without = true, a, before, after
			}
		}
	}
	return e
}

// isWish reports whether a guest's wish is a subject.
func isWish(w wish, x subject) bool {
	if w.nic != x.nic || w.asked != x.route {
		return false
	}
	if x.subnet == nil {
		return w.Source == hostroute.SourceManual
	}
	return w.Source == hostroute.SourceHostRoute && w.Subnet == x.subnet.ID
}

// guestOf returns the guest of an instance. The empty one is dhclient.
func guestOf(in hostroute.Instance) hostroute.Guest {
	if in.Guest == "" {
		return hostroute.GuestDhclient
	}
	return in.Guest
}

// GuestsThatDiffer returns the guests under which a verdict on an IPv4 route differs: with the same
// default, the route is effective there and not here, or the reverse, or its witness may leave by
// another NIC. The instance's own guest is among them where it configures NICs at once and that decides.
func GuestsThatDiffer(in hostroute.Instance, subject hostroute.Ref) []hostroute.Guest {
	own := guestOf(in)
	differ := make(map[hostroute.Guest]bool)
	for _, told := range defaults(in) {
		here := EffectUnder(told, string(own), subject)
		differ[own] = differ[own] || here.Steers && (!here.Surely || len(here.With) > 1)
		for _, guest := range hostroute.Guests() {
			if guest == hostroute.GuestUdhcpc {
				continue
			}
			for _, overflow := range losses(told, string(guest)) {
				if guest == own && slices.Equal(overflow, overflows(told)) {
					continue
				}
				there := effectUnder(told, string(guest), overflow, subject)
				switch {
				case here.Steers != there.Steers, here.Surely != there.Surely:
					differ[guest] = true
				case here.Steers && !slices.Equal(here.With, Egresses(there.table, string(guest), here.Witness)):
					differ[guest] = true
				}
			}
		}
	}
	return slices.DeleteFunc(hostroute.Guests(), func(guest hostroute.Guest) bool { return !differ[guest] })
}

// losses says for each NIC whether its offer is lost, in each way that a guest may lose some: dhclient and NetworkManager
// announce no larger message than one that has 197 bytes for the routes.
func losses(in hostroute.Instance, guest string) [][]bool {
	if guest != "dhclient" && guest != "NetworkManager" {
		return [][]bool{overflows(in)}
	}
	return [][]bool{overflows(in), longer(in, 197)}
}

// defaults returns the instance with each of the IPv4 defaults that its guest may keep: that it is offered, even if it makes another
// route of it.
func defaults(in hostroute.Instance) []hostroute.Instance {
	if in.DefaultNIC != "" {
		return []hostroute.Instance{in}
	}
	var list []hostroute.Instance
	c := clientOf("dhclient")
	steps := steps(in, overflows(in))
	for i, n := range in.NICs {
		isDefault := func(w wish) bool { return w.Destination == default4 && w.Source != hostroute.SourceConnected }
		if slices.ContainsFunc(c.wishes(in, i, steps, nil), isDefault) {
			told := in
			told.DefaultNIC = n.Name
			list = append(list, told)
		}
	}
	if len(list) < 2 {
		return []hostroute.Instance{in}
	}
	return list
}

// AnotherGuestMoves reports whether more moves between two instances, or less, under another guest that keeps a default
// which is offered before or after, in another order of NICs, or with all lists of host routes reversed, but those that the edits
// name first or last, and perhaps first before the edits and last after them.
func AnotherGuestMoves(before, after hostroute.Instance, edits []hostroute.Edit) bool {
	own := string(guestOf(before))
	var kept []string
	for _, in := range []hostroute.Instance{before, after} {
		for _, told := range defaults(in) {
			if told.DefaultNIC != "" {
				kept = append(kept, told.DefaultNIC)
			}
		}
	}
	if len(kept) == 0 {
		kept = append(kept, "")
	}
	here := []hostroute.Table{GuestTable(before, own), GuestTable(after, own)}
	for _, address := range Boundaries(here...) {
		if m := move(here, own, address); address.Is4() && len(m) > 3 {
			return true
		}
	}
	for _, guest := range Guests {
		if guest == "udhcpc" && guest != own {
			continue
		}
		for _, keep := range kept {
			b, a := before, after
			b.DefaultNIC, a.DefaultNIC = keep, keep
			var ways [][]hostroute.Table
			for i := range losses(b, guest) {
				table := func(in hostroute.Instance) hostroute.Table { return guestTable(in, guest, losses(in, guest)[i]) }
				ways = append(ways, []hostroute.Table{table(b), table(a)})
				for _, wasLast := range []bool{false, true} {
					for _, isLast := range []bool{false, true} {
						ways = append(ways, []hostroute.Table{table(reversed(b, edits, wasLast)), table(reversed(a, edits, isLast))})
					}
				}
			}
			for _, there := range ways {
				for _, address := range Boundaries(append(there, here...)...) {
					if address.Is4() && !slices.Equal(move(here, own, address), move(there, guest, address)) {
						return true
					}
				}
			}
		}
	}
	return false
}

// reversed returns a copy of an instance with all lists of host routes in the reverse order, but those that edits name first or
// last. Equal copies are one host route.
func reversed(in hostroute.Instance, edits []hostroute.Edit, last bool) hostroute.Instance {
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			var named, others []hostroute.HostRoute
			for _, r := range slices.Backward(Distinct(s.HostRoutes)) {
				isNamed := slices.ContainsFunc(edits, func(e hostroute.Edit) bool {
					added := e.New
					added.Destination = added.Destination.Masked()
					return e.Subnet == s.ID && (e.Old == r || added == r)
				})
				if isNamed {
					named = append(named, r)
				} else {
					others = append(others, r)
				}
			}
			if last {
				in = replace(in, s.ID, append(others, named...))
			} else {
				in = replace(in, s.ID, append(named, others...))
			}
		}
	}
	return in
}

// move returns by which NICs data to an address may leave before and after; nil if these are the same.
func move(tables []hostroute.Table, guest string, a netip.Addr) []string {
	before, after := Egresses(tables[0], guest, a), Egresses(tables[1], guest, a)
	if slices.Equal(before, after) {
		return nil
	}
	return append(append(before, "->"), after...)
}
