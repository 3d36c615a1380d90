# SPDX-License-Identifier: BSL-1.0
"""Which goals are there, and which are met?

A goal has a title and parts. A part divides one figure by another, or compares it with a number,
and has a limit. "WORK/PEER" names a median, "WORK/PEER:counter" a counter. What was not measured
is never met.
"""
from dataclasses import dataclass
from typing import Optional

from results import FLOORS, OURS, ratio, works_of

MET, MISSED, UNKNOWN = "met", "missed", "not measured"


@dataclass(frozen=True)
class Part:
    measured: str
    against: str          # empty: the limit is a number of `unit`
    limit: float
    stretch: bool = False
    unit: str = ""
    short: str = ""       # its line in the README, if it has one


@dataclass(frozen=True)
class Goal:
    title: str
    parts: tuple


def beside(peer, limit, *works, ours="curfew", **more):
    """The same ratio for each of these works."""
    return tuple(Part(f"{work}/{ours}", f"{work}/{peer}", limit, **more) for work in works)


GOALS = (
    Goal("poll, also with parent and deadline, at depth 1000", (
        Part("poll/curfew", "poll/bare", 1.1),
        Part("poll/curfew_inplace", "poll/bare", 1.1),
        Part("poll_deadline/curfew", "poll/bare", 1.1, short="poll with parent and deadline"),
        Part("poll_depth_1000/curfew", "poll/bare", 1.1),
        Part("poll_2_threads/curfew", "poll_2_threads/bare", 1.1))),
    Goal("shared source create + destroy",
         beside("std", 0.8, "create", short="source: create + destroy")),
    Goal("register + deregister, 1 thread", (
        *beside("std", 0.45, "callback", short="callback: register + deregister"),
        *beside("std", 0.45, "callback", ours="curfew_inplace"),
        *beside("std", 0.45, "callback_1000_held"))),
    Goal("the same, 2 threads on one source", (
        *beside("std", 1.0, "callback_2_threads_one_source", short="… 2 threads on one source"),
        *beside("std", 1.0, "callback_2_threads_one_source", ours="curfew_inplace"),
        *beside("std", 0.3, "callback_2_threads_one_source", stretch=True))),
    Goal("2 threads, a source each", (
        Part("callback_2_threads_own_source/curfew", "callback/curfew", 1.2),)),
    Goal("oldest of 1000 replaced", beside("std", 0.45, "callback_oldest_of_1000")),
    Goal("request_stop with 100 to 1 000 000 callbacks, per callback", (
        *beside("std", 0.02, "stop_100_callbacks"),
        *beside("std", 0.02, "stop_10000_callbacks", short="stop of 10 000 callbacks, each"),
        *beside("std", 0.02, "stop_1000000_callbacks"))),
    Goal("child create + destroy, 1 to 100 000 siblings", (
        *beside("std", 0.45, "child_1"),
        *beside("std", 0.45, "child_1000", short="child among 1000: create + destroy"),
        *beside("std", 0.45, "child_100000"),
        # "Flat": a difference of 15 % is none on a machine that others use as well.
        Part("child_100000/curfew", "child_1/curfew", 1.15))),
    Goal("the same, 2 threads under one parent", (
        *beside("std", 1.0, "child_2_threads", short="… 2 threads under one parent"),
        *beside("std", 0.3, "child_2_threads", stretch=True))),
    Goal("stop of 100 000 children, per child", (
        *beside("std", 0.03, "stop_100000_children"),
        *beside("go", 0.1, "stop_100000_children"))),
    Goal("context with a deadline, create + cancel, 1 thread", (
        *beside("go", 0.25, "deadline", short="deadline: create + cancel"),
        *beside("tokio_timer", 0.6, "deadline"))),
    Goal("the same, 2 threads under one parent", (
        *beside("go", 0.45, "deadline_2_threads", short="… 2 threads under one parent"),
        *beside("go", 0.1, "deadline_2_threads", stretch=True))),
    Goal("inplace context with parent and deadline: at most 40 ns where a clock read costs 21", (
        Part("deadline/curfew_inplace", "clock/bare", 40 / 21),)),
    Goal("1 000 000 live deadlines", (
        *beside("go", 0.4, "deadline_1m_insert", short="1 000 000 deadlines: insert, each"),
        *beside("go", 0.3, "deadline_1m_remove"),
        Part("deadline_1m_insert/curfew:bytes", "", 128, unit="bytes"),
        Part("deadline_1m_insert/curfew:allocations", "", 1, unit="allocations"))),
    Goal("lateness of 10 000 deadlines over 1 s, p50; never early", (
        *beside("go", 0.1, "lateness", short="lateness of a deadline"),
        *beside("asio", 1.0, "lateness"),
        Part("lateness/curfew:early", "", 0, unit="early"))),
    Goal("stop to a blocked waiter's wake",
         beside("futex", 1.15, "wake", short="wake of a blocked waiter")),
    Goal("SIGTERM to code in a normal thread", (
        *beside("self_pipe", 1.3, "signal", short="SIGTERM to normal code"),
        *beside("asio", 1.0, "signal"))),
    Goal("resource_stack: defer + release of 1000 small closures", (
        *beside("function_vector", 0.5, "resource_stack", short="resource stack, an entry"),
        *beside("function_vector", 0.5, "resource_stack_3_words"),
        *beside("function_vector", 0.5, "resource_stack", "resource_stack_3_words",
                ours="curfew_report"))),
    Goal("1000 components on one graph, started and stopped, each: 50 us of our own", (
        Part("components_rules_chain/curfew", "", 50_000, unit="ns"),
        Part("components_rules_fan/curfew", "", 50_000, unit="ns"),
        Part("components_rules_grid/curfew", "", 50_000, unit="ns"),
        Part("components_chain/curfew", "components_chain/threads", 1.5))),
    Goal("include of curfew/stop/stop_token.hpp, curfew.hpp", (
        *beside("bare", 1.1, "include_lines_stop_token", "include_ms_stop_token"),
        *beside("std", 1.6, "include_lines_curfew", "include_ms_curfew"))),
)


