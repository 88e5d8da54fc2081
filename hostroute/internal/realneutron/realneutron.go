// Package realneutron runs OpenStack's Neutron server for tests: Debian's python3-neutron, alone,
// on the loopback interface, with a database file of its own.
package realneutron

import (
	_ "embed"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	//go:embed server/neutron.conf
	configuration string
	//go:embed server/api-paste.ini
	pipelines string
	//go:embed server/server.py
	program string
)

// python is Debian's, whatever PATH says: its packages have Neutron.
const python = "/usr/bin/python3"

// patience is how long the server may take to start. It needs some five seconds.
const patience = 2 * time.Minute

var client = http.Client{Timeout: patience}

// Start starts a Neutron server that ends with the test, and returns its address,
// "http://127.0.0.1:PORT", when it answers. The API is below /v2.0/ and asks for no token.
//
// Where the packages are missing, and with -short, the test is skipped. With HOSTROUTE_REAL=1 it
// fails if they are missing, and -short does not skip it.
func Start(tb testing.TB) (endpoint string) {
	tb.Helper()
	if testing.Short() && os.Getenv("HOSTROUTE_REAL") != "1" {
		tb.Skip("-short: a Neutron server takes long to start")
	}
	needs(tb, python, "-c", "import neutron")

	dir := tb.TempDir()
	port := freePort(tb)
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
		return file
	}
	write("api-paste.ini", pipelines)
	config := write("neutron.conf", strings.NewReplacer("@DIRECTORY@", dir, "@PORT@", port).Replace(configuration))
	cmd := exec.Command(python, write("server.py", program), config, filepath.Join(dir, "neutron.sqlite"))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if _, err := cmd.StdinPipe(); err != nil { // the server ends when it closes
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	tb.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		log.Close()
		if tb.Failed() {
			tb.Logf("the end of Neutron's log:\n%s", tail(log.Name()))
		}
	})

	endpoint = "http://127.0.0.1:" + port
	await(tb, endpoint+"/v2.0/networks", ended)
	return endpoint
}

// needs skips a test if a command that has no effect fails because a package is missing. Where
// HOSTROUTE_REAL=1 is set, as CI does, the test fails.
func needs(tb testing.TB, argv ...string) {
	tb.Helper()
	missing := tb.Skipf
	if os.Getenv("HOSTROUTE_REAL") == "1" {
		missing = tb.Fatalf
	}
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		missing("needs Debian's python3-neutron, python3-openstackclient and curl: %s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// freePort returns a TCP port that nobody listens on.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// await asks for a URL until the answer is 200.
func await(tb testing.TB, url string, ended <-chan struct{}) {
	tb.Helper()
	late := time.After(patience)
	next := time.NewTicker(100 * time.Millisecond)
	defer next.Stop()
	for {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			tb.Fatal("Neutron's server ends before it answers")
		case <-late:
			tb.Fatalf("Neutron's server does not answer: %v", err)
		case <-next.C:
		}
	}
}

// tail returns the last lines of a file.
func tail(file string) string {
	const size = 8 << 10
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}
