package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A fakeNeutron answers as Neutron does, as far as the tests ask. What it says is held against the real one: the same tests
// run on both.
type fakeNeutron struct {
	mu    sync.Mutex
	lists map[string][]map[string]any // networks, subnets and ports, in the order of their IDs
}

func newFakeNeutron(t *testing.T) (endpoint string) {
	server := httptest.NewServer(&fakeNeutron{lists: map[string][]map[string]any{"networks": nil, "subnets": nil, "ports": nil}})
	t.Cleanup(server.Close)
	return server.URL
}

func (n *fakeNeutron) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v2.0/"), "/")
	kind := path[0]
	singular := strings.TrimSuffix(kind, "s")
	if _, known := n.lists[kind]; !known {
		refuse(w, http.StatusNotFound, "HTTPNotFound", "The resource could not be found.")
		return
	}
	var sent map[string]map[string]any
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			refuse(w, http.StatusBadRequest, "MalformedRequestBody", err.Error())
			return
		}
		if why := wrong(sent[singular]); why != "" {
			refuse(w, http.StatusBadRequest, "HTTPBadRequest", why)
			return
		}
	}
	if r.Method == http.MethodPost {
		answer(w, http.StatusCreated, map[string]any{singular: n.create(kind, sent[singular])})
		return
	}
	if len(path) == 1 {
		answer(w, http.StatusOK, n.page(kind, r))
		return
	}

	at := slices.IndexFunc(n.lists[kind], func(e map[string]any) bool { return e["id"] == path[1] })
	if at < 0 {
		refuse(w, http.StatusNotFound, "SubnetNotFound", "Subnet "+path[1]+" could not be found.")
		return
	}
	element := n.lists[kind][at]
	if r.Method == http.MethodPut {
		revision := element["revision_number"].(int)
		if match := r.Header.Get("If-Match"); match != "" && match != "revision_number="+strconv.Itoa(revision) {
			refuse(w, http.StatusPreconditionFailed, "RevisionNumberConstraintFailed",
				"Constrained to "+strings.TrimPrefix(match, "revision_number=")+", but current revision is "+strconv.Itoa(revision))
			return
		}
		element["revision_number"] = revision + 1
		maps.Copy(element, sent[singular])
	}
	answer(w, http.StatusOK, map[string]any{singular: element})
}

// create adds an element with what Neutron fills in.
func (n *fakeNeutron) create(kind string, sent map[string]any) map[string]any {
	element := map[string]any{"id": fmt.Sprintf("%08d-0000-4000-8000-%012d", len(n.lists[kind]), len(kind)), "revision_number": 0}
	if kind == "subnets" {
		element["host_routes"], element["enable_dhcp"] = []any{}, true
		element["gateway_ip"] = netip.MustParsePrefix(sent["cidr"].(string)).Addr().Next().String()
	}
	maps.Copy(element, sent)
	n.lists[kind] = append(n.lists[kind], element)
	return element
}

// page returns a list from behind the marker on. A page that is full has a link, even if nothing is left.
func (n *fakeNeutron) page(kind string, r *http.Request) map[string]any {
	list := n.lists[kind]
	query := r.URL.Query()
	if marker := query.Get("marker"); marker != "" {
		list = list[slices.IndexFunc(list, func(e map[string]any) bool { return e["id"] == marker })+1:]
	}
	body := map[string]any{kind: append([]map[string]any{}, list...)}
	if limit, _ := strconv.Atoi(query.Get("limit")); limit > 0 && limit <= len(list) {
		body[kind] = list[:limit]
		query.Set("marker", list[limit-1]["id"].(string))
		body[kind+"_links"] = []map[string]string{{"rel": "next", "href": "http://" + r.Host + r.URL.Path + "?" + query.Encode()}}
	}
	return body
}

// wrong returns what Neutron says about the first host route that it does not accept.
func wrong(element map[string]any) string {
	list, _ := element["host_routes"].([]any)
	for _, r := range list {
		destination := r.(map[string]any)["destination"].(string)
		p, err := netip.ParsePrefix(destination)
		if err == nil && (p != p.Masked() || p.Addr().IsLoopback()) {
			return "Invalid input for host_routes. Reason: '" + destination + "' is not acceptable."
		}
	}
	return ""
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers with an error as Neutron writes it.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	answer(w, status, map[string]any{"NeutronError": map[string]string{"type": kind, "message": message, "detail": ""}})
}
