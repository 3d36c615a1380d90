#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What stands in examples/deploy is what the programs understand and what they write themselves.

    deploy.py --exe-dir DIR [--runner EMULATOR]

Exit status: 0 all passed, 1 something failed, 77 there is no YAML, or no example that is built.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

try:
    import yaml
except ImportError:
    yaml = None

HANG = 60
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples" / "deploy"


class Deploy(unittest.TestCase):
    runner = []
    programs = {}

    def says(self, program, *words):
        done = subprocess.run([*self.runner, self.programs[program], *words], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=HANG,
                              check=True)
        return done.stdout

    def documents(self, name):
        with open(FOLDER / name, encoding="utf-8") as file:
            return list(yaml.safe_load_all(file))


class Playbook(Deploy):
    def tasks(self):
        def walk(tasks):
            for task in tasks:
                yield task
                yield from walk(task.get("block", []))
                yield from walk(task.get("rescue", []))

        plays, = self.documents("playbook.yml")
        for play in plays:
            yield from walk(play["tasks"])

    def words_of(self, task):
        """The verb and what follows it; a program's own arguments are what comes after `--`."""
        argv = task["ansible.builtin.command"]["argv"]
        if isinstance(argv, str):
            argv = re.findall(r"program|'([^']*)'", argv)
        return argv[1:]

    def commands(self):
        return [task for task in self.tasks() if "ansible.builtin.command" in task]

    def test_its_verbs_and_options_are_those_of_the_programs(self):
        self.assertGreater(len(self.commands()), 5)
        for task in self.commands():
            verb, *options = self.words_of(task)
            text = self.says("service", verb, "--help")
            if verb == "ask":
                self.assertRegex(text.partition("ORDER ")[2], rf"\b{options[0]}\b")
            for option in options:
                if option == "--":
                    self.assertIn("-- ARGS...", text, verb)
                    break
                if option.startswith("-"):
                    self.assertRegex(text, rf"(?m)^  {option}\b", verb)

    def test_the_exit_codes_that_it_knows_are_those_of_status(self):
        for task in self.commands():
            codes = re.findall(r"rc (?:not in \[([\d, ]+)\]|== (\d+))",
                               f"{task.get('failed_when')} {task.get('when')}")
            told = self.says("service", "status", "--help").partition("exit code:")[2]
            for several, one in codes:
                for code in re.findall(r"\d+", several + one):
                    self.assertRegex(told, rf"\b{code} (running|not running|not installed)")

    def test_whoever_changes_something_says_when(self):
        for task in self.commands():
            changes = self.words_of(task)[0] in ("start", "stop")
            self.assertNotEqual(changes, "changed_when" in task, task["name"])

    def test_what_it_reads_from_install_is_there(self):
        source = FOLDER.parents[1] / "include/curfew/service/detail/verb_json.hpp"
        self.assertIn('member("changed"', source.read_text(encoding="utf-8"))


class Kubernetes(Deploy):
    def test_it_is_what_render_writes(self):
        shown, service = self.documents("kubernetes.yaml")
        text = self.says("web_server", "render", "--kubernetes", "--name", "orders", "--",
                         "--port", "8080")
        rendered = yaml.safe_load(text[text.index("apiVersion"):])
        container, = rendered["spec"]["template"]["spec"]["containers"]
        container["image"] = "registry.example/orders:1.0"
        container["command"] = ["/usr/local/bin/orders"]
        rendered["spec"]["replicas"] = 2
        self.assertEqual(shown, rendered)
        self.assertEqual(service["kind"], "Service")
        self.assertEqual(service["spec"]["selector"], shown["spec"]["selector"]["matchLabels"])
        self.assertEqual(service["spec"]["ports"][0]["targetPort"],
                         container["ports"][0]["containerPort"])

    def test_the_grace_period_is_the_hook_and_what_the_program_is_told(self):
        shown, _ = self.documents("kubernetes.yaml")
        pod = shown["spec"]["template"]["spec"]
        container, = pod["containers"]
        told = int(container["env"][0]["value"])
        hook = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        self.assertEqual(pod["terminationGracePeriodSeconds"], told + hook)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exe-dir", required=True)
    parser.add_argument("--runner")
    options = parser.parse_args()
    suffix = ".exe" if options.runner else ""
    Deploy.runner = [shutil.which(options.runner)] if options.runner else []
    for name in ("service", "web_server"):
        Deploy.programs[name] = pathlib.Path(options.exe_dir).resolve() / (name + suffix)
    if yaml is None or not all(exe.exists() for exe in Deploy.programs.values()):
        print("skipped: there is no YAML for Python, or no example in", options.exe_dir)
        return 77
    unittest.main(argv=sys.argv[:1], verbosity=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
