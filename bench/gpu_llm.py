#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_llm.py: language models of known shapes with random weights on a GPU, one row per shape and load.

Weights are made on the spot (bf16, normal, 0.02) as a Hugging Face folder with a tokenizer of bytes; prompts are random. A row
is `narae bench` with keys and values in bf16; rates are tokens/s of all sequences together, the share is of the memory's
datasheet bandwidth that reading the weights once a step takes. Rows are appended to OUT/rows.jsonl as they end; one that
stands there is not measured again.
"""
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import time

import torch

SHAPES = {  # hidden, intermediate, layers, heads, kv heads, tied embedding
    "llama-8b": (4096, 14336, 32, 32, 8, False),
    "llama-1.2b": (2048, 8192, 16, 32, 8, True),
}
VOCABULARY = 128256
# shape, tokens of a prompt, of an answer, sequences, further flags
ROWS = [("llama-1.2b", 128, 256, 1, []), ("llama-8b", 128, 256, 1, []), ("llama-8b", 4096, 128, 1, []),
        ("llama-8b", 896, 256, 64, []), ("llama-8b", 896, 256, 256, []), ("llama-1.2b", 896, 256, 64, [])]


def tensors(shape):
    hidden, inner, layers, heads, kv_heads, tied = SHAPES[shape]
    width = hidden // heads
    yield "model.embed_tokens.weight", (VOCABULARY, hidden)
    for i in range(layers):
        at = f"model.layers.{i}."
        for name, dims in (("self_attn.q_proj", (hidden, hidden)), ("self_attn.k_proj", (kv_heads * width, hidden)),
                           ("self_attn.v_proj", (kv_heads * width, hidden)), ("self_attn.o_proj", (hidden, hidden)),
                           ("mlp.gate_proj", (inner, hidden)), ("mlp.up_proj", (inner, hidden)),
                           ("mlp.down_proj", (hidden, inner)), ("input_layernorm", (hidden,)),
                           ("post_attention_layernorm", (hidden,))):
            yield at + name + ".weight", dims
    yield "model.norm.weight", (hidden,)
    if not tied:
        yield "lm_head.weight", (VOCABULARY, hidden)


def tokenizer():
    """Bytes only, each written as the character that byte-level BPE has for it."""
    own = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
    others = [b for b in range(256) if b not in own]
    letters = {**{b: chr(b) for b in own}, **{b: chr(256 + i) for i, b in enumerate(others)}}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": level, "post_processor": None,
            "decoder": level, "model": {"type": "BPE", "vocab": {letters[b]: b for b in range(256)}, "merges": []}}


def make_model(shape, folder):
    path = folder / shape
    if (path / "config.json").exists():
        return path
    path.mkdir(parents=True, exist_ok=True)
    hidden, inner, layers, heads, kv_heads, tied = SHAPES[shape]
    header, offset = {}, 0
    for name, dims in tensors(shape):
        size = 2 * torch.Size(dims).numel()
        header[name] = {"dtype": "BF16", "shape": dims, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    generator = torch.Generator("cuda").manual_seed(1)
    with (path / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, dims in tensors(shape):
            data = torch.randn(dims, generator=generator, device="cuda", dtype=torch.bfloat16) * 0.02
            if len(dims) == 1:
                data += 1
            file.write(data.cpu().view(torch.int16).numpy().tobytes())
    (path / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (path / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "vocab_size": VOCABULARY, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "max_position_embeddings": 16384,
        "hidden_act": "silu", "torch_dtype": "bfloat16", "tie_word_embeddings": tied, "bos_token_id": 1,
        "eos_token_id": 2}))
    torch.cuda.empty_cache()
    return path


def measure(args, shape, prompt, new, sequences, flags):
    path = make_model(shape, args.models)
    command = [args.narae, "bench", str(path), "--device", "cuda", "--cuda-libs", args.libs, "--cache-dir",
               str(args.out / "cache"), "--precision", "bf16", "--prompt-tokens", str(prompt), "--new-tokens", str(new),
               "--concurrency", str(sequences), "--duration", "0", "--step-tokens", str(max(2048, sequences + 1)), "--json",
               *flags]
    start = time.time()
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    row = {"model": shape, "prompt": prompt, "new": new, "sequences": sequences, "precision": "bf16",
           "device": torch.cuda.get_device_name(), "date": time.strftime("%Y-%m-%d"), "wall_s": round(time.time() - start, 1)}
    if ran.returncode:
        return {**row, "error": ran.stderr.strip()[-800:]}
    row.update(json.loads(ran.stdout))
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--narae", required=True)
    parser.add_argument("--libs", default="")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("/dev/shm/narae-models"))
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rows_file = args.out / "rows.jsonl"
    known = [json.loads(line) for line in rows_file.read_text().splitlines()] if rows_file.exists() else []
    done = {(r["model"], r.get("prompt"), r.get("new"), r.get("sequences")) for r in known if "error" not in r}
    failed = 0
    for shape, prompt, new, sequences, flags in ROWS:
        if (shape, prompt, new, sequences) in done or args.only not in f"{shape} p{prompt} n{new} s{sequences}":
            continue
        try:
            row = measure(args, shape, prompt, new, sequences, flags)
        except Exception as error:  # one row's failure is a row, not the end
            row = {"model": shape, "prompt": prompt, "new": new, "sequences": sequences, "error": repr(error)[-600:]}
        failed += "error" in row
        with rows_file.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
