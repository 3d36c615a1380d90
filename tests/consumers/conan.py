#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The package for Conan 2: made, tested, refused where it cannot be used, and used as README has it.

Everything of Conan's is in a folder of its own, and nothing is asked of a server.
"""
import os
import shutil
import sys

from shared.consumer import (CMAKE, VERSION, Skipped, build_with_cmake, check_stop, copy_of_the_tree, must,
                             needs, output, readme, require, shell, test)

MINGW = "x86_64-w64-mingw32-g++-posix"


def home(work):
    """A cache of Conan's own, whose only profile is the one of this compiler with C++20."""
    needs("conan")
    os.environ.update({"CONAN_HOME": str(work / "home"), "CXX": os.environ.get("CXX") or "c++",
                       "CONAN_NON_INTERACTIVE": "1"})
    said = output("conan", "--version")[1]
    if "version 2" not in said:
        raise Skipped(f"this is {said.strip()}, not Conan 2")
    must("conan", "profile", "detect")
    must("conan", "remote", "disable", "*")


def packages():
    """The package ids of what the cache has."""
    said = must("conan", "list", f"curfew/{VERSION}:*")
    return {line.strip() for line in said.splitlines() if len(line.strip()) == 40}


def conan(work):
    home(work)
    tree = copy_of_the_tree(work / "curfew")
    said = shell(readme("conan", curfew=tree), work)
    require("Running test()" in said, f"the package was not tested\n{said}")
    left = [path.name for path in (tree / "tests/consumers/conan").iterdir()]
    require(sorted(left) == ["CMakeLists.txt", "conanfile.py"], f"beside the test package stand {left}")
    for setting in ("build_type=Debug", "compiler.cppstd=23"):
        must("conan", "create", tree, "--test-folder=", "-s", "compiler.cppstd=20", "-s", setting)
    require(len(packages()) == 1, f"the packages {packages()}, where one will do for all")
    status, said = output("conan", "create", tree, "--test-folder=", "-s", "compiler.cppstd=17")
    require(status != 0 and "Invalid" in said, f"C++17 is not refused: status {status}\n{said}")

    (work / "conanfile.txt").write_text(readme("conanfile"), encoding="utf-8")
    must("conan", "install", work, f"--output-folder={work / 'conan'}", "-s", "compiler.cppstd=20")
    build = build_with_cmake(work, readme("find_package"), "-DCMAKE_BUILD_TYPE=Release",
                             f"-DCMAKE_TOOLCHAIN_FILE={work / 'conan/conan_toolchain.cmake'}")
    check_stop(build / "orders")


def package_of_conan(work):
    """What is in it, and nothing else."""
    home(work)
    tree = copy_of_the_tree(work / "curfew")
    must("conan", "export-pkg", tree, "--test-folder=", "-s", "compiler.cppstd=20")
    folder = must("conan", "cache", "path", f"curfew/{VERSION}:{packages().pop()}").strip().splitlines()[-1]
    top = sorted(os.listdir(folder))
    require(top == ["conaninfo.txt", "conanmanifest.txt", "include", "licenses"], f"the package is {top}")
    require(os.listdir(os.path.join(folder, "licenses")) == ["LICENSE"], "the licence is not in the package")
    same = output("diff", "-r", os.path.join(folder, "include"), tree / "include")
    require(same == (0, ""), f"the headers of the package are others\n{same[1]}")


def conan_for_windows(work):
    """Built by MinGW, which this machine cannot run by itself."""
    home(work)
    needs(MINGW)
    tree = copy_of_the_tree(work / "curfew")
    profile = work / "windows"
    profile.write_text("[settings]\nos=Windows\narch=x86_64\ncompiler=gcc\ncompiler.version=12\n"
                       "compiler.libcxx=libstdc++11\ncompiler.cppstd=20\ncompiler.threads=posix\n"
                       "compiler.exception=seh\nbuild_type=Release\n"
                       f"[buildenv]\nCXX={MINGW}\nCC={MINGW.replace('g++', 'gcc')}\n", encoding="utf-8")
    said = must("conan", "create", tree, f"--profile:host={profile}")
    require("orders.exe" in said or "Built target orders" in said or "Linking CXX" in said,
            f"the test package was not built\n{said}")


if __name__ == "__main__":
    sys.exit(test(conan, package_of_conan, conan_for_windows))
