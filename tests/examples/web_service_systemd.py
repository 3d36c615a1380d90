#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The web server as a service of a real systemd, installed and driven by its own verbs.

    web_service_systemd.py --exe-dir DIR [--only WORDS]

A `systemd --user` of its own in namespaces, by tests/rigs/in-systemd. Exit status: 0 all passed,
1 something failed, 77 there can be no such systemd here.
"""
import argparse
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from web_server import Wrong, answers, eventually, free_port, request


HANG = 60
RIG = pathlib.Path(__file__).resolve().parents[1] / "rigs" / "in-systemd"
UNITS = pathlib.Path(os.environ.get("SYSTEMD_UNITS", "."))
EXE_DIR = None


def output(*command):
    return subprocess.run(command, text=True, timeout=HANG, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def systemctl(*words, ok=True):
    done = output("systemctl", "--user", *words)
    if ok and done.returncode != 0:
        raise Wrong(f"systemctl {words}: {done.returncode} {done.stdout}")
    return done.stdout


class Service:
    """The web server by a name of its own; gone in the end, with whatever the test left of it."""

    count = 0

    def __init__(self, *options, port=None):
        Service.count += 1
        self.name = f"web{Service.count}"
        self.port = port or free_port()
        self.options = ["--port", str(self.port), *options]
        self.drop_in = UNITS / (self.name + ".service.d") / "test.conf"

    def __enter__(self):
        self.must("install", "--", *self.options)
        return self

    def __exit__(self, *error):
        if error[0]:
            print(systemctl("status", self.name, ok=False))
        systemctl("kill", "--signal=KILL", self.name, ok=False)
        systemctl("stop", self.name, self.name + ".socket", ok=False)
        self.verb("uninstall")
        for file in (self.drop_in, *UNITS.glob(self.name + "*.socket")):
            file.unlink(missing_ok=True)

    def verb(self, verb, *more):
        """Exit code and output of one of the program's own verbs."""
        done = output(EXE_DIR / "web_server", verb, "--name", self.name, "--user", *more)
        return done.returncode, done.stdout

    def must(self, verb, *more, code=0):
        got, text = self.verb(verb, *more)
        if got != code:
            raise Wrong(f"{verb} ends with {got}: {text}")
        return text

    def set(self, *lines):
        """In a drop-in, as an administrator does it."""
        self.drop_in.parent.mkdir(exist_ok=True)
        self.drop_in.write_text("\n".join(("[Service]", *lines, "")))
        systemctl("daemon-reload")

    def show(self, name):
        return systemctl("show", "--property", name, "--value", self.name).strip()

    def becomes(self, name, value):
        eventually(lambda: self.show(name) == value, f"{name} is {value}, not {self.show(name)}")

    def says(self, pattern):
        eventually(lambda: re.fullmatch(pattern, self.show("StatusText")), "it says " + pattern)

    def pid(self):
        return int(self.show("MainPID"))

    def connect(self, path):
        client = socket.create_connection(("127.0.0.1", self.port), HANG)
        client.sendall(request(path, "Connection: close"))
        return client

    def get(self, path):
        with self.connect(path) as client:
            return answers(client)[0]

    def status(self, path):
        """0: there is nobody."""
        try:
            return self.get(path).status
        except (OSError, IndexError, Wrong):
            return 0

    def asks_for(self, path, count=1):
        """Clients whose requests are being worked on."""
        clients = [self.connect(path) for _ in range(count)]
        word = f'"connections":{count + 1}'.encode()
        eventually(lambda: word in self.get("/status").body, "the requests are there")
        return clients


def told(clients):
    """The statuses that they got."""
    statuses = []
    for client in clients:
        with client:
            statuses += [answer.status for answer in answers(client)]
    return statuses


