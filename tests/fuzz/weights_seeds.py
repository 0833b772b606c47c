#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weights_seeds.py OUT: first inputs of the gguf and safetensors fuzzers, of the models in tests/golden: their headers,
as the fuzzers go on with zeros (gguf_fuzz.cc, safetensors_fuzz.cc)."""
import pathlib
import struct
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def main():
    out = pathlib.Path(sys.argv[1])
    for folder in ("gguf", "safetensors"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for path in [*(GOLDEN / "llm").glob("*.gguf"), GOLDEN / "blocks.gguf"]:
        (out / "gguf" / path.name).write_bytes(path.read_bytes()[:4096])
    for path in (GOLDEN / "llm").glob("*/model.safetensors"):
        data = path.read_bytes()
        header = data[:8 + struct.unpack("<Q", data[:8])[0]]
        config = (path.parent / "config.json").read_bytes()
        (out / "safetensors" / path.parent.name).write_bytes(config + b"\0" + header)


main()
