package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The subnet that the program finds for a host route whose subnet_id is unknown is the one that Terraform finds once the
// subnets exist; or the program says that it does not know.
func TestPlacesAgainstTerraform(t *testing.T) {
	raw, err := os.ReadFile("testdata/references/subnets.json")
	if err != nil {
		t.Fatal(err)
	}
	truth := make(map[string]string)
	if err := json.Unmarshal(raw, &truth); err != nil {
		t.Fatal(err)
	}
	p, err := readPlan(edited(t, "references", nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.all(routeType)) != len(truth) {
		t.Fatalf("%d routes, want %d", len(p.all(routeType)), len(truth))
	}
	var unknown, assumed []string // names of resources
	add := func(list *[]string, r *resource) {
		if !slices.Contains(*list, r.name) {
			*list = append(*list, r.name)
		}
	}
	for _, r := range p.all(routeType) {
		subnet, onAssumption, _ := p.place(r)
		switch {
		case subnet == nil:
			add(&unknown, r)
			continue
		case onAssumption:
			add(&assumed, r)
		}
		if subnet.address != truth[r.address] {
			t.Errorf("%s: got %s, want %s", r.address, subnet.address, truth[r.address])
		}
	}
	want := []string{"both", "flat", "id", "mixed", "numbers_count", "rows", "swapped", "constant_value_key", "count_index", "counted", "counted_reversed",
		"each_value_key", "element_splat", "hollow", "local", "local_or", "made_key", "map_of_ids", "output_key", "same_twice", "through_data", "two_each", "variable_key"}
	if diff := cmp.Diff(want, unknown); diff != "" {
		t.Errorf("not known (-want +got):\n%s", diff)
	}
	want = []string{"all_key", "all_literal", "chained", "ids_key", "ids_literal", "nested_key", "object", "whole", "each_key", "output_list", "output_map"}
	if diff := cmp.Diff(want, assumed); diff != "" {
		t.Errorf("assumed (-want +got):\n%s", diff)
	}
}

// A condition that is unknown can choose the subnet's ID, null, or a known ID of another subnet: the plan has the same references
// for each. So the subnet is assumed there, and only there.
func TestConditions(t *testing.T) {
	const one, two, network = "openstack_networking_subnet_v2.one", "openstack_networking_subnet_v2.two", "openstack_networking_network_v2.n"
	for _, c := range []struct {
		name           string
		references     []any
		placed, assume bool
	}{
		{"var.create ? one.id : null", []any{"var.create", one + ".id", one}, true, false},
		{"n.name == \"n\" ? one.id : null", []any{network + ".name", network, one + ".id", one}, true, false},
		{"one.cidr == \"10.1.0.0/24\" ? one.id : null", []any{one + ".cidr", one, one + ".id", one}, true, false},
		{"n.id != \"\" ? one.id : null", []any{network + ".id", network, one + ".id", one}, true, true},
		{"n.id == \"\" ? one.id : var.zone", []any{network + ".id", network, one + ".id", one, "var.zone"}, true, true},
		{"two.gateway_ip == \"10.2.0.1\" ? one.id : var.zone", []any{two + ".gateway_ip", two, one + ".id", one, "var.zone"}, true, true},
		{"one.gateway_ip == \"10.2.0.1\" ? one.id : null", []any{one + ".gateway_ip", one, one + ".id", one}, true, true},
		{"two.id == \"\" ? one.id : null", []any{two + ".id", two, one + ".id", one}, false, false},
		{"n.mtu == 1500 ? one.id : null", []any{network + ".mtu", network, one + ".id", one}, false, false},
	} {
		subnet, assumed := localOr(t, c.references)
		if subnet != "" && subnet != one || (subnet != "") != c.placed || assumed != c.assume {
			t.Errorf("%s: got %q, assumed %t", c.name, subnet, assumed)
		}
	}
}

// localOr returns the subnet of the route local_or whose subnet_id has the references.
func localOr(t *testing.T, references []any) (subnet string, assumed bool) {
	t.Helper()
	p, err := readPlan(edited(t, "references", func(plan object) {
		for _, r := range plan["configuration"].(object)["root_module"].(object)["resources"].([]any) {
			if r := r.(object); r["name"] == "local_or" {
				r["expressions"].(object)["subnet_id"] = object{"references": references}
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.all(routeType) {
		if on, assumed, _ := p.place(r); r.name == "local_or" && on != nil {
			return on.address, assumed
		}
	}
	return "", false
}

// The ID of an object of which the plan does not tell what it is may be a subnet's.
func TestObjects(t *testing.T) {
	const one, id = "openstack_networking_subnet_v2.one", "openstack_networking_subnet_v2.one.id"
	for _, c := range []struct {
		references []any
		known      bool
	}{
		{[]any{id, one}, true},
		{[]any{id, one, "openstack_networking_network_v2.n.id", "openstack_networking_network_v2.n"}, true},
		{[]any{"local.subnet.id", "local.subnet", id, one}, false},
		{[]any{"local.subnets[\"b\"].id", "local.subnets[\"b\"]", "local.subnets", id, one}, false},
		{[]any{"data.openstack_networking_subnet_v2.x.id", "data.openstack_networking_subnet_v2.x", id, one}, false},
	} {
		if subnet, _ := localOr(t, c.references); (subnet != "") != c.known {
			t.Errorf("%v: on %q", c.references, subnet)
		}
	}
}

// A reference to a module by a key that is an expression is not a shorter form of one by a literal key before it.
func TestModuleKeys(t *testing.T) {
	p, err := readPlan(edited(t, "references", func(plan object) {
		for _, r := range plan["configuration"].(object)["root_module"].(object)["resources"].([]any) {
			if r := r.(object); r["name"] == "output_key" { // each.key == "p" ? module.outer["q"].inner_id : module.outer[each.key].inner_id
				r["expressions"].(object)["subnet_id"] = object{
					"references": []any{"each.key", `module.outer["q"].inner_id`, `module.outer["q"]`, "module.outer", "each.key"},
				}
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.all(routeType) {
		if subnet, assumed, _ := p.place(r); r.name == "output_key" && subnet != nil {
			t.Errorf("%s is on %s, assumed %t", r.address, subnet.address, assumed)
		}
	}
}

// Modules that refer to each other without end, as no Terraform writes them, come to an end here.
func TestEndlessReferences(t *testing.T) {
	source := edited(t, "modules", func(plan object) {
		root := plan["configuration"].(object)["root_module"].(object)
		calls := root["module_calls"].(object)
		net := calls["net"].(object)
		net["expressions"] = object{"x": object{"references": []any{"module.net", "each.key", "module.net[\"back\"].subnet_id", "var.x.y[0]"}}}
		net["for_each_expression"] = object{"references": []any{"each.value", "module.net"}}
		net["module"].(object)["outputs"] = object{"subnet_id": object{"expression": object{"references": []any{"var.x", "var.x.y", "each.value", "var.x"}}}}
	})
	p, err := readPlan(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.all(routeType) {
		if subnet, _, _ := p.place(r); r.name == "router" && subnet != nil {
			t.Errorf("%s is on %s", r.address, subnet.address)
		}
	}
}

func TestSplit(t *testing.T) {
	for address, want := range map[string][]string{
		`a.b`:                    {"a", "b"},
		`module.net["a\nb"].a.b`: {"module", "net", `"a\nb"`, "a", "b"},
		`a.b["]\".c"].id`:        {"a", "b", `"]\".c"`, "id"},
		`a.b[10].c-d`:            {"a", "b", "10", "c-d"},
		``:                       nil,
	} {
		if diff := cmp.Diff(want, split(address)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}
