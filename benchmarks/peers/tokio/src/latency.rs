// SPDX-License-Identifier: BSL-1.0

//! How late code runs after what it waits for: a deadline, a stop, a signal.

use crate::measure::{between, Report};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::signal::unix::{signal, SignalKind};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

pub fn measure(report: &mut Report, runtime: &Runtime) {
    let late = lateness(report.few(10_000), runtime);
    report.latencies("lateness/tokio", late);
    let late = wakes(report.few(4000), runtime);
    report.latencies("wake/tokio", late);
    let late = signals(report.few(4000), runtime);
    report.latencies("signal/tokio", late);
}

/// A task a deadline, which sleeps until then.
fn lateness(deadlines: usize, runtime: &Runtime) -> Vec<i64> {
    let begin = Instant::now() + Duration::from_millis(100);
    let spawn = |i: usize| {
        let deadline = begin + Duration::from_micros(100 * i as u64);
        runtime.spawn(async move {
            sleep_until(deadline.into()).await;
            between(deadline, Instant::now())
        })
    };
    let tasks: Vec<_> = (0..deadlines).map(spawn).collect();
    let finish = |task: JoinHandle<i64>| runtime.block_on(task).expect("a task that ended");
    tasks.into_iter().map(finish).collect()
}

/// What may pass until a task surely waits.
const SETTLE: Duration = Duration::from_micros(100);

/// A fresh task a round waits for the stop, and who stops it then waits for the task.
fn wakes(rounds: usize, runtime: &Runtime) -> Vec<i64> {
    let round = |_| {
        let token = CancellationToken::new();
        let waiting = token.clone();
        let task = runtime.spawn(async move {
            waiting.cancelled().await;
            Instant::now()
        });
        std::thread::sleep(SETTLE);
        let start = Instant::now();
        token.cancel();
        between(start, runtime.block_on(task).expect("a task that woke"))
    };
    (0..rounds).map(round).collect()
}

/// One task waits for each signal, and another thread sends it.
fn signals(rounds: usize, runtime: &Runtime) -> Vec<i64> {
    let (sender, arrived) = mpsc::channel();
    let _guard = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).expect("a listener for SIGTERM");
    runtime.spawn(async move {
        while terminate.recv().await.is_some() && sender.send(Instant::now()).is_ok() {}
    });
    let round = |_| {
        std::thread::sleep(SETTLE);
        let start = Instant::now();
        assert_eq!(unsafe { libc::kill(libc::getpid(), libc::SIGTERM) }, 0);
        between(start, arrived.recv().expect("the signal"))
    };
    (0..rounds).map(round).collect()
}
