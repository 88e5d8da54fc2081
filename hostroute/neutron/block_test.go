package neutron

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// However small the reads of the source, each Read gets all that it asks for: encoding/json scans
// white space again after each, and would take quadratic time otherwise.
func TestBlockReaderFillsWhatItIsGiven(t *testing.T) {
	text := strings.Repeat("x", 300_000)
	r := &blockReader{source: bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(text)), 64<<10)}
	for _, tt := range []struct{ ask, want int }{{1000, 1000}, {200_000, 200_000}, {100_000, 99_000}} {
		if n, err := r.Read(make([]byte, tt.ask)); n != tt.want || err != nil {
			t.Errorf("asked for %d, got %d, %v; want %d", tt.ask, n, err, tt.want)
		}
	}
	if n, err := r.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("at the end: got %d, %v", n, err)
	}
}
