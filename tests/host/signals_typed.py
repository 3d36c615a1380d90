#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Ctrl-C typed at a terminal: a signal without a sender; three of them end the program with 130."""
import argparse
import os
import pathlib
import signal
import sys

SKIPPED = 77


def start(program):
    """The program in a terminal of its own; the process and the terminal's other end."""
    import pty  # which Windows does not have
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(program, [str(program), "stop"])
    return pid, terminal


def expect(terminal, wanted):
    """Reads on until a line holds what is wanted; whatever else is there is the terminal's echo."""
    seen = b""
    while wanted not in seen:
        try:
            more = os.read(terminal, 1024)
        except OSError:  # how Linux tells that the program has gone
            more = b""
        if not more:
            sys.exit(f"wanted {wanted!r}, saw {seen!r}")
        seen += more


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*")
    args = parser.parse_args()
    if args.runner or os.name == "nt":
        return SKIPPED
    signal.alarm(60)
    pid, terminal = start(args.exe_dir / "signal_child")
    expect(terminal, b"ready")
    os.write(terminal, b"\x03")
    expect(terminal, b"stop 3 2 0 -1")
    os.write(terminal, b"\x03")
    expect(terminal, b"hurry 3 2 0 -1")
    os.write(terminal, b"\x03")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 0 if code == 130 else f"ended with {code} instead of 130"


if __name__ == "__main__":
    sys.exit(main())
