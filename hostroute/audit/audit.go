// Package audit answers for a whole deployment what package hostroute answers for one instance: which
// host routes are of use, and to how many instances; what is wrong; and whose data an edit moves.
//
// # Why for a whole deployment
//
// A host route is configured once, on a subnet, and every instance on that subnet gets it. One
// instance may need it. In another it changes nothing, and in a third it is broken. So "remove it" can be
// right for the instance that you look at, and move the data of its neighbours. The advice of an [Audit]
// holds for all instances that were added: see [Usage], [Audit.RemovableTogether], [Audit.Together], [Audit.Impact] and
// [Audit.MovesNothing]. It does not hold for others. If Add fails for an instance, or package neutron leaves one out (its Problems
// and Ports), that instance may need a host route that the Audit calls removable.
//
// Nor does it hold while a subnet has the finding netmask-spelling of package neutron. The clients of Neutron's DHCP server read such a list
// otherwise, so every answer about an instance on that subnet may be wrong, and with it every answer about the other subnets of that
// instance. It does not help to leave the subnet out: rewrite its list, read the cloud again, and then audit it.
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
// The garbage collector competes with the workers, because every analysis leaves garbage. If a second worker gains little, try a
// higher GOGC, and measure: a larger heap can cost as much as it saves.
//
// Many instances have the same role and differ only in their names and addresses. An Audit analyses them once.
// Two instances have the same combination if these agree: for each NIC, in the guest's order, its name, subnets,
// siblings and manual routes, and those of its addresses that are a gateway, a next hop, or where a destination
// begins; DefaultNIC; ConfigDrive; and Guest. The memory of an Audit grows with subnets, host routes and combinations, and not with
// instances, of which it keeps the number and the three smallest names for each combination.
//
// # What depends
//
// If several NICs are offered a default route, the guest chooses one, and DHCP clients differ in more than
// that. So a host route may steer data in one guest and change nothing in another, although both look the same
// to Neutron. [Usage] counts such instances as Depends. [Impact] counts them as Uncertain, or as Moved if data moves in the
// guest that they were added with. None, Removable and RemovableTogether hold for every such choice, but not for a guest that runs
// udhcpc and reads the config drive, unless it was added with that Guest. Set DefaultNIC where you know it: then few host routes
// depend. Setting Guest makes no answer more certain.
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
// is empty, too, but Add, AddSubnet and Merge return a [hostroute.InputError] for it. An Audit must not be copied.
type Audit struct {
	subnets      map[string]*subnet // by ID
	combinations map[string]*combination
	buffer       []byte // of combinationKey
}

// Add adds an instance. It copies what it keeps. An instance that is added twice counts twice.
//
// Add returns the errors of [hostroute.Analyze], and a [hostroute.InputError] for each subnet that was
// added before with the same ID and other content. Then it adds nothing.
func (a *Audit) Add(in hostroute.Instance) error {
	if err := a.ready(); err != nil {
		return err
	}
	key, known := a.combinationKey(&in)
	if c := a.combinations[string(key)]; known && c != nil {
		c.add(1, in.Name)
		return nil
	}
	report, err := hostroute.Analyze(in)
	errs := []error{err}
	for i, n := range in.NICs {
		for j, s := range n.Subnets {
			if s != nil && a.conflicts(s) {
				errs = append(errs, errOther(fmt.Sprintf("NICs[%d].Subnets[%d].ID", i, j), s))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			a.keep(s)
		}
	}
	if !known {
		key, _ = a.combinationKey(&in) // its subnets are known now, and nothing is wrong with it
	}
	c := a.newCombination(string(key), in)
	c.marks = newMarks(c.subnets, report, in.NICs)
	c.add(1, in.Name)
	a.use(c)
	return nil
}

// AddSubnet adds a subnet, which may have no instance. Adding it again changes nothing.
//
// AddSubnet returns the errors of [hostroute.AnalyzeSubnet], and a [hostroute.InputError] if a subnet was
// added before with the same ID and other content. Then it adds nothing.
func (a *Audit) AddSubnet(s *hostroute.Subnet) error {
	if err := a.ready(); err != nil {
		return err
	}
	if _, err := hostroute.AnalyzeSubnet(s); err != nil {
		return err
	}
	if a.conflicts(s) {
		return errOther("ID", s)
	}
	a.keep(s)
	return nil
}

// Merge adds everything that was added to b, and does not change b, which can be used on its own afterwards. A nil b is
// empty. Merging a with itself doubles its instances. An instance that is in both counts twice.
//
// Merge returns a [hostroute.InputError] for each subnet that the two have with the same ID and other
// content. Then it adds nothing. The order of HostRoutes counts as content, and Neutron may return another one the next time: so
// give all workers the subnets of one reading.
func (a *Audit) Merge(b *Audit) error {
	if err := a.ready(); err != nil || b == nil {
		return err
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(b.subnets)) {
		if s := b.subnets[id].Subnet; a.conflicts(s) {
			errs = append(errs, errOther(fmt.Sprintf("Subnets[%q]", id), s))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	ours := make(map[*subnet]*subnet, len(b.subnets)) // by b's
	for id, s := range b.subnets {
		if a.subnets[id] == nil {
			own := *s // they share what does not change
			own.users = nil
			a.subnets[id] = &own
		}
		ours[s] = a.subnets[id]
	}
	for key, from := range b.combinations {
		if c := a.combinations[key]; c != nil {
			c.add(from.count, from.names...)
			continue
		}
		c := *from // likewise
		c.subnets = make([]*subnet, len(from.subnets))
		for i, s := range from.subnets {
			c.subnets[i] = ours[s]
		}
		a.use(&c)
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
	}
	return nil
}

// conflicts reports whether a subnet was added with the same ID and other content.
func (a *Audit) conflicts(s *hostroute.Subnet) bool {
	known := a.subnets[s.ID]
	return known != nil && !known.equals(s)
}

func errOther(path string, s *hostroute.Subnet) error {
	return &hostroute.InputError{Path: path, Err: fmt.Errorf("subnet %q was added before with other content", s.ID)}
}

// keep copies a subnet, unless it is known.
func (a *Audit) keep(s *hostroute.Subnet) {
	if a.subnets[s.ID] == nil {
		a.subnets[s.ID] = newSubnet(s)
	}
}
