package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/audit"
	"example.com/go-hostroute/hostroute/neutron"
)

// What is known of a cloud: read, ordered, counted.

// A cloud is a deployment, with what is known about it.
type cloud struct {
	*neutron.Deployment
	audit    audit.Audit
	defaults defaults
	subnets  map[string]*hostroute.Subnet
	users    map[string][]string            // the names of the instances on a subnet, in the order of the file
	labels   map[string]int                 // how many subnets have a name
	misspelt map[string][]hostroute.Finding // netmask-spelling, by subnet
	left     map[string][]string            // the IDs of the ports that are left out, by subnet, sorted
	unsure   map[string]string              // subnets on which too little is known for a removal, and on what that depends

	// judge fills these.
	findings   []audit.Occurrence                   // the worst first
	bySubject  map[hostroute.Ref][]audit.Occurrence // the same
	hostRoutes []hostRoute                          // the worst first
	canGo      []hostroute.Edit                     // sorted
	goes       map[hostroute.Edit]bool              // the same

	// These are made when they are needed.
	single     [][]subject                  // the findings of each instance
	subjectsOf map[hostroute.Code][]subject // those of them that are not about a subnet
}

// read reads the documents and, if there are any, those of -before. Then it asks the audit what the output needs.
func read(opt *options, stdin io.Reader, stderr io.Writer) (before, now *cloud, err error) {
	progress := newProgress(stderr)
	defer progress.done() // so that other output can follow
	var clouds []*cloud
	if opt.before != nil {
		before, err = load(opt.before, stdin, opt.defaults, nil, progress)
		if err != nil {
			return nil, nil, fmt.Errorf("before: %w", err)
		}
		clouds = append(clouds, before)
	}
	now, err = load(opt.documents, stdin, opt.defaults, before, progress)
	if err != nil {
		return nil, nil, err
	}
	if err := opt.defaults.check(append(clouds, now)...); err != nil {
		return nil, nil, err
	}
	needsNoAudit := opt.problems || opt.to.IsValid() || opt.guests // the last two are of one instance alone
	if !needsNoAudit {
		progress.say("trying what can be removed")
		now.judge()
	}
	return before, now, nil
}

// load reads the documents of a cloud. If first is not nil, NICs are in the order that they have there.
func load(documents []string, stdin io.Reader, d defaults, first *cloud, progress *progress) (*cloud, error) {
	c := &cloud{defaults: d}
	readers := make([]io.Reader, 2)
	for i, name := range documents {
		source := stdin
		if name != "-" {
			file, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			source = file
		}
		readers[i] = &reading{Reader: source, name: name, progress: progress}
	}
	var err error
	if len(documents) > 1 {
		c.Deployment, err = neutron.Decode(readers[0], readers[1])
	} else {
		c.Deployment, err = neutron.DecodeSubnets(readers[0])
	}
	if err != nil {
		return nil, err
	}
	if err := c.usable(); err != nil {
		return nil, err
	}
	if first != nil {
		c.order(first)
	}
	c.keepDefaults()
	return c, c.add(progress)
}

// usable returns an error if everything in a document is left out.
func (c *cloud) usable() error {
	for _, p := range c.Problems {
		if p.Path == "/"+p.Document+"_links" {
			return fmt.Errorf("%v: fetch all pages, because what is missing may need what seems to be of no use", p)
		}
		if p.Document == "subnets" && len(c.Subnets) == 0 {
			return fmt.Errorf("no subnet can be read: %v", p)
		}
		if p.Document == "ports" && len(c.Instances) == 0 {
			return fmt.Errorf("no instance can be read: %v", p)
		}
	}
	return nil
}

// knowsInstances reports whether there is anything to say about instances. Without PORTS there is not.
func (c *cloud) knowsInstances() bool { return len(c.Instances) > 0 }

// leftOut counts what is left out.
func (c *cloud) leftOut() (subnets, instances int) {
	subnetIDs, names := make(map[string]bool), make(map[string]bool)
	for _, p := range c.Problems {
		subnetIDs[p.Subnet] = true
		names[p.Instance] = true
	}
	delete(subnetIDs, "")
	delete(names, "")
	return len(subnetIDs), len(names)
}

