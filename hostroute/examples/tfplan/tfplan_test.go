package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"example.com/go-hostroute/hostroute"
)

var update = flag.Bool("update", false, "write what the plans of testdata give into want.txt and want.sarif")

// program runs the program with arguments and standard input, and wants an exit status.
func program(t *testing.T, want int, stdin []byte, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(args, bytes.NewReader(stdin), &out, &errs); got != want {
		t.Errorf("tfplan %v: status %d, want %d; stderr: %s", args, got, want, &errs)
	}
	return out.String(), errs.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestPlans(t *testing.T) {
	for _, name := range []string{"modules", "update", "hostroutes", "read"} {
		t.Run(name, func(t *testing.T) {
			plan := "testdata/" + name + "/plan.json"
			out, _ := program(t, statusFailing, nil, plan)
			golden(t, "testdata/"+name+"/want.txt", out)

			raw, stderr := program(t, statusFailing, nil, "-sarif", "-", plan)
			if stderr != "" {
				t.Errorf("stderr: %s", stderr)
			}
			log := valid(t, raw)
			log.Runs[0].Tool.Driver.Rules = nil // see TestRules
			var text bytes.Buffer
			if err := log.PrettyWrite(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+"/want.sarif", text.String()+"\n")

			// To a file, beside the text.
			file := filepath.Join(t.TempDir(), "out.sarif")
			beside, _ := program(t, statusFailing, nil, "-sarif", file, plan)
			written, err := os.ReadFile(file)
			if err != nil || string(written) != raw || beside != out {
				t.Errorf("-sarif FILE writes other than -sarif - and no -sarif do (%v)", err)
			}
		})
	}
}

// valid returns a SARIF log that the schema of 2.1.0 allows.
func valid(t *testing.T, raw string) *sarif.Report {
	t.Helper()
	log, err := sarif.FromString(raw, sarif.WithStrictValidation())
	if err == nil {
		err = log.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("version %s, %d runs", log.Version, len(log.Runs))
	}
	return log
}

// Each rule is documented in SARIF; each result has its rule, level, resource and fingerprint.
func TestRules(t *testing.T) {
	raw, _ := program(t, statusFailing, nil, "-sarif", "-", "testdata/modules/plan.json")
	log := valid(t, raw)
	rules := log.Runs[0].Tool.Driver.Rules
	want := hostroute.Rules()
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d", len(rules), len(want))
	}
	levels := map[hostroute.Severity]string{hostroute.SeverityError: "error", hostroute.SeverityWarning: "warning", hostroute.SeverityInfo: "note"}
	for i, rule := range want {
		got := rules[i]
		if *got.ID != string(rule.Code) || got.DefaultConfiguration.Level != levels[rule.Severity] || !strings.Contains(*got.Help.Text, rule.Remedy) {
			t.Errorf("rule %d is %s with level %s, want %s", i, *got.ID, got.DefaultConfiguration.Level, rule.Code)
		}
	}
	seen := make(map[string]bool)
	for _, r := range log.Runs[0].Results {
		if *rules[r.RuleIndex].ID != *r.RuleID || r.Level != rules[r.RuleIndex].DefaultConfiguration.Level {
			t.Errorf("%s: rule %d, level %s", *r.RuleID, r.RuleIndex, r.Level)
		}
		name, mark := *r.Locations[0].LogicalLocations[0].FullyQualifiedName, r.PartialFingerprints["hostroute/v1"]
		if !strings.HasPrefix(mark, *r.RuleID+" "+name) || seen[mark] {
			t.Errorf("fingerprint %q of %s", mark, name)
		}
		seen[mark] = true
	}
}

