#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Real clients against examples/web_server.

    web_server.py --exe-dir DIR [--runner EMULATOR] [--only WORDS] [--repeat N]

With --runner (under-wine or the like, which must exec the loader) the program is
web_server.exe, and a stop is SIGINT, which Wine turns into CTRL_C. Exit status: 0 all
passed, 1 something failed, 77 there is nothing to run here.

No case depends on the speed of the machine: limits of time are guards against a hang,
or far from what they tell apart.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HANG = 60.0  # seconds after which something counts as stuck
PARTS = ("configuration", "access log", "database pool", "cache warmer", "listener")
CASES = []


def case(title, posix_only=False):
    def add(function):
        CASES.append((title, posix_only, function))
        return function

    return add


class Wrong(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Wrong(text)


def eventually(condition, text):
    end = time.monotonic() + HANG
    while not condition():
        check(time.monotonic() < end, "never happened: " + text)
        time.sleep(0.01)


class Place:
    """Where the programs are, how they are run, and a folder to run them in."""

    def __init__(self, exe_dir, runner, folder):
        self.wine = runner is not None
        name = "web_server.exe" if self.wine else "web_server"
        self.exe = pathlib.Path(exe_dir).resolve() / name
        self.command = ([shutil.which(runner)] if runner else []) + [str(self.exe)]
        self.folder = folder
        self.stop_signal = signal.SIGINT if self.wine else signal.SIGTERM

    def start(self, *options, then=None, **popen):
        return Server(self, [*self.command, "--port", "0", *options], popen, then)

    def run(self, *options):
        return subprocess.run([*self.command, *options], stdin=subprocess.DEVNULL, timeout=HANG,
                              capture_output=True, text=True, cwd=self.folder, check=False)


class Server:
    """A running server; everything it says is collected, or its first line, and then the pipes
    are closed ("deaf"), or its output is left alone ("stalled")."""

    def __init__(self, place, command, popen, then=None):
        self.place, self.lines, self.errors = place, [], []
        popen = {"stdin": subprocess.DEVNULL, **popen}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, cwd=place.folder, **popen)
        then_errors = None if then == "stalled" else then
        self.readers = [threading.Thread(target=self.read, args=which, daemon=True)
                        for which in ((self.process.stdout, self.lines, then),
                                      (self.process.stderr, self.errors, then_errors))]
        for reader in self.readers:
            reader.start()
        eventually(lambda: self.lines or self.process.poll() is not None, "the first line")
        match = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\s*", "".join(self.lines[:1]))
        if not match:
            self.process.kill()
            raise Wrong(f"does not listen: {self.lines} {self.errors}")
        self.port = int(match.group(1))

    def read(self, pipe, lines, then):
        for line in pipe:
            lines.append(line)
            if then == "stalled":
                self.process.wait()
            if then:
                break
        pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join(HANG)
        if error[0]:
            print("    stdout:", self.lines[:8], "\n    stderr:", self.errors[:8])

    def connect(self, sent=b"", timeout=HANG):
        client = socket.create_connection(("127.0.0.1", self.port), timeout)
        client.sendall(sent)
        return client

    def get(self, path):
        with self.connect(request(path, "Connection: close")) as client:
            return answers(client)[0]

    def status(self, path):
        return self.get(path).status

    def connections(self):
        return json.loads(self.get("/status").body)["connections"] - 1

    def stop(self, how=None):
        self.process.send_signal(how or self.place.stop_signal)

    def ended(self):
        code = self.process.wait(HANG)
        for reader in self.readers:
            reader.join(HANG)
        return code

    def stops_cleanly(self):
        self.stop()
        code = self.ended()
        check(code == 0, f"exit code {code}")

    def said(self, text):
        return any(text in line for line in self.lines)

    def refuses(self):
        try:
            self.connect(timeout=5).close()
        except OSError:
            return True
        return False


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body!r}"


