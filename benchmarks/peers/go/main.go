// SPDX-License-Identifier: BSL-1.0

// The peer "go": contexts, timers and signals of Go's standard library, measured as curfew's own
// benchmarks are and printed in the JSON of Google Benchmark.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

const help = `peer_go: what contexts, timers and signals cost in Go, as Google Benchmark's JSON.
  --quick   about 20 times fewer iterations, to see that it works
  --help    this text
Other flags are ignored.`

func main() {
	r := report{}
	for _, argument := range os.Args[1:] {
		switch argument {
		case "--help":
			fmt.Println(help)
			return
		case "--quick":
			r.quick = true
		}
	}
	measureTree(&r)
	measureDeadlines(&r)
	measureLatencies(&r)
	r.print("Go " + strings.TrimPrefix(runtime.Version(), "go"))
}
