#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The manager of units with a real `systemd --user`, and what systemd-analyze says of our units.

Started without --inside it starts itself again under tests/rigs/in-systemd.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
RIG = pathlib.Path(__file__).resolve().parents[1] / "rigs" / "in-systemd"
NASTY = ["a b", "$HOME", "${HOME}", "$$", "%h", "%%", ";", "a;b", "\\;", 'q"q', "it's", "'", '"',
         "back\\", "\\", "\\x41\\n", "", " ", "tab\there", "ü€😀", "#x", "*", "~", "-", "--", "@a",
         "{}", "&&", "|", "`id`", "$(id)", "=", "a=b", " lead", "trail ", "x" * 3000]


class Programs:
    folder = pathlib.Path()

    @classmethod
    def path(cls, name):
        return str(cls.folder / name)


def run(*words, **more):
    return subprocess.run(words, text=True, timeout=60, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


def verbs(*words):
    return run(Programs.path("unit_verbs"), "--user", *words).stdout


def systemctl(*words):
    return run("systemctl", "--user", *words)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.name = re.sub("[^a-z]", "-", self.id().split(".test_")[1])
        self.units = pathlib.Path(os.environ["HOME"], ".config/systemd/user")
        self.unit = self.units / f"{self.name}.service"
        self.addCleanup(verbs, "uninstall", f"name={self.name}")
        self.addCleanup(systemctl, "stop", f"{self.name}.service")

    def do(self, verb, *settings, arguments=(), program=None):
        more = ["--", *arguments] if arguments else []
        program = program or Programs.path("unit_service")
        return verbs(verb, f"name={self.name}", f"exe={program}", *settings, *more)

    def done(self, verb, *settings, **more):
        """The lines of the steps."""
        said = self.do(verb, *settings, **more)
        self.assertTrue(said.endswith("done\n"), said)
        return said.splitlines()[:-1]

    def becomes(self, state):
        """Also the rest of the status."""
        for _ in range(300):
            status = self.do("status").rstrip("\n").split(" | ")
            if status[0] == state:
                return status
            time.sleep(0.02)
        return self.fail(f"{status} instead of {state}")

    def state_file(self, name):
        return pathlib.Path(os.environ["HOME"], ".config", self.name, name)

    def left(self):
        return sorted(str(p.relative_to(self.units)) for p in self.units.rglob("*")
                      if self.name in p.name) if self.units.exists() else []


class Install(Case):
    def test_install_twice_and_uninstall_twice(self):
        steps = self.done("install")
        self.assertEqual([s.split(" | ")[0] for s in steps],
                         [f"unit file {self.unit}", "unit files", "start with the system"])
        self.assertEqual(self.done("install"), [])
        self.assertEqual(self.left(), [f"default.target.wants/{self.name}.service",
                                       f"{self.name}.service"])
        self.assertEqual(os.stat(self.unit).st_mode & 0o777, 0o644)
        self.assertEqual(self.becomes("stopped")[2], "enabled")
        steps = self.done("uninstall")
        self.assertEqual([s.split(" | ")[0] for s in steps],
                         ["start with the system", f"unit file {self.unit}", "unit files"])
        self.assertEqual(self.done("uninstall"), [])
        self.assertEqual(self.left(), [])
        self.becomes("not installed")

    def test_a_plan_changes_nothing(self):
        self.assertEqual(len(self.do("plan-install").splitlines()), 3)
        self.assertEqual(self.left(), [])
        self.done("install")
        self.assertEqual(len(self.do("plan-uninstall").splitlines()), 3)
        self.assertEqual(len(self.left()), 2)

    def test_an_upgrade_changes_what_differs(self):
        self.done("install", "title=One", "stop=30")
        before = self.unit.read_text()
        steps = self.done("install", "title=Two", "stop=20")
        self.assertEqual(steps[0].split(" | ")[1:], ["Description=One; TimeoutStopSec=35s",
                                                     "Description=Two; TimeoutStopSec=25s"])
        self.assertEqual(len(steps), 2)
        self.assertEqual(len(before.splitlines()), len(self.unit.read_text().splitlines()))
        shown = systemctl("show", "-p", "TimeoutStopUSec", self.name).stdout
        self.assertEqual(shown, "TimeoutStopUSec=25s\n")

    def test_a_start_mode_is_changed_alone(self):
        self.done("install")
        self.assertEqual(self.done("install", "start=demand"), ["start with the system | yes | no"])
        self.assertEqual(self.becomes("stopped")[2], "disabled")
        self.assertEqual(self.done("install"), ["start with the system | no | yes"])
        self.done("install", "start=disabled")
        self.assertRegex(self.do("start"), "refused 1 .*Operation refused")
        self.done("install", "start=demand")
        self.done("start")
        self.becomes("running")

    def test_a_file_that_was_changed_behind_us_is_read_again(self):
        self.done("install")
        text = self.unit.read_text()
        self.unit.write_text(text + "# more\n")
        systemctl("daemon-reload")
        self.unit.write_text(text)
        steps = self.done("install")
        self.assertEqual([s.split(" | ")[0] for s in steps], ["unit files"])

    def test_a_failed_install_leaves_nothing(self):
        self.units.mkdir(parents=True, exist_ok=True)
        wants = self.units / "default.target.wants"
        if wants.exists():
            wants.rename(self.units / "kept")
        wants.write_text("no folder")  # enable cannot make its link
        try:
            said = self.do("install")
            self.assertRegex(said, "refused 1 systemctl enable: ")
            self.assertNotIn("half done", said)
            self.assertEqual(self.left(), [])
            self.becomes("not installed")
        finally:
            wants.unlink()
            if (self.units / "kept").exists():
                (self.units / "kept").rename(wants)

    def test_a_failed_upgrade_gives_back_the_old_unit(self):
        self.done("install", "start=demand", "title=Old")
        before = self.unit.read_bytes()
        wants = self.units / "default.target.wants"
        if wants.exists():
            wants.rename(self.units / "kept")
        wants.write_text("no folder")
        try:
            self.assertRegex(self.do("install", "title=New"), "refused 1 ")
            self.assertEqual(self.unit.read_bytes(), before)
            shown = systemctl("show", "-p", "Description,NeedDaemonReload", self.name).stdout
            self.assertEqual(shown, "Description=Old\nNeedDaemonReload=no\n")
        finally:
            wants.unlink()
            if (self.units / "kept").exists():
                (self.units / "kept").rename(wants)

    def test_a_folder_that_cannot_be_written_to_is_left_alone(self):
        self.units.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", self.units, self.units)
        run("mount", "-o", "remount,bind,ro", self.units)
        try:
            self.assertRegex(self.do("install"), f"refused 1 cannot write {self.unit}: ")
            self.assertEqual(self.left(), [])
        finally:
            run("umount", self.units)

    def test_a_unit_that_systemd_does_not_find_is_taken_back(self):
        said = run("env", "XDG_CONFIG_HOME=" + os.environ["RUNTIME"] + "/elsewhere",
                   Programs.path("unit_verbs"), "--user", "install", f"name={self.name}",
                   "exe=" + Programs.path("unit_service")).stdout
        self.assertRegex(said, "refused 1 systemd does not take .*elsewhere.*unit-paths")
        self.assertFalse(pathlib.Path(os.environ["RUNTIME"], "elsewhere").exists())

    def test_units_of_others_are_refused(self):
        self.units.mkdir(parents=True, exist_ok=True)
        self.unit.write_text("[Service]\nExecStart=/bin/true\n")
        systemctl("daemon-reload")
        for verb in ("install", "uninstall"):
            self.assertRegex(self.do(verb), f"refused 1 {self.unit} was not written by curfew, ")
        self.assertEqual(self.unit.read_text(), "[Service]\nExecStart=/bin/true\n")
        self.unit.unlink()
        other = pathlib.Path(os.environ["SYSTEMD_UNITS"], f"{self.name}.service")
        other.write_text("[Service]\nExecStart=/bin/true\n")
        systemctl("daemon-reload")
        self.assertRegex(self.do("install"), f"refused 1 there is a unit .* already, {other}, ")
        other.unlink()
        systemctl("daemon-reload")

    def test_a_masked_unit_is_refused(self):
        systemctl("mask", self.name)
        self.assertRegex(self.do("install"), "refused 1 .* is a link, so the unit is masked")
        systemctl("unmask", self.name)
        self.done("install")

    def test_what_comes_from_outside_is_checked_first(self):
        self.assertRegex(verbs("install", "name=a b", "exe=/bin/true"), "refused 1 service name")
        self.assertRegex(verbs("start", "name=--now"), "refused 1 service name")
        self.assertRegex(self.do("install", arguments=["a\nb"]), "refused 1 argument")
        self.assertRegex(self.do("install", program="bin/true"), "refused 1 executable .*absolute")
        self.assertRegex(self.do("install", program="/nowhere/x"), "refused 1 executable /nowhere")
        self.assertRegex(self.do("install", "writable=/nowhere/x"), "refused 1 there is no /nowhere")
        self.assertEqual(self.left(), [])

    def test_without_a_manager_nothing_is_done(self):
        environment = {k: v for k, v in os.environ.items() if k != "XDG_RUNTIME_DIR"}
        said = run(Programs.path("unit_verbs"), "--user", "install", f"name={self.name}",
                   "exe=" + Programs.path("unit_service"), env=environment).stdout
        self.assertRegex(said, "refused 3 no systemd of this user is running: .*enable-linger")
        self.assertEqual(self.left(), [])
        said = run(Programs.path("unit_verbs"), "status", f"name={self.name}").stdout
        self.assertRegex(said, "refused 3 systemd does not run here as the system's")


class Life(Case):
    def test_start_reload_and_stop(self):
        self.done("install", "reloads=yes")
        self.done("start")
        status = self.becomes("running")
        self.assertEqual(status[1:], ["0", "enabled", "at work"])
        self.done("start")
        self.done("reload")
        for _ in range(300):
            if self.do("status").endswith("reloaded\n"):
                break
            time.sleep(0.02)
        self.assertEqual(self.becomes("running")[3], "reloaded")
        self.assertEqual(self.do("doctor"), "")
        self.done("restart")
        for _ in range(300):
            if self.do("status").endswith("at work\n"):
                break
            time.sleep(0.02)
        self.assertEqual(self.becomes("running")[3], "at work")
        self.done("stop")
        self.becomes("stopped")
        self.done("stop")

    def test_nasty_arguments_arrive_as_they_were_given(self):
        self.done("install", arguments=NASTY)
        self.assertEqual(self.done("install", arguments=NASTY), [])
        self.done("start")
        self.becomes("running")
        self.assertEqual(self.state_file("arguments").read_bytes(),
                         b"".join(a.encode() + b"\0" for a in NASTY))

    def test_nasty_paths_are_started(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as top:
            for number, folder in enumerate(("a b", "$HOME", "%h", "a;b", "ü#", "a:b", "-x", "{a}")):
                with self.subTest(folder):
                    path = pathlib.Path(top, folder)
                    path.mkdir()
                    shutil.copy(Programs.path("unit_service"), path / "run me")
                    self.done("install", f"folder={path}", program=str(path / "run me"),
                              arguments=[str(number)])
                    self.assertEqual(self.done("stop"), [])
                    self.assertEqual(systemctl("restart", self.name).returncode, 0)
                    self.becomes("running")
                    self.assertEqual(self.state_file("arguments").read_text(), f"{number}\0")
                    self.assertIn(f"works in {path}\n", self.state_file("surroundings").read_text())
            self.assertRegex(self.do("install", program=top + '/q"q'), "no program with a quote")

    def test_a_failure_is_told_and_followed_by_another_start(self):
        self.done("install", arguments=["--exit=3"])
        self.done("start")
        self.assertEqual(self.becomes("failed")[1], "3")
        for _ in range(300):
            if systemctl("show", "-P", "NRestarts", self.name).stdout != "0\n":
                break
            time.sleep(0.02)
        self.assertNotEqual(systemctl("show", "-P", "NRestarts", self.name).stdout, "0\n")
        for _ in range(300):  # stopped in the middle of a start it would be failed
            if systemctl("show", "-P", "SubState", self.name).stdout == "auto-restart\n":
                break
            time.sleep(0.02)
        self.done("stop")
        self.becomes("stopped")

    def test_a_wrong_command_line_is_not_tried_again(self):
        self.done("install", arguments=["--exit=2"])
        self.done("start")
        self.assertEqual(self.becomes("failed")[1], "2")
        self.assertEqual(systemctl("show", "-P", "ActiveState", self.name).stdout, "failed\n")
        steps = self.done("uninstall")
        self.assertEqual(steps[-1].split(" | ")[0], "last failure")
        self.assertEqual(self.done("uninstall"), [])
        self.becomes("not installed")

    def test_the_doctor_sees_what_a_drop_in_breaks(self):
        self.done("install")
        folder = self.units / f"{self.name}.service.d"
        folder.mkdir()
        (folder / "a.conf").write_text("[Service]\nType=simple\nTimeoutStopSec=3\n")
        os.utime(self.unit)
        self.assertIn("changed after systemd has read it", self.do("doctor"))
        systemctl("daemon-reload")
        found = self.do("doctor")
        for text in ("Type=simple", "killed after 3s, but may take 30s", "settings are added"):
            self.assertIn(text, found)
        self.assertEqual(self.done("install"), [])  # it is the administrator's, and stays
        (folder / "a.conf").unlink()
        folder.rmdir()
        systemctl("daemon-reload")
        self.assertEqual(self.do("doctor"), "")

    def test_a_service_that_does_not_exist(self):
        for verb in ("start", "stop", "restart", "reload"):
            self.assertRegex(self.do(verb), "refused 4 systemctl ")
        self.becomes("not installed")
        self.assertIn("not installed", self.do("doctor"))


SPECS = [[], ["account=www-data"], ["account=root"], ["capability=CAP_NET_BIND_SERVICE"],
         ["watchdog=3", "reloads=yes", "after=dbus", "title=100% sure"],
         ["writable=/srv", "folder=/usr", "start=demand"], ["start=disabled", "stop=100000"]]


class Analyze(unittest.TestCase):
    """systemd-analyze complains on stderr with exit code 0: nothing may be said at all."""

    def unit(self, folder, user, settings):
        path = pathlib.Path(folder, "web.service")
        more = ["--user"] if user else []
        path.write_text(run(Programs.path("unit_verbs"), *more, "render", "name=web",
                            "exe=/usr/bin/env", *settings, "--", *NASTY[:-1]).stdout)
        return path

    def test_verify_is_silent(self):
        for user in (False, True):
            for settings in SPECS:
                with self.subTest(settings=settings, user=user), \
                     tempfile.TemporaryDirectory() as folder:
                    unit = self.unit(folder, user, settings)
                    result = run("systemd-analyze", "--user" if user else "--system",
                                 "--man=no", "verify", str(unit))
                    self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_the_exposure_is_below_five(self):
        for settings in SPECS:
            with self.subTest(settings=settings), tempfile.TemporaryDirectory() as folder:
                unit = self.unit(folder, False, settings)
                result = run("systemd-analyze", "security", "--offline=true", "--threshold=50",
                             "--no-pager", str(unit))
                level = re.search(r"exposure level for .*: ([0-9.]+)", result.stdout)
                self.assertLess(float(level[1]), 5.0)
                self.assertEqual(result.returncode, 0)

    def test_a_unit_of_a_user_has_what_needs_no_privilege(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                         str(self.unit(folder, True, [])))
        level = re.search(r"exposure level for .*: ([0-9.]+)", result.stdout)
        self.assertLess(float(level[1]), 7.0)

    def test_a_deployment_is_yaml_and_keeps_the_arguments(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("no yaml for Python")
        text = run(Programs.path("unit_verbs"), "kubernetes", "name=web", "exe=/opt/a b: #",
                   "writable=/data", "stop=30", "--", *NASTY).stdout
        pod = yaml.safe_load(text)["spec"]["template"]["spec"]
        container = pod["containers"][0]
        self.assertEqual(pod["terminationGracePeriodSeconds"], 40)
        self.assertEqual(container["command"], ["/opt/a b: #"])
        self.assertEqual(container["args"], [a.replace("$", "$$") for a in NASTY])
        self.assertEqual(container["env"], [{"name": "CURFEW_GRACE_SECONDS", "value": "35"}])
        self.assertEqual(container["lifecycle"]["preStop"], {"sleep": {"seconds": 5}})
        self.assertEqual(container["volumeMounts"][0]["mountPath"], "/data")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--only", default=None, help="the tests whose name has this in it")
    args = parser.parse_args()
    Programs.folder = args.exe_dir.resolve()
    if args.runner or not (Programs.folder / "unit_verbs").exists() or not RIG.exists():
        return SKIPPED
    if not args.inside:
        return subprocess.run([RIG, "--timeout", "100", sys.executable, sys.argv[0], "--inside",
                               *sys.argv[1:]], check=False).returncode
    loader = unittest.defaultTestLoader
    loader.testNamePatterns = [f"*{args.only}*"] if args.only else None
    suite = loader.loadTestsFromModule(sys.modules["__main__"])
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
