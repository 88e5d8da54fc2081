package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
)

const (
	subnets = "testdata/subnets.json"
	ports   = "testdata/ports.json"
)

// exec runs the program and expects an exit code.
func exec(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(args, &out, &errs); got != want {
		t.Errorf("report %v exits with %d, want %d\n%s", args, got, want, errs.String())
	}
	return out.String(), errs.String()
}

func reports(t *testing.T, want int, args ...string) []hostroute.Report {
	t.Helper()
	out, _ := exec(t, want, append([]string{"-json"}, args...)...)
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
	out, _ := exec(t, 1, subnets, ports)
	for _, r := range reports(t, 1, subnets, ports) {
		if !strings.Contains(out, r.Instance+"\n"+r.Table.String()) {
			t.Errorf("the table of %s is not in the text", r.Instance)
		}
		for _, f := range r.Findings {
			if !strings.Contains(out, f.Severity.String()+": "+f.String()+"\n") {
				t.Errorf("finding %v is not in the text", f)
			}
			for _, fix := range f.Fixes {
				want := "  fix: " + fix.Message + "\n"
				if !fix.KeepsEgress {
					want = "  fix, data may move: " + fix.Message + "\n"
				}
				if _, after, _ := strings.Cut(out, f.String()+"\n"); !strings.Contains(after, want) {
					t.Errorf("%v: fix %q is not in the text as %q", f, fix.Message, want)
				}
			}
		}
	}
}

func TestTextEndsWithWhatItsCodesMean(t *testing.T) {
	out, _ := exec(t, 1, subnets, ports)
	_, meanings, _ := strings.Cut(out, "\n\nnext-hop-not-gateway: ")
	for _, rule := range hostroute.Rules() {
		if told, explained := strings.Contains(out, "("+string(rule.Code)+")\n"), strings.Contains("\nnext-hop-not-gateway: "+meanings, "\n"+string(rule.Code)+": "+rule.Doc+"\n"); told != explained {
			t.Errorf("%s: told: %v, explained: %v", rule.Code, told, explained)
		}
	}
}

// A closed is a place where nothing can be written.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestNoPlaceForTheReports(t *testing.T) {
	for _, args := range [][]string{{subnets, ports}, {"-json", subnets, ports}} {
		var errs bytes.Buffer
		if got := run(args, closed{}, &errs); got != 2 || errs.Len() == 0 {
			t.Errorf("report %v exits with %d, and says %q", args, got, &errs)
		}
	}
}

func TestNoInstance(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte(`{"ports":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := exec(t, 0, "-json", subnets, empty); out != "[]\n" {
		t.Errorf("no instance: %q", out)
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
	if _, stderr := exec(t, 2, "-default-nic", "ens3", subnets, ports); !strings.Contains(stderr, "ens3") {
		t.Errorf("an unknown NIC is not named: %q", stderr)
	}
}

func TestExitCodes(t *testing.T) {
	one := filepath.Join(t.TempDir(), "one.json")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(one, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"subnets":[{"id":"a","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"0.0.0.0"}]}]}`)
	exec(t, 0, one) // a warning
	exec(t, 1, "-fail", "warning", one)
	exec(t, 1, "-fail", "info", one)
	write(`{"subnets":[{"id":"a","cidr":"10.65.0.0/24"}]}`)
	if _, stderr := exec(t, 2, one); !strings.Contains(stderr, "/subnets/0/gateway_ip") {
		t.Errorf("the missing member is not named: %q", stderr)
	}
	exec(t, 2)
	exec(t, 2, subnets, ports, ports)
	exec(t, 2, "-fail", "fatal", subnets)
	exec(t, 2, "-fail", "none", subnets)
	exec(t, 2, filepath.Join(t.TempDir(), "absent.json"))
	exec(t, 2, subnets, filepath.Join(t.TempDir(), "absent.json"))
	if _, stderr := exec(t, 2, "-h"); !strings.Contains(stderr, "-default-nic") {
		t.Errorf("the help lacks a flag: %q", stderr)
	}
}
