#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Verbs as they are typed. Nothing of the system is changed here: what would change something is a
dry run, is refused, or works on a system that is made up."""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

VERBS = ["install", "uninstall", "start", "stop", "restart", "reload", "status", "run", "render",
         "doctor", "plan", "drill", "codes", "last", "ask"]
NOBODY = 65534


class Program:
    folder = pathlib.Path()
    runner = []
    windows = False

    @classmethod
    def command(cls, name):
        return [*cls.runner, str(cls.folder / (name + (".exe" if cls.windows else "")))]


def typed(*words, before=(), name="verb_subject"):
    return subprocess.run([*before, *Program.command(name), *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)


def fields(done):
    """What a program said of itself: "name x" and, for each argument, "own y"."""
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    return ([value for key, _, value in lines if key == "name"],
            [value for key, _, value in lines if key == "own"])


class Lines(unittest.TestCase):
    unknown = f"curfew-test-{os.getpid()}"

    def test_without_a_verb_it_is_the_program(self):
        done = typed("a", "b c", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(fields(done), (["verb-subject"], ["a", "b c", "--help"]))

    def test_run_is_the_program_in_the_foreground(self):
        done = typed("run", "--name", "other", "--", "--name", "x")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(fields(done), (["other"], ["--name", "x"]))
        self.assertIn("host console", done.stdout)

    def test_run_looks_for_no_host(self):
        if Program.windows:
            self.skipTest("there are no sockets of systemd here")
        environment = {**os.environ, "NOTIFY_SOCKET": "/nowhere"}
        done = subprocess.run([*Program.command("verb_subject"), "run"], env=environment,
                              stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertIn("host console", done.stdout)

    def test_each_verb_has_a_help(self):
        for verb in VERBS:
            done = typed(verb, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), verb)
            self.assertRegex(done.stdout, rf"^usage: .*verb_subject(\.exe)?\"? {verb} ")

    def test_all_verbs_have_a_help(self):
        for word in ("help", "--help", "-h"):
            done = typed(word)
            self.assertEqual((done.returncode, done.stderr), (0, ""), word)
            for verb in VERBS:
                self.assertRegex(done.stdout, rf"(?m)^  {verb} +[A-Z]")

    def test_a_plan_that_is_kept_is_compared(self):
        kept = typed("plan", "--json")
        self.assertEqual((kept.returncode, kept.stderr), (0, ""))
        plan = json.loads(kept.stdout)["plan"]
        self.assertEqual([part["name"] for part in plan["parts"]], ["main"])
        basis = {reason["reason"]: reason["basis"] for reason in plan["reasons"]}
        self.assertEqual(basis["console-close"], "read" if Program.windows else "assumed")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "plan.json")
            file.write_text(kept.stdout, encoding="utf-8")
            name = "Z:" + str(file).replace("/", "\\") if Program.runner else str(file)
            done = typed("plan", "--diff", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("the plan is as it was", done.stdout)
            file.write_text(re.sub(r'"stop":9000000', '"stop":1', kept.stdout), encoding="utf-8")
            done = typed("plan", "--diff", name)
            self.assertEqual((done.returncode, done.stderr), (1, ""))
            self.assertIn("the plan is worse", done.stdout)

    def test_the_exit_codes_are_those_of_the_program(self):
        table = json.loads(typed("codes", "--json").stdout)["codes"]
        clean = [row for row in table if row["success"]]
        self.assertEqual([(row["outcome"], row["code"]) for row in clean], [("clean", "0")])
        self.assertEqual(typed().returncode, 0)

    def test_a_program_without_a_recording_says_so(self):
        for verb in ("drill", "last"):
            done = typed(verb)
            self.assertEqual((done.returncode, done.stdout), (1, ""), verb)
            self.assertIn("this program keeps no recording", done.stderr)

    def test_hints_can_be_typed(self):
        if Program.windows:
            self.skipTest("a link to a program is another one here")
        with tempfile.TemporaryDirectory() as folder:
            link = pathlib.Path(folder, "it's a web")
            link.symlink_to(Program.command("verb_subject")[-1])
            done = subprocess.run([link, "start", "--frobnicate"], stderr=subprocess.PIPE, text=True,
                                  timeout=60)
            hint = re.search("(?m)^see: (.*)$", done.stderr).group(1)
            said = subprocess.run(["sh", "-c", hint], stdout=subprocess.PIPE, text=True, timeout=60,
                                  check=True).stdout
        self.assertIn("Starts the service", said)

    def test_arguments_are_text_in_every_script(self):
        words = ["Gr\u00fc\u00dfe", "\u65e5\u672c \u8a9e", "c\"d", "", "e\\"]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}  # by which Wine reads them
        done = subprocess.run([*Program.command("verb_subject"), "render", "--json", "--", *words],
                              stdout=subprocess.PIPE, env=environment, timeout=120)
        self.assertEqual(json.loads(done.stdout.decode())["request"]["arguments"], words)

    def test_output_that_is_lost_makes_a_failure(self):
        if not sys.platform.startswith("linux") or Program.windows:
            self.skipTest("there is no full device here")
        for line in ("render --unit", "render --json", "start --help", "help"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([*Program.command("verb_subject"), *line.split()], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("some of the output is lost: No space left", done.stderr)
        closed = subprocess.run(["sh", "-c", '"$0" help >&-', *Program.command("verb_subject")],
                                timeout=60)
        self.assertEqual(closed.returncode, 0)

    def test_wrong_usage_is_two(self):
        for verb in VERBS:
            if verb == "run":
                continue
            done = typed(verb, "--frobnicate")
            self.assertEqual((done.returncode, done.stdout), (2, ""), verb)
            self.assertIn(f"{verb} has no option --frobnicate\n", done.stderr)
        for name in ("../x", "-x", "a b", "a;b", "$(id)"):
            self.assertEqual(typed("status", f"--name={name}").returncode, 2, name)

    def test_json_is_one_object_whatever_becomes_of_it(self):
        for line in ("status", "start", "stop", "restart", "reload", "uninstall", "doctor", "render",
                     "install --dry-run", "uninstall --dry-run", "start --frobnicate", "stop x",
                     "status --user", "install --dry-run --user"):
            verb = line.split()[0]
            done = typed(*line.split(), "--json", "--name", self.unknown)
            self.assertEqual(done.stderr, "", line)
            self.assertEqual(done.stdout.count("\n"), 1, line)
            told = json.loads(done.stdout)
            self.assertEqual((told["verb"], told["code"]), (verb, done.returncode), line)
            self.assertEqual(told["service"], self.unknown)
            self.assertEqual(told["done"], told["error"] is None, line)

    def test_bytes_that_are_no_text_are_told_as_json(self):
        done = subprocess.run([*Program.command("verb_scripted"), "start", "--timeout", "0",
                               "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60)
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout.decode("utf-8"))
        self.assertEqual(told["status"]["text"], 'for ever "\ufffd"')
        self.assertEqual(told["error"]["kind"], "not_in_time")

    def test_render_has_a_text_for_every_system(self):
        told = json.loads(typed("render", "--unit", "--scm", "--kubernetes", "--json").stdout)
        self.assertEqual(list(told["rendered"]), ["unit", "scm", "kubernetes"])
        self.assertIn("Type=notify", told["rendered"]["unit"])
        self.assertIn("terminationGracePeriodSeconds", told["rendered"]["kubernetes"])
        for form, text in told["rendered"].items():
            self.assertEqual(typed("render", "--" + form).stdout, text)

    def test_the_arguments_of_the_service_are_rendered(self):
        done = typed("render", "--unit", "--", "--port", "81")
        self.assertRegex(done.stdout, r"(?m)^ExecStart=.* --port 81$")

    def test_who_is_not_root_is_told_so_and_nothing_is_done(self):
        if Program.windows or Program.runner or not sys.platform.startswith("linux"):
            self.skipTest("the caller has every right here")
        before = []
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                self.skipTest("there is no setpriv")
            before = ["setpriv", "--reuid", str(NOBODY), "--clear-groups"]
            if subprocess.run([*before, *Program.command("verb_subject")],
                              capture_output=True, check=False).returncode != 0:
                self.skipTest("the program cannot be reached by another user")
        for verb in ("install", "uninstall"):
            done = typed(verb, before=before)
            self.assertEqual((done.returncode, done.stdout), (77, ""), verb)
            self.assertRegex(done.stderr, r"^verb-subject: needs root: ")
            told = json.loads(typed(verb, "--json", before=before).stdout)
            self.assertEqual((told["code"], told["error"]["kind"], told["changed"]),
                             (77, "needs_rights", False))

    def hung(self, *words):
        """Its exit code, and how long it took, when systemctl never answers and Ctrl-C comes."""
        with tempfile.TemporaryDirectory() as folder:
            stub = pathlib.Path(folder, "systemctl")
            called = pathlib.Path(folder, "called")
            stub.write_text(f"#!/bin/sh\n: > {called}\nexec sleep 100\n")
            stub.chmod(0o755)
            environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
            child = subprocess.Popen([*Program.command("verb_subject"), *words, "--user"],
                                     env=environment, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
            try:
                while not called.exists() and child.poll() is None:
                    time.sleep(0.01)
                if "--timeout" not in words:
                    child.send_signal(signal.SIGINT)
                _, err = child.communicate(timeout=40)
            finally:
                child.kill()
        return child.returncode, err

    def test_a_manager_that_does_not_answer_is_left_by_one_interrupt(self):
        if not sys.platform.startswith("linux") or Program.runner:
            self.skipTest("there is no systemctl here")
        for verb in ("start", "install", "uninstall", "reload"):
            code, err = self.hung(verb)
            self.assertEqual(code, 130, err)
            self.assertIn("verb-subject: interrupted: ", err)

    def test_a_manager_that_does_not_answer_has_no_longer_than_the_verb(self):
        if not sys.platform.startswith("linux") or Program.runner:
            self.skipTest("there is no systemctl here")
        self.assertEqual(self.hung("start", "--timeout", "1")[0], 1)

    def interrupted(self, *words, by=signal.SIGINT):
        child = subprocess.Popen([*Program.command("verb_scripted"), *words],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertEqual(child.stderr.readline().strip(), "asked")
            time.sleep(0.2)  # into the wait, most of the time; before it is as good
            child.send_signal(by)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
        self.assertEqual(child.returncode, 128 + by)
        return out, err

    def test_an_interrupt_ends_a_wait_and_leaves_the_service(self):
        if os.name == "nt":
            self.skipTest("Ctrl-C cannot be aimed at one process")
        out, err = self.interrupted("start")
        self.assertEqual(err, "web: interrupted: it is starting, and is left so\n")
        self.assertNotIn("running", out)

    def test_a_hang_up_and_a_termination_are_interrupts(self):
        if os.name == "nt" or Program.windows:
            self.skipTest("there are no such signals here")
        for by in (signal.SIGHUP, signal.SIGTERM):
            _, err = self.interrupted("start", by=by)
            self.assertEqual(err, "web: interrupted: it is starting, and is left so\n")

    def test_a_reader_who_leaves_does_not_leave_a_change_half_done(self):
        if os.name == "nt" or Program.windows:
            self.skipTest("there is no SIGPIPE here")
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([*Program.command("verb_scripted"), "uninstall", "--name", "runs"],
                              stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(writing)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^removed\nweb_server: some of the output is lost: ")

    def test_an_interrupt_is_told_as_json(self):
        if os.name == "nt":
            self.skipTest("Ctrl-C cannot be aimed at one process")
        out, err = self.interrupted("start", "--json")
        told = json.loads(out)
        self.assertEqual((err, told["interrupted"], told["status"]["state"], told["code"]),
                         ("", True, "starting", 130))


def main():
    # What a shell runs in the background ignores SIGINT, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    Program.folder = options.exe_dir
    Program.runner = options.runner
    Program.windows = (options.exe_dir / "verb_subject.exe").exists()
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
