#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The diagrams of the guide are as their script draws them, and fit on their sheets."""
import pathlib
import re
import sys
import tempfile
import xml.etree.ElementTree as tree

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "examples/guide"
sys.path.insert(0, str(GUIDE))
import diagrams  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def stale(folder):
    for name in diagrams.stale(folder):
        yield f"{name}: is not as drawn; run examples/guide/diagrams.py"


def off_the_sheet(svg):
    """A letter is about 0.6 of its size wide."""
    sheet = tree.fromstring(svg)
    width = float(sheet.get("width"))
    sizes = {"title": 19, "name": 15, "small": 11}
    for text in sheet.iter(f"{SVG}text"):
        kinds = text.get("class").split()
        size = next((sizes[kind] for kind in kinds if kind in sizes), 12.5)
        if float(text.get("x")) + 0.58 * size * len("".join(text.itertext())) > width:
            yield f"too long for the sheet: {''.join(text.itertext())}"


def dark_kinds(svg):
    """Every kind of mark has a colour of its own on a dark page."""
    style = svg.partition("<style>")[2].partition("</style>")[0]
    dark = " ".join(re.findall(r"prefers-color-scheme: dark\) \{(.*?)\n\}", style, re.DOTALL))
    for rule in re.findall(r"\.([\w-]+) \{[^}]*(?:fill|stroke): #", style):
        if not re.search(rf"\.{rule}\b", dark):
            yield f"no dark colour for {rule}"


def main():
    problems = list(stale(GUIDE))
    for svg in diagrams.drawn().values():
        problems += [*off_the_sheet(svg), *dark_kinds(svg)]
    svg = diagrams.floors()
    with tempfile.TemporaryDirectory() as empty:
        seen = {"stale": list(stale(pathlib.Path(empty))),
                "off_the_sheet": list(off_the_sheet(svg.replace("Four floors", "Four floors " * 9))),
                "dark_kinds": list(dark_kinds(svg.replace("  .box {", "  .bax {")))}
    problems += [f"{name} does not see a breach" for name, found in seen.items() if not found]
    print("\n".join(problems) or "the diagrams are as drawn")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
