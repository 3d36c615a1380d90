#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The server with Asio: what is in flight when the signal comes is answered.

    asio_server.py --exe-dir DIR [--runner EMULATOR]

Exit status: 0 all passed, 1 something failed, 77 the server was not built: there is no Asio.
"""
import argparse
import contextlib
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

HANG = 60.0


@contextlib.contextmanager
def server(exe):
    """The process, and a function that connects to it."""
    process = subprocess.Popen([exe, "0"], text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        port = int(re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)[1])
        yield process, lambda: socket.create_connection(("127.0.0.1", port), HANG)
    finally:
        process.kill()
        process.wait(HANG)
        process.stdout.close()


def ask(client, line):
    """One round trip: afterwards the server has this connection."""
    client.sendall(line)
    return client.makefile("rb").readline()


def ends(process, expected):
    output = process.stdout.read()
    code = process.wait(HANG)
    assert code == 0, code
    assert re.fullmatch(expected, output), output


def drains(exe):
    with server(exe) as (process, connect), connect() as busy, connect() as idle:
        assert ask(busy, b"first\n") == b"FIRST\n"
        assert ask(idle, b"second\n") == b"SECOND\n"
        busy.sendall(b"last\n")
        process.send_signal(signal.SIGTERM)
        assert idle.recv(100) == b"", "the idle connection is closed"
        assert busy.makefile("rb").read() == b"LAST\n", "what was asked before is answered"
        ends(process, rf"stopped: signal SIGTERM from pid \d+( \(uid \d+\))?, 3 answered\n")
        try:
            connect().close()
        except OSError:
            return
        raise AssertionError("somebody listens still")


def cuts_short(exe):
    """Ten requests take five seconds, a second signal does not wait for them."""
    with server(exe) as (process, connect), connect() as busy:
        assert ask(busy, b"first\n") == b"FIRST\n"
        busy.sendall(b"more\n" * 10)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert busy.recv(100) == b"MORE\n"
        process.send_signal(signal.SIGINT)
        ends(process, r"stopped: signal SIGINT.*, [2-9] answered\n")
        assert time.monotonic() - began < 4.5


def ends_with_nobody(exe):
    with server(exe) as (process, _):
        process.send_signal(signal.SIGINT)
        ends(process, r"stopped: signal SIGINT.*, 0 answered\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    exe = pathlib.Path(parser.parse_args().exe_dir).resolve() / "asio_server"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not exe.exists():
        print(f"skipped: there is no {exe}; it is built where Asio is: install libasio-dev")
        return 77
    failed = 0
    for run in (drains, cuts_short, ends_with_nobody):
        try:
            run(exe)
            print("passed:", run.__name__)
        except (AssertionError, OSError, TypeError, subprocess.SubprocessError) as error:
            failed += 1
            print("FAILED:", run.__name__, "-", repr(error))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
