//go:build linux

package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/go-hostroute/hostroute"
)

// The DHCP clients that people run, each on all NICs of a guest whose NICs have
// a server of their own.

// A client is a DHCP client as it is run here.
type client struct {
	name      string // as the library calls the guest
	needs     []string
	version   []string // the command that prints it
	debian12  string   // what it prints in Debian 12
	small     bool     // it takes no larger message than any client must
	configure func(lan, hostroute.Instance) (givenUp []string)
}

var clients = []client{
	{
		name:      "dhclient",
		small:     true,
		needs:     []string{"dhclient", "/etc/dhcp/dhclient-exit-hooks.d/rfc3442-classless-routes", "/etc/dhcp/dhclient-enter-hooks.d"},
		version:   []string{"dhclient", "--version"},
		debian12:  "isc-dhclient-4.4.3",
		configure: lan.byDhclient,
	},
	{
		name:      "systemd-networkd",
		needs:     []string{networkd},
		version:   []string{networkd, "--version"},
		debian12:  "systemd 252",
		configure: lan.networkd,
	},
	{
		name:      "NetworkManager",
		small:     true,
		needs:     []string{"NetworkManager", "/var/lib/NetworkManager", "dbus-daemon"},
		version:   []string{"NetworkManager", "--version"},
		debian12:  "1.42",
		configure: lan.byNetworkManager,
	},
	{
		name:      "dhcpcd",
		needs:     []string{"dhcpcd", "/var/lib/dhcpcd"},
		version:   []string{"dhcpcd", "--version"},
		debian12:  "dhcpcd 9.4.1",
		configure: lan.byDhcpcd,
	},
	{
		name:      "udhcpc",
		needs:     []string{"udhcpc", udhcpcScript},
		version:   []string{"busybox"},
		debian12:  "BusyBox v1.35",
		configure: lan.byUdhcpc,
	},
}

// installed returns the first line that the client says about its version.
func (c client) installed(t testing.TB) string {
	t.Helper()
	out, err := exec.Command(c.version[0], c.version[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", c.version, err, out)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if !strings.Contains(line, c.debian12) {
		t.Logf("%s is %q here; the rules were found with Debian 12's, %q", c.name, line, c.debian12)
	}
	return line
}

// others returns the NICs whose default the guest is told not to use.
func others(in hostroute.Instance) (names []string) {
	for _, n := range in.NICs {
		if in.DefaultNIC != "" && n.Name != in.DefaultNIC {
			names = append(names, n.Name)
		}
	}
	return names
}

// leases returns the NICs that get one, in order.
func leases(in hostroute.Instance) (names []string) {
	for _, n := range in.NICs {
		if leased(n) != nil {
			names = append(names, n.Name)
		}
	}
	return names
}

// private mounts an empty directory over one that a client writes to.
func (l lan) private(dir string) {
	l.t.Helper()
	l.must(func() error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "") })
}

// readOnlySys makes programs believe that there is no udev to wait for.
func (l lan) readOnlySys() {
	l.t.Helper()
	l.must(func() error { return syscall.Mount("sysfs", "/sys", "sysfs", syscall.MS_RDONLY, "") })
}

// byDhclient configures one NIC after the other. On the NICs whose default is
// not wanted, the hook that CODES.md has takes it out of both options.
func (l lan) byDhclient(in hostroute.Instance) []string {
	l.t.Helper()
	l.privateDhclient()
	l.private("/etc/dhcp/dhclient-enter-hooks.d")
	if names := others(in); len(names) > 0 {
		hook, err := os.ReadFile("testdata/one-default")
		if err != nil {
			l.t.Fatal(err)
		}
		hook = bytes.Replace(hook, []byte("eth1|eth2"), []byte(strings.Join(names, "|")), 1)
		l.must(func() error {
			return os.WriteFile("/etc/dhcp/dhclient-enter-hooks.d/one-default", hook, 0o644)
		})
	}
	for _, n := range in.NICs {
		if got, want := l.dhclient(n), leased(n) != nil; got != want {
			l.t.Errorf("%s: dhclient gets a lease: %v, want %v", n.Name, got, want)
		}
	}
	return nil
}

