package main

// This file says on which subnet each route of a subnet is.

import (
	"iter"
	"strconv"

	tfjson "github.com/hashicorp/terraform-json"
)

// A place is where a route of a subnet is.
type place struct {
	subnet  *resource
	assumed bool   // an index is taken to be the value that is named beside it, such as each.key
	reason  string // why subnet is nil
}

// places yields each route with its place.
func (p *plan) places() iter.Seq2[*resource, place] {
	places := make([]place, len(p.routes))
	// Where the index is not the value beside it, as in subnet[floor(count.index / 2)], there is seldom a subnet for every
	// instance of the route. So one instance without is enough to assume nothing for the others.
	wrong := make(map[*tfjson.ConfigResource]bool)
	for i, r := range p.routes {
		places[i] = p.place(r)
		if places[i].subnet == nil && places[i].assumed {
			wrong[r.config] = true
		}
	}
	return func(yield func(*resource, place) bool) {
		for i, r := range p.routes {
			at := places[i]
			if at.assumed && wrong[r.config] {
				at = place{reason: "subnet_id" + untold}
			}
			if !yield(r, at) {
				return
			}
		}
	}
}

const untold = " is known only after the apply, and the configuration does not tell which subnet it is"

// place returns where one route is.
func (p *plan) place(r *resource) place {
	if e, given := r.expression("subnet_id"); r.isUnknown("subnet_id") && given {
		on, assumed := p.subnet(e, "id")
		return place{on, assumed, "subnet_id" + untold}
	}
	id, reason := r.text("subnet_id")
	if reason == "" && p.byID[id] == nil {
		reason = "it cannot be checked without its subnet, " + strconv.Quote(id) + ", which this plan does not have"
	}
	return place{p.byID[id], false, reason}
}
