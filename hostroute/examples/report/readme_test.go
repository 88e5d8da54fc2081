package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const readme = "../../../README.md"

// blocks returns the README's blocks of code of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, part := range strings.Split("\n"+string(text), "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		out = append(out, block)
	}
	return out
}

// The README shows how the output of its two commands begins.
func TestReadmeShowsTheOutput(t *testing.T) {
	var commands []string
	for _, block := range blocks(t, "sh") {
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, "go run ./") {
				commands = append(commands, line)
			}
		}
	}
	outputs := blocks(t, "text")
	if len(commands) != 2 || len(outputs) < 2 {
		t.Fatalf("%d commands, %d outputs", len(commands), len(outputs))
	}
	for i, command := range commands {
		args := strings.Fields(strings.ReplaceAll(command, "./hostroute/examples/report/testdata", "testdata"))[3:]
		if out, _ := program(t, 1, args...); !strings.HasPrefix(out, outputs[i]) {
			t.Errorf("%s prints\n%s\nand not\n%s", command, out[:min(len(out), len(outputs[i]))], outputs[i])
		}
	}
}

// The README's loop fetches every page of both lists.
func TestReadmeFetchesAllPages(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("HOSTROUTE_REAL") == "1" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := strings.TrimPrefix(r.URL.Path, "/v2.0/")
		if list != "subnets" && list != "ports" || r.Header.Get("X-Auth-Token") != "secret" || r.URL.Query().Get("limit") != "1000" {
			http.Error(w, "no such list", http.StatusNotFound)
			return
		}
		if r.URL.Query().Get("marker") == "" {
			fmt.Fprintf(w, `{"%[1]s":[{"id":"%[1]s a"}],"%[1]s_links":[{"rel":"next","href":"http://%[2]s/v2.0/%[1]s?limit=1000&marker=a"}]}`, list, r.Host)
			return
		}
		fmt.Fprintf(w, `{"%[1]s":[{"id":"%[1]s b"}],"%[1]s_links":[{"rel":"previous","href":"http://%[2]s/v2.0/%[1]s?limit=1000"}]}`, list, r.Host)
	}))
	defer server.Close()
	for _, block := range blocks(t, "sh") {
		if !strings.Contains(block, "curl") {
			continue
		}
		sh := exec.Command("sh", "-e", "-c", block)
		sh.Dir = t.TempDir()
		sh.Env = append(os.Environ(), "NEUTRON="+server.URL, "TOKEN=secret")
		if out, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, list := range []string{"subnets", "ports"} {
			got, err := os.ReadFile(filepath.Join(sh.Dir, list+".json"))
			if err != nil || strings.Count(string(got), `"id":"`+list+` a"`) != 1 || strings.Count(string(got), `"id":"`+list+` b"`) != 1 {
				t.Errorf("got %s, %v", got, err)
			}
		}
		return
	}
	t.Error("no block with curl")
}
