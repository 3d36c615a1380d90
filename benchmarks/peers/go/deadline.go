// SPDX-License-Identifier: BSL-1.0

package main

import (
	"context"
	"runtime"
	"time"
)

func measureDeadlines(r *report) {
	// Some earlier timer stands, as in any program at work and as with the other peers.
	defer time.AfterFunc(45*time.Second, func() {}).Stop()
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	timeout := func() {
		_, cancel := context.WithTimeout(parent, time.Minute)
		cancel()
	}
	r.loop("deadline", func(n int) time.Duration { return timed(n, timeout) })
	r.loop("deadline_2_threads", func(n int) time.Duration { return onTwoThreads(n, timeout) })
	manyLive(r)
}

// spread gives the timeout of one in many: over an hour, in no order, none of them soon.
func spread(i int) time.Duration {
	return time.Minute + time.Duration(i*7919%1_000_000)*3600*time.Microsecond
}

// manyLive holds a million contexts, of which each has a deadline and none a parent, whose map of
// children would only make them dearer.
func manyLive(r *report) {
	const rounds = 3
	cancels := make([]context.CancelFunc, r.few(1_000_000))
	inserts, removes := make([]float64, rounds), make([]float64, rounds)
	bytes, allocations := sizeOf(cancels)
	for round := range inserts {
		heap()
		inserts[round] = insertAll(cancels)
		removes[round] = removeAll(cancels)
	}
	entry := r.add("deadline_1m_insert", median(inserts))
	entry["bytes"], entry["allocations"] = bytes, allocations
	r.add("deadline_1m_remove", median(removes))
}

func insertAll(cancels []context.CancelFunc) float64 {
	start := time.Now()
	for i := range cancels {
		_, cancels[i] = context.WithTimeout(context.Background(), spread(i))
	}
	return float64(time.Since(start)) / float64(len(cancels))
}

func removeAll(cancels []context.CancelFunc) float64 {
	start := time.Now()
	for i := range cancels {
		cancels[i]()
		cancels[i] = nil
	}
	return float64(time.Since(start)) / float64(len(cancels))
}

// sizeOf says how many bytes and allocations each of many live contexts takes, all told.
func sizeOf(cancels []context.CancelFunc) (bytes, allocations float64) {
	before := heap()
	insertAll(cancels)
	after := heap()
	removeAll(cancels)
	n := float64(len(cancels))
	return float64(after.HeapAlloc-before.HeapAlloc) / n, float64(after.Mallocs-before.Mallocs) / n
}

// heap is the state of the heap without garbage: the scheduler drops stopped timers from its
// own heaps only now and then, so it gets time for that before the collection.
func heap() (stats runtime.MemStats) {
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return
}
