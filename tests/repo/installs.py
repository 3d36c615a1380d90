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
if shutil.which("ninja"):  # the machine may have no make, which is what CMake takes by itself
    os.environ.setdefault("CMAKE_GENERATOR", "Ninja")
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


def output(*command, **options):
    """Exit status, and what it said on both streams."""
    done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    return done.returncode, done.stdout


def must(*command):
    status, said = output(*command)
    if status != 0:
        sys.exit(f"{command} failed:\n{said}")


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


def build_consumer(work, prefix, version):
    """What goes wrong when a program asks for that version of the package; empty: nothing."""
    source = work / f"consumer-{version}"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(CONSUMER.format(version=version), encoding="utf-8")
    (source / "main.cpp").write_text(PROGRAM, encoding="utf-8")
    build = source / "build"
    configured, said = output(CMAKE, "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    if configured == 0:
        built, said = output(CMAKE, "--build", build)
    return "" if configured == 0 and built == 0 else said


def check_cmake_package(work, prefix):
    version = version_of(ROOT)
    major, minor, _ = version.split(".")
    if error := build_consumer(work, prefix, version):
        yield f"find_package(curfew {version}) does not give a program that builds:\n{error}"
    if not build_consumer(work, prefix, f"{major}.{int(minor) + 1}"):
        yield "find_package is content with a version that is too old"
    if str(work) in (prefix / PACKAGE / "curfew-targets.cmake").read_text("utf-8"):
        yield "the CMake package names the folder that it was installed to"


def check_pkg_config(work, prefix):
    if shutil.which("pkg-config") is None:
        return
    ask = {"env": {**os.environ, "PKG_CONFIG_PATH": str(prefix / "share/pkgconfig")}}
    if (said := output("pkg-config", "--modversion", "curfew", **ask)[1].strip()) != version_of(ROOT):
        yield f"pkg-config says version {said!r}"
    flags = output("pkg-config", "--cflags", "--libs", "curfew", **ask)[1].split()
    (work / "main.cpp").write_text(PROGRAM, encoding="utf-8")
    status, said = output(*COMPILER.split(), "-std=c++20", *flags, work / "main.cpp",
                          "-o", work / "main")
    if status != 0:
        yield f"a program does not build with {flags}:\n{said}"


def check_subdirectory(work):
    source = work / "parent"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(PARENT.format(root=ROOT), encoding="utf-8")
    prefix = work / "parent-installed"
    status, said = output(CMAKE, "-S", source, "-B", source / "build",
                          f"-DCMAKE_INSTALL_PREFIX={prefix}")
    if status != 0:
        yield f"add_subdirectory brings more than the library:\n{said}"
        return
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
