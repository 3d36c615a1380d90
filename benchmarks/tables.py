# SPDX-License-Identifier: BSL-1.0
"""How are the figures written down?

As Markdown: goals, losses, all medians, every figure; and the short table of the README.
"""
from goals import MET, MISSED, UNKNOWN, losses, tally, verdicts, written
from results import (FLOORS, GROUPS, OURS, amount, count, group_of, in_order, peer_title, ratio,
                     works_of)

REPEAT = "cmake --workflow --preset bench"
PACKAGES = {"go": "golang-go", "tokio": "librust-tokio-util-dev librust-tokio+full-dev cargo",
            "asio": "libboost-dev"}


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def table(heads, rows, right_from=1):
    """Columns from `right_from` on hold figures and stand at the right."""
    rule = ["---"] * right_from + ["---:"] * (len(heads) - right_from)
    return [row(*heads), "|" + "|".join(rule) + "|", *(row(*cells) for cells in rows)]


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


# What was run, and where.

def versions(raw):
    """{program: what it says of its version}, said once by each."""
    said = {}
    for run in raw["runs"]:
        for key, value in run["context"].items():
            if key.endswith("_version") and isinstance(value, str):
                said.setdefault(run["program"], value)
    return said


def absent_peers(figures):
    there = {peer for _, peer in figures}
    return [peer for peer in PACKAGES if peer not in there]


def header(raw, figures):
    context = raw["context"]
    yield f"- {context['date']}, {context['cpu']}, {context['cores']} cores, {context['kernel']}"
    yield f"- compiler: {context['compiler']}; std: {context['library']}"
    for program, version in versions(raw).items():
        yield f"- {program.removeprefix('peer_').removeprefix('bench_')}: {version}"
    for peer in () if raw.get("only") else absent_peers(figures):
        yield f"- **{peer_title('', peer)} was not there** (Debian: {PACKAGES[peer]})"
    load = " to ".join(str(context[key]) for key in ("load_at_start", "load_at_end")
                       if context.get(key) is not None)
    yield (f"- {counted(raw['rounds'], 'round')}, in each of which every program ran once; "
           f"load average {load or 'unknown'}")
    yield f"- to repeat it: `{REPEAT}`"
    yield from (f"- {caveat}" for caveat in caveats(raw))


def caveats(raw):
    """What a reader of the figures must know first."""
    if raw["quick"]:
        yield "**A quick run, which only shows that everything works. It measures nothing.**"
    if raw.get("only"):
        yield f"**Only a part was run:** `{raw['only']}`."
    for failure in raw["failures"]:
        yield f"**{failure['program']} failed in round {failure['round']}:** {failure['why']}."


# Goals.

def part_value(name, part, value):
    if value is None:
        return "–"
    return count(value, part.unit) if part.unit else amount(name, value)


def named(figure):
    """A peer by its name; a figure of our own as it is."""
    work, peer = figure.split("/")
    title = figure if peer in OURS else peer_title(work, peer)
    return f"`{title}`" if peer in OURS or "<" in title or "::" in title else title


def limit_of(part):
    limit = count(part.limit, part.unit) if part.unit else f"{part.limit:.3g} ×"
    return f"stretch: {limit}" if part.stretch else limit


def verdict_cells(verdict, name):
    """Curfew's figure, the peer's, the ratio and its limit, and how it ends."""
    part = verdict.part
    beside = "–"
    if part.against:
        beside = f"{named(part.against)}: {part_value(part.against, part, verdict.against)}"
    compared = f"{written(verdict.value, part.limit)} ×" if (
        part.against and verdict.value is not None) else "–"
    ends = {MET: "met", MISSED: "**missed**", UNKNOWN: "*not measured*"}[verdict.state]
    return [name, part_value(part.measured, part, verdict.measured), beside, compared,
            limit_of(part), ends]


def goal_rows(judged):
    for goal, parts in judged:
        yield [f"**{goal.title}**", "", "", "", "", ""]
        for verdict in parts:
            yield verdict_cells(verdict, f"`{verdict.part.measured}`")


def summary(judged):
    def said(counts):
        return (f"{counts[MET]} met, {counts[MISSED]} missed, {counts[UNKNOWN]} not measured")
    return (f"Goals: {said(tally(judged, stretch=False))}. "
            f"Stretch goals: {said(tally(judged, stretch=True))}.")


def goals_section(figures):
    judged = verdicts(figures)
    yield from ("## Goals", "", summary(judged), "", "A ratio is curfew's time over the peer's: "
                "less is better.", "")
    yield from table(("work", "curfew", "beside", "ratio", "at most", ""), goal_rows(judged))


# Losses.

def loss_rows(found, figures):
    for loss in found:
        mine, theirs = (figures[loss.work, peer].median for peer in (loss.ours, loss.peer))
        yield [f"`{loss.work}/{loss.ours}`", amount(loss.work, mine),
               f"`{peer_title(loss.work, loss.peer)}`", amount(loss.work, theirs),
               f"{ratio(loss.times)} ×", "rounds overlap" if loss.within else ""]


