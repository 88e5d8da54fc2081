package main

import (
	"cmp"
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
	keeps string // the NIC whose default route the guest is told to keep, as [nicKey] has it; "": as is assumed
	first string // the NIC that has its lease before the others, likewise; "": the first one
}

// maxOffers bounds what one instance costs. No real one is offered more default routes, but anyone can make ports that name an
// instance.
const maxOffers = 8

// nicKey tells the NICs of an instance apart at two times: their names change if a port goes.
func nicKey(n hostroute.NIC) string { return cmp.Or(n.ID, n.Name) }

// mayMove returns a case in which data moves if an instance changes: the guest runs another DHCP client, systemd-networkd has its
// leases in another order, or, where nothing says which default route is kept, the guest keeps another. It returns nil if there is
// none. Udhcpc is left out, because no host route reaches it.
func mayMove(was, is hostroute.Instance) *possible {
	if reflect.DeepEqual(was, is) {
		return nil
	}
	keeps, firsts := []string{""}, []string{""}
	for _, o := range slices.Concat(defaultOffers(&was), defaultOffers(&is)) {
		key := nicKey(o.nic)
		if slices.Contains(keeps, key) || nicOf(&was, key) == nil || nicOf(&is, key) == nil {
			continue // both have to have the NIC
		}
		keeps = append(keeps, key)
		if !o.static {
			firsts = append(firsts, key)
		}
	}
	if len(keeps) > 1+maxOffers {
		return new(possible)
	}
	if is.DefaultNIC != "" {
		keeps = keeps[:1]
	}
	guests := slices.DeleteFunc(hostroute.Guests(), func(g hostroute.Guest) bool { return g == is.Guest || g == hostroute.GuestUdhcpc })
	for _, guest := range slices.Insert(guests, 0, is.Guest) {
		for _, keep := range keeps {
			for _, first := range firsts {
				if first != "" && guest != hostroute.GuestNetworkd {
					continue
				}
				if moves := audit.Moves(as(was, guest, keep, first), as(is, guest, keep, first)); len(moves) > 0 {
					return &possible{moves, guest, keep, first}
				}
			}
		}
	}
	return nil
}

// as returns an instance with a guest that is told to keep a NIC's default route. The NIC that has its lease first comes before the
// others, because a table lists equal routes in the order of their NICs.
func as(in hostroute.Instance, guest hostroute.Guest, keeps, first string) hostroute.Instance {
	in.Guest = guest
	if n := nicOf(&in, keeps); n != nil {
		in.DefaultNIC = n.Name
	}
	isFirst := func(n hostroute.NIC) bool { return nicKey(n) == first }
	if n := nicOf(&in, first); n != nil {
		in.NICs = append([]hostroute.NIC{*n}, slices.DeleteFunc(slices.Clone(in.NICs), isFirst)...)
	}
	return in
}

// nicOf returns the NIC of a key; nil if there is none.
func nicOf(in *hostroute.Instance, key string) *hostroute.NIC {
	i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return nicKey(n) == key })
	if i < 0 {
		return nil
	}
	return &in.NICs[i]
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
	if n := nicOf(in, may.keeps); n != nil {
		conditions = append(conditions, "the guest keeps the default of "+c.nicText(n))
	}
	if n := nicOf(in, may.first); n != nil {
		conditions = append(conditions, c.nicText(n)+" has its lease first")
	}
	if conditions != nil {
		text += " if " + strings.Join(conditions, " and ")
	}
	return text
}

// nicText returns how a NIC is called: by its subnets.
func (c *cloud) nicText(n *hostroute.NIC) string {
	var ids []string
	for _, s := range n.Subnets {
		if !slices.Contains(ids, s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return c.nicLabel(strings.Join(ids, ","))
}