// byDhcpcd configures all NICs at once. It runs a script where it is done with
// a lease.
func (l lan) byDhcpcd(in hostroute.Instance) []string {
	l.t.Helper()
	l.privateDhcpcd()
	conf := "ipv4only\nnoipv4ll\nnoarp\nnodelay\nnodev\noption classless_static_routes\n"
	for _, name := range others(in) {
		conf += "interface " + name + "\nnogateway\n"
	}
	script := l.write("bound", "#!/bin/sh\necho done $interface $reason\n")
	l.must(func() error { return os.Chmod(script, 0o755) })
	args := []string{"--nobackground", "--config", l.write("dhcpcd.conf", conf), "--script", script}
	for _, n := range in.NICs {
		args = append(args, n.Name)
	}
	if !l.startUntil(exec.Command("dhcpcd", args...), all(leases(in), "done %s BOUND")) {
		l.t.Fatal("dhcpcd does not get all leases")
	}
	return nil
}

// all is done when it has seen a line for each name.
func all(names []string, format string) func(line string) bool {
	left := slices.Clone(names)
	return func(line string) bool {
		left = slices.DeleteFunc(left, func(name string) bool {
			return strings.Contains(line, fmt.Sprintf(format, name))
		})
		return len(left) == 0
	}
}

// byNetworkManager configures all NICs at once.
func (l lan) byNetworkManager(in hostroute.Instance) []string {
	l.t.Helper()
	l.readOnlySys()
	l.privateResolvConf()
	l.private("/var/lib/NetworkManager")
	bus := l.write("bus.conf", `<busconfig><type>system</type><listen>unix:path=/run/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`)
	if !l.startUntil(exec.Command("dbus-daemon", "--config-file="+bus, "--nofork", "--nopidfile", "--print-address"), prints("/run/bus")) {
		l.t.Fatal("no bus")
	}
	l.must(func() error { return os.MkdirAll("/run/nm/connections", 0o700) })
	for i, n := range in.NICs {
		file := fmt.Sprintf("/run/nm/connections/%d.nmconnection", i)
		text := fmt.Sprintf("[connection]\nid=%s\ntype=ethernet\ninterface-name=%s\n[ipv4]\nmethod=auto\nnever-default=%v\n[ipv6]\nmethod=disabled\n",
			n.Name, n.Name, slices.Contains(others(in), n.Name))
		l.must(func() error { return os.WriteFile(file, []byte(text), 0o600) })
	}
	conf := l.write("nm.conf", `[main]
plugins=keyfile
no-auto-default=*
dhcp=internal
dns=none
hostname-mode=none
auth-polkit=false
[keyfile]
path=/run/nm/connections
[connectivity]
enabled=false
`)
	cmd := exec.Command("NetworkManager", "--debug", "--log-level=INFO", "--config", conf, "--config-dir", "/run/nm/conf.d", "--pid-file", "/run/nm/pid")
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus")
	var names []string
	for _, n := range in.NICs {
		names = append(names, n.Name)
	}
	asked, got := all(names, "device (%s): state change: config -> ip-config"), all(leases(in), "device (%s): Activation: successful")
	done := func(line string) bool {
		a, g := asked(line), got(line)
		return a && g
	}
	if !l.startUntil(cmd, done) {
		l.t.Fatal("NetworkManager does not get all leases")
	}
	return nil
}

const udhcpcScript = "/etc/udhcpc/default.script"

// byUdhcpc configures one NIC after the other. On the NICs whose default is not
// wanted, it does not ask for one.
func (l lan) byUdhcpc(in hostroute.Instance) []string {
	l.t.Helper()
	l.privateResolvConf()
	for _, n := range in.NICs {
		args := []string{"udhcpc", "-i", n.Name, "-f", "-q", "-n", "-t", strconv.Itoa(seconds(n)), "-T", "1", "-A", "1", "-s", udhcpcScript, "-o", "-O", "subnet", "-O", "broadcast"}
		if !slices.Contains(others(in), n.Name) {
			args = append(args, "-O", "router")
		}
		_, stderr, err := l.run("", args...)
		if got, want := err == nil, leased(n) != nil; got != want {
			l.t.Errorf("%s: udhcpc gets a lease: %v, want %v\n%s", n.Name, got, want, stderr)
		}
	}
	return nil
}
