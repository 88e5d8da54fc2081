package main

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// audits measures package audit on deployments of n instances, and on some of 10 n and n/10.
func audits(rounds, n int) error {
	fmt.Printf("\nAudits of %d instances\n\n| what | beside | ratio |\n|---|---|---|\n", n)
	for _, shape := range []deployShape{uniform, tenants, roles, halved} {
		if err := newAndKnown(rounds, newDeployment(shape, n, n/10)); err != nil {
			return err
		}
	}
	if err := workers(rounds, n); err != nil {
		return err
	}
	if err := whole(rounds, newDeployment(roles, n, n/10)); err != nil {
		return err
	}
	if err := scale(rounds, n); err != nil {
		return err
	}
	return kept(newDeployment(roles, n, n/10))
}

// scale measures Add of 10 n instances beside n/10: on the same n/10 subnets, for the first time and then again; and on
// a tenth as many subnets as instances, so that there are a hundred times as many combinations, too.
func scale(rounds, n int) error {
	many, few := newDeployment(roles, 10*n, n/10), newDeployment(roles, n/10, n/10)
	if err := addingBeside(rounds, "", many, few, empty); err != nil {
		return err
	}
	known := map[*deployment]*audit.Audit{many: new(audit.Audit), few: new(audit.Audit)}
	for d, a := range known {
		if _, err := adding(a, d); err != nil {
			return err
		}
	}
	if err := addingBeside(rounds, ", known combinations", many, few, func(d *deployment) *audit.Audit { return known[d] }); err != nil {
		return err
	}
	return addingBeside(rounds, "", newDeployment(roles, 10*n, n), newDeployment(roles, n/10, n/100), empty)
}

func empty(*deployment) *audit.Audit { return new(audit.Audit) }

// addingBeside measures Add of each instance of two deployments to an audit.
func addingBeside(rounds int, which string, a, b *deployment, to func(*deployment) *audit.Audit) error {
	each := func(d *deployment) func() (float64, error) {
		return func() (float64, error) { return adding(to(d), d) }
	}
	ratio, err := medians(min(rounds, 3), each(a), each(b))
	if err != nil {
		return err
	}
	fmt.Printf("| Add, %s%s, each of %d instances on %d subnets | of %d on %d | %.2f |\n", a.shape, which, a.n, len(a.subnets), b.n, len(b.subnets), ratio)
	return nil
}

// whole measures to decode a deployment's documents and to audit it, beside json.Unmarshal of the documents.
func whole(rounds int, d *deployment) error {
	subnetsJSON, portsJSON := d.documents()
	ours := func() error {
		decoded, err := neutron.Decode(bytes.NewReader(subnetsJSON), bytes.NewReader(portsJSON))
		if err != nil {
			return err
		}
		if len(decoded.Instances) != d.n || len(decoded.Problems) > 0 {
			return fmt.Errorf("decoded %d instances, problems %v", len(decoded.Instances), decoded.Problems)
		}
		return addAll(new(audit.Audit), decoded.Instances)
	}
	if err := ours(); err != nil {
		return err
	}
	ratio, _ := compare(rounds, subject{func() { ours() }, 1}, unmarshalling(subnetsJSON, portsJSON))
	fmt.Printf("| Decode and audit of the whole, roles | json.Unmarshal into structs of the needed members | %.2f |\n", ratio)
	return nil
}

// newAndKnown measures Add where the combination is new and where it is known, beside Analyze.
func newAndKnown(rounds int, d *deployment) error {
	instances := d.instances(0, d.n)
	combinations := distinct(instances)
	each := func(list []hostroute.Instance, f func(hostroute.Instance) error) (float64, error) {
		runtime.GC()
		start := cpu()
		for _, in := range list {
			if err := f(in); err != nil {
				return 0, err
			}
		}
		return float64(cpu()-start) / float64(len(list)), nil
	}
	analyze := func() (float64, error) {
		return each(combinations, func(in hostroute.Instance) error { _, err := hostroute.Analyze(in); return err })
	}
	ratio, err := medians(rounds, func() (float64, error) { return each(combinations, new(audit.Audit).Add) }, analyze)
	if err != nil {
		return err
	}
	fmt.Printf("| Add, %s, %d new combinations | Analyze | %.2f |\n", d.shape, len(combinations), ratio)

	var known audit.Audit
	if err := addAll(&known, instances); err != nil {
		return err
	}
	var before, after runtime.MemStats
	ratio, err = medians(rounds, func() (float64, error) {
		runtime.ReadMemStats(&before)
		t, err := each(instances, known.Add)
		runtime.ReadMemStats(&after)
		return t, err
	}, analyze)
	if err != nil {
		return err
	}
	allocs := float64(after.Mallocs-before.Mallocs) / float64(len(instances))
	fmt.Printf("| Add, %s, known combinations, %.2f allocations | Analyze | %.3f |\n", d.shape, allocs, ratio)
	return nil
}

// adding returns the processor time of one Add in nanoseconds. It makes the instances a few at a time.
func adding(a *audit.Audit, d *deployment) (float64, error) {
	const some = 10_000
	runtime.GC()
	var sum time.Duration
	for from := 0; from < d.n; from += some {
		instances := d.instances(from, min(from+some, d.n))
		start := cpu()
		if err := addAll(a, instances); err != nil {
			return 0, err
		}
		sum += cpu() - start
	}
	return float64(sum) / float64(d.n), nil
}

// distinct returns one instance of each combination of subnets and default.
func distinct(instances []hostroute.Instance) []hostroute.Instance {
	seen := make(map[string]bool)
	var out []hostroute.Instance
	for _, in := range instances {
		key := in.DefaultNIC
		for _, n := range in.NICs {
			key += " " + n.Subnets[0].ID
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, in)
		}
	}
	return out
}

// kept prints the memory after adding a deployment, and after adding ten times as many instances of its combinations.
func kept(d *deployment) error {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	start := heap()
	a := new(audit.Audit)
	if _, err := adding(a, d); err != nil {
		return err
	}
	once := heap() - start
	const some = 10_000
	for i := range 9 {
		for from := 0; from < d.n; from += some {
			instances := d.instances(from, min(from+some, d.n))
			for k := range instances {
				instances[k].Name = fmt.Sprintf("%d%s", i, instances[k].Name)
			}
			if err := addAll(a, instances); err != nil {
				return err
			}
		}
	}
	often := heap() - start
	runtime.KeepAlive(a)
	fmt.Printf("| memory, roles, %d instances on %d subnets: %d kB | %d instances: %d kB | %.2f |\n",
		10*d.n, len(d.subnets), often>>10, d.n, once>>10, float64(often)/float64(once))
	return nil
}

func addAll(a *audit.Audit, instances []hostroute.Instance) error {
	for _, in := range instances {
		if err := a.Add(in); err != nil {
			return err
		}
	}
	return nil
}

// medians calls a and b in turn, and returns the ratio of the medians.
func medians(rounds int, a, b func() (float64, error)) (float64, error) {
	var as, bs []float64
	for range rounds {
		x, err := a()
		if err != nil {
			return 0, err
		}
		y, err := b()
		if err != nil {
			return 0, err
		}
		as, bs = append(as, x), append(bs, y)
	}
	slices.Sort(as)
	slices.Sort(bs)
	return as[rounds/2] / bs[rounds/2], nil
}

// cpu returns the processor time that the process has used, the garbage collector's included.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
