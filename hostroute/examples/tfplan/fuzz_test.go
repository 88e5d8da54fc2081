package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No document makes the program panic, print what is not printable, or write SARIF that is not valid.
func FuzzPlan(f *testing.F) {
	plans, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(plans) < 4 {
		f.Fatalf("%d plans, %v", len(plans), err)
	}
	for _, name := range plans {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte(`{"format_version":"1.2","planned_values":{}}`))
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, source []byte) {
		var out, errs bytes.Buffer
		status := run([]string{"-"}, bytes.NewReader(source), &out, &errs)
		for line := range strings.Lines(out.String() + errs.String()) {
			if line = strings.TrimSuffix(line, "\n"); oneLine(line) != line {
				t.Errorf("not printable: %q", line)
			}
		}
		raw, same := sarifOf(source)
		if same != status {
			t.Errorf("status %d with -sarif, %d without", same, status)
		}
		if raw != "" {
			valid(t, raw)
		}
	})
}

// small is a plan that has something of each kind.
const small = `{
	"format_version": "1.2",
	"variables": {"k": {"value": "x"}},
	"resource_changes": [
		{"address": "module.a[\"x\"].openstack_networking_subnet_v2.a[0]", "mode": "managed", "type": "openstack_networking_subnet_v2", "change": {
			"actions": ["create"],
			"after": {"cidr": "10.0.0.0/8", "ip_version": 4, "no_gateway": false, "host_routes": [{"destination_cidr": "1.2.3.4/8", "next_hop": "::1"}]},
			"after_unknown": {"id": true, "gateway_ip": true, "host_routes": [{}]}, "after_sensitive": {"host_routes": [{}]}}},
		{"address": "openstack_networking_subnet_route_v2.r[\"x\"]", "mode": "managed", "type": "openstack_networking_subnet_route_v2", "change": {
			"actions": ["create"], "after": {"destination_cidr": "11.0.0.0/255.0.0.0"}, "after_unknown": {"subnet_id": true, "next_hop": true}}}
	],
	"prior_state": {"format_version": "1.0", "values": {"root_module": {"child_modules": [{"resources": [
		{"address": "module.b.data.openstack_networking_subnet_v2.b", "mode": "data", "type": "openstack_networking_subnet_v2",
			"values": {"id": "b", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1"}, "sensitive_values": {"gateway_ip": true}}]}]}}},
	"configuration": {"root_module": {
		"resources": [
			{"address": "openstack_networking_subnet_route_v2.r", "mode": "managed", "type": "openstack_networking_subnet_route_v2", "name": "r",
				"for_each_expression": {"constant_value": {"x": {"y": "x"}}},
				"expressions": {"subnet_id": {"references": ["module.a", "each.value.y", "each.value"]}, "next_hop": {"references": ["module.a[\"x\"].g"]}}}],
		"module_calls": {"a": {
			"for_each_expression": {"references": ["var.k"]}, "expressions": {"v": {"references": ["each.key"]}},
			"module": {
				"outputs": {
					"o": {"expression": {"references": ["openstack_networking_subnet_v2.a[0].id", "openstack_networking_subnet_v2.a[0]", "var.v"]}},
					"g": {"expression": {"references": ["openstack_networking_subnet_v2.a[0].gateway_ip"]}}},
				"variables": {"v": {}},
				"resources": [{"address": "openstack_networking_subnet_v2.a", "mode": "managed", "type": "openstack_networking_subnet_v2", "name": "a",
					"count_expression": {"constant_value": 1}, "expressions": {"gateway_ip": {"references": ["var.v"]}, "host_routes": [{"next_hop": {}}]}}]}}}
	}}
}`
