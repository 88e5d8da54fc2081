// Command report prints the routing table of every instance of a deployment, and what is wrong with its host routes.
// Its arguments, SUBNETS.json and PORTS.json, hold what Neutron's API or the openstack command line prints; subnets of no
// instance are looked at alone. It exits with 0; with 1 if there are findings at or above -fail; with 2 if the input is unusable.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

func main() {
	fail := hostroute.SeverityError
	flags := flag.NewFlagSet("report [flags] SUBNETS.json [PORTS.json]", flag.ExitOnError)
	flags.TextVar(&fail, "fail", fail, "exit with 1 at findings of this `severity` or above: info, warning or error")
	asJSON := flags.Bool("json", false, "print the reports as JSON")
	defaultNIC := flags.String("default-nic", "", "the `name` of the NIC whose default the guests keep, where they have it")
	flags.Parse(os.Args[1:])
	if flags.NArg() < 1 || flags.NArg() > 2 || fail == 0 {
		flags.Usage()
		os.Exit(2)
	}
	c, err := analyze(flags.Args(), *defaultNIC)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(c.reports)
	} else if err == nil {
		err = c.write()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if slices.ContainsFunc(c.reports, func(r *hostroute.Report) bool { return r.Worst() >= fail }) {
		os.Exit(1)
	}
}

// A cloud is a deployment with its reports: one for each instance, and one without a name for what is
// about no instance.
type cloud struct {
	subnets   map[string]*hostroute.Subnet     // by ID
	instances map[string][]*hostroute.Instance // by the ID of a subnet that they have
	reports   []*hostroute.Report
}

func analyze(names []string, defaultNIC string) (_ *cloud, err error) {
	documents := [][]byte{nil, []byte(`{"ports":[]}`)}
	for i, name := range names {
		if documents[i], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	d, err := neutron.Decode(bytes.NewReader(documents[0]), bytes.NewReader(documents[1]))
	if err != nil {
		return nil, err
	}
	c := &cloud{make(map[string]*hostroute.Subnet), make(map[string][]*hostroute.Instance), []*hostroute.Report{}}
	found := defaultNIC == ""
	for i := range d.Instances {
		in := &d.Instances[i]
		for _, nic := range in.NICs {
			if nic.Name == defaultNIC {
				in.DefaultNIC, found = defaultNIC, true
			}
			for _, s := range nic.Subnets {
				c.subnets[s.ID] = s
				if !slices.Contains(c.instances[s.ID], in) {
					c.instances[s.ID] = append(c.instances[s.ID], in)
				}
			}
		}
		r, err := hostroute.Analyze(*in)
		if err != nil {
			return nil, fmt.Errorf("instance %q: %w", in.Name, err)
		}
		c.reports = append(c.reports, r)
	}
	if !found {
		return nil, fmt.Errorf("no instance has a NIC %q", defaultNIC)
	}
	rest := &hostroute.Report{Table: hostroute.Table{}, Verdicts: []hostroute.Verdict{}, Findings: d.Findings}
	for _, s := range d.Subnets {
		if c.subnets[s.ID] == nil { // no instance has it
			findings, err := hostroute.AnalyzeSubnet(s)
			if err != nil {
				return nil, fmt.Errorf("subnet %q: %w", s.ID, err)
			}
			c.subnets[s.ID], rest.Findings = s, append(rest.Findings, findings...)
		}
	}
	if len(names) == 1 || len(rest.Findings) > 0 {
		c.reports = append(c.reports, rest)
	}
	return c, nil
}

// write prints each table, its findings and the commands of their fixes, and at the end what the codes mean.
func (c *cloud) write() error {
	w, told := bufio.NewWriter(os.Stdout), make(map[hostroute.Code]bool)
	for _, r := range c.reports {
		fmt.Fprintf(w, "%s\n%v", cmp.Or(hostroute.Ref{Instance: r.Instance}.String(), "subnets"), r.Table)
		for _, f := range r.Findings {
			told[f.Code] = true
			fmt.Fprintf(w, "%v: %v\n", f.Severity, f)
			for _, fix := range f.Fixes {
				fmt.Fprintf(w, "  fix: %s%s\n", fix.Message, c.effect(fix))
				for _, command := range c.commands(fix) {
					fmt.Fprintf(w, "    %s\n", command)
				}
			}
		}
		fmt.Fprintln(w)
	}
	for _, rule := range hostroute.Rules() {
		if told[rule.Code] {
			fmt.Fprintf(w, "%s: %s %s %s\n", rule.Code, rule.When, rule.Why, rule.Remedy)
		}
	}
	return w.Flush()
}

// effect says what a fix moves on all instances of the subnets that it edits.
func (c *cloud) effect(fix hostroute.Fix) string {
	seen, moved := make(map[*hostroute.Instance]bool), 0
	for _, e := range fix.Edits {
		for _, in := range c.instances[e.Subnet] {
			if seen[in] {
				continue
			}
			seen[in] = true
			if impact, err := in.Impact(fix.Edits...); err != nil || !impact.None() {
				moved++
			}
		}
	}
	switch {
	case len(fix.Edits) == 0:
		return ""
	case moved == 0:
		return ": moves no data"
	}
	return fmt.Sprintf(": may move data of %d of %d instances", moved, len(seen))
}

// commands returns the commands that make a fix, one a subnet, quoted for a shell.
func (c *cloud) commands(fix hostroute.Fix) []string {
	var out, done []string
	for _, e := range fix.Edits {
		fixed, err := c.subnets[e.Subnet].Apply(fix.Edits...)
		if err != nil || slices.Contains(done, e.Subnet) {
			continue
		}
		done = append(done, e.Subnet)
		var words []string
		for _, arg := range neutron.ReplaceCommand(fixed) {
			words = append(words, shellQuote(arg))
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

// shellQuote returns an argument as a shell reads it back. A line end or another control character
// makes it $'...', so that it stays on its line.
func shellQuote(arg string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_./:=,@+%", r))
	}
	if arg != "" && !strings.ContainsFunc(arg, func(r rune) bool { return !plain(r) }) {
		return arg
	}
	if !strings.ContainsFunc(arg, func(r rune) bool { return !strconv.IsPrint(r) }) && utf8.ValidString(arg) {
		return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(arg) {
		if plain(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteString("'")
	return b.String()
}
