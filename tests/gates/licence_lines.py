# SPDX-License-Identifier: Apache-2.0
"""Every source file says its licence in its first three lines."""
from tree import CPP

LINE = "SPDX-License-Identifier: " + "Apache-2.0"
ENDS = CPP + (".inc", ".py", ".sh", ".cmake", "CMakeLists.txt", "Makefile", ".hpp", ".cu", ".cmake.in")


def check(tree):
    return [f"{name}: no line `{LINE}` at its top" for name in tree.names
            if (name.endswith(ENDS) or name == ".ci/run") and LINE not in "\n".join(tree.text(name).splitlines()[:3])]


GOOD = [{"src/a.cc": f"// {LINE}\n", "scripts/a.py": f"#!/usr/bin/env python3\n# {LINE}\n", "README.md": "x"}]
BAD = [{"src/a.cc": "int x;\n"}, {"CMakeLists.txt": "project(x)\n"}, {"src/a.h": "\n\n\n\n// " + LINE}]
