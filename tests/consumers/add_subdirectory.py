#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""curfew as a part of another CMake project: it brings one target, no tests and no install rules."""
import sys

from shared.consumer import CMAKE, build_with_cmake, check_stop, must, readme, require, test

BRINGS_ONE_TARGET = """
get_property(tests DIRECTORY third_party/curfew PROPERTY TESTS)
get_property(targets DIRECTORY third_party/curfew PROPERTY BUILDSYSTEM_TARGETS)
if(tests OR NOT targets STREQUAL "curfew")
  message(FATAL_ERROR "it brings the tests '${tests}' and the targets '${targets}'")
endif()
get_target_property(options curfew::curfew INTERFACE_COMPILE_OPTIONS)
get_target_property(definitions curfew::curfew INTERFACE_COMPILE_DEFINITIONS)
if(options OR definitions)
  message(FATAL_ERROR "users get the options '${options}' and the definitions '${definitions}'")
endif()
"""


def installed_files(build, prefix):
    must(CMAKE, "--install", build, "--prefix", prefix)
    return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file())


def add_subdirectory(work):
    build = build_with_cmake(work, readme("add_subdirectory") + BRINGS_ONE_TARGET)
    check_stop(build / "orders")
    files = installed_files(build, work / "installed")
    require(files == ["bin/orders"], f"with the project are installed {files}")


def add_subdirectory_of_what_is_to_be_installed(work):
    build = build_with_cmake(work, readme("add_subdirectory"), "-DCURFEW_INSTALL=ON")
    files = installed_files(build, work / "installed")
    for wanted in ("include/curfew/curfew.hpp", "share/cmake/curfew/curfew-config.cmake"):
        require(wanted in files, f"CURFEW_INSTALL installs no {wanted}, but {files}")


if __name__ == "__main__":
    sys.exit(test(add_subdirectory, add_subdirectory_of_what_is_to_be_installed))