// Each result has a fingerprint of its own, also where host routes of one subnet differ in the next hop only, or not at all.
// It stays the same when other host routes come.
func TestFingerprintIsUnique(t *testing.T) {
	marks := func(routes ...string) (list []string) {
		raw, _ := program(t, statusFailing, edited(t, "hostroutes", func(plan object) {
			var list []any
			for _, r := range routes {
				destination, hop, _ := strings.Cut(r, ",")
				list = append(list, object{"destination_cidr": destination, "next_hop": hop})
			}
			after(plan, "openstack_networking_subnet_v2.back")["host_routes"] = list
			delete(change(plan, "openstack_networking_subnet_v2.back")["change"].(object)["after_unknown"].(object), "host_routes")
		}), "-sarif", "-", "-")
		for _, r := range valid(t, raw).Runs[0].Results {
			list = append(list, r.PartialFingerprints["hostroute/v1"])
		}
		slices.Sort(list)
		if unique := slices.Compact(slices.Clone(list)); len(unique) < len(list) {
			t.Errorf("%d of %d fingerprints differ: %q", len(unique), len(list), list)
		}
		return list
	}
	const one, other = "11.12.0.0/16,11.8.0.77", "11.12.0.0/16,11.8.0.78"
	few, more := marks(one, other), marks("11.9.0.0/16,11.8.0.79", "11.12.0.0/16,11.8.0.76", other, one, "11.14.0.0/16,11.8.0.77", one)
	if len(few) != 3 || len(more) != 7 {
		t.Errorf("%d and %d results", len(few), len(more))
	}
	for _, mark := range few {
		if !slices.Contains(more, mark) {
			t.Errorf("%q is not among %q", mark, more)
		}
	}
}

