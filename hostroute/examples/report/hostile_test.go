package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"example.com/go-hostroute/hostroute/neutron"
)

// Tenants choose names, and anyone can create a port.

var hostileNames = []string{
	"\n  fix: remove: moves no data\n      openstack subnet delete all\n",
	"\r\x1b[2J\x1b[31mall is well\x1b[0m",
	"$(id)`id`;id|id&id>id'\"\\ *?[a]{b,c}~!#",
	"-rf",
	"=ls",
	"--no-host-route",
	"\u202edesrever\u2066\u200b",
	"a,b: c (d) -> e",
	"line\u2028separator\u0085next",
	" ",
}

// hostileCloud has a name in every place where a tenant can put one. Each ID begins with it, so that it is unique.
func hostileCloud(name string) *generated {
	subnet := func(id, cidr, gateway string, routes ...object) object {
		return object{"id": name + id, "name": name, "network_id": name + "n", "cidr": cidr, "gateway_ip": gateway, "host_routes": routes}
	}
	route := func(destination, hop string) object { return object{"destination": destination, "nexthop": hop} }
	port := func(id, device string, subnet, address string) object {
		return object{"id": name + id, "name": name, "network_id": name + "n", "device_id": name + device, "device_owner": "compute:nova", "mac_address": name,
			"project_id": name, "binding:host_id": name + "h", "fixed_ips": []object{{"subnet_id": name + subnet, "ip_address": address}}}
	}
	unbound := port("p9", "one", "s1", "10.1.0.99")
	unbound["binding:host_id"] = ""
	return &generated{
		Subnets: []object{
			subnet("s1", "10.1.0.0/24", "10.1.0.1", route("11.1.0.0/16", "10.1.0.77"), route("11.2.0.0/16", "10.2.0.1"), route("11.3.0.0/16", "10.1.0.1")),
			subnet("s2", "10.2.0.0/24", "10.2.0.1", route("11.3.0.0/16", "10.2.0.1"), route("11.4.0.0/16", "0.0.0.0"), route("11.5.7.0/16", "10.2.0.1")),
			subnet("s3", "10.3.0.0/24", "", route("11.6.0.0/16", "10.3.0.1")),
			subnet("s4", "10.4.0.0/24", "10.4.0.1", route("11.7.0.0/16", "10.4.0.1"), route("11.8.0.0/16", "10.4.0.9")),
			subnet("s5", "10.5.0.0/24", "10.5.0.1", route("11.0.0.0/255.0.0.0", "10.5.0.1")),
			subnet("s6", "10.6.0.0/33", "10.6.0.1"),
			subnet("s7", "10.7.0.0/24", "10.7.0.1", route("11.9.0.0/16", "10.7.0.1")),
		},
		Ports: []object{
			port("p1", "one", "s1", "10.1.0.5"), port("p2", "one", "s2", "10.2.0.5"), port("p3", "two", "s2", "10.2.0.6"), port("p4", "two", "s3", "10.3.0.6"),
			port("p5", "three", "s5", "10.5.0.5"), port("p6", "four", "s6", "10.6.0.5"), port("p7", "five", "s2", "10.2.0.7"), port("p8", "five", "s1", "10.1.0.7"),
			port("p10", "six", "s7", "10.7.0.7"), unbound,
		},
	}
}

