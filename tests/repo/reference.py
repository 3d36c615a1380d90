#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The reference: Doxygen makes it without a warning, and what a user may name is in it.

Every public header has a page that says what it is for, and everything that stands in namespace
curfew itself has a comment: classes, enumerations, aliases, constants, functions. What has the name
of a conversion or an operator says itself what it does.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What programs outside this repository are written against; members of the bases count.
PROMISED = """
    stop_cause stop_reason to_string time_source time_source::now manual_clock
    manual_clock::advance stop_source stop_source::stop_source stop_source::request_stop linked
    stop_token stop_token::reason stop_token::deadline stop_token::remaining stop_token::wait
    stop_token::wait_for stop_token::wait_until stop_token::throw_if_stopped
    stop_token::stop_requested stop_token::stop_possible stopped_error stopped_error::reason
    stop_callback stop_callback::remove stop_callback::try_remove nostopstate_t nostopstate
    inplace_stop_source inplace_stop_token inplace_stop_callback stoppable_token unstoppable_token
    never_stop_token stop_callback_for_t wait stop_event basic_stop_event::native_handle
    task_group task_group::spawn task_group::join retry resource_stack resource_stack::emplace
    resource_stack::defer resource_stack::release resource_stack::empty resource_stack::size label
    release_options release_options::timeout release_outcome release_report release_report::ok
    release_entry::name release_entry::elapsed release_entry::outcome release_entry::error gate
    gate::enter gate::close gate::wait gate::count batch_buffer signal_options signal_bridge
    signal_bridge::on signal_bridge::hurry service_spec service_spec::name
    service_spec::display_name service_spec::description service_spec::start_timeout
    service_spec::stop_timeout service service::token service::resources service::ready
    service::progress service::host run""".split()


def make(tree):
    """What Doxygen says of this tree; nothing, and there are pages and XML, if it is content."""
    (tree / "build").mkdir()
    run = subprocess.run(["doxygen", "packaging/Doxyfile"], cwd=tree, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [run.stdout or f"doxygen ended with {run.returncode}"] if run.returncode else []


def text_of(element):
    """The comment of a class or of a member."""
    parts = (element.find("briefdescription"), element.find("detaileddescription"))
    return "".join("".join(part.itertext()) for part in parts if part is not None).strip()


def compounds(tree):
    for path in sorted((tree / "build/reference/xml").glob("*.xml")):
        yield from xml.parse(path).getroot().iter("compounddef")


def own(name):
    return name.startswith("curfew") and "detail" not in name.split("::")


def check_headers(tree):
    """The page of a file has its whole path; its name alone would not tell two of them apart."""
    described = {c.find("location").get("file") for c in compounds(tree)
                 if c.get("kind") == "file" and text_of(c)}
    for path in sorted((tree / "include").rglob("*.hpp")):
        name = path.relative_to(tree / "include").as_posix()
        if "/detail/" not in name and not described & {name, f"include/{name}"}:
            yield f"{name}: there is no page, or it does not say what the header is for"


def check_comments(tree):
    for c in compounds(tree):
        name = c.findtext("compoundname")
        if not own(name) or c.get("prot") == "private":
            continue
        where = f"{c.find('location').get('file')}:{c.find('location').get('line')}"
        if c.get("kind") in ("class", "struct", "union", "concept") and not text_of(c):
            yield f"{where}: {name} has no comment"
        for m in c.iter("memberdef"):
            clear = m.findtext("name") == "to_string" or m.findtext("name").startswith("operator")
            guide = m.get("kind") == "function" and not m.findtext("type")  # of a deduction
            wanted = m.get("kind") == "enum" or c.get("kind") == "namespace"
            if wanted and not clear and not guide and m.get("prot") == "public" and not text_of(m):
                at = m.find("location")
                yield f"{at.get('file')}:{at.get('line')}: {name}::{m.findtext('name')} has no comment"


def names(tree):
    """Everything that has a page or an entry on one, as a user writes it after curfew::."""
    for c in compounds(tree):
        name = c.findtext("compoundname").removeprefix("curfew").removeprefix("::")
        yield name
        for m in [*c.iter("memberdef"), *c.iterfind("./listofallmembers/member")]:
            yield f"{name}::{m.findtext('name')}".removeprefix("::")


def check_names(tree):
    for missing in sorted(set(PROMISED) - set(names(tree))):
        yield f"curfew::{missing} is not in the reference"


CHECKS = (check_headers, check_comments, check_names)


def problems(before="", after=""):
    """What is wrong with a copy of the sources in which that was changed in one header."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for part in ("include", "packaging", "examples", "benchmarks"):
            shutil.copytree(ROOT / part, tree / part)
        for page in ROOT.glob("*.md"):
            shutil.copy(page, tree)
        header = tree / "include/curfew/stop/stop_event.hpp"
        text = header.read_text(encoding="utf-8")
        header.write_text(text.replace(before, after, 1), encoding="utf-8")
        if before not in text:
            return [f"{header.name} has no {before!r} to try this with"]
        return make(tree) or [p for check in CHECKS for p in check(tree)]


# What is put into stop/stop_event.hpp, and a part of what must be said about it.
BREACHES = (
    ("using stop_event =", "/// See @ref no_such_thing.\nusing stop_event =", "no_such_thing"),
    ("/// For the tokens of a stop_source.\n", "", "curfew::stop_event has no comment"),
    ("using stop_event =", "using stop_happening =", "curfew::stop_event is not in"),
    ("// SPDX-License-Identifier: BSL-1.0\n//\n", "// SPDX-License-Identifier: BSL-1.0\n\n//\n",
     "stop_event.hpp: there is no page"),
)


def main():
    if shutil.which("doxygen") is None:
        print("skipped: doxygen is not installed")
        return 77
    failures = problems()
    failures += [f"a breach is not seen that should be told as: {said}"
                 for before, after, said in BREACHES
                 if not any(said in problem for problem in problems(before, after))]
    print("\n".join(failures) or f"every header and {len(PROMISED)} promised names are there")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
