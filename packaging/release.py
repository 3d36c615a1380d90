#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes what a release consists of: the sources, the single header, and their checksums.

    release.py [--out FOLDER]      into build/release, if no other is named

Out of what is committed, and of nothing else: the same commit gives the same bytes, wherever and
whenever. A commit that has the tag of its version is a release; any other is a rehearsal, whose
files have the commit in their names. Nothing is tagged, pushed or published here.
"""
import argparse
import gzip
import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "repo"))
sys.dont_write_bytecode = True
import house  # noqa: E402  (the checks that the tests make as well)


def git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], check=True, stdout=subprocess.PIPE)
    return done.stdout


def lines_of(*arguments):
    return git(*arguments).decode().splitlines()


def objections(version, tags):
    """Why this commit cannot be released."""
    changes = lines_of("status", "--porcelain")
    if changes:
        yield "not everything is committed; commit it, or stash it:\n" + "\n".join(changes)
    for rule in (house.versions_agree, house.packages_have_the_version, house.changes_are_told):
        yield from rule(ROOT)
    for tag in tags:
        if tag != f"v{version}":
            yield f"the tag is {tag}, and include/curfew/version.hpp says {version}"
    newest = house.sections_of(ROOT)[0]
    if tags and newest != version:
        yield (f"CHANGELOG.md: begins with [{newest}]; before the tag, the changes of {version} "
               f"stand under [{version}], with the day")


def write_archive(name, to):
    """git takes the time and the order of the files from the commit; gzip adds neither."""
    tar = git("-c", "tar.umask=0022", "archive", "--format=tar", f"--prefix={name}/", "HEAD")
    with to.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(tar)


def write_single_header(to):
    maker = ROOT / "packaging" / "single_header.py"
    subprocess.run([sys.executable, maker, "--out", to], check=True)


def write_checksums(files, to):
    sums = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in sorted(files)]
    to.write_text("".join(sums), encoding="ascii", newline="\n")


def advice(name, version, tags, out):
    if not tags:
        return (f"A rehearsal: this commit has no tag. For the release of {version}: rename\n"
                f"[Unreleased] in CHANGELOG.md to [{version}] - <day>, commit, run all that must\n"
                f"pass (.ci/run), git tag v{version}, and start this again.")
    return (f"Now: git push origin v{version}, and attach what is in {out}\n"
            f"to the release. Its text is the section [{version}] of CHANGELOG.md. A registry's\n"
            f"recipe takes the checksum of {name}.tar.gz from SHA256SUMS. Then the next version\n"
            "goes into include/curfew/version.hpp; the tests say where else.")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "release")
    out = parser.parse_args().out.resolve()
    version = house.version_of(ROOT)
    tags = [t for t in lines_of("tag", "--points-at", "HEAD") if re.match(r"v\d", t)]
    if why := list(objections(version, tags)):
        sys.exit("nothing was made:\n" + "\n".join(why))
    name = f"curfew-{version}"
    if not tags:
        name += "-" + lines_of("rev-parse", "HEAD")[0][:12]
    out.mkdir(parents=True, exist_ok=True)
    archive, header = out / f"{name}.tar.gz", out / "curfew.hpp"
    write_archive(name, archive)
    write_single_header(header)
    write_checksums([archive, header], out / "SHA256SUMS")
    print((out / "SHA256SUMS").read_text(encoding="ascii") + advice(name, version, tags, out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
