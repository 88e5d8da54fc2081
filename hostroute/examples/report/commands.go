package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// The commands of fixes, quoted for a shell.

// maxHostRoutes is Neutron's default limit for the list of a subnet.
const maxHostRoutes = 20

// editCommands returns the commands of edits. Additions come first.
func (c *cloud) editCommands(edits []hostroute.Edit) [][]string {
	var out [][]string
	var done []string
	for _, e := range edits {
		if s := c.subnets[e.Subnet]; s != nil && !slices.Contains(done, e.Subnet) {
			done = append(done, e.Subnet)
			out = append(out, neutron.EditCommands(s, edits...)...)
		}
	}
	return out
}

// commands prints the commands of a fix, quoted for a shell, one a line. They are joined by &&: if they are pasted together and
// one fails, the rest does not run. So comments come first: some shells take a comment that a person types for a command, and
// between two commands it would end the list. They have no character that a shell treats specially.
func (p *printer) commands(indent int, commands ...[]string) {
	for _, argv := range commands {
		p.wholeListNotes(indent, argv)
	}
	for i, argv := range commands {
		line := strings.Join(each(argv, shellQuote), " ")
		if i < len(commands)-1 {
			line += " &&"
		}
		p.line(indent, "%s", line)
	}
}

// wholeListNotes says of a command that it writes a whole list, because it undoes whatever else changes the subnet, such as the
// commands that are printed for other fixes.
func (p *printer) wholeListNotes(indent int, argv []string) {
	if !isWholeList(argv) {
		return
	}
	p.line(indent, "# This replaces the whole list%s. Fetch SUBNETS and run this again just before: host routes that were added in between would be lost.", p.whyWholeList(argv))
	n := 0
	for _, arg := range argv {
		if strings.HasPrefix(arg, "destination=") {
			n++
		}
	}
	if n > maxHostRoutes {
		p.line(indent, "# The list has %d host routes: by default, max_subnet_host_routes, Neutron refuses more than %d.", n, maxHostRoutes)
	}
}

// whyWholeList says why no command changes a part of the list; "" if the reason is the spelling of a destination. It has no
// character that a shell treats specially.
func (c *cloud) whyWholeList(argv []string) string {
	s := c.subnets[argv[len(argv)-1]]
	hasHostBits := func(r hostroute.HostRoute) bool { return r.Destination != r.Destination.Masked() }
	switch {
	case s == nil || c.misspelt[s.ID] != nil:
		return ""
	case slices.ContainsFunc(s.HostRoutes, hasHostBits):
		return ", because a destination has host bits"
	case s.DHCPDisabled || !isIPv4(s):
		return ", because it is not known how its destinations are spelled"
	}
	return ", because it has no room for one more host route"
}

// isWholeList reports whether a command writes the whole list of a subnet.
func isWholeList(argv []string) bool { return slices.Contains(argv, "--no-host-route") }

// shellQuote returns an argument as a shell reads it back. A line end or another character that is not printable makes it
// $'...', so that it stays on its line.
func shellQuote(arg string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_./:=,@+%", r)
	}
	isPath := strings.HasPrefix(arg, "=") // for zsh
	if arg != "" && !isPath && !strings.ContainsFunc(arg, func(r rune) bool { return !plain(r) }) {
		return arg
	}
	if !strings.ContainsFunc(arg, func(r rune) bool { return !strconv.IsPrint(r) }) && utf8.ValidString(arg) {
		return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(arg) {
		if plain(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteString("'")
	return b.String()
}
