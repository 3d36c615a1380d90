#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""CMake and Meson install the same: every header of the tree, and one file for pkg-config."""
import pathlib
import sys

from shared.consumer import ROOT, install_with_cmake, must, needs, require, test

PACKAGE = pathlib.PurePath("share/cmake/curfew")  # CMake's own description, which Meson cannot write


def installed(prefix):
    """{path: content} of everything that was installed but CMake's package."""
    files = {path.relative_to(prefix): path.read_bytes()
             for path in sorted(prefix.rglob("*")) if path.is_file()}
    return {path: content for path, content in files.items() if PACKAGE not in path.parents}


def headers_in_tree():
    top = ROOT / "include"
    return {pathlib.Path("include", path.relative_to(top)): path.read_bytes()
            for path in top.rglob("*") if path.is_file()}


def check_same(one, other):
    differing = sorted(str(path) for path in one.keys() | other.keys() if one.get(path) != other.get(path))
    require(not differing, f"in one alone, or not the same: {differing}")


def cmake_installs_the_tree(work):
    files = installed(install_with_cmake(work))
    check_same({path: text for path, text in files.items() if path.suffix != ".pc"}, headers_in_tree())


def meson_installs_the_same(work):
    needs("meson", "ninja")
    must("meson", "setup", work / "build", ROOT, f"--prefix={work / 'by-meson'}", "-Dtests=false")
    must("meson", "install", "-C", work / "build", "--quiet")
    check_same(installed(install_with_cmake(work)), installed(work / "by-meson"))


if __name__ == "__main__":
    sys.exit(test(cmake_installs_the_tree, meson_installs_the_same))
