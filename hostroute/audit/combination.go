package audit

import (
	"cmp"
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/canon"
)

// Instances that agree in everything that an analysis depends on are analysed once.

// A combination represents all instances with one key. It has one of them, what was found out about it, and their number.
type combination struct {
	key      string
	instance hostroute.Instance // without its name
	subnets  []*subnet          // each once
	marks    [][]mark           // for each host route of each of subnets
	count    int                // instances
	names    []string           // the smallest of their names
}

// maxExamples is how many names are kept.
const maxExamples = 3

func (c *combination) add(count int, names ...string) {
	c.count += count
	c.names = addNames(c.names, names...)
}

// addNames returns a sorted list of the smallest names with others among them, each once. It does not change the list that it
// is given: combinations share theirs.
func addNames(list []string, names ...string) []string {
	for _, name := range names {
		if at, found := slices.BinarySearch(list, name); !found && at < maxExamples {
			list = slices.Insert(slices.Clip(list), at, name)
			list = list[:min(len(list), maxExamples)]
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

// byName sorts combinations by their smallest name.
func byName(combinations iter.Seq[*combination]) []*combination {
	return slices.SortedFunc(combinations, func(c, o *combination) int {
		return cmp.Or(cmp.Compare(c.names[0], o.names[0]), cmp.Compare(c.key, o.key))
	})
}

// combinationKey returns bytes that are equal for instances with the same combination, in a buffer that the
// next call overwrites. It returns false if a subnet is not known, or if something is wrong that the bytes do
// not show. Whatever they show was correct when the combination was added.
func (a *Audit) combinationKey(in *hostroute.Instance) ([]byte, bool) {
	valid := true
	b := appendText(a.buffer[:0], in.DefaultNIC)
	b = appendText(b, string(in.Guest))
	if in.ConfigDrive {
		b = append(b, 1)
	}
	for i := range in.NICs {
		n := &in.NICs[i]
		b = append(b, 'n')
		b = appendText(b, n.Name)
		for _, s := range n.Subnets {
			if s == nil {
				return nil, false
			}
			known := a.subnets[s.ID]
			if known == nil || !known.equals(s) {
				return nil, false
			}
			b = append(b, 's')
			b = appendText(b, s.ID)
		}
		for _, p := range n.Siblings {
			b = appendPrefix(append(b, 'i'), canon.Prefix(p))
		}
		for _, r := range n.ManualRoutes {
			b = appendPrefix(append(b, 'm'), canon.Prefix(r.Destination))
			b = appendAddr(b, canon.Addr(r.NextHop))
			valid = valid && r.NextHop.Zone() == ""
		}
		for _, address := range n.Addrs {
			address = canon.Addr(address)
			valid = valid && contains(n.Subnets, address) && address.Zone() == ""
			if a.matters(address, n) {
				b = appendAddr(append(b, 'a'), address)
			}
		}
	}
	a.buffer = b
	return b, valid
}

// matters reports whether a NIC's own address is a gateway, a next hop, or the first address of a destination. An
// analysis ignores others. The NIC's subnets must be known.
func (a *Audit) matters(address netip.Addr, n *hostroute.NIC) bool {
	return slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return a.subnets[s.ID].matters(address) }) ||
		slices.ContainsFunc(n.ManualRoutes, func(r hostroute.HostRoute) bool { return canon.Addr(r.NextHop) == address })
}

// contains reports whether an address is in one of some subnets.
func contains(subnets []*hostroute.Subnet, a netip.Addr) bool {
	return slices.ContainsFunc(subnets, func(s *hostroute.Subnet) bool { return canon.Prefix(s.CIDR).Contains(a) })
}

// mayOwn reports whether edits bring an address that may be a NIC's own in some instance of the combination, and that is not kept.
func (a *Audit) mayOwn(c *combination, edits []hostroute.Edit) bool {
	for _, e := range edits {
		if e.New == (hostroute.HostRoute{}) {
			continue
		}
		for i := range c.instance.NICs {
			n := &c.instance.NICs[i]
			if !slices.ContainsFunc(n.Subnets, func(s *hostroute.Subnet) bool { return s.ID == e.Subnet }) {
				continue
			}
			for _, brought := range []netip.Addr{canon.Addr(e.New.NextHop), canon.Prefix(e.New.Destination).Masked().Addr()} {
				if contains(n.Subnets, brought) && !a.matters(brought, n) {
					return true
				}
			}
		}
	}
	return false
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

// newCombination returns the combination of an instance, without marks and instances. All subnets of the instance must be
// known. The combination shares no slice with it, and has the audit's own subnets.
func (a *Audit) newCombination(key string, in hostroute.Instance) *combination {
	in.Name, in.NICs = "", slices.Clone(in.NICs)
	c := &combination{key: key, instance: in}
	for i := range in.NICs {
		n := &in.NICs[i]
		n.ID = ""
		n.Siblings, n.ManualRoutes = slices.Clone(n.Siblings), slices.Clone(n.ManualRoutes)
		n.Subnets = slices.Clone(n.Subnets)
		for j, given := range n.Subnets {
			s := a.subnets[given.ID]
			n.Subnets[j] = s.Subnet
			if !slices.Contains(c.subnets, s) {
				c.subnets = append(c.subnets, s)
			}
		}
		given := n.Addrs
		n.Addrs = nil
		for _, address := range given {
			if a.matters(canon.Addr(address), n) {
				n.Addrs = append(n.Addrs, address)
			}
		}
	}
	return c
}

// use puts a new combination into the audit, and among the users of its subnets.
func (a *Audit) use(c *combination) {
	a.combinations[c.key] = c
	for _, s := range c.subnets {
		s.users = append(s.users, c)
	}
}
