package hostroute_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"github.com/google/go-cmp/cmp"
)

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Codes are stable: this list may get new lines, and loses none.
func TestRulesAreTheseCodesAndSeverities(t *testing.T) {
	const want = `no-lease error
second-ipv4-subnet warning
dhcp-disabled error
ipv6-not-offered error
routes-ignored error
default-dropped error
option-overflow error
loopback-destination error
too-many-routes warning
host-bits error
next-hop-not-gateway error
next-hop-other-nic warning
next-hop-off-link error
next-hop-own-address error
next-hop-on-link warning
next-hop-unusable error
duplicate info
conflict warning
multiple-defaults warning
no-default warning
overlapping-subnets error
captures-subnet warning
single-nic info
redundant info
shadowed info
`
	var got strings.Builder
	for _, r := range hostroute.Rules() {
		fmt.Fprintln(&got, r.Code, r.Severity)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRulesHaveAnExampleOfExactlyTheirCode(t *testing.T) {
	titles := map[string]bool{}
	for _, r := range hostroute.Rules() {
		t.Run(string(r.Code), func(t *testing.T) {
			rep := analyze(t, r.Example)
			if len(rep.Findings) != 1 || rep.Findings[0].Code != r.Code || rep.Findings[0].Severity != r.Severity || rep.Worst() != r.Severity {
				t.Errorf("findings %v, want one of %s, %v", rep.Findings, r.Code, r.Severity)
			}
			for _, v := range rep.Verdicts {
				if v.Cause != "" && v.Cause != r.Code {
					t.Errorf("%v has another cause: %s", v.Subject, v.Cause)
				}
			}
			if r.Title == "" || titles[r.Title] || strings.HasSuffix(r.Title, ".") || strings.ToLower(r.Title[:1]) != r.Title[:1] && !strings.HasPrefix(r.Title, "NIC") {
				t.Errorf("title %q", r.Title)
			}
			titles[r.Title] = true
			for _, text := range []string{r.When, r.Why, r.Remedy} {
				if !strings.HasSuffix(strings.TrimSuffix(text, ")"), ".") && !strings.HasSuffix(text, ").") || strings.Contains(text, "  ") {
					t.Errorf("not a sentence: %q", text)
				}
			}
			checkFixes(t, r.Example)
			if got, ok := r.Code.Rule(); !ok || !cmp.Equal(got, r, equateNetip) {
				t.Errorf("the code's Rule is %v, %v", got, ok)
			}
		})
	}
}

func TestAnUnknownCodeHasNoRule(t *testing.T) {
	if r, ok := hostroute.Code("no-such-code").Rule(); ok || !cmp.Equal(r, hostroute.Rule{}, equateNetip) {
		t.Errorf("got %v, %v", r, ok)
	}
}

func TestRulesAreFreshEachTime(t *testing.T) {
	want := hostroute.Rules()
	changed := hostroute.Rules()
	for i := range changed {
		scramble(changed[i].Example)
		changed[i] = hostroute.Rule{}
	}
	if diff := cmp.Diff(want, hostroute.Rules(), equateNetip); diff != "" {
		t.Errorf("what is done to one result shows in the next (-want +got):\n%s", diff)
	}
}

func TestAnalyzeOfNothing(t *testing.T) {
	for name, in := range map[string]hostroute.Instance{
		"no NIC":          {Name: "vm"},
		"NIC, no subnet":  {Name: "vm", NICs: []hostroute.NIC{{Name: "eth0"}}},
		"NICs, no subnet": {Name: "vm", NICs: []hostroute.NIC{{Name: "eth0"}, {Name: "eth1"}}, ConfigDrive: true, DefaultNIC: "eth1"},
	} {
		t.Run(name, func(t *testing.T) {
			want := &hostroute.Report{Instance: "vm", Table: hostroute.Table{}, Verdicts: []hostroute.Verdict{}, Findings: []hostroute.Finding{}}
			r := analyze(t, in)
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("empty, not nil (-want +got):\n%s", diff)
			}
			if r.Worst() != 0 {
				t.Errorf("Worst is %v", r.Worst())
			}
		})
	}
}

func TestAnalyzeNeitherModifiesNorRetainsItsInput(t *testing.T) {
	random(t, 15, 1000, func(t testing.TB, in hostroute.Instance) bool {
		before := clone(in)
		r := analyze(t, in)
		if diff := cmp.Diff(before, in, equateNetip); diff != "" {
			t.Errorf("the input is changed (-before +after):\n%s", diff)
			return false
		}
		text := asJSON(t, r)
		scramble(in)
		if !bytes.Equal(text, asJSON(t, r)) {
			t.Errorf("the report changes with the input\n%s", describe(before))
			return false
		}
		if !bytes.Equal(text, asJSON(t, analyze(t, before))) {
			t.Errorf("the same input gives other bytes\n%s", describe(before))
			return false
		}
		return true
	})
}

// What has no order may come in any: addresses, equal copies of host routes and
// routes and subnets, pointers to one subnet or to equal ones.
func TestOrderThatMeansNothingChangesNothing(t *testing.T) {
	random(t, 16, 1500, func(t testing.TB, in hostroute.Instance) bool {
		r := rand.New(rand.NewPCG(16, uint64(len(describe(in)))))
		want := asJSON(t, analyze(t, in))
		other := clone(in)
		again := func(list []hostroute.HostRoute) []hostroute.HostRoute {
			for range len(list) {
				if r.IntN(3) == 0 {
					i := r.IntN(len(list))
					list = slices.Insert(list, i+1+r.IntN(len(list)-i), list[i])
				}
			}
			return list
		}
		for i := range other.NICs {
			n := &other.NICs[i]
			r.Shuffle(len(n.Addrs), func(i, j int) { n.Addrs[i], n.Addrs[j] = n.Addrs[j], n.Addrs[i] })
			if len(n.Addrs) > 0 {
				n.Addrs = append(n.Addrs, n.Addrs[0])
			}
			n.ManualRoutes = again(n.ManualRoutes)
			if len(n.Subnets) > 0 {
				n.Subnets = append(n.Subnets, n.Subnets[r.IntN(len(n.Subnets))])
			}
			for j, s := range n.Subnets {
				c := *s
				c.HostRoutes = again(slices.Clone(s.HostRoutes))
				n.Subnets[j] = &c
			}
		}
		if got := asJSON(t, analyze(t, other)); !bytes.Equal(want, got) {
			t.Errorf("(-want +got):\n%s%s", cmp.Diff(string(want), string(got)), describe(in))
			return false
		}
		return true
	})
}

// Analyses of instances that share subnets may run at the same time.
func TestAnalyzeConcurrently(t *testing.T) {
	const seed = 17
	in := gen.Instance(rand.New(rand.NewPCG(seed, 0)))
	for n := uint64(1); len(in.NICs) < 3; n++ {
		in = gen.Instance(rand.New(rand.NewPCG(seed, n)))
	}
	want := asJSON(t, analyze(t, in))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				r, err := hostroute.Analyze(in)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := json.MarshalIndent(r, "", "\t"); err != nil || !bytes.Equal(want, got) {
					t.Errorf("another report: %v", err)
					return
				}
				for _, n := range in.NICs {
					n.Offer()
					for _, s := range n.Subnets {
						if _, err := hostroute.AnalyzeSubnet(s); err != nil {
							t.Error(err)
						}
					}
				}
				hostroute.Rules()
			}
		})
	}
	group.Wait()
}

