package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"example.com/go-hostroute/hostroute"
	"example.com/go-hostroute/hostroute/neutron"
)

// What the program asks of Neutron through gophercloud.

// connect returns a client of Neutron.
func connect(ctx context.Context, endpoint string) (*gophercloud.ServiceClient, error) {
	if endpoint != "" {
		endpoint = gophercloud.NormalizeURL(endpoint)
		return &gophercloud.ServiceClient{
			ProviderClient: &gophercloud.ProviderClient{},
			Endpoint:       endpoint,
			ResourceBase:   endpoint + "v2.0/",
		}, nil
	}
	auth, err := openstack.AuthOptionsFromEnv()
	where, tls := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}, (*tls.Config)(nil)
	if os.Getenv("OS_CLOUD") != "" {
		auth, where, tls, err = clouds.Parse()
	}
	if err != nil {
		return nil, err
	}
	auth.AllowReauth = true // long lists outlast a token
	provider, err := config.NewProviderClient(ctx, auth, config.WithTLSConfig(tls))
	if err != nil {
		return nil, err
	}
	return openstack.NewNetworkV2(provider, where)
}

// pageSize is the number of subnets or ports that the program asks for at once.
const pageSize = 500

// read lists all subnets and ports, page by page.
func read(ctx context.Context, client *gophercloud.ServiceClient) (*neutron.Deployment, error) {
	subnetPages := document(ctx, "subnets", subnets.List(client, subnets.ListOpts{Limit: pageSize}))
	defer subnetPages.Close() // ends the listing, should Decode stop early
	portPages := document(ctx, "ports", ports.List(client, ports.ListOpts{Limit: pageSize}))
	defer portPages.Close()
	return neutron.Decode(subnetPages, portPages)
}

// document returns the bodies of a list's pages, one after the other. They have everything that Neutron prints; a
// ports.Port has no host.
func document(ctx context.Context, name string, list pagination.Pager) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		err := list.EachPage(ctx, func(_ context.Context, page pagination.Page) (bool, error) {
			return true, json.NewEncoder(w).Encode(page.GetBody())
		})
		if err == nil { // EachPage skips empty pages, such as the one after a last page that is full
			_, err = fmt.Fprintf(w, `{%q:[]}`, name)
		}
		w.CloseWithError(err)
	}()
	return r
}

// revisionNumber returns the number that Neutron raises whenever a subnet changes.
func revisionNumber(ctx context.Context, client *gophercloud.ServiceClient, subnet string) (int, error) {
	var body struct {
		Subnet struct {
			RevisionNumber *int `json:"revision_number"`
		}
	}
	if err := subnets.Get(ctx, client, subnet).ExtractInto(&body); err != nil {
		return 0, err
	}
	if body.Subnet.RevisionNumber == nil {
		return 0, errors.New("this Neutron has no revision numbers: it could not refuse an edit of what has changed")
	}
	return *body.Subnet.RevisionNumber, nil
}

var errNotSent = errors.New("not sent")

// send gives a subnet of the cloud the host routes of s, unless its revision is another one by now.
func send(ctx context.Context, client *gophercloud.ServiceClient, s *hostroute.Subnet, revision int, out io.Writer) error {
	list := make([]subnets.HostRoute, len(s.HostRoutes))
	for i, r := range s.HostRoutes {
		list[i] = subnets.HostRoute{DestinationCIDR: r.Destination.String(), NextHop: r.NextHop.String()}
	}
	opts := subnets.UpdateOpts{HostRoutes: &list, RevisionNumber: &revision}
	answer, err := subnets.Update(ctx, client, s.ID, opts).Extract()
	if gophercloud.ResponseCodeIs(err, http.StatusPreconditionFailed) {
		return fmt.Errorf("%w, because subnet %q has changed since it was read: run this again: %w", errNotSent, s.ID, err)
	}
	if err != nil {
		return err
	}
	what := "host routes"
	if len(answer.HostRoutes) == 1 {
		what = "host route"
	}
	fmt.Fprintf(out, "sent: subnet %s has %d %s\n", quoted(answer.ID), len(answer.HostRoutes), what)
	return nil
}
