# SPDX-License-Identifier: BSL-1.0
"""What the tests of all ways to get curfew share: they build one program and stop it for real.

The commands and build files are those of README.md, section "Use it": a block after a comment
"use: NAME", with what stands there in angle brackets filled in. As a program, for a recipe that
has built one by itself: consumer.py PROGRAM [VERSION]
"""
import argparse
import contextlib
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
CONSUMERS = ROOT / "tests/consumers"
PROGRAM = CONSUMERS / "shared/orders.cpp"
CMAKE = os.environ.get("CMAKE") or "cmake"
SKIPPED = 77
RUNNER = []  # what programs are run with, such as under-wine
HANG = 60.0  # whatever takes a minute is hung

sys.path.append(str(ROOT / "tests/repo"))
from house import version_of  # noqa: E402

VERSION = version_of(ROOT)


class Broken(Exception):
    """A way does not do what the README says."""


class Skipped(Exception):
    """What a way needs is not on this machine."""


def require(holds, what):
    if not holds:
        raise Broken(what)


def needs(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Skipped(f"there is no {program} on this machine")


def behind_ccache(*words):
    """Where the build uses it, or something of its kind."""
    launcher = os.environ.get("CMAKE_CXX_COMPILER_LAUNCHER", "").split(";")
    return [*filter(None, launcher), *words]


def compiler():
    """The compiler of this build, as words."""
    words = shlex.split(os.environ.get("CXX") or "c++")
    return behind_ccache(*words, *shlex.split(os.environ.get("CXXFLAGS", "")))


def linker():
    """What makes a program with it, from objects or from sources."""
    return [*compiler(), *shlex.split(os.environ.get("LDFLAGS", ""))]


def output(*command, **options):
    """Exit status, and what it said on both streams."""
    done = subprocess.run([str(word) for word in command], text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    return done.returncode, done.stdout


def must(*command, **options):
    status, said = output(*command, **options)
    require(status == 0, f"{shlex.join(map(str, command))}: status {status}\n{said}")
    return said


@functools.lru_cache(maxsize=None)
def readme_block(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = rf"^<!-- use: {re.escape(name)} -->\n```\w+\n(.*?)^```$"
    found = re.search(block, text, re.DOTALL | re.MULTILINE)
    require(found, f"README.md has no block after a comment 'use: {name}'")
    return found[1]


def readme(name, **places):
    """A block of the README, with what is in angle brackets filled in: <url of it> is url_of_it."""
    def fill(found):
        key = found[1].replace(" ", "_").lower()
        require(key in places, f"README.md, use: {name}: what is {found[0]}?")
        return str(places[key])
    return re.sub(r"<([A-Za-z][A-Za-z ]*)>", fill, readme_block(name))


def shell(commands, folder):
    """Runs commands of the README in a folder; its c++ is the compiler of this build."""
    commands = re.sub(r"\bc\+\+ ", shlex.join(linker()) + " ", commands)
    return must("bash", "-euc", commands, cwd=folder)


def check_stop(*program, version=VERSION):
    """The program is ready, is told to stop, says why and ends with 0. A SIGTERM; Ctrl-C under
    Wine, which makes one of a SIGINT."""
    name = "SIGINT" if RUNNER else "SIGTERM"
    with subprocess.Popen([*RUNNER, *map(str, program)], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        watch = threading.Timer(HANG, child.kill)
        watch.start()
        try:
            ready = child.stdout.readline().strip()
            require(ready == f"curfew {version}, ready", f"it said {ready!r} instead of being ready")
            child.send_signal(getattr(signal, name))
            said, complaints = child.communicate()
        finally:
            watch.cancel()
            child.kill()
    told = f"it said {said!r}, complained {complaints!r} and ended with {child.returncode}"
    require(child.returncode == 0, told)
    require(re.match(rf"signal {name}\b", said), told)


def check_the_check():
    """A check that lets these through is broken."""
    ready = f"import time; print('curfew {VERSION}, ready', flush=True); "
    stop = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('{}'), sys.exit({}))); "
    bad = (ready.replace(VERSION, VERSION + "9"),  # another version
           ready + "time.sleep(60)",  # dies of the signal
           stop.format("signal SIGTERM", 1) + ready + "time.sleep(60)",  # fails
           stop.format("requested", 0) + ready + "time.sleep(60)")  # another reason
    for code in bad:
        try:
            check_stop(sys.executable, "-c", code)
        except Broken:
            continue
        raise Broken(f"check_stop() is content with: {code}")


def copy_of_the_tree(folder):
    """As a user has it: nothing that was built, no history."""
    leave = shutil.ignore_patterns(".git", "build", "__pycache__", "packagecache")
    shutil.copytree(ROOT, folder, ignore=leave)
    return folder


def git_repository(folder):
    """The tree as it stands, as one commit with the tag that a release of it has."""
    needs("git")
    copy_of_the_tree(folder)
    git = ["git", "-c", "user.name=A user", "-c", "user.email=user@example.org", "-C", folder]
    must(*git, "init", "--quiet", "--initial-branch=main")
    must(*git, "add", "--all")
    must(*git, "commit", "--quiet", "--message=Everything")
    must(*git, "tag", f"v{VERSION}")
    return f"file://{folder}"


def configure(source, build, *options):
    return output(CMAKE, "-S", source, "-B", build, *options)


def build_with_cmake(work, use, *options):
    """A project of a user's, whose part for curfew is that block of CMake; its build directory."""
    project, build = work / "project", work / "build"
    shutil.copytree(CONSUMERS / "cmake", project)
    shutil.copy(PROGRAM, project)
    (project / "third_party").mkdir()
    (project / "third_party/curfew").symlink_to(ROOT)
    (project / "use.cmake").write_text(use, encoding="utf-8")
    status, said = configure(project, build, *options)
    require(status == 0, f"CMake: status {status}\n{said}")
    must(CMAKE, "--build", build)
    return build


def install_with_cmake(work):
    """What the README says; then the prefix is moved, so that nothing can count on its name."""
    prefix = work / "installed"
    shell(readme("install", curfew=ROOT, prefix=prefix), work)
    return prefix.rename(work / "moved")


def prepare():
    # What a shell runs in the background ignores SIGINT, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if shutil.which("ninja"):  # the machine may have no make, which is what CMake takes by itself
        os.environ.setdefault("CMAKE_GENERATOR", "Ninja")
    # What is built here uses what was built here before, wherever that was, and no git of the user.
    os.environ.update({"CCACHE_NOHASHDIR": "1", "GIT_CONFIG_GLOBAL": os.devnull,
                       "GIT_CONFIG_SYSTEM": os.devnull})


@contextlib.contextmanager
def workplace():
    """A folder for one way; what that way sets in the environment ends with it."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="curfew-") as folder:
        work = pathlib.Path(folder).resolve()
        os.environ["CCACHE_BASEDIR"] = str(work)
        try:
            yield work
        finally:
            os.environ.clear()
            os.environ.update(before)


def passes(way):
    """0, 1 or 77; and says so."""
    label = way.__name__.replace("_", " ")
    try:
        with workplace() as work:
            way(work)
    except Skipped as reason:
        print(f"skipped: {label}: {reason}", flush=True)
        return SKIPPED
    except Broken as error:
        print(f"FAILED: {label}: {error}", flush=True)
        return 1
    print(f"passed: {label}", flush=True)
    return 0


def test(*ways, elsewhere=False):
    """Each way is a function of a folder that is its own; elsewhere: it is built for the runner."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exe-dir")
    parser.add_argument("--runner", nargs="*", default=[])
    options = parser.parse_args()
    if options.runner and not elsewhere:
        print("skipped: this is built for no machine but its own")
        return SKIPPED
    if os.name == "nt":
        print("skipped: the commands are for a shell of POSIX")
        return SKIPPED
    prepare()
    check_the_check()
    RUNNER.extend(options.runner)
    ends = {passes(way) for way in ways}
    return 1 if 1 in ends else max(ends)


if __name__ == "__main__":
    prepare()
    try:
        check_stop(sys.argv[1], version=sys.argv[2] if len(sys.argv) > 2 else VERSION)
    except Broken as error:
        sys.exit(f"{sys.argv[1]}: {error}")
