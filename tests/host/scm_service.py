#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A whole service under the service control manager of Wine.

What is checked is what Windows promises, not what Wine does beside it: where they differ, a check
takes either answer. To be run alone: Wine gives a service that is being started to whichever
process asks for one first, also to one that nobody has started as a service.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
HANG_GUARD = 60  # seconds


def becomes(condition):
    limit = time.monotonic() + HANG_GUARD
    while not (result := condition()):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return result


def windows_path(path):
    return "Z:" + str(path).replace("/", "\\")


def processes_with(word):
    """Those whose command line has it, as the Linux below Wine sees them."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if word in line and int(entry.parent.name) != os.getpid():
            yield line


class Service:
    exe_dir = None
    runner = []

    def __init__(self, test, mode, arguments=""):
        folder = tempfile.TemporaryDirectory(prefix="curfew scm ")
        test.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name, "log.txt")
        self.name = f"curfew-scm-{mode}-{os.getpid()}-{time.monotonic_ns()}"
        program = windows_path(self.exe_dir / "scm_subject.exe")
        command = f'"{program}" "{windows_path(self.log)}" {mode} {arguments}'
        test.addCleanup(self.remove)
        assert self.ctl("install", command)["ok"]

    def ctl(self, verb, *words):
        done = subprocess.run(
            [*self.runner, str(self.exe_dir / "scmctl.exe"), verb, self.name, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=HANG_GUARD, check=False)
        return json.loads(done.stdout)

    def start(self, *arguments):
        """Tried again while the database is locked, as rule 22 has it."""
        locked = 1055
        return becomes(lambda: (answer := self.ctl("start", *arguments))["error"] != locked
                       and answer)

    def control(self, code):
        return self.ctl("control", str(code))

    def state(self):
        return self.ctl("query")["state"]

    def reaches(self, state):
        return self.ctl("wait", state, str(HANG_GUARD * 500))["reached"]

    def lines(self):
        try:
            return self.log.read_text("latin-1").splitlines()
        except OSError:
            return []

    def says(self, line):
        return becomes(lambda: line in self.lines())

    def open(self, gate):
        pathlib.Path(f"{self.log}.{gate}").touch()

    def remove(self):
        for gate in ("start", "stop"):
            self.open(gate)
        self.control("stop")
        self.ctl("wait", "stopped", "5000")
        self.ctl("uninstall")


class ScmService(unittest.TestCase):
    def started(self, mode, *arguments):
        service = Service(self, mode)
        self.assertTrue(service.start(*arguments)["ok"])
        self.assertTrue(service.reaches("running"))
        return service

    def test_its_life_from_start_to_stop(self):
        s = self.started("serve")
        status = s.ctl("query")
        self.assertEqual((status["checkpoint"], status["wait_hint"]), (0, 0))
        self.assertEqual(status["accepts"], 0x1 | 0x2 | 0x4 | 0x8)
        self.assertEqual(status["type"], 0x10)
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(s.reaches("stopped"))
        status = s.ctl("query")
        self.assertEqual((status["win32_exit"], status["specific_exit"]), (0, 0))
        self.assertEqual((status["checkpoint"], status["wait_hint"], status["accepts"]), (0, 0, 0))
        self.assertTrue(s.says("main returns 0"))
        self.assertEqual(s.lines()[:5], ["main ", f"service [{s.name}]", "stop service control stop",
                                         "body destroyed", "served, error 0, then 1056"])

    def test_it_serves_again_after_it_has_stopped(self):
        s = self.started("serve")
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(s.reaches("stopped"))
        self.assertTrue(s.start()["ok"])
        self.assertTrue(s.reaches("running"))
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(s.reaches("stopped"))

    def test_rule_17_events_arrive_and_leave_the_state(self):
        s = self.started("serve")
        for code, line in ((128, "code 128"), (255, "code 255"), ("paramchange", "reload")):
            self.assertTrue(s.control(code)["ok"])
            self.assertTrue(s.says(line))
        self.assertTrue(s.control("interrogate")["ok"])
        self.assertEqual(s.state(), "running")

    def test_pause_and_continue(self):
        s = self.started("serve")
        self.assertTrue(s.control("pause")["ok"])
        self.assertTrue(s.reaches("paused"))
        self.assertTrue(s.control("pause")["ok"])
        self.assertTrue(s.control(129)["ok"])
        self.assertTrue(s.says("code 129"))
        self.assertEqual(s.lines().count("pause"), 1)
        self.assertEqual(s.state(), "paused")
        self.assertTrue(s.control("continue")["ok"])
        self.assertTrue(s.reaches("running"))
        self.assertTrue(s.control("pause")["ok"])
        self.assertTrue(s.reaches("paused"))
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(s.reaches("stopped"))

    def test_a_pause_that_fails_ends_running_and_a_resume_that_fails_ends_paused(self):
        s = self.started("serve")
        self.assertTrue(s.control(130)["ok"])
        self.assertTrue(s.control("pause")["ok"])
        self.assertTrue(s.says("pause"))
        self.assertTrue(s.reaches("running"))
        self.assertTrue(s.control(130)["ok"])
        self.assertTrue(s.control("pause")["ok"])
        self.assertTrue(s.reaches("paused"))
        self.assertTrue(s.control(130)["ok"])
        self.assertTrue(s.control("continue")["ok"])
        self.assertTrue(s.says("resume"))
        self.assertTrue(s.reaches("paused"))

    def test_rules_6_and_7_while_it_starts_and_while_it_stops(self):
        s = Service(self, "gated")
        self.assertTrue(s.start()["ok"])
        self.assertTrue(becomes(lambda: s.ctl("query")["checkpoint"] == 3))
        status = s.ctl("query")
        self.assertEqual((status["state"], status["wait_hint"], status["accepts"]),
                         ("start_pending", 3000, 0))
        self.assertIn(s.control("stop")["error"], (1052, 1061))
        s.open("start")
        self.assertTrue(s.reaches("running"))
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(becomes(lambda: s.ctl("query")["checkpoint"] == 2))
        status = s.ctl("query")
        self.assertEqual((status["state"], status["wait_hint"], status["accepts"]),
                         ("stop_pending", 4000, 0))
        self.assertFalse(s.control("pause")["ok"])
        s.open("stop")
        self.assertTrue(s.reaches("stopped"))

    def fails(self, mode, code):
        s = Service(self, mode)
        s.start()  # Windows says that it has started, Wine that it has not
        self.assertTrue(s.says(f"main returns {code}"))
        self.assertTrue(s.reaches("stopped"))
        status = s.ctl("query")
        self.assertEqual((status["win32_exit"], status["specific_exit"]), (1066, code))

    def test_rule_10_a_start_that_fails_tells_its_code(self):
        self.fails("fail", 7)

    def test_rule_10_an_exception_is_a_failure(self):
        self.fails("throw", 70)

    def test_rule_4_arguments_of_both_kinds_arrive_whole(self):
        words = ["one", "two words", 'a "quoted" one', "back\\slash\\", "größe"]
        escaped = [w.replace('"', '\\"') if not w.endswith("\\") else w + "\\" for w in words]
        s = Service(self, "serve", " ".join(f'"{w}"' for w in escaped))
        self.assertTrue(s.start(*words)["ok"])
        self.assertTrue(s.reaches("running"))
        main, service = s.lines()[:2]
        self.assertEqual(service.removeprefix(f"service [{s.name}]"), main.removeprefix("main "))
        self.assertTrue(main.startswith('main [one][two words][a "quoted" one][back\\slash\\][gr'))

    def test_a_stop_of_its_own_takes_the_same_path(self):
        s = self.started("self")
        self.assertTrue(s.control(200)["ok"])
        self.assertTrue(s.reaches("stopped"))
        self.assertTrue(s.says("main returns 0"))
        self.assertIn("stop requested", s.lines())
        self.assertEqual(s.ctl("query")["win32_exit"], 0)

    def test_rule_9_after_a_forced_end_main_ends_the_process_and_nothing_is_destroyed(self):
        s = self.started("forced")
        self.assertTrue(s.control("stop")["ok"])
        self.assertTrue(s.reaches("stopped"))
        status = s.ctl("query")
        self.assertEqual((status["win32_exit"], status["specific_exit"]), (1066, 124))
        mark = str(s.log.parent.name).encode()
        self.assertTrue(becomes(lambda: not list(processes_with(mark))))
        self.assertEqual(s.lines()[-1], "stop service control stop")

    def test_rule_1_outside_the_scm_nothing_is_called(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "log.txt")
            program = Service.exe_dir / "scm_subject.exe"
            done = subprocess.run([*Service.runner, str(program), windows_path(log), "serve", "a b"],
                                  stdin=subprocess.DEVNULL, timeout=HANG_GUARD, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(log.read_text("utf-8").splitlines(),
                             ["main [a b]", "not served, error 0, then 0", "main returns 0",
                              "statics destroyed"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    args, rest = parser.parse_known_args()
    if not args.runner or not (args.exe_dir / "scm_subject.exe").exists():
        return SKIPPED
    Service.exe_dir = args.exe_dir.resolve()
    Service.runner = args.runner
    unittest.main(argv=[sys.argv[0], *rest])
    return 0


if __name__ == "__main__":
    sys.exit(main())
