#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A program that is asked over its control endpoint by real processes: by its operator, by another
user, by a flood, by garbage, and by nobody any more."""
import argparse
import json
import os
import pathlib
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

HANG = 60
NOBODY = 65534


class Subject:
    """A program that runs, and what it says, line for line."""
    command = []
    windows = False

    def __init__(self, path, behaviour="quick"):
        self.path = path
        self.process = subprocess.Popen(
            [*Subject.command, path, behaviour], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.lines = queue.Queue()
        self.said = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\r\n"))
        self.lines.put(None)

    def says(self, pattern):
        """Waits for such a line, and returns its match."""
        while (line := self.lines.get(timeout=HANG)) is not None:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without saying {pattern!r}: {self.said}")

    def ask(self, verb, change="", **how):
        done = subprocess.run([*Subject.command, "ask", self.path, verb, change],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              timeout=HANG, **how)
        return done.returncode, done.stdout.strip()

    def status(self):
        code, body = self.ask("status")
        assert code == 0, body
        return json.loads(body)

    def hurry(self):
        self.process.send_signal(signal.SIGINT)  # under Wine it is a Ctrl-C

    def end(self):
        code = self.process.wait(HANG)
        self.reader.join(HANG)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(HANG)
        self.reader.join(HANG)
        self.process.stdout.close()


class Tests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        name = f"curfew-{os.getpid()}-{self.id()}"
        self.path = name if Subject.windows else str(self.folder / "control")

    def start(self, behaviour="quick"):
        subject = Subject(self.path, behaviour)
        self.addCleanup(subject.kill)
        subject.says("^ready$")
        return subject


class Orders(Tests):
    """What works everywhere."""

    def test_a_stop_says_who_has_asked(self):
        s = self.start()
        asker = subprocess.Popen([*Subject.command, "ask", self.path, "stop", "CHG-1"],
                                 stdout=subprocess.PIPE, text=True)
        answer, _ = asker.communicate(timeout=HANG)
        self.assertEqual((asker.returncode, json.loads(answer)),
                         (0, {"stopping": True, "first": True}))
        told = s.says(r"^allowed verb=stop change=CHG-1 pid=(\d+) uid=(-?\d+) sid=(\S*) why=$")
        if Subject.windows:
            self.assertGreater(int(told[1]), 0)
            self.assertRegex(told[3], r"^S-1-\d+")
        else:
            self.assertEqual(told.groups(), (str(asker.pid), str(os.geteuid()), ""))
        s.says(rf"^stopping: control from pid {told[1]}\b")
        self.assertEqual(s.end(), 0)

    def test_a_stop_in_two_steps(self):
        s = self.start()
        self.assertEqual(s.ask("prepare", "a"), (0, '{"prepared":true}'))
        s.says("^prepared$")
        self.assertEqual(s.ask("commit", "b"), (
            1, 'what is prepared is "a": who decides calls it the same; give that name'))
        self.assertEqual(s.ask("abort", "a"), (0, '{"resumed":true}'))
        s.says("^resumed: given up: a$")
        self.assertEqual(s.status()["phase"], "up")
        self.assertEqual(s.ask("prepare", "c")[0], 0)
        self.assertEqual(s.ask("commit", "c")[0], 0)
        self.assertEqual(s.end(), 0)

    def test_a_veto_is_a_refusal_with_its_reason(self):
        s = self.start("vetoing")
        self.assertEqual(s.ask("prepare", "a"), (1, "db: a backup runs"))
        self.assertEqual(s.status()["phase"], "up")

    def test_status_is_answered_while_components_stop(self):
        s = self.start("slow")
        self.assertEqual(s.ask("stop")[0], 0)
        status = s.status()
        self.assertEqual(status["phase"], "stopping")
        self.assertRegex(status["stop"]["reason"], "^control from pid")
        self.assertLess(status["stop"]["left_ms"], 20001)
        self.assertEqual(status["components"][0]["phase"], "draining")
        self.assertRegex(s.ask("commit")[1], "^a stop has begun: control")
        if os.name != "nt":
            s.hurry()
        self.assertEqual(s.end(), 0)

    def test_a_program_that_is_gone_cannot_be_asked(self):
        s = self.start()
        self.assertEqual(s.ask("stop")[0], 0)
        self.assertEqual(s.end(), 0)
        self.assertRegex(s.ask("status")[1], "^cannot connect: ")

    def test_many_ask_at_once(self):
        s = self.start()
        askers = [subprocess.Popen([*Subject.command, "ask", self.path, "status", ""],
                                   stdout=subprocess.PIPE, text=True) for _ in range(10)]
        for asker in askers:
            answer, _ = asker.communicate(timeout=HANG)
            self.assertEqual((asker.returncode, json.loads(answer)["phase"]), (0, "up"))
        self.assertEqual(s.ask("stop")[0], 0)
        self.assertEqual(s.end(), 0)


@unittest.skipIf(os.name == "nt", "there are no Unix sockets here")
class Sockets(Tests):
    def setUp(self):
        super().setUp()
        if Subject.windows:
            self.skipTest("pipes of Wine cannot be opened from outside")

    def connect(self, bytes_=b""):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(s.close)
        s.connect(self.path)  # waits for its turn; with a timeout it would not
        s.settimeout(HANG)
        try:
            s.sendall(bytes_)
        except BrokenPipeError:
            pass  # it has been turned away, and can be told why
        return s

    @staticmethod
    def frame(verb, **more):
        text = json.dumps({"curfew": 1, "verb": verb, **more}).encode()
        return struct.pack("<I", len(text)) + text

    @staticmethod
    def hear(s):
        """A frame; None: the other side has hung up."""
        def exactly(count):
            data = b""
            while len(data) < count:
                try:
                    more = s.recv(count - len(data))
                except ConnectionResetError:
                    more = b""
                if not more:
                    return None
                data += more
            return data
        head = exactly(4)
        text = head and exactly(struct.unpack("<I", head)[0])
        return text and json.loads(text)

    def ask_as_nobody(self, verb):
        """From a process of another user, which needs nothing but a socket."""
        script = ("import os, socket, sys\n"
                  "os.setgroups([]); os.setgid(%d); os.setuid(%d)\n"
                  "s = socket.socket(socket.AF_UNIX); s.settimeout(60)\n"
                  "try:\n"
                  "  s.connect(sys.argv[1])\n"
                  "except PermissionError: sys.exit(13)\n"
                  "try:\n"
                  "  s.sendall(bytes.fromhex(sys.argv[2]))\n"
                  "  sys.stdout.buffer.write(s.recv(65536)[4:])\n"
                  "except (BrokenPipeError, ConnectionResetError): pass\n" % (NOBODY, NOBODY))
        done = subprocess.run([sys.executable, "-c", script, self.path, self.frame(verb).hex()],
                              stdout=subprocess.PIPE, text=True, timeout=HANG)
        return done.returncode, done.stdout

    def need_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.folder.chmod(0o755)

    # ---- others

    def test_another_user_is_kept_out_by_the_mode_of_the_socket(self):
        self.need_another_user()
        s = self.start()
        self.assertEqual(os.stat(self.path).st_mode & 0o7777, 0o600)
        self.assertEqual(self.ask_as_nobody("stop"), (13, ""))
        self.assertEqual(s.status()["phase"], "up")

    def test_another_user_is_turned_away_where_the_mode_was_opened_and_stands_in_the_audit(self):
        self.need_another_user()
        s = self.start()
        os.chmod(self.path, 0o666)
        self.assertEqual(self.ask_as_nobody("stop"), (0, ""))
        s.says(rf"^denied verb=connect change= pid=\d+ uid={NOBODY} sid= "
               "why=you may not ask: only the user of")
        self.assertEqual(s.status()["phase"], "up")

    def test_a_policy_may_let_others_do_something(self):
        self.need_another_user()
        s = self.start("open")
        os.chmod(self.path, 0o666)
        code, text = self.ask_as_nobody("status")
        self.assertEqual((code, json.loads(text)["answer"]["phase"]), (0, "up"))
        code, text = self.ask_as_nobody("stop")
        self.assertEqual(json.loads(text)["error"], "status is all that others may ask for")
        s.says(rf"^denied verb=stop change= pid=\d+ uid={NOBODY} ")
        self.assertEqual(s.status()["phase"], "up")

    def test_a_flood_of_another_user_does_not_shut_out_the_operator(self):
        self.need_another_user()
        s = self.start("open")
        os.chmod(self.path, 0o666)
        flood = ("import os, socket, sys\n"
                 "os.setgroups([]); os.setgid(%d); os.setuid(%d)\n"
                 "many = []\n"
                 "for _ in range(100):\n"
                 "  s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); many.append(s)\n"
                 "print('full', flush=True); sys.stdin.read()\n" % (NOBODY, NOBODY))
        with subprocess.Popen([sys.executable, "-c", flood, self.path], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "full\n")
            for _ in range(5):
                self.assertEqual(s.status()["phase"], "up")
            process.stdin.close()

    # ---- those who behave badly

    def test_garbage_and_floods_harm_nobody(self):
        s = self.start()
        self.assertIn("at most 65536", self.hear(self.connect(b"\xff\xff\xff\xff"))["error"])
        self.assertIn("no request", self.hear(self.connect(b"\x04\0\0\0\xff\xfe\xfd\xfc"))["error"])
        half = self.connect(self.frame("stop")[:11])
        flood = [self.connect() for _ in range(200)]
        noise = [self.connect(os.urandom(4096)) for _ in range(50)]
        for one in [half, *flood, *noise]:
            while self.hear(one) is not None:
                pass
        self.assertEqual(s.status()["phase"], "up")
        self.assertEqual(s.ask("stop")[0], 0)
        self.assertEqual(s.end(), 0)

    def test_a_client_that_never_reads_does_not_hold_up_a_stop(self):
        s = self.start("slow")
        watcher = self.connect(self.frame("watch"))
        self.assertTrue(self.hear(watcher)["ok"])
        deaf = [self.connect(self.frame("watch")) for _ in range(3)]
        busy = self.connect()
        for _ in range(300):
            busy.sendall(self.frame("status"))
            self.assertTrue(self.hear(busy)["ok"])
        self.assertEqual(s.ask("stop")[0], 0)
        s.says("^stopping: control")
        s.hurry()
        events = []
        while (event := self.hear(watcher)) is not None:
            events.append(event)
        self.assertEqual(s.end(), 0)
        self.assertEqual(events[-1]["event"], "run ended")
        self.assertIn("stopping", [event["event"] for event in events])
        self.assertEqual(len(deaf), 3)

    # ---- signals

    def test_a_signal_in_the_middle_of_a_prepare(self):
        s = self.start("slow-prepare")
        asker = self.connect(self.frame("prepare", change="a"))
        s.says("^allowed verb=prepare")
        while s.status()["phase"] != "preparing":
            pass
        s.process.send_signal(signal.SIGTERM)
        answer = self.hear(asker)
        self.assertFalse(answer["ok"])
        self.assertIn("it is being stopped", answer["error"])
        self.assertEqual(s.end(), 0)

    def test_whoever_prepared_dies_and_all_are_resumed(self):
        s = self.start()
        asker = self.connect(self.frame("prepare", change="a", arguments={"lease_ms": 300}))
        self.assertTrue(self.hear(asker)["ok"])
        asker.close()
        s.says("^resumed: nobody has decided in time$")
        self.assertEqual(s.status()["phase"], "up")
        self.assertEqual(s.ask("commit", "a")[0], 1)

    def test_a_stop_that_is_asked_for_is_said_at_the_terminal(self):
        if Subject.windows:
            self.skipTest("a terminal of its own needs a Unix")
        import pty
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(Subject.command[0], [*Subject.command, self.path, "quick"])
        seen, asked = b"", None
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            seen += data
            if asked is None and b"ready" in seen:
                asked = self.connect(self.frame("stop"))
            if not data:
                break
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertRegex(seen, rb"stopping: control from pid \d+.*; "
                               rb"a signal hurries it, a second one ends it at once")

    # ---- the path

    def test_a_second_program_is_refused_and_the_first_is_unharmed(self):
        first = self.start()
        second = Subject(self.path)
        self.addCleanup(second.kill)
        second.says(r"cannot start: no control endpoint at .*: Address already in use; "
                    r"one program at a time has it: does it run already\?$")
        self.assertNotEqual(second.end(), 0)
        self.assertEqual(first.status()["pid"], first.process.pid)

    def test_a_program_that_was_killed_starts_again(self):
        for _ in range(3):
            s = self.start()
            s.process.send_signal(signal.SIGKILL)
            s.process.wait(HANG)
            self.assertTrue(os.path.exists(self.path))
        s = self.start()
        self.assertEqual(s.status()["pid"], s.process.pid)
        self.assertEqual(s.ask("stop")[0], 0)
        self.assertEqual(s.end(), 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_programs_that_are_started_do_not_inherit_the_endpoint(self):
        s = self.start()
        held = self.connect(self.frame("status"))
        self.hear(held)
        for fd in pathlib.Path(f"/proc/{s.process.pid}/fd").iterdir():
            try:
                target = os.readlink(fd)
                info = pathlib.Path(f"/proc/{s.process.pid}/fdinfo", fd.name).read_text()
            except FileNotFoundError:
                continue
            if target.startswith("socket:") or target.endswith(".lock"):
                flags = int(re.search(r"flags:\s+(\d+)", info)[1], 8)
                self.assertTrue(flags & os.O_CLOEXEC, target)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    arguments, rest = parser.parse_known_args()
    Subject.windows = bool(arguments.runner) or os.name == "nt"
    name = "control_subject.exe" if Subject.windows else "control_subject"
    Subject.command = [*arguments.runner, str(pathlib.Path(arguments.exe_dir, name))]
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
