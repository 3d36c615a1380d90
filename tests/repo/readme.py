#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The two commands of README.md are those that .ci/run runs, and the first one builds.

A command stands in a ```sh block after a comment "command: NAME", and is one line. (What else is on
the pages is looked at by pages.py.)
"""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from pages import blocks

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(text):
    return {block.note.removeprefix("command:").strip(): block.code.strip()
            for block in blocks("README.md", text, "sh") if block.note.startswith("command:")}


def check_commands(text):
    found = commands(text)
    for name, part in (("web-server", "&& g++ "), ("tests", "&& cmake --workflow --preset default")):
        command = found.get(name, "")
        if "\n" in command or part not in command or "apt-get install" not in command:
            yield f"README.md: the command {name} is not one line that installs its tools and runs"
            continue
        said = subprocess.run(["bash", ROOT / ".ci/run", "--show", name], check=False,
                              capture_output=True, text=True).stdout.strip()
        if said != command:
            yield f".ci/run runs another {name} command than README.md has: {said!r}"


def check_web_server(text):
    """The compiler call of the first command, as it stands but for where the program goes."""
    call = re.search(r"&& (g\+\+ .*) -o web_server &&", commands(text)["web-server"])
    if shutil.which("g++") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([*shlex.split(call[1]), "-o", f"{folder}/web_server"], cwd=ROOT,
                             capture_output=True, text=True, check=False)
    if run.returncode != 0:
        yield f"README.md: the web server is not built by: {call[1]}\n{run.stderr}"


def breaches():
    """README texts that must be objected to."""
    yield check_commands, README.replace("cmake --workflow", "cmake  --workflow", 1)
    yield check_commands, README.replace("install -y", "install --yes", 1)
    yield check_web_server, README.replace("g++ -std=c++20 -O2", "g++ -std=c++98 -O2", 1)


def main():
    failures = [f"{check.__name__} does not see a breach:\n{text[:200]}"
                for check, text in breaches() if not list(check(text))]
    for check in (check_commands, check_web_server):
        failures += check(README)
    print("\n".join(failures) or "the commands of README.md are true")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
