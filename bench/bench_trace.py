#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What joining requests in flight is worth: the first requests of a trace (Azure conversations: CSV with ContextTokens and
GeneratedTokens, zstd), lengths divided by a factor, all queued at once, answered by one model in static batches and in
flight (bench/llm/trace_batching.cc). The limit is the same: pages for as many of the longest request as a batch has. A
ratio is the median over rounds of answer tokens/s.

    bench_trace.py MODEL TRACE.csv.zst [--requests N --factor F --batch N --rounds N --threads N --out NAME]
"""
import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import platform
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"


def lengths(trace, count, factor):
    text = subprocess.run(["zstd", "-dcq", trace], check=True, capture_output=True, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(text)))[:count]
    scaled = lambda row, name: max(1, round(int(row[name]) / factor))  # noqa: E731
    return [(scaled(row, "ContextTokens"), scaled(row, "GeneratedTokens")) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("trace")
    for name, usual in (("requests", 200), ("factor", 8), ("batch", 8), ("rounds", 3), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--out", help="writes docs/results/NAME.md and NAME.jsonl")
    options = parser.parse_args()
    asks = lengths(options.trace, options.requests, options.factor)
    longest = max(prompt + new + 16 for prompt, new in asks)
    limit = options.batch * longest
    subprocess.run(["cmake", "--build", BUILD, "--target", "trace_batching"], check=True, capture_output=True)
    ran = subprocess.run([BUILD / "bench/llm/trace_batching", options.model, str(limit), str(options.batch), str(options.rounds),
                          str(options.threads)], input="".join(f"{prompt} {new}\n" for prompt, new in asks), check=True,
                         stdout=subprocess.PIPE, text=True)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    ways = list(dict.fromkeys(row["way"] for row in rows))
    by_way = {way: [row for row in rows if row["way"] == way] for way in ways}
    middle = lambda way, key: statistics.median(row[key] for row in by_way[way])  # noqa: E731
    against = lambda way, base: statistics.median(  # noqa: E731
        own["answer_tokens_per_s"] / rival["answer_tokens_per_s"] for own, rival in zip(by_way[way], by_way[base]))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    lines = [f"{pathlib.Path(options.model).name}; the first {options.requests} requests of {pathlib.Path(options.trace).name}, lengths / "
             f"{options.factor} (mean prompt {statistics.mean(p for p, _ in asks):.0f}, answer {statistics.mean(n for _, n in asks):.0f}), "
             f"all queued at once; keys and values of {limit} tokens, static batches of {options.batch}; {options.threads} threads, "
             f"{options.rounds} rounds in turns; {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
             f"{datetime.date.today()}, commit {commit}.", "",
             "| way | answer tokens/s | steps | preemptions | x static, padded | x static |", "|---|---|---|---|---|---|"]
    for way in ways:
        lines.append(f"| {way} | {middle(way, 'answer_tokens_per_s'):.0f} | {middle(way, 'steps'):.0f} | {middle(way, 'preemptions'):.0f} | "
                     f"{against(way, ways[0]):.2f} | {against(way, ways[1]):.2f} |")
    print("\n".join(lines))
    if options.out:
        base = ROOT / "docs/results" / options.out
        base.with_suffix(".md").write_text("# Batching in flight beside static batches\n\n" + "\n".join(lines) + "\n")
        base.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
