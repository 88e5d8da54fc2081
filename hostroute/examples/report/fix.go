package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// How to mend host routes: which fix, and whom it moves.

// A fix is one of the library with what it does to all instances.
type fix struct {
	hostroute.Fix
	impact *audit.Impact // nil if the fix has no edits, or nothing is known
	goes   bool          // the list CAN GO has the command
	alone  bool          // it moves nothing, but cannot be done together with the others
}

// fixes returns the best fix of an entry, and the removal if that is another one.
func (p *printer) fixes(e *entry) []fix {
	best, _ := p.choose(e, p.candidates(e))
	stays := func(e hostroute.Edit) bool { return !p.goes[e] }
	for i := range best {
		f := &best[i]
		f.goes = len(f.Edits) > 0 && !slices.ContainsFunc(f.Edits, stays)
	}
	return best
}

// choose returns the best of an entry's fixes, with the removal if that is another one; and then the others, in their order. It
// looks at the impacts of the others only as far as the choice needs it.
func (p *printer) choose(e *entry, candidates []hostroute.Fix) (best, others []fix) {
	removal := each(e.routes, (*hostRoute).removal)
	isProposed, isFirst := false, false
	var mends []fix // the fixes that are not a removal
	for i, f := range candidates {
		if isRemoval(f.Edits) && slices.Contains(removal, f.Edits[0]) {
			removal, isProposed, isFirst = f.Edits, true, i == 0
		} else {
			mends = append(mends, fix{Fix: f})
		}
	}
	remove := fix{Fix: hostroute.Fix{Edits: removal}}
	if len(mends) == 0 {
		remove.impact = p.impact(removal)
		return []fix{remove}, nil
	}
	for i := range mends {
		if mends[i].impact = p.impact(mends[i].Edits); mends[i].impact.None() {
			break
		}
	}
	first := least(mends)
	mend := mends[first]
	others = slices.Delete(mends, first, first+1)
	isRemovable := len(e.routes) > 0 && p.canRemove(e, removal)
	if isRemovable {
		remove.impact = new(audit.Impact)
		switch {
		case mend.impact.None(): // mended, it steers nothing either
			return []fix{remove}, slices.Insert(others, 0, mend)
		case isFirst: // the other fix takes from somebody else what this one has
			return []fix{remove, mend}, others
		}
		return []fix{mend, remove}, others
	}
	switch {
	case !isProposed:
		return []fix{mend}, others
	case mend.impact == nil || mend.impact.None():
		return []fix{mend}, append(others, remove)
	}
	remove.impact = p.impact(removal)
	if remove.impact.None() || least([]fix{mend, remove}) == 0 { // the removal may be None only as far as is known
		return []fix{mend, remove}, others
	}
	return []fix{remove, mend}, others
}

func addsSome(e hostroute.Edit) bool { return e.New != (hostroute.HostRoute{}) }

// isRemoval reports whether edits do nothing but remove host routes.
func isRemoval(edits []hostroute.Edit) bool {
	return len(edits) > 0 && !slices.ContainsFunc(edits, addsSome)
}

// matching returns the findings that an entry is about.
func (p *printer) matching(e *entry) []audit.Occurrence {
	var out []audit.Occurrence
	for _, o := range p.bySubject[e.about()] {
		if o.Finding.Code == e.code {
			out = append(out, o)
		}
	}
	return out
}

// candidates returns the fixes that the findings of an entry have. Where these are about one instance or NIC, it is what the
// rule advises.
func (p *printer) candidates(e *entry) []hostroute.Fix {
	var out []hostroute.Fix
	for _, o := range p.matching(e) {
		for _, f := range o.Fixes {
			isSame := func(g hostroute.Fix) bool {
				return slices.Equal(f.Edits, g.Edits) && (len(f.Edits) > 0 || f.Message == g.Message)
			}
			if !slices.ContainsFunc(out, isSame) {
				out = append(out, f)
			}
		}
	}
	if e.code == hostroute.CodeRoutesIgnored {
		out = nil
	}
	return orAdvice(e.code, out)
}

