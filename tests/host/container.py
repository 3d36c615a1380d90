#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A program as process 1 of a PID namespace, as in a container: "POSIX rule 35".

For process 1 a signal without a handler is no signal, and orphans of the namespace are its own.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

SKIPPED = 77
SIGNALLED = "signal SIGTERM from uid 0"  # of a process that cannot be seen from in there
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def possible():
    if not shutil.which("unshare"):
        return False
    done = subprocess.run([*NAMESPACE, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60, check=False)
    return done.returncode == 0


class First:
    """The program in a namespace of its own; killed in the end, with all that is in there."""

    program = None

    def __init__(self, mode, environment=None):
        self.keeper = subprocess.Popen(
            [*NAMESPACE, str(First.program), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **(environment or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.keeper.kill()
        self.keeper.communicate(timeout=60)

    def line(self):
        return self.keeper.stdout.readline().rstrip("\n")

    def send(self, number):
        """Its pid, as it is called out here."""
        pid = self.keeper.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        os.kill(int(children.split()[0]), number)

    def finish_start(self):
        self.keeper.stdin.write("\n")
        self.keeper.stdin.flush()

    def end(self):
        return self.keeper.wait(60)


class Container(unittest.TestCase):
    def starts(self, first, grace="no limit"):
        self.assertEqual(first.line(), f"process 1, {grace}")

    def stops(self, first):
        first.send(signal.SIGTERM)
        self.assertEqual(first.line(), SIGNALLED)
        self.assertEqual(first.end(), 5)

    def test_a_term_stops_process_1(self):
        with First("stop") as first:
            self.starts(first)
            self.assertEqual(first.line(), "starting")
            first.finish_start()
            self.assertEqual(first.line(), "ready")
            self.stops(first)

    def test_a_term_during_a_slow_start_is_not_lost(self):
        with First("stop") as first:
            self.starts(first)
            self.assertEqual(first.line(), "starting")
            first.send(signal.SIGTERM)
            first.finish_start()
            self.assertEqual(first.line(), "ready")
            self.assertEqual(first.line(), SIGNALLED)
            self.assertEqual(first.end(), 5)

    def test_orphans_are_reaped_when_asked_to(self):
        with First("reap") as first:
            self.starts(first)
            self.assertEqual(first.line(), "reaped 2, the orphan is gone")
            self.assertEqual(first.line(), "starting")
            first.finish_start()
            self.assertEqual(first.line(), "ready")
            self.stops(first)

    def test_orphans_stay_when_nobody_asks(self):
        with First("leave") as first:
            self.starts(first)
            self.assertEqual(first.line(), "the orphan is there")

    def test_the_grace_period_of_the_pod_is_known(self):
        with First("stop", {"CURFEW_GRACE_SECONDS": "45"}) as first:
            self.starts(first, "45 s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    args = parser.parse_args()
    First.program = args.exe_dir / "proc_first"
    if args.runner or not First.program.exists() or not possible():
        return SKIPPED
    unittest.main(argv=sys.argv[:1], verbosity=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
