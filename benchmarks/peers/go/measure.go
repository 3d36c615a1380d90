// SPDX-License-Identifier: BSL-1.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"
)

const batches = 9

// A row is one entry of "benchmarks": its name, its time, and whatever counters it has.
type row map[string]any

type report struct {
	quick bool
	rows  []row
}

// few is how often something is done: n times, or a twentieth of that when in a hurry.
func (r *report) few(n int) int {
	if r.quick {
		return (n + 19) / 20
	}
	return n
}

func (r *report) add(work string, ns float64) row {
	entry := row{"name": work + "/go", "run_type": "iteration", "real_time": ns, "time_unit": "ns"}
	r.rows = append(r.rows, entry)
	return entry
}

// loop measures one operation: batch runs it n times and says how long that took. As in
// testing.B, n grows until a batch is long enough, and each work begins with a clean heap.
func (r *report) loop(work string, batch func(n int) time.Duration) {
	long := time.Duration(r.few(40_000_000))
	runtime.GC()
	n := 1
	for batch(n) < long {
		n *= 2
	}
	each := make([]float64, batches)
	for i := range each {
		each[i] = float64(batch(n)) / float64(n)
	}
	r.add(work, median(each))
}

// latencies reports how late things came, in nanoseconds; a negative one came early.
func (r *report) latencies(work string, late []int64) {
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	early := sort.Search(len(late), func(i int) bool { return late[i] >= 0 })
	p50 := late[len(late)/2]
	entry := r.add(work, float64(p50))
	entry["p50"], entry["p99"], entry["max"] = p50, late[len(late)*99/100], late[len(late)-1]
	entry["early"] = early
}

func (r *report) print(version string) {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	context := map[string]any{"peer": "go", "peer_version": version, "num_cpus": runtime.NumCPU()}
	if err := out.Encode(map[string]any{"context": context, "benchmarks": r.rows}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

// timed runs an operation n times.
func timed(n int, operation func()) time.Duration {
	start := time.Now()
	for i := 0; i < n; i++ {
		operation()
	}
	return time.Since(start)
}

// onTwoThreads runs the operation n times in each of two goroutines at once.
func onTwoThreads(n int, operation func()) time.Duration {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(2)
	done.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			ready.Done()
			<-begin
			timed(n, operation)
			done.Done()
		}()
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return time.Since(start)
}
