package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// What a second worker gains.

// workersGC is the GOGC of these measurements. With the default of 100, the collector of one worker takes most of the
// second processor.
const workersGC = 400

// machine measures how much a second processor gains for a loop that needs no memory: no program gains more.
func machine(rounds int) {
	ratio, _ := fastest(rounds,
		func() (float64, error) { return float64(spinning(1)), nil },
		func() (float64, error) { return float64(spinning(2)), nil })
	fmt.Printf("| elapsed, a loop without memory, one worker | two workers | %.2f |\n", ratio)
}

// spinning returns how long some workers take for an equal part of a loop each.
func spinning(workers int) time.Duration {
	start := time.Now()
	results := make([]uint64, workers)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			x := uint64(i + 1)
			for range 100_000_000 / workers {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
			}
			results[i] = x
		})
	}
	group.Wait()
	runtime.KeepAlive(results)
	return time.Since(start)
}

// workers measures one worker beside two and a Merge, and Analyze alone in the same way.
func workers(rounds int, d *deployment) error {
	defer debug.SetGCPercent(debug.SetGCPercent(workersGC))
	instances := d.instances(0, d.n)
	run := func(workers int, do func(*audit.Audit, hostroute.Instance) error) func() (float64, error) {
		return func() (float64, error) { return elapsed(instances, workers, do) }
	}
	analyze := func(_ *audit.Audit, in hostroute.Instance) error {
		_, err := hostroute.Analyze(in)
		return err
	}
	for _, m := range []struct {
		one, two string
		do       func(*audit.Audit, hostroute.Instance) error
	}{
		{"one worker", "two workers and a Merge", (*audit.Audit).Add},
		{"Analyze of each, one worker", "two workers", analyze},
	} {
		ratio, err := fastest(rounds, run(1, m.do), run(2, m.do))
		if err != nil {
			return err
		}
		fmt.Printf("| elapsed, %s, %s | %s | %.2f |\n", d.shape, m.one, m.two, ratio)
	}
	return nil
}

// elapsed returns how long some workers take for an equal part of the instances each, and to merge their audits.
func elapsed(instances []hostroute.Instance, workers int, do func(*audit.Audit, hostroute.Instance) error) (float64, error) {
	runtime.GC()
	start := time.Now()
	audits, errs := make([]audit.Audit, workers), make([]error, workers)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			for _, in := range instances[i*len(instances)/workers : (i+1)*len(instances)/workers] {
				if errs[i] == nil {
					errs[i] = do(&audits[i], in)
				}
			}
		})
	}
	group.Wait()
	for i := range workers {
		if errs[i] == nil && i > 0 {
			errs[i] = audits[0].Merge(&audits[i])
		}
	}
	return float64(time.Since(start)), errors.Join(errs...)
}

// fastest calls a and b in turn, and returns the ratio of the lowest results. Whatever else uses a processor makes only
// the others higher.
func fastest(rounds int, a, b func() (float64, error)) (float64, error) {
	as, bs, err := inTurn(rounds, a, b)
	if err != nil {
		return 0, err
	}
	return as[0] / bs[0], nil
}
