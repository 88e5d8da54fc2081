package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"github.com/google/go-cmp/cmp"
)

const (
	sampleSubnets = "testdata/subnets.json"
	samplePorts   = "testdata/ports.json"
	sampleWeb     = "web00001-0000-4000-8000-000000000001"
)

// program runs the program, and expects an exit status.
func program(t testing.TB, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	return programWith(t, "", want, args...)
}

func programWith(t testing.TB, stdin string, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(args, strings.NewReader(stdin), &out, &errs); got != want {
		t.Errorf("report %v: status %d, want %d\n%s", args, got, want, &errs)
	}
	return out.String(), errs.String()
}

// object returns what -json prints. A member that is not documented is an error.
func asJSON(t testing.TB, want int, args ...string) *readDocument {
	t.Helper()
	out, _ := program(t, want, append([]string{"-json"}, args...)...)
	d := new(readDocument)
	reader := json.NewDecoder(strings.NewReader(out))
	reader.DisallowUnknownFields()
	if err := reader.Decode(d); err != nil {
		t.Fatal(err)
	}
	return d
}

// A readDocument is a document as another program reads it.
type readDocument struct {
	Version    int
	Summary    summary `json:"summary"`
	HostRoutes []struct {
		hostRouteDocument
		Kind string `json:"kind"`
	} `json:"host_routes"`
	Findings []findingDocument `json:"findings"`
	Problems []struct {
		Document, Path, Subnet, Port, Instance, Error string
		Value                                         int
	} `json:"problems"`
}

func textFile(t testing.TB, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// lines returns the lines of a text from the first that begins with a word, up to the next empty one.
func lines(text, start string) string {
	_, after, found := strings.Cut("\n"+text, "\n"+start)
	if !found {
		return ""
	}
	block, _, _ := strings.Cut(start+after, "\n\n")
	return block + "\n"
}

func wantContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q:\n%s", part, text)
		}
	}
}

// The README quotes the head.
func TestHeadOfSample(t *testing.T) {
	const want = `10 host routes on 9 subnets, 10 instances. Each host route counts once, as the first of these that holds:
     4 wrong    never take effect, or the data does not go where they say
     1 risky    work with some DHCP clients only, or take another NIC's data
     2 can go   no instance needs them (CAN GO lists these and 1 of the wrong or risky)
     2 depends  do something or nothing, depending on the guest: its default route, DHCP client or order of host routes (-all lists them)
     1 idle     do nothing as far as is known, but may be needed, so they are not in CAN GO (-all lists them)
`
	out, _ := program(t, 1, sampleSubnets, samplePorts)
	if !strings.HasPrefix(out, want) {
		t.Errorf("got\n%s", out)
	}
}

