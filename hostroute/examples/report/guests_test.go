package main

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"
)

// The same destination from two subnets, a next hop in no subnet, and one by the other NIC's gateway.
func twoImages(t *testing.T) (subnets, ports string) {
	t.Helper()
	subnets = textFile(t, `{"subnets":[
		{"id":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"10.65.0.1"}]},
		{"id":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"},
			{"destination":"11.12.0.0/16","nexthop":"192.0.2.1"},{"destination":"11.13.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	ports = textFile(t, `{"ports":[
		{"id":"p","device_id":"web","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"front","ip_address":"10.65.0.5"}]},
		{"id":"q","device_id":"web","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.21"}]}]}`)
	return subnets, ports
}

func TestGuests(t *testing.T) {
	subnets, ports := twoImages(t)
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, `
  destination   dhclient  systemd-networkd  NetworkManager  dhcpcd
  default       eth0      eth0 or eth1      eth0            eth0
  11.11.0.0/16  eth0      eth0 or eth1      eth0            eth0
  11.12.0.0/16  eth0      eth1              eth1            eth0
  192.0.2.1     eth0      eth1              eth1            eth0
  the same under each: 10.65.0.0/24, 11.8.0.0/24, 11.13.0.0/16
  not compared: udhcpc, because no host route reaches it
`},
		{[]string{"-default-subnet", "front", "-guest", "udhcpc"}, `
  destination   dhclient  systemd-networkd  NetworkManager  dhcpcd  udhcpc
  11.12.0.0/16  eth0      eth1              eth1            eth0    eth0
  11.13.0.0/16  eth1      eth1              eth1            eth1    eth0
  192.0.2.1     eth0      eth1              eth1            eth0    eth0
  the same under each: default, 11.8.0.0/24
`},
	} {
		out, _ := program(t, 0, append(test.flags, "-guests", "-instance", "web", subnets, ports)...)
		_, got, _ := strings.Cut(out, "\nby which NIC data leaves, under each guest")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.flags, diff)
		}
	}
	out, _ := program(t, 0, "-guests", "-instance", "app00001-0000-4000-8000-000000000009", sampleSubnets, samplePorts)
	wantContains(t, out, "\n  11.8.0.1     eth1      eth0 or eth1      eth0            eth1\n  the same under each: 10.90.0.0/24, 11.8.0.0/24 (except what is above), 11.11.0.0/16, 11.12.0.0/16\n")
	out, _ = program(t, 0, "-guests", "-instance", "plain001-0000-4000-8000-000000000003", sampleSubnets, samplePorts)
	wantContains(t, out, "\n  nothing differs: dhclient, systemd-networkd, NetworkManager, dhcpcd\n")
}

func TestGuest(t *testing.T) {
	subnets, ports := twoImages(t)
	out, _ := program(t, 1, "-guest", "systemd-networkd", "-default-subnet", "front", "-instance", "web", subnets, ports)
	wantContains(t, out, "; the guest runs systemd-networkd; the guest keeps the default of eth0\n", "\n  11.12.0.0/16 via 192.0.2.1 dev eth1 metric 2048\n")
	if strings.Contains(out, "leases decides") {
		t.Errorf("nothing is open:\n%s", out)
	}
	out, _ = program(t, 1, "-guest", "systemd-networkd", "-instance", "web", subnets, ports)
	wantContains(t, out, "\n  The order of the leases decides: default by eth0 or eth1, 11.11.0.0/16 by eth0 or eth1. Below, the first counts.\n")
	out, _ = program(t, 1, "-guest", "systemd-networkd", subnets, ports)
	wantContains(t, out, "\nassumed: NICs are in the order of the file; guests run systemd-networkd; ")
	if d := asJSON(t, 1, "-guest", "dhcpcd", subnets, ports); d.Summary.Guest != hostroute.GuestDhcpcd {
		t.Errorf("guest: %q", d.Summary.Guest)
	}
	out, _ = program(t, 1, "-default-subnet", "front", "-subnet", "back", subnets, ports)
	wantContains(t, out, "\n  differs under: NetworkManager in 1, systemd-networkd in 1\n")
	if _, stderr := program(t, 2, "-guest", "networkd", subnets, ports); !strings.Contains(stderr, "dhclient, systemd-networkd, NetworkManager, dhcpcd, udhcpc") {
		t.Errorf("stderr: %q", stderr)
	}
}

// Of the ways to have a guest keep one default route, that of the assumed guest is told.
func TestHowAGuestKeepsOneDefault(t *testing.T) {
	for guest, want := range map[hostroute.Guest]string{
		hostroute.GuestDhclient:       "dhclient: on the other NICs, add an enter hook ",
		hostroute.GuestNetworkd:       "netplan or systemd-networkd: give every NIC but ",
		hostroute.GuestNetworkManager: "NetworkManager: set ipv4.never-default ",
		hostroute.GuestDhcpcd:         "dhcpcd: set nogateway ",
		hostroute.GuestUdhcpc:         "udhcpc: on the other NICs, do not request option 3",
	} {
		var stdout, stderr strings.Builder
		run([]string{"-guest", string(guest), "-instance", sampleWeb, sampleSubnets, samplePorts}, strings.NewReader(""), &stdout, &stderr)
		_, fixes, _ := strings.Cut(stdout.String(), "(multiple-defaults)\n")
		if !strings.HasPrefix(fixes, "    fix: have the guest keep one default route. "+want) || strings.HasPrefix(strings.SplitN(fixes, "\n", 3)[1], "    fix: ") {
			t.Errorf("%s: got\n%s", guest, fixes)
		}
		stdout.Reset()
		run([]string{"-guest", string(guest), sampleSubnets, samplePorts}, strings.NewReader(""), &stdout, &stderr)
		wantContains(t, stdout.String(), "\n    next: have the guest keep one default route. "+want)
	}
	ipv6 := []hostroute.Fix{{Message: "have the guest keep the IPv6 default route of one NIC"}}
	if got := keepOne(hostroute.GuestDhclient, ipv6); got.Message != ipv6[0].Message {
		t.Errorf("got %v", got)
	}
}

// What a destination's cell has holds for its addresses that no longer destination contains.
func TestEgressIsTheTwins(t *testing.T) {
	subnets, ports := generate(3, 40).write(t)
	instances := decode(t, subnets, ports).Instances
	for i := range 60 {
		instances = append(instances, gen.Instance(rand.New(rand.NewPCG(50, uint64(i)))))
	}
	compared, open := 0, 0
	for _, in := range instances {
		for _, guest := range hostroute.Guests() {
			in.Guest = guest
			table := analyze(t, in).Table
			for d, a := range addressesOf(t, table) {
				want := twin.Egresses(twin.GuestTable(in, string(guest)), string(guest), a)
				got := egress(table, d)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %v leaves by %v, and the cell of %v has %v\n%v", guest, a, want, d, got, table)
				}
				compared++
				open += len(got) / 2
			}
		}
	}
	if compared < 1000 || open < 100 {
		t.Errorf("compared %d destinations, %d of them open", compared, open)
	}
}

// addressesOf returns for each destination of a table an address that no longer one contains, where there is one.
func addressesOf(t *testing.T, table hostroute.Table) map[netip.Prefix]netip.Addr {
	t.Helper()
	out := make(map[netip.Prefix]netip.Addr)
	destinations := allDestinations([]hostroute.Table{table})
	for _, d := range destinations {
		var rest netipx.IPSetBuilder
		rest.AddPrefix(d)
		for _, longer := range destinations {
			if d.Overlaps(longer) && longer.Bits() > d.Bits() {
				rest.RemovePrefix(longer)
			}
		}
		set, err := rest.IPSet()
		if err != nil {
			t.Fatal(err)
		}
		if parts := set.Prefixes(); len(parts) > 0 {
			out[d] = parts[0].Addr()
		}
	}
	return out
}
