//go:build linux

package lab

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
)

// DHCP decides what reaches a guest: dnsmasq serves each NIC's offer, written
// as Neutron's agent writes it, and a client with its distribution's own
// scripts configures the guest.

// What is on the wire is what the check for overflow assumes.
func TestOption121OnTheWire(t *testing.T) {
	needs(t, "ip", "dnsmasq")
	for _, test := range wireCases() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := test.in.NICs[0]
			options := newLAN(t, test.in).ask(n.Name)
			if router := options[3]; !slices.Equal(router, leased(n).Gateway.AsSlice()) {
				t.Errorf("option 3 is %v, want the gateway", router)
			}
			want := encode(n.Offer())
			if len(want) > 255 || len(n.Offer()) == 1 {
				want = nil
			}
			if got := options[121]; !slices.Equal(got, want) {
				t.Errorf("option 121 is\n%v, want\n%v", got, want)
			}
		})
	}
}

// encode writes routes as RFC 3442 has it: the prefix length, the octets of the
// destination that matter, the next hop.
func encode(list []hostroute.HostRoute) []byte {
	var b []byte
	for _, r := range list {
		bits := r.Destination.Bits()
		b = append(b, byte(bits))
		b = append(b, r.Destination.Addr().AsSlice()[:(bits+7)/8]...)
		b = append(b, r.NextHop.AsSlice()...)
	}
	return b
}

// leased returns the subnet of a NIC's lease.
func leased(n hostroute.NIC) *hostroute.Subnet {
	s, _ := twin.Configured(hostroute.Instance{}, n)
	return s
}

// A lan is a guest, and for each of its NICs a DHCP server of its own.
type lan struct{ *host }

// newLAN makes the guest of an instance and its servers, which may send other
// options beside the routes.
func newLAN(t *testing.T, in hostroute.Instance, beside ...string) lan {
	t.Helper()
	l := lan{newHost(t, "guest")}
	l.sysctl("net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=0")
	for _, n := range in.NICs {
		server := newHost(t, "DHCP server of "+n.Name)
		veth(l.host, n.Name, server, "tap")
		if s := leased(n); s != nil {
			server.ip(fmt.Sprintf("addr add %v dev tap", netip.PrefixFrom(s.Gateway, s.CIDR.Bits())))
			l.dnsmasq(server, l.mac(n.Name), address(in, n, s).Addr(), n, s, beside...)
		} else {
			// A server without an address in the subnet, as Calico's is then.
			for _, s := range n.Subnets {
				l.dnsmasq(server, l.mac(n.Name), address(in, n, s).Addr(), n, s)
				break
			}
		}
	}
	return l
}

// dnsmasq serves one subnet on the server, as Neutron's DHCP agent starts it,
// and returns when it is ready.
func (l lan) dnsmasq(server *host, mac string, addr netip.Addr, n hostroute.NIC, s *hostroute.Subnet, beside ...string) {
	l.t.Helper()
	options := optsfile(n, s)
	for _, o := range beside {
		options += fmt.Sprintf("tag:subnet-%s,option:%s\n", s.ID, o)
	}
	file := server.write("opts", options)
	mask := net.IP(net.CIDRMask(s.CIDR.Bits(), 32)).String()
	cmd := exec.Command("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--port=0",
		"--user=root", "--group=root", // it would outlive the test, were it to change them
		"--pid-file", "--leasefile-ro", "--no-hosts", "--no-resolv", "--no-ping", "--dhcp-authoritative",
		"--interface=tap", "--except-interface=lo", "--bind-dynamic",
		fmt.Sprintf("--dhcp-range=set:subnet-%s,%v,static,%s,86400s", s.ID, s.CIDR.Addr(), mask),
		fmt.Sprintf("--dhcp-host=%s,%v", mac, addr),
		"--dhcp-optsfile="+file)
	if !server.startUntil(cmd, prints("read "+file)) {
		l.t.Fatalf("dnsmasq does not start")
	}
}

