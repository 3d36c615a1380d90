#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What CMake and Meson install is the same, and is what a user can build on.

Real installations into a folder that is then moved: nothing in them may name a place.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from house import ROOT, version_of

CMAKE = os.environ.get("CMAKE", "cmake")
COMPILER = os.environ.get("CXX", "c++")
PACKAGE = pathlib.PurePath("share/cmake/curfew")  # CMake's own description, which Meson cannot write
PROGRAM = "#include <curfew/curfew.hpp>\nint main() { return curfew::stop_token{}.stop_requested(); }\n"
CONSUMER = """
cmake_minimum_required(VERSION 3.23)
project(consumer LANGUAGES CXX)
find_package(curfew {version} REQUIRED CONFIG)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE curfew::curfew)
"""
PARENT = """
cmake_minimum_required(VERSION 3.23)
project(parent LANGUAGES CXX)
enable_testing()
add_subdirectory({root} curfew)
get_property(tests DIRECTORY {root} PROPERTY TESTS)
get_property(targets DIRECTORY {root} PROPERTY BUILDSYSTEM_TARGETS)
if(tests OR NOT targets STREQUAL "curfew")
  message(FATAL_ERROR "as a part of another project: tests '${{tests}}', targets '${{targets}}'")
endif()
get_target_property(leak curfew INTERFACE_COMPILE_OPTIONS)
get_target_property(leak_too curfew INTERFACE_COMPILE_DEFINITIONS)
if(leak OR leak_too)
  message(FATAL_ERROR "users get options '${{leak}}', definitions '${{leak_too}}'")
endif()
"""


def run(*command, **options):
    """True if the command succeeded; prints what it said if not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        print(*command, done.stdout, done.stderr, sep="\n")
    return done.returncode == 0


def must(*command, **options):
    if not run(*command, **options):
        sys.exit("a command failed that should not")


def install_with_cmake(work, prefix):
    must(CMAKE, "-S", ROOT, "-B", work / "cmake", f"-DCMAKE_INSTALL_PREFIX={prefix}",
         "-DCURFEW_BUILD_TESTS=OFF", "-DCURFEW_BUILD_EXAMPLES=OFF", "-DCURFEW_BUILD_BENCHMARKS=OFF")
    must(CMAKE, "--install", work / "cmake")


def install_with_meson(work, prefix):
    must("meson", "setup", work / "meson", ROOT, f"--prefix={prefix}", "-Dtests=false")
    must("meson", "install", "-C", work / "meson", "--quiet")


def installed(prefix):
    """{path: content} of everything that was installed but CMake's package."""
    files = {path.relative_to(prefix): path.read_bytes()
             for path in sorted(prefix.rglob("*")) if path.is_file()}
    return {path: content for path, content in files.items() if PACKAGE not in path.parents}


def differences(one, other):
    for path in sorted(one.keys() | other.keys()):
        if path not in one or path not in other:
            yield f"{path}: installed by {'Meson' if path in other else 'CMake'} alone"
        elif one[path] != other[path]:
            yield f"{path}: not the same"


def headers_in_tree():
    top = ROOT / "include"
    return {pathlib.Path("include", path.relative_to(top)): path.read_bytes()
            for path in top.rglob("*") if path.is_file()}


def finds_package(work, prefix, version):
    source = work / f"consumer-{version}"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(CONSUMER.format(version=version), encoding="utf-8")
    (source / "main.cpp").write_text(PROGRAM, encoding="utf-8")
    return run(CMAKE, "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}") and \
        run(CMAKE, "--build", source / "build")


def check_cmake_package(work, prefix):
    version = version_of(ROOT)
    major, minor, _ = version.split(".")
    if not finds_package(work, prefix, version):
        yield f"find_package(curfew {version}) does not give a program that builds"
    if finds_package(work, prefix, f"{major}.{int(minor) + 1}"):
        yield "find_package is content with a version that is too old"
    if str(prefix.parent) in (prefix / PACKAGE / "curfew-targets.cmake").read_text("utf-8"):
        yield "the CMake package names the folder that it was installed to"


def check_pkg_config(work, prefix):
    if shutil.which("pkg-config") is None:
        return
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "share/pkgconfig")}
    said = subprocess.run(["pkg-config", "--modversion", "--cflags", "--libs", "curfew"],
                          env=environment, capture_output=True, text=True, check=False).stdout
    version, _, flags = said.partition("\n")
    if version != version_of(ROOT):
        yield f"pkg-config says version {version!r}"
    (work / "main.cpp").write_text(PROGRAM, encoding="utf-8")
    if not run(*COMPILER.split(), "-std=c++20", *flags.split(), "-fsyntax-only", work / "main.cpp"):
        yield f"a program does not compile with {flags!r}"


def check_subdirectory(work):
    source = work / "parent"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(PARENT.format(root=ROOT), encoding="utf-8")
    prefix = work / "parent-installed"
    if not run(CMAKE, "-S", source, "-B", source / "build", f"-DCMAKE_INSTALL_PREFIX={prefix}"):
        yield "add_subdirectory brings more than the library"
    must(CMAKE, "--install", source / "build")
    if prefix.exists() and any(path.is_file() for path in prefix.rglob("*")):
        yield "add_subdirectory installs something"


def problems(work):
    install_with_cmake(work, work / "first")
    prefix = (work / "first").rename(work / "moved")
    by_cmake = installed(prefix)
    headers = {path: content for path, content in by_cmake.items() if path.suffix != ".pc"}
    yield from differences(headers, headers_in_tree())
    yield from check_cmake_package(work, prefix)
    yield from check_pkg_config(work, prefix)
    yield from check_subdirectory(work)
    if shutil.which("meson") is not None:
        install_with_meson(work, work / "by-meson")
        yield from differences(by_cmake, installed(work / "by-meson"))


def main():
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    if not list(differences({"a": b"1"}, {"a": b"2"})) or not list(differences({}, {"a": b"2"})):
        sys.exit("differences() sees none")
    with tempfile.TemporaryDirectory() as folder:
        failures = list(problems(pathlib.Path(folder)))
    print("\n".join(failures) or "CMake's and Meson's installations are the same and work")
    if not failures and shutil.which("meson") is None:
        print("skipped: there is no Meson to compare with")
        return 77
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
