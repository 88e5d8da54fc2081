//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
)

// Other clients than the reference have minds of their own. Where the library
// says that a host route does not depend on the client, it must not: what it
// decides leaves through the same NIC.

// What a host route by the NIC's own address decides is exempt, since dhcpcd
// takes that next hop for 0.0.0.0. No verdict is guest-dependent for it: such a
// host route is an error on its own, whatever the guest makes of it.
func TestDhcpcdAgrees(t *testing.T) {
	needs(t, "ip", "dnsmasq", "dhcpcd", "/var/lib/dhcpcd")
	agree(t, hostroute.ClassOwnAddress, func(l lan, in hostroute.Instance) (failed []string) {
		l.privateDhcpcd()
		for _, n := range in.NICs {
			if got, want := l.dhcpcd(n.Name), leased(n) != nil; got != want {
				l.t.Errorf("%s: dhcpcd gets a lease: %v, want %v", n.Name, got, want)
			}
		}
		return nil
	})
}

// With a next hop 0.0.0.0, dhcpcd installs the destination's first address only,
// and it takes the NIC's own address for the same.
func TestDhcpcdInstallsOneAddressOfOnLinkRoutes(t *testing.T) {
	needs(t, "ip", "dnsmasq", "dhcpcd", "/var/lib/dhcpcd")
	for _, test := range []struct{ name, nextHop string }{
		{"on-link", "0.0.0.0"},
		{"own address", "11.8.0.21"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := instance(back("11.11.0.0/16," + test.nextHop))
			l := newLAN(t, in)
			l.privateDhcpcd()
			l.dhcpcd("eth1")
			want := []row{
				{Dst: any4, Gateway: hop(gateway), Dev: "eth1"},
				{Dst: netip.MustParsePrefix("11.8.0.0/24"), Dev: "eth1"},
				{Dst: netip.MustParsePrefix("11.11.0.0/32"), Dev: "eth1"},
			}
			if d := cmp.Diff(want, l.rows(), equate); d != "" {
				t.Errorf("table (-want +dhcpcd):\n%s\n%s", d, describe(in))
			}
		})
	}
}

func TestNetworkdAgrees(t *testing.T) {
	needs(t, "ip", "dnsmasq", networkd)
	if _, err := user.Lookup(networkdUser); err != nil {
		t.Fatal(err)
	}
	agree(t, "", lan.networkd)
}

// agree configures a guest for every case with another client, which says which
// NICs it gives up. Whose default the client uses is its own business: what is
// left to the default is to leave where that goes. What host routes of one class
// decide is exempt. The outcome is printed as a table.
func agree(t *testing.T, exempt hostroute.NextHopClass, configure func(lan, hostroute.Instance) (failed []string)) {
	const line = "%-60s %10v %10v %16v %7v %s"
	results := make(chan string, len(clientCases()))
	t.Cleanup(func() {
		close(results)
		var lines []string
		for l := range results {
			lines = append(lines, l)
		}
		slices.Sort(lines)
		t.Logf("destinations that a host route is about:\n"+line+"\n%s",
			"configuration", "same NIC", "other NIC", "guest-dependent", "exempt", "NICs given up", strings.Join(lines, "\n"))
	})
	for _, test := range clientCases() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.in.DefaultNIC = test.in.NICs[0].Name // any, so that no verdict is for that alone guest-dependent
			report, err := hostroute.Analyze(test.in)
			if err != nil {
				t.Fatal(err)
			}
			l := newLAN(t, test.in)
			failed := configure(l, test.in)
			same, other, dependent, exempted := 0, 0, 0, 0
			egress := l.egress(append(boundaries(test.in, report.Table), elsewhere))
			for a, got := range egress {
				want := egress[elsewhere]
				if r, ok := report.Table.Lookup(a); ok && r.Destination.Bits() > 0 {
					want = r.NIC
				}
				switch any, free := concerned(report, a, failed); {
				case !any:
				case free:
					dependent++
				case decidedBy(report, a, exempt):
					exempted++
				case got == want:
					same++
				default:
					other++
					t.Errorf("%v leaves by %q, the library says by %q with every client\nlibrary:\n%sclient:\n%v", a, got, want, report.Table, l.rows())
				}
			}
			results <- fmt.Sprintf(line, test.name, same, other, dependent, exempted, strings.Join(failed, " "))
		})
	}
}

// privateDhclient keeps what Debian's scripts write away from the machine, and
// leaves of its hooks only the one that applies routes.
func (l lan) privateDhclient() {
	l.t.Helper()
	const hooks = "/etc/dhcp/dhclient-exit-hooks.d"
	hook, err := os.ReadFile(hooks + "/rfc3442-classless-routes")
	if err != nil {
		l.t.Fatal(err)
	}
	l.privateResolvConf()
	l.must(func() error {
		if err := syscall.Mount("tmpfs", hooks, "tmpfs", 0, ""); err != nil {
			return err
		}
		return os.WriteFile(hooks+"/rfc3442-classless-routes", hook, 0o644)
	})
}

func (l lan) privateResolvConf() {
	l.t.Helper()
	file := l.write("resolv.conf", "")
	l.must(func() error {
		target, err := filepath.EvalSymlinks("/etc/resolv.conf")
		if err != nil {
			return nil // nothing to keep
		}
		return syscall.Mount(file, target, "", syscall.MS_BIND, "")
	})
}

