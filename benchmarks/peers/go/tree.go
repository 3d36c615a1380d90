// SPDX-License-Identifier: BSL-1.0

package main

import (
	"context"
	"fmt"
	"time"
)

func measureTree(r *report) {
	r.loop("poll", poll)
	r.loop("create", func(n int) time.Duration { return childrenOf(context.Background(), n) })
	for _, siblings := range []int{1, 1000, 100_000} {
		parent, cancel := family(siblings)
		work := fmt.Sprint("child_", siblings)
		r.loop(work, func(n int) time.Duration { return childrenOf(parent, n) })
		cancel()
	}
	r.loop("child_2_threads", func(n int) time.Duration {
		parent, cancel := context.WithCancel(context.Background())
		defer cancel()
		return onTwoThreads(n, func() { child(parent) })
	})
	stopChildren(r)
	stopChain(r)
}

// poll asks by a select on Done, which in Go 1.19 is the faster of the two usual ways: Err takes
// a mutex.
func poll(n int) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start := time.Now()
	for i := 0; i < n; i++ {
		select {
		case <-ctx.Done():
			panic("stopped before anyone asked for it")
		default:
		}
	}
	return time.Since(start)
}

func child(parent context.Context) {
	_, cancel := context.WithCancel(parent)
	cancel()
}

func childrenOf(parent context.Context, n int) time.Duration {
	start := time.Now()
	for i := 0; i < n; i++ {
		child(parent)
	}
	return time.Since(start)
}

// family makes a parent with that many children, which live until it is cancelled.
func family(children int) (context.Context, context.CancelFunc) {
	parent, cancel := context.WithCancel(context.Background())
	cancels := make([]context.CancelFunc, children)
	for i := range cancels {
		_, cancels[i] = context.WithCancel(parent)
	}
	return parent, cancel
}

func stopChildren(r *report) {
	const children = 100_000
	each := make([]float64, r.few(20)+2)
	for i := range each {
		_, cancel := family(children)
		each[i] = float64(timed(1, cancel)) / children
	}
	r.add("stop_100000_children", median(each[2:]))
}

func stopChain(r *report) {
	const levels = 1000
	each := make([]float64, r.few(1000)+2)
	cancels := make([]context.CancelFunc, levels)
	for i := range each {
		last, cancel := context.WithCancel(context.Background())
		for level := range cancels {
			last, cancels[level] = context.WithCancel(last)
		}
		each[i] = float64(timed(1, cancel)) / levels
		if last.Err() == nil {
			panic("the stop did not reach the end of the chain")
		}
	}
	r.add("stop_chain_1000", median(each[2:]))
}