// orAdvice returns the fixes of a code, and what its rule advises if there are none.
func orAdvice(code hostroute.Code, fixes []hostroute.Fix) []hostroute.Fix {
	switch {
	case len(fixes) > 0:
		return fixes
	case code == hostroute.CodeConflict:
		return []hostroute.Fix{twice}
	}
	return []hostroute.Fix{{Message: advice(code)}}
}

// twice is the fix of a conflict that has none of its own: what is in force is from the same subnet.
var twice = hostroute.Fix{Message: "put the NICs of each instance on different subnets: with two on this one, the guest gets the host route twice"}

// least returns the place of the first fix that moves nothing, else of the one that moves data in the fewest instances. None
// is less than a fix of which nothing is known.
func least(fixes []fix) int {
	best := 0
	for i, f := range fixes {
		if f.impact.None() {
			return i
		}
		if f.impact != nil && fixes[best].impact != nil && affected(f.impact) < affected(fixes[best].impact) {
			best = i
		}
	}
	return best
}

// affected returns in how many instances data moves, may move, or meets a new error.
func affected(impact *audit.Impact) int {
	n := impact.Moved + impact.Uncertain
	for _, o := range newErrors(impact) {
		n += o.Instances
	}
	return n
}

// newErrors returns the findings of severity error that edits bring.
func newErrors(impact *audit.Impact) []audit.Occurrence {
	var out []audit.Occurrence
	for _, o := range impact.New {
		if o.Finding.Severity == hostroute.SeverityError {
			out = append(out, o)
		}
	}
	return out
}

// impact returns what edits do to all instances; nil if there are none, or if nothing is known. If nothing moves, that is all
// it says.
func (c *cloud) impact(edits []hostroute.Edit) *audit.Impact {
	switch {
	case len(edits) == 0 || !c.knowsInstances():
		return nil
	case c.movesNothing(edits):
		return new(audit.Impact)
	}
	impact, err := c.audit.Impact(edits...)
	if err != nil {
		return nil // not for host routes of the cloud
	}
	return impact
}

// movesNothing reports whether the impact of edits is None, which takes less time.
func (c *cloud) movesNothing(edits []hostroute.Edit) bool {
	if len(edits) == 0 || !c.knowsInstances() {
		return false
	}
	still, err := c.audit.MovesNothing(edits...)
	return still && err == nil
}

// harmless reports whether a fix moves nothing, for sure, and brings no new error in any instance.
func (c *cloud) harmless(f fix) bool { return f.impact.None() && c.condition(f.Edits) == "" }

// condition returns on what it depends whether edits are harmless, because too little is known; "" if on nothing.
func (c *cloud) condition(edits []hostroute.Edit) string {
	for _, e := range edits {
		if c.unsure[e.Subnet] != "" {
			return c.unsure[e.Subnet]
		}
	}
	return ""
}

// canRemove reports whether nothing moves for sure if an entry's host routes are removed.
func (p *printer) canRemove(e *entry, removal []hostroute.Edit) bool {
	if len(removal) == 1 {
		return e.routes[0].Removable
	}
	return p.unsure[e.subnet] == "" && p.impact(removal).None()
}

// printFixes prints fixes to choose from.
func (p *printer) printFixes(e *entry, fixes []fix) {
	label := "fix:"
	for _, f := range fixes {
		p.printFix(label, e, f)
		label = "or:"
	}
}

// printFix prints a fix with its effect and, if it moves nothing, its commands.
func (p *printer) printFix(label string, e *entry, f fix) {
	what := oneLine(f.Message)
	if len(f.Edits) > 0 {
		what = p.what(e, f.Edits)
	}
	effect, harmless := p.effect(e, f), p.harmless(f)
	if harmless && isRemoval(f.Edits) {
		effect += e.mayWork()
	}
	switch {
	case f.goes && !harmless:
		effect = ": moves no data as a part of CAN GO, which has the command"
	case f.goes:
		effect += "; CAN GO has the command"
	case f.alone:
		effect += "; do it alone"
	}
	p.line(4, "%s %s%s", label, what, effect)
	p.allMoves(f.impact)
	misspelt := slices.IndexFunc(f.Edits, func(e hostroute.Edit) bool { return p.misspelt[e.Subnet] != nil })
	switch {
	case len(f.Edits) == 0 || f.goes:
	case harmless:
		p.commands(6, p.editCommands(f.Edits)...)
	case misspelt >= 0:
		p.line(6, "no command before the list of %s is rewritten", p.label(f.Edits[misspelt].Subnet))
	case p.opt.unsafe:
		p.line(6, "# %s:", warning(f.impact))
		p.commands(6, p.editCommands(f.Edits)...)
	default:
		p.hidden = true
	}
}

