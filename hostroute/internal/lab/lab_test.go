//go:build linux

// Package lab asks the real parts whether the library is right: the Linux
// kernel for tables, dnsmasq and DHCP clients for offers, and a hypervisor
// with proxy ARP for what becomes of a next hop. It holds tests only.
//
// All of them need root, and touch nothing but network namespaces of their
// own: no name, no file and no address of theirs is seen outside of the test
// process and its children.
package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The main goroutine keeps the process's first thread, which alone would
// survive the goroutine that locked it, and with it the namespace.
func init() {
	runtime.LockOSThread()
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// needs skips a test that cannot run here, and says why. Where
// HOSTROUTE_REAL=1 is set, as CI does, what is missing is a failure.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("HOSTROUTE_REAL") == "1" {
		missing = t.Fatalf
	}
	if os.Geteuid() != 0 {
		missing("needs root, to make network namespaces")
	}
	for _, tool := range tools {
		_, err := exec.LookPath(tool)
		if filepath.IsAbs(tool) { // a file that a distribution brings
			_, err = os.Stat(tool)
		}
		if err != nil {
			missing("needs %s: %v", tool, err)
		}
	}
	done := make(chan error)
	go func() { // its thread ends with it, and so does the namespace
		runtime.LockOSThread()
		done <- isolate()
	}()
	if err := <-done; err != nil {
		missing("needs network namespaces: %v", err)
	}
}

// A host is a network namespace, with mounts and a host name of its own. It
// exists through one thread: when the process ends, however it ends, the
// namespace goes, and its links and processes with it.
type host struct {
	t    testing.TB
	name string
	jobs chan func()
	net  *os.File // the namespace itself, for links that end in it
}

func newHost(t testing.TB, name string) *host {
	t.Helper()
	h := &host{t: t, name: name, jobs: make(chan func())}
	up, down := make(chan error), make(chan struct{})
	go func() {
		defer close(down)
		runtime.LockOSThread() // for good: a thread that has been elsewhere must not come back
		err := isolate()
		if err == nil {
			h.net, err = os.Open("/proc/thread-self/ns/net")
		}
		up <- err
		for job := range h.jobs {
			job()
		}
	}()
	t.Cleanup(func() {
		close(h.jobs)
		<-down
		h.net.Close()
	})
	if err := <-up; err != nil {
		t.Fatalf("%s: no namespace: %v", name, err)
	}
	h.ip("link set lo up")
	return h
}

// scratch is where a host keeps its files; every host has its own.
const scratch = "/run"

// write writes a file in the host's scratch directory and returns its path.
func (h *host) write(name, text string) string {
	h.t.Helper()
	file := filepath.Join(scratch, name)
	h.must(func() error { return os.WriteFile(file, []byte(text), 0o644) })
	return file
}

// isolate gives the calling thread namespaces of its own.
func isolate() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("tmpfs", scratch, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("private %s: %w", scratch, err)
	}
	// Whether new links speak IPv6 is the test's business; they do not by themselves.
	return os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
}

// do runs f inside the host; what it opens and starts stays there.
func (h *host) do(f func() error) error {
	done := make(chan error, 1)
	h.jobs <- func() { done <- f() }
	return <-done
}

// must is do for what cannot fail unless the test itself is wrong.
func (h *host) must(f func() error) {
	h.t.Helper()
	if err := h.do(f); err != nil {
		h.t.Fatalf("%s: %v", h.name, err)
	}
}

// start starts a program inside the host. It dies with the test.
func (h *host) start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := h.do(cmd.Start); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	return nil
}

// run runs a program inside the host, with stdin, to its end.
func (h *host) run(stdin string, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := h.start(cmd); err != nil {
		return "", "", err
	}
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer late.Stop()
	err = cmd.Wait()
	return out.String(), errs.String(), err
}

// ip runs `ip` on each line of script; all of them must succeed. It returns
// what they print.
func (h *host) ip(script string) string {
	h.t.Helper()
	out, failed, err := h.batch("-4", script)
	if err != nil || len(failed) > 0 {
		h.t.Fatalf("%s: ip -batch: %v: %v\n%s", h.name, err, failed, script)
	}
	return out
}

var failedLine = regexp.MustCompile(`(?s)^(.*)Command failed -:(\d+)$`)

// batch runs `ip -json -force -batch` on script and returns what it prints,
// and Linux's reason for each line (from 1) that is refused. The family is -4
// or -6.
func (h *host) batch(family, script string) (stdout string, failed map[int]string, err error) {
	stdout, stderr, err := h.run(script, "ip", family, "-json", "-force", "-batch", "-")
	failed = make(map[int]string)
	var reason strings.Builder
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		m := failedLine.FindStringSubmatch(line)
		if m == nil {
			reason.WriteString(line)
			continue
		}
		n, _ := strconv.Atoi(m[2])
		failed[n] = reason.String() + m[1]
		reason.Reset()
	}
	if len(failed) > 0 {
		err = nil // `ip` reports by its exit status what failed holds
	} else if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr)
	}
	return stdout, failed, err
}

// decode reads one JSON value after another, as a batch prints them.
func decode[T any](t testing.TB, text string) []T {
	t.Helper()
	var all []T
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		all = append(all, v)
	}
	return all
}

// sysctl sets kernel parameters of the host: "net/ipv4/ip_forward=1".
func (h *host) sysctl(settings ...string) {
	h.t.Helper()
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		h.must(func() error { return os.WriteFile(filepath.Join("/proc/sys", key), []byte(value), 0) })
	}
}

// veth connects two hosts. Both ends are up.
func veth(a *host, aDev string, b *host, bDev string) {
	a.t.Helper()
	a.ip(fmt.Sprintf("link add name %s type veth peer name %s netns /proc/%d/fd/%d\nlink set %s up",
		aDev, bDev, os.Getpid(), b.net.Fd(), aDev))
	b.ip("link set " + bDev + " up")
}