// optsfile writes an offer as Neutron's agent does: both of the options that
// carry routes, and the router.
func optsfile(n hostroute.NIC, s *hostroute.Subnet) string {
	var b strings.Builder
	if list := n.Offer(); len(list) > 1 {
		for _, option := range []string{"option:classless-static-route", "249"} {
			fmt.Fprintf(&b, "tag:subnet-%s,%s", s.ID, option)
			for _, r := range list {
				fmt.Fprintf(&b, ",%v,%v", r.Destination, r.NextHop)
			}
			b.WriteByte('\n')
		}
	}
	if s.Gateway.IsValid() {
		fmt.Fprintf(&b, "tag:subnet-%s,option:router,%v\n", s.ID, s.Gateway)
	}
	return b.String()
}

// startUntil starts a program that goes on running, and waits until it prints a
// line with which it is done. It returns false if the program ends before.
func (h *host) startUntil(cmd *exec.Cmd, done func(line string) bool) bool {
	h.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true // so that its children end with it
	err = h.start(cmd)
	w.Close()
	if err != nil {
		r.Close()
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		r.Close()
	})

	var log strings.Builder
	r.SetReadDeadline(time.Now().Add(patience))
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fmt.Fprintln(&log, lines.Text())
		if done(lines.Text()) {
			r.SetReadDeadline(time.Time{})
			go io.Copy(io.Discard, r) // until the program ends
			return true
		}
	}
	h.t.Logf("%s: %s does not get so far:\n%s", h.name, cmd.Path, &log)
	return false
}

// prints is a line with a text in it.
func prints(text string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, text) }
}

// ask is a DHCP client that only discovers: it returns the options that it is
// offered.
func (l lan) ask(dev string) map[byte][]byte {
	l.t.Helper()
	const discover, magic = 1, 0x63825363
	mac, err := net.ParseMAC(l.mac(dev))
	if err != nil {
		l.t.Fatal(err)
	}
	m := make([]byte, 236, 300)
	m[0], m[1], m[2] = 1, 1, 6                    // a request, from Ethernet
	copy(m[4:8], "lab!")                          // transaction
	binary.BigEndian.PutUint16(m[10:], 0x8000)    // answer by broadcast
	copy(m[28:], mac)                             // client
	m = binary.BigEndian.AppendUint32(m, magic)   // options follow
	m = append(m, 53, 1, discover)                //
	m = append(m, 55, 2, 3, 121)                  // wants routers and routes
	m = append(m, 57, 2, 1500>>8, 1500&0xff, 255) // takes what an Ethernet frame holds

	conn := l.dhcpSocket(dev)
	buf := make([]byte, 1500)
	for range 5 {
		if _, err := conn.WriteTo(m, &net.UDPAddr{IP: net.IPv4bcast, Port: 67}); err != nil {
			l.t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(patience / 5))
		if n, _, err := conn.ReadFrom(buf); err == nil && n > 240 && string(buf[4:8]) == "lab!" {
			return parseOptions(buf[240:n])
		}
	}
	l.t.Fatalf("%s: no offer", dev)
	return nil
}

func (l lan) dhcpSocket(dev string) net.PacketConn {
	l.t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		raw.Control(func(fd uintptr) { err = syscall.BindToDevice(int(fd), dev) })
		return err
	}}
	var conn net.PacketConn
	l.must(func() (err error) {
		conn, err = config.ListenPacket(context.Background(), "udp4", ":68")
		return err
	})
	l.t.Cleanup(func() { conn.Close() })
	return conn
}

func parseOptions(b []byte) map[byte][]byte {
	options := make(map[byte][]byte)
	for len(b) > 1 && b[0] != 255 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		end := min(2+int(b[1]), len(b))
		options[b[0]] = append(options[b[0]], b[2:end]...)
		b = b[end:]
	}
	return options
}
