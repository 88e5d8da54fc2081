// Command report says what the host routes of a whole cloud do: which are wrong, how to mend them and whose data that
// moves, and which can be deleted.
//
//	report [flags] SUBNETS [PORTS]
//
// SUBNETS and PORTS are files with what Neutron's API or the openstack command prints (package neutron lists the forms).
// One of them may be -, for standard input. Without PORTS, the program looks at the subnets alone: it then knows no
// instance, and says nothing about whose data a change moves.
//
// The text begins with a summary. Each host route is counted once, as the first of these kinds that holds:
//
//	wrong    has a finding of severity error in some instance
//	risky    has a finding of severity warning in some instance
//	can go   is in the list CAN GO: if all of that list is removed at once, nothing moves. Host routes that may work once
//	         their subnet, a port or the guest is mended are not in it
//	works    steers data in some instance, whatever DHCP client and default route its guest has
//	depends  steers data in some instance with one DHCP client or default route, and not with another. udhcpc does not
//	         count, because no host route reaches it
//	idle     none of these. If one is removed, another may be needed; or too little is known, as on a subnet without an instance
//	         and with a port that is left out
//	unknown  no instance is known: the subnet alone shows nothing wrong
//
// Then come the wrong and the risky host routes, each with its best fix and what the fix does to all instances. If every fix
// moves data, the one that moves it in the fewest instances comes first. Commands are printed only for fixes that move no
// data, and for the list of a subnet with netmask-spelling, which has to be rewritten before the rest can be analysed. A host
// route that CAN GO lists has its command there alone. The commands of one fix are joined by &&, so that none runs after one
// that failed. Fixes that move no data can be done together, after CAN GO and in their order, unless they say "do it alone": they
// would move data together with the others, or their command writes a whole list. CAN GO has its commands in an order in which no
// data moves in between, or says that there is none.
//
// In "steers in 1, depends on the guest in 3", what the host route does in 3 instances depends on the guest's default route, on
// its DHCP client, or on the order in which it gets the host routes. They count nowhere else: only numbers behind "if guests
// are as assumed" (-guest and the default routes) count them again.
//
// A fix "may move data" if it moves none while guests are as assumed, and may move some otherwise. The text then names such a move
// in one instance, with the DHCP client or the default route that makes the difference. If it names none, something else decides,
// such as the order of the list, or whether a long offer arrives.
//
// # Flags
//
//	-instance NAME         print the routing table, verdicts and findings of one instance (its device_id)
//	-to ADDRESS            with -instance: say only by which NIC data to the address leaves, and why
//	-guests                with -instance: say only to which destinations DHCP clients send data by different NICs, and by
//	                       which. "eth0 or eth1" is open: the client configures NICs at once, and which lease comes first decides
//	-subnet ID             print all that is known of one subnet
//	-before SUBNETS,PORTS  print what changed since these older documents: host routes, findings, and whose data moved or may have
//	                       moved. NICs are in the order of these; ports that are new come last. To see what a change without a command
//	                       would move, make it in a copy: report -before SUBNETS,PORTS COPY PORTS
//	-problems              print only what in the documents could not be read and was left out
//	-json                  print one JSON object (see below)
//	-guest NAME            the DHCP client of all guests: dhclient (the default), systemd-networkd, NetworkManager, dhcpcd or
//	                       udhcpc
//	-default-subnet ID     guests keep the default route of their NIC on this subnet; may be repeated, and the first
//	                       that an instance has counts
//	-default-nic NAME      guests that have a NIC of this name, and none on a -default-subnet, keep its default route.
//	                       NICs are called eth0, eth1, ... in the order of the file
//	-config-drive yes|no   whether guests read the config drive, which configures IPv4 subnets without DHCP. Without this
//	                       flag, the program assumes that none does, and prints no command for a removal that depends on it
//	-fail SEVERITY         exit with 1 at findings of this severity or above: info, warning or error (the default)
//	-baseline FILE         leave the findings that the file accepts out of the exit status
//	-write-baseline FILE   write such a file for the findings at or above -fail; print no report. An existing file
//	                       is overwritten, and its reasons are kept
//	-unsafe                print also the commands of fixes that move data, below a comment that says so, and list all that
//	                       they move
//	-all                   list the host routes that are not wrong or risky, too, with their findings of severity info, and the
//	                       instances with several default routes. -instance and -subnet always list all of theirs
//
// # Exit status
//
// The status is 0; or 1 if there is a finding at or above -fail that the baseline does not accept; or 2 if the input
// cannot be used or the output not be written. With -instance and -subnet only their findings count, with -to, -guests and
// -problems none, and with -before all that there are now.
//
// # Baseline
//
// A baseline is a JSON file of findings that are known and accepted:
//
//	{"version": 1, "accepted": [
//		{"code": "next-hop-not-gateway", "subnet": "ID", "host_route": {"destination": "10.71.0.0/16", "nexthop": "10.70.0.77"}, "reason": "..."},
//		{"code": "no-lease", "subnet": "ID", "reason": "..."},
//		{"code": "multiple-defaults", "instance": "NAME", "reason": "..."}]}
//
// A finding of an instance has the instance, and one of a NIC its port, too. Each entry must have a reason. So
// -write-baseline makes a file that is refused until someone has filled them in. It takes over the reasons of the file that is
// there, and those of -baseline. Entries that match nothing are reported, and do not change the status. The text has the
// reason at each host route that is accepted, and their number at the head of the section.
//
// # JSON
//
// With -json the output is one object on one line. Lists and objects are never null. Members may be added.
//
//	version      1
//	summary
//	  subnets, host_routes, instances   numbers; what is left out does not count
//	  kinds             the number of host routes of each kind
//	  left_out          the numbers of left out subnets and instances
//	  several_defaults  the number of instances with several default routes and nothing that says which one is kept
//	  default_subnets, default_nic      the flags
//	  guest             the DHCP client that all guests are assumed to have
//	  fail              the flag
//	  failing           the number of findings that make the status 1
//	  accepted          the number of findings that the baseline accepts
//	  unmatched         the entries of the baseline that match nothing
//	host_routes   the members of audit.Usage, the worst first, and
//	  name        the name of the subnet; may be ""
//	  kind        as above
//	  code        the worst of its codes; may be ""
//	  can_go      whether it is in the list CAN GO
//	findings      the members of audit.Occurrence, the worst first, and
//	  harmless    for each of its fixes whether nothing moves, for sure, and no instance gets a new error. It is false
//	              where that is not known, as for a fix without edits
//	  accepted    whether the baseline accepts it, in all instances
//	problems      the members of neutron.Problem
//
// Findings of subnets that no instance has are those of hostroute.AnalyzeSubnet, with 0 instances. Of a subnet with
// netmask-spelling there is no other finding, and its host routes are wrong: they do not work as analysed.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// The files, in the order of the data:
//
//	main                        the flags, and which output they ask for
//	cloud, defaults, progress   the documents become a cloud; what is assumed of its guests
//	judge                       the audit becomes findings, host routes of a kind, and what can go
//	text, summary, lists        the report: host routes of one remedy become entries, and entries sections
//	fix, possible               the fixes of an entry: which, whom they move, and whom only with other guests
//	together, commands          which fixes go together, and their commands
//	instance, guests, subnet    one instance, one subnet
//	before, baseline, json      the other outputs
//	counts, names               the words for numbers, codes, subnets and NICs

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	statusClean    = 0
	statusFailing  = 1
	statusUnusable = 2
)