func TestSampleShowsEachPart(t *testing.T) {
	out, _ := program(t, 1, sampleSubnets, samplePorts)
	wantContains(t, out,
		"\nproblems: 1, but no instance or subnet is known to be left out (", "\nassumed: NICs are in the order of the file; guests run dhclient (-guest assumes another); 6 instances with several defaults: each keeps the one that it takes by itself (-default-subnet or -default-nic assumes another)\n",
		"\nERROR: next hop is not the gateway: 1 host route (next-hop-not-gateway)\n  The hypervisor answers",
		`
  10.71.0.0/16 via 10.70.0.77, on storage 10.70.0.0/24 (storage-subnet)
    1 instance: depends on the guest; e.g. nfs00001-0000-4000-8000-000000000007
    fix: next hop 10.70.0.1: moves no data
      openstack subnet set --host-route destination=10.71.0.0/16,gateway=10.70.0.1 storage-subnet &&
      openstack subnet unset --host-route destination=10.71.0.0/16,gateway=10.70.0.77 storage-subnet
`, `
    fix: remove: may move data of 1 of 1 instance: for example 11.8.0.1/32 (only a gateway's own address) app -> back under systemd-networkd, in app00001-0000-4000-8000-000000000009
    or: move the host route to back 11.8.0.0/24 (back-subnet): moves data of 4 of 5 instances: 11.12.0.0/16 front -> back (and 1 other move; -unsafe lists all), e.g. in edge0001-0000-4000-8000-000000000010

`, `
  10.73.0.0/16, 10.74.0.0/16 via 10.72.0.1, on backup 10.72.0.0/24 (backup-subnet)
    1 instance: never arrives; e.g. nfs00001-0000-4000-8000-000000000007
    fix: give subnet backup-subnet a gateway inside 10.72.0.0/24 (its host routes have the next hop 10.72.0.1) and, in the same request, allocation pools without that address; if that makes a second default route, tell the guest which one to keep (hostroute/CODES.md has a command. To see first what it moves, change a copy of SUBNETS: report -before SUBNETS,PORTS COPY PORTS)
    or: remove: moves no data (but the NIC still gets no lease, and the host routes may work once no-lease is fixed)
      openstack subnet unset --host-route destination=10.73.0.0/16,gateway=10.72.0.1 --host-route destination=10.74.0.0/16,gateway=10.72.0.1 backup-subnet
`,
		"\nCAN GO: 3 host routes, 1 of them on a subnet without an instance\n", "\n  10.89.0.0/16 via 10.88.0.1, on spare 10.88.0.0/24 (spare-subnet), no instance\n",
		"\n  No instance in the list of ports needs these. First make sure that an administrator fetched the whole list.\n",
		`

What to do:
  1. All of CAN GO, if it is there. Then from top to bottom each fix after "fix:" that says "moves no data"
  and not "do it alone". After each of them, all data leaves as before.
  2. Then fetch SUBNETS and PORTS again, and run this again: a fix can change the others.
  3. Any other fix: alone, with all of its commands. Then step 2.
Data moves if it leaves an instance by another NIC than before. Running instances may get a changed list only
at their next boot. "Depends on the guest" means on its default route, its DHCP client or the order of its
host routes.

ERROR: `,
		"\n    fix: remove: moves no data; CAN GO has the command\n\nWARNING: ",
		`
NOT OF ONE HOST ROUTE
  warning multiple-defaults    6 instances; e.g. app00001-0000-4000-8000-000000000009
    next: have the guest keep one default route. dhclient: on the other NICs, add an enter hook `, ", see hostroute/CODES.md. What this moves is not known.\n    then name its subnet to this report with -default-subnet ID, which changes no guest. "+
			"Defaults are offered on front 10.65.0.0/24 (front-subnet) to 5, back 11.8.0.0/24 (back-subnet) to 4, batch 10.95.0.0/24 (batch-subnet) to 2, app 10.90.0.0/24 (app-subnet) to 1, storage 10.70.0.0/24 (storage-subnet) to 1\n\n",
		"\nEach code is explained in hostroute/CODES.md.\n",
	)
	if strings.Contains(out, "old-subnet") {
		t.Errorf("a port that is left out may need what is on its subnet:\n%s", out)
	}
	if n := strings.Count(lines(out, "10 host routes"), "\n"); n > 10 {
		t.Errorf("the summary has %d lines", n)
	}
}

