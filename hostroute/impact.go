package hostroute

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// An Impact tells how edits of subnets change one instance. The zero Impact says that nothing moves.
type Impact struct {
	Instance string `json:"instance"`
	// Changes are the destinations that leave by another NIC than before, as Diff gives them.
	Changes []Change `json:"changes"`
	// Uncertain says that something else than Changes may move under another guest, with another default route or in another
	// order of the lists. At least one of these holds:
	//   - DefaultNIC is empty, and Changes would differ if the guest kept another default route that is offered before or
	//     after the edits.
	//   - Changes would differ under another one of Guests(), or if a guest that configures its NICs at once got its leases
	//     in another order, or if a guest that can lose offers of more than 197 bytes lost all of these. GuestUdhcpc is left out,
	//     because it takes no host route from DHCP. Where ConfigDrive is set, it may have some, and something may move under it
	//     alone: if some guests run it, set Guest to it, and ask again.
	//   - Changes would differ, under any of these guests, if Neutron returned all lists of host routes in the reverse order, with
	//     the host routes that the edits name first or last, before the edits and after them.
	//   - A verdict that the edits touch depends on the order of its list. The edits touch the verdicts on the host routes that
	//     they name, and those that they change, add or remove. This does not count for an instance with one NIC from which
	//     everything leaves anyway: before and after, it has the default route by the gateway of its subnet, and no route by
	//     127.0.0.1.
	//   - DefaultNIC is empty, more than eight NICs are offered an IPv4 default route, and guests can differ.
	//
	// To see what may move, set Guest and DefaultNIC, and ask again: Changes are then those of that guest. There may be none to see,
	// where it is the order of leases or lists that decides, or whether a long offer arrives.
	//
	// No other order of the lists is tried, and in rare cases one matters: where several on-link host routes make the next hops
	// of others acceptable.
	Uncertain bool `json:"uncertain"`
	// New and Gone are the findings that the edits bring and take away, by Code and Subject, in the order of
	// Report.Findings. A host route that an edit replaces and the one put in its place count as one subject.
	New  []Finding `json:"new"`
	Gone []Finding `json:"gone"`
}

// Impact returns what the edits do to the instance, as [Instance.Apply] makes them. Edits for
// subnets that the instance does not have are ignored, and so it does not notice a mistyped ID. The
// errors are those of Apply and of [Analyze].
//
// Without edits nothing changes, and None is true. So do not ask it about a [Fix] without Edits: what
// such a fix moves is not computed.
func (in Instance) Impact(edits ...Edit) (*Impact, error) {
	clean, edited, err := prepared(in, edits)
	if err != nil {
		return nil, err
	}
	before, after := analysisOf(fibOf(clean)), analysisOf(fibOf(edited))
	i := &Impact{Instance: in.Name, Changes: Diff(tableOf(before.fib), tableOf(after.fib))}
	i.Uncertain = mayMoveOtherwise(before.fib, after.fib, moves(before.fib, after.fib), edits) || orderMoves(before, after, edits)
	i.New, i.Gone = compareFindings(findings(before), findings(after), edits)
	return i, nil
}

// MovesNothing reports whether the edits are safe: whether their [Impact] is None. It takes less time than Impact, because it
// stops at the first reason to return false. It returns true if no edit is for a subnet of the instance. So it does not notice a
// mistyped ID, and says nothing about a [Fix] without Edits. The errors are those of Impact.
func (in Instance) MovesNothing(edits ...Edit) (bool, error) {
	clean, edited, err := prepared(in, edits)
	if err != nil {
		return false, err
	}
	was, is := fibOf(clean), fibOf(edited)
	if len(moves(was, is)) > 0 || mayMoveOtherwise(was, is, nil, edits) {
		return false, nil
	}
	// Class, Effect and Cause, and so the findings of severity error, are the same without the comparison with other guests.
	judgeAlone := func(f *fib) *analysis { return judge(outcomesOf(f), nil, []comparison{}) }
	before, after := judgeAlone(was), judgeAlone(is)
	if came, _ := compareFindings(findings(before), findings(after), edits); slices.ContainsFunc(came, isError) {
		return false, nil
	}
	onList := func(j judged) bool { return j.onList }
	if slices.ContainsFunc(before.judged, onList) || slices.ContainsFunc(after.judged, onList) {
		return !orderMoves(analysisOf(was), analysisOf(is), edits), nil
	}
	return true, nil
}

// prepared returns the prepared instance before and after edits.
func prepared(in Instance, edits []Edit) (before, after Instance, err error) {
	if before, err = input(in); err != nil {
		return before, after, err
	}
	after, err = before.Apply(edits...) // stays prepared
	return before, after, err
}

