# SPDX-License-Identifier: Apache-2.0
"""No path of somebody's machine and no registry host: names of packages are enough, the machine knows from where."""
import re

# Written in pieces, so that this file passes its own gate.
PATHS = re.compile(r"(?<![\w.$}/-])/(work|home|root|Users)/" + r"\w")
HOSTS = re.compile(r"\b(pypi|python" + r"hosted|npmjs|conan|crates)\.(org|io|com|center)\b|\b(deb|security|snapshot|ftp)\.debian" +
                   r"\.org\b|--(extra-)?index-" + r"url|--trusted-" + r"host", re.I)
BINARY = (".png", ".jpg", ".onnx", ".bin", ".npy", ".zst", ".gguf", ".safetensors", ".pb")


def check(tree):
    problems = []
    for name in tree.names:
        if name.endswith(BINARY) or name.startswith("../"):
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for pattern, what in ((PATHS, "an absolute path of one machine"), (HOSTS, "a registry host")):
                if match := pattern.search(line):
                    problems.append(f'{name}:{number}: "{match.group(0)}" is {what}')
    return problems


GOOD = [{"README.md": "src/work/x and ./home/y and ../shared/data\n"}]
BAD = [{"README.md": "see /wo" + "rk/shared/x\n"}, {"a.sh": "cd /ro" + "ot/narae\n"}, {"a.sh": "pip install -i https://pypi" + ".org/x\n"},
       {"a.txt": "--index-" + "url=x"}]
