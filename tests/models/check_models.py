#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real models through the narae command: every result against onnxruntime or against a committed one.

Cases whose files are not there are skipped with the reason (data: ../shared, wheel: a model wheel). Results go to the
JUnit file named by NARAE_RESULTS, and to the terminal.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
import encoders  # noqa: E402, F401: adds its cases
import plans  # noqa: E402, F401: adds its cases
from runner import Skip, Runner  # noqa: E402


def instruction_sets(narae):
    devices = json.loads(subprocess.run([narae, "devices", "--json"], capture_output=True, check=True).stdout)["devices"]
    return next(device["isa"] for device in devices if device["name"] == "cpu")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narae", required=True, help="the narae command")
    parser.add_argument("--shared", type=pathlib.Path, required=True, help="folder with test data")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="the set-up's cache, with the models of wheels")
    parser.add_argument("--only", help="cases whose names contain one of these, separated by commas")
    parser.add_argument("--leave-out", default="", help="cases whose names contain one of these are not run")
    parser.add_argument("--isa", help="instruction set to use at most; a machine without it skips every case")
    parser.add_argument("--extra", default="", help="further flags for narae, such as '--passes none'")
    args = parser.parse_args()
    lacks = args.isa and args.isa not in instruction_sets(args.narae)
    extra = args.extra.split() + (["--isa", args.isa] if args.isa else [])
    suite_name = "real_models" + (f"_{args.isa}" if args.isa else "")
    suite = xml.Element("testsuite", name=suite_name)
    good = True
    with tempfile.TemporaryDirectory(prefix="narae-models-") as folder:
        runner = Runner(args.narae, args.shared, args.cache, pathlib.Path(folder), extra)
        for name, function in cases.all_cases():
            if args.only and not any(part in name for part in args.only.split(",")):
                continue
            if any(part in name for part in args.leave_out.split(",") if part):
                continue
            case = xml.SubElement(suite, "testcase", name=name, classname=suite_name)
            try:
                if lacks:
                    raise Skip(f"hardware: this machine has no {args.isa}")
                print(f"  {name}: {function(runner)}", flush=True)
            except Skip as skip:
                xml.SubElement(case, "skipped", message=str(skip))
                print(f"  {name}: skipped, {skip}", flush=True)
            except Exception as error:  # noqa: BLE001: one broken case must not hide the others
                good = False
                xml.SubElement(case, "failure", message=str(error))
                print(f"  {name}: FAILED: {error}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
    results = os.environ.get("NARAE_RESULTS")
    if results:
        root = xml.Element("testsuites")
        root.append(suite)
        xml.ElementTree(root).write(results, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
