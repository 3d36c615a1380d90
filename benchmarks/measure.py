# SPDX-License-Identifier: BSL-1.0
"""How are the benchmarks run?

Every program in turn, and the whole set again in every round: what drifts slowly hits all alike.
"""
import json
import os
import pathlib
import platform
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from results import is_single, objection

INCLUDE = pathlib.Path(__file__).resolve().parents[1] / "include"
# WORK/PEER, and the headers whose cost it is.
INCLUDE_COSTS = {
    "stop_token/curfew": ("curfew/stop/stop_token.hpp",),
    "stop_token/bare": ("atomic", "chrono"),
    "stop_token/std": ("stop_token",),
    "curfew/curfew": ("curfew/curfew.hpp",),
    "curfew/std": ("stop_token",),
}


class Failure(Exception):
    """Why a program gave no figures; `log` is what it said."""

    def __init__(self, why, log=""):
        super().__init__(why)
        self.log = log


def programs(folder):
    """The programs to run: ours, then the peers in other languages."""
    suffix = ".exe" if os.name == "nt" else ""
    found = [*folder.glob(f"bench_*{suffix}"), *(folder / "peers").glob(f"peer_*{suffix}")]
    return sorted((path for path in found if path.is_file() and os.access(path, os.X_OK)),
                  key=lambda path: (is_peer(path), path.name))


def is_peer(program):
    return program.name.startswith("peer_")


def arguments(program, quick):
    flags = ["--benchmark_format=json"]
    if quick:
        flags.append("--quick" if is_peer(program) else "--benchmark_min_time=0.01")
    return [str(program), *flags]


def finish(child, timeout):
    """What it prints; if that takes too long, or we are stopped, it ends with all it started."""
    try:
        return child.communicate(timeout=timeout)
    except BaseException:
        end_group(child)
        raise


def end_group(child):
    """The group is the child's own: it was started as the leader of a session."""
    try:
        os.killpg(child.pid, signal.SIGKILL) if os.name == "posix" else child.kill()
    except ProcessLookupError:
        pass
    child.wait()


def output_of(command, timeout, quick=False):
    """Its standard output; Failure says why there is none that counts."""
    environment = {**os.environ, **({"CURFEW_BENCH_QUICK": "1"} if quick else {})}
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, env=environment, text=True,
                              errors="replace", start_new_session=True) as child:
            said, log = finish(child, timeout)
    except subprocess.TimeoutExpired:
        raise Failure(f"not done after {timeout:g} s") from None
    except OSError as error:
        raise Failure(f"does not start: {error.strerror}") from None
    if child.returncode < 0:
        raise Failure(f"ended by {signal.Signals(-child.returncode).name}", log)
    if child.returncode != 0:
        raise Failure(f"exit status {child.returncode}", log)
    return said, log


