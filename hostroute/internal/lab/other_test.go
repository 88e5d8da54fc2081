//go:build !linux

package lab

import "testing"

func TestRealParts(t *testing.T) {
	t.Skip("the real parts are Linux, its network namespaces, and DHCP on them")
}
