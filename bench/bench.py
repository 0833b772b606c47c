#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interleaved timings of narae beside onnxruntime and openvino on the same files, inputs and threads.

Each model: one process per engine; warm-up; then rounds in which every engine runs one block. A ratio is the median
over rounds of (rival's median in the round / narae's median in the round), so both saw the same minute of the machine.
Before and after, the machine's own peaks are read; they are printed with the result. Outputs are compared first: an
engine that disagrees gets no time. Results: a table here, and with --out a .md and a .jsonl file.
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
import tempfile

import numpy as np

import make_models

ROOT = pathlib.Path(__file__).resolve().parent.parent


def models(cache, shared, folder):
    """name -> (path, inputs)."""
    rng = np.random.default_rng(7)
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    found = {}
    for name, shape in {"resnet50": (1, 3, 224, 224), "mobilenetv2": (1, 3, 224, 224), "inceptionv3": (1, 3, 299, 299),
                        "efficientnet_b0": (1, 3, 224, 224), "vit_b16": (1, 3, 224, 224)}.items():
        found[name] = (folder / f"{name}.onnx", {"x": normal(*shape)})
    found["bert_base_s128"] = (folder / "bert_base.onnx", {"ids": rng.integers(0, 30522, (1, 128))})
    squeezenet = shared / "data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst"
    if squeezenet.exists():
        found["squeezenet_227"] = (folder / "squeezenet.onnx", {"data": normal(1, 3, 227, 227)})
    for name, file, shape in (("ppocr_det_640", "ch_PP-OCRv4_det_infer.onnx", (1, 3, 640, 640)),
                              ("ppocr_rec_320", "ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 320))):
        if (cache / "models/ppocr" / file).exists():
            found[name] = (cache / "models/ppocr" / file, {"x": normal(*shape)})
    return found


def make(name, path, shared):
    if path.exists():
        return
    if name == "squeezenet_227":
        subprocess.run(["zstd", "-dqf", shared / "data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst", "-o", path], check=True)
    else:
        make_models.ALL[path.stem](str(path))


class Driver:
    def __init__(self, engine, model, threads, inputs, library):
        self.engine = engine
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, sys.executable, str(ROOT / "bench/driver.py"), engine, str(model), str(threads),
             str(inputs), str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.engine} ended while it was asked for something")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def relative(got, want):
    return float(np.linalg.norm(got.astype(np.float64) - want) / max(np.linalg.norm(want.astype(np.float64)), 1e-30))


def peaks(narae):
    done = subprocess.run([narae, "devices", "--json"], capture_output=True, text=True)
    if done.returncode:
        return {}
    return next((d.get("peaks", {}) for d in json.loads(done.stdout)["devices"] if d["name"] == "cpu"), {})


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def bench(name, model, feeds, args, folder):
    inputs = folder / f"{name}.npz"
    np.savez(inputs, **feeds)
    drivers, outputs = [], {}
    for engine in ["narae"] + args.rivals:
        drivers.append(Driver(engine, model, args.threads, inputs, args.library))
        file = folder / f"{name}-{engine}.npz"
        drivers[-1].ask(f"outputs {file}")
        outputs[engine] = list(np.load(file).values())
    reference = outputs[args.rivals[0]]
    errors = {engine: max(relative(a, b) for a, b in zip(got, reference)) for engine, got in outputs.items()}
    for engine, error in errors.items():
        if error > 2e-3:
            raise RuntimeError(f"{name}: {engine} disagrees with {args.rivals[0]} (relative L2 {error:.1e}): not timed")
    for driver in drivers:
        driver.ask("run 1.0")
    rounds = [{d.engine: d.ask(f"run {args.block}") for d in drivers} for _ in range(args.rounds)]
    row = {"model": name, "threads": args.threads, "date": str(datetime.date.today()), "error": errors["narae"], "engines": {}}
    for driver in drivers:
        times = [t * 1e3 for r in rounds for t in r[driver.engine]]
        ratios = [statistics.median(r[driver.engine]) / statistics.median(r["narae"]) for r in rounds]
        row["engines"][driver.engine] = {
            "version": driver.hello["version"], "start_s": driver.hello["start_s"], "min_ms": min(times),
            "p50_ms": percentile(times, 0.5), "p90_ms": percentile(times, 0.9), "p99_ms": percentile(times, 0.99),
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios)}
        driver.close()
    row["ratio_to_best"] = min(row["engines"][r]["ratio"] for r in args.rivals)
    return row


