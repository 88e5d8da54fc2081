package audit_test

import (
	"fmt"
	"log"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// Two web servers and a database share the subnet back. On the database's only NIC, no host route is of any use, and
// the report about it says so. But the web servers need one of them.
func Example() {
	shared := back("11.11.0.0/16,11.8.0.1", "11.8.0.0/25,11.8.0.1", "11.12.0.0/16,11.8.0.77")
	var a audit.Audit
	for _, in := range []hostroute.Instance{
		instance("web-1", front(), shared),
		instance("web-2", front(), shared),
		instance("db-1", shared),
	} {
		if err := a.Add(in); err != nil {
			log.Fatal(err)
		}
	}

	for u := range a.Usages() {
		fmt.Printf("%v: steers in %d of %d; removable: %v\n", u.HostRoute, u.Effective, u.Instances, u.Removable)
	}

	fmt.Println("\nWhat is wrong?")
	for o := range a.Findings() {
		if o.Finding.Severity < hostroute.SeverityWarning {
			continue
		}
		fmt.Printf("%s in %d instances, such as %s\n", o.Finding.Code, o.Instances, o.Examples[0])
		for _, fix := range o.Fixes {
			impact, err := a.Impact(fix.Edits...)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("  fix:", fix.Message)
			fmt.Printf("    moves data of %d instances\n", impact.Moved)
			for _, m := range impact.Moves {
				fmt.Printf("    %v: %s -> %s\n", m.Destinations, m.From, m.To)
			}
		}
	}

	fmt.Println("\nWhat can go?")
	for _, e := range a.RemovableTogether() {
		fmt.Println(e.Old)
	}
	// Output:
	// 11.12.0.0/16,11.8.0.77: steers in 2 of 3; removable: false
	// 11.8.0.0/25,11.8.0.1: steers in 0 of 3; removable: true
	// 11.11.0.0/16,11.8.0.1: steers in 2 of 3; removable: false
	//
	// What is wrong?
	// next-hop-not-gateway in 3 instances, such as db-1
	//   fix: set the next hop to 11.8.0.1, the gateway of subnet back; no host route can send data through another machine under Calico
	//     moves data of 0 instances
	//   fix: remove the host route, if no other instance on the subnet needs it
	//     moves data of 2 instances
	//     [11.12.0.0/16]: back -> front
	//
	// What can go?
	// 11.8.0.0/25,11.8.0.1
}

// Workers read parts of a deployment. Their audits are merged, and a later one is compared.
func ExampleCompare() {
	var monday, tuesday audit.Audit
	for i := range 3 {
		var worker audit.Audit
		if err := worker.Add(instance(fmt.Sprintf("web-%d", i), front(), back("11.11.0.0/16,11.8.0.1", "11.12.0.0/16,11.8.0.1"))); err != nil {
			log.Fatal(err)
		}
		if err := monday.Merge(&worker); err != nil {
			log.Fatal(err)
		}
	}
	if err := tuesday.Add(instance("web-1", front(), back("11.11.0.0/16,11.8.0.77", "11.12.0.0/16,11.8.0.1"))); err != nil {
		log.Fatal(err)
	}
	c := audit.Compare(&monday, &tuesday)
	for _, u := range c.Usages {
		switch {
		case u.Before.Subnet == "":
			fmt.Println("came:", u.After.HostRoute)
		case u.After.Subnet == "":
			fmt.Println("went:", u.Before.HostRoute)
		default:
			fmt.Printf("%v: in %d instances, now in %d\n", u.After.HostRoute, u.Before.Instances, u.After.Instances)
		}
	}
	for _, f := range c.Findings {
		fmt.Printf("%s: in %d instances, now in %d\n", max(f.Before.Finding.Code, f.After.Finding.Code), f.Before.Instances, f.After.Instances)
	}
	// Output:
	// went: 11.11.0.0/16,11.8.0.1
	// came: 11.11.0.0/16,11.8.0.77
	// 11.12.0.0/16,11.8.0.1: in 3 instances, now in 1
	// next-hop-not-gateway: in 0 instances, now in 1
}

// A host route and its two halves stand in for each other. Each can be removed, but not all of them.
func ExampleAudit_Together() {
	shared := back("11.11.0.0/16,11.8.0.1", "11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1")
	var a audit.Audit
	if err := a.Add(instance("web-1", front(), shared)); err != nil {
		log.Fatal(err)
	}
	var removals [][]hostroute.Edit
	for _, r := range shared.HostRoutes {
		removals = append(removals, []hostroute.Edit{{Subnet: "back", Old: r}})
	}
	for i, taken := range a.Together(removals...) {
		fmt.Printf("remove %v: %v\n", removals[i][0].Old, taken)
	}
	// Output:
	// remove 11.11.0.0/16,11.8.0.1: true
	// remove 11.11.0.0/17,11.8.0.1: false
	// remove 11.11.128.0/17,11.8.0.1: false
}
