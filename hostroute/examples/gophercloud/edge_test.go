package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// small returns a cloud with one subnet and three instances on it, behind a handler if that is not nil.
func small(t *testing.T, handler func(neutron http.Handler) http.Handler) *cloud {
	neutron := newFakeNeutron(t)
	if handler != nil {
		target, err := url.Parse(neutron)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		}}))
		t.Cleanup(server.Close)
		neutron = server.URL
	}
	c := newCloud(t, neutron)
	c.subnet("back", "11.8.0.0/24", true, "11.11.0.0/16,11.8.0.77")
	c.instance("a\nerror: forged", "back")
	c.instance("b", "back")
	c.instance("c", "back")
	return c
}

const edit = "-subnet back -old 11.11.0.0/16,11.8.0.77 -new 11.11.0.0/16,11.8.0.1 -send"

// A page that fails ends the program: what is missing may need what seems to be of no use.
func TestAPageFails(t *testing.T) {
	c := small(t, func(neutron http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/ports") && r.URL.Query().Has("marker") {
				refuse(w, http.StatusInternalServerError, "HTTPInternalServerError", "Request Failed: internal server error while processing your request.")
				return
			}
			neutron.ServeHTTP(w, r)
		})
	})
	for _, args := range []string{"", edit} {
		status, stdout, stderr := c.run(args)
		if status != 2 || stdout != "" || !strings.Contains(stderr, "got 500 instead") {
			t.Errorf("%d\n%s%s", status, stdout, stderr)
		}
	}
	if got := c.has("back"); got != "11.11.0.0/16,11.8.0.77" {
		t.Errorf("back has %s", got)
	}
}

// Users who are not administrators see no hosts.
func TestNoHosts(t *testing.T) {
	c := small(t, nil)
	for id, name := range c.names {
		if strings.HasPrefix(name, "port-") {
			c.request(http.MethodPut, "ports/"+id, map[string]any{"port": map[string]any{"binding:host_id": ""}})
		}
	}
	status, stdout, stderr := c.run(edit)
	if status != 1 || stdout != "not known: no port has a host: only an administrator sees all ports, and their hosts\n" || !strings.Contains(stderr, "not sent") {
		t.Errorf("%d\n%s%s", status, stdout, stderr)
	}
}

// A Neutron without revision numbers would ignore the condition.
func TestNoRevisionNumbers(t *testing.T) {
	c := small(t, nil)
	c.request(http.MethodPut, "subnets/"+c.ids["back"], map[string]any{"subnet": map[string]any{"revision_number": nil}})
	if status, stdout, stderr := c.run(edit + " -unsafe"); status != 2 || stdout != "" || !strings.Contains(stderr, "no revision numbers") {
		t.Errorf("%d\n%s%s", status, stdout, stderr)
	}
}

// Anyone can make a port that names any instance, in any characters.
func TestNamesForgeNoLine(t *testing.T) {
	c := small(t, nil)
	port := c.instance("d\nleft out: forged", "back")[0]
	c.request(http.MethodPut, "ports/"+port, map[string]any{
		"port": map[string]any{"fixed_ips": []any{map[string]any{"subnet_id": "\u202e"}}},
	})
	for _, args := range []string{"", strings.TrimSuffix(edit, " -send")} {
		_, stdout, stderr := c.run(args)
		if !strings.Contains(stdout, "left out") || strings.Contains(stdout+stderr, "\u202e") ||
			strings.Contains(stdout+stderr, "\nerror: forged") || strings.Contains(stdout+stderr, "\nleft out: forged") {
			t.Errorf("%s\n%s%s", args, stdout, stderr)
		}
	}
	if _, stdout, _ := c.run(""); !strings.Contains(stdout, `e.g. "a\nerror: forged"`) {
		t.Errorf("%s", stdout)
	}
}

func TestFlags(t *testing.T) {
	for args, want := range map[string]int{
		"-h": 0, "-x": 2, "now": 2, "-send": 2, "-old 11.11.0.0/16,11.8.0.1": 2, "-subnet a -old 11.11.0.0/16": 2, "-subnet a -new b,c": 2,
	} {
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), strings.Fields(args), &stdout, &stderr); got != want || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("%s: %d, not %d\n%s%s", args, got, want, &stdout, &stderr)
		}
	}
}
