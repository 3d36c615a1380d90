// SPDX-License-Identifier: BSL-1.0

//! Deadlines that are set and given up before they pass.

use crate::measure::{median, per, timed, wait_for, InTask, Report};
use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::Context;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout, Sleep};
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_secs(60);

pub fn measure(report: &mut Report, runtime: &Runtime) {
    // Some earlier timer stands, as in any program at work: without one each new timer is the
    // earliest and wakes the driver by a system call.
    let standing = runtime.spawn(async {
        loop {
            sleep(Duration::from_secs(1)).await;
        }
    });
    std::thread::sleep(Duration::from_millis(10));
    arm_and_disarm(report, runtime, "deadline/tokio_timer", || sleep(MINUTE));
    let parent = CancellationToken::new();
    arm_and_disarm(report, runtime, "deadline/tokio", || {
        stop_or_deadline(parent.child_token())
    });
    many_live(report, runtime);
    standing.abort();
}

/// A child that is waited for, but not longer than a minute.
async fn stop_or_deadline(child: CancellationToken) {
    let _ = timeout(MINUTE, child.cancelled()).await;
}

fn arm_and_disarm<F: Future>(
    report: &mut Report,
    runtime: &Runtime,
    name: &str,
    make: impl Fn() -> F,
) {
    report.batches(name, |n| {
        runtime.block_on(InTask(|context: &mut Context<'_>| {
            timed(|| {
                for _ in 0..n {
                    let future = make();
                    tokio::pin!(future);
                    wait_for(future, context);
                }
            })
        }))
    });
}

/// The timeout of one in many: over an hour, in no order, none of them soon.
fn spread(i: usize) -> Duration {
    MINUTE + 3600 * Duration::from_micros((i * 7919 % 1_000_000) as u64)
}

type Timers = Vec<Pin<Box<Sleep>>>;

fn insert_all(timers: &mut Timers, context: &mut Context<'_>) {
    for i in 0..timers.capacity() {
        let mut timer = Box::pin(sleep(spread(i)));
        wait_for(timer.as_mut(), context);
        timers.push(timer);
    }
}

fn many_live(report: &mut Report, runtime: &Runtime) {
    let live = report.few(1_000_000);
    let (mut inserts, mut removes) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut timers = Timers::with_capacity(live);
        let in_task = InTask(|context: &mut Context<'_>| insert_all(&mut timers, context));
        inserts.push(per(timed(|| runtime.block_on(in_task)), live));
        removes.push(per(timed(|| timers.clear()), live));
    }
    let mut timers = Timers::with_capacity(live);
    HEAP.counts.store(true, Relaxed);
    runtime.block_on(InTask(|context: &mut Context<'_>| {
        insert_all(&mut timers, context)
    }));
    HEAP.counts.store(false, Relaxed);
    let each = |count: &AtomicUsize| count.load(Relaxed) as f64 / live as f64;
    let heap = [
        ("bytes", each(&HEAP.bytes)),
        ("allocations", each(&HEAP.allocations)),
    ];
    report.add(
        "deadline_1m_insert/tokio",
        median(inserts.split_off(1)),
        &heap,
    );
    report.add(
        "deadline_1m_remove/tokio",
        median(removes.split_off(1)),
        &[],
    );
}

/// The system's heap, which counts what is asked of it in the one round that is not timed.
struct CountingHeap {
    counts: AtomicBool,
    bytes: AtomicUsize,
    allocations: AtomicUsize,
}

#[global_allocator]
static HEAP: CountingHeap = CountingHeap {
    counts: AtomicBool::new(false),
    bytes: AtomicUsize::new(0),
    allocations: AtomicUsize::new(0),
};

unsafe impl GlobalAlloc for CountingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.counts.load(Relaxed) {
            self.bytes.fetch_add(layout.size(), Relaxed);
            self.allocations.fetch_add(1, Relaxed);
        }
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        System.dealloc(pointer, layout)
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        System.realloc(pointer, layout, size)
    }
}
