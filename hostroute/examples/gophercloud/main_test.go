package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/go-hostroute/hostroute/internal/realneutron"
)

// A cloud is a Neutron, fake or real, that a test fills and the program asks. Between the two is a proxy, by which pages are
// small and by which somebody else changes a subnet at the worst time.
type cloud struct {
	t        *testing.T
	neutron  string            // without the proxy
	endpoint string            // the proxy's
	names    map[string]string // by ID
	ids      map[string]string // by name
	when     string            // how the request "METHOD PATH" begins, before which

	mu        sync.Mutex
	meanwhile func()   // somebody else does this, once
	lists     []string // those that were asked for, page by page
}

func newCloud(t *testing.T, neutron string) *cloud {
	c := &cloud{t: t, neutron: neutron, names: make(map[string]string), ids: make(map[string]string)}
	target, err := url.Parse(neutron)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // so that links lead to the proxy
		query := r.In.URL.Query()
		if query.Has("limit") {
			query.Set("limit", "2")
			r.Out.URL.RawQuery = query.Encode()
			c.mu.Lock()
			c.lists = append(c.lists, path.Base(r.In.URL.Path))
			c.mu.Unlock()
		}
		if strings.HasPrefix(r.In.Method+" "+r.In.URL.Path, c.when) {
			if f := c.takeMeanwhile(); f != nil {
				f()
			}
		}
	}})
	t.Cleanup(proxy.Close)
	c.endpoint = proxy.URL
	return c
}

func (c *cloud) takeMeanwhile() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.meanwhile
	c.meanwhile = nil
	return f
}

// request asks Neutron, without the program, and returns the status and the element of the answer.
func (c *cloud) request(method, resource string, body any) (int, map[string]any) {
	c.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequest(method, c.neutron+"/v2.0/"+resource, bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		c.t.Fatal(err)
	}
	for _, element := range answer { // one
		return response.StatusCode, element
	}
	return response.StatusCode, nil
}

// create makes a network, subnet or port and returns its ID. What is printed has the name in its place.
func (c *cloud) create(kind, name string, element map[string]any) string {
	c.t.Helper()
	element["name"] = name
	status, created := c.request(http.MethodPost, kind+"s", map[string]any{kind: element})
	if status != http.StatusCreated {
		c.t.Fatalf("%s %s: %d %v", kind, name, status, created)
	}
	id := created["id"].(string)
	c.names[id], c.ids[name] = name, id
	return id
}

// hostRoutes returns a list as Neutron has it.
func hostRoutes(routes ...string) []map[string]string {
	list := []map[string]string{}
	for _, r := range routes {
		destination, nextHop, _ := strings.Cut(r, ",")
		list = append(list, map[string]string{"destination": destination, "nexthop": nextHop})
	}
	return list
}

// subnet makes a subnet on a network of its own.
func (c *cloud) subnet(name, cidr string, dhcp bool, routes ...string) {
	c.t.Helper()
	network := c.create("network", name+"-network", map[string]any{})
	c.create("subnet", name, map[string]any{
		"network_id": network, "ip_version": 4, "cidr": cidr, "enable_dhcp": dhcp, "host_routes": hostRoutes(routes...),
	})
}

// instance makes the ports of an instance, one on each subnet, and returns their IDs.
func (c *cloud) instance(name string, subnets ...string) (ports []string) {
	c.t.Helper()
	for _, subnet := range subnets {
		_, s := c.request(http.MethodGet, "subnets/"+c.ids[subnet], nil)
		address := netip.MustParsePrefix(s["cidr"].(string)).Addr().As4()
		address[3] = byte(10 + len(c.ids))
		ports = append(ports, c.create("port", fmt.Sprint("port-", len(c.ids)), map[string]any{
			"network_id": s["network_id"], "device_id": name, "device_owner": "compute:nova", "binding:host_id": "compute-1",
			"fixed_ips": []map[string]any{{"subnet_id": c.ids[subnet], "ip_address": netip.AddrFrom4(address)}},
		}))
	}
	return ports
}

// put changes a subnet as somebody else does, and returns the status.
func (c *cloud) put(subnet string, routes ...string) int {
	c.t.Helper()
	status, _ := c.request(http.MethodPut, "subnets/"+c.ids[subnet], map[string]any{"subnet": map[string]any{"host_routes": hostRoutes(routes...)}})
	return status
}

