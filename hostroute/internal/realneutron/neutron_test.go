package realneutron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestNeutron holds the library against a real Neutron server and the real openstack command. Its
// parts share one server and what createCloud makes there.
func TestNeutron(t *testing.T) {
	needs(t, "sh", "-c", "command -v openstack && command -v curl")
	s := server(Start(t))
	s.createCloud(t)
	forms := s.forms(t) // before other parts make more
	t.Run("Documents", func(t *testing.T) { testDocuments(t, forms) })
	t.Run("HostRoutes", s.testHostRoutes)
	t.Run("DefaultGateway", s.testDefaultGateway)
	t.Run("GatewayAndPools", s.testGatewayAndPools)
	t.Run("Fixes", func(t *testing.T) { s.testFixes(t, decode(t, forms[0])) })
	t.Run("FullList", func(t *testing.T) { s.testFullList(t, decode(t, forms[0])) })
}

var equate = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b error) bool { return a.Error() == b.Error() }),
}

// A server is the address of Neutron.
type server string

// members is an object of the API as JSON.
type members map[string]any

// call sends a request to a path of the API, and returns the answer's status and body.
func (s server) call(t testing.TB, method, path string, body any) (status int, answer []byte) {
	t.Helper()
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, string(s)+"/v2.0/"+path, &text)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// get returns the answer to GET.
func (s server) get(t testing.TB, path string) []byte {
	t.Helper()
	status, answer := s.call(t, "GET", path, nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, answer)
	}
	return answer
}

// create makes something of a kind, "subnet", and returns its ID.
func (s server) create(t testing.TB, kind string, m members) (id string) {
	t.Helper()
	status, answer := s.call(t, "POST", kind+"s", map[string]members{kind: m})
	if status != http.StatusCreated {
		t.Fatalf("no %s: %d %s\n%v", kind, status, answer, m)
	}
	return created(t, answer)
}

// createSubnet makes a subnet on a network of its own.
func (s server) createSubnet(t testing.TB, m members) (id string) {
	t.Helper()
	m["network_id"] = s.create(t, "network", members{})
	return s.create(t, "subnet", m)
}

// created returns the ID of what an answer says is made.
func created(t testing.TB, answer []byte) (id string) {
	t.Helper()
	var made map[string]struct{ ID string }
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	for _, m := range made {
		id = m.ID
	}
	return id
}

// subnet returns the document of a subnet, and its host routes, "destination,nexthop", sorted.
func (s server) subnet(t testing.TB, id string) (document members, list []string) {
	t.Helper()
	var answer struct{ Subnet members }
	if err := json.Unmarshal(s.get(t, "subnets/"+id), &answer); err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.Subnet["host_routes"].([]any) {
		r := r.(map[string]any)
		list = append(list, fmt.Sprintf("%v,%v", r["destination"], r["nexthop"]))
	}
	slices.Sort(list)
	return answer.Subnet, list
}

// openstack runs the real command.
func (s server) openstack(t testing.TB, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "openstack", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	cmd.Env = s.environment()
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// environment is that in which the openstack command finds the server, and no other cloud.
func (s server) environment() []string {
	other := func(variable string) bool { return strings.HasPrefix(variable, "OS_") }
	return append(slices.DeleteFunc(os.Environ(), other), "OS_AUTH_TYPE=none", "OS_ENDPOINT="+string(s), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

// script runs commands, one a line, in one process of the openstack command, which starts slowly.
// All of them must succeed.
func (s server) script(t testing.TB, lines []string) (stdout []byte) {
	t.Helper()
	out, errs, err := s.openstack(t, strings.Join(lines, "\n")+"\n")
	if err != nil || errs != "" {
		t.Fatalf("openstack: %v\n%s", err, errs)
	}
	return []byte(out)
}
