#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`narae tokenize` and `detokenize` against PyPI `tokenizers`: every id of 1 MB of mixed text, special tokens, and random
ids back to text (broken characters are replaced alike). With NARAE_RESULTS set, a JUnit file goes there."""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as xml

from tokenizers import Tokenizer, normalizers, pre_tokenizers

import made_tokenizers as made
from mixed_text import mixed_text

SIZE = 1_000_000


class Skip(Exception):
    pass


class Compare:
    def __init__(self, narae, cache, folder):
        self.narae, self.cache, self.folder = narae, cache, folder
        self.text = mixed_text(SIZE, seed=1)
        self.some = mixed_text(150_000, seed=2)  # to train on
        self.lines = mixed_text(100_000, seed=3).splitlines(keepends=True)

    def command(self, *words):
        done = subprocess.run([self.narae, *map(str, words), "--json"], capture_output=True, timeout=300)
        assert done.returncode == 0, f"{words[:2]} ended with {done.returncode}: {done.stdout[:2000]} {done.stderr[:2000]}"
        return json.loads(done.stdout)

    def ids(self, model, text, *flags):
        path = self.folder / "text.txt"
        path.write_bytes(text.encode())
        return self.command("tokenize", model, "--text", path, *flags)["ids"]

    def saved(self, reference, name):
        path = self.folder / name
        path.mkdir()
        reference.save(str(path / "tokenizer.json"))
        return path

    def check(self, model, reference, around=True, exact_decode=True):
        """around: the reference puts special tokens around a text; exact_decode: it says what becomes of any bytes."""
        count = self.same_ids(model, reference, self.text)
        for text in ["", " ", "\n", "a", " a  b ", "\u0130", "<|im_start|>user\nhi<|im_end|>  \n x <mask> word sword  tool<|"] + self.lines[:40]:
            self.same_ids(model, reference, text)
        if around:
            want = reference.encode(self.lines[0]).ids
            assert want != reference.encode(self.lines[0], add_special_tokens=False).ids, "no tokens around a text"
            assert self.ids(model, self.lines[0], "--bos", "--special") == want, "--bos"
        self.same_texts(model, reference, exact_decode)
        return f"{count} ids equal"

    def same_ids(self, model, reference, text):
        want = reference.encode(text, add_special_tokens=False).ids
        got = self.ids(model, text, "--special")
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            near = [[reference.id_to_token(i) for i in ids[max(0, at - 4):at + 6]] for ids in (got, want)]
            raise AssertionError(f"ids differ at {at} ({len(got)} and {len(want)}): {ascii(near[0])}, wanted {ascii(near[1])}")
        return len(want)

    def same_texts(self, model, reference, exact_decode):
        rng = random.Random(4)
        runs = [reference.encode(line, add_special_tokens=False).ids for line in self.lines[:20]]
        if exact_decode:
            runs += [[rng.randrange(reference.get_vocab_size()) for _ in range(300)] for _ in range(20)]
        for ids in runs:
            while ids and reference.id_to_token(ids[0]).startswith("##"):  # the reference shows the mark of a first one
                ids = ids[1:]
            if not ids:
                continue
            for flags, skip in (([], True), (["--special"], False)):
                got = self.command("detokenize", model, "--ids", ",".join(map(str, ids)), *flags)["text"]
                want = reference.decode(ids, skip_special_tokens=skip)
                at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
                assert got == want, f"text differs at {at}: {ascii(got[at - 20:at + 20])}, wanted {ascii(want[at - 20:at + 20])}"


def compare_gpt2(compare):
    reference = made.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), compare.some)
    return compare.check(compare.saved(reference, "gpt2"), reference)


def compare_prefix_space(compare):
    reference = made.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), compare.some)
    return compare.check(compare.saved(reference, "prefix"), reference)


def compare_digits(compare):
    reference = made.byte_level(made.digits_then_gpt2(), compare.some)
    return compare.check(compare.saved(reference, "digits"), reference)


def compare_llama3(compare):
    reference = made.byte_level(made.by_pattern(made.LLAMA3), compare.some, ignore_merges=True)
    return compare.check(compare.saved(reference, "llama3"), reference)


def compare_qwen2(compare):
    reference = made.byte_level(made.by_pattern(made.QWEN2), compare.some, normalizer=normalizers.NFC())
    return compare.check(compare.saved(reference, "qwen2"), reference)


def compare_sentencepiece(compare):
    reference = made.sentencepiece(compare.some, metaspace=False)
    return compare.check(compare.saved(reference, "sentencepiece"), reference, around=False, exact_decode=False)


def compare_metaspace(compare):
    reference = made.sentencepiece(compare.some, metaspace=True)
    return compare.check(compare.saved(reference, "metaspace"), reference, around=False, exact_decode=False)


def wheel_file(compare, name):
    path = compare.cache / "models" / name
    if not path.exists():
        raise Skip(f"wheel: {name} was not fetched by the set-up")
    return path


def compare_smollm2(compare):
    path = wheel_file(compare, "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    return compare.check(path, made.from_gguf(path, made.digits_then_gpt2()), around=False)


def compare_minilm(compare):
    path = wheel_file(compare, "minilm/tokenizer.json")
    reference = Tokenizer.from_file(str(path))
    reference.no_truncation()
    reference.no_padding()
    return compare.check(path, reference)


CASES = [compare_gpt2, compare_prefix_space, compare_digits, compare_llama3, compare_qwen2, compare_sentencepiece,
         compare_metaspace, compare_smollm2, compare_minilm]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narae", required=True, help="the narae command")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="the set-up's cache, with the models of wheels")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    args = parser.parse_args()
    suite = xml.Element("testsuite", name="tokenizers")
    good = True
    for function in CASES:
        name = function.__name__.removeprefix("compare_")
        if args.only not in name:
            continue
        case = xml.SubElement(suite, "testcase", name=name, classname="tokenizers")
        with tempfile.TemporaryDirectory(prefix="narae-tokenizers-") as folder:
            try:
                print(f"  {name}: {function(Compare(args.narae, args.cache, pathlib.Path(folder)))}", flush=True)
            except Skip as skip:
                xml.SubElement(case, "skipped", message=str(skip))
                print(f"  {name}: skipped, {skip}", flush=True)
            except Exception as error:  # noqa: BLE001: one broken case must not hide the others
                good = False
                xml.SubElement(case, "failure", message=ascii(str(error))[:4000])
                print(f"  {name}: FAILED: {str(error)[:2000]}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
    if results := os.environ.get("NARAE_RESULTS"):
        root = xml.Element("testsuites")
        root.append(suite)
        xml.ElementTree(root).write(results, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
