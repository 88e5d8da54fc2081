package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
)

// What a second worker gains.

// A collector is a setting of the garbage collector.
type collector struct {
	name    string
	percent int   // GOGC; -1: off
	limit   int64 // GOMEMLIMIT, in bytes
}

// collectors are the settings of these measurements. With GOGC=100, the default, the collector uses so much of the second
// processor beside one worker that a second worker gains little.
var collectors = []collector{
	{"GOGC=400", 400, math.MaxInt64},
	{"GOGC=off GOMEMLIMIT=2GiB", -1, 2 << 30},
}

// A cost is what some workers take, in nanoseconds.
type cost struct {
	elapsed float64
	cpu     float64 // of all processors, the collector's included
}

// oneAndTwo measures one worker beside two. It returns the lowest costs of some rounds, because whatever else uses the
// machine makes costs only higher.
func oneAndTwo(rounds int, work func(workers int) error) (one, two cost, err error) {
	one = cost{math.Inf(1), math.Inf(1)}
	two = one
	for range rounds {
		for i, lowest := range []*cost{&one, &two} {
			runtime.GC()
			start, used := time.Now(), cpu()
			if err := work(i + 1); err != nil {
				return one, two, err
			}
			lowest.elapsed = min(lowest.elapsed, float64(time.Since(start)))
			lowest.cpu = min(lowest.cpu, float64(cpu()-used))
		}
	}
	return one, two, nil
}

// workers measures audits by one worker and by two, and in the same way Analyze alone, and a loop that needs no memory: on
// this machine, nothing gains more than that does.
func workers(rounds, n int) error {
	one, two, err := oneAndTwo(rounds, spin)
	if err != nil {
		return err
	}
	fmt.Printf("| elapsed, a loop without memory, one worker | two workers | %.2f |\n", one.elapsed/two.elapsed)

	for _, shape := range []deployShape{uniform, roles} {
		instances := newDeployment(shape, n, n/10).instances(0, n)
		for _, c := range collectors {
			if err := workersOn(rounds, fmt.Sprintf("%s, %s", shape, c.name), instances, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// workersOn measures them on some instances, with one setting of the collector.
func workersOn(rounds int, what string, instances []hostroute.Instance, c collector) error {
	defer debug.SetGCPercent(debug.SetGCPercent(c.percent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(c.limit))
	one, two, err := oneAndTwo(rounds, func(workers int) error { return analyzeAll(instances, workers) })
	if err != nil {
		return err
	}
	fmt.Printf("| elapsed, %s, Analyze of each, one worker | two workers | %.2f |\n", what, one.elapsed/two.elapsed)

	one, two, err = oneAndTwo(rounds, func(workers int) error { return auditAll(instances, workers) })
	if err != nil {
		return err
	}
	fmt.Printf("| elapsed, %s, one worker | two workers and a Merge | %.2f |\n", what, one.elapsed/two.elapsed)
	fmt.Printf("| processor time, %s, two workers and a Merge | one worker | %.2f |\n", what, two.cpu/one.cpu)
	return nil
}

// spin does the same work for any number of workers.
func spin(workers int) error {
	results := make([]uint64, workers)
	return share(100_000_000, workers, func(worker, from, to int) error {
		x := uint64(worker + 1)
		for range to - from {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		results[worker] = x
		return nil
	})
}

func analyzeAll(instances []hostroute.Instance, workers int) error {
	return share(len(instances), workers, func(_, from, to int) error {
		for _, in := range instances[from:to] {
			if _, err := hostroute.Analyze(in); err != nil {
				return err
			}
		}
		return nil
	})
}

func auditAll(instances []hostroute.Instance, workers int) error {
	audits := make([]audit.Audit, workers)
	err := share(len(instances), workers, func(worker, from, to int) error {
		return addAll(&audits[worker], instances[from:to])
	})
	for i := 1; i < workers && err == nil; i++ {
		err = audits[0].Merge(&audits[i])
	}
	return err
}

// share gives each worker an equal part of n things.
func share(n, workers int, do func(worker, from, to int) error) error {
	errs := make([]error, workers)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() { errs[i] = do(i, i*n/workers, (i+1)*n/workers) })
	}
	group.Wait()
	return errors.Join(errs...)
}
