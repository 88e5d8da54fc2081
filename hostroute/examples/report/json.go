package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// The report as JSON. The package comment documents the object.

type document struct {
	Version    int                 `json:"version"`
	Summary    summary             `json:"summary"`
	HostRoutes []hostRouteDocument `json:"host_routes"`
	Findings   []findingDocument   `json:"findings"`
	Problems   []neutron.Problem   `json:"problems"`
}

type summary struct {
	Subnets         int                `json:"subnets"`
	HostRoutes      int                `json:"host_routes"`
	Instances       int                `json:"instances"`
	Kinds           map[string]int     `json:"kinds"`
	LeftOut         leftOut            `json:"left_out"`
	SeveralDefaults int                `json:"several_defaults"`
	DefaultSubnets  []string           `json:"default_subnets"`
	DefaultNIC      string             `json:"default_nic"`
	Guest           hostroute.Guest    `json:"guest"`
	Fail            hostroute.Severity `json:"fail"`
	Failing         int                `json:"failing"`
	Accepted        int                `json:"accepted"`
	Unmatched       []accepted         `json:"unmatched"`
}

type leftOut struct {
	Subnets   int `json:"subnets"`
	Instances int `json:"instances"`
}

type hostRouteDocument struct {
	audit.Usage
	Name  string         `json:"name"`
	Kind  kind           `json:"kind"`
	Code  hostroute.Code `json:"code"`
	CanGo bool           `json:"can_go"`
}

type findingDocument struct {
	audit.Occurrence
	Harmless []bool `json:"harmless"` // for each of Fixes
	Accepted bool   `json:"accepted"`
}

func (p *printer) json(status *status) error {
	d := document{
		Version: 1,
		Summary: summary{
			Subnets:         len(p.Subnets),
			HostRoutes:      len(p.hostRoutes),
			Instances:       len(p.Instances),
			Kinds:           p.kindCounts(),
			SeveralDefaults: p.severalDefaults(),
			DefaultSubnets:  append([]string{}, p.opt.defaults.subnets...),
			DefaultNIC:      p.opt.defaults.nic,
			Guest:           p.opt.defaults.guest,
			Fail:            p.opt.fail,
			Failing:         status.failing,
			Accepted:        status.accepted,
			Unmatched:       status.unmatched,
		},
		HostRoutes: []hostRouteDocument{},
		Findings:   []findingDocument{},
		Problems:   p.Problems,
	}
	d.Summary.LeftOut.Subnets, d.Summary.LeftOut.Instances = p.leftOut()
	for i := range p.hostRoutes {
		r := &p.hostRoutes[i]
		d.HostRoutes = append(d.HostRoutes, hostRouteDocument{r.Usage, p.SubnetNames[r.Subnet], r.kind, r.code, p.goes[r.removal()]})
	}
	for i, o := range p.findings {
		harmless := make([]bool, len(o.Fixes))
		for k, f := range o.Fixes {
			harmless[k] = p.condition(f.Edits) == "" && p.movesNothing(f.Edits)
		}
		d.Findings = append(d.Findings, findingDocument{o, harmless, status.accepts[i]})
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return err
	}
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if strconv.IsPrint(r) {
			p.out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) { // in a string, since nothing else of JSON is not printable
			fmt.Fprintf(p.out, `\u%04x`, unit)
		}
	}
	return p.out.WriteByte('\n')
}