// options are the flags and arguments.
type options struct {
	documents  []string
	before     []string
	instance   string
	to         netip.Addr
	guests     bool
	subnet     string
	problems   bool
	json       bool
	defaults   defaults
	fail       hostroute.Severity
	baseline   string
	toBaseline string
	unsafe     bool
	all        bool
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
	out := bufio.NewWriter(stdout)
	failing, err := report(opt, stdin, out, stderr)
	if err == nil {
		err = out.Flush()
	}
	switch {
	case err != nil:
		complain(stderr, err)
		return statusUnusable
	case failing > 0:
		return statusFailing
	}
	return statusClean
}

// complain prints errors, one a line.
func complain(stderr io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			complain(stderr, err)
		}
		return
	}
	fmt.Fprintln(stderr, "report:", oneLine(err.Error()))
}

// parse reads the command line. If it cannot be used, it says why on stderr.
func parse(args []string, stderr io.Writer) (*options, error) {
	opt := &options{fail: hostroute.SeverityError}
	opt.defaults.guest = hostroute.GuestDhclient
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	named := func(to *string) func(string) error {
		return func(s string) error {
			if *to = s; s == "" { // such as a shell's variable that is not set
				return errors.New("it is empty")
			}
			return nil
		}
	}
	flags.Func("instance", "print the routing table, verdicts and findings of the instance with this `name` (its device_id)", named(&opt.instance))
	flags.TextVar(&opt.to, "to", netip.Addr{}, "with -instance: say only by which NIC data to this `address` leaves, and why")
	flags.BoolVar(&opt.guests, "guests", false, "with -instance: say only to which destinations DHCP clients send data by different NICs, and by which")
	flags.Func("subnet", "print all that is known of the subnet with this `ID`", named(&opt.subnet))
	flags.Func("before", "print what changed since these older documents, `SUBNETS,PORTS`: report -before OLDSUBNETS,OLDPORTS SUBNETS PORTS", func(s string) error {
		opt.before = strings.Split(s, ",")
		return nil
	})
	flags.BoolVar(&opt.problems, "problems", false, "print only what was left out, and why")
	flags.BoolVar(&opt.json, "json", false, "print one JSON object")
	flags.Func("guest", "the DHCP `client` of all guests: "+guestNames(hostroute.Guests()), func(s string) (err error) {
		opt.defaults.guest, err = parseGuest(s)
		return err
	})
	flags.Func("default-subnet", "guests keep the default route of their NIC on the subnet with this `ID`; may be repeated, and the first that an instance has counts", func(s string) error {
		opt.defaults.subnets = append(opt.defaults.subnets, s)
		return nil
	})
	flags.StringVar(&opt.defaults.nic, "default-nic", "", "guests that have a NIC with this `name`, and none on a -default-subnet, keep its default route")
	flags.Func("config-drive", "whether guests read the config drive: `yes or no`", func(s string) error {
		if s != "yes" && s != "no" {
			return errors.New("it is yes or no")
		}
		opt.defaults.configDrive = s
		return nil
	})
	flags.TextVar(&opt.fail, "fail", opt.fail, "exit with 1 at findings of this `severity` or above: info, warning or error")
	flags.StringVar(&opt.baseline, "baseline", "", "leave the findings that this `file` accepts out of the exit status")
	flags.StringVar(&opt.toBaseline, "write-baseline", "", "write the findings at or above -fail to this `file`, to be accepted with a reason")
	flags.BoolVar(&opt.unsafe, "unsafe", false, "print also the commands of fixes that move data, below a comment that says so, and list all that they move")
	flags.BoolVar(&opt.all, "all", false, "list the host routes that are not wrong or risky, too (-instance and -subnet always do)")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage: report [flags] SUBNETS [PORTS]\nOne of the two files may be -, for standard input. Without PORTS, the subnets are looked at alone.")
		flags.PrintDefaults()
		return nil, err
	case err == nil:
		opt.documents = flags.Args()
		if err = opt.check(); err == nil {
			return opt, nil
		}
		complain(stderr, err)
	}
	fmt.Fprintln(stderr, "report -h lists the flags")
	return nil, err
}

