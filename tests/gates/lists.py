# SPDX-License-Identifier: Apache-2.0
"""Lists in step with folders: every entry of an X.inc names what exists, and nothing that belongs in a list is missing.

An entry is a line `MACRO(name)`, `MACRO(name, file)` or `MACRO(name, "text")`: name.cc, file.cc (that the name is in it
is the linker's to say), a folder, or for a kernel the first part of a file's name. What belongs: a function that makes a
tactic or an op; beside a list without files a .cc that no header announces (a pass); a *_cases.cc (of an op's file); a
folder with sources (a backend).
"""
import re

from tree import is_test

ENTRY = re.compile(r"^\s*[A-Z][A-Z0-9_]*\(\s*\"?(\w+)\"?\s*(?:,\s*(\w+)\s*)?[,)]", re.M)


MADE = re.compile(r"^(?!#)\S.*\b(?:make_(\w+)_tactic|OpDef\* (\w+)_op)\([^;]*\{", re.M)


def entries_of(text):
    """[(name, file or "")] in order."""
    return ENTRY.findall(re.sub(r"//.*|^\s*#.*", "", text, flags=re.M))


def missing(tree, inc, entries):
    """Entries of the list that name nothing."""
    folder = inc.rsplit("/", 1)[0]
    room = "/".join(inc.split("/")[:2])
    stems = {name.rsplit("/", 1)[-1].split(".")[0] for name in tree.under(room, ends=(".cc", ".h"))}
    for entry, file in entries:
        if file:
            if not tree.is_file(f"{folder}/{file}.cc") and not tree.is_folder(f"{folder}/{file}"):
                yield f"{inc}: {entry}: there is no {folder}/{file}.cc nor a folder of that name"
        elif not tree.is_folder(f"{folder}/{entry}") and not any(s == entry or s.startswith(entry + "_") for s in stems):
            yield f"{inc}: {entry} has no file {folder}/{entry}.cc"


def unlisted(tree, folder, where, names, files):
    """Files and folders beside the lists that they should name."""
    listed = names | files
    beside = [name for name in tree.under(folder, ends=".cc") if "/" not in name[len(folder) + 1:]]
    for name in beside:
        stem = name[len(folder) + 1:-3]
        if stem.endswith("_cases"):
            if stem[:-6] not in listed and stem != "all_cases":  # that one is made from the list
                yield f"{name}: {stem[:-6]} is not in {where}"
        elif files:
            for made in (a or b for a, b in MADE.findall(tree.text(name))):
                if made not in names:
                    yield f"{name}: {made} is not in {where}"
        elif not is_test(name) and stem not in listed and not tree.is_file(f"{folder}/{stem}.h"):
            yield f"{name}: neither in {where} nor announced by a header of its own"
    if "backends.inc" in where:
        for below in {name[len(folder) + 1:].split("/")[0] for name in tree.under(folder, ends=".cc")}:
            if tree.is_folder(f"{folder}/{below}") and below not in listed:
                yield f"{folder}/{below}: not in {where}"


def check(tree):
    problems, lists = [], {}
    for inc in tree.under("src", ends=".inc"):
        lists.setdefault(inc.rsplit("/", 1)[0], []).append(inc)
    for folder, incs in lists.items():
        all_names, files = set(), set()
        for inc in incs:
            entries = entries_of(tree.text(inc))
            names = [name for name, _ in entries]
            problems += missing(tree, inc, entries)
            problems += [f"{inc}: {name} stands there twice" for name in sorted(set(names)) if names.count(name) > 1]
            all_names |= set(names)
            files |= {file for _, file in entries if file}
        problems += unlisted(tree, folder, " or ".join(incs), all_names, files)
    return problems


OPS = {"src/ops/ops.inc": "// the ops\nOP(relu)\nOP(conv)\n", "src/ops/relu.cc": "", "src/ops/conv.cc": "",
       "src/ops/conv_cases.cc": "", "src/ops/interpret.h": "", "src/ops/interpret.cc": "", "src/ops/ops_test.cc": ""}
UNARY = {"src/ops/ops.inc": "OP(abs, unary)\nOP(neg, unary)\n", "src/ops/unary.cc": "abs_op() neg_op()",
         "src/ops/unary_cases.cc": ""}
GOOD = [OPS, UNARY, {"src/backend/backends.inc": "NARAE_BACKEND(cpu)\n", "src/backend/cpu/device.cc": ""},
        {"src/backend/backends.inc": "NARAE_BACKEND(cpu, cpu)\n", "src/backend/cpu/cpu_backend.cc": "",
         "src/backend/cpu/cpu_tactics.inc": "NARAE_TACTIC(view, view_tactic)\n", "src/backend/cpu/view_tactic.cc": "P<Tactic> make_view_tactic(L l) { return x; }\n"}]
BAD = [{"src/backend/cpu/cpu_tactics.inc": "NARAE_TACTIC(view, view_tactic)\n", "src/backend/cpu/view_tactic.cc": "",
        "src/backend/cpu/gemm_tactic.cc": "P<Tactic> make_gemm_tactic(L l) {\n"},
       UNARY | {"src/ops/more.cc": "const OpDef* more_op() {\n"}, {"src/ops/ops.inc": "OP(abs, unary)\n"}, UNARY | {"src/ops/unary.cc": "", "src/ops/more_cases.cc": ""},
       {"src/backend/backends.inc": "NARAE_BACKEND(cpu)\n", "src/backend/cpu/a.cc": "", "src/backend/fake/a.cc": ""}, OPS | {"src/ops/ops.inc": "OP(relu)\nOP(conv)\nOP(gone)\n"}, OPS | {"src/ops/ops.inc": "OP(conv)\n"},
       OPS | {"src/ops/gelu_cases.cc": ""}, OPS | {"src/ops/ops.inc": "OP(relu)\nOP(conv)\nOP(relu)\n"},
       {"src/passes/passes.inc": "NARAE_PASS(fold)\n", "src/passes/fold.cc": "", "src/passes/cse.cc": ""}]