// None reports whether the edits are safe: nothing moves, in all that Uncertain compares (there are no Changes, and it is not
// Uncertain), and no finding of severity error is new. It also returns false if something only may move, and for a nil Impact.
func (i *Impact) None() bool {
	return i != nil && len(i.Changes) == 0 && !i.Uncertain && !slices.ContainsFunc(i.New, isError)
}

func isError(f Finding) bool { return f.Severity == SeverityError }

// String returns a line such as "web-1: 11.11.0.0/16: eth1 -> eth0; new: redundant of eth1: back:
// 11.11.0.0/17,11.8.0.1". It names up to five of each kind. For a nil Impact it says that none is known.
func (i *Impact) String() string {
	if i == nil {
		return "no impact is known"
	}
	s := "nothing moves"
	if len(i.Changes) > 0 {
		s = some(i.Changes, Change.String)
	}
	if i.Uncertain {
		s += "; with another DHCP client, default route or order of the list, that may differ"
	}
	about := func(f Finding) string {
		f.Subject.Instance = ""
		return strings.TrimSuffix(string(f.Code)+" of "+f.Subject.String(), " of ")
	}
	if len(i.New) > 0 {
		s += "; new: " + some(i.New, about)
	}
	if len(i.Gone) > 0 {
		s += "; gone: " + some(i.Gone, about)
	}
	return strings.TrimPrefix(quoted(i.Instance)+": "+s, ": ")
}

// some names the first five of a list.
func some[T any](list []T, name func(T) string) string {
	var names []string
	for _, v := range list[:min(len(list), 5)] {
		names = append(names, name(v))
	}
	if more := len(list) - len(names); more > 0 {
		names = append(names, strconv.Itoa(more)+" more")
	}
	return strings.Join(names, ", ")
}

// mayMoveOtherwise reports whether something else than what moves here moves with another default that is offered before or
// after, under another guest if guests may differ, or if leases or lists come in another order.
func mayMoveOtherwise(before, after *fib, here []difference[exits], edits []Edit) bool {
	if slices.ContainsFunc(here, func(d difference[exits]) bool { return d.before.several() || d.after.several() }) {
		return true
	}
	var offered []defaults
	for family := range families {
		for _, n := range append(offeredDefault(before.guest, family), offeredDefault(after.guest, family)...) {
			offered = append(offered, keeping(n, family))
		}
	}
	own, others := before.client, canon.Unique(append(before.others(), after.others()...))
	if before.DefaultNIC == "" && movesOtherwise(before, after, own, canon.Unique(offered), here) {
		return true
	}
	if !mayDiffer(before) && !mayDiffer(after) {
		return false
	}
	var kept []defaults
	for _, f := range []*fib{before, after} {
		list := slices.DeleteFunc(choices(f.guest), func(d defaults) bool { return d[0] == 0 })
		if len(list) > maxCompared {
			return true // not all of them are tried
		}
		kept = append(kept, list...)
	}
	if len(kept) == 0 {
		kept = append(kept, before.defaults)
	}
	kept = canon.Unique(kept)
	if slices.ContainsFunc(others, func(c *client) bool { return movesOtherwise(before, after, c, kept, here) }) {
		return true
	}
	named := namedBy(edits)
	isAdded := slices.ContainsFunc(edits, func(e Edit) bool { return e.New != (HostRoute{}) })
	for _, wasLast := range []bool{false, true} {
		b := reordered(before, named, wasLast)
		for _, isLast := range []bool{false, true} {
			if isLast != wasLast && !isAdded { // only what is added can come last where what goes was first
				continue
			}
			a := reordered(after, named, isLast)
			if slices.ContainsFunc(append(others, own), func(c *client) bool { return movesOtherwise(b, a, c, kept, here) }) {
				return true
			}
		}
	}
	if hasOneWay(before) && hasOneWay(after) {
		return false
	}
	return slices.ContainsFunc(others, func(c *client) bool {
		return namedDepends(before, named, c, kept) || namedDepends(after, named, c, kept)
	})
}

// movesOtherwise reports whether something else than what moves here moves under a client, with one of some defaults.
func movesOtherwise(before, after *fib, c *client, kept []defaults, here []difference[exits]) bool {
	return slices.ContainsFunc(kept, func(keeps defaults) bool {
		before, after = before.with(c, keeps), after.with(c, keeps) // which share the guests of those before, if they can
		return !slices.Equal(here, moves(before, after))
	})
}

