package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// A deployShape says which subnets the instances of a deployment are on.
type deployShape string

const (
	uniform deployShape = "uniform" // any
	tenants deployShape = "tenants" // any of a tenant's 20
	roles   deployShape = "roles"   // those of one of a tenant's 8 roles
	halved  deployShape = "halved"  // half of them as in uniform, half as in roles
)

const (
	subnetsOfTenant = 20
	rolesOfTenant   = 8
)

// A deployment is n instances of 2 to 4 NICs, on a tenth as many subnets with 0 to 20 host routes. The instances of
// a tenant follow each other.
type deployment struct {
	shape   deployShape
	n       int
	subnets []*hostroute.Subnet
	roles   [][]*hostroute.Subnet // eight of each tenant
}

func newDeployment(shape deployShape, n int) *deployment {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	d := &deployment{shape: shape, n: n}
	for i := range max(n/10/subnetsOfTenant, 1) * subnetsOfTenant {
		d.subnets = append(d.subnets, someSubnet(r, i))
	}
	for tenant := range len(d.subnets) / subnetsOfTenant {
		for range rolesOfTenant {
			d.roles = append(d.roles, choose(r, d.ofTenant(tenant)))
		}
	}
	return d
}

func (d *deployment) ofTenant(tenant int) []*hostroute.Subnet {
	return d.subnets[tenant*subnetsOfTenant:][:subnetsOfTenant]
}

// instances returns a part of the deployment. The deployment does not keep it.
func (d *deployment) instances(from, to int) []hostroute.Instance {
	var out []hostroute.Instance
	for i := from; i < to; i++ {
		r := rand.New(rand.NewPCG(4, uint64(i)))
		tenant := i * (len(d.subnets) / subnetsOfTenant) / d.n
		var on []*hostroute.Subnet
		switch {
		case d.shape == uniform, d.shape == halved && i%2 == 0:
			on = choose(r, d.subnets)
		case d.shape == tenants:
			on = choose(r, d.ofTenant(tenant))
		default:
			on = d.roles[tenant*rolesOfTenant+r.IntN(rolesOfTenant)]
		}
		out = append(out, instanceOn(r, i, on))
	}
	return out
}

func choose(r *rand.Rand, subnets []*hostroute.Subnet) []*hostroute.Subnet {
	var out []*hostroute.Subnet
	for n := 2 + r.IntN(3); len(out) < n; {
		if s := subnets[r.IntN(len(subnets))]; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func instanceOn(r *rand.Rand, i int, subnets []*hostroute.Subnet) hostroute.Instance {
	in := hostroute.Instance{Name: fmt.Sprintf("%08x-0000-4000-8000-%012d", r.Uint32(), i)}
	for k, s := range subnets {
		a := s.CIDR.Addr().As4()
		a[3] = byte(20 + r.IntN(200))
		in.NICs = append(in.NICs, hostroute.NIC{
			ID:      fmt.Sprintf("%08x-0000-4000-9000-%012d", r.Uint32(), i),
			Name:    fmt.Sprintf("eth%d", k),
			Addrs:   []netip.Addr{netip.AddrFrom4(a)},
			Subnets: []*hostroute.Subnet{s},
		})
	}
	if r.IntN(2) == 0 {
		in.DefaultNIC = "eth0"
	}
	return in
}

// someSubnet returns a subnet of 24 bits. One in ten of its host routes has a next hop that is not the gateway.
func someSubnet(r *rand.Rand, i int) *hostroute.Subnet {
	network := func(first byte, number int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{first + byte(number>>16), byte(number >> 8), byte(number), 0}), 24)
	}
	s := &hostroute.Subnet{ID: fmt.Sprintf("%08x-0000-4000-a000-%012d", r.Uint32(), i), CIDR: network(10, i)}
	s.Gateway = s.CIDR.Addr().Next()
	for range r.IntN(21) {
		route := hostroute.HostRoute{Destination: network(40, r.IntN(1<<12)), NextHop: s.Gateway}
		if r.IntN(10) == 0 {
			route.NextHop = route.NextHop.Next()
		}
		s.HostRoutes = append(s.HostRoutes, route)
	}
	return s
}

