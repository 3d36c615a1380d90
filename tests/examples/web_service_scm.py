#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The web server as a service of the service control manager, installed and driven by its own
verbs, and by tests/host/programs/scmctl.cpp where there is no verb.

    web_service_scm.py --exe-dir DIR --runner EMULATOR

The SCM is that of the emulator; on Windows itself the runner is empty, and it needs an
administrator. Exit status: 0 all passed, 1 something failed, 77 there is no SCM here.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from web_server import Wrong, answers, eventually, free_port, request

HANG = 90
RUNNER = []
EXE_DIR = None


def windows_path(path):
    return str(path) if os.name == "nt" else "Z:" + str(path).replace("/", "\\")


def run(program, *words):
    return subprocess.run([*RUNNER, EXE_DIR / f"{program}.exe", *words], timeout=HANG, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")


class Service:
    """The web server by a name of its own; gone in the end."""

    count = 0

    def __init__(self, *options, port=None):
        Service.count += 1
        self.name = f"curfew-web-{os.getpid()}-{Service.count}"
        self.port = port or free_port()
        self.options = ["--port", str(self.port), *options]

    def __enter__(self):
        self.must("install", "--", *self.options)
        return self

    def __exit__(self, *error):
        if error[0]:
            print(self.scm("query"), self.scm("config"))
        self.verb("uninstall")
        if self.scm("query")["ok"]:
            self.scm("control", "stop")
            self.scm("wait", "stopped", "20000")
            self.scm("uninstall")

    def verb(self, verb, *more):
        """Exit code and output of one of the program's own verbs."""
        done = run("web_server", verb, "--name", self.name, *more)
        return done.returncode, done.stdout

    def must(self, verb, *more, code=0):
        got, text = self.verb(verb, *more)
        if got != code:
            raise Wrong(f"{verb} ends with {got}: {text}")
        return text

    def scm(self, verb, *more):
        return json.loads(run("scmctl", verb, self.name, *more).stdout)

    def control(self, what):
        answer = self.scm("control", what)
        if not answer["ok"]:
            raise Wrong(answer)

    def becomes(self, state):
        waited = self.scm("wait", state, str(HANG * 500))
        if not waited["ok"]:
            raise Wrong(waited)
        return waited["transitions"]

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


@contextlib.contextmanager
def in_background(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    yield results
    thread.join(HANG)
    assert not thread.is_alive(), "it hangs"


class Verbs(unittest.TestCase):
    def test_each_verb_does_it_once_and_is_content_when_it_is_done_already(self):
        with Service() as web:
            self.assertIn("no change", web.must("install", "--", *web.options))
            self.assertIn("stopped", web.must("status", code=3))
            for _ in range(2):
                web.must("start")
                self.assertEqual(web.scm("query")["state"], "running")
                self.assertEqual(web.status("/readyz"), 200)
            self.assertIn("running", web.must("status"))
            pids = [web.scm("query")["pid"]]
            for _ in range(2):
                web.must("restart")
                pids.append(web.scm("query")["pid"])
            self.assertEqual(len(set(pids)), 3, pids)
            for _ in range(2):
                web.must("stop")
                self.assertEqual((web.scm("query")["state"], web.status("/livez")), ("stopped", 0))
            self.assertEqual(web.scm("query")["win32_exit"], 0)
            for _ in range(2):
                web.must("uninstall")
            self.assertFalse(web.scm("query")["ok"])
            web.must("status", code=4)

    def test_a_running_service_is_stopped_before_it_is_uninstalled(self):
        with Service() as web:
            web.must("start")
            with web.connect("/slow?ms=1500") as client:
                eventually(lambda: b'"connections":2' in web.get("/status").body, "the request")
                web.must("uninstall")
                self.assertEqual(answers(client)[0].status, 200)
            self.assertFalse(web.scm("query")["ok"])

    def test_another_install_changes_what_differs(self):
        with Service("--greeting", "one") as web:
            web.options[-1] = "two"
            self.assertNotIn("no change", web.must("install", "--", *web.options))
            self.assertIn("no change", web.must("install", "--", *web.options))
            web.must("start")
            self.assertEqual(web.get("/").body, b"two\n")

    # "SCM rule 19"
    def test_the_image_path_is_quoted(self):
        with Service() as web:
            line = web.scm("config")["binary"]
            self.assertRegex(line, r'(?i)^"[^"]*web_server\.exe" --port \d+$')

    # "SCM rule 4"
    def test_arguments_arrive_whatever_they_hold(self):
        texts = ("two words", 'a "quoted" \\ word\\', 'ends in \\\\"', "it's 100% %PATH%")
        with Service("--greeting", "none") as web:
            for text in texts:
                with self.subTest(text):
                    web.options[-1] = text
                    web.must("install", "--", *web.options)
                    web.must("restart")
                    self.assertEqual(web.get("/").body.decode(), text + "\n")
            web.must("stop")
            for text in texts:
                with self.subTest(text, of="this start"):
                    self.assertTrue(web.scm("start", "--greeting", text)["ok"])
                    web.becomes("running")
                    self.assertEqual(web.get("/").body.decode(), text + "\n")
                    web.must("stop")

    # "SCM rule 10"
    def test_a_start_that_fails_says_so(self):
        with Service() as first, Service(port=first.port) as second:
            first.must("start")
            code, text = second.verb("start")
            self.assertEqual(code, 1, text)
            status = second.scm("query")
            self.assertEqual((status["state"], status["win32_exit"]), ("stopped", 1066))
            self.assertEqual(status["specific_exit"], 70)
            self.assertIn("exit code 70", second.must("status", code=3))
            self.assertEqual(first.status("/readyz"), 200)

    def test_what_is_wrong_with_the_arguments_is_told(self):
        with Service() as web:
            code, text = web.verb("install", "--", "--nonsense")
            self.assertEqual(code, 2, text)
            self.assertIn("--nonsense", text)
            web.scm("start", "--nonsense")
            ended = web.becomes("stopped")[-1]
            self.assertEqual((ended["win32_exit"], ended["specific_exit"]), (1066, 2))


class Controls(unittest.TestCase):
    def test_pause_and_continue(self):
        with Service() as web:
            web.must("start")
            kept = web.connect("/slow?ms=1000")
            eventually(lambda: b'"connections":2' in web.get("/status").body, "the request")
            for _ in range(2):
                for _ in range(2):
                    web.control("pause")
                    web.becomes("paused")
                    self.assertEqual((web.status("/readyz"), web.status("/")), (503, 503))
                    self.assertEqual(web.status("/livez"), 200)
                web.control("continue")
                web.becomes("running")
                self.assertEqual((web.status("/readyz"), web.status("/")), (200, 200))
            with kept:
                self.assertEqual(answers(kept)[0].status, 200)
            web.control("pause")
            web.becomes("paused")
            web.must("stop")  # a paused one as well
            self.assertEqual(web.scm("query")["win32_exit"], 0)

    # "SCM rule 17"
    def test_user_codes_and_interrogation_harm_nobody(self):
        with Service() as web:
            web.must("start")
            for code in ("128", "128", "200", "interrogate"):
                web.control(code)
            self.assertEqual(web.scm("query")["state"], "running")
            self.assertEqual(web.status("/readyz"), 200)
            web.must("stop")

    def test_a_changed_parameter_opens_the_access_log_anew(self):
        with tempfile.TemporaryDirectory(prefix="curfew web ") as folder:
            log = pathlib.Path(folder, "access log")
            with Service("--access-log", windows_path(log)) as web:
                web.must("start")
                for way in (lambda: web.control("paramchange"), lambda: web.must("reload")):
                    self.assertEqual(web.status("/livez"), 200)
                    eventually(lambda: "/livez" in log.read_text(), "it is written")
                    if os.name != "nt":  # where an open file can be moved away
                        log.rename(log.with_name("moved"))
                    way()
                    eventually(log.exists, "a new one")
                web.must("stop")

    def test_without_an_access_log_the_lines_go_nowhere(self):
        with Service() as web:
            web.must("start")
            for _ in range(20):
                self.assertEqual(web.status("/livez"), 200)
            time.sleep(1.2)  # for the log to be written
            self.assertEqual(web.status("/livez"), 200)
            web.must("stop")
            self.assertEqual(web.scm("query")["win32_exit"], 0)


class Time(unittest.TestCase):
    def rises(self, transitions, state, seconds):
        """Of the looks at it, those in that state have a checkpoint that rises."""
        seen = [t["checkpoint"] for t in transitions if t["state"] == state]
        self.assertEqual(seen, sorted(set(seen)), transitions)
        self.assertGreaterEqual(len(seen), seconds, transitions)

    # "SCM rules 6 and 7"
    def test_a_start_that_takes_six_seconds_says_that_it_moves(self):
        with Service("--warm-up", "6") as web:
            with in_background(lambda: web.verb("start")) as started:
                eventually(lambda: web.scm("query")["state"] == "start_pending", "it begins")
                transitions = web.becomes("running")
            self.assertEqual(started[0][0], 0, started)
            self.rises(transitions, "start_pending", 6)
            for t in transitions[:-1]:
                self.assertEqual(t["accepts"], 0, t)
                self.assertGreater(t["wait_hint"], 0, t)
            self.assertEqual((transitions[-1]["checkpoint"], transitions[-1]["wait_hint"]), (0, 0))
            web.must("stop")

    # "SCM rules 7 and 8"
    def test_a_stop_that_takes_six_seconds_says_that_it_moves(self):
        with Service("--lame-duck", "6", "--stop-timeout", "40") as web:
            web.must("start")
            with in_background(lambda: web.verb("stop")) as stopped:
                eventually(lambda: web.status("/readyz") == 503, "not ready")
                transitions = web.becomes("stopped")
            self.assertEqual(stopped[0][0], 0, stopped)
            self.rises(transitions, "stop_pending", 6)
            self.assertEqual({t["state"] for t in transitions}, {"stop_pending", "stopped"})
            self.assertEqual(transitions[-1]["win32_exit"], 0)

    def test_requests_in_flight_are_finished_when_it_is_stopped(self):
        with Service() as web:
            web.must("start")
            clients = [web.connect("/slow?ms=2000") for _ in range(20)]
            eventually(lambda: b'"connections":21' in web.get("/status").body, "the requests")
            web.control("stop")
            for client in clients:
                with client:
                    self.assertEqual(answers(client)[0].status, 200)
            self.assertEqual(web.becomes("stopped")[-1]["win32_exit"], 0)

    def test_requests_that_are_cut_make_it_a_failure(self):
        with Service("--stop-timeout", "1.5") as web:
            web.must("start")
            with web.connect("/slow?ms=50000") as client:
                eventually(lambda: b'"connections":2' in web.get("/status").body, "the request")
                web.verb("stop")
                with contextlib.suppress(ConnectionError):
                    self.assertEqual([a.status for a in answers(client)], [503])
            status = web.scm("query")
            self.assertEqual((status["state"], status["win32_exit"]), ("stopped", 1066))
            self.assertNotEqual(status["specific_exit"], 0)


def main():
    global EXE_DIR, RUNNER
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    EXE_DIR = pathlib.Path(options.exe_dir).resolve()
    RUNNER = [shutil.which(options.runner)] if options.runner else []
    there = all((EXE_DIR / p).exists() for p in ("web_server.exe", "scmctl.exe"))
    if not there or None in RUNNER:
        print("skipped: there are no programs for Windows in", EXE_DIR, "or no", options.runner)
        return 77
    words = [sys.argv[0], *(["-k", options.only] if options.only else [])]
    done = unittest.main(argv=words, exit=False, verbosity=2)
    return 0 if done.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
