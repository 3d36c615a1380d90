// SPDX-License-Identifier: BSL-1.0

//! The peer "tokio": the tokens of tokio-util, the timers and signals of tokio, measured as
//! curfew's own benchmarks are and printed in the JSON of Google Benchmark.

mod deadline;
mod latency;
mod measure;
mod tree;

const HELP: &str = "\
peer_tokio: what the tokens of tokio-util and the timers and signals of tokio cost, as Google
Benchmark's JSON.
  --quick   about 20 times fewer iterations, to see that it works
  --help    this text
Other flags are ignored.";

/// Written by cargo before it compiles this: the versions that are linked in.
const LOCK: &str = include_str!("../Cargo.lock");

fn version_of(package: &str) -> &str {
    let after = |text: &'static str, what: &str| text.split_once(what).map(|found| found.1);
    after(LOCK, &format!("name = \"{package}\"\nversion = \""))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("of an unknown version")
}

fn main() {
    if std::env::args().any(|argument| argument == "--help") {
        println!("{HELP}");
        return;
    }
    let mut report = measure::Report::new(std::env::args().any(|argument| argument == "--quick"));
    // What #[tokio::main] makes, too.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    tree::measure(&mut report, &runtime);
    deadline::measure(&mut report, &runtime);
    latency::measure(&mut report, &runtime);
    report.print(&format!(
        "tokio {}, tokio-util {}",
        version_of("tokio"),
        version_of("tokio-util")
    ));
}