@dataclass(frozen=True)
class Verdict:
    part: Part
    measured: Optional[float]
    against: Optional[float]
    value: Optional[float]   # what is compared with the limit
    state: str


def lookup(figures, name):
    """The value of "WORK/PEER" or "WORK/PEER:counter", or None."""
    name, _, counter = name.partition(":")
    figure = figures.get(tuple(name.split("/")))
    if figure is None:
        return None
    return figure.counter(counter) if counter else figure.median


def judged(part, figures):
    measured = lookup(figures, part.measured)
    against = lookup(figures, part.against) if part.against else None
    if measured is None or (part.against and not against):
        return Verdict(part, measured, against, None, UNKNOWN)
    # A count may be off by a hundredth: what the timer service keeps is shared by all.
    value = measured / against if part.against else round(measured, 2)
    return Verdict(part, measured, against, value, MET if value <= part.limit else MISSED)


def verdicts(figures):
    """Pairs of a goal and the verdicts on its parts."""
    return [(goal, [judged(part, figures) for part in goal.parts]) for goal in GOALS]


def tally(judged_goals, stretch):
    """How many parts are met, missed and not measured; the stretch goals or the others."""
    states = [verdict.state for _, parts in judged_goals for verdict in parts
              if verdict.part.stretch == stretch]
    return {state: states.count(state) for state in (MET, MISSED, UNKNOWN)}


def written(value, limit):
    """A ratio, with as many digits as it takes to see on which side of its limit it is."""
    text, places = ratio(value), 2
    while (float(text) <= limit) != (value <= limit) and places < 9:
        places += 1
        text = f"{value:.{places}f}"
    return text


@dataclass(frozen=True)
class Loss:
    work: str
    ours: str
    peer: str
    times: float      # how many times as long as the peer we take
    floor: bool       # the peer is the machine without a library
    within: bool      # the rounds of both overlap: it may be noise


def losses(figures):
    """Every work in which a peer has the smaller median, the worst first."""
    found = []
    for work, peers in works_of(figures).items():
        for ours in (name for name in OURS if name in peers):
            for peer, theirs in peers.items():
                mine = peers[ours]
                if peer not in OURS and theirs.median < mine.median:
                    found.append(Loss(work, ours, peer, mine.median / theirs.median,
                                      peer in FLOORS, mine.low <= theirs.high))
    return sorted(found, key=lambda loss: -loss.times)
