//go:build linux

package lab

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/internal/gen"
	"example.com/go-hostroute/hostroute/internal/twin"
	"go4.org/netipx"
)

// perClient is how many random configurations each client gets, unless
// HOSTROUTE_GUESTS says how many.
const perClient = 20

func TestGuestsAtRandom(t *testing.T) {
	s := seed(t)
	n := perClient
	if v := os.Getenv("HOSTROUTE_GUESTS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatalf("HOSTROUTE_GUESTS: %v", err)
		}
	}
	eachClient(t, func(c int) (list []namedCase) {
		leftOut := 0
		for i := c; len(list) < n; i += len(clients) {
			r := rand.New(rand.NewPCG(s, uint64(i)))
			in := gen.Instance(r)
			switch {
			case !servable(r, &in):
			case !twin.Foreseen(in, clients[c].name):
				leftOut++
			default:
				list = append(list, namedCase{fmt.Sprintf("instance %d of seed %d", i, s), in})
			}
		}
		t.Logf("%s: %d instances; %d more left out, because the order of leases decides", clients[c].name, n, leftOut)
		return list
	})
}

// servable makes of an instance one of two or three NICs on IPv4 subnets, with
// addresses and names. It reports whether its DHCP servers can be run, and what
// they send fits every client.
func servable(r *rand.Rand, in *hostroute.Instance) bool {
	if len(in.NICs) < 2 {
		return false
	}
	in.NICs = in.NICs[:min(len(in.NICs), 3)]
	in.ConfigDrive = false
	in.DefaultNIC = ""
	names := []string{"ens10", "ens3", "ens9"}
	for i, k := range r.Perm(len(in.NICs)) {
		in.NICs[i].Name = names[k]
	}
	if r.IntN(2) == 0 {
		in.DefaultNIC = in.NICs[r.IntN(len(in.NICs))].Name
	}
	used := make(map[netip.Addr]bool)
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			used[s.Gateway] = true
		}
	}
	for i := range in.NICs {
		n := &in.NICs[i]
		is6 := func(a netip.Addr) bool { return a.Is6() }
		n.Subnets = slices.DeleteFunc(twin.Subnets(*n), func(s *hostroute.Subnet) bool { return is6(s.CIDR.Addr()) })
		n.ManualRoutes = slices.DeleteFunc(n.ManualRoutes, func(r hostroute.HostRoute) bool {
			return is6(r.Destination.Addr()) || is6(r.NextHop)
		})
		n.Addrs = nil
		for _, s := range n.Subnets {
			if !isPlain(s) {
				return false
			}
			a := first(s.CIDR).Next()
			for used[a] {
				a = a.Next()
			}
			if !s.CIDR.Contains(a) || s.CIDR.Bits() < 31 && a == netipx.PrefixLastIP(s.CIDR) {
				return false
			}
			used[a] = true
			n.Addrs = append(n.Addrs, a)
		}
		if length := len(encode(n.Offer())); length > 240 && length <= 255 {
			return false
		}
		// dnsmasq reads 1024 characters of a line and takes the rest for another one. If that looks like an option, such as
		// "1,12.0.0.0/23,...", the client may get no lease.
		isCut := func(line string) bool { return len(line) > 1024 }
		if s := leased(*n); s != nil && slices.ContainsFunc(strings.Split(optsfile(*n, s), "\n"), isCut) {
			return false
		}
		// Who has two addresses in the leased subnet is given one of them only.
		if s := leased(*n); s != nil {
			outside := func(a netip.Addr) bool { return !s.CIDR.Contains(a) }
			if len(slices.DeleteFunc(slices.Clone(n.Addrs), outside)) != 1 {
				return false
			}
		}
	}
	return !unmodelled(*in)
}

// isPlain reports whether an ordinary server can be in a subnet.
func isPlain(s *hostroute.Subnet) bool {
	a := s.CIDR.Addr()
	if s.CIDR.Bits() < 8 || s.CIDR.Bits() > 31 || a.IsLoopback() || a.IsMulticast() || a.As4()[0] == 0 || a.As4()[0] == 255 {
		return false
	}
	special := s.CIDR.Bits() < 31 && (s.Gateway == a || s.Gateway == netipx.PrefixLastIP(s.CIDR))
	return !special
}
