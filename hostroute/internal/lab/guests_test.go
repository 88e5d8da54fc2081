//go:build linux

package lab

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
)

// Every DHCP client makes its own table of the same offers: the one that the
// library computes for it, row by row, and data leaves as the library says.

// table returns the guest's main table.
func (l lan) table() (table hostroute.Table) {
	l.t.Helper()
	for _, r := range decode[[]routeJSON](l.t, l.ip("route show table main"))[0] {
		o := r.row(l.t, "-4")
		table = append(table, hostroute.Route{Destination: o.Dst, NextHop: o.Gateway, NIC: o.Dev, Metric: r.Metric})
	}
	return table
}

// settled returns a table in which equal rows of several NICs, whose order is
// open, are in the order of their NICs.
func settled(in hostroute.Instance, guest string, table hostroute.Table) hostroute.Table {
	list := slices.Clone(table)
	position := func(r hostroute.Route) int {
		return slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == r.NIC })
	}
	// Rows that are equal are side by side, so it is enough to swap neighbours.
	for range list {
		for i := 1; i < len(list); i++ {
			if twin.AnyOrder(guest, list[i-1], list[i]) && position(list[i-1]) > position(list[i]) {
				list[i-1], list[i] = list[i], list[i-1]
			}
		}
	}
	return list
}

// compareGuest configures a guest with a client, and returns where its table
// and the ways that data takes are not the library's.
func compareGuest(t *testing.T, c client, in hostroute.Instance) (problems []string) {
	t.Helper()
	return compareLAN(newLAN(t, in), c, in)
}

func compareLAN(l lan, c client, in hostroute.Instance) (problems []string) {
	l.t.Helper()
	in.Guest = hostroute.Guest(c.name)
	report, err := hostroute.Analyze(in)
	if err != nil {
		l.t.Fatal(err)
	}
	givenUp := l.configureBy(c, in)
	if d := cmp.Diff(slices.Sorted(slices.Values(twin.GivesUp(in, c.name))), givenUp); d != "" {
		problems = append(problems, fmt.Sprintf("NICs given up (-want +%s):\n%s", c.name, d))
	}
	got, want := settled(in, c.name, l.table()), settled(in, c.name, report.Table)
	if d := cmp.Diff(want.String(), got.String()); d != "" {
		problems = append(problems, fmt.Sprintf("table (-library +%s):\n%s", c.name, d))
	}
	certain := certainWitnesses(l.t, in)
	for a, nic := range l.egress(append(boundaries(in, report.Table), slices.Collect(maps.Keys(certain))...)) {
		may := twin.Egresses(report.Table, c.name, a)
		first, _ := report.Table.Lookup(a)
		if !slices.Contains(may, nic) || !slices.Contains(may, first.NIC) {
			problems = append(problems, fmt.Sprintf("%v leaves by %q, the library says %q, one of %q", a, nic, first.NIC, may))
		}
		if with, ok := certain[a]; ok && nic != with && c.name != string(hostroute.GuestUdhcpc) {
			problems = append(problems, fmt.Sprintf("%v leaves by %q, a verdict says %q under every client", a, nic, with))
		}
	}
	return problems
}

// configureBy has a client configure the guest, and then a person add the manual
// routes. It returns the NICs that the client gives up.
func (l lan) configureBy(c client, in hostroute.Instance) (givenUp []string) {
	l.t.Helper()
	givenUp = c.configure(l, in)
	slices.Sort(givenUp)
	for _, n := range in.NICs {
		for _, r := range twin.Distinct(n.ManualRoutes) {
			l.run("", strings.Fields("ip -4 "+add(n, r))...) // Linux may refuse it
		}
	}
	return givenUp
}

// certainWitnesses returns the NIC by which each witness leaves, of verdicts for
// the default guest that are not guest-dependent.
func certainWitnesses(t testing.TB, in hostroute.Instance) map[netip.Addr]string {
	t.Helper()
	in.Guest = hostroute.GuestDhclient
	report, err := hostroute.Analyze(in)
	if err != nil {
		t.Fatal(err)
	}
	with := make(map[netip.Addr]string)
	for _, v := range report.Verdicts {
		if v.Effective() && !v.GuestDependent && v.Witness.Is4() {
			with[v.Witness] = v.With
		}
	}
	return with
}

// crowd is how many guests there are at a time. They mostly wait.
const crowd = 6

func TestGuests(t *testing.T) {
	eachClient(t, func(int) []namedCase { return guestCases() })
}

// eachClient configures a guest for every case with every client.
func eachClient(t *testing.T, cases func(int) []namedCase) {
	for i, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			needs(t, append([]string{"ip", "dnsmasq"}, c.needs...)...)
			version := c.installed(t)
			var wait sync.WaitGroup
			room := make(chan bool, crowd)
			for k, test := range cases(i) {
				if testing.Short() && k%10 != 1 || !twin.Foreseen(test.in, c.name) {
					continue
				}
				room <- true
				wait.Go(func() {
					defer func() { <-room }()
					t.Run(test.name, func(t *testing.T) {
						if problems := compareGuest(t, c, test.in); len(problems) > 0 {
							t.Errorf("%s %s: %s\n%s", c.name, version, strings.Join(problems, "\n"), describe(test.in))
						}
					})
				})
			}
			wait.Wait()
		})
	}
}

// Beside the options that a Neutron also sends, there is less room for routes. A
// client that takes no large message gets none of them if they are too long.
func TestGuestsHaveRoomForRoutes(t *testing.T) {
	beside := []string{"dns-server,10.65.0.2,10.65.0.3", "domain-name,openstacklocal", "mtu,1450"}
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			needs(t, append([]string{"ip", "dnsmasq"}, c.needs...)...)
			for _, test := range []struct {
				bytes   int
				arrives bool
			}{{197, true}, {230, !c.small}} {
				in := instance(front(), back(sized(test.bytes, "11.8.0.1")...))
				l := newLAN(t, in, beside...)
				if !test.arrives {
					in = instance(front(), back())
				}
				for _, p := range compareLAN(l, c, in) {
					t.Errorf("%d bytes: %s %s: %s", test.bytes, c.name, c.installed(t), p)
				}
			}
		})
	}
}

// Where a verdict names a guest, what differs there is really seen: data leaves
// by another NIC than under the guest that the verdict is about.
func TestGuestsDifferWhereVerdictsSay(t *testing.T) {
	for _, test := range differingGuests() {
		for _, c := range clients {
			nic, differs := test.leaves[hostroute.Guest(c.name)]
			if !differs {
				continue
			}
			t.Run(test.name+"/"+c.name, func(t *testing.T) {
				needs(t, append([]string{"ip", "dnsmasq"}, c.needs...)...)
				t.Parallel()
				report, err := hostroute.Analyze(test.in)
				if err != nil {
					t.Fatal(err)
				}
				names := func(v hostroute.Verdict) bool {
					return v.Subject.HostRoute.Destination.Contains(test.to) && slices.Contains(v.Guests, hostroute.Guest(c.name))
				}
				if !slices.ContainsFunc(report.Verdicts, names) {
					t.Errorf("no verdict on %v names the guest: %v", test.to, report.Verdicts)
				}
				if r, _ := report.Table.Lookup(test.to); r.NIC == nic {
					t.Errorf("%v leaves by %q here, too", test.to, nic)
				}
				l := newLAN(t, test.in)
				l.configureBy(c, test.in)
				if got := l.egress([]netip.Addr{test.to})[test.to]; got != nic {
					t.Errorf("%v leaves by %q, want %q\n%v", test.to, got, nic, l.table())
				}
			})
		}
	}
}
