#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the system calls of the stop floor with strace.

Creating and cancelling 100 000 contexts with deadlines in the steady state makes none, on any
thread; a stop of 5000 callbacks with nobody waiting makes at most one futex call.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
# Where the kernel has no fast path for the clock, reading it is a system call of the machine's.
OF_THE_MACHINE = {"clock_gettime", "clock_gettime64", "gettimeofday", "time"}


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def trace(strace, program):
    """The lines of a trace of the program, all threads."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "trace")
        command = [strace, "-f", "-qq", "-o", log, program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if "ptrace" in done.stderr or "PTRACE" in done.stderr:
            skip("tracing is not allowed here")
        if done.returncode != 0:
            sys.exit(f"{program} ended with {done.returncode}: {done.stderr}")
        with open(log, encoding="utf-8", errors="replace") as lines:
            return lines.read().splitlines()


def between_marks(lines):
    """The names of the calls begun between the marks."""
    names = []
    inside = False
    for line in lines:
        if 'write(-1, "end"' in line:
            return names
        call = re.match(r"\d+\s+(\w+)\(", line)
        if inside and call and call.group(1) not in OF_THE_MACHINE:
            names.append(call.group(1))
        inside = inside or 'write(-1, "begin"' in line
    sys.exit("the trace has no marks")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux") or arguments.runner:
        skip("there is no strace for this system")
    strace = shutil.which("strace")
    if strace is None:
        skip("strace is not installed")

    with open(os.path.join(arguments.exe_dir, "stop_fans_out"), "rb") as program:
        if b"__tsan_init" in program.read():
            skip("under the thread sanitizer threads sleep by naps")

    def calls(program):
        return between_marks(trace(strace, os.path.join(arguments.exe_dir, program)))

    churn = calls("stop_churns_deadlines")
    print(f"100 000 deadlines made and cancelled: {len(churn)} system calls {churn[:20]}")
    fan_out = calls("stop_fans_out").count("futex")
    print(f"a stop of 5000 callbacks: {fan_out} futex calls")
    sys.exit(0 if not churn and fan_out <= 1 else 1)


if __name__ == "__main__":
    main()