// namedDepends reports whether one of some named host routes depends on the order of its list under a client, with one of some
// defaults.
func namedDepends(f *fib, named func(string, HostRoute) bool, c *client, kept []defaults) bool {
	isOther := func(c *candidate) bool { return c.source != SourceHostRoute || !named(c.subnet.ID, *c.HostRoute) }
	return slices.ContainsFunc(kept, func(keeps defaults) bool {
		f = f.with(c, keeps)
		asked := slices.DeleteFunc(slices.Clone(f.attempts), isOther)
		return slices.Contains(slices.Collect(maps.Values(dependOnOrder(f, asked))), true)
	})
}

// reordered returns what comes of an instance if Neutron returns all lists of host routes in the reverse order, but some named
// host routes first or last.
func reordered(f *fib, named func(string, HostRoute) bool, last bool) *fib {
	in := f.Instance
	for i := range f.NICs {
		for _, s := range f.NICs[i].Subnets {
			list := slices.Clone(s.HostRoutes)
			slices.Reverse(list)
			rank := func(r HostRoute) int {
				if named(s.ID, r) == last {
					return 1
				}
				return 0
			}
			slices.SortStableFunc(list, func(a, b HostRoute) int { return rank(a) - rank(b) })
			in = withList(in, s, list) // which replaces s on all NICs, so a second call for s changes nothing
		}
	}
	return fibUnder(in, f.client, f.defaults)
}

// moves returns where two tables differ.
func moves(before, after *fib) (list []difference[exits]) {
	for _, space := range families {
		was, is := egressOf(before, space, exits{}, before.destinations), egressOf(after, space, exits{}, after.destinations)
		list = append(list, differences(space, was, is)...)
	}
	return list
}

// orderMoves reports whether a verdict that the edits touch depends on the order of its list.
func orderMoves(before, after *analysis, edits []Edit) bool {
	if hasOneWay(before.fib) && hasOneWay(after.fib) {
		return false
	}
	named := namedBy(edits)
	touched := func(a, b *analysis) bool {
		others := make(map[Ref]judged, len(b.judged))
		for _, j := range b.judged {
			others[j.Subject] = j
		}
		return slices.ContainsFunc(a.judged, func(j judged) bool {
			o := others[j.Subject] // zero: it is not there
			return j.onList && (named(j.Subject.Subnet, j.Subject.HostRoute) || !o.onList || !reflect.DeepEqual(j.Verdict, o.Verdict))
		})
	}
	return touched(before, after) || touched(after, before)
}

// namedBy returns a function that reports whether edits name a host route of a subnet.
func namedBy(edits []Edit) func(subnet string, r HostRoute) bool {
	named := make(map[Edit]bool, 2*len(edits)) // as removals
	for _, e := range edits {
		named[Edit{Subnet: e.Subnet, Old: unmapRoute(e.Old)}] = true
		named[Edit{Subnet: e.Subnet, Old: unmapRoute(e.New).masked()}] = true
	}
	return func(subnet string, r HostRoute) bool { return named[Edit{Subnet: subnet, Old: r}] }
}

// hasOneWay reports whether all that is IPv4 leaves by one NIC, whatever the guest and the order of lists. It does if Linux takes
// the offered default route in any case, unless something may stay in the guest, or dhcpcd makes another route of the default.
func hasOneWay(f *fib) bool {
	d := f.default4()
	staysInside := func(c candidate) bool { return c.NextHop == localhost }
	isSure := len(f.nics) == 1 && d != nil && d.source == SourceDefault && d.nic.connects(d.NextHop) && !d.nic.owns(d.NextHop)
	return isSure && !slices.ContainsFunc(f.candidates, staysInside)
}

// compareFindings returns those that came and those that went. It reuses both lists.
func compareFindings(before, after []Finding, edits []Edit) (came, gone []Finding) {
	type key struct {
		code    Code
		subject Ref
	}
	was, is := make(map[key]bool), make(map[key]bool)
	for _, f := range before {
		was[key{f.Code, replaced(f.Subject, edits)}] = true
	}
	for _, f := range after {
		is[key{f.Code, f.Subject}] = true
	}
	came = slices.DeleteFunc(after, func(f Finding) bool { return was[key{f.Code, f.Subject}] })
	gone = slices.DeleteFunc(before, func(f Finding) bool { return is[key{f.Code, replaced(f.Subject, edits)}] })
	return came, gone
}

// replaced returns what the edits put in the place of a subject; the subject itself if nothing.
func replaced(r Ref, edits []Edit) Ref {
	route := r.HostRoute // not masked until all edits are made
	for _, e := range edits {
		if e.Subnet == r.Subnet && unmapRoute(e.Old) == route && route != (HostRoute{}) && e.New != (HostRoute{}) {
			route = unmapRoute(e.New)
			r.HostRoute = route.masked()
		}
	}
	return r
}
