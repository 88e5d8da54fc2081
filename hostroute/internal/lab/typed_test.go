//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/go-hostroute/hostroute"
)

// typed returns the command that the message of a finding on a manual route has, as the guest can
// take it; "" if that is to leave the route out.
func typed(t *testing.T, f hostroute.Finding) (family, line string) {
	_, command, ok := strings.Cut(f.Message, "; in the guest: ")
	if !ok {
		t.Errorf("%v: says nothing of what to type", f)
	}
	if command == "leave it out" {
		return "", ""
	}
	command, _, _ = strings.Cut(command, ", with the address that router")
	command = strings.Replace(command, "LINK-LOCAL-ADDRESS", linkLocalRouter, 1)
	if line, ok := strings.CutPrefix(command, "ip -6 "); ok {
		return "-6", line
	}
	line, ok = strings.CutPrefix(command, "ip ")
	if !ok {
		t.Errorf("%v: no command", f)
	}
	return "-4", line
}

// Linux takes every command that a message on a manual route names, and that changes no other route.
func TestLinuxTakesWhatMessagesSay(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	t.Cleanup(func() {
		for _, command := range []string{"-4 add", "-4 replace", "-4 del", "-6 add", "-6 del", " "} {
			if seen[command] == 0 && !t.Failed() && !t.Skipped() {
				t.Errorf("no message says %q: %v", command, seen)
			}
		}
	})
	each(t, instances.tables, func(t *testing.T, g *guest, in hostroute.Instance) (problems []string) {
		report, err := hostroute.Analyze(in)
		if err != nil {
			return []string{err.Error()}
		}
		v4, v6 := steps(in)
		before := make(map[string][]row) // the table of each family
		for _, f := range report.Findings {
			s := f.Subject
			if s.Subnet != "" || s.HostRoute == (hostroute.HostRoute{}) {
				continue
			}
			family, line := typed(t, f)
			words := append(strings.Fields(line), "", "")
			mu.Lock()
			seen[family+" "+words[1]]++
			mu.Unlock()
			if line == "" {
				continue
			}
			list := v4
			if family == "-6" {
				list, g.used6 = v6, true
			}
			if _, known := before[family]; !known {
				before[family] = g.become(family, list, nil).rows
			}
			want := slices.Clone(before[family])
			i := slices.IndexFunc(report.Verdicts, func(v hostroute.Verdict) bool { return v.Subject == s })
			if report.Verdicts[i].Cause == "" { // what is installed goes
				own := row{s.HostRoute.Destination.Masked(), s.HostRoute.NextHop, s.NIC}
				if own.Gateway == netip.IPv4Unspecified() {
					own.Gateway = netip.Addr{}
				}
				at := slices.Index(want, own)
				if at < 0 {
					return append(problems, fmt.Sprintf("%v: %v is not in Linux's table %v", f, own, want))
				}
				want = slices.Delete(want, at, at+1)
			}
			if words[1] != "del" { // route add DESTINATION via GATEWAY dev NIC
				want = append(want, row{netip.MustParsePrefix(words[2]), netip.MustParseAddr(words[4]), words[6]})
			}
			got := g.become(family, append(slices.Clone(list), step{line: line}), nil)
			if reason, refused := got.refused[len(list)]; refused {
				problems = append(problems, f.String()+": Linux: "+reason)
			} else if d := cmp.Diff(want, got.rows, equate, anyOrder, cmpopts.EquateEmpty()); d != "" {
				problems = append(problems, f.String()+": table (-library +Linux):\n"+d)
			}
		}
		return problems
	})
}
