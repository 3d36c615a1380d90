// SPDX-License-Identifier: BSL-1.0

//! Tokens, their children, and the futures that wait for them.

use crate::measure::{median, per, timed, wait_for, InTask, Report};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub fn measure(report: &mut Report, runtime: &Runtime) {
    let token = CancellationToken::new();
    report.operation("poll/tokio", || assert!(!token.is_cancelled()));
    report.operation("create/tokio", || drop(CancellationToken::new()));
    callback(report, runtime);
    for siblings in [1, 1000, 100_000] {
        let parent = CancellationToken::new();
        let _held = children_of(&parent, siblings);
        report.operation(&format!("child_{siblings}/tokio"), || {
            drop(parent.child_token())
        });
    }
    report.on_two_threads("child_2_threads/tokio", || drop(token.child_token()));
    stop_children(report);
    stop_chain(report);
}

/// What comes nearest to a callback: a future that began to wait for the token, and is dropped.
fn callback(report: &mut Report, runtime: &Runtime) {
    let token = CancellationToken::new();
    report.batches("callback/tokio", |n| {
        runtime.block_on(InTask(|context: &mut std::task::Context<'_>| {
            timed(|| {
                for _ in 0..n {
                    let cancelled = token.cancelled();
                    tokio::pin!(cancelled);
                    wait_for(cancelled, context);
                }
            })
        }))
    });
}

fn children_of(parent: &CancellationToken, number: usize) -> Vec<CancellationToken> {
    (0..number).map(|_| parent.child_token()).collect()
}

fn stop_children(report: &mut Report) {
    const CHILDREN: usize = 100_000;
    let round = |_| {
        let parent = CancellationToken::new();
        let children = children_of(&parent, CHILDREN);
        let time = timed(|| parent.cancel());
        assert!(children.iter().all(CancellationToken::is_cancelled));
        per(time, CHILDREN)
    };
    let each = (0..report.few(20) + 2).map(round).skip(2).collect();
    report.add("stop_100000_children/tokio", median(each), &[]);
}

fn stop_chain(report: &mut Report) {
    const LEVELS: usize = 1000;
    let round = |_| {
        let mut chain = vec![CancellationToken::new()];
        for level in 0..LEVELS {
            chain.push(chain[level].child_token());
        }
        let time = timed(|| chain[0].cancel());
        assert!(chain[LEVELS].is_cancelled());
        per(time, LEVELS)
    };
    let each = (0..report.few(1000) + 2).map(round).skip(2).collect();
    report.add("stop_chain_1000/tokio", median(each), &[]);
}
