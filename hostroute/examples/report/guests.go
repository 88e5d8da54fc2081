package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
)

// What the DHCP clients of guests make of one instance.

// parseGuest returns the guest of a name. If there is none, the error names all.
func parseGuest(name string) (hostroute.Guest, error) {
	guest := hostroute.Guest(name)
	if !slices.Contains(hostroute.Guests(), guest) {
		return "", fmt.Errorf("it is one of %s", guestNames(hostroute.Guests()))
	}
	return guest, nil
}

func guestNames(guests []hostroute.Guest) string {
	var names []string
	for _, guest := range guests {
		names = append(names, string(guest))
	}
	return strings.Join(names, ", ")
}

// keepOne returns the one of the fixes of [hostroute.CodeMultipleDefaults] that is for a guest. Before a colon, a message names the
// clients that it is for.
func keepOne(guest hostroute.Guest, fixes []hostroute.Fix) hostroute.Fix {
	how := string(guest) + ": on the other NICs, do not request option 3, the router" // the library has none for udhcpc
	for _, f := range fixes {
		clients, _, hasClients := strings.Cut(f.Message, ": ")
		if !hasClients {
			return f
		}
		if strings.Contains(clients, string(guest)) {
			how = f.Message
		}
	}
	return hostroute.Fix{Message: "have the guest keep one default route. " + how + ", see hostroute/CODES.md"}
}

// guests prints by which NIC data leaves where guests differ: a row a destination, a column a guest. As in verdicts,
// udhcpc counts only if it is the instance's guest, because no host route reaches it.
func (p *printer) guests(in *hostroute.Instance) error {
	guests := hostroute.Guests()
	if in.Guest != hostroute.GuestUdhcpc {
		guests = slices.DeleteFunc(guests, func(g hostroute.Guest) bool { return g == hostroute.GuestUdhcpc })
	}
	tables := make([]hostroute.Table, len(guests))
	for i, guest := range guests {
		other := *in
		other.Guest = guest
		report, err := hostroute.Analyze(other)
		if err != nil {
			return err
		}
		tables[i] = report.Table
	}

	p.paragraph("by which NIC data leaves, under each guest")
	rows, same := compareTables(tables)
	if len(rows) == 0 {
		p.line(2, "nothing differs: %s", guestNames(guests))
	} else {
		head := []string{"destination"}
		for _, guest := range guests {
			head = append(head, string(guest))
		}
		p.columns(append([][]string{head}, rows...))
		if len(same) > 0 {
			p.line(2, "the same under each: %s", some(same, maxDestinations))
		}
	}
	if len(guests) < len(hostroute.Guests()) {
		p.line(2, "not compared: %s, because no host route reaches it", hostroute.GuestUdhcpc)
	}
	return nil
}

// compareTables returns a row for each destination whose data may leave by another NIC under another guest: its name, and
// the NICs under each guest. It also returns the names of the other destinations that have a NIC of their own. A row is
// about the addresses that no longer destination contains.
func compareTables(tables []hostroute.Table) (rows [][]string, same []string) {
	all := make(map[netip.Prefix][]nicSet)
	var differing, equal []netip.Prefix
	for _, d := range allDestinations(tables) {
		sets := make([]nicSet, len(tables))
		row := []string{destinationName(d)}
		for i, table := range tables {
			sets[i] = egress(table, d)
			row = append(row, sets[i].String())
		}
		all[d] = sets
		differs := func(set nicSet) bool { return !slices.Equal(set, sets[0]) }
		isOpen := func(set nicSet) bool { return len(set) > 1 }
		switch {
		case slices.EqualFunc(sets, around(d, all), slices.Equal) && !slices.ContainsFunc(sets, isOpen):
			// The row of the shorter destination shows it. But what is open in both may be decided otherwise here.
		case slices.ContainsFunc(sets, differs):
			rows = append(rows, row)
			differing = append(differing, d)
		default:
			equal = append(equal, d)
		}
	}
	for _, d := range equal {
		name := destinationName(d)
		hasPart := func(longer netip.Prefix) bool { return d.Contains(longer.Addr()) && d.Bits() < longer.Bits() }
		if d.Bits() > 0 && slices.ContainsFunc(differing, hasPart) {
			name += " (except what is above)"
		}
		same = append(same, name)
	}
	return rows, same
}

