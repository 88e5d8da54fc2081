// Package audit answers for a whole deployment what package hostroute answers for one instance: which
// host routes are of use, and to how many instances; what is wrong; and whose data an edit moves.
//
// # Why for a whole deployment
//
// A host route is configured once, on a subnet, and every instance on that subnet gets it. One
// instance may need it. In another it changes nothing, and in a third it is broken. So "remove it" can be
// right for the instance that you look at, and move the data of its neighbours. The advice of an [Audit]
// holds for all instances that were added: see [Usage], [Audit.RemovableTogether] and [Audit.Impact].
//
// # Adding
//
// An Audit is a fold: add instances one by one, as the pages of an API bring them, and then ask. To use
// several processors, give each worker an Audit of its own, and merge them at the end:
//
//	audits := make([]audit.Audit, workers)
//	// Worker i adds its share of the instances to audits[i].
//	var all audit.Audit
//	for i := range audits {
//		if err := all.Merge(&audits[i]); err != nil {
//			return err
//		}
//	}
//
// Neither the order of adding nor the split among workers changes a result.
//
// Many instances have the same role and differ only in their names and addresses. An Audit analyses them once.
// Two instances have the same combination if these agree: for each NIC, in the guest's order, its name, subnets,
// siblings and manual routes, and those of its addresses that are a gateway or a next hop; DefaultNIC; and
// ConfigDrive. The memory of an Audit grows with subnets, host routes and combinations. It does not grow with
// instances, of which it keeps the number and the three smallest names for each combination.
//
// # What depends
//
// If several NICs are offered a default route, the guest chooses one, and DHCP clients differ in more than
// that. So a host route may steer data in one guest and change nothing in another, although both look the same
// to Neutron. [Usage] counts such instances as Depends, and [Impact] counts them as Uncertain. No advice of this
// package relies on such a choice. Set DefaultNIC where you know it: then few host routes depend.
//
// All methods that ask may be called concurrently, but not together with Add, AddSubnet or Merge.
package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// An Audit is a set of instances and subnets to ask about. The zero Audit is empty and ready. A nil Audit
// is empty too, but nothing can be added to it. An Audit must not be copied.
type Audit struct {
	subnets      map[string]*subnet // by ID
	combinations map[string]*combination
	facts        map[subject][]*fact

	// Of combinationKey:
	buffer       []byte
	subnetsOfNIC []*subnet
}

// Add adds an instance. It copies what it keeps. An instance that is added twice counts twice.
//
// Add returns the errors of [hostroute.Analyze], and an [hostroute.InputError] for each subnet that was
// added before with the same ID and other content. Then it adds nothing.
func (a *Audit) Add(in hostroute.Instance) error {
	if err := a.ready(); err != nil {
		return err
	}
	key, known := a.combinationKey(&in)
	if known {
		if c := a.combinations[string(key)]; c != nil {
			c.add(1, in.Name)
			return nil
		}
	}
	report, err := hostroute.Analyze(in)
	if err = errors.Join(err, a.conflicts(&in)); err != nil {
		return err
	}
	if !known {
		for _, n := range in.NICs {
			for _, s := range n.Subnets {
				a.keep(s)
			}
		}
		key, _ = a.combinationKey(&in)
	}
	c := a.newCombination(string(key), &in)
	c.facts = a.learn(&c.instance, report)
	c.add(1, in.Name)
	return nil
}

// AddSubnet adds a subnet, which may have no instance. Adding it again changes nothing.
//
// AddSubnet returns the errors of [hostroute.AnalyzeSubnet], and an [hostroute.InputError] if a subnet was
// added before with the same ID and other content. Then it adds nothing.
func (a *Audit) AddSubnet(s *hostroute.Subnet) error {
	if err := a.ready(); err != nil {
		return err
	}
	if _, err := hostroute.AnalyzeSubnet(s); err != nil {
		return err
	}
	if known := a.subnets[s.ID]; known != nil && !known.equals(s) {
		return errOther("ID", s.ID)
	}
	a.keep(s)
	return nil
}

// Merge adds everything that was added to b, and does not change b. A nil b is empty.
//
// Merge returns an [hostroute.InputError] for each subnet that the two have with the same ID and other
// content. Then it adds nothing.
func (a *Audit) Merge(b *Audit) error {
	if err := a.ready(); err != nil || b == nil {
		return err
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(b.subnets)) {
		if known := a.subnets[id]; known != nil && !known.equals(b.subnets[id].Subnet) {
			errs = append(errs, errOther(fmt.Sprintf("Subnets[%q]", id), id))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for id, s := range b.subnets {
		if a.subnets[id] == nil {
			a.subnets[id] = &subnet{Subnet: s.Subnet, hops: s.hops, masked: s.masked}
		}
	}
	facts := make(map[*fact]*fact)
	for _, list := range b.facts {
		for _, f := range list {
			facts[f] = a.fact(*f)
		}
	}
	for key, from := range b.combinations {
		c := a.combinations[key]
		if c == nil {
			c = a.newCombination(key, &from.instance)
			c.facts = slices.Clone(from.facts)
			for i, f := range c.facts {
				c.facts[i] = facts[f]
			}
		}
		c.add(from.count, from.names...)
	}
	return nil
}

// ready makes the maps of a zero Audit.
func (a *Audit) ready() error {
	if a == nil {
		return &hostroute.InputError{Path: "Audit", Err: errors.New("is nil")}
	}
	if a.subnets == nil {
		a.subnets = make(map[string]*subnet)
		a.combinations = make(map[string]*combination)
		a.facts = make(map[subject][]*fact)
	}
	return nil
}

// subnet returns a subnet that was added; nil if there is none of that ID.
func (a *Audit) subnet(id string) *subnet {
	if a == nil {
		return nil
	}
	return a.subnets[id]
}

func (a *Audit) keep(s *hostroute.Subnet) {
	if a.subnets[s.ID] == nil {
		a.subnets[s.ID] = newSubnet(s)
	}
}

// conflicts returns an error for each subnet of an instance that was added with other content.
func (a *Audit) conflicts(in *hostroute.Instance) error {
	var errs []error
	for i := range in.NICs {
		for j, s := range in.NICs[i].Subnets {
			if s != nil && a.subnets[s.ID] != nil && !a.subnets[s.ID].equals(s) {
				errs = append(errs, errOther(fmt.Sprintf("NICs[%d].Subnets[%d].ID", i, j), s.ID))
			}
		}
	}
	return errors.Join(errs...)
}
