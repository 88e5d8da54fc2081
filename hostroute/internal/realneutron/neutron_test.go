package realneutron

import "testing"

func TestNeutron(t *testing.T) {
	endpoint := Start(t)
	t.Log(endpoint)
}
