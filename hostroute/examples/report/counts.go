package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// In how many instances a host route does what.

// counted returns the counts of an entry with an example.
func (p *printer) counted(e *entry) string {
	r := e.routes[0]
	if r.Instances == 0 {
		return p.instances(0) + p.butLeftOut(e.subnet)
	}
	example := quoted(p.example(e))
	if n := r.with(e.code); n > 0 && n < r.Instances && rules[e.code].Severity >= hostroute.SeverityWarning {
		return r.counts() + "; the finding is in " + strconv.Itoa(n) + ", e.g. " + example
	}
	return r.counts() + "; e.g. " + example
}

// instances returns "5 instances".
func (c *cloud) instances(n int) string {
	switch {
	case !c.knowsInstances():
		return "no instance is known"
	case n == 0:
		return "no instance"
	}
	return count(n, "instance")
}

// butLeftOut names the ports on a subnet that are left out.
func (c *cloud) butLeftOut(subnet string) string {
	ids := each(c.left[subnet], quoted)
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return ", but port " + ids[0] + " is left out"
	}
	return ", but ports " + some(ids, maxNames) + " are left out"
}

// usersText returns "5 instances; e.g. NAME" for those on a subnet.
func (c *cloud) usersText(subnet string) string {
	names := c.users[subnet]
	if len(names) == 0 {
		return c.instances(0)
	}
	return count(len(names), "instance") + "; e.g. " + quoted(slices.Min(names))
}

// example returns an instance with the entry's finding.
func (p *printer) example(e *entry) string {
	isProblem := rules[e.code].Severity >= hostroute.SeverityWarning // else an instance in which it steers tells more
	for _, o := range p.matching(e) {
		if isProblem && len(o.Examples) > 0 {
			return o.Examples[0]
		}
	}
	if e.code == hostroute.CodeSecondIPv4Subnet { // which is of a NIC
		var names []string
		for _, in := range p.Instances {
			if slices.ContainsFunc(in.NICs, func(n hostroute.NIC) bool { return hasSecondSubnet(n, e.subnet) }) {
				names = append(names, in.Name)
			}
		}
		return slices.Min(names)
	}
	return e.routes[0].Examples[0]
}

// hasSecondSubnet reports whether a NIC is on a subnet and on more than one of IPv4.
func hasSecondSubnet(n hostroute.NIC, subnet string) bool {
	isOn, ipv4 := false, 0
	for _, s := range n.Subnets {
		isOn = isOn || s.ID == subnet
		if isIPv4(s) {
			ipv4++
		}
	}
	return isOn && ipv4 > 1
}

// A share is the instances in which a host route does something.
type share struct {
	does string
	n    int
}

// counts returns in how many instances the host route does what. An instance in which it depends on the guest counts as that
// alone, if the Usage tells so much: its Effects are those with the assumed guest.
func (r *hostRoute) counts() string {
	head := count(r.Instances, "instance") + ": "
	if r.Effects[hostroute.EffectNotOffered] == r.Instances {
		return head + "never arrives"
	}
	shares := []share{{"steers", r.Effective}, {"depends on the guest", r.Depends}}
	rest := []share{
		{"refused", r.Effects[hostroute.EffectRefused]},
		{"never arrives", r.Effects[hostroute.EffectNotOffered]},
		{"does nothing", r.Effects[hostroute.EffectShadowed] + r.Effects[hostroute.EffectSingleNIC] + r.Effects[hostroute.EffectRedundant]},
	}
	rest = slices.DeleteFunc(rest, func(s share) bool { return s.n == 0 })
	sum := 0
	for _, s := range rest {
		sum += s.n
	}
	left := r.Instances - r.Effective - r.Depends // it steers in none of these, whatever the guest
	switch {
	case left == 0:
		rest = nil
	case r.Depends == 0 || sum == left:
	case len(rest) == 1:
		rest[0].n = left
	default:
		now := share{"steers", r.Effects[hostroute.EffectSteers]}
		shares = append(shares, share{"never steers", left})
		return head + r.sharesText(shares) + "; if guests are as assumed: " + r.sharesText(append([]share{now}, rest...))
	}
	return head + r.sharesText(append(shares, rest...))
}

// sharesText returns "steers in 1, depends on the guest in 2"; one of them alone if it is all.
func (r *hostRoute) sharesText(shares []share) string {
	var parts []string
	for _, s := range shares {
		if s.n == r.Instances {
			return s.does
		}
		if s.n > 0 {
			parts = append(parts, s.does+" in "+strconv.Itoa(s.n))
		}
	}
	return strings.Join(parts, ", ")
}

// countsText returns "off-link in 3, own-gateway in 1", the largest first.
func countsText[K ~string](counts map[K]int) string {
	var parts []string
	for _, key := range largestFirst(counts) {
		parts = append(parts, string(key)+" in "+strconv.Itoa(counts[key]))
	}
	return strings.Join(parts, ", ")
}

func largestFirst[K ~string](counts map[K]int) []K {
	return slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