func TestInstance(t *testing.T) {
	out, _ := program(t, 0, "-instance", sampleWeb, sampleSubnets, samplePorts)
	want := sampleWeb + `
  eth0: front 10.65.0.0/24 (front-subnet), 10.65.0.5, fa:16:3e:58:42:02, port 00000002-58ed-4fc1-952e-1e2ab7081d8b, on compute-1
  eth1: back 11.8.0.0/24 (back-subnet), 11.8.0.21, fa:16:3e:58:42:03, port 00000003-58ed-4fc1-952e-1e2ab7081d8b, on compute-1
  assumed: NICs are in the order of the file; the guest runs dhclient; of several defaults, it keeps the one that it takes by itself (-default-subnet or -default-nic assumes another)

routing table
  default via 10.65.0.1 dev eth0
  10.65.0.0/24 dev eth0
  11.8.0.0/24 dev eth1
  11.11.0.0/16 via 11.8.0.1 dev eth1

remote addresses with which each NIC's own addresses can exchange data: a reply must leave by the same NIC
  eth0: all IPv4 but 11.8.0.0/24, 11.11.0.0/16
  eth1: 11.8.0.0/24, 11.11.0.0/16

host routes
  eth1: back-subnet: 11.11.0.0/16,11.8.0.1: own-gateway, steers: `
	if !strings.HasPrefix(out, want) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, out))
	}
	wantContains(t, out, "\n  warning: eth0, eth1 are each offered a default route", "(multiple-defaults)\n    fix: have the guest keep one default route. dhclient: on the other NICs, add ")
	if !strings.HasSuffix(out, "\n\nEach code is explained in hostroute/CODES.md.\n") {
		t.Errorf("nothing says where codes are explained:\n%s", out)
	}
	if n := strings.Count(out, "fix: "); n != 1 {
		t.Errorf("%d fixes, not only that of dhclient:\n%s", n, out)
	}
	program(t, 1, "-fail", "warning", "-instance", sampleWeb, sampleSubnets, samplePorts)

	out, _ = program(t, 1, "-instance", "app00001-0000-4000-8000-000000000009", "-fail", "warning", sampleSubnets, samplePorts)
	wantContains(t, out, "(next-hop-other-nic)\n    fix: remove: may move data of 1 of 1 instance: for example 11.8.0.1/32 (only a gateway's own address) app -> back under systemd-networkd, in app00001-0000-4000-8000-000000000009\n    or: move the host route to back 11.8.0.0/24 (back-subnet): moves data of 4 of 5 instances")

	if _, stderr := program(t, 2, "-instance", "nobody", sampleSubnets, samplePorts); !strings.Contains(stderr, "nobody") {
		t.Errorf("stderr: %q", stderr)
	}
}

func TestTo(t *testing.T) {
	out, _ := program(t, 0, "-instance", sampleWeb, "-to", "11.11.77.5", sampleSubnets, samplePorts)
	if !strings.HasPrefix(out, "11.11.77.5 leaves by eth1, by the route 11.11.0.0/16 via 11.8.0.1 dev eth1.") || strings.Contains(out, "\nrouting table") {
		t.Errorf("got %q", out)
	}
	for _, own := range []string{"10.65.0.5", "127.0.0.1"} {
		out, _ := program(t, 0, "-instance", sampleWeb, "-to", own, sampleSubnets, samplePorts)
		if out != own+" is an address of the guest itself: nothing leaves.\n" {
			t.Errorf("got %q", out)
		}
	}
	wantContains(t, out, "\n  assumed: NICs are in the order of the file; the guest runs dhclient; of several defaults, it keeps the one that it takes by itself ")
	out, _ = program(t, 0, "-instance", "nfs00001-0000-4000-8000-000000000007", "-to", "10.72.0.5", sampleSubnets, samplePorts) // without a lease
	if !strings.HasPrefix(out, "10.72.0.5 leaves by eth0, ") {
		t.Errorf("got %q", out)
	}
	program(t, 2, "-to", "11.11.77.5", sampleSubnets, samplePorts)
	program(t, 2, "-instance", sampleWeb, "-to", "web", sampleSubnets, samplePorts)
}

