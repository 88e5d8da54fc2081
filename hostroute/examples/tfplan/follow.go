package main

// This file follows what expressions refer to. A plan's configuration says that for each of them, in place of the
// expression.

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxSteps bounds how many references are followed for one value: a plan that Terraform made needs few.
const maxSteps = 10_000

// A follower finds the subnet that an expression takes an attribute of.
type follower struct {
	plan      *plan
	attribute string // id, or gateway_ip
	steps     int
	found     map[*resource]bool
	lost      bool // something else may be meant, too
	assumed   bool // an index is assumed
}

// subnet returns the one subnet whose attribute is the value of the expression; nil if the plan does not tell. It is
// assumed if an index is; see place.
func (p *plan) subnet(e expression, attribute string) (r *resource, assumed bool) {
	f := &follower{plan: p, attribute: attribute, found: make(map[*resource]bool)}
	f.follow(e, nil, nil)
	if f.lost || len(f.found) != 1 {
		return nil, f.assumed
	}
	for r = range f.found { // the only one
	}
	return r, f.assumed
}

// follow looks at all that an expression refers to and that is not known before the apply. keys are indices that are
// applied to its value, the first one last in the list; attributes are those that are taken of it, in this order.
func (f *follower) follow(e expression, keys, attributes []string) {
	if e.Expression == nil {
		f.lost = true
		return
	}
	known := make(map[string][]string)
	var unknown [][]string
	for _, ref := range f.references(e) {
		if f.known(ref, e) {
			known[strings.Join(ref, ".")] = ref
		} else {
			unknown = append(unknown, ref)
		}
	}
	switch {
	case len(known) > 1 || len(unknown) > 1:
		keys = append(slices.Clip(keys), noKey)
	case len(known) == 1:
		for _, ref := range known {
			keys = append(slices.Clip(keys), f.index(ref, e))
		}
	}
	for _, ref := range unknown {
		f.source(ref, e, keys, attributes)
	}
}

// noKey is an index of which nothing is known.
const noKey = "[?]"

// index returns the value of a known reference, as a key.
func (f *follower) index(ref []string, e expression) string {
	if ref[0] == "count" || ref[0] == "each" && ref[1] == "key" {
		return e.key
	}
	switch v := f.value(ref, e).(type) {
	case string:
		return textKey(v)
	case float64:
		return "[" + strconv.FormatFloat(v, 'g', -1, 64) + "]"
	}
	return noKey
}

// source follows one reference that is not known before the apply.
func (f *follower) source(ref []string, e expression, keys, attributes []string) {
	if len(ref) < 2 {
		f.lost = true
		return
	}
	name, rest := ref[1], ref[2:]
	switch ref[0] {
	case subnetType:
		instances := e.in.instances[[2]string{subnetType, name}]
		var have []string
		for _, r := range instances {
			have = append(have, r.key)
		}
		i, rest, _ := f.instance(have, rest, keys)
		attribute := attributeOf(rest, attributes)
		switch {
		case i < 0:
			f.lost = true
		case attribute == f.attribute, attribute == "" && f.attribute == "id":
			// Where the index is an expression, the plan does not say the attribute. In place of a subnet_id it can be the ID only.
			f.found[instances[i]] = true
		case f.attribute != "id":
			f.lost = true // an address may be made of it
		}

	case "module":
		have := e.in.keys(name)
		i, rest, keys := f.instance(have, rest, keys)
		if i < 0 {
			f.lost = true
			return
		}
		f.outputs(e.in.child(name, have[i]), rest, keys, attributes)

	case "var":
		if e.in.call == nil {
			f.lost = true
			return
		}
		keys, attributes = inside(rest, keys, attributes)
		f.follow(e.in.argument(name), keys, attributes)

	case "each":
		keys, attributes = inside(rest, keys, attributes)
		f.follow(expression{Expression: e.each, in: e.in}, append(slices.Clip(keys), e.key), attributes)

	case "data", "local", "self":
		f.lost = true

	default:
		if len(rest) > 0 && isKey(rest[0]) {
			rest = rest[1:]
		}
		// The ID of another resource is not a subnet's. Any other attribute might be.
		f.lost = f.lost || attributeOf(rest, attributes) != "id"
	}
}

// attributeOf returns the attribute that is taken of a resource: the one that the reference has, or else the last one that
// is taken of where its value goes. It is "" if the plan does not say it.
func attributeOf(rest, attributes []string) string {
	switch {
	case len(rest) > 0:
		return rest[0]
	case len(attributes) > 0:
		return attributes[len(attributes)-1]
	}
	return ""
}

