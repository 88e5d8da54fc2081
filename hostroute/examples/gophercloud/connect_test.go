package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// newKeystone starts a Keystone with one user, and a Neutron to which the first token is too old.
func newKeystone(t *testing.T) (url string) {
	neutron := newFakeNeutron(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var tokens atomic.Int32
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !bytes.Contains(body, []byte(`"password":"secret"`)) || !bytes.Contains(body, []byte(`"name":"admin"`)) {
			answer(w, http.StatusUnauthorized, map[string]any{})
			return
		}
		w.Header().Set("X-Subject-Token", fmt.Sprint("token-", tokens.Add(1)))
		endpoint := map[string]any{"interface": "public", "region": "R1", "region_id": "R1", "url": server.URL + "/network"}
		answer(w, http.StatusCreated, map[string]any{"token": map[string]any{
			"catalog": []any{map[string]any{"type": "network", "name": "neutron", "endpoints": []any{endpoint}}},
		}})
	})
	mux.HandleFunc("/network/", func(w http.ResponseWriter, r *http.Request) {
		switch token := r.Header.Get("X-Auth-Token"); {
		case r.URL.Path == "/network/":
			answer(w, http.StatusOK, map[string]any{"versions": []any{map[string]any{"id": "v2.0", "status": "CURRENT"}}})
			return
		case token == "" || token == "token-1":
			answer(w, http.StatusUnauthorized, map[string]any{})
			return
		}
		http.Redirect(w, r, neutron+strings.TrimPrefix(r.URL.RequestURI(), "/network"), http.StatusTemporaryRedirect)
	})
	return server.URL + "/v3"
}

// clearEnvironment hides what the environment says about clouds.
func clearEnvironment(t *testing.T) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OS_") {
			t.Setenv(name, "")
		}
	}
}

func TestConnect(t *testing.T) {
	user := map[string]string{"OS_USERNAME": "admin", "OS_PASSWORD": "secret", "OS_PROJECT_NAME": "admin", "OS_DOMAIN_NAME": "Default"}
	for _, test := range []struct {
		name        string
		environment []map[string]string
		status      int
		stderr      string // which the output contains
	}{
		{"variables", []map[string]string{user, {"OS_REGION_NAME": "R1"}}, 0, ""},
		{"clouds.yaml", []map[string]string{{"OS_CLOUD": "test"}}, 0, ""},
		{"another region", []map[string]string{user, {"OS_REGION_NAME": "R2"}}, 2, "No suitable endpoint"},
		{"another password", []map[string]string{user, {"OS_PASSWORD": "guess"}}, 2, "got 401 instead"},
		{"no user", nil, 2, "OS_USERNAME"},
	} {
		t.Run(test.name, func(t *testing.T) {
			keystone := newKeystone(t)
			file := filepath.Join(t.TempDir(), "clouds.yaml")
			err := os.WriteFile(file, []byte("clouds: {test: {region_name: R1, auth: {auth_url: '"+keystone+
				"', username: admin, password: secret, project_name: admin, user_domain_name: Default, project_domain_name: Default}}}\n"), 0o600)
			if err != nil {
				t.Fatal(err)
			}
			clearEnvironment(t)
			t.Setenv("OS_AUTH_URL", keystone)
			t.Setenv("OS_CLIENT_CONFIG_FILE", file)
			for _, variables := range test.environment {
				for name, value := range variables {
					t.Setenv(name, value)
				}
			}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), nil, &stdout, &stderr)
			if status != test.status || stdout.Len() > 0 || !strings.Contains(stderr.String(), test.stderr) || test.status == 0 && stderr.Len() > 0 {
				t.Errorf("%d\n%s%s", status, &stdout, &stderr)
			}
		})
	}
}
