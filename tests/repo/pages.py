#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""README.md and the pages in benchmarks and examples/guide tell the truth: all code on them compiles,
and each transcript is what a terminal shows.

    pages.py [--exe-dir DIR] [PAGE...]

A comment before a block says more of it, a line each: `program: NAME`, `needs: HEADER`, and last
`given:` with what the code takes for granted. By their language, blocks are

    cpp      compiled. With an #include of ours it is compiled as it stands, else after
             <curfew/curfew.hpp>; one without a main or a TEST_CASE is the body of a function. A program with a
             name is built, for the transcripts of its page. What needs a header of others is left
             out, and that is said, where there is no such header.
    go       vetted, where there is a Go; one without functions is the body of one.
    console  a transcript: what stands behind "$ " is run by bash in a terminal, in a folder with
             the programs of its page, and with the examples if DIR is given; a page shows that
             folder as /opt/demo. The line ^C is the key, pressed when all before it is there, and
             a line ... stands for any lines. Times, ids of processes, users and changes, the length
             of bars and of blanks, and where the line ": stopping: " stands, are not compared.

Other languages are known (KNOWN) or refused, and are only read.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/rigs"))
try:
    from terminal import Terminal
except ImportError:
    Terminal = None

KNOWN = {"cpp", "go", "console", "sh", "text", "csharp", "cmake", "meson", "ini", "yaml", "json"}
BLOCK = re.compile(r"(?:<!--\s*(?P<note>(?:(?!-->).)*)-->\s*)?^```(?P<language>\S*)\n(?P<code>.*?)^```$",
                   re.DOTALL | re.MULTILINE)
GUIDE = "examples/guide"


class Block:
    """A block of a page, with what the comment before it says."""

    def __init__(self, page, found):
        note, _, self.given = (found["note"] or "").partition("given:")
        said = dict(re.findall(r"^(\w+):\s*(.*?)\s*$", note, re.MULTILINE))
        self.program, self.needs = said.get("program"), said.get("needs")
        self.note, self.language, self.code = note, found["language"], found["code"]
        line = found.string.count("\n", 0, found.start("code"))
        self.page, self.place = page, f"{page}:{line}"


def blocks(page, text, *languages):
    for found in BLOCK.finditer(text):
        if found["language"] in languages:
            yield Block(page, found)


class Workshop:
    """A compiler, and a place for what it makes; the umbrella header is compiled once."""

    def __init__(self, folder, exe_dir=None):
        self.folder = pathlib.Path(folder)
        self.examples = sorted(pathlib.Path(exe_dir).resolve().iterdir()) if exe_dir else []
        self.compiler = shlex.split(os.environ.get("CXX", "c++"))
        self.flags = [*shlex.split(os.environ.get("CXXFLAGS", "")), "-std=c++20", "-pthread", "-Wall",
                      "-Wextra", "-Werror", "-Wno-unused", "-I", str(ROOT / "include")]
        self.left_out = []
        umbrella = self.folder / "umbrella.hpp"
        umbrella.write_text("#include <curfew/curfew.hpp>\n", encoding="utf-8")
        self.umbrella = ["-include", str(umbrella)]
        made = self.compile("-x", "c++-header", str(umbrella), "-o", f"{umbrella}.gch")
        assert not made, made

    def compile(self, *words, source=None, folder=None):
        """What the compiler says; empty if it takes it."""
        run = subprocess.run([*self.compiler, *self.flags, *words], input=source, text=True,
                             cwd=folder, capture_output=True, check=False)
        return run.stderr if run.returncode else ""

    def has(self, header):
        found = not self.compile("-fsyntax-only", "-x", "c++", "-", source=f"#include <{header}>\n")
        if not found:
            self.left_out.append(f"what needs <{header}>")
        return found

    def make(self, block):
        """The complaint about a snippet, or a program; it is built into the folder of its page."""
        if block.needs and not self.has(block.needs):
            return ""
        code = block.code
        if not re.search(r"\bmain\(|^TEST_CASE\(", code):
            code = f"[[maybe_unused]] static void snippet() {{\n{code}}}\n"
        if block.given:
            code = f"{block.given}\n{code}"
        words = [] if "#include <curfew/" in block.code else self.umbrella
        if not block.program:
            return self.compile("-fsyntax-only", *words, "-x", "c++", "-", source=code)
        room, name = self.room(block.page), block.program
        (room / f"{name}.cpp").write_text(code, encoding="utf-8")
        return self.compile(*words, f"{name}.cpp", "-o", name, folder=room)

    def room(self, page):
        """The folder in which transcripts of the page are run."""
        room = self.folder / re.sub(r"\W", "_", page)
        if not room.exists():
            room.mkdir()
            for exe in self.examples:
                (room / exe.name).symlink_to(exe)
        return room

    def make_all(self, made):
        """Each block and the complaint about it. What is on several pages is built once."""
        first = {(block.program, block.given, block.code): block for block in reversed(made)}
        for block in made:
            self.room(block.page)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from zip(first.values(), pool.map(self.make, first.values()))
        for block in made:
            here = self.room(block.page) / str(block.program)
            built = first[block.program, block.given, block.code]
            if built is not block and block.program and not here.exists():
                shutil.copy(self.room(built.page) / block.program, here)


