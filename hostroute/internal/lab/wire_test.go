//go:build linux

package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait for something that is sure to come.
const patience = 10 * time.Second

// port is where the datagrams of these tests go.
const port = 7777

// listen opens a UDP socket inside the host, for all of its addresses.
func (h *host) listen() *net.UDPConn {
	h.t.Helper()
	var conn *net.UDPConn
	h.must(func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{Port: port})
		return err
	})
	h.t.Cleanup(func() { conn.Close() })
	return conn
}

// dial opens a UDP socket inside the host; the kernel picks the source unless
// src says it. The socket hears that nobody answers ARP as EHOSTUNREACH.
func (h *host) dial(src, dst string) *net.UDPConn {
	h.t.Helper()
	var local *net.UDPAddr
	if src != "" {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(src), 0))
	}
	remote := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(dst), port))
	var conn *net.UDPConn
	h.must(func() (err error) {
		if conn, err = net.DialUDP("udp4", local, remote); err != nil {
			return err
		}
		raw, err := conn.SyscallConn()
		if err != nil {
			return err
		}
		raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		})
		return err
	})
	h.t.Cleanup(func() { conn.Close() })
	return conn
}

// send sends one datagram from inside the host.
func (h *host) send(src, dst, payload string) {
	h.t.Helper()
	if _, err := h.dial(src, dst).Write([]byte(payload)); err != nil {
		h.t.Fatalf("%s: send to %s: %v", h.name, dst, err)
	}
}

// receive returns the payload and the source of the next datagram.
func (h *host) receive(conn *net.UDPConn) (payload string, src netip.Addr) {
	h.t.Helper()
	buf := make([]byte, 2048)
	conn.SetReadDeadline(time.Now().Add(patience))
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		h.t.Fatalf("%s: nothing arrives: %v", h.name, err)
	}
	return string(buf[:n]), from.Addr().Unmap()
}

// A frame is an Ethernet frame with an IPv4 UDP datagram.
type frame struct {
	SrcMAC, DstMAC   string
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Payload          string
}

// A capture sees every frame that a link carries, both ways.
type capture struct {
	h    *host
	dev  string
	file *os.File
}

func (h *host) capture(dev string) *capture {
	h.t.Helper()
	c := &capture{h: h, dev: dev}
	h.must(func() error {
		link, err := net.InterfaceByName(dev)
		if err != nil {
			return err
		}
		all := binary.NativeEndian.Uint16([]byte{syscall.ETH_P_ALL >> 8, syscall.ETH_P_ALL & 0xff}) // network order
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, int(all))
		if err != nil {
			return err
		}
		c.file = os.NewFile(uintptr(fd), "capture on "+dev)
		return syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: link.Index})
	})
	h.t.Cleanup(func() { c.file.Close() })
	return c
}

// until returns the datagrams seen so far, up to the first with the given
// payload, that one included.
func (c *capture) until(payload string) []frame {
	c.h.t.Helper()
	var seen []frame
	c.file.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 2048)
	for {
		n, err := c.file.Read(buf)
		if err != nil {
			c.h.t.Fatalf("%s: %s: no frame with %q: %v; seen: %v", c.h.name, c.dev, payload, err, seen)
		}
		if f, ok := parseFrame(buf[:n]); ok {
			if seen = append(seen, f); f.Payload == payload {
				return seen
			}
		}
	}
}

func parseFrame(b []byte) (frame, bool) {
	const ethernet, udp = 14, 8
	if len(b) < ethernet+20+udp || binary.BigEndian.Uint16(b[12:]) != syscall.ETH_P_IP {
		return frame{}, false
	}
	ip := b[ethernet:]
	header, total := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if ip[9] != syscall.IPPROTO_UDP || total > len(ip) || total < header+udp {
		return frame{}, false
	}
	u := ip[header:total]
	return frame{
		DstMAC:  net.HardwareAddr(b[:6]).String(),
		SrcMAC:  net.HardwareAddr(b[6:12]).String(),
		Src:     netip.AddrFrom4([4]byte(ip[12:])),
		Dst:     netip.AddrFrom4([4]byte(ip[16:])),
		SrcPort: binary.BigEndian.Uint16(u),
		DstPort: binary.BigEndian.Uint16(u[2:]),
		Payload: string(u[udp:]),
	}, true
}

// carrying returns those of the frames that carry the payload.
func carrying(payload string, frames []frame) []frame {
	var out []frame
	for _, f := range frames {
		if f.Payload == payload {
			out = append(out, f)
		}
	}
	return out
}

// mac returns the address of a link of the host.
func (h *host) mac(dev string) string {
	h.t.Helper()
	type link struct{ Address string }
	return decode[[]link](h.t, h.ip("link show dev "+dev))[0][0].Address
}

// neighbour returns the MAC address that the host has learnt for addr, ""
// if there is none.
func (h *host) neighbour(dev, addr string) string {
	h.t.Helper()
	type entry struct{ Dst, LLAddr string }
	for _, list := range decode[[]entry](h.t, h.ip("neigh show dev "+dev)) {
		for _, e := range list {
			if e.Dst == addr {
				return e.LLAddr
			}
		}
	}
	return ""
}

// counter returns one of the host's counters of /proc/net/netstat, such as
// IPReversePathFilter.
func (h *host) counter(name string) string {
	h.t.Helper()
	var text []byte
	h.must(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/netstat")
		return err
	})
	lines := strings.Split(string(text), "\n")
	for i := 0; i+1 < len(lines); i += 2 { // names, then values
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j := range names {
			if names[j] == name {
				return values[j]
			}
		}
	}
	h.t.Fatalf("%s: no counter %s", h.name, name)
	return ""
}
