#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a service says to supervisors other than systemd, from the same ready(): a pipe as s6 and
dinit pass it, and a real s6 where it is installed."""
import argparse
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HANG = 60


def environment(**more):
    return {**os.environ, **more}


class Pipe(unittest.TestCase):
    program = ""

    def setUp(self):
        self.ours, theirs = os.pipe()
        os.set_inheritable(theirs, True)
        self.addCleanup(os.close, self.ours)
        self.theirs = theirs

    def start(self, word, named=None):
        named = str(self.theirs) if named is None else named
        process = subprocess.Popen([self.program, word], env=environment(CURFEW_READY_FD=named),
                                   pass_fds=[self.theirs], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        os.close(self.theirs)
        return process

    def hears(self):
        self.assertTrue(select.select([self.ours], [], [], HANG)[0], "nothing is heard")
        return os.read(self.ours, 16)

    def test_a_service_that_is_ready_says_so_once_and_stops_cleanly(self):
        process = self.start("tell_order")
        self.assertIn("ready", process.stdout.readline())
        self.assertEqual(self.hears(), b"\n")
        self.assertEqual(self.hears(), b"")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(HANG), 0)

    def test_a_service_that_fails_before_it_is_ready_only_closes_the_pipe(self):
        process = self.start("no such word")
        self.assertEqual(self.hears(), b"")
        self.assertNotEqual(process.wait(HANG), 0)

    def test_a_descriptor_that_is_not_open_is_told_and_the_service_runs(self):
        process = self.start("tell_order", named="987")
        self.assertIn("ready", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=HANG)
        self.assertEqual(process.returncode, 0)
        self.assertIn("CURFEW_READY_FD=987: Bad file descriptor", said)


@unittest.skipUnless(shutil.which("s6-supervise"), "s6 is not installed")
class S6(unittest.TestCase):
    program = ""

    def test_s6_waits_for_ready_and_stops_it(self):
        with tempfile.TemporaryDirectory() as folder:
            service = pathlib.Path(folder, "subject")
            service.mkdir()
            service.joinpath("notification-fd").write_text("3\n")
            run = service / "run"
            run.write_text(f"#!/bin/sh\nCURFEW_READY_FD=3 exec {self.program} tell_order\n")
            run.chmod(0o755)
            supervisor = subprocess.Popen(["s6-supervise", service], stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL)
            try:
                self.await_state(service, "-U")  # up and ready
                self.assertIn("ready", subprocess.check_output(["s6-svstat", service], text=True))
                subprocess.run(["s6-svc", "-d", service], check=True, timeout=HANG)
                self.await_state(service, "-D")  # down, and its end is known
                state = subprocess.check_output(["s6-svstat", service], text=True)
                self.assertIn("exitcode 0", state)
            finally:
                supervisor.terminate()
                supervisor.wait(HANG)

    def await_state(self, service, wanted):
        """The supervisor may not have made its control files yet."""
        for _ in range(HANG * 5):
            if subprocess.run(["s6-svwait", wanted, "-t", "200", service],
                              stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return
            select.select([], [], [], 0.05)
        self.fail(f"s6-svwait {wanted}: it never was")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner")
    words = parser.parse_args()
    if words.runner or os.name == "nt":
        return 77
    Pipe.program = S6.program = str(words.exe_dir.resolve() / "service_subject")
    return 0 if unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
