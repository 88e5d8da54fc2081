// Command report prints the routing table of every instance of a deployment, and what is wrong with its host routes.
// Its arguments, SUBNETS.json and PORTS.json, hold what Neutron's API or the openstack command line prints; without ports, it
// tells of the subnets alone. It exits with 0; with 1 if there are findings at or above -fail; with 2 if the input is unusable.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) (code int) {
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
	if err == nil && *asJSON {
		err = json.NewEncoder(stdout).Encode(reports)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	for _, r := range reports {
		if !*asJSON {
			stdout.Write(text(r))
		}
		if r.Worst() >= fail {
			code = 1
		}
	}
	return code
}

func decode(names []string) (*neutron.Deployment, error) {
	subnets, err := os.ReadFile(names[0])
	if err != nil {
		return nil, err
	}
	if len(names) == 1 {
		return neutron.DecodeSubnets(bytes.NewReader(subnets))
	}
	ports, err := os.ReadFile(names[1])
	if err != nil {
		return nil, err
	}
	return neutron.Decode(bytes.NewReader(subnets), bytes.NewReader(ports))
}

// analyze returns a report for each instance, and one without a name for what is of no instance.
func analyze(names []string, defaultNIC string) ([]*hostroute.Report, error) {
	d, err := decode(names)
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
		for _, nic := range in.NICs {
			if nic.Name == defaultNIC {
				in.DefaultNIC, found = defaultNIC, true
			}
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

// text is a report for a person.
func text(r *hostroute.Report) []byte {
	var b []byte
	if r.Instance != "" {
		b = fmt.Appendf(b, "%s\n%v", r.Instance, r.Table)
	}
	for _, f := range r.Findings {
		b = fmt.Appendf(b, "%v: %v\n", f.Severity, f)
		for _, fix := range f.Fixes {
			b = fmt.Appendf(b, "  fix: %s\n", fix.Message)
		}
	}
	return append(b, '\n')
}
