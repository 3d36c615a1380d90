#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a stop of the web server looks like in a terminal, and that README.md shows just that.

    web_timeline.py --exe-dir DIR [--show]

With --show the picture is printed, for README.md. Exit status: 0 all is so, 1 it is not, 77 there
is nothing to run here.
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import sys
import tempfile
import time

try:
    import fcntl
    import pty
    import select
    import struct
    import termios
except ImportError:
    sys.exit(77)

HANG = 60
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"<!-- timeline: begin -->\n```\n(.*?)```\n<!-- timeline: end -->", re.DOTALL)
ESCAPE = re.compile(r"\x1b\[(\d*)([A-Za-z])|[\r\n]|[^\x1b\r\n]+")


def screen(output):
    """The lines that stand on a terminal which has been sent that; it never scrolls."""
    lines, row, column = [""], 0, 0
    for found in ESCAPE.finditer(output):
        text, number, verb = found[0], found[1], found[2]
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif verb == "A":
            row -= int(number or 1)
        elif verb == "K":
            lines[row] = lines[row][:column]
        elif verb == "J":
            lines[row] = lines[row][:column]
            del lines[row + 1:]
        elif verb is None:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text):]
            column += len(text)
    return [line.rstrip() for line in lines]


class Terminal:
    """The web server in a terminal of 80 columns, and its keyboard."""

    def __init__(self, exe, *options):
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "NO_COLOR"))}
            os.execve(exe, ["./web_server", *options], {**kept, "TERM": "xterm", "LANG": "C.UTF-8"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def screen(self):
        return screen(self.output.decode(errors="replace"))

    def read(self):
        """False: it has ended."""
        if not select.select([self.fd], [], [], HANG)[0]:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"nothing comes any more: {self.screen()}")
        try:
            block = os.read(self.fd, 65536)
        except OSError:  # so Linux says that the other side is closed
            block = b""
        self.output += block
        return block != b""

    def shows(self, pattern):
        """The first line that is like that."""
        while True:
            for line in self.screen():
                if found := re.search(pattern, line):
                    return found
            assert self.read(), f"{pattern} is never shown: {self.screen()}"

    def end(self):
        """The exit code."""
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def picture(exe, folder):
    """A stop by Ctrl-C with a slow request in flight: how it goes, and what stands there at the
    end."""
    web = Terminal(exe, "--port", "0", "--access-log", str(pathlib.Path(folder) / "access.log"))
    port = int(web.shows(r"http://127\.0\.0\.1:(\d+)")[1])
    with socket.create_connection(("127.0.0.1", port), HANG) as client:
        head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        client.sendall(f"GET /slow?ms=2500 {head}".encode())
        with socket.create_connection(("127.0.0.1", port), HANG) as other:
            other.sendall(f"GET /status {head}".encode())  # answered after the first is accepted
            assert b'"connections":2' in other.recv(65536), "the slow request is not there"
        time.sleep(0.3)
        os.write(web.fd, b"\x03")
        web.shows(r"closing listener \(drain\) +1\.\d s of ")
        midst = web.screen()
        assert b"200 OK" in client.recv(65536), "the request was not finished"
    code = web.end()
    assert code == 0, f"exit code {code}: {web.screen()}"
    ended = web.screen()
    last = next(i for i, line in enumerate(ended) if line.startswith("web_server: stopped"))
    text = "\n".join(midst).rstrip() + "\n...\n" + "\n".join(ended[last:]).rstrip() + "\n"
    return text.replace(f":{port}", ":8080")


def shape(text):
    """Without what differs from run to run: times, and how long the bars are."""
    times = re.sub(r"\b\d+(\.\d)? (us|ms|s|min)\b", "TIME", text)
    return [re.sub(r" +", " ", re.sub("█+", "█", line)).strip() for line in times.splitlines()]


def bars(text):
    """The first and the last column of each part's bar, by name."""
    found = [re.match(r"  (.+?)  +(█+)", line) for line in text.splitlines()]
    return {one[1]: one.span(2) for one in found if one}


def check_bars(text):
    """Whoever is stopped after another stands behind it, on one scale with the whole."""
    at = bars(text)
    chain = ["listener (drain)", "listener", "database pool", "access log"]
    for first, second in zip(chain, chain[1:]):
        assert at[first][1] <= at[second][1], (first, second, text)
    assert at["listener (drain)"][0] == at["cache warmer"][0] == at["main"][0], text
    assert max(end for _, end in at.values()) == at["main"][1], text
    assert at["listener (drain)"][1] - at["listener (drain)"][0] > 20, text


def check_screen():
    """The little terminal above, on what it is for."""
    for output, lines in (("a\r\nb", ["a", "b"]), ("abc\rx\x1b[K", ["x"]), ("abc\rx", ["xbc"]),
                          ("a\r\nb\r\x1b[1A\x1b[32mc\x1b[0m\x1b[K\x1b[J", ["c"])):
        assert screen(output) == lines, (output, screen(output))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    exe = pathlib.Path(options.exe_dir).resolve() / "web_server"
    if options.runner or not exe.exists():
        print("skipped: there is no web_server for this system in", options.exe_dir)
        return 77
    check_screen()
    with tempfile.TemporaryDirectory(prefix="curfew-web-") as folder:
        seen = picture(exe, folder)
    if options.show:
        print(seen, end="")
        return 0
    shown = BLOCK.search(README.read_text(encoding="utf-8"))
    assert shown, "README.md has no timeline"
    for text in (seen, shown[1]):
        check_bars(text)
    if shape(seen) != shape(shown[1]):
        print(f"README.md shows\n{shown[1]}\nand the web server\n{seen}")
        return 1
    print("README.md shows what the web server does")
    return 0


if __name__ == "__main__":
    sys.exit(main())
