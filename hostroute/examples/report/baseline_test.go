package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBaselineRoundTrip(t *testing.T) {
	for _, fail := range []string{"error", "warning", "info"} {
		file := filepath.Join(t.TempDir(), "baseline.json")
		out, _ := program(t, 0, "-fail", fail, "-write-baseline", file, sampleSubnets, samplePorts)
		if !strings.Contains(out, " written to ") || strings.Count(out, "\n") != 1 {
			t.Errorf("got %q", out)
		}
		if _, stderr := program(t, 2, "-baseline", file, sampleSubnets, samplePorts); !strings.Contains(stderr, "no reason") || !strings.Contains(stderr, "storage-subnet: 10.71.0.0/16,10.70.0.77") {
			t.Errorf("a missing reason is not named: %q", stderr)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		filled := strings.ReplaceAll(string(content), `"reason": ""`, `"reason": "known"`)
		if err := os.WriteFile(file, []byte(filled), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ = program(t, 0, "-fail", fail, "-baseline", file, sampleSubnets, samplePorts)
		wantContains(t, lines(out, "10 host routes"), "\nbaseline: it accepts ", " findings; 0 more are at or above "+fail+"; 0 entries match nothing\n")
		program(t, 0, "-fail", fail, "-baseline", file, "-instance", sampleWeb, sampleSubnets, samplePorts)
		program(t, 0, "-fail", fail, "-baseline", file, "-subnet", "lab-subnet", sampleSubnets, samplePorts)
		program(t, 0, "-fail", fail, "-baseline", file, "-json", sampleSubnets, samplePorts)

		again := filepath.Join(t.TempDir(), "again.json")
		program(t, 0, "-fail", fail, "-baseline", file, "-write-baseline", again, sampleSubnets, samplePorts)
		if content, err = os.ReadFile(again); err != nil || string(content) != filled {
			t.Errorf("%v; written again:\n%s\nwant\n%s", err, content, filled)
		}
		program(t, 0, "-fail", fail, "-write-baseline", file, sampleSubnets, samplePorts)
		if content, err = os.ReadFile(file); err != nil || string(content) != filled {
			t.Errorf("%v; written over itself:\n%s\nwant\n%s", err, content, filled)
		}
	}
}

// A file that is no baseline is not written over.
func TestBaselineIsNotWrittenOverAnotherFile(t *testing.T) {
	file := textFile(t, "not a baseline")
	if _, stderr := program(t, 2, "-write-baseline", file, sampleSubnets, samplePorts); !strings.Contains(stderr, "cannot be written over") {
		t.Errorf("got %q", stderr)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "not a baseline" {
		t.Errorf("%v; the file has %q", err, content)
	}
}

func TestBaseline(t *testing.T) {
	with := func(entries ...string) string {
		return textFile(t, `{"version":1,"accepted":[`+strings.Join(entries, ",")+`]}`)
	}
	const (
		storage = `{"code":"next-hop-not-gateway","subnet":"storage-subnet","host_route":{"destination":"10.71.0.0/16","nexthop":"10.70.0.77"},"reason":"r"}`
		lab     = `{"code":"next-hop-off-link","subnet":"lab-subnet","host_route":{"destination":"10.81.0.0/16","nexthop":"192.0.2.1"},"reason":"r"}`
		backup  = `{"code":"no-lease","subnet":"backup-subnet","reason":"r"}`
		web     = `{"code":"multiple-defaults","instance":"` + sampleWeb + `","reason":"r"}`
		gone    = `{"code":"no-lease","subnet":"gone-subnet","reason":"r"}`
	)
	program(t, 1, "-baseline", with(storage, lab), sampleSubnets, samplePorts)
	program(t, 0, "-baseline", with(storage, lab, backup), sampleSubnets, samplePorts)

	// One instance's finding does not stand for that of the others.
	all := asJSON(t, 1, "-fail", "warning", sampleSubnets, samplePorts).Summary
	one := asJSON(t, 1, "-fail", "warning", "-baseline", with(web, gone), sampleSubnets, samplePorts)
	if got := one.Summary; got.Failing != all.Failing-1 || got.Accepted != 1 || len(got.Unmatched) != 1 || got.Unmatched[0].Subnet != "gone-subnet" {
		t.Errorf("got %+v, without a baseline %+v", got, all)
	}
	for _, f := range one.Findings {
		if f.Accepted {
			t.Errorf("%v is accepted", f.Finding)
		}
	}
	out, _ := program(t, 1, "-baseline", with(storage, gone), sampleSubnets, samplePorts)
	wantContains(t, out, "\nbaseline: it accepts 1 finding; 2 more are at or above error; 1 entry matches nothing\n",
		"\n    1 instance: depends on the guest; e.g. nfs00001-0000-4000-8000-000000000007\n    accepted: r\n    fix: ", "\nBASELINE: 1 entry matches nothing\n  no-lease of gone-subnet\n")

	for _, file := range []string{
		with(`{"code":"no-lease","subnet":"backup-subnet"}`), with(`{"code":"no-lease","subnet":"backup-subnet","reason":" "}`), with(`{"code":"no-lease","reason":"r"}`),
		with(`{"subnet":"backup-subnet","reason":"r"}`), with(`{"code":"no-lease","subnets":"backup-subnet","reason":"r"}`), with(backup, backup),
		textFile(t, `{"version":2,"accepted":[]}`), textFile(t, `{"version":1,"accepted":[]} {}`), textFile(t, `[]`), textFile(t, ``),
	} {
		if _, stderr := program(t, 2, "-baseline", file, sampleSubnets, samplePorts); stderr == "" {
			content, _ := os.ReadFile(file)
			t.Errorf("says nothing of %s", content)
		}
	}
	program(t, 1, "-baseline", with(), sampleSubnets, samplePorts)
}

// The head of a section says what the baseline accepts of it.
func TestAcceptedSections(t *testing.T) {
	subnets := textFile(t, `{"subnets":[
		{"id":"a","cidr":"10.1.0.0/24","gateway_ip":"10.1.0.1","host_routes":[{"destination":"11.1.0.0/16","nexthop":"10.1.0.77"},{"destination":"11.2.0.0/16","nexthop":"10.1.0.77"}]},
		{"id":"b","cidr":"10.2.0.0/24","gateway_ip":null,"host_routes":[{"destination":"11.3.0.0/16","nexthop":"10.2.0.1"},{"destination":"11.4.0.0/16","nexthop":"10.2.0.1"}]},
		{"id":"c","cidr":"10.3.0.0/24","gateway_ip":"10.3.0.1","host_routes":[{"destination":"11.0.0.0/255.0.0.0","nexthop":"10.3.0.1"},{"destination":"12.0.0.0/255.0.0.0","nexthop":"10.3.0.1"}]},
		{"id":"d","cidr":"10.4.0.0/24","gateway_ip":"10.4.0.1","host_routes":[{"destination":"11.5.0.0/16","nexthop":"10.4.0.1"}]},
		{"id":"e","cidr":"10.5.0.0/24","gateway_ip":"10.5.0.1"}]}`)
	ports := textFile(t, `{"ports":[{"id":"p","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"d","ip_address":"10.4.0.5"},{"subnet_id":"e","ip_address":"10.5.0.5"}]},
		{"id":"q","device_id":"two","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"a","ip_address":"10.1.0.5"}]}]}`)
	of := func(code, subnet, route string) string {
		if route != "" {
			destination, hop, _ := strings.Cut(route, ",")
			route = `"host_route":{"destination":"` + destination + `","nexthop":"` + hop + `"},`
		}
		return `{"code":"` + code + `","subnet":"` + subnet + `",` + route + `"reason":"r"}`
	}
	a1, a2 := of("next-hop-not-gateway", "a", "11.1.0.0/16,10.1.0.77"), of("next-hop-not-gateway", "a", "11.2.0.0/16,10.1.0.77")
	b := of("no-lease", "b", "")
	c1, c2 := of("netmask-spelling", "c", "11.0.0.0/8,10.3.0.1"), of("netmask-spelling", "c", "12.0.0.0/8,10.3.0.1")
	d := `{"code":"second-ipv4-subnet","instance":"one","port":"p","reason":"r"}`
	for _, test := range []struct {
		accepted []string
		want     []string
	}{
		{nil, []string{"gateway: 2 host routes (next", "lease: 2 host routes (no-", "netmask: 2 host routes (net", "subnets: 1 host route (sec"}},
		{[]string{a1, b, c1, d}, []string{"gateway: 2 host routes, 1 accepted (next", "lease: 2 host routes, all accepted (no-", "netmask: 2 host routes (net", "subnets: 1 host route, all accepted (sec"}},
		{[]string{a1, a2, c1, c2}, []string{"gateway: 2 host routes, all accepted (next", "lease: 2 host routes (no-", "netmask: 2 host routes, all accepted (net"}},
	} {
		file := textFile(t, `{"version":1,"accepted":[`+strings.Join(test.accepted, ",")+`]}`)
		out, _ := program(t, 1, "-baseline", file, subnets, ports)
		wantContains(t, out, test.want...)
	}
}

// A finding of a NIC is named with the port, because the NIC's name depends on the order of the file.
func TestBaselineOfNIC(t *testing.T) {
	subnets := textFile(t, `{"subnets":[{"id":"a","cidr":"10.1.0.0/24","gateway_ip":"10.1.0.1"},{"id":"b","cidr":"10.2.0.0/24","gateway_ip":"10.2.0.1"}]}`)
	port := func(id string) string {
		return `{"id":"` + id + `","device_id":"one","device_owner":"compute:nova","fixed_ips":[{"subnet_id":"a","ip_address":"10.1.0.5"},{"subnet_id":"b","ip_address":"10.2.0.5"}]}`
	}
	ports := textFile(t, `{"ports":[`+port("p")+`]}`)
	file := filepath.Join(t.TempDir(), "baseline.json")
	program(t, 0, "-fail", "warning", "-write-baseline", file, subnets, ports)
	var b baseline
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &b); err != nil {
		t.Fatal(err)
	}
	if want := (subject{Code: "second-ipv4-subnet", Instance: "one", Port: "p"}); len(b.Accepted) != 1 || b.Accepted[0].subject != want {
		t.Errorf("got %s", content)
	}
}
