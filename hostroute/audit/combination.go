package audit

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// Instances that agree in everything that an analysis depends on are one combination.

type combination struct {
	key      string
	instance hostroute.Instance // without its name; its subnets are those of the audit
	facts    []*fact            // what its analysis said
	count    int                // instances
	names    []string           // the smallest of their names
}

// maxExamples is how many names are kept.
const maxExamples = 3

func (c *combination) add(count int, names ...string) {
	c.count += count
	c.names = addNames(c.names, names...)
}

// addNames inserts names into a sorted list of the smallest ones, each once.
func addNames(list []string, names ...string) []string {
	for _, name := range names {
		if len(list) == maxExamples && name >= list[maxExamples-1] {
			continue
		}
		if at, found := slices.BinarySearch(list, name); !found {
			list = slices.Insert(list[:min(len(list), maxExamples-1)], at, name)
		}
	}
	return list
}

// named returns the instance under the smallest name.
func (c *combination) named() hostroute.Instance {
	in := c.instance
	in.Name = c.names[0]
	return in
}

// less orders combinations by their smallest name.
func (c *combination) less(o *combination) bool {
	return c.names[0] < o.names[0] || c.names[0] == o.names[0] && c.key < o.key
}

// A counter counts the instances of combinations, those of each combination once.
type counter struct {
	n    int
	last *combination // combinations are counted one after the other
}

func (n *counter) add(c *combination) {
	if n.last != c {
		n.n += c.count
		n.last = c
	}
}

// combinationKey returns an instance's combination as bytes, in a buffer that the next call overwrites. It returns false if
// a subnet is new or an address is wrong; [hostroute.Analyze] has checked all else when the combination was new.
func (a *Audit) combinationKey(in *hostroute.Instance) ([]byte, bool) {
	b, valid := appendText(a.buffer[:0], in.DefaultNIC), true
	if in.ConfigDrive {
		b = append(b, 1)
	}
	for i := range in.NICs {
		n := &in.NICs[i]
		b = append(b, 'n')
		b = appendText(b, n.Name)
		subnets := a.subnetsOfNIC[:0]
		for _, s := range n.Subnets {
			if s == nil || a.subnets[s.ID] == nil || !a.subnets[s.ID].equals(s) {
				return nil, false
			}
			subnets = append(subnets, a.subnets[s.ID])
			b = append(b, 's')
			b = appendText(b, s.ID)
		}
		a.subnetsOfNIC = subnets
		for _, p := range n.Siblings {
			b = appendPrefix(append(b, 'i'), unmapPrefix(p))
		}
		for _, r := range n.ManualRoutes {
			b = appendPrefix(append(b, 'm'), unmapPrefix(r.Destination))
			b = appendAddr(b, unmapAddr(r.NextHop))
			valid = valid && r.NextHop.Zone() == ""
		}
		for _, address := range n.Addrs {
			address = unmapAddr(address)
			valid = valid && address.Zone() == "" && slices.ContainsFunc(subnets, func(s *subnet) bool { return s.CIDR.Contains(address) })
			if matters(address, n, subnets) {
				b = appendAddr(append(b, 'a'), address)
			}
		}
	}
	a.buffer = b
	return b, valid
}

// matters says whether a NIC's own address can change a verdict: whether it is a gateway or a next hop.
func matters(address netip.Addr, n *hostroute.NIC, subnets []*subnet) bool {
	for _, s := range subnets {
		if _, found := slices.BinarySearchFunc(s.hops, address, netip.Addr.Compare); found {
			return true
		}
	}
	return slices.ContainsFunc(n.ManualRoutes, func(r hostroute.HostRoute) bool { return unmapAddr(r.NextHop) == address })
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	b, _ = a.AppendBinary(append(b, byte(a.BitLen()))) // it never fails
	return b
}

func appendPrefix(b []byte, p netip.Prefix) []byte {
	return append(appendAddr(b, p.Addr()), byte(p.Bits()))
}

// newCombination copies what an analysis sees of an instance. It takes the audit's subnets, which it must have.
func (a *Audit) newCombination(key string, in *hostroute.Instance) *combination {
	c := &combination{key: key, names: make([]string, 0, maxExamples)}
	c.instance = hostroute.Instance{DefaultNIC: in.DefaultNIC, ConfigDrive: in.ConfigDrive}
	for i := range in.NICs {
		n := &in.NICs[i]
		nic := hostroute.NIC{Name: n.Name, Siblings: slices.Clone(n.Siblings), ManualRoutes: slices.Clone(n.ManualRoutes)}
		var subnets []*subnet
		for _, given := range n.Subnets {
			s := a.subnets[given.ID]
			subnets = append(subnets, s)
			nic.Subnets = append(nic.Subnets, s.Subnet)
			if len(s.users) == 0 || s.users[len(s.users)-1] != c {
				s.users = append(s.users, c)
			}
		}
		for _, address := range n.Addrs {
			if matters(unmapAddr(address), n, subnets) {
				nic.Addrs = append(nic.Addrs, address)
			}
		}
		c.instance.NICs = append(c.instance.NICs, nic)
	}
	a.combinations[key] = c
	return c
}
