#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
#
# What a real systemd makes of what it is told: a `systemd --user` of the test's own, in namespaces
# of its own. Every test is a unit that runs systemd_subject; they run at the same time, since most
# of their time is spent waiting for one of systemd's limits.
import argparse
import concurrent.futures
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve()
UNITS = {}  # test: what stands in its unit file


def unit(words, **options):
    """The unit of a test: what the subject does, and options of [Service]."""
    def mark(test):
        UNITS[test.__name__] = (words, {"Type": "notify", "NotifyAccess": "main", **options})
        return test
    return mark


class Service(unittest.TestCase):
    def setUp(self):
        self.name = self._testMethodName
        self.output = pathlib.Path(os.environ["RUNTIME"], self.name + ".log")

    def ctl(self, verb, *words):
        return subprocess.run(["systemctl", "--user", verb, self.name, *words], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def shows(self, *properties):
        out = self.ctl("show", "-p", ",".join(properties)).stdout
        return dict(line.split("=", 1) for line in out.splitlines())

    def becomes(self, **wanted):
        """Whatever takes half a minute does not happen."""
        limit = time.monotonic() + 30
        while (seen := self.shows(*wanted)) != wanted:
            self.assertLess(time.monotonic(), limit, f"{seen} instead of {wanted}")
            time.sleep(0.02)

    def ends(self, **wanted):
        """With a result that systemd keeps: not before nothing of it runs any more."""
        limit = time.monotonic() + 30
        while self.shows("ActiveState")["ActiveState"] not in ("inactive", "failed"):
            self.assertLess(time.monotonic(), limit, "it does not end")
            time.sleep(0.02)
        self.assertEqual(self.shows(*wanted), wanted)

    def starts(self):
        done = self.ctl("start")
        self.assertEqual(done.returncode, 0, done.stdout)

    def stops(self, **wanted):
        self.ctl("stop")
        self.ends(**{"Result": "success", **wanted})

    def signal(self, name):
        self.ctl("kill", "--signal", name)

    def said(self):
        return self.output.read_text().splitlines() if self.output.exists() else []

    def says(self, line):
        limit = time.monotonic() + 30
        while line not in self.said():
            self.assertLess(time.monotonic(), limit, f"{line!r} is not in {self.said()}")
            time.sleep(0.02)

    # ---- start and stop

    @unit("progress=loading usr1 ready term stopping usr1 stopped=0,0")
    def test_start_and_stop(self):
        self.ctl("start", "--no-block")
        self.becomes(ActiveState="activating", StatusText="loading")
        self.signal("USR1")
        self.becomes(ActiveState="active", StatusText="running")
        self.assertNotEqual(self.shows("MainPID")["MainPID"], "0")
        self.ctl("stop", "--no-block")
        self.becomes(ActiveState="deactivating", StatusText="stopping: signal SIGTERM")
        self.signal("USR1")
        self.ends(Result="success", ExecMainStatus="0")

    @unit("ready usr1 stopping usr1 stopped=0,0")
    def test_a_stop_from_inside_is_seen_and_clean(self):
        self.starts()
        self.signal("USR1")
        self.becomes(ActiveState="deactivating", StatusText="stopping: signal SIGTERM")
        self.signal("USR1")
        self.ends(Result="success")

    @unit("progress=loading term stopping stopped=0,0")
    def test_a_stop_before_it_is_ready_is_clean(self):
        self.ctl("start", "--no-block")
        self.becomes(ActiveState="activating", StatusText="loading")
        self.stops()

    @unit("stopped=0,0")
    def test_an_end_before_it_is_ready_is_no_success(self):
        self.assertNotEqual(self.ctl("start").returncode, 0)
        self.ends(Result="protocol")

    @unit("ready stopped=3,98 exit=3")
    def test_a_failure_is_told_with_its_code_and_error(self):
        self.ctl("start")
        self.ends(Result="exit-code", ExecMainStatus="3", StatusErrno="98")

    @unit("say=a\nREADY=1 usr1 ready term")
    def test_a_text_cannot_speak_for_the_program(self):
        self.ctl("start", "--no-block")
        self.becomes(ActiveState="activating", StatusText="a READY=1")
        self.signal("USR1")
        self.becomes(ActiveState="active", StatusText="running")
        self.stops()

    # ---- reload

    @unit("ready hup reloading usr1 ready term stopped=0,0",
          ExecReload="/bin/kill -HUP $MAINPID")
    def test_rule_37_a_reload_lasts_until_ready(self):
        self.starts()
        self.ctl("reload", "--no-block")
        self.becomes(ActiveState="reloading", StatusText="reloading")
        self.signal("USR1")
        self.becomes(ActiveState="active", StatusText="running")
        self.stops()

    # ---- limits

    @unit("progress=loading sleep=2500 ready term", TimeoutStartSec=1)
    def test_rule_39_a_start_is_extended(self):
        self.starts()
        self.stops()

    @unit("say=loading sleep=20000 ready", TimeoutStartSec=1, TimeoutStopSec=1)
    def test_rule_39_a_start_that_is_not_extended_times_out(self):
        self.ctl("start")
        self.ends(Result="timeout")

    @unit("ready term stopping progress=flushing sleep=2500 stopped=0,0", TimeoutStopSec=1)
    def test_rule_39_a_stop_is_extended(self):
        self.starts()
        self.stops()

    @unit("ready term stopping say=flushing sleep=20000", TimeoutStopSec=1)
    def test_rule_39_a_stop_that_is_not_extended_is_killed(self):
        self.starts()
        self.stops(Result="timeout", ExecMainStatus="9")

    # ---- watchdog

    @unit("ready term", WatchdogSec=2)
    def test_rule_40_a_watchdog_is_met(self):
        self.starts()
        time.sleep(4.5)
        self.assertEqual(self.shows("ActiveState")["ActiveState"], "active")
        self.stops()

    @unit("ready alive sleep=20000", WatchdogSec=1)
    def test_rule_40_a_watchdog_is_missed(self):
        self.starts()
        self.ends(Result="watchdog", ExecMainStatus="6")

    @unit("ready usr1 fault sleep=20000", WatchdogSec=600)
    def test_rule_40_a_fault_does_not_wait_for_the_interval(self):
        self.starts()
        self.signal("USR1")
        self.ends(Result="watchdog", ExecMainStatus="6")

    @unit("alive sleep=2500 ready term", WatchdogSec=1)
    def test_a_beat_before_ready_does_not_start_the_watchdog(self):
        self.starts()

    @unit("ready term raw=WATCHDOG=1 stopping alive sleep=4500 stopped=0,0", WatchdogSec=2)
    def test_a_beat_that_crosses_the_stop_does_not_kill_it(self):
        self.starts()
        self.stops()

    @unit("ready term stopping stopped=0,0", WatchdogSec=2)
    def test_the_watchdog_is_back_after_the_next_start(self):
        self.starts()
        self.stops()
        self.starts()
        self.signal("STOP")
        self.ends(Result="watchdog")

    # ---- descriptors

    @unit("descriptors serve=web ready term stopped=0,0", Sockets="web.socket admin.socket")
    def test_rule_41_sockets_come_with_their_names(self):
        subprocess.run(["systemctl", "--user", "start", "web.socket", "admin.socket"], check=True)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(os.environ["RUNTIME"] + "/web")
            self.assertEqual(client.recv(16), b"hello")
        self.becomes(ActiveState="active")
        self.assertEqual(sorted(self.said()), ["passed admin", "passed web", "serve: done"])
        self.stops()

    @unit("descriptors kept=state keep=state,one keep=other,two barrier ready term",
          FileDescriptorStoreMax=4)
    def test_rule_38_what_is_stored_is_there_after_a_restart(self):
        self.starts()
        self.becomes(NFileDescriptorStore="2")
        self.ctl("restart")
        self.assertEqual(sorted(line for line in self.said() if line.startswith("passed")),
                         ["passed other", "passed state"])
        self.assertIn("kept 'one'", self.said())
        self.becomes(ActiveState="active", NFileDescriptorStore="4")
        self.stops()

    @unit("keep=state,one keep=other,two ready usr1 forget=other barrier term",
          FileDescriptorStoreMax=4)
    def test_rule_38_what_was_stored_is_removed(self):
        self.starts()
        self.becomes(NFileDescriptorStore="2")
        self.signal("USR1")
        self.becomes(NFileDescriptorStore="1")
        self.says("barrier: done")
        self.stops()

    @unit("ready raw=STATUS=before barrier term")
    def test_rule_38_a_barrier_is_met(self):
        self.starts()
        self.says("barrier: done")
        self.assertEqual(self.shows("StatusText")["StatusText"], "before")
        self.stops()


def write_units(program):
    folder = pathlib.Path(os.environ["SYSTEMD_UNITS"])
    for name, (words, options) in UNITS.items():
        words = " ".join('"' + word.replace("\n", "\\n") + '"' for word in words.split(" "))
        lines = "".join(f"{key}={value}\n" for key, value in options.items())
        (folder / (name + ".service")).write_text(
            f'[Service]\nExecStart="{program}" {words}\n'
            f"StandardOutput=append:{os.environ['RUNTIME']}/{name}.log\n{lines}")
    for name in ("web", "admin"):
        (folder / (name + ".socket")).write_text(
            f"[Socket]\nListenStream={os.environ['RUNTIME']}/{name}\nFileDescriptorName={name}\n"
            "Service=test_rule_41_sockets_come_with_their_names.service\n")
    subprocess.run(["systemctl", "--user", "daemon-reload"], check=True)


def run_all():
    tests = list(unittest.defaultTestLoader.loadTestsFromTestCase(Service))

    def run(test):
        result = unittest.TestResult()
        test.run(result)
        return [f"{test.id()}\n{trace}\nsaid: {test.said()}"
                for _, trace in result.failures + result.errors]

    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        failures = sum(pool.map(run, tests), [])
    print("\n".join(failures) or f"{len(tests)} tests passed")
    return 1 if failures or not tests else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    program = options.exe_dir.resolve() / "systemd_subject"
    if options.inside:
        write_units(program)
        return run_all()
    if options.runner or not sys.platform.startswith("linux") or not program.exists():
        return SKIPPED
    rig = HERE.parents[1] / "rigs" / "in-systemd"
    return subprocess.run([str(rig), "--timeout", "120", sys.executable, str(HERE), "--inside",
                           "--exe-dir", str(options.exe_dir)]).returncode


if __name__ == "__main__":
    sys.exit(main())
