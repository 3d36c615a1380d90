#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Some of the kept bugs are noticed by the tests, and what keeps them would say so if not.

Which ones is the same each time. All of them: tests/kept_bugs/run.py.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from house import ROOT

RUN = ROOT / "tests" / "kept_bugs" / "run.py"
EVERY = 6

HEADER = "in: curfew/stop/retry_budget.hpp\ntest: stop/retry_budget\n"
WORTHLESS = {  # and what is to be said of it
    "stop/harmless": (HEADER + "- /// For a first attempt.\n+ /// For the first attempt.\n",
                      "NOT NOTICED stop/harmless"),
    "stop/outdated": (HEADER + "- there is no such line\n+ and none of these\n",
                      "has its '-' lines 0 times"),
    "stop/ambiguous": (HEADER + "- }\n+ ;\n", "stop/ambiguous: curfew/stop/retry_budget.hpp has"),
    "stop/unsound": (HEADER + "case: there is no such test case\n- put(whole);\n+ put(1);\n",
                     "is not green without the bug"),
    "stop/broken": (HEADER + "- put(whole);\n+ put(;\n", "does not compile"),
    "stop/empty": (HEADER, "no lines to change"),
    "stop/mistyped": (HEADER + "read: hangs\n- put(whole);\n+ put(1);\n", "nobody understands"),
}


def run(*arguments):
    done = subprocess.run([sys.executable, RUN, *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def unseen():
    """What is wrong with a kept bug, and is not said."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, _) in WORTHLESS.items():
            path = pathlib.Path(folder, name + ".txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text("A bug that is none.\n\n" + text, encoding="utf-8")
        status, said = run("--folder", folder)
    if status == 0:
        yield f"worthless bugs are no failure:\n{said}"
    for name, (_, complaint) in WORTHLESS.items():
        if complaint not in said:
            yield f"of {name} it is not said: {complaint}\n{said}"


def main():
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    failures = list(unseen())
    status, said = run("--every", str(EVERY))
    print(said)
    if status != 0:
        failures.append("a kept bug is not as it should be")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
