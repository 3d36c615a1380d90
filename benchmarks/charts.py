# SPDX-License-Identifier: BSL-1.0
"""How do the figures look?

Drawn by hand as SVG. Each chart has a background of its own and follows the reader's light or dark
scheme; every mark has its name and its figure beside it. The colours are told apart by everyone.
"""
import math
from html import escape

from results import (FLOORS, GROUPS, OURS, amount, group_of, in_order, peer_title, ratio,
                     work_title, works_of)

WIDTH = 880
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, "DejaVu Sans",
  sans-serif; font-size: 12.5px; font-variant-numeric: tabular-nums; fill: #1f2328 }
.title { font-size: 19px; font-weight: 600 } .work { font-weight: 600 }
.soft { fill: #59636e } .small { font-size: 11px }
.paper { fill: #ffffff } .grid { stroke: #e2e7ec } .one { stroke: #59636e }
.ours { fill: #0072b2; stroke: #0072b2 } .theirs { fill: #8a5a00; stroke: #8a5a00 }
.loss { fill: #d55e00; stroke: #d55e00 } .floor { fill: #ffffff; stroke: #818b96 }
.strong { font-weight: 600 } .loss-text { fill: #b04a00; font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .soft { fill: #9aa4af }
  .paper { fill: #0d1117 } .grid { stroke: #262c34 } .one { stroke: #9aa4af }
  .ours { fill: #56b4e9; stroke: #56b4e9 } .theirs { fill: #e6b455; stroke: #e6b455 }
  .loss { fill: #f0803c; stroke: #f0803c } .floor { fill: #0d1117; stroke: #8b949e }
  .loss-text { fill: #ff9d5c }
}
"""

# The works of the overview, with titles that fit beside their bars.
OVERVIEW = {
    "poll": "poll",
    "create": "source: create + destroy",
    "callback": "callback: add + remove",
    "callback_2_threads_one_source": "… 2 threads on one source",
    "stop_10000_callbacks": "stop of 10 000 callbacks, each",
    "child_1000": "child: create + destroy",
    "child_2_threads": "… 2 threads, one parent",
    "stop_100000_children": "stop of 100 000 children, each",
    "deadline": "deadline: create + cancel",
    "deadline_2_threads": "… 2 threads, one parent",
    "deadline_1m_insert": "1 000 000 deadlines: insert",
    "deadline_1m_remove": "1 000 000 deadlines: remove",
    "lateness": "lateness of a deadline",
    "wake": "wake of a blocked waiter",
    "signal": "SIGTERM to normal code",
    "resource_stack": "resource stack, an entry",
}


class Canvas:
    """Marks on a sheet; its height is known when all of them are."""

    def __init__(self, title):
        self.title, self.marks, self.height = title, [], 0

    def text(self, x, y, words, kind="", anchor="start"):
        self.marks.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
                          f"{words if '<tspan' in words else escape(words)}</text>")

    def line(self, x1, y1, x2, y2, kind, width=1.0):
        self.marks.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="{kind}" stroke-width="{width}" stroke-linecap="round"/>')

    def bar(self, x1, x2, y, height, kind):
        left, width = min(x1, x2), max(abs(x2 - x1), 1.5)
        self.marks.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height}" rx="2" class="{kind}"/>')

    def dot(self, x, y, radius, kind):
        self.marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}" '
                          f'stroke-width="1.5"/>')

    def svg(self):
        size = f'width="{WIDTH}" height="{self.height:.0f}" viewBox="0 0 {WIDTH} {self.height:.0f}"'
        return "\n".join((
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(self.title)}</title>", f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{self.height:.0f}" rx="6" class="paper"/>',
            *self.marks, "</svg>", ""))


class LogScale:
    """Places of values between two edges of the sheet."""

    def __init__(self, low, high, left, right):
        self.low, self.high, self.left, self.right = low, high, left, right

    def __call__(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)

    def ticks(self, steps=(1, 2, 5)):
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = (step * 10.0 ** power for power in range(first, last + 1) for step in steps)
        return [tick for tick in every if self.low * 0.999 <= tick <= self.high * 1.001]


def plain(number):
    return f"{number:.10f}".rstrip("0").rstrip(".")


def provenance(raw):
    """Date, machine and rounds, as each chart's last line says them."""
    context, rounds = raw["context"], raw["rounds"]
    quick = "; QUICK RUN, NO MEASUREMENT" if raw["quick"] else ""
    return (f"Median of {rounds} round{'s' * (rounds != 1)}, {context['date']}, {context['cpu']}, "
            f"{context['cores']} cores, {context['kernel']}{quick}")


# The overview: how many times as long each peer takes.

BARS_LEFT, BARS_RIGHT, ROW = 372, 752, 17


def overview_rows(figures):
    """Work, and pairs of peer and its time over ours, for each work that has a peer."""
    works = works_of(figures)
    for work in (name for name in OVERVIEW if "curfew" in works.get(name, {})):
        mine = works[work]["curfew"].median
        pairs = [(peer, works[work][peer].median / mine)
                 for peer in in_order(works[work]) if peer not in OURS]
        if pairs:
            yield work, works[work], pairs


def overview_scale(rows):
    times = [value for _, _, pairs in rows for _, value in pairs] + [0.5, 2]
    return LogScale(min(times) * 0.9, max(times) * 1.02, BARS_LEFT, BARS_RIGHT)


def overview_bar(canvas, scale, y, work, peer, figure, times):
    floor, loss = peer in FLOORS, times < 1
    kind = "floor" if floor else "loss" if loss else "ours"
    canvas.text(BARS_LEFT - 14, y + 12.5, peer_title(work, peer), "soft" if floor else "", "end")
    canvas.bar(scale(1), scale(times), y + 3, 11, kind)
    tone = "soft" if floor else "loss-text" if loss else "strong"
    canvas.text(max(scale(times), scale(1)) + 8, y + 12.5,
                f'<tspan class="{tone}">{ratio(times)}×</tspan>'
                f'<tspan class="soft small" dx="7">{amount(work, figure.median)}</tspan>')


def overview_chart(raw, figures):
    canvas = Canvas("How many times as long as curfew each peer takes")
    rows = list(overview_rows(figures))
    scale, top = overview_scale(rows), 108
    canvas.text(20, 34, "How many times as long as curfew does each peer take?", "title")
    canvas.text(20, 56, "Blue: curfew is faster. Orange, to the left: the peer is faster. Hollow: "
                "the bare machine without a library.", "soft")
    y = top
    for work, peers, pairs in rows:
        canvas.line(20, y - 4, WIDTH - 20, y - 4, "grid")
        canvas.text(20, y + 12.5, OVERVIEW[work], "work")
        canvas.text(20, y + 12.5 + ROW,
                    f"{amount(work, peers['curfew'].median)} with curfew", "soft")
        for number, (peer, times) in enumerate(pairs):
            overview_bar(canvas, scale, y + number * ROW, work, peer, peers[peer], times)
        y += max(len(pairs), 2) * ROW + 10
    below = len(canvas.marks)
    draw_axis(canvas, scale, top - 6, y - 6, lambda tick: f"{plain(tick)}×")
    canvas.line(scale(1), top - 6, scale(1), y - 6, "one", 1.5)
    canvas.marks = canvas.marks[below:] + canvas.marks[:below]
    canvas.text(20, y + 16, provenance(raw), "soft small")
    canvas.height = y + 32
    return canvas.svg()


def draw_axis(canvas, scale, top, bottom, name, steps=(1, 2, 5)):
    for tick in scale.ticks(steps):
        canvas.line(scale(tick), top, scale(tick), bottom, "grid")
        canvas.text(scale(tick), top - 8, name(tick), "soft small", "middle")


# One chart a group: every figure as a dot, with the spread of its rounds.

LANE_LEFT, LANE_RIGHT, MEDIAN_AT, TIMES_AT = 176, 676, 768, 856


def group_scale(figures):
    values = [value for figure in figures for value in
              (figure.low, figure.high, figure.counter("p99") or figure.high)]
    return LogScale(min(values) / 1.4, max(values) * 1.4, LANE_LEFT, LANE_RIGHT)


def steps_for(scale):
    if scale.high / scale.low < 8:
        return range(1, 10)
    return (1, 2, 5) if scale.high / scale.low < 3000 else (1,)


def tick_name(work):
    def name(value):
        if work.startswith("include_lines"):
            return f"{value:,.0f}".replace(",", " ")
        for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
            if value >= 0.999 * size:
                return f"{plain(round(value / size, 6))} {unit}"
        return f"{plain(value)} ns"
    return name


def group_row(canvas, scale, y, work, peer, figure, mine):
    kind = "ours" if peer in OURS else "floor" if peer in FLOORS else "theirs"
    canvas.text(LANE_LEFT - 14, y + 4, peer_title(work, peer),
                "strong" if peer in OURS else "soft" if peer in FLOORS else "", "end")
    canvas.line(LANE_LEFT, y, LANE_RIGHT, y, "grid")
    canvas.line(scale(figure.low), y, scale(figure.high), y, kind, 3)
    if p99 := figure.counter("p99"):
        canvas.line(scale(p99), y - 4, scale(p99), y + 4, kind, 1.5)
        canvas.text(scale(p99) + 5, y + 3.5, "p99", "soft small")
    canvas.dot(scale(figure.median), y, 4.5, kind)
    canvas.text(MEDIAN_AT, y + 4, amount(work, figure.median), "strong", "end")
    if mine and peer != "curfew":
        times = figure.median / mine.median
        tone = "loss-text" if times < 1 and kind == "theirs" else "soft"
        canvas.text(TIMES_AT, y + 4, f"{ratio(times)}×", tone, "end")


def group_chart(raw, figures, group):
    _, title, meaning, _ = next(entry for entry in GROUPS if entry[0] == group)
    works = {work: peers for work, peers in works_of(figures).items() if group_of(work) == group}
    scale = group_scale([figure for peers in works.values() for figure in peers.values()])
    canvas, top = Canvas(f"{title}: {meaning}"), 104
    canvas.text(20, 34, title, "title")
    canvas.text(20, 56, f"{meaning[0].upper()}{meaning[1:]}. Dot: median; bar: the spread of the "
                "rounds; to the left is better.", "soft")
    canvas.text(MEDIAN_AT, top - 14, "median", "soft small", "end")
    canvas.text(TIMES_AT, top - 14, "÷ curfew", "soft small", "end")
    y, rows = top + 16, []
    for work, peers in works.items():
        canvas.text(20, y, work_title(work), "work")
        for peer in in_order(peers):
            y += 20
            rows.append((y, work, peer, peers[peer], peers.get("curfew")))
        y += 34
    draw_axis(canvas, scale, top - 6, y - 22, tick_name(next(iter(works))), steps_for(scale))
    for row in rows:
        group_row(canvas, scale, *row)
    canvas.text(20, y + 6, provenance(raw), "soft small")
    canvas.height = y + 22
    return canvas.svg()


def charts(raw, figures):
    """{file name: SVG} of everything there is to draw."""
    drawn = {}
    if any(True for _ in overview_rows(figures)):
        drawn["overview.svg"] = overview_chart(raw, figures)
    groups = {group_of(work) for work, _ in figures}
    for group, *_ in GROUPS:
        if group in groups:
            drawn[f"{group}.svg"] = group_chart(raw, figures, group)
    return drawn
