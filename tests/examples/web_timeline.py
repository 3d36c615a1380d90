#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a stop of the web server looks like in a terminal, and that README.md shows just that.

    web_timeline.py --exe-dir DIR [--show]

With --show the picture is printed, for README.md. Exit status: 0 all is so, 1 it is not, 77 there
is nothing to run here.
"""
import argparse
import pathlib
import re
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "rigs"))
try:
    from terminal import HANG, Terminal, screen
except ImportError:
    sys.exit(77)

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"<!-- timeline: begin -->\n```\n(.*?)```\n<!-- timeline: end -->", re.DOTALL)


def picture(exe, folder):
    """A stop by Ctrl-C with a slow request in flight: how it goes, and what stands there at the
    end."""
    log = str(pathlib.Path(folder) / "access.log")
    web = Terminal(exe, ["./web_server", "--port", "0", "--access-log", log])
    port = int(web.shows(r"http://127\.0\.0\.1:(\d+)")[1])
    with socket.create_connection(("127.0.0.1", port), HANG) as client:
        head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        client.sendall(f"GET /slow?ms=2500 {head}".encode())
        with socket.create_connection(("127.0.0.1", port), HANG) as other:
            other.sendall(f"GET /status {head}".encode())  # answered after the first is accepted
            assert b'"connections":2' in other.recv(65536), "the slow request is not there"
        time.sleep(0.3)
        web.press_ctrl_c()
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
