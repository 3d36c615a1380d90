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

    def exe(self, name):
        return self.folder / (name + self.suffix)

    def start(self, name):
        return subprocess.Popen([*self.runner, str(self.exe(name))], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


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


CASES = {
    "deadlines nest": lambda place: says(place, "deadline", DEADLINE),
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
    needed = [place.exe(name)
              for name in ("ctrl_c", "deadline", "fleet", "resource_order", "service")]
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
