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
	if len(p.routes) != len(truth) {
		t.Fatalf("%d routes, want %d", len(p.routes), len(truth))
	}
	var unknown, wrong, assumed []string // names of resources
	add := func(list *[]string, r *resource) {
		if !slices.Contains(*list, r.name) {
			*list = append(*list, r.name)
		}
	}
	for i, at := range p.places() {
		r := p.routes[i]
		if at.assumed {
			add(&assumed, r)
		}
		switch {
		case at.subnet == nil:
			add(&unknown, r)
		case at.subnet.address != truth[r.address]:
			add(&wrong, r)
			t.Logf("%s: got %s, want %s", r.address, at.subnet.address, truth[r.address])
		}
	}
	want := []string{"both", "flat", "mixed", "swapped", "element_splat", "hollow", "local", "local_or", "made_key", "map_of_ids", "output_key", "same_twice", "through_data", "two_each"}
	if diff := cmp.Diff(want, unknown); diff != "" {
		t.Errorf("not known (-want +got):\n%s", diff)
	}
	// reverse(module.counted[*].id)[count.index] refers to the same as module.counted[count.index].id does.
	if diff := cmp.Diff([]string{"counted_reversed"}, wrong); diff != "" {
		t.Errorf("wrong (-want +got):\n%s", diff)
	}
	want = []string{"all_key", "all_literal", "chained", "id", "ids_key", "ids_literal", "nested_key", "numbers_count", "rows", "whole", "constant_value_key",
		"count_index", "counted", "counted_reversed", "each_key", "each_value_key", "output_list", "output_map", "variable_key"}
	if diff := cmp.Diff(want, assumed); diff != "" {
		t.Errorf("assumed (-want +got):\n%s", diff)
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
	for i, at := range p.places() {
		r := p.routes[i]
		if r.name == "router" && at.subnet != nil {
			t.Errorf("%s is on %s", r.address, at.subnet.address)
		}
	}
}

func TestSplit(t *testing.T) {
	for address, want := range map[string][]string{
		`a.b`:                       {"a", "b"},
		`module.net["a\nb"].a.b`:    {"module", "net", `["a\nb"]`, "a", "b"},
		`a.b["$${x} %%{y} \u00e9"]`: {"a", "b", `["${x} %{y} é"]`},
		`a.b["]\".c"].id`:           {"a", "b", `["]\".c"]`, "id"},
		`a.b[10].c-d`:               {"a", "b", "[10]", "c-d"},
		`a.b[*].id`:                 nil,
		`a.b[`:                      nil,
		``:                          nil,
	} {
		got, err := split(address)
		if diff := cmp.Diff(want, got); diff != "" || (err != nil) != (want == nil) {
			t.Errorf("%s (%v) (-want +got):\n%s", address, err, diff)
		}
	}
}
