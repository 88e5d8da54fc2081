package audit

import (
	"slices"

	"example.com/go-hostroute/hostroute"
)

// What an analysis says about host routes, small enough to be kept for every combination.

// A mark is a set of bits about one host route: what verdicts and findings say about it, on whatever NIC.
type mark struct {
	codes   uint64 // numbered as in codes
	effects uint8  // numbered as in effects
	classes uint8  // numbered as in classes
	flags   uint8
}

const (
	moves        uint8 = 1 << iota // the verdict is that it steers
	steers                         // and it does so in every guest
	depends                        // whether it steers depends on the guest; never set with steers
	inconsistent                   // the next hop does not stand for the hypervisor
)

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
	codes, codeNumbers, severities = catalogue()
)

func catalogue() (codes []hostroute.Code, numbers map[hostroute.Code]int, severities map[hostroute.Code]hostroute.Severity) {
	numbers, severities = make(map[hostroute.Code]int), make(map[hostroute.Code]hostroute.Severity)
	for i, r := range hostroute.Rules() {
		codes = append(codes, r.Code)
		numbers[r.Code], severities[r.Code] = i, r.Severity
	}
	return codes, numbers, severities
}

// newMarks returns a mark for each host route of the subnets, in their order. The report is about an instance with so
// many NICs.
func newMarks(subnets []*subnet, report *hostroute.Report, nics int) []mark {
	number := make(map[hostroute.Ref]int)
	for _, s := range subnets {
		for _, r := range s.HostRoutes {
			number[hostroute.Ref{Subnet: s.ID, HostRoute: r}] = len(number)
		}
	}
	marks := make([]mark, len(number))
	certain := nics == 1 && slices.ContainsFunc(report.Table, func(r hostroute.Route) bool {
		return r.Destination.Bits() == 0 && r.Destination.Addr().Is4()
	})
	for i := range report.Verdicts {
		v := &report.Verdicts[i]
		if n, found := number[withoutNIC(v.Subject)]; found {
			marks[n].add(v, certain)
		}
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		if n, found := number[withoutNIC(f.Subject)]; found {
			marks[n].codes |= 1 << codeNumbers[f.Code]
		}
	}
	return marks
}

func withoutNIC(r hostroute.Ref) hostroute.Ref {
	r.Instance, r.NIC = "", ""
	return r
}

// add adds a verdict. It is certain if all guests send everything by one NIC.
func (m *mark) add(v *hostroute.Verdict, certain bool) {
	m.effects |= 1 << slices.Index(effects, v.Effect)
	m.classes |= 1 << slices.Index(classes, v.Class)
	if v.Cause != "" {
		m.codes |= 1 << codeNumbers[v.Cause]
	}
	if !v.Consistent() {
		m.flags |= inconsistent
	}
	if v.Effective() {
		m.flags |= moves
	}
	if v.GuestDependent && !certain {
		m.flags |= depends
	} else if v.Effective() {
		m.flags |= steers
	}
	if m.flags&steers != 0 {
		m.flags &^= depends
	}
}
