package hostroute

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// An Edit is one change of a subnet's host routes. With a zero Old it adds New at the end of the
// list. With a zero New it removes Old. Otherwise New takes Old's place. An Edit with neither is
// refused, unless it is ignored because it is for another subnet.
type Edit struct {
	Subnet string    `json:"subnet"` // the ID of the subnet
	Old    HostRoute `json:"old,omitzero"`
	New    HostRoute `json:"new,omitzero"`
}

// Apply returns a copy of s with the edits for s made, in their order. It ignores edits for
// other subnets. Old must have the host bits that it has in the list, but an IPv4-mapped
// address equals the IPv4 one. A New that is already there is not repeated.
//
// If at least one edit names s, the whole list becomes what Neutron accepts: destinations are
// masked, IPv4-mapped addresses unmapped, and equal copies listed once. Otherwise it stays as
// it is.
//
// Apply returns an [InputError], and no copy, for an edit with neither Old nor New, for a New that is not
// a valid host route, for an Old that is not in the list, for an invalid host route in a list that is
// edited, and for a nil s.
func (s *Subnet) Apply(edits ...Edit) (*Subnet, error) {
	if s == nil {
		return nil, &InputError{"Subnet", errNil}
	}
	out := *s
	if !slices.ContainsFunc(edits, func(e Edit) bool { return e.Subnet == s.ID }) {
		out.HostRoutes = slices.Clone(s.HostRoutes)
		return &out, nil
	}
	var errs errorList
	places := make(map[HostRoute]int) // of the host routes that are in the list
	for i, r := range inputRoutes("HostRoutes", s.HostRoutes, &errs) {
		places[r] = i
	}
	for i, e := range edits {
		if e.Subnet == s.ID {
			errs.addAll("edits", i, e.apply(places, len(s.HostRoutes)+i))
		}
	}
	if len(errs) > 0 {
		return nil, errs.join()
	}
	list := slices.SortedFunc(maps.Keys(places), func(a, b HostRoute) int { return places[a] - places[b] })
	out.HostRoutes = canon.Unique(mapped(list, HostRoute.masked))
	return &out, nil
}

// apply makes an edit of a list, or returns what is wrong with it. A host route that it adds gets the place end; one that
// replaces another gets that one's.
func (e Edit) apply(places map[HostRoute]int, end int) (wrong errorList) {
	old, add := unmapRoute(e.Old), unmapRoute(e.New)
	adds, removes := add != HostRoute{}, old != HostRoute{}
	place, there := places[old]
	if !removes {
		place = end
	}
	if !adds && !removes {
		wrong.add("", errors.New("has neither Old nor New"))
	}
	if adds {
		for _, err := range routeErrors(add) {
			wrong.add("New."+err.Path, err.Err)
		}
	}
	if removes && !there {
		wrong.add("Old", fmt.Errorf("host route %v is not in subnet %q", old, e.Subnet))
	}
	if len(wrong) > 0 {
		return wrong
	}
	delete(places, old)
	if _, twice := places[add]; adds && !twice {
		places[add] = place
	}
	return nil
}

// Apply returns a deep copy of in with the edits made to its subnets, as by [Subnet.Apply]. It
// ignores edits for subnets that in does not have. Nothing is shared with the copy.
func (in Instance) Apply(edits ...Edit) (Instance, error) {
	in.NICs = slices.Clone(in.NICs)
	done := make(map[*Subnet]*Subnet)
	told := make(map[string]bool)
	var errs []error
	for i := range in.NICs {
		nic := &in.NICs[i]
		nic.Addrs = slices.Clone(nic.Addrs)
		nic.Siblings = slices.Clone(nic.Siblings)
		nic.ManualRoutes = slices.Clone(nic.ManualRoutes)
		nic.Subnets = slices.Clone(nic.Subnets)
		for j, s := range nic.Subnets {
			if s == nil {
				errs = append(errs, &InputError{fmt.Sprintf("NICs[%d].Subnets[%d]", i, j), errNil})
				continue
			}
			if done[s] == nil {
				edited, err := s.Apply(edits...)
				if err != nil && !told[s.ID] {
					errs = append(errs, err)
					told[s.ID] = true
				}
				done[s] = edited
			}
			nic.Subnets[j] = done[s]
		}
	}
	if len(errs) > 0 {
		return Instance{}, errors.Join(errs...)
	}
	return in, nil
}
