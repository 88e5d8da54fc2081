package main

// This file says where expressions are evaluated, and splits the addresses in them.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
)

// A scope is an instance of a module, where expressions are evaluated.
type scope struct {
	parent    *scope                    // nil: this is the root module
	key       string                    // of count or for_each
	call      *tfjson.ModuleCall        // in the parent's configuration; nil if that does not have it
	module    *tfjson.ConfigModule      // likewise
	children  map[[2]string]*scope      // by name and key
	instances map[[2]string][]*resource // by type and name
}

// child returns the instance of a called module.
func (s *scope) child(name, key string) *scope {
	at := [2]string{name, key}
	if s.children[at] == nil {
		c := &scope{parent: s, key: key}
		if s.module != nil {
			c.call = s.module.ModuleCalls[name]
		}
		if c.call != nil {
			c.module = c.call.Module
		}
		if s.children == nil {
			s.children = make(map[[2]string]*scope)
		}
		s.children[at] = c
	}
	return s.children[at]
}

// keys returns the keys of the instances of a called module.
func (s *scope) keys(name string) (keys []string) {
	for at := range s.children {
		if at[0] == name {
			keys = append(keys, at[1])
		}
	}
	slices.Sort(keys)
	return keys
}

// isKnown reports whether the attribute of a resource that a reference names is known for all instances.
func (s *scope) isKnown(ref []string) bool {
	instances, rest := s.instances[[2]string{ref[0], ref[1]}], ref[2:]
	if len(rest) > 0 && isKey(rest[0]) {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return false
	}
	unknown := func(r *resource) bool { return r.unknown == true || element(r.unknown, rest[0]) != nil }
	return len(instances) > 0 && !slices.ContainsFunc(instances, unknown)
}

// An expression belongs to a resource or to the call of a module, whose each and count it has.
type expression struct {
	*tfjson.Expression
	in   *scope
	key  string             // each.key, or count.index
	each *tfjson.Expression // for_each, or nil
}

// argument returns what the call of a module gives for a variable.
func (s *scope) argument(variable string) expression {
	return expression{s.call.Expressions[variable], s.parent, s.key, s.call.ForEachExpression}
}

// split splits an address or a reference into names and keys: module, net, ["a"], TYPE, NAME, [0]. A key is text as
// strconv.Quote quotes it, or a number, in brackets.
func split(address string) ([]string, error) {
	traversal, diagnostics := hclsyntax.ParseTraversalAbs([]byte(address), "", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, fmt.Errorf("%s", diagnostics[0].Summary)
	}
	var parts []string
	for _, step := range traversal {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			parts = append(parts, step.Name)
		case hcl.TraverseAttr:
			parts = append(parts, step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String {
				parts = append(parts, textKey(step.Key.AsString()))
			} else {
				parts = append(parts, "["+step.Key.AsBigFloat().Text('g', -1)+"]")
			}
		default:
			return nil, fmt.Errorf("%T is not understood", step)
		}
	}
	return parts, nil
}

func textKey(text string) string { return "[" + strconv.Quote(text) + "]" }

func isKey(part string) bool { return strings.HasPrefix(part, "[") }

// unquoted returns what a key has in its brackets, or the name that a part is.
func unquoted(part string) string {
	if !isKey(part) {
		return part
	}
	inner := strings.TrimSuffix(part[1:], "]")
	if text, err := strconv.Unquote(inner); err == nil {
		return text
	}
	return inner
}
