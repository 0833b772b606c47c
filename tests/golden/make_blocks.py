#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random weight blocks of every GGUF type that Narae reads, and what the gguf package makes of them.

    make_blocks.py        writes blocks.gguf beside itself: tensors TYPE.blocks (in the type) and TYPE.values (f32)

Run by `make golden`; the result is committed, so the test (src/import/weights/dequantize_test.cc) needs no package.
"""
import pathlib

import gguf
import numpy as np

TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def main():
    rng = np.random.default_rng(11)
    writer = gguf.GGUFWriter(str(pathlib.Path(__file__).resolve().parent / "blocks.gguf"), "none")
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (3, 2 if values == 256 else 5, size), dtype=np.uint8)
        for at in HALVES[name]:  # scales are finite, of any sign and size
            scales = (rng.standard_normal(blocks.shape[:2]) * 10.0 ** rng.integers(-6, 3, blocks.shape[:2])).astype(np.float16)
            blocks[:, :, at:at + 2] = scales[..., None].view(np.uint8)
        blocks = blocks.reshape(3, -1)
        writer.add_tensor(f"{name.lower()}.blocks", blocks, raw_dtype=kind)
        writer.add_tensor(f"{name.lower()}.values", gguf.quants.dequantize(blocks, kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
