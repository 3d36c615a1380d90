#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""README.md: every C++ snippet compiles, and its two commands are those that .ci/run runs.

A ```cpp block with a main function is a program as it stands; another one is the body of a
function. An HTML comment "given:" before it declares what it takes for granted. A command stands
in a ```sh block after a comment "command: NAME", and is one line.
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!--\s*(?P<note>(?:(?!-->).)*)-->\s*)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
                   re.DOTALL | re.MULTILINE)


def blocks(text, language):
    """Code, the comment before it, and line number of each block in that language."""
    for found in BLOCK.finditer(text):
        if found["language"] == language:
            line = text.count("\n", 0, found.start("code"))
            yield found["code"], found["note"] or "", line


def translation_unit(code, note):
    given = note.removeprefix("given:") if note.startswith("given:") else ""
    if "int main(" not in code:
        code = f"[[maybe_unused]] static void snippet() {{\n{code}}}\n"
    return f"#include <curfew/curfew.hpp>\n{given}\n{code}"


def compile_error(source):
    """What the compiler says of this source; empty if it takes it."""
    compiler = shlex.split(os.environ.get("CXX", "c++")) + shlex.split(os.environ.get("CXXFLAGS", ""))
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused"]
    run = subprocess.run([*compiler, "-std=c++20", *warnings, "-fsyntax-only", "-x", "c++",
                          "-I", ROOT / "include", "-"],
                         input=source, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode else ""


def check_snippets(text):
    snippets = list(blocks(text, "cpp"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as compilers:
        sources = [translation_unit(code, note) for code, note, _ in snippets]
        for (_, _, line), error in zip(snippets, compilers.map(compile_error, sources)):
            if error:
                yield f"README.md:{line}: the snippet does not compile\n{error}"


def commands(text):
    return {note.removeprefix("command:").strip(): code.strip()
            for code, note, _ in blocks(text, "sh") if note.startswith("command:")}


def check_commands(text):
    found = commands(text)
    for name, part in (("web-server", "&& g++ "), ("tests", "&& cmake --workflow --preset default")):
        command = found.get(name, "")
        if "\n" in command or part not in command or "apt-get install" not in command:
            yield f"README.md: the command {name} is not one line that installs its tools and runs"
            continue
        said = subprocess.run(["bash", ROOT / ".ci/run", "--show", name], check=False,
                              capture_output=True, text=True).stdout.strip()
        if said != command:
            yield f".ci/run runs another {name} command than README.md has: {said!r}"


def check_web_server(text):
    """The compiler call of the first command, as it stands but for where the program goes."""
    call = re.search(r"&& (g\+\+ .*) -o web_server &&", commands(text)["web-server"])
    if shutil.which("g++") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([*shlex.split(call[1]), "-o", f"{folder}/web_server"], cwd=ROOT,
                             capture_output=True, text=True, check=False)
    if run.returncode != 0:
        yield f"README.md: the web server is not built by: {call[1]}\n{run.stderr}"


def breaches():
    """README texts that must be objected to."""
    yield check_snippets, "```cpp\nno_such_thing();\n```\n"
    yield check_snippets, "<!-- given:\nvoid other();\n-->\n```cpp\nno_such_thing();\n```\n"
    yield check_commands, README.replace("cmake --workflow", "cmake  --workflow", 1)
    yield check_commands, README.replace("install -y", "install --yes", 1)
    yield check_web_server, README.replace("g++ -std=c++20 -O2", "g++ -std=c++98 -O2", 1)


def main():
    failures = [f"{check.__name__} does not see a breach:\n{text[:200]}"
                for check, text in breaches() if not list(check(text))]
    for check in (check_commands, check_snippets, check_web_server):
        failures += check(README)
    print("\n".join(failures) or "README.md tells the truth")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
