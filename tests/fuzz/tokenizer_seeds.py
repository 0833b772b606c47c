#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tokenizer_seeds.py OUT: small tokenizer.json and GGUF files of every kind of tokenizer that Narae reads, for the
fuzzers to begin with (OUT/tokenizer_json, OUT/gguf_tokenizer)."""
import json
import pathlib
import struct
import sys

BLANK = "\u2581"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")


def numbered(tokens):
    return {token: id_ for id_, token in enumerate(tokens)}


def added(*tokens):
    return [{"id": id_, "content": text, "special": special, "lstrip": True, "rstrip": True, "single_word": not special,
             "normalized": False} for id_, text, special in tokens]


def template(name, id_):
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {name: {"id": name, "ids": [id_], "tokens": [name]}}}


def byte_bpe(pre_tokenizer, normalizer=None):
    return {"normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "decoder": {"type": "ByteLevel"},
            "added_tokens": added((9, "<s>", True), (10, "it", False)), "post_processor": template("<s>", 9),
            "model": {"type": "BPE", "ignore_merges": False, "vocab": numbered(["H", "e", "l", "o", "\u0120", "1", "ll", "He", "Hell"]),
                      "merges": ["l l", ["H", "e"], "He ll"]}}


def sentencepiece(normalizer, pre_tokenizer):
    return {"normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "added_tokens": added((0, "<unk>", True), (1, "<s>", True)),
            "model": {"type": "BPE", "byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>", "merges": [f"{BLANK} w", "l l"],
                      "vocab": numbered(["<unk>", "<s>", "<0xC3>", BLANK, "w", "l", f"{BLANK}w", "ll", "o"])},
            "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}}


def gguf(**keys):
    """A GGUF file with these keys below tokenizer.ggml and no tensors."""
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def value(v):
        if isinstance(v, list):
            kind = 8 if isinstance(v[0], str) else 5 if isinstance(v[0], int) else 6
            items = b"".join(text(x) if kind == 8 else struct.pack("<i" if kind == 5 else "<f", x) for x in v)
            return struct.pack("<IIQ", 9, kind, len(v)) + items
        return struct.pack("<I", 8) + text(v) if isinstance(v, str) else struct.pack("<II", 4, v)

    pairs = b"".join(text("tokenizer.ggml." + key) + value(v) for key, v in keys.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + pairs


def gguf_seeds():
    words = ["H", "e", "l", "o", "\u0120", "1", "ll", "He", "Hell", "<s>", "it"]
    kinds = [1] * 9 + [3, 4]
    seeds = {pre: gguf(model="gpt2", pre=pre, tokens=words, token_type=kinds, merges=["l l", "H e", "He ll"], bos_token_id=9)
             for pre in ("gpt-2", "smollm", "llama-bpe", "qwen2")}
    pieces = ["<unk>", "<s>", "<0xC3>", BLANK, "w", "l", f"{BLANK}w", "ll", "o"]
    seeds["llama"] = gguf(model="llama", tokens=pieces, token_type=[2, 3, 6] + [1] * 6, unknown_token_id=0, bos_token_id=1,
                          scores=[-float(i) for i in range(9)])
    words = ["[UNK]", "[CLS]", "[SEP]", f"{BLANK}he", "llo", f"{BLANK}w", "or", "ld", f"{BLANK}'", f"{BLANK}s"]
    seeds["bert"] = gguf(model="bert", tokens=words, token_type=[3] * 3 + [1] * 7, unknown_token_id=0, cls_token_id=1, eos_token_id=2)
    return seeds


def main():
    out = pathlib.Path(sys.argv[1])
    for folder in ("tokenizer_json", "gguf_tokenizer"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name, seed in gguf_seeds().items():
        (out / "gguf_tokenizer" / name).write_bytes(seed)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}
    seeds = {
        "gpt2": byte_bpe({"type": "ByteLevel", "add_prefix_space": True}),
        "gpt2_split": byte_bpe({"type": "Sequence", "pretokenizers": [split | {"pattern": {"Regex": GPT2}}, byte_level]}),
        "llama3": byte_bpe({"type": "Sequence", "pretokenizers": [split, byte_level]}, {"type": "NFC"}),
        "digits": byte_bpe({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True},
                                                                  byte_level | {"use_regex": True}]}),
        "llama2": sentencepiece({"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": BLANK}, {"type": "Replace", "pattern": {"String": " "}, "content": BLANK}]}, None),
        "metaspace": sentencepiece(None, {"type": "Metaspace", "replacement": BLANK, "prepend_scheme": "first", "split": False}),
        "bert": {"normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
                 "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                 "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
                 "added_tokens": added((0, "[UNK]", True), (1, "[CLS]", True), (2, "[SEP]", True)),
                 "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 9,
                           "vocab": numbered(["[UNK]", "[CLS]", "[SEP]", "he", "##llo", "w", "##or", "##ld", "'", "s"])}},
    }
    for name, seed in seeds.items():
        (out / "tokenizer_json" / name).write_bytes(json.dumps(seed).encode() + b"\0Hello w\xc3\xb6rld it's <s> 12")


if __name__ == "__main__":
    main()
