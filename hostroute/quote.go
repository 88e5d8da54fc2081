package hostroute

import (
	"net/netip"
	"strconv"
	"strings"
)

// quoted returns a name as it is safe to print: tenants choose names, and one with a line end, a
// bidirectional control or ": " could forge output. Such a name is quoted.
func quoted(name string) string {
	if q := strconv.Quote(name); q[1:len(q)-1] != name || strings.Contains(name, ": ") {
		return q
	}
	return name
}

// addrText is quoted for an address, whose zone may be any text.
func addrText(a netip.Addr) string {
	if a.Zone() == "" {
		return a.String()
	}
	return quoted(a.String())
}
