#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up JUnit files (GoogleTest, gates, checks) into one line `N passed, N failed, N skipped`; exits 1 on a failure.

A skip must say why, by how its message begins:
  data:      files that live beside the checkout, in ../shared; a failure where ../shared/data is there
  wheel:     a model wheel; a failure unless the set-up left .cache/models/NAME.absent
  hardware:  instructions or devices that this machine lacks
Anything else is a failure: nobody would know whether it should have run.
"""
import argparse
import pathlib
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent


def skip_reason(case):
    """None: it ran. GoogleTest writes <skipped message=..>; its older XML only marks the case."""
    node = case.find("skipped")
    if node is not None:
        return (node.get("message") or node.text or "").strip()
    if case.get("result") == "skipped":
        return ""
    return None


def message_of(reason):
    """GoogleTest puts `file:line` on a line of its own before what the test said."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].rsplit(":", 1)[-1].isdigit():
        lines = lines[1:]
    if lines and lines[0] in ("Skipped", "Test skipped"):
        lines = lines[1:]
    return " ".join(lines)


def forbidden_skip(message, shared_present, absent_wheels):
    """Why this skip counts as a failure; None when it may be."""
    if message.startswith("hardware:"):
        return None
    if message.startswith("data:"):
        return "its data is there (../shared/data)" if shared_present else None
    if message.startswith("wheel:"):
        return None if absent_wheels else "make setup fetched every wheel"
    return "a skip's reason begins with data:, wheel: or hardware:"


def tally(files, shared_present, absent_wheels):
    passed, failed, skipped = 0, [], []
    for path in files:
        try:
            root = xml.parse(path).getroot()
        except xml.ParseError as error:
            failed.append((path.stem, f"results are not readable: {error}"))
            continue
        for case in root.iter("testcase"):
            if case.get("status") == "notrun":
                continue
            name = f'{path.stem}: {case.get("classname", "")}.{case.get("name", "")}'
            problems = case.findall("failure") + case.findall("error")
            reason = skip_reason(case)
            if problems:
                failed.append((name, (problems[0].get("message") or problems[0].text or "").strip()))
            elif reason is not None:
                message = message_of(reason)
                why = forbidden_skip(message, shared_present, absent_wheels)
                (failed if why else skipped).append((name, f"skipped ({message}), but {why}" if why else message))
            else:
                passed += 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="folders with *.xml")
    parser.add_argument("--line", action="store_true", help="print nothing but the closing line")
    args = parser.parse_args()
    files = sorted(path for folder in args.folders for path in folder.glob("*.xml"))
    shared_present = (ROOT.parent / "shared" / "data").is_dir()
    absent_wheels = list((ROOT / ".cache" / "models").glob("*.absent"))
    passed, failed, skipped = tally(files, shared_present, absent_wheels)
    if not args.line:
        reasons = {}
        for name, message in skipped:
            reasons.setdefault(message, []).append(name)
        for message, names in reasons.items():
            print(f"skipped {len(names)} x {message} ({names[0]}{', ..' if len(names) > 1 else ''})")
        for name, message in failed:
            print(f"FAILED {name}: {message.splitlines()[0] if message else ''}")
        print(f"results: {passed} + {len(failed)} + {len(skipped)} (passed, failed, skipped)")
    else:
        print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
