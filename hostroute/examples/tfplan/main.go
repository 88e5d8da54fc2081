// Command tfplan says what is wrong with the host routes of a Terraform or OpenTofu plan, before they are made.
//
//	terraform plan -out PLAN
//	terraform show -json PLAN | tfplan [flags] -
//
// The argument is a file with what `terraform show -json PLAN` or `tofu show -json PLAN` prints; - is standard input. The
// program reads the resources openstack_networking_subnet_v2, with the host_routes that older providers have, and
// openstack_networking_subnet_route_v2, of all modules, as they will be once the plan is applied. It prints one finding a
// line, with its fixes below. Findings name the resource of the host route, or the subnet's.
//
// A plan names no instance. So the findings are those that hold for every instance (hostroute.AnalyzeSubnet), and whose
// data a fix moves is not looked at.
//
// # What is not known before the apply
//
// A value that is known only after the apply is not guessed: the program says what it did not check, and why. Two things it
// finds out from the configuration that the plan holds:
//
//   - The gateway of a new subnet for which none is given. Neutron chooses it (neutron.DefaultGateway).
//   - The subnet of a host route whose subnet_id refers to one subnet, also through the variables and outputs of modules; and a
//     next_hop that refers to nothing but the gateway_ip of one.
//
// The configuration in a plan has what an expression refers to, and not the expression. So the host route is not checked if
// subnet_id refers to several subnets, to a local value or to a data source. Two things are assumed, and the program prints for
// how many host routes: if the subnet, or a module on the way, has count or for_each, the index is the one value that is named
// beside it, such as each.key or var.zone; and a next_hop that refers to a gateway is that gateway. If an index is out of range
// for one instance of a resource, it is assumed for none of them.
//
// Not checked either are host routes on a subnet that no resource of the plan makes, and what is marked as sensitive, because
// findings would print it.
//
// # Flags
//
//	-fail SEVERITY  exit with 1 at findings of this severity or above: info, warning or error (the default)
//	-sarif FILE     write SARIF 2.1.0 to the file, too; with -, to standard output in place of the text
//
// # Exit status
//
// The status is 0; or 1 if there is a finding at or above -fail; or 2 if the plan cannot be read, if it has values that no
// Neutron accepts, such as a CIDR that is none, or if the output cannot be written. What is not checked does not count.
//
// # SARIF
//
// A result's logical location is the resource's address. Its partial fingerprint hostroute/v1 is made of the code, that
// address and the destination, so that it is the same in the next plan. What is not checked, and values that no Neutron
// accepts, are notifications of the invocation.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"example.com/go-hostroute/hostroute"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	statusClean    = 0
	statusFailing  = 1
	statusUnusable = 2
)

// options are the flags and the argument.
type options struct {
	plan  string
	fail  hostroute.Severity
	sarif string
}

// run is the program. It returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	opt, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return statusClean
	}
	if err != nil {
		return statusUnusable // parse has said why
	}
	result, err := load(opt.plan, stdin)
	if err == nil {
		err = write(opt, result, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "tfplan:", oneLine(err.Error()))
		return statusUnusable
	}
	for _, n := range result.refused {
		fmt.Fprintln(stderr, "tfplan:", n)
	}
	switch {
	case len(result.refused) > 0:
		return statusUnusable
	case result.worst() >= opt.fail:
		return statusFailing
	}
	return statusClean
}

// parse reads the command line. If it cannot be used, it says why on stderr.
func parse(args []string, stderr io.Writer) (*options, error) {
	opt := &options{fail: hostroute.SeverityError}
	flags := flag.NewFlagSet("tfplan", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: tfplan [flags] PLAN\nPLAN is what `terraform show -json` or `tofu show -json` prints of a plan. It may be -, for standard input.")
		flags.PrintDefaults()
	}
	flags.TextVar(&opt.fail, "fail", opt.fail, "exit with 1 at findings of this `severity` or above: info, warning or error")
	flags.StringVar(&opt.sarif, "sarif", "", "write SARIF 2.1.0 to this `file`, too; with -, to standard output in place of the text")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	err := error(nil)
	switch {
	case flags.NArg() != 1:
		err = fmt.Errorf("there are %d arguments, not PLAN", flags.NArg())
	case opt.fail == 0:
		err = errors.New("-fail takes info, warning or error")
	}
	if err != nil {
		fmt.Fprintln(stderr, "tfplan:", err)
		flags.Usage()
		return nil, err
	}
	opt.plan = flags.Arg(0)
	return opt, nil
}

// load reads and checks a plan.
func load(name string, stdin io.Reader) (*result, error) {
	var source []byte
	var err error
	if name == "-" {
		source, err = io.ReadAll(stdin)
	} else {
		source, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	p, err := readPlan(source)
	if err != nil {
		return nil, err
	}
	return check(p)
}

// write writes what the options ask for.
func write(opt *options, r *result, stdout io.Writer) error {
	var text, sarif bytes.Buffer
	r.text(&text)
	if opt.sarif == "" {
		_, err := stdout.Write(text.Bytes())
		return err
	}
	if err := r.sarif(opt.plan, &sarif); err != nil {
		return err
	}
	if opt.sarif == "-" {
		_, err := stdout.Write(sarif.Bytes())
		return err
	}
	if err := os.WriteFile(opt.sarif, sarif.Bytes(), 0o666); err != nil {
		return err
	}
	_, err := stdout.Write(text.Bytes())
	return err
}
