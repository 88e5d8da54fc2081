package main

import (
	"reflect"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// What may move if a guest is not as assumed.

// A possible is what moves in an instance in one case that differs from what is assumed.
type possible struct {
	moves []audit.Move // nil: the instance is offered too many default routes to look
	guest hostroute.Guest
	keeps string // the NIC whose default route the guest is told to keep; "": it is told nothing
	first string // the NIC that has its lease before the others; "": the first one
}

// maxOffers bounds what one instance costs. No real one is offered more default routes, but anyone can make ports that name an
// instance.
const maxOffers = 8

// mayMove returns a case in which data moves if an instance changes: the guest runs another DHCP client, systemd-networkd has its
// leases in another order, or, where nothing says which default route is kept, the guest keeps another. It returns nil if there is
// none. Udhcpc is left out, because no host route reaches it.
func mayMove(was, is hostroute.Instance) *possible {
	if reflect.DeepEqual(was, is) {
		return nil
	}
	var offered []string // the NICs with a default route
	for _, o := range slices.Concat(defaultOffers(&was), defaultOffers(&is)) {
		if !slices.Contains(offered, o.nic) {
			offered = append(offered, o.nic)
		}
	}
	if len(offered) > maxOffers {
		return new(possible)
	}
	keeps := []string{is.DefaultNIC}
	if is.DefaultNIC == "" {
		keeps = append(keeps, offered...)
	}
	guests := slices.DeleteFunc(hostroute.Guests(), func(g hostroute.Guest) bool { return g == is.Guest || g == hostroute.GuestUdhcpc })
	for _, guest := range slices.Insert(guests, 0, is.Guest) {
		firsts := []string{""}
		if guest == hostroute.GuestNetworkd {
			firsts = append(firsts, offered...)
		}
		for _, keep := range keeps {
			for _, first := range firsts {
				if moves := audit.Moves(as(was, guest, keep, first), as(is, guest, keep, first)); len(moves) > 0 {
					return &possible{moves, guest, keep, first}
				}
			}
		}
	}
	return nil
}

// as returns an instance with a guest that is told to keep a NIC's default route. The NIC that has its lease first comes first: of
// equal routes, the table has that of the first NIC first.
func as(in hostroute.Instance, guest hostroute.Guest, keeps, first string) hostroute.Instance {
	in.Guest, in.DefaultNIC = guest, keeps
	isFirst := func(n hostroute.NIC) bool { return n.Name == first }
	if i := slices.IndexFunc(in.NICs, isFirst); i >= 0 {
		in.NICs = append([]hostroute.NIC{in.NICs[i]}, slices.DeleteFunc(slices.Clone(in.NICs), isFirst)...)
	}
	return in
}

// possibleText returns "11.12.0.0/16 front -> back under dhcpcd" for what may move in an instance; "" if no move is known.
func (c *cloud) possibleText(in *hostroute.Instance, may *possible) string {
	if may == nil || may.moves == nil {
		return ""
	}
	text := c.moved(may.moves[0])
	if may.guest != in.Guest {
		text += " under " + string(may.guest)
	}
	var conditions []string
	if may.keeps != in.DefaultNIC {
		conditions = append(conditions, "the guest keeps the default of "+c.nicOf(in, may.keeps))
	}
	if may.first != "" {
		conditions = append(conditions, c.nicOf(in, may.first)+" has its lease first")
	}
	if conditions != nil {
		text += " if " + strings.Join(conditions, " and ")
	}
	return text
}

// nicOf returns how the NIC of a name is called: by its subnets.
func (c *cloud) nicOf(in *hostroute.Instance, name string) string {
	var ids []string
	for _, n := range in.NICs {
		if n.Name == name {
			ids = each(n.Subnets, func(s *hostroute.Subnet) string { return s.ID })
		}
	}
	return c.nicLabel(strings.Join(ids, ","))
}