// audits measures package audit on deployments of n instances, and on some of 10 n and n/10.
func audits(rounds, n int) error {
	fmt.Printf("\nAudits of %d instances\n\n| what | beside | ratio |\n|---|---|---|\n", n)
	for _, shape := range []deployShape{uniform, tenants, roles, halved} {
		if err := newAndKnown(rounds, newDeployment(shape, n)); err != nil {
			return err
		}
	}
	for _, shape := range []deployShape{uniform, roles} {
		if err := workers(rounds, newDeployment(shape, n)); err != nil {
			return err
		}
	}
	if err := whole(rounds, newDeployment(roles, n)); err != nil {
		return err
	}
	many, few := newDeployment(roles, 10*n), newDeployment(roles, n/10)
	ratio, err := medians(min(rounds, 3),
		func() (float64, error) { t, _, err := addingAll(many); return t, err },
		func() (float64, error) { t, _, err := addingAll(few); return t, err })
	if err != nil {
		return err
	}
	fmt.Printf("| Add, roles, each of %d instances | of %d | %.2f |\n", many.n, few.n, ratio)
	return kept(newDeployment(roles, n))
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

// documents returns what GET /v2.0/subnets and GET /v2.0/ports return for the deployment.
func (d *deployment) documents() (subnetsJSON, portsJSON []byte) {
	s, p := bytes.NewBufferString(`{"subnets": [`), bytes.NewBufferString(`{"ports": [`)
	for i, subnet := range d.subnets {
		var routes []string
		for _, r := range subnet.HostRoutes {
			routes = append(routes, fmt.Sprintf(`{"destination": "%v", "nexthop": "%v"}`, r.Destination, r.NextHop))
		}
		fmt.Fprintf(s, subnetFormat, separator(i), subnet.ID, "network of "+subnet.ID, subnet.Gateway.Next(), subnet.Gateway.Next(),
			strings.Join(routes, ", "), subnet.Gateway, subnet.CIDR.Addr(), "project")
	}
	ports := 0
	for i, in := range d.instances(0, d.n) {
		for _, n := range in.NICs {
			id := n.Subnets[0].ID
			fmt.Fprintf(p, portFormat, separator(ports), fmt.Sprintf("%s-%d", n.ID, ports), "network of "+id, "project", ports>>8&0xff, ports&0xff, id, n.Addrs[0], in.Name, i%500)
			ports++
		}
	}
	s.WriteString("]}")
	p.WriteString("]}")
	return s.Bytes(), p.Bytes()
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

// workers measures one worker beside two and a Merge. How much two can gain at most depends on the machine and on
// the collector, which runs beside even one worker: so Analyze alone is measured in the same way.
func workers(rounds int, d *deployment) error {
	instances := d.instances(0, d.n)
	analyze := func(workers int) func() (float64, error) {
		return func() (float64, error) {
			return elapsed(instances, workers, func(_ *audit.Audit, in hostroute.Instance) error {
				_, err := hostroute.Analyze(in)
				return err
			})
		}
	}
	add := func(workers int) func() (float64, error) {
		return func() (float64, error) { return elapsed(instances, workers, (*audit.Audit).Add) }
	}
	ratio, err := medians(rounds, add(1), add(2))
	if err != nil {
		return err
	}
	fmt.Printf("| elapsed, %s, one worker | two workers and a Merge | %.2f |\n", d.shape, ratio)
	ratio, err = medians(rounds, func() (float64, error) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		return add(1)()
	}, add(2))
	if err != nil {
		return err
	}
	fmt.Printf("| elapsed, %s, one worker on one processor | two workers and a Merge | %.2f |\n", d.shape, ratio)
	ratio, err = medians(rounds, analyze(1), analyze(2))
	fmt.Printf("| elapsed, %s, Analyze of each, one worker | two workers | %.2f |\n", d.shape, ratio)
	return err
}

// addingAll returns the processor time of one Add in nanoseconds, and the audit. It makes the instances a few at a time.
func addingAll(d *deployment) (float64, *audit.Audit, error) {
	const some = 10_000
	runtime.GC()
	a := new(audit.Audit)
	var sum time.Duration
	for from := 0; from < d.n; from += some {
		instances := d.instances(from, min(from+some, d.n))
		start := cpu()
		if err := addAll(a, instances); err != nil {
			return 0, nil, err
		}
		sum += cpu() - start
	}
	return float64(sum) / float64(d.n), a, nil
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
	_, a, err := addingAll(d)
	if err != nil {
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
