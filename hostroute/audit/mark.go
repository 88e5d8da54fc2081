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
	steers       = iota // it steers in every guest
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

// effectBit returns the number of an effect's bit.
func effectBit(e hostroute.Effect) int { return firstEffect + slices.Index(effects, e) }

// newMarks returns a mark for each host route of each of the subnets. The report is about an instance on these subnets, with
// these NICs.
func newMarks(subnets []*subnet, report *hostroute.Report, nics []hostroute.NIC) [][]mark {
	marks := make([][]mark, len(subnets))
	for i, s := range subnets {
		marks[i] = make([]mark, len(s.HostRoutes))
	}
	last := make([]int, len(subnets)) // the host route that was found last: a report has them in order
	// markOf returns the mark of a host route; nil for a manual route, and for what is no route.
	markOf := func(r *hostroute.Ref) *mark {
		i := slices.IndexFunc(subnets, func(s *subnet) bool { return s.ID == r.Subnet })
		if i < 0 {
			return nil
		}
		routes := subnets[i].HostRoutes
		for range routes {
			if routes[last[i]] == r.HostRoute {
				return &marks[i][last[i]]
			}
			last[i] = (last[i] + 1) % len(routes)
		}
		return nil
	}
	certain := hasOneWay(nics, report)
	for i := range report.Verdicts {
		v := &report.Verdicts[i]
		if m := markOf(&v.Subject); m != nil {
			m.add(v, certain)
		}
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if m := markOf(&f.Subject); m != nil {
			m.set(codeBits[f.Code])
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

// add adds a verdict. Certain says that every guest sends everything by one NIC.
func (m *mark) add(v *hostroute.Verdict, certain bool) {
	m.set(effectBit(v.Effect))
	m.set(firstClass + slices.Index(classes, v.Class))
	if v.Cause != "" {
		m.set(codeBits[v.Cause])
	}
	if !v.Consistent() {
		m.set(inconsistent)
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
