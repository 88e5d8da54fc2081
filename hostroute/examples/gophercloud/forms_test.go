package main

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/portsbinding"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"

	"example.com/go-hostroute/hostroute/neutron"
)

// gophercloud's structs are documents, too. A plain ports.Port lacks the host.
func TestStructsOfGophercloud(t *testing.T) {
	c := small(t, nil)
	client, err := connect(t.Context(), c.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}

	subnetPages, err := subnets.List(client, nil).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	subnetList, err := subnets.ExtractSubnets(subnetPages)
	if err != nil {
		t.Fatal(err)
	}
	portPages, err := ports.List(client, nil).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var plain []ports.Port
	var bound []struct {
		ports.Port
		portsbinding.PortsBindingExt
	}
	for _, list := range []any{&plain, &bound} {
		if err := ports.ExtractPortsInto(portPages, list); err != nil {
			t.Fatal(err)
		}
	}

	if diff := cmp.Diff(want, decode(t, subnetList, bound), equate); diff != "" {
		t.Errorf("with portsbinding.PortsBindingExt (-bodies +structs):\n%s", diff)
	}
	got := decode(t, subnetList, plain)
	for id, port := range got.Ports {
		if port.Host != "" || want.Ports[id].Host != "compute-1" {
			t.Errorf("port %s: host %q, in the bodies %q", id, port.Host, want.Ports[id].Host)
		}
		port.Host = want.Ports[id].Host
		got.Ports[id] = port
	}
	if diff := cmp.Diff(want, got, equate); diff != "" {
		t.Errorf("but for the host (-bodies +structs):\n%s", diff)
	}
}

var equate = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateErrors()}

// decode reads structs as JSON.
func decode(t *testing.T, lists ...any) *neutron.Deployment {
	t.Helper()
	var documents [2]bytes.Buffer
	for i, list := range lists {
		if err := json.NewEncoder(&documents[i]).Encode(list); err != nil {
			t.Fatal(err)
		}
	}
	d, err := neutron.Decode(&documents[0], &documents[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}
