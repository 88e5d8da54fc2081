package hostroute

import "slices"

// A Report is the result of [Analyze] for one instance. It is plain data. To compare two reports, use
// cmp.Diff with cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}).
type Report struct {
	Instance string `json:"instance"`
	Table    Table  `json:"table"`
	// Verdicts are in the order of the NICs; for each NIC, of its subnets and their host routes,
	// then of its manual routes. None is left out. For equal NICs, they are on the same subjects under every guest.
	Verdicts []Verdict `json:"verdicts"`
	// Findings about the instance come first, then those in the order of NICs, subnets and host
	// routes. At one place they are sorted by code.
	Findings []Finding `json:"findings"`
}

// Worst returns the highest severity of the findings. It returns 0 if there is none, and for a nil
// Report.
func (r *Report) Worst() (worst Severity) {
	if r == nil {
		return 0
	}
	for i := range r.Findings {
		worst = max(worst, r.Findings[i].Severity)
	}
	return worst
}

// Analyze computes the routing table that an instance gets, the verdict on each of its host routes
// and manual routes, and what is wrong with them. The error joins an [InputError] for every value
// that neither Neutron nor a guest could hold, or that does not fit the others; then there is no
// report. What a person can configure wrongly is a finding instead.
//
// It takes O(n log n) for n routes. If m on-link routes make the next hops of other routes acceptable, it
// takes O(m n log n). If DefaultNIC is empty, all is done again for each of the first eight default routes that
// are offered; and if guests may differ on a route, for up to four other guests with each of these, and twice more if an offer
// is so long that two guests can lose it. NICs and their subnets are compared in pairs.
func Analyze(in Instance) (*Report, error) {
	in, err := input(in)
	if err != nil {
		return nil, err
	}
	a := analysisOf(fibOf(in))
	return &Report{in.Name, tableOf(a.fib), a.verdicts, findings(a)}, nil
}

// AnalyzeSubnet returns what can be said about a subnet when no instance is known, as in a plan
// that is not applied. It assumes that the guest is GuestDhclient and reads no config drive, and that
// the NIC has no siblings. It does not know the gateways of other NICs. For it, such a next hop is off-link, and the
// message mentions that case. It says nothing about effects, other NICs, or host routes in each other's way. Its codes are
// no-lease, dhcp-disabled, ipv6-not-offered, default-dropped, option-overflow, loopback-destination,
// too-many-routes, host-bits, next-hop-not-gateway, next-hop-off-link, next-hop-on-link and next-hop-unusable.
// Findings about the subnet come first, then those about each host route in turn. Each of these groups is sorted by code.
//
// A planned subnet may have any text as its ID, such as its resource's address; messages and edits
// then use that. Errors are those of [Analyze], with paths such as CIDR.
func AnalyzeSubnet(s *Subnet) ([]Finding, error) {
	if s == nil {
		return nil, &InputError{"Subnet", errNil}
	}
	s, wrong := inputSubnet(s)
	if len(wrong) > 0 {
		return nil, wrong.join()
	}
	return findings(analysisOf(fibOf(Instance{NICs: []NIC{{Subnets: []*Subnet{s}}}}))), nil
}

// An analysis holds the results of all stages for a prepared instance.
type analysis struct {
	*outcomes
	judged   []judged
	verdicts []Verdict // of judged
}

// fibOf returns what a prepared instance installs.
func fibOf(in Instance) *fib {
	isDefault := func(n NIC) bool { return in.DefaultNIC != "" && n.Name == in.DefaultNIC }
	keeps := int32(slices.IndexFunc(in.NICs, isDefault)) + 1 // 0: none
	return fibUnder(in, clientOf(in.Guest), defaults{keeps, keeps})
}

func analysisOf(f *fib) *analysis {
	var kept []*outcomes // with each default that the guest may keep
	list := choices(f.guest)
	for _, keeps := range list[:min(len(list), maxCompared)] {
		kept = append(kept, outcomesOf(f.with(f.client, keeps)))
	}
	o := outcomesOf(f)
	return judge(o, kept, underGuests(o, kept))
}

// A comparison has the outcomes under the instance's own guest, and those under another one that keeps the same default. For the own
// guest both are the same.
type comparison struct {
	guest      Guest
	own, other *outcomes
}

// underGuests returns a comparison with each guest, for each IPv4 default that it may keep; nil where guests cannot differ.
func underGuests(o *outcomes, kept []*outcomes) (under []comparison) {
	if !mayDiffer(o.fib) {
		return nil
	}
	own := slices.DeleteFunc(slices.Clone(kept), func(k *outcomes) bool { return k.defaults[0] == 0 })
	if len(own) == 0 {
		own = append(own, o)
	}
	for _, k := range own {
		under = append(under, comparison{o.client.guest, k, k})
	}
	for _, c := range o.others() {
		f := o.fib
		for _, k := range own {
			f = f.with(c, k.defaults) // which shares the guest of the one before, if it can
			under = append(under, comparison{c.guest, k, outcomesOf(f)})
		}
	}
	return under
}
