package neutron

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/go-hostroute/hostroute"
)

const maxErrors = 100 // that are kept

// A decoder gathers what the documents hold.
type decoder struct {
	names     [][]string                // of members: 6 of a subnet or port, and an envelope's list and object
	take      func(*decoder, [8]member) // reads a subnet or port
	value     int                       // of the reader, from 1
	path      []byte
	errs      []error
	failed    int // all errors but one that ends a document
	out       Deployment
	routes    []hostroute.HostRoute // of the subnet that is being read
	misread   []misread
	networks  []int32          // of each subnet
	subnetIDs map[string]int32 // index in out.Subnets; -1 for a subnet with errors
	nic       hostroute.NIC    // the port that is being read
	ports     []port           // those of instances
	portIDs   map[string]int32 // index in ports
	devices   map[string]int32 // index in out.Instances
	numbers   map[string]int32 // of networks and hosts; 0 is unknown
}

// decode reads a document of subnets and, if there is a second one, that of ports.
func decode(documents ...io.Reader) (*Deployment, error) {
	d := &decoder{subnetIDs: map[string]int32{}, portIDs: map[string]int32{}, devices: map[string]int32{}, numbers: map[string]int32{"": 0}}
	for i, r := range documents {
		if d.names, d.take = subnetNames, (*decoder).subnet; i == 1 {
			d.names, d.take = portNames, (*decoder).port
		}
		if err := d.read(r); err != io.EOF {
			d.report("", err)
			break
		}
	}
	if d.failed > maxErrors {
		d.errs = append(d.errs, fmt.Errorf("and %d more errors", d.failed-maxErrors))
	}
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	d.findings()
	d.siblings()
	return &d.out, nil
}

// read reads the values of a document, and returns io.EOF if that ends well.
func (d *decoder) read(r io.Reader) error {
	values, err := json.NewDecoder(&filter{in: r}), error(nil)
	for d.value = 0; err == nil; err = values.Decode(d) {
		d.value++
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return fmt.Errorf("%w at byte %d", err, syntax.Offset)
	} else if err == io.EOF && d.value == 1 {
		err = errors.New("there is no JSON value")
	}
	return err
}

// UnmarshalJSON reads a value of a document, of which nothing is copied.
func (d *decoder) UnmarshalJSON(b []byte) error {
	m, found := [8]member{6: {value: b}}, 1
	if b[0] == '{' {
		m, found = d.members(b, d.names)
	}
	switch list, one, name := m[6], m[7], d.names[7][0][1:]; {
	case list.value != nil && found == 1 && (b[0] == '{' || b[0] == '['):
		d.each(list, (*decoder).object)
	case one.value != nil && one.value[0] == '{' && found == 1:
		d.path = append(d.path, one.name...)
		d.object(one.value)
		d.path = d.path[:0]
	case found > 0 && list.value == nil && one.value == nil:
		d.take(d, m)
	default:
		return fmt.Errorf(`is neither {"%ss":[...]} nor {"%[1]s":{...}} nor JSON of openstack %[1]s show%s`, name, map[string]string{"subnet": " or list --long"}[name])
	}
	return nil
}

func (d *decoder) object(b []byte) {
	m, _ := d.members(b, d.names[:6])
	d.take(d, m)
}

// A filter keeps from encoding/json what costs it much memory: more than 256 levels, and white space without end.
type filter struct {
	in                     io.Reader
	depth, deepest, spaces int
	quoted, escaped        bool
}

func (f *filter) step(c byte) {
	switch {
	case f.quoted:
		f.quoted, f.escaped = c != '"' || f.escaped, c == '\\' && !f.escaped
	case c == '"':
		f.quoted = true
	case c == '[', c == '{':
		f.depth++
		f.deepest = max(f.deepest, f.depth)
	case c == ']', c == '}':
		f.depth--
	}
}

func (f *filter) Read(p []byte) (int, error) {
	n, err := f.in.Read(p)
	p = slices.DeleteFunc(p[:n], func(c byte) bool {
		f.step(c)
		if f.spaces++; f.quoted || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			f.spaces = 0
		}
		return f.spaces > 1000
	})
	if f.deepest > 256 {
		return 0, errors.New("more than 256 levels")
	}
	return len(p), err
}

