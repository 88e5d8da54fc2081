//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"go4.org/netipx"
)

// The reference guest, as plainly as it can be told: it configures its NICs in
// order, for each the address first and then, route by route, what DHCP or the
// config drive hands to it; in the end the routes programmed by hand. Whether a
// route is accepted is for Linux to say.

// A step is one line of the guest's for `ip`.
type step struct {
	line    string        // "" for a route that the guest drops by itself
	subject hostroute.Ref // the host route or manual route that it stands for; zero if none
}

// steps returns what the guest does, for IPv4 and for IPv6, which know nothing
// of each other.
func steps(in hostroute.Instance) (v4, v6 []step) {
	for i, n := range in.NICs {
		v4 = append(v4, configure4(in, i)...)
		v6 = append(v6, configure6(in, n)...)
	}
	for _, n := range in.NICs {
		for _, r := range twin.Distinct(n.ManualRoutes) {
			s := step{subject: hostroute.Ref{Instance: in.Name, NIC: n.Name, HostRoute: r}}
			switch is4 := r.Destination.Addr().Is4(); {
			case is4 != r.NextHop.Is4(): // `ip` itself refuses to read this
				v4 = append(v4, s)
			case is4:
				s.line = add(n, r)
				v4 = append(v4, s)
			default:
				s.line = add(n, r)
				v6 = append(v6, s)
			}
		}
	}
	return v4, v6
}

func configure4(in hostroute.Instance, i int) []step {
	n := in.NICs[i]
	s, static := twin.Configured(in, n)
	if s == nil {
		return nil
	}
	list := []step{{line: fmt.Sprintf("addr add %v dev %s", address(in, n, s), n.Name)}}
	routes := offer(n, s)
	if static {
		routes = drive(s)
	}
	for _, r := range routes {
		o := step{line: add(n, r.arrives)}
		if r.from != (hostroute.HostRoute{}) {
			o.subject = hostroute.Ref{Instance: in.Name, NIC: n.Name, Subnet: s.ID, HostRoute: r.from}
		}
		if r.arrives.Destination.Bits() == 0 && in.DefaultNIC != "" && in.DefaultNIC != n.Name {
			o.line = ""
		}
		list = append(list, o)
	}
	return list
}

// An offered route, as it arrives, and the host route that it comes from; zero
// for the default and for siblings.
type offered struct{ arrives, from hostroute.HostRoute }

var any4 = netip.MustParsePrefix("0.0.0.0/0")

// offer is what DHCP brings: an option 121, or a router where that is too long.
func offer(n hostroute.NIC, s *hostroute.Subnet) []offered {
	var list []offered
	for _, p := range slices.Backward(n.Siblings) {
		if p != s.CIDR {
			list = append(list, offered{arrives: hostroute.HostRoute{Destination: p, NextHop: netip.IPv4Unspecified()}})
		}
	}
	for _, r := range twin.Distinct(s.HostRoutes) {
		if r.Destination != any4 && r.Destination.Addr().Is4() && r.NextHop.Is4() {
			list = append(list, offered{arrives: r, from: r})
		}
	}
	list = append(list, offered{arrives: hostroute.HostRoute{Destination: any4, NextHop: s.Gateway}})

	length := 0
	for i, o := range list {
		d := o.arrives.Destination
		octets := (d.Bits() + 7) / 8
		length += 1 + octets + 4
		list[i].arrives.Destination = netip.PrefixFrom(truncate(d.Addr(), octets), d.Bits())
	}
	if length > 255 {
		return list[len(list)-1:]
	}
	return list
}

// truncate returns an IPv4 address of which only some octets have travelled.
func truncate(a netip.Addr, octets int) netip.Addr {
	b := a.As4()
	clear(b[octets:])
	return netip.AddrFrom4(b)
}

