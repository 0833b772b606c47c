# SPDX-License-Identifier: Apache-2.0
"""Words with a place: instruction sets, accelerators and rivals' libraries below backend/ only; no CPU vendor or model
anywhere in source; the environment is read in tools/ alone; nothing that gcc 12 or clang 14 lacks."""
import re

from tree import CPP

SOURCE = CPP + (".inc", ".txt", ".cmake")
MACHINE = re.compile(r"avx|cuda|dnnl", re.I)
VENDOR = re.compile(r"\b(intel|genuineintel|authenticamd|amd|xeon|epyc|ryzen|opteron|core i[3579]|ice ?lake|sky ?lake|"
                    r"cascade ?lake|sapphire ?rapids|granite ?rapids|haswell|broadwell|zen ?[1-5]|neoverse|graviton|"
                    r"apple m[1-9])\b", re.I)
ENVIRONMENT = re.compile(r"\b(secure_)?getenv\b|\benviron\b")
TOO_NEW = re.compile(r"#\s*include\s*<(ranges|format|expected|print)>|\bstd::(format|views|ranges)\b")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
OWN = "tests/gates/"


def lines_with(tree, names, pattern, why):
    for name in names:
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if match := pattern.search(line):
                yield f'{name}:{number}: "{match.group(0)}": {why}'


def check(tree):
    everything = [n for n in tree.under("src", "include", "tools", "tests", "examples", "bench", ends=SOURCE)
                  if not n.startswith(OWN)]
    above = [n for n in tree.under("src", "include", "tools", ends=SOURCE)
             if not n.startswith(("src/kernels/", "src/backend/")) and n != "src/CMakeLists.txt"]
    core = tree.under("src", "include", ends=SOURCE)
    problems = list(lines_with(tree, above, MACHINE, "only kernels/ and backend/ know machines"))
    problems += lines_with(tree, everything, VENDOR, "source knows no CPU vendor or model")
    problems += lines_with(tree, core, ENVIRONMENT, "the environment is read in tools/ alone")
    problems += lines_with(tree, everything, TOO_NEW, "gcc 12 and clang 14 do not both have it; use fmt and loops")
    for name in everything:
        for part in re.split(r"[/.]", name):
            if part in EMPTY_NAMES:
                problems.append(f'{name}: a name like "{part}" says nothing; name what it holds')
    return problems


GOOD = [{"src/backend/cpu/isa.cc": "// avx512\n", "src/plan/a.cc": "// the backend's kernels, Zenith, extended\n",
         "tools/main.cc": "getenv(\"HOME\")", "docs/results/x.md": "Xeon"}]
BAD = [{"src/plan/a.cc": "bool has_AVX2;\n"}, {"src/compile/CMakeLists.txt": "find_package(dnnl)\n"},
       {"tools/devices.cc": "// cuda\n"}, {"src/kernels/cpu/a.cc": "// fast on Ice Lake\n"}, {"src/kernels/a.cc": "// Zen 4\n"},
       {"tests/a_test.cc": "// Intel\n"}, {"src/base/a.cc": "std::getenv(\"X\");\n"}, {"src/base/a.cc": "#include <ranges>\n"},
       {"src/utils/a.h": "\n"}, {"src/base/helpers.h": "\n"}]
