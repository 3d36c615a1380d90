#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""examples/guide/errors.md: all that curfew complains of, in its own words.

A row of its tables is one error: what happened, what the rule is, what to do, each as it stands in
the text, with an ellipsis for what is put in. The sources are asked for every text that they throw
or print as an error: none may lack a row, and no row may be about what is not said any more. A
program then makes such errors happen, and what it really says must be one of the rows.
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "examples/guide/errors.md"

# Calls and values by which an error is told. A name is followed by its arguments in brackets.
VOICES = re.compile(r"""
    \b(?:throw_errc | throw_error_code | throw_system_error | fatal         # thrown, or the end
       | refuse_declaration | refuse_no_limit | no_directory
       | refused | deny | unless | charset_problem | complaint | complain | refuse | fail
       | masked_by | why_no_bridge)\s*(?=\()
  | \bfprintf\s*(?=\(stderr)
  | \b(?:write | tell)\s*(?=\(\s*severity::(?:error | warning))
  | (?=\{(?:failure::kind_type | kind)::\w+,)                               # of a verb
  | (?=\{severity::(?:error | warning),)                                    # of `doctor`
  | \breturn\ (?="(?:is|has|it|its|the|other|another|a|this)\ [^;"]*;)          # of a table
  | \bwhy_\w+\([^()]*\)\ const\s*(?=\{)                                      # all in a function
  | \bconstexpr\ const\ char\*\ \w+\ = (?=\s*"[^"]*;)                       # put behind a text
  """, re.VERBOSE)

# How parts of the user's own program did: the lines of a run and of a report, which follow events.
NEWS = ("/component_news.hpp", "/fleet_run.hpp", "/lifecycle_threads.hpp", "/work_in_flight.hpp")

STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*')


def code_of(tree):
    """Path and text of each header, without comments and includes, adjacent literals joined."""
    for path in sorted((tree / "include").rglob("*.hpp")):
        text = COMMENT.sub(lambda m: m[1] or "", path.read_text(encoding="utf-8"))
        text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
        text = re.sub(r'(?<!\\)"\s*\n\s*"', "", text)
        yield path.relative_to(tree).as_posix(), text


def said(literal):
    """What a literal says, without escapes and with an ellipsis for what is put in."""
    text = re.sub(r"%(?:l?u|d|s)", "…", literal.replace('\\"', '"').replace("\\\\", "\\"))
    return " ".join(text.replace("\\n", " ").split())


def expression(text, at):
    """From there to the bracket that closes the first one, or to the semicolon."""
    depth, end = 0, at
    while end < len(text):
        if found := STRING.match(text, end):
            end = found.end()
            continue
        depth += (text[end] in "([{") - (text[end] in ")]}")
        if (depth == 0 and text[end] in ")]};") or depth < 0:
            break
        end += 1
    return text[at:end + 1]


def pieces(cell):
    """The words of a cell between what is put in, without punctuation around them."""
    return [p for p in (piece.strip(" ,;:.()'\"") for piece in cell.split("…")) if p]


def words(text):
    return re.findall(r"[A-Za-z]{2,}", text)


def complaints(tree):
    """Where, and what: every literal of an error that has at least two words."""
    for path, text in code_of(tree):
        if path.endswith(NEWS):
            continue
        for voice in VOICES.finditer(text):
            for literal in STRING.finditer(expression(text, voice.end())):
                if len(words(said(literal[1]))) > 1:
                    yield path, said(literal[1])


def rows(page):
    """Line, and the three cells, of each row of a table."""
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("| ") and not line.startswith(("| what happened", "|--", "| --")):
            yield number, [cell.strip().replace("\\|", "|") for cell in line.strip("| ").split(" | ")]


# What begins or ends other texts, and says nothing by itself.
FRAME = {"curfew", "and", "so", "an exception that says nothing",
         "it is stopped first, and then started"}  # by a manager that cannot do both in one


def covered(text, table):
    """Whether one row takes all words of that text."""
    for _, cells in table:
        rest = text
        for piece in sorted((p for c in cells for p in pieces(c)), key=len, reverse=True):
            rest = rest.replace(piece, "…")
        if not [w for part in rest.split("…") for w in [part.strip(" ,;:.()'\"")]
                if words(w) and w not in FRAME]:
            return True
    return False


def check_rows(tree, page):
    everything = "\n".join(said(found[1]) for _, text in code_of(tree)
                           for found in STRING.finditer(text))
    for number, cells in rows(page):
        if len(cells) != 3 or not all(pieces(c) for c in cells):
            yield f"errors.md:{number}: not three parts: what happened, the rule, what to do"
        for piece in (p for cell in cells for p in pieces(cell)):
            if piece not in everything:
                yield f"errors.md:{number}: no text has '{piece}' in it"


def check_complaints(tree, page):
    table = list(rows(page))
    for where, text in complaints(tree):
        if not covered(text, table):
            yield f"{where}: no row of errors.md has: {text}"


def matching(text, table):
    """Rows that have all their parts in this text, which somebody has really been told."""
    flat = " ".join(text.split())
    for number, cells in table:
        if all(re.search(".*?".join(map(re.escape, pieces(c))), flat) for c in cells):
            yield number


def output_of(command, ends):
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8",
                         errors="replace", check=False, timeout=120)
    if (run.returncode != 0) != ends:
        raise RuntimeError(f"{command} ended with {run.returncode}: {run.stderr}")
    return run.stderr if ends else run.stdout


def check_provoked(page, command):
    """Those that end the program have a run each."""
    said_so = output_of(command, ends=False).split("\0")
    for name in output_of([*command, "--ends"], ends=False).split():
        said_so.append(output_of([*command, name], ends=True))
    said_so = [text for text in said_so if text.strip()]
    table = list(rows(page))
    for text in said_so:
        if not list(matching(text, table)):
            yield f"no row of errors.md has all parts in what was really said: {text.strip()}"
    print(f"{len(said_so)} errors were made to happen")


def breaches(page):
    """Pages that must be objected to."""
    first = next(line for line in page.splitlines() if "linked()" in line)
    yield check_rows, page.replace(first, first.replace("linked()", "unlinked()"))
    yield check_rows, page.replace(first, first.rsplit("|", 2)[0] + "| … |")
    yield check_complaints, page.replace(first + "\n", "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir")
    parser.add_argument("--runner", default="")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    failures = [f"{check.__name__} does not see a breach"
                for check, bad in breaches(page) if not list(check(ROOT, bad))]
    failures += [*check_rows(ROOT, page), *check_complaints(ROOT, page)]
    if options.exe_dir:
        suffix = ".exe" if options.runner else ""
        program = str(pathlib.Path(options.exe_dir, "error_texts" + suffix))
        command = [*shlex.split(options.runner), program]
        failures += check_provoked(page, command)
        if not list(check_provoked(page.replace("different time sources", "one"), command)):
            failures.append("check_provoked does not see a breach")
    print("\n".join(failures) or f"{len(list(rows(page)))} errors say what to do")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
