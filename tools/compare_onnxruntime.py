#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What onnxruntime computes for a model, value by value: `narae compare --against onnxruntime` runs this.

compare_onnxruntime.py MODEL FOLDER NAME=F.npy ..   writes FOLDER/index.json:
{"outputs": [file..], "values": [{"name", "node", "file"}..]}, values in the order their nodes run.
Exit 3: a package is missing.
"""
import json
import pathlib
import sys

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"compare_onnxruntime: {error}", file=sys.stderr)
    sys.exit(3)


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def with_all_values(path):
    """The model with every result of its main graph as an output, and (name, node) of those that were none."""
    model = onnx.load(path)
    known = {output.name for output in model.graph.output}
    added = []
    for node in model.graph.node:
        for name in node.output:
            if name and name not in known:
                known.add(name)
                added.append((name, node.name or node.op_type))
                model.graph.output.append(onnx.ValueInfoProto(name=name))
    return model.SerializeToString(), added


def main():
    path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    inputs = {}
    plain = session(path)
    for argument in sys.argv[3:]:
        name, equals, file = argument.partition("=")
        if not equals:
            name, file = plain.get_inputs()[0].name, argument
        inputs[name] = numpy.load(file)
    outputs = [output.name for output in plain.get_outputs()]
    results = dict(zip(outputs, plain.run(outputs, inputs)))
    try:
        bytes_, added = with_all_values(path)
        names = [name for name, _ in added]
        results.update(zip(names, session(bytes_).run(names, inputs)))
    except Exception as error:  # too large to hold twice, sequences, ..: the outputs alone must do
        print(f"compare_onnxruntime: only the outputs can be compared: {error}", file=sys.stderr)
        added = []
    index = {"outputs": [], "values": []}
    for number, name in enumerate(outputs):
        numpy.save(folder / f"output{number}.npy", numpy.ascontiguousarray(results[name]))
        index["outputs"].append(str(folder / f"output{number}.npy"))
    for number, (name, node) in enumerate(added):
        value = results[name]
        if not isinstance(value, numpy.ndarray) or value.dtype.kind not in "fiub":
            continue
        file = folder / f"value{number}.npy"
        numpy.save(file, value.reshape(value.shape, order="C") if value.flags.c_contiguous else value.copy(order="C"))
        index["values"].append({"name": name, "node": node, "file": str(file)})
    (folder / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main()
