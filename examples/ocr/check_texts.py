#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_texts.py EXPECTED.tsv GOT.tsv: is what narae_ocr read what it should have read?

Line by line: equal texts but for spaces (the model loses them on tight crops), scores within 0.03, corners within
2 pixels. The expected values are those of onnxruntime under OpenCV 4.6, Debian 12's. Prints each difference; exits 1
when there is one.
"""
import sys

SCORE, PIXELS = 0.03, 2


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        rows = [row.rstrip("\n").split("\t") for row in file]
    return [(float(row[1]), corners(row[2]), row[3]) for row in rows if row[0] == "text"]


def corners(text):
    return [int(number) for corner in text.split() for number in corner.split(",")]


def differences(expected, got):
    if len(expected) != len(got):
        yield f"{len(got)} lines instead of {len(expected)}"
    for (score, box, text), (got_score, got_box, got_text) in zip(expected, got):
        if got_text.replace(" ", "") != text.replace(" ", ""):
            yield f'"{got_text}" instead of "{text}"'
        if abs(got_score - score) > SCORE:
            yield f'"{text}": score {got_score:.3f} instead of {score:.3f}'
        if max(abs(a - b) for a, b in zip(box, got_box)) > PIXELS:
            yield f'"{text}": corners {got_box} instead of {box}'


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    expected, got = map(lines_of, sys.argv[1:])
    found = list(differences(expected, got))
    for difference in found:
        print(f"{sys.argv[2]}: {difference}")
    if not found:
        print(f"{sys.argv[2]}: all {len(expected)} lines as expected")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
