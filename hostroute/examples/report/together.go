package main

import (
	"slices"

	"example.com/go-hostroute/hostroute"
)

// In which order to do the fixes: which of them can be done together.

// What it means that data moves, on what a host route depends, and what a person does who does one fix.
const (
	onTheGuest = `"Depends on the guest" means on its default route, its DHCP client or the order of its host routes.`
	dataMoves  = "Data moves if it leaves an instance by another NIC than before. Running instances may get a changed list only at their next boot."
	fetchAgain = "fetch SUBNETS and PORTS again, and run this again: a fix can change the others."
	oneOfAll   = "Do one fix, with all of its commands, then " + fetchAgain + " The report without -instance and -subnet says which fixes can be done together. " + dataMoves
)

// whatToDo says in which order to do the fixes, of which some can be done together.
func (p *printer) whatToDo() {
	p.line(0, "What to do:")
	p.wrapped(2, `1. All of CAN GO, if it is there. Then from top to bottom each fix after "fix:" that says "moves no data" and not "do it alone". After each of them, all data leaves as before.`)
	p.wrapped(2, "2. Then "+fetchAgain)
	p.wrapped(2, "3. Any other fix: alone, with all of its commands. Then step 2.")
}

// steps returns what CAN GO lists in commands of one subnet each, in an order in which nothing moves after any of them. It begins
// with the subnets in order. Where some data would move until the host routes of another subnet are gone, these go first, and one
// after the other if need be. If that is not possible, something moves until the last is done.
func (c *cloud) steps() (steps [][]hostroute.Edit, movesNothing bool) {
	var bySubnet, single [][]hostroute.Edit
	for i, e := range c.canGo { // sorted by subnet
		if i == 0 || c.canGo[i-1].Subnet != e.Subnet {
			bySubnet = append(bySubnet, nil)
		}
		last := &bySubnet[len(bySubnet)-1]
		*last = append(*last, e)
	}
	steps, late := c.inOrder(nil, bySubnet)
	for _, edits := range late {
		if slices.ContainsFunc(c.editCommands(edits), isWholeList) { // several such commands would undo each other
			single = append(single, edits)
			continue
		}
		for _, e := range edits {
			single = append(single, []hostroute.Edit{e})
		}
	}
	steps, late = c.inOrder(steps, single)
	return append(steps, late...), len(late) == 0
}

// inOrder appends edits to steps after which nothing moves, each as soon as nothing moves after it. It also returns those after which
// something does in any place.
func (c *cloud) inOrder(steps, more [][]hostroute.Edit) (all, late [][]hostroute.Edit) {
	for {
		late = nil
		taken := c.audit.Together(slices.Concat(steps, more)...)[len(steps):]
		for i, edits := range more {
			if taken[i] {
				steps = append(steps, edits)
			} else {
				late = append(late, edits)
			}
		}
		if len(late) == len(more) {
			return steps, late
		}
		more = late
	}
}

// together marks the fixes that move nothing, but cannot be done together with CAN GO and those before them.
func (p *printer) together(sections []section) {
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
		f.alone = !taken[i+1]
	}
}