func TestSubnet(t *testing.T) {
	out, _ := program(t, 1, "-subnet", "lab-subnet", sampleSubnets, samplePorts)
	wantContains(t, out, "lab 10.80.0.0/24 (lab-subnet)\n  gateway 10.80.0.1, DHCP, 2 host routes, 1 instance; e.g. lab00001-0000-4000-8000-000000000008\n",
		"\n10.81.0.0/16 via 192.0.2.1: wrong\n", "\n  next hop: off-link in 1\n  effect: refused in 1\n  codes: next-hop-off-link in 1\n",
		"\n    fix: remove: moves no data\n      openstack subnet unset --host-route destination=10.81.0.0/16,gateway=192.0.2.1 lab-subnet\n    or: next hop 10.80.0.1: moves no data\n",
		"\n10.82.0.0/16 via 10.80.0.1: can go\n", "(single-nic)\n    fix: remove: moves no data\n      openstack subnet unset --host-route destination=10.82.0.0/16,gateway=10.80.0.1 lab-subnet\n",
		"\n\nDo one fix, with all ", "\n\nEach code is explained in hostroute/CODES.md.\n")
	out, _ = program(t, 0, "-subnet", "old-subnet", sampleSubnets, samplePorts)
	if strings.Contains(out, "Do one fix") || strings.Contains(out, "Each code") {
		t.Errorf("there is none:\n%s", out)
	}
	wantContains(t, out, "\n  left out: port 00000014-58ed-4fc1-952e-1e2ab7081d8b, which names instance "+sampleWeb+" (-problems tells why)\n", "\n10.98.0.0/16 via 10.99.0.1: idle\n")
	out, _ = program(t, 0, "-subnet", "back-subnet", sampleSubnets, samplePorts)
	wantContains(t, out, "\n  5 instances: depends on the guest in 4, does nothing in 1; e.g. ", "\n  effect with dhclient and the assumed default routes: steers in 4, single-nic in 1\n", "(single-nic)\n    this needs no fix: to remove it moves data of 4 of 5 instances: 11.11.0.0/16 back -> front (and 1 other move; -unsafe lists all), e.g. in edge0001-0000-4000-8000-000000000010\n")
	out, _ = program(t, 0, "-unsafe", "-subnet", "back-subnet", sampleSubnets, samplePorts)
	wantContains(t, out, "back -> front (and 1 other move), e.g. in edge0001-0000-4000-8000-000000000010\n      # '11.11.0.0/16 back -> front in 3 instances, ", "\n      # '11.11.0.0/16 back -> app in 1 instance, ")
	program(t, 1, "-subnet", "lab-subnet", sampleSubnets)
	if out, _ := program(t, 1, "-subnet", "backup-subnet", sampleSubnets, samplePorts); !strings.Contains(out, "(no-lease)\n    fix: give subnet") {
		t.Errorf("got\n%s", out)
	}
	if _, stderr := program(t, 2, "-subnet", "lab", sampleSubnets, samplePorts); !strings.Contains(stderr, "there is no subnet \"lab\": that is a name; the ID is lab-subnet\n") {
		t.Errorf("stderr: %q", stderr)
	}
}

func TestDefaults(t *testing.T) {
	out, _ := program(t, 1, "-default-subnet", "front-subnet", sampleSubnets, samplePorts)
	wantContains(t, out, "\n     2 works    ", "\nassumed: NICs are in the order of the file; guests run dhclient (-guest assumes another); instances with several NICs keep the default: 5 on front; 1 instance with several defaults: ")
	both, _ := program(t, 1, "-default-subnet", "app-subnet", "-default-subnet", "front-subnet", sampleSubnets, samplePorts)
	wantContains(t, both, "; instances with several NICs keep the default: 1 on app, 5 on front\n")
	none, _ := program(t, 1, "-default-subnet", "backup-subnet", sampleSubnets, samplePorts) // without a gateway
	wantContains(t, none, "; instances with several NICs keep the default: 1 on backup (1 of them is offered none there); ")
	alone, _ := program(t, 1, "-default-subnet", "lab-subnet", sampleSubnets, samplePorts) // of an instance with one NIC
	wantContains(t, alone, "; instances with several NICs keep the default: 0 on lab; ")
	// The order decides which host routes can go.
	front, back := []string{"-default-subnet", "front-subnet"}, []string{"-default-subnet", "back-subnet"}
	for _, test := range []struct {
		flags []string
		kept  string
		goes  bool
	}{{slices.Concat(front, back), "5 on front, 1 on back", false}, {slices.Concat(back, front), "4 on back, 2 on front", true}} {
		out, _ := program(t, 1, append(test.flags, sampleSubnets, samplePorts)...)
		wantContains(t, out, "; instances with several NICs keep the default: "+test.kept+"\n",
			"\n  This holds only if guests keep the default routes that the flags name.\n")
		if got := strings.Contains(lines(out, "CAN GO"), "  11.11.0.0/16 via 11.8.0.1, on back "); got != test.goes {
			t.Errorf("%v: 11.11.0.0/16 can go: %v\n%s", test.flags, got, out)
		}
	}
	for _, test := range []struct {
		args  []string
		route string
	}{
		{[]string{"-default-nic", "eth1"}, "default via 11.8.0.1 dev eth1"},
		{[]string{"-default-nic", "eth1", "-default-subnet", "front-subnet"}, "default via 10.65.0.1 dev eth0"},
		{[]string{"-default-subnet", "back-subnet", "-default-subnet", "front-subnet"}, "default via 11.8.0.1 dev eth1"},
	} {
		out, _ := program(t, 0, append(test.args, "-instance", sampleWeb, sampleSubnets, samplePorts)...)
		wantContains(t, out, "\n  "+test.route+"\n")
	}
	for _, args := range [][]string{{"-default-nic", "ens3"}, {"-default-subnet", "old-subnet"}, {"-default-subnet", "front"}} {
		if _, stderr := program(t, 2, append(args, sampleSubnets, samplePorts)...); !strings.Contains(stderr, args[1]) {
			t.Errorf("%v: stderr %q", args, stderr)
		}
	}
}