// check returns an error if the flags and arguments do not go together.
func (opt *options) check() error {
	if n := len(opt.documents); n != 1 && n != 2 {
		return fmt.Errorf("there are %d arguments, not SUBNETS and PORTS (flags come before them)", n)
	}
	if opt.fail == 0 {
		return errors.New("-fail takes info, warning or error")
	}
	if (opt.to.IsValid() || opt.guests) && opt.instance == "" {
		return errors.New("-to and -guests need -instance")
	}
	if opt.to.IsValid() && opt.guests {
		return errors.New("only one of -to and -guests can be given")
	}
	if opt.before != nil && len(opt.before) != len(opt.documents) {
		return fmt.Errorf("-before takes as many documents as there are now, with a comma between them: %d and not %d", len(opt.documents), len(opt.before))
	}
	inputs := 0
	for _, name := range slices.Concat(opt.documents, opt.before) {
		if name == "-" {
			inputs++
		}
	}
	if inputs > 1 {
		return errors.New("only one document can be standard input")
	}
	outputs := 0
	for _, asked := range []bool{opt.instance != "", opt.subnet != "", opt.before != nil, opt.problems, opt.json, opt.toBaseline != ""} {
		if asked {
			outputs++
		}
	}
	if outputs > 1 {
		return errors.New("only one of -instance, -subnet, -before, -problems, -json and -write-baseline can be given")
	}
	return nil
}

// report prints what the options ask for. It returns the number of findings that make the status 1.
func report(opt *options, stdin io.Reader, out *bufio.Writer, stderr io.Writer) (failing int, err error) {
	reasons, err := readBaseline(opt.baseline)
	if err != nil {
		return 0, err
	}
	before, c, err := read(opt, stdin, stderr)
	if err != nil {
		return 0, err
	}
	p := &printer{cloud: c, opt: opt, reasons: reasons, out: out}
	switch {
	case opt.problems:
		for _, problem := range c.Problems {
			p.line(0, "%s", oneLine(problem.String()))
		}
		return 0, nil
	case opt.instance != "":
		return p.instance()
	}

	status := p.status()
	switch {
	case opt.subnet != "":
		return p.subnet(status)
	case opt.toBaseline != "":
		return 0, p.writeBaseline()
	case opt.before != nil:
		p.changes(before)
		if status.failing > 0 {
			p.paragraph("The exit status is 1, because %s at or above %v, old ones included.", plural(status.failing, "finding is", "findings are"), opt.fail)
		}
	case opt.json:
		err = p.json(status)
	default:
		p.report(status)
	}
	return status.failing, err
}
