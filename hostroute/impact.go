package hostroute

import (
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute/internal/sweep"
)

// An Impact tells how edits of subnets change one instance. The zero Impact says that nothing moves.
type Impact struct {
	Instance string `json:"instance"`
	// Changes are the destinations that leave by another NIC than before, as [Diff] gives them.
	Changes []Change `json:"changes"`
	// Uncertain says that something else than Changes may move: more, less or nothing. One of these holds:
	//   - DefaultNIC is empty, and with another default route, one that is offered before or after the edits, the Diff
	//     is not Changes.
	//   - Under another one of [Guests], or if the leases of a guest that configures its NICs at once come in another order,
	//     the Diff is not Changes. GuestUdhcpc is left out, because no host route reaches it.
	//   - A verdict that the edits name, change, add or remove depends on the order of its list, or on an offer of more than 197
	//     bytes, which some guests can lose. This does not count if the instance has one NIC, and an IPv4 default
	//     route before and after: everything leaves by that NIC.
	Uncertain bool `json:"uncertain"`
	// New and Gone are the findings that the edits bring and take away, by Code and Subject. A host
	// route that an edit replaces and the one put in its place count as one subject.
	New  []Finding `json:"new"`
	Gone []Finding `json:"gone"`
}

// Impact returns what the edits do to the instance, as [Instance.Apply] makes them. Edits for
// subnets that the instance does not have are ignored. The errors are those of Apply and of
// [Analyze].
//
// Without edits nothing changes, and None is true. So it says nothing about a [Fix] without Edits: what
// that moves is not computed.
func (in Instance) Impact(edits ...Edit) (*Impact, error) {
	clean, edited, err := in.edited(edits)
	if err != nil {
		return nil, err
	}
	e := new(exits)
	before, after := analyze(clean, e), analyze(edited, e)
	i := &Impact{Instance: in.Name, Changes: Diff(before.table(), after.table())}
	i.Uncertain = mayMoveOtherwise(before.fib, after.fib, moves(before.fib, after.fib)) || orderMoves(before, after, edits)
	i.New, i.Gone = compareFindings(findings(before), findings(after), edits)
	return i, nil
}

// MovesNothing reports whether the [Impact] of the edits is None. It takes less time than Impact, because it stops at
// the first thing that speaks against it. It returns true without edits, so it says nothing about a [Fix] without Edits; and if
// all edits are for subnets that the instance does not have, so it does not notice a mistyped ID. The errors are those of Impact.
func (in Instance) MovesNothing(edits ...Edit) (bool, error) {
	clean, edited, err := in.edited(edits)
	if err != nil {
		return false, err
	}
	e := new(exits)
	was, is := tableOf(clean, e), tableOf(edited, e)
	if len(moves(was, is)) > 0 || mayMoveOtherwise(was, is, nil) {
		return false, nil
	}
	before, after := was.judgedAlone(), is.judgedAlone()
	came, _ := compareFindings(findings(before), findings(after), edits)
	isError := func(f Finding) bool { return f.Severity == SeverityError }
	onList := func(j judged) bool { return j.onList }
	switch {
	case slices.ContainsFunc(came, isError):
		return false, nil
	case slices.ContainsFunc(before.judged, onList), slices.ContainsFunc(after.judged, onList):
		return !orderMoves(was.analysis(), is.analysis(), edits), nil
	}
	return true, nil
}

// edited returns the prepared instance before and after edits.
func (in Instance) edited(edits []Edit) (before, after Instance, err error) {
	if before, err = input(in); err != nil {
		return before, after, err
	}
	after, err = before.Apply(edits...) // stays prepared
	return before, after, err
}

// None reports whether the edits are safe: nothing moves, for sure (there are no Changes, and it is not Uncertain), and no
// finding of severity error is new. So false does not mean that something moves. For a nil Impact it returns false.
func (i *Impact) None() bool {
	return i != nil && len(i.Changes) == 0 && !i.Uncertain &&
		!slices.ContainsFunc(i.New, func(f Finding) bool { return f.Severity == SeverityError })
}

// String returns a line such as "web-1: 11.11.0.0/16: eth1 -> eth0; new: redundant of eth1: back:
// 11.11.0.0/17,11.8.0.1". It names up to five of each kind.
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

// mayMoveOtherwise reports whether something else than what moves here moves with another default, under another guest, or if
// leases come in another order.
func mayMoveOtherwise(before, after *fib, here []difference) bool {
	if slices.ContainsFunc(here, func(d difference) bool { return max(d.before, d.after) > loopbackNumber }) {
		return true
	}
	for b, a := range alternatives(before, after) {
		if !slices.Equal(here, moves(b, a)) {
			return true
		}
	}
	return false
}

