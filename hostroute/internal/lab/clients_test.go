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

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
)

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
	l.private(hooks)
	l.must(func() error {
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
func (l lan) dhclient(n hostroute.NIC) bool {
	l.t.Helper()
	dev := n.Name
	conf := l.write("dhclient.conf", fmt.Sprintf(`
		option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
		request subnet-mask, broadcast-address, time-offset, routers,
			domain-name, domain-name-servers, domain-search, host-name,
			netbios-name-servers, netbios-scope, interface-mtu,
			rfc3442-classless-static-routes, ntp-servers;
		timeout %d;
		initial-interval 1;`, seconds(n)))
	cmd := exec.Command("dhclient", "-4", "-1", "-d", "-cf", conf,
		"-lf", filepath.Join(scratch, dev+".leases"), "-pf", filepath.Join(scratch, dev+".pid"), dev)
	return l.startUntil(cmd, prints("bound to")) // which it says when its script is done
}

// seconds is how long a client is to wait for a lease on a NIC: long only where
// there will be one.
func seconds(n hostroute.NIC) int {
	if leased(n) == nil {
		return 1
	}
	return 10
}

// privateDhcpcd keeps what dhcpcd writes away from the machine.
func (l lan) privateDhcpcd() {
	l.t.Helper()
	l.privateResolvConf()
	l.private("/var/lib/dhcpcd")
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
	l.readOnlySys()
	l.must(func() error {
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
	for _, n := range in.NICs {
		// The routes to name servers are not modelled.
		text := "[Match]\nName=" + n.Name + "\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n[DHCPv4]\nRoutesToDNS=no\n"
		if slices.Contains(others(in), n.Name) {
			text += fmt.Sprintf("RouteMetric=%d\n", twin.Raised)
		}
		l.write("systemd/network/"+n.Name+".network", text)
	}

	cmd := exec.Command(networkd)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console")
	cmd.SysProcAttr = &syscall.SysProcAttr{ // it would outlive the test, were it to change its user itself
		Credential:  &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		AmbientCaps: []uintptr{10, 11, 12, 13}, // CAP_NET_BIND_SERVICE, _BROADCAST, _ADMIN, _RAW
	}
	waiting := make(map[string]bool)
	for _, n := range in.NICs {
		waiting[n.Name] = true
	}
	done := func(line string) bool {
		dev, state, _ := strings.Cut(line, ": State changed: ")
		switch {
		case strings.HasSuffix(state, "-> configuring") && !slices.Contains(leases(in), dev):
			delete(waiting, dev) // it is as far as it gets
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
	var asked []netip.Addr
	var script strings.Builder
	for _, a := range ask {
		if !a.Is6() && !own.holds(a) {
			asked = append(asked, a)
			fmt.Fprintf(&script, "route get %v\n", a)
		}
	}
	stdout, failed, err := l.batch("-4", script.String())
	if err != nil {
		l.t.Fatal(err)
	}
	replies := decode[[]routeJSON](l.t, stdout)
	out := make(map[netip.Addr]string)
	for i, a := range asked {
		if failed[i+1] != "" {
			out[a] = ""
			continue
		}
		out[a] = replies[0][0].Dev
		replies = replies[1:]
	}
	return out
}
