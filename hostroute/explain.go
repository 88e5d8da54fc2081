package hostroute

import (
	"net/netip"
	"slices"
	"strings"

	"example.com/go-hostroute/hostroute/internal/canon"
)

// An Explanation says why a destination leaves an instance as it does. The zero Explanation has the zero
// Addr as destination, and no route leads there.
type Explanation struct {
	Destination netip.Addr `json:"destination"`
	Route       Route      `json:"route"` // the one that decides; zero: there is none, and nothing leaves
	// IgnoredNextHop is the next hop of Route if it is a neighbour and not the gateway; else zero. The
	// hypervisor answers in its place, and forwards the data itself.
	IgnoredNextHop netip.Addr `json:"ignored_next_hop"`
	// Losers are the other routes that contain the destination: first the installed ones, in the
	// table's order, then those that the guest did not install, in the order of the verdicts.
	// A default route that is offered and not installed has no verdict, so it is not among them.
	Losers []Loser `json:"losers"`
	// Dropped are the other NICs that have a route of the destination's family in the table, sorted. The
	// hypervisor's strict reverse path filter drops what leaves for the destination from their addresses. It is empty
	// if nothing leaves.
	Dropped []string `json:"dropped"`
}

// A Loser is a route that contains a destination and does not decide it.
type Loser struct {
	Route  Route  `json:"route"` // as configured, if it is not installed
	Cause  Code   `json:"cause"` // why it is not installed; "" if it is
	Reason string `json:"reason"`
}

// Explain says by which NIC a destination leaves, why, and what happens to it then. An invalid
// address, or one with a zone, has no route. An IPv4-mapped one is unmapped. Some addresses never ask
// the table: the instance's own, loopback, IPv6 link-local and multicast ones. For these it says what
// the table would do. If routes are Open, it follows the first. A nil Report has no route.
func (r *Report) Explain(dst netip.Addr) Explanation {
	if r == nil {
		r = new(Report)
	}
	dst = canon.Addr(dst)
	e := Explanation{Destination: dst, Losers: []Loser{}, Dropped: []string{}}
	winner, found := r.Table.Lookup(dst)
	if found {
		e.Route = winner
		e.IgnoredNextHop = r.ignored(winner)
		for _, t := range r.Table {
			if !winner.staysInside() && !t.staysInside() && t.NIC != winner.NIC && t.Destination.Addr().Is4() == dst.Is4() && !slices.Contains(e.Dropped, t.NIC) {
				e.Dropped = append(e.Dropped, t.NIC)
			}
		}
		slices.Sort(e.Dropped)
	}
	at := slices.Index(r.Table, winner)
	for i, t := range r.Table {
		if i == at || !t.Destination.Contains(dst) {
			continue
		}
		reason := "a route to the same destination comes first"
		switch {
		case t.Destination != winner.Destination:
			reason = "its prefix is shorter"
		case t.Metric > winner.Metric:
			reason = "its metric is higher"
		case t.Open && t.NIC != winner.NIC:
			reason = "the order of the leases decides"
		}
		e.Losers = append(e.Losers, Loser{Route: t, Reason: reason})
	}
	for _, v := range r.Verdicts {
		if v.Cause == "" || !v.Subject.HostRoute.Destination.Contains(dst) {
			continue
		}
		reason := "the guest does not install it"
		if v.Effect == EffectNotOffered {
			reason = "it never reaches the guest"
		}
		e.Losers = append(e.Losers, Loser{routeOf(&v), v.Cause, reason + " (" + string(v.Cause) + ")"})
	}
	return e
}

// staysInside reports whether a route leads to the guest's loopback device.
func (r Route) staysInside() bool { return r.NIC == loopbackDevice }

// routeOf returns a verdict's subject as a route.
func routeOf(v *Verdict) Route {
	s := v.Subject
	t := Route{Destination: s.HostRoute.Destination, NextHop: s.HostRoute.NextHop, NIC: s.NIC, Source: SourceHostRoute, Subnet: s.Subnet}
	if t.Subnet == "" {
		t.Source = SourceManual
	}
	if t.NextHop == zero4 {
		t.NextHop = netip.Addr{}
	}
	return t
}

// ignored returns the next hop of an installed route if it is a neighbour other than the gateway.
func (r *Report) ignored(t Route) netip.Addr {
	ignores := func(v Verdict) bool {
		o := routeOf(&v)
		return v.Cause == "" && v.Class == ClassNotGateway && o.NIC == t.NIC && o.Subnet == t.Subnet && o.NextHop == t.NextHop &&
			onWire(o.Destination).Masked() == t.Destination
	}
	if slices.ContainsFunc(r.Verdicts, ignores) {
		return t.NextHop
	}
	return netip.Addr{}
}

// String returns the explanation as a short paragraph.
func (e Explanation) String() string {
	var b strings.Builder
	dst := addrText(e.Destination)
	switch {
	case e.Route == (Route{}):
		b.WriteString("No route of the guest contains " + dst + ": nothing leaves.")
	case e.Route.staysInside():
		b.WriteString(dst + " stays in the guest, by the route " + e.Route.String() + ": nothing leaves.")
	default:
		b.WriteString(dst + " leaves by " + quoted(e.Route.NIC) + ", by the route " + e.Route.String() + ".")
		if e.IgnoredNextHop.IsValid() {
			hop := e.IgnoredNextHop.String()
			b.WriteString(" The next hop " + hop + " is ignored: the hypervisor answers in its place, and a router at " + hop +
				" never sees the data. If the hypervisor has no route to " + hop + ", nothing answers, and the data is lost.")
		}
		if e.Route.Open {
			b.WriteString(" An equal route of another NIC is used instead if that NIC has its lease first.")
		}
	}
	for _, l := range e.Losers {
		b.WriteString(" Not by " + l.Route.String() + ": " + l.Reason + ".")
	}
	if e.Route != (Route{}) && !e.Route.staysInside() { // it leaves
		b.WriteString(" Outside the guest, the hypervisor forwards it by its own routing table.")
	}
	if len(e.Dropped) > 0 {
		while := " An"
		if e.Route.Open {
			while = " While it leaves by " + quoted(e.Route.NIC) + ", an"
		}
		b.WriteString(while + " address of " + strings.Join(mapped(e.Dropped, quoted), " or ") + " cannot talk to " + dst +
			": the hypervisor drops what leaves by " + quoted(e.Route.NIC) + " with such an address (reverse path filter).")
	}
	return b.String()
}
