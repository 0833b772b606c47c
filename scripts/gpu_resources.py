#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Registers, stack, spills and shared memory of each GPU kernel: what costs a kernel its speed and no test of numbers
notices.

  scripts/gpu_resources.py --record COMMAND..    the compiler's launcher: runs it and keeps the assembler's report beside
                                                 the object (FILE.o.resources)
  scripts/gpu_resources.py BUILD [--results FILE] [--most-spill BYTES]
                                                 lists what was recorded below BUILD; fails where a kernel spills more
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

from run_tests import write_case  # beside this file

ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\S+)'")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


def record(command):
    """The command's own status; its output passes on, but for the assembler's report."""
    done = subprocess.run([*command, "-Xptxas=-v"], stderr=subprocess.PIPE, text=True)
    report = [line for line in done.stderr.splitlines() if "ptxas info" in line or "bytes stack frame" in line]
    for line in done.stderr.splitlines():
        if line not in report:
            print(line, file=sys.stderr)
    if done.returncode == 0 and "-o" in command and "-c" in command:
        target = pathlib.Path(command[command.index("-o") + 1] + ".resources")
        target.write_text("\n".join(report) + "\n", encoding="utf-8")
    return done.returncode


def parse(text):
    """[{name, arch, registers, shared, stack, spilled}] of one report."""
    kernels = []
    for line in text.splitlines():
        if match := ENTRY.search(line):
            kernels.append(dict(name=match.group(1), arch=match.group(2), registers=0, shared=0, stack=0, spilled=0))
        elif kernels and (match := FRAME.search(line)):
            kernels[-1]["stack"], kernels[-1]["spilled"] = int(match.group(1)), int(match.group(2))
        elif kernels and (match := USED.search(line)):
            kernels[-1]["registers"], kernels[-1]["shared"] = int(match.group(1)), int(match.group(2) or 0)
    return kernels


def demangled(names):
    tool = shutil.which("c++filt")
    if not tool or not names:
        return names
    plain = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return [re.sub(r"\(anonymous namespace\)::|narae::cuda::|narae::|\(.*|^void ", "", line) for line in plain.splitlines()]


def main():
    if sys.argv[1:2] == ["--record"]:
        return record(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path, help="JUnit file")
    parser.add_argument("--most-spill", type=int, default=128, help="bytes (%(default)s)")
    args = parser.parse_args()
    rows = []
    for path in sorted(args.build.rglob("*.resources")):
        kernels = parse(path.read_text(encoding="utf-8"))
        for kernel, name in zip(kernels, demangled([k["name"] for k in kernels])):
            rows.append((path.name.split(".")[0], name, kernel))
    if not rows:
        print(f"no reports below {args.build}: nothing was compiled with this script as the launcher")
        return 1
    print(f"{'file':20} {'registers':>9} {'shared':>7} {'stack':>6} {'spilled':>7}  kernel")
    problems = []
    for file, name, kernel in rows:
        print(f"{file:20} {kernel['registers']:9} {kernel['shared']:7} {kernel['stack']:6} {kernel['spilled']:7}  {name}")
        if kernel["spilled"] > args.most_spill:
            problems.append(f"{file}: {name} spills {kernel['spilled']} bytes, at most {args.most_spill}")
    print(f"{len(rows)} kernels, {sum(1 for _, _, k in rows if k['spilled'])} of them spill")
    for problem in problems:
        print(problem)
    if args.results:
        write_case(args.results, "gpu", "resources", 0.0, failure="\n".join(problems) if problems else None)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
