// Command bench measures hostroute beside its peers, interleaved in one run, and prints a table of
// ratios: go -C hostroute/internal/bench run .
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 9, "rounds; the table has their medians")
	most := flag.Int("n", 100_000, "routes of the largest table")
	subnets := flag.Int("subnets", 5000, "subnets to decode")
	ports := flag.Int("ports", 60_000, "ports to decode")
	instances := flag.Int("instances", 100_000, "instances of an audited deployment")
	flag.Parse()
	if err := run(*rounds, *most, *subnets, *ports, *instances); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds, most, subnets, ports, instances int) error {
	fmt.Print("Exact effect of every route of a table, ratio of the cost per route\n\n" +
		"| family | prefixes | routes | to sorting them | to deciding it with bart | allocations |\n|---|---|---|---|---|---|\n")
	for _, family := range []family{ipv4, ipv6} {
		for _, shape := range []shape{realistic, clustered} {
			for _, n := range []int{20, 1000, 100_000} {
				if n > most {
					break
				}
				if err := effects(rounds, n, family, shape); err != nil {
					return err
				}
			}
		}
	}
	fmt.Print("\n| what | beside | ratio | allocations |\n|---|---|---|---|\n")
	if err := analyses(rounds); err != nil {
		return err
	}
	if err := decoding(rounds, subnets, ports); err != nil {
		return err
	}
	return audits(rounds, instances)
}

// A subject is a thing to measure: f does it per times.
type subject struct {
	f   func()
	per int
}

// compare measures a beside b, round by round, and returns the ratio of their
// medians, and the allocations of one call of a.
func compare(rounds int, a, b subject) (ratio float64, allocs uint64) {
	na, nb := enough(a), enough(b)
	var as, bs []float64
	for range rounds {
		as = append(as, measure(a, na))
		bs = append(bs, measure(b, nb))
	}
	slices.Sort(as)
	slices.Sort(bs)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a.f()
	runtime.ReadMemStats(&after)
	return as[rounds/2] / bs[rounds/2], after.Mallocs - before.Mallocs
}

// measure returns the nanoseconds of one of the things that s does.
func measure(s subject, times int) float64 {
	start := time.Now()
	for range times {
		s.f()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(times) / float64(s.per)
}

// enough returns how often to call s for some milliseconds.
func enough(s subject) int {
	for n := 1; ; n *= 2 {
		if start := time.Now(); measure(s, n)*float64(n*s.per) > 4e6 || time.Since(start) > time.Second {
			return n
		}
	}
}

func row(what, beside string, ratio float64, allocs uint64) {
	fmt.Printf("| %s | %s | %.2f | %d |\n", what, beside, ratio, allocs)
}
