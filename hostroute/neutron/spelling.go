package neutron

// This file reads destinations, which Neutron keeps as they were spelled and hands to dnsmasq.

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// CodeNetmaskSpelling (error) means that the destination of a host route is spelled with a netmask, such
// as 11.0.0.0/255.0.0.0. Neutron accepts that and hands it on as it is. dnsmasq takes the first
// number of the netmask for the length and sends 255; dhclient then installs no route of the
// subnet, not even the default. An inverted netmask, as in 11.0.0.0/0.255.255.255, is sent with
// the length 0. The finding's Subject and the subnet's HostRoutes hold the destination that was meant,
// and an analysis takes the host route as meant. The remedy is to rewrite the list with [UpdateBody] or [ReplaceCommand].
// That may move data, because guests then get the routes that were meant. No Impact counts this: rewrite the list before you ask for one.
// IPv6 subnets and subnets without DHCP have no such finding, because their host routes never reach dnsmasq.
const CodeNetmaskSpelling hostroute.Code = "netmask-spelling"

// A netmask is a host route whose destination is spelled with one.
type netmask struct {
	text  string // the destination as spelled
	mask  string
	route hostroute.HostRoute
}

func (m netmask) finding(subnet string) hostroute.Finding {
	first, _, _ := strings.Cut(m.mask, ".")
	length, _ := strconv.Atoi(first) // as dnsmasq does; an IPv4 address starts with a number
	message := fmt.Sprintf("destination %s is spelled with a netmask and not as %v: dnsmasq sends it with the length %d", m.text, m.route.Destination, length)
	if length > 32 {
		message += ", and dhclient installs no route of the subnet, not even the default"
	}
	return hostroute.Finding{
		Code:     CodeNetmaskSpelling,
		Severity: hostroute.SeverityError,
		Subject:  hostroute.Ref{Subnet: subnet, HostRoute: m.route},
		Message:  message,
		Related:  []hostroute.Related{},
		Fixes: []hostroute.Fix{{
			Message: fmt.Sprintf("rewrite the subnet's list of host routes, with %v as destination", m.route.Destination),
			Edits:   []hostroute.Edit{},
		}},
	}
}

// parseDestination reads a CIDR, or an address with a netmask or inverted netmask, which it
// returns. Neutron accepts more: 11/8, 011.0.0.0/16, 11.0.0.0/+8.
func parseDestination(text string) (p netip.Prefix, mask string, ok bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, "", true
	}
	address, mask, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, "", false
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || m.Zone() != "" || m.BitLen() != a.BitLen() {
		return netip.Prefix{}, "", false
	}
	bits, ok := maskLength(m)
	return netip.PrefixFrom(a, bits), mask, ok
}

// maskLength returns the prefix length that a netmask or inverted netmask means.
func maskLength(m netip.Addr) (bits int, ok bool) {
	mask := net.IPMask(m.AsSlice())
	if bits, width := mask.Size(); width > 0 {
		return bits, true
	}
	for i := range mask {
		mask[i] ^= 0xff
	}
	bits, width := mask.Size()
	return bits, width > 0
}
