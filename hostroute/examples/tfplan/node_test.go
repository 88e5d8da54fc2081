package main

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// Whatever a value of a plan is replaced by, the program does not panic.
func TestEveryValueReplaced(t *testing.T) {
	var plan any
	if err := json.Unmarshal([]byte(small), &plan); err != nil {
		t.Fatal(err)
	}
	others := []any{nil, true, 5.0, 1e300, "", "x", "module.a", `openstack_networking_subnet_v2.a["x"].id`, []any{}, []any{nil}, []any{"var.k"}, object{}, object{"a": nil}}
	tried := 0
	try := func() {
		source, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if r := recover(); r != nil {
				t.Fatalf("%v: %s", r, source)
			}
		}()
		if p, err := readPlan(source); err == nil {
			check(p)
		}
		tried++
	}
	var walk func(v any, set func(any))
	walk = func(v any, set func(any)) {
		for _, other := range others {
			set(other)
			try()
		}
		set(v)
		switch v := v.(type) {
		case object:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(v[name], func(other any) { v[name] = other })
			}
		case []any:
			for i := range v {
				walk(v[i], func(other any) { v[i] = other })
			}
		}
	}
	walk(plan, func(other any) { plan = other })
	if tried < 500 {
		t.Errorf("%d plans tried", tried)
	}
}
