package hostroute

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted returns a name as it is safe to print: tenants choose names, and one with a line end, a
// bidirectional control or ": " could forge output. Such a name is quoted.
func quoted(name string) string {
	escaped := func(r rune) bool { return r == '"' || r == '\\' || r == utf8.RuneError || !strconv.IsPrint(r) }
	if strings.ContainsFunc(name, escaped) || strings.Contains(name, ": ") {
		return strconv.Quote(name)
	}
	return name
}

// guestNames returns "dhcpcd", "dhcpcd and udhcpc", "NetworkManager, dhcpcd and udhcpc".
func guestNames(list []Guest) string {
	s := string(list[0])
	for i, g := range list[1:] {
		if i == len(list)-2 {
			s += " and " + string(g)
		} else {
			s += ", " + string(g)
		}
	}
	return s
}

// addrText is quoted for an address, whose zone may be any text.
func addrText(a netip.Addr) string {
	if a.Zone() == "" {
		return a.String()
	}
	return quoted(a.String())
}
