package main

// This file writes a result as SARIF 2.1.0.

import (
	"bytes"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"example.com/go-hostroute/hostroute"
)

// sarif returns the result as SARIF, for the plan in a file.
func (r *result) sarif(plan string) ([]byte, error) {
	name := "hostroute-tfplan"
	driver := sarif.NewToolComponent()
	driver.Name = &name
	run := sarif.NewRun()
	run.Tool = sarif.NewTool().WithDriver(driver)
	index := make(map[hostroute.Code]int)
	for i, rule := range hostroute.Rules() {
		driver.AddRule(descriptor(rule))
		index[rule.Code] = i
	}

	marks := make(map[string]int)
	for _, f := range r.findings {
		text := f.String()
		for _, fix := range f.Fixes {
			text += "\nfix: " + fix.Message
		}
		mark := fingerprint(f)
		if marks[mark]++; marks[mark] > 1 { // a copy of a host route in the same subnet
			mark += fmt.Sprintf(" #%d", marks[mark])
		}
		run.AddResult(sarif.NewRuleResult(string(f.Code)).
			WithRuleIndex(index[f.Code]).
			WithLevel(level(f.Severity)).
			WithMessage(sarif.NewTextMessage(text)).
			WithLocations([]*sarif.Location{location(plan, f.address)}).
			WithPartialFingerprints(map[string]string{"hostroute/v1": mark}))
	}

	invocation := sarif.NewInvocation().WithExecutionSuccessful(len(r.invalid) == 0)
	for _, n := range r.unchecked {
		invocation.AddToolExecutionNotification(notification(plan, sarif.LevelNote, "not checked: ", n))
	}
	for _, n := range r.invalid {
		invocation.AddToolExecutionNotification(notification(plan, sarif.LevelError, "invalid: ", n))
	}
	for _, remark := range r.remarks() {
		invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel(sarif.LevelNote).WithMessage(sarif.NewTextMessage(remark)))
	}
	run.AddInvocation(invocation)
	var out bytes.Buffer
	err := sarif.NewReport().AddRun(run).PrettyWrite(&out)
	return out.Bytes(), err
}

// fingerprint returns what a finding is about. The address of a route resource names one host route; that of a subnet, many.
func fingerprint(f finding) string {
	mark := string(f.Code) + " " + f.address
	if f.Subject.HostRoute != (hostroute.HostRoute{}) {
		mark += " " + f.Subject.HostRoute.Destination.String()
	}
	if f.attribute != "" {
		mark += " " + f.Subject.HostRoute.NextHop.String()
	}
	return mark
}

// descriptor documents a rule.
func descriptor(rule hostroute.Rule) *sarif.ReportingDescriptor {
	help := rule.When + "\n\n" + rule.Why + "\n\n" + rule.Remedy + "\n\n" + noInstances
	return sarif.NewRule(string(rule.Code)).
		WithDescription(rule.Title).
		WithFullDescription(sarif.NewMultiformatMessageString().WithText(rule.When + " " + rule.Why)).
		WithMarkdownHelp(help).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level(rule.Severity)))
}

// location names a resource. The file is the plan's: some readers show no result without one.
func location(plan, address string) *sarif.Location {
	l := sarif.NewLocation().AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(address).WithKind("resource"))
	if plan != "-" {
		uri := url.URL{Path: filepath.ToSlash(plan)}
		l.WithPhysicalLocation(sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewArtifactLocation().WithURI(uri.String())))
	}
	return l
}

func notification(plan, level, kind string, n note) *sarif.Notification {
	return sarif.NewNotification().WithLevel(level).WithMessage(sarif.NewTextMessage(kind + n.String())).
		WithLocations([]*sarif.Location{location(plan, n.address)})
}

func level(s hostroute.Severity) string {
	switch s {
	case hostroute.SeverityError:
		return sarif.LevelError
	case hostroute.SeverityWarning:
		return sarif.LevelWarning
	}
	return sarif.LevelNote
}
