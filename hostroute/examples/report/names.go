package main

import (
	"cmp"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// How codes, subnets and NICs are called and ordered.

// quoted returns a name as it is safe to print: tenants choose names. One with anything to escape is quoted.
func quoted(name string) string { return hostroute.Ref{Subnet: name}.String() }

// oneLine returns a message that may have names in it. If any of its characters is not printable, all of it is quoted.
func oneLine(message string) string {
	if utf8.ValidString(message) && !strings.ContainsFunc(message, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return message
	}
	return strconv.Quote(message)
}

// name returns the name of a subnet, or its ID if it has none.
func (c *cloud) name(id string) string { return cmp.Or(c.SubnetNames[id], id) }

// label returns the name of a subnet as text, with the ID where the name alone could be taken for another subnet.
func (c *cloud) label(id string) string { return c.describe(id, "") }

// place returns "storage 10.70.0.0/24 (ID)": commands and flags take the ID.
func (c *cloud) place(id string) string {
	if s := c.subnets[id]; s != nil {
		return c.describe(id, " "+s.CIDR.String())
	}
	return c.label(id)
}

// describe returns the name of a subnet, then a text and the ID. Without a text, it has the ID only if several subnets have that
// name, or if it looks like an ID or an address: tenants choose names.
func (c *cloud) describe(id, text string) string {
	name := c.name(id)
	switch {
	case name == id:
		return quoted(id) + text
	case c.subnets[name] != nil || looksLikeID.MatchString(name):
		return strconv.Quote(name) + text + " (" + quoted(id) + ")"
	case text != "" || c.labels[name] > 1:
		return quoted(name) + text + " (" + quoted(id) + ")"
	}
	return quoted(name)
}

// looksLikeID matches what may be read as an ID, an address or a prefix.
var looksLikeID = regexp.MustCompile(`^([0-9a-fA-F]{8}-[0-9a-fA-F-]*|[0-9a-fA-F]{32}|[0-9a-fA-F]*[.:][0-9a-fA-F.:]*(/[0-9]*)?)$`)

// nicLabel returns how a NIC is called whose subnets have these IDs, separated by commas.
func (c *cloud) nicLabel(ids string) string {
	if ids == "" {
		return "no route"
	}
	if c.subnets[ids] != nil {
		return c.label(ids)
	}
	return strings.Join(each(strings.Split(ids, ","), c.label), "+")
}

// rules are the rules by code, with that of the decoder's own code.
var rules = func() map[hostroute.Code]hostroute.Rule {
	out := map[hostroute.Code]hostroute.Rule{neutron.CodeNetmaskSpelling: {
		Code:     neutron.CodeNetmaskSpelling,
		Severity: hostroute.SeverityError,
		Title:    "destination is spelled with a netmask",
		Why: "Neutron hands such a destination on as it is. dnsmasq takes the first number of the netmask for the length. With a length " +
			"above 32, dhclient installs no route of the subnet, not even the default. Rewrite the list before you look at the other host routes of " +
			"this subnet: none of them works as it was analysed.",
	}}
	for _, r := range hostroute.Rules() {
		out[r.Code] = r
	}
	return out
}()

// places are the places of the codes in the catalogue. The decoder's comes first.
var places = func() map[hostroute.Code]int {
	out := make(map[hostroute.Code]int)
	for i, r := range hostroute.Rules() {
		out[r.Code] = i + 1
	}
	return out
}()

// worse returns the worse of two codes: of equal severity, the one that comes first in the catalogue.
func worse(a, b hostroute.Code) hostroute.Code {
	if compareCodes(b, a) < 0 {
		return b
	}
	return a
}

func compareCodes(a, b hostroute.Code) int {
	return cmp.Or(cmp.Compare(rules[b].Severity, rules[a].Severity), cmp.Compare(places[a], places[b]))
}

// ofSubnet has the codes of findings about a subnet: its host routes share them, and one remedy.
var ofSubnet = map[hostroute.Code]bool{
	hostroute.CodeNoLease:        true,
	hostroute.CodeDHCPDisabled:   true,
	hostroute.CodeOptionOverflow: true,
	hostroute.CodeIPv6NotOffered: true,
	hostroute.CodeRoutesIgnored:  true,
	neutron.CodeNetmaskSpelling:  true,
}

// isShared reports whether the host routes of a subnet have one remedy, so that they are one entry.
func isShared(code hostroute.Code) bool {
	return ofSubnet[code] || code == hostroute.CodeSecondIPv4Subnet // which is of a NIC
}

// mended has the codes of host routes that may work once something else is mended: their subnet, a port or the guest. Somebody
// wanted those that fit, so they are not called needless.
var mended = map[hostroute.Code]bool{
	hostroute.CodeNoLease:          true,
	hostroute.CodeSecondIPv4Subnet: true,
	hostroute.CodeDHCPDisabled:     true,
	hostroute.CodeOptionOverflow:   true,
	hostroute.CodeRoutesIgnored:    true,
}

// compareHostRoutes orders host routes by destination, then by next hop.
func compareHostRoutes(a, b hostroute.HostRoute) int {
	return cmp.Or(comparePrefixes(a.Destination, b.Destination), a.NextHop.Compare(b.NextHop))
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
