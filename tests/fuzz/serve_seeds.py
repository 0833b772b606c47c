# SPDX-License-Identifier: Apache-2.0
"""serve_seeds.py SEEDS: first inputs of infer_body and model_config."""
import json
import pathlib
import struct
import sys

CONFIG = """# a comment
name: "relu"
platform: "onnxruntime_onnx"
max_batch_size: 16
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
output { name: 'y', data_type: TYPE_FP32, dims: 3 }
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 500
  default_queue_policy { max_queue_size: 7 } }
instance_group [ { count: 2 kind: KIND_CPU } ]
"""


def tensor(name, datatype, shape, **rest):
    return {"name": name, "datatype": datatype, "shape": shape} | rest


def main():
    top = pathlib.Path(sys.argv[1])
    for name in ("infer_body", "model_config"):
        (top / name).mkdir(parents=True, exist_ok=True)
    text = json.dumps({"id": "1", "inputs": [
        tensor("a", "FP32", [2, 3], data=[[1, 2, 3], [4.5, -6e3, 0]]), tensor("b", "INT32", [2], data=[1, -2]),
        tensor("c", "BOOL", [2, 2], data=[True, False, 1, 0])], "outputs": [{"name": "z"}],
        "parameters": {"priority": 1, "timeout": 5}}).encode()
    (top / "infer_body/json").write_bytes(b"\xff\xff" + text)
    sized = [tensor(name, datatype, shape, parameters={"binary_data_size": size})
             for name, datatype, shape, size in (("a", "FP32", [1, 3], 12), ("b", "INT32", [1], 4), ("c", "BOOL", [1, 2], 2))]
    head = json.dumps({"inputs": sized, "parameters": {"binary_data_output": True},
                       "outputs": [{"name": "y", "parameters": {"binary_data": False}}]}).encode()
    (top / "infer_body/binary").write_bytes(struct.pack("<H", len(head)) + head + struct.pack("<3fi2B", 1, 2, 3, 4, 1, 0))
    (top / "model_config/all").write_text(CONFIG)


if __name__ == "__main__":
    main()
