package hostroute

// The rules about what an installed route changes.

var capturesSubnet = rule{
	code: CodeCapturesSubnet, severity: SeverityWarning,
	title: "route takes another NIC's subnet",
	when:  "A host route or sibling route takes addresses of another NIC's own subnet.",
	why: "These addresses are reached through the wrong NIC. The hypervisor's reverse path filter drops data that leaves there from the other NIC's " +
		"address.",
	remedy: "Remove the host route. A sibling route comes from the network, and no host route removes it: put the two NICs on networks whose subnets do " +
		"not overlap.",
	example:  func() Instance { return twoNICs(front("11.8.0.0/24,10.65.0.1"), back()) },
	siblings: true,
	applies: func(s *subject) bool {
		return s.route.tried && captured(s.guest, s.route.candidate) != nil && s.decides(s.route.candidate)
	},
	tell: func(s *subject, f *Finding) {
		c := s.route.candidate
		other := captured(s.guest, c)
		name, reaches := quoted(other.Name), "reaches"
		if isOpen(s.fib, c) { // the other NIC's own route may be in force
			reaches = "may reach"
		}
		f.Message = c.dest.prefix.String() + " is part of subnet " + other.ipv4.label() + " on " + name + ": the guest " + reaches + " these addresses through " +
			quoted(c.nic.Name) + ", and the hypervisor drops what leaves there from " + name + "'s address"
		f.Related = []Related{{Ref{s.Name, other.Name, other.ipv4.ID, HostRoute{}}, "has " + other.ipv4.CIDR.String()}}
		if c.hasVerdict() {
			f.Fixes = []Fix{s.remove()}
		}
	},
}

// captured returns another NIC whose subnet contains a candidate's destination; nil if there is none.
func captured(g *guest, c *candidate) *nic {
	d := c.dest.prefix
	for i := range g.nics {
		n := &g.nics[i]
		if n != c.nic && n.ipv4 != nil && n.ipv4.CIDR.Bits() <= d.Bits() && n.ipv4.CIDR.Contains(d.Addr()) {
			return n
		}
	}
	return nil
}

var singleNIC = rule{
	code: CodeSingleNIC, severity: SeverityInfo,
	title:   "host route with one NIC",
	when:    "The instance has one NIC, and the traffic of the route would leave by it anyway.",
	why:     "The route is unhelpful, though harmless.",
	remedy:  "Remove it, if no other instance on the subnet needs it.",
	example: func() Instance { return oneNIC(back("11.11.0.0/16,11.8.0.1")) },
	applies: func(s *subject) bool { return s.route.Effect == EffectSingleNIC },
	tell: func(s *subject, f *Finding) {
		f.Message = "there is one NIC, and the traffic would leave by it anyway"
		f.Fixes = []Fix{s.remove()}
	},
}

var redundant = rule{
	code: CodeRedundant, severity: SeverityInfo,
	title:   "route that changes nothing",
	when:    "The traffic of the route would leave by the same NIC without it.",
	why:     "The route is not needed on this instance.",
	remedy:  "Remove it, if no other instance on the subnet needs it.",
	example: func() Instance { return twoNICs(front(), back("11.8.0.128/25,11.8.0.1")) },
	applies: func(s *subject) bool { return s.route.Effect == EffectRedundant },
	tell: func(s *subject, f *Finding) {
		f.Message = "its traffic would leave by " + quoted(s.nic.Name) + " anyway"
		if !s.route.tried {
			f.Message = "the default route of subnet " + s.subnet.label() + " is offered in any case"
		}
		f.Fixes = []Fix{s.remove()}
	},
}

var shadowed = rule{
	code: CodeShadowed, severity: SeverityInfo,
	title:  "route that is never used",
	when:   "Longer or earlier routes cover every address of the destination. (If an equal route of another NIC is in force, that is a conflict.)",
	why:    "The route decides nothing on this instance.",
	remedy: "Remove it, if no other instance on the subnet needs it.",
	example: func() Instance {
		return twoNICs(front("11.11.0.0/16,10.65.0.1"), back("11.11.0.0/17,11.8.0.1", "11.11.128.0/17,11.8.0.1"))
	},
	applies: func(s *subject) bool { return s.route.Effect == EffectShadowed && !isContested(s) },
	tell: func(s *subject, f *Finding) {
		f.Message = "other routes cover every address of " + s.route.dest.prefix.String() + ": this one is never used"
		f.Fixes = []Fix{s.remove()}
	},
}
