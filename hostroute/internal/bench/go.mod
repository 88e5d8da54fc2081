module example.com/go-hostroute/hostroute/internal/bench

go 1.26

require (
	example.com/go-hostroute v0.0.0
	github.com/gaissmai/bart v0.30.0
	go4.org/netipx v0.0.0-20260823151212-3075585bcbeb
)

replace example.com/go-hostroute => ../../..
