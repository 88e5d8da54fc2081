package neutron

// This file reads JSON: it tells the forms of a document apart, and hands out one element at a time.

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"example.com/go-hostroute/hostroute"
)

// A decoder gathers what the documents hold.
type decoder struct {
	out       *Deployment
	subnets   map[string]*subnet
	ports     []*port // in the document's order
	portsByID map[string]*port
	devices   map[string]*device

	subnetElement subnetElement // reused
	portElement   portElement
}

func newDecoder() *decoder {
	return &decoder{
		out: &Deployment{
			Subnets:     []*hostroute.Subnet{},
			Instances:   []hostroute.Instance{},
			Findings:    []hostroute.Finding{},
			Problems:    []Problem{},
			Ports:       map[string]Port{},
			SubnetNames: map[string]string{},
		},
		subnets:   map[string]*subnet{},
		portsByID: map[string]*port{},
		devices:   map[string]*device{},
	}
}

// A fault is an error in an element. The path starts at the element.
type fault struct {
	path string
	err  error
}

func faultf(path, format string, args ...any) *fault {
	return &fault{path, fmt.Errorf(format, args...)}
}

// A position is where an element is in its document.
type position struct {
	value int
	path  string // of the element, or of the list that it is in
	index int    // in that list, or alone
}

const alone = -1

// pointer returns a JSON pointer to an element of the list at path.
func pointer(path string, index int) string {
	if index == alone {
		return path
	}
	return path + "/" + strconv.Itoa(index)
}

// report adds a problem, and returns it for the caller to say what is left out.
func (d *decoder) report(at position, document string, f *fault) *Problem {
	d.out.Problems = append(d.out.Problems, Problem{
		Document: document, Value: at.value, Path: pointer(at.path, at.index) + f.path, Err: f.err,
	})
	return &d.out.Problems[len(d.out.Problems)-1]
}

// A decode function reads an element into a struct. The fault is a member of another type than the
// struct's; the error ends the document.
type decode func(v any) (*fault, error)

// A take function takes an element, which it reads with decode. Its error ends the document.
type take func(at position, decode decode) error

// Names of documents.
const (
	docSubnets = "subnets"
	docPorts   = "ports"
)

// A document is a sequence of JSON values that hold elements of one kind.
type document struct {
	name  string
	json  *json.Decoder
	value int // that is being read, from 1
	take  take
	list  bool // the value that is being read has a list
	next  bool // and that has a further page
}

// read reads a document, and reports a page that is not there.
func (d *decoder) read(name string, source io.Reader, take take) error {
	next, value, err := readDocument(name, source, take)
	if next {
		path := "/" + name + "_links"
		d.report(position{value, path, alone}, name, faultf("", "the list has a further page, which is not in the document"))
	}
	return err
}

// readDocument returns whether the last list has a further page, and the number of its value.
func readDocument(name string, source io.Reader, take take) (next bool, value int, err error) {
	if source == nil {
		return false, 0, fmt.Errorf("%s: the reader is nil", name)
	}
	blocks := &blockReader{source: bufio.NewReaderSize(source, 64<<10)}
	d := &document{name: name, json: json.NewDecoder(blocks), take: take}
	d.json.UseNumber() // where it is not expected, a number of any length is one of no known form
	for {
		d.value++
		d.list, d.next = false, false
		err := d.readValue("")
		if err == io.EOF && d.value > 1 {
			return next, value, nil
		}
		if err == io.EOF {
			err = errors.New("the document is empty")
		}
		if err != nil {
			return false, 0, fmt.Errorf("%s: %w", valueText(name, d.value), err)
		}
		if d.list || d.next {
			next, value = d.next, d.value
		}
	}
}

// readValue reads the document's next value, or with a path the list of an envelope. It returns
// io.EOF if there is no further value.
func (d *document) readValue(path string) error {
	token, err := d.json.Token()
	switch {
	case err == io.EOF && path == "":
		return err
	case err != nil:
		return d.failed(err)
	case token == json.Delim('['):
		d.list = true
		return d.readList(path)
	case token == json.Delim('{') && path == "":
		return d.readObject()
	case token == nil && path != "":
		d.list = true
		return nil // a nil list of Go marshals to null
	}
	return d.unknownForm()
}

