#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Units of the system's manager: a real one, as process 1 of namespaces of its own.

What lies on the disk cannot be changed by it: every file system is mounted read-only there, with
empty folders over what services write to. And it does not boot: a unit wants sysinit.target, whose
own units would empty /tmp and more, so the targets on the way there are replaced.
Services have an account of their own, and see their executable wherever it lies.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
MANAGERS = [pathlib.Path(p) for p in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")]

# A cgroup of its own, so that the manager's never mix with the machine's.
OWN_CGROUP = r"""
set -eu
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/curfew.$$
echo $$ >/sys/fs/cgroup/curfew.$$/cgroup.procs
trap 'echo $$ >/sys/fs/cgroup/cgroup.procs
  find /sys/fs/cgroup/curfew.$$ -depth -type d -exec rmdir {} \; 2>/dev/null' EXIT
timeout --kill-after=1 150 unshare --mount --pid --cgroup --uts --ipc --fork --kill-child=KILL \
  --mount-proc --propagation private bash -c "$SEALED" sealed "$@"
"""

# $1: the folder of results, in which the programs and this file are; $2: the manager
SEALED = r"""
set -eu -o pipefail
mount -t tmpfs -o mode=755 none /run
mkdir /run/results /run/systemd /run/systemd/system
mount --bind "$1" /run/results
mount --bind /proc/sys /proc/sys
findmnt --raw --noheadings --output TARGET | while read -r target; do
  case $target in
    /proc/sys | /sys) ;;
    /run | /run/* | /proc | /proc/* | /sys/* | /dev | /dev/*) continue ;;
  esac
  mount -o remount,bind,ro "$(printf %b "$target")" || exit 77
done
for folder in / /etc /usr /var /tmp /home /root /proc/sys/kernel; do
  if touch $folder/curfew.probe 2>/dev/null; then exit 77; fi
done
mount -t tmpfs -o mode=755 none /opt
mkdir /opt/curfew
cp /run/results/unit_* /opt/curfew/
for folder in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 none $folder; done
for folder in /home /srv /var/lib /var/log /var/cache /etc/systemd/system; do
  mount -t tmpfs -o mode=755 none $folder
done
mount -t tmpfs -o mode=700 none /root
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
for unit in sysinit basic shutdown multi-user network-online; do
  printf '[Unit]\nDefaultDependencies=no\n' >/etc/systemd/system/$unit.target
done
cat >/run/systemd/system/trial.target <<X
[Unit]
DefaultDependencies=no
Wants=trial.service
X
cat >/run/systemd/system/trial.service <<X
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=140
ExecStart=-/usr/bin/python3 /opt/curfew/unit_system.py --inside
ExecStart=/bin/systemctl exit 0 --force
StandardOutput=file:/run/results/output
StandardError=inherit
X
export container=curfew
exec "$2" --system --unit=trial.target --log-target=null </dev/null >/dev/null 2>&1
"""


def sealed(programs, results):
    """Runs this file inside; true when it got so far as to say how it ended."""
    manager = next((m for m in MANAGERS if m.exists()), None)
    tools = ("/usr/bin/python3", shutil.which("unshare"), manager)
    if os.geteuid() != 0 or not all(t and os.path.exists(t) for t in tools):
        return False
    for file in (programs / "unit_service", programs / "unit_verbs", __file__):
        shutil.copy(file, results)
    subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", OWN_CGROUP,
                    "own-cgroup", results, str(manager)],
                   env={**os.environ, "SEALED": SEALED}, stdin=subprocess.DEVNULL, check=False)
    return pathlib.Path(results, "code").exists()


def verbs(*words):
    return subprocess.run(["/opt/curfew/unit_verbs", *words], text=True, timeout=60,
                          stdout=subprocess.PIPE, check=False).stdout


def put(folder, mode=0o755):
    """The service's program in a folder of that name, which is made with the mode."""
    folder = pathlib.Path(folder)
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    shutil.copy("/opt/curfew/unit_service", folder / "unit_service")
    return str(folder / "unit_service")


