package neutron

import (
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// CodeNetmaskSpelling, of severity error, is that of a destination such as 10.0.0.0/255.0.0.0, which Neutron accepts and
// hands on as it is. dnsmasq takes the first number after the slash for the length and sends 255; dhclient then installs no
// route of the subnet, not even the default. 10.0.0.0/0.255.255.255 becomes 0.0.0.0/0, and 0.0.0.0/0.0.0.0 is not dropped.
// Subject and subnet have the prefix meant, which [UpdateBody] and [ReplaceCommand] write. Without DHCP or IPv4, nothing is found.
const CodeNetmaskSpelling hostroute.Code = "netmask-spelling"

var subnetNames = [][]string{{"/id", "/ID"}, {"/cidr", "/Subnet"}, {"/gateway_ip", "/Gateway"}, {"/enable_dhcp", "/DHCP"},
	{"/host_routes", "/Host Routes"}, {"/network_id", "/Network"}, {"/subnets"}, {"/subnet"}}
var routeNames = [][]string{{"/destination"}, {"/nexthop"}}

// A misread is a host route of which dnsmasq makes another.
type misread struct {
	text          string
	subnet, route int32
}

// subnet reads a subnet, and keeps it if nothing is wrong with it.
func (d *decoder) subnet(m [8]member) {
	before, misread := d.failed, len(d.misread)
	s := hostroute.Subnet{ID: d.str(m[0], "is absent")}
	if s.CIDR, _ = d.prefix(m[1].name, d.str(m[1], "is absent")); s.CIDR != s.CIDR.Masked() {
		d.fail(m[1].name, nil, s.CIDR.String(), " has host bits")
	}
	if s.Gateway = d.addr(m[2].name, d.str(m[2], "")); m[2].value == nil {
		d.fail(m[2].name, nil, "is absent", map[string]string{"/Gateway": ": openstack subnet list prints it with --long"}[m[2].name])
	}
	dhcp := string(m[3].value)
	if s.DHCPDisabled = dhcp == "false"; !s.DHCPDisabled && dhcp != "" && dhcp != "null" && dhcp != "true" {
		d.fail(m[3].name, m[3].value, "is no boolean")
	}
	d.routes = slices.Grow(d.routes[:0], 1+len(m[4].value)/34) // no text of a host route is shorter
	if text := m[4].value; text != nil && text[0] == '"' {
		d.routeLines(m[4].name, string(text[1:len(text)-1]))
	} else {
		d.each(m[4], func(d *decoder, b []byte) {
			m, _ := d.members(b, routeNames)
			d.addRoute(m[0].name, d.str(m[0], "is absent"), m[1].name, d.str(m[1], "is absent"))
		})
	}
	s.HostRoutes = append(s.HostRoutes, d.routes...)
	network, _ := index(d.numbers, d.str(m[5], ""))
	at, twice := d.subnetIDs[s.ID]
	switch {
	case d.failed > before && (twice || d.failed > maxErrors):
	case d.failed > before:
		d.subnetIDs[s.ID] = -1 // a port that uses it is not wrong too
	case !twice || at < 0:
		d.subnetIDs[s.ID] = int32(len(d.networks))
		kept := s // lest each s be allocated
		d.networks, d.out.Subnets = push(d.networks, network), push(d.out.Subnets, &kept)
		if s.CIDR.Addr().Is4() && !s.DHCPDisabled {
			return
		}
	case network != d.networks[at] || !reflect.DeepEqual(s, *d.out.Subnets[at]):
		d.fail(m[0].name, []byte(s.ID), "is the ID of an earlier subnet with other content")
	}
	d.misread = d.misread[:misread]
}

// routeLines reads what the command line printed before 4.0.0, one a line: destination='11.11.0.0/16', gateway='11.8.0.1'.
func (d *decoder) routeLines(name, text string) {
	for line := range strings.SplitSeq(text, `\n`) {
		dst, hop, ok := strings.Cut(strings.TrimSuffix(line, "'"), "', gateway='")
		if dst, found := strings.CutPrefix(dst, "destination='"); ok && found && dst != "" && hop != "" && strings.HasSuffix(line, "'") {
			d.addRoute(name, dst, name, hop)
		} else if line != "" {
			d.fail(name, []byte(line), "is not of the form destination='11.11.0.0/16', gateway='11.8.0.1'")
		}
	}
}

// addRoute adds a host route. The names are those of the members.
func (d *decoder) addRoute(dstName, dst, hopName, hop string) {
	p, sent := d.prefix(dstName, dst)
	r := hostroute.HostRoute{Destination: p, NextHop: d.addr(hopName, hop)}
	if !p.IsValid() || !r.NextHop.IsValid() {
		return
	} else if sent >= 0 {
		d.misread = push(d.misread, misread{dst, int32(len(d.networks)), int32(len(d.routes))})
	}
	d.routes = append(d.routes, r)
}

// findings puts what is misread in words.
func (d *decoder) findings() {
	d.out.Findings = slices.Grow([]hostroute.Finding{}, len(d.misread))
	for _, w := range d.misread {
		s := d.out.Subnets[w.subnet]
		r := s.HostRoutes[w.route]
		_, sent := d.prefix("", w.text)
		d.out.Findings = append(d.out.Findings, hostroute.Finding{
			Code: CodeNetmaskSpelling, Severity: hostroute.SeverityError, Subject: hostroute.Ref{Subnet: s.ID, HostRoute: r},
			Message: "destination " + w.text[:min(len(w.text), 64)] + " is not spelled " + r.Destination.String() + ": dnsmasq sends it with the length " + strconv.Itoa(int(sent)) +
				map[bool]string{true: ", and dhclient installs nothing of the subnet, not even the default"}[sent > 32],
			Related: []hostroute.Related{}, Fixes: []hostroute.Fix{},
		})
	}
}

// addr reads an address, which in Neutron has no zone. No text is none.
func (d *decoder) addr(name, text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		d.fail(name, []byte(text), "is no IP address")
	}
	return a.Unmap()
}

// prefix reads a prefix as Neutron does, with netaddr's IPNetwork: a length follows the slash, perhaps after zeros, or a netmask,
// maybe inverted. sent is the length that dnsmasq sends by C's atoi; -1 if it and Neutron's agent read what is meant. No text is none.
func (d *decoder) prefix(name, text string) (p netip.Prefix, sent int32) {
	if text == "" {
		return p, -1
	}
	addr, mask, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	bits, ok := maskLen(mask, a.BitLen())
	if err != nil || !ok || a.Zone() != "" {
		d.fail(name, []byte(text), "is no CIDR")
		return p, -1
	}
	first, _, _ := strings.Cut(mask, ".")
	n, _ := strconv.Atoi(first)
	if !a.Is4() || n == bits && (bits > 0 || a != netip.IPv4Unspecified() || mask == "0") {
		n = -1
	}
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	return netip.PrefixFrom(a, bits), int32(n)
}

// maskLen returns the prefix length that mask means, of width at most.
func maskLen(mask string, width int) (n int, ok bool) {
	if !strings.ContainsAny(mask, ".:") { // spares the error
		n, err := strconv.Atoi(mask)
		return n, err == nil && 0 <= n && n <= width
	}
	m, _ := netip.ParseAddr(mask)
	bits := m.AsSlice()
	for range 2 {
		if n, w := net.IPMask(bits).Size(); w > 0 && w == width {
			return n, m.Zone() == ""
		}
		for i := range bits {
			bits[i] ^= 0xff
		}
	}
	return 0, false
}
