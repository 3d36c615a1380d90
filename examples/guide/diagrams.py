#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Draws floors.svg and rungs.svg beside this file, for light and dark pages, in the style of the
charts of the benchmarks.

    diagrams.py            writes them
    diagrams.py --check    exit status 1: what is there is not what would be written
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))
import charts  # noqa: E402

STYLE = """
.box { fill: #f3f6f9; stroke: #818b96 } .lit { fill: #dcebf7; stroke: #0072b2 }
.last { fill: #fbe3d5; stroke: #d55e00 } .arrow { stroke: #59636e; fill: none }
.head { fill: #59636e; stroke: none } .name { font-size: 15px; font-weight: 600 }
.press { font-weight: 600; fill: #0072b2 } .outside { fill: none; stroke: #818b96; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  .box { fill: #161d26; stroke: #8b949e } .lit { fill: #12304a; stroke: #56b4e9 }
  .last { fill: #43230f; stroke: #f0803c } .arrow { stroke: #9aa4af } .head { fill: #9aa4af }
  .press { fill: #56b4e9 } .outside { stroke: #8b949e }
}
"""


class Drawing(charts.Canvas):
    """A sheet with boxes and arrows."""

    def box(self, x, y, width, height, kind):
        self.marks.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5" '
                          f'class="{kind}" stroke-width="1.5"/>')

    def arrow(self, *points):
        """Along the points, in straight lines; its head points as the last line does."""
        (x1, y1), (x2, y2) = points[-2:]
        along = ((x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1))
        path = " ".join(f"{x},{y}" for x, y in points)
        self.marks.append(f'<polyline points="{path}" class="arrow" stroke-width="1.5"/>')
        wing = [(x2 - 8 * along[0] + 4.5 * side * along[1], y2 - 8 * along[1] + 4.5 * side * along[0])
                for side in (1, -1)]
        head = " ".join(f"{x},{y}" for x, y in ((x2, y2), *wing))
        self.marks.append(f'<polygon points="{head}" class="head"/>')

    def svg(self):
        return super().svg().replace("</style>", f"{STYLE}</style>", 1)


FLOORS = (
    ("service", "What is the whole program, how does it start, how does it end?",
     "run · components · plan · health · audit · control · coordinator"),
    ("host", "Who runs us, and how does it speak?",
     "signals · console · systemd · service manager of Windows · install"),
    ("release", "What must be given back, in which order, by when?",
     "resource_stack · gate · roster · batch_buffer"),
    ("stop", "Who asks us to stop, why, and until when?",
     "stop_source · stop_token · deadlines · task_group · retry"),
)

BESIDE = (("Outside the floors", "strong"), ("", ""), ("testing", "name"),
          ("a clock that stands still,", "soft small"), ("hosts in a box", "soft small"), ("", ""),
          ("interop", "name"), ("std::stop_token and", "soft small"),
          ("other neighbours", "soft small"), ("", ""), ("They may include any", "soft small"),
          ("floor, and no floor", "soft small"), ("includes them.", "soft small"))


def floors():
    sheet = Drawing("The four floors of curfew")
    sheet.text(20, 34, "Four floors, each usable alone", "title")
    sheet.text(20, 56, "A floor includes only floors below it.", "soft")
    top, height, gap = 76, 66, 14
    for number, (name, question, has) in enumerate(FLOORS):
        y = top + number * (height + gap)
        sheet.box(20, y, 640, height, "lit" if number == 0 else "box")
        sheet.text(38, y + 28, name, "name")
        sheet.text(130, y + 28, question, "strong")
        sheet.text(130, y + 50, has, "soft")
        if number:
            sheet.arrow((70, y - gap), (70, y))
    bottom = top + 4 * height + 3 * gap
    sheet.box(690, top, 170, bottom - top, "outside")
    for line, (words, kind) in enumerate(BESIDE):
        sheet.text(704, top + 28 + 21 * line, words, kind)
    sheet.height = bottom + 20
    return sheet.svg()


RUNGS = (
    ("lame duck", ("not ready any more;", "all goes on as before"), "box"),
    ("drain", ("nothing new comes in;", "what is there finishes"), "box"),
    ("stop", ("what is open is closed,", "last opened first"), "box"),
    ("abort", ("what hangs is cut off", "the hard way"), "box"),
    ("abandon", ("what hangs even then", "is named and left"), "last"),
)


def rungs():
    sheet = Drawing("The rungs of a stop")
    sheet.text(20, 34, "The rungs of a stop", "title")
    sheet.text(20, 56, "A component goes down when all that need it are down, and up a rung when it is late or "
                       "pressed.", "soft")
    width, gap, height = 152, 20, 86
    for number, (name, lines, kind) in enumerate(RUNGS):
        x, y = 20 + number * (width + gap), 104 + number * 22
        sheet.box(x, y, width, height, kind)
        sheet.text(x + 14, y + 28, name, "name")
        for line, words in enumerate(lines):
            sheet.text(x + 14, y + 50 + 18 * line, words, "soft small")
        if number:
            sheet.arrow((x - gap, y + 11), (x, y + 11))
    bottom = 104 + 4 * 22 + height
    presses(sheet, bottom)
    return sheet.svg()


def presses(sheet, bottom):
    """What each signal does, beneath the rungs."""
    for number, (name, does) in enumerate((
            ("first signal", "the stop begins, with lame duck if the reason leaves time for it"),
            ("second signal", "hurry: the stop moves up one rung at once"),
            ("third signal", "the process ends at once; no destructor runs"))):
        y = bottom + 36 + 24 * number
        sheet.text(20, y, name, "press")
        sheet.text(130, y, does)
    sheet.text(20, bottom + 36 + 24 * 3, "time spent", "press")
    sheet.text(130, bottom + 36 + 24 * 3,
               "run ends the process by itself, says what was still open, and fails")
    sheet.height = bottom + 128


def drawn():
    return {"floors.svg": floors(), "rungs.svg": rungs()}


def stale(folder=HERE):
    """Names of the files that are not as they would be written."""
    return [name for name, svg in drawn().items()
            if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != svg]


def main():
    if "--check" in sys.argv[1:]:
        wrong = stale()
        print(f"{', '.join(wrong)}: run {pathlib.Path(__file__).name}" if wrong else "as drawn")
        return 1 if wrong else 0
    for name, svg in drawn().items():
        (HERE / name).write_bytes(svg.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
