package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// A baseline: findings that are known and accepted.

type baseline struct {
	Version  int        `json:"version"`
	Accepted []accepted `json:"accepted"`
}

// An accepted is a finding that someone accepts for a reason.
type accepted struct {
	subject
	Reason string `json:"reason"`
}

// A subject names a finding: of a host route or a subnet for all instances; of an instance with the instance, and of a NIC
// with its port, too.
type subject struct {
	Code      hostroute.Code      `json:"code"`
	Instance  string              `json:"instance,omitempty"`
	Port      string              `json:"port,omitempty"`
	Subnet    string              `json:"subnet,omitempty"`
	HostRoute hostroute.HostRoute `json:"host_route,omitzero"`
}

// String returns "next-hop-not-gateway of storage-subnet: 10.71.0.0/16,10.70.0.77".
func (s subject) String() string {
	ref := hostroute.Ref{Instance: s.Instance, NIC: s.Port, Subnet: s.Subnet, HostRoute: s.HostRoute}
	return quoted(string(s.Code)) + " of " + ref.String()
}

// subjectOf returns how a baseline names a finding of an instance.
func subjectOf(in *hostroute.Instance, code hostroute.Code, at hostroute.Ref) subject {
	if at.Subnet != "" {
		return subject{Code: code, Subnet: at.Subnet, HostRoute: at.HostRoute}
	}
	s := subject{Code: code, Instance: in.Name, HostRoute: at.HostRoute}
	if nic := slices.IndexFunc(in.NICs, func(n hostroute.NIC) bool { return n.Name == at.NIC }); nic >= 0 {
		s.Port = in.NICs[nic].ID
	}
	return s
}

// subjects returns how a baseline names an occurrence. Where that is not about a subnet, these are all findings of its
// code.
func (c *cloud) subjects(o *audit.Occurrence) []subject {
	f := &o.Finding
	if f.Subject.Subnet != "" {
		return []subject{subjectOf(nil, f.Code, f.Subject)}
	}
	if c.subjectsOf == nil {
		c.subjectsOf = make(map[hostroute.Code][]subject)
		for _, list := range c.subjectsOfInstances() {
			for _, s := range list {
				if s.Subnet == "" {
					c.subjectsOf[s.Code] = append(c.subjectsOf[s.Code], s)
				}
			}
		}
	}
	return c.subjectsOf[f.Code]
}

// subjectsOfInstances returns how a baseline names the findings of each instance.
func (c *cloud) subjectsOfInstances() [][]subject {
	if c.single == nil {
		c.single = make([][]subject, len(c.Instances))
		for i := range c.Instances {
			in := &c.Instances[i]
			report, err := hostroute.Analyze(*in)
			if err != nil {
				continue // add would have returned it
			}
			for _, f := range report.Findings {
				c.single[i] = append(c.single[i], subjectOf(in, f.Code, f.Subject))
			}
		}
	}
	return c.single
}

// parseBaseline reads a file, in which reasons may be missing.
func parseBaseline(name string) (*baseline, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	b := new(baseline)
	reader := json.NewDecoder(bytes.NewReader(content))
	reader.DisallowUnknownFields()
	if err := reader.Decode(b); err != nil {
		return nil, fmt.Errorf("baseline %s: %w", name, err)
	}
	if _, err := reader.Token(); err != io.EOF {
		return nil, fmt.Errorf("baseline %s: something follows the object", name)
	}
	if b.Version != 1 {
		return nil, fmt.Errorf("baseline %s: its version is %d, not 1", name, b.Version)
	}
	return b, nil
}

// readBaseline reads the reasons for what is accepted. Without a name there is no baseline.
func readBaseline(name string) (map[subject]string, error) {
	if name == "" {
		return nil, nil
	}
	b, err := parseBaseline(name)
	if err != nil {
		return nil, err
	}
	reasons := make(map[subject]string)
	var errs []error
	for i, a := range b.Accepted {
		switch _, twice := reasons[a.subject]; {
		case a.Code == "" || a.Instance == "" && a.Subnet == "":
			errs = append(errs, fmt.Errorf("baseline %s: entry %d needs a code, and an instance or a subnet", name, i+1))
		case strings.TrimSpace(a.Reason) == "":
			errs = append(errs, fmt.Errorf("baseline %s: entry %d (%v) has no reason", name, i+1, a.subject))
		case twice:
			errs = append(errs, fmt.Errorf("baseline %s: entry %d (%v) is there twice", name, i+1, a.subject))
		}
		reasons[a.subject] = a.Reason
	}
	return reasons, errors.Join(errs...)
}

