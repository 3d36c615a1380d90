#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The files that events are written to, as whoever reads them finds them: after several processes
have appended to one at once, after a process was killed, on a full disk, and after a whole run."""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HANG = 120
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"


class Files(unittest.TestCase):
    command = []
    windows = False
    wine = False

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "events"

    def path(self, file):
        return "Z:" + str(file).replace("/", "\\") if self.wine else str(file)

    def start(self, *words, before=()):
        environment = dict(os.environ)
        if before:  # who is traced cannot trace himself for leaks
            environment["ASAN_OPTIONS"] = "detect_leaks=0:" + environment.get("ASAN_OPTIONS", "")
        process = subprocess.Popen([*before, *self.command, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env=environment)
        for close in (process.stdout.close, process.stdin.close):
            self.addCleanup(close)
        self.addCleanup(process.wait, HANG)
        self.addCleanup(process.kill)
        return process

    def said(self, process):
        return process.stdout.readline().rstrip("\r\n")

    def audit(self, file, name, count, sync="never", before=()):
        process = self.start("audit", self.path(file), name, str(count), sync, before=before)
        self.assertEqual(self.said(process), "open")
        return process

    def go(self, process):
        process.stdin.write("\n")
        process.stdin.flush()

    def ends(self, process, code=0, said="lost 0"):
        self.assertEqual((self.said(process), process.wait(HANG)), (said, code))

    def lines(self, file=None):
        raw = (file or self.file).read_bytes()
        self.assertTrue(raw.endswith(b"\n"))
        return [json.loads(line) for line in raw.decode("utf-8").splitlines()]

    # ---- audit

    def test_several_processes_append_to_one_file(self):
        if self.wine:
            self.skipTest("Wine looks for the end of the file first, and then writes")
        count = 400
        writers = {name: self.audit(self.file, name, count) for name in ("a", "b", "c")}
        for process in writers.values():
            self.go(process)
        for process in writers.values():
            self.ends(process)
        lines = self.lines()
        self.assertEqual(len(lines), 3 * count)
        for name in writers:
            mine = [line for line in lines if line["service"] == name]
            self.assertEqual([line["change"] for line in mine], [str(i) for i in range(count)])
            self.assertEqual(len({line["pid"] for line in mine}), 1)
        for line in lines:
            self.assertRegex(line["time"], TIME)
            self.assertEqual(line["decision"], "deny")

    def test_a_full_disk_is_told(self):
        if not os.path.exists("/dev/full") or self.windows:
            self.skipTest("there is no /dev/full")
        process = self.audit("/dev/full", "a", 5)
        self.go(process)
        self.ends(process, 1, "lost 5")

    def test_a_file_that_may_only_be_read(self):
        if self.wine:
            self.skipTest("to Wine root may write everywhere")
        self.file.write_text("before\n")
        self.file.chmod(0o400)
        before = []
        if not self.windows and os.geteuid() == 0:
            if not (before := shutil.which("setpriv")):
                self.skipTest("root may write everywhere, and there is no setpriv")
            self.folder.chmod(0o755)
            before = [before, "--reuid=65534", "--clear-groups"]
            if subprocess.run([*before, *self.command]).returncode != 64:
                self.skipTest("others than root may not run the program")
        process = self.start("audit", self.path(self.file), "a", "3", "each_line", before=before)
        self.assertEqual(self.said(process), "error")
        self.go(process)
        self.ends(process, 1, "lost 3")
        self.assertEqual(self.file.read_text(), "before\n")

    def syncs(self, sync):
        """How often lines were forced to the disk, and how many calls wrote them."""
        trace = self.folder / "calls"
        strace = shutil.which("strace")
        if not strace or self.windows:
            self.skipTest("there is no strace")
        before = [strace, "-f", "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
        if subprocess.run([*before, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("strace may not trace")
        process = self.audit(self.file, "a", 5, sync, before)
        self.go(process)
        self.ends(process)
        calls = trace.read_text()
        mine = re.escape(str(self.file))
        self.assertEqual(len(re.findall(rf"write\(\d+<{mine}>", calls)), 5)
        folder = re.findall(rf"fsync\(\d+<{re.escape(str(self.folder))}>\)", calls)
        return len(re.findall(rf"fsync\(\d+<{mine}>", calls)), len(folder)

    def test_lines_are_never_forced_to_the_disk(self):
        self.assertEqual(self.syncs("never"), (0, 0))

    def test_lines_are_forced_to_the_disk_by_a_flush(self):
        self.assertEqual(self.syncs("at_flush"), (1, 1))

    def test_each_line_is_forced_to_the_disk(self):
        self.assertEqual(self.syncs("each_line"), (5, 1))

    # ---- trace

    def load(self, text):
        """As chrome://tracing does: a last comma and a missing bracket are no matter."""
        text = re.sub(r"\s*,\s*$", "", text)
        return json.loads(text if text.endswith("]") else text + "]")

    def test_the_trace_of_a_killed_process_loads(self):
        for _ in range(10):
            process = self.start("trace", self.path(self.file))
            self.assertEqual(self.said(process), "inside")
            time.sleep(random.random() / 50)  # any instant will do
            process.kill()
            process.wait(HANG)
            events = self.load(self.file.read_text("utf-8"))
            self.assertGreaterEqual(len(events), 100)
            names = [e["args"]["name"] for e in events if e.get("name") == "thread_name"]
            self.assertEqual(names, ["the run", "database", "listener"])

    # ---- a whole run

    def whole_run(self, audit, trace, until=None):
        process = self.start("run", str(audit), str(trace), "subject")
        self.assertEqual(self.said(process), "up")
        limit = time.monotonic() + HANG
        while until and until not in audit.read_text("utf-8"):
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(HANG), 0)
        return process

    def test_a_whole_run(self):
        if self.windows:
            self.skipTest("there is no SIGTERM")
        trace = self.folder / "trace"
        process = self.whole_run(self.file, trace, '"event":"ready"')
        lines = self.lines()
        whole = [line["event"] for line in lines if "part" not in line]
        self.assertEqual([event for event in whole if event != "escalated"],
                         ["run began", "ready", "stopping", "run ended"])
        stop = next(line for line in lines if line["event"] == "stopping")
        self.assertEqual(stop["actor"], {"pid": os.getpid(), "uid": os.getuid()})
        self.assertEqual((stop["reason"]["cause"], stop["reason"]["code"]), ("signal", 15))
        self.assertEqual({line["pid"] for line in lines}, {process.pid})
        ended = [(line["part"], line["outcome"]) for line in lines
                 if line["event"] == "step ended" and line["step"] == "stop"]
        self.assertEqual(ended, [("listener", "done"), ("database", "done")])
        self.assertEqual(lines[-1]["event"], "run ended")
        self.assertTrue(lines[-1]["text"].endswith("exit code 0"))
        place = next(line["place"] for line in lines if line.get("part") == "database")
        self.assertRegex(place, r"event_subject\.cpp:\d+$")
        self.assertEqual([line["time"] for line in lines], sorted(line["time"] for line in lines))
        slices = [event["name"] for event in json.loads(trace.read_text("utf-8"))  # it is ended
                  if event["ph"] == "B"]
        self.assertEqual([name for name in slices if name not in ("start", "drain", "stop")],
                         ["starting", "running", "stopping"])
        self.assertEqual(slices.count("stop"), 2)

    def test_a_run_goes_on_where_nothing_can_be_written(self):
        if self.windows:
            self.skipTest("there is no SIGTERM")
        self.whole_run(self.folder, self.folder / "none" / "trace")
        if os.path.exists("/dev/full"):
            self.whole_run("/dev/full", "/dev/full")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner", nargs="+", default=[])
    options = parser.parse_args()
    program = os.path.abspath(os.path.join(options.exe_dir, "event_subject"))
    Files.windows = os.path.exists(program + ".exe")
    Files.wine = Files.windows and os.name != "nt"
    Files.command = [*options.runner, program + ".exe" if Files.windows else program]
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
