#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Puts kept bugs into the headers, one at a time, and demands that a test notices each.

A kept bug is a file <floor>/<name>.txt beside this script:

    What must be so and is broken here, in a sentence or two.

    in: curfew/stop/reason.hpp     the header
    test: stop/reasons             tests/stop/reasons.cpp has to notice
    case: the first reason *       optional: only these test cases are run
    red: fails                     or hangs, or does not compile; several with commas
    flags: -fsanitize=thread -O1   optional: for the compiler
    - the lines as they are, which the header has once (blanks at their ends do not count)
    + the lines that break it

The tree is not touched: the broken header stands in a folder that the compiler looks into first.
Before that, the test is built and run without the bug, and must be green.
"""
import argparse
import concurrent.futures
import dataclasses
import fnmatch
import functools
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMPILER = [*shlex.split(os.environ.get("CMAKE_CXX_COMPILER_LAUNCHER", "")),
            *shlex.split(os.environ.get("CXX", "c++")),
            *"-std=c++20 -O0 -w -pthread -DCURFEW_TEST_PROGRAM_DIR=\".\"".split()]
PATIENCE = 5  # seconds, and ten times what the test takes without the bug: then it hangs
REDS = ("fails", "hangs", "does not compile")


class Mistake(Exception):
    """A kept bug that is not what it should be."""


@dataclasses.dataclass(frozen=True)
class Bug:
    name: str
    story: str
    header: str
    test: str
    case: str
    red: str
    flags: str
    before: tuple
    after: tuple

    @property
    def program(self):
        return self.test, self.flags


def read_bug(path, name):
    story, _, rest = path.read_text(encoding="utf-8").partition("\n\n")
    lines = [line for line in rest.splitlines() if line.strip()]
    keys = dict(re.fullmatch(r"(\w+): +(.*)", line).groups()
                for line in lines if line[0] not in "-+")
    before, after = (tuple(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
    if not before or before == after:
        raise Mistake("no lines to change: it needs '- ' lines, and '+ ' lines that differ")
    bug = Bug(name, " ".join(story.split()), keys.pop("in"), keys.pop("test"),
              keys.pop("case", "*"), keys.pop("red", "fails"), keys.pop("flags", ""), before, after)
    if keys or not set(bug.red.split(", ")) <= set(REDS):
        raise Mistake(f"says {keys or bug.red}, which nobody understands; see --help")
    return bug


def broken(bug, text):
    """The text of the header with the bug in it."""
    lines = text.splitlines()
    bare = [line.strip() for line in lines]
    size = len(bug.before)
    places = [i for i in range(len(lines)) if tuple(bare[i:i + size]) == bug.before]
    if len(places) != 1:
        raise Mistake(f"{bug.header} has its '-' lines {len(places)} times; write into the file "
                      "what the header says now, and see that the bug is still one; if there is "
                      "nothing left that it could break, delete it")
    lines[places[0]:places[0] + size] = bug.after
    return "\n".join(lines) + "\n"


def named(flags):
    """As a part of a file's name."""
    return re.sub(r"[^\w=-]+", "", flags)


