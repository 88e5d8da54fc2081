package hostroute

import (
	"errors"
	"net/netip"
	"slices"
)

// A Report is what [Analyze] finds out about an instance. It is plain data;
// compare two with cmp.Diff and cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}).
type Report struct {
	Instance string `json:"instance"`
	Table    Table  `json:"table"`
	// Verdicts are in the order of the NICs; for each, of its subnets and their
	// host routes, then of its manual routes. None is left out.
	Verdicts []Verdict `json:"verdicts"`
	// Findings are those of the instance, then in the order of NICs, subnets and
	// host routes; at one place, by code.
	Findings []Finding `json:"findings"`
}

// Worst returns the highest severity of the findings; 0 if there is none, and for a nil Report.
func (r *Report) Worst() Severity {
	var worst Severity
	if r == nil {
		return worst
	}
	for i := range r.Findings {
		worst = max(worst, r.Findings[i].Severity)
	}
	return worst
}

// Analyze computes the routing table that an instance gets, and for each of
// its host routes and manual routes whether it is consistent and whether it is effective.
// The error joins an [InputError] for every value that no Neutron could hold; then
// there is no report. Whatever else a person can have configured is in its findings.
//
// It takes O(n log n) for n routes; for n routes of which m are on-link, rival those of
// their list for a destination where some are on-link, stand beside on-link ones in a subnet
// of one address, or have fixes to prove, O(m n log n); and where DefaultNIC is empty, that
// for each offered default. NICs and subnets are compared in pairs.
func Analyze(in Instance) (*Report, error) {
	in = unmap(in)
	if err := check(in); err != nil {
		return nil, err
	}
	var r room
	p := newPlan(&in, false, &r)
	s := p.decide(&r.state)
	var outcomeRoom [24]outcome
	var decideRoom [32]bool
	outcomes, decides := p.effects(&s, outcomeRoom[:0], decideRoom[:0])
	others := p.others()
	verdicts, hang := p.verdicts(&s, outcomes, others)
	a := analysis{plan: &p, state: &s, decides: decides, others: others, verdicts: verdicts, hang: hang}
	return &Report{Instance: in.Name, Table: p.table(&s), Verdicts: verdicts, Findings: a.findings()}, nil
}

// AnalyzeSubnet returns what can be said of a subnet with no instance known, as in
// a plan that is not applied: of the codes, no-lease, dhcp-disabled, ipv6-not-offered,
// option-overflow, default-dropped, host-bits, and of the next hops not-gateway, off-link, on-link
// and unusable. Another NIC's gateway is not known, so that such a next hop is off-link, and
// the message says so. KeepsEgress is false in every fix. A planned subnet may have any text as ID, such as
// its resource's address, which messages and edits then name. Errors are those of [Analyze].
func AnalyzeSubnet(s *Subnet) ([]Finding, error) {
	if s == nil {
		return nil, &InputError{"Subnet", errNil}
	}
	in := unmap(Instance{NICs: []NIC{{Subnets: []*Subnet{s}}}})
	s = in.NICs[0].Subnets[0]
	var errs []error
	s.check(func(field string, err error) { errs = append(errs, &InputError{field, err}) })
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var r room
	p := newPlan(&in, true, &r)
	st := p.decide(&r.state)
	a := analysis{plan: &p, state: &st}
	return a.findings(), nil
}

// findings writes all findings, with those of their fixes that are proven.
func (a *analysis) findings() []Finding {
	type found struct {
		at   place
		code Code
	}
	var room [8]found
	list := room[:0]
	a.each(func(at place, c Code) { list = append(list, found{at, c}) })
	out := make([]Finding, len(list))
	for i, l := range list {
		out[i] = a.tell(l.at, l.code)
		f := &out[i]
		f.Code, f.Severity, f.Subject = l.code, severity(l.code), a.subject(l.at)
		if f.Related == nil {
			f.Related = []Related{}
		}
		tried := f.Fixes
		f.Fixes = []Fix{}
		for i := range tried {
			if a.prove(&tried[i], l.at, f) {
				f.Fixes = append(tried[:len(f.Fixes)], tried[i])
			}
		}
	}
	return out
}