// alternatives yields two tables again for each other choice that a guest may make: each default that is offered in one of them
// and, where guests may differ, each other client.
func alternatives(before, after *fib) iter.Seq2[*fib, *fib] {
	return func(yield func(b, a *fib) bool) {
		for family := range families {
			was, is := before.offered(family), after.offered(family)
			for n := range before.nics {
				if before.DefaultNIC != "" || !slices.Contains(was, &before.nics[n]) && !slices.Contains(is, &after.nics[n]) {
					continue
				}
				var keeps defaults
				keeps[family] = int32(n) + 1
				if !yield(before.keeping(keeps), after.keeping(keeps)) {
					return
				}
			}
		}
		if !before.mayDiffer() && !after.mayDiffer() {
			return
		}
		kept := append(before.choices(), after.choices()...)
		kept = slices.DeleteFunc(kept, func(d defaults) bool { return d[0] == 0 })
		if len(kept) == 0 {
			kept = append(kept, before.told())
		}
		kept = kept[:min(len(kept), 2*maxCompared)]
		for i := range clients {
			c := &clients[i]
			if c == before.client || c.ignoresRoutes {
				continue
			}
			b, a := before.under(c, kept[0]), after.under(c, kept[0])
			for k, keeps := range kept {
				if k > 0 {
					b, a = b.keeping(keeps), a.keeping(keeps)
				}
				if !yield(b, a) {
					return
				}
			}
		}
	}
}

// moves returns where two tables differ.
func moves(before, after *fib) (list []difference) {
	for _, space := range families {
		list = append(list, differences(space, before.segments(space), after.segments(space))...)
	}
	return list
}

// segments partitions a family.
func (f *fib) segments(space netip.Prefix) []segment {
	var routes []sweep.Route
	for i, d := range f.destinations {
		if d.prefix.Addr().Is4() == space.Addr().Is4() && f.inForce[i] != nil {
			routes = append(routes, sweep.Route{Prefix: d.prefix, NIC: f.exitAt(i)})
		}
	}
	return partition(space, sweep.None, routes)
}

// orderMoves reports whether a verdict that the edits touch depends on the order of its list, or on whether a long
// offer arrives.
func orderMoves(before, after *analysis, edits []Edit) bool {
	if len(before.nics) == 1 && before.hasDefault4() && after.hasDefault4() {
		return false
	}
	named := make(map[Ref]bool) // by subnet and host route
	for _, e := range edits {
		named[Ref{Subnet: e.Subnet, HostRoute: unmapRoute(e.Old)}] = true
		named[Ref{Subnet: e.Subnet, HostRoute: unmapRoute(e.New).masked()}] = true
	}
	return before.touchedOnList(after, named) || after.touchedOnList(before, named)
}

// touchedOnList reports whether a verdict that depends on the order or the length of the list is named, or is another one in
// the other analysis.
func (a *analysis) touchedOnList(other *analysis, named map[Ref]bool) bool {
	verdicts := make(map[Ref]*Verdict, len(other.verdicts))
	for i := range other.verdicts {
		verdicts[other.verdicts[i].Subject] = &other.verdicts[i]
	}
	return slices.ContainsFunc(a.judged, func(j judged) bool {
		o, there := verdicts[j.Subject]
		return j.onList && (!there || !o.equal(j.Verdict) || named[Ref{Subnet: j.Subject.Subnet, HostRoute: j.Subject.HostRoute}])
	})
}

// hasDefault4 reports whether an IPv4 default route is in force. It sorts before all others.
func (f *fib) hasDefault4() bool {
	return len(f.destinations) > 0 && f.destinations[0].prefix == any4 && f.inForce[0] != nil
}

// compareFindings returns those that came and those that went.
func compareFindings(before, after []Finding, edits []Edit) (came, gone []Finding) {
	type key struct {
		code    Code
		subject Ref
	}
	was, is := make(map[key]bool), make(map[key]bool)
	for _, f := range before {
		was[key{f.Code, replaced(f.Subject, edits)}] = true
	}
	came, gone = []Finding{}, []Finding{}
	for _, f := range after {
		is[key{f.Code, f.Subject}] = true
		if !was[key{f.Code, f.Subject}] {
			came = append(came, f)
		}
	}
	for _, f := range before {
		if !is[key{f.Code, replaced(f.Subject, edits)}] {
			gone = append(gone, f)
		}
	}
	return came, gone
}

// replaced returns what the edits put in the place of a subject; the subject itself if nothing.
func replaced(r Ref, edits []Edit) Ref {
	is, replaced := r.HostRoute, false
	for _, e := range edits {
		if r.Subnet == e.Subnet && unmapRoute(e.Old) == is && is != (HostRoute{}) && e.New != (HostRoute{}) {
			is, replaced = unmapRoute(e.New), true
		}
	}
	if replaced {
		r.HostRoute = is.masked()
	}
	return r
}
