#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Import, passes and estimated selection of 20,000 nodes cost at most 5 times the instructions of 5,000.

Counted by valgrind's callgrind around `narae build --opt 0`, with the cost of starting the program (a graph of a few
nodes) taken off both sides.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

LIMIT = 5.0


def generate(count, path):
    """Convolutions with activations, residual additions and gates: what every pass has something to do with."""
    rng = np.random.default_rng(1)
    weights = [numpy_helper.from_array(rng.standard_normal((8, 8, 1, 1)).astype(np.float32) * 0.3, f"w{i}") for i in range(4)]
    nodes, x, skip = [], "x", "x"
    while len(nodes) < count:
        i = len(nodes)
        nodes += [helper.make_node("Conv", [x, f"w{i % 4}"], [f"c{i}"]), helper.make_node("Relu", [f"c{i}"], [f"r{i}"]),
                  helper.make_node("Add", [f"r{i}", skip], [f"a{i}"]), helper.make_node("Sigmoid", [f"a{i}"], [f"s{i}"]),
                  helper.make_node("Mul", [f"s{i}", f"a{i}"], [f"m{i}"])]
        skip = x if i % 3 else f"r{i}"
        x = f"m{i}"
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 8, 4, 4])
    graph = helper.make_graph(nodes, "scale", [value("x")], [value(x)], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def instructions(narae, count, folder):
    model = folder / f"nodes{count}.onnx"
    generate(count, model)
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", narae, "build", model,
                           "-o", folder / "out.narae", "--opt", "0", "--threads", "1", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"narae build of {count} nodes under valgrind ended with {done.returncode}: {done.stdout} {done.stderr[-2000:]}")
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narae", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="narae-scale-") as folder:
        start, small, large = (instructions(args.narae, n, pathlib.Path(folder)) for n in (5, 5000, 20000))
    ratio = (large - start) / (small - start)
    print(f"instructions: start {start:.3e}, 5,000 nodes {small:.3e}, 20,000 nodes {large:.3e}; ratio {ratio:.2f}, limit {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
