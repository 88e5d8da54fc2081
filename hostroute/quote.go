package hostroute

import (
	"net/netip"
	"strconv"
)

// quoted returns a name as it is safe to print: tenants choose names, and one with a line end
// or a bidirectional control could forge output. A name that has anything to escape is quoted.
func quoted(name string) string {
	if q := strconv.Quote(name); q[1:len(q)-1] != name {
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
