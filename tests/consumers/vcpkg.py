#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The port for vcpkg: from this directory and in the form that a registry has, without a warning.

Everything that vcpkg makes is in a folder of its own, and nothing is downloaded.
"""
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import sys
import tarfile

from shared.consumer import (PROGRAM, ROOT, VERSION, Skipped, build_with_cmake, check_stop, copy_of_the_tree, must,
                             needs, readme, require, shell, test)

PORT = ROOT / "packaging/vcpkg"
MINGW = "x86_64-w64-mingw32-g++-posix"
USAGE = """\
  find_package(curfew CONFIG REQUIRED)
  target_link_libraries(main PRIVATE curfew::curfew)
"""


def vcpkg_of_this_machine():
    """The program and its root, which it has to find beside itself."""
    root = os.environ.get("VCPKG_ROOT") or ""
    program = shutil.which("vcpkg") or shutil.which("vcpkg", path=root)
    if program is None:
        raise Skipped("there is no vcpkg on this machine: neither in PATH nor in VCPKG_ROOT")
    root = pathlib.Path(root or pathlib.Path(program).resolve().parent)
    if not (root / ".vcpkg-root").exists():
        raise Skipped(f"{program} has no root: VCPKG_ROOT does not name one")
    return pathlib.Path(program), root


def prepare(work):
    """What all calls have in common: options, and nothing from a server or a cache."""
    program, root = vcpkg_of_this_machine()
    os.environ.update({"VCPKG_ROOT": str(root), "VCPKG_DISABLE_METRICS": "1", "VCPKG_BINARY_SOURCES": "clear",
                       "VCPKG_FORCE_SYSTEM_BINARIES": "1", "X_VCPKG_ASSET_SOURCES": "clear;x-block-origin",
                       "PATH": f"{program.parent}:{os.environ['PATH']}"})
    (work / "downloads").mkdir(exist_ok=True)
    return [f"--x-install-root={work / 'installed'}", f"--x-buildtrees-root={work / 'trees'}",
            f"--x-packages-root={work / 'packages'}", f"--downloads-root={work / 'downloads'}"]


def check_said(said):
    require("Performing post-build validation" in said.split("Building curfew:")[-1], f"it validated nothing\n{said}")
    require(not re.search(r"\bwarning\b", said, re.IGNORECASE), f"it warns\n{said}")
    plain = "".join(line + "\n" for line in said.splitlines() if not line.startswith("  #"))
    require(USAGE in plain, f"the usage that it makes is not as it should be\n{said}")


def check_package(package):
    top = sorted(path.name for path in package.iterdir())
    require(not {"debug", "lib", "bin"} & set(top), f"the package has {top}")
    share = sorted(path.name for path in (package / "share/curfew").iterdir())
    require("usage" not in share and "copyright" in share, f"share/curfew has {share}")
    same = (package / "share/curfew/copyright").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
    require(same, "its copyright is not the licence")


def use(work, *options):
    root = os.environ["VCPKG_ROOT"]
    return build_with_cmake(work, readme("find_package"), *options, f"-DVCPKG_INSTALLED_DIR={work / 'installed'}",
                            f"-DCMAKE_TOOLCHAIN_FILE={root}/scripts/buildsystems/vcpkg.cmake")


def manifest_of_the_port(_):
    """Of this the version is a repetition, which nobody may forget."""
    manifest = json.loads((PORT / "vcpkg.json").read_text("utf-8"))
    require(manifest["version"] == VERSION, f"packaging/vcpkg/vcpkg.json says version {manifest['version']}")


def vcpkg(work):
    options = prepare(work)
    check_said(shell(f"{readme('vcpkg', curfew=ROOT).rstrip()} {shlex.join(options)}\n", work))
    check_package(next((work / "packages").glob("curfew_*")))
    check_stop(use(work, "-DVCPKG_MANIFEST_MODE=OFF") / "orders")


def vcpkg_manifest_of_a_user(work):
    options = prepare(work)
    (work / "vcpkg.json").write_text('{"dependencies": ["curfew"]}\n', encoding="utf-8")
    configuration = {"overlay-ports": [str(PORT)]}
    (work / "vcpkg-configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
    build = use(work, f"-DVCPKG_MANIFEST_DIR={work}", f"-DVCPKG_INSTALL_OPTIONS={';'.join(options[1:])}")
    check_stop(build / "orders")


def vcpkg_from_the_archive_of_a_release(work):
    """In the form of a registry: the lines of the comment, with an archive that is there already."""
    options = prepare(work)
    tag = f"v{VERSION}"
    copy_of_the_tree(work / f"curfew-{VERSION}")
    archive = work / "downloads" / f"somebody-curfew-{tag}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(work / f"curfew-{VERSION}", arcname=f"curfew-{VERSION}")
    text = (PORT / "portfile.cmake").read_text("utf-8")
    found = re.search(r"^# The port of a registry .*\n((?:#   .*\n)+)(?:[^#\n].*\n)+# End of what differs\.\n", text, re.M)
    require(found, "portfile.cmake does not say what differs in a registry")
    fetch = re.sub(r"^#   ", "", found[1], flags=re.M).replace("<owner>", "somebody")
    fetch = fetch.replace("<of the archive>", hashlib.sha512(archive.read_bytes()).hexdigest())
    port = work / "registry/curfew"
    port.mkdir(parents=True)
    shutil.copy(PORT / "vcpkg.json", port)
    (port / "portfile.cmake").write_text(text[:found.start()] + fetch + text[found.end():], encoding="utf-8")
    check_said(must("vcpkg", "install", "curfew", f"--overlay-ports={port}", *options, cwd=work))
    check_package(next((work / "packages").glob("curfew_*")))


def vcpkg_for_windows(work):
    options = prepare(work)
    needs(MINGW)
    triplet = "x64-mingw-static"
    check_said(must("vcpkg", "install", f"curfew:{triplet}", f"--overlay-ports={PORT}", *options, cwd=work))
    must(MINGW, "-std=c++20", "-static", "-I", work / "installed" / triplet / "include", PROGRAM, "-o",
         work / "orders.exe")


def manifest_is_formatted(work):
    prepare(work)
    shutil.copy(PORT / "vcpkg.json", work)
    must("vcpkg", "format-manifest", work / "vcpkg.json")
    same = (work / "vcpkg.json").read_bytes() == (PORT / "vcpkg.json").read_bytes()
    require(same, "packaging/vcpkg/vcpkg.json is not as vcpkg format-manifest has it")


if __name__ == "__main__":
    sys.exit(test(manifest_of_the_port, manifest_is_formatted, vcpkg, vcpkg_manifest_of_a_user,
                  vcpkg_from_the_archive_of_a_release, vcpkg_for_windows))
