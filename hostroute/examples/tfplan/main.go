// Command tfplan says what is wrong with the host routes of a Terraform or OpenTofu plan, before they are made.
//
//	terraform plan -out PLAN
//	terraform show -json PLAN | tfplan [flags] -
//
// The argument is a file with what `terraform show -json PLAN` or `tofu show -json PLAN` prints; - is standard input. The
// program reads the resources openstack_networking_subnet_v2, with the host_routes of older providers, and
// openstack_networking_subnet_route_v2, of all modules, as they will be after the apply. Those that a removed block with
// destroy = false forgets stay in Neutron, so they count. A subnet that a data source has read counts if the plan has a host route
// of it; the host routes that it has already do not count. The program prints one finding a line, with its fixes below, under the
// address of the host route's resource or the subnet's.
//
// A plan names no instance. So the program reports only what it can say about a subnet alone (hostroute.AnalyzeSubnet), and
// it does not know whose data a fix moves. A plan with -target can lack other host routes of a subnet. Terraform 1.8 and later
// mark such a plan ("complete": false), and the program then says so. OpenTofu does not mark it.
//
// # What is known only after the apply
//
// The program lists what it did not check, and why. It works out three values that are unknown in the plan:
//
//   - The gateway of a new subnet for which none is given is the one that Neutron will choose (neutron.DefaultGateway).
//   - A subnet_id is the ID of the one subnet that it refers to, directly or through variables and outputs of modules. If the
//     subnet or its module has for_each, and the configuration names each.key beside it or takes it from each.value, the
//     program assumes that each.key is its key, even if the expression changes it, and prints for how many host routes it
//     did. An index that names something else is not known. If the expression also depends on something else that is unknown,
//     such as a condition that may choose null, the program assumes the subnet, and counts that, too.
//   - A next_hop that refers to the gateway_ip of one subnet is assumed to be that gateway.
//
// # Flags
//
//	-fail SEVERITY  exit with 1 at findings of this severity or above: info, warning or error (the default)
//	-sarif FILE     write SARIF 2.1.0 to the file, too; with -, to standard output in place of the text
//
// # Exit status
//
// The status is 0; or 1 if there is a finding at or above -fail; or 2 if the plan cannot be read or `terraform plan`
// failed when it made it, if it has values that cannot be right, such as an invalid CIDR, or if the output cannot be written.
// The rest of a plan with such values is checked all the same, and a subnet whose CIDR has host bits as if they were zero.
// What is not checked does not count.
//
// # SARIF
//
// The logical location of a result is the address of its resource. The partial fingerprint hostroute/v1 consists of the
// code, the address and the destination, and for a host route in the subnet's resource the next hop and, for a copy of it, a
// number. So it is the same in the next plan, even if other resources change. What is not checked is a notification of the
// invocation.
package main

import (
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
	for _, n := range result.invalid {
		fmt.Fprintln(stderr, "tfplan:", n)
	}
	switch {
	case len(result.invalid) > 0:
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
		fmt.Fprintln(stderr, "usage: tfplan [flags] PLAN\nPLAN is a file with the output of `terraform show -json` or `tofu show -json` for a plan. It may be -, for standard input.")
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
	return check(p), nil
}

// write writes what the options ask for.
func write(opt *options, r *result, stdout io.Writer) error {
	out := r.text()
	if opt.sarif != "" {
		log, err := r.sarif(opt.plan)
		if err != nil {
			return err
		}
		if opt.sarif == "-" {
			out = log
		} else if err := os.WriteFile(opt.sarif, log, 0o666); err != nil {
			return err
		}
	}
	_, err := stdout.Write(out)
	return err
}
