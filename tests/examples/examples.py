#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The small examples, with what they have to say.

    examples.py --exe-dir DIR [--runner EMULATOR]

With --runner the programs are *.exe. Exit status: 0 all passed, 1 something failed,
77 there is nothing to run here.
"""

import argparse
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

HANG = 60.0

DEADLINE = """\
the near server: answered
the slow server: gave up: deadline
the request: goes on
the greedy one: has a minute as well
the next server: gave up: requested 7
"""

NESTED_CONTEXTS = """\
anna hangs up:
  a chat of both: requested 1
  anna's image: requested 1
  anna's page: requested 1
  anna: requested 1
ben works, the server works
the server stops:
  ben's query: requested 2
  ben: requested 2
  server: requested 2
the query had an hour, and is stopped all the same
who comes too late is stopped at once:
  late: requested 2
"""

TEST_YOUR_SHUTDOWN = """\
ok     the shop opens
ok     Ctrl-C: it waits for its customer
ok     the customer leaves, and it closes
ok     the shop opens
ok     a second Ctrl-C: it closes with a customer inside
ok     the shop opens
ok     systemd: closed with a customer inside after 19 s
"""

RESOURCE_ORDER = """\
open database
open listener
close listener
queue cut short
write journal
close database
listener: released
queue: late
journal: released
database: released
not all is well
"""

# What the members say of it goes to stderr.
TIME = r"\d+ (us|ms)|\d+\.\d s|\d+ s"
PREPARED = rf"prepare: yes after ({TIME})"
FLEET = rf"""-- payments are open: one says no, and all go on
nobody is stopped after ({TIME}) \(change [\d-]+\): orders: payments: 2 are open
  database +untouched
  orders +pid \d+ +refused +prepare: no after ({TIME}), payments: 2 are open
  web +pid \d+ +resumed +{PREPARED}; abort: yes after ({TIME})

-- none is open any more: all agree, and are stopped
stopped after ({TIME}) \(change [\d-]+\)
  database +pid \d+ +stopped +{PREPARED}; commit: yes after ({TIME})
  orders +pid \d+ +stopped +{PREPARED}; commit: yes after ({TIME})
  web +pid \d+ +stopped +{PREPARED}; commit: yes after ({TIME})

-- the database crashes as it is asked: the others go on
nobody is stopped after ({TIME}) \(change [\d-]+\): database: the connection was closed .*
  database +pid \d+ +died +prepare: gone after ({TIME}), the connection was closed .*
  orders +pid \d+ +resumed +{PREPARED}; abort: yes after ({TIME})
  web +pid \d+ +resumed +{PREPARED}; abort: yes after ({TIME})

the orders are up, the web site is up

-- the others alone
stopped after ({TIME}) \(change [\d-]+\)
  orders +pid \d+ +stopped +{PREPARED}; commit: yes after ({TIME})
  web +pid \d+ +stopped +{PREPARED}; commit: yes after ({TIME})

