//go:build !race

package neutron_test

const race = false
