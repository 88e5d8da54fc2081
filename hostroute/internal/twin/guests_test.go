package twin

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The real clients decide whether these are right, in package lab.

func TestReferenceGuest(t *testing.T) {
	for i := range 2000 {
		in := gen.Instance(rand.New(rand.NewPCG(1, uint64(i))))
		if d := cmp.Diff(Table(in), GuestTable(in, "dhclient"), comparable, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("instance %d: (-Table +GuestTable):\n%s", i, d)
		}
	}
}

func TestGuestTables(t *testing.T) {
	in := example()
	in.NICs[0].Subnets[0].HostRoutes = routes("11.11.0.0/16,10.65.0.1")
	in.NICs[1].Subnets[0].HostRoutes = routes("11.11.0.0/16,0.0.0.0", "12.0.0.0/8,192.0.2.99")
	want := map[string][]string{
		"dhclient": {
			"0.0.0.0/0 via 10.65.0.1 dev eth0",
			"10.65.0.0/24 dev eth0",
			"11.8.0.0/24 dev eth1",
			"11.11.0.0/16 via 10.65.0.1 dev eth0",
		},
		"udhcpc": {
			"0.0.0.0/0 via 10.65.0.1 dev eth0",
			"10.65.0.0/24 dev eth0",
			"11.8.0.0/24 dev eth1",
		},
		"dhcpcd": {
			"0.0.0.0/0 via 10.65.0.1 dev eth0 metric 1002",
			"0.0.0.0/0 via 11.8.0.1 dev eth1 metric 1003",
			"10.65.0.0/24 dev eth0 metric 1002",
			"11.8.0.0/24 dev eth1 metric 1003",
			"11.11.0.0/32 dev eth1 metric 1003",
			"11.11.0.0/16 via 10.65.0.1 dev eth0 metric 1002",
		},
		"systemd-networkd": {
			"0.0.0.0/0 via 10.65.0.1 dev eth0 metric 1024",
			"0.0.0.0/0 via 11.8.0.1 dev eth1 metric 1024",
			"10.65.0.0/24 dev eth0 metric 1024",
			"10.65.0.1/32 dev eth0 metric 1024",
			"11.8.0.0/24 dev eth1 metric 1024",
			"11.8.0.1/32 dev eth1 metric 1024",
			"11.11.0.0/16 via 10.65.0.1 dev eth0 metric 1024",
			"11.11.0.0/16 dev eth1 metric 1024",
			"12.0.0.0/8 via 192.0.2.99 dev eth1 metric 1024",
			"192.0.2.99/32 dev eth1 metric 1024",
		},
		"NetworkManager": {
			"0.0.0.0/0 via 10.65.0.1 dev eth0 metric 100",
			"0.0.0.0/0 via 11.8.0.1 dev eth1 metric 101",
			"10.65.0.0/24 dev eth0 metric 100",
			"11.8.0.0/24 dev eth1 metric 101",
			"11.11.0.0/16 via 10.65.0.1 dev eth0 metric 100",
			"11.11.0.0/16 dev eth1 metric 101",
			"12.0.0.0/8 via 192.0.2.99 dev eth1 metric 101",
			"192.0.2.99/32 dev eth1 metric 101",
		},
	}
	for _, guest := range Guests {
		var got []string
		for _, r := range GuestTable(in, guest) {
			line := tableText(hostroute.Table{r})[0]
			if r.Metric > 0 {
				line += fmt.Sprintf(" metric %d", r.Metric)
			}
			got = append(got, line)
		}
		if d := cmp.Diff(want[guest], got); d != "" {
			t.Errorf("%s (-want +got):\n%s", guest, d)
		}
	}
}

func TestEgresses(t *testing.T) {
	in := example()
	for guest, want := range map[string]string{
		"dhclient":         "eth0",
		"udhcpc":           "eth0",
		"dhcpcd":           "eth0",
		"NetworkManager":   "eth0",
		"systemd-networkd": "eth0 eth1", // both have a default of one metric
	} {
		table := GuestTable(in, guest)
		if got := strings.Join(Egresses(table, guest, addr("203.0.113.1")), " "); got != want {
			t.Errorf("%s: %q, want %q", guest, got, want)
		}
		if got := strings.Join(Egresses(table, guest, addr("11.8.0.77")), " "); got != "eth1" {
			t.Errorf("%s: the second subnet by %q", guest, got)
		}
	}
	in.DefaultNIC = "eth1"
	for _, guest := range Guests {
		if got := strings.Join(Egresses(GuestTable(in, guest), guest, addr("203.0.113.1")), " "); got != "eth1" {
			t.Errorf("%s, told to use eth1: %q", guest, got)
		}
	}
}

func TestGivesUp(t *testing.T) {
	in := example()
	in.NICs[1].Subnets[0].HostRoutes = routes("11.11.0.0/16,11.8.0.255")
	for _, guest := range Guests {
		want := ""
		if guest == "systemd-networkd" {
			want = "eth1"
		}
		if got := strings.Join(GivesUp(in, guest), " "); got != want {
			t.Errorf("%s gives up %q, want %q", guest, got, want)
		}
	}
	in.NICs[1].Subnets[0].HostRoutes = routes("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77", "12.0.0.0/8,192.0.2.99")
	if got := GivesUp(in, "systemd-networkd"); got != nil {
		t.Errorf("networkd gives up %q though nothing is refused", got)
	}
}

func TestForeseen(t *testing.T) {
	in := example()
	in.NICs[0].Subnets[0].HostRoutes = routes("1.2.3.4/0,192.0.2.99")
	if !Foreseen(in, "dhcpcd") {
		t.Error("a next hop outside of the first NIC is not foreseen")
	}
	in.NICs[0].Subnets[0].HostRoutes, in.NICs[1].Subnets[0].HostRoutes = nil, routes("1.2.3.4/0,192.0.2.99")
	for _, guest := range Guests {
		if got, want := Foreseen(in, guest), guest != "dhcpcd"; got != want {
			t.Errorf("%s: foreseen: %v, want %v", guest, got, want)
		}
	}
	in.NICs[1].Subnets[0].HostRoutes = routes("11.11.0.0/16,192.0.2.99", "11.11.0.0/16,11.8.0.1", "192.0.2.99/32,0.0.0.0")
	if Foreseen(in, "dhcpcd") {
		t.Error("a next hop that a later route makes acceptable is foreseen")
	}
}
