module example.com/go-hostroute/hostroute/examples/gophercloud

go 1.25.0

require (
	example.com/go-hostroute v0.0.0
	github.com/google/go-cmp v0.7.0
	github.com/gophercloud/gophercloud/v2 v2.15.0
)

require (
	go4.org/netipx v0.0.0-20260823151212-3075585bcbeb // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)

replace example.com/go-hostroute => ../../..