func TestJSONNamesAreTheGoNamesInSnakeCase(t *testing.T) {
	in := documented()
	in.NICs[1].Subnets[0].HostRoutes = hostRoutes("11.11.0.0/16,10.65.0.1", "11.12.0.0/16,11.8.0.77")
	r := analyze(t, in)
	r.Findings = r.Findings[:1]
	const want = `{
	"instance": "web-1",
	"table": [
		{
			"destination": "0.0.0.0/0",
			"next_hop": "10.65.0.1",
			"nic": "eth0",
			"source": "default",
			"subnet": "front",
			"metric": 0,
			"open": false
		},
		{
			"destination": "10.65.0.0/24",
			"next_hop": "",
			"nic": "eth0",
			"source": "connected",
			"subnet": "front",
			"metric": 0,
			"open": false
		},
		{
			"destination": "11.8.0.0/24",
			"next_hop": "",
			"nic": "eth1",
			"source": "connected",
			"subnet": "back",
			"metric": 0,
			"open": false
		},
		{
			"destination": "11.12.0.0/16",
			"next_hop": "11.8.0.77",
			"nic": "eth1",
			"source": "host-route",
			"subnet": "back",
			"metric": 0,
			"open": false
		}
	],
	"verdicts": [
		{
			"subject": {
				"instance": "web-1",
				"nic": "eth1",
				"subnet": "back",
				"host_route": {
					"destination": "11.11.0.0/16",
					"nexthop": "10.65.0.1"
				}
			},
			"class": "other-gateway",
			"effect": "refused",
			"cause": "next-hop-other-nic",
			"with": "",
			"without": "",
			"witness": "",
			"guest_dependent": true,
			"default_dependent": false,
			"guests": [
				"systemd-networkd",
				"NetworkManager"
			]
		},
		{
			"subject": {
				"instance": "web-1",
				"nic": "eth1",
				"subnet": "back",
				"host_route": {
					"destination": "11.12.0.0/16",
					"nexthop": "11.8.0.77"
				}
			},
			"class": "not-gateway",
			"effect": "steers",
			"cause": "",
			"with": "eth1",
			"without": "eth0",
			"witness": "11.12.0.0",
			"guest_dependent": false,
			"default_dependent": false,
			"guests": []
		}
	],
	"findings": [
		{
			"code": "next-hop-other-nic",
			"severity": "warning",
			"subject": {
				"instance": "web-1",
				"nic": "eth1",
				"subnet": "back",
				"host_route": {
					"destination": "11.11.0.0/16",
					"nexthop": "10.65.0.1"
				}
			},
			"message": "MESSAGE",
			"related": [
				{
					"ref": {
						"instance": "web-1",
						"nic": "eth0",
						"subnet": "front",
						"host_route": {
							"destination": "",
							"nexthop": ""
						}
					},
					"message": "MESSAGE"
				}
			],
			"fixes": [
				{
					"message": "MESSAGE",
					"edits": [
						{
							"subnet": "front",
							"new": {
								"destination": "11.11.0.0/16",
								"nexthop": "10.65.0.1"
							}
						},
						{
							"subnet": "back",
							"old": {
								"destination": "11.11.0.0/16",
								"nexthop": "10.65.0.1"
							}
						}
					]
				},
				{
					"message": "MESSAGE",
					"edits": [
						{
							"subnet": "back",
							"old": {
								"destination": "11.11.0.0/16",
								"nexthop": "10.65.0.1"
							}
						}
					]
				}
			]
		}
	]
}`
	text := regexp.MustCompile(`"message": ".*"`).ReplaceAllString(string(asJSON(t, r)), `"message": "MESSAGE"`)
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const change = `{"destination":"11.12.0.0/16","before":"","after":"eth1"}`
	if got, err := json.Marshal(hostroute.Change{Destination: netip.MustParsePrefix("11.12.0.0/16"), After: "eth1"}); err != nil || string(got) != change {
		t.Errorf("a change is %s, %v, want %s", got, err, change)
	}
	const impact = `{"instance":"","changes":null,"uncertain":false,"new":null,"gone":null}`
	if got, err := json.Marshal(hostroute.Impact{}); err != nil || string(got) != impact {
		t.Errorf("an impact is %s, %v, want %s", got, err, impact)
	}
	const explanation = `{"destination":"192.0.2.1","route":{"destination":"","next_hop":"","nic":"","source":"","subnet":"","metric":0,"open":false},"ignored_next_hop":"","losers":[],"dropped":[]}`
	if got, err := json.Marshal(new(hostroute.Report).Explain(netip.MustParseAddr("192.0.2.1"))); err != nil || string(got) != explanation {
		t.Errorf("an explanation is %s, %v, want %s", got, err, explanation)
	}
}

