package main

import (
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// What may move: under which DHCP client, and with which default route.

// mayMove returns "11.12.0.0/16 front -> back under dhcpcd" for edits of which it depends on the guest whether they move data of
// an instance. It returns "" if no other client or default route shows it (the order of a list may decide), and does not ask
// instances that are offered many default routes.
func (c *cloud) mayMove(edits []hostroute.Edit, name string) string {
	in, err := c.find(name)
	if err != nil {
		return ""
	}
	offers := defaultOffers(in)
	if len(offers) > maxOffers {
		return ""
	}
	guests := slices.DeleteFunc(hostroute.Guests(), func(g hostroute.Guest) bool {
		return g == in.Guest || g == hostroute.GuestUdhcpc // which no host route reaches
	})
	keeps := []defaultOffer{{nic: in.DefaultNIC}} // the assumed one first
	if in.DefaultNIC == "" && len(offers) > 1 {
		keeps = append(keeps, offers...)
	}
	for _, guest := range slices.Insert(guests, 0, in.Guest) {
		for _, keep := range keeps {
			if moves := movesUnder(*in, guest, keep.nic, edits); len(moves) > 0 {
				return c.moved(moves[0]) + c.under(in, guest, keep)
			}
		}
	}
	return ""
}

// maxOffers bounds what an example costs. No real instance is offered more default routes, but anyone can make ports that name
// an instance.
const maxOffers = 8

// movesUnder returns what edits move in an instance with a DHCP client that keeps the default route of a NIC.
func movesUnder(in hostroute.Instance, guest hostroute.Guest, keeps string, edits []hostroute.Edit) []audit.Move {
	in.Guest, in.DefaultNIC = guest, keeps
	after, err := in.Apply(edits...)
	if err != nil {
		return nil
	}
	return audit.Moves(in, after)
}

// under says in which way a guest and its default route are not those that are assumed.
func (c *cloud) under(in *hostroute.Instance, guest hostroute.Guest, keep defaultOffer) (text string) {
	if guest != in.Guest {
		text = " under " + string(guest)
	}
	if keep.nic != in.DefaultNIC {
		text += " if the guest keeps the default of " + c.label(keep.subnet)
	}
	return text
}
