#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The benchmarks' report tells what was measured: medians, ratios, losses, and what went wrong.

Small programs of our own stand for the benchmarks; each prints what a benchmark would.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.dont_write_bytecode = True
import goals  # noqa: E402
import results  # noqa: E402

CONTEXT = {"host_name": "secret-host", "executable": "/secret/bench", "peer_version": "Go 9.9",
           "num_cpus": 2}
MARKS = "before\n<!-- benchmark: begin -->\nold\n<!-- benchmark: end -->\nafter\n"


def entry(name, time, unit="ns", **more):
    return {"name": name, "run_type": "iteration", "real_time": time, "time_unit": unit, **more}


def raw(*rounds):
    """A raw file of rounds that are each a list of entries."""
    return {"runs": [{"program": "bench", "context": {}, "benchmarks": entries}
                     for entries in rounds]}


def figures_of(**medians):
    """Figures of one sample, from names as poll__curfew."""
    return results.merged(raw([entry(name.replace("__", "/"), time)
                               for name, time in medians.items()]))


def differs(what, found, wanted):
    if found != wanted:
        yield f"{what}: {found!r}, not {wanted!r}"


# The figures.

def check_names():
    for name, wanted in (("poll/std", ("poll", "std")), ("poll/std/real_time", ("poll", "std")),
                         ("a/b/iterations:5/manual_time/threads:2", ("a", "b")),
                         ("a/b/process_time/real_time", ("a", "b")),
                         ("a/1000/threads:2", ("a", "1000")),
                         ("a", None), ("a/b/c", None), ("a b/c", None)):
        yield from differs(name, results.work_and_peer(name), wanted)


def check_medians():
    figures = results.merged(raw([entry("a/x", 10), entry("b/x", 2, "us")], [entry("a/x", 30)],
                                 [entry("a/x", 20), entry("a/x", 99, run_type="aggregate")]))
    figure = figures["a", "x"]
    found = (figure.median, figure.low, figure.high)
    yield from differs("median, least, most", found, (20, 10, 30))
    yield from differs("microseconds", figures["b", "x"].median, 2000)


def check_counters():
    """A latency is its median, not its mean; one deadline that came early is one too many."""
    rounds = [[entry("lateness/curfew", 9, p50=p50, early=early, max=50)]
              for p50, early in ((5, 0), (7, 1), (6, 0))]
    figure = results.merged(raw(*rounds))["lateness", "curfew"]
    yield from differs("p50", figure.median, 6)
    yield from differs("early", figure.counter("early"), 1)
    yield from differs("bytes that nobody counted", figure.counter("bytes"), None)


def check_objections():
    for bad in (entry("a", 1), entry("a/b", 0), entry("a/b", 1, "weeks"), entry("a/b", None),
                entry("a/b", 1, error_occurred=True), entry("a/b", 1, p50=float("nan"))):
        yield from differs(f"{bad} is objected to", bool(results.objection(bad)), True)
        yield from differs(f"{bad} counts", results.merged(raw([bad])), {})
    yield from differs("a good one", results.objection(entry("a/b", 1)), "")


def check_amounts():
    for work, value, wanted in (("a", 0.254, "0.25 ns"), ("a", 12.34, "12.3 ns"),
                                ("a", 999.96, "1.00 µs"), ("a", 2.5e6, "2.50 ms"),
                                ("include_lines_a", 31744, "31 744 lines")):
        yield from differs(f"{value} of {work}", results.amount(work, value), wanted)


# The goals.

def state(part, **medians):
    return goals.judged(part, figures_of(**medians)).state


def check_judging():
    part = goals.Part("a/curfew", "a/std", 0.5)
    yield from differs("at the limit", state(part, a__curfew=5, a__std=10), "met")
    yield from differs("above it", state(part, a__curfew=5.001, a__std=10), "missed")
    yield from differs("no peer", state(part, a__curfew=5), "not measured")
    yield from differs("no curfew", state(part, a__std=5), "not measured")
    yield from differs("no counter", state(goals.Part("a/curfew:bytes", "", 128), a__curfew=5),
                       "not measured")
    yield from differs("a near miss", goals.written(0.5001, 0.5), "0.5001")
    yield from differs("a clear one", goals.written(0.7, 0.5), "0.70")


