package audit

import (
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// What an analysis says about host routes, in a form that is small enough to keep for every combination.

// A mark is a set of bits: what the verdicts and findings of an instance say about one host route.
type mark uint64

// The bits of a mark, by their numbers: its flags, then effects, classes and codes in the order of these lists.
const (
	moves        = iota // the verdict is that it steers
	steers              // and it does so in every guest
	depends             // whether it steers depends on the guest; never set with steers
	inconsistent        // the next hop does not stand for the hypervisor

	firstEffect
	firstClass = firstEffect + 6
	firstCode  = firstClass + 7
	maxBits    = 64
)

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// These lists do not change.
var (
	effects = []hostroute.Effect{
		hostroute.EffectNotOffered, hostroute.EffectRefused, hostroute.EffectSteers,
		hostroute.EffectShadowed, hostroute.EffectSingleNIC, hostroute.EffectRedundant,
	}
	classes = []hostroute.NextHopClass{
		hostroute.ClassOwnGateway, hostroute.ClassOnLink, hostroute.ClassUnusable, hostroute.ClassOwnAddress,
		hostroute.ClassOtherGateway, hostroute.ClassNotGateway, hostroute.ClassOffLink,
	}
	codes      []hostroute.Code
	codeBits   = make(map[hostroute.Code]int)
	severities = make(map[hostroute.Code]hostroute.Severity)
)

func init() {
	for i, r := range hostroute.Rules() {
		codes = append(codes, r.Code)
		codeBits[r.Code], severities[r.Code] = firstCode+i, r.Severity
	}
}

func (m mark) has(bit int) bool { return m&(1<<bit) != 0 }

func (m *mark) set(bit int) { *m |= 1 << bit }

// newMarks returns a mark for each host route of the subnets, in their order. The report is about an instance
// on these subnets, with these NICs.
func newMarks(subnets []*subnet, report *hostroute.Report, nics []hostroute.NIC) []mark {
	places, n := finder{subnets: subnets, first: make([]int, 0, len(subnets))}, 0
	for _, s := range subnets {
		places.first = append(places.first, n)
		n += len(s.HostRoutes)
	}
	marks := make([]mark, n)
	certain := hasOneWay(nics, report)
	for i := range report.Verdicts {
		v := &report.Verdicts[i]
		if at := places.find(&v.Subject); at >= 0 {
			marks[at].add(v, certain)
		}
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if at := places.find(&f.Subject); at >= 0 {
			marks[at].set(codeBits[f.Code])
		}
	}
	return marks
}

// hasOneWay reports whether everything leaves by one NIC, whatever the guest and the order of lists. It does if Linux takes the
// offered default route in any case, unless something may stay in the guest, or dhcpcd makes another route of the default.
func hasOneWay(nics []hostroute.NIC, report *hostroute.Report) bool {
	isSure := func(r hostroute.Route) bool {
		fromIt := func(s *hostroute.Subnet) bool {
			cidr := canon.Prefix(s.CIDR)
			return s.ID == r.Subnet && cidr.Contains(r.NextHop) && !cidr.IsSingleIP()
		}
		isOwn := func(a netip.Addr) bool { return canon.Addr(a) == r.NextHop }
		return r.Source == hostroute.SourceDefault && r.NextHop.Is4() && slices.ContainsFunc(nics[0].Subnets, fromIt) && !slices.ContainsFunc(nics[0].Addrs, isOwn)
	}
	staysInside := func(v hostroute.Verdict) bool { return v.Subject.HostRoute.NextHop == localhost } // under dhcpcd
	return len(nics) == 1 && slices.ContainsFunc(report.Table, isSure) && !slices.ContainsFunc(report.Verdicts, staysInside)
}

// A finder numbers the host routes of subnets. It is fast if they are asked for in order, as reports have them.
type finder struct {
	subnets []*subnet
	first   []int // number of each subnet's first host route
	s, i    int   // where the last one was found
}

// find returns the number of a host route; -1 if it is none of the subnets'.
func (f *finder) find(r *hostroute.Ref) int {
	if f.s >= len(f.subnets) || f.subnets[f.s].ID != r.Subnet {
		f.i = 0
		f.s = slices.IndexFunc(f.subnets, func(s *subnet) bool { return s.ID == r.Subnet })
		if f.s < 0 {
			f.s = len(f.subnets)
			return -1
		}
	}
	routes := f.subnets[f.s].HostRoutes
	i := slices.Index(routes[f.i:], r.HostRoute)
	if i < 0 {
		f.i = 0
		if i = slices.Index(routes, r.HostRoute); i < 0 {
			return -1
		}
	}
	f.i += i
	return f.first[f.s] + f.i
}

// add adds a verdict. Certain says that every guest sends everything by one NIC.
func (m *mark) add(v *hostroute.Verdict, certain bool) {
	m.set(firstEffect + slices.Index(effects, v.Effect))
	m.set(firstClass + slices.Index(classes, v.Class))
	if v.Cause != "" {
		m.set(codeBits[v.Cause])
	}
	if !v.Consistent() {
		m.set(inconsistent)
	}
	if v.Effective() {
		m.set(moves)
	}
	if v.GuestDependent && !certain {
		m.set(depends)
	} else if v.Effective() {
		m.set(steers)
	}
	if m.has(steers) {
		*m &^= 1 << depends
	}
}