// add adds everything to the audit.
func (c *cloud) add(progress *progress) error {
	c.subnets = make(map[string]*hostroute.Subnet, len(c.Subnets))
	c.users = make(map[string][]string)
	c.labels = make(map[string]int)
	for _, s := range c.Subnets {
		if err := c.audit.AddSubnet(s); err != nil {
			return fmt.Errorf("subnet %q: %w", s.ID, err)
		}
		c.subnets[s.ID] = s
		c.labels[c.name(s.ID)]++
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		if i%256 == 0 {
			progress.say("instance %d of %d", i, len(c.Instances))
		}
		if err := c.audit.Add(*in); err != nil {
			return fmt.Errorf("instance %q: %w", in.Name, err)
		}
		for _, s := range subnetsOf(in) {
			c.users[s.ID] = append(c.users[s.ID], in.Name)
		}
	}

	c.misspelt = make(map[string][]hostroute.Finding)
	for _, f := range c.Deployment.Findings {
		c.misspelt[f.Subject.Subnet] = append(c.misspelt[f.Subject.Subnet], f)
	}
	c.doubt()
	return nil
}

// doubt finds the subnets on which too little is known.
func (c *cloud) doubt() {
	c.unsure = make(map[string]string)
	c.doubtPorts()
	for i := range c.Instances {
		list := subnetsOf(&c.Instances[i])
		bad := slices.IndexFunc(list, func(s *hostroute.Subnet) bool { return c.misspelt[s.ID] != nil })
		for _, s := range list {
			switch {
			case bad >= 0:
				c.unsure[s.ID] = "if done after the list of " + c.label(list[bad].ID) + " is rewritten"
			case needsConfigDrive(s) && c.defaults.configDrive == "":
				c.unsure[s.ID] = "if no instance reads the config drive (see -config-drive)"
			}
		}
	}
}

// doubtPorts finds the ports that are left out. Their instances may need what is on their subnets.
func (c *cloud) doubtPorts() {
	c.left = make(map[string][]string)
	instances, ports := make(map[string]bool), make(map[string]bool) // instances that are left out, and ports by themselves
	for _, p := range c.Problems {
		if p.Instance != "" {
			instances[p.Instance] = true
		} else if p.Port != "" {
			ports[p.Port] = true
		}
	}
	for id, port := range c.Ports {
		if !ports[id] && !instances[port.Instance] {
			continue
		}
		// Anyone with access to the network can make a port that is not attached. Where instances are known, it changes nothing.
		anyones := ports[id] && port.Host == ""
		for _, subnet := range port.Subnets {
			c.left[subnet] = append(c.left[subnet], id)
			if !anyones || len(c.users[subnet]) == 0 {
				c.unsure[subnet] = "if no port that is left out needs it"
			}
		}
	}
	for _, list := range c.left {
		slices.Sort(list)
	}
}

// subnetsOf returns the subnets of an instance, each once.
func subnetsOf(in *hostroute.Instance) []*hostroute.Subnet {
	var out []*hostroute.Subnet
	for _, n := range in.NICs {
		for _, s := range n.Subnets {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// find returns an instance; if there is none of that name, an error that says why. The name may be quoted, as reports print
// one with odd characters.
func (c *cloud) find(name string) (*hostroute.Instance, error) {
	for i := range c.Instances {
		if c.Instances[i].Name == name {
			return &c.Instances[i], nil
		}
	}
	for _, p := range c.Problems {
		if p.Instance == name {
			return nil, fmt.Errorf("instance %q is left out: %v", name, p)
		}
	}
	if plain, err := strconv.Unquote(name); err == nil {
		return c.find(plain)
	}
	return nil, fmt.Errorf("there is no instance %q", name)
}

// findSubnet returns a subnet; if there is none of that ID, an error that says why.
func (c *cloud) findSubnet(id string) (*hostroute.Subnet, error) {
	if s := c.subnets[id]; s != nil {
		return s, nil
	}
	for _, p := range c.Problems {
		if p.Subnet == id {
			return nil, fmt.Errorf("subnet %q is left out: %v", id, p)
		}
	}
	return nil, fmt.Errorf("there is no subnet %q%s", id, c.hint(id))
}

// hint says which subnets have a name that was given in place of an ID; "" if none has it.
func (c *cloud) hint(name string) string {
	var ids []string
	for id, n := range c.SubnetNames {
		if n == name {
			ids = append(ids, quoted(id))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	slices.Sort(ids)
	return ": that is a name; the ID is " + strings.Join(ids, " or ")
}
