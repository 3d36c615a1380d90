#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""curfew in a Meson project: fetched as a subproject by a wrap, or installed on the system."""
import os
import shutil
import sys

from shared.consumer import (CONSUMERS, PROGRAM, check_stop, git_repository, install_with_cmake, must, needs,
                             readme, require, test)


def make_project(work):
    project = work / "project"
    project.mkdir()
    shutil.copy(PROGRAM, project)
    text = (CONSUMERS / "meson/meson.build").read_text("utf-8")
    (project / "meson.build").write_text(text + readme("meson"), encoding="utf-8")
    return project


def build(work, project):
    must("meson", "setup", work / "build", project, f"--prefix={work / 'installed'}")
    must("meson", "compile", "-C", work / "build")
    check_stop(work / "build/orders")


def meson_subproject(work):
    needs("meson", "ninja")
    project = make_project(work)
    (project / "subprojects").mkdir()
    wrap = readme("wrap", url_of_this_repository=git_repository(work / "origin"))
    (project / "subprojects/curfew.wrap").write_text(wrap, encoding="utf-8")
    build(work, project)
    must("meson", "install", "-C", work / "build")
    files = [path for path in (work / "installed").rglob("*") if path.is_file()]
    require(not files, f"the subproject installs {files}")


def meson_system_dependency(work):
    needs("meson", "ninja", "pkg-config")
    os.environ["PKG_CONFIG_PATH"] = str(install_with_cmake(work) / "share/pkgconfig")
    build(work, make_project(work))


if __name__ == "__main__":
    sys.exit(test(meson_subproject, meson_system_dependency))