"""

WELCOME = "packing ten parcels, a second each; press Ctrl-C to stop\n"
STOPPED = r"stopped: signal SIGINT( from pid \d+( \(uid \d+\))?)?\n"


class Place:
    def __init__(self, exe_dir, runner):
        self.folder = pathlib.Path(exe_dir).resolve()
        self.runner = [shutil.which(runner)] if runner else []
        self.suffix = ".exe" if runner else ""
        self.term = signal.SIGINT if runner else signal.SIGTERM  # Wine knows none but the first

    def exe(self, name):
        return self.folder / (name + self.suffix)

    def start(self, name, *options, **more):
        return subprocess.Popen([*self.runner, str(self.exe(name)), *options], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **more)


def says(place, name, expected):
    program = place.start(name)
    output, _ = program.communicate(timeout=HANG)
    assert program.returncode == 0, program.returncode
    assert output == expected, output


def says_like(place, name, pattern):
    program = place.start(name)
    output, _ = program.communicate(timeout=HANG)
    assert program.returncode == 0, program.returncode
    assert re.fullmatch(pattern, output), output


def stops(place, signals, expected):
    """Each line that was said is followed by the next signal."""
    program = place.start("ctrl_c")
    output = ""
    for one in signals:
        output += program.stdout.readline()
        program.send_signal(one)
    output += program.stdout.read()
    code = program.wait(HANG)
    program.stdout.close()
    assert code == 0, code
    assert re.fullmatch(expected, output), output


def works_off(place, letters, signals, code, pattern):
    """A pool of three that is asked to stop when it has begun; what it says, also of who is late."""
    pool = place.start("worker_pool", str(letters), stderr=subprocess.STDOUT)
    output = pool.stdout.readline()
    for one in signals:
        pool.send_signal(one)
        time.sleep(0.2)  # well after what counts as the same press
    output += pool.stdout.read()
    ended = pool.wait(HANG)
    pool.stdout.close()
    assert ended == code, (ended, output)
    assert output.startswith(f"three carriers, {letters} letters; press Ctrl-C to stop\n"), output
    counts = re.search(r"^(\d+) delivered, (\d+) left$", output, re.MULTILINE)
    assert counts and int(counts[1]) + int(counts[2]) == letters, output
    assert re.search(pattern, output), output


def helps(place):
    for options, code in ((["--help"], 0), (["1", "2"], 2)):
        pool = place.start("worker_pool", *options)
        output, _ = pool.communicate(timeout=HANG)
        assert (pool.returncode, output) == (code, "usage: worker_pool [LETTERS]\n"), output


def serves(place):
    """As a service in the foreground, and as one that would be installed."""
    service = place.start("service")
    time.sleep(1.2)  # it starts in less, but is to stop at any time
    service.send_signal(signal.SIGINT)
    output, _ = service.communicate(timeout=HANG)
    assert (service.returncode, output) == (0, ""), (service.returncode, output)
    rendered = subprocess.run([*place.runner, str(place.exe("service")), "render"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=HANG,
                              check=True).stdout
    assert "post_office" in rendered and "terminationGracePeriodSeconds" in rendered, rendered


EXAMPLES = ("ctrl_c", "deadline", "fleet", "nested_contexts", "resource_order", "service",
            "test_your_shutdown", "worker_pool")

CASES = {
    "deadlines nest": lambda place: says(place, "deadline", DEADLINE),
    "contexts nest": lambda place: says(place, "nested_contexts", NESTED_CONTEXTS),
    "a program tests its own stop":
        lambda place: says(place, "test_your_shutdown", TEST_YOUR_SHUTDOWN),
    "a pool works off what is queued":
        lambda place: works_off(place, 12, [place.term], 0, r"\n12 delivered, 0 left\n"),
    "a pool that has too much to do leaves the rest, and that is no success":
        lambda place: works_off(place, 1000, [signal.SIGINT], 70, r"letters: late, 1(\.\d)? s of 1 s"),
    "a pool that is hurried leaves the rest":
        lambda place: works_off(place, 1000, [place.term, signal.SIGINT], 0, r"\n\d+ delivered"),
    "a pool says how to use it": helps,
    "resources go newest first": lambda place: says(place, "resource_order", RESOURCE_ORDER),
    "Ctrl-C is a stop with a reason":
        lambda place: stops(place, [signal.SIGINT], re.escape(WELCOME) + STOPPED + "tidied up\n"),
    "a second Ctrl-C is a wish to hurry":
        lambda place: stops(place, [signal.SIGINT, signal.SIGINT],
                            re.escape(WELCOME) + STOPPED + "(left as it is|tidied up)\n"),
    "three processes are stopped as one or go on as one":
        lambda place: says_like(place, "fleet", FLEET),
    "a service runs in the foreground and renders itself": serves,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    options = parser.parse_args()
    # A shell ignores SIGINT in what it runs in the background, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = Place(options.exe_dir, options.runner)
    needed = [place.exe(name) for name in EXAMPLES]
    if None in place.runner or not all(exe.exists() for exe in needed):
        print("skipped: the examples are not in", place.folder, "or there is no", options.runner)
        return 77
    failed = 0
    for title, run in CASES.items():
        try:
            run(place)
            print("passed:", title)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            failed += 1
            print("FAILED:", title, "-", repr(error))
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