def parsed(said, log):
    """Context and entries of what a program printed."""
    try:
        document = json.loads(said)
        context, entries = document.get("context", {}), document["benchmarks"]
        singles = [entry for entry in entries if is_single(entry) and entry["name"].split()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Failure("what it prints is not the JSON of a benchmark", log + said[:2000]) from None
    if not singles:
        raise Failure("it measured nothing", log)
    return shareable(context), singles


def shareable(context):
    """A program's context without what names this machine or a place on it."""
    return {key: value for key, value in context.items()
            if key not in ("host_name", "executable", "caches")
            and not (isinstance(value, str) and ("/" in value or "\\" in value))}


def run_program(program, quick, timeout):
    """Each figure in a process of its own: what one leaves of the heap would tell in the next."""
    command = arguments(program, quick)
    if quick or is_peer(program):
        return parsed(*output_of(command, timeout, quick))
    names = output_of([str(program), "--benchmark_list_tests=true"], timeout)[0].split()
    only = [f"--benchmark_filter=^{re.escape(name)}$" for name in names]
    runs = [parsed(*output_of([*command, one], timeout)) for one in only]
    if not runs:
        raise Failure("it has no benchmarks")
    return runs[0][0], [entry for _, entries in runs for entry in entries]


# The cost of an #include, measured like a program.

def compiler():
    return shlex.split(os.environ.get("CXX", "c++")) or ["c++"]


def compile_with(headers, folder, *flags, timeout=120):
    source = pathlib.Path(folder, "include.cpp")
    source.write_text("".join(f"#include <{name}>\n" for name in headers), encoding="utf-8")
    return output_of([*compiler(), "-std=c++20", f"-I{INCLUDE}", *flags, str(source)], timeout)[0]


def lines_of(headers, folder):
    return compile_with(headers, folder, "-E", "-P").count("\n")


def milliseconds_of(headers, folder):
    start = time.perf_counter()
    compile_with(headers, folder, "-c", "-o", os.path.join(folder, "include.o"))
    return (time.perf_counter() - start) * 1e3


def include_cost(quick):
    """Preprocessed lines, and the median of several compilations that take turns."""
    times = {name: [] for name in INCLUDE_COSTS}
    entries = []
    with tempfile.TemporaryDirectory() as folder:
        for name, headers in INCLUDE_COSTS.items():
            entries.append({"name": f"include_lines_{name}", "time_unit": "ns",
                            "real_time": lines_of(headers, folder)})
        for _ in range(1 if quick else 5):
            for name, headers in INCLUDE_COSTS.items():
                times[name].append(milliseconds_of(headers, folder))
    entries += [{"name": f"include_ms_{name}", "time_unit": "ms",
                 "real_time": statistics.median(values)} for name, values in times.items()]
    return {}, entries


# The machine, without its name.

def cpu_model():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def compiler_version():
    try:
        return output_of([*compiler(), "--version"], 60)[0].splitlines()[0].strip()
    except (Failure, IndexError):
        return "unknown"


def library_version():
    """Of the standard library whose stop tokens stand beside ours."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            macros = compile_with(("version",), folder, "-E", "-dM")
    except Failure:
        return "unknown"
    known = (("libstdc++", r"_GLIBCXX_RELEASE (\d+)"), ("libc++", r"_LIBCPP_VERSION (\d+?)0*\d\d$"))
    for name, pattern in known:
        if found := re.search(f"#define {pattern}", macros, re.MULTILINE):
            return f"{name} {found[1]}"
    return "unknown"


def load():
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def machine():
    release = re.match(r"[0-9.]*[0-9]", platform.release())  # what follows may name the machine
    return {"date": time.strftime("%Y-%m-%d"), "cpu": cpu_model(), "cores": os.cpu_count(),
            "kernel": f"{platform.system()} {release[0] if release else ''}".strip(),
            "compiler": compiler_version(),
            "library": library_version(), "load_at_start": load()}


# The rounds.

def tell(text):
    print(text, file=sys.stderr, flush=True)


class Session:
    """Runs all jobs in all rounds and keeps everything in `raw`."""

    def __init__(self, rounds, quick, timeout, log):
        self.quick, self.timeout, self.log = quick, timeout, log
        self.raw = {"context": machine(), "rounds": rounds, "quick": quick, "runs": [],
                    "failures": []}

    def jobs(self, folder, only):
        """Name and function of everything that is run in a round."""
        named = [(path.name, lambda path=path: run_program(path, self.quick, self.timeout))
                 for path in programs(folder)]
        named.append(("include", lambda: include_cost(self.quick)))
        return [(name, job) for name, job in named if re.search(only, name)]

    def run(self, jobs, after_round):
        for number in range(1, self.raw["rounds"] + 1):
            for name, job in jobs:
                self.run_one(number, name, job)
            self.raw["context"]["load_at_end"] = load()
            after_round(self.raw)

    def run_one(self, number, name, job):
        start = time.monotonic()
        try:
            context, entries = job()
        except Failure as failure:
            self.fail(number, name, str(failure), failure.log)
            return
        for why in filter(None, map(objection, entries)):
            self.fail(number, name, why)
        self.raw["runs"].append({"program": name, "round": number, "context": context,
                                 "benchmarks": entries})
        seconds = time.monotonic() - start
        tell(f"{self.head(number, name)} {seconds:6.1f} s  {len(entries)} figures")

    def head(self, number, name):
        return f"round {number}/{self.raw['rounds']}  {name:<22}"

    def fail(self, number, name, why, log=""):
        self.raw["failures"].append({"program": name, "round": number, "why": why})
        tell(f"{self.head(number, name)} FAILED: {why}")
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(f"== {name}, round {number}: {why}\n{log}\n")
