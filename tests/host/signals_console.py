#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The bridge in whole programs on Windows or under Wine.

Under Wine SIGINT arrives as a real Ctrl-C; the other console events cannot be caused from outside,
so the program calls the handler as the system would, on a thread of its own.
"""
import argparse
import pathlib
import signal
import subprocess
import sys

SKIPPED = 77
FAILURES = []


def check(what, seen, wanted):
    if seen != wanted:
        FAILURES.append(f"{what}: {seen!r} instead of {wanted!r}")


def interrupted_three_times(command, mode):
    child = subprocess.Popen([*command, mode], stdout=subprocess.PIPE, text=True)
    try:
        for wanted in ("ready", "stop 3 2 0 -1", "hurry 3 2 0 -1"):
            check(f"{mode}, said", child.stdout.readline().strip(), wanted)
            child.send_signal(signal.SIGINT)
        check(f"{mode}, said", child.stdout.read(), "")
        check(f"{mode}, exit code", child.wait(60), 130)
    finally:
        child.kill()


def runs(command, mode, lines, code):
    done = subprocess.run([*command, *mode.split()], stdout=subprocess.PIPE, text=True, timeout=60)
    check(f"{mode}, said", done.stdout.split("\n")[:-1], lines)
    check(f"{mode}, exit code", done.returncode, code)


def main():
    # What a shell runs in the background ignores SIGINT, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    args = parser.parse_args()
    program = args.exe_dir / "signal_child.exe"
    if not program.exists():
        return SKIPPED
    command = [*args.runner, str(program)]
    if args.runner:
        interrupted_three_times(command, "stop")
        interrupted_three_times(command, "busy")
    # The handler never returned, so it never said so; the outcome ended a main that was stuck.
    runs(command, "close 300", ["stop 4 2 0 -1"], 9)
    runs(command, "logoff 300", ["stop 4 5 0 -1"], 9)
    runs(command, "unsaid 300", ["stop 4 2 0 -1"], 1)
    runs(command, "leave", ["destructor"], 5)
    runs(command, "service 300", ["handler 0", "not stopped"], 6)
    return "\n".join(FAILURES) or 0


if __name__ == "__main__":
    sys.exit(main())
