package neutron_test

import (
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// A repeater reads as a prefix, n copies of a piece, and a suffix, and holds
// none of it. A piece may have one %d, the number of the copy.
type repeater struct {
	prefix, piece, suffix string
	n                     int
	i                     int
	buf, same             []byte
}

func (r *repeater) Read(p []byte) (int, error) {
	for len(r.buf) == 0 {
		switch r.i++; {
		case r.i == 1:
			r.buf = []byte(r.prefix)
		case r.i <= r.n+1:
			if r.same == nil && !strings.Contains(r.piece, "%") {
				r.same = []byte(r.piece)
			}
			if r.buf = r.same; r.same == nil {
				r.buf = fmt.Appendf(nil, r.piece, r.i)
			}
		case r.i == r.n+2:
			r.buf = []byte(r.suffix)
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

// allocated returns what f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func bound(n int) uint64 { return 20*uint64(n) + 64<<10 }

const noSubnets = `[]`

func TestDecodeAllocatesLittle(t *testing.T) {
	if race {
		t.Skip("under the race detector, the standard library allocates more")
	}
	oneSubnet := `{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null}`
	routes := func(piece string) [3]string {
		return [3]string{`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,"host_routes":[` + fmt.Sprintf(piece, 7), "," + piece, `]}`}
	}
	lines := func(piece string) [3]string {
		return [3]string{`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,"host_routes":"`, piece + `\n`, `"}`}
	}
	const dup = `{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null}`
	for _, tt := range []struct {
		name    string
		subnets string    // "": the document below is that of the subnets
		doc     [3]string // prefix, piece, suffix
	}{
		{"nothing but brackets", "", [3]string{"", "[", ""}},
		{"empty objects", "", [3]string{"[{}", ",{}", "]"}},
		{"empty objects, one after the other", "", [3]string{"", "{}", ""}},
		{"empty lists, one after the other", "", [3]string{"", "[]", ""}},
		{"numbers", "", [3]string{"[0", ",0", "]"}},
		{"a huge number", "", [3]string{`{"id":1`, "0", "}"}},
		{"a long ID", "", [3]string{`{"cidr":"::/0","gateway_ip":null,"id":"`, "xxxxxxxx", `"}`}},
		{"a long CIDR", "", [3]string{`{"id":"s","gateway_ip":null,"cidr":"`, "1.1.1.1.", `"}`}},
		{"a long name", "", [3]string{`{"`, "xxxxxxxx", `":1}`}},
		{"a long ID of escapes", "", [3]string{`{"cidr":"::/0","gateway_ip":null,"id":"`, `\u00e9\n`, `"}`}},
		{"escapes", "", [3]string{`[{"id":"\n"}`, `,{"id":"\n"}`, "]"}},
		{"escapes, one after the other", "", [3]string{"", `{"id":"\n"}`, ""}},
		{"a string without an end", "", [3]string{`"`, `\"`, ""}},
		{"small IDs", "", [3]string{`[{"id":"s"}`, `,{"id":"%d"}`, "]"}},
		{"small networks", "", [3]string{`[{}`, `,{"network_id":"%d"}`, "]"}},
		{"subnets", "", [3]string{"[" + oneSubnet, `,{"id":"%d","cidr":"::/0","gateway_ip":""}`, "]"}},
		{"subnets of networks", "", [3]string{"[" + oneSubnet, `,{"id":"%d","cidr":"::/0","gateway_ip":"","network_id":"%[1]d"}`, "]"}},
		{"the same subnet", "", [3]string{dup, dup, dup}},
		{"other subnets of one ID", "", [3]string{dup, `{"id":"s","cidr":"::/0","gateway_ip":""}`, ""}},
		{"zones", "", [3]string{"[{}", `,{"gateway_ip":"::%%%d"}`, "]"}},
		{"host routes", "", routes(`{"destination":"::/0","nexthop":"::%x"}`)},
		{"equal host routes", "", [3]string{`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,"host_routes":[{"destination":"::/0","nexthop":"::"}`, `,{"destination":"::/0","nexthop":"::"}`, `]}`}},
		{"host routes with escapes", "", routes(`{"destination":"::\/0","nexthop":"::\u0031%x"}`)},
		{"host routes of nothing", "", [3]string{`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,"host_routes":[{}`, ",{}", `]}`}},
		{"host routes without next hop", "", routes(`{"destination":"::/0"}`)},
		{"empty host routes", "", routes(`{"destination":"","nexthop":"%d"}`)},
		{"misread defaults", "", routes(`{"destination":"0.0.0.0/00","nexthop":"::%x"}`)},
		{"netmasks", "", routes(`{"destination":"0.0.0.0/0.0.0.1","nexthop":"::%x"}`)},
		{"netmasks that mean a network", "", [3]string{`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,"host_routes":[{"destination":"1.0.0.0/8","nexthop":"::"}`, `,{"destination":"1.0.0.0/255.0.0.0","nexthop":"::"}`, `]}`}},
		{"netmasks of other routes", "", routes(`{"destination":"1.1.1.1/128.0.0.0","nexthop":"::%x"}`)},
		{"lines of host routes", "", lines(`destination='::/0', gateway='::%x'`)},
		{"lines of misread defaults", "", lines(`destination='0.0.0.0/00', gateway='::%x'`)},
		{"lines of netmasks", "", lines(`destination='1.0.0.0/255.0.0.0', gateway='::%x'`)},
		{"empty lines", "", lines("")},
		{"lines that are none", "", lines("x")},
		{"no ports", noSubnets, [3]string{"[{}", ",{}", "]"}},
		{"ports of other owners", noSubnets, [3]string{"[{}", `,{"device_owner":"%d"}`, "]"}},
		{"owners with escapes", noSubnets, [3]string{"[{}", `,{"device_owner":"\n"}`, "]"}},
		{"ports", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"device_id":"%d","device_owner":"compute:"}`, "]"}},
		{"ports of one instance", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"device_id":"a","device_owner":"compute:"}`, "]"}},
		{"ports with IDs", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"id":"%d","device_id":"a","device_owner":"compute:"}`, "]"}},
		{"the same port", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"id":"p","device_id":"a","device_owner":"compute:"}`, "]"}},
		{"ports without device_id", oneSubnet, [3]string{"[{}", `,{"device_owner":"compute:"}`, "]"}},
		{"ports with an error", oneSubnet, [3]string{"[{}", `,{"device_id":"%d","device_owner":5}`, "]"}},
		{"hosts", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"device_id":"a","device_owner":"compute:","binding_host_id":"%d","fixed_ips":[{"subnet_id":"s"}]}`, "]"}},
		{"fixed IPs", oneSubnet, [3]string{`{"device_id":"a","device_owner":"compute:","fixed_ips":[{"subnet_id":"s"}`, `,{"subnet_id":"s"}`, "]}"}},
		{"fixed IPs with addresses", oneSubnet, [3]string{`{"device_id":"a","device_owner":"compute:","fixed_ips":[{"subnet_id":"s"}`, `,{"subnet_id":"s","ip_address":"1.1.1.1"}`, "]}"}},
		{"fixed IPs of nothing", oneSubnet, [3]string{`{"device_id":"a","device_owner":"compute:","fixed_ips":[{}`, `,{"subnet_id":"%d"}`, "]}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			copies := []int{0, 1, 40, 257, 1000, 1025, 4097, 33000, 40000, 66000}
			for _, size := range []int{1 << 17, 1 << 21} { // where encoding/json's buffer has just doubled
				piece := tt.doc[1]
				if strings.Contains(piece, "%") {
					piece = fmt.Sprintf(piece, 10000)
				}
				copies = append(copies, (size-len(tt.doc[0]))/len(piece)+3)
			}
			for _, n := range copies {
				size := len(tt.subnets)
				r := &repeater{prefix: tt.doc[0], piece: tt.doc[1], suffix: tt.doc[2], n: n}
				b, _ := io.ReadAll(r)
				size += len(b)
				decode := func() {
					if doc := strings.NewReader(string(b)); tt.subnets == "" {
						neutron.DecodeSubnets(doc)
					} else {
						neutron.Decode(strings.NewReader(tt.subnets), doc)
					}
				}
				got := allocated(decode) - uint64(len(b)) // the copy that the test makes
				if got > bound(size) {
					t.Errorf("%d copies: %d bytes for a document of %d, %.1f for each", n, got, size, float64(got)/float64(size))
				}
				if n == 66000 {
					t.Logf("%.1f bytes for each", float64(got)/float64(size))
				}
			}
		})
	}
}

func TestMillionsOfNothing(t *testing.T) {
	deep := strings.Repeat("[", 1e6)
	for _, tt := range []struct {
		name string
		r    io.Reader
		most uint64
		ok   bool
	}{
		{"a hundred megabytes of spaces", &repeater{piece: strings.Repeat(" \n\t\r", 25000), n: 1000}, 1 << 20, false},
		{"in a list", &repeater{prefix: "[", piece: strings.Repeat(" ", 1e5), n: 1000, suffix: "]"}, 1 << 20, true},
		{"a million levels", strings.NewReader(deep), bound(1e6), false},
		{"a million levels of what is ignored", strings.NewReader(`{"id":"s","cidr":"::/0","gateway_ip":null,"x":` + deep), bound(1e6), false},
		{"a million levels of objects", &repeater{piece: `{"subnets":`, n: 1e6}, bound(11e6), false},
		{"as many levels as there may be", strings.NewReader(`{"id":"s","cidr":"::/0","gateway_ip":null,"x":` + deep[:255] + strings.Repeat("]", 255) + `}`), bound(500), true},
		{"a level more", strings.NewReader(`{"id":"s","cidr":"::/0","gateway_ip":null,"x":` + deep[:256] + strings.Repeat("]", 256) + `}`), bound(500), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			if got := allocated(func() { _, err = neutron.DecodeSubnets(tt.r) }); got > tt.most {
				t.Errorf("%d bytes", got)
			}
			if (err == nil) != tt.ok {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(subnets, `{"ports":[`+apiPort0+`,`+apiPort1+`,`+dhcpPort+`]}`)
	f.Add(`{"subnets":[`+apiFront+`]}`+showBack, apiPort0+showPort1)
	f.Add(`[`+listFront+`,`+oldBack+`]`, `[{"ID":"p","Device Owner":"compute:nova"}]`)
	f.Add(netSubnets, `[`+portOn("1", "h", "a", "six")+`,`+portOn("2", "", "off", "n")+`]`)
	f.Add(`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":"","host_routes":[{"destination":"10.0.0.0/0.255.255.255","nexthop":"::ffff:1.2.3.4"}]}`, `[]`)
	f.Add(strings.Repeat("0", 201), "0")
	f.Add(`[{"id":"\ud800"},{"id":"`+"\xff"+`"}`, `{"port":{"x":[{"\"":1e9}]}}`)
	f.Fuzz(func(t *testing.T, subnets, ports string) {
		if len(subnets)+len(ports) > 1<<20 {
			return
		}
		var d *neutron.Deployment
		var err error
		decode := func() { d, err = neutron.Decode(strings.NewReader(subnets), strings.NewReader(ports)) }
		// The fuzzer allocates beside us, now and then.
		most := bound(len(subnets) + len(ports))
		if got := allocated(decode); got > most && !race {
			if again := allocated(decode); again > most {
				t.Errorf("%d and %d bytes for %d", got, again, len(subnets)+len(ports))
			}
		}
		if (d == nil) != (err != nil) {
			t.Fatalf("got %v and %v", d, err)
		}
		if err != nil {
			return
		}
		known := make(map[*hostroute.Subnet]bool)
		for _, s := range d.Subnets {
			if known[s] = true; s.ID == "" || s.CIDR != s.CIDR.Masked() || s.CIDR.Addr().Zone() != "" {
				t.Errorf("subnet %v", s)
			}
			if _, err := hostroute.AnalyzeSubnet(s); err != nil {
				t.Errorf("subnet %v: %v", s, err)
			}
		}
		for _, in := range d.Instances {
			for _, n := range in.NICs {
				for _, s := range n.Subnets {
					if !known[s] {
						t.Errorf("instance %s has a subnet %v of its own", in.Name, s)
					}
				}
			}
			if cost(in) > 200 {
				continue // the analysis has a fuzz target of its own
			}
			if _, err := hostroute.Analyze(in); err != nil {
				t.Errorf("instance %v: %v", in, err)
			}
		}
	})
}

func cost(in hostroute.Instance) (n int) {
	for _, nic := range in.NICs {
		n += 1 + len(nic.Siblings)
		for _, s := range nic.Subnets {
			n += len(s.HostRoutes)
		}
	}
	return n
}

// FuzzUpdateBody: what is written is read back.
func FuzzUpdateBody(f *testing.F) {
	f.Add([]byte{0, 24, 10, 65, 0, 0, 1, 2, 3, 4, 1, 64, 32, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &hostroute.Subnet{ID: "s", CIDR: netip.MustParsePrefix("10.0.0.0/8"), DHCPDisabled: true}
		for ; len(b) >= 34; b = b[34:] {
			dst, _ := netip.AddrFromSlice(b[2:18])
			hop, _ := netip.AddrFromSlice(b[18:34])
			if b[0]&1 == 0 {
				dst, hop = netip.AddrFrom4([4]byte(b[2:6])), netip.AddrFrom4([4]byte(b[18:22]))
			}
			s.HostRoutes = append(s.HostRoutes, hostroute.HostRoute{Destination: netip.PrefixFrom(dst, int(b[1])%(dst.BitLen()+1)), NextHop: hop})
		}
		members, ok := strings.CutPrefix(string(neutron.UpdateBody(s)), `{"subnet":{`)
		if !ok {
			t.Fatalf("body %s", neutron.UpdateBody(s))
		}
		d, err := neutron.DecodeSubnets(strings.NewReader(`{"subnet":{"id":"s","cidr":"10.0.0.0/8","gateway_ip":null,"enable_dhcp":false,` + members))
		if err != nil {
			t.Fatal(err)
		}
		again := neutron.UpdateBody(d.Subnets[0])
		if string(again) != string(neutron.UpdateBody(s)) {
			t.Errorf("first %s\nthen  %s", neutron.UpdateBody(s), again)
		}
		if argv := neutron.ReplaceCommand(s); argv[len(argv)-1] != "s" || len(argv) != 5+2*len(d.Subnets[0].HostRoutes) {
			t.Errorf("command %q for %s", argv, again)
		}
	})
}
