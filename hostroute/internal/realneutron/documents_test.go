package realneutron

import (
	"bytes"
	"cmp"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// Every form of the documents means the same deployment, and the report program says the same.
func testDocuments(t *testing.T, forms []form) {
	program := buildReport(t)

	want := decode(t, forms[0])
	checkCloud(t, want)
	reports := make(map[string]string) // of the first sorted form, by arguments
	for _, f := range forms {
		if diff := gocmp.Diff(inOrder(want), inOrder(decode(t, f)), equate); diff != "" {
			t.Errorf("%s is not %s (-want +got):\n%s", f.name, forms[0].name, diff)
		}
		if !f.sorted {
			continue
		}
		for _, args := range []string{"", "-all -unsafe", "-json", "-problems", "-instance web-1", "-instance masks"} {
			got := report(t, program, f, strings.Fields(args))
			if len(got) < 100 {
				t.Errorf("report %s: %s", args, got)
			}
			if reports[args] == "" {
				reports[args] = got
			} else if diff := gocmp.Diff(reports[args], got); diff != "" {
				t.Errorf("report %s of %s differs (-first +this):\n%s", args, f.name, diff)
			}
		}
	}
}

func decode(t *testing.T, f form) *neutron.Deployment {
	t.Helper()
	d, err := neutron.Decode(bytes.NewReader(f.subnets), bytes.NewReader(f.ports))
	if err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	return d
}

// inOrder returns what a deployment holds in an order of its own, without the places of problems: the forms differ in them.
func inOrder(d *neutron.Deployment) *neutron.Deployment {
	out := *d
	out.Subnets, out.Instances, out.Findings, out.Problems = nil, nil, slices.Clone(d.Findings), nil
	sorted := make(map[*hostroute.Subnet]*hostroute.Subnet)
	for _, s := range d.Subnets {
		copied := *s
		copied.HostRoutes = slices.SortedFunc(slices.Values(s.HostRoutes), compareHostRoutes)
		sorted[s] = &copied
		out.Subnets = append(out.Subnets, &copied)
	}
	slices.SortFunc(out.Subnets, func(a, b *hostroute.Subnet) int { return cmp.Compare(a.ID, b.ID) })
	for _, in := range d.Instances {
		in.NICs = slices.SortedFunc(slices.Values(in.NICs), func(a, b hostroute.NIC) int { return cmp.Compare(a.ID, b.ID) })
		for i := range in.NICs {
			n := &in.NICs[i]
			n.Name = "eth" + strconv.Itoa(i)
			n.Siblings = slices.SortedFunc(slices.Values(n.Siblings), comparePrefixes)
			n.Subnets = slices.Clone(n.Subnets)
			for j := range n.Subnets {
				n.Subnets[j] = sorted[n.Subnets[j]]
			}
		}
		out.Instances = append(out.Instances, in)
	}
	slices.SortFunc(out.Instances, func(a, b hostroute.Instance) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Findings, func(a, b hostroute.Finding) int { return cmp.Compare(a.String(), b.String()) })
	for _, p := range d.Problems {
		out.Problems = append(out.Problems, neutron.Problem{Document: p.Document, Subnet: p.Subnet, Port: p.Port, Instance: p.Instance, Err: p.Err})
	}
	slices.SortFunc(out.Problems, func(a, b neutron.Problem) int { return cmp.Compare(a.String(), b.String()) })
	return &out
}

func compareHostRoutes(a, b hostroute.HostRoute) int {
	return cmp.Or(comparePrefixes(a.Destination, b.Destination), a.NextHop.Compare(b.NextHop))
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// buildReport builds the report program.
func buildReport(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "report")
	if out, err := exec.Command("go", "build", "-o", file, "example.com/go-hostroute/hostroute/examples/report").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// place is where a problem is in the documents, as text and as JSON.
var place = regexp.MustCompile(`(, value \d+)?, /[^:]+|, value \d+|"value":\d+,"path":"[^"]*",`)

// report returns what the report program prints, without the places of problems.
func report(t *testing.T, program string, f form, args []string) string {
	t.Helper()
	dir := t.TempDir()
	for name, document := range map[string][]byte{"subnets": f.subnets, "ports": f.ports} {
		if err := os.WriteFile(filepath.Join(dir, name), document, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, append(args, "subnets", "ports")...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("report %v of %s: %v\n%s", args, f.name, err, &errs)
	}
	return place.ReplaceAllString(string(out), "")
}
