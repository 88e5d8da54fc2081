//go:build linux

package lab

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The proof of the rule: a next hop represents the local hypervisor or
// nothing. Whatever leaves an instance is routed by the hypervisor, so a host
// route decides through which NIC data leaves, and its next hop does not
// decide who forwards it.
//
//	 instance                      hypervisor                      destination
//	 eth0 10.65.0.5/24  -------- tap0
//	 eth1 11.8.0.21/24  -------- tap1    (routes)   uplink -------- 11.11.3.4
//	                             tap2
//	 router VM           --------/
//	 eth0 11.8.0.77/24
//
// The hypervisor is set up as Calico does: each tap answers ARP for every
// address that the hypervisor would route out of another link (proxy ARP),
// under one MAC address; each instance's address has a /32 route; the
// gateway addresses are the hypervisor's own, though on none of the taps; and
// what comes in must bear the address that its link belongs to (strict reverse
// path filtering).

const (
	calicoMAC   = "ee:ee:ee:ee:ee:ee" // of the hypervisor's end of every tap
	gateway     = "11.8.0.1"
	routerVM    = "11.8.0.77"
	nobody      = "11.8.0.99"
	destination = "11.11.3.4"
)

type cloud struct{ hypervisor, instance, router, destination *host }

func newCloud(t *testing.T) cloud {
	needs(t, "ip")
	c := cloud{newHost(t, "hypervisor"), newHost(t, "instance"), newHost(t, "router VM"), newHost(t, "destination")}
	veth(c.hypervisor, "tap0", c.instance, "eth0")
	veth(c.hypervisor, "tap1", c.instance, "eth1")
	veth(c.hypervisor, "tap2", c.router, "eth0")
	veth(c.hypervisor, "uplink", c.destination, "eth0")

	c.hypervisor.sysctl("net/ipv4/ip_forward=1", "net/ipv4/conf/all/rp_filter=0")
	for _, tap := range []string{"tap0", "tap1", "tap2"} {
		c.hypervisor.ip("link set " + tap + " address " + calicoMAC)
		c.hypervisor.sysctl(
			"net/ipv4/conf/"+tap+"/proxy_arp=1",
			"net/ipv4/neigh/"+tap+"/proxy_delay=0",
			"net/ipv4/conf/"+tap+"/rp_filter=1")
	}
	c.hypervisor.ip(`
		addr add 10.65.0.1/32 dev lo
		addr add 11.8.0.1/32 dev lo
		addr add 192.0.2.1/24 dev uplink
		route add 10.65.0.5 dev tap0
		route add 11.8.0.21 dev tap1
		route add 11.8.0.77 dev tap2
		route add 11.11.0.0/16 via 192.0.2.2`)

	c.instance.sysctl("net/ipv4/conf/all/rp_filter=0")
	c.instance.ip(`
		addr add 10.65.0.5/24 dev eth0
		route add default via 10.65.0.1 dev eth0
		addr add 11.8.0.21/24 dev eth1`)

	c.router.sysctl("net/ipv4/ip_forward=1", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/eth0/rp_filter=0")
	c.router.ip(`
		addr add 11.8.0.77/24 dev eth0
		route add default via 11.8.0.1 dev eth0`)

	c.destination.ip(`
		addr add 192.0.2.2/24 dev eth0
		addr add 11.11.3.4/32 dev lo
		route add default via 192.0.2.1 dev eth0`)
	return c
}

// What leaves through eth1 arrives, whatever next hop the route names: the
// frame goes to the hypervisor, which routes it. The router VM that the next
// hop implies lives, and sees nothing of it.
func TestNextHopIsIgnored(t *testing.T) {
	for _, test := range []struct{ name, nextHop, alsoOnHypervisor string }{
		{"the gateway", gateway, ""},
		{"a router VM", routerVM, ""},
		{"an address that nobody has", nobody, "route add default via 192.0.2.2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.hypervisor.ip(test.alsoOnHypervisor)
			c.instance.ip("route add 11.11.0.0/16 via " + test.nextHop + " dev eth1")
			eth1, router := c.instance.capture("eth1"), c.router.capture("eth0")
			inbox := c.destination.listen()

			c.instance.send("", destination, "data")

			if payload, src := c.destination.receive(inbox); payload != "data" || src.String() != "11.8.0.21" {
				t.Errorf("%q from %v arrives, want the data, from eth1's address", payload, src)
			}
			for _, f := range carrying("data", eth1.until("data")) {
				if f.DstMAC != calicoMAC {
					t.Errorf("the frame goes to %s, want the hypervisor's %s", f.DstMAC, calicoMAC)
				}
			}
			if mac := c.instance.neighbour("eth1", test.nextHop); mac != calicoMAC {
				t.Errorf("ARP for %s is answered with %q, want the hypervisor's %s", test.nextHop, mac, calicoMAC)
			}

			// What is really sent to the router VM does reach it, so it would
			// have seen the data, which left before.
			c.instance.send("", routerVM, "to the router")
			if seen := carrying("data", router.until("to the router")); len(seen) > 0 {
				t.Errorf("the router VM sees %v, want nothing", seen)
			}
		})
	}
}

