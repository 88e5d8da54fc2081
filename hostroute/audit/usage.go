package audit

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Every host route, counted over instances.

// A Usage says what a host route does in all instances on its subnet. The zero Usage is about no host route.
type Usage struct {
	Subnet    string              `json:"subnet"` // ID
	HostRoute hostroute.HostRoute `json:"host_route"`
	Severity  hostroute.Severity  `json:"severity"`  // the highest of Codes
	Instances int                 `json:"instances"` // that have the subnet

	// Effective counts the instances in which the verdict on the host route is steers and not GuestDependent. Depends counts
	// those in which it is GuestDependent: the DHCP client, the default route or the order of the list decides whether the
	// host route is in force, whether it steers, or by which NIC. No instance counts twice: one that is Effective by one NIC
	// does not count as Depends by another. GuestDependent does not count for an instance with one NIC by which everything leaves
	// anyway: it has the default route by the gateway of its subnet, and no route by 127.0.0.1.
	Effective int `json:"effective"`
	Depends   int `json:"depends"`
	// Inconsistent counts the instances in which the next hop is neither the gateway of the subnet nor that of another NIC.
	Inconsistent int `json:"inconsistent"`

	// The maps count the instances for each effect, class and code that a verdict or a finding about the
	// host route has there. A verdict's Cause is one of the codes. An instance with the subnet on two NICs
	// has two verdicts, and counts for both if they differ.
	Effects map[hostroute.Effect]int       `json:"effects"`
	Classes map[hostroute.NextHopClass]int `json:"classes"`
	Codes   map[hostroute.Code]int         `json:"codes"`

	// Examples are the three smallest names of the instances that count as Effective; if there are none, of those that
	// count as Depends; else of all.
	Examples []string `json:"examples"`

	// Removable says that nothing moves, for sure, if this host route and no other is removed: the Impact
	// of the removal is None on every instance. It is true if no instance has the subnet. It is false if
	// an instance has an offer with the host route that is too long for DHCP, because there only the length
	// of the list matters.
	Removable bool `json:"removable"`
}

// Usages returns every host route of every subnet. The worst come first: those with the highest
// Severity, and of these the ones whose most frequent code of that Severity has the most instances. Equals are sorted by subnet,
// destination and next hop.
//
// Removable takes the most time. It is computed for one Usage at a time, with [hostroute.Instance.MovesNothing]
// on one combination after the other, until something moves on one. Where a verdict says that the host route steers,
// or may steer, it is false without that work.
func (a *Audit) Usages() iter.Seq[Usage] {
	return func(yield func(Usage) bool) {
		type ranked struct {
			place
			severity  hostroute.Severity
			instances int
		}
		var list []ranked
		for _, p := range a.places() {
			severity, instances := p.tally().worst()
			list = append(list, ranked{p, severity, instances})
		}
		slices.SortStableFunc(list, func(x, y ranked) int {
			return cmp.Or(cmp.Compare(y.severity, x.severity), cmp.Compare(y.instances, x.instances))
		})
		for _, p := range list {
			if !yield(p.usage()) {
				return
			}
		}
	}
}

// A place locates a host route in its subnet's list.
type place struct {
	subnet *subnet
	index  int
}

// places returns those of all host routes, by subnet, destination and next hop.
func (a *Audit) places() []place {
	var out []place
	if a == nil {
		return out
	}
	for _, s := range a.subnets {
		for i := range s.HostRoutes {
			out = append(out, place{s, i})
		}
	}
	slices.SortFunc(out, func(x, y place) int { return compareRemovals(x.removal(), y.removal()) })
	return out
}

// removal returns the edit that removes the host route.
func (p place) removal() hostroute.Edit {
	return hostroute.Edit{Subnet: p.subnet.ID, Old: p.subnet.HostRoutes[p.index]}
}

func compareRemovals(a, b hostroute.Edit) int {
	return cmp.Or(cmp.Compare(a.Subnet, b.Subnet), compareRoutes(a.Old, b.Old))
}

// A tally counts the instances on a subnet by the bits of their marks for one of its host routes.
type tally struct {
	instances int
	bits      [maxBits]int
}

func (p place) tally() *tally {
	var t tally
	for _, c := range p.subnet.users {
		t.instances += c.count
		for m := p.mark(c); m != 0; m &= m - 1 {
			t.bits[bits.TrailingZeros64(uint64(m))] += c.count
		}
	}
	return &t
}

// mark returns what is known about the host route in one of the subnet's users.
func (p place) mark(c *combination) mark {
	return c.marks[slices.Index(c.subnets, p.subnet)][p.index]
}

// overflows reports whether the host route is in an offer that is too long for DHCP.
func (t *tally) overflows() bool { return t.bits[codeBits[hostroute.CodeOptionOverflow]] > 0 }

// worst returns the highest severity among the codes that any instance has. Several codes may have that severity:
// instances is the count of the most frequent one.
func (t *tally) worst() (severity hostroute.Severity, instances int) {
	for i, code := range codes {
		s, n := severities[code], t.bits[firstCode+i]
		if n > 0 && (s > severity || s == severity && n > instances) {
			severity, instances = s, n
		}
	}
	return severity, instances
}

func (p place) usage() Usage {
	t := p.tally()
	u := Usage{
		Subnet:       p.subnet.ID,
		HostRoute:    p.subnet.HostRoutes[p.index],
		Instances:    t.instances,
		Effective:    t.bits[steers],
		Depends:      t.bits[depends],
		Inconsistent: t.bits[inconsistent],
		Effects:      counts(effects, t.bits[firstEffect:]),
		Classes:      counts(classes, t.bits[firstClass:]),
		Codes:        counts(codes, t.bits[firstCode:]),
		Examples:     []string{},
		Removable:    !t.overflows() && p.objector(nil) == nil,
	}
	u.Severity, _ = t.worst()
	telling := func(m mark) bool { return true }
	switch {
	case u.Effective > 0:
		telling = func(m mark) bool { return m.has(steers) }
	case u.Depends > 0:
		telling = func(m mark) bool { return m.has(depends) }
	}
	for _, c := range p.subnet.users {
		if telling(p.mark(c)) {
			u.Examples = addNames(u.Examples, c.names...)
		}
	}
	return u
}

// counts returns the counts of keys that are not 0.
func counts[K comparable](keys []K, n []int) map[K]int {
	out := make(map[K]int)
	for i, key := range keys {
		if n[i] > 0 {
			out[key] = n[i]
		}
	}
	return out
}
