package hostroute_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write CODES.md and the README's table of codes")

// The catalogue is documented in CODES.md and in the README's table. Both are written from Rules.
func TestCatalogueIsDocumented(t *testing.T) {
	const command = "go test ./hostroute -run TestCatalogueIsDocumented -update"
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const head = "| code | severity | what is wrong |\n|---|---|---|\n"
	before, rest, found := strings.Cut(string(readme), head)
	_, after, closed := strings.Cut(rest, "\n\n")
	if !found || !closed {
		t.Fatal("README.md has no table of codes")
	}
	var table strings.Builder
	for _, r := range hostroute.Rules() {
		fmt.Fprintf(&table, "| [%s](hostroute/CODES.md#%s) | %v | %s |\n", r.Code, r.Code, r.Severity, r.Title)
	}
	for name, want := range map[string]string{"../README.md": before + head + table.String() + "\n" + after, "CODES.md": codes(t)} {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale; to write it: %s\n(-want +got):\n%s", name, command, diff)
		}
	}
}

// codes returns CODES.md: a section for each code, with its example as the library prints it.
func codes(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`# Codes

What each finding means, when it is found, and what to do. With an error, a route never takes effect
as configured, or data does not go where the route says. With a warning, where data goes depends on the guest's
DHCP client or on order, or some data is at risk. With an info, no packet is affected.

Each example shows the instance's routing table, the verdict on each of its host routes, and the
finding with its fixes. The fixes are for this one instance: another one on the subnet may need what a fix removes.

A verdict names the class of the next hop, then the effect of the route:

- own-gateway is the gateway of the subnet that has the host route, and other-gateway is the gateway of another NIC's subnet. Only these
  two stand for the hypervisor. on-link is 0.0.0.0, own-address one of the NIC's own addresses, not-gateway another address that the NIC
  reaches directly, off-link one that it does not reach directly, and unusable an address that cannot be a next hop.
- A route steers if, without it, some data would leave by another NIC or have no route. It is redundant if its data would leave by the
  same NIC anyway, single-nic if there is no other NIC, and shadowed if other routes cover every address of it. It is refused if the guest
  does not install it, and not-offered if it never reaches the guest.

A sibling route is an on-link route that Neutron adds for another subnet of the NIC's network. DefaultNIC is the
NIC whose default route the guest is told to keep. To replace a next hop with the openstack command, first
set the new host route, then unset the old one. So the list always has one of them.
`)
	for _, r := range hostroute.Rules() {
		report := analyze(t, r.Example)
		fmt.Fprintf(&b, "\n## %s\n\n**%v: %s**\n\n", r.Code, r.Severity, r.Title)
		fmt.Fprintf(&b, "When: %s\n\nWhy: %s\n\nRemedy: %s\n\n```text\n", r.When, r.Why, r.Remedy)
		if len(report.Table) == 0 {
			fmt.Fprintln(&b, "(no route)")
		}
		fmt.Fprintf(&b, "%v\n", report.Table)
		for i, v := range report.Verdicts {
			if i == 3 && len(report.Verdicts) > 4 {
				fmt.Fprintf(&b, "... and %d more\n", len(report.Verdicts)-i)
				break
			}
			fmt.Fprintln(&b, v)
		}
		if len(report.Verdicts) > 0 {
			fmt.Fprintln(&b)
		}
		for _, f := range report.Findings {
			fmt.Fprintln(&b, f)
			for _, fix := range f.Fixes {
				fmt.Fprintln(&b, "fix:", fix.Message)
			}
		}
		b.WriteString("```\n")
		if r.Code == hostroute.CodeMultipleDefaults {
			b.WriteString(oneDefault(t))
		}
	}
	return b.String()
}

// oneDefault shows the hook of dhclient that the lab's guests run.
func oneDefault(t *testing.T) string {
	hook, err := os.ReadFile("internal/lab/testdata/one-default")
	if err != nil {
		t.Fatal(err)
	}
	return "\nThe hook for dhclient is a file in /etc/dhcp/dhclient-enter-hooks.d, with the other NICs in place of eth1 and eth2, by their names in the guest:\n\n```sh\n" + string(hook) + "```\n"
}
