package main

// This file reads a plan: the resources, as they will be once it is applied.

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
)

// The types of resources that are checked.
const (
	subnetType = "openstack_networking_subnet_v2"
	routeType  = "openstack_networking_subnet_route_v2"
	readType   = "data." + subnetType // a subnet that a data source has read
)

// A plan has the resources by address, without those that the plan deletes. Those of other types than the two above are
// there because expressions refer to them.
type plan struct {
	resources []*resource
	root      *module
	partial   bool // as with -target; OpenTofu does not tell
}

// A block is one instance of a resource or of a module call. Its expressions are evaluated in the module that it is in.
type block struct {
	in          *module // nil: this is the root module
	name        string
	key         string // of count or for_each, as addresses have it between the brackets: 0 or "a"
	expressions map[string]*tfjson.Expression
	forEach     *tfjson.Expression
}

type resource struct {
	block
	values
	address    string
	kind       string
	created    bool
	configured bool // the plan's configuration has it
}

type module struct {
	block
	config   *tfjson.ConfigModule // nil: the plan's configuration does not have it
	children []*module
}

// readPlan reads what `terraform show -json` prints of a plan.
func readPlan(source []byte) (*plan, error) {
	var document tfjson.Plan
	var made struct{ Errored bool } // which tfjson.Plan does not have
	if err := cmp.Or(json.Unmarshal(source, &document), json.Unmarshal(source, &made)); err != nil {
		return nil, fmt.Errorf("this is not what `terraform show -json PLAN` prints: %w", err)
	}
	if made.Errored {
		return nil, errors.New("`terraform plan` failed when it made this plan, so resources can be missing")
	}
	if document.PlannedValues == nil && len(document.ResourceChanges) == 0 {
		return nil, errors.New("this is not a plan: it has no planned_values (`terraform show -json PLAN` prints one)")
	}
	p := &plan{root: &module{}, partial: document.Complete != nil && !*document.Complete}
	if document.Config != nil {
		p.root.config = document.Config.RootModule
	}
	for _, c := range document.ResourceChanges {
		if c == nil || c.Change == nil || c.Mode != tfjson.ManagedResourceMode {
			continue
		}
		v := values{c.Change.After, c.Change.AfterUnknown, c.Change.AfterSensitive}
		if c.Change.Actions.Forget() && c.DeposedKey == "" { // Terraform forgets it, and Neutron keeps it
			v = values{known: c.Change.Before, sensitive: c.Change.BeforeSensitive}
		}
		if _, ok := v.known.(map[string]any); ok { // else it is deleted
			p.add(c, v)
		}
	}
	if document.PriorState != nil && document.PriorState.Values != nil {
		p.addRead(document.PriorState.Values.RootModule)
	}
	slices.SortStableFunc(p.resources, func(a, b *resource) int { return cmp.Compare(a.address, b.address) })
	return p, nil
}

// addRead adds the subnets that data sources of a module have read.
func (p *plan) addRead(m *tfjson.StateModule) {
	if m == nil {
		return
	}
	for _, r := range m.Resources {
		if r == nil || r.Mode != tfjson.DataResourceMode || r.Type != subnetType {
			continue
		}
		v := values{known: r.AttributeValues}
		if json.Unmarshal(r.SensitiveValues, &v.sensitive) != nil { // it is missing
			v.sensitive = nil
		}
		p.resources = append(p.resources, &resource{values: v, address: r.Address, kind: readType})
	}
	for _, child := range m.ChildModules {
		p.addRead(child)
	}
}

// add adds a resource, and the modules that it is in.
func (p *plan) add(c *tfjson.ResourceChange, v values) {
	in, parts := p.root, split(c.Address)
	for len(parts) > 2 && parts[0] == "module" {
		name, key := parts[1], ""
		if parts = parts[2:]; isKey(parts[0]) {
			key, parts = parts[0], parts[1:]
		}
		in = in.child(name, key)
	}
	r := &resource{block: block{in: in, name: c.Name}, values: v, address: c.Address, kind: c.Type,
		created: slices.Contains(c.Change.Actions, tfjson.ActionCreate)}
	if last := len(parts) - 1; last >= 0 && isKey(parts[last]) {
		r.key = parts[last]
	}
	if in.config != nil {
		for _, config := range in.config.Resources {
			if config != nil && config.Mode == c.Mode && config.Type == c.Type && config.Name == c.Name {
				r.configured, r.expressions, r.forEach = true, config.Expressions, config.ForEachExpression
			}
		}
	}
	p.resources = append(p.resources, r)
}

// child returns an instance of a module that m calls.
func (m *module) child(name, key string) *module {
	for _, c := range m.children {
		if c.name == name && c.key == key {
			return c
		}
	}
	c := &module{block: block{in: m, name: name, key: key}}
	if m.config != nil && m.config.ModuleCalls[name] != nil {
		call := m.config.ModuleCalls[name]
		c.config, c.expressions, c.forEach = call.Module, call.Expressions, call.ForEachExpression
	}
	m.children = append(m.children, c)
	return c
}

// all returns the resources of some types.
func (p *plan) all(kinds ...string) (list []*resource) {
	for _, r := range p.resources {
		if slices.Contains(kinds, r.kind) {
			list = append(list, r)
		}
	}
	return list
}

// instances returns the instances of a resource in an instance of a module.
func (p *plan) instances(in *module, kind, name string) (list []*resource) {
	for _, r := range p.all(kind) {
		if r.in == in && r.name == name {
			list = append(list, r)
		}
	}
	return list
}

var part = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^.\[\]"]+`)

// split splits an address or a reference into names and keys: module, net, "a", TYPE, NAME, 0.
func split(address string) []string { return part.FindAllString(address, -1) }

// isKey reports whether a part is a key. Names begin with neither a quote nor a digit.
func isKey(part string) bool { return part[0] == '"' || part[0] >= '0' && part[0] <= '9' }

// values are the attributes of a resource, or of a block in it.
type values struct {
	known     any
	unknown   any // what is known only after the apply has true in place of the value
	sensitive any // likewise
}

// An unchecked says why something is not checked. Other errors are those of values that cannot be right.
type unchecked string

func (u unchecked) Error() string { return string(u) }

// get returns an attribute, or the given value if it is null.
func get[T any](v values, name string, null T) (T, error) {
	value := member(v.known, name)
	typed, ok := value.(T)
	switch {
	case member(v.unknown, name) == true:
		return null, unchecked(name + " is known only after the apply")
	case member(v.sensitive, name) == true: // a finding would print it
		return null, unchecked(name + " is sensitive")
	case value == nil:
		return null, nil
	case !ok:
		return null, fmt.Errorf("%s is a %T", name, value)
	}
	return typed, nil
}

// list returns the blocks of a name.
func (v values) list(name string) (list []values, err error) {
	blocks, err := get[[]any](v, name, nil)
	for i := range blocks {
		list = append(list, values{blocks[i], element(member(v.unknown, name), i), element(member(v.sensitive, name), i)})
	}
	return list, err
}

// member returns a member of an object. All members of true are true.
func member(v any, name string) any {
	if object, ok := v.(map[string]any); ok {
		return object[name]
	}
	if v == true {
		return true
	}
	return nil
}

func element(v any, i int) any {
	if list, ok := v.([]any); ok && i < len(list) {
		return list[i]
	}
	return nil
}