// destinationName returns a destination as a table prints it.
func destinationName(d netip.Prefix) string {
	if d.Bits() == 0 && d.Addr().Is6() {
		return d.String()
	}
	name, _, _ := strings.Cut(hostroute.Route{Destination: d}.String(), " ")
	return name
}

// allDestinations returns the destinations of tables, a shorter one before those that it contains.
func allDestinations(tables []hostroute.Table) []netip.Prefix {
	var out []netip.Prefix
	for _, route := range slices.Concat(tables...) {
		out = append(out, route.Destination)
	}
	slices.SortFunc(out, comparePrefixes)
	return slices.Compact(out)
}

// around returns the NICs of the longest other destination that contains d.
func around(d netip.Prefix, all map[netip.Prefix][]nicSet) []nicSet {
	for bits := d.Bits() - 1; bits >= 0; bits-- {
		shorter, _ := d.Addr().Prefix(bits) // it never fails
		if sets, found := all[shorter]; found {
			return sets
		}
	}
	return nil
}

// A nicSet has the NICs by which data may leave. It is empty where there is no route.
type nicSet []string

// String returns "eth0", "eth0 or eth1" or "no route".
func (s nicSet) String() string {
	return cmp.Or(strings.Join(each(s, quoted), " or "), "no route")
}

// egress returns the NICs by which data may leave to the addresses of d that no longer destination contains.
func egress(table hostroute.Table, d netip.Prefix) nicSet {
	var routes []hostroute.Route
	for _, r := range table {
		if r.Destination.Contains(d.Addr()) && r.Destination.Bits() <= d.Bits() {
			routes = append(routes, r)
		}
	}
	if len(routes) == 0 {
		return nil
	}
	compare := func(a, b hostroute.Route) int {
		return cmp.Or(cmp.Compare(b.Destination.Bits(), a.Destination.Bits()), cmp.Compare(a.Metric, b.Metric))
	}
	slices.SortStableFunc(routes, compare)
	first := routes[0]
	set := nicSet{first.NIC}
	for _, r := range routes[1:] {
		if first.Open && compare(first, r) == 0 && !slices.Contains(set, r.NIC) {
			set = append(set, r.NIC)
		}
	}
	return set
}

// openNote names the destinations whose NIC is open.
func (p *printer) openNote(table hostroute.Table) {
	var names []string
	for _, d := range allDestinations([]hostroute.Table{table}) {
		if set := egress(table, d); len(set) > 1 {
			names = append(names, destinationName(d)+" by "+set.String())
		}
	}
	if len(names) > 0 {
		p.line(2, "The order of the leases decides: %s. Below, the first counts.", some(names, maxDestinations))
	}
}

// columns prints rows of equal length in columns.
func (p *printer) columns(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		p.line(2, "%s", strings.TrimRight(line, " "))
	}
}

// differing counts the instances in which the verdict on a host route differs, by the guests under which it does.
func (c *cloud) differing(r *hostRoute) map[hostroute.Guest]int {
	out := make(map[hostroute.Guest]int)
	for _, in := range c.Instances {
		isIts := func(s *hostroute.Subnet) bool { return s.ID == r.Subnet }
		if !slices.ContainsFunc(subnetsOf(&in), isIts) {
			continue
		}
		report, err := hostroute.Analyze(in)
		if err != nil {
			continue // add would have returned it
		}
		var guests []hostroute.Guest
		for _, v := range report.Verdicts {
			if v.Subject.Subnet == r.Subnet && v.Subject.HostRoute == r.HostRoute {
				guests = append(guests, v.Guests...)
			}
		}
		slices.Sort(guests)
		for _, guest := range slices.Compact(guests) {
			out[guest]++
		}
	}
	return out
}
