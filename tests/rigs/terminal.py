# SPDX-License-Identifier: BSL-1.0
"""A terminal with a program in it: what stands on its screen, and the keys of its keyboard.

Only where the system has pseudo terminals; elsewhere the import fails.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

HANG = 60
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
    """A program, with its arguments as it sees them, in a terminal of 24 lines."""

    def __init__(self, exe, words, columns=80, folder=None, **environment):
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(folder or ".")
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "NO_COLOR"))}
            os.execvpe(exe, words, {**kept, "TERM": "xterm", "LANG": "C.UTF-8", **environment})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def screen(self):
        return screen(self.output.decode(errors="replace"))

    def read(self, limit=HANG):
        """False: it has ended. It is killed, and this fails, when nothing comes for so long."""
        if not select.select([self.fd], [], [], limit)[0]:
            self.kill()
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

    def press_ctrl_c(self):
        os.write(self.fd, b"\x03")

    def kill(self):
        os.killpg(self.pid, signal.SIGKILL)

    def end(self):
        """The exit code."""
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
