#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that the test front can fail: what crashes, hangs, fails or skips without a good reason must count."""
import pathlib
import sys
import tempfile

import run_tests
import tally

GTEST = """<testsuites><testsuite name="A">
<testcase name="passes" status="run" result="completed" classname="A"/>
<testcase name="fails" status="run" result="completed" classname="A"><failure message="x.cc:3&#10;1 != 2"/></testcase>
<testcase name="off" status="notrun" result="suppressed" classname="A"/>
<testcase name="skips" status="run" result="skipped" classname="A"><skipped message="/a/x.cc:7&#10;{reason}"/></testcase>
</testsuite></testsuites>"""


def counts(reason, shared_present, absent_wheels=()):
    with tempfile.TemporaryDirectory() as top:
        path = pathlib.Path(top) / "a.xml"
        path.write_text(GTEST.replace("{reason}", reason))
        passed, failed, skipped = tally.tally([path], shared_present, list(absent_wheels))
        return passed, len(failed), len(skipped)


def counted_run(command, properties):
    """What one command of CTest's list comes to, through run_tests and tally."""
    with tempfile.TemporaryDirectory() as top:
        results = pathlib.Path(top)
        run_tests.run(("name", command, properties), results, "x", results, quiet=True)
        passed, failed, skipped = tally.tally(sorted(results.glob("*.xml")), True, [])
        return passed, len(failed), len(skipped)


def unreadable():
    with tempfile.TemporaryDirectory() as top:
        path = pathlib.Path(top) / "a.xml"
        path.write_text("<testsuites><testsuite")
        return len(tally.tally([path], True, [])[1])


CASES = [
    ("data skip without data", lambda: counts("data: no x", False), (1, 1, 1)),
    ("data skip with data", lambda: counts("data: no x", True), (1, 2, 0)),
    ("hardware skip", lambda: counts("hardware: no fast units", True), (1, 1, 1)),
    ("wheel skip, wheels fetched", lambda: counts("wheel: no x", True), (1, 2, 0)),
    ("wheel skip, wheel absent", lambda: counts("wheel: no x", True, ["ppocr.absent"]), (1, 1, 1)),
    ("skip without a kind", lambda: counts("not today", False), (1, 2, 0)),
    ("skip without a reason", lambda: counts("", False), (1, 2, 0)),
    ("results cut short", unreadable, 1),
    ("command that passes", lambda: counted_run(["true"], {}), (1, 0, 0)),
    ("command that fails", lambda: counted_run(["false"], {}), (0, 1, 0)),
    ("command that skips", lambda: counted_run(["sh", "-c", "echo hardware: none; exit 77"], {}), (0, 0, 1)),
    ("command that skips without a kind", lambda: counted_run(["sh", "-c", "exit 77"], {}), (0, 1, 0)),
    ("command that dies", lambda: counted_run(["sh", "-c", "kill -SEGV $$"], {}), (0, 1, 0)),
    ("command that hangs", lambda: counted_run(["sleep", "9"], {"TIMEOUT": "0.2"}), (0, 1, 0)),
]


def main():
    problems = [f"{name}: {got} instead of {want}" for name, run, want in CASES if (got := run()) != want]
    for problem in problems:
        print("  " + problem)
    if len(sys.argv) > 1:
        run_tests.write_case(sys.argv[1], "scripts", "tally_test", 0.0, failure="\n".join(problems) if problems else None)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