// mayWork says which host routes of an entry may work once something else is mended.
func (e *entry) mayWork() string {
	var wanted []*hostRoute
	for _, r := range e.routes {
		if r.wanted {
			wanted = append(wanted, r)
		}
	}
	which := "the host routes"
	switch {
	case len(wanted) == 0:
		return ""
	case len(wanted) < len(e.routes):
		which = routesText(wanted)
	case len(wanted) == 1:
		which = "the host route"
	}
	but := " (but "
	if e.code == hostroute.CodeNoLease {
		but += "the NIC still gets no lease, and "
	}
	return but + which + " may work once " + string(wanted[0].code) + " is fixed)"
}

// warning says in a word what commands do that are not harmless.
func warning(impact *audit.Impact) string {
	switch {
	case impact != nil && impact.Moved > 0:
		return "moves data"
	case impact == nil || impact.None() || impact.Uncertain > 0:
		return "may move data"
	}
	return "brings errors"
}

// what says what edits do, for an entry.
func (p *printer) what(e *entry, edits []hostroute.Edit) string {
	var others []hostroute.HostRoute
	var from []string
	for _, edit := range edits {
		isSubject := edit.Subnet == e.subnet && slices.ContainsFunc(e.routes, func(r *hostRoute) bool { return r.HostRoute == edit.Old })
		switch {
		case edit.Old == (hostroute.HostRoute{}):
			return "move the host route to " + p.place(edit.Subnet)
		case addsSome(edit):
			var parts []string
			if edit.New.NextHop != edit.Old.NextHop {
				parts = append(parts, "next hop "+edit.New.NextHop.String())
			}
			if edit.New.Destination != edit.Old.Destination {
				parts = append(parts, "destination "+edit.New.Destination.String())
			}
			return strings.Join(parts, ", ")
		case isSubject: // and those that Neutron writes the same
			return "remove"
		}
		others = append(others, edit.Old)
		if name := p.place(edit.Subnet); !slices.Contains(from, name) {
			from = append(from, name)
		}
	}
	text := "remove " + destinations(others[:1])
	if more := len(others) - 1; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text + " from " + some(from, maxNames)
}

// withoutEdits says of a fix that edits no host route what to type, and how to see what it moves.
func (p *printer) withoutEdits(code hostroute.Code) string {
	const inACopy = "change a copy of SUBNETS: report -before SUBNETS,PORTS COPY PORTS"
	switch {
	case code == hostroute.CodeRoutesIgnored || !ofSubnet[code] || !p.knowsInstances():
		return "no command; what it moves is not known"
	case code == hostroute.CodeNoLease:
		return "hostroute/CODES.md has a command. To see first what it moves, " + inACopy
	}
	return "no command. To see what it moves, " + inACopy
}

// effect says whom a fix of an entry moves.
func (p *printer) effect(e *entry, f fix) string {
	impact := f.impact
	switch {
	case len(f.Edits) == 0:
		return " (" + p.withoutEdits(e.code) + ")"
	case impact == nil:
		return ": what it moves is not known"
	case impact.None():
		if condition := p.condition(f.Edits); condition != "" {
			return ": moves nothing " + condition
		}
		return ": moves no data"
	case impact.Moved > 0:
		text := fmt.Sprintf(": moves data of %d of %s", impact.Moved, count(impact.Touched, "instance"))
		if impact.Uncertain > 0 {
			text += fmt.Sprintf(", perhaps %d more", impact.Uncertain)
		}
		return text + ": " + p.moveText(impact.Moves)
	case impact.Uncertain > 0:
		text := fmt.Sprintf(": may move data of %d of %s", impact.Uncertain, count(impact.Touched, "instance"))
		if len(newErrors(impact)) > 0 { // the example could be an instance with one of these
			return text
		}
		example := impact.Examples[0]
		if moves := p.possible(f.Edits, example); moves != "" {
			return text + ": for example " + moves + ", in " + quoted(example)
		}
		return text + ", e.g. " + quoted(example)
	}
	o := newErrors(impact)[0] // or it were None
	return fmt.Sprintf(": moves nothing, but brings %s in %s", o.Finding.Code, count(o.Instances, "instance"))
}

