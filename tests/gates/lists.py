# SPDX-License-Identifier: Apache-2.0
"""Lists in step with folders: every entry of an X.inc names what exists, and nothing that belongs in a list is missing.

An entry is a line `MACRO(name, ..)`; its name is a file (name.cc, name.h), a folder or, for a kernel, the first part of
one. What belongs: a .cc beside the list that no header announces (a pass), a *_cases.cc (an op), a folder (a backend).
"""
import re

from tree import is_test

ENTRY = re.compile(r"^\s*[A-Z][A-Z0-9_]*\(\s*\"?(\w+)", re.M)


def entries_of(text):
    return ENTRY.findall(re.sub(r"//.*|^\s*#.*", "", text, flags=re.M))


def missing(tree, inc, entries):
    """Entries of the list that name nothing."""
    folder = inc.rsplit("/", 1)[0]
    room = "/".join(inc.split("/")[:2])
    stems = {name.rsplit("/", 1)[-1].split(".")[0] for name in tree.under(room, ends=(".cc", ".h"))}
    for entry in entries:
        if tree.is_folder(f"{folder}/{entry}") or any(stem == entry or stem.startswith(entry + "_") for stem in stems):
            continue
        yield f"{inc}: {entry} has no file {folder}/{entry}.cc"


def unlisted(tree, inc, entries):
    """Files beside the list that it should name."""
    folder = inc.rsplit("/", 1)[0]
    beside = [name for name in tree.under(folder, ends=".cc") if "/" not in name[len(folder) + 1:]]
    for name in beside:
        stem = name[len(folder) + 1:-3]
        if stem.endswith("_cases"):
            if stem[:-6] not in entries:
                yield f"{name}: {stem[:-6]} is not in {inc}"
        elif not is_test(name) and stem not in entries and not tree.is_file(f"{folder}/{stem}.h"):
            yield f"{name}: neither in {inc} nor announced by a header of its own"


def check(tree):
    problems = []
    lists = {}
    for inc in tree.under("src", ends=".inc"):
        lists.setdefault(inc.rsplit("/", 1)[0], []).append(inc)
    for folder, incs in lists.items():
        everything = []
        for inc in incs:
            entries = entries_of(tree.text(inc))
            problems += missing(tree, inc, entries)
            problems += [f"{inc}: {entry} stands there twice" for entry in set(entries) if entries.count(entry) > 1]
            everything += entries
        problems += unlisted(tree, " or ".join(incs) if len(incs) > 1 else incs[0], everything) if len(incs) == 1 else []
    return problems


OPS = {"src/ops/ops.inc": "// the ops\nOP(relu)\nOP(conv)\n", "src/ops/relu.cc": "", "src/ops/conv.cc": "",
       "src/ops/conv_cases.cc": "", "src/ops/interpret.h": "", "src/ops/interpret.cc": "", "src/ops/ops_test.cc": ""}
GOOD = [OPS, {"src/backend/backends.inc": "NARAE_BACKEND(cpu)\n", "src/backend/cpu/device.cc": ""}]
BAD = [OPS | {"src/ops/ops.inc": "OP(relu)\nOP(conv)\nOP(gone)\n"}, OPS | {"src/ops/ops.inc": "OP(conv)\n"},
       OPS | {"src/ops/gelu_cases.cc": ""}, OPS | {"src/ops/ops.inc": "OP(relu)\nOP(conv)\nOP(relu)\n"},
       {"src/passes/passes.inc": "NARAE_PASS(fold)\n", "src/passes/fold.cc": "", "src/passes/cse.cc": ""}]