func TestUnsafeAndAll(t *testing.T) {
	plain, _ := program(t, 1, sampleSubnets, samplePorts)
	unsafe, _ := program(t, 1, "-unsafe", sampleSubnets, samplePorts)
	const move = "      # '11.12.0.0/16 front -> back in 3 instances, e.g. edge0001-0000-4000-8000-000000000010'\n" +
		"      # '11.12.0.0/16 app -> back in 1 instance, e.g. app00001-0000-4000-8000-000000000009'\n      # moves data:\n      openstack subnet set --host-route destination=11.12.0.0/16,gateway=11.8.0.1 back-subnet &&\n" +
		"      openstack subnet unset --host-route destination=11.12.0.0/16,gateway=11.8.0.1 app-subnet\n"
	if strings.Contains(plain, move) || !strings.Contains(unsafe, move) {
		t.Errorf("without and with -unsafe:\n%s\n%s", plain, unsafe)
	}
	wantContains(t, unsafe, "\n    fix: remove: may move data of 1 of 1 instance: for example 11.8.0.1/32 (only a gateway's own address) app -> back under systemd-networkd, in app00001-0000-4000-8000-000000000009\n      # may move data:\n      openstack subnet unset ", "\n    fix: next hop 10.70.0.1: moves no data\n      openstack ")
	const left = "\n-unsafe also prints the commands that are left out here: "
	alone, _ := program(t, 0, "-subnet", "app-subnet", sampleSubnets, samplePorts)
	if !strings.Contains(plain, left) || !strings.Contains(alone, left) || strings.Contains(unsafe, left) {
		t.Errorf("no line %q:\n%s\n%s\nor it is here:\n%s", left, plain, alone, unsafe)
	}
	if strings.Contains(plain, "# ") {
		t.Errorf("without -unsafe:\n%s", plain)
	}
	all, _ := program(t, 1, "-all", sampleSubnets, samplePorts)
	for _, part := range []string{"\nDEPENDS: 2 host routes\n", "\nCAN GO, NEITHER WRONG NOR RISKY: 2 host routes\n", " in the order of its NICs:\n      app00001-0000-4000-8000-000000000009: app, back\n      batch002-0000-4000-8000-000000000006: batch, front\n      edge0001-", "\n  11.11.0.0/16 via 11.8.0.1, on back 11.8.0.0/24 (back-subnet)\n    5 instances: depends on the guest", "\n    codes: single-nic in 1\n"} {
		if strings.Contains(plain, part) || !strings.Contains(all, part) {
			t.Errorf("%q, without and with -all:\n%s\n%s", part, plain, all)
		}
	}
}

