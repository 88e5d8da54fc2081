package hostroute_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
)

// forged is a name that would print a line of its own: a fix with a command. It has a bidirectional
// control and an escape sequence, too.
const forged = "x\n  fix: all is well\n    rm -rf /\u202e\x1b[2J"

// texts returns everything that the library prints about an instance.
func texts(t testing.TB, in hostroute.Instance) []string {
	var out []string
	add := func(s fmt.Stringer) { out = append(out, s.String()) }
	findings := func(list []hostroute.Finding) {
		for _, f := range list {
			add(f)
			out = append(out, f.Message)
			for _, r := range f.Related {
				out = append(out, r.Ref.String(), r.Message)
			}
			for _, fix := range f.Fixes {
				out = append(out, fix.Message)
			}
		}
	}
	r := analyze(t, in)
	for _, row := range r.Table {
		add(row)
	}
	for _, v := range r.Verdicts {
		add(v)
		add(v.Subject)
	}
	findings(r.Findings)
	for _, a := range addrs("11.11.3.4", "192.0.2.1", "2001:db8::1", "fe80::1%a\nb") {
		e := r.Explain(a)
		add(e)
		for _, l := range e.Losers {
			add(l.Route)
			out = append(out, l.Reason)
		}
	}
	for _, c := range hostroute.Diff(r.Table, nil) {
		add(c)
	}
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			alone, err := hostroute.AnalyzeSubnet(s)
			if err != nil {
				t.Fatal(err)
			}
			findings(alone)
			for _, hr := range s.HostRoutes {
				i, err := in.Impact(hostroute.Edit{Subnet: s.ID, Old: hr})
				if err != nil {
					t.Fatal(err)
				}
				add(i)
				findings(i.New)
			}
		}
	}
	return out
}

func errorTexts(in hostroute.Instance) []string {
	var out []string
	var add func(err error)
	add = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				add(e)
			}
		} else if err != nil {
			out = append(out, err.Error())
		}
	}
	zoned := netip.MustParseAddr("fe80::1%a\n  fix: b\u202e")
	broken := clone(in)
	broken.DefaultNIC = "none" + forged
	for i := range broken.NICs {
		broken.NICs[i].Name = forged
		broken.NICs[i].Addrs = []netip.Addr{zoned}
		broken.NICs[i].ManualRoutes = []hostroute.HostRoute{{NextHop: zoned}}
		broken.NICs[i].Subnets = append(broken.NICs[i].Subnets, &hostroute.Subnet{ID: forged, CIDR: netip.MustParsePrefix("10.0.0.0/8"), Gateway: zoned}, &hostroute.Subnet{ID: forged})
	}
	_, err := hostroute.Analyze(broken)
	add(err)
	_, err = in.Apply(hostroute.Edit{Subnet: in.NICs[0].Subnets[0].ID, Old: hostroute.MustParseHostRoute("9.0.0.0/8,9.0.0.1")})
	add(err)
	_, err = hostroute.ParseHostRoute("1.0.0.0/8" + forged + "," + forged)
	add(err)
	_, err = hostroute.ParseHostRoute(forged)
	add(err)
	_, err = hostroute.ParseHostRoute("2001:db8::/32,fe80::1%a\n  fix: b")
	add(err)
	return append(out, hostroute.HostRoute{Destination: netip.MustParsePrefix("::/0"), NextHop: zoned}.String())
}

// Names come from tenants. Whatever they are, each text stays on its line and shows what it has.
func TestNamesCannotForgeText(t *testing.T) {
	seen := map[hostroute.Code]bool{}
	check := func(in hostroute.Instance) {
		in = clone(in)
		in.Name += forged
		done := map[*hostroute.Subnet]bool{}
		for i := range in.NICs {
			if in.NICs[i].Name == in.DefaultNIC {
				in.DefaultNIC += forged
			}
			in.NICs[i].Name += forged
			for _, s := range in.NICs[i].Subnets {
				if !done[s] {
					s.ID += forged
				}
				done[s] = true
			}
		}
		for _, f := range analyze(t, in).Findings {
			seen[f.Code] = true
		}
		list := texts(t, in)
		if len(in.NICs) > 0 && len(in.NICs[0].Subnets) > 0 {
			list = append(list, errorTexts(in)...)
		}
		for _, text := range list {
			if strings.ContainsAny(text, "\n\r\x1b\u202e") {
				t.Errorf("printed as it is: %q", text)
			}
		}
	}
	for _, r := range hostroute.Rules() {
		check(r.Example)
	}
	for n := range uint64(200) {
		check(gen.Instance(rand.New(rand.NewPCG(31, n))))
	}
	for _, r := range hostroute.Rules() {
		if !seen[r.Code] {
			t.Errorf("no finding of %s was looked at", r.Code)
		}
	}
}

// A name that could be taken for a quoted one is quoted as well; a plain one is not.
func TestQuotedNamesAreUnambiguous(t *testing.T) {
	var got []string
	for _, name := range []string{"web-1", "Bär-東京", "a b", "a,b", "a->b", "(a)", `a"b`, `"a\nb"`, "a\nb", `a\b`, "\xff", "back: fine"} {
		got = append(got, hostroute.Ref{NIC: name}.String())
	}
	want := []string{"web-1", "Bär-東京", `"a b"`, `"a,b"`, `"a->b"`, `"(a)"`, `"a\"b"`, `"\"a\\nb\""`, `"a\nb"`, `"a\\b"`, `"\xff"`, `"back: fine"`}
	if !slices.Equal(want, got) {
		t.Errorf("got %q, want %q", got, want)
	}
}
