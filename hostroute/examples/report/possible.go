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

// maxOffers bounds what one instance costs. No real one is offered more default routes, but anyone can make ports that name an
// instance.
const maxOffers = 8

// nicKey tells the NICs of an instance apart at two times: their names change if a port goes.
func nicKey(n hostroute.NIC) string { return cmp.Or(n.ID, n.Name) }

// mayMove reports whether data may move if an instance changes, though none does as is assumed: if the guest runs another DHCP client,
// if systemd-networkd has its leases in another order, or, where nothing says which default route is kept, if the guest keeps another.
// How names a move; "" if the instance is offered too many default routes to look. Udhcpc is left out, because no host route reaches it.
func (c *cloud) mayMove(was, is hostroute.Instance) (how string, may bool) {
	if reflect.DeepEqual(was, is) {
		return "", false
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
		return "", true
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
					return c.possibleText(&is, moves[0], guest, keep, first), true
				}
			}
		}
	}
	return "", false
}

// as returns an instance with a guest that is told to keep the default route of the NIC with this key; "": the one that is assumed. The
// NIC that has its lease first, likewise, comes before the others, because a table lists equal routes in the order of their NICs.
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

// possibleText returns "11.12.0.0/16 front -> back under dhcpcd". The rest is as for [as].
func (c *cloud) possibleText(in *hostroute.Instance, move audit.Move, guest hostroute.Guest, keeps, first string) string {
	text := c.moved(move)
	if guest != in.Guest {
		text += " under " + string(guest)
	}
	var conditions []string
	if n := nicOf(in, keeps); n != nil {
		conditions = append(conditions, "the guest keeps the default of "+c.nicText(n))
	}
	if n := nicOf(in, first); n != nil {
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