// possible says what edits may move in an instance, and under which guest; "" if that is not known.
func (c *cloud) possible(edits []hostroute.Edit, name string) string {
	in, err := c.find(name)
	if err != nil {
		return ""
	}
	edited, err := in.Apply(edits...)
	if err != nil {
		return ""
	}
	how, _ := c.mayMove(*in, edited)
	return how
}

// allMoves prints with -unsafe the moves of which [printer.moveText] names the first. As comments, they can be pasted with commands.
func (p *printer) allMoves(impact *audit.Impact) {
	if impact == nil || len(impact.Moves) < 2 || !p.opt.unsafe {
		return
	}
	for _, m := range impact.Moves {
		p.line(6, "# %s", shellQuote(p.moveLine(m))) // for shells that take a comment for a command
	}
}

// moveText returns "11.12.0.0/16 front -> back (and 2 other moves; -unsafe lists all), e.g. in NAME".
func (p *printer) moveText(moves []audit.Move) string {
	m := moves[0]
	text := p.moved(m)
	if others := len(moves) - 1; others > 0 {
		text += " (and " + plural(others, "other move", "other moves")
		if !p.opt.unsafe {
			text += "; -unsafe lists all"
		}
		text += ")"
	}
	return text + ", e.g. in " + quoted(m.Examples[0])
}

// moveLine returns "11.12.0.0/16 front -> back in 2 instances, e.g. NAME".
func (p *printer) moveLine(m audit.Move) string {
	return fmt.Sprintf("%s in %s, e.g. %s", p.moved(m), count(m.Instances, "instance"), quoted(m.Examples[0]))
}

// moved returns "11.12.0.0/16 front -> back".
func (c *cloud) moved(m audit.Move) string {
	text := prefixesText(m.Destinations)
	if !slices.ContainsFunc(m.Destinations, func(d netip.Prefix) bool { return !c.isGateway(d) }) {
		text += " (only a gateway's own address)"
	}
	return text + " " + c.nicLabel(m.From) + " -> " + c.nicLabel(m.To)
}

// isGateway reports whether a prefix is the gateway of a subnet and no other address.
func (c *cloud) isGateway(d netip.Prefix) bool {
	isOf := func(s *hostroute.Subnet) bool { return s.Gateway == d.Addr() }
	return d.IsSingleIP() && slices.ContainsFunc(c.Subnets, isOf)
}

// prefixesText names three prefixes at most.
func prefixesText(list []netip.Prefix) string {
	if len(list) > maxPrefixes {
		return strconv.Itoa(len(list)) + " prefixes"
	}
	return strings.Join(each(list, netip.Prefix.String), ", ")
}

// misspelling reports whether a code is the decoder's.
func misspelling(code hostroute.Code) bool { return code == neutron.CodeNetmaskSpelling }

// misspelling prints what is wrong with a subnet's list, and the command that writes all of it as it is understood.
func (p *printer) misspelling(e *entry) {
	p.line(4, "%s", p.usersText(e.subnet))
	p.accepted(e)
	list := p.misspelt[e.subnet]
	for _, f := range list[:min(len(list), maxDestinations)] {
		p.line(4, "%s", oneLine(f.Message))
	}
	if more := len(list) - maxDestinations; more > 0 {
		p.line(4, "and %d more", more)
	}
	note := "That can move data, and how much is not known: guests that get none of the host routes today will get all of them"
	if p.knowsInstances() && len(p.users[e.subnet]) == 0 && p.unsure[e.subnet] == "" {
		note = "That moves no data: no instance is on the subnet"
	}
	p.line(4, "fix: rewrite the list with prefix lengths, then run this again. %s", note)
	p.commands(6, neutron.ReplaceCommand(p.subnets[e.subnet]))
}