def table(rows, args):
    head = ["model", "narae min / p50 / p90 ms"] + [f"{r} min / p50 ms" for r in args.rivals] + \
           [f"{r} : narae (min-max)" for r in args.rivals] + ["against the better", "rel. L2"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        own = row["engines"]["narae"]
        cells = [row["model"], f"{own['min_ms']:.2f} / {own['p50_ms']:.2f} / {own['p90_ms']:.2f}"]
        cells += [f"{row['engines'][r]['min_ms']:.2f} / {row['engines'][r]['p50_ms']:.2f}" for r in args.rivals]
        cells += ["{ratio:.2f} ({ratio_min:.2f}-{ratio_max:.2f})".format(**row["engines"][r]) for r in args.rivals]
        lines.append("| " + " | ".join(cells + [f"{row['ratio_to_best']:.2f}", f"{row['error']:.0e}"]) + " |")
    return "\n".join(lines)


def machine():
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in flags.splitlines() if line.startswith("model name"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {"cpu": model, "kernel": platform.release(), "commit": commit, "date": str(datetime.date.today())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="models whose names contain one of these, separated by commas")
    parser.add_argument("--rivals", default="onnxruntime,openvino", type=lambda text: text.split(","))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--block", type=float, default=2.0, help="seconds of one engine in one round")
    parser.add_argument("--library", default=str(ROOT / "build/release/src/api/libnarae.so"))
    parser.add_argument("--narae", default=str(ROOT / "build/release/narae"))
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / ".cache/bench", help="where generated models are kept")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / ".cache")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--out", help="write docs/results/OUT.md and OUT.jsonl")
    args = parser.parse_args()
    args.models.mkdir(parents=True, exist_ok=True)
    rows, before = [], peaks(args.narae)
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, feeds) in models(args.cache, args.shared, args.models).items():
            if args.only and not any(part in name for part in args.only.split(",")):
                continue
            make(name, path, args.shared)
            rows.append(bench(name, path, feeds, args, pathlib.Path(folder)))
            print(table(rows[-1:], args).splitlines()[-1], flush=True)
    text = table(rows, args)
    scored = [r["ratio_to_best"] for r in rows if not r["model"].startswith(("bert", "vit"))]
    mean = float(np.exp(np.mean(np.log(scored)))) if scored else float("nan")
    summary = f"Geometric mean against the better rival, CNNs: {mean:.3f}; least {min(scored, default=float('nan')):.3f}."
    print(f"\n{text}\n\n{summary}")
    if args.out:
        versions = ", ".join(f"{r} {rows[0]['engines'][r]['version']}" for r in args.rivals)
        facts = machine()
        base = ROOT / "docs/results" / args.out
        base.parent.mkdir(parents=True, exist_ok=True)
        base.with_suffix(".md").write_text(
            f"# CPU, FP32, batch 1, {args.threads} threads\n\n{facts['cpu']}, Linux {facts['kernel']}, {facts['date']}, "
            f"commit {facts['commit']}; {versions}. Made by `make bench`: {args.rounds} rounds of {args.block} s blocks in "
            f"turns; a ratio is the median over rounds of rival / narae.\n\n{text}\n\n{summary}\n\nPeaks before: "
            f"{json.dumps(before)}; after: {json.dumps(peaks(args.narae))}\n")
        base.with_suffix(".jsonl").write_text("".join(json.dumps(row | {"machine": facts}) + "\n" for row in rows))


if __name__ == "__main__":
    main()
