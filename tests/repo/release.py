#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A release is the same bytes whoever makes it, and is refused where anything disagrees.

What is tried is what is committed, in clones that other people might have made.
"""
import argparse
import gzip
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from house import ROOT, version_of

SKIPPED = 77


def run(*command, where, **environment):
    done = subprocess.run(command, cwd=where, env={**os.environ, **environment}, text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def must(*command, where=ROOT):
    status, said = run(*command, where=where)
    if status != 0:
        sys.exit(f"{command} failed:\n{said}")
    return said


class Clone:
    def __init__(self, folder):
        self.folder = folder
        must("git", "clone", "--quiet", ROOT, folder)
        must("git", "checkout", "--quiet", "--detach", must("git", "rev-parse", "HEAD").strip(),
             where=folder)
        for tag in must("git", "tag", "--points-at", "HEAD", where=folder).split():
            must("git", "tag", "--delete", tag, where=folder)

    def release(self, out, **environment):
        return run(sys.executable, "packaging/release.py", "--out", out, where=self.folder,
                   **environment)

    def change(self, name, old, new, commit=True):
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        if old not in text:
            sys.exit(f"{name} has no {old!r}")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        if commit:
            must("git", "-c", "user.name=somebody", "-c", "user.email=somebody@localhost",
                 "commit", "--quiet", "--all", "--message", "A change", where=self.folder)

    def forget(self, commit):
        must("git", "reset", "--quiet", "--hard", commit, where=self.folder)


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wrong_with(files, version):
    """What is made has all that it should, and is what its checksums say."""
    archives = [name for name in files if name.endswith(".tar.gz")]
    if sorted(files) != sorted([*archives, "SHA256SUMS", "curfew.hpp"]) or len(archives) != 1:
        return [f"made were {sorted(files)}"]
    problems = []
    for line in files["SHA256SUMS"].decode().splitlines():
        checksum, name = line.split("  ")
        if hashlib.sha256(files[name]).hexdigest() != checksum:
            problems.append(f"{name} is not what SHA256SUMS says")
    top = archives[0].removesuffix(".tar.gz")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(files[archives[0]]))) as tar:
        names, times = tar.getnames(), {member.mtime for member in tar}
    for name in ("include/curfew/version.hpp", "CMakeLists.txt", "LICENSE"):
        if f"{top}/{name}" not in names:
            problems.append(f"there is no {name} in the archive")
    if len(times) != 1 or not all(n == top or n.startswith(top + "/") for n in names):
        problems.append("the archive has several times, or something beside its one folder")
    if f"curfew {version}".encode() not in files["curfew.hpp"]:
        problems.append("the single header does not say its version")
    return problems


def same_bytes(work, version):
    one, two = Clone(work / "one"), Clone(work / "some/where/two")
    status, said = one.release(work / "first", TZ="UTC", LC_ALL="C")
    if status != 0:
        return [f"no release of what is committed: {said}"]
    if "A rehearsal" not in said:
        return [f"a commit without a tag is not told as a rehearsal: {said}"]
    status, said = two.release(work / "second", TZ="Asia/Tokyo", HOME=str(work))
    first, second = files_in(work / "first"), files_in(work / "second")
    if first != second:
        different = [name for name in first if first[name] != second.get(name)]
        return [f"two clones do not make the same of {different}"]
    torn = {**first, "curfew.hpp": b"something else"}
    if not wrong_with(torn, version):
        return ["wrong_with() does not see that a checksum is wrong"]
    return wrong_with(first, version)


def refused(work, version):
    """Each disagreement by itself, and what is said of it."""
    clone = Clone(work / "three")
    start = must("git", "rev-parse", "HEAD", where=clone.folder).strip()
    header = f"CURFEW_VERSION_PATCH {version.split('.')[2]}\n"
    cases = [
        ("LICENSE", "Boost", "Boosted", False, "not everything is committed"),
        ("meson.build", f"version: '{version}'", "version: '99.0.0'", True, "meson.build"),
        ("packaging/vcpkg/vcpkg.json", f'"{version}"', '"99.0.0"', True, "vcpkg.json"),
        ("conanfile.py", '    name = "curfew"\n', '    version = "1"\n', True, "conanfile.py"),
        ("CHANGELOG.md", "## [Unreleased]", "## [99.0.0] - 2026-01-01", True, "CHANGELOG.md"),
        ("include/curfew/version.hpp", header, "CURFEW_VERSION_PATCH 99\n", True, "meson.build"),
    ]
    for name, old, new, commit, complaint in cases:
        clone.change(name, old, new, commit)
        status, said = clone.release(work / "refused")
        if status == 0 or complaint not in said or (work / "refused").exists():
            yield f"a disagreement in {name} is not refused: {said}"
        clone.forget(start)


def tagged(work, version):
    clone = Clone(work / "four")
    must("git", "tag", "v99.0.0", where=clone.folder)
    status, said = clone.release(work / "refused")
    if status == 0 or "the tag is v99.0.0" not in said:
        yield f"a tag of another version is not refused: {said}"
    must("git", "tag", "--delete", "v99.0.0", where=clone.folder)
    changes = (clone.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    if re.search(r"^## \[Unreleased\]$", changes, re.MULTILINE):
        must("git", "tag", f"v{version}", where=clone.folder)
        status, said = clone.release(work / "refused")
        if status == 0 or "begins with [Unreleased]" not in said:
            yield f"a tag before its section in CHANGELOG.md is not refused: {said}"
        must("git", "tag", "--delete", f"v{version}", where=clone.folder)
        clone.change("CHANGELOG.md", "## [Unreleased]", f"## [{version}] - 2026-01-01")
    must("git", "tag", f"v{version}", where=clone.folder)
    status, said = clone.release(work / "tagged")
    if status != 0 or not (work / "tagged" / f"curfew-{version}.tar.gz").exists():
        yield f"no release of a tag: {said}"
    elif f"git push origin v{version}" not in said:
        yield f"it does not say what comes next: {said}"


def main():
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        print("skipped: these sources are not a git repository, or there is no git")
        return SKIPPED
    version = version_of(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        failures = [*same_bytes(work, version), *refused(work, version), *tagged(work, version)]
    print("\n".join(failures) or "releases are the same bytes, and refused where they should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
