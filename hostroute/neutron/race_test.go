//go:build race

package neutron_test

// The race detector makes sync.Pool forget, and so fmt and encoding/json allocate more.
const race = true
