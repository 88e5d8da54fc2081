package audit

import (
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// What analyses said, kept once however many combinations share it.

// A fact is a verdict on a host route or manual route, or a finding without what differs from instance to instance.
type fact struct {
	subject subject
	verdict hostroute.Verdict // without subject and egress NICs; GuestDependent only where that can move data
	fixes   []hostroute.Fix   // of a finding
}

// A subject is what facts of several instances agree in.
type subject struct {
	code    hostroute.Code // "" for a verdict
	subnet  string
	route   hostroute.HostRoute
	nic     string // for a NIC or a manual route: what nicLabel returns
	related string
}

// learn returns the facts of a report about an instance.
func (a *Audit) learn(in *hostroute.Instance, report *hostroute.Report) []*fact {
	facts := make([]*fact, 0, len(report.Verdicts)+len(report.Findings))
	certain := len(in.NICs) == 1 && slices.ContainsFunc(report.Table, func(r hostroute.Route) bool {
		return r.Destination.Bits() == 0 && r.Destination.Addr().Is4()
	})
	for i := range report.Verdicts {
		v := &report.Verdicts[i]
		facts = append(facts, a.fact(fact{
			subject: subject{subnet: v.Subject.Subnet, route: v.Subject.HostRoute},
			verdict: hostroute.Verdict{Class: v.Class, Effect: v.Effect, Cause: v.Cause, GuestDependent: v.GuestDependent && !certain},
		}))
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		facts = append(facts, a.fact(fact{subject: subjectOf(in, f), fixes: f.Fixes}))
	}
	return facts
}

// fact returns the audit's copy of a fact.
func (a *Audit) fact(f fact) *fact {
	for _, known := range a.facts[f.subject] {
		if known.verdict == f.verdict && slices.EqualFunc(known.fixes, f.fixes, equalFixes) {
			return known
		}
	}
	a.facts[f.subject] = append(a.facts[f.subject], &f)
	return &f
}

func equalFixes(a, b hostroute.Fix) bool {
	return a.Message == b.Message && slices.Equal(a.Edits, b.Edits)
}

func subjectOf(in *hostroute.Instance, f *hostroute.Finding) subject {
	s := subject{code: f.Code, subnet: f.Subject.Subnet, route: f.Subject.HostRoute}
	if s.subnet == "" {
		s.nic = nicLabel(in, f.Subject.NIC)
	}
	switch f.Code {
	case hostroute.CodeConflict, hostroute.CodeCapturesSubnet, hostroute.CodeOverlappingSubnets, hostroute.CodeNextHopOtherNIC:
		var related []string
		for _, r := range f.Related {
			related = append(related, strconv.Quote(r.Ref.Subnet)+" "+r.Ref.HostRoute.String())
		}
		slices.Sort(related)
		s.related = strings.Join(slices.Compact(related), "\n")
	}
	return s
}

// nicLabel returns how [Move] calls a NIC; "" if there is no NIC of that name.
func nicLabel(in *hostroute.Instance, name string) string {
	i := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == name })
	if i < 0 {
		return ""
	}
	var ids []string
	for _, s := range in.NICs[i].Subnets {
		id := s.ID
		if id == "" {
			id = s.CIDR.String()
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return name
	}
	return strings.Join(ids, ",")
}
