package main

// This file reads a plan: the subnets and the routes of subnets, as they will be once it is applied.

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	tfjson "github.com/hashicorp/terraform-json"
)

// The types of resources that are read.
const (
	subnetType = "openstack_networking_subnet_v2"
	routeType  = "openstack_networking_subnet_route_v2"
)

// A plan has the resources by address, those that the plan deletes left out.
type plan struct {
	subnets, routes []*resource
	byID            map[string]*resource // subnets that exist
	deferred        []string             // addresses of those that a later plan decides on
	variables       map[string]*tfjson.PlanVariable
	root            *scope
}

// A resource is one instance of a resource, as it will be.
type resource struct {
	address   string // as the plan writes it
	in        *scope
	name      string
	key       string // of count or for_each; see split
	created   bool
	values    map[string]any
	unknown   any                    // what is known only after the apply: true in place of values
	sensitive any                    // likewise
	config    *tfjson.ConfigResource // nil: the plan's configuration does not have it
}

// readPlan reads what `terraform show -json` prints of a plan.
func readPlan(source []byte) (*plan, error) {
	var document tfjson.Plan
	if err := json.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("this is not what `terraform show -json PLAN` prints: %w", err)
	}
	if document.PlannedValues == nil && len(document.ResourceChanges) == 0 {
		return nil, errors.New("this is not a plan: it has no planned_values (`terraform show -json PLAN` prints one)")
	}
	p := &plan{variables: document.Variables, root: &scope{}}
	if document.Config != nil {
		p.root.module = document.Config.RootModule
	}

	changed := make(map[string]bool)
	for _, c := range document.ResourceChanges {
		if c == nil || c.Change == nil || c.Mode != tfjson.ManagedResourceMode {
			continue
		}
		changed[c.Address] = true
		after, ok := c.Change.After.(map[string]any)
		if !ok {
			continue // it is deleted, or no longer managed
		}
		r := &resource{address: c.Address, created: slices.Contains(c.Change.Actions, tfjson.ActionCreate),
			values: after, unknown: c.Change.AfterUnknown, sensitive: c.Change.AfterSensitive}
		if err := p.add(c.Type, r); err != nil {
			return nil, err
		}
	}
	if err := p.addUnchanged(document.PriorState, changed); err != nil {
		return nil, err
	}
	for _, d := range document.DeferredChanges {
		if d != nil && d.ResourceChange != nil && (d.ResourceChange.Type == subnetType || d.ResourceChange.Type == routeType) {
			p.deferred = append(p.deferred, d.ResourceChange.Address)
		}
	}
	slices.Sort(p.deferred)
	return p, p.index()
}

// index sorts the resources, and finds subnets by ID.
func (p *plan) index() error {
	for _, list := range [][]*resource{p.subnets, p.routes} {
		slices.SortFunc(list, func(a, b *resource) int { return cmp.Compare(a.address, b.address) })
		for i := 1; i < len(list); i++ {
			if list[i].address == list[i-1].address {
				return fmt.Errorf("the plan has %s twice", oneLine(list[i].address))
			}
		}
	}
	p.byID = make(map[string]*resource)
	for _, s := range p.subnets {
		if id, _ := s.text("id"); id != "" {
			p.byID[id] = s
		}
	}
	return nil
}

