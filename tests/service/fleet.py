#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Three real processes that are stopped as one, of which one is killed at every point; and the
coordinator killed at every point. A web site is after orders, and those are after a database."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

HANG = 120
PATIENCE = 60  # of the coordinator, with each question, where nobody waits for its end
SHORT = 3      # where somebody does: for it, or for a lease, which is six of them and a bit
NAMES = ["database", "orders", "web"]
AFTER = {"database": "-", "orders": "database", "web": "orders"}


class Member:
    """A process that waits for a line where it says that it is inside of something."""

    def __init__(self, name, path, points, fleet):
        self.name = name
        self.path = path
        self.process = subprocess.Popen(
            [*Fleet.command, "member", name, self.path, points], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        fleet.addCleanup(self.end)
        self.fleet = fleet

    def inside(self, point):
        self.fleet.assertEqual(self.process.stdout.readline().rstrip("\r\n"), "inside " + point)

    def answer(self, line="go"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.process.wait(HANG)

    def phase(self):
        return json.loads(subprocess.run([*Fleet.command, "ask", self.path], check=True, text=True,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         timeout=HANG).stdout)["phase"]

    def has_ended(self):
        return self.process.wait(HANG) == 0

    def end(self):
        self.process.kill()
        self.process.wait(HANG)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


class Fleet(unittest.TestCase):
    command = []
    windows = False

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = self.folder = pathlib.Path(folder.name)

    def path(self, name):
        return f"fleet-{uuid.uuid4()}" if self.windows else str(self.folder / name)

    def start(self, points=""):
        """`points`: for all, or of each."""
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.base))
        of = points if isinstance(points, dict) else dict.fromkeys(NAMES, points)
        members = {name: Member(name, self.path(name), of.get(name, ""), self) for name in NAMES}
        for m in members.values():
            self.eventually(lambda m=m: m.phase() == "up", m.name + " is up")
        return members

    def coordinate(self, members, seconds=PATIENCE):
        words = []
        for m in members.values():
            words += [m.name, m.path, AFTER[m.name]]
        process = subprocess.Popen([*self.command, "coordinate", str(seconds), *words], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, HANG)
        self.addCleanup(process.kill)
        return process

    def report(self, coordinator):
        out, _ = coordinator.communicate(timeout=HANG)
        self.assertEqual(coordinator.returncode, 0)
        report = json.loads(out)
        report["fates"] = {m["name"]: m["fate"] for m in report["members"]}
        return report

    def eventually(self, condition, what):
        end = time.monotonic() + HANG
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def all_go_on(self, members):
        for m in members:
            self.eventually(lambda m=m: m.phase() == "up", m.name + " goes on")

    def aborted_because_of(self, coordinator, members, victim):
        report = self.report(coordinator)
        self.assertEqual((report["outcome"], report["member"]), ("aborted", victim), report)
        self.assertEqual(report["fates"][victim], "died", report)
        self.all_go_on(m for m in members.values() if m.name != victim)
        return report

    def stopped_without(self, coordinator, members, victim, fate):
        report = self.report(coordinator)
        self.assertEqual(report["outcome"], "stopped", report)
        self.assertEqual(report["fates"], {**dict.fromkeys(NAMES, "stopped"), victim: fate})
        self.assertEqual(report["ok"], fate == "stopped")
        for m in members.values():
            if m.name != victim:
                self.assertTrue(m.has_ended(), m.name)

    # ---- nobody is killed

    def test_all_are_stopped_those_first_that_nobody_depends_on(self):
        members = self.start("stop")
        coordinator = self.coordinate(members)
        for name in reversed(NAMES):
            members[name].inside("stop")
            for other in NAMES[:NAMES.index(name)]:
                self.assertEqual(members[other].phase(), "prepared")
            members[name].answer()
            self.assertTrue(members[name].has_ended())
        report = self.report(coordinator)
        self.assertTrue(report["ok"], report)
        pids = [members[name].process.pid for name in NAMES]
        if not self.windows:  # where the runner is in between
            self.assertEqual([m["pid"] for m in report["members"]], pids)

    def test_one_that_says_no_has_all_go_on(self):
        for veto in NAMES:
            members = self.start({veto: "prepare"})
            coordinator = self.coordinate(members)
            members[veto].inside("prepare")
            members[veto].answer("no")
            report = self.report(coordinator)
            self.assertEqual((report["member"], report["why"]), (veto, "work: not now"))
            self.all_go_on(members.values())

    # ---- one is killed

    def test_killed_before_it_is_asked(self):
        for victim in NAMES:
            members = self.start()
            members[victim].kill()
            self.aborted_because_of(self.coordinate(members), members, victim)

    def test_killed_inside_its_prepare(self):
        for victim in NAMES:
            members = self.start({victim: "prepare"})
            coordinator = self.coordinate(members)
            members[victim].inside("prepare")
            members[victim].kill()
            self.aborted_because_of(coordinator, members, victim)

    def test_killed_when_it_is_prepared_and_others_are_asked(self):
        for victim, asked in (("web", "orders"), ("web", "database"), ("orders", "database")):
            members = self.start({asked: "prepare"})
            coordinator = self.coordinate(members)
            members[asked].inside("prepare")
            self.assertEqual(members[victim].phase(), "prepared")
            members[victim].kill()
            members[asked].answer()
            report = self.aborted_because_of(coordinator, members, victim)
            self.assertEqual(report["why"], "it has ended by itself")

    def test_killed_when_it_is_prepared_and_others_are_stopped(self):
        for victim, stopped in (("orders", "web"), ("database", "web"), ("database", "orders")):
            members = self.start({stopped: "stop"})
            coordinator = self.coordinate(members)
            members[stopped].inside("stop")
            members[victim].kill()
            members[stopped].answer()
            self.stopped_without(coordinator, members, victim, "died")

    def test_killed_inside_its_stop(self):
        for victim in NAMES:
            members = self.start({victim: "stop"})
            coordinator = self.coordinate(members)
            members[victim].inside("stop")
            members[victim].kill()
            self.stopped_without(coordinator, members, victim, "stopped")

    def test_killed_inside_its_resume(self):
        for victim in ("web", "orders"):
            members = self.start({victim: "resume", "database": "prepare"})
            coordinator = self.coordinate(members)
            members["database"].inside("prepare")
            members["database"].answer("no")
            members[victim].inside("resume")
            members[victim].kill()
            report = self.report(coordinator)
            self.assertEqual((report["outcome"], report["member"]), ("aborted", "database"))
            self.assertEqual(report["fates"][victim], "died", report)
            self.all_go_on(m for m in members.values() if m.name != victim)

    def test_another_process_in_its_place_is_told_nothing(self):
        members = self.start({"web": "stop"})
        coordinator = self.coordinate(members)
        members["web"].inside("stop")
        members["orders"].kill()
        again = Member("orders", members["orders"].path, "", self)
        self.eventually(lambda: again.phase() == "up", "another one is up")
        members["web"].answer()
        self.stopped_without(coordinator, members, "orders", "died")
        self.assertEqual(again.phase(), "up")

    # ---- one hangs

    def test_one_that_hangs_in_its_prepare_has_all_go_on(self):
        for victim in NAMES:
            members = self.start({victim: "prepare"})
            coordinator = self.coordinate(members, SHORT)
            members[victim].inside("prepare")
            report = self.report(coordinator)
            self.assertEqual((report["outcome"], report["member"]), ("aborted", victim), report)
            members[victim].answer()
            self.all_go_on(members.values())

    def test_one_that_hangs_in_its_stop_is_left_and_the_others_are_stopped(self):
        for victim in NAMES:
            members = self.start({victim: "stop"})
            coordinator = self.coordinate(members, SHORT)
            members[victim].inside("stop")
            report = self.report(coordinator)
            self.assertEqual(report["outcome"], "partly", report)
            self.assertEqual(report["fates"],
                             {**dict.fromkeys(NAMES, "stopped"), victim: "left"})

    # ---- the coordinator is killed

    def test_the_coordinator_is_killed_at_every_point(self):
        """All at once, since each waits for the end of its leases."""
        checks = []
        for asked in NAMES:
            members = self.start({asked: "prepare"})
            coordinator = self.coordinate(members, SHORT)
            members[asked].inside("prepare")
            self.kill(coordinator)
            members[asked].answer()
            checks.append((members, NAMES))
        for stopped in NAMES:
            members = self.start({stopped: "stop"})
            coordinator = self.coordinate(members, SHORT)
            members[stopped].inside("stop")
            self.kill(coordinator)
            members[stopped].answer()
            self.assertTrue(members[stopped].has_ended())
            checks.append((members, NAMES[:NAMES.index(stopped)]))
        for resumed in ("orders", "web"):
            members = self.start({resumed: "resume", "database": "prepare"})
            coordinator = self.coordinate(members, SHORT)
            members["database"].inside("prepare")
            members["database"].answer("no")
            members[resumed].inside("resume")
            self.kill(coordinator)
            members[resumed].answer()
            members[resumed].answer()
            checks.append((members, NAMES))
        for members, names in checks:
            self.all_go_on(members[name] for name in names)
            for name in NAMES:
                self.assertEqual(members[name].process.poll() is None, name in names, name)

    def kill(self, coordinator):
        coordinator.kill()
        coordinator.wait(HANG)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options, rest = parser.parse_known_args()
    program = os.path.abspath(os.path.join(options.exe_dir, "fleet_subject"))
    # Under the thread sanitizer every process would sleep for a second at its end.
    os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"
    Fleet.windows = os.path.exists(program + ".exe")
    Fleet.command = [*options.runner, program + ".exe" if Fleet.windows else program]
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
