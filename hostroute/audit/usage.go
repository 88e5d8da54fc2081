package audit

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// Every host route, counted over instances.

// A Usage is what a host route does in all instances on its subnet. The zero Usage is of no host route.
type Usage struct {
	Subnet    string              `json:"subnet"` // ID
	HostRoute hostroute.HostRoute `json:"host_route"`
	Severity  hostroute.Severity  `json:"severity"`  // the highest of Codes
	Instances int                 `json:"instances"` // that have the subnet

	// Effective counts the instances in which the host route steers whatever default route the guest
	// keeps and whichever DHCP client it has. Depends counts those in which that depends on the guest: the verdict is
	// GuestDependent, and there are several NICs or no IPv4 default route. No instance counts as both.
	Effective int `json:"effective"`
	Depends   int `json:"depends"`
	// Inconsistent counts the instances in which the next hop does not stand for the hypervisor.
	Inconsistent int `json:"inconsistent"`

	// The maps have the instances by what their verdicts and findings say about the host route. Codes includes each
	// verdict's Cause. If an instance has the subnet on two NICs, the verdicts may differ, and it then counts for both.
	Effects map[hostroute.Effect]int       `json:"effects"`
	Classes map[hostroute.NextHopClass]int `json:"classes"`
	Codes   map[hostroute.Code]int         `json:"codes"`

	Examples []string `json:"examples"` // the three smallest names of the instances
	// Removable says that nothing moves for sure if this host route is removed and no other: the Impact of the
	// removal is None on every instance. It is true if no instance has the subnet, and false if an
	// offer with the host route is too long for DHCP, because then the length of the list counts, and not one host route.
	Removable bool `json:"removable"`
}

// Usages returns every host route of every subnet. The worst come first: those with the highest Severity, and of
// these the ones whose worst code has the most instances. Equals are sorted by subnet, destination and next hop.
// Removable is worked out one Usage at a time, by [hostroute.Instance.Impact], where no verdict answers it.
func (a *Audit) Usages() iter.Seq[Usage] {
	return func(yield func(Usage) bool) {
		var list []Usage
		for _, u := range a.usages() {
			list = append(list, u.usage())
		}
		slices.SortFunc(list, func(x, y Usage) int {
			return cmp.Or(cmp.Compare(y.Severity, x.Severity), cmp.Compare(y.worst(), x.worst()), compareHostRoutes(x.ref(), y.ref()))
		})
		for _, u := range list {
			u.Removable = a.removable(&u)
			if !yield(u) {
				return
			}
		}
	}
}

// worst returns how many instances have the worst code.
func (u *Usage) worst() (instances int) {
	for code, n := range u.Codes {
		if severities[code] == u.Severity {
			instances = max(instances, n)
		}
	}
	return instances
}

func (u *Usage) ref() hostroute.Ref { return hostroute.Ref{Subnet: u.Subnet, HostRoute: u.HostRoute} }

// compareHostRoutes orders host routes by subnet, destination and next hop.
func compareHostRoutes(a, b hostroute.Ref) int {
	return cmp.Or(strings.Compare(a.Subnet, b.Subnet), compareRoutes(a.HostRoute, b.HostRoute))
}

// severities has the severity of each code. It never changes.
var severities = func() map[hostroute.Code]hostroute.Severity {
	out := make(map[hostroute.Code]hostroute.Severity)
	for _, r := range hostroute.Rules() {
		out[r.Code] = r.Severity
	}
	return out
}()

// A usageCount is a Usage that is being counted.
type usageCount struct {
	ref                             hostroute.Ref
	instances, inconsistent         counter
	effective, depends, bothOfThese counter
	effects                         counters[hostroute.Effect]
	classes                         counters[hostroute.NextHopClass]
	codes                           counters[hostroute.Code]
	names                           []string
}

// counters counts instances by a key.
type counters[K comparable] map[K]*counter

func (m *counters[K]) add(key K, c *combination) {
	if *m == nil {
		*m = make(counters[K])
	}
	n := (*m)[key]
	if n == nil {
		n = new(counter)
		(*m)[key] = n
	}
	n.add(c)
}

func (m counters[K]) counts() map[K]int {
	out := make(map[K]int)
	for key, n := range m {
		out[key] = n.n
	}
	return out
}

// usages counts every host route over all combinations.
func (a *Audit) usages() map[hostroute.Ref]*usageCount {
	out := make(map[hostroute.Ref]*usageCount)
	if a == nil {
		return out
	}
	for id, s := range a.subnets {
		for _, r := range s.HostRoutes {
			ref := hostroute.Ref{Subnet: id, HostRoute: r}
			out[ref] = &usageCount{ref: ref}
		}
	}
	for _, c := range a.combinations {
		for _, f := range c.facts {
			// A finding may be about something else than a host route.
			if u := out[hostroute.Ref{Subnet: f.subject.subnet, HostRoute: f.subject.route}]; u != nil {
				u.add(c, f)
			}
		}
	}
	return out
}

func (u *usageCount) add(c *combination, f *fact) {
	if f.subject.code != "" {
		u.codes.add(f.subject.code, c)
		return
	}
	v := &f.verdict
	if u.instances.last != c {
		u.instances.add(c)
		u.names = addNames(u.names, c.names...)
	}
	if !v.Consistent() {
		u.inconsistent.add(c)
	}
	switch {
	case v.GuestDependent:
		u.depends.add(c)
	case v.Effective():
		u.effective.add(c)
	}
	if u.depends.last == c && u.effective.last == c {
		u.bothOfThese.add(c)
	}
	u.effects.add(v.Effect, c)
	u.classes.add(v.Class, c)
	if v.Cause != "" {
		u.codes.add(v.Cause, c)
	}
}

// usage returns all but Removable.
func (u *usageCount) usage() Usage {
	out := Usage{
		Subnet:       u.ref.Subnet,
		HostRoute:    u.ref.HostRoute,
		Instances:    u.instances.n,
		Effective:    u.effective.n,
		Depends:      u.depends.n - u.bothOfThese.n,
		Inconsistent: u.inconsistent.n,
		Effects:      u.effects.counts(),
		Classes:      u.classes.counts(),
		Codes:        u.codes.counts(),
		Examples:     addNames([]string{}, u.names...),
	}
	for code := range out.Codes {
		out.Severity = max(out.Severity, severities[code])
	}
	return out
}
