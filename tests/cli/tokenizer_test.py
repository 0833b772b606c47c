# SPDX-License-Identifier: Apache-2.0
"""tokenize and detokenize on vocabularies made here: what they answer, and how damaged or unknown files are refused."""
import copy
import json
import struct
import unittest

from command import BAD_FILE, USAGE, CommandTest

LETTERS = [chr(b) if 0x21 <= b <= 0x7e or 0xa1 <= b <= 0xac or b >= 0xae else None for b in range(256)]
LETTERS = [letter or chr(0x100 + sum(x is None for x in LETTERS[:b])) for b, letter in enumerate(LETTERS)]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_bpe():
    vocabulary = {letter: byte for byte, letter in enumerate(LETTERS)} | {"he": 256, "ll": 257, "hell": 258}
    return {"version": "1.0", "truncation": None, "padding": None, "normalizer": None,
            "added_tokens": [{"id": 259, "content": "<|end|>", "special": True, "single_word": False, "lstrip": False,
                              "rstrip": False, "normalized": False}],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}},
                                                                        {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [], "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [259], "tokens": ["<|end|>"]}}},
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": vocabulary, "merges": ["h e", ["l", "l"], "he ll"]}}


def gguf(keys):
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def value(v):
        if isinstance(v, str):
            return struct.pack("<I", 8) + text(v)
        if isinstance(v, int):
            return struct.pack("<II", 4, v)
        kind = 8 if isinstance(v[0], str) else 5 if isinstance(v[0], int) else 6
        items = b"".join(text(x) if kind == 8 else struct.pack("<i" if kind == 5 else "<f", x) for x in v)
        return struct.pack("<IIQ", 9, kind, len(v)) + items

    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + b"".join(text(k) + value(v) for k, v in keys.items())


def gguf_keys():
    return {"general.architecture": "llama", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": LETTERS + ["he", "<|end|>"], "tokenizer.ggml.token_type": [1] * 257 + [3],
            "tokenizer.ggml.merges": ["h e"], "tokenizer.ggml.eos_token_id": 257, "tokenizer.ggml.bos_token_id": 257}


class Tokenizers(CommandTest):
    def setUp(self):
        super().setUp()
        self.text = self.file("text.txt", "hello h\u00e9<|end|>".encode())

    def made(self, change=None, name="tokenizer.json"):
        whole = byte_bpe()
        if change:
            change(whole)
        return self.file(name, json.dumps(whole).encode())

    def refused(self, change, says):
        with self.subTest(says=says):
            self.error(BAD_FILE, "tokenize", self.made(change), "--text", self.text, says=["tokenizer.json", *says])

    def test_json_and_folder(self):
        file = self.made()
        plain = [258, ord("o"), 0x20, ord("h"), 0xc3, 0xa9]
        end = [ord(c) for c in "<|end|>"]
        for model in (file, self.folder):
            self.assertEqual(self.json("tokenize", model, "--text", self.text)["ids"], plain + end)
            self.assertEqual(self.json("tokenize", model, "--text", self.text, "--bos", "--special")["ids"], [259] + plain + [259])
        ids = ",".join(map(str, plain + [259]))
        self.assertEqual(self.json("detokenize", file, "--ids", ids)["text"], "hello h\u00e9")
        self.assertEqual(self.json("detokenize", file, "--ids", ids, "--special")["text"], "hello h\u00e9<|end|>")
        self.assertEqual(self.json("detokenize", file, "--ids", "104,195")["text"], "h\ufffd")
        self.assertEqual(self.narae("tokenize", file, "--text", self.text).stdout, ",".join(map(str, plain + end)) + "\n")
        self.file("empty.txt", b"")
        self.assertEqual(self.json("tokenize", file, "--text", "empty.txt")["ids"], [])

    def test_vocabulary_only_gguf(self):
        model = self.file("vocab.gguf", gguf(gguf_keys()))
        self.assertEqual(self.json("tokenize", model, "--text", self.text, "--special")["ids"][-1], 257)
        self.assertEqual(self.json("detokenize", model, "--ids", "256,257")["text"], "he")
        for key, value, says in (("model", "t5", "t5"), ("pre", "falcon", "falcon"), ("token_type", [1, 1], "token_type"),
                                 ("merges", ["h x"] + ["q"], '"q"'), ("merges", ["h \u4e2d"], "\u4e2d"), ("merges", ["h o"], '"ho"'),
                                 ("token_type", [1] * 257 + [9], "257"), ("bos_token_id", 999, "bos_token_id"), ("tokens", 7, "tokens")):
            keys = gguf_keys() | {f"tokenizer.ggml.{key}": value}
            self.error(BAD_FILE, "tokenize", self.file("bad.gguf", gguf(keys)), "--text", self.text, says=["bad.gguf", says])
        keys = gguf_keys()
        del keys["tokenizer.ggml.pre"]
        self.error(BAD_FILE, "tokenize", self.file("bad.gguf", gguf(keys)), "--text", self.text, says="tokenizer.ggml.pre")

    def test_unknown_parts_are_refused_by_name(self):
        def put(key, value):
            return lambda whole: whole.__setitem__(key, value)

        def model(**values):
            return lambda whole: whole["model"].update(values)

        self.refused(put("normalizer", {"type": "Nmt"}), ["normalizer", "Nmt"])
        self.refused(put("normalizer", {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFKC"}]}), ["NFKC"])
        self.refused(put("pre_tokenizer", {"type": "UnicodeScripts"}), ["pre-tokenizer", "UnicodeScripts"])
        self.refused(put("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Isolated"}), ["a+"])
        self.refused(put("pre_tokenizer", {"type": "Split", "pattern": {"Regex": GPT2}, "behavior": "Isolated"}), ["ByteLevel"])
        self.refused(put("pre_tokenizer", None), ["BPE"])
        self.refused(put("post_processor", {"type": "Mystery"}), ["post-processor", "Mystery"])
        self.refused(put("decoder", {"type": "CTC"}), ["decoder", "CTC"])
        self.refused(model(type="Unigram"), ["Unigram"])
        self.refused(model(dropout=0.5), ["dropout"])
        self.refused(model(end_of_word_suffix="</w>"), ["end_of_word_suffix"])

    def test_damaged_tables(self):
        def model(**values):
            return lambda whole: whole["model"].update(values)

        self.refused(model(vocab={"a": -1}), ['"a"', "-1"])
        self.refused(model(vocab={"a": 2 ** 40}), ['"a"'])
        self.refused(model(vocab={"a": 1, "b": 1}), ["same id"])
        self.refused(model(vocab={"a": "x"}), ["type"])
        self.refused(model(vocab=[1, 2]), ["vocab"])
        self.refused(model(vocab={}, merges=[]), ["byte"])
        self.refused(model(merges=["h"]), ['"h"'])
        self.refused(model(merges=["h zz"]), ['"zz"'])
        self.refused(model(merges=["h o"]), ['"ho"'])
        self.refused(model(merges=[["h", "e", "l"]]), ["merge"])
        self.refused(model(merges={"h": "e"}), ["merges"])
        self.refused(lambda whole: whole["added_tokens"][0].update(id=5), ["<|end|>", "5"])
        self.refused(lambda whole: whole["added_tokens"][0].update(content=7), ["type"])
        self.refused(lambda whole: whole["post_processor"]["special_tokens"]["<|end|>"].update(ids=[2000]), ["2000"])
        self.refused(lambda whole: whole.pop("model"), ["model"])
        whole = json.dumps(byte_bpe()).encode()
        for cut in range(1, len(whole), len(whole) // 25):
            self.error(BAD_FILE, "tokenize", self.file("cut.json", whole[:cut]), "--text", self.text, says="cut.json")
        for bad in (b"", b"[]", b"\x00\x01", b"{" * 1000, b'{"model":1}', b'{"model":{"type":[]}}', b'{"model":' + b"[" * 500):
            self.error(BAD_FILE, "detokenize", self.file("bad.json", bad), "--ids", "1", says="bad.json")

    def test_texts_and_ids(self):
        model = self.made()
        self.file("latin.txt", b"caf\xe9 noir")
        self.error(BAD_FILE, "tokenize", model, "--text", "latin.txt", says=["latin.txt", "UTF-8", "byte 3"])
        self.error(BAD_FILE, "tokenize", model, "--text", "gone.txt", says="gone.txt")
        self.error(BAD_FILE, "tokenize", "gone.json", "--text", self.text, says="gone.json")
        self.error(USAGE, "tokenize", model, says="--text")
        self.error(USAGE, "tokenize", model, "--text", "", says="--text")
        self.error(USAGE, "detokenize", model, says="--ids")
        for ids in ("260", "-1", "1,260"):
            self.error(USAGE, "detokenize", model, f"--ids={ids}", says=["0 to 259"])
        for ids in ("x", "1,,2", "1.5", "99999999999999", "1,", ",1"):
            self.error(USAGE, "detokenize", model, f"--ids={ids}", says="--ids")
        self.assertEqual(self.json("detokenize", model, "--ids", "")["text"], "")
        whole = copy.deepcopy(byte_bpe())
        whole["post_processor"] = None
        self.error(USAGE, "tokenize", self.file("plain.json", json.dumps(whole).encode()), "--text", self.text, "--bos", says="--bos")
        self.error(BAD_FILE, "tokenize", self.model, "--text", self.text, says=["cnn.onnx", "no tokenizer"])

    def test_folder(self):
        bare = self.folder / "bare"
        bare.mkdir()
        self.error(BAD_FILE, "tokenize", bare, "--text", self.text, says=["bare", "tokenizer.json"])
        (bare / "tokenizer.model").write_bytes(b"x")
        self.error(BAD_FILE, "tokenize", bare, "--text", self.text, says="tokenizer.model")
        (bare / "tokenizer.json").write_text(json.dumps(byte_bpe()))
        self.json("tokenize", bare, "--text", self.text)
        (bare / "tokenizer_config.json").write_text('{"eos_token": {"content": "<|end|>"}, "bos_token": null}')
        self.json("tokenize", bare, "--text", self.text)
        (bare / "tokenizer_config.json").write_text('{"eos_token": "<gone>"}')
        self.error(BAD_FILE, "tokenize", bare, "--text", self.text, says=["tokenizer_config.json", "<gone>"])
        (bare / "tokenizer_config.json").write_text("{}")
        (bare / "generation_config.json").write_text('{"eos_token_id": [1, 4000]}')
        self.error(BAD_FILE, "tokenize", bare, "--text", self.text, says=["generation_config.json", "4000"])



if __name__ == "__main__":
    unittest.main()