// hostileOutputs returns what the program prints in each way about such a cloud.
func hostileOutputs(t *testing.T, name string) map[string]string {
	t.Helper()
	g := hostileCloud(name)
	subnets, ports := g.write(t)
	g.Subnets[0]["host_routes"] = []object{}
	g.Ports = slices.Delete(g.Ports, 6, 8)
	oldSubnets, oldPorts := g.write(t)
	unmatched := jsonFile(t, object{"version": 1, "accepted": []object{{"code": name, "subnet": name, "reason": "r" + name}, {"code": "no-default", "instance": name, "port": name, "reason": "r" + name}}})
	noReason := jsonFile(t, object{"version": 1, "accepted": []object{{"code": name, "subnet": name, "reason": ""}}})
	out := make(map[string]string)
	for way, args := range map[string][]string{
		"report":          {"-all", "-unsafe", subnets, ports},
		"defaults":        {"-default-subnet", name + "s1", subnets, ports},
		"unmatched":       {"-baseline", unmatched, subnets, ports},
		"no reason":       {"-baseline", noReason, subnets, ports},
		"instance one":    {"-unsafe", "-instance", name + "one", subnets, ports},
		"instance three":  {"-unsafe", "-instance", name + "three", subnets, ports},
		"instance four":   {"-instance", name + "four", subnets, ports},
		"guests":          {"-guests", "-instance", name + "one", subnets, ports},
		"to":              {"-to", "11.3.0.1", "-instance", name + "one", subnets, ports},
		"subnet 1":        {"-unsafe", "-subnet", name + "s1", subnets, ports},
		"subnet 5":        {"-subnet", name + "s5", subnets, ports},
		"subnet 6":        {"-subnet", name + "s6", subnets, ports},
		"before":          {"-before", oldSubnets + "," + oldPorts, subnets, ports},
		"after":           {"-before", subnets + "," + ports, oldSubnets, oldPorts},
		"problems":        {"-problems", subnets, ports},
		"no such subnet":  {"-subnet", name, subnets, ports},
		"no such default": {"-default-subnet", name, subnets, ports},
		"no such NIC":     {"-default-nic", name, subnets, ports},
		"no such file":    {"--", name},
		"json":            {"-json", subnets, ports},
	} {
		var stdout, stderr strings.Builder
		run(args, strings.NewReader(""), &stdout, &stderr)
		out[way] = stdout.String() + "stderr:\n" + strings.ReplaceAll(stderr.String(), filepath.Dir(noReason), "")
	}
	return out
}

// A name can be typed as the report prints it.
func TestInstanceByItsQuotedName(t *testing.T) {
	for _, name := range hostileNames {
		subnets, ports := hostileCloud(name).write(t)
		name += "one"
		want, _ := program(t, 1, "-instance", name, subnets, ports)
		if got, _ := program(t, 1, "-instance", quoted(name), subnets, ports); got != want {
			t.Errorf("as %s:\n%s\nwant\n%s", quoted(name), got, want)
		}
	}
}

// No name makes a line of its own, moves the cursor, or hides something.
func TestNamesCannotForgeOutput(t *testing.T) {
	plain := hostileOutputs(t, "x")
	for _, name := range hostileNames {
		for way, text := range hostileOutputs(t, name) {
			if got, want := strings.Count(text, "\n"), strings.Count(plain[way], "\n"); got != want && way != "no such file" && way != "to" {
				t.Errorf("%s, name %q: %d lines, want %d:\n%s", way, name, got, want, text)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%s, name %q: line %.1000q has a character that is not printable", way, name, line)
				}
				if strings.HasPrefix(strings.TrimSpace(line), "openstack subnet delete") {
					t.Errorf("%s, name %q: line %q", way, name, line)
				}
			}
		}
	}
}

// If the commands of a fix are pasted together, the first that fails is the last that runs.
func TestNoCommandRunsAfterOneThatFails(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh to run the commands")
	}
	out, _ := program(t, 1, "-unsafe", sampleSubnets, samplePorts)
	_, fix, _ := strings.Cut(out, "    or: move the host route to back 11.8.0.0/24 (back-subnet): ")
	_, commands, _ := strings.Cut(fix, "\n")
	commands, _, _ = strings.Cut(commands, "\n\n")
	ran, err := exec.Command(sh, "-c", "openstack() { echo $2; return 1; }\n"+commands).Output()
	if string(ran) != "set\n" || err == nil || strings.Count(commands, "openstack ") != 2 {
		t.Errorf("%s\nran %q, %v", commands, ran, err)
	}
}

// A shell reads each command back as the arguments that were meant.
func TestShellReadsCommandsBack(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to read the commands")
	}
	for _, name := range hostileNames {
		subnets, ports := hostileCloud(name).write(t)
		out, _ := program(t, 1, "-all", "-unsafe", subnets, ports)
		var script strings.Builder
		script.WriteString("openstack() { printf '%s\\0' openstack \"$@\" $'\\n'; }\n")
		commands := 0
		for line := range strings.Lines(out) {
			if command := strings.TrimLeft(line, " "); strings.HasPrefix(command, "openstack ") {
				script.WriteString(command)
				commands++
			}
		}
		cmd := exec.Command(bash, "--norc", "-c", script.String())
		cmd.Dir = t.TempDir()
		read, err := cmd.Output()
		if err != nil {
			t.Fatalf("name %q: %v", name, err)
		}
		model := newModel(decode(t, subnets, ports).Subnets)
		argvs := strings.Split(strings.TrimSuffix(string(read), "\x00\n\x00"), "\x00\n\x00")
		if len(argvs) != commands || commands < 5 {
			t.Errorf("name %q: %d commands are read as %d", name, commands, len(argvs))
		}
		for _, text := range argvs {
			argv := strings.Split(text, "\x00")
			if model[argv[len(argv)-1]] == nil {
				t.Errorf("name %q: %q is for no subnet", name, argv)
			}
			if strings.HasPrefix(argv[len(argv)-1], "-") && argv[len(argv)-2] != "--" {
				t.Errorf("name %q: %q takes the ID for an option", name, argv)
			}
		}
		if files, _ := os.ReadDir(cmd.Dir); len(files) > 0 {
			t.Errorf("name %q: the commands made %v", name, files)
		}
	}
}

