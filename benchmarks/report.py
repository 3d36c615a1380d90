#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs all benchmarks several times in turn, and shows what they say.

Writes raw.json (everything), table.md (goals, losses, medians) and one SVG chart a group. A missed
goal is told and is no failure; a program that fails is named, the others still run, and the exit
status is 1.
"""
import argparse
import json
import pathlib
import re
import signal
import sys

import charts
import measure
import results
import tables

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bin-dir", type=pathlib.Path, metavar="DIR",
                        help="where bench_* and peers/peer_* are")
    source.add_argument("--from", type=pathlib.Path, metavar="RAW", dest="raw",
                        help="run nothing, show this raw.json again")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR", required=True)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--quick", action="store_true", help="to see that everything works")
    parser.add_argument("--only", default="", metavar="REGEX",
                        help='only programs whose name it finds; "include" is the cost of headers')
    parser.add_argument("--timeout", type=float, default=900, metavar="S", help="for one process")
    parser.add_argument("--readme", type=pathlib.Path, metavar="README.md",
                        help="put the short table between its marks, and the chart and the full "
                             "table into benchmarks/results beside it")
    chosen = parser.parse_args()
    if chosen.rounds < 1:
        parser.error("--rounds is at least 1")
    try:
        re.compile(chosen.only)
    except re.error as error:
        parser.error(f"--only: {error}")
    return chosen


def write(path, text):
    path.write_bytes(text.encode("utf-8"))  # the same on every system


def measured(chosen):
    """Runs everything; what there is so far is kept after each round."""
    log = chosen.out / "failures.log"
    log.unlink(missing_ok=True)
    session = measure.Session(chosen.rounds, chosen.quick, chosen.timeout, log)
    session.raw["only"] = chosen.only
    jobs = session.jobs(chosen.bin_dir, chosen.only)
    if not jobs or not (chosen.only or measure.programs(chosen.bin_dir)):
        sys.exit(f"there is no such benchmark in {chosen.bin_dir}")
    session.run(jobs, lambda raw: write(chosen.out / "raw.json", json.dumps(raw, indent=1)))
    return session.raw


def show(raw, figures, out):
    """Charts and table; gives back the charts."""
    drawn = charts.charts(raw, figures)
    for name, svg in drawn.items():
        write(out / name, svg)
    write(out / "table.md", tables.full(raw, figures, drawn))
    return drawn


def put_into_readme(readme, raw, figures, drawn):
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        sys.exit(f"{readme} does not have one {BEGIN} and, after it, one {END}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    write(readme, f"{before}{BEGIN}\n{tables.short(raw, figures)}\n{END}{after}")
    folder = readme.parent / "benchmarks" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: svg for name, svg in drawn.items() if name == "overview.svg"}
    for name, svg in kept.items():
        write(folder / name, svg)
    write(folder / "table.md", tables.full(raw, figures, kept))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a running program ends too
    chosen = options()
    chosen.out.mkdir(parents=True, exist_ok=True)
    raw = json.loads(chosen.raw.read_text(encoding="utf-8")) if chosen.raw else measured(chosen)
    figures = results.merged(raw)
    if not figures:
        sys.exit("nothing was measured")
    drawn = show(raw, figures, chosen.out)
    if chosen.readme:
        put_into_readme(chosen.readme, raw, figures, drawn)
    print(tables.summary(tables.verdicts(figures)))
    print(f"{chosen.out / 'table.md'}, {len(drawn)} charts")
    for failure in raw["failures"]:
        print(f"failed: {failure['program']}, round {failure['round']}: {failure['why']}")
    return 1 if raw["failures"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
