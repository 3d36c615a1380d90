#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the instructions of a poll in the disassembly: no more than the standard library's token
takes.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
SOURCE = """
#include <curfew/stop/inplace_stop_token.hpp>
#include <curfew/stop/stop_token.hpp>
#include <stop_token>
extern "C" bool poll_std(const std::stop_token& t) { return t.stop_requested(); }
extern "C" bool poll_shared(const curfew::stop_token& t) { return t.stop_requested(); }
extern "C" bool poll_inplace(const curfew::inplace_stop_token& t) { return t.stop_requested(); }
"""


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def instructions(listing, function):
    """Its instructions, without what only aligns or marks the entry."""
    body = re.search(rf"<{function}>:\n((?:.+\n)*)", listing)
    if not body:
        sys.exit(f"the listing has no {function}")
    lines = [line.split("\t")[-1].strip() for line in body.group(1).splitlines()]
    return [i for i in lines if not re.match(r"(nop|cs nop|data16|xchg +%ax,%ax|endbr|int3)", i)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    arguments = parser.parse_args()
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    objdump = shutil.which("objdump")
    if arguments.runner or not sys.platform.startswith("linux") or not compiler or not objdump:
        skip("needs a compiler and objdump for this system")
    include = os.path.join(os.path.dirname(__file__), "..", "..", "include")
    with tempfile.TemporaryDirectory() as folder:
        source, built = os.path.join(folder, "poll.cpp"), os.path.join(folder, "poll.o")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        done = run(compiler, "-std=c++20", "-O2", "-I", include, "-c", source, "-o", built)
        if done.returncode != 0 and "stop_token' file not found" in done.stderr:
            skip("the standard library has no stop_token")
        if done.returncode != 0:
            sys.exit(done.stderr)
        listing = run(objdump, "-d", "--no-show-raw-insn", built).stdout
    counts = {f: len(instructions(listing, f)) for f in ("poll_std", "poll_shared", "poll_inplace")}
    print("instructions, with the return:", counts)
    if min(counts.values()) < 3:
        sys.exit("that is too few for a poll: the listing was not understood")
    if max(counts["poll_shared"], counts["poll_inplace"]) > counts["poll_std"]:
        sys.exit("a poll takes more instructions than the standard library's:\n" + listing)


if __name__ == "__main__":
    main()