def check_code(shop, pages):
    code = [block for page, text in pages.items() for block in blocks(page, text, "cpp")]
    code.sort(key=lambda block: block.program is None)  # what takes longest goes first
    for block, error in shop.make_all(code):
        if error:
            yield f"{block.place}: this does not compile\n{error}"


def check_go(shop, pages):
    snippets = [block for page, text in pages.items() for block in blocks(page, text, "go")]
    if snippets and not shutil.which("go"):
        shop.left_out.append("what is written in Go")
        return
    for number, block in enumerate(snippets):
        code = block.code
        if not re.search(r"^func ", code, re.MULTILINE):
            code = f"func snippet() {{\n{code}}}\n"
        room = shop.folder / f"go{number}"
        room.mkdir(exist_ok=True)
        (room / "go.mod").write_text("module page\n", encoding="utf-8")
        (room / "page.go").write_text(f"{block.given}\n{code}", encoding="utf-8")
        run = subprocess.run(["go", "vet", "."], cwd=room, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            yield f"{block.place}: go vet says\n{run.stderr}"


def commands(transcript):
    """Each command of a transcript, with the lines beneath it."""
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        command, _, lines = part.partition("\n")
        yield command, lines.splitlines()


def shape(line):
    """A line without what differs from run to run."""
    line = re.sub(r"\b\d+(\.\d+)? (ns|us|ms|s|min)\b", "TIME", line)
    line = re.sub(r"\b(pid|uid|change) [\d-]+", r"\1 N", line)
    return re.sub(r" +", " ", re.sub("█+", "█", line)).strip()


def shapes(lines, room):
    return [shape(line.replace(str(room), "/opt/demo")) for line in lines]


def begin_first(lines):
    """The line that says that a stop begins comes from another thread: its place does not count."""
    return sorted(lines, key=lambda line: ": stopping: " not in line)


def agrees(seen, expected):
    """Line by line; `...` is any lines."""
    if not expected:
        return not seen
    if expected[0] == "...":
        return any(agrees(seen[i:], expected[1:]) for i in range(len(seen) + 1))
    return bool(seen) and seen[0] == expected[0] and agrees(seen[1:], expected[1:])


def play(room, command, lines, limit):
    """What stands on a terminal when the command has ended, and Ctrl-C was pressed where it says."""
    shown = Terminal("bash", ["bash", "-c", f"stty -echo; {command}"], columns=100, folder=room)
    end = time.monotonic() + limit
    before = []
    for line in lines:
        if line != "^C":
            before += shapes([line], room)
            continue
        while not agrees(shapes(shown.screen(), room)[:len(before)], before):
            left = end - time.monotonic()
            assert left > 0 and shown.read(left), "it ends before Ctrl-C is pressed"
        time.sleep(0.1)
        shown.press_ctrl_c()
    while shown.read(max(end - time.monotonic(), 0)):
        pass
    shown.end()
    return shown.screen()


def check_transcripts(shop, pages, limit=60):
    if Terminal is None:
        shop.left_out.append("all transcripts: there are no terminals")
        return
    for page, text in pages.items():
        for block in blocks(page, text, "console"):
            for command, lines in commands(block.code):
                if shop.examples or not needs_example(shop, page, command):
                    yield from check_command(shop, block, command, lines, limit)
                else:
                    shop.left_out.append(f"{block.place}: $ {command}")


def needs_example(shop, page, command):
    """Whether the command is a program that is not there."""
    name = re.match(r"\./(\w+)", command)
    return name is not None and not (shop.room(page) / name[1]).exists()


def check_command(shop, block, command, lines, limit):
    room = shop.room(block.page)
    try:
        seen = play(room, command, lines, limit)
    except AssertionError as error:
        yield f"{block.place}: $ {command}: {error}"
        return
    while seen and not seen[-1]:
        seen.pop()
    expected = [line for line in lines if line != "^C"]
    while expected and not expected[-1]:
        expected.pop()
    if not agrees(*(begin_first(shapes(lines, room)) for lines in (seen, expected))):
        yield f"{block.place}: $ {command}\nsays now\n" + "\n".join(seen)


def check_languages(_, pages):
    """A block in a language that nobody looks at would be a block that nobody checks."""
    for page, text in pages.items():
        for found in BLOCK.finditer(text):
            if found["language"] not in KNOWN and not (page == "README.md" and not found["language"]):
                yield f"{Block(page, found).place}: a block in {found['language'] or 'no language'}"
        if text.count("```") != 2 * len(BLOCK.findall(text)):
            yield f"{page}: a block that has no end"


def check_links(_, pages):
    """What a link names is there: a file, and in a page the heading."""
    for page, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
            if re.match(r"[a-z]+://", target):
                continue
            path, _, heading = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            if path and not file.exists():
                yield f"{page}: there is no {target}"
            elif heading and heading not in headings(text if not path else file.read_text("utf-8")):
                yield f"{page}: there is no heading {target}"


def headings(text):
    plain = (re.sub(r"[^\w\- ]", "", line.lower()) for line in re.findall(r"^#+ (.*)$", text, re.M))
    return {line.replace(" ", "-") for line in plain}


def check_index(_, pages):
    """Every page of the guide, and every example, is in its index."""
    index = pages.get(f"{GUIDE}/README.md", "")
    for example in sorted((ROOT / "examples").glob("*.cpp")):
        if f"(../{example.name})" not in index:
            yield f"{GUIDE}/README.md does not name {example.name}"
    for page in pages:
        if page.startswith(GUIDE) and f"({pathlib.PurePath(page).name})" not in index + "(README.md)":
            yield f"{GUIDE}/README.md does not name {page}"


CHECKS = (check_languages, check_links, check_index, check_code, check_go, check_transcripts)
PROGRAM = ("<!-- program: greet -->\n```cpp\n#include <curfew/version.hpp>\n#include <cstdio>\n"
           'int main() { std::puts("hello"); }\n```\n')


def breaches():
    """A check, and pages that it must object to; and one that it must not."""
    yield check_code, "```cpp\nno_such_thing();\n```\n", True
    yield check_code, "<!-- given:\nvoid other();\n-->\n```cpp\nno_such_thing();\n```\n", True
    yield check_code, "<!-- given:\nvoid it();\n-->\n```cpp\nit();\ncurfew::gate g;\n```\n", False
    yield check_code, "<!-- needs: cstdio -->\n```cpp\nno_such_thing();\n```\n", True
    yield check_code, "<!-- needs: no/such.h -->\n```cpp\nno_such_thing();\n```\n", False
    yield check_code, PROGRAM.replace("main() {", "main() { gone();"), True
    yield check_go, "<!-- given: package main -->\n```go\nno_such_thing()\n```\n", True
    talk = PROGRAM + "\n```console\n$ ./greet; echo $?\nhello\n0\n```\n"
    yield check_transcripts, talk, False
    yield check_transcripts, talk.replace("hello\n0", "hello\n1"), True
    yield check_transcripts, talk.replace("hello\n0", "0"), True
    yield check_transcripts, talk.replace("hello\n0", "hello\n0\n1"), True
    yield check_transcripts, talk.replace("hello\n0", "...\n0"), False
    yield check_transcripts, "```console\n$ echo 1 s; sleep 9\n2 ms\n^C\n```\n", False
    yield check_transcripts, "```console\n$ echo 1 s; sleep 1\n2 m\n^C\n```\n", True
    yield check_languages, "```c++\nno_such_thing();\n```\n", True
    yield check_languages, "```cpp\nno_such_thing();\n", True
    yield check_links, "[there](nowhere.md)", True
    yield check_links, "# Here it is\n[there](#there)", True
    yield check_links, "# Here it is, in `x.y`\n[here](#here-it-is-in-xy)", False
    yield check_index, None, True


def prove(shop):
    """That each check can fail, and that it does not always."""
    for number, (check, text, objectionable) in enumerate(breaches()):
        page = f"{GUIDE}/{number}.md"
        left_out = len(shop.left_out)
        if check is check_transcripts:
            assert not list(check_code(shop, {page: text}))
        limit = {"limit": 5} if check is check_transcripts else {}
        complaints = list(check(shop, {page: text or ""}, **limit))
        skipped = len(shop.left_out) > left_out and objectionable
        del shop.left_out[left_out:]
        if bool(complaints) != objectionable and not skipped:
            yield f"{check.__name__} is wrong about this page: {complaints}\n{text}"


def all_pages():
    found = [ROOT / "README.md", ROOT / "benchmarks/README.md", *sorted((ROOT / GUIDE).glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exe-dir")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="only these, without the proofs")
    options = parser.parse_args()
    pages = {page: text for page, text in all_pages().items()
             if not options.pages or any(name in page for name in options.pages)}
    with tempfile.TemporaryDirectory(prefix="curfew-pages-") as folder:
        shop = Workshop(folder, options.exe_dir)
        failures = [] if options.pages else list(prove(shop))
        checks = [check for check in CHECKS if not options.pages or check is not check_index]
        for check in checks:
            failures += check(shop, pages)
    for what in sorted(set(shop.left_out)):
        print("left out:", what)
    print("\n".join(failures) or f"{len(pages)} pages tell the truth")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
