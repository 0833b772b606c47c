#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Perplexity of SmolLM2 over 511 predictions of running text, against a reference made in fp32 by NumPy: how much rows in
8 bits may cost, and that fp32 costs nothing. perplexity.py --narae F --shared D --cache D; ends with 77 where data lacks."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

REFERENCE = 20.976
ALLOWED = {"fp32": 0.001, "int8": 0.01}  # of the reference


def main():
    parser = argparse.ArgumentParser()
    for name in ("narae", "shared", "cache"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    flags = parser.parse_args()
    model = flags.cache / "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    packed = flags.shared / "data/text/wiki.test.raw.zst"
    for path in (model, packed):
        if not path.exists():
            print(f"skipped: {'wheel' if path == model else 'data'}: there is no {path}")
            return 77
    worst = 0
    with tempfile.TemporaryDirectory(prefix="narae-perplexity-") as folder:
        text = pathlib.Path(folder, "text")
        text.write_bytes(subprocess.run(["zstd", "-dcq", packed], stdout=subprocess.PIPE, check=True).stdout[:20000])
        for activations, allowed in ALLOWED.items():
            answer = json.loads(subprocess.run(
                [flags.narae, "perplexity", model, "--text", text, "--window", "512", "--max-windows", "1",
                 "--activations", activations, "--json"], stdout=subprocess.PIPE, check=True).stdout)
            change = answer["perplexity"] / REFERENCE - 1
            print(f"{activations}: {answer['perplexity']:.4f} over {answer['predictions']} predictions, "
                  f"{change:+.2%} (allowed {allowed:.1%})")
            worst |= answer["predictions"] != 511 or abs(change) > allowed
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