// An instance in which it depends counts as that and as nothing else. Where the Usage does not tell them apart, the line says
// that the other counts are those of the assumed guest.
func TestCounts(t *testing.T) {
	effects := func(steers, refused, shadowed, redundant int) map[hostroute.Effect]int {
		return map[hostroute.Effect]int{hostroute.EffectSteers: steers, hostroute.EffectRefused: refused, hostroute.EffectShadowed: shadowed, hostroute.EffectRedundant: redundant}
	}
	for want, u := range map[string]audit.Usage{
		"3 instances: depends on the guest in 2, does nothing in 1":                                                                         {Instances: 3, Depends: 2, Effects: effects(1, 0, 0, 2)},
		"3 instances: depends on the guest in 2, refused in 1":                                                                              {Instances: 3, Depends: 2, Effects: effects(0, 3, 0, 0)},
		"6 instances: steers in 1, depends on the guest in 2, does nothing in 3":                                                            {Instances: 6, Effective: 1, Depends: 2, Effects: effects(2, 0, 1, 3)},
		"4 instances: steers in 1, depends on the guest in 3":                                                                               {Instances: 4, Effective: 1, Depends: 3, Effects: effects(2, 1, 0, 1)},
		"6 instances: depends on the guest in 3, refused in 2, does nothing in 1":                                                           {Instances: 6, Depends: 3, Effects: effects(3, 2, 0, 1)},
		"5 instances: depends on the guest in 3, never steers in 2; if guests are as assumed: refused in 4, does nothing in 1":              {Instances: 5, Depends: 3, Effects: effects(0, 4, 0, 1)},
		"9 instances: depends on the guest in 8, never steers in 1; if guests are as assumed: steers in 2, refused in 4, does nothing in 3": {Instances: 9, Depends: 8, Effects: effects(2, 4, 0, 3)},
		"5 instances: depends on the guest":                                                                                                 {Instances: 5, Depends: 5, Effects: effects(0, 5, 0, 0)},
		"1 instance: refused":                                                                                                               {Instances: 1, Effects: effects(0, 1, 0, 0)},
		"5 instances: never arrives":                                                                                                        {Instances: 5, Depends: 5, Effects: map[hostroute.Effect]int{hostroute.EffectNotOffered: 5}},
		"5 instances: depends on the guest in 3, never arrives in 2":                                                                        {Instances: 5, Depends: 3, Effects: map[hostroute.Effect]int{hostroute.EffectNotOffered: 2, hostroute.EffectSteers: 3}},
		"5 instances: steers in 2, refused in 2, does nothing in 2":                                                                         {Instances: 5, Effective: 2, Effects: effects(2, 2, 2, 0)}, // on two NICs
	} {
		if got := (&hostRoute{Usage: u}).counts(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	out, _ := program(t, 1, "-all", sampleSubnets, samplePorts)
	wantContains(t, out, "\n    3 instances: depends on the guest in 2, does nothing in 1; e.g. batch002-0000-4000-8000-000000000006\n")
}

func TestCanGoHead(t *testing.T) {
	for _, test := range []struct {
		all     int
		subnets []string // of those without an instance
		want    string
	}{
		{1, nil, "CAN GO: 1 host route"},
		{3, nil, "CAN GO: 3 host routes"},
		{1, []string{"a"}, "CAN GO: 1 host route, on a subnet without an instance"},
		{3, []string{"a"}, "CAN GO: 3 host routes, 1 of them on a subnet without an instance"},
		{3, []string{"a", "a"}, "CAN GO: 3 host routes, 2 of them on a subnet without an instance"},
		{3, []string{"a", "b"}, "CAN GO: 3 host routes, 2 of them on subnets without an instance"},
		{2, []string{"a", "a"}, "CAN GO: 2 host routes, all on a subnet without an instance"},
		{2, []string{"a", "b"}, "CAN GO: 2 host routes, all on subnets without an instance"},
	} {
		if got := canGoHead(test.all, test.subnets); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// A list of ports that has no instance tells no more than none.
func TestNoInstanceIsLikeNoPorts(t *testing.T) {
	empty := textFile(t, `{"ports": []}`)
	with, _ := program(t, 1, sampleSubnets, empty)
	without, _ := program(t, 1, sampleSubnets)
	with = strings.Replace(with, "; no instance is known, because no port in the list belongs to one (device_owner compute:...). ", "; without PORTS, no instance is known, nor what a fix moves. ", 1)
	if with != without {
		t.Errorf("got\n%s\nwithout ports\n%s", with, without)
	}
}

// Without ports nothing is said about whose data moves, and nothing is called needless.
func TestSubnetsAlone(t *testing.T) {
	out, _ := program(t, 1, sampleSubnets)
	wantContains(t, out, "10 host routes on 9 subnets; without PORTS, no instance is known, nor what a fix moves. Each ", "\n    no instance is known\n", "\n     5 unknown  ")
	for _, part := range []string{"moves no", "may move", "CAN GO", "instance;", "    openstack"} {
		if strings.Contains(out, part) {
			t.Errorf("the text has %q:\n%s", part, out)
		}
	}
	d := asJSON(t, 1, sampleSubnets)
	for _, r := range d.HostRoutes {
		if r.Removable || r.CanGo {
			t.Errorf("%v can go", r.HostRoute)
		}
	}
}

func TestStandardInput(t *testing.T) {
	want, _ := program(t, 1, sampleSubnets, samplePorts)
	for i, name := range []string{sampleSubnets, samplePorts} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{sampleSubnets, samplePorts}
		args[i] = "-"
		if got, _ := programWith(t, string(content), 1, args...); got != want {
			t.Errorf("%v: %s", args, cmp.Diff(want, got))
		}
	}
}

func TestProblems(t *testing.T) {
	out, _ := program(t, 0, "-problems", sampleSubnets, samplePorts)
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, "not attached to instance "+sampleWeb) {
		t.Errorf("got %q", out)
	}
	subnets := textFile(t, `{"subnets":[{"id":"a","cidr":"10.1.0.0/24","gateway_ip":"10.1.0.1","host_routes":[{"destination":"11.0.0.0/16","nexthop":"10.1.0.1"}]},
		{"id":"b","cidr":"10.2.0.0/24"}]}`)
	ports := textFile(t, `{"ports":[{"id":"p","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"a","ip_address":"10.1.0.5"}]},
		{"id":"q","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"b","ip_address":"10.2.0.5"}]}]}`)
	out, _ = program(t, 0, subnets, ports)
	wantContains(t, out, "\nleft out: 1 instance, 1 subnet (subnets, /subnets/1/gateway_ip: ", "; -problems lists all)\n", "1 host route on 1 subnet, 1 instance. Each ",
		"\n1 instance is left out: it may need what CAN GO lists.\n")
	if out, _ := program(t, 0, "-problems", subnets, ports); strings.Count(out, "\n") != 2 {
		t.Errorf("got %q", out)
	}
	for _, args := range [][]string{{"-instance", "two"}, {"-subnet", "b"}} {
		if _, stderr := program(t, 2, append(args, subnets, ports)...); !strings.Contains(stderr, "is left out: ") {
			t.Errorf("%v: stderr %q", args, stderr)
		}
	}
}

func TestExitStatus(t *testing.T) {
	one := textFile(t, `{"subnets":[{"id":"a","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"0.0.0.0"}]}]}`)
	program(t, 0, one) // a warning
	program(t, 1, "-fail", "warning", one)
	program(t, 1, "-fail", "info", one)
	program(t, 0, textFile(t, `{"subnets":[]}`), textFile(t, `{"ports":[]}`))
	absent := filepath.Join(t.TempDir(), "absent.json")
	unreadable := textFile(t, `{"subnets":[{"id":"a","cidr":"10.65.0.0/24"}]}`)
	for _, args := range [][]string{
		{}, {one, one, one}, {absent}, {one, absent}, {"-fail", "fatal", one}, {"-fail", "none", one}, {"-no-such-flag", one}, {textFile(t, `{"subnets":[`)}, {unreadable},
		{"-", "-"}, {"-json", "-problems", one}, {"-instance", "a", "-subnet", "a", one}, {"-instance", "", one}, {"-subnet", "", one}, {"-before", one, one, one}, {"-before", absent, one},
		{"-guest", "dhclient5", one}, {"-guest", "", one}, {"-guests", one}, {"-guests", "-to", "11.0.0.1", "-instance", "a", one}, {"-baseline", absent, one}, {"-write-baseline", filepath.Join(absent, "b.json"), one},
	} {
		if _, stderr := program(t, 2, args...); stderr == "" {
			t.Errorf("report %v: says nothing", args)
		}
	}
	if _, stderr := program(t, 2, unreadable); !strings.Contains(stderr, "/subnets/0/gateway_ip") {
		t.Errorf("the missing member is not named: %q", stderr)
	}
	if _, stderr := program(t, 0, "-h"); !strings.Contains(stderr, "-default-nic") || !strings.Contains(stderr, "SUBNETS [PORTS]") {
		t.Errorf("the help lacks a flag or the arguments: %q", stderr)
	}
	if _, stderr := program(t, 2, "-no-such-flag", one); strings.Count(stderr, "\n") != 2 || !strings.HasSuffix(stderr, "\nreport -h lists the flags\n") {
		t.Errorf("an unknown flag: %q", stderr)
	}
	full, err := os.Open(sampleSubnets) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{{sampleSubnets, samplePorts}, {"-json", sampleSubnets, samplePorts}} {
		var errs bytes.Buffer
		if got := run(args, strings.NewReader(""), full, &errs); got != 2 || errs.Len() == 0 {
			t.Errorf("no place for %v: status %d, and says %q", args, got, &errs)
		}
	}
}

// The package comment names each flag, and each member of the JSON object.
func TestDocumentation(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(source), "\npackage main")
	_, help := program(t, 0, "-h")
	for line := range strings.Lines(help) {
		if name, found := strings.CutPrefix(line, "  -"); found && !strings.Contains(comment, "\n//	-"+strings.Fields(name)[0]+" ") {
			t.Errorf("flag %s is not documented", line)
		}
	}
	documented := func(v any) {
		for i := range reflect.TypeOf(v).NumField() {
			if name := reflect.TypeOf(v).Field(i).Tag.Get("json"); !strings.Contains(comment, name) {
				t.Errorf("member %q of %T is not documented", name, v)
			}
		}
	}
	documented(document{})
	documented(summary{})
	documented(leftOut{})
	documented(hostRouteDocument{})
	documented(findingDocument{})
	for _, kind := range kinds {
		if !strings.Contains(comment, "\n//	"+kind.name+" ") {
			t.Errorf("kind %s is not documented", kind.name)
		}
	}
}

func TestJSONOfSample(t *testing.T) {
	d := asJSON(t, 1, "-default-subnet", "front-subnet", sampleSubnets, samplePorts)
	if d.Summary.Guest != hostroute.GuestDhclient {
		t.Errorf("guest: %q", d.Summary.Guest)
	}
	if d.Version != 1 || d.Summary.Instances != 10 || d.Summary.Subnets != 9 || len(d.HostRoutes) != 10 || len(d.Problems) != 1 {
		t.Errorf("got %+v", d)
	}
	if got := d.Summary.DefaultSubnets; !reflect.DeepEqual(got, []string{"front-subnet"}) {
		t.Errorf("default_subnets: %v", got)
	}
	failing := 0
	for _, f := range d.Findings {
		if f.Finding.Severity >= d.Summary.Fail {
			failing++
		}
	}
	if d.Summary.Failing != failing {
		t.Errorf("%d findings fail, want %d", d.Summary.Failing, failing)
	}
	out, _ := program(t, 0, "-json", textFile(t, `{"subnets":[]}`), textFile(t, `{"ports":[]}`))
	if strings.Contains(out, "null") {
		t.Errorf("nothing at all: %s", out)
	}
}
