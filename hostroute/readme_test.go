package hostroute_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
)

// The README's table of codes is the catalogue's.
func TestREADMEHasTheCatalogue(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("|---|---|---|\n")
	for _, r := range hostroute.Rules() {
		fmt.Fprintf(&want, "| %s | %v | %s |\n", r.Code, r.Severity, r.Title)
	}
	want.WriteString("\n")
	if !strings.Contains(string(readme), want.String()) {
		t.Errorf("README.md lacks the table\n%s", want.String())
	}
}
