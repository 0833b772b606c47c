#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the narae command: run.py BINARY [TEST..]. With NARAE_RESULTS set, a JUnit file goes there."""
import os
import pathlib
import sys
import time
import unittest
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent


class Results(unittest.TextTestResult):
    def startTestRun(self):
        self.suite = xml.Element("testsuite", name="cli")

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()
        name = test.id().split(".", 1)[1]
        self.case = xml.SubElement(self.suite, "testcase", name=name, classname="cli")

    def stopTest(self, test):
        self.case.set("time", f"{time.monotonic() - self.begin:.3f}")
        super().stopTest(test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.broken_text(self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.broken_text(self.errors[-1][1])

    def broken_text(self, text):
        clean = "".join(c if c in "\t\n" or " " <= c <= "~" else "?" for c in text)
        xml.SubElement(self.case, "failure", message=clean[-4000:])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        xml.SubElement(self.case, "skipped", message=reason)


def main():
    os.environ["NARAE_COMMAND"] = str(pathlib.Path(sys.argv[1]).resolve())
    sys.path.insert(0, str(HERE))
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(sys.argv[2:]) if sys.argv[2:] else loader.discover(str(HERE), "*_test.py")
    result = unittest.TextTestRunner(resultclass=Results, verbosity=1).run(tests)
    if path := os.environ.get("NARAE_RESULTS"):
        root = xml.Element("testsuites")
        root.append(result.suite)
        xml.ElementTree(root).write(path, encoding="utf-8")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
