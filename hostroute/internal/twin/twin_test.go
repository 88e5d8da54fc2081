package twin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The documented example: eth0 keeps the default, and 11.11.0.0/16 goes out of
// eth1.
func example() hostroute.Instance {
	return hostroute.Instance{Name: "vm", NICs: []hostroute.NIC{
		{Name: "eth0", Addrs: addrs("10.65.0.10"), Subnets: []*hostroute.Subnet{subnet("front", "10.65.0.0/24", "10.65.0.1")}},
		{Name: "eth1", Addrs: addrs("11.8.0.10"), Subnets: []*hostroute.Subnet{subnet("back", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")}},
	}}
}

func TestDocumentedExample(t *testing.T) {
	want := hostroute.Table{
		{Destination: pfx("0.0.0.0/0"), NextHop: addr("10.65.0.1"), NIC: "eth0", Source: hostroute.SourceDefault, Subnet: "front"},
		{Destination: pfx("10.65.0.0/24"), NIC: "eth0", Source: hostroute.SourceConnected, Subnet: "front"},
		{Destination: pfx("11.8.0.0/24"), NIC: "eth1", Source: hostroute.SourceConnected, Subnet: "back"},
		{Destination: pfx("11.11.0.0/16"), NextHop: addr("11.8.0.1"), NIC: "eth1", Source: hostroute.SourceHostRoute, Subnet: "back"},
	}
	if d := cmp.Diff(want, Table(example()), comparable); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
	verdicts := []hostroute.Verdict{{
		Subject: hostroute.Ref{Instance: "vm", NIC: "eth1", Subnet: "back", HostRoute: hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1")},
		Class:   hostroute.ClassOwnGateway, Effect: hostroute.EffectSteers,
		With: "eth1", Without: "eth0", Witness: addr("11.11.0.0"),
		GuestDependent: true, // if the guest keeps eth1's default, it is redundant
	}}
	if d := cmp.Diff(verdicts, withGuests(example()), comparable); d != "" {
		t.Errorf("verdicts (-want +got):\n%s", d)
	}
}

// Each case changes the documented example and says what is seen: the verdicts,
// one a line, and, where it is of interest, the table. With both defaults offered,
// what steers to eth1 is redundant where the guest keeps eth1's: guest-dependent.
func TestRules(t *testing.T) {
	const (
		front = "10.65.0.0/24 dev eth0"
		dflt  = "0.0.0.0/0 via 10.65.0.1 dev eth0"
		back  = "11.8.0.0/24 dev eth1"
	)
	tests := []struct {
		name     string
		change   func(in *hostroute.Instance, eth0, eth1 *hostroute.NIC, front, back *hostroute.Subnet)
		verdicts string
		table    []string
	}{
		{"no host route", func(in *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = nil
		}, "", []string{dflt, front, back}},

		// The offer.
		{"a default among the host routes is dropped", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("0.0.0.0/0,11.8.0.77", "0.0.0.0/0,11.8.0.1")
		}, `
			eth1 0.0.0.0/0,11.8.0.77 not-gateway not-offered default-dropped
			eth1 0.0.0.0/0,11.8.0.1 own-gateway redundant`, []string{dflt, front, back}},
		{"equal copies are one", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.1")
		}, `eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`, nil},
		{"no gateway, no lease", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.Gateway = netip.Addr{}
		}, `eth1 11.11.0.0/16,11.8.0.1 not-gateway not-offered no-lease`, []string{dflt, front}},
		{"a gateway outside, no lease", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.Gateway = addr("11.9.0.1")
		}, `eth1 11.11.0.0/16,11.8.0.1 not-gateway not-offered no-lease`, []string{dflt, front}},
		{"DHCP disabled", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.DHCPDisabled = true
		}, `eth1 11.11.0.0/16,11.8.0.1 own-gateway not-offered dhcp-disabled`, []string{dflt, front}},
		{"config drive: default first, then verbatim", func(in *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			in.ConfigDrive, back.DHCPDisabled = true, true
			front.Gateway = netip.Addr{}
			back.HostRoutes = routes("0.0.0.0/0,11.8.0.77", "11.11.77.5/16,11.8.0.1")
		}, `
			eth1 0.0.0.0/0,11.8.0.77 not-gateway refused duplicate
			eth1 11.11.77.5/16,11.8.0.1 own-gateway refused host-bits`,
			[]string{"0.0.0.0/0 via 11.8.0.1 dev eth1", back}},
		{"config drive: without a gateway the host route is the default", func(in *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			in.ConfigDrive, back.DHCPDisabled = true, true
			front.Gateway, back.Gateway = netip.Addr{}, netip.Addr{}
			back.HostRoutes = routes("0.0.0.0/0,11.8.0.77")
		}, `eth1 0.0.0.0/0,11.8.0.77 not-gateway steers eth1<@0.0.0.0`,
			[]string{"0.0.0.0/0 via 11.8.0.77 dev eth1", back}},
		{"config drive: the first IPv4 subnet only", func(in *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			in.ConfigDrive, back.DHCPDisabled = true, true
			eth1.Subnets = []*hostroute.Subnet{subnet("dhcp", "11.9.0.0/24", "11.9.0.1"), back}
		}, `eth1 11.11.0.0/16,11.8.0.1 own-gateway not-offered second-ipv4-subnet`,
			[]string{dflt, front, "11.9.0.0/24 dev eth1"}},
		{"the last of two IPv4 subnets is leased", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			eth1.Subnets = append(eth1.Subnets, subnet("last", "11.9.0.0/24", "11.9.0.1", "11.11.0.0/16,11.9.0.1"))
		}, `
			eth1 11.11.0.0/16,11.8.0.1 own-gateway not-offered second-ipv4-subnet
			eth1 11.11.0.0/16,11.9.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`,
			[]string{dflt, front, "11.9.0.0/24 dev eth1", "11.11.0.0/16 via 11.9.0.1 dev eth1"}},
		{"siblings are on-link, the last first", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			eth1.Siblings = prefixes("11.9.0.0/24", "11.8.0.0/24", "11.11.0.0/16")
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.1", "12.0.0.0/8,11.9.0.9")
		}, `
			eth1 11.11.0.0/16,11.8.0.1 own-gateway refused duplicate guest
			eth1 12.0.0.0/8,11.9.0.9 not-gateway steers eth1<eth0@12.0.0.0 guest`,
			[]string{dflt, front, back, "11.9.0.0/24 dev eth1", "11.11.0.0/16 dev eth1", "12.0.0.0/8 via 11.9.0.9 dev eth1"}},
		{"244 bytes on the wire: some clients lose them", func(in *hostroute.Instance, _, eth1 *hostroute.NIC, _, _ *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			eth1.Siblings = many(29, 24) // 29 * 8 + 7 + 5 = 244
		}, `eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`, nil},
		{"197 bytes arrive with all", func(in *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			eth1.Siblings = many(23, 24)                      // 23 * 8 + 7 + 5 = 196
			back.HostRoutes = routes("11.11.0.0/17,11.8.0.1") // one more
		}, `eth1 11.11.0.0/17,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0`, nil},
		{"198 bytes do not", func(in *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			eth1.Siblings = many(23, 24)
			back.HostRoutes = routes("11.11.11.0/25,11.8.0.1")
		}, `eth1 11.11.11.0/25,11.8.0.1 own-gateway steers eth1<eth0@11.11.11.0 guest`, nil},
		{"256 bytes overflow, 255 do not", func(_ *hostroute.Instance, eth0, eth1 *hostroute.NIC, front, back *hostroute.Subnet) {
			eth0.Siblings = many(30, 24) // 30 * 8 + 5 = 245
			front.HostRoutes = routes("1.1.1.1/32,10.65.0.1", "1.0.0.0/7,10.65.0.1")
			eth1.Siblings = slices.Concat(many(29, 24), prefixes("12.0.0.0/7")) // 29 * 8 + 6 + 5 = 243
			back.HostRoutes = routes("2.0.0.0/7,11.8.0.1", "4.0.0.0/7,11.8.0.1")
		}, `
			eth0 1.1.1.1/32,10.65.0.1 own-gateway not-offered option-overflow
			eth0 1.0.0.0/7,10.65.0.1 own-gateway not-offered option-overflow
			eth1 2.0.0.0/7,11.8.0.1 own-gateway steers eth1<eth0@2.0.0.0 guest
			eth1 4.0.0.0/7,11.8.0.1 own-gateway steers eth1<eth0@4.0.0.0 guest`, nil},
		{"what deletion lets in by ending an overflow is not counted", func(_ *hostroute.Instance, eth0, eth1 *hostroute.NIC, front, back *hostroute.Subnet) {
			// Without the route, eth0's offer would fit, and its siblings come.
			eth0.Subnets = eth1.Subnets
			eth0.Siblings = many(31, 24) // 31 * 8 + 7 + 5 = 260
		}, `
			eth0 11.11.0.0/16,11.8.0.1 own-gateway not-offered option-overflow
			eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`, []string{
			"0.0.0.0/0 via 11.8.0.1 dev eth0", "11.8.0.0/24 dev eth0", back, "11.11.0.0/16 via 11.8.0.1 dev eth1"}},
		{"host bits that vanish on the wire", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.11.77.5/16,11.8.0.1")
		}, `eth1 11.11.77.5/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`,
			[]string{dflt, front, back, "11.11.0.0/16 via 11.8.0.1 dev eth1"}},
		{"host bits that stay", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.11.77.0/20,11.8.0.1")
		}, `eth1 11.11.77.0/20,11.8.0.1 own-gateway refused host-bits guest`, []string{dflt, front, back}},
		{"a default in disguise comes ahead of the gateway's", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("1.2.3.4/0,10.65.0.77")
			back.HostRoutes = nil
		}, `eth0 1.2.3.4/0,10.65.0.77 not-gateway redundant`,
			[]string{"0.0.0.0/0 via 10.65.0.77 dev eth0", front, back}},

		// The installation.
		{"own broadcast address", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.8.0.0/16,0.0.0.0", "11.11.0.0/16,11.8.0.255")
		}, `
			eth1 11.8.0.0/16,0.0.0.0 on-link steers eth1<eth0@11.8.1.0 guest
			eth1 11.11.0.0/16,11.8.0.255 unusable refused next-hop-unusable`, nil},
		{"a gateway that is the broadcast address", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			back.Gateway = addr("11.8.0.255")
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.255")
		}, `eth1 11.11.0.0/16,11.8.0.255 own-gateway refused next-hop-unusable`, []string{dflt, front, back}},
		{"the network address and /31's last are fine", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			back.CIDR, back.Gateway, eth1.Addrs = pfx("11.8.0.0/31"), addr("11.8.0.1"), nil
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.1", "11.12.0.0/16,11.8.0.0")
		}, `
			eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest
			eth1 11.12.0.0/16,11.8.0.0 not-gateway steers eth1<eth0@11.12.0.0 guest`, nil},
		{"own address: accepted, but nothing lies behind it", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.10", "11.12.0.0/16,11.11.0.1")
		}, `
			eth1 11.11.0.0/16,11.8.0.10 own-address steers eth1<eth0@11.11.0.0 guest
			eth1 11.12.0.0/16,11.11.0.1 off-link refused next-hop-off-link guest`, nil},
		{"another NIC's gateway, another NIC's neighbour, nobody", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("11.11.0.0/16,11.8.0.1", "11.12.0.0/16,11.8.0.77", "11.13.0.0/16,192.0.2.1")
			back.HostRoutes = nil
		}, `
			eth0 11.11.0.0/16,11.8.0.1 other-gateway refused next-hop-other-nic guest
			eth0 11.12.0.0/16,11.8.0.77 off-link refused next-hop-off-link guest
			eth0 11.13.0.0/16,192.0.2.1 off-link refused next-hop-off-link guest`, []string{dflt, front, back}},
		{"on-link makes what lies behind it acceptable, and stays after it", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("11.12.0.0/16,11.11.0.1", "11.11.0.0/16,0.0.0.0", "11.13.0.0/16,11.11.0.1")
		}, `
			eth1 11.12.0.0/16,11.11.0.1 off-link refused next-hop-off-link guest
			eth1 11.11.0.0/16,0.0.0.0 on-link steers eth1<eth0@11.11.0.0 guest
			eth1 11.13.0.0/16,11.11.0.1 not-gateway steers eth1<eth0@11.13.0.0 guest`, nil},
		{"under 128.0.0.0/1 on-link all special addresses are acceptable", func(_ *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("128.0.0.0/1,0.0.0.0", "11.1.0.0/16,224.0.0.1", "11.2.0.0/16,240.0.0.1", "11.3.0.0/16,255.255.255.255", "11.4.0.0/16,127.0.0.1")
		}, `
			eth1 128.0.0.0/1,0.0.0.0 on-link steers eth1<eth0@128.0.0.0 guest
			eth1 11.1.0.0/16,224.0.0.1 unusable steers eth1<eth0@11.1.0.0 guest
			eth1 11.2.0.0/16,240.0.0.1 unusable steers eth1<eth0@11.2.0.0 guest
			eth1 11.3.0.0/16,255.255.255.255 unusable steers eth1<eth0@11.3.0.0 guest
			eth1 11.4.0.0/16,127.0.0.1 unusable refused next-hop-unusable guest`, nil},
		{"the connected route is appended: the earlier NIC takes the later's subnet", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("11.8.0.0/24,10.65.0.1")
			back.HostRoutes = routes("10.65.0.0/24,11.8.0.1")
		}, `
			eth0 11.8.0.0/24,10.65.0.1 own-gateway steers eth0<eth1@11.8.0.0 guest
			eth1 10.65.0.0/24,11.8.0.1 own-gateway refused conflict guest`,
			[]string{dflt, front, "11.8.0.0/24 via 10.65.0.1 dev eth0", back}},
		{"a /32 brings no connected route", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			back.CIDR, back.Gateway, eth1.Addrs = pfx("11.8.0.1/32"), addr("11.8.0.1"), nil
		}, `eth1 11.11.0.0/16,11.8.0.1 own-gateway refused next-hop-unusable guest`, []string{dflt, front}},
		{"file exists: on the same NIC, and on another; deletion lets the next one in", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("11.11.0.0/16,10.65.0.1", "11.11.0.0/16,10.65.0.77")
		}, `
			eth0 11.11.0.0/16,10.65.0.1 own-gateway redundant guest
			eth0 11.11.0.0/16,10.65.0.77 not-gateway refused duplicate guest
			eth1 11.11.0.0/16,11.8.0.1 own-gateway refused conflict guest`, nil},
		{"DefaultNIC drops the others' defaults, disguised ones too", func(in *hostroute.Instance, _, _ *hostroute.NIC, front, _ *hostroute.Subnet) {
			in.DefaultNIC = "eth1"
			front.HostRoutes = routes("1.2.3.4/0,10.65.0.1")
		}, `
			eth0 1.2.3.4/0,10.65.0.1 own-gateway refused conflict
			eth1 11.11.0.0/16,11.8.0.1 own-gateway redundant`,
			[]string{"0.0.0.0/0 via 11.8.0.1 dev eth1", front, back, "11.11.0.0/16 via 11.8.0.1 dev eth1"}},

		// The effect.
		{"on one NIC nothing matters", func(in *hostroute.Instance, _, _ *hostroute.NIC, front, _ *hostroute.Subnet) {
			in.NICs = in.NICs[:1]
			front.HostRoutes = routes("11.11.0.0/16,10.65.0.77", "0.0.0.0/0,10.65.0.1")
		}, `
			eth0 11.11.0.0/16,10.65.0.77 not-gateway single-nic
			eth0 0.0.0.0/0,10.65.0.1 own-gateway single-nic`, nil},
		{"redundant, unless the guest keeps the other default", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("12.0.0.0/8,10.65.0.1")
			back.HostRoutes = nil
		}, `eth0 12.0.0.0/8,10.65.0.1 own-gateway redundant guest`, nil},
		{"two halves shadow the whole", func(in *hostroute.Instance, _, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			back.HostRoutes = routes("11.11.0.0/16,11.8.0.1", "11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1")
		}, `
			eth1 11.11.0.0/16,11.8.0.1 own-gateway shadowed
			eth1 11.11.0.0/17,11.8.0.1 own-gateway redundant
			eth1 11.11.128.0/17,11.8.0.1 own-gateway redundant`, nil},
		{"deletion lets an equal destination in", func(_ *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			front.HostRoutes = routes("11.11.0.0/16,10.65.0.1")
			back.HostRoutes = routes("11.0.0.0/8,11.8.0.1", "11.11.0.0/16,11.8.0.77")
		}, `
			eth0 11.11.0.0/16,10.65.0.1 own-gateway steers eth0<eth1@11.11.0.0 guest
			eth1 11.0.0.0/8,11.8.0.1 own-gateway steers eth1<eth0@11.0.0.0 guest
			eth1 11.11.0.0/16,11.8.0.77 not-gateway refused conflict guest`, nil},
		{"it steers through what it makes acceptable, outside its destination", func(in *hostroute.Instance, _, _ *hostroute.NIC, front, back *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			back.HostRoutes = routes("11.8.0.0/23,0.0.0.0", "11.8.1.0/24,11.8.0.1", "11.11.0.0/16,11.8.1.1")
		}, `
			eth1 11.8.0.0/23,0.0.0.0 on-link steers eth1<eth0@11.11.0.0 guest
			eth1 11.8.1.0/24,11.8.0.1 own-gateway redundant guest
			eth1 11.11.0.0/16,11.8.1.1 not-gateway steers eth1<eth0@11.11.0.0 guest`, nil},
		{"a shared subnet loses its route on every NIC", func(_ *hostroute.Instance, eth0, eth1 *hostroute.NIC, _, _ *hostroute.Subnet) {
			eth0.Subnets = append(eth0.Subnets[:0:0], eth1.Subnets...)
		}, `
			eth0 11.11.0.0/16,11.8.0.1 own-gateway redundant guest
			eth1 11.11.0.0/16,11.8.0.1 own-gateway refused conflict guest`,
			[]string{"0.0.0.0/0 via 11.8.0.1 dev eth0", "11.8.0.0/24 dev eth0", back, "11.11.0.0/16 via 11.8.0.1 dev eth0"}},

		// Families.
		{"mixed families", func(_ *hostroute.Instance, _, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = routes("2001:db8::/32,11.8.0.1", "11.11.0.0/16,fe80::1", "2001:db8::/32,fe80::1")
			eth1.ManualRoutes = routes("11.11.0.0/16,fe80::1")
		}, `
			eth1 2001:db8::/32,11.8.0.1 unusable not-offered next-hop-unusable
			eth1 11.11.0.0/16,fe80::1 unusable not-offered next-hop-unusable
			eth1 2001:db8::/32,fe80::1 unusable not-offered next-hop-unusable
			eth1 11.11.0.0/16,fe80::1 unusable refused next-hop-unusable`, nil},
		{"IPv6: a default each, and no host route", func(_ *hostroute.Instance, eth0, eth1 *hostroute.NIC, _, _ *hostroute.Subnet) {
			eth0.Subnets = append(eth0.Subnets, subnet("six", "2001:db8:1::/64", "2001:db8:1::1", "2001:db8:9::/48,2001:db8:1::1", "2001:db8:a::/48,2001:db8:1::77"))
			eth1.Subnets = append(eth1.Subnets, subnet("six1", "2001:db8:2::/64", "2001:db8:2::1"))
		}, `
			eth0 2001:db8:9::/48,2001:db8:1::1 own-gateway not-offered ipv6-not-offered
			eth0 2001:db8:a::/48,2001:db8:1::77 not-gateway not-offered ipv6-not-offered
			eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`,
			[]string{dflt, front, back, "11.11.0.0/16 via 11.8.0.1 dev eth1", "::/0 via 2001:db8:1::1 dev eth0"}},
		{"IPv6 by hand", func(_ *hostroute.Instance, eth0, eth1 *hostroute.NIC, _, back *hostroute.Subnet) {
			back.HostRoutes = nil
			eth0.Subnets = append(eth0.Subnets, subnet("six", "2001:db8:1::/64", "2001:db8:1::1"))
			eth1.Subnets = append(eth1.Subnets, subnet("link", "fe80::/64", ""))
			eth1.Addrs = append(eth1.Addrs, addr("fe80::2"))
			eth1.ManualRoutes = routes("2001:db8:9::1/48,fe80::1", "2001:db8:9::/48,fe80::3", "2001:db8:a::/48,fe80::2", "2001:db8:a::/48,::",
				"2001:db8:a::/48,ff02::1", "2001:db8:b::/48,fe80::1", "2001:db8:a::/48,2001:db8:1::1", "2001:db8:a::/48,2001:db8:2::1")
		}, `
			eth1 2001:db8:9::1/48,fe80::1 own-gateway redundant
			eth1 2001:db8:9::/48,fe80::3 own-gateway refused duplicate
			eth1 2001:db8:a::/48,fe80::2 own-gateway refused next-hop-unusable
			eth1 2001:db8:a::/48,:: unusable refused next-hop-unusable
			eth1 2001:db8:a::/48,ff02::1 unusable refused next-hop-unusable
			eth1 2001:db8:b::/48,fe80::1 own-gateway steers eth1<eth0@2001:db8:b::
			eth1 2001:db8:a::/48,2001:db8:1::1 other-gateway refused next-hop-other-nic
			eth1 2001:db8:a::/48,2001:db8:2::1 off-link refused next-hop-off-link`,
			[]string{dflt, front, back, "::/0 via 2001:db8:1::1 dev eth0", "2001:db8:9::/48 via fe80::1 dev eth1", "2001:db8:b::/48 via fe80::1 dev eth1"}},

		// By hand.
		{"manual routes come after all offers", func(_ *hostroute.Instance, eth0, _ *hostroute.NIC, _, back *hostroute.Subnet) {
			eth0.ManualRoutes = routes("11.11.0.0/16,10.65.0.1", "11.12.0.0/16,0.0.0.0", "11.13.0.0/16,11.12.0.1", "11.14.77.0/16,10.65.0.1")
		}, `
			eth0 11.11.0.0/16,10.65.0.1 own-gateway refused conflict guest
			eth0 11.12.0.0/16,0.0.0.0 on-link redundant guest
			eth0 11.13.0.0/16,11.12.0.1 not-gateway redundant guest
			eth0 11.14.77.0/16,10.65.0.1 own-gateway refused host-bits
			eth1 11.11.0.0/16,11.8.0.1 own-gateway steers eth1<eth0@11.11.0.0 guest`, nil},
		{"a manual default is never dropped", func(in *hostroute.Instance, _, eth1 *hostroute.NIC, front, back *hostroute.Subnet) {
			in.DefaultNIC = "eth0"
			front.Gateway = netip.Addr{}
			eth1.ManualRoutes = routes("0.0.0.0/0,11.8.0.1")
		}, `
			eth1 11.11.0.0/16,11.8.0.1 own-gateway redundant
			eth1 0.0.0.0/0,11.8.0.1 own-gateway steers eth1<@0.0.0.0 guest`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := example()
			tt.change(&in, &in.NICs[0], &in.NICs[1], in.NICs[0].Subnets[0], in.NICs[1].Subnets[0])
			want := strings.Fields(tt.verdicts)
			got := strings.Fields(verdictText(withGuests(in)))
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("verdicts are\n%s\n(-want +got):\n%s", verdictText(withGuests(in)), d)
			}
			if tt.table != nil {
				if d := cmp.Diff(tt.table, tableText(Table(in))); d != "" {
					t.Errorf("table (-want +got):\n%s", d)
				}
			}
		})
	}
}

