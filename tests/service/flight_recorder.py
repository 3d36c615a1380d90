#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A program that records is killed in every phase of its life, and says at its next start how the
last run ended. On Windows it ends itself by TerminateProcess."""
import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HANG = 120
DATE = r"began \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


class Recorded(unittest.TestCase):
    command = []
    windows = False

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "subject.flight")

    def start(self, *words):
        flags = subprocess.CREATE_NEW_PROCESS_GROUP if os.name == "nt" else 0
        process = subprocess.Popen(
            [*self.command, self.path(), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            text=True, creationflags=flags)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, HANG)
        self.addCleanup(process.kill)
        return process

    def path(self):
        wine = self.windows and os.name != "nt"
        return "Z:" + str(self.file).replace("/", "\\") if wine else str(self.file)

    def first_line(self, process):
        return process.stdout.readline().rstrip("\r\n")

    def kill_inside(self, phase):
        """Returns what it said of the run before."""
        process = self.start(phase, *(["die"] if self.windows else []))
        before = self.first_line(process)
        self.assertEqual(self.first_line(process), "inside", phase)
        if self.windows:
            self.assertEqual(process.wait(HANG), 9)
        else:
            self.end(process)
        return before

    def end(self, process):
        process.kill()  # also under Wine, whose process is the program's own
        process.wait(HANG)
        if os.name != "nt":
            self.assertEqual(process.returncode, -signal.SIGKILL)

    def whole_run(self):
        process = self.start("none")
        out, _ = process.communicate(timeout=HANG)
        self.assertEqual(process.returncode, 0, out)
        return out.splitlines()[0]

    def killed_inside(self, phase, said):
        self.kill_inside(phase)
        self.assertRegex(self.whole_run(), rf"^before: the last run \(pid \d+, {DATE}\) {said}$")

    def inside(self, step, reason=""):
        used = r"([2-9]\d\d ms|\d+(\.\d)? s) of [\d.]+ (s|min 0 s) used"
        return f"did not end: inside {step} of db-pool, {used}{reason}"

    def test_killed_inside_a_start(self):
        self.killed_inside("start", self.inside("start"))

    def test_killed_while_running(self):
        self.killed_inside("running", "ended without a word while running")

    def test_killed_inside_a_prepare(self):
        self.killed_inside("prepare", self.inside("prepare"))

    def test_killed_between_the_steps_of_a_stop(self):
        self.killed_inside("between", "did not end: while stopping, reason console close")

    def test_killed_inside_a_drain(self):
        self.killed_inside("drain", self.inside("drain", ", reason console close"))

    def test_killed_inside_a_stop(self):
        self.killed_inside("stop", self.inside("stop", ", reason console close"))

    def test_killed_inside_an_abort(self):
        self.killed_inside("abort", r"did not end: inside stop of db-pool, .* of 100 ms used, "
                           r"inside abort of db-pool, .* used, reason console close")

    def test_a_whole_run_says_its_outcome(self):
        self.assertEqual(self.whole_run(), "before: ")
        self.assertRegex(self.whole_run(), "ended: stopped: console close, exit code 0$")

    def test_killed_again_and_again(self):
        for _ in range(20):
            self.kill_inside("stop")
        self.assertRegex(self.whole_run(), "did not end: inside stop of db-pool")

    def test_killed_while_it_writes(self):
        for i in range(20):
            process = self.start("busy")
            before = self.first_line(process)
            self.assertRegex(before, "^before: $" if i == 0 else
                             r"(inside stop of db-pool, .* used|without a word while starting)$")
            self.assertEqual(self.first_line(process), "inside")
            time.sleep(random.random() / 50)  # any instant will do
            self.end(process)
        self.whole_run()

    def test_while_one_records_another_goes_without(self):
        first = self.start("running")
        self.first_line(first)
        self.assertEqual(self.first_line(first), "inside")
        second = self.start("none")
        self.assertEqual(self.first_line(second), "busy")
        self.assertEqual(second.wait(HANG), 3)
        self.end(first)
        self.assertRegex(self.whole_run(), "ended without a word while running$")

    def test_a_full_disk_is_an_error(self):
        if self.windows or not os.path.exists("/bin/sh"):
            self.skipTest("there is no limit of the size of a file here")
        script = 'trap "" XFSZ; ulimit -f 16; exec "$@"'
        done = subprocess.run(["/bin/sh", "-c", script, "sh", *self.command, str(self.file), "none"],
                              stdout=subprocess.PIPE, text=True, timeout=HANG)
        self.assertEqual((done.returncode, done.stdout), (3, "error\n"))
        self.assertEqual(self.whole_run(), "before: ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    program = os.path.abspath(os.path.join(options.exe_dir, "recorder_subject"))
    Recorded.windows = os.path.exists(program + ".exe")
    Recorded.command = [*options.runner, program + ".exe" if Recorded.windows else program]
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
