#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Units that are not as install has left them, or whose systemctl fails half-way, with a real
`systemd --user`: see unit_manager.py.
"""
import os
import pathlib
import shutil
import stat
import sys
import tempfile

import unit_manager
from unit_manager import Programs, run, systemctl

# Does what it is told to do, and then fails, if its words have one of these in them.
HALF_WAY = """#!/bin/sh
{real} "$@"
code=$?
case " $* " in *" {verb} "*) echo "Failed at last" >&2; exit 1;; esac
exit $code
"""


class Repair(unit_manager.Case):
    def setUp(self):
        super().setUp()
        self.link = self.units / "default.target.wants" / f"{self.name}.service"

    def what(self, verb, *settings):
        return [s.split(" | ")[0] for s in self.done(verb, *settings)]

    def enablement(self):
        return systemctl("is-enabled", self.name).stdout.strip()

    def with_failing(self, verb, *words):
        """As `do`, while that verb of systemctl fails after its work."""
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "systemctl")
            script.write_text(HALF_WAY.format(real=shutil.which("systemctl"), verb=verb))
            script.chmod(0o755)
            path = folder + os.pathsep + os.environ["PATH"]
            return run(Programs.path("unit_verbs"), "--user", words[0], f"name={self.name}",
                       "exe=" + Programs.path("unit_service"), *words[1:],
                       env={**os.environ, "PATH": path}).stdout

    def test_what_starts_until_the_next_boot_is_made_to_start_always(self):
        self.done("install", "start=demand")
        systemctl("enable", "--runtime", self.name)
        self.assertEqual(self.becomes("stopped")[2], "disabled")
        self.assertIn("does not start with the system", self.do("doctor"))
        self.assertEqual(self.what("install"), ["start with the system"])
        self.assertEqual(self.enablement(), "enabled")
        self.done("uninstall")
        self.assertEqual(self.left(), [])
        runtime = pathlib.Path(os.environ["SYSTEMD_UNITS"], "default.target.wants")
        self.assertFalse(os.path.lexists(runtime / f"{self.name}.service"))

    def test_a_running_service_whose_link_has_gone_gets_it_back(self):
        self.done("install")
        self.done("start")
        self.assertEqual(self.becomes("running")[2], "enabled")  # which systemd keeps in mind
        self.link.unlink()
        self.assertEqual(self.becomes("running")[2], "disabled")
        self.assertIn("does not start with the system", self.do("doctor"))
        self.assertEqual(self.what("install"), ["start with the system"])
        self.assertEqual(self.what("install"), [])
        self.assertTrue(self.link.exists())

    def test_the_link_of_a_unit_that_has_gone_goes_too(self):
        for reload in (False, True):
            with self.subTest(reload=reload):
                self.done("install")
                self.unit.unlink()
                if reload:
                    systemctl("daemon-reload")
                self.assertIn("start with the system", self.what("uninstall"))
                self.assertFalse(os.path.lexists(self.link))
                self.assertEqual(self.what("uninstall"), [])
        self.done("install")
        self.unit.unlink()
        self.done("install", "start=demand")
        self.assertEqual(self.enablement(), "disabled")

    def test_a_unit_that_has_gone_may_still_run(self):
        self.done("install")
        self.done("start")
        self.becomes("running")
        self.unit.unlink()
        systemctl("daemon-reload")
        self.assertEqual(self.becomes("running")[2], "disabled")  # and it is ours
        self.assertEqual(self.what("uninstall"), ["start with the system"])
        self.done("stop")
        self.becomes("not installed")

    def test_an_enable_that_fails_after_its_work_is_taken_back(self):
        said = self.with_failing("enable", "install")
        self.assertRegex(said, "refused 1 systemctl enable: Failed at last\n$")
        self.assertNotIn("half done", said)
        self.assertEqual(self.left(), [])

    def test_a_disable_that_fails_after_its_work_is_taken_back(self):
        self.done("install")
        before = self.unit.read_bytes()
        said = self.with_failing("disable", "install", "start=disabled")
        self.assertRegex(said, "refused 1 systemctl disable: ")
        self.assertEqual((self.unit.read_bytes(), self.enablement()), (before, "enabled"))
        self.assertRegex(self.with_failing("disable", "uninstall"), "refused 1 ")
        self.assertEqual((self.unit.read_bytes(), self.enablement()), (before, "enabled"))

    def test_a_reload_that_fails_gives_back_the_link(self):
        self.done("install")
        before = self.unit.read_bytes()
        said = self.with_failing("daemon-reload", "install", "start=disabled")
        self.assertRegex(said, "refused 1 systemctl daemon-reload: ")
        self.assertEqual((self.unit.read_bytes(), self.enablement()), (before, "enabled"))

    def test_an_empty_file_is_a_mask_and_stays(self):
        self.units.mkdir(parents=True, exist_ok=True)
        self.unit.touch()
        systemctl("daemon-reload")
        for verb in ("install", "uninstall"):
            self.assertRegex(self.do(verb), f"refused 1 {self.unit} is empty, so the unit is masked")
        self.assertTrue(self.unit.exists())
        self.assertIn(f"systemctl --user unmask {self.name}", self.do("doctor"))
        self.unit.unlink()
        systemctl("daemon-reload")

    def test_a_unit_file_that_others_can_change_is_told_and_written_anew(self):
        self.done("install")
        self.unit.chmod(0o666)
        self.assertIn("can write to", self.do("doctor"))
        self.assertEqual(self.done("install")[0], f"unit file {self.unit} | others can change it | "
                                                  "its owner's alone")
        self.assertEqual(stat.S_IMODE(self.unit.stat().st_mode), 0o644)
        self.assertEqual(self.what("install"), [])

    def test_it_is_told_whose_a_service_is(self):
        self.assertEqual(self.do("status").split(" | ")[2], "disabled")
        self.units.mkdir(parents=True, exist_ok=True)
        self.unit.write_text("[Service]\nExecStart=/bin/sleep 100\n")
        systemctl("daemon-reload")
        self.assertEqual(self.do("status").split(" | ")[2], "disabled, not ours")
        found = self.do("doctor")
        self.assertIn("was not written by curfew", found)
        self.assertIn(f"Type=notify: systemctl --user edit {self.name}", found)
        self.unit.unlink()
        other = pathlib.Path(os.environ["SYSTEMD_UNITS"], f"{self.name}.service")
        other.write_text("# Written by curfew\n[Service]\nExecStart=/bin/true\n")
        systemctl("daemon-reload")
        self.assertEqual(self.do("status").split(" | ")[2], "disabled, not ours")
        other.unlink()
        systemctl("daemon-reload")
        self.done("install")
        self.assertEqual(self.do("status").split(" | ")[2], "enabled")

    def test_settings_that_stay_are_told_of(self):
        self.done("install")
        folder = pathlib.Path(f"{self.unit}.d")
        folder.mkdir()
        (folder / "z.conf").write_text("[Service]\nType=simple\n")
        systemctl("daemon-reload")
        found = self.do("doctor")
        self.assertIn(f"Type=notify: take another one out of {folder}/z.conf, then", found)
        self.assertIn(f"settings added in {folder} | there | left there",
                      self.done("uninstall")[-1])
        self.assertTrue(folder.exists())
        self.assertEqual(self.what("uninstall"), [])
        shutil.rmtree(folder)

    def test_a_unit_that_starts_another_program_is_found(self):
        self.done("install")
        found = self.do("doctor", program=Programs.path("unit_verbs"))
        self.assertIn("and not this program", found)
        self.assertEqual(self.do("doctor"), "")


if __name__ == "__main__":
    sys.exit(unit_manager.main())
