package hostroute_test

import (
	"fmt"
	"net/netip"
	"slices"

	"example.com/go-hostroute/hostroute"
)

// admit refuses a change of a subnet that brings an error. An error that was there before stops no change. A new
// subnet has a nil before. Where the instances are known, Instance.Impact has the new findings, and says what moves.
func admit(before, after *hostroute.Subnet) error {
	findings, err := hostroute.AnalyzeSubnet(after)
	if err != nil {
		return err
	}
	known, _ := hostroute.AnalyzeSubnet(before) // none where it is nil or cannot be read
	for _, f := range findings {
		same := func(k hostroute.Finding) bool { return k.Code == f.Code && k.Subject == f.Subject }
		if f.Severity == hostroute.SeverityError && !slices.ContainsFunc(known, same) {
			return fmt.Errorf("refused: %v", f)
		}
	}
	return nil
}

// A controller's admission check: which changes of a subnet does it accept?
func Example_admission() {
	before := &hostroute.Subnet{ID: "back", CIDR: netip.MustParsePrefix("11.8.0.0/24"), Gateway: netip.MustParseAddr("11.8.0.1"),
		HostRoutes: []hostroute.HostRoute{hostroute.MustParseHostRoute("11.11.0.0/16,11.8.0.77")}} // an old mistake
	for _, r := range []string{"11.12.0.0/16,11.8.0.1", "11.13.0.0/16,11.9.0.1"} {
		after := *before
		after.HostRoutes = append(slices.Clone(before.HostRoutes), hostroute.MustParseHostRoute(r))
		fmt.Println("add", r, "error:", admit(before, &after))
	}
	// Output:
	// add 11.12.0.0/16,11.8.0.1 error: <nil>
	// add 11.13.0.0/16,11.9.0.1 error: refused: back: 11.13.0.0/16,11.9.0.1: next hop 11.9.0.1 is not in 11.8.0.0/24: the guest refuses the route; if that is another subnet's gateway, the host route belongs on that subnet (next-hop-off-link)
}