// The fingerprint depends on nothing else in the plan.
func TestFingerprintIsStable(t *testing.T) {
	marks := func(source []byte) (list []string) {
		raw, _ := program(t, statusFailing, source, "-sarif", "-", "-")
		for _, r := range valid(t, raw).Runs[0].Results {
			list = append(list, r.PartialFingerprints["hostroute/v1"])
		}
		slices.Sort(list)
		return list
	}
	const other = "openstack_networking_subnet_v2.none"
	less := edited(t, "modules", func(plan object) {
		changes := plan["resource_changes"].([]any)
		plan["resource_changes"] = slices.DeleteFunc(changes, func(c any) bool { return c.(object)["address"] == other })
	})
	want := slices.DeleteFunc(marks(edited(t, "modules", nil)), func(mark string) bool { return strings.HasSuffix(mark, other) })
	if diff := cmp.Diff(want, marks(less)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type object = map[string]any

// edited returns a plan of testdata, changed.
func edited(t testing.TB, name string, edit func(object)) []byte {
	t.Helper()
	source, err := os.ReadFile("testdata/" + name + "/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	plan := make(object)
	if err := json.Unmarshal(source, &plan); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(plan)
	}
	out, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// change returns a resource's change in a plan.
func change(plan object, address string) object {
	for _, c := range plan["resource_changes"].([]any) {
		if c := c.(object); c["address"] == address {
			return c
		}
	}
	return nil
}

// after returns the values of a resource after the apply.
func after(plan object, address string) object {
	return change(plan, address)["change"].(object)["after"].(object)
}

// The order of the plan's resources and modules does not matter.
func TestOrder(t *testing.T) {
	want, _ := program(t, statusFailing, nil, "testdata/modules/plan.json")
	got, _ := program(t, statusFailing, edited(t, "modules", func(plan object) {
		slices.Reverse(plan["resource_changes"].([]any))
		slices.Reverse(plan["configuration"].(object)["root_module"].(object)["resources"].([]any))
	}), "-")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExitStatus(t *testing.T) {
	warning := edited(t, "update", func(plan object) {
		plan["resource_changes"] = []any{change(plan, "openstack_networking_subnet_v2.front"), change(plan, "openstack_networking_subnet_route_v2.new")}
		after(plan, "openstack_networking_subnet_route_v2.new")["next_hop"] = "0.0.0.0"
		delete(plan, "prior_state")
	})
	program(t, statusClean, warning, "-")
	program(t, statusFailing, warning, "-fail", "warning", "-")
	program(t, statusFailing, warning, "-fail", "info", "-")
	program(t, statusClean, []byte(`{"format_version":"1.2","planned_values":{"root_module":{}}}`), "-fail", "info", "-")
	program(t, statusFailing, nil, "-fail", "error", "testdata/update/plan.json")

	absent := filepath.Join(t.TempDir(), "absent")
	for _, args := range [][]string{
		{}, {"-", "-"}, {absent}, {"-fail", "none", "-"}, {"-fail", "fatal", "-"}, {"-no-such-flag", "-"}, {"-sarif", filepath.Join(absent, "out"), "-"},
	} {
		if _, stderr := program(t, statusUnusable, warning, args...); stderr == "" {
			t.Errorf("tfplan %v: says nothing", args)
		}
	}
	for _, source := range []string{"", "{", "[]", "{}", `{"format_version":"1.2"}`, `{"format_version":"9.0","planned_values":{}}`, `{"format_version":"1.0","values":{"root_module":{}}}`} {
		if _, stderr := program(t, statusUnusable, []byte(source), "-"); !strings.Contains(stderr, "show -json PLAN") {
			t.Errorf("%s: %s", source, stderr)
		}
	}
	// Terraform writes a plan although it fails, without what it did not come to.
	failed := edited(t, "update", func(plan object) { plan["errored"] = true })
	if out, stderr := program(t, statusUnusable, failed, "-fail", "error", "-"); out != "" || !strings.Contains(stderr, "resources can be missing") {
		t.Errorf("a plan that failed: %s%s", out, stderr)
	}
	if _, stderr := program(t, statusClean, nil, "-h"); !strings.Contains(stderr, "-sarif") {
		t.Errorf("help: %s", stderr)
	}
	full, err := os.Open("testdata/update/plan.json") // not for writing
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var errs bytes.Buffer
	if got := run([]string{"testdata/update/plan.json"}, nil, full, &errs); got != statusUnusable || errs.Len() == 0 {
		t.Errorf("no place for the text: status %d, and says %q", got, &errs)
	}
}

// A plan with -target is not complete, and what it leaves out is not checked. OpenTofu and old releases of Terraform do not tell.
func TestPartial(t *testing.T) {
	for _, c := range []struct {
		complete any
		want     bool
	}{{false, true}, {true, false}, {nil, false}} {
		source := edited(t, "update", func(plan object) { plan["complete"] = c.complete })
		out, _ := program(t, statusFailing, source, "-")
		if got := strings.Count(out, "\npartial: the plan is not complete"); got != 0 != c.want || got > 1 {
			t.Errorf("complete is %v: got\n%s", c.complete, out)
		}
		raw, _ := program(t, statusFailing, source, "-sarif", "-", "-")
		said := slices.ContainsFunc(valid(t, raw).Runs[0].Invocations[0].ToolExecutionNotifications, func(n *sarif.Notification) bool {
			return strings.HasPrefix(*n.Message.Text, "partial: the plan is not complete")
		})
		if said != c.want {
			t.Errorf("complete is %v: SARIF says partial: %t", c.complete, said)
		}
	}
}

// A value that cannot be right is named with its resource, and does not keep the rest from being checked.
func TestInvalid(t *testing.T) {
	const front, stays = "openstack_networking_subnet_v2.front", "openstack_networking_subnet_route_v2.stays"
	for _, c := range []struct {
		name, address, attribute string
		value                    any
		want                     string
	}{
		{"no CIDR", front, "cidr", "10.65.0.0", front + ": cidr: "},
		{"host bits", front, "cidr", "10.65.0.1/24", front + ": cidr 10.65.0.1/24 has host bits"},
		{"gateway", front, "gateway_ip", "none", front + ": gateway_ip: "},
		{"destination", stays, "destination_cidr", "default", stays + ": Destination: "},
		{"netmask", stays, "destination_cidr", "11.13.0.0/255.255.0.0", stays + ": Destination: "},
		{"next hop", stays, "next_hop", "fe80::1%eth0", stays + ": NextHop: "},
		{"no next hop", stays, "next_hop", nil, stays + ": NextHop: "},
		{"line end", front, "cidr", "x\ny", front + ": cidr: "},
		{"another type", front, "cidr", 5, front + ": cidr is a float64"},
		{"IPv6 with the default version", front, "cidr", "2001:db8::/64", front + ": ip_version is 4, and cidr 2001:db8::/64 is not"},
		{"IPv4 as version 6", front, "ip_version", 6, front + ": ip_version is 6, and cidr 10.65.0.0/24 is not"},
		{"gateway with a zone", front, "gateway_ip", "fe80::1%eth0", front + ": Gateway: "},
		{"another type of flag", front, "enable_dhcp", "yes", front + ": enable_dhcp is a string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := edited(t, "update", func(plan object) { after(plan, c.address)[c.attribute] = c.value })
			out, stderr := program(t, statusUnusable, source, "-")
			if want := "tfplan: " + c.want; !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("stderr %q, want %q", stderr, want)
			}
			const onFront = "\nnot checked: " + stays + ": its subnet " + front + " is not checked\n"
			if c.address == front && !strings.Contains(c.want, "host bits") && !strings.Contains(out, onFront) {
				t.Errorf("the host routes of the subnet go without a word:\n%s", out)
			}
			if !strings.Contains(out, "\ninvalid: "+c.want) || !strings.Contains(out, "(dhcp-disabled)") {
				t.Errorf("got\n%s", out)
			}
			raw, _ := program(t, statusUnusable, source, "-sarif", "-", "-")
			ran := valid(t, raw).Runs[0].Invocations[0]
			said := slices.ContainsFunc(ran.ToolExecutionNotifications, func(n *sarif.Notification) bool {
				return n.Level == "error" && *n.Locations[0].LogicalLocations[0].FullyQualifiedName == c.address
			})
			if *ran.ExecutionSuccessful || !said {
				t.Error("SARIF does not say so")
			}
		})
	}
}

// Host bits in the CIDR of a subnet lose neither its host routes nor the next hops that are its gateway.
func TestHostBits(t *testing.T) {
	const front, gateway = "openstack_networking_subnet_v2.front", "openstack_networking_subnet_v2.plain"
	want, _ := program(t, statusFailing, nil, "testdata/update/plan.json")
	got, _ := program(t, statusUnusable, edited(t, "update", func(plan object) { after(plan, front)["cidr"] = "10.65.0.9/24" }), "-")
	got = strings.Replace(got, "invalid: "+front+": cidr 10.65.0.9/24 has host bits, which the provider refuses: write 10.65.0.0/24\n", "", 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// The next hop is the gateway that Neutron will choose.
	want, _ = program(t, statusFailing, nil, "testdata/modules/plan.json")
	got, stderr := program(t, statusUnusable, edited(t, "modules", func(plan object) { after(plan, gateway+"[0]")["cidr"] = "10.70.0.9/24" }), "-")
	if want := gateway + "[0]: cidr 10.70.0.9/24 has host bits"; !strings.Contains(stderr, want) {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	if line := "\nassumed: for 2 host routes, "; !strings.Contains(want, line) || !strings.Contains(got, line) {
		t.Errorf("got\n%s", got)
	}
}

// What the plan does not say is never guessed.
func TestUnchecked(t *testing.T) {
	const subnet, route = "openstack_networking_subnet_v2.front", "openstack_networking_subnet_route_v2.new"
	unknown := func(plan object, address, attribute string) {
		delete(after(plan, address), attribute)
		change(plan, address)["change"].(object)["after_unknown"].(object)[attribute] = true
	}
	for _, c := range []struct {
		name string
		edit func(plan object)
		want []string
	}{
		{"CIDR", func(plan object) { unknown(plan, subnet, "cidr") },
			[]string{subnet + ": cidr is known only after the apply", route + ": its subnet " + subnet + " is not checked"}},
		{"DHCP", func(plan object) { unknown(plan, subnet, "enable_dhcp") }, []string{subnet + ": enable_dhcp is known only after the apply"}},
		{"IP version, which the CIDR tells", func(plan object) { unknown(plan, subnet, "ip_version"); unknown(plan, route, "next_hop") },
			[]string{route + ": next_hop is known only after the apply\n5 subnets with 3 host routes"}},
		{"no gateway or one", func(plan object) { unknown(plan, subnet, "no_gateway") }, []string{subnet + ": no_gateway is known only after the apply"}},
		{"no configuration, so the gateway may be given", func(plan object) { unknown(plan, subnet, "gateway_ip"); delete(plan, "configuration") },
			[]string{subnet + ": gateway_ip is known only after the apply"}},
		{"no configuration, so no reference", func(plan object) { unknown(plan, route, "subnet_id"); delete(plan, "configuration") },
			[]string{route + ": subnet_id is known only after the apply"}},
		{"destination", func(plan object) { unknown(plan, route, "destination_cidr") }, []string{route + ": destination_cidr is known only after the apply"}},
		{"sensitive", func(plan object) {
			change(plan, subnet)["change"].(object)["after_sensitive"] = object{"cidr": true}
		}, []string{subnet + ": cidr is sensitive"}},
		{"all sensitive", func(plan object) { change(plan, route)["change"].(object)["after_sensitive"] = true }, []string{route + ": subnet_id is sensitive"}},
		{"a subnet that is elsewhere", func(plan object) { after(plan, route)["subnet_id"] = "other\nplace" },
			[]string{route + `: its subnet "other\nplace" is not in this plan`}},
		{"host routes of the subnet", func(plan object) {
			unknown(plan, subnet, "host_routes")
			for _, r := range plan["configuration"].(object)["root_module"].(object)["resources"].([]any) {
				if r := r.(object); r["address"] == subnet {
					r["expressions"].(object)["host_routes"] = object{"references": []any{"local.routes"}}
				}
			}
		}, []string{subnet + ": host_routes is known only after the apply"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _ := program(t, statusFailing, edited(t, "update", c.edit), "-")
			for _, want := range c.want {
				if !strings.Contains(out, "\nnot checked: "+want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
		})
	}
}

// A subnet that a data source has read is checked with the host routes of the plan. What is sensitive of it is not.
func TestRead(t *testing.T) {
	const subnet, route = "data.openstack_networking_subnet_v2.front", "openstack_networking_subnet_route_v2.neighbour"
	front := func(plan object) object {
		resources := plan["prior_state"].(object)["values"].(object)["root_module"].(object)["resources"].([]any)
		i := slices.IndexFunc(resources, func(r any) bool { return r.(object)["address"] == subnet })
		return resources[i].(object)
	}
	for name, c := range map[string]struct {
		edit func(plan object)
		want string
	}{
		"as it is":    {func(object) {}, "error: " + route + ": 11.11.0.0/16,10.65.0.77: next hop 10.65.0.77 is not the gateway 10.65.0.1 of subnet " + subnet},
		"no values":   {func(plan object) { delete(front(plan), "sensitive_values") }, "error: " + route + ": 11.11.0.0/16,10.65.0.77: "},
		"DHCP is off": {func(plan object) { front(plan)["values"].(object)["enable_dhcp"] = false }, "error: " + subnet + ": "},
		"sensitive":   {func(plan object) { front(plan)["sensitive_values"].(object)["cidr"] = true }, "not checked: " + route + ": its subnet " + subnet + " is not checked"},
		"another":     {func(plan object) { front(plan)["values"].(object)["id"] = "x" }, "not checked: " + route + `: its subnet "00000001-0000-4000-8000-000000000000" is not in this plan`},
		"managed":     {func(plan object) { front(plan)["mode"] = "managed" }, "not checked: " + route + ": its subnet "},
	} {
		if out, _ := program(t, statusFailing, edited(t, "read", c.edit), "-"); !strings.Contains("\n"+out, "\n"+c.want) {
			t.Errorf("%s: %q is not in\n%s", name, c.want, out)
		}
	}
}

// Findings are by the address of the subnet, whether the plan makes it or a data source has read it.
func TestOrderOfRead(t *testing.T) {
	plan := edited(t, "read", func(plan object) {
		plan["resource_changes"] = append(plan["resource_changes"].([]any), object{
			"address": "openstack_networking_subnet_v2.made", "mode": "managed", "type": "openstack_networking_subnet_v2", "name": "made",
			"change": object{"actions": []any{"create"}, "after": object{"cidr": "10.69.0.0/24", "no_gateway": true}},
		})
	})
	out, _ := program(t, statusFailing, plan, "-")
	read, made := strings.Index(out, "\nerror: module.shared.data."), strings.Index(out, "\nerror: openstack_networking_subnet_v2.made: ")
	if read < 0 || made < read {
		t.Errorf("got\n%s", out)
	}
}

// A removed block with destroy = false lets the host route stay in Neutron. A deposed object is another subnet.
func TestForgotten(t *testing.T) {
	const route = "openstack_networking_subnet_route_v2.new"
	forget := func(deposed string) []byte {
		return edited(t, "update", func(plan object) {
			c := change(plan, route)
			before := after(plan, route)
			c["deposed"] = deposed
			c["change"] = object{"actions": []any{"forget"}, "before": before, "after": nil, "after_unknown": object{}, "before_sensitive": object{}, "after_sensitive": false}
		})
	}
	want, _ := program(t, statusFailing, nil, "testdata/update/plan.json")
	got, _ := program(t, statusFailing, forget(""), "-")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, _ := program(t, statusFailing, forget("0123abcd"), "-"); strings.Contains(got, route) {
		t.Errorf("deposed: got\n%s", got)
	}
}

// The provider shows a gateway that Neutron will choose as unknown, although the CIDR tells it.
func TestGateway(t *testing.T) {
	const subnet = "openstack_networking_subnet_v2.replaced"
	for _, c := range []struct {
		name string
		give object // the expression of gateway_ip
		want string
	}{
		{"nothing", nil, "10.70.0.1"},
		{"empty text", object{"constant_value": ""}, "10.70.0.1"},
		{"null by a variable", object{"references": []any{"var.gateway"}}, "10.70.0.1"},
		{"another resource", object{"references": []any{"openstack_networking_port_v2.a.id", "openstack_networking_port_v2.a"}}, ""},
		{"a local value", object{"references": []any{"local.gateway"}}, ""},
		{"a data source", object{"references": []any{"data.x.y.gateway"}}, ""},
		{"malformed", object{"references": []any{"]"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := readPlan(edited(t, "update", func(plan object) {
				for _, r := range plan["configuration"].(object)["root_module"].(object)["resources"].([]any) {
					if r := r.(object); r["address"] == subnet && c.give != nil {
						r["expressions"].(object)["gateway_ip"] = c.give
					}
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			subnets := p.all(subnetType)
			i := slices.IndexFunc(subnets, func(s *resource) bool { return s.address == subnet })
			got, err := p.gateway(subnets[i], netip.MustParsePrefix("10.70.0.0/24"))
			if want, _ := netip.ParseAddr(c.want); got != want || (err == nil) != (c.want != "") {
				t.Errorf("got %v (%v), want %q", got, err, c.want)
			}
		})
	}
}

// A next hop is taken for a gateway only where it refers to nothing else.
func TestNextHop(t *testing.T) {
	const route, other = "openstack_networking_subnet_route_v2.port", "openstack_networking_subnet_v2.none"
	for _, c := range []struct {
		references []any
		known      bool
	}{
		{[]any{other + ".gateway_ip"}, false}, // it has none
		{[]any{"openstack_networking_subnet_v2.plain[0].gateway_ip"}, true},
		{[]any{"openstack_networking_subnet_v2.plain[0].gateway_ip", other + ".allocation_pool"}, false},
		{[]any{"openstack_networking_subnet_v2.plain[0].gateway_ip", other + ".gateway_ip"}, false},
		{[]any{"openstack_networking_subnet_v2.plain[0].gateway_ip", "local.x"}, false},
		{[]any{"openstack_networking_subnet_v2.plain[0].gateway_ip", "module.routes.none"}, false}, // an output without expression
		{[]any{"openstack_networking_subnet_v2.plain[0]"}, false},
		{[]any{"module.routes.plain[0].gateway_ip"}, false}, // the index is assumed
	} {
		out, _ := program(t, statusFailing, edited(t, "modules", func(plan object) {
			root := plan["configuration"].(object)["root_module"].(object)
			root["module_calls"].(object)["routes"].(object)["module"].(object)["outputs"] = object{
				"none": object{}, "plain": object{"expression": object{"references": []any{"var.subnets"}}},
			}
			for _, r := range root["resources"].([]any) {
				if r := r.(object); r["address"] == route {
					r["expressions"].(object)["next_hop"] = object{"references": c.references}
				}
			}
		}), "-")
		if got := !strings.Contains(out, "\nnot checked: "+route+": next_hop is known only after the apply\n"); got != c.known {
			t.Errorf("%v: known %v", c.references, got)
		}
	}
}

// Names cannot forge a line.
func TestHostileNames(t *testing.T) {
	for _, key := range []string{"a\nb", `a"]: b`, "${x}", "%{x}", "\u202e", "a: b", `\`, ""} {
		quoted, _ := json.Marshal(key)
		address := `module.x[` + string(quoted) + `].openstack_networking_subnet_v2.none`
		raw := strings.NewReplacer(`\n`, "\n", `\"`, `"`).Replace(address) // as no Terraform writes it
		for _, address := range []string{address, raw} {
			source := edited(t, "modules", func(plan object) {
				none := change(plan, "openstack_networking_subnet_v2.none")
				none["address"] = address
				plan["resource_changes"] = []any{none}
			})
			var out, errs bytes.Buffer
			run([]string{"-"}, bytes.NewReader(source), &out, &errs)
			lines := strings.Split(strings.TrimSpace(out.String()+errs.String()), "\n")
			for _, line := range lines {
				if !strings.HasPrefix(line, "error: ") && !strings.HasPrefix(line, "    fix: ") && !strings.HasPrefix(line, "1 subnet with 0 host routes") &&
					line != noInstances && !strings.HasPrefix(line, "tfplan: the address ") {
					t.Errorf("%q: a line is %q", address, line)
				}
				if oneLine(line) != line {
					t.Errorf("%q: not printable: %q", address, line)
				}
			}
			if raw, _ := sarifOf(source); raw != "" {
				valid(t, raw)
			}
		}
	}
}

func sarifOf(source []byte) (string, int) {
	var out, errs bytes.Buffer
	status := run([]string{"-sarif", "-", "-"}, bytes.NewReader(source), &out, &errs)
	return out.String(), status
}

// The package comment names each flag.
func TestDocumentation(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(source), "\npackage main")
	_, help := program(t, statusClean, nil, "-h")
	for line := range strings.Lines(help) {
		if name, found := strings.CutPrefix(line, "  -"); found && !strings.Contains(comment, "\n//	-"+strings.Fields(name)[0]+" ") {
			t.Errorf("flag %s is not documented", line)
		}
	}
	if reflect.TypeFor[options]().NumField() != 3 {
		t.Error("there is a new option")
	}
}

// The command in the README is one of this program.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, args, _ := strings.Cut(string(readme), "`terraform -chdir=FOLDER show -json PLAN | go run . ")
	args, _, found := strings.Cut(args, "`")
	if !found {
		t.Fatal("the README does not have it")
	}
	plan := edited(t, "update", nil)
	t.Chdir(t.TempDir())
	out, _ := program(t, statusFailing, plan, strings.Fields(args)...)
	if log, err := os.ReadFile("out.sarif"); err != nil || out == "" {
		t.Errorf("it writes %d bytes to out.sarif (%v), and the text\n%s", len(log), err, out)
	}
}
