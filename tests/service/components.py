#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Programs of components as processes: killed in every phase of their lives, so that the next start
has to say how that one ended; and with a component that hangs, throws, exits, or stops them."""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

HANG = 60
FAILED = 70
FORCED = 124


class Components(unittest.TestCase):
    command = []

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = str(pathlib.Path(folder.name, "subject.flight"))

    def start(self, what, step):
        process = subprocess.Popen(
            [*self.command, self.file, what, step], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, HANG)
        self.addCleanup(process.kill)
        return process

    def await_line(self, process, wanted):
        for line in process.stdout:
            if line.rstrip() == wanted:
                return
        self.fail(f"it ended without saying {wanted!r}: {process.stderr.read()}")

    def end(self, process):
        """What it said after all that was read already, and its exit code."""
        self.out, self.err = process.communicate(timeout=HANG)
        return process.returncode

    def steps(self):
        """What the components said, without what came from the thread of the sinks."""
        return [line for line in self.out.splitlines() if line not in ("ready", "told")]

    def run_to_end(self, what, step, stops=True):
        process = self.start(what, step)
        if stops:
            self.await_line(process, "ready")
            process.send_signal(signal.SIGTERM)
        return self.end(process)

    # ---- killed

    def killed_inside(self, step, said, *, stops):
        process = self.start("waits", step)
        if stops:
            self.await_line(process, "ready")
            process.send_signal(signal.SIGTERM)
        self.await_line(process, "ready" if step == "ready" else "told" if step == "lame" else "inside")
        process.kill()
        self.assertEqual(self.end(process), -signal.SIGKILL)
        self.assertEqual(self.run_to_end("nothing", "none"), 0, self.err)
        self.assertRegex(self.err, rf"the last run \(pid {process.pid}, began .* UTC\) {said}")

    def test_sigkill_inside_a_start_is_told_by_the_next_start(self):
        self.killed_inside("start", "did not end: inside start of db-pool, .* used", stops=False)

    def test_sigkill_while_all_are_up_is_told_by_the_next_start(self):
        self.killed_inside("ready", "ended without a word while running", stops=False)

    def test_sigkill_inside_a_prepare_is_told_by_the_next_start(self):
        self.killed_inside("prepare", "did not end: inside prepare of db-pool, .* used",
                           stops=False)

    def test_sigkill_during_the_lame_duck_is_told_by_the_next_start(self):
        self.killed_inside("lame", "did not end: while stopping, reason signal SIGTERM", stops=True)

    def test_sigkill_inside_a_drain_is_told_by_the_next_start(self):
        self.killed_inside("drain", "did not end: inside drain of db-pool, .* used, "
                           "reason signal SIGTERM", stops=True)

    def test_sigkill_inside_a_stop_is_told_by_the_next_start(self):
        self.killed_inside("stop", "did not end: inside stop of db-pool, .* used, "
                           "reason signal SIGTERM", stops=True)

    def test_sigkill_inside_an_abort_is_told_by_the_next_start(self):
        self.killed_inside("abort", "did not end: inside stop of db-pool, .* used, inside abort of "
                           "db-pool, .* used, reason signal SIGTERM", stops=True)

    def test_the_cause_of_a_stop_during_the_start_is_not_lost(self):
        process = self.start("waits", "start")
        self.await_line(process, "inside")
        process.send_signal(signal.SIGTERM)
        self.await_line(process, "told")
        process.kill()
        self.end(process)
        self.assertEqual(self.run_to_end("nothing", "none"), 0, self.err)
        self.assertRegex(self.err, "inside start of db-pool, .* used, reason signal SIGTERM")

    # ---- a component that does not do what it should

    def abandoned(self, step):
        self.assertRegex(self.err, r"db-pool: abandoned, declared at .*components_subject\.cpp:\d+")
        self.assertIn("log stops", self.out)
        self.assertNotEqual(self.run_to_end("nothing", "none"), FAILED, self.err)
        self.assertRegex(self.err, f"the last run .* ended: .*exit code|inside {step} of db-pool")

    def test_one_that_hangs_in_its_start_does_not_leave_half_the_system_running(self):
        self.assertEqual(self.run_to_end("hangs", "start", stops=False), FORCED, self.err)
        self.assertRegex(self.err, "db-pool: cannot start, .*: it took longer than its start_timeout")
        self.abandoned("start")

    def test_one_that_hangs_in_its_drain_starves_nobody(self):
        self.assertEqual(self.run_to_end("hangs", "drain"), 128 + signal.SIGTERM, self.err)
        self.abandoned("drain")

    def test_one_that_hangs_in_its_stop_starves_nobody(self):
        self.assertEqual(self.run_to_end("hangs", "stop"), 128 + signal.SIGTERM, self.err)
        self.assertIn("db-pool aborts", self.out)
        self.abandoned("stop")

    def test_one_that_hangs_in_its_abort_starves_nobody(self):
        self.assertEqual(self.run_to_end("hangs", "abort"), 128 + signal.SIGTERM, self.err)
        self.abandoned("stop")

    def thrown(self, step, stops=True):
        code = self.run_to_end("throws", step, stops)
        if code == 0:
            self.skipTest("built without exceptions")
        self.assertEqual(code, FAILED, self.err)
        self.assertIn("log stops", self.out)
        self.assertIn("the pool is dry", self.err)

    def test_one_that_throws_in_its_start_has_what_had_started_stopped(self):
        process = self.start("throws", "start")
        try:
            self.assertEqual(self.end(process), FAILED)
        except subprocess.TimeoutExpired:
            self.skipTest("built without exceptions")
        self.assertIn("log stops", self.out)
        self.assertRegex(self.err, r"db-pool: cannot start, declared at .*: the pool is dry")

    def test_one_that_throws_in_its_drain_is_stopped_and_so_are_all(self):
        self.thrown("drain")
        self.assertIn("db-pool stops", self.out)

    def test_one_that_throws_in_its_stop_counts_as_stopped_and_the_run_as_failed(self):
        self.thrown("stop")

    def test_exit_inside_a_component_does_not_wait_for_the_component(self):
        for step in ("start", "drain", "stop"):
            with self.subTest(step):
                self.assertEqual(self.run_to_end("exit", step, stops=step != "start"), FAILED)
                self.assertIn("exit() was called before all was released", self.err)

    def test_one_that_asks_for_the_stop_in_its_start_takes_the_way_of_every_stop(self):
        self.assertEqual(self.run_to_end("itself", "start", stops=False), 0, self.err)
        self.assertEqual(self.steps()[-2:], ["db-pool stops", "log stops"])
        self.assertNotIn("web starts", self.out)

    def test_one_that_asks_for_the_stop_in_its_stop_changes_nothing(self):
        self.assertEqual(self.run_to_end("itself", "stop"), 0, self.err)
        self.assertEqual(self.steps()[-2:], ["db-pool stops", "log stops"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    program = os.path.abspath(os.path.join(options.exe_dir, "components_subject"))
    if not os.path.exists(program):
        sys.exit(77)  # Windows has no SIGTERM to send
    Components.command = [program]
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