def check_goals_without_figures():
    states = {verdict.state for _, parts in goals.verdicts({}) for verdict in parts}
    yield from differs("nothing measured", states, {"not measured"})


def check_losses():
    figures = figures_of(a__curfew=10, a__curfew_inplace=1, a__std=5, a__bare=9, a__go=11)
    found = [(loss.ours, loss.peer, loss.times, loss.floor) for loss in goals.losses(figures)]
    yield from differs("losses", found, [("curfew", "std", 2, False),
                                         ("curfew", "bare", 10 / 9, True)])


# The program.

def add_program(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport json, os, pathlib, sys, time\n{body}", "utf-8")
    path.chmod(0o755)


def add_benchmark(path, rounds, condition="True"):
    """A program that prints the next of `rounds` each time, if the condition holds."""
    add_program(path, f"""
assert {condition}, sys.argv
count = pathlib.Path(__file__ + ".count")
turn = len(count.read_text()) if count.exists() else 0
count.write_text("x" * (turn + 1))
print(json.dumps({{"context": {CONTEXT}, "benchmarks": {rounds}[turn]}}))
""")


def add_programs(folder):
    add_benchmark(folder / "bench_create", [
        [entry("create/curfew/real_time", ours), entry("create/std/threads:2", theirs),
         entry("create/bare", 1), entry("token_copy/curfew", 3), entry("token_copy/std", 2)]
        for ours, theirs in ((9, 10), (30, 11), (8, 12))],
        "'--benchmark_format=json' in sys.argv and 'CURFEW_BENCH_QUICK' in os.environ")
    add_benchmark(folder / "peers/peer_go", [[entry("create/go", 90)]] * 3, "'--quick' in sys.argv")
    add_benchmark(folder / "bench_error", [[entry("poll/curfew", 1, error_occurred=True,
                                                  error_message="no luck")]] * 3)
    add_program(folder / "bench_broken", "print('{\"benchmarks\": [')")
    add_program(folder / "bench_crash", "sys.exit('what it said')")
    add_program(folder / "bench_slow", "time.sleep(100)")
    (folder / "bench_no_program.txt").write_text("not run", "utf-8")


def report(*arguments):
    """Exit status, and what it said on both streams."""
    done = subprocess.run([sys.executable, ROOT / "benchmarks/report.py", *arguments], text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8")
    return done.returncode, done.stdout


def lacks(what, text, *wanted):
    for words in wanted:
        if words not in text:
            yield f"{what} does not have {words!r}:\n{text}"


def check_run(work):
    """What is good is shown, what is bad is named, and the status is 1."""
    status, said = report("--bin-dir", work, "--out", work / "out", "--rounds", "3", "--quick",
                          "--only", "create|error|broken|crash|go|no_program")
    yield from differs("status with failures", status, 1)
    yield from lacks("the output", said, "bench_broken, round 1: what it prints is not the JSON",
                     "bench_crash, round 3: exit status 1", "no luck", "round 2/3  bench_create")
    if "no_program" in said:
        yield f"a text was run:\n{said}"
    yield from lacks("failures.log", (work / "out/failures.log").read_text("utf-8"), "what it said")
    yield from check_table((work / "out/table.md").read_text("utf-8"))
    for chart in ("overview.svg", "create.svg"):
        xml.etree.ElementTree.parse(work / "out" / chart)


def check_table(table):
    yield from lacks(
        "the table", table, "go: Go 9.9", "A quick run", "*not measured*",
        "`create/curfew` | 9.00 ns | `std::stop_source`: 11.0 ns | 0.82 × | 0.8 × | **missed** |",
        "| **9.00 ns** (0.82×) | 11.0 ns | 90.0 ns (8.18×) | 1.00 ns (0.091×) |",
        "| `token_copy/curfew` | 3.00 ns | `std::stop_source` | 2.00 ns | 1.50 × |",
        "| `create/curfew` | 9.00 ns | 8.00 ns | 30.0 ns | 3 |")


def check_processes(work):
    """Not quick: each figure of ours comes from a process of its own, whatever its name."""
    add_program(work / "bench_each", f"""
names = ["create/std/threads:2", "create/curfew"]
said = [a for a in sys.argv if a.startswith("--benchmark_filter=^")]
if "--benchmark_list_tests=true" in sys.argv: print(*names, sep="\\n"), sys.exit()
import re
mine = [n for n in names if re.search(said[0].split("=", 1)[1], n)]
assert len(mine) == 1, sys.argv
print(json.dumps({{"context": {CONTEXT}, "benchmarks": [
    {{"name": mine[0], "run_type": "iteration", "real_time": 7 + names.index(mine[0]),
     "time_unit": "ns"}}]}}))
""")
    status, said = report("--bin-dir", work, "--out", work / "each", "--rounds", "1", "--only", "each")
    yield from differs("status of a program with two figures", status, 0)
    yield from lacks("the output", said, "2 figures")
    yield from lacks("the table", (work / "each/table.md").read_text("utf-8"), "8.00 ns", "7.00 ns")


def check_timeout(work):
    status, said = report("--bin-dir", work, "--out", work / "slow", "--rounds", "1", "--only",
                          "slow", "--timeout", "1")
    yield from differs("status of a program that never ends", status, 1)
    yield from lacks("the output", said, "bench_slow", "not done after 1 s")


def check_nothing_to_run(work):
    status, said = report("--bin-dir", work, "--out", work / "none", "--only", "no such program")
    yield from differs("status without programs", status, 1)
    yield from lacks("the output", said, "there is no such benchmark")


def check_redrawing(work):
    """From what was kept, without running: the same table, and the README between its marks."""
    kept, readme = work / "out/raw.json", work / "README.md"
    readme.write_text(MARKS, "utf-8")
    report("--from", kept, "--out", work / "again", "--readme", readme)
    yield from differs("the table redrawn", (work / "again/table.md").read_text("utf-8"),
                       (work / "out/table.md").read_text("utf-8"))
    text = readme.read_text("utf-8")
    yield from lacks("the README", text, "before\n", "after\n", "**missed**", "`token_copy`",
                     "A quick run", "**bench_crash failed in round 1:** exit status 1.",
                     "| source: create + destroy | 9.00 ns", "benchmarks/results/overview.svg")
    written = [readme, kept, *(work / "benchmarks/results").iterdir()]
    yield from differs("files for the README", sorted(path.name for path in written[2:]),
                       ["overview.svg", "table.md"])
    for path in written:
        if "secret" in path.read_text("utf-8") or "\nold\n" in path.read_text("utf-8"):
            yield f"{path.name} names the machine, or kept what was to be replaced"


def check_marks(work):
    readme = work / "unmarked.md"
    readme.write_text("no marks\n", "utf-8")
    status, _ = report("--from", work / "out/raw.json", "--out", work / "again", "--readme", readme)
    yield from differs("status without marks", status, 1)
    yield from differs("a README without marks", readme.read_text("utf-8"), "no marks\n")


def main():
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    failures = []
    for check in (check_names, check_medians, check_counters, check_objections, check_amounts,
                  check_judging, check_goals_without_figures, check_losses):
        failures += [f"{check.__name__}: {problem}" for problem in check()]
    if os.name == "posix":  # elsewhere a script is no program
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            add_programs(work)
            for check in (check_run, check_processes, check_timeout, check_nothing_to_run,
                          check_redrawing, check_marks):
                failures += [f"{check.__name__}: {problem}" for problem in check(work)]
    print("\n".join(failures) or "the report tells what was measured")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