func TestWithout(t *testing.T) {
	in := example()
	shared := in.NICs[1].Subnets[0]
	in.NICs[0].Subnets = append(in.NICs[0].Subnets, shared)
	in.NICs[0].ManualRoutes = routes("12.0.0.0/8,10.65.0.1")
	for _, v := range Verdicts(in) {
		for _, w := range Verdicts(Without(in, v)) {
			if v.Subject.HostRoute == w.Subject.HostRoute {
				t.Errorf("%v is still there", v.Subject)
			}
		}
	}
	if len(Verdicts(in)) != 3 {
		t.Errorf("the instance was modified: %v", Verdicts(in))
	}
}

func TestOffer(t *testing.T) {
	n := hostroute.NIC{
		Name:     "eth0",
		Siblings: prefixes("11.9.0.0/24", "11.8.0.0/24", "11.10.0.0/24"),
		Subnets: []*hostroute.Subnet{subnet("back", "11.8.0.0/24", "11.8.0.1",
			"11.11.77.5/16,11.8.0.1", "0.0.0.0/0,11.8.0.77", "1.2.3.4/0,11.8.0.1", "11.11.77.5/16,11.8.0.1", "11.11.0.0/16,fe80::1")},
	}
	want := routes("11.10.0.0/24,0.0.0.0", "11.9.0.0/24,0.0.0.0", "11.11.77.5/16,11.8.0.1", "1.2.3.4/0,11.8.0.1", "0.0.0.0/0,11.8.0.1")
	if d := cmp.Diff(want, Offer(n), comparable); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	n.Subnets[0].DHCPDisabled = true
	if got := Offer(n); got != nil {
		t.Errorf("without a lease: %v", got)
	}
}

