#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build folder, as its CTest list names them, and leaves one JUnit file each for tally.py.

A GoogleTest binary writes its own results; any other command is one case: exit 0 passed, 77 skipped with
its last line as the reason, else failed. A command may write a JUnit file itself: its path is in NARAE_RESULTS.
What dies or runs too long is a failure of its own, so that a crash can never look like fewer tests.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor


def properties(test):
    return {p["name"]: p["value"] for p in test.get("properties", [])}


def tests_of(build):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True)
    found = []
    for test in json.loads(listing.stdout)["tests"]:
        found.append((test["name"], test.get("command"), properties(test)))
    return found


def write_case(path, suite, name, seconds, failure=None, skipped=None):
    root = xml.Element("testsuites")
    case = xml.SubElement(xml.SubElement(root, "testsuite", name=suite), "testcase", name=name, classname=suite,
                          time=f"{seconds:.3f}")
    if failure is not None:
        xml.SubElement(case, "failure", message=clean(failure))
    if skipped is not None:
        xml.SubElement(case, "skipped", message=clean(skipped))
    xml.ElementTree(root).write(path, encoding="utf-8")


def clean(text):
    return re.sub(r"[^\t\n\x20-\x7e\u00a0-\ud7ff]", "?", text)


def is_complete(path):
    try:
        xml.parse(path)
        return True
    except (OSError, xml.ParseError):
        return False


def is_gtest(program):
    """Whether the program carries GoogleTest: then no results mean that it never came to its end."""
    path = pathlib.Path(program)
    return path.is_file() and b"gtest_filter" in path.read_bytes()


# Seldom, when it reads memory that is none of the program's: it says nothing of the program.
sanitizer_broke = b"LeakSanitizer has encountered a fatal error"


def run(test, results, prefix, log_dir, quiet=False):
    name, command, props = test
    result = results / f"{prefix}-{name}.xml"
    result.unlink(missing_ok=True)
    gtest = is_gtest(command[0])
    limit = float(props.get("TIMEOUT", 1200))
    env = dict(os.environ, NARAE_RESULTS=str(result), GTEST_OUTPUT=f"xml:{result}", GTEST_BRIEF="1")
    env.update(item.split("=", 1) for item in props.get("ENVIRONMENT", []))
    start = time.monotonic()
    log = log_dir / f"{prefix}-{name}.log"
    for last in (False, True):
        with open(log, "wb") as out:
            try:
                code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env,
                                      cwd=props.get("WORKING_DIRECTORY"), timeout=limit).returncode
            except subprocess.TimeoutExpired:
                code = f"no end after {limit:.0f} s"
        if last or sanitizer_broke not in log.read_bytes():
            break
        print(f"  again: {name}: the leak checker itself broke off", flush=True)
    seconds = time.monotonic() - start
    text = log.read_text(errors="replace")
    if is_complete(result):
        if code not in (0, 1):  # the results are whole, but it died on its way out (a leak report, a crash)
            write_case(results / f"{prefix}-{name}-exit.xml", name, "exit", seconds, failure=f"{code}: {text[-4000:]}")
    elif gtest or code not in (0, 77):
        write_case(result, name, name, seconds, failure=f"ended with {code} and no results: {text[-4000:]}")
    else:
        reason = text.strip().splitlines()[-1] if text.strip() else "no reason given"
        write_case(result, name, name, seconds, skipped=reason if code == 77 else None)
    if quiet:
        return code in (0, 77)
    print(f"  {'ok' if code in (0, 77) else 'FAILED':6} {name} ({seconds:.1f} s)", flush=True)
    if code not in (0, 77):
        print("\n".join("    | " + line for line in text.splitlines()[-60:]), flush=True)
    return code in (0, 77)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build folder")
    parser.add_argument("results", type=pathlib.Path, help="folder for the JUnit files")
    parser.add_argument("--prefix", default="release", help="first part of the result files' names")
    parser.add_argument("--label", action="append", default=[], help="only tests with one of these CTest labels")
    parser.add_argument("--not-label", action="append", default=[], help="leave out tests with one of these labels")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.results.mkdir(parents=True, exist_ok=True)
    logs = args.results / "logs"
    logs.mkdir(exist_ok=True)
    chosen = []
    for test in tests_of(args.build):
        labels = set(test[2].get("LABELS", []))
        if (not args.label or labels & set(args.label)) and not labels & set(args.not_label):
            chosen.append(test)
    for name, command, _ in chosen:
        if not command:
            sys.exit(f"run_tests: {name} has no binary: build it first")
    if not chosen:
        sys.exit("run_tests: no test has these labels")
    results = args.results.resolve()
    serial = [t for t in chosen if properties_serial(t)]
    with ThreadPoolExecutor(args.jobs) as pool:
        good = list(pool.map(lambda t: run(t, results, args.prefix, logs), [t for t in chosen if t not in serial]))
    good += [run(t, results, args.prefix, logs) for t in serial]
    return 0 if all(good) else 1


def properties_serial(test):
    return str(test[2].get("RUN_SERIAL", False)).lower() in ("true", "on", "1")


if __name__ == "__main__":
    sys.exit(main())