// instance returns which of the instances of a resource or module is meant, or -1. have are their keys. The key that is
// meant is taken off rest, what a reference says of it, or else off keys.
func (f *follower) instance(have, rest, keys []string) (i int, restLeft, keysLeft []string) {
	if len(rest) > 0 && isKey(rest[0]) {
		return slices.Index(have, rest[0]), rest[1:], keys
	}
	key := noKey
	if len(have) > 0 && have[0] != "" && len(keys) > 0 { // it has count or for_each
		key, keys = keys[len(keys)-1], keys[:len(keys)-1]
	}
	if key == noKey && len(have) == 1 {
		return 0, rest, keys
	}
	f.assumed = true
	return slices.Index(have, key), rest, keys
}

// outputs follows an output of a module, or all of them where the plan does not say which one is meant.
func (f *follower) outputs(child *scope, rest, keys, attributes []string) {
	if child.module == nil {
		f.lost = true
		return
	}
	names := slices.Sorted(maps.Keys(child.module.Outputs))
	if len(rest) > 0 {
		names, rest = rest[:1], rest[1:]
	} else if i, only := onlyOne(attributes, names); only {
		names, attributes = attributes[i:i+1], attributes[i+1:]
	}
	keys, attributes = inside(rest, keys, attributes)
	for _, name := range names {
		if out := child.module.Outputs[name]; out != nil {
			f.follow(expression{Expression: out.Expression, in: child}, keys, attributes)
		}
	}
}

// onlyOne returns the index of the only attribute that is one of the names.
func onlyOne(attributes, names []string) (at int, only bool) {
	for i, a := range attributes {
		if slices.Contains(names, a) {
			if only {
				return 0, false
			}
			at, only = i, true
		}
	}
	return at, only
}

// inside puts what a reference takes of a variable's or an output's value before keys and attributes.
func inside(rest, keys, attributes []string) (allKeys, allAttributes []string) {
	keys = slices.Clip(keys)
	for _, part := range slices.Backward(rest) {
		if isKey(part) {
			keys = append(keys, part)
		}
	}
	names := slices.DeleteFunc(slices.Clone(rest), isKey)
	return keys, append(names, attributes...)
}

// isKnown reports whether the value of an expression is certainly known before the apply.
func (p *plan) isKnown(e expression) bool {
	f := &follower{plan: p}
	return f.allKnown(e)
}

func (f *follower) allKnown(e expression) bool {
	return !slices.ContainsFunc(f.references(e), func(ref []string) bool { return !f.known(ref, e) })
}

// known reports whether what is referred to is certainly known before the apply.
func (f *follower) known(ref []string, e expression) bool {
	if len(ref) < 2 {
		return false
	}
	switch ref[0] {
	case "count", "path", "terraform":
		return true
	case "each":
		return ref[1] == "key" || e.each != nil && f.allKnown(expression{Expression: e.each, in: e.in})
	case "var":
		return e.in.parent == nil || e.in.call != nil && f.allKnown(e.in.argument(ref[1]))
	}
	return e.in.isKnown(ref)
}

// value returns the value of an each.value or a variable; nil if the plan does not have it.
func (f *follower) value(ref []string, e expression) (v any) {
	if len(ref) < 2 {
		return nil
	}
	switch {
	case ref[0] == "each" && ref[1] == "value":
		v = element(f.constant(expression{Expression: e.each, in: e.in}), unquoted(e.key))
	case ref[0] == "var" && e.in.call != nil:
		v = f.constant(e.in.argument(ref[1]))
	case ref[0] == "var" && e.in.parent == nil && f.plan.variables[ref[1]] != nil:
		v = f.plan.variables[ref[1]].Value
	}
	for _, part := range ref[2:] {
		v = element(v, unquoted(part))
	}
	return v
}

// constant returns the value of an expression that is a constant, or refers to one value and, as far as the plan
// shows, is that value.
func (f *follower) constant(e expression) any {
	switch refs := f.references(e); {
	case len(refs) == 1:
		return f.value(refs[0], e)
	case len(refs) == 0 && e.Expression != nil && e.ExpressionData != nil:
		return e.ConstantValue
	}
	return nil
}

// references returns what the expression refers to, each split. A plan lists each reference followed by its shorter
// forms, which are left out here: a.b["k"].id, a.b["k"], a.b.
func (f *follower) references(e expression) (list [][]string) {
	if e.Expression == nil || e.ExpressionData == nil {
		return nil
	}
	f.steps += 1 + len(e.References)
	if f.steps > maxSteps {
		return [][]string{{"too many"}}
	}
	var last []string
	for _, text := range e.References {
		ref, err := split(text)
		if err != nil {
			ref = []string{text} // nobody knows it
		}
		if len(ref) >= len(last) || !slices.Equal(ref, last[:len(ref)]) {
			list = append(list, ref)
		}
		last = ref
	}
	return list
}
