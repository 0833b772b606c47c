# SPDX-License-Identifier: Apache-2.0
"""Text that is hard to cut: many scripts, every kind of blank, numbers, contractions, code, emoji, marks. Seeded."""
import random
import unicodedata

PROSE = """The quick brown fox jumps over the lazy dog, doesn't it? We've seen HE'LL and I'D and they'Re; it's 'tis o'clock.
In 1984, 3,141 people paid $59.99 (or 49,95 \u20ac) for 12345678 items at 7:30pm. Prices rose 4.5% \u2014 "again", she said.
Stra\u00dfe, na\u00efve, co\u00f6perate, \u0130stanbul, \u00c5ngstr\u00f6m, fa\u00e7ade, \u0141\u00f3d\u017a, Zo\u00eb's r\u00e9sum\u00e9, \u01c5 \ufb01ne \u017ftill 'S '\u017f 'T 'LL 'Ve
\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0412 2024 \u0433\u043e\u0434\u0443. \u0397 \u03b3\u03bb\u03ce\u03c3\u03c3\u03b1 \u03c4\u03c9\u03bd \u03b1\u03c1\u03c7\u03b1\u03af\u03c9\u03bd. \u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u05e2\u05d5\u05b9\u05dc\u05b8\u05dd. \u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u0661\u0662\u0663\u0664
\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0967\u0968\u0969, \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 \u0e51\u0e52\u0e53, \u4f60\u597d\uff0c\u4e16\u754c\uff01\u4eca\u5929\u662f2024\u5e745\u67081\u65e5\u3002\u3053\u3093\u306b\u3061\u306f\u4e16\u754c\u3001\u30ab\u30bf\u30ab\u30ca\u3002\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4, \ub098\ub798.
def f(x):\n\tif x >= 10 and x != None:\n\t\treturn [i**2 for i in range(x)]  # comment\r\n    else: pass;;;\n\n\n#include <stdio.h>
for(int i=0;i<n;++i){ a[i]+=b[i]*2.5e-3f; } // -> \\n \\t "quoted" 'single' `back` <tag attr="v"/> {{x}} ___ === *** ### ...
\U0001f600\U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f \U0001f1f0\U0001f1f7 \u2192 \u2211 \u221e \u00bd \u2153 \u2167 \u2460 \u00b2 x\u00b3 \u00a9 \u2122 \u20bf \u2026 \u00ab\u00bb \u201c\u201d \u2018\u2019 don\u2019t
"""
WORDS = PROSE.split()
BLANKS = [" ", " ", " ", " ", " ", " ", "  ", "   ", "    ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\n  \n\t ", "\u00a0", "\u3000",
          "\u2003", " \u2009 ", "\u2028", "\u0085", "\x0b", "\x0c", "", "", " " * 17]
RANGES = [(0x20, 0x7e), (0xa1, 0x24f), (0x250, 0x2af), (0x300, 0x344), (0x391, 0x3a1), (0x400, 0x52f), (0x5d0, 0x5ea), (0x621, 0x669),
          (0x905, 0x939), (0xe01, 0xe3a), (0x10a0, 0x10c5), (0x1100, 0x1112), (0x1161, 0x1175), (0x1e00, 0x1eff), (0x1f00, 0x1f15),
          (0x2010, 0x2027), (0x2070, 0x2071), (0x2150, 0x2188), (0x2190, 0x21ff), (0x2460, 0x249b), (0x3041, 0x3096), (0x30a1, 0x30fa),
          (0x3105, 0x312d), (0x3400, 0x34ff), (0x4e00, 0x9fa5), (0xac00, 0xd7a3), (0xf900, 0xfa2d), (0xfb00, 0xfb06), (0xff01, 0xff5e),
          (0x10400, 0x1044f), (0x1d400, 0x1d454), (0x1f300, 0x1f3fa), (0x20000, 0x200ff)]
RARE = ["\x01", "\x7f", "\u00ad", "\u200b", "\u200d", "\ufeff", "\ufffd", "\ue000", "\u0130", "\u1e9e", "\u03c2", "\u212b", "\u2126", "\u0344"]


def random_word(rng):
    low, high = rng.choice(RANGES)
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8)))


def piece(rng):
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(WORDS)
    if kind < 0.70:
        return random_word(rng)
    if kind < 0.80:
        return str(rng.randint(0, 10 ** rng.randint(1, 12)))
    if kind < 0.85:
        return unicodedata.normalize("NFD", rng.choice(WORDS))
    if kind < 0.90:
        return "".join(rng.choice("!?.,;:'\"()[]{}<>+-*/=_#@$%^&~`|\\") for _ in range(rng.randint(1, 6)))
    if kind < 0.94:
        return rng.choice(["'s", "'S", "'re", "'RE", "'ll", "'lL", "'x", "'", "''s", "n't"]) + rng.choice(["", "x", "1", "!"])
    if kind < 0.96:
        return rng.choice(WORDS).upper()
    if kind < 0.98:
        return rng.choice(RARE)
    return rng.choice("abcdefghijkxyz") * rng.randint(2, 120)


def mixed_text(size, seed):
    """About `size` bytes of UTF-8."""
    rng = random.Random(seed)
    parts, total = [PROSE], len(PROSE.encode())
    while total < size:
        part = piece(rng) + rng.choice(BLANKS)
        parts.append(part)
        total += len(part.encode())
    return "".join(parts)
