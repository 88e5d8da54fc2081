package main

// This file says on which subnet each route of a subnet is.

import (
	"strconv"

	tfjson "github.com/hashicorp/terraform-json"
)

// A place is where a route of a subnet is.
type place struct {
	subnet  *resource
	assumed bool   // an index is taken to be the value that is named beside it, such as each.key
	reason  string // why subnet is nil
}

// places returns the place of each route.
func (p *plan) places() []place {
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
	for i, r := range p.routes {
		if places[i].assumed && wrong[r.config] {
			places[i] = place{reason: untold}
		}
	}
	return places
}

const untold = "subnet_id is known only after the apply, and the configuration does not tell which subnet it is"

// place returns where one route is.
func (p *plan) place(r *resource) place {
	if e, given := r.expression("subnet_id"); r.isUnknown("subnet_id") && given {
		on, assumed := p.subnet(e, "id")
		return place{on, assumed, untold}
	}
	id, reason := r.text("subnet_id")
	if reason == "" && p.byID[id] == nil {
		reason = "it cannot be checked without its subnet, " + strconv.Quote(id) + ", which this plan does not have"
	}
	return place{p.byID[id], false, reason}
}
