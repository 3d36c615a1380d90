#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
#
# A run as a process under an interrupt, which exists on every system: on Windows it is Ctrl-C (Wine
# makes one of a SIGINT that is sent to its process). What only POSIX has is tested by run.cpp.
import argparse
import os
import signal
import subprocess
import sys
import time
import unittest


class Subject:
    """A child process; whatever takes a minute is hung, and fails."""

    windows = False
    command = []

    def __init__(self, *words):
        flags = subprocess.CREATE_NEW_PROCESS_GROUP if os.name == "nt" else 0
        self.process = subprocess.Popen(
            [*Subject.command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True, creationflags=flags)

    def says(self, text):
        while text not in (line := self.process.stdout.readline()):
            assert line, f"it ended without saying {text!r}"

    def interrupt(self):
        time.sleep(0.3)  # not the same press as the one before
        if os.name == "nt":  # Ctrl-C cannot be aimed at one process
            self.process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            self.process.send_signal(signal.SIGINT)

    def end(self):
        try:
            out, self.complaints = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.said = out.splitlines()
        return self.process.returncode

    def stop(self):
        self.says("ready")
        self.interrupt()
        return self.end()


class Run(unittest.TestCase):
    interrupted = 149 if os.name == "nt" else 130

    def test_an_interrupt_stops_it_cleanly(self):
        s = Subject("tell_order")
        self.assertEqual(s.stop(), 0)
        self.assertEqual(s.said, ["main returns", "second released", "first released"])
        self.assertRegex(s.complaints, r"^subject: stopped: signal SIG(INT|BREAK)\b.*\n$")

    def test_a_main_that_is_stuck_is_ended_with_a_report(self):
        s = Subject("stuck_main")
        self.assertEqual(s.stop(), self.interrupted)
        self.assertRegex(s.complaints, r"subject: main: still open after .* of 700 ms\n")
        self.assertIn("subject: forced to end: signal SIG", s.complaints)
        self.assertEqual(s.said, ["not flushed"])

    def test_a_stuck_release_is_named_with_its_place(self):
        s = Subject("stuck_release")
        self.assertEqual(s.stop(), self.interrupted)
        self.assertRegex(s.complaints, r"db-pool: still open after .* registered at .*\.cpp:\d+\n")
        self.assertIn("2 more not released\n", s.complaints)

    def test_a_second_interrupt_hurries(self):
        s = Subject("hurried_release")
        s.says("ready")
        s.interrupt()
        s.says("draining")
        s.interrupt()
        self.assertEqual(s.end(), 0)

    def test_the_last_part_of_the_time_hurries(self):
        s = Subject("hurried_release_by_time")
        self.assertEqual(s.stop(), 0)
        self.assertEqual(s.said, ["draining", "deadline"])

    def test_a_main_that_returns_says_nothing(self):
        s = Subject("finish", "3")
        self.assertEqual(s.end(), 3)
        self.assertEqual(s.complaints, "")

    def test_a_stop_from_inside_is_clean(self):
        self.assertEqual(Subject("ask_itself").end(), 0)

    def test_a_run_inside_a_run_is_refused(self):
        s = Subject("run_inside")
        s.says("inner gave 70")
        self.assertEqual(s.stop(), 0)
        self.assertIn("inner: cannot start: this process already has", s.complaints)

    def test_one_run_after_another_is_allowed(self):
        self.assertEqual(Subject("finish_twice", "0").end(), 0)

    def test_a_main_that_throws_fails_and_says_why(self):
        s = Subject("fail")
        code = s.end()
        if "no such behaviour" in s.complaints:
            self.skipTest("built without exceptions")
        self.assertEqual(code, 70)
        self.assertIn("the disk is full", s.complaints)

    def test_a_closed_console_leaves_less_time_than_the_service_asks_for(self):
        if not Subject.windows:
            self.skipTest("there are no console events here")
        s = Subject("close_console")
        self.assertEqual(s.end(), 124)
        self.assertRegex(s.complaints, r"main: still open after .* of 4\.\d s\n")
        self.assertIn("forced to end: console close", s.complaints)

    def test_a_console_that_is_closed_during_a_stop_leaves_less_time_than_there_was(self):
        if not Subject.windows:
            self.skipTest("there are no console events here")
        s = Subject("close_console_while_stopping")
        self.assertEqual(s.end(), 124)
        self.assertRegex(s.complaints, r"main: still open after 4\.\d s of 30 s\n")
        self.assertIn("forced to end: requested", s.complaints)

    def test_a_call_of_exit_that_loses_resources_is_told_and_is_a_failure(self):
        s = Subject("leave_by_exit_with_resources")
        self.assertEqual(s.end(), 70)
        self.assertIn("exit() was called before all was released", s.complaints)

    def test_the_first_interrupt_after_main_has_returned_hurries(self):
        s = Subject("hurried_release_after_finish")
        s.says("draining")
        s.interrupt()
        self.assertEqual(s.end(), 0)
        self.assertEqual(s.said, ["hurried by a signal"])


def main():
    # What a shell runs in the background ignores SIGINT, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    program = os.path.join(options.exe_dir, "service_subject")
    Subject.windows = os.path.exists(program + ".exe")
    Subject.command = [*options.runner, program + ".exe" if Subject.windows else program]
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
