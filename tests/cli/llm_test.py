# SPDX-License-Identifier: Apache-2.0
"""generate, chat and perplexity on a tiny language model: what they answer, and what they refuse."""
import json
import math
import shutil
import subprocess

from command import BAD_FILE, BINARY, DOES_NOT_FIT, OK, ROOT, USAGE, CommandTest
from onnx_file import read_npy

MODEL = ROOT / "tests/data/models/tiny-qwen3"
GOLDEN = json.loads((MODEL / "golden.json").read_text())["cases"]


class Llm(CommandTest):
    def generate(self, *flags):
        return self.json("generate", MODEL, "--greedy", "--ignore-eos", *flags)

    def test_one_prompt(self):
        case = GOLDEN[0]
        by_text = self.generate("--prompt", case["prompt"], "--max-tokens", 20)
        self.assertEqual(by_text["prompt_ids"], case["prompt_ids"])
        self.assertEqual(by_text["ids"], case["greedy_ids"][:20])
        self.assertEqual(by_text["finish_reason"], "length")
        ids = ",".join(map(str, case["prompt_ids"]))
        by_ids = self.generate("--ids", ids, "--max-tokens", 20, "--logits", "logits.npy", "--kv", "f16",
                               "--page-size", 5, "--step-tokens", 7)
        self.assertEqual(by_ids["text"], by_text["text"])
        _, (rows, width), logits = read_npy(self.folder / "logits.npy")
        self.assertEqual(rows, len(case["prompt_ids"]) + 19)
        for row, wanted in zip(range(len(case["prompt_ids"]) - 1, rows), by_text["ids"]):
            logit = logits[row * width:(row + 1) * width]
            self.assertEqual(logit.index(max(logit)), wanted)
        stopped = self.generate("--ids", ids, "--max-tokens", 20, "--stop", by_text["text"][5:8])
        self.assertEqual(stopped["finish_reason"], "stop")
        self.assertEqual(stopped["text"], by_text["text"][:by_text["text"].find(by_text["text"][5:8])])

    def test_run_and_compare_name_the_remedy(self):
        for arguments in (("run", MODEL, "--output-dir", "out"), ("compare", MODEL, "--against", "out"),
                          ("run", MODEL, "--output-dir", "out", "--input", "x.npy")):
            self.assertIn("--logits", self.error(USAGE, *arguments, says="narae generate"))
        self.leaves_nothing("out")

    def test_engine_files_find_their_tokenizer(self):
        model = self.folder / "model"
        shutil.copytree(MODEL, model)
        self.json("build", model, "-o", "model.narae")
        case = GOLDEN[0]
        told = self.json("generate", "model.narae", "--greedy", "--ignore-eos", "--prompt", case["prompt"], "--max-tokens", 8)
        self.assertEqual(told["ids"], case["greedy_ids"][:8])
        model.rename(self.folder / "moved")
        self.error(BAD_FILE, "generate", "model.narae", "--prompt", "x", says=["model.narae", str(model), "build the engine again"])

    def test_activations_that_do_nothing_are_named(self):
        flags = ("generate", MODEL, "--ids", "1", "--max-tokens", 1, "--isa", "portable")
        self.assertNotIn("int8", self.narae(*flags).stderr)
        self.assertNotIn("int8", self.narae(*flags, "--activations", "fp32").stderr)
        self.assertIn("portable has no products of 8-bit rows", self.narae(*flags, "--activations", "int8").stderr)

    def test_requests(self):
        lines = [{"id": f"r{i}", "ids": case["prompt_ids"], "max_tokens": 5 + i} for i, case in enumerate(GOLDEN)]
        (self.folder / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
        ran = self.narae("generate", MODEL, "--greedy", "--ignore-eos", "--requests", "requests.jsonl",
                         "--concurrency", 3, "--json")
        self.assertEqual(ran.returncode, OK, ran.stderr)
        answers = {answer["id"]: answer for answer in map(json.loads, ran.stdout.splitlines())}
        self.assertEqual(set(answers), {line["id"] for line in lines})
        for i, case in enumerate(GOLDEN):
            self.assertEqual(answers[f"r{i}"]["ids"], case["greedy_ids"][:5 + i])

    def test_bench(self):
        flags = ["--prompt-tokens", 20, "--new-tokens", 12, "--duration", 0, "--step-tokens", 16, "--kv", "f16"]
        told = {}
        for count, context in ((1, 32), (3, 64)):
            ran = self.narae("bench", MODEL, *flags, "--concurrency", count, "--context", context, "--json")
            self.assertEqual(ran.returncode, OK, ran.stderr)
            told[count] = json.loads(ran.stdout)
            self.conforms("bench_llm", told[count])
            self.assertEqual(told[count]["rounds"], 1)
            for key in ("prompt_tokens_per_s", "decode_tokens_per_s", "peak_rss_bytes", "weights_bytes"):
                self.assertGreater(told[count][key], 0, key)
            for key in ("step_ms", "ttft_ms"):
                self.assertTrue(0 < told[count][key]["p50"] <= told[count][key]["p90"] <= told[count][key]["p99"])
        self.assertGreater(told[3]["kv_bytes"], 3 * told[1]["kv_bytes"])
        self.error(USAGE, "bench", MODEL, says="--prompt-tokens")
        self.error(USAGE, "bench", MODEL, *flags, "--context", 31, says=["--context", "20 + 12"])
        self.error(USAGE, "bench", MODEL, *flags, "--layers", says="--layers")
        self.error(USAGE, "bench", MODEL, "--prompt-tokens", 0, says="--prompt-tokens")
        self.error(DOES_NOT_FIT, "bench", MODEL, "--prompt-tokens", 10 ** 6, "--new-tokens", 1, says="tokens of a sequence")
        self.error(BAD_FILE, "bench", self.model, "--prompt-tokens", 5, says="no language model")

    def test_seeds(self):
        flags = ["generate", MODEL, "--prompt", "The king", "--max-tokens", 12, "--temperature", 1.5]
        first = self.json(*flags, "--seed", 7)["ids"]
        self.assertEqual(self.json(*flags, "--seed", 7)["ids"], first)
        self.assertNotEqual(self.json(*flags, "--seed", 8)["ids"], first)

    def test_perplexity(self):
        (self.folder / "text").write_text(" ".join(case["prompt"] for case in GOLDEN) * 8)
        whole = self.json("perplexity", MODEL, "--text", "text")
        self.assertEqual(whole["predictions"], whole["tokens"] - 1)
        self.assertAlmostEqual(math.exp(whole["nll"]), whole["perplexity"], 4)
        parts = self.json("perplexity", MODEL, "--text", "text", "--window", 16, "--stride", 8, "--max-windows", 3)
        self.assertEqual(parts["predictions"], 15 + 8 + 8)
        self.error(USAGE, "perplexity", MODEL, "--text", "text", "--window", 8, "--stride", 9, says="--stride")

    def test_refused(self):
        self.error(USAGE, "generate", MODEL, says=["--ids", "--prompt", "--chat", "--requests"])
        self.error(USAGE, "generate", MODEL, "--ids", "1,x", says="1,x")
        self.error(USAGE, "generate", MODEL, "--ids", "1,999999", says="999999")
        self.error(USAGE, "generate", MODEL, "--prompt", "a", "--greedy", "--temperature", "1", says="--greedy")
        self.error(USAGE, "generate", MODEL, "--prompt", "a", "--top-p", "2", says="--top-p")
        self.error(USAGE, "generate", MODEL, "--prompt", "a", "--stop", "", says="stop")
        self.error(DOES_NOT_FIT, "generate", MODEL, "--prompt", "a " * 5000, says="context")
        self.error(DOES_NOT_FIT, "generate", MODEL, "--prompt", "a", "--memory-limit", "100000", says="limit")
        self.error(BAD_FILE, "generate", self.model, "--prompt", "a", says="language model")
        (self.folder / "bad.json").write_text("[{]")
        self.error(BAD_FILE, "generate", MODEL, "--chat", "bad.json", says="bad.json")
        (self.folder / "bad.jsonl").write_text('{"ids": [1], "max_tokens": "many"}\n')
        self.error(USAGE, "generate", MODEL, "--requests", "bad.jsonl", says=["line 1", "bad.jsonl"])
        self.error(USAGE, "chat", MODEL, says="generate")

    def test_chat_speaks_on_a_terminal(self):
        said = subprocess.run([BINARY, "chat", str(MODEL), "--max-tokens", "4"], input="hello\n", text=True,
                              capture_output=True, timeout=120)
        if said.returncode == USAGE:
            self.assertIn("chat template", said.stderr)
        else:
            self.assertEqual(said.returncode, OK, said.stderr)
            self.assertIn("tokens/s", said.stdout)