// subject names a place.
func (a *analysis) subject(at place) Ref {
	r := Ref{Instance: a.in.Name}
	if at.nic >= 0 {
		r.NIC = a.nics[at.nic].Name
	}
	if at.subnet >= 0 {
		r.Subnet = a.placed[at.subnet].ID
	}
	if at.item >= 0 {
		r.HostRoute = *a.items[at.item].route
	}
	if at.sibling >= 0 {
		r.HostRoute = HostRoute{a.routes[at.sibling].Prefix, zero4}
	}
	return r
}

// A problem is a finding of severity error, its subject by destination, so that it stays the
// same if only the next hop changes.
type problem struct {
	code        Code
	nic, subnet string
	destination netip.Prefix
}

func problemOf(c Code, r Ref) problem {
	return problem{c, r.NIC, r.Subnet, r.HostRoute.Destination.Masked()}
}

// prove applies a fix, says whether it removes its finding, and sets its KeepsEgress.
func (a *analysis) prove(fix *Fix, at place, f *Finding) bool {
	in, err := a.in.mapped(func(s *Subnet) (*Subnet, error) { return s.Apply(fix.Edits...) })
	if err != nil {
		return false
	}
	if a.problems == nil {
		a.problems = make(map[problem]bool)
		a.each(func(at place, c Code) {
			if severity(c) == SeverityError {
				a.problems[problemOf(c, a.subject(at))] = true
			}
		})
		a.was = a.egress(nil, a.state)
	}
	var r room
	p := newPlan(&in, a.lone, &r)
	st := p.decide(&r.state)
	b := analysis{plan: &p, state: &st}
	gone, fresh := !b.returns(f, fix.Edits), false
	b.each(func(at place, c Code) {
		is := b.subject(at)
		gone = gone && (c != f.Code || is != f.Subject)
		fresh = fresh || severity(c) == SeverityError && !a.problems[problemOf(c, is)]
	})
	if !gone || a.lone || at.item >= 0 && len(a.nics) > 1 && a.verdicts[at.item].GuestDependent {
		return gone
	}
	var segments [32]segment
	fix.KeepsEgress = !fresh && slices.Equal(a.was, p.egress(segments[:0], &st)) && a.keepsOthers(&p)
	return true
}

// returns says whether a finding comes back for what its edits add.
func (a *analysis) returns(f *Finding, edits []Edit) bool {
	for _, e := range edits {
		if e.New == (HostRoute{}) || f.Code == CodeHostBits {
			continue
		}
		for i := range a.items {
			it := &a.items[i]
			if it.subnet != nil && it.subnet.ID == e.Subnet && *it.route == e.New && a.nextHopCode(it) != "" {
				return true
			}
		}
	}
	return false
}

// keepsOthers says whether p, an edited plan, sends no destination by another NIC if the guest
// keeps another of the offered defaults, where that is not known.
func (a *analysis) keepsOthers(p *plan) bool {
	all := slices.Clip(a.others)
	for _, keep := range p.others() {
		if !slices.Contains(all, keep) { // only the edits can have brought it
			all = append(all, keep)
		}
	}
	for _, keep := range all {
		was, is := a.install(new(stateRoom), keep, -1, false), p.install(new(stateRoom), keep, -1, false)
		if !slices.Equal(a.egress(nil, &was), p.egress(nil, &is)) {
			return false
		}
	}
	return true
}

// mapped returns in on other subnets, by f; the rest is shared with in.
func (in *Instance) mapped(f func(*Subnet) (*Subnet, error)) (Instance, error) {
	out := *in
	out.NICs = slices.Clone(in.NICs)
	for i := range out.NICs {
		nic := &out.NICs[i]
		nic.Subnets = slices.Clone(nic.Subnets)
		for j, s := range nic.Subnets {
			var err error
			if nic.Subnets[j], err = f(s); err != nil {
				return Instance{}, err
			}
		}
	}
	return out, nil
}
