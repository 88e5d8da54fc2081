package main

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	subnets = "testdata/subnets.json"
	ports   = "testdata/ports.json"
)

// TestMain is the program itself where a test says so.
func TestMain(m *testing.M) {
	if os.Getenv("HOSTROUTE_REPORT") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "HOSTROUTE_REPORT=1")
	return cmd
}

// report runs the program and expects an exit code.
func report(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := program(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		t.Errorf("report %v: %v, want exit code %d\n%s", args, err, want, &errs)
	}
	return out.String(), errs.String()
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func reports(t *testing.T, want int, args ...string) []hostroute.Report {
	t.Helper()
	out, _ := report(t, want, append([]string{"-json"}, args...)...)
	var list []hostroute.Report
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDeploymentShowsEverySeverity(t *testing.T) {
	list := reports(t, 1, subnets, ports)
	if len(list) != 10 {
		t.Errorf("%d instances, want 10", len(list))
	}
	seen := make(map[hostroute.Severity]bool)
	clean := 0
	for _, r := range list {
		for _, f := range r.Findings {
			seen[f.Severity] = true
		}
		if r.Worst() == 0 {
			clean++
		}
	}
	for _, s := range []hostroute.Severity{hostroute.SeverityInfo, hostroute.SeverityWarning, hostroute.SeverityError} {
		if !seen[s] {
			t.Errorf("no finding of severity %v", s)
		}
	}
	if reports(t, 1, subnets); clean == len(list) {
		t.Error("all instances are clean")
	}
}

func TestTextHasTablesAndFindings(t *testing.T) {
	out, _ := report(t, 1, subnets, ports)
	for _, r := range reports(t, 1, subnets, ports) {
		if !strings.Contains(out, r.Instance+"\n"+r.Table.String()) {
			t.Errorf("the table of %s is not in the text", r.Instance)
		}
		for _, f := range r.Findings {
			if !strings.Contains(out, f.Severity.String()+": "+f.String()+"\n") {
				t.Errorf("finding %v is not in the text", f)
			}
			for _, fix := range f.Fixes {
				want := "  fix: " + fix.Message
				if _, after, _ := strings.Cut(out, f.String()+"\n"); !strings.Contains(after, want) {
					t.Errorf("%v: fix %q is not in the text as %q", f, fix.Message, want)
				}
			}
		}
	}
}

func TestTextEndsWithWhatItsCodesMean(t *testing.T) {
	out, _ := report(t, 1, subnets, ports)
	for _, rule := range hostroute.Rules() {
		if told, explained := strings.Contains(out, "("+string(rule.Code)+")\n"), strings.Contains(out, "\n"+string(rule.Code)+": "+rule.When+" "+rule.Why+" "+rule.Remedy+"\n"); told != explained {
			t.Errorf("%s: told: %v, explained: %v", rule.Code, told, explained)
		}
	}
}

func TestNoPlaceForTheReports(t *testing.T) {
	readOnly, err := os.Open(subnets)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	for _, args := range [][]string{{subnets, ports}, {"-json", subnets, ports}} {
		var errs bytes.Buffer
		cmd := program(t, args...)
		cmd.Stdout, cmd.Stderr = readOnly, &errs
		if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 2 || errs.Len() == 0 {
			t.Errorf("report %v: %v, and says %q", args, err, &errs)
		}
	}
}

// A subnet of no instance has its findings told all the same.
func TestSubnetsOfNoInstance(t *testing.T) {
	list := reports(t, 1, subnets, file(t, `{"ports":[]}`))
	if diff := cmp.Diff(reports(t, 1, subnets), list, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" || len(list) != 1 {
		t.Errorf("%d reports; (-subnets alone +no instance):\n%s", len(list), diff)
	}
	if out, _ := report(t, 0, "-json", file(t, `{"subnets":[]}`), file(t, `{"ports":[]}`)); out != "[]\n" {
		t.Errorf("nothing at all: %q", out)
	}
}

// Each fix is followed by its commands. Each command has the whole list of host routes.
func TestTextHasTheCommandsOfFixes(t *testing.T) {
	const want = "  fix: move the host route to subnet back-subnet, where every instance gets it: may move data of 4 of 5 instances\n" +
		"    openstack subnet set --no-host-route --host-route destination=11.11.0.0/16,gateway=11.8.0.1 --host-route destination=11.12.0.0/16,gateway=11.8.0.1 back-subnet\n" +
		"    openstack subnet set --no-host-route app-subnet\n"
	if out, _ := report(t, 1, subnets, ports); !strings.Contains(out, want) {
		t.Errorf("the text lacks %q:\n%s", want, out)
	}
}

// A fix that moves data of another instance on the subnet is not called harmless.
func TestTextSaysWhomAFixMoves(t *testing.T) {
	subnets := file(t, `{"subnets":[{"id":"front","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
		{"id":"back","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.1"}]}]}`)
	ports := file(t, `{"ports":[
		{"id":"p1","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.5"}]},
		{"id":"p2","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"front","ip_address":"10.65.0.6"}]},
		{"id":"p3","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"back","ip_address":"11.8.0.6"}]}]}`)
	out, _ := report(t, 0, subnets, ports)
	if want := "  fix: remove the host route: may move data of 1 of 2 instances\n"; !strings.Contains(out, want) {
		t.Errorf("the text lacks %q:\n%s", want, out)
	}
}

// Tenants choose names. None of them makes a line of its own, or a command that does something else.
func TestNamesCannotForgeOutput(t *testing.T) {
	const forged = "\n  fix: all is well: moves no data\n    rm -rf /\n"
	subnets := file(t, `{"subnets":[{"id":"a\n  fix: all is well: moves no data\n    rm -rf /\n$(id)'","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.77"}]}]}`)
	ports := file(t, `{"ports":[{"id":"p","device_id":"b\n  fix: all is well: moves no data\n    rm -rf /\n","device_owner":"compute:nova",
		"fixed_ips":[{"subnet_id":"a\n  fix: all is well: moves no data\n    rm -rf /\n$(id)'","ip_address":"11.8.0.5"}]}]}`)
	out, _ := report(t, 1, subnets, ports)
	if strings.Contains(out, forged) || strings.Contains(out, "\n    rm") || !strings.Contains(out, `\x24\x28id\x29\x27'`) {
		t.Errorf("got\n%s", out)
	}
}

func TestSubnetsAlone(t *testing.T) {
	list := reports(t, 1, subnets)
	if len(list) != 1 || list[0].Instance != "" || len(list[0].Findings) == 0 || len(list[0].Verdicts) != 0 {
		t.Errorf("subnets alone: %+v", list)
	}
}

func TestDefaultNICIsSetWhereItExists(t *testing.T) {
	for _, r := range reports(t, 1, "-default-nic", "eth1", subnets, ports) {
		route, ok := r.Table.Lookup(hostroute.MustParseHostRoute("0.0.0.0/0,192.0.2.1").NextHop)
		if several := strings.Contains(r.Table.String(), "dev eth1"); ok && several && route.NIC != "eth1" {
			t.Errorf("%s: the default is %v", r.Instance, route)
		}
	}
	if _, stderr := report(t, 2, "-default-nic", "ens3", subnets, ports); !strings.Contains(stderr, "ens3") {
		t.Errorf("an unknown NIC is not named: %q", stderr)
	}
}

func TestExitCodes(t *testing.T) {
	one := file(t, `{"subnets":[{"id":"a","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"0.0.0.0"}]}]}`)
	report(t, 0, one) // a warning
	report(t, 1, "-fail", "warning", one)
	report(t, 1, "-fail", "info", one)
	if _, stderr := report(t, 2, file(t, `{"subnets":[{"id":"a","cidr":"10.65.0.0/24"}]}`)); !strings.Contains(stderr, "/subnets/0/gateway_ip") {
		t.Errorf("the missing member is not named: %q", stderr)
	}
	report(t, 2)
	report(t, 2, subnets, ports, ports)
	report(t, 2, "-fail", "fatal", subnets)
	report(t, 2, "-fail", "none", subnets)
	report(t, 2, filepath.Join(t.TempDir(), "absent.json"))
	report(t, 2, subnets, filepath.Join(t.TempDir(), "absent.json"))
	if _, stderr := report(t, 0, "-h"); !strings.Contains(stderr, "-default-nic") || !strings.Contains(stderr, "SUBNETS.json [PORTS.json]") {
		t.Errorf("the help lacks a flag or the arguments: %q", stderr)
	}
}
