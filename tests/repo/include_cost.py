#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What including us costs, counted: lines to read, and what is left in the object for nothing.

The yardsticks are headers of libstdc++, so with another standard library there is nothing to say.
"""
import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "curfew/stop/stop_token.hpp"
EVERYTHING = "curfew/curfew.hpp"
# What may be how many times as long as what.
GOALS = [
    (TOKEN, 1.1, ["atomic", "chrono"]),
    (EVERYTHING, 1.6, ["stop_token"]),
]


def compiled(headers, *options):
    """What the compiler of this build prints for a source that only includes these."""
    compiler = shlex.split(os.environ.get("CXX", "g++")) + shlex.split(os.environ.get("CXXFLAGS", ""))
    source = "".join(f"#include <{header}>\n" for header in headers)
    return subprocess.run([*compiler, "-std=c++20", "-I", ROOT / "include", "-x", "c++", *options,
                           "-o", "-", "-"],
                          input=source, stdout=subprocess.PIPE, text=True, check=True).stdout


def lines(headers):
    return len(compiled(headers, "-E", "-P").splitlines())


def uses_libstdcxx():
    try:
        macros = compiled(["version"], "-E", "-dM")
    except (OSError, subprocess.CalledProcessError):
        return False
    return "__GLIBCXX__" in macros and "_WIN32" not in macros


def check_lines():
    for header, factor, yardstick in GOALS:
        ours, theirs = lines([header]), lines(yardstick)
        names = " + ".join(f"<{name}>" for name in yardstick)
        print(f"{header}: {ours} lines, {ours / theirs:.3f} x {names} ({theirs})")
        if ours > factor * theirs:
            yield f"{header} is more than {factor} x {names}"


def check_objects():
    """Whoever includes us and uses nothing has nothing of ours in the object.

    A class whose first virtual function is not inline where it is declared takes its whole vtable,
    and all that it calls, into every object: the function's definition stands in the header.
    """
    for header in (TOKEN, EVERYTHING):
        assembly = compiled([header], "-O0", "-S")
        for symbol in sorted(set(re.findall(r"^(_Z\w*6curfew\w*):", assembly, re.MULTILINE))):
            yield f"{header} leaves {symbol} in an object that does not use it"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir")
    parser.add_argument("--runner", nargs="*")
    if parser.parse_args().runner or not uses_libstdcxx():
        print("skipped: not a native compiler with libstdc++")
        return 77
    failures = [*check_lines(), *check_objects()]
    print("\n".join(failures) or "including costs what it may")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
