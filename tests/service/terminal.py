#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
#
# What somebody at a terminal sees of a stop: the program runs in a pseudo terminal, where Ctrl-C is
# typed.
import argparse
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rigs"))
try:
    import terminal  # the rig
except ImportError:
    sys.exit(77)

CTRL_C = b"\x03"
COLOUR = b"\x1b[3"


class Terminal(terminal.Terminal):
    """With the program of these tests, and the bytes that it sends."""

    program = ""

    def __init__(self, *words, columns=80, **environment):
        super().__init__(self.program, [self.program, *words], columns, **environment)

    @property
    def seen(self):
        return self.output

    def shows(self, text):
        while text not in self.seen:
            assert self.read(), f"it ended without showing {text!r}: {self.seen!r}"

    def type(self, keys):
        time.sleep(0.3)  # not the same press as the one before
        os.write(self.fd, keys)

    def stop(self):
        self.shows(b"ready")
        self.type(CTRL_C)
        return self.end()


def lines(seen):
    """What stands on the screen at the end: each line as it was last drawn."""
    return [line.split(b"\r")[-1].replace(b"\x1b[K", b"") for line in seen.split(b"\r\n")]


class AtATerminal(unittest.TestCase):
    def test_the_first_line_says_what_more_signals_do(self):
        t = Terminal("obey")
        self.assertEqual(t.stop(), 0)
        self.assertIn(b"subject: stopping: signal SIGINT, at most 30 s; "
                      b"a second signal hurries it, a third ends it at once\r\n", t.seen)
        self.assertIn(b"subject: stopped: signal SIGINT, ", t.seen)

    def test_each_part_that_still_closes_has_a_live_line(self):
        t = Terminal("slow")
        self.assertEqual(t.stop(), 0)
        cyan, end = rb"\r\x1b\[36m", rb"\x1b\[0m\x1b\[K"
        self.assertRegex(
            t.seen, cyan + rb"closing main  [3-9]\d\d ms of 30 s  14 requests left" + end)
        self.assertRegex(
            t.seen, cyan + rb"closing db-pool  [3-9]\d\d ms of [\d.]+ s  3 connections left" + end)
        self.assertNotIn(b"closing cache", t.seen)

    def test_nothing_of_a_live_line_is_left_and_bars_end_the_story(self):
        t = Terminal("slow")
        self.assertEqual(t.stop(), 0)
        text = lines(t.seen)
        self.assertFalse([line for line in text if b"closing" in line])
        bars = [line for line in text if "\u2588".encode() in line]
        self.assertEqual([line.split()[0] for line in bars], [b"main", b"db-pool", b"cache"])
        self.assertRegex(bars[1], rb"(9\d\d ms|1.\d s)$")

    def test_a_quick_stop_shows_no_live_line(self):
        t = Terminal("tell_order")
        self.assertEqual(t.stop(), 0)
        self.assertNotIn(b"closing", t.seen)
        self.assertIn(b"  first ", t.seen)

    def test_a_second_ctrl_c_hurries_and_says_so(self):
        t = Terminal("hurried_release")
        t.shows(b"ready")
        t.type(CTRL_C)
        t.shows(b"draining")
        t.shows(b"closing drain")
        t.type(CTRL_C)
        self.assertEqual(t.end(), 0)

    def test_the_first_ctrl_c_after_main_has_returned_hurries_and_says_so(self):
        t = Terminal("hurried_release_after_finish")
        t.shows(b"draining")
        t.shows(b"closing drain")
        t.type(CTRL_C)
        self.assertEqual(t.end(), 0)
        self.assertIn(b"hurried by a signal", t.seen)

    def test_a_third_ctrl_c_ends_it_at_once(self):
        t = Terminal("stuck_main_without_limit")
        t.shows(b"ready")
        t.type(CTRL_C)
        t.shows(b"stopping")
        t.type(CTRL_C)
        t.shows(b"hurrying; one more signal ends it at once")
        t.type(CTRL_C)
        self.assertEqual(t.end(), 130)

    def test_a_forced_end_names_what_is_open_and_draws_it(self):
        t = Terminal("stuck_release")
        self.assertEqual(t.stop(), 130)
        self.assertIn(b"db-pool: still open", t.seen)
        self.assertIn(b"2 more not released", t.seen)
        self.assertRegex(t.seen, rb"  db-pool .*  still open\r\n")

    def test_a_live_line_is_never_wider_than_the_terminal(self):
        t = Terminal("slow", columns=30, NO_COLOR="1")
        self.assertEqual(t.stop(), 0)
        live = [part for part in t.seen.split(b"\r") if part.startswith(b"closing")]
        self.assertTrue(live)
        self.assertLessEqual(max(len(part.replace(b"\x1b[K", b"")) for part in live), 29)

    def test_no_color_means_no_colour(self):
        t = Terminal("slow", NO_COLOR="1")
        self.assertEqual(t.stop(), 0)
        self.assertIn(b"closing db-pool", t.seen)
        self.assertNotIn(COLOUR, t.seen)

    def test_a_locale_without_unicode_gets_plain_bars(self):
        t = Terminal("slow", LANG="C")
        self.assertEqual(t.stop(), 0)
        self.assertNotIn("\u2588".encode(), t.seen)
        self.assertRegex(t.seen, rb"db-pool .*==")

    def test_a_dumb_terminal_gets_one_line(self):
        t = Terminal("slow", TERM="dumb")
        self.assertEqual(t.stop(), 0)
        self.assertNotIn(b"\x1b", t.seen)
        self.assertNotIn(b"closing", t.seen)
        self.assertRegex(t.seen, rb"subject: stopped: signal SIGINT, 1\.\d s\r\n$")

    def test_a_main_that_returns_by_itself_shows_nothing(self):
        t = Terminal("finish", "0")
        self.assertEqual(t.end(), 0)
        self.assertEqual(t.seen, b"")

    def test_a_halted_terminal_does_not_hold_up_a_forced_end(self):
        with open(Terminal.program, "rb") as program:
            if b"__tsan_init" in program.read():
                self.skipTest("the thread sanitizer does not end while its terminal is halted")
        t = Terminal("stuck_main")
        t.shows(b"ready")
        t.type(b"\x13")  # Ctrl-S
        os.kill(t.pid, 15)
        limit = time.monotonic() + 60
        while (status := os.waitpid(t.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < limit, "it hangs in a write to the terminal"
            time.sleep(0.05)
        self.assertEqual(os.WEXITSTATUS(status[1]), 143)


def main():
    # What a shell runs in the background ignores SIGINT, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    Terminal.program = os.path.join(options.exe_dir, "service_subject")
    if not os.path.exists(Terminal.program) or options.runner:
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
