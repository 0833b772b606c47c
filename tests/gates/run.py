#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house gates. Each is a module with check(tree) -> list of problems, and with trees that it must accept (GOOD)
and refuse (BAD): a gate that cannot fail is a failure here.

  tests/gates/run.py [--results FOLDER] [GATE..]
"""
import argparse
import importlib
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts")]

from run_tests import write_case  # noqa: E402
from tree import Skip, Tree  # noqa: E402

GATES = ["includes", "lists", "sizes", "words", "foreign_files", "licence_lines", "foreign_paths", "skip_reasons"]


def planted(gate, files):
    """What the gate says of a tree made of {path: text}."""
    with tempfile.TemporaryDirectory() as top:
        root = pathlib.Path(top) / "checkout"
        root.mkdir()
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            return gate.check(Tree(root, git=False))
        except Skip:
            return []


def self_test(gate):
    problems = []
    for number, files in enumerate(gate.GOOD):
        problems += [f"refuses good tree {number}: {problem}" for problem in planted(gate, files)]
    for number, files in enumerate(gate.BAD):
        if not planted(gate, files):
            problems.append(f"accepts bad tree {number}: {list(files)}")
    if not gate.GOOD or not gate.BAD:
        problems.append("has no trees to prove itself on")
    return problems


def report(name, run, results):
    start, problems, skipped = time.monotonic(), [], None
    try:
        problems = run()
    except Skip as reason:
        skipped = str(reason)
    seconds = time.monotonic() - start
    word = "  SKIPPED " if skipped else "  FAILED  " if problems else "       OK "
    print(f"[{word}] gates.{name} ({seconds * 1000:.0f} ms){': ' + skipped if skipped else ''}")
    for problem in problems[:50]:
        print(f"    {problem}")
    if len(problems) > 50:
        print(f"    .. and {len(problems) - 50} more")
    if results:
        failure = "\n".join(problems) if problems else None
        write_case(results / f"gate-{name}.xml", "gates", name, seconds, failure=failure, skipped=skipped)
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gates", nargs="*", default=GATES)
    parser.add_argument("--results", type=pathlib.Path, help="folder for JUnit files")
    args = parser.parse_args()
    if args.results:
        args.results.mkdir(parents=True, exist_ok=True)
    tree, good = Tree(ROOT), True
    for name in args.gates:
        gate = importlib.import_module(name)
        good &= report(name, lambda: gate.check(tree), args.results)
        good &= report(name + "_can_fail", lambda: self_test(gate), args.results)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
