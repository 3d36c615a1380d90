#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""An installed curfew, found by CMake: in the right version alone, wherever its prefix has gone."""
import shutil
import sys

from shared.consumer import (CONSUMERS, PROGRAM, VERSION, build_with_cmake, check_stop, configure,
                             install_with_cmake, readme, require, test)


def find_package(work):
    prefix = install_with_cmake(work)
    for path in filter(lambda path: path.is_file(), prefix.rglob("*")):
        require(str(work) not in path.read_text("utf-8"), f"{path.name} names the place it was put to")
    build = build_with_cmake(work, readme("find_package"), f"-DCMAKE_PREFIX_PATH={prefix}")
    check_stop(build / "orders")


def other_versions():
    """With the same minor version a newer patch will do; anything else may be another interface."""
    major, minor, patch = map(int, VERSION.split("."))
    yield f"{major}.{minor}.{patch + 1}"
    yield f"{major}.{minor + 1}"
    yield f"{major + 1}.{minor}"
    if minor > 0:
        yield f"{major}.{minor - 1}"


def find_package_of_another_version(work):
    prefix = install_with_cmake(work)
    project = work / "project"
    shutil.copytree(CONSUMERS / "cmake", project)
    shutil.copy(PROGRAM, project)
    for number, version in enumerate((VERSION, *other_versions())):
        (project / "use.cmake").write_text(f"find_package(curfew {version} REQUIRED)\n", encoding="utf-8")
        status, said = configure(project, work / str(number), f"-DCMAKE_PREFIX_PATH={prefix}")
        refused = status != 0 and f'compatible with requested version "{version}"' in " ".join(said.split())
        require(refused == (version != VERSION) and refused == (status != 0),
                f"find_package(curfew {version}), and {VERSION} is installed: status {status}\n{said}")


if __name__ == "__main__":
    sys.exit(test(find_package, find_package_of_another_version))
