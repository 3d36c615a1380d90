# SPDX-License-Identifier: BSL-1.0
"""What do the figures of several rounds say together?

A raw file is {"context", "rounds", "quick", "runs", "failures"}; a run is what one program printed
in one round, in the shape of Google Benchmark's JSON. From it comes one figure per WORK and PEER.
"""
import re
import statistics

WORD = re.compile(r"[A-Za-z0-9_]+")
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
COUNTERS = ("p50", "p99", "max", "bytes", "allocations", "early")
WORST = {"early", "max"}  # of these the worst round counts, not the middle one


def work_and_peer(name):
    """The two parts of a benchmark's name, without what Google Benchmark appends; or None."""
    parts = name.split("/")
    while parts and (parts[-1] in ("real_time", "manual_time", "process_time") or ":" in parts[-1]):
        parts.pop()
    named = len(parts) == 2 and all(WORD.fullmatch(part) for part in parts)
    return (parts[0], parts[1]) if named else None


def objection(entry):
    """What is wrong with one entry of "benchmarks"; empty if it is a figure."""
    name = entry.get("name", "")
    if entry.get("error_occurred"):
        return f"{name}: {entry.get('error_message', 'an error')}"
    if work_and_peer(name) is None:
        return f"{name!r} is not called WORK/PEER"
    try:
        return "" if typical(entry) > 0 else f"{name} has no time above 0"
    except (KeyError, TypeError, ValueError) as error:
        return f"{name} has no time: {error!r}"


def is_single(entry):
    """A measurement, not Google Benchmark's own mean or deviation of several."""
    return entry.get("run_type", "iteration") == "iteration"


def typical(entry):
    """Nanoseconds of one unit of the work; of a latency, which has percentiles, the median."""
    if "p50" in entry:
        return float(entry["p50"])
    return entry["real_time"] * NANOSECONDS[entry.get("time_unit", "ns")]


class Figure:
    """All that was measured of one work and peer: a sample a round, and its counters."""

    def __init__(self):
        self.samples = []
        self.counters = {}

    def add(self, entries):
        """One round's entries; repetitions within a program become one sample."""
        self.samples.append(statistics.median(typical(entry) for entry in entries))
        for name in COUNTERS:
            if values := [entry[name] for entry in entries if name in entry]:
                self.counters.setdefault(name, []).append(middle_or_worst(name, values))

    @property
    def median(self):
        return statistics.median(self.samples)

    @property
    def low(self):
        return min(self.samples)

    @property
    def high(self):
        return max(self.samples)

    def counter(self, name):
        """The counter over all rounds, or None."""
        values = self.counters.get(name)
        return middle_or_worst(name, values) if values else None


def middle_or_worst(name, values):
    return max(values) if name in WORST else statistics.median(values)


def merged(raw):
    """{(WORK, PEER): Figure} of a raw file."""
    figures = {}
    for run in raw["runs"]:
        of_this_run = {}
        for entry in run["benchmarks"]:
            if is_single(entry) and not objection(entry):
                of_this_run.setdefault(work_and_peer(entry["name"]), []).append(entry)
        for key, entries in of_this_run.items():
            figures.setdefault(key, Figure()).add(entries)
    return figures


def works_of(figures):
    """{WORK: {PEER: Figure}}, in the order in which they were measured."""
    works = {}
    for (work, peer), figure in figures.items():
        works.setdefault(work, {})[peer] = figure
    return works


# What the report calls things, and in which order they stand.

OURS = ("curfew", "curfew_inplace", "curfew_report")
FLOORS = ("bare", "futex", "self_pipe", "sigwait")  # what the machine allows without a library
PEERS = (*OURS, "std", "function_vector", "asio", "go", "tokio", "tokio_timer", *FLOORS)

# A group is a chart and a part of the table: title, what a figure of it is, how its works begin.
GROUPS = (
    ("poll", "Poll", "asking a token whether it is stopped", r"poll"),
    ("create", "Create", "create and destroy a source; copy and destroy a token",
     r"create|token_copy"),
    ("callback", "Callback", "register and deregister", r"callback"),
    ("stop", "Stop", "a call of request_stop, per callback", r"stop_\d+_callback"),
    ("child", "Children", "create and destroy a child; stop a tree, per child or level",
     r"child|stop_\d+_child|stop_chain"),
    ("deadline", "Deadlines", "create with a deadline, destroy before it", r"deadline|clock"),
    ("lateness", "Lateness", "from a deadline to the code that runs because of it", r"lateness"),
    ("wake", "Wake", "from request_stop to a blocked waiter that runs", r"wake"),
    ("signal", "Signal", "from kill to code in a normal thread", r"signal"),
    ("resource_stack", "Resource stack", "defer and release, per entry", r"resource_stack"),
    ("include_lines", "Include, lines", "what the preprocessor makes of one #include",
     r"include_lines"),
    ("include_ms", "Include, time", "compiling a file that has nothing but one #include",
     r"include_ms"),
)

PEER_TITLES = {
    "curfew_inplace": "curfew inplace", "curfew_report": "curfew with a report",
    "std": "std", "function_vector": "vector of function",
    "asio": "Asio", "go": "Go", "tokio": "tokio", "tokio_timer": "tokio timer", "bare": "bare",
    "futex": "raw futex", "self_pipe": "self-pipe", "sigwait": "sigwait",
}
PEER_TITLES_IN = {
    ("child", "std"): "std, hand-made", ("wake", "std"): "std condvar_any",
    ("poll", "bare"): "bare load", ("deadline", "bare"): "clock read",
    ("lateness", "bare"): "bare thread", ("include", "bare"): "<atomic> + <chrono>",
    ("include", "std"): "<stop_token>", ("poll", "std"): "std::stop_token",
    ("create", "std"): "std::stop_source", ("callback", "std"): "std::stop_callback",
    ("stop", "std"): "std::stop_source",
}


def group_of(work):
    """The name of a work's group; "other" if none claims it."""
    for name, _, _, begins in GROUPS:
        if re.match(begins, work):
            return name
    return "other"


def peer_title(work, peer):
    group = group_of(work).split("_")[0]
    return PEER_TITLES_IN.get((group, peer)) or PEER_TITLES.get(peer, peer)


def in_order(peers):
    """The known peers in the order of the report, then others by name."""
    return sorted(peers, key=lambda peer: (PEERS.index(peer) if peer in PEERS else 99, peer))


WORK_TITLES = {f"include_{unit}_{work}": title for unit in ("lines", "ms") for work, title in
               (("stop_token", "curfew/stop/stop_token.hpp"), ("curfew", "curfew/curfew.hpp"))}


def work_title(work):
    """stop_100000_children as "stop 100 000 children"."""
    if work in WORK_TITLES:
        return WORK_TITLES[work]
    grouped = re.sub(r"\d{5,}", lambda number: f"{int(number[0]):,}", work.replace("_", " "))
    return grouped.replace(",", " ")


# How figures are written.

def digits(number):
    """About three digits that mean something."""
    size = abs(number)
    places = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{number:.{places}f}"


def amount(work, value):
    """A figure with its unit: lines where a work counts them, else a time."""
    if work.startswith("include_lines"):
        return f"{value:,.0f} lines".replace(",", " ")
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(value) >= 0.9995 * size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value)} ns"


def count(value, noun):
    """As "1 allocation", "112.3 bytes"."""
    return f"{round(value, 2):g} {noun.removesuffix('s') if round(value, 2) == 1 else noun}"


def ratio(value):
    places = 0 if value >= 9.95 else 2 if value >= 0.0995 else 3
    return f"{value:.{places}f}"
