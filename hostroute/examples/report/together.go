package main

import (
	"slices"

	"example.com/go-hostroute/hostroute"
)

// In which order to do the fixes: which of them can be done in one go.

// What it means that data moves, on what a host route depends, and what a person does who does one fix.
const (
	onTheGuest = `"Depends on the guest" means on its default route, its DHCP client or the order of its host routes.`
	dataMoves  = "Data moves if it leaves an instance by another NIC than before. Running instances get a changed list later, if at all."
	oneFix     = "Do one fix, with all of its commands, then fetch SUBNETS and PORTS again and run this again: a fix can change the others. " + dataMoves
)

// order says in which order to do the fixes, of which some can be done in one go.
func (p *printer) order(inOneGo int) string {
	included := ""
	if len(p.canGo) > 0 {
		included = ", CAN GO included"
		inOneGo++
	}
	switch {
	case inOneGo > 1:
		return `All fixes after "fix:" that move no data can be done in one go` + included + `, unless they say "do it alone": once the last is done, ` +
			"all data leaves as before. Do any other fix alone, with all of its commands. Then fetch SUBNETS and PORTS again and run this again: " +
			"a fix can change the others. " + dataMoves
	case included != "":
		return oneFix + " CAN GO counts as one fix."
	}
	return oneFix
}

// together counts the fixes that can be done in one go with CAN GO. It marks the others that move nothing.
func (p *printer) together(sections []section) (n int) {
	var fixes []*fix
	edits := [][]hostroute.Edit{p.canGo}
	for _, s := range sections {
		for _, e := range s.entries {
			if len(e.fixes) == 0 {
				continue
			}
			f := &e.fixes[0]
			switch {
			case !p.harmless(*f) || f.goes:
			case slices.ContainsFunc(p.editCommands(f.Edits), isWholeList): // it undoes those of other fixes
				f.alone = true
			default:
				fixes = append(fixes, f)
				edits = append(edits, f.Edits)
			}
		}
	}
	taken := p.audit.Together(edits...)
	for i, f := range fixes {
		if taken[i+1] {
			n++
		} else {
			f.alone = true
		}
	}
	return n
}
