# SPDX-License-Identifier: Apache-2.0
"""A small random encoder with a tokenizer of single letters: word pieces "a" to "z" and "##a" to "##z"."""
import json
import pathlib
import shutil

BERT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/llm/bert"  # 72 tokens, 24 positions, width 32
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word_piece():
    words = SPECIAL + list(LETTERS) + ["##" + letter for letter in LETTERS]
    mark = [{"id": name, "ids": [words.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")]
    single = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [
                {"id": i, "content": name, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
                 "normalized": False} for i, name in enumerate(SPECIAL)],
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                           "strip_accents": None, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing", "single": single, "pair": [],
                               "special_tokens": {one["id"]: one for one in mark}},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(words)}}}


def tiny_encoder(folder):
    """Makes it in `folder`, which it returns."""
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(BERT / name, folder)
    (folder / "tokenizer.json").write_text(json.dumps(word_piece()))
    return folder
