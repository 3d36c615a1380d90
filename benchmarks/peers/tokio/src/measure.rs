// SPDX-License-Identifier: BSL-1.0

//! Loops, medians, and the report in the JSON of Google Benchmark.

use std::future::Future;
use std::pin::Pin;
use std::sync::Barrier;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

const BATCHES: usize = 9;

pub struct Report {
    quick: bool,
    rows: Vec<String>,
}

impl Report {
    pub fn new(quick: bool) -> Self {
        Report {
            quick,
            rows: Vec::new(),
        }
    }

    /// How often something is done: n times, or a twentieth of that when in a hurry.
    pub fn few(&self, n: usize) -> usize {
        if self.quick {
            (n + 19) / 20
        } else {
            n
        }
    }

    pub fn add(&mut self, name: &str, ns: f64, counters: &[(&str, f64)]) {
        let mut row = format!(
            "{{\"name\": \"{name}\", \"run_type\": \"iteration\", \"real_time\": {ns}, \
             \"time_unit\": \"ns\""
        );
        for (counter, value) in counters {
            row += &format!(", \"{counter}\": {value}");
        }
        self.rows.push(row + "}");
    }

    /// Measures one operation: `batch` runs it n times and says how long that took.
    pub fn batches(&mut self, name: &str, mut batch: impl FnMut(usize) -> Duration) {
        let long = Duration::from_nanos(self.few(40_000_000) as u64);
        let mut n = 1;
        while batch(n) < long {
            n *= 2;
        }
        let each = (0..BATCHES).map(|_| per(batch(n), n)).collect();
        self.add(name, median(each), &[]);
    }

    pub fn operation(&mut self, name: &str, mut operation: impl FnMut()) {
        self.batches(name, |n| timed(|| (0..n).for_each(|_| operation())));
    }

    /// The same by two threads at once, each of which does it n times.
    pub fn on_two_threads(&mut self, name: &str, operation: impl Fn() + Sync) {
        self.batches(name, |n| {
            let begin = Barrier::new(2);
            let run = || {
                begin.wait();
                timed(|| (0..n).for_each(|_| operation()))
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(run);
                run().max(other.join().expect("the other thread's time"))
            })
        });
    }

    /// How late things came, in nanoseconds; a negative one came early.
    pub fn latencies(&mut self, name: &str, mut late: Vec<i64>) {
        late.sort_unstable();
        let early = late.iter().filter(|&&ns| ns < 0).count();
        let (p50, p99) = (
            late[late.len() / 2] as f64,
            late[late.len() * 99 / 100] as f64,
        );
        let max = late[late.len() - 1] as f64;
        let counters = [
            ("p50", p50),
            ("p99", p99),
            ("max", max),
            ("early", early as f64),
        ];
        self.add(name, p50, &counters);
    }

    pub fn print(&self, version: &str) {
        let cpus = std::thread::available_parallelism().map_or(0, |number| number.get());
        println!(
            "{{\n  \"context\": {{\"peer\": \"tokio\", \"peer_version\": \"{version}\", \
             \"num_cpus\": {cpus}}},\n  \"benchmarks\": [\n    {}\n  ]\n}}",
            self.rows.join(",\n    ")
        );
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn per(time: Duration, n: usize) -> f64 {
    time.as_nanos() as f64 / n as f64
}

pub fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Nanoseconds from one instant to another, negative when the other is earlier.
pub fn between(from: Instant, to: Instant) -> i64 {
    let later = to.saturating_duration_since(from).as_nanos() as i64;
    later - from.saturating_duration_since(to).as_nanos() as i64
}

/// A future that runs a function with the task's own context, as `await` does with futures.
pub struct InTask<F>(pub F);

impl<T, F: FnMut(&mut Context<'_>) -> T + Unpin> Future for InTask<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Poll::Ready((self.0)(context))
    }
}

/// Polls a future once, as the first step of awaiting it, and leaves it pending.
pub fn wait_for(future: Pin<&mut impl Future>, context: &mut Context<'_>) {
    assert!(future.poll(context).is_pending(), "ready before its time");
}
