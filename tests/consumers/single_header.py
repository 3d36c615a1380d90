#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""curfew as one header: in two translation units, with all warnings, for this machine and Windows.

With --runner the compiler is one for Windows, and the program runs there or under Wine.
"""
import shutil
import sys

from shared.consumer import (CONSUMERS, PROGRAM, ROOT, RUNNER, VERSION, behind_ccache, check_stop, compiler,
                             linker, must, output, readme, require, shell, test)

SCRIPT = ROOT / "packaging/single_header.py"
STRICT = ["-std=c++20", "-pthread", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion",
          "-Wshadow", "-Wold-style-cast", "-Werror"]


def make(*options):
    return must(sys.executable, SCRIPT, *options)


def orders(work):
    return work / f"orders{'.exe' if RUNNER else ''}"


def single_header(work):
    """As the README has it."""
    shutil.copy(PROGRAM, work)
    shell(readme("single header", curfew=ROOT), work)
    check_stop(orders(work))


def two_translation_units(work):
    make("--out", work / "curfew/curfew.hpp")
    sources = (PROGRAM, CONSUMERS / "single_header/second_unit.cpp")
    for compile_words, link_words in compilers():
        for source in sources:
            must(*compile_words, *STRICT, "-I.", "-c", source, "-o", f"{source.stem}.o", cwd=work)
        objects = [f"{source.stem}.o" for source in sources]
        must(*link_words, "-pthread", *objects, "-o", orders(work), cwd=work)
        check_stop(orders(work))


def compilers():
    """How each compiles and links: the one of this build, and clang, if the machine has it."""
    yield compiler(), linker()
    clang = next(filter(shutil.which, ("clang++-19", "clang++")), None)
    if clang and not RUNNER:
        yield behind_ccache(clang), [clang]


def text_of_the_single_header(_):
    text = make()
    require(text == make(), "two runs make two texts")
    require(f"curfew {VERSION} as one header" in text, "it does not say which version it is")
    require((ROOT / "LICENSE").read_text("utf-8").splitlines()[0] in text, "it has no licence")
    own = [line for line in text.splitlines() if line.startswith("#include <curfew/")]
    require(not own, f"it still includes {own}")
    for name in ("stop/stop_token", "host/windows/console_handler", "service/service_main"):
        require(text.count(f"// ---- curfew/{name}.hpp\n") == 1, f"{name} is not in it once")
    require("#include <windows.h>" not in text, "it includes <windows.h>")


def single_header_beside_the_folder(work):
    """A library of the user's may have come to curfew in another way."""
    make("--out", work / "one/curfew_one.hpp")
    source = "#include <curfew/stop.hpp>\n#include <curfew_one.hpp>\n#include <curfew/service.hpp>\n"
    (work / "main.cpp").write_text(source, encoding="utf-8")
    must(*compiler(), *STRICT, "-fsyntax-only", "-Ione", f"-I{ROOT / 'include'}", "main.cpp", cwd=work)


def single_header_of_a_floor(work):
    make("--out", work / "stop.hpp", "curfew/stop.hpp")
    text = (work / "stop.hpp").read_text("utf-8")
    require("curfew/service/" not in text, "the lowest floor brings the highest")
    (work / "main.cpp").write_text('#include "stop.hpp"\ncurfew::stop_source source;\n', encoding="utf-8")
    must(*compiler(), *STRICT, "-fsyntax-only", "main.cpp", cwd=work)
    status, _ = output(sys.executable, SCRIPT, "curfew/no_such_header.hpp")
    require(status == 2, "a header that does not exist is no error")


if __name__ == "__main__":
    sys.exit(test(single_header, two_translation_units, text_of_the_single_header,
                  single_header_beside_the_folder, single_header_of_a_floor, elsewhere=True))
