package main

import "testing"

// The measurements run, and what they measure agrees with the peers. Nothing is timed.
func TestRun(t *testing.T) {
	if err := run(1, 1000, 20, 100, 500); err != nil {
		t.Fatal(err)
	}
}
