// Command report prints the routing table of every instance of a deployment, and what is wrong with its host routes.
// Its arguments, SUBNETS.json and PORTS.json, hold what Neutron's API or the openstack command line prints; without ports, it
// tells of the subnets alone. It exits with 0; with 1 if there are findings at or above -fail; with 2 if the input is unusable.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	fail := hostroute.SeverityError
	flags := flag.NewFlagSet("report [flags] SUBNETS.json [PORTS.json]", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.TextVar(&fail, "fail", fail, "exit with 1 at findings of this `severity` or above")
	asJSON := flags.Bool("json", false, "print the reports as JSON")
	defaultNIC := flags.String("default-nic", "", "the `name` of the NIC whose default the guests keep")
	if flags.Parse(args) != nil {
		return 2
	}
	if flags.NArg() < 1 || flags.NArg() > 2 || fail == 0 {
		flags.Usage()
		return 2
	}
	reports, err := analyze(flags.Args(), *defaultNIC)
	if err == nil {
		err = write(stdout, reports, *asJSON)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if slices.ContainsFunc(reports, func(r *hostroute.Report) bool { return r.Worst() >= fail }) {
		return 1
	}
	return 0
}

// analyze returns a report for each instance, and one without a name for what is of no instance.
func analyze(names []string, defaultNIC string) (reports []*hostroute.Report, err error) {
	documents := make([][]byte, len(names))
	for i, name := range names {
		if documents[i], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	var d *neutron.Deployment
	if len(names) == 1 {
		d, err = neutron.DecodeSubnets(bytes.NewReader(documents[0]))
	} else {
		d, err = neutron.Decode(bytes.NewReader(documents[0]), bytes.NewReader(documents[1]))
	}
	if err != nil {
		return nil, err
	}
	rest := &hostroute.Report{Table: hostroute.Table{}, Verdicts: []hostroute.Verdict{}, Findings: d.Findings}
	for i := 0; len(names) == 1 && i < len(d.Subnets); i++ {
		findings, err := hostroute.AnalyzeSubnet(d.Subnets[i])
		if err != nil {
			return nil, fmt.Errorf("subnet %s: %w", d.Subnets[i].ID, err)
		}
		rest.Findings = append(rest.Findings, findings...)
	}
	reports, found := []*hostroute.Report{}, defaultNIC == ""
	for _, in := range d.Instances {
		if slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == defaultNIC }) {
			in.DefaultNIC, found = defaultNIC, true
		}
		r, err := hostroute.Analyze(in)
		if err != nil {
			return nil, fmt.Errorf("instance %s: %w", in.Name, err)
		}
		reports = append(reports, r)
	}
	if !found {
		return nil, fmt.Errorf("no instance has a NIC %q", defaultNIC)
	}
	if len(names) == 1 || len(rest.Findings) > 0 {
		reports = append(reports, rest)
	}
	return reports, nil
}

// write prints each table and its findings, and at the end what their codes mean; or all as JSON.
func write(w io.Writer, reports []*hostroute.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(reports)
	}
	b, told := bufio.NewWriter(w), make(map[hostroute.Code]bool)
	for _, r := range reports {
		fmt.Fprintf(b, "%s\n%v", cmp.Or(r.Instance, "subnets"), r.Table)
		for _, f := range r.Findings {
			told[f.Code] = true
			fmt.Fprintf(b, "%v: %v\n", f.Severity, f)
			for _, fix := range f.Fixes {
				fmt.Fprintf(b, "  fix%s: %s\n", map[bool]string{false: ", data may move"}[fix.KeepsEgress], fix.Message)
			}
		}
		fmt.Fprintln(b)
	}
	for _, rule := range hostroute.Rules() {
		if told[rule.Code] {
			fmt.Fprintf(b, "%s: %s\n", rule.Code, rule.Doc)
		}
	}
	return b.Flush()
}