class System(unittest.TestCase):
    maxDiff = None

    def runs(self, name, program, *settings, arguments=()):
        """Installs, starts and stops it; returns what it saw."""
        said = verbs("install", f"name={name}", f"exe={program}", *settings, "--", *arguments)
        self.assertTrue(said.endswith("done\n"), said)
        subprocess.run(["systemctl", "start", name], timeout=60, check=False)
        status = verbs("status", f"name={name}")
        found = verbs("doctor", f"name={name}")
        self.assertEqual(verbs("stop", f"name={name}"), "done\n")
        subprocess.run(["systemctl", "stop", name], timeout=60, check=False)
        self.assertTrue(verbs("uninstall", f"name={name}").endswith("done\n"))
        self.assertEqual(verbs("uninstall", f"name={name}"), "done\n")
        self.assertEqual(verbs("status", f"name={name}").split(" |")[0], "not installed")
        self.assertEqual(status, "running | 0 | enabled | at work\n")
        states = [pathlib.Path("/var/lib", p, name) for p in ("private", ".")]
        saw = next(s / "surroundings" for s in states if s.exists()).read_text()
        return dict(line.rsplit(" ", 1) for line in saw.splitlines()), found

    def test_a_service_has_an_account_of_its_own_and_no_rights(self):
        saw, found = self.runs("plain", put("/opt/plain"))
        self.assertGreater(int(saw["uid"]), 60000)
        self.assertEqual((saw["sees home"], saw["writes etc"], saw["works in"]), ("1", "0", "/"))
        self.assertEqual(found, "")

    def test_a_service_sees_its_program_wherever_it_lies(self):
        for number, folder in enumerate((
                "/tmp", "/tmp/one", "/var/tmp/two", "/home/ann", "/home/ann/app", "/root",
                "/root/app", "/run/user/7/app", "/home/ann/deep/bin", "/srv/a b$c%d", "/tmp/a:b 'c' %h/d")):
            with self.subTest(folder):
                if "'" in folder:  # a link, as systemd starts no program with a quote in its path
                    target, program = put(folder), "/opt/linked"
                    os.symlink(target, program)
                else:
                    program = put(folder)
                _, found = self.runs(f"lies{number}", program)
                self.assertNotIn("hides", found)

    def test_declared_paths_are_writable_and_worked_in(self):
        for number, folder in enumerate(("/srv/data one", "/tmp/data:two", "/home/data")):
            with self.subTest(folder):
                pathlib.Path(folder).mkdir()
                os.chmod(folder, 0o777)
                saw, _ = self.runs(f"writes{number}", put("/opt/writes"), f"writable={folder}",
                                   f"folder={folder}", arguments=[f"--write={folder}/file"])
                self.assertIn(folder, " ".join(f"{k} {v}" for k, v in saw.items()))
                self.assertEqual(pathlib.Path(folder, "file").read_text(), "written\n")

    def test_what_is_written_to_a_shared_folder_is_there_for_all(self):
        for number, path in enumerate(("/tmp", "/var/tmp/")):
            self.runs(f"shares{number}", put("/opt/shares"), f"writable={path}",
                      arguments=[f"--write={path}/shared"])
            self.assertEqual(pathlib.Path(path, "shared").read_text(), "written\n")

    def test_paths_that_the_account_cannot_write_to_are_refused(self):
        folder, program = pathlib.Path("/srv/closed data"), put("/opt/closed")
        folder.mkdir(mode=0o755)

        def refused(*account):
            said = verbs("install", "name=writer", f"exe={program}", f"writable={folder}/", *account)
            self.assertEqual(verbs("status", "name=writer").split(" |")[0], "not installed")
            return said
        self.assertRegex(refused(), "^refused 1 the service's own account cannot write to "
                                    "/srv/closed data because .*: chmod o\\+w it, declare")
        self.assertRegex(refused("account=nobody"), "^refused 1 nobody cannot write to /srv/closed ")
        os.chown(folder, 65534, 65534)
        for account in ("nobody", "65534", "root"):
            said = verbs("plan-install", "name=writer", f"exe={program}", f"writable={folder}",
                         f"account={account}")
            self.assertRegex(said, "^unit file ")
        self.runs("writer", program, "account=nobody", f"writable={folder}",
                  arguments=[f"--write={folder}/file"])
        self.assertTrue(verbs("install", "name=writes", f"exe={program}").endswith("done\n"))
        self.assertIn("cannot write", verbs("doctor", "name=writes", f"writable={folder}"))
        verbs("uninstall", "name=writes")

    def test_the_data_of_others_are_not_taken(self):
        data, program = pathlib.Path("/var/lib/theirdata"), put("/opt/taker")
        data.mkdir(mode=0o700)
        os.chown(data, 27, 27)
        words = ("name=theirdata", f"exe={program}")
        self.assertRegex(verbs("install", *words), "^refused 1 there is a /var/lib/theirdata already")
        self.assertRegex(verbs("install", *words, "account=nobody"), "if it is, chown nobody and")
        self.assertRegex(verbs("plan-install", *words, "account=27"), "^unit file ")
        self.assertEqual((data.stat().st_uid, data.is_symlink()), (27, False))

    def test_a_service_finds_its_own_data_again(self):
        for account in ([], ["account=nobody"]):
            for _ in range(2):
                self.runs(f"again{len(account)}", put("/opt/again"), *account)

    def test_the_rights_of_an_account_are_not_taken(self):
        program = put("/opt/thief")
        for name in ("root", "daemon"):
            self.assertRegex(verbs("install", f"name={name}", f"exe={program}"),
                             f"^refused 1 there is an account {name} already")
        self.assertRegex(verbs("install", "name=shadow", f"exe={program}"),
                         "^refused 1 there is a group shadow already")
        self.assertRegex(verbs("plan-install", "name=daemon", f"exe={program}", "account=daemon"),
                         "^unit file ")

    def test_an_account_of_its_own_is_no_obstacle_while_it_runs(self):
        words = ("name=alive", f"exe={put('/opt/alive')}")
        self.assertTrue(verbs("install", *words).endswith("done\n"))
        subprocess.run(["systemctl", "start", "alive"], timeout=60, check=False)
        self.assertEqual(verbs("install", *words), "done\n")
        subprocess.run(["systemctl", "stop", "alive"], timeout=60, check=False)
        self.assertTrue(verbs("uninstall", *words).endswith("done\n"))

    def test_without_a_bus_only_root_can_ask(self):
        os.chmod("/opt/curfew/unit_verbs", 0o755)
        said = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "/opt/curfew/unit_verbs", "status",
             "name=mine"], text=True, stdout=subprocess.PIPE, timeout=60, check=False).stdout
        self.assertRegex(said, "^refused 2 needs root: this system has no D-Bus")

    def test_a_named_account_is_taken(self):
        saw, _ = self.runs("named", put("/opt/named"), "account=nobody")
        self.assertEqual(saw["uid"], "65534")

    def test_root_is_taken_when_it_is_asked_for(self):
        saw, _ = self.runs("rooted", put("/opt/rooted"), "account=root")
        self.assertEqual((saw["uid"], saw["writes etc"]), ("0", "0"))

    def test_a_program_that_its_account_cannot_reach_is_refused(self):
        program = put("/srv/closed/app")
        os.chmod("/srv/closed", 0o700)
        said = verbs("install", "name=closed", f"exe={program}")
        self.assertRegex(said, "^refused 1 .*own account cannot get at .*rights of /srv/closed: ")
        self.assertEqual(verbs("status", "name=closed").split(" |")[0], "not installed")

    def test_whoever_is_not_root_is_told_so_before_anything_is_changed(self):
        os.chmod("/opt/curfew/unit_verbs", 0o755)
        for verb in ("install", "uninstall", "start", "stop", "reload"):
            said = subprocess.run(
                ["setpriv", "--reuid=65534", "--clear-groups", "/opt/curfew/unit_verbs", verb,
                 "name=mine", "exe=/opt/curfew/unit_service"],
                text=True, stdout=subprocess.PIPE, timeout=60, check=False).stdout
            self.assertRegex(said, "^refused 2 needs root: .*--user")

    def test_a_unit_of_the_distribution_is_left_alone(self):
        unit = pathlib.Path("/run/systemd/system/theirs.service")
        unit.write_text("[Service]\nExecStart=/bin/true\n")
        said = verbs("install", "name=theirs", f"exe={put('/opt/theirs')}")
        self.assertRegex(said, f"^refused 1 there is a unit of that name already, {unit}, ")
        self.assertRegex(verbs("uninstall", "name=theirs"), "^refused 1 ")
        self.assertTrue(unit.exists())


def inside():
    unittest.installHandler()
    os.umask(0o022)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(System)
    good = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite).wasSuccessful()
    pathlib.Path("/run/results/code").write_text("0" if good else "1")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path)
    parser.add_argument("--runner", nargs="*", default=[])
    parser.add_argument("--inside", action="store_true")
    args = parser.parse_args()
    if args.inside:
        return inside()
    if args.runner or not (args.exe_dir / "unit_verbs").exists():
        return SKIPPED
    with tempfile.TemporaryDirectory() as results:
        if not sealed(args.exe_dir.resolve(), results):
            return SKIPPED
        print(pathlib.Path(results, "output").read_text())
        return int(pathlib.Path(results, "code").read_text())


if __name__ == "__main__":
    sys.exit(main())
