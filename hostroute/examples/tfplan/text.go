package main

// This file writes a result as text.

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
)

// text returns one finding a line with its fixes below, then what was not checked, then a summary.
func (r *result) text() []byte {
	out := new(bytes.Buffer)
	number := make(map[hostroute.Severity]int)
	fixes := false
	for _, f := range r.findings {
		number[f.Severity]++
		fmt.Fprintf(out, "%v: %v\n", f.Severity, f)
		for _, fix := range f.Fixes {
			fmt.Fprintf(out, "    fix: %s\n", fix.Message)
			fixes = true
		}
	}
	for _, n := range r.unchecked {
		fmt.Fprintf(out, "not checked: %v\n", n)
	}
	for _, n := range r.invalid {
		fmt.Fprintf(out, "invalid: %v\n", n)
	}
	for _, remark := range r.remarks() {
		fmt.Fprintln(out, remark)
	}
	fmt.Fprintf(out, "%s with %s checked: %s, %s, %d info\n", count(r.subnets, "subnet"), count(r.routes, "host route"),
		count(number[hostroute.SeverityError], "error"), count(number[hostroute.SeverityWarning], "warning"), number[hostroute.SeverityInfo])
	if fixes {
		out.WriteString(noInstances + "\n")
	}
	return out.Bytes()
}

const noInstances = "A plan names no instance, so it is not known whose data a fix moves."

// remarks returns what limits the result as a whole.
func (r *result) remarks() (list []string) {
	if r.partial {
		list = append(list, "partial: the plan is not complete, as with -target: nothing that it leaves out was checked")
	}
	if r.assumed > 0 {
		list = append(list, "assumed: for "+count(r.assumed, "host route")+", that the subnet's key is the one named beside it, such as each.key, that an unknown condition chooses the subnet, or that a next_hop which refers to a gateway is that gateway")
	}
	return list
}

// String returns "ADDRESS: 11.11.0.0/16,10.65.0.77: MESSAGE (code)".
func (f finding) String() string {
	text := f.address
	if f.attribute != "" {
		text += "." + f.attribute
	}
	text = oneLine(text) + ": "
	if route := f.Subject.HostRoute.String(); route != "" {
		text += route + ": "
	}
	return text + f.Message + " (" + string(f.Code) + ")"
}

func (n note) String() string { return oneLine(n.address) + ": " + oneLine(n.text) }

// oneLine returns a text that is safe to print. If any of its characters is not printable, all of it is quoted.
func oneLine(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	return strconv.Quote(text)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}
