#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The life of a service by its verbs alone, under the real manager: systemd --user in namespaces of
its own, or the service manager of Windows, which may be Wine's."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

SKIPPED = 77
RIG = pathlib.Path(__file__).resolve().parents[1] / "rigs" / "in-systemd"
FAILURES = []


class Service:
    def __init__(self, command, options, name="curfew-verbs"):
        self.command = command
        self.options = ["--name", f"{name}-{os.getpid()}", *options]

    def verb(self, verb, *more, code=0, says="", complains=""):
        done = subprocess.run([*self.command, verb, *self.options, *more], text=True, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        what = " ".join([verb, *more])
        if done.returncode != code:
            FAILURES.append(f"{what}: exit code {done.returncode} instead of {code}\n"
                            f"{done.stdout}{done.stderr}")
        for text, seen in ((says, done.stdout), (complains, done.stderr)):
            if text not in seen:
                FAILURES.append(f"{what}: no {text!r} in {seen!r}")
        if not complains and done.stderr:
            FAILURES.append(f"{what}: {done.stderr!r} on stderr")
        return done.stdout

    def state(self, code):
        told = json.loads(self.verb("status", "--json", code=code))
        return told["status"]["state"]


def check(what, seen, wanted):
    if seen != wanted:
        FAILURES.append(f"{what}: {seen!r} instead of {wanted!r}")


def before_installation(s):
    s.verb("status", code=4, says=": not installed")
    s.verb("start", code=1, complains=": is not installed")
    s.verb("uninstall", says=": is not installed")
    s.verb("install", "--dry-run", says="would be made (dry run)")
    check("after a dry run", s.state(4), "not installed")


def installation(s):
    s.verb("install", says=": installed")
    s.verb("install", says=": no change")
    check("after install", s.state(3), "stopped")
    s.verb("install", "--dry-run", "--", "wait", "two words", says="two words")
    s.verb("install", says=": no change")
    s.verb("install", "--", "wait", "two words", says=": updated")
    s.verb("install", "--", "wait", "two words", says=": no change")


def a_second_one(s):
    """Of the same program by another name: the SCM takes no display name twice."""
    second = Service(s.command, s.options[2:], "curfew-second")
    second.verb("install", says=": installed")
    second.verb("uninstall", says=": uninstalled")


def life(s):
    s.verb("start", "--dry-run", says=": would be started")
    check("after a dry run", s.state(3), "stopped")
    s.verb("start", says=": running (pid ")
    s.verb("start", says=" already")
    check("after start", s.state(0), "running")
    told = "reloaded" if "--user" in s.options else "told to reload"  # the SCM cannot tell
    s.verb("reload", says=f": {told}, is running")
    s.verb("restart", says=": restarted, is running (pid ")
    s.verb("install", "--", "wait", says="for the running service to take it up")
    s.verb("doctor")
    s.verb("stop", says=": stopped")
    s.verb("stop", says=" already")
    check("after stop", s.state(3), "stopped")


def removal(s):
    s.verb("start", says=": running (pid ")
    s.verb("uninstall", "--dry-run", says="would be made (dry run)")
    check("after a dry run", s.state(0), "running")
    s.verb("uninstall", says=": uninstalled")
    s.verb("uninstall", says=": is not installed")
    check("after uninstall", s.state(4), "not installed")


def live(service):
    try:
        for part in (before_installation, installation, a_second_one, life, removal):
            part(service)
    finally:
        if FAILURES:
            subprocess.run([*service.command, "uninstall", *service.options], timeout=120,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "\n".join(FAILURES) or 0


def in_the_rig(options):
    if not sys.platform.startswith("linux") or options.runner:
        return SKIPPED
    return subprocess.run([str(RIG), "--timeout", "300", sys.executable, __file__, "--exe-dir",
                           str(options.exe_dir), "--inside"], timeout=400).returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    program = options.exe_dir / "verb_subject.exe"
    if program.exists():
        return live(Service([*options.runner, str(program)], []))
    if not options.inside:
        return in_the_rig(options)
    return live(Service([str(options.exe_dir / "verb_subject")], ["--user"]))


if __name__ == "__main__":
    sys.exit(main())
