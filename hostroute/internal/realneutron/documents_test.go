package realneutron

import (
	"bytes"
	"cmp"
	"encoding/json"
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

// A form is a pair of documents, as an operator gets them.
type form struct {
	name           string
	subnets, ports []byte
	sorted         bool // subnets and ports by ID
}

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

// forms asks for all documents.
func (s server) forms(t *testing.T) []form {
	t.Helper()
	const byID = "?sort_key=id&sort_dir=asc"
	ids := func(kind string) (list []string) {
		var answer map[string][]struct{ ID string }
		if err := json.Unmarshal(s.get(t, kind+"s"+byID+"&fields=id"), &answer); err != nil {
			t.Fatal(err)
		}
		for _, e := range answer[kind+"s"] {
			list = append(list, e.ID)
		}
		return list
	}
	show := func(kind string) []byte {
		var lines []string
		for _, id := range ids(kind) {
			lines = append(lines, kind+" show -f json "+id)
		}
		return s.script(t, lines)
	}
	each := func(kind string) (list []byte) {
		for _, id := range ids(kind) {
			list = append(list, s.get(t, kind+"s/"+id)...)
		}
		return list
	}
	portShows := show("port")
	return []form{
		{"API", s.get(t, "subnets"), s.get(t, "ports"), false},
		{"API, by ID", s.get(t, "subnets"+byID), s.get(t, "ports"+byID), true},
		{"API, in pages", s.pages(t, "subnets", 3), s.pages(t, "ports", 4), true},
		{"API, one by one", each("subnet"), each("port"), true},
		{"subnet list, port show", s.script(t, []string{"subnet list --long -f json"}), portShows, false},
		{"subnet list by ID, port show", s.script(t, []string{"subnet list --long -f json --sort-column ID"}), portShows, true},
		{"subnet show, port show", show("subnet"), portShows, true},
	}
}

// pages returns the pages of a list, one after the other.
func (s server) pages(t *testing.T, list string, limit int) (pages []byte) {
	t.Helper()
	n := 0
	for next := list + "?limit=" + strconv.Itoa(limit); next != ""; n++ {
		page := s.get(t, next)
		pages = append(pages, page...)
		var members map[string]json.RawMessage
		var links []struct{ Rel, Href string }
		if err := json.Unmarshal(page, &members); err != nil {
			t.Fatal(err)
		}
		if text := members[list+"_links"]; text != nil {
			if err := json.Unmarshal(text, &links); err != nil {
				t.Fatal(err)
			}
		}
		next = ""
		for _, l := range links {
			if l.Rel == "next" {
				next = l.Href
			}
		}
	}
	if n < 4 {
		t.Errorf("%s come in %d pages", list, n)
	}
	return pages
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

// checkCloud holds a deployment against what was made.
func checkCloud(t *testing.T, d *neutron.Deployment) {
	t.Helper()
	byName := make(map[string]*hostroute.Subnet)
	for _, s := range d.Subnets {
		byName[d.SubnetNames[s.ID]] = s
	}
	for _, n := range cloudNetworks {
		for _, sub := range n {
			got := byName[sub.name]
			if (got == nil) != sub.leftOut {
				t.Errorf("subnet %s is left out: %v, want %v", sub.name, got == nil, sub.leftOut)
			} else if want := parsed(sub.hostRoutes); got != nil && want != nil {
				slices.SortFunc(got.HostRoutes, compareHostRoutes)
				if diff := gocmp.Diff(want, got.HostRoutes, equate); diff != "" {
					t.Errorf("%s: host routes (-made +decoded):\n%s", sub.name, diff)
				}
			}
		}
	}
	siblings := make(map[string]int) // of each instance, of all NICs
	for _, in := range d.Instances {
		for _, n := range in.NICs {
			siblings[in.Name] += len(n.Siblings)
		}
	}
	wantSiblings := map[string]int{"web-1": 2 + 1, "web-2": 1 + 1, "side-1": 2 + 1, "two-subnets": 2, "nfs": 2 + 1 + 1, "mover": 1 + 1, "static": 1 + 0 + 1, "masks": 1 + 1, "alone": 1, "odd": 1 + 1}
	if diff := gocmp.Diff(wantSiblings, siblings); diff != "" {
		t.Errorf("instances, with their siblings (-want +got):\n%s", diff)
	}

	var problems []string
	for _, p := range d.Problems {
		problems = append(problems, p.Err.Error())
	}
	slices.Sort(problems)
	const notCIDR = " is not spelled as a CIDR: a guest may get another one, or none"
	wantProblems := []string{
		`destination "011.0.0.0/16"` + notCIDR, `destination "11/8"` + notCIDR, `destination "20.0.0.0/+16"` + notCIDR, "destination \"20.0.0.0/\u0661\u0666\"" + notCIDR,
		"destination ::ffff:20.0.0.0/112 has IPv4-mapped addresses on an IPv6 subnet",
		`subnet "SPELLED" is left out`,
		"the port has no device_id, which names its instance", "the port has no host, so it is not attached to instance web-1, whose other ports have one",
	}
	for i, p := range problems {
		problems[i] = uuid.ReplaceAllString(p, "SPELLED")
	}
	if diff := gocmp.Diff(wantProblems, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var misspelt []string
	for _, f := range d.Findings {
		misspelt = append(misspelt, string(f.Code)+" "+f.Subject.HostRoute.String())
	}
	slices.Sort(misspelt)
	if diff := gocmp.Diff([]string{"netmask-spelling 20.16.0.0/16,10.74.0.1", "netmask-spelling 20.17.0.0/16,10.74.0.1"}, misspelt); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// parsed returns host routes in order; nil if one has a netmask.
func parsed(list []string) []hostroute.HostRoute {
	out := []hostroute.HostRoute{}
	for _, text := range list {
		r, err := hostroute.ParseHostRoute(text)
		if err != nil {
			return nil
		}
		out = append(out, r)
	}
	slices.SortFunc(out, compareHostRoutes)
	return out
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
var place = regexp.MustCompile(`, value \d+(, [^:]+)?|"value":\d+,"path":"[^"]*",`)

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
