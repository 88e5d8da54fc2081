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
	"strings"

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
	subnets, reports, err := analyze(flags.Args(), *defaultNIC)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(reports)
	} else if err == nil {
		err = write(subnets, reports)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if slices.ContainsFunc(reports, func(r *hostroute.Report) bool { return r.Worst() >= fail }) {
		os.Exit(1)
	}
}

// analyze returns the subnets by ID, and a report for each instance and one without a name for what is of no instance.
func analyze(names []string, defaultNIC string) (_ map[string]*hostroute.Subnet, _ []*hostroute.Report, err error) {
	documents := [][]byte{nil, []byte(`{"ports":[]}`)}
	for i, name := range names {
		if documents[i], err = os.ReadFile(name); err != nil {
			return nil, nil, err
		}
	}
	d, err := neutron.Decode(bytes.NewReader(documents[0]), bytes.NewReader(documents[1]))
	if err != nil {
		return nil, nil, err
	}
	if len(d.Problems) > 0 {
		return nil, nil, fmt.Errorf("%v, and %d more problems", d.Problems[0], len(d.Problems)-1)
	}
	subnets, reports, found := make(map[string]*hostroute.Subnet), []*hostroute.Report{}, defaultNIC == ""
	for _, in := range d.Instances {
		for _, nic := range in.NICs {
			if nic.Name == defaultNIC {
				in.DefaultNIC, found = defaultNIC, true
			}
			for _, s := range nic.Subnets {
				subnets[s.ID] = s
			}
		}
		r, err := hostroute.Analyze(in)
		if err != nil {
			return nil, nil, fmt.Errorf("instance %s: %w", in.Name, err)
		}
		reports = append(reports, r)
	}
	if !found {
		return nil, nil, fmt.Errorf("no instance has a NIC %q", defaultNIC)
	}
	rest := &hostroute.Report{Table: hostroute.Table{}, Verdicts: []hostroute.Verdict{}, Findings: d.Findings}
	for _, s := range d.Subnets {
		if subnets[s.ID] == nil { // it is of no instance
			findings, err := hostroute.AnalyzeSubnet(s)
			if err != nil {
				return nil, nil, fmt.Errorf("subnet %s: %w", s.ID, err)
			}
			subnets[s.ID], rest.Findings = s, append(rest.Findings, findings...)
		}
	}
	if len(names) == 1 || len(rest.Findings) > 0 {
		reports = append(reports, rest)
	}
	return subnets, reports, nil
}

// write prints each table, its findings and the commands of their fixes, and at the end what the codes mean.
func write(subnets map[string]*hostroute.Subnet, reports []*hostroute.Report) error {
	w, told := bufio.NewWriter(os.Stdout), make(map[hostroute.Code]bool)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\n%v", cmp.Or(r.Instance, "subnets"), r.Table)
		for _, f := range r.Findings {
			told[f.Code] = true
			fmt.Fprintf(w, "%v: %v\n", f.Severity, f)
			for _, fix := range f.Fixes {
				fmt.Fprintf(w, "  fix%s: %s\n", map[bool]string{false: ", data may move"}[fix.KeepsEgress], fix.Message)
				for _, e := range fix.Edits {
					if fixed, err := subnets[e.Subnet].Apply(fix.Edits...); err == nil {
						fmt.Fprintf(w, "    %s\n", strings.Join(neutron.ReplaceCommand(fixed), " "))
					}
				}
			}
		}
		fmt.Fprintln(w)
	}
	for _, rule := range hostroute.Rules() {
		if told[rule.Code] {
			fmt.Fprintf(w, "%s: %s\n", rule.Code, rule.Doc)
		}
	}
	return w.Flush()
}
