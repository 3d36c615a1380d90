#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the verbs make of services that systemd starts by itself, keeps things for, or waits for: a
real `systemd --user` in namespaces of its own."""
import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import unittest

SKIPPED = 77
RIG = pathlib.Path(__file__).resolve().parents[1] / "rigs" / "in-systemd"


class Programs:
    folder = pathlib.Path()


def systemctl(*words):
    return subprocess.run(["systemctl", "--user", *words], text=True, timeout=60, check=True,
                          stdout=subprocess.PIPE).stdout


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.name = re.sub("[^a-z]", "-", self.id().split(".test_")[1])
        self.units = pathlib.Path(os.environ["HOME"], ".config/systemd/user")
        self.home = pathlib.Path(os.environ["RUNTIME"], self.name)
        self.home.mkdir()
        self.addCleanup(self.tidy)

    def tidy(self):
        for unit in (f"{self.name}.socket", f"{self.name}.service"):
            subprocess.run(["systemctl", "--user", "stop", unit], timeout=60, check=False,
                           stderr=subprocess.DEVNULL)
        self.verb("uninstall")

    def verb(self, verb, *more, before=None):
        """Its exit code and all that it said."""
        done = subprocess.run([Programs.folder / "verb_subject", verb, "--name", self.name,
                               "--user", *more], text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, preexec_fn=before)
        return done.returncode, done.stdout

    def does(self, verb, *more, says):
        code, said = self.verb(verb, *more)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, says)

    def fails(self, verb, *more, says):
        code, said = self.verb(verb, *more)
        self.assertEqual(code, 1, said)
        self.assertRegex(said, says)

    def status(self):
        return json.loads(self.verb("status", "--json")[1])["status"]

    def setting(self, *lines):
        """Lines of [Service] that an administrator has added."""
        folder = pathlib.Path(os.environ["SYSTEMD_UNITS"], f"{self.name}.service.d")
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.addCleanup(folder.rmdir)
        self.addCleanup((folder / "test.conf").unlink)
        systemctl("daemon-reload")

    def client(self):
        """A client whom nobody has taken yet, of a socket that starts the service."""
        address = str(self.home / "socket")
        unit = pathlib.Path(os.environ["SYSTEMD_UNITS"], f"{self.name}.socket")
        unit.write_text(f"[Socket]\nListenStream={address}\n")
        self.addCleanup(unit.unlink)
        systemctl("daemon-reload")
        systemctl("start", unit.name)
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(address)
        self.does("start", says="running")
        return client


class Restart(Case):
    def test_restart_keeps_what_the_manager_stores(self):
        self.does("install", says="installed")
        told = self.home / "told"
        program = Programs.folder / "systemd_subject"
        self.setting("FileDescriptorStoreMax=4", f"StandardOutput=append:{told}", "ExecStart=",
                     f"ExecStart={program} kept=a keep=a,hello barrier ready term stopped=0,0")
        self.does("start", says="running")
        before = self.status()["pid"]
        self.does("restart", says=r": restarted, is running \(pid ")
        self.assertNotEqual(self.status()["pid"], before)
        self.assertIn("kept 'hello'\n", told.read_text())

    def test_restart_of_a_service_whose_clients_wait(self):
        self.does("install", says="installed")
        client = self.client()
        for _ in range(3):
            before = self.status()["pid"]
            self.does("restart", says=r": restarted, is running \(pid ")
            self.assertNotEqual(self.status()["pid"], before)
        client.setblocking(False)
        self.assertRaises(BlockingIOError, client.recv, 1)  # the socket was there all the time


class Owner(Case):
    def test_a_service_of_somebody_else_is_looked_at_and_not_touched(self):
        unit = pathlib.Path(os.environ["SYSTEMD_UNITS"], f"{self.name}.service")
        unit.write_text("[Service]\nExecStart=/bin/sleep 1000\n")
        systemctl("daemon-reload")
        systemctl("start", unit.name)
        try:
            for verb in ("start", "stop", "restart", "reload", "uninstall", "install"):
                self.fails(verb, says="take another --name")
            self.does("status", says=": running(.|\n)*not this program")
        finally:
            systemctl("stop", unit.name)
            unit.unlink()
            systemctl("daemon-reload")

    def test_what_runs_without_its_unit_file_is_stopped_by_uninstall(self):
        self.does("install", says="installed")
        self.does("start", says="running")
        (self.units / f"{self.name}.service").unlink()
        systemctl("daemon-reload")
        self.does("status", says=": running")
        self.does("uninstall", says=": uninstalled")
        self.does("uninstall", says=": is not installed")
        self.assertEqual(self.verb("status")[0], 4)


class Starter(Case):
    def test_a_starter_that_ignores_the_end_of_its_children(self):
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self.assertEqual(self.verb("status", before=ignore)[0], 4)
        self.assertIn(": installed", self.verb("install", before=ignore)[1])
        said = self.verb("doctor", before=ignore)[1]
        self.assertNotIn("systemctl show", said)
        self.assertIn("SIGCHLD", said)


class Stop(Case):
    def refused(self, verb):
        self.fails(verb, says=f"it has ended, but {self.name}.socket has started it again: it is "
                              f".*; next: systemctl --user stop {self.name}.socket, and then: "
                              f".*/verb_subject {verb} --name {self.name} --user\n")

    def test_stop_of_a_service_that_its_socket_starts_again(self):
        self.does("install", says="installed")
        self.client()
        self.refused("stop")
        systemctl("stop", f"{self.name}.socket")
        self.does("stop", says=": stopped")
        self.assertEqual(self.status()["state"], "stopped")

    def test_uninstall_of_a_service_that_its_socket_starts_again(self):
        self.does("install", says="installed")
        self.client()
        self.refused("uninstall")
        self.assertIn(self.status()["state"], ("running", "starting"))
        systemctl("stop", f"{self.name}.socket")
        self.does("uninstall", says=": uninstalled")
        self.assertEqual(self.verb("status")[0], 4)

    def test_what_is_about_to_be_restarted_is_stopped_and_removed(self):
        self.does("install", says="installed")
        self.setting("RestartSec=1h", "ExecStart=", "ExecStart=/bin/sh -c 'exit 3'")
        self.fails("start", says="it is failed")
        self.does("stop", says=": stopped")
        self.fails("restart", says=r"it is failed \(exit code 3\)")
        self.does("install", "--", "wait", "more", says=": updated")
        self.does("uninstall", says=": uninstalled")
        self.does("uninstall", says=": is not installed")
        self.assertEqual(self.verb("status")[0], 4)


class Reload(Case):
    def test_reload_is_over_when_the_service_says_so(self):
        self.does("install", says="installed")
        self.does("start", says="running")
        for _ in range(5):
            self.does("reload", says=": reloaded, is running")
        pid = self.status()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            self.fails("reload", "--timeout", "1", says="was told to reload, and has not said that "
                                                        "it has: still running")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.does("reload", says=": reloaded, is running")

    def test_reload_by_what_the_administrator_has_set(self):
        self.does("install", says="installed")
        seen = self.home / "seen"
        self.setting("ExecReload=", f"ExecReload=/bin/sh -c 'echo $MAINPID > {seen}'")
        self.does("start", says="running")
        self.does("reload", says=": reloaded, is running")
        self.assertEqual(seen.read_text(), f"{self.status()['pid']}\n")


class Upgrade(Case):
    def test_lines_that_are_only_added_are_a_change_of_the_unit(self):
        self.does("install", says="installed")
        unit = self.units / f"{self.name}.service"
        unit.write_text(unit.read_text().replace("RestartSec=1s\n", ""))
        said = self.verb("install", "--dry-run")[1]
        self.assertRegex(said, "  ~ unit file .*\n      - no line more\n      [+] RestartSec=1s\n")

    def test_each_line_of_a_unit_that_changes_has_a_line(self):
        self.does("install", "--", "wait", says="installed")
        unit = self.units / f"{self.name}.service"
        unit.write_text(unit.read_text().replace("RestartSec=1s", "RestartSec=7s"))
        self.does("start", says="running")
        said = self.verb("install", "--", "wait", "more")[1]
        self.assertIn("      - RestartSec=7s\n", said)
        self.assertIn(f"\nDescription=Verb subject ({self.name})\n", unit.read_text())
        self.assertIn(f"\nStateDirectory={self.name}\n", unit.read_text())
        self.assertRegex(said, "\n      [+] ExecStart=.*wait\"? \"?more\"?\n      [+] RestartSec=1s\n")
        self.assertIn(f"verb_subject restart --name {self.name} --user, for the running", said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    parser.add_argument("--inside", action="store_true")
    options, more = parser.parse_known_args()
    if not sys.platform.startswith("linux") or options.runner:
        return SKIPPED
    Programs.folder = options.exe_dir.resolve()
    if options.inside:
        return not unittest.main(argv=[__file__, *more], exit=False).result.wasSuccessful()
    return subprocess.run([str(RIG), "--timeout", "300", sys.executable, __file__, "--exe-dir",
                           str(Programs.folder), "--inside", *more], timeout=400).returncode


if __name__ == "__main__":
    sys.exit(main())
