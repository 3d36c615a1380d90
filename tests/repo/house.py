#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The rules of the house, read from the sources.

Each rule is a function that takes a tree and yields what is wrong with it. Beside it stand small
trees that break it: a rule that does not object to one of them is itself broken.
"""
import json
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = []


def rule(breach):
    """Registers a rule; `breach` is a tree that breaks it, as {path: text}."""
    def register(check):
        RULES.append((check, breach))
        return check
    return register


def sources(tree, *folders, suffixes=(".hpp", ".cpp")):
    for folder in folders:
        for path in sorted((tree / folder).rglob("*")):
            if path.suffix in suffixes:
                yield path.relative_to(tree).as_posix(), path.read_text(encoding="utf-8")


def headers(tree):
    """Every header with its name as in an #include line."""
    for path, text in sources(tree, "include"):
        yield path.removeprefix("include/"), text


def includes(text):
    """Line number and target, with its brackets or quotes, of every #include."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*(<[^>]*>|"[^"]*")', line):
            yield number, found[1]


def header(body):
    return "// SPDX-License-Identifier: BSL-1.0\n#pragma once\n" + body


# The four floors. The ground is below them, what stands outside them is above.
FLOORS = {"stop": 1, "release": 2, "host": 3, "service": 4}
OUTSIDE = {"curfew": 5, "testing": 5, "interop": 5}


def height(name):
    """0 for the ground, 1 to 4 for a floor, 5 for what stands outside the floors."""
    part = name.removeprefix("curfew/").split("/")[0].removesuffix(".hpp")
    return {"config": 0, "version": 0, **FLOORS, **OUTSIDE}.get(part)


PLATFORM_FOLDERS = {"posix", "windows", "systemd"}


def folders(name):
    return set(name.split("/")[:-1])


@rule({"include/curfew/stop/a.hpp": header("#include <curfew/release/b.hpp>\n"),
       "include/curfew/release/b.hpp": header("")})
def includes_never_climb(tree):
    for name, text in headers(tree):
        for number, target in includes(text):
            other = target.strip("<>")
            if other.startswith("curfew/") and (height(other) or 0) > (height(name) or 0):
                yield f"{name}:{number}: climbs from its floor to {target}"


@rule({"include/curfew/host/a.hpp": header("#include <curfew/testing/manual_clock.hpp>\n"),
       "include/curfew/testing/manual_clock.hpp": header("")})
def floors_do_without_fakes_and_neighbours(tree):
    for name, text in headers(tree):
        for number, target in includes(text):
            if height(name) != 5 and re.match(r"<curfew/(testing|interop)/", target):
                yield f"{name}:{number}: a floor includes {target}"


@rule({"include/curfew/lobby/a.hpp": header("")})
def every_header_has_a_floor(tree):
    for name, _ in headers(tree):
        if height(name) is None:
            yield f"{name}: on no floor of the house"


@rule({"include/curfew/stop/a.hpp": header('#include "b.hpp"\n#include <curfew/gone.hpp>\n')})
def own_includes_are_whole_paths_that_exist(tree):
    for name, text in headers(tree):
        for number, target in includes(text):
            if target.startswith('"'):
                yield f"{name}:{number}: {target} should be written <curfew/...>"
            elif target.startswith("<curfew/") and not (tree / "include" / target[1:-1]).exists():
                yield f"{name}:{number}: there is no {target}"


# C++20's own headers, without those that pull in too much (see the next rule).
STANDARD = set("""
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
    condition_variable coroutine deque exception execution filesystem forward_list fstream
    functional future initializer_list iomanip ios iosfwd istream iterator latch limits list locale
    map memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio
    scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
    stop_token streambuf string string_view strstream syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal
    cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype""".split())
HEAVY = {"iostream", "regex", "format"}

@rule({"include/curfew/stop/a.hpp": header("#include <unistd.h>\n")})
def neutral_headers_name_no_platform(tree):
    for name, text in headers(tree):
        if folders(name) & (PLATFORM_FOLDERS | {"interop"}):
            continue
        for number, target in includes(text):
            if not target.startswith("<curfew/") and target[1:-1] not in STANDARD | HEAVY:
                yield f"{name}:{number}: {target} is not a header of C++"


@rule({"include/curfew/host/windows/console.hpp": header("#include <Windows.h>\n")})
def windows_h_is_for_the_service_manager_alone(tree):
    for name, text in headers(tree):
        allowed = re.search(r"/windows/(service|scm|install)[^/]*$", name)
        for number, target in includes(text):
            if re.match(r"<(windows|winsock2?|winsvc)\.h>", target.lower()) and not allowed:
                yield f"{name}:{number}: {target}: declare by hand what is needed"


@rule({"include/curfew/stop/a.hpp": header("#include <iostream>\n")})
def heavy_headers_stay_out(tree):
    for name, text in headers(tree):
        for number, target in includes(text):
            if target[1:-1] in HEAVY:
                yield f"{name}:{number}: {target} is not for a header"


@rule({"include/curfew/stop/a.hpp": header("#if CURFEW_POSIX && CURFEW_LINUX\n#endif\n")})
def only_config_decides_about_the_platform(tree):
    system = r"\b(_WIN32|__linux__|__APPLE__|__unix__|_MSC_VER|__MINGW32__|__FreeBSD__)\b"
    for name, text in headers(tree):
        if name == "curfew/config.hpp":
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if not re.match(r"\s*#\s*(el)?if", line):
                continue
            if re.search(system, line):
                yield f"{name}:{number}: asks for a system's own macro instead of a CURFEW_ one"
            if re.match(r"\s*#\s*(el)?if\b.*(&&|\|\|)", line):
                yield f"{name}:{number}: a compound condition belongs into config.hpp"


@rule({"include/curfew/stop/a.hpp": header("auto most = duration::max();\n")})
def min_and_max_are_written_with_parentheses(tree):
    """As in (std::min)(a, b) and (duration::max)(): <windows.h> makes macros of both words."""
    for name, text in headers(tree):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(min|max)\s*\(", line.split("//")[0]):
                yield f"{name}:{number}: {line.strip()}"


@rule({"include/curfew/stop/a.hpp": "#pragma once\n"})
def sources_begin_with_their_licence(tree):
    for path, text in sources(tree, "include", "tests", "examples", "benchmarks"):
        if not text.startswith("// SPDX-License-Identifier: BSL-1.0\n"):
            yield f"{path}:1: the first line is not the SPDX line"


@rule({"include/curfew/stop/a.hpp": "// SPDX-License-Identifier: BSL-1.0\n"
                                    "#ifndef CURFEW_STOP_B_HPP\n#define CURFEW_STOP_B_HPP\n"})
def headers_have_guards_named_for_them(tree):
    for name, text in headers(tree):
        guard = re.sub(r"[/.]", "_", name).upper()
        directives = re.findall(r"^#.*$", text, re.MULTILINE)
        by_name = [f"#ifndef {guard}", f"#define {guard}"]
        if directives[:2] != by_name and directives[:1] != ["#pragma once"]:
            yield f"{name}: does not begin with a guard called {guard}"


@rule({"include/curfew/stop/a.hpp": header("\n" * 400)})
def headers_are_short(tree):
    for name, text in headers(tree):
        if (lines := len(text.splitlines())) > 400:
            yield f"{name}: {lines} lines; 400 are the limit"


@rule({"tests/stop/a.cpp": "// SPDX-License-Identifier: BSL-1.0\n//" + "x" * 100 + "\n"})
def lines_are_at_most_100_columns(tree):
    for path, text in sources(tree, "include", "tests", "examples", "benchmarks"):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > 100:
                yield f"{path}:{number}: {len(line)} columns"
            if line != line.rstrip() or "\t" in line:
                yield f"{path}:{number}: a tab, or a blank at the end"


@rule({"tests/stop/a.cpp": 'TEST_CASE("a comma, here") {}\n'})
def test_titles_are_plain_sentences(tree):
    """doctest takes a comma in a filter for two filters, ctest a semicolon for two tests."""
    title = r'\b(TEST_CASE\w*|SUBCASE|SCENARIO\w*)\s*\((?:[^"()]*,)?\s*"((?:[^"\\]|\\.)*)"'
    for path, text in sources(tree, "tests", "examples"):
        for found in re.finditer(title, text):
            if not re.fullmatch(r"[A-Za-z0-9 -]+", found[2]):
                number = text.count("\n", 0, found.start()) + 1
                yield f'{path}:{number}: title "{found[2]}": letters, digits, spaces, hyphens only'


@rule({"tests/stop/a.cpp": 'TEST_CASE("twice") {}\nTEST_CASE("twice") {}\n'})
def test_titles_are_unique_in_a_program(tree):
    for path, text in sources(tree, "tests"):
        titles = re.findall(r'\bTEST_CASE\(\s*"([^"]*)"', text)
        for title in sorted({t for t in titles if titles.count(t) > 1}):
            yield f'{path}: two test cases are called "{title}"'


@rule({"include/curfew/stop/a.hpp": header("")})
def every_public_header_is_included_by_a_test(tree):
    """The ground needs none: every test stands on it."""
    included = {target[1:-1] for _, text in sources(tree, "tests", "examples")
                for _, target in includes(text)}
    for name, _ in headers(tree):
        hidden = folders(name) & (PLATFORM_FOLDERS | {"detail"})
        if name not in included and height(name) != 0 and not hidden:
            yield f"{name}: no test includes it"


def version_of(tree):
    text = (tree / "include/curfew/version.hpp").read_text(encoding="utf-8")
    parts = re.findall(r"^#define CURFEW_VERSION_(MAJOR|MINOR|PATCH) (\d+)$", text, re.MULTILINE)
    if [name for name, _ in parts] != ["MAJOR", "MINOR", "PATCH"]:
        raise ValueError("version.hpp does not have its three numeric lines")
    return ".".join(number for _, number in parts)


VERSION_HPP = "".join(f"#define CURFEW_VERSION_{n} 1\n" for n in ("MAJOR", "MINOR", "PATCH"))


@rule({"include/curfew/version.hpp": VERSION_HPP, "meson.build": "version: '1.1.0',"})
def versions_agree(tree):
    if not (tree / "include/curfew/version.hpp").exists():
        return
    version = version_of(tree)
    if f"version: '{version}'," not in (tree / "meson.build").read_text(encoding="utf-8"):
        yield f"meson.build: is not version {version}"


@rule({"include/curfew/version.hpp": VERSION_HPP,
       "packaging/vcpkg/vcpkg.json": '{"version": "1.1.0"}'})
@rule({"include/curfew/version.hpp": VERSION_HPP, "conanfile.py": '    version = "1.1.1"\n'})
def packages_have_the_version(tree):
    """vcpkg cannot read it from the header; Conan can, and is not to repeat it."""
    port, recipe = tree / "packaging/vcpkg/vcpkg.json", tree / "conanfile.py"
    if port.exists() and json.loads(port.read_text("utf-8")).get("version") != version_of(tree):
        yield f"packaging/vcpkg/vcpkg.json: is not version {version_of(tree)}"
    if recipe.exists() and re.search(r"^\s*version\s*=", recipe.read_text("utf-8"), re.MULTILINE):
        yield "conanfile.py: repeats the version; it is to be read from version.hpp"


def sections_of(tree):
    """Their names in CHANGELOG.md, the newest first."""
    text = (tree / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)


def version_key(name):
    return [int(n) for n in name.split(".")] if name != "Unreleased" else [sys.maxsize]


@rule({"include/curfew/version.hpp": VERSION_HPP,
       "CHANGELOG.md": "# Changelog\n\n## [1.1.0] - 2026-01-01\n"})
@rule({"CHANGELOG.md": "# Changelog\n\n## [1.1.1]\n"})
@rule({"CHANGELOG.md": "# Changelog\n\n## [1.1.1] - 2026-01-01\n\n## [Unreleased]\n"})
@rule({"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Improved\n"})
@rule({"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n### Added\n"})
def changes_are_told(tree):
    """In the form of Keep a Changelog."""
    if not (tree / "CHANGELOG.md").exists():
        return
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    seen = set()
    for number, line in enumerate((tree / "CHANGELOG.md").read_text("utf-8").splitlines(), 1):
        if number == 1 and line != "# Changelog":
            yield "CHANGELOG.md:1: is not headed '# Changelog'"
        if re.match(r"## |\[", line):
            seen.clear()
        section = r"## \[(Unreleased\]|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d( \[YANKED\])?)"
        if line.startswith("## ") and not re.fullmatch(section, line):
            yield f"CHANGELOG.md:{number}: neither '## [Unreleased]' nor '## [1.2.3] - 2026-01-31'"
        if found := re.match(r"### (.*)", line):
            if found[1] not in kinds or found[1] in seen:
                yield f"CHANGELOG.md:{number}: '{found[1]}' is no kind of change, or there twice"
            seen.add(found[1])
    sections = sections_of(tree)
    if sections != sorted(sections, key=version_key, reverse=True):
        yield "CHANGELOG.md: the newest version does not come first"
    if (tree / "include/curfew/version.hpp").exists() and not (
            {"Unreleased", version_of(tree)} & set(sections[:1])):
        yield f"CHANGELOG.md: begins neither with [Unreleased] nor with [{version_of(tree)}]"


@rule({"tests/doctest.cmake": "GIT_TAG 1234567\n", "subprojects/doctest.wrap": "revision = 1\n"})
def doctest_is_the_same_for_cmake_and_meson(tree):
    if not (tree / "tests/doctest.cmake").exists():
        return
    cmake = re.search(r"GIT_TAG (\w+)", (tree / "tests/doctest.cmake").read_text("utf-8"))
    meson = re.search(r"revision = (\w+)", (tree / "subprojects/doctest.wrap").read_text("utf-8"))
    if cmake[1] != meson[1]:
        yield f"doctest is pinned to {cmake[1]} for CMake and to {meson[1]} for Meson"


def objects_to(check, breach):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in breach.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return bool(list(check(pathlib.Path(folder))))


def main():
    failures = [f"rule {check.__name__} does not see its own breach"
                for check, breach in RULES if not objects_to(check, breach)]
    rules = dict.fromkeys(check for check, _ in RULES)
    for check in rules:
        failures += [f"{check.__name__}: {problem}" for problem in check(ROOT)]
    print("\n".join(failures) or f"{len(rules)} rules kept")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