class Bench:
    """A folder in which programs are built. Seen from it every path is the same each time, so that
    a cache of compilations knows them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in ("include", "tests"):
            (self.folder / name).symlink_to(ROOT / name)
        self.locks = {}
        self.once = threading.Lock()

    def call(self, command, seconds):
        """What it said, and how it ended; None: it had to be ended, with all that it had started."""
        with subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                              errors="replace", start_new_session=True) as process:
            try:
                return process.communicate(timeout=seconds)[0], process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return process.communicate()[0], None

    def compile(self, source, to, flags, *before):
        """Headers in the folders `before` hide those of the tree."""
        folders = [f"-I{folder}" for folder in (*before, "include")]
        return self.call([*COMPILER, *folders, *shlex.split(flags), "-c", source, "-o", to], 600)

    @functools.lru_cache(maxsize=None)
    def main_object(self, flags):
        name = f"main{named(flags)}.o"
        said, status = self.compile("tests/main.cpp", name, flags)
        if status != 0:
            raise Mistake(f"tests/main.cpp does not compile:\n{said}")
        return name

    def build(self, name, test, flags, *before):
        with self.once:
            main = self.main_object(flags)
        unit = f"{name}.o"
        said, status = self.compile(f"tests/{test}.cpp", unit, flags, *before)
        if status == 0:
            said, status = self.call([*COMPILER, *shlex.split(flags), unit, main, "-o", name], 600)
        return said, status

    @functools.lru_cache(maxsize=None)
    def sound(self, test, flags):
        name = f"sound-{test.replace('/', '-')}{named(flags)}"
        said, status = self.build(name, test, flags)
        if status != 0:
            raise Mistake(f"tests/{test}.cpp does not compile without the bug:\n{said}")
        return name

    def prove_green(self, bug):
        """How many seconds the test takes."""
        with self.once:
            lock = self.locks.setdefault(bug.program, threading.Lock())
        with lock:
            name = self.sound(*bug.program)
        began = time.monotonic()
        said, status = self.call([f"./{name}", f"-tc={bug.case}"], 300)
        if status != 0:
            raise Mistake(f"{bug.test} is not green without the bug:\n{said[-2000:]}")
        return time.monotonic() - began

    def red(self, bug, seconds):
        """How the test noticed the bug; None: it did not."""
        name = "broken-" + bug.name.replace("/", "-")
        header = self.folder / f"{name}.d" / bug.header
        header.parent.mkdir(parents=True)
        header.write_text(broken(bug, (ROOT / "include" / bug.header).read_text("utf-8")), "utf-8")
        said, status = self.build(name, bug.test, bug.flags, f"{name}.d")
        if status != 0:
            return self.noticed(bug, "does not compile", said)
        said, status = self.call([f"./{name}", f"-tc={bug.case}"], seconds)
        if status == 0:
            return None
        return self.noticed(bug, "hangs" if status is None else "fails", said)

    @staticmethod
    def noticed(bug, how, said):
        if how not in bug.red.split(", "):
            raise Mistake(f"with it {bug.test} {how}, and is said to notice it in another way "
                          f"({bug.red}):\n{said[-2000:]}")
        cases = re.findall(r"^TEST CASE: +(.*)$", said, re.MULTILINE)
        return f"{how}: {cases[0]}" if cases else how


def caught(bench, bug):
    """Prints a line; false: the bug is no use, or nothing notices it."""
    began = time.monotonic()
    try:
        broken(bug, (ROOT / "include" / bug.header).read_text("utf-8"))
        how = bench.red(bug, PATIENCE + 10 * bench.prove_green(bug))
    except (Mistake, OSError) as mistake:
        print(f"MISTAKE     {bug.name}: {mistake}", flush=True)
        return False
    took = f"{time.monotonic() - began:5.1f} s"
    if how is None:
        print(f"NOT NOTICED {bug.name}, {took}: {bug.test} is green with it.\n    {bug.story}\n"
              "    Write the test that is missing.", flush=True)
        return False
    print(f"noticed     {bug.name}, {took}: {how}", flush=True)
    return True


def read_all(folder):
    bugs, mistakes = [], []
    for path in sorted(folder.glob("*/*.txt")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            bugs.append(read_bug(path, name))
        except (Mistake, KeyError, AttributeError, ValueError) as mistake:
            mistakes.append(f"MISTAKE     {name}: {mistake}")
    return bugs, mistakes


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; with * and ?")
    parser.add_argument("--list", action="store_true", help="say what each breaks, and no more")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth of them")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="at a time (default: 2)")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE, help="where the bugs are")
    options = parser.parse_args()

    bugs, mistakes = read_all(options.folder)
    if options.names:
        bugs = [b for b in bugs if any(fnmatch.fnmatch(b.name, n) for n in options.names)]
    bugs = bugs[::options.every]
    if not bugs and not mistakes:
        sys.exit("there is no such bug; --list names them all")
    if options.list:
        print("\n".join(f"{b.name}\n    {b.story}" for b in bugs))
        return 0
    print("".join(m + "\n" for m in mistakes), end="")
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        bench = Bench(folder)
        noticed = sum(pool.map(functools.partial(caught, bench), bugs))
    failed = len(bugs) - noticed + len(mistakes)
    print(f"{noticed} bugs were noticed, {failed} were not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