// addUnchanged adds what exists and is not among the changes, as in a plan with -target.
func (p *plan) addUnchanged(state *tfjson.State, changed map[string]bool) error {
	if state == nil || state.Values == nil {
		return nil
	}
	modules := []*tfjson.StateModule{state.Values.RootModule}
	for len(modules) > 0 {
		m := modules[0]
		modules = modules[1:]
		if m == nil {
			continue
		}
		modules = append(modules, m.ChildModules...)
		for _, s := range m.Resources {
			if s == nil || s.Mode != tfjson.ManagedResourceMode || s.DeposedKey != "" || changed[s.Address] {
				continue
			}
			var sensitive any
			if len(s.SensitiveValues) > 0 {
				if err := json.Unmarshal(s.SensitiveValues, &sensitive); err != nil {
					return err
				}
			}
			if err := p.add(s.Type, &resource{address: s.Address, values: s.AttributeValues, sensitive: sensitive}); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a resource. Those of other types are there for what refers to them.
func (p *plan) add(kind string, r *resource) error {
	parts, err := split(r.address)
	if err != nil {
		return fmt.Errorf("the address %s cannot be read: %w", oneLine(r.address), err)
	}
	r.in = p.root
	for len(parts) > 2 && parts[0] == "module" {
		name, key, rest := parts[1], "", parts[2:]
		if isKey(rest[0]) {
			key, rest = rest[0], rest[1:]
		}
		r.in = r.in.child(name, key)
		parts = rest
	}
	if len(parts) == 3 && isKey(parts[2]) {
		r.key, parts = parts[2], parts[:2]
	}
	if len(parts) != 2 || parts[0] != kind {
		return fmt.Errorf("the address %s is not that of a %s", oneLine(r.address), oneLine(kind))
	}
	r.name = parts[1]
	if r.in.module != nil {
		i := slices.IndexFunc(r.in.module.Resources, func(c *tfjson.ConfigResource) bool {
			return c != nil && c.Mode == tfjson.ManagedResourceMode && c.Type == kind && c.Name == r.name
		})
		if i >= 0 {
			r.config = r.in.module.Resources[i]
		}
	}
	if r.in.instances == nil {
		r.in.instances = make(map[[2]string][]*resource)
	}
	at := [2]string{kind, r.name}
	r.in.instances[at] = append(r.in.instances[at], r)
	switch kind {
	case subnetType:
		p.subnets = append(p.subnets, r)
	case routeType:
		p.routes = append(p.routes, r)
	}
	return nil
}

// expression returns what the configuration gives for an attribute. given is false if it gives nothing.
func (r *resource) expression(attribute string) (e expression, given bool) {
	given = r.config != nil && r.config.Expressions[attribute] != nil
	if given {
		e = expression{r.config.Expressions[attribute], r.in, r.key, r.config.ForEachExpression}
	}
	return e, given
}

// isUnknown reports whether an attribute, or what a path leads to in it, is known only after the apply.
func (r *resource) isUnknown(path ...string) bool { return marked(r.unknown, path) }

// value returns what is at a path, or else why it cannot be used.
func (r *resource) value(path ...string) (value any, reason string) {
	switch {
	case r.isUnknown(path...):
		return nil, pathText(path) + " is known only after the apply"
	case marked(r.sensitive, path):
		return nil, pathText(path) + " is sensitive"
	}
	value = r.values
	for _, part := range path {
		value = element(value, part)
	}
	return value, ""
}

// text returns the text at a path, or else why it cannot be used. Null is "".
func (r *resource) text(path ...string) (text, reason string) {
	value, reason := r.value(path...)
	text, ok := value.(string)
	if value != nil && !ok {
		reason = pathText(path) + " is not text"
	}
	return text, reason
}

// flag returns a boolean attribute, or else why it cannot be used. Null is the given default.
func (r *resource) flag(name string, or bool) (flag bool, reason string) {
	value, reason := r.value(name)
	if value == nil {
		return or, reason
	}
	flag, ok := value.(bool)
	if !ok {
		reason = name + " is neither true nor false"
	}
	return flag, reason
}

// marked reports whether marks, which has the shape of the values, has true at a path, or on the way to it.
func marked(marks any, path []string) bool {
	for _, part := range path {
		if marks == true {
			break
		}
		marks = element(marks, part)
	}
	return marks == true
}

// element returns the member of an object, or the element of a list; nil if there is none.
func element(v any, part string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[part]
	case []any:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// pathText returns host_routes[0].next_hop.
func pathText(path []string) string {
	text := path[0]
	for _, part := range path[1:] {
		if _, err := strconv.Atoi(part); err == nil {
			text += "[" + part + "]"
		} else {
			text += "." + part
		}
	}
	return text
}
