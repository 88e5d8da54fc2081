package hostroute

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// quoted returns a name as it is safe to print: tenants choose names, and one with a line end, a bidirectional control, a
// space or a comma could forge output. A name is quoted if it has anything but letters, digits and a few signs.
func quoted(name string) string {
	isOdd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("._-:/@[]", r)
	}
	if strings.ContainsFunc(name, isOdd) {
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
