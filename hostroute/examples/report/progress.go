package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress tells a person at a terminal what takes so long. Elsewhere it is silent.
type progress struct {
	out  io.Writer // nil: silent
	end  chan struct{}
	idle sync.WaitGroup

	mu   sync.Mutex
	text string
}

// How long the program is silent at first, and then how often it tells.
const (
	patience = time.Second
	interval = 200 * time.Millisecond
)

func newProgress(stderr io.Writer) *progress {
	p := &progress{end: make(chan struct{})}
	if file, ok := stderr.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.out = stderr
			p.idle.Go(p.tell)
		}
	}
	return p
}

// tell shows the text that is there from time to time, and removes it at the end.
func (p *progress) tell() {
	const erase = "\r\x1b[K"
	wait := patience
	for {
		select {
		case <-p.end:
			if wait != patience {
				fmt.Fprint(p.out, erase)
			}
			return
		case <-time.After(wait):
			wait = interval
			p.mu.Lock()
			fmt.Fprint(p.out, erase, p.text)
			p.mu.Unlock()
		}
	}
}

// say sets the text to show.
func (p *progress) say(format string, args ...any) {
	if p.out == nil {
		return
	}
	p.mu.Lock()
	p.text = fmt.Sprintf(format, args...)
	p.mu.Unlock()
}

// done ends the telling.
func (p *progress) done() {
	close(p.end)
	p.idle.Wait()
}

// A reading is a document that is being read.
type reading struct {
	io.Reader
	name     string
	bytes    int
	progress *progress
}

func (r *reading) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.bytes += n
	r.progress.say("reading %s: %d MB", quoted(r.name), r.bytes>>20)
	return n, err
}