// dhclient configures one NIC, and reports whether there was a lease.
func (l lan) dhclient(dev string) bool {
	l.t.Helper()
	conf := l.write("dhclient.conf", `
		option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
		request subnet-mask, broadcast-address, routers, rfc3442-classless-static-routes;
		timeout 3;
		initial-interval 1;`)
	cmd := exec.Command("dhclient", "-4", "-1", "-d", "-cf", conf,
		"-lf", filepath.Join(scratch, dev+".leases"), "-pf", filepath.Join(scratch, dev+".pid"), dev)
	return l.startUntil(cmd, prints("bound to")) // which it says when its script is done
}

// privateDhcpcd keeps what dhcpcd writes away from the machine.
func (l lan) privateDhcpcd() {
	l.t.Helper()
	l.privateResolvConf()
	l.must(func() error { return syscall.Mount("tmpfs", "/var/lib/dhcpcd", "tmpfs", 0, "") })
}

// dhcpcd configures one NIC, and reports whether there was a lease.
func (l lan) dhcpcd(dev string) bool {
	l.t.Helper()
	conf := l.write("dhcpcd.conf", "ipv4only\nnoipv4ll\nnoarp\nnodelay\noption classless_static_routes\n")
	_, _, err := l.run("", "dhcpcd", "--config", conf, "--oneshot", "--persistent", "--timeout", "3", "--script", "/bin/true", dev)
	return err == nil
}

const (
	networkd     = "/usr/lib/systemd/systemd-networkd"
	networkdUser = "systemd-network"
)

// networkd configures all NICs, and returns those that it gives up.
func (l lan) networkd(in hostroute.Instance) (failed []string) {
	l.t.Helper()
	who, err := user.Lookup(networkdUser)
	if err != nil {
		l.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	l.must(func() error {
		// Where /sys is read-only, it does not wait for udev.
		if err := syscall.Mount("sysfs", "/sys", "sysfs", syscall.MS_RDONLY, ""); err != nil {
			return err
		}
		for _, dir := range []string{"systemd", "systemd/network", "systemd/netif", "systemd/netif/links", "systemd/netif/leases", "systemd/netif/lldp"} {
			dir = filepath.Join(scratch, dir)
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			if err := os.Chown(dir, uid, gid); err != nil {
				return err
			}
		}
		return nil
	})
	l.write("systemd/network/lab.network", "[Match]\nName=eth*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n")

	cmd := exec.Command(networkd)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console")
	cmd.SysProcAttr = &syscall.SysProcAttr{ // it would outlive the test, were it to change its user itself
		Credential:  &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		AmbientCaps: []uintptr{10, 11, 12, 13}, // CAP_NET_BIND_SERVICE, _BROADCAST, _ADMIN, _RAW
	}
	waiting := make(map[string]bool)
	for _, n := range in.NICs {
		if leased(n) != nil {
			waiting[n.Name] = true
		}
	}
	done := func(line string) bool {
		dev, state, _ := strings.Cut(line, ": State changed: ")
		switch {
		case strings.HasSuffix(state, "-> configured"):
			delete(waiting, dev)
		case strings.HasSuffix(state, "-> failed") && waiting[dev]:
			delete(waiting, dev)
			failed = append(failed, dev)
		}
		return len(waiting) == 0
	}
	if !l.startUntil(cmd, done) {
		l.t.Errorf("networkd is not done with %v", waiting)
	}
	return failed
}

// egress returns the NIC that each destination leaves through, without those
// that Linux delivers locally.
func (l lan) egress(ask []netip.Addr) map[netip.Addr]string {
	l.t.Helper()
	own := localTo()
	for _, list := range decode[[]struct {
		IfName   string
		AddrInfo []struct {
			Local     string
			PrefixLen int
		} `json:"addr_info"`
	}](l.t, l.ip("addr show"))[0] {
		for _, a := range list.AddrInfo {
			own.add(netip.PrefixFrom(netip.MustParseAddr(a.Local), a.PrefixLen), list.IfName)
		}
	}
	out := make(map[netip.Addr]string)
	for _, a := range ask {
		if a.Is6() || own.holds(a) {
			continue
		}
		stdout, failed, err := l.batch("-4", "route get "+a.String())
		switch {
		case err != nil:
			l.t.Fatal(err)
		case len(failed) == 0:
			out[a] = decode[[]routeJSON](l.t, stdout)[0][0].Dev
		default:
			out[a] = ""
		}
	}
	return out
}

// elsewhere is a destination that no host route of these tests is about, those
// for half of all apart.
var elsewhere = netip.MustParseAddr("203.0.113.99")

// concerned reports whether any host route is about a destination, refused ones
// included, and whether one of them depends on the client, or is on a NIC that
// the client has given up.
func concerned(report *hostroute.Report, a netip.Addr, failed []string) (any, free bool) {
	for _, v := range report.Verdicts {
		if v.Subject.HostRoute.Destination.Contains(a) {
			any, free = true, free || v.GuestDependent || slices.Contains(failed, v.Subject.NIC)
		}
	}
	return any, free
}

// decidedBy reports whether a host route of a class decides where a destination
// leaves.
func decidedBy(report *hostroute.Report, a netip.Addr, class hostroute.NextHopClass) bool {
	r, _ := report.Table.Lookup(a)
	return r.Source == hostroute.SourceHostRoute && slices.ContainsFunc(report.Verdicts, func(v hostroute.Verdict) bool {
		d := v.Subject.HostRoute.Destination
		return v.Class == class && v.Subject.NIC == r.NIC && v.Subject.HostRoute.NextHop == r.NextHop &&
			d.Bits() == r.Destination.Bits() && d.Contains(a)
	})
}
