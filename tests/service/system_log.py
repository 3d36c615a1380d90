#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What a real journal keeps of events: a systemd-journald of the test's own, in namespaces of its
own, read back by journalctl. Started without --inside it starts itself again under
tests/rigs/in-systemd."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

SKIPPED = 77
HANG = 60
HERE = pathlib.Path(__file__).resolve()


class Journal(unittest.TestCase):
    program = ""

    def read(self, *wanted, count):
        """What is written is there soon, and not at once."""
        limit = time.monotonic() + HANG
        while True:
            out = subprocess.run(["journalctl", "-o", "json", "--all", *wanted], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            entries = [json.loads(line) for line in out.splitlines()]
            if len(entries) >= count:
                self.assertEqual(len(entries), count)
                return entries
            self.assertLess(time.monotonic(), limit, f"{len(entries)} entries instead of {count}")
            time.sleep(0.05)

    def say(self, name):
        done = subprocess.run([self.program, "log", name], text=True, stdout=subprocess.PIPE,
                              timeout=HANG)
        self.assertEqual((done.returncode, done.stdout), (0, "open\n"))

    def test_every_kind_is_an_entry_with_fields(self):
        self.say("kinds")
        entries = self.read("SYSLOG_IDENTIFIER=kinds", count=16)
        self.assertEqual(entries[0]["CURFEW_EVENT"], "run began")
        self.assertEqual(entries[-1]["CURFEW_EVENT"], "control")
        self.assertEqual(len({entry["MESSAGE_ID"] for entry in entries}), 16)
        self.assertEqual(entries[6]["MESSAGE_ID"], "526b136828884df1a8fd568976c28b06")
        for entry in entries:
            self.assertEqual((entry["CODE_FILE"], entry["CODE_LINE"]), ("src/db.cpp", "42"))
            self.assertEqual(entry["CURFEW_PART"], "db-pool")
            self.assertEqual(entry["CURFEW_STEP"], "drain")
            self.assertEqual(entry["CURFEW_REASON"], "signal SIGTERM from pid 4711 (uid 1000)")
            self.assertEqual(entry["CURFEW_REASON_CAUSE"], "signal")
            self.assertEqual(entry["_COMM"], "event_subject")  # and not what it says of itself
        ended = entries[6]
        self.assertEqual(ended["CURFEW_EVENT"], "step ended")
        self.assertEqual((ended["CURFEW_OUTCOME"], ended["PRIORITY"]), ("late", "4"))

    def test_a_text_of_two_lines_stays_one(self):
        self.say("lines")
        for entry in self.read("SYSLOG_IDENTIFIER=lines", count=16):
            self.assertEqual(entry["CURFEW_TEXT"], "two\nlines")
            self.assertTrue(entry["MESSAGE"].endswith("two\nlines"))

    def test_entries_are_found_by_their_fields(self):
        self.say("fields")
        found = self.read("SYSLOG_IDENTIFIER=fields", "CURFEW_EVENT=abandoned", count=1)
        self.assertEqual(found[0]["PRIORITY"], "3")
        asked = self.read("SYSLOG_IDENTIFIER=fields", "CURFEW_VERB=stop", count=1)
        self.assertEqual(asked[0]["CURFEW_DECISION"], "deny")

    def test_a_whole_run_as_a_service(self):
        files = [os.path.join(os.environ["RUNTIME"], name) for name in ("audit", "trace")]
        run = subprocess.run(["systemd-run", "--user", "--unit=whole", "--property=Type=notify",
                              self.program, "run", *files, "whole"], timeout=HANG)
        self.assertEqual(run.returncode, 0)
        stop = subprocess.run(["systemctl", "--user", "stop", "whole"], timeout=HANG)
        self.assertEqual(stop.returncode, 0)
        ended = self.read("SYSLOG_IDENTIFIER=whole", "CURFEW_EVENT=run ended", count=1)[0]
        self.assertTrue(ended["MESSAGE"].endswith("exit code 0"), ended["MESSAGE"])
        steps = self.read("SYSLOG_IDENTIFIER=whole", "CURFEW_EVENT=step ended", "CURFEW_STEP=stop",
                          count=2)
        self.assertEqual([step["CURFEW_PART"] for step in steps], ["listener", "database"])
        self.assertTrue(steps[0]["CODE_FILE"].endswith("event_subject.cpp"))
        self.assertGreater(int(steps[0]["CODE_LINE"]), 0)
        stopping = self.read("SYSLOG_IDENTIFIER=whole", "CURFEW_EVENT=stopping", count=1)[0]
        self.assertEqual(stopping["CURFEW_REASON_CODE"], "15")
        self.assertEqual(stopping["_PID"], ended["_PID"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runner", nargs="*", default=[])
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    program = options.exe_dir.resolve() / "event_subject"
    if options.inside:
        Journal.program = str(program)
        unittest.main(argv=sys.argv[:1], verbosity=2)
    missing = not program.exists() or not shutil.which("journalctl")
    if options.runner or missing or not sys.platform.startswith("linux"):
        return SKIPPED
    rig = HERE.parents[1] / "rigs" / "in-systemd"
    return subprocess.run([str(rig), "--journal", "--timeout", "200", sys.executable, str(HERE),
                           "--inside", "--exe-dir", str(options.exe_dir)]).returncode


if __name__ == "__main__":
    sys.exit(main())
