# SPDX-License-Identifier: Apache-2.0
"""Text encoders from Hugging Face folders."""
import numpy as np

from cases import case

# The tokenizer's ids of five sentences, and what an independent float64 pass makes of them.
SENTENCES = [
    [101, 1037, 2158, 2003, 5983, 2833, 1012, 102],
    [101, 1037, 2158, 2003, 5983, 1037, 3538, 1997, 7852, 1012, 102],
    [101, 1996, 2611, 2003, 4755, 1037, 3336, 1012, 102],
    [101, 2129, 2079, 1045, 25141, 2026, 20786, 1029, 102],
    [101, 4084, 2000, 8980, 1037, 6404, 8833, 2378, 102],
]
COSINES = {(0, 1): 0.7553, (0, 2): -0.1050, (3, 4): 0.5904}


def padded(rows, width):
    ids, mask = np.zeros((len(rows), width), np.int32), np.zeros((len(rows), width), np.int32)
    for i, row in enumerate(rows):
        ids[i, :len(row)], mask[i, :len(row)] = row, 1
    return {"ids": ids, "mask": mask}


@case
def minilm(r):
    """Cosines within 1e-3, whatever the padding; alone as in a batch."""
    model = r.wheel_file("minilm/config.json").parent
    together = r.run(model, padded(SENTENCES, 11))[0]
    cosines = together @ together.T
    worst = max(abs(cosines[pair] - want) for pair, want in COSINES.items())
    assert worst <= 1e-3, f"a cosine is {worst:.1e} off"
    alone = r.run(model, padded(SENTENCES[:1], 8))[0]
    wide = r.run(model, padded(SENTENCES, 40))[0]
    apart = max(np.abs(alone[0] - together[0]).max(), np.abs(wide - together).max())
    assert apart <= 1e-5, f"padding changes a value by {apart:.1e}"
    return f"cosines within {worst:.1e}"


@case
def minilm_embed(r):
    """The same from texts, all in one batch."""
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby.",
             "How do I reset my password?", "Steps to recover a forgotten login"]
    file = r.folder / "sentences.txt"
    file.write_text("\n".join(texts) + "\n")
    got = np.array(r.command("embed", r.wheel_file("minilm/config.json").parent, "--text", file)["embeddings"])
    cosines = got @ got.T
    worst = max(abs(cosines[pair] - want) for pair, want in COSINES.items())
    assert got.shape == (5, 384) and worst <= 1e-3, f"a cosine is {worst:.1e} off"
    first = np.abs(got[0, :4] - [0.033242, 0.004406, -0.006277, 0.048379]).max()
    assert first <= 1e-5, f"a value is {first:.1e} off"
    return f"cosines within {worst:.1e}"
