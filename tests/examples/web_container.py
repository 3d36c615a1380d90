#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The web server where nobody speaks to it but by signals: as process 1 of a container, under
nohup, in a terminal.

    web_container.py --exe-dir DIR

Exit status: 0 all passed, 1 something failed, 77 there is nothing to run here.
"""
import argparse
import contextlib
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from web_server import answers, eventually, free_port, one_answer, request

HANG = 60
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
EXE_DIR = None


def told(client):
    """The statuses that it got; none when the connection was cut."""
    with client, contextlib.suppress(ConnectionError):
        return [answer.status for answer in answers(client)]
    return []


def possible(command):
    if not shutil.which(command[0]):
        return False
    done = subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=HANG, check=False)
    return done.returncode == 0


class Server:
    """The web server as a child of this process, or of `inside`; killed in the end."""

    def __init__(self, *options, inside=(), **popen):
        self.port = free_port()
        self.inside = inside
        self.process = subprocess.Popen(
            [*inside, EXE_DIR / "web_server", "--port", str(self.port), *options],
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
               "stderr": subprocess.PIPE, **popen})

    def __enter__(self):
        eventually(lambda: self.status("/readyz") == 200, "ready")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=HANG)

    def pid(self):
        """As it is called out here."""
        pid = self.process.pid
        if not self.inside:
            return pid
        return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def send(self, number):
        os.kill(self.pid(), number)

    def ended(self):
        """Its exit code and what it said on stderr."""
        _, errors = self.process.communicate(timeout=HANG)
        return self.process.returncode, (errors or b"").decode()

    def connect(self, path, *headers):
        client = socket.create_connection(("127.0.0.1", self.port), HANG)
        client.sendall(request(path, *headers))
        return client

    def status(self, path):
        """0: there is nobody."""
        try:
            with self.connect(path, "Connection: close") as client:
                return answers(client)[0].status
        except (OSError, IndexError):
            return 0

    def works_on(self, path):
        """A client whose request is being worked on."""
        client = self.connect("/livez")
        one_answer(client)
        client.sendall(request(path))
        eventually(lambda: self.status("/livez") == 200, "an answer")
        return client


@unittest.skipUnless(possible(NAMESPACE), "there are no PID namespaces here")
class Container(unittest.TestCase):
    # "POSIX rule 35"
    def test_a_stop_of_process_1_is_clean(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Server(inside=NAMESPACE) as web:
                client = web.works_on("/slow?ms=1000")
                web.send(number)
                self.assertEqual(told(client), [200])
                code, said = web.ended()
                self.assertEqual(code, 0, said)
                self.assertRegex(said, rf"^web_server: stopped: signal {number.name}\b.*\n$")

    # "rule 44": a pod is killed when its grace is over
    def test_the_grace_of_a_pod_limits_the_stop(self):
        grace = {**os.environ, "CURFEW_GRACE_SECONDS": "2"}
        for inside in ((), NAMESPACE):
            with Server("--stop-timeout", "50", inside=inside, env=grace) as web:
                client = web.works_on("/slow?ms=55000")
                began = time.monotonic()
                web.send(signal.SIGTERM)
                code, said = web.ended()
                self.assertLess(time.monotonic() - began, 25)
                self.assertIn(code, (1, 70, 143), said)  # 1: built without exceptions
                self.assertNotIn(200, told(client))

    def test_a_reload_from_outside_is_no_stop(self):
        with tempfile.TemporaryDirectory(prefix="curfew-web-") as folder:
            log = pathlib.Path(folder, "access.log")
            with Server("--access-log", str(log), inside=NAMESPACE) as web:
                log.rename(log.with_name("moved"))
                web.send(signal.SIGHUP)
                eventually(lambda: log.exists() or web.process.poll() is not None, "a reload")
                if web.process.poll() is not None:
                    self.fail(f"it has ended: {web.ended()}")
                self.assertEqual(web.status("/readyz"), 200)
                web.send(signal.SIGTERM)
                self.assertEqual(web.ended()[0], 0)


class Terminal:
    """A terminal of which the server is the leader, and its keyboard."""

    def __init__(self, *options, prepare=lambda: None, **popen):
        self.control, terminal = pty.openpty()

        def lead():
            os.setsid()
            os.close(os.open(os.ttyname(terminal), os.O_RDWR))  # the first one is ours
            prepare()

        self.web = Server(*options, stdin=terminal, preexec_fn=lead, **popen)
        os.close(terminal)

    def __enter__(self):
        self.web.__enter__()
        return self

    def __exit__(self, *_):
        self.web.__exit__()
        self.close()

    def type_interrupt(self):
        os.write(self.control, b"\x03")

    def close(self):
        if self.control != -1:
            os.close(self.control)
        self.control = -1


class Typed(unittest.TestCase):
    def test_the_first_interrupt_finishes_what_is_in_flight(self):
        with Terminal("--lame-duck", "55", "--stop-timeout", "58") as terminal:
            client = terminal.web.works_on("/slow?ms=1500")
            terminal.type_interrupt()
            self.assertEqual(told(client), [200])
            code, said = terminal.web.ended()
            self.assertEqual(code, 0, said)
            self.assertIn("stopped: signal SIGINT,", said)

    def test_the_second_interrupt_cuts_it_and_that_is_a_failure(self):
        with Terminal("--stop-timeout", "58") as terminal:
            client = terminal.web.works_on("/slow?ms=55000")
            began = time.monotonic()
            terminal.type_interrupt()
            eventually(lambda: terminal.web.status("/livez") == 0, "the listener is closed")
            time.sleep(0.7)  # interrupts that come together count as one
            terminal.type_interrupt()
            code, said = terminal.web.ended()
            self.assertIn(code, (1, 70), said)  # 1: built without exceptions
            self.assertLess(time.monotonic() - began, 25)
            self.assertIn("cut short with 1 in flight: GET /slow", said)
            self.assertNotIn(200, told(client))

    def test_the_third_interrupt_ends_it_at_once(self):
        """What makes it slow to hurry is a standard output that is full and never read."""
        read, full = os.pipe()
        os.set_blocking(full, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(full, b"x" * 4096)
        os.set_blocking(full, True)
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, full)
        for _ in range(3):  # the end may be quicker than we type
            code = self.end_by_three(full)
            if code == 130:
                return
        self.fail(f"not ended by the third: {code}")

    def end_by_three(self, output):
        with Terminal("--stop-timeout", "58", stdout=output) as terminal:
            client = terminal.web.works_on("/slow?ms=55000")
            terminal.type_interrupt()
            eventually(lambda: terminal.web.status("/livez") == 0, "the listener is closed")
            time.sleep(0.7)
            terminal.type_interrupt()
            told(client)
            time.sleep(0.25)
            terminal.type_interrupt()
            return terminal.web.ended()[0]


class Hangup(unittest.TestCase):
    def test_closing_the_terminal_is_a_stop(self):
        with Terminal() as terminal:
            client = terminal.web.works_on("/slow?ms=1000")
            terminal.close()
            self.assertEqual(told(client), [200])
            code, said = terminal.web.ended()
            self.assertEqual(code, 0, said)
            self.assertIn("stopped: signal SIGHUP,", said)

    # "POSIX rule 33": what is ignored at the start stays so
    def test_under_nohup_it_lives_on(self):
        def nohup():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        with Terminal(prepare=nohup) as terminal:
            terminal.close()
            time.sleep(0.5)  # for a stop that must not come
            self.assertEqual(terminal.web.status("/readyz"), 200)
            terminal.web.send(signal.SIGTERM)
            code, said = terminal.web.ended()
            self.assertEqual(code, 0, said)
            self.assertIn("stopped: signal SIGTERM from pid", said)


def main():
    global EXE_DIR
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    EXE_DIR = pathlib.Path(options.exe_dir).resolve()
    if options.runner or not (EXE_DIR / "web_server").exists():
        print("skipped: there is no web_server for this system in", EXE_DIR)
        return 77
    # A shell ignores these in what it runs in the background, and the server would inherit that.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    words = [sys.argv[0], *(["-k", options.only] if options.only else [])]
    done = unittest.main(argv=words, exit=False, verbosity=2)
    return 0 if done.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
