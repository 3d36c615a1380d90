// SPDX-License-Identifier: BSL-1.0

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func measureLatencies(r *report) {
	r.latencies("lateness", lateness(r.few(10_000)))
	r.latencies("wake", wakes(r.few(4000)))
	r.latencies("signal", signals(r.few(4000)))
}

// lateness gives each deadline to a context with a goroutine that waits for it, which is how
// code comes to run because of a deadline in Go 1.19.
func lateness(deadlines int) []int64 {
	late := make([]int64, deadlines)
	begin := time.Now().Add(100 * time.Millisecond)
	var done sync.WaitGroup
	done.Add(deadlines)
	for i := range late {
		deadline := begin.Add(time.Duration(i) * 100 * time.Microsecond)
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		go func(i int) {
			<-ctx.Done()
			late[i] = int64(time.Since(deadline))
			cancel()
			done.Done()
		}(i)
	}
	done.Wait()
	return late
}

// wakes has a fresh goroutine wait for each stop. Who stops it then blocks, which is Go at its
// best: would it go on computing, the wake took a hundred times as long.
func wakes(rounds int) []int64 {
	late := make([]int64, rounds)
	woken := make(chan time.Time)
	for i := range late {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-ctx.Done()
			woken <- time.Now()
		}()
		time.Sleep(100 * time.Microsecond)
		start := time.Now()
		cancel()
		late[i] = int64((<-woken).Sub(start))
	}
	return late
}

// signals has one goroutine wait on the channel of signal.Notify while another sends.
func signals(rounds int) []int64 {
	late := make([]int64, rounds)
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGTERM)
	defer signal.Stop(received)
	arrived := make(chan time.Time)
	go func() {
		for range late {
			<-received
			arrived <- time.Now()
		}
	}()
	for i := range late {
		time.Sleep(100 * time.Microsecond)
		start := time.Now()
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			panic(err)
		}
		late[i] = int64((<-arrived).Sub(start))
	}
	return late
}