func TestJSONComesBackTheSame(t *testing.T) {
	random(t, 18, 1000, func(t testing.TB, in hostroute.Instance) bool {
		r := analyze(t, in)
		text := asJSON(t, r)
		if bytes.Contains(text, []byte(": null")) {
			t.Errorf("a null in the report on\n%s", describe(in))
			return false
		}
		var back hostroute.Report
		if err := json.Unmarshal(text, &back); err != nil {
			t.Error(err)
			return false
		}
		if diff := cmp.Diff(r, &back, equateNetip); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
			return false
		}
		e := r.Explain(netip.MustParseAddr("11.11.77.5"))
		var backE hostroute.Explanation
		if err := json.Unmarshal(asJSON(t, e), &backE); err != nil || !cmp.Equal(e, backE, equateNetip) {
			t.Errorf("explanation, %v (-want +got):\n%s", err, cmp.Diff(e, backE, equateNetip))
			return false
		}
		return true
	})
}

func TestAnalyzeSubnet(t *testing.T) {
	disabled := subnet("back", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")
	disabled.DHCPDisabled = true
	overflow := subnet("back", "11.8.0.0/24", "11.8.0.1", "12.0.0.0/8,11.8.0.77")
	for i := range 40 {
		overflow.HostRoutes = append(overflow.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{13, 0, byte(i), 0}), 24), NextHop: overflow.Gateway})
	}
	mappedSubnet := &hostroute.Subnet{ID: "back", CIDR: netip.MustParsePrefix("::ffff:11.8.0.0/120"), Gateway: netip.MustParseAddr("::ffff:11.8.0.1"),
		HostRoutes: []hostroute.HostRoute{{Destination: netip.MustParsePrefix("::ffff:11.11.0.0/112"), NextHop: netip.MustParseAddr("::ffff:11.8.0.77")}}}
	b := func(routes ...string) *hostroute.Subnet { return subnet("back", "11.8.0.0/24", "11.8.0.1", routes...) }
	for name, c := range map[string]struct {
		subnet *hostroute.Subnet
		codes  []hostroute.Code
		fixes  int    // of the first finding
		says   string // its message
	}{
		"nothing wrong":                   {b("11.11.0.0/16,11.8.0.1", "11.8.0.128/25,11.8.0.1"), nil, 0, ""},
		"no host routes":                  {b(), nil, 0, ""},
		"a neighbour":                     {b("11.11.0.0/16,11.8.0.77"), []hostroute.Code{hostroute.CodeNextHopNotGateway}, 2, "11.8.0.1"},
		"IPv4-mapped":                     {mappedSubnet, []hostroute.Code{hostroute.CodeNextHopNotGateway}, 2, "11.8.0.77 "},
		"outside: maybe another gateway":  {b("11.11.0.0/16,10.65.0.1"), []hostroute.Code{hostroute.CodeNextHopOffLink}, 2, "another subnet's gateway"},
		"on-link":                         {b("11.11.0.0/16,0.0.0.0"), []hostroute.Code{hostroute.CodeNextHopOnLink}, 2, "on-link"},
		"unusable":                        {b("11.11.0.0/16,11.8.0.255"), []hostroute.Code{hostroute.CodeNextHopUnusable}, 2, "cannot be a next hop"},
		"another family":                  {b("2001:db8::/48,fe80::1"), []hostroute.Code{hostroute.CodeNextHopUnusable}, 1, "family"},
		"no gateway":                      {subnet("back", "11.8.0.0/24", "", "11.11.0.0/16,11.8.0.77"), []hostroute.Code{hostroute.CodeNoLease}, 1, "no gateway"},
		"gateway outside":                 {subnet("back", "11.8.0.0/24", "10.65.0.1"), []hostroute.Code{hostroute.CodeNoLease}, 1, "outside"},
		"no DHCP: maybe the config drive": {disabled, []hostroute.Code{hostroute.CodeDHCPDisabled}, 1, "only a guest that reads the config drive"},
		"IPv6":                            {subnet("six", "2001:db8::/64", "2001:db8::1", "2001:db8:77::/48,2001:db8::1"), []hostroute.Code{hostroute.CodeIPv6NotOffered}, 1, "IPv6"},
		"a default":                       {b("0.0.0.0/0,11.8.0.77"), []hostroute.Code{hostroute.CodeDefaultDropped}, 1, "Neutron drops it"},
		"a default, off-link":             {b("0.0.0.0/0,192.0.2.1"), []hostroute.Code{hostroute.CodeDefaultDropped}, 1, "Neutron drops it"},
		"a default through the gateway":   {b("0.0.0.0/0,11.8.0.1"), nil, 0, ""},
		"too long, which mutes the rest":  {overflow, []hostroute.Code{hostroute.CodeOptionOverflow, hostroute.CodeTooManyRoutes}, 1, "255"},
		"loopback":                        {b("127.0.0.1/32,11.8.0.1"), []hostroute.Code{hostroute.CodeLoopbackDestination}, 1, "inside 127.0.0.0/8"},
		"wider than loopback":             {b("126.0.0.0/7,11.8.0.1"), nil, 0, ""},
		"host bits":                       {b("11.11.77.5/16,11.8.0.1"), []hostroute.Code{hostroute.CodeHostBits}, 1, "11.11.0.0/16"},
		"host bits, and a neighbour":      {b("11.11.77.5/16,11.8.0.77"), []hostroute.Code{hostroute.CodeHostBits, hostroute.CodeNextHopNotGateway}, 1, "outside its mask"},
		"refused for its host bits":       {b("11.11.77.0/20,11.8.0.77"), []hostroute.Code{hostroute.CodeHostBits}, 1, "outside its mask"},
		"refused for the subnet itself":   {b("11.8.0.0/24,11.8.0.77"), nil, 0, ""},
		"refused in this order":           {b("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.77"), []hostroute.Code{hostroute.CodeNextHopNotGateway}, 1, "11.8.0.77 is not the gateway"},
		"refused in this order, and no connected route": {subnet("one", "10.2.0.7/32", "10.2.0.7", "10.2.0.0/24,0.0.0.0", "10.2.0.7/32,10.2.0.7", "10.2.0.7/32,10.2.0.9"),
			[]hostroute.Code{hostroute.CodeNextHopOnLink, hostroute.CodeNextHopNotGateway}, 1, "on-link"},
		"no word of equal destinations": {b("11.11.0.0/16,11.8.0.1", "11.11.0.0/16,11.8.0.1"), nil, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := hostroute.AnalyzeSubnet(c.subnet)
			if err != nil {
				t.Fatal(err)
			}
			if findings == nil {
				t.Error("nil, not empty")
			}
			var codes []hostroute.Code
			for _, f := range findings {
				codes = append(codes, f.Code)
				if f.Subject.Instance != "" || f.Subject.NIC != "" || f.Subject.Subnet != c.subnet.ID || f.Related == nil || f.Fixes == nil {
					t.Errorf("finding %+v", f)
				}
				checkSubnetFixes(t, c.subnet, f)
			}
			if diff := cmp.Diff(c.codes, codes); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if len(findings) > 0 && (len(findings[0].Fixes) != c.fixes || !strings.Contains(findings[0].Message, c.says)) {
				t.Errorf("got %d fixes, message %q; want %d, %q", len(findings[0].Fixes), findings[0].Message, c.fixes, c.says)
			}
		})
	}
}

