package main

// This file finds the subnet that an expression refers to. The configuration in a plan has the references of an expression,
// and not the expression.

import (
	"maps"
	"slices"
	"strconv"

	tfjson "github.com/hashicorp/terraform-json"
)

// place returns the subnet of a route, or why it is not known. See find for one that is assumed.
func (p *plan) place(route *resource) (subnet *resource, assumed bool, err error) {
	if member(route.unknown, "subnet_id") == true {
		if subnet, assumed = p.find(route.block, "subnet_id", "id"); subnet == nil {
			err = unchecked("subnet_id is known only after the apply, and the configuration does not tell which subnet it is")
		}
		return subnet, assumed, err
	}
	id, err := get(route.values, "subnet_id", "")
	if err != nil {
		return nil, false, err
	}
	for _, s := range append(p.all(subnetType), p.all(readType)...) { // if both have the subnet, it is that of the plan
		if has, err := get(s.values, "id", ""); err == nil && has == id {
			return s, false, nil
		}
	}
	return nil, false, unchecked("its subnet " + strconv.Quote(id) + " is not in this plan")
}

// maxSteps bounds how many references are followed for one value. Plans that Terraform made need few.
const maxSteps = 10_000

// A search looks for the subnets of which an expression can have an attribute.
type search struct {
	plan      *plan
	attribute string // id, or gateway_ip
	found     map[*resource]bool
	lost      bool // the value may be something else
	assumed   bool // see find
	steps     int
}

// find returns the one subnet of which an attribute of a block has the ID or the gateway; nil if the plan does not tell. It is
// assumed if it, or its module, has for_each: that its key is the one that the configuration names beside it. And it is if the
// expression depends on something else that is unknown, which may be a condition.
func (p *plan) find(b block, name, attribute string) (subnet *resource, assumed bool) {
	s := &search{plan: p, attribute: attribute, found: make(map[*resource]bool)}
	s.follow(b, b.expressions[name], "")
	if s.lost || len(s.found) != 1 {
		return nil, false
	}
	for subnet = range s.found { // the only one
	}
	return subnet, s.assumed
}

// A reference is KIND.NAME["KEY"].ATTRIBUTE, the last two of which may be missing.
type reference struct {
	kind, name, key, attribute string
	keys                       []string // all after the name
}

// anyKey is a key that is not known.
const anyKey = "?"

// join returns the one key that there is.
func join(key string, more ...string) string {
	for _, k := range more {
		if key != "" {
			return anyKey
		}
		key = k
	}
	return key
}

// follow follows what an expression of a block refers to and is not known before the apply. key is the one that is taken of
// its value, or "".
func (s *search) follow(b block, e *tfjson.Expression, key string) {
	if e == nil {
		s.lost = true
		return
	}
	var unknown []reference
	var keys []string
	for _, ref := range s.references(e) {
		switch {
		case !s.known(b, ref):
			unknown = append(unknown, ref)
		case ref.kind == "each" && ref.name == "key":
			keys = append(keys, b.key)
		default: // A variable is not looked up, and count.index is often calculated with.
			keys = append(keys, anyKey)
		}
	}
	if len(unknown) > 1 {
		keys = append(keys, anyKey)
	}
	for _, ref := range unknown {
		s.source(b, ref, join(key, keys...))
	}
}

