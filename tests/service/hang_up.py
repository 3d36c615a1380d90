#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A terminal is closed under a program that reloads on SIGHUP: that is a stop, whoever tells it."""
import argparse
import os
import pathlib
import select
import signal
import sys
import tempfile
import time
import unittest

try:
    import pty
except ImportError:
    sys.exit(77)

HANG = 60


def eventually(condition, what):
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end, "never happened: " + what
        time.sleep(0.02)


class HangUp(unittest.TestCase):
    program = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.note = pathlib.Path(folder.name, "reason")

    def start(self, *command):
        pid, terminal = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.execvp(command[0], command)
        self.addCleanup(self.end, pid)
        return pid, terminal

    @staticmethod
    def end(pid):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def shows(self, terminal, text):
        seen = b""
        while text not in seen:
            self.assertTrue(select.select([terminal], [], [], HANG)[0], seen)
            seen += os.read(terminal, 4096)

    def stops(self, terminal):
        os.close(terminal)
        eventually(self.note.exists, "the stop after the hang-up")
        eventually(self.note.read_text, "the reason")
        self.assertTrue(self.note.read_text().startswith("signal SIGHUP"), self.note.read_text())

    def test_the_terminal_itself_tells(self):
        _, terminal = self.start(self.program, "reload_at_a_terminal", str(self.note))
        self.shows(terminal, b"ready")
        self.stops(terminal)

    def test_a_shell_passes_it_on(self):
        _, terminal = self.start("bash", "--norc", "-i")
        os.write(terminal, f"{self.program} reload_at_a_terminal {self.note}\n".encode())
        self.shows(terminal, b"ready\r")
        self.stops(terminal)

    def test_a_process_that_sends_it_wants_a_reload(self):
        pid, terminal = self.start(self.program, "reload_at_a_terminal", str(self.note))
        self.shows(terminal, b"ready")
        os.kill(pid, signal.SIGHUP)
        self.shows(terminal, b"reloaded")
        self.assertFalse(self.note.exists())
        self.stops(terminal)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--exe-dir", required=True)
    options.add_argument("--runner")
    chosen = options.parse_args()
    if chosen.runner:
        sys.exit(77)
    HangUp.program = os.path.abspath(os.path.join(chosen.exe_dir, "service_subject"))
    unittest.main(argv=[sys.argv[0], "-v"])
