# SPDX-License-Identifier: Apache-2.0
"""No file of ../shared/data (its MANIFEST.tsv lists what belongs to others), nor one out of a model wheel, is tracked."""
import hashlib

from tree import Skip

MANIFEST = "../shared/data/MANIFEST.tsv"
HELDOUT = "../shared/models/heldout.txt"


def wheel_sums(tree):
    if not tree.is_file("scripts/wheels.tsv"):
        return {}
    rows = [line.split("\t") for line in tree.text("scripts/wheels.tsv").splitlines() if not line.startswith("#")]
    return {row[3]: f"{row[2]} out of a wheel" for row in rows if len(row) == 4}


def manifest_sums(tree):
    rows = [line.split("\t") for line in tree.text(MANIFEST).splitlines()[1:]]
    return {row[2]: "../shared/data/" + row[0] for row in rows if len(row) >= 3}


def check(tree):
    sums = wheel_sums(tree)
    present = tree.is_file(MANIFEST)
    if present:
        sums |= manifest_sums(tree)
    if tree.is_file(HELDOUT):
        sums[hashlib.sha256(tree.bytes(HELDOUT)).hexdigest()] = HELDOUT
    problems = []
    for name in tree.names:
        data = tree.bytes(name)
        if data and (source := sums.get(hashlib.sha256(data).hexdigest())):
            problems.append(f"{name} is {source}: it belongs to others and must not be committed")
    if not problems and not present:
        raise Skip("data: ../shared/data/MANIFEST.tsv is not there")
    return problems


SUM = hashlib.sha256(b"others\n").hexdigest()
ROWS = f"path\tbytes\tsha256\tsource\tlicence\nx/a.bin\t7\t{SUM}\twhere\twhat\n"
GOOD = [{MANIFEST: ROWS, "README.md": "ours\n"}]
BAD = [{MANIFEST: ROWS, "tests/a.bin": "others\n"}, {MANIFEST: ROWS, HELDOUT: "secret\n", "tests/text.txt": "secret\n"},
       {"scripts/wheels.tsv": f"# wheels\nmodel\tf\ta.onnx\t{SUM}\n", "tests/m.onnx": "others\n"}]