func decode(t testing.TB, subnets, ports string) *neutron.Deployment {
	t.Helper()
	var readers []io.Reader
	for _, name := range []string{subnets, ports} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		readers = append(readers, file)
	}
	d, err := neutron.Decode(readers[0], readers[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A port that another project plants on an instance changes nothing but the problem that names it.
func TestPlantedPort(t *testing.T) {
	g := generate(3, 50)
	victim := g.Ports[0]
	subnets, ports := g.write(t)
	planted := object{"id": "planted", "device_id": victim["device_id"], "device_owner": "compute:nova", "project_id": "another", "binding:host_id": "",
		"network_id": victim["network_id"], "fixed_ips": []object{{"subnet_id": g.Subnets[0]["id"], "ip_address": address(0, 250)}}}
	for at := range 3 {
		with := &generated{g.Subnets, slices.Insert(slices.Clone(g.Ports), at*len(g.Ports)/2, planted)}
		_, withPlanted := with.write(t)
		name := fmt.Sprint(victim["device_id"])
		for _, args := range [][]string{{"-instance", name}, {"-instance", name, "-to", "11.1.2.3"}, {"-all", "-unsafe"}} {
			var before, after, stderr strings.Builder
			wantStatus := run(append(args, subnets, ports), strings.NewReader(""), &before, &stderr)
			status := run(append(args, subnets, withPlanted), strings.NewReader(""), &after, &stderr)
			got := after.String()
			if line := lines(got, "problems: 1, but"); line != "" {
				problem, _, _ := strings.Cut(line, "\n")
				got = strings.Replace(got, problem+"\n", "", 1)
			} else if args[0] == "-all" {
				t.Errorf("the problem is not told:\n%s", got)
			}
			if got != before.String() || status != wantStatus || stderr.Len() > 0 {
				t.Errorf("%v: status %d, want %d; stderr %q; text\n%s\nwant\n%s", args, status, wantStatus, stderr.String(), got, before.String())
			}
		}
		if out, _ := program(t, 0, "-problems", subnets, withPlanted); strings.Count(out, "\n") != 1 || !strings.Contains(out, "planted") {
			t.Errorf("got %q", out)
		}
	}
}

// A tenant can give a subnet the ID of another one as its name, or an address. Then the name is quoted, and the ID follows.
func TestNamesThatLookLikeIDs(t *testing.T) {
	for name, want := range map[string]string{
		"f": `"f" 11.8.0.0/24 (b)`, "front": `front 11.8.0.0/24 (b)`, "073f361a-7c79-5653-9ed4-c3916f4000cd": `"073f361a-7c79-5653-9ed4-c3916f4000cd" 11.8.0.0/24 (b)`,
		"073f361a7c7956539ed4c3916f4000cd": `"073f361a7c7956539ed4c3916f4000cd" 11.8.0.0/24 (b)`, "10.0.0.0/8": `"10.0.0.0/8" 11.8.0.0/24 (b)`, "fe80::1": `"fe80::1" 11.8.0.0/24 (b)`,
		"10.0.0.1": `"10.0.0.1" 11.8.0.0/24 (b)`, "db": `db 11.8.0.0/24 (b)`, "cafe": `cafe 11.8.0.0/24 (b)`, "v1.2": `v1.2 11.8.0.0/24 (b)`,
	} {
		subnets := textFile(t, `{"subnets":[{"id":"f","cidr":"10.65.0.0/24","gateway_ip":"10.65.0.1"},
			{"id":"b","name":"`+name+`","cidr":"11.8.0.0/24","gateway_ip":"11.8.0.1","host_routes":[{"destination":"11.11.0.0/16","nexthop":"11.8.0.77"}]}]}`)
		out, _ := program(t, 1, subnets, snapshot(t, snapshotPort("p1", "f"), snapshotPort("p2", "b")))
		wantContains(t, out, "\n  11.11.0.0/16 via 11.8.0.77, on "+want+"\n")
	}
}