// drive is what Nova's network_data.json says of a subnet without DHCP.
func drive(s *hostroute.Subnet) []offered {
	var list []offered
	if s.Gateway.Is4() {
		list = append(list, offered{arrives: hostroute.HostRoute{Destination: any4, NextHop: s.Gateway}})
	}
	for _, r := range twin.Distinct(s.HostRoutes) {
		if r.Destination.Addr().Is4() && r.NextHop.Is4() {
			list = append(list, offered{arrives: r, from: r})
		}
	}
	return list
}

// linkLocalRouter is where router advertisements come from: the address that
// goes with the MAC address of the hypervisor's end.
const linkLocalRouter = "fe80::ecee:eeff:feee:eeee"

// configure6 gives a NIC its IPv6 addresses, and the default of the router
// advertisement; the prefix is announced as not on-link.
func configure6(in hostroute.Instance, n hostroute.NIC) []step {
	var list []step
	for _, a := range n.Addrs {
		if a.Is6() {
			list = append(list, step{line: fmt.Sprintf("addr add %v/128 dev %s noprefixroute", a, n.Name)})
		}
	}
	for _, s := range n.Subnets {
		if s.CIDR.Addr().Is6() && s.Gateway.Is6() && !s.DHCPDisabled {
			if in.DefaultNIC == "" || in.DefaultNIC == n.Name {
				list = append(list, step{line: "route add default via " + linkLocalRouter + " dev " + n.Name})
			}
			break
		}
	}
	return list
}

func add(n hostroute.NIC, r hostroute.HostRoute) string {
	if r.NextHop == netip.IPv4Unspecified() {
		return fmt.Sprintf("route add %v dev %s", r.Destination, n.Name)
	}
	return fmt.Sprintf("route add %v via %v dev %s", r.Destination, r.NextHop, n.Name)
}

// address returns the address that the NIC has in its subnet: the instance's
// first there, else an ordinary one, if possible one that no route names as its
// next hop. A subnet of one address has no such; then any other is as good, for
// neither brings a connected route.
func address(in hostroute.Instance, n hostroute.NIC, s *hostroute.Subnet) netip.Prefix {
	for _, a := range n.Addrs {
		if s.CIDR.Contains(a) {
			return netip.PrefixFrom(a, s.CIDR.Bits())
		}
	}
	if s.CIDR.IsSingleIP() {
		return netip.MustParsePrefix("198.18.0.1/32")
	}
	hops := nextHops(in)
	best := netip.Addr{}
	for a := first(s.CIDR); s.CIDR.Contains(a) && (!best.IsValid() || hops[best]); a = a.Next() {
		special := s.CIDR.Bits() < 31 && (a == first(s.CIDR) || a == netipx.PrefixLastIP(s.CIDR))
		if a != s.Gateway && !special && (!best.IsValid() || !hops[a]) {
			best = a
		}
	}
	return netip.PrefixFrom(best, s.CIDR.Bits())
}

// nextHops returns all next hops of an instance, gateways included.
func nextHops(in hostroute.Instance) map[netip.Addr]bool {
	set := make(map[netip.Addr]bool)
	for _, n := range in.NICs {
		for _, r := range n.ManualRoutes {
			set[r.NextHop] = true
		}
		for _, s := range n.Subnets {
			set[s.Gateway] = true
			for _, r := range s.HostRoutes {
				set[r.NextHop] = true
			}
		}
	}
	return set
}

func first(p netip.Prefix) netip.Addr { return p.Masked().Addr() }

// A guest is a host with as many NICs as any instance of these tests.
type guest struct {
	*host
	used6 bool // IPv6 of it is not blank
}

const nics = 4

