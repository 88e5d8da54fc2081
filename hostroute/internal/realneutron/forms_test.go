package realneutron

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A form is a pair of documents, as an operator gets them.
type form struct {
	name           string
	subnets, ports []byte
	sorted         bool // subnets and ports by ID
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

	// The README's loop over the pages gives both; so do its commands.
	pages := s.shell(t, strings.Replace(readme(t, "curl"), "limit=1000", "limit=4", 1), "subnets.json", "ports.json")
	subnetPages, portPages := pages[0], pages[1]
	if n := bytes.Count(portPages, []byte(`"ports":`)); n < 4 {
		t.Errorf("the ports come in %d pages", n)
	}
	// There is no Keystone here to answer these.
	for command := range strings.Lines(readme(t, "openstack endpoint list")) {
		_, command, _ = strings.Cut(command, "$(openstack ")
		command, _, _ = strings.Cut(command, ")")
		_, stderr, err := s.openstack(t, "", strings.Fields(command)...)
		if err == nil || strings.Contains(stderr, "usage:") || strings.Contains(stderr, "is not an openstack command") {
			t.Errorf("openstack %s: %v\n%s", command, err, stderr)
		}
	}
	commands := s.shell(t, readme(t, "openstack subnet list"), "subnets.json", "ports.json")
	return []form{
		{"API", s.get(t, "subnets"), s.get(t, "ports"), false},
		{"API, by ID", s.get(t, "subnets"+byID), s.get(t, "ports"+byID), true},
		{"API, in pages", subnetPages, portPages, true},
		{"API, one by one", each("subnet"), each("port"), true},
		{"subnet list, port show", commands[0], commands[1], false},
		{"subnet list by ID, port show", s.script(t, []string{"subnet list --long -f json --sort-column ID"}), portShows, true},
		{"subnet show, port show", show("subnet"), portShows, true},
	}
}

// readme returns the README's shell commands that have a text in them.
func readme(t *testing.T, text string) string {
	t.Helper()
	file, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(file), "\n```sh\n")[1:] {
		if block, _, _ := strings.Cut(part, "```"); strings.Contains(block, text) {
			return block
		}
	}
	t.Fatalf("the README has no commands with %q", text)
	return ""
}

// shell runs commands in a directory of their own, and returns the files that they leave there.
func (s server) shell(t *testing.T, commands string, files ...string) (list [][]byte) {
	t.Helper()
	sh := exec.Command("sh", "-e", "-c", commands)
	sh.Dir, sh.Env = t.TempDir(), append(s.environment(), "NEUTRON="+string(s), "TOKEN=none")
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, commands, out)
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(sh.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return list
}
