# SPDX-License-Identifier: Apache-2.0
"""Tokenizers of the reference implementation: trained here with the pre-tokenizers of known models, or made from a GGUF
file's tables."""
import struct

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
BLANK = "\u2581"


def by_pattern(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def digits_then_gpt2():
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False)])


def added():
    return [AddedToken("<|im_start|>", special=True), AddedToken("<|im_end|>", special=True, rstrip=True),
            AddedToken("<mask>", special=True, lstrip=True), AddedToken("<|", special=True),
            AddedToken("  tool", special=False, normalized=False), AddedToken("word", special=False, single_word=True, normalized=False)]


def byte_level(pre_tokenizer, text, normalizer=None, ignore_merges=False):
    made = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    made.pre_tokenizer = pre_tokenizer
    made.decoder = decoders.ByteLevel()
    if normalizer:
        made.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator(text.splitlines(keepends=True), trainer)
    made.add_tokens(added())
    start = made.token_to_id("<|im_start|>")
    made.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", start)])])
    return made


def sentencepiece(text, metaspace):
    """As Llama 2's tokenizer.json (blanks by normalizers) or as newer ones (Metaspace)."""
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=BLANK, prepend_scheme="first", split=True)
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = [c for c in sorted(set(text)) if ord(c) < 0x3000]
    trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=specials, limit_alphabet=300, initial_alphabet=alphabet[:200],
                                  show_progress=False)
    made.train_from_iterator(text.splitlines(), trainer)
    rebuilt = Tokenizer.from_str(without_specials(made.to_str()))
    rebuilt.add_special_tokens(["<unk>", "<s>", "</s>"])
    if not metaspace:
        rebuilt.normalizer = normalizers.Sequence([normalizers.Prepend(BLANK), normalizers.Replace(" ", BLANK)])
        rebuilt.pre_tokenizer = None
    rebuilt.decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse(),
                                         decoders.Strip(" ", 1, 0)])
    return rebuilt


def without_specials(text):
    """The trainer's byte tokens are ordinary ones."""
    import json
    file = json.loads(text)
    file["added_tokens"] = []
    if file["pre_tokenizer"] is None:
        del file["pre_tokenizer"]
    return json.dumps(file)


def keys_of_gguf(path):
    """{key: value} of a GGUF file."""
    fixed = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    with open(path, "rb") as file:
        def number(code):
            return struct.unpack("<" + code, file.read(struct.calcsize("<" + code)))[0]

        def value(kind):
            if kind == 8:
                return file.read(number("Q")).decode()
            if kind == 9:
                inner, count = number("I"), number("Q")
                return [value(inner) for _ in range(count)]
            return number(fixed[kind])

        file.read(16)  # magic, version, tensors
        return {value(8): value(number("I")) for _ in range(number("Q"))}


def from_gguf(path, pre_tokenizer):
    keys = keys_of_gguf(path)
    tokens, kinds = keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in keys["tokenizer.ggml.merges"]]
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizer
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token, kind in zip(tokens, kinds) if kind == 3])
    return made