// The control: on an ordinary Ethernet, where the router VM answers ARP
// itself, the same host route makes the same router see and forward the data.
func TestNextHopIsUsedOnAnOrdinaryNetwork(t *testing.T) {
	c := newCloud(t)
	c.hypervisor.sysctl("net/ipv4/conf/tap1/proxy_arp=0", "net/ipv4/conf/tap2/proxy_arp=0", "net/ipv4/conf/tap2/rp_filter=0")
	c.hypervisor.ip(`
		link add bridge type bridge
		link set bridge up
		link set tap1 master bridge
		link set tap2 master bridge
		link set tap1 address ee:ee:ee:ee:ee:01
		link set tap2 address ee:ee:ee:ee:ee:02
		route flush 11.8.0.0/24
		route add 11.8.0.0/24 dev bridge`)
	c.hypervisor.sysctl("net/ipv4/conf/bridge/rp_filter=0")
	c.instance.ip("route add 11.11.0.0/16 via " + routerVM + " dev eth1")
	router, inbox := c.router.capture("eth0"), c.destination.listen()

	c.instance.send("", destination, "data")

	if payload, _ := c.destination.receive(inbox); payload != "data" {
		t.Errorf("%q arrives, want the data", payload)
	}
	if seen := router.until("data"); seen[len(seen)-1].DstMAC != c.router.mac("eth0") {
		t.Errorf("the router VM sees %v, want a frame for itself", seen)
	}
}

// A next hop that is not the gateway needs a route of the hypervisor's own,
// for else nobody answers ARP, and the data is lost. The gateway has no such
// risk: its address is the hypervisor's.
func TestNextHopWithoutRouteIsLost(t *testing.T) {
	c := newCloud(t) // its hypervisor has no default route
	c.instance.ip("route add 11.11.0.0/16 via " + nobody + " dev eth1")
	c.instance.sysctl("net/ipv4/neigh/eth1/retrans_time_ms=50") // ask as often as ever, but quickly
	inbox := c.destination.listen()

	conn := c.instance.dial("", destination)
	if _, err := conn.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("the instance hears %v, want %v: ARP for the next hop is not answered", err, syscall.EHOSTUNREACH)
	}

	c.instance.ip("route replace 11.11.0.0/16 via " + gateway + " dev eth1")
	c.instance.send("", destination, "found")
	if payload, _ := c.destination.receive(inbox); payload != "found" {
		t.Errorf("%q arrives, want only what the gateway takes", payload)
	}
}

// What leaves through one NIC with another NIC's address is dropped. A host
// route therefore decides which source address works, too.
func TestReversePathFilterIsStrict(t *testing.T) {
	c := newCloud(t)
	c.instance.ip("route add 11.11.0.0/16 via " + gateway + " dev eth1")
	inbox := c.destination.listen()
	c.instance.send("11.8.0.21", destination, "first") // so that ARP is settled
	c.destination.receive(inbox)
	before := c.hypervisor.counter("IPReversePathFilter")

	tap1 := c.hypervisor.capture("tap1")
	c.instance.send("10.65.0.5", destination, "eth0's address")
	c.instance.send("11.8.0.21", destination, "eth1's address")

	if payload, _ := c.destination.receive(inbox); payload != "eth1's address" {
		t.Errorf("%q arrives, want only what bears the address of the NIC that it left through", payload)
	}
	seen := tap1.until("eth1's address")
	if !slices.ContainsFunc(seen, func(f frame) bool { return f.Payload == "eth0's address" }) {
		t.Errorf("eth0's address did not leave through eth1: %v", seen)
	}
	if after := c.hypervisor.counter("IPReversePathFilter"); after == before {
		t.Errorf("the hypervisor's filter counted nothing: %s before and after", before)
	}
}