func TestBoundaries(t *testing.T) {
	got := Boundaries(Table(example()))
	want := addrs("0.0.0.0", "10.64.255.255", "10.65.0.0", "10.65.0.255", "10.65.1.0",
		"11.7.255.255", "11.8.0.0", "11.8.0.255", "11.8.1.0", "11.10.255.255", "11.11.0.0", "11.11.255.255", "11.12.0.0",
		"255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	if d := cmp.Diff(want, got, comparable); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// verdictText has a line for each verdict: NIC, host route, class, effect,
// cause, with<without@witness, guest.
func verdictText(list []hostroute.Verdict) string {
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintf(&b, "%s %v %s %s %s", v.Subject.NIC, v.Subject.HostRoute, v.Class, v.Effect, v.Cause)
		if v.Witness.IsValid() || v.With != v.Without {
			fmt.Fprintf(&b, " %s<%s@%v", v.With, v.Without, v.Witness)
		}
		if v.GuestDependent {
			b.WriteString(" guest")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func tableText(t hostroute.Table) []string {
	var list []string
	for _, r := range t {
		s := r.Destination.String()
		if r.NextHop.IsValid() {
			s += " via " + r.NextHop.String()
		}
		list = append(list, s+" dev "+r.NIC)
	}
	return list
}

// many returns n prefixes that nothing else is in.
func many(n, bits int) []netip.Prefix {
	var list []netip.Prefix
	for i := range n {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 100, byte(i), 0}), bits))
	}
	return list
}

var comparable = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

func subnet(id, cidr, gateway string, hostRoutes ...string) *hostroute.Subnet {
	s := &hostroute.Subnet{ID: id, CIDR: pfx(cidr), HostRoutes: routes(hostRoutes...)}
	if gateway != "" {
		s.Gateway = addr(gateway)
	}
	return s
}

func routes(list ...string) []hostroute.HostRoute {
	var out []hostroute.HostRoute
	for _, s := range list {
		out = append(out, hostroute.MustParseHostRoute(s))
	}
	return out
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, addr(s))
	}
	return out
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, pfx(s))
	}
	return out
}

func addr(s string) netip.Addr  { return netip.MustParseAddr(s) }
func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// withGuests returns the verdicts, and whether they depend on the guest.
func withGuests(in hostroute.Instance) []hostroute.Verdict {
	list := Verdicts(in)
	for i := range list {
		list[i].GuestDependent = GuestDependent(in, list[i].Subject)
	}
	return list
}