def losses_section(figures):
    found = losses(figures)
    heads = ("work", "curfew", "faster", "its time", "ratio", "")
    yield from ("## Where curfew is not the fastest", "")
    for title, floor in (("Beside its peers", False), ("Beside the bare machine", True)):
        part = [loss for loss in found if loss.floor == floor]
        yield from (f"{title}: {len(part) or 'nowhere'}.", "")
        if part:
            yield from (*table(heads, loss_rows(part, figures)), "")
    yield "Where the rounds of both overlap, the difference may be noise."


# All medians.

def median_cell(work, peers, peer):
    """Best in bold; the floors are no competitors. Beside it the ratio to std."""
    figure = peers.get(peer)
    if figure is None:
        return ""
    text = amount(work, figure.median)
    best = min((other.median for name, other in peers.items() if name not in FLOORS), default=0)
    if figure.median == best:
        text = f"**{text}**"
    if "std" in peers and peer != "std":
        text += f" ({ratio(figure.median / peers['std'].median)}×)"
    return text


def medians_section(figures):
    works = works_of(figures)
    yield from ("## All medians", "", "The best in bold, leaving out the bare machine; in brackets "
                "the ratio to std. Times are of one unit of the work as one thread sees it; of "
                "lateness, wake and signal they are the 50th percentile.")
    known = [(name, title, meaning) for name, title, meaning, _ in GROUPS]
    for group, title, meaning in (*known, ("other", "Other", "on no list")):
        chosen = {work: peers for work, peers in works.items() if group_of(work) == group}
        if chosen:
            columns = in_order({peer for peers in chosen.values() for peer in peers})
            yield from ("", f"### {title}: {meaning}", "")
            yield from table(["work", *columns],
                             [[f"`{work}`", *(median_cell(work, peers, peer) for peer in columns)]
                              for work, peers in chosen.items()])


def every_figure_section(figures):
    yield from ("## Every figure, with its spread", "")
    heads = ("figure", "median", "least", "most", "rounds", "p99", "max", "counted")
    yield from table(heads, (figure_row(*item) for item in sorted(figures.items())))


def figure_row(key, figure):
    work = key[0]
    tails = [amount(work, value) if (value := figure.counter(name)) is not None else ""
             for name in ("p99", "max")]
    counts = [count(value, name) for name in ("bytes", "allocations", "early")
              if (value := figure.counter(name)) is not None]
    return ["`" + "/".join(key) + "`", *(amount(work, value) for value in
            (figure.median, figure.low, figure.high)), str(len(figure.samples)), *tails,
            ", ".join(counts)]


def full(raw, figures, charts):
    """The whole of table.md; `charts` are the files that stand beside it."""
    lines = ["# Benchmarks", "", *header(raw, figures), ""]
    if "overview.svg" in charts:
        lines += ["![How many times as long as curfew each peer takes](overview.svg)", ""]
    if others := [name for name in charts if name != "overview.svg"]:
        lines += ["Charts: " + ", ".join(f"[{name[:-4]}]({name})" for name in others), ""]
    for section in (goals_section, losses_section, medians_section, every_figure_section):
        lines += [*section(figures), ""]
    return "\n".join(lines)


# The README.

def short_rows(judged):
    for _, parts in judged:
        for verdict in parts:
            if verdict.part.short:
                yield verdict_cells(verdict, verdict.part.short)


def fastest_count(figures):
    """Works in which curfew has a peer, and those in which one of them is faster."""
    def rivals(peers):
        return [peer for peer in peers if peer not in (*OURS, *FLOORS)]
    compared = [work for work, peers in works_of(figures).items()
                if rivals(peers) and set(OURS) & set(peers)]
    lost = {loss.work for loss in losses(figures) if not loss.floor}
    return len(compared), sorted(lost)


def short(raw, figures):
    """The part of the README between its marks."""
    judged, context = verdicts(figures), raw["context"]
    compared, lost = fastest_count(figures)
    names = ", ".join(f"`{work}`" for work in lost) or "none"
    peers = "; ".join(versions(raw).values())
    return "\n".join((
        f"{context['date']}, {context['cpu']}, {context['cores']} cores, {context['kernel']}, "
        f"{context['compiler']}, {context['library']}; {peers}{'; ' if peers else ''}medians of "
        f"{counted(raw['rounds'], 'round')}.", *caveats(raw), "",
        *table(("work", "curfew", "beside", "ratio", "goal: at most", ""), short_rows(judged)), "",
        "![How many times as long as curfew each peer takes](benchmarks/results/overview.svg)", "",
        f"{summary(judged)} Of {counted(compared, 'work')} with a peer, one or more are faster in "
        f"{len(lost)}: {names}. [All figures](benchmarks/results/table.md)."))