func newGuest(t testing.TB) *guest {
	t.Helper()
	h := newHost(t, "guest")
	h.sysctl( // nothing by itself: no link-local addresses, no waiting for duplicates
		"net/ipv4/conf/all/rp_filter=0",
		"net/ipv6/conf/default/disable_ipv6=0",
		"net/ipv6/conf/default/addr_gen_mode=1",
		"net/ipv6/conf/default/accept_ra=0",
		"net/ipv6/conf/default/accept_dad=0")
	for i := range nics {
		h.ip(fmt.Sprintf("link add eth%d type veth peer name peer%d\nlink set eth%d up\nlink set peer%d up", i, i, i, i))
	}
	return &guest{host: h}
}

// A row is a line of a routing table as Linux has it, or as the library says.
type row struct {
	Dst     netip.Prefix
	Gateway netip.Addr
	Dev     string
}

// An answer is what Linux says about a destination: the type of route (""
// for an ordinary one), and where data leaves; no NIC if there is no route.
type answer struct {
	Type, Dev string
	Gateway   netip.Addr
}

// noSource is Linux's answer where it would have to send from a loopback
// address that a NIC has.
const noSource = "no source"

// A system is a guest's state after an instance's steps.
type system struct {
	refused map[int]string // Linux's reasons, by index of the step
	rows    []row          // the main table
	answers map[netip.Addr]answer
}

// become makes the guest blank, takes the steps of one family, and asks for the
// main table and for the way to each destination, all in one run of `ip`.
func (g *guest) become(family string, list []step, ask []netip.Addr) system {
	g.t.Helper()
	var script strings.Builder
	lines := 0
	put := func(line string) int {
		script.WriteString(line + "\n")
		lines++
		return lines
	}
	for i := range nics {
		put(fmt.Sprintf("addr flush dev eth%d", i))
	}
	put("route flush table main")
	blank := lines
	stepAt, askAt := make(map[int]int), make(map[int]netip.Addr)
	for i, s := range list {
		if s.line != "" {
			stepAt[put(s.line)] = i
		}
	}
	put("route show table main")
	for _, a := range ask {
		askAt[put("route get "+a.String())] = a
	}
	stdout, failed, err := g.batch(family, script.String())
	if err != nil {
		g.t.Fatalf("%v\n%s", err, &script)
	}

	sys := system{refused: make(map[int]string), answers: make(map[netip.Addr]answer)}
	for n, reason := range failed {
		if i, ok := stepAt[n]; ok {
			sys.refused[i] = reason
		} else if a, ok := askAt[n]; ok && strings.Contains(reason, "unreachable") {
			sys.answers[a] = answer{}
		} else if ok && strings.Contains(reason, "Invalid argument") {
			sys.answers[a] = answer{Type: noSource}
		} else {
			g.t.Fatalf("line %d: %s\n%s", n, reason, &script)
		}
	}
	replies := decode[[]routeJSON](g.t, stdout)
	for _, r := range replies[0] {
		sys.rows = append(sys.rows, r.row(g.t, family))
	}
	replies = replies[1:]
	for n := blank; n <= lines; n++ {
		if a, ok := askAt[n]; ok && failed[n] == "" {
			sys.answers[a] = replies[0][0].answer(g.t)
			replies = replies[1:]
		}
	}
	return sys
}

// routeJSON is what `ip -json route` writes, as far as these tests ask.
type routeJSON struct {
	Type, Dst, Gateway, Dev string
	Metric                  int
	NextHops                []any
}

func (r routeJSON) row(t testing.TB, family string) row {
	if r.Type != "" || r.NextHops != nil {
		t.Fatalf("unlooked-for route %+v", r)
	}
	dst := r.Dst
	switch {
	case dst == "default" && family == "-4":
		dst = "0.0.0.0/0"
	case dst == "default":
		dst = "::/0"
	case !strings.Contains(dst, "/") && family == "-4":
		dst += "/32"
	case !strings.Contains(dst, "/"):
		dst += "/128"
	}
	return row{netip.MustParsePrefix(dst), hop(r.Gateway), r.Dev}
}

func (r routeJSON) answer(testing.TB) answer { return answer{r.Type, r.Dev, hop(r.Gateway)} }

func hop(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}
