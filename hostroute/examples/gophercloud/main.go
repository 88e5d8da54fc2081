// Command gophercloud audits the host routes of an OpenStack cloud through gophercloud, and makes one edit of them.
//
//	gophercloud [-endpoint URL] [-subnet ID [-old HOSTROUTE] [-new HOSTROUTE] [-send [-unsafe]]]
//
// Without -subnet it lists all subnets and ports, and prints what is wrong in some instance, the worst first, with the
// fixes. With -subnet it prints what an edit of that subnet moves in the whole cloud: -old is the host route that goes and
// -new the one that comes, as DESTINATION,NEXTHOP; with both, one takes the other's place. Only -send changes the cloud. It
// refuses an edit that moves data, or may move it, without -unsafe, and any edit of a subnet that somebody has changed since
// the program began to read.
//
// OS_CLOUD names the cloud in clouds.yaml. Without it, the variables are those of gophercloud's AuthOptionsFromEnv:
// OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_DOMAIN_NAME and so on. -endpoint is for a Neutron without
// Keystone. Only an administrator sees the ports of all projects and their hosts.
//
// The exit status is 0; or 1 if an edit was not sent, because data moves or the subnet has changed; or 2 if the flags cannot be
// used, or the cloud cannot be asked or refuses the edit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Exit statuses.
const (
	statusDone     = 0
	statusNotSent  = 1
	statusUnusable = 2
)

// options are the flags.
type options struct {
	endpoint     string
	edit         hostroute.Edit
	send, unsafe bool
}

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opt, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return statusDone
	}
	if err != nil {
		return statusUnusable // parse has said why
	}
	err = work(ctx, opt, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "gophercloud:", oneLine(err.Error()))
	}
	switch {
	case errors.Is(err, errNotSent):
		return statusNotSent
	case err != nil:
		return statusUnusable
	}
	return statusDone
}

// parse reads the command line. If it cannot be used, it says why on stderr.
func parse(args []string, stderr io.Writer) (*options, error) {
	opt := &options{}
	flags := flag.NewFlagSet("gophercloud", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: gophercloud [flags]\nWithout -subnet, the whole cloud is audited.")
		flags.PrintDefaults()
	}
	flags.StringVar(&opt.endpoint, "endpoint", "", "the `URL` of a Neutron without Keystone, such as http://127.0.0.1:9696")
	flags.StringVar(&opt.edit.Subnet, "subnet", "", "the `ID` of the subnet to edit")
	hostRoute := func(to *hostroute.HostRoute) func(string) error {
		return func(s string) (err error) {
			*to, err = hostroute.ParseHostRoute(s)
			return err
		}
	}
	flags.Func("old", "the host `route` that goes, as DESTINATION,NEXTHOP", hostRoute(&opt.edit.Old))
	flags.Func("new", "the host `route` that comes, as DESTINATION,NEXTHOP", hostRoute(&opt.edit.New))
	flags.BoolVar(&opt.send, "send", false, "make the edit, if it moves no data")
	flags.BoolVar(&opt.unsafe, "unsafe", false, "with -send: make it although it moves data, or may move it")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	err := error(nil)
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("there are %d arguments, and there should be none", flags.NArg())
	case opt.edit.Subnet == "" && *opt != (options{endpoint: opt.endpoint}):
		err = errors.New("-old, -new, -send and -unsafe need -subnet")
	}
	if err != nil {
		fmt.Fprintln(stderr, "gophercloud:", err)
		flags.Usage()
	}
	return opt, err
}

// work prints the audit of the cloud, or what an edit moves. It sends the edit if it is asked to and may.
func work(ctx context.Context, opt *options, out io.Writer) error {
	client, err := connect(ctx, opt.endpoint)
	if err != nil {
		return err
	}
	var revision int
	if opt.edit.Subnet != "" {
		// The number is read before the lists: a change from here on is refused, because the lists may not have it.
		if revision, err = revisionNumber(ctx, client, opt.edit.Subnet); err != nil {
			return err
		}
	}
	cloud, err := read(ctx, client)
	if err != nil {
		return err
	}
	for _, p := range cloud.Problems {
		fmt.Fprintln(out, "left out:", p)
	}
	all, err := add(cloud)
	if err != nil {
		return err
	}
	if opt.edit.Subnet == "" {
		printFindings(out, cloud, all)
		return nil
	}

	at := slices.IndexFunc(cloud.Subnets, func(s *hostroute.Subnet) bool { return s.ID == opt.edit.Subnet })
	if at < 0 {
		return fmt.Errorf("subnet %q is left out", opt.edit.Subnet)
	}
	edited, err := cloud.Subnets[at].Apply(opt.edit)
	if err != nil {
		return err
	}
	impact, err := all.Impact(opt.edit)
	if err != nil {
		return err
	}
	unknown := doubts(cloud, cloud.Subnets[at])
	printImpact(out, impact, unknown)
	switch {
	case !opt.send:
		fmt.Fprintln(out, "nothing is sent without -send")
		return nil
	case !opt.unsafe && (!impact.None() || len(unknown) > 0):
		return fmt.Errorf("%w, because data moves or may move: -unsafe sends it all the same", errNotSent)
	}
	return send(ctx, client, edited, revision, out)
}

// add adds the whole cloud to an audit.
func add(cloud *neutron.Deployment) (*audit.Audit, error) {
	var all audit.Audit
	for _, s := range cloud.Subnets {
		if err := all.AddSubnet(s); err != nil {
			return nil, fmt.Errorf("subnet %q: %w", s.ID, err)
		}
	}
	for _, in := range cloud.Instances {
		// If you know the order of the NICs in the guests, the NIC whose default route they keep (in.DefaultNIC), or their
		// DHCP client (in.Guest), set it here.
		if err := all.Add(in); err != nil {
			return nil, fmt.Errorf("instance %q: %w", in.Name, err)
		}
	}
	return &all, nil
}
