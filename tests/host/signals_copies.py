#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""One bridge a process also when a shared library has a copy of curfew of its own."""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"
COMPILER = shlex.split(os.environ.get("CXX", "c++"))
FLAGS = ["-std=c++20", *shlex.split(os.environ.get("CXXFLAGS", "")), f"-I{INCLUDE}"]


def build(source, target, *flags):
    subprocess.run([*COMPILER, *FLAGS, str(HERE / "copies" / source), "-o", str(target),
                    *flags, "-pthread"], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    args = parser.parse_args()
    if "cl" in pathlib.Path(COMPILER[0]).stem.split("-"):
        return SKIPPED
    windows = (args.exe_dir / "signal_child.exe").exists()
    static = ["-static"] if windows else ["-ldl"]
    position = [] if windows else ["-fPIC"]
    with tempfile.TemporaryDirectory() as folder:
        program, library = pathlib.Path(folder, "program.exe"), pathlib.Path(folder, "library.dll")
        build("program.cpp", program, *static)
        for visibility in ("hidden", "default"):
            build("library.cpp", library, "-shared", f"-fvisibility={visibility}", *position, *static)
            done = subprocess.run([*args.runner, str(program), str(library), visibility],
                                  timeout=120, check=False)
            if done.returncode != 0:
                return f"{visibility}: program.cpp:{done.returncode} does not hold"
    return 0


if __name__ == "__main__":
    sys.exit(main())
