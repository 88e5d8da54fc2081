package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// What the program prints.

// printFindings prints what moves or loses packets.
func printFindings(out io.Writer, cloud *neutron.Deployment, all *audit.Audit) {
	for _, f := range cloud.Findings {
		fmt.Fprintf(out, "%v: %v\n", f.Severity, f)
	}
	for o := range all.Findings() {
		if o.Finding.Severity < hostroute.SeverityWarning {
			continue
		}
		fmt.Fprintf(out, "%v: %v; instances: %d, e.g. %s\n", o.Finding.Severity, o.Finding, o.Instances, quoted(o.Examples[0]))
		for _, fix := range o.Fixes {
			fmt.Fprintln(out, "  fix:", fix.Message)
		}
	}
}

// printImpact prints what an edit does, and what is not known about that.
func printImpact(out io.Writer, impact *audit.Impact, unknown []string) {
	for _, m := range impact.Moves {
		from, to := cmp.Or(quoted(m.From), "no route"), cmp.Or(quoted(m.To), "no route")
		fmt.Fprintf(out, "moves %v from %s to %s; instances: %d, e.g. %s\n", m.Destinations, from, to, m.Instances, quoted(m.Examples[0]))
	}
	if impact.Uncertain > 0 {
		fmt.Fprintf(out, "may move more with another DHCP client or default route; instances: %d\n", impact.Uncertain)
	}
	for _, o := range impact.New {
		fmt.Fprintf(out, "new %v: %v; instances: %d, e.g. %s\n", o.Finding.Severity, o.Finding, o.Instances, quoted(o.Examples[0]))
	}
	for _, doubt := range unknown {
		fmt.Fprintln(out, "not known:", doubt)
	}
	if impact.None() && len(unknown) == 0 {
		fmt.Fprintf(out, "moves no data; instances on the subnet: %d\n", impact.Touched)
	}
}

// quoted returns a name as it is safe to print: tenants choose names. One with anything to escape is quoted.
func quoted(name string) string { return hostroute.Ref{Subnet: name}.String() }

// oneLine returns a message that may have names in it. If any of its characters is not printable, all of it is quoted.
func oneLine(message string) string {
	if utf8.ValidString(message) && !strings.ContainsFunc(message, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return message
	}
	return strconv.Quote(message)
}
