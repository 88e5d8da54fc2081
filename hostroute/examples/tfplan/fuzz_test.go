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
	f.Add([]byte(`{"format_version":"1.2","resource_changes":[{"address":"module.a[\"x\"].openstack_networking_subnet_v2.a[0]","mode":"managed",` +
		`"type":"openstack_networking_subnet_v2","change":{"actions":["create"],"after":{"cidr":"10.0.0.0/8","no_gateway":true,"host_routes":[{"destination_cidr":"1.2.3.4/8","next_hop":"::1"}]},` +
		`"after_unknown":{"gateway_ip":true},"after_sensitive":{"host_routes":[true]}}},` +
		`{"address":"openstack_networking_subnet_route_v2.r","mode":"managed","type":"openstack_networking_subnet_route_v2","change":{"actions":["create"],` +
		`"after":{"destination_cidr":"11.0.0.0/255.0.0.0","next_hop":"10.0.0.1"},"after_unknown":{"subnet_id":true}}}],` +
		`"configuration":{"root_module":{"resources":[{"address":"openstack_networking_subnet_route_v2.r","mode":"managed","type":"openstack_networking_subnet_route_v2","name":"r",` +
		`"expressions":{"subnet_id":{"references":["module.a","var.k"]}}}],"module_calls":{"a":{"for_each_expression":{},"module":{"outputs":{"o":{"expression":` +
		`{"references":["openstack_networking_subnet_v2.a[0].id"]}}}}}}}},"variables":{"k":{"value":"x"}}}`))
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
