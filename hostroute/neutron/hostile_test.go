package neutron_test

import (
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strconv"
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

// bound is what decoding n bytes with so many elements, host routes and fixed IPs may allocate.
func bound(n, pieces int) uint64 { return 50*uint64(n) + 1024*uint64(pieces) + 256<<10 }

// Documents that cost much where a decoder is careless. Each is an error or full of problems; in
// -short they are a hundredth of their size.
func TestHostileDocuments(t *testing.T) {
	if race {
		t.Skip("under the race detector, the standard library allocates more")
	}
	const million = 1_000_000
	const oneSubnet = `{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null}`
	const open = `{"id":"s","cidr":"0.0.0.0/0","gateway_ip":null,`
	big := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name    string
		subnets string    // "": the document below is that of the subnets
		doc     [3]string // prefix, piece, suffix
		n       int       // copies of the piece
		pieces  bool      // whether each is an element, host route or fixed IP
		err     bool
	}{
		{"spaces", "", [3]string{"", strings.Repeat(" \n\t\r", 250), ""}, 100_000, false, true},
		{"spaces in a list", "", [3]string{"[", strings.Repeat(" ", 1000), "]"}, 10_000, false, false},
		{"spaces in an object", "", [3]string{`{"id":"s"`, strings.Repeat(" ", 1000), "}"}, 10_000, false, false},
		{"spaces before a value", "", [3]string{`{"subnets":`, strings.Repeat(" ", 1000), "[]}"}, 10_000, false, false},
		{"lists without an end", "", [3]string{"", "[", ""}, million, false, true},
		{"objects without an end", "", [3]string{"", `{"subnets":`, ""}, million, false, true},
		{"lists in a member", "", [3]string{open + `"x":`, "[", ""}, million, false, true},
		{"empty values", "", [3]string{"", "[]", ""}, million, false, false},
		{"empty objects", "", [3]string{"[{}", ",{}", "]"}, million, true, false},
		{"numbers", "", [3]string{"[0", ",0", "]"}, million, true, false},
		{"empty objects as host routes", "", [3]string{open + `"host_routes":[{}`, ",{}", "]}"}, million, true, false},
		{"numbers as host routes", "", [3]string{open + `"host_routes":[0`, ",0", "]}"}, million, true, false},
		{"host routes", "", [3]string{open + `"host_routes":[{"destination":"::/0","nexthop":"::1"}`, `,{"destination":"::/0","nexthop":"::%x"}`, "]}"}, 100_000, true, false},
		{"host routes with netmasks", "", [3]string{open + `"host_routes":[{"destination":"::/0","nexthop":"::1"}`, `,{"destination":"1.0.0.0/255.0.0.0","nexthop":"::%x"}`, "]}"}, 100_000, true, false},
		{"lines of host routes", "", [3]string{`{"ID":"s","Subnet":"0.0.0.0/0","Gateway":null,"Host Routes":"`, `destination='1.0.0.0/255.0.0.0', gateway='::%x'\n`, `"}`}, 100_000, true, false},
		{"empty lines", "", [3]string{`{"ID":"s","Subnet":"0.0.0.0/0","Gateway":null,"Host Routes":"`, `\n`, `"}`}, million, false, false},
		{"a long number", "", [3]string{`{"id":1`, "0", "}"}, million, false, false},
		{"a long number alone", "", [3]string{"1", "0", ""}, million, false, true},
		{"a long number where text is expected", "", [3]string{`[{"cidr":1`, "0", "}]"}, million, false, false},
		{"a long ID", "", [3]string{`{"cidr":"::/0","gateway_ip":null,"id":"`, big, `"}`}, 50_000, false, false},
		{"a long ID of escapes", "", [3]string{`{"cidr":"::/0","gateway_ip":null,"id":"`, `\u00e9\n`, `"}`}, million, false, false},
		{"a long CIDR", "", [3]string{`{"id":"s","gateway_ip":null,"cidr":"`, big, `"}`}, 5000, false, false},
		{"a long gateway", "", [3]string{`{"id":"s","cidr":"::/0","gateway_ip":"`, big, `"}`}, 5000, false, false},
		{"a long destination", "", [3]string{open + `"host_routes":[{"nexthop":"::","destination":"1.1.1.1/`, big, `"}]}`}, 5000, false, false},
		{"a long name of a member", "", [3]string{`{"`, big, `":1}`}, 5000, false, true},
		{"a long member before the list", "", [3]string{`{"x":"`, big, `","subnets":[]}`}, 5000, false, false},
		{"many members", "", [3]string{`{"id":"s"`, `,"%d":1`, "}"}, 100_000, false, false},
		{"many networks", "", [3]string{"[{}", `,{"id":"%d","cidr":"::/0","gateway_ip":"","network_id":"%[1]d"}`, "]"}, 100_000, true, false},
		{"the same subnet", "", [3]string{"[" + oneSubnet, "," + oneSubnet, "]"}, 100_000, true, false},
		{"other subnets of one ID", "", [3]string{"[" + oneSubnet, `,{"id":"s"}`, "]"}, 100_000, true, false},
		{"empty objects as ports", oneSubnet, [3]string{"[{}", ",{}", "]"}, million, true, false},
		{"ports", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"id":"%d","device_id":"%[1]d","device_owner":"compute:","fixed_ips":[{"subnet_id":"s"}]}`, "]"}, 100_000, true, false},
		{"ports of one instance", oneSubnet, [3]string{"[" + portOn("a", "", "s"), `,{"device_id":"a","device_owner":"compute:"}`, "]"}, 100_000, true, false},
		{"ports of one instance on many hosts", oneSubnet, [3]string{"[" + portOn("a", "h", "s"), `,{"id":"%d","device_id":"a","device_owner":"compute:","binding_host_id":"%[1]d"}`, "]"}, 100_000, true, false},
		{"ports beside a long host", oneSubnet, [3]string{"[" + portOn("a", strings.Repeat("h", 100_000), "s"), `,{"id":"%d","device_id":"a","device_owner":"compute:","binding_host_id":"h"}`, "]"}, 100_000, true, false},
		{"planted ports", oneSubnet, [3]string{"[" + portOn("a", "h", "s"), `,{"id":"%d","device_id":"a","device_owner":"compute:"}`, "]"}, 100_000, true, false},
		{"fixed IPs of nothing", oneSubnet, [3]string{`[{"device_id":"a","device_owner":"compute:","fixed_ips":[{}`, `,{}`, "]}]"}, million, true, false},
		{"fixed IPs", oneSubnet, [3]string{`[{"device_id":"a","device_owner":"compute:","fixed_ips":[{"subnet_id":"s"}`, `,{"subnet_id":"s","ip_address":"1.1.1.1"}`, "]}]"}, 100_000, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() {
				tt.n /= 100
			}
			size := 0
			document := &repeater{prefix: tt.doc[0], piece: tt.doc[1], suffix: tt.doc[2], n: tt.n}
			counter := readerFunc(func(p []byte) (int, error) {
				n, err := document.Read(p)
				size += n
				return n, err
			})
			var err error
			got := allocated(func() {
				if tt.subnets == "" {
					_, err = neutron.DecodeSubnets(counter)
				} else {
					_, err = neutron.Decode(strings.NewReader(tt.subnets), counter)
				}
			})
			pieces := 3
			if tt.pieces {
				pieces += tt.n
			}
			if most := bound(size+len(tt.subnets), pieces); got > most {
				t.Errorf("%d bytes for a document of %d, more than %d", got, size, most)
			}
			if (err != nil) != tt.err {
				t.Errorf("got error %v, want one: %t", err, tt.err)
			}
		})
	}
}

// While a long list is read, memory holds what was made of it and little else.
func TestNoDocumentIsInMemoryAsAWhole(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2000
	}
	port := `,{"device_owner":"network:dhcp","x":"` + strings.Repeat("x", 5000) + `"}`
	ports := &repeater{prefix: "[{}", piece: port, suffix: "]", n: n}
	var most uint64
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	reads := 0
	probe := readerFunc(func(p []byte) (int, error) {
		if reads++; reads%(n/20) == 0 {
			var now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		return ports.Read(p)
	})
	if _, err := neutron.Decode(strings.NewReader(`[]`), probe); err != nil {
		t.Fatal(err)
	}
	if most == 0 || most > before.HeapAlloc+1<<20 {
		t.Errorf("%d bytes in use while reading, %d before", most, before.HeapAlloc)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzDecode(f *testing.F) {
	f.Add(subnets, `{"ports":[`+apiPort0+`,`+apiPort1+`,`+dhcpPort+`]}`)
	f.Add(`{"subnets":[`+apiFront+`]}`+showBack, apiPort0+showPort1)
	f.Add(`[`+listFront+`,`+oldBack+`]`, `[{"ID":"p","Device Owner":"compute:nova"}]`)
	f.Add(netSubnets, `[`+portOn("1", "h", "a", "six")+`,`+portOn("2", "", "off", "n")+`]`)
	f.Add(`{"id":"s","cidr":"0.0.0.0/0","gateway_ip":"","host_routes":[{"destination":"10.0.0.0/0.255.255.255","nexthop":"::ffff:1.2.3.4"}]}`, `[]`)
	f.Add(netSubnets, `[`+portOn("1", "h", "a")+`,`+portOn("1", "", "gone")+`,`+portOn("2", "g", "b")+`,`+portOn("2", "h", "b")+`]`)
	f.Add(strings.Repeat("0", 201), "0")
	f.Add(`[{"id":"\ud800"},{"id":"`+"\xff"+`"}`, `{"port":{"x":[{"\"":1e9}]}}`)
	f.Fuzz(func(t *testing.T, subnets, ports string) {
		if len(subnets)+len(ports) > 1<<20 {
			return
		}
		var d *neutron.Deployment
		var err error
		decode := func() { d, err = neutron.Decode(strings.NewReader(subnets), strings.NewReader(ports)) }
		// Every element, host route and fixed IP has a brace, or a line of its own. The fuzzer allocates beside us, now and then.
		pieces := strings.Count(subnets+ports, "{") + strings.Count(subnets+ports, `\n`) + strings.Count(subnets+ports, ",")
		most := bound(len(subnets)+len(ports), pieces)
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
		for _, p := range d.Problems {
			if p.Err == nil || p.Value < 1 || strings.ContainsFunc(p.String(), func(c rune) bool { return !strconv.IsPrint(c) }) {
				t.Errorf("problem %+v: %q", p, p)
			}
		}
		leftOut := make(map[string]bool)
		for _, p := range d.Problems {
			leftOut["s"+p.Subnet], leftOut["i"+p.Instance] = p.Subnet != "", p.Instance != ""
		}
		known := make(map[*hostroute.Subnet]bool)
		for _, s := range d.Subnets {
			if leftOut["s"+s.ID] {
				t.Errorf("subnet %s is left out and there", s.ID)
			}
			if known[s] = true; s.ID == "" || s.CIDR != s.CIDR.Masked() || s.CIDR.Addr().Zone() != "" {
				t.Errorf("subnet %v", s)
			}
			if _, err := hostroute.AnalyzeSubnet(s); err != nil {
				t.Errorf("subnet %v: %v", s, err)
			}
		}
		for _, in := range d.Instances {
			if leftOut["i"+in.Name] {
				t.Errorf("instance %s is left out and there", in.Name)
			}
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