// has returns the host routes of a subnet, sorted: Neutron keeps no order.
func (c *cloud) has(subnet string) string {
	c.t.Helper()
	_, s := c.request(http.MethodGet, "subnets/"+c.ids[subnet], nil)
	var list []string
	for _, r := range s["host_routes"].([]any) {
		r := r.(map[string]any)
		list = append(list, r["destination"].(string)+","+r["nexthop"].(string))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// run runs the program. In its flags and in what it prints, names are in the place of IDs.
func (c *cloud) run(args string) (status int, stdout, stderr string) {
	c.t.Helper()
	argv := []string{"-endpoint", c.endpoint}
	for _, arg := range strings.Fields(args) {
		if id, known := c.ids[arg]; known {
			arg = id
		}
		argv = append(argv, arg)
	}
	var out, errs bytes.Buffer
	status = run(c.t.Context(), argv, &out, &errs)
	var names []string
	for id, name := range c.names {
		names = append(names, id, name)
	}
	replacer := strings.NewReplacer(names...)
	return status, replacer.Replace(out.String()), replacer.Replace(errs.String())
}

func TestFakeNeutron(t *testing.T) { story(t, newFakeNeutron(t)) }

func TestRealNeutron(t *testing.T) { story(t, realneutron.Start(t)) }

// story runs the program on an empty cloud, fills it, and goes from edit to edit.
func story(t *testing.T, neutron string) {
	c := newCloud(t, neutron)
	if status, stdout, stderr := c.run(""); status != 0 || stdout != "" || stderr != "" {
		t.Errorf("an empty cloud: %d\n%s%s", status, stdout, stderr)
	}

	c.subnet("front", "10.65.0.0/24", true)
	c.subnet("back", "11.8.0.0/24", true, "11.11.0.0/16,11.8.0.77", "11.12.0.0/16,11.8.0.1")
	c.instance("web-1", "front", "back")
	c.instance("db-1", "back")
	c.lists = nil
	status, stdout, stderr := c.run("")
	first, rest, _ := strings.Cut(stdout, "\n")
	if status != 0 || stderr != "" || strings.Contains(stdout, "left out") || !strings.HasPrefix(first, "error: back: 11.11.0.0/16,11.8.0.77: next hop 11.8.0.77 is not the gateway") ||
		!strings.HasSuffix(first, " (next-hop-not-gateway); instances: 2, e.g. db-1") || !strings.HasPrefix(rest, "  fix: set the next hop to 11.8.0.1") {
		t.Errorf("findings: %d\n%s%s", status, stdout, stderr)
	}
	// Two subnets are a full page, with a link to an empty one. Three ports are two pages.
	if got := slices.Sorted(slices.Values(c.lists)); !slices.Equal(got, []string{"ports", "ports", "subnets", "subnets"}) {
		t.Errorf("lists: %q", got)
	}

	const none = "moves no data; instances on the subnet: 2\n"
	const mend = "-subnet back -old 11.11.0.0/16,11.8.0.77 -new 11.11.0.0/16,11.8.0.1"
	const remove = "-subnet back -old 11.12.0.0/16,11.8.0.1"
	const broken = "11.11.0.0/16,11.8.0.77 11.12.0.0/16,11.8.0.1"
	const mended = "11.11.0.0/16,11.8.0.1 11.12.0.0/16,11.8.0.1"
	const theirs = "11.12.0.0/16,11.8.0.1 11.14.0.0/16,11.8.0.1"
	const refused = "has changed since it was read: run this again"
	somebody := func(subnet, routes string) func() {
		return func() { c.put(subnet, strings.Fields(routes)...) }
	}
	for _, step := range []struct {
		name, args     string
		when           string // the request before which somebody else changes something
		meanwhile      func()
		status         int
		stdout, stderr string // which the outputs contain
		after          string // the host routes of back
	}{
		{"a dry run", mend, "", nil, 0, none + "nothing is sent without -send\n", "", broken},
		{"changed in between, at the first revision", "-subnet front -new 11.16.0.0/16,10.65.0.1 -send -unsafe",
			"PUT", somebody("front", "11.17.0.0/16,10.65.0.1"), 1, "", refused, broken},
		{"a fix that moves nothing", mend + " -send", "", nil, 0, none + "sent: subnet back has 2 host routes\n", "", mended},
		{"made already", mend + " -send", "", nil, 2, "", `host route 11.11.0.0/16,11.8.0.77 is not in subnet "back"`, mended},
		{"a removal that moves data", remove + " -send", "", nil, 1, "", "not sent, because data moves or may move", mended},
		{"with -unsafe", remove + " -send -unsafe", "", nil, 0, "sent: subnet back has 1 host route\n", "", "11.11.0.0/16,11.8.0.1"},
		{"an addition", "-subnet back -new 11.12.0.0/16,11.8.0.1 -send -unsafe", "", nil, 0, "sent: subnet back has 2 host routes", "", mended},
		{"host bits are masked", "-subnet back -new 11.13.7.5/16,11.8.0.1 -send -unsafe", "", nil, 0, "sent: subnet back has 3 host routes", "",
			mended + " 11.13.0.0/16,11.8.0.1"},
		{"changed in between", remove + " -send -unsafe", "PUT", somebody("back", theirs), 1, "", refused, theirs},
		{"changed while the ports were listed", remove + " -send -unsafe",
			"GET /v2.0/ports", somebody("back", theirs+" 11.15.0.0/16,11.8.0.1"), 1, "", refused, theirs + " 11.15.0.0/16,11.8.0.1"},
		{"at the revision of now", "-subnet back -old 11.15.0.0/16,11.8.0.1 -send -unsafe", "", nil, 0, "sent: subnet back has 2 host routes", "", theirs},
		{"a destination that Neutron refuses", "-subnet back -new 127.1.0.0/16,11.8.0.1 -send -unsafe", "", nil, 2, "new error: back: 127.1.0.0/16",
			"got 400 instead", theirs},
		{"no edit", "-subnet back -send", "", nil, 2, "", "has neither Old nor New", theirs},
		{"a subnet that is not there", "-subnet beck -old 11.12.0.0/16,11.8.0.1", "", nil, 2, "", "got 404 instead", theirs},
		{"the last but one", "-subnet back -old 11.14.0.0/16,11.8.0.1 -send -unsafe", "", nil, 0, "sent: subnet back has 1 host route\n", "", "11.12.0.0/16,11.8.0.1"},
		{"the last", remove + " -send -unsafe", "", nil, 0, "sent: subnet back has 0 host routes", "", ""},
	} {
		c.when, c.meanwhile = step.when, step.meanwhile
		status, stdout, stderr := c.run(step.args)
		if status != step.status || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) {
			t.Errorf("%s: %d\n%s%s", step.name, status, stdout, stderr)
		}
		if got := c.has("back"); got != step.after {
			t.Errorf("%s: back has %s, not %s", step.name, got, step.after)
		}
	}
	// What the program cannot send: it masks.
	if status := c.put("back", "11.13.7.5/16,11.8.0.1"); status != http.StatusBadRequest {
		t.Errorf("host bits: %d", status)
	}

	// What cannot be known is not sent without -unsafe.
	c.subnet("netmask", "11.9.0.0/24", true, "11.0.0.0/255.0.0.0,11.9.0.1")
	c.subnet("short", "11.10.0.0/24", true, "11/8,11.10.0.1")
	c.subnet("static", "11.15.0.0/24", false, "11.16.0.0/16,11.15.0.1")
	c.instance("app-1", "netmask", "static")
	c.instance("app-2", "short", "front")
	for _, doubt := range []struct{ args, stdout string }{
		{"-subnet static -old 11.16.0.0/16,11.15.0.1", "not known: the subnet has no DHCP, but guests that read the config drive have its host routes\n" +
			"not known: guests do not get the host routes that the audit assumes: netmask: 11.0.0.0/8,11.9.0.1: "},
		{"-subnet netmask -old 11.0.0.0/8,11.9.0.1 -new 11.0.0.0/8,11.9.0.1",
			"not known: guests do not get the host routes that the audit assumes: netmask: 11.0.0.0/8,11.9.0.1: "},
		{"-subnet front -new 11.16.0.0/16,10.65.0.1", "not known: an instance on the subnet is left out: ports, "},
	} {
		status, stdout, stderr := c.run(doubt.args + " -send")
		if status != 1 || !strings.Contains(stdout, doubt.stdout) || !strings.Contains(stderr, "not sent, because data moves or may move") {
			t.Errorf("%s: %d\n%s%s", doubt.args, status, stdout, stderr)
		}
		if status, stdout, stderr := c.run(doubt.args + " -send -unsafe"); status != 0 || !strings.Contains(stdout, "sent: ") {
			t.Errorf("%s, unsafe: %d\n%s%s", doubt.args, status, stdout, stderr)
		}
	}
	if got := c.has("netmask"); got != "11.0.0.0/8,11.9.0.1" {
		t.Errorf("netmask has %s", got)
	}
	if status, stdout, _ := c.run("-subnet short -new 11.17.0.0/16,11.10.0.1"); status != 2 || !strings.Contains(stdout, "left out: subnets, ") {
		t.Errorf("a subnet that cannot be read: %d\n%s", status, stdout)
	}
}