// readList reads a list's elements, and its end.
func (d *document) readList(path string) error {
	decode := d.decode // one function value for all elements
	for i := 0; d.json.More(); i++ {
		if err := d.take(position{d.value, path, i}, decode); err != nil {
			return err
		}
	}
	if _, err := d.json.Token(); err != nil {
		return d.failed(err)
	}
	return nil
}

// Names of members that tell an element: an object without an envelope has at least one of them.
var telling = []string{"id", "cidr", "device_id"}

// readObject reads an envelope or an element. Which of them it is shows when the envelope's member
// comes; until then the members are kept.
func (d *document) readObject() error {
	var member json.RawMessage
	element := []byte{'{'}
	envelope, isElement := false, false
	singular := strings.TrimSuffix(d.name, "s")
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return d.failed(err)
		}
		name, _ := token.(string)
		if strings.EqualFold(name, d.name) {
			envelope, element = true, nil
			if err := d.readValue("/" + name); err != nil {
				return err
			}
			continue
		}
		if err := d.json.Decode(&member); err != nil {
			return d.failed(err)
		}
		if strings.EqualFold(name, d.name+"_links") {
			d.next = hasNext(member)
			continue
		}
		// A row of `openstack subnet list` has a member Subnet, too: text.
		if strings.EqualFold(name, singular) && member[0] == '{' {
			envelope, element = true, nil
			if err := d.take(position{d.value, "/" + name, alone}, d.decoded(member)); err != nil {
				return err
			}
		} else if !envelope {
			isElement = isElement || slices.ContainsFunc(telling, func(s string) bool { return strings.EqualFold(name, s) })
			key, _ := json.Marshal(name) // a string always marshals
			element = append(append(append(append(element, key...), ':'), member...), ',')
		}
	}
	if _, err := d.json.Token(); err != nil {
		return d.failed(err)
	}
	if envelope {
		return nil
	}
	if !isElement {
		return d.unknownForm()
	}
	element[len(element)-1] = '}'
	return d.take(position{d.value, "", alone}, d.decoded(element))
}

// hasNext reports whether the links of a paged list lead to a further page.
func hasNext(links json.RawMessage) bool {
	var list []struct {
		Rel string `json:"rel"`
	}
	if json.Unmarshal(links, &list) != nil {
		return false
	}
	for _, l := range list {
		if l.Rel == "next" {
			return true
		}
	}
	return false
}

// decode reads an element from the document.
func (d *document) decode(v any) (*fault, error) { return d.judge(d.json.Decode(v)) }

// decoded reads an element from JSON that has been read.
func (d *document) decoded(b []byte) decode {
	return func(v any) (*fault, error) { return d.judge(json.Unmarshal(b, v)) }
}

// judge tells malformed JSON from a member of another JSON type, which is a fault of its element
// alone: encoding/json reads the other members all the same.
func (d *document) judge(err error) (*fault, error) {
	if err == nil {
		return nil, nil
	}
	wrong := (*json.UnmarshalTypeError)(nil)
	if !errors.As(err, &wrong) {
		return nil, d.failed(err)
	}
	kind, _, _ := strings.Cut(wrong.Value, " ") // what follows may be a number of any length
	if wrong.Field == "" {
		return faultf("", "the element is not an object but a JSON %s", kind), nil
	}
	member, _, _ := strings.Cut(wrong.Field, ".")
	return faultf("/"+member, "the member has the wrong JSON type: %s", kind), nil
}

func (d *document) failed(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading failed after byte %d: %w", d.json.InputOffset(), err)
}

func (d *document) unknownForm() error {
	if d.name == docPorts {
		return errors.New("the form is unknown: expected {\"ports\":[...]}, {\"port\":{...}} or the output of `openstack port show -f json`")
	}
	return errors.New("the form is unknown: expected {\"subnets\":[...]}, {\"subnet\":{...}} or the output of `openstack subnet show -f json` or `openstack subnet list --long -f json`")
}

// A blockReader reads its source in blocks of 64 KiB and fills whatever it is given. After each
// Read, encoding/json up to Go 1.26 scans white space from its beginning again.
type blockReader struct {
	source *bufio.Reader
	err    error
}

func (r *blockReader) Read(p []byte) (n int, err error) {
	for idle := 0; n < len(p) && r.err == nil; idle++ {
		var m int
		m, r.err = r.source.Read(p[n:])
		if n += m; m > 0 {
			idle = 0
		} else if idle == 100 {
			r.err = io.ErrNoProgress
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}
