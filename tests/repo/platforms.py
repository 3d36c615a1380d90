#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What is said about platforms is so: README.md has the table of tests/matrix, and the workflow of
the public forge uses what there is: our presets, and actions by their major version.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
MATRIX = ROOT / "tests/matrix"
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def said_by_matrix(*words):
    return subprocess.run([sys.executable, MATRIX, *words], check=True, capture_output=True,
                          text=True).stdout


def check_table(readme):
    if said_by_matrix("--table") not in readme:
        yield "README.md does not have the table that `tests/matrix --table` prints"


def presets():
    """The workflows that CMakePresets.json has."""
    text = (ROOT / "CMakePresets.json").read_text(encoding="utf-8")
    return {preset["name"] for preset in json.loads(text)["workflowPresets"]}


def expanded(job, text):
    """`text` with each value that the job's matrix has for what stands in it."""
    name = re.search(r"\$\{\{ matrix\.(\w+) \}\}", text)
    if name is None:
        return [text]
    matrix = job["strategy"]["matrix"]
    values = matrix.get(name[1], []) + [row[name[1]] for row in matrix.get("include", [])]
    return [text.replace(name[0], value) for value in values]


def check_job(name, job):
    if "timeout-minutes" not in job or "runs-on" not in job:
        yield f"ci.yml: job {name} has no machine, or no end"
    for step in job["steps"]:
        if unknown := step.keys() - {"uses", "run"}:
            yield f"ci.yml: job {name}: a step has {', '.join(sorted(unknown))}"
        if not re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/checkout@v4")):
            yield f"ci.yml: job {name} uses {step['uses']}: not an action by its major version"
        for command in expanded(job, step.get("run", "")):
            for preset in re.findall(r"--preset (\S+)", command):
                if preset not in presets():
                    yield f"ci.yml: job {name}: there is no workflow preset {preset}"
            for script in re.findall(r"(?<!\S)tests/\S+", command):
                if not (ROOT / script).is_file():
                    yield f"ci.yml: job {name}: there is no {script}"


def check_workflow(text):
    try:
        jobs = yaml.safe_load(text)["jobs"]
        for name, job in jobs.items():
            yield from check_job(name, job)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"ci.yml: is no workflow: {error!r}"


def breaches():
    """Texts that must be objected to."""
    yield check_table, README.replace("| g++ 11,", "| g++ 10,", 1)
    if yaml:
        yield check_workflow, WORKFLOW.replace("preset: tsan", "preset: other", 1)
        yield check_workflow, WORKFLOW.replace("--preset default", "--preset other", 1)
        yield check_workflow, WORKFLOW.replace("checkout@v4", "checkout@main", 1)
        yield check_workflow, WORKFLOW.replace("tests/matrix", "tests/other", 1)
        yield check_workflow, WORKFLOW.replace("timeout-minutes: 60", "", 1)
        yield check_workflow, WORKFLOW.replace("jobs:", "jobs: [", 1)


def main():
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    failures = [f"{check.__name__} does not see a breach" for check, text in breaches()
                if not list(check(text))]
    failures += check_table(README)
    if yaml:
        failures += check_workflow(WORKFLOW)
    print("\n".join(failures) or "what is said about platforms is so")
    if not failures and yaml is None:
        print("skipped: without YAML the workflow is not read")
        return 77
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
