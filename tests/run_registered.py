#!/usr/bin/env python3
"""Runs the tests that meson knows of, and counts single tests. Called by tests/run.sh.

    run_registered.py targets BUILD --suites=LIST     ninja targets that these suites need
    run_registered.py run BUILD --suites=LIST --filter=REGEX --sanitize=KIND --jobs=N

A GoogleTest executable counts each of its tests; anything else counts as one, and 77 as its exit
code means skipped. An executable that dies fails the test that was running, and is started again
for the tests that come after it, so that one crash does not hide the rest.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

SKIP_EXIT_CODE = 77
SUITES_ON_REQUEST = {"full"}  # the rest is run by default
RESTARTS_MAX = 20
SLOWER = {"none": 1, "address": 6, "thread": 12}  # allowance for sanitizers in timeouts
OUTPUT_TAIL = 6000

Outcome = collections.namedtuple("Outcome", "passed failed skipped log")  # lists; skipped: (name, why)


def registered(build):
    text = subprocess.run(["meson", "introspect", "--tests", build], check=True,
                          capture_output=True, text=True).stdout
    tests = json.loads(text)
    root = os.path.abspath(build)
    for test in tests:
        # Arguments that are targets are named from the build folder.
        test["cmd"] = [os.path.join(root, word)
                       if not os.path.isabs(word) and os.path.exists(os.path.join(root, word))
                       else word for word in test["cmd"]]
    return tests


def suites_of(test):
    """Meson says "project:suite"; a test without one is a unit test."""
    names = {name.split(":")[-1] for name in test["suite"]}
    return names - {"firn"} or {"unit"}


def selected(tests, suites):
    chosen, left_out = [], []
    for test in tests:
        names = suites_of(test)
        if suites == "all":
            wanted = True
        elif suites == "default":
            wanted = not names & SUITES_ON_REQUEST
            if not wanted:
                left_out.append(test)
        else:
            wanted = bool(names & set(suites.split(",")))
        if wanted:
            chosen.append(test)
    return chosen, left_out


def needed_targets(build, tests):
    """Paths, relative to the build folder, of the files that the tests run or depend on."""
    text = subprocess.run(["meson", "introspect", "--targets", build], check=True,
                          capture_output=True, text=True).stdout
    files = {target["id"]: target["filename"] for target in json.loads(text)}
    root = os.path.abspath(build)
    needed = set()
    for test in tests:
        for name in test["depends"]:
            needed.update(files.get(name, []))
        needed.update(word for word in test["cmd"] if word.startswith(root + os.sep))
    return sorted(os.path.relpath(name, root) for name in needed if name.startswith(root + os.sep))


def is_googletest(command):
    if len(command) != 1:
        return False
    try:
        with open(command[0], "rb") as file:
            return b"gtest_list_tests" in file.read()
    except OSError:
        return False


class Runner:
    def __init__(self, options):
        self.options = options
        self.filter = re.compile(options.filter) if options.filter else None
        self.wrapper = []
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        suppressions = os.path.join(root, "tests", "tsan.supp")
        self.environment = dict(os.environ)
        self.sanitizer_options = {
            "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
            "TSAN_OPTIONS": f"suppressions={suppressions}:second_deadlock_stack=1:halt_on_error=1",
        }
        if options.sanitize != "none":
            self.environment.update(self.sanitizer_options)
            for name in ("llvm-symbolizer-14", "llvm-symbolizer"):
                for folder in ("/usr/bin", "/usr/lib/llvm-14/bin"):
                    if os.access(f"{folder}/{name}", os.X_OK):
                        self.environment.setdefault("ASAN_SYMBOLIZER_PATH", f"{folder}/{name}")
                        self.environment.setdefault("TSAN_SYMBOLIZER_PATH", f"{folder}/{name}")

    def probe_sanitizer(self, executable):
        """Some machines forbid what a sanitizer needs: find out once, and say so."""
        def listing():
            return subprocess.run(self.wrapper + [executable, "--gtest_list_tests"],
                                  env=self.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, errors="replace")
        result = listing()
        if result.returncode == 0:
            return
        if "LeakSanitizer has encountered a fatal error" in result.stderr:
            print("note: this machine does not let LeakSanitizer trace; leaks are not looked for")
            self.environment["ASAN_OPTIONS"] = self.environment["ASAN_OPTIONS"].replace(
                "detect_leaks=1", "detect_leaks=0")
            return
        if "unexpected memory mapping" in result.stderr:
            print("note: this kernel's address randomisation is too wide for the sanitizer; turned off")
            self.wrapper = ["setarch", platform.machine(), "-R"]

    def execute(self, test, arguments, environment):
        """(exit code or None after the time limit, output)"""
        timeout = (test["timeout"] or 30) * SLOWER[self.options.sanitize]
        process = subprocess.Popen(self.wrapper + test["cmd"] + arguments, env=environment,
                                   cwd=test["workdir"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            output, _ = process.communicate(timeout=timeout)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            code = None
            output += b"\n*** killed after %d s\n" % timeout
        return code, output.decode("utf-8", "replace")

    def run(self, test):
        environment = dict(self.environment)
        environment.update(test["env"])
        start = time.monotonic()
        if is_googletest(test["cmd"]):
            outcome = self.run_googletest(test, environment)
        else:
            outcome = self.run_other(test, environment)
        return test, outcome, time.monotonic() - start

    def run_other(self, test, environment):
        name = test["name"]
        if self.filter and not self.filter.search(name):
            return Outcome([], [], [], "")
        code, output = self.execute(test, [], environment)
        if code == 0:
            return Outcome([name], [], [], "")
        if code == SKIP_EXIT_CODE:
            lines = output.strip().splitlines()
            return Outcome([], [], [(name, lines[-1] if lines else "no reason given")], "")
        return Outcome([], [name], [], output[-OUTPUT_TAIL:])

    def names_in(self, test, environment):
        listing = subprocess.run(self.wrapper + test["cmd"] + ["--gtest_list_tests"],
                                 env=environment, cwd=test["workdir"], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, errors="replace")
        if listing.returncode != 0:
            return None, listing.stdout + listing.stderr
        names, suite = [], ""
        for line in listing.stdout.splitlines():
            word = line.split("#")[0].rstrip()
            if line.startswith("  "):
                names.append(suite + word.strip())
            elif word.endswith("."):
                suite = word
        # Disabled tests are not run; they are no pass either.
        return [name for name in names if "DISABLED_" not in name], ""

    def run_googletest(self, test, environment):
        names, output = self.names_in(test, environment)
        if names is None:
            return Outcome([], [test["name"] + " (listing its tests)"], [], output[-OUTPUT_TAIL:])
        if self.filter:
            names = [name for name in names if self.filter.search(name)]
        passed, failed, skipped, logs = [], [], [], []
        left = names
        for _ in range(RESTARTS_MAX):
            if not left:
                break
            code, results, running, output = self.run_names(test, left, environment)
            for name, (verdict, why) in results.items():
                if verdict == "passed":
                    passed.append(name)
                elif verdict == "skipped":
                    skipped.append((name, why))
                else:
                    failed.append(name)
                    logs.append(f"{name}\n{why}")
            if running is not None:
                failed.append(running)
                how = "time limit" if code is None else f"exit code {code}"
                logs.append(f"{running} ended the process ({how})\n{output[-OUTPUT_TAIL:]}")
            elif code != 0 and not any(verdict == "failed" for verdict, _ in results.values()):
                failed.append(f"{test['name']} (exit code {code})")  # a leak report, say
                logs.append(output[-OUTPUT_TAIL:])
            seen = set(results) | {running}
            remaining = [name for name in left if name not in seen]
            if running is None or code is None:
                failed.extend(f"{name} (not run)" for name in remaining)
                left = []
            else:
                left = remaining
        failed.extend(f"{name} (not run)" for name in left)
        return Outcome(passed, failed, skipped, "\n".join(logs))

    def run_names(self, test, names, environment):
        """(exit code, {name: (verdict, why)}, name of the test that ended the process, output)"""
        with tempfile.TemporaryDirectory() as folder:
            flags, report = os.path.join(folder, "flags"), os.path.join(folder, "report.xml")
            with open(flags, "w") as file:
                file.write("--gtest_filter=" + ":".join(names) + "\n")
            code, output = self.execute(
                test, [f"--gtest_flagfile={flags}", f"--gtest_output=xml:{report}",
                       "--gtest_color=no"], environment)
            try:
                return code, results_of_report(report), None, output
            except (OSError, xml.etree.ElementTree.ParseError):
                results, running = results_of_output(output)
                return code, results, running, output


def results_of_report(path):
    results = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failures = case.findall("failure")
        if failures:
            results[name] = ("failed", "\n".join(item.text or "" for item in failures))
        elif case.get("result") == "skipped":
            item = case.find("skipped")
            lines = (item.text or "").strip().splitlines() if item is not None else []
            results[name] = ("skipped", " ".join(lines[1:]) or "no reason given")
        elif case.get("status") == "run":
            results[name] = ("passed", "")
    return results


def results_of_output(output):
    """What a process that died before its report had printed."""
    verdicts = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
    results, running = {}, None
    for match in re.finditer(r"\[ (RUN     |      OK|  FAILED |  SKIPPED) \] ([\w/.]+)", output):
        word, name = match.group(1).strip(), match.group(2)
        if word == "RUN":
            running = name
        elif name == running:
            results[name] = (verdicts[word], "see the output above" if word == "FAILED" else "")
            running = None
    return results, running


def print_skipped(skipped):
    reasons = collections.Counter(why for _, why in skipped)
    text = "; ".join(f"{why} ({count})" if count > 1 else why
                     for why, count in reasons.most_common())
    print(f"{len(skipped)} skipped: {text}")


def command_run(options):
    tests, left_out = selected(registered(options.build), options.suites)
    runner = Runner(options)
    programs = [test["cmd"][0] for test in tests if is_googletest(test["cmd"])]
    if options.sanitize != "none" and programs:
        runner.probe_sanitizer(programs[0])
    passed, failed = 0, []
    skipped = [(test["name"], "runs with --full only") for test in left_out]
    # The slowest first, by their time limits, so that no long one is left alone at the end.
    tests.sort(key=lambda test: -(test["timeout"] or 30))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(runner.run, test) for test in tests]):
            test, outcome, seconds = done.result()
            passed += len(outcome.passed)
            failed.extend(outcome.failed)
            skipped.extend(outcome.skipped)
            if outcome.log:
                print(outcome.log)
            if outcome.passed or outcome.failed:
                print(f"{test['name']:<24} {len(outcome.passed):5d} passed "
                      f"{len(outcome.failed):3d} failed {seconds:7.1f} s", flush=True)
    for name in sorted(failed):
        print(f"FAILED: {name}")
    if skipped:
        print_skipped(skipped)
    print(f"{passed} passed, {len(failed)} failed", flush=True)
    return 0 if passed > 0 and not failed else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["targets", "run"])
    parser.add_argument("build")
    parser.add_argument("--suites", default="default")
    parser.add_argument("--filter", default="")
    parser.add_argument("--sanitize", default="none", choices=sorted(SLOWER))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if options.command == "targets":
        tests, _ = selected(registered(options.build), options.suites)
        print("\n".join(needed_targets(options.build, tests)))
        return 0
    return command_run(options)


if __name__ == "__main__":
    sys.exit(main())