def request(path, *headers, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()


def take(data, with_body=True):
    """The first whole answer in data and what follows it, or None."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode().split("\r\n")
    version, status, _ = first.split(" ", 2)
    check(version == "HTTP/1.1", f"version {version}")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    size = int(headers["content-length"]) if with_body else 0
    if len(rest) < size:
        return None
    return Answer(int(status), headers, rest[:size]), rest[size:]


def answers(client, with_body=True):
    """All answers until the server closes; a broken one is wrong."""
    data, result = b"", []
    while block := client.recv(65536):
        data += block
    while data:
        taken = take(data, with_body)
        check(taken, f"not a whole answer: {data[:200]!r}")
        result.append(taken[0])
        data = taken[1]
    return result


def one_answer(client, with_body=True):
    """The next answer of a connection that stays open."""
    data = b""
    while not (taken := take(data, with_body)):
        block = client.recv(65536)
        check(block, f"closed after {data!r}")
        data += block
    check(not taken[1], f"more than one answer: {taken[1]!r}")
    return taken[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def closed(client):
    """The server has closed, orderly or not."""
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


# ---- paths and the protocol ---------------------------------------------------------------------


@case("every path answers")
def _(place):
    with place.start() as server:
        for path, status in (("/", 200), ("/slow?ms=1", 200), ("/livez", 200), ("/readyz", 200),
                             ("/healthz", 200), ("/nothing", 404), ("/livez/", 404),
                             ("/livez?x=1", 200), ("http://localhost/livez", 200)):
            check(server.status(path) == status, f"{path} {server.get(path)}")
        for value in ("x", "-1", "1.5", "1e3", "99999999999999999999"):
            check(server.status("/slow?ms=" + value) == 400, value)
        check(json.loads(server.get("/status").body)["status"] == "ready", "status")
        health = json.loads(server.get("/healthz").body)
        check(health["status"] == "healthy" and health["stopping"] is None, health)
        looked_at = [look["name"] for look in health["checks"]]
        for name in ("database", *PARTS):
            check(name in looked_at, health)
        server.stops_cleanly()


@case("the port is announced into a pipe at once and a stop right after it is clean")
def _(place):
    for _ in range(5):
        with place.start() as server:
            server.stops_cleanly()
            check(server.lines[-2].startswith("database closed with 0 "), server.lines)
            check(server.lines[-1].startswith("access log written with 0 "), server.lines)


@case("a connection is kept and answers pipelined requests in order")
def _(place):
    with place.start() as server, server.connect() as client:
        for path, status in (("/livez", 200), ("/nothing", 404), ("/livez", 200)):
            client.sendall(request(path))
            reply = one_answer(client)
            check(reply.status == status and "connection" not in reply.headers, reply)
        many = [("/slow?ms=30", 200), ("/nothing", 404)] * 20 + [("/livez", 200)]
        sent = b"".join(request(path) for path, _ in many[:-1])
        sent += request("/livez", "Connection: close") + request("/never")
        for i in range(0, len(sent), 777):
            client.sendall(sent[i:i + 777])
        got = answers(client)
        check([reply.status for reply in got] == [status for _, status in many], got)
        check(got[-1].headers.get("connection") == "close", got[-1])
        server.stops_cleanly()


@case("HEAD answers without a body and other methods are refused")
def _(place):
    with place.start() as server, server.connect() as client:
        size = server.get("/").headers["content-length"]
        client.sendall(request("/", method="HEAD"))
        reply = one_answer(client, with_body=False)
        check(reply.status == 200 and reply.headers["content-length"] == size, reply)
        client.sendall(request("/livez"))
        check(one_answer(client).status == 200, "GET after HEAD")
        for method in ("POST", "PUT", "OPTIONS", "BREW"):
            sent = request("/", "Content-Length: 4", method=method) + b"body"
            with server.connect(sent) as other:
                reply, = answers(other)
                check(reply.status == 405 and reply.headers["allow"] == "GET, HEAD", reply)
        with server.connect(request("/livez", "Content-Length: 4") + b"GET ") as other:
            reply, = answers(other)
            check(reply.status == 200 and reply.headers["connection"] == "close", reply)
        server.stops_cleanly()


@case("a request has no more time than its client has left")
def _(place):
    with place.start() as server:

        def asks(path, time_left):
            with server.connect(request(path, "grpc-timeout: " + time_left,
                                        "Connection: close")) as client:
                return answers(client)[0]

        began = time.monotonic()
        reply = asks("/slow?ms=50000", "300m")
        check(reply.status == 504 and b"deadline" in reply.body, reply)
        check(0.25 < time.monotonic() - began < 25, "the deadline is not kept")
        check(asks("/slow?ms=10", "1M").status == 200, "plenty of time")
        check(asks("/slow?ms=10", "99999999H").status == 200, "time without end")
        check(asks("/", "0n").status == 504, "no time at all")
        check(asks("/livez", "0n").status == 200, "the state is always told")
        for wrong in ("5s", "5", "S", "-1S", "1.5S", "123456789m"):
            check(asks("/", wrong).status == 400, wrong)
        server.stops_cleanly()


@case("HTTP 1.0 is answered and the connection closed")
def _(place):
    with place.start() as server:
        for sent in (b"GET /livez HTTP/1.0\r\n\r\n", b"GET /livez HTTP/1.0\r\nHost: x\r\n\r\n"):
            with server.connect(sent) as client:
                reply, = answers(client)
                check(reply.status == 200 and reply.headers["connection"] == "close", reply)
        server.stops_cleanly()


@case("garbage is refused at once and the server lives on")
def _(place):
    garbage = [b"garbage\r\n\r\n", b"garbage\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"\0" * 64,
               b"\xff\xfe\xfd \r\n", b"GET\r\n\r\n", b"GET / \r\n\r\n", b"GET  /  HTTP/1.1\r\n",
               b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTX/1.1\r\n", b"GET / HTTP/x.1\r\n\r\n",
               b"GET nowhere HTTP/1.1\r\n\r\n", b"G(T / HTTP/1.1\r\n", b"GET /a b HTTP/1.1\r\n",
               b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
               b"GET / HTTP/1.1\r\nHost x\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
               b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n",
               b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"\n\n\n"]
    with place.start() as server:
        for sent in garbage:
            with server.connect(sent) as client:
                reply, = answers(client)
                check(reply.status == 400 and reply.body == b"Bad Request\n", (sent, reply))
        with server.connect(b"GET / HTTP/2.0\r\n\r\n") as client:
            check(answers(client)[0].status == 505, "HTTP/2.0")
        with server.connect(b"GET /livez HT") as client:
            client.shutdown(socket.SHUT_WR)
            check(answers(client)[0].status == 400, "an end in the middle")
        check(server.status("/livez") == 200, "livez")
        server.stops_cleanly()


@case("a header line of one mebibyte is refused and the server lives on")
def _(place):
    line = b"X: " + b"x" * (1 << 20)
    with place.start() as server:
        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n", line,
                     b"GET /" + b"x" * (1 << 20), b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200000):
            with server.connect(sent) as client:
                reply, = answers(client)
                check(reply.status == 431, reply)
        fits = request("/livez", "X: " + "x" * 16000, "Connection: close")
        with server.connect(fits) as client:
            check(answers(client)[0].status == 200, "a header that fits")
        check(server.status("/livez") == 200, "livez")
        server.stops_cleanly()


@case("a client that sends line ends without a pause is refused")
def _(place):
    with place.start() as server:
        end = time.monotonic() + 20
        try:
            with server.connect(timeout=10) as client:
                while time.monotonic() < end:
                    client.sendall(b"\r\n" * 32768)
            raise Wrong("it is let go on")
        except ConnectionError:
            pass
        for sent in (b"\r\n" + request("/livez", "Connection: close"), b"\r\n\r\n"):
            with server.connect(sent) as client:
                check(answers(client)[0].status == (200 if b"GET" in sent else 400), sent)
        server.stops_cleanly()


@case("half a request and silence is told so and nothing at all is closed")
def _(place):
    with place.start() as server:
        half = server.connect(b"GET /livez HTTP/1.1\r\nHo")
        silent = server.connect()
        check(answers(half)[0].status == 408, "half a request")
        check(closed(silent), "silence")
        check(server.status("/livez") == 200, "livez")
        server.stops_cleanly()


@case("clients that vanish harm nobody")
def _(place):
    with place.start() as server:
        for sent in (b"", b"GET", request("/slow?ms=50"), request("/") * 500):
            for _ in range(10):
                client = server.connect(sent)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()  # with a reset
        eventually(lambda: server.connections() == 0, "all of them are gone")
        check(server.status("/livez") == 200, "livez")
        server.stops_cleanly()


# ---- the command line ---------------------------------------------------------------------------


@case("an unknown option or a bad value is an error with usage")
def _(place):
    for options in (["--nonsense"], ["extra"], ["--port"], ["--port", "x"], ["--port", "65536"],
                    ["--port", "-1"], ["--port", "80.5"], ["--port", ""], ["--lame-duck", "-1"],
                    ["--lame-duck", "1s"], ["--lame-duck", "nan"], ["--stop-timeout", "inf"],
                    ["--stop-timeout", "1e3"], ["--stop-timeout", "1.2.3"], ["--stop-timeout", "."],
                    ["--stop-timeout", "0x10"], ["--stop-timeout"], ["--access-log"],
                    ["--port", "99999"], ["--port", "1e3"], ["--port", "nan"], ["--port", "inf"],
                    ["--lame-duck", "1000001"], ["--lame-duck", "3", "--stop-timeout", "3"],
                    ["--lame-duck", "30"], ["--lame-duck", "1", "--stop-timeout", "0"],
                    ["--warm-up", "soon"], ["--watchdog", "-1"], ["--greeting"],
                    ["--hang", "nobody"], ["--recording"], ["--audit"], ["--control"]):
        result = place.run(*options)
        check(result.returncode == 2, (options, result))
        check(options[0] in result.stderr and "usage: web_server" in result.stderr, result)
        check(not result.stdout, result)


@case("help is not an error")
def _(place):
    result = place.run("--help")
    check(result.returncode == 0 and not result.stderr, result)
    for word in ("--port", "--warm-up", "--lame-duck", "--stop-timeout", "--watchdog",
                 "--access-log", "--greeting", "--recording", "--hang", "--audit", "--control",
                 "install", "web_server help"):
        check(word in result.stdout, word)


@case("the greeting is what the first page says")
def _(place):
    with place.start("--greeting", 'it\'s "me"') as server:
        check(server.get("/").body == b'it\'s "me"\n', server.get("/"))
        server.stops_cleanly()


@case("the verbs say how they are used and refuse what they do not know")
def _(place):
    for verb in ("install", "uninstall", "start", "stop", "restart", "reload", "status", "run",
                 "render", "doctor"):
        result = place.run(verb, "--help")
        check(result.returncode == 0 and verb in result.stdout, result)
    for words in (["install", "--nonsense"], ["install", "--", "--nonsense"], ["start", "extra"],
                  ["status", "--name", "a/b"], ["run", "--nonsense"]):
        result = place.run(*words)
        check(result.returncode == 2 and words[-1] in result.stderr, result)


@case("what would be installed has the service's own limits and arguments")
def _(place):
    result = place.run("render", "--unit", "--name", "other", "--", "--stop-timeout", "60",
                       "--watchdog", "7", "--port", "80")
    for line in ("TimeoutStopSec=65", "WatchdogSec=7", "CAP_NET_BIND_SERVICE", "--stop-timeout 60"):
        check(line in result.stdout, (line, result))


@case("the plan knows the five components and that a stop fits")
def _(place):
    for timeout in ("5", "10", "30", "90"):
        result = place.run("plan", "--reason", "sigterm", "--", "--stop-timeout", timeout)
        check(result.returncode == 0, result)
        for part in PARTS:
            check(part in result.stdout, result)
        check("listener -> database pool -> access log" in result.stdout, result)
        check("does not fit" not in result.stdout, result)


@case("what is recorded says how the last run ended and how long its parts took")
def _(place):
    recording = ["--", "--recording", "recorder"]
    with place.start("--recording", "recorder") as server:
        check(server.status("/") == 200, "/")
        server.stops_cleanly()
    last = place.run("last", *recording)
    check(last.returncode == 0 and "stopped" in last.stdout, last)
    drill = place.run("drill", *recording)
    check(drill.returncode == 0 and "listener" in drill.stdout, drill)


@case("the audit file says who asked for the stop and how it ended", posix_only=True)
def _(place):
    file = pathlib.Path(place.folder) / "audit"
    with place.start("--audit", str(file)) as server:
        check(server.status("/") == 200, "/")
        server.stops_cleanly()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    events = [line["event"] for line in lines]
    check(events[0] == "run began" and "ready" in events and events[-1] == "run ended", events)
    stop = lines[events.index("stopping")]["reason"]
    check((stop["pid"], stop["uid"]) == (os.getpid(), os.getuid()), stop)
    result = place.run("--port", "0", "--audit", "no/such/folder/audit")
    check(result.returncode == 1 and "no/such/folder/audit" in result.stderr, result)


@case("whoever may can ask it for its state and for a stop", posix_only=True)
def _(place):
    path = str(pathlib.Path(place.folder) / "control")
    with place.start("--control", path) as server:
        asked = place.run("ask", "status", "--", "--control", path)
        check(asked.returncode == 0 and "database pool" in asked.stdout, asked)
        asked = place.run("ask", "health", "--", "--control", path)
        check(asked.returncode == 0 and "database" in asked.stdout, asked)
        asked = place.run("ask", "stop", "--", "--control", path)
        check(asked.returncode == 0, asked)
        check(server.ended() == 0, "exit code")


@case("with the verb run it runs in the foreground with its own arguments")
def _(place):
    port = free_port()
    process = subprocess.Popen([*place.command, "run", "--", "--port", str(port)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    try:
        check(str(port).encode() in process.stdout.readline(), "the port")
        process.send_signal(place.stop_signal)
        process.communicate(timeout=HANG)
        check(process.returncode == 0, process.returncode)
    finally:
        process.kill()


@case("a port in use is an error that says what to do")
def _(place):
    with place.start() as server:
        result = place.run("--port", str(server.port))
        check(result.returncode != 0 and not result.stdout, result)
        check(str(server.port) in result.stderr and "--port" in result.stderr, result)
        check(server.status("/livez") == 200, "the first one")
        server.stops_cleanly()


@case("a stop that is given no time is forced and says so")
def _(place):
    with place.start("--stop-timeout", "0") as server:
        check(server.status("/livez") == 200, "livez")
        server.stop()
        check(server.ended() in (70, 128 + place.stop_signal), "exit code")
        check(server.errors, "not a word")


@case("a port can be taken again right after a stop")
def _(place):
    with place.start() as server, server.connect(request("/livez")) as client:
        one_answer(client)
        server.stops_cleanly()
    port = free_port()
    for _ in range(2):
        with place.start("--port", str(port)) as server, server.connect(request("/")) as client:
            check(server.port == port, server.port)
            one_answer(client)
            server.stops_cleanly()


@case("an access log that cannot be opened is an error")
def _(place):
    result = place.run("--port", "0", "--access-log", "no/such/folder/log")
    check(result.returncode not in (0, 2) and "no/such/folder/log" in result.stderr, result)


# ---- the start, and what comes between ----------------------------------------------------------


@case("while it warms up it is live and not ready and has no answers")
def _(place):
    port = free_port()
    process = subprocess.Popen([*place.command, "--port", str(port), "--warm-up", "50",
                                "--lame-duck", "20"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(path):
        try:
            with socket.create_connection(("127.0.0.1", port), HANG) as client:
                client.sendall(request(path, "Connection: close"))
                return answers(client)[0].status
        except ConnectionError:
            return 0

    try:
        eventually(lambda: status("/livez") == 200, "live")
        check([status(path) for path in ("/readyz", "/healthz", "/")] == [503] * 3, "not ready")
        began = time.monotonic()
        process.send_signal(place.stop_signal)
        check(process.wait(HANG) == 0, "exit code")
        check(time.monotonic() - began < 15, "it is warmed up, or a lame duck, before it stops")
    finally:
        process.kill()
        process.wait()


@case("a reload opens the access log anew and loses no line", posix_only=True)
def _(place):
    log = pathlib.Path(place.folder) / "rotated.log"
    old = log.with_name("rotated.old")
    with place.start("--access-log", log.name) as server:
        for n in range(10):
            check(server.status(f"/livez?{n}") == 200, "livez")
            if n == 4:
                log.rename(old)
                server.stop(signal.SIGHUP)
                eventually(log.exists, "a new one")
        server.stops_cleanly()
    before, after = (f.read_text(encoding="ascii").splitlines() for f in (old, log))
    check(len(before) == 5 and len(after) == 5, (before, after))


@case("a reload reads the greeting anew and keeps the old one where it cannot", posix_only=True)
def _(place):
    file = pathlib.Path(place.folder) / "greeting"
    file.write_text("one\n", encoding="ascii")
    with place.start("--greeting-file", str(file)) as server:
        check(server.get("/").body == b"one\n", "one")
        file.write_text("two\n", encoding="ascii")
        server.stop(signal.SIGHUP)
        eventually(lambda: server.get("/").body == b"two\n", "two")
        file.unlink()
        server.stop(signal.SIGHUP)
        eventually(lambda: any("read anew" in line for line in server.errors), "it is told")
        check(server.get("/").body == b"two\n", "still two")
        server.stops_cleanly()
    result = place.run("--port", "0", "--greeting-file", "no/such/file")
    check(result.returncode == 70 and "configuration: cannot start" in result.stderr, result)
    check("no/such/file" in result.stderr, result)


@case("a log that cannot be opened anew is told and the old one stays", posix_only=True)
def _(place):
    folder = pathlib.Path(place.folder) / "gone"
    folder.mkdir()
    with place.start("--access-log", str(folder / "log")) as server:
        folder.rename(folder.with_name("moved"))
        server.stop(signal.SIGHUP)
        eventually(lambda: any("opened anew" in line for line in server.errors), "it is told")
        check(server.status("/livez") == 200, "livez")
        server.stops_cleanly()
    check("/livez" in folder.with_name("moved").joinpath("log").read_text(encoding="ascii"), "line")


# ---- the stop -----------------------------------------------------------------------------------


@case("200 slow requests are all answered whole when the stop comes in the middle")
def _(place):
    with place.start() as server:
        clients = [server.connect(request("/slow?ms=1500")) for _ in range(200)]
        eventually(lambda: server.connections() >= 200, "200 connections")
        server.stop()
        got = [answers(client) for client in clients]
        check(all(len(one) == 1 and one[0].status == 200 for one in got), got)
        check(all(one[0].headers.get("connection") == "close" for one in got), "Connection: close")
        check(server.ended() == 0, "exit code")
        check(server.said("access log written with "), server.lines[-5:])


@case("200 requests that were sent just before the stop are all answered")
def _(place):
    with place.start() as server:
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            client.sendall(request("/slow?ms=100") + request("/livez"))
        server.stop()
        for client in clients:
            got = answers(client)
            check([reply.status for reply in got] == [200, 200], got)
        check(server.ended() == 0, "exit code")


@case("in the lame duck time the server is live and not ready and takes new connections")
def _(place):
    with place.start("--lame-duck", "2.5", "--stop-timeout", "40") as server:
        check(server.status("/readyz") == 200, "ready before")
        kept = server.connect(request("/livez"))
        one_answer(kept)
        began = time.monotonic()
        server.stop()
        eventually(lambda: server.status("/readyz") == 503, "not ready")
        check(server.status("/livez") == 200, "livez")
        health = server.get("/healthz")
        check(health.status == 503 and "signal" in json.loads(health.body)["stopping"], health)
        check(json.loads(server.get("/status").body)["status"] == "stopping", "status")
        kept.sendall(request("/slow?ms=10"))
        reply = one_answer(kept)
        check(reply.status == 200 and reply.headers.get("connection") == "close", reply)
        eventually(server.refuses, "the listener closes")
        check(time.monotonic() - began > 2.0, "closed too early")
        check(server.ended() == 0, "exit code")


@case("a balancer that looks at readyz loses no request")
def _(place):
    with place.start("--lame-duck", "1.5", "--stop-timeout", "40") as server:
        failures, served = [], []

        def balance():
            try:
                while server.status("/readyz") == 200:
                    served.append(server.status("/slow?ms=5"))
            except (OSError, IndexError, Wrong) as error:
                failures.append(error)

        users = [threading.Thread(target=balance) for _ in range(8)]
        for user in users:
            user.start()
        eventually(lambda: len(served) > 50, "some requests")
        server.stop()
        for user in users:
            user.join(HANG)
        check(not failures and set(served) == {200}, failures)
        check(server.ended() == 0, "exit code")


@case("idle and silent connections do not hold up the stop")
def _(place):
    with place.start("--stop-timeout", "50") as server:
        idle = [server.connect(request("/livez")) for _ in range(20)]
        for client in idle:
            one_answer(client)
        silent = [server.connect() for _ in range(20)]
        half = [server.connect(b"GET /livez HTTP/1.1\r\nX: ") for _ in range(20)]
        slow = server.connect(request("/slow?ms=700"))
        eventually(lambda: server.connections() >= 61, "all connections")
        began = time.monotonic()
        server.stop()
        check(all(closed(client) for client in idle + silent), "closed")
        check(all(answers(client)[0].status == 408 for client in half), "half a request")
        check(answers(slow)[0].status == 200, "the slow one")
        check(server.ended() == 0, "exit code")
        check(time.monotonic() - began < 25, "held up")


@case("requests beyond the stop timeout are cut and the exit code tells it")
def _(place):
    with place.start("--stop-timeout", "1") as server:
        clients = [server.connect(request("/slow?ms=50000")) for _ in range(20)]
        eventually(lambda: server.connections() >= 20, "all connections")
        began = time.monotonic()
        server.stop()
        code = server.ended()
        check(time.monotonic() - began < 25, "not in time")
        check(code in (1, 70, 128 + place.stop_signal), f"exit code {code}")
        check(any("cut short with 20 in flight: GET /slow" in line for line in server.errors), server.errors)
        for client in clients:
            with client:
                try:
                    check(all(reply.status == 503 for reply in answers(client)), "cut")
                except ConnectionError:
                    pass


@case("a second signal cuts the lame duck time and the requests")
def _(place):
    with place.start("--lame-duck", "55", "--stop-timeout", "56") as server:
        slow = server.connect(request("/slow?ms=55000"))
        eventually(lambda: server.connections() >= 1, "the request")
        began = time.monotonic()
        server.stop()
        eventually(lambda: server.status("/readyz") == 503, "not ready")
        time.sleep(0.7)  # signals that come together may count as one
        server.stop(signal.SIGINT)
        check(server.ended() != 0, "a request was cut")
        check(time.monotonic() - began < 25, "does not hurry")
        try:
            check(all(reply.status == 503 for reply in answers(slow)), "cut")
        except ConnectionError:
            pass


@case("a second signal that cuts nothing but idle connections is a clean end")
def _(place):
    with place.start("--lame-duck", "55", "--stop-timeout", "56") as server:
        idle = [server.connect(request("/livez")) for _ in range(10)]
        for client in idle:
            one_answer(client)
        began = time.monotonic()
        server.stop()
        eventually(lambda: server.status("/readyz") == 503, "not ready")
        time.sleep(0.7)
        server.stop(signal.SIGINT)
        check(server.ended() == 0, "exit code")
        check(time.monotonic() - began < 25, "does not hurry")
        check(all(closed(client) for client in idle), "closed")


@case("a part that hangs is named and the others are stopped all the same")
def _(place):
    for part in ("cache warmer", "database pool"):
        with place.start("--stop-timeout", "3", "--hang", part) as server:
            check(server.status("/") == 200, "/")
            began = time.monotonic()
            server.stop()
            check(server.ended() in (70, 128 + place.stop_signal), "exit code")
            check(time.monotonic() - began < 25, "not in time")
            check(server.said("access log written with 1 "), server.lines)
            check(any(f"{part}: abandoned, declared at" in line for line in server.errors),
                  server.errors)


@case("the access log holds every request after the stop")
def _(place):
    log = pathlib.Path(place.folder) / "access.log"
    log.write_text("from before\n", encoding="ascii")
    with place.start("--access-log", log.name) as server:
        clients = [server.connect(request(f"/slow?ms=300&n={n}")) for n in range(50)]
        check(server.status("/nothing") == 404, "404")
        with server.connect(b"garbage\r\n\r\n") as client:
            answers(client)
        server.stop()
        for client in clients:
            check(answers(client)[0].status == 200, "slow")
        check(server.ended() == 0, "exit code")
        check(server.said("access log written with 52 requests"), server.lines)
    lines = log.read_text(encoding="ascii").splitlines()
    check(lines[0] == "from before" and len(lines) == 53, lines)
    for n in range(50):
        found = [line for line in lines if f'"GET /slow?ms=300&n={n} HTTP/1.1" 200 5' in line]
        check(len(found) == 1, (n, found))
    check(sum('"GET /nothing HTTP/1.1" 404 ' in line for line in lines) == 1, "404")
    check(sum('"-" 400 ' in line for line in lines) == 1, "400")


@case("an access log that cannot be written is told by the exit code", posix_only=True)
def _(place):
    if not os.path.exists("/dev/full"):
        raise Skip("there is no /dev/full")
    with place.start("--access-log", "/dev/full") as server:
        check(server.status("/livez") == 200, "livez")
        server.stop()
        check(server.ended() in (1, 70), "exit code")
        check(any("are lost" in line for line in server.errors), server.errors)


@case("the database closes with nothing in flight and the access log is written last")
def _(place):
    with place.start() as server:
        clients = [server.connect(request("/slow?ms=400")) for _ in range(20)]
        eventually(lambda: server.connections() >= 20, "all connections")
        server.stop()
        check(all(answers(client)[0].status == 200 for client in clients), "answers")
        check(server.ended() == 0, "exit code")
        check(server.said("database closed with 0 "), server.lines)
        check(server.lines[-1].startswith("access log written with 21 "), server.lines[-2:])


# ---- want ---------------------------------------------------------------------------------------


def files(most):
    import resource
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def needs_few_files(place):
    if b"__ubsan" in place.exe.read_bytes():
        raise Skip("the undefined behaviour sanitizer needs descriptors itself")


@case("a server that lacks descriptors to start says so", posix_only=True)
def _(place):
    needs_few_files(place)
    ran = 0
    for most in range(4, 20):
        try:
            server = place.start(preexec_fn=files(most))
        except Wrong as refusal:
            check("listening" not in str(refusal), (most, refusal))
            continue
        with server, server.connect(request("/livez"), timeout=0.2) as client:

            def answered():
                try:
                    return client.recv(100) != b""
                except TimeoutError:
                    return any("accept" in line for line in server.errors)

            eventually(answered, f"an answer or an error with {most} descriptors")
            server.stops_cleanly()
            ran += 1
    check(ran > 2, "it never starts")


@case("running out of descriptors delays clients and loses none", posix_only=True)
def _(place):
    needs_few_files(place)
    with place.start(preexec_fn=files(48)) as server:
        clients = [server.connect(request("/slow?ms=50", "Connection: close")) for _ in range(150)]
        check(all(answers(client)[0].status == 200 for client in clients), "answers")
        check(server.status("/livez") == 200, "livez")
        idle = [server.connect() for _ in range(60)]
        eventually(lambda: any("accept" in line for line in server.errors), "the error is told")
        server.stops_cleanly()
        check(all(closed(client) for client in idle), "closed")
        check(sum("accept" in line for line in server.errors) == 1, len(server.errors))


@case("a connection too many is told so", posix_only=True)
def _(place):
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        raise Skip("too few descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    try:
        with place.start(preexec_fn=files(1024)) as server:  # as usual
            clients = [server.connect(request("/slow?ms=3000")) for _ in range(900)]
            with server.connect() as client:
                check(one_answer(client).status == 503, "one too many")
            check(all(one_answer(client).status == 200 for client in clients), "the others")
            server.stops_cleanly()
            check(not any("accept" in line for line in server.errors), server.errors)
            for client in clients:
                client.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@case("Ctrl-C at a terminal skips the lame duck time", posix_only=True)
def _(place):
    import pty
    import termios
    control, terminal = pty.openpty()

    def own_terminal():
        os.setsid()
        import fcntl
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with place.start("--lame-duck", "55", "--stop-timeout", "58", stdin=terminal,
                     preexec_fn=own_terminal) as server:
        os.close(terminal)
        check(server.status("/readyz") == 200, "ready")
        began = time.monotonic()
        os.write(control, b"\x03")
        check(server.ended() == 0, "exit code")
        check(time.monotonic() - began < 25, "waits for a lame duck")
    os.close(control)


@case("when nobody reads the access log any more the server lives on and tells it in the end",
      posix_only=True)
def _(place):
    with place.start(then="deaf") as server:
        check(server.status("/livez") == 200, "livez")
        time.sleep(1.2)  # the access log has been written in vain
        check(server.status("/livez") == 200, "livez")
        server.stop()
        check(server.ended() in (1, 70), "exit code")


@case("an output that is full and never read holds up neither requests nor the stop",
      posix_only=True)
def _(place):
    with place.start("--stop-timeout", "50", then="stalled") as server:
        with server.connect(timeout=15) as client:
            for _ in range(2):
                for _ in range(200):
                    client.sendall(request("/livez?" + "x" * 1000))
                    check(one_answer(client).status == 200, "livez")
                time.sleep(1.2)
            began = time.monotonic()
            server.stop()
            check(server.ended() in (1, 70), "exit code")
            check(time.monotonic() - began < 25, "held up")
        check(any("are lost" in line for line in server.errors), server.errors)


@case("no socket takes the place of an output that is closed", posix_only=True)
def _(place):
    port = free_port()
    process = subprocess.Popen([*place.command, "--port", str(port)], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))

    def live():
        try:
            with socket.create_connection(("127.0.0.1", port), HANG) as client:
                client.sendall(request("/livez", "Connection: close"))
                return answers(client)[0].status == 200
        except ConnectionError:
            return False

    try:
        eventually(live, "an answer")
        if os.path.islink("/proc/self/fd/1"):
            check(os.readlink(f"/proc/{process.pid}/fd/1") == "/dev/null", "the output")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=HANG)
        check(process.returncode == 0 and b"lost" not in errors, errors)
    finally:
        process.kill()
        process.wait()


# ---- the frame ----------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    parser.add_argument("--only", default="", help="cases whose title has these words")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    # A shell ignores SIGINT in what it runs in the background, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="curfew-web-") as folder:
        place = Place(options.exe_dir, options.runner, folder)
        if not place.exe.exists() or None in place.command:
            print("skipped: there is no", place.exe, "or no", options.runner)
            return 77
        passed = failed = 0
        for title, posix_only, function in CASES * options.repeat:
            if options.only not in title or (posix_only and place.wine):
                continue
            try:
                function(place)
                passed += 1
                print("passed:", title, flush=True)
            except Skip as why:
                print("skipped:", title, "-", why, flush=True)
            except (Wrong, OSError, subprocess.SubprocessError, ValueError, IndexError):
                failed += 1
                print("FAILED:", title, flush=True)
                traceback.print_exc()
        print(f"{passed} passed, {failed} failed")
        return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
