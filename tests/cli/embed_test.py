# SPDX-License-Identifier: Apache-2.0
"""embed on a small random encoder and words made here: the vectors of `run`, whatever a text shares a batch with."""
import json

from command import BAD_FILE, DOES_NOT_FIT, ROOT, USAGE, CommandTest
from onnx_file import I32, read_npy, write_npy
from tiny_encoder import BERT, LETTERS, SPECIAL, tiny_encoder, word_piece

class Embed(CommandTest):
    def setUp(self):
        super().setUp()
        self.encoder = tiny_encoder(self.folder / "bert")

    def words(self, tokenizer):
        (self.encoder / "tokenizer.json").write_text(json.dumps(tokenizer))

    def embed(self, data, *flags):
        return self.json("embed", self.encoder, "--text", self.file("lines.txt", data), *flags)["embeddings"]

    def by_run(self, ids):
        """The vector of these ids alone."""
        write_npy(self.folder / "ids.npy", I32, [1, len(ids)], ids)
        write_npy(self.folder / "mask.npy", I32, [1, len(ids)], [1] * len(ids))
        self.json("run", self.encoder, "--input", "ids=ids.npy", "--input", "mask=mask.npy", "--output-dir", "out")
        return read_npy(self.folder / "out/0.npy")[2]

    def close(self, got, wanted):
        self.assertEqual(len(got), len(wanted))
        self.assertLess(max(abs(a - b) for a, b in zip(got, wanted)), 1e-5)

    def test_lines(self):
        lines = ["cab", "A bee, bad?", "", "zoo of all " * 9, "h\u00e9 \u4e2d", "end"]
        got = self.embed("\n".join(lines[:2] + [lines[2] + "\r"] + lines[3:]).encode())
        self.assertEqual((len(got), {len(vector) for vector in got}), (len(lines), {32}))
        for line, vector in zip(lines, got):
            self.file("one.txt", line.encode())
            ids = self.json("tokenize", self.encoder, "--text", "one.txt", "--bos")["ids"]
            self.assertEqual((ids[0], ids[-1]), (2, 3))
            self.close(vector, self.by_run(ids if len(ids) <= 24 else ids[:23] + [3]))
            self.close(self.embed(line.encode() + b"\n")[0], vector)
            self.assertAlmostEqual(sum(x * x for x in vector), 1, places=5)
        self.assertEqual(self.embed(b""), [])
        many = self.embed("\n".join(LETTERS[:1 + i % 20] for i in range(100)).encode(), "--threads", "1")
        for i in range(20, 100):
            self.close(many[i], many[i % 20])
        plain = self.narae("embed", self.encoder, "--text", "lines.txt").stdout.splitlines()
        self.assertEqual((len(plain), len(plain[0].split())), (100, 32))

    def test_refused(self):
        lines = self.file("lines.txt", b"one\ntwo\n")
        self.error(USAGE, "embed", self.encoder, says="--text")
        self.error(BAD_FILE, "embed", self.encoder, "--text", "gone.txt", says="gone.txt")
        self.error(BAD_FILE, "embed", self.encoder, "--text", self.file("latin.txt", b"a\ncaf\xe9"), says=["UTF-8", "byte 5"])
        self.error(BAD_FILE, "embed", self.model, "--text", lines, says=["cnn.onnx", "no encoder"])
        self.error(BAD_FILE, "generate", self.encoder, "--prompt", "a", says=["no language model", "narae embed"])
        self.error(BAD_FILE, "embed", ROOT / "tests/data/models/tiny-qwen3", "--text", lines, says=["no encoder", "generate"])
        self.error(BAD_FILE, "embed", ROOT / "tests/golden/llm/bert.gguf", "--text", lines, says="bert.gguf")
        self.error(DOES_NOT_FIT, "embed", self.encoder, "--text", lines, "--memory-limit", "1000", says="memory")
        larger = word_piece()
        larger["model"]["vocab"].update({"x" * i: 54 + i for i in range(2, 30)})
        self.words(larger)
        self.error(BAD_FILE, "embed", self.encoder, "--text", lines, says=["84 tokens", "72"])