// cut returns the first of the comma-separated items in b, and what follows. What is cut is valid JSON.
func cut(b []byte) (item, rest []byte) {
	var f filter
	for i, c := range b {
		if f.step(c); c == ',' && f.depth == 0 && !f.quoted {
			return bytes.TrimSpace(b[:i]), b[i+1:]
		}
	}
	return bytes.TrimSpace(b), nil
}

// A member is one of an object's.
type member struct {
	name  string // after a slash, as in a path; no name that is read needs an escape there
	value []byte // as it stands; nil: absent
}

// members returns the members of an object that names lists, each under any of its names, and how many they are.
func (d *decoder) members(object []byte, names [][]string) (m [8]member, found int) {
	spelling := 0 // that of the command line, if a member has it
	for item, rest := cut(object[1 : len(object)-1]); len(item) > 0; item, rest = cut(rest) {
		end := 1 + bytes.IndexByte(item[1:], '"')
		for i, alike := range names {
			if j := slices.Index(alike, "/"+string(item[1:end])); j >= 0 {
				spelling = max(spelling, j)
				if found++; m[i].value != nil {
					d.fail(alike[j], nil, "stands twice in its object")
				}
				m[i] = member{alike[j], bytes.TrimLeft(item[end+1:], ": \n\t\r")}
			}
		}
	}
	for i, alike := range names {
		m[i].name = cmp.Or(m[i].name, alike[min(spelling, len(alike)-1)])
	}
	return m, found
}

// each reads the objects in an array; null is an empty one.
func (d *decoder) each(m member, object func(*decoder, []byte)) {
	if m.value == nil || m.value[0] == 'n' {
		return
	} else if m.value[0] != '[' {
		d.fail(m.name, m.value, "is no array")
		return
	}
	outer, i := len(d.path), int64(0)
	for item, rest := cut(m.value[1 : len(m.value)-1]); len(item) > 0; item, rest = cut(rest) {
		d.path = strconv.AppendInt(append(append(d.path[:outer], m.name...), '/'), i, 10)
		if i++; item[0] == '{' {
			object(d, item)
		} else {
			d.fail("", item, "is no object")
		}
	}
	d.path = d.path[:outer]
}

var slashes = strings.NewReplacer(`\\`, `\\`, `\/`, "/") // what JSON escapes and Go does not

// str returns a string. It may be null, empty or absent, "", unless absence is an error: then any error is reported, and ""
// returned. The escapes are \/ and those that Go has too: surrogates are errors.
func (d *decoder) str(m member, absence string) string {
	if m.value == nil && absence != "" {
		d.fail(m.name, nil, absence)
	} else if m.value != nil && (absence != "" || m.value[0] != 'n' && string(m.value) != `""`) {
		if s, err := strconv.Unquote(slashes.Replace(string(m.value))); err == nil && s != "" && utf8.Valid(m.value) {
			return s
		}
		d.fail(m.name, m.value, "is no text, or empty")
	}
	return ""
}

// fail reports an error at path or, unless name is "", its member. It allocates nothing for errors that are only counted.
func (d *decoder) fail(name string, value []byte, text ...string) {
	if d.failed++; d.failed > maxErrors {
		return
	}
	if value != nil {
		text = []string{fmt.Sprintf("%.64q ", value), strings.Join(text, "")}
	}
	d.report(string(d.path)+name, errors.New(strings.Join(text, "")))
}

func (d *decoder) report(path string, err error) {
	d.errs = append(d.errs, &DecodeError{path, fmt.Errorf("%w (%s, value %d)", err, d.names[6][0][1:], d.value)})
}

// index returns the number of a key, counted from 0, and whether it had one.
func index(m map[string]int32, key string) (at int32, known bool) {
	if at, known = m[key]; !known {
		at = int32(len(m))
		m[key] = at
	}
	return at, known
}

// push is append that doubles; append allocates up to six times what it holds.
func push[T any](list []T, v T) []T {
	if len(list) == cap(list) {
		list = slices.Grow(list, len(list)+1)
	}
	return append(list, v)
}
