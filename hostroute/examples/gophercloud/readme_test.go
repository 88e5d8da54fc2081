package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README shows importers lines of this program, in their order. Blank lines are where it leaves some out.
func TestReadmeShowsTheProgram(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "(hostroute/examples/gophercloud)")
	text, rest, _ := strings.Cut(rest, "```go\n")
	block, _, _ := strings.Cut(rest, "```")
	var help bytes.Buffer
	run(t.Context(), []string{"-h"}, io.Discard, &help)
	for _, flag := range regexp.MustCompile("`(-[a-z]+)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(help.String(), "\n  "+flag[1]) {
			t.Errorf("the program has no flag %s", flag[1])
		}
	}
	var source []string
	for _, file := range []string{"cloud.go", "main.go", "cloud.go"} { // reading, then the edit, then sending it
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			source = append(source, strings.TrimSpace(line))
		}
	}
	shown := 0
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		shown++
		for len(source) > 0 && source[0] != line {
			source = source[1:]
		}
		if len(source) == 0 {
			t.Fatalf("not a line of the program, or not in this place: %s", line)
		}
		source = source[1:]
	}
	if shown != 10 {
		t.Errorf("the README shows %d lines, not 10", shown)
	}
}