// source follows one reference.
func (s *search) source(b block, ref reference, key string) {
	switch {
	case ref.kind == subnetType:
		subnets := s.plan.instances(b.in, subnetType, ref.name)
		at, _ := pick(s, subnets, func(r *resource) string { return r.key }, ref.key, key)
		switch {
		case at == nil || ref.attribute == "" && s.attribute != "id":
			s.lost = true
		case ref.attribute == "" || ref.attribute == s.attribute: // where the key is an expression, the plan does not tell the attribute
			s.found[at] = true
		case s.attribute != "id":
			s.lost = true // an address may be made of any attribute
		default:
			s.assumed = true // as below
		}

	case ref.kind == "module":
		var instances []*module
		for _, c := range b.in.children {
			if c.name == ref.name {
				instances = append(instances, c)
			}
		}
		child, key := pick(s, instances, func(m *module) string { return m.key }, ref.key, key)
		if child == nil || child.config == nil {
			s.lost = true
			return
		}
		outputs := slices.Sorted(maps.Keys(child.config.Outputs)) // where the key is an expression, any of them
		if ref.attribute != "" {
			outputs = []string{ref.attribute}
			if ref.key != "" {
				ref.keys = ref.keys[1:]
			}
			key = join(key, ref.keys...)
		}
		for _, output := range outputs {
			if out := child.config.Outputs[output]; out != nil {
				s.follow(block{in: child}, out.Expression, key)
			} else {
				s.lost = true
			}
		}

	case ref.kind == "var" && b.in.in != nil:
		s.follow(b.in.block, b.in.expressions[ref.name], join(key, ref.keys...))

	case ref.kind == "each":
		s.follow(b, b.forEach, join(key, b.key))

	case ref.attribute != "id" || s.attribute != "id" || len(s.plan.instances(b.in, ref.kind, ref.name)) == 0:
		s.lost = true // any attribute, local value or data source can have the ID of a subnet, but for the ID of another resource

	default:
		s.assumed = true // the ID of another resource: in a condition, it may choose something known in place of the subnet
	}
}

// pick returns the instance with a literal key, or else with the key that is named beside the reference; nil if there is none.
// It also returns that key if it is still to be taken.
func pick[T any](s *search, instances []*T, keyOf func(*T) string, literal, key string) (*T, string) {
	if literal == "" && len(instances) > 0 && keyOf(instances[0]) != "" {
		literal, key = key, ""
		if len(instances) == 1 && (literal == "" || literal == anyKey) {
			return instances[0], ""
		}
		s.assumed = true
	}
	for _, i := range instances {
		if keyOf(i) == literal {
			return i, key
		}
	}
	return nil, key
}

// isKnown reports whether the value of an expression is certainly known before the apply.
func (p *plan) isKnown(b block, e *tfjson.Expression) bool { return (&search{plan: p}).allKnown(b, e) }

func (s *search) allKnown(b block, e *tfjson.Expression) bool {
	return !slices.ContainsFunc(s.references(e), func(ref reference) bool { return !s.known(b, ref) })
}

// known reports whether what an expression of a block refers to is certainly known before the apply.
func (s *search) known(b block, ref reference) bool {
	switch ref.kind {
	case "count", "path", "terraform":
		return true
	case "each":
		return ref.name == "key" || s.allKnown(b, b.forEach)
	case "var":
		return b.in.in == nil || s.allKnown(b.in.block, b.in.expressions[ref.name])
	}
	instances := s.plan.instances(b.in, ref.kind, ref.name)
	unknown := func(r *resource) bool { return member(r.unknown, ref.attribute) != nil }
	return len(instances) > 0 && ref.attribute != "" && !slices.ContainsFunc(instances, unknown)
}

// references returns what an expression refers to. A plan lists each reference followed by its shorter forms, which are left
// out here: a.b["k"].id, a.b["k"], a.b. Those of module.m["k"].id end with module.m["k"]: module.m is another reference.
func (s *search) references(e *tfjson.Expression) (list []reference) {
	if e == nil || e.ExpressionData == nil {
		return nil
	}
	s.steps += 1 + len(e.References)
	if s.steps > maxSteps {
		return []reference{{}}
	}
	var last []string
	for _, text := range e.References {
		parts := split(text)
		shorter := len(parts) < len(last) && slices.Equal(parts, last[:len(parts)])
		isCall := shorter && len(parts) == 2 && parts[0] == "module" && isKey(last[2])
		if shorter && !isCall {
			last = parts
			continue
		}
		last = parts
		var ref reference
		for i, part := range parts {
			switch {
			case i == 0:
				ref.kind = part
			case i == 1:
				ref.name = part
			case isKey(part):
				ref.keys = append(ref.keys, part)
			case ref.attribute == "":
				ref.attribute = part
			}
			if i == 2 && isKey(part) {
				ref.key = part
			}
		}
		list = append(list, ref)
	}
	return list
}
