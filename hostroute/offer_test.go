package hostroute_test

import (
	"net/netip"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/twin"
	"github.com/google/go-cmp/cmp"
)

func TestOfferAgreesWithTwin(t *testing.T) {
	random(t, 7, 5000, func(t testing.TB, in hostroute.Instance) bool {
		for _, n := range in.NICs {
			want, got := twin.Offer(n), n.Offer()
			if diff := cmp.Diff(want, got, equateNetip); diff != "" || (want == nil) != (got == nil) {
				t.Errorf("%s (-twin +got):\n%s%s", n.Name, diff, describe(in))
				return false
			}
		}
		return true
	})
}

func TestOffer(t *testing.T) {
	noGateway := subnet("a", "10.65.0.0/24", "", "11.11.0.0/16,10.65.0.1")
	outside := subnet("a", "10.65.0.0/24", "10.66.0.1", "11.11.0.0/16,10.65.0.1")
	disabled := subnet("a", "10.65.0.0/24", "10.65.0.1", "11.11.0.0/16,10.65.0.1")
	disabled.DHCPDisabled = true
	plain := subnet("b", "11.8.0.0/24", "11.8.0.1", "11.11.0.0/16,11.8.0.1")
	for name, c := range map[string]struct {
		nic  hostroute.NIC
		want []string
	}{
		"no subnet":                   {hostroute.NIC{}, nil},
		"no gateway, no lease":        {hostroute.NIC{Subnets: []*hostroute.Subnet{noGateway}, Siblings: prefixes("10.66.0.0/24")}, nil},
		"gateway outside, no lease":   {hostroute.NIC{Subnets: []*hostroute.Subnet{outside}}, nil},
		"no DHCP, no lease":           {hostroute.NIC{Subnets: []*hostroute.Subnet{disabled}}, nil},
		"IPv6":                        {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "2001:db8::/64", "2001:db8::1", "2001:db8:1::/48,2001:db8::1")}}, nil},
		"nothing but the default":     {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1")}}, []string{"0.0.0.0/0,10.65.0.1"}},
		"the last that can be leased": {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1"), plain, disabled}}, []string{"11.11.0.0/16,11.8.0.1", "0.0.0.0/0,11.8.0.1"}},
		"siblings first, the last first, without its own CIDR": {hostroute.NIC{Subnets: []*hostroute.Subnet{plain}, Siblings: prefixes("10.1.0.0/24", "11.8.0.0/24", "10.2.0.0/24")},
			[]string{"10.2.0.0/24,0.0.0.0", "10.1.0.0/24,0.0.0.0", "11.11.0.0/16,11.8.0.1", "0.0.0.0/0,11.8.0.1"}},
		"a default among the host routes is dropped": {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1", "0.0.0.0/0,10.65.0.7", "0.0.0.0/0,10.65.0.1", "0.0.0.0/1,10.65.0.1")}},
			[]string{"0.0.0.0/1,10.65.0.1", "0.0.0.0/0,10.65.0.1"}},
		"host bits go as they are, on length 0 too": {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1", "1.2.3.4/0,10.65.0.7", "11.11.77.5/16,10.65.0.1")}},
			[]string{"1.2.3.4/0,10.65.0.7", "11.11.77.5/16,10.65.0.1", "0.0.0.0/0,10.65.0.1"}},
		"equal copies are one": {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1", "1.0.0.0/8,10.65.0.1", "2.0.0.0/8,10.65.0.1", "1.0.0.0/8,10.65.0.1")}},
			[]string{"1.0.0.0/8,10.65.0.1", "2.0.0.0/8,10.65.0.1", "0.0.0.0/0,10.65.0.1"}},
		"another family is not sent": {hostroute.NIC{Subnets: []*hostroute.Subnet{subnet("a", "10.65.0.0/24", "10.65.0.1", "2001:db8::/48,10.65.0.1", "1.0.0.0/8,fe80::1")}},
			[]string{"0.0.0.0/0,10.65.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.nic.Offer()
			if diff := cmp.Diff(hostRoutes(c.want...), got, equateNetip); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// More than 20 host routes take another way to find equal copies than few do.
func TestOfferOfManyKeepsTheFirstOfEqualCopies(t *testing.T) {
	s := subnet("a", "10.65.0.0/24", "10.65.0.1")
	var want []hostroute.HostRoute
	for i := range 100 {
		r := hostroute.HostRoute{Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i % 60), 0, 0}), 16), NextHop: s.Gateway}
		s.HostRoutes = append(s.HostRoutes, r)
		if i < 60 {
			want = append(want, r)
		}
	}
	want = append(want, hostroute.MustParseHostRoute("0.0.0.0/0,10.65.0.1"))
	n := hostroute.NIC{Subnets: []*hostroute.Subnet{s}}
	if diff := cmp.Diff(want, n.Offer(), equateNetip); diff != "" {
		t.Errorf("it is Neutron's list, even where it overflows (-want +got):\n%s", diff)
	}
}

// Offer does not validate, and does not panic either.
func TestOfferOfWhatIsNoNIC(t *testing.T) {
	invalid := &hostroute.Subnet{HostRoutes: []hostroute.HostRoute{{}, {Destination: netip.MustParsePrefix("1.0.0.0/8")}}}
	bad := &hostroute.Subnet{ID: "x", CIDR: netip.MustParsePrefix("10.65.0.0/24"), Gateway: netip.MustParseAddr("10.65.0.1"),
		HostRoutes: []hostroute.HostRoute{{}, {Destination: netip.MustParsePrefix("1.0.0.0/8")}, {NextHop: netip.MustParseAddr("10.65.0.1")}}}
	for name, n := range map[string]hostroute.NIC{
		"nil subnets":              {Subnets: []*hostroute.Subnet{nil, bad, nil}},
		"only nil":                 {Subnets: []*hostroute.Subnet{nil}},
		"the zero subnet":          {Subnets: []*hostroute.Subnet{{}, invalid}},
		"an invalid sibling":       {Subnets: []*hostroute.Subnet{bad}, Siblings: make([]netip.Prefix, 2)},
		"mapped sibling, /0":       {Subnets: []*hostroute.Subnet{bad}, Siblings: prefixes("::ffff:1.2.3.4/0", "::/0")},
		"invalid routes and addrs": {Addrs: make([]netip.Addr, 1), ManualRoutes: make([]hostroute.HostRoute, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			before := cmp.Diff(nil, n, equateNetip)
			n.Offer()
			if after := cmp.Diff(nil, n, equateNetip); before != after {
				t.Error("the NIC is changed")
			}
		})
	}
}

func TestOfferSharesNothing(t *testing.T) {
	n := documented().NICs[1]
	offer := n.Offer()
	clear(offer)
	_ = append(offer[:0], hostroute.MustParseHostRoute("9.0.0.0/8,9.0.0.1"))
	if diff := cmp.Diff(documented().NICs[1], n, equateNetip); diff != "" {
		t.Errorf("the NIC is changed (-before +after):\n%s", diff)
	}
}
