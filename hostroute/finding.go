package hostroute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity says what happens to packets because of a finding. Severities are ordered. The zero
// Severity is none.
type Severity int

const (
	// SeverityInfo: it affects no packet.
	SeverityInfo Severity = iota + 1
	// SeverityWarning: where packets go depends on the guest's DHCP client or on order, or some
	// of them are at risk although each route does what it says.
	SeverityWarning
	// SeverityError: the route never takes effect as configured, or the data does not go where
	// the route says.
	SeverityError
)

var severities = [...]string{"none", "info", "warning", "error"}

// String returns none, info, warning or error; Severity(N) for any other value.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severities) {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return severities[s]
}

// MarshalText returns none, info, warning or error. Any other value is an error.
func (s Severity) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(severities) {
		return nil, fmt.Errorf("no severity: %d", int(s))
	}
	return []byte(severities[s]), nil
}

// UnmarshalText is the inverse of MarshalText. Any other text is an error.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities[:], string(text))
	if i < 0 {
		return fmt.Errorf("no severity: %q", text)
	}
	*s = Severity(i)
	return nil
}

// A Finding is something that a person should know. It is plain data. Code and Subject identify it
// within its report.
type Finding struct {
	Code     Code      `json:"code"`
	Severity Severity  `json:"severity"` // the code's
	Subject  Ref       `json:"subject"`
	Message  string    `json:"message"` // one line: the problem, then the reason. Any release may reword it.
	Related  []Related `json:"related"` // what explains it
	Fixes    []Fix     `json:"fixes"`   // alternatives, the likeliest first
}

// String returns "web-1: eth1: back: 11.11.0.0/16,11.8.0.77: MESSAGE (code)".
func (f Finding) String() string {
	return strings.TrimPrefix(f.Subject.String()+": "+f.Message+" ("+string(f.Code)+")", ": ")
}

// A Related is something that explains a finding.
type Related struct {
	Ref     Ref    `json:"ref"`
	Message string `json:"message"`
}

// A Fix is a way to make its finding go away. If Edits is empty, the message says what to change:
// a gateway, the guest, or Neutron's configuration. What that moves is not computed: Impact and MovesNothing of no edits say
// that nothing moves.
//
// [Instance.Apply] and [Subnet.Apply] make the edits on a copy. The finding is then gone from that
// instance or subnet. A fix says nothing about what else moves, and nothing about other instances on the
// subnet: ask [Instance.Impact] for each of them. Make one fix at a time and analyze again, because
// the next one may have become needless or wrong.
type Fix struct {
	Message string `json:"message"`
	Edits   []Edit `json:"edits"` // additions come before removals
}

// findings asks the rules about the instance, then about each NIC, its subnets, and their routes.
func findings(a *analysis) []Finding {
	s := &subject{analysis: a}
	likely := 0
	if a.DefaultNIC == "" { // several NICs may be offered a default route
		likely++
	}
	for _, j := range a.judged {
		if j.Class != ClassOwnGateway {
			likely++
		}
		if j.Effect != EffectSteers && (j.Class == ClassOwnGateway || j.Cause == "") {
			likely++
		}
	}
	out := s.ask(make([]Finding, 0, likely), ofInstance)
	next := a.judged
	askRoutes := func() { // of the subnet or, without one, those programmed by hand
		for len(next) > 0 && next[0].nic == s.nic && next[0].subnet == s.subnet {
			s.route, next = next[0], next[1:]
			out = s.ask(out, ofRoute)
		}
		s.route = judged{}
	}
	for i := range a.nics {
		s.nic = &a.nics[i]
		out = s.ask(out, ofNIC)
		for _, s.subnet = range s.nic.Subnets {
			out = s.ask(out, ofSubnet)
			if s.subnet == s.nic.ipv4 {
				for k := range s.nic.candidates {
					if c := &s.nic.candidates[k]; c.source == SourceSibling {
						s.route = judged{candidate: c}
						out = s.ask(out, ofSibling)
					}
				}
			}
			askRoutes()
		}
		s.subnet = nil
		askRoutes()
	}
	return out
}

// ask appends the findings about a subject, by code.
func (s *subject) ask(out []Finding, at scope) []Finding {
	v := s.route.Verdict
	if s.route.good || v != nil && v.Cause == CodeOptionOverflow { // the finding about the subnet mutes the rest
		return out
	}
	first := len(out)
	for _, r := range catalogue {
		if r.scope != at && !(r.siblings && at == ofSibling) {
			continue
		}
		needsInstance := r.severity == SeverityInfo // whether a route is of use depends on the instance
		if needsInstance && s.isAlone() || !r.applies(s) {
			continue
		}
		out = append(out, Finding{Code: r.code, Severity: r.severity, Subject: s.ref(), Related: []Related{}, Fixes: []Fix{}})
		r.tell(s, &out[len(out)-1])
	}
	slices.SortFunc(out[first:], func(a, b Finding) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// ref names a subject.
func (s *subject) ref() Ref {
	if s.route.candidate != nil {
		return s.route.ref(s.Name)
	}
	r := Ref{Instance: s.Name}
	if s.nic != nil {
		r.NIC = s.nic.Name
	}
	if s.subnet != nil {
		r.Subnet = s.subnet.ID
	}
	return r
}
