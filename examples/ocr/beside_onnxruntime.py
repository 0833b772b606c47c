#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the networks of narae_ocr with onnxruntime, on the same shapes and threads, and prints both side by side.

Each figure is the median over the runs after the first. The two ran one after the other, not interleaved: good enough
for a glance, not for a claim (`make bench` measures in pairs).
"""
import argparse
import os
import statistics
import time

import numpy as np
import onnxruntime

FILES = {"det": "ch_PP-OCRv4_det_infer.onnx", "cls": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
         "rec": "ch_PP-OCRv4_rec_infer.onnx"}


def runs_of(path):
    """(network, shape, ms with narae) for each call that narae_ocr noted."""
    with open(path, encoding="utf-8") as file:
        rows = [row.rstrip("\n").split("\t") for row in file]
    return [(row[1], [int(dim) for dim in row[2].split("x")], float(row[3])) for row in rows if row[0] == "net"]


def median_ms(session, shape, repeat):
    data = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    name, times = session.get_inputs()[0].name, []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        session.run(None, {name: data})
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[1:] or times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tsv", nargs="+", help="files of narae_ocr --tsv")
    parser.add_argument("--models", default=".cache/models/ppocr", help="folder with the three networks")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.log_severity_level = 3
    sessions = {net: onnxruntime.InferenceSession(f"{args.models}/{file}", options, providers=["CPUExecutionProvider"])
                for net, file in FILES.items()}
    print(f"{'network':8} {'input':16} {'narae ms':>10} {'onnxruntime ms':>15} {'speed-up':>9}")
    ours, theirs = 0.0, 0.0
    for path in args.tsv:
        for net, shape, narae in runs_of(path):
            other = median_ms(sessions[net], shape, args.repeat)
            print(f"{net:8} {'x'.join(map(str, shape)):16} {narae:10.2f} {other:15.2f} {other / narae:8.2f}x")
            ours, theirs = ours + narae, theirs + other
    print(f"{'all':8} {'':16} {ours:10.2f} {theirs:15.2f} {theirs / ours:8.2f}x")
    print(f"onnxruntime {onnxruntime.__version__}, {args.threads} threads each, medians of {args.repeat}")


if __name__ == "__main__":
    main()