// writeBaseline writes a baseline of the findings at or above -fail. It takes over the reasons in the file that it writes
// over, and those of -baseline.
func (p *printer) writeBaseline() error {
	reasons := make(map[subject]string)
	there, err := parseBaseline(p.opt.toBaseline)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already, and cannot be written over: %w", p.opt.toBaseline, err)
	}
	if there != nil {
		for _, a := range there.Accepted {
			reasons[a.subject] = a.Reason
		}
	}
	maps.Copy(reasons, p.reasons)
	b := baseline{Version: 1, Accepted: []accepted{}}
	known := make(map[subject]bool)
	done := make(map[hostroute.Code]bool) // those that are not about a subnet
	missing := 0
	for i := range p.findings {
		o := &p.findings[i]
		if o.Finding.Severity < p.opt.fail || done[o.Finding.Code] && o.Finding.Subject.Subnet == "" {
			continue
		}
		done[o.Finding.Code] = true
		for _, s := range p.subjects(o) {
			if known[s] {
				continue
			}
			known[s] = true
			b.Accepted = append(b.Accepted, accepted{s, reasons[s]})
			if reasons[s] == "" {
				missing++
			}
		}
	}
	slices.SortFunc(b.Accepted, func(a, b accepted) int { return compareSubjects(a.subject, b.subject) })
	content, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.opt.toBaseline, append(content, '\n'), 0o666); err != nil {
		return err
	}
	p.line(0, "%s written to %s; %s a reason before -baseline takes the file.", plural(len(b.Accepted), "entry", "entries"), quoted(p.opt.toBaseline), plural(missing, "entry needs", "entries need"))
	return nil
}

func compareSubjects(a, b subject) int {
	return cmp.Or(
		compareCodes(a.Code, b.Code),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.Subnet, b.Subnet),
		compareHostRoutes(a.HostRoute, b.HostRoute),
		strings.Compare(a.Instance, b.Instance),
		strings.Compare(a.Port, b.Port),
	)
}

// A status says what the exit status is, and why.
type status struct {
	failing   int // findings at or above -fail that are not accepted
	accepted  int
	unmatched []accepted
	accepts   []bool // by finding of the cloud: all of it is accepted
}

// status compares all findings with the baseline.
func (p *printer) status() *status {
	out := &status{unmatched: []accepted{}, accepts: make([]bool, len(p.findings))}
	seen := make(map[subject]bool)
	first := make(map[hostroute.Code]int) // of those that are not about a subnet, which have the same subjects
	for i := range p.findings {
		o := &p.findings[i]
		if p.reasons == nil && o.Finding.Severity < p.opt.fail {
			continue
		}
		if o.Finding.Subject.Subnet == "" {
			if at, known := first[o.Finding.Code]; known {
				out.accepts[i] = out.accepts[at]
				continue
			}
			first[o.Finding.Code] = i
		}
		out.accepts[i] = true
		for _, s := range p.subjects(o) {
			_, isAccepted := p.reasons[s]
			out.accepts[i] = out.accepts[i] && isAccepted
			if seen[s] {
				continue
			}
			seen[s] = true
			if isAccepted {
				out.accepted++
			} else if o.Finding.Severity >= p.opt.fail {
				out.failing++
			}
		}
	}
	for s, reason := range p.reasons {
		if !seen[s] {
			out.unmatched = append(out.unmatched, accepted{s, reason})
		}
	}
	slices.SortFunc(out.unmatched, func(a, b accepted) int { return compareSubjects(a.subject, b.subject) })
	return out
}

// accepted prints why the findings of an entry are accepted, if all are.
func (p *printer) accepted(e *entry) {
	if p.isAccepted(e) {
		p.line(4, "accepted: %s", oneLine(p.reasons[p.named(e)[0]]))
	}
}

// isAccepted reports whether the baseline accepts all findings of an entry.
func (p *printer) isAccepted(e *entry) bool {
	if p.reasons == nil {
		return false
	}
	names := p.named(e)
	return len(names) > 0 && !slices.ContainsFunc(names, func(s subject) bool { return p.reasons[s] == "" })
}

// numberText says how many host routes a section has, and how many of them are accepted.
func (p *printer) numberText(s section) string {
	all, accepted := 0, 0
	for _, e := range s.entries {
		all += len(e.routes)
		if p.isAccepted(e) {
			accepted += len(e.routes)
		}
	}
	text := count(all, "host route")
	switch accepted {
	case 0:
		return text
	case all:
		return text + ", all accepted"
	}
	return text + ", " + strconv.Itoa(accepted) + " accepted"
}

// named returns how a baseline names the findings that an entry is about.
func (p *printer) named(e *entry) []subject {
	switch e.code {
	case hostroute.CodeSecondIPv4Subnet: // of the NICs
		return p.subjects(&audit.Occurrence{Finding: hostroute.Finding{Code: e.code}})
	case neutron.CodeNetmaskSpelling: // of some host routes
		var out []subject
		for _, f := range p.misspelt[e.subnet] {
			out = append(out, subjectOf(nil, f.Code, f.Subject))
		}
		return out
	}
	return []subject{subjectOf(nil, e.code, e.about())}
}
