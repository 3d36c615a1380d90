#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The web server as a service of the system, with an account of its own, by its own verbs.

    web_service_system.py --exe-dir DIR

A system manager as process 1 of namespaces, by tests/rigs/sealed-system. Exit status: 0 all
passed, 1 something failed, 77 there can be no such thing here.
"""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from web_server import Wrong, answers, eventually, free_port, request

HANG = 60
HERE = pathlib.Path(__file__).resolve()
PROGRAM = "/opt/curfew/web_server"


def output(*command):
    return subprocess.run(command, text=True, timeout=HANG, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def free_low_port():
    for port in range(600, 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Wrong("no port is free")


class Service:
    """The web server by a name of its own; gone in the end."""

    def __init__(self, name, *options, port=None):
        self.name, self.port = name, port or free_port()
        self.options = ["--port", str(self.port), *options]

    def __enter__(self):
        self.must("install", "--", *self.options)
        return self

    def __exit__(self, *error):
        if error[0]:
            print(output("systemctl", "status", self.name).stdout)
        self.verb("uninstall")

    def verb(self, verb, *more):
        done = output(PROGRAM, verb, "--name", self.name, *more)
        return done.returncode, done.stdout

    def must(self, verb, *more, code=0):
        got, text = self.verb(verb, *more)
        if got != code:
            raise Wrong(f"{verb} ends with {got}: {text}")
        return text

    def show(self, name):
        return output("systemctl", "show", "--property", name, "--value", self.name).stdout.strip()

    def connect(self, path):
        client = socket.create_connection(("127.0.0.1", self.port), HANG)
        client.sendall(request(path, "Connection: close"))
        return client

    def get(self, path):
        with self.connect(path) as client:
            return answers(client)[0]


class System(unittest.TestCase):
    def test_each_verb_does_it_once_and_is_content_when_it_is_done_already(self):
        with Service("plain") as web:
            self.assertIn("no change", web.must("install", "--", *web.options))
            web.must("status", code=3)
            for verb in ("start", "reload", "restart"):
                for _ in range(2):
                    web.must(verb)
                    self.assertEqual(web.get("/readyz").status, 200)
            self.assertIn("running", web.must("status"))
            for _ in range(2):
                web.must("stop")
            self.assertEqual((web.show("Result"), web.show("ExecMainStatus")), ("success", "0"))
            for _ in range(2):
                web.must("uninstall")
            web.must("status", code=4)
            self.assertFalse(pathlib.Path("/etc/systemd/system/plain.service").exists())

    def test_it_has_an_account_of_its_own_and_writes_to_its_state_directory(self):
        with Service("logged", "--access-log", "/var/lib/logged/access") as web:
            web.must("start")
            self.assertEqual(web.show("DynamicUser"), "yes")
            uid = pathlib.Path("/proc", web.show("MainPID")).stat().st_uid
            self.assertTrue(61184 <= uid <= 65519, uid)
            self.assertEqual(web.get("/livez").status, 200)
            web.must("stop")
            log = pathlib.Path("/var/lib/private/logged/access")
            self.assertIn('"GET /livez HTTP/1.1" 200', log.read_text())

    def test_requests_in_flight_are_finished_when_it_is_stopped(self):
        with Service("drained") as web:
            web.must("start")
            with web.connect("/slow?ms=1500") as client:
                eventually(lambda: b'"connections":2' in web.get("/status").body, "the request")
                web.must("stop")
                self.assertEqual(answers(client)[0].status, 200)

    def test_a_port_of_the_system_is_granted(self):
        with Service("low", port=free_low_port()) as web:
            web.must("start")
            self.assertEqual(web.get("/readyz").status, 200)

    def test_doctor_finds_nothing_wrong(self):
        with Service("sound") as web:
            web.must("start")
            web.must("doctor")

    def test_whoever_is_not_root_is_told_so_and_nothing_is_done(self):
        for verb in ("install", "uninstall"):
            done = output("setpriv", "--reuid=65534", "--clear-groups", PROGRAM, verb)
            self.assertEqual(done.returncode, 77, done.stdout)
            self.assertIn("needs root", done.stdout)
        self.assertFalse(pathlib.Path("/etc/systemd/system/web_server.service").exists())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", type=pathlib.Path)
    parser.add_argument("--runner")
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    if options.inside:
        # A sanitizer that looks for leaks wants to trace the process, which no service may.
        output("systemctl", "set-environment", "ASAN_OPTIONS=detect_leaks=0")
        done = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
        return 0 if done.result.wasSuccessful() else 1
    python = "/usr/bin/python3"  # one that can be seen from inside
    there = (options.exe_dir / "web_server").exists() and os.path.exists(python)
    if options.runner or not there:
        print("skipped: there is no web_server for this system in", options.exe_dir)
        return 77
    with tempfile.TemporaryDirectory(prefix="curfew-system-") as folder:
        for file in (options.exe_dir / "web_server", HERE, HERE.with_name("web_server.py")):
            shutil.copy(file, folder)
        rig = HERE.parents[1] / "rigs" / "sealed-system"
        command = [rig, folder, python, HERE.name, "--inside"]
        done = subprocess.run(command, timeout=180, stdin=subprocess.DEVNULL, check=False)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