func checkSubnetFixes(t testing.TB, s *hostroute.Subnet, f hostroute.Finding) {
	t.Helper()
	for _, fix := range f.Fixes {
		if len(fix.Edits) == 0 {
			continue
		}
		fixed, err := s.Apply(fix.Edits...)
		if err != nil {
			t.Errorf("%v: %q: %v", f, fix.Message, err)
			continue
		}
		left, err := hostroute.AnalyzeSubnet(fixed)
		if err != nil || slices.Contains(keys(left), key{f.Code, f.Subject}) {
			t.Errorf("%v: %q leaves it there (%v)", f, fix.Message, err)
		}
	}
}

// What holds for every instance holds for one: the findings of a subnet alone are among
// those of an instance that has it, on a single NIC with nothing else.
func TestAnalyzeSubnetSaysNothingThatAnInstanceDenies(t *testing.T) {
	random(t, 19, 2000, func(t testing.TB, in hostroute.Instance) bool {
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				findings, err := hostroute.AnalyzeSubnet(s)
				if err != nil {
					t.Error(err)
					return false
				}
				r := analyze(t, hostroute.Instance{NICs: []hostroute.NIC{{Name: "eth0", Subnets: []*hostroute.Subnet{s}}}})
				all := keys(r.Findings)
				for _, f := range findings {
					checkSubnetFixes(t, s, f)
					k := key{f.Code, f.Subject}
					k.Subject.NIC = "eth0"
					if !slices.Contains(all, k) {
						t.Errorf("%v is not among %v", f, all)
						return false
					}
				}
			}
		}
		return !t.Failed()
	})
}

func TestAnalyzeSubnetRefusesWhatNoNeutronHolds(t *testing.T) {
	for name, c := range map[string]struct {
		subnet *hostroute.Subnet
		paths  []string
	}{
		"nil":      {nil, []string{"Subnet"}},
		"the zero": {&hostroute.Subnet{}, []string{"CIDR"}},
		"everything at once": {&hostroute.Subnet{CIDR: netip.MustParsePrefix("11.8.0.1/24"), Gateway: netip.MustParseAddr("fe80::1%x"),
			HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.1"), {Destination: netip.MustParsePrefix("11.12.0.0/16")}, {}}},
			[]string{"CIDR", "Gateway", "HostRoutes[1].NextHop", "HostRoutes[2].Destination", "HostRoutes[2].NextHop"}},
	} {
		t.Run(name, func(t *testing.T) {
			findings, err := hostroute.AnalyzeSubnet(c.subnet)
			if findings != nil {
				t.Error("findings beside the error")
			}
			if diff := cmp.Diff(c.paths, paths(err)); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}
