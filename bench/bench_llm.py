#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Language models: narae beside llama.cpp (PyPI llama-cpp-python, built for this machine) in turns, on the same GGUF files
and threads. Each round runs one block of each: a prompt, then an answer behind it. A ratio is the median over rounds of
narae's rate / the rival's. Also what a step of 8 sequences costs against a step of one, the time from the start of a
process to the first token, and its memory.

    bench_llm.py MODEL.gguf.. [--rounds N --threads N --prompt N --new N --python PYTHON-WITH-LLAMA-CPP --out NAME]
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NARAE = ROOT / "build/release/narae"


def llama(model, prompt, new, threads):
    """In a process of its own: one JSON line."""
    import numpy as np
    from llama_cpp import Llama
    engine = Llama(model_path=model, n_ctx=prompt + new + 8, n_threads=threads, n_threads_batch=threads, n_batch=prompt,
                   n_ubatch=prompt, verbose=False, logits_all=False)
    ids = np.random.default_rng(7).integers(3, 40000, prompt).tolist()
    engine.eval(ids[:16])
    engine.reset()
    begin = time.perf_counter()
    engine.eval(ids)
    middle = time.perf_counter()
    for i in range(new):
        engine.eval([ids[i]])
    end = time.perf_counter()
    print(json.dumps({"prompt": prompt / (middle - begin), "decode": new / (end - middle)}))


def narae(model, prompt, new, threads, concurrency=1):
    ran = subprocess.run([NARAE, "bench", model, "--prompt-tokens", str(prompt), "--new-tokens", str(new), "--concurrency",
                          str(concurrency), "--duration", "0", "--warmup", "0", "--threads", str(threads), "--json"],
                         check=True, capture_output=True, text=True)
    return json.loads(ran.stdout)


def first_token(model, threads):
    """Seconds from the start of the process to the end of an answer of one token."""
    begin = time.perf_counter()
    subprocess.run([NARAE, "generate", model, "--ids", "1,2,3,4", "--max-tokens", "1", "--threads", str(threads)], check=True,
                   capture_output=True)
    return time.perf_counter() - begin


def measure(model, options):
    rows = []
    for _ in range(options.rounds):
        own = narae(model, options.prompt, options.new, options.threads)
        row = {"narae_prompt": own["prompt_tokens_per_s"], "narae_decode": own["decode_tokens_per_s"],
               "step_1_ms": own["step_ms"]["p50"], "rss_mb": own["peak_rss_bytes"] / 1e6,
               "held_mb": (own["weights_bytes"] + own["kv_bytes"]) / 1e6}
        if options.python:
            rival = json.loads(subprocess.run([options.python, __file__, "--llama", model, str(options.prompt), str(options.new),
                                               str(options.threads)], check=True, capture_output=True, text=True).stdout)
            row |= {"llama_prompt": rival["prompt"], "llama_decode": rival["decode"]}
        row["step_8_ms"] = narae(model, 16, 64, options.threads, 8)["step_ms"]["p50"]
        row["first_s"] = first_token(model, options.threads)
        rows.append(row)
        print(f"  {row}", file=sys.stderr)
    return rows


def report(model, rows):
    middle = lambda name: statistics.median(row[name] for row in rows)  # noqa: E731
    ratio = lambda kind: statistics.median(row[f"narae_{kind}"] / row[f"llama_{kind}"] for row in rows)  # noqa: E731
    cells = [pathlib.Path(model).name]
    for kind in ("prompt", "decode"):
        cells.append(f"{middle('narae_' + kind):.0f}")
        cells += [f"{middle('llama_' + kind):.0f}", f"{ratio(kind):.2f}"] if f"llama_{kind}" in rows[0] else ["", ""]
    step = statistics.median(row["step_8_ms"] / row["step_1_ms"] for row in rows)
    cells += [f"{step:.2f}", f"{middle('first_s'):.2f}", f"{middle('rss_mb') - middle('held_mb'):.0f}"]
    return "| " + " | ".join(cells) + " |"


def main():
    if sys.argv[1:2] == ["--llama"]:
        return llama(sys.argv[2], *map(int, sys.argv[3:6]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--python", help="an interpreter that has llama_cpp; without: narae alone")
    parser.add_argument("--out", help="writes docs/results/NAME.md and NAME.jsonl")
    options = parser.parse_args()
    lines = ["| model | prompt narae | llama.cpp | ratio | decode narae | llama.cpp | ratio | step of 8 : step of 1 | first token s | "
             "RSS above weights and KV MB |", "|---" * 10 + "|"]
    records = []
    for model in options.models:
        rows = measure(model, options)
        lines.append(report(model, rows))
        records += [{"model": pathlib.Path(model).name} | row for row in rows]
    devices = json.loads(subprocess.run([NARAE, "devices", "--json"], check=True, capture_output=True, text=True).stdout)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    head = (f"Rates in tokens/s, prompts of {options.prompt}, answers of {options.new}, {options.threads} threads, {options.rounds} "
            f"rounds in turns; {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
            f"{datetime.date.today()}, commit {commit}.\n\nPeaks: {json.dumps(devices['devices'][0]['peaks'])}")
    print("\n".join([head, "", *lines]))
    if options.out:
        base = ROOT / "docs/results" / options.out
        base.with_suffix(".md").write_text("# CPU, language models\n\n" + "\n".join([head, "", *lines]) + "\n")
        base.with_suffix(".jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


if __name__ == "__main__":
    main()