@contextlib.contextmanager
def in_background(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    yield results
    thread.join(HANG)
    assert not thread.is_alive(), "a verb hangs"


class Verbs(unittest.TestCase):
    def test_each_verb_does_it_once_and_is_content_when_it_is_done_already(self):
        with Service() as web:
            self.assertIn("no change", web.must("install", "--", *web.options))
            self.assertIn("stopped", web.must("status", code=3))
            for _ in range(2):
                web.must("start")
                self.assertEqual(web.status("/readyz"), 200)
            self.assertIn("running", web.must("status"))
            self.assertEqual(web.show("Type"), "notify")
            pids = [web.pid()]
            for _ in range(2):
                web.must("restart")
                pids.append(web.pid())
            self.assertEqual(len(set(pids)), 3, pids)
            for _ in range(2):
                web.must("reload")
                self.assertEqual((web.pid(), web.status("/readyz")), (pids[-1], 200))
            for _ in range(2):
                web.must("stop")
                self.assertEqual(web.status("/livez"), 0)
            self.assertEqual((web.show("Result"), web.show("ExecMainStatus")), ("success", "0"))
            for _ in range(2):
                web.must("uninstall")
            self.assertEqual(web.show("LoadState"), "not-found")
            web.must("status", code=4)

    def test_a_running_service_is_stopped_before_it_is_uninstalled(self):
        with Service() as web:
            web.must("start")
            clients = web.asks_for("/slow?ms=1500")
            web.must("uninstall")
            self.assertEqual(told(clients), [200])
            self.assertEqual(web.status("/livez"), 0)

    def test_another_install_changes_what_differs(self):
        with Service("--greeting", "one") as web:
            web.must("start")
            web.options[-1] = "two"
            self.assertNotIn("no change", web.must("install", "--", *web.options))
            self.assertIn("no change", web.must("install", "--", *web.options))
            web.must("restart")
            self.assertEqual(web.get("/").body, b"two\n")

    def test_the_units_time_limits_follow_from_the_services_own_arguments(self):
        with Service("--stop-timeout", "60", "--watchdog", "7") as web:
            web.must("start")
            self.assertEqual(web.show("TimeoutStopUSec"), "1min 5s")
            self.assertEqual(web.show("WatchdogUSec"), "7s")

    def test_arguments_arrive_whatever_they_hold(self):
        for text in ("two words", 'a "quoted" \\ word\\', "it's $HOME ${HOME} %n %% ;", "ü ☃"):
            with self.subTest(text), Service("--greeting", text) as web:
                web.must("start")
                self.assertEqual(web.get("/").body.decode(), text + "\n")

    def test_what_is_wrong_with_the_arguments_is_told_before_anything_is_done(self):
        web = Service("--nonsense")
        code, text = web.verb("install", "--", *web.options)
        self.assertEqual(code, 2)
        self.assertIn("--nonsense", text)
        web.must("status", code=4)

    def test_a_start_that_fails_says_so(self):
        with Service() as first, Service(port=first.port) as second:
            second.set("Restart=no")
            first.must("start")
            code, text = second.verb("start")
            self.assertEqual(code, 1, text)
            self.assertRegex(text, "failed|exit code 70")
            second.becomes("ActiveState", "failed")
            self.assertEqual(second.show("ExecMainStatus"), "70")
            self.assertEqual(first.status("/readyz"), 200)


class Protocol(unittest.TestCase):
    def test_a_start_is_over_when_the_server_is_ready_and_says_how_far_it_is(self):
        with Service("--warm-up", "3") as web:
            with in_background(lambda: web.verb("start")) as started:
                eventually(lambda: web.status("/livez") == 200, "live")
                self.assertEqual(web.show("ActiveState"), "activating")
                self.assertEqual((web.status("/readyz"), web.status("/")), (503, 503))
                web.says(r"cache warmer: warming up: \d s left")
            self.assertEqual(started[0][0], 0, started)
            self.assertEqual((web.show("ActiveState"), web.status("/")), ("active", 200))

    def test_a_start_is_given_up_when_the_stop_comes_in_the_middle(self):
        with Service("--warm-up", "50", "--lame-duck", "20") as web:
            systemctl("start", "--no-block", web.name)
            eventually(lambda: web.status("/livez") == 200, "live")
            began = time.monotonic()
            web.must("stop")
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(web.show("ExecMainStatus"), "0")

    def test_requests_in_flight_are_finished_when_it_is_stopped(self):
        with Service() as web:
            web.must("start")
            clients = web.asks_for("/slow?ms=2000", 20)
            web.must("stop")
            self.assertEqual(told(clients), [200] * 20)
            self.assertEqual(web.show("Result"), "success")

    def test_a_reload_opens_the_access_log_anew(self):
        folder = pathlib.Path(os.environ["RUNTIME"])
        log = folder / "access log"
        with Service("--access-log", str(log)) as web:
            web.must("start")
            for round_ in range(2):
                self.assertEqual(web.status(f"/livez?{round_}"), 200)
                moved = folder / f"access log {round_}"
                eventually(lambda: f"/livez?{round_} " in log.read_text(), "it is written")
                log.rename(moved)
                web.must("reload")
                eventually(log.exists, "a new one")
                self.assertEqual(web.show("ActiveState"), "active")
                self.assertIn(f"/livez?{round_} ", moved.read_text())
            self.assertEqual(log.read_text(), "")

    # "systemd rule 40"
    def test_the_watchdog_is_met_while_connections_are_accepted(self):
        with Service("--watchdog", "1") as web:
            web.must("start")
            pid = web.pid()
            time.sleep(3.5)
            self.assertEqual((web.pid(), web.show("NRestarts")), (pid, "0"))

    def test_a_server_that_hangs_misses_the_watchdog(self):
        with Service("--watchdog", "1") as web:
            web.set("Restart=no")
            web.must("start")
            os.kill(web.pid(), signal.SIGSTOP)
            web.becomes("Result", "watchdog")
            web.becomes("ActiveState", "failed")

    # "systemd rule 39"
    def test_a_start_that_moves_may_take_longer_than_its_limit(self):
        with Service("--warm-up", "5") as web:
            web.set("TimeoutStartSec=2")
            self.assertEqual(web.show("TimeoutStartUSec"), "2s")
            web.must("start")
            self.assertEqual(web.show("NRestarts"), "0")

    def test_a_stop_that_moves_may_take_longer_than_its_limit(self):
        with Service("--lame-duck", "5", "--stop-timeout", "30") as web:
            web.set("TimeoutStopSec=2")
            web.must("start")
            began = time.monotonic()
            with in_background(lambda: web.verb("stop")) as stopped:
                eventually(lambda: web.status("/readyz") == 503, "not ready")
                web.says(r"listener: lame duck: \d s left")
            self.assertEqual(stopped[0][0], 0, stopped)
            self.assertGreater(time.monotonic() - began, 4.5)
            self.assertEqual((web.show("Result"), web.show("ExecMainStatus")), ("success", "0"))

    def test_requests_that_end_one_after_the_other_keep_a_stop_going(self):
        with Service("--stop-timeout", "30") as web:
            web.set("TimeoutStopSec=1")
            web.must("start")
            clients = [web.connect(f"/slow?ms={ms}") for ms in (1000, 2500, 4000)]
            eventually(lambda: b'"connections":4' in web.get("/status").body, "the requests")
            with in_background(lambda: web.verb("stop")) as stopped:
                web.says(r"listener: 1 in flight: GET /slow \d.*")
            self.assertEqual(stopped[0][0], 0, stopped)
            self.assertEqual(told(clients), [200] * 3)
            self.assertEqual(web.show("Result"), "success")

    def test_a_stop_that_hangs_is_ended_by_its_limit(self):
        with Service("--lame-duck", "20", "--stop-timeout", "40") as web:
            web.set("TimeoutStopSec=1", "Restart=no")
            web.must("start")
            systemctl("stop", "--no-block", web.name)
            eventually(lambda: web.status("/readyz") == 503, "not ready")
            os.kill(web.pid(), signal.SIGSTOP)
            web.becomes("Result", "timeout")
            web.becomes("ExecMainStatus", "9")

    def test_a_failure_is_followed_by_another_start(self):
        with Service() as web:
            web.must("start")
            for failures in range(1, 3):
                os.kill(web.pid(), signal.SIGKILL)
                web.becomes("NRestarts", str(failures))
                web.becomes("ActiveState", "active")
                self.assertEqual(web.status("/readyz"), 200)

    def test_wrong_arguments_are_not_tried_again(self):
        with Service() as web:
            web.set("ExecStart=", f"ExecStart={EXE_DIR}/web_server --nonsense")
            systemctl("start", web.name, ok=False)
            web.becomes("ActiveState", "failed")
            self.assertEqual((web.show("ExecMainStatus"), web.show("NRestarts")), ("2", "0"))


class Descriptors(unittest.TestCase):
    # "systemd rule 41"
    def test_a_socket_that_is_passed_is_used_and_loses_nobody_in_a_restart(self):
        with Service() as web:
            own, web.port = web.port, free_port()
            for unit, port, name in ((f"{web.name}-other", free_port(), "other"),
                                     (web.name, web.port, "web")):
                text = (f"[Socket]\nListenStream=127.0.0.1:{port}\nFileDescriptorName={name}\n"
                        f"Service={web.name}.service\n")
                (UNITS / f"{unit}.socket").write_text(text)
            systemctl("daemon-reload")
            systemctl("start", f"{web.name}-other.socket", f"{web.name}.socket")
            self.assertEqual(web.show("ActiveState"), "inactive")
            self.assertEqual(web.status("/"), 200)  # which starts it
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", own), HANG)
            before = web.pid()
            with in_background(lambda: web.verb("restart")) as restarted:
                asked = [web.status("/livez")]
                while not restarted:
                    asked.append(web.status("/livez"))
            self.assertEqual(restarted[0][0], 0, restarted)
            self.assertEqual(set(asked), {200})
            self.assertNotEqual(web.pid(), before)
            systemctl("stop", f"{web.name}-other.socket", f"{web.name}.socket")

    # "systemd rule 38"
    def test_what_is_stored_is_there_after_a_restart(self):
        name = "keeper"
        unit = UNITS / (name + ".service")
        said = pathlib.Path(os.environ["RUNTIME"], name)
        unit.write_text("[Service]\nType=notify\nFileDescriptorStoreMax=2\nTimeoutStartSec=20\n"
                        f"StandardOutput=append:{said}\n"
                        f"ExecStart={EXE_DIR}/systemd_subject descriptors kept=tally "
                        "keep=tally,seven ready term exit=0\n")
        systemctl("daemon-reload")
        systemctl("start", name)
        self.assertEqual(systemctl("show", "-P", "NFileDescriptorStore", name).strip(), "1")
        self.assertNotIn("passed tally", said.read_text())
        systemctl("restart", name)
        self.assertIn("passed tally", said.read_text())
        self.assertIn("kept 'seven'", said.read_text())
        systemctl("stop", name)


def main():
    global EXE_DIR
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    EXE_DIR = pathlib.Path(options.exe_dir).resolve()
    if options.inside:
        words = [sys.argv[0], *(["-k", options.only] if options.only else [])]
        return 0 if unittest.main(argv=words, exit=False, verbosity=2).result.wasSuccessful() else 1
    if options.runner or not all((EXE_DIR / p).exists() for p in ("web_server", "systemd_subject")):
        print("skipped: systemd runs programs of this system, and they are not in", EXE_DIR)
        return 77
    command = [RIG, "--timeout", "240", sys.executable, __file__, "--inside", *sys.argv[1:]]
    return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=300, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
