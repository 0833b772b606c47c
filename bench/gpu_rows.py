#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_rows.py check|cnn|encoder: one row per model, batch and precision, Narae beside torch.compile in turns.

Models have random weights and come from torchvision and transformers on the spot. A row is measured only where the
outputs agree with torch in f32 (see TOLERANCE); inputs lie on the device on both sides,
Narae replays its recording, torch its CUDA graph. Rows are appended to OUT/rows.jsonl as they end.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

# Relative L2 from torch in f32. Deep networks of random weights are far from f32 in 16 bits whoever computes: there a
# row counts that is at most half as far again as torch at the same precision.
TOLERANCE = {"fp32": 1e-4, "tf32": 1e-2, "fp16": 1e-2, "bf16": 5e-2}
CNN = [("resnet50", 1, "fp16"), ("resnet50", 8, "fp16"), ("resnet50", 128, "fp16"), ("resnet50", 1, "tf32"),
       ("inception_v3", 1, "fp16"), ("inception_v3", 32, "fp16"), ("efficientnet_b0", 1, "fp16"),
       ("efficientnet_b0", 128, "fp16"), ("mobilenet_v2", 1, "fp16"), ("mobilenet_v2", 128, "fp16")]
ENCODER = [("bert_base", 1, "fp16"), ("bert_base", 32, "fp16"), ("bert_large", 1, "fp16"), ("bert_large", 32, "fp16")]
CHECK = [("resnet18", 2, p) for p in ("fp32", "tf32", "fp16", "bf16")]
LENGTH = {"bert_base": 128, "bert_large": 384}
TYPE = {"fp16": torch.float16, "bf16": torch.bfloat16}


class Bert(torch.nn.Module):
    def __init__(self, large):
        super().__init__()
        from transformers import BertConfig, BertModel
        config = BertConfig(attn_implementation="eager")
        if large:
            config = BertConfig(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
                                attn_implementation="eager")
        self.model = BertModel(config, add_pooling_layer=False)

    def forward(self, ids):
        return self.model(ids).last_hidden_state


def make_model(name):
    torch.manual_seed(1)
    if name.startswith("bert"):
        return Bert(name == "bert_large").eval()
    import torchvision
    extra = {"init_weights": True, "aux_logits": True} if name == "inception_v3" else {}
    model = getattr(torchvision.models, name)(weights=None, **extra).eval()
    with torch.no_grad():  # statistics as a trained model has them, or values run away or die out
        model.train()
        model.apply(lambda m: setattr(m, "momentum", None) if isinstance(m, torch.nn.BatchNorm2d) else None)
        for m in model.modules():
            if isinstance(m, torch.nn.Dropout):
                m.p = 0
        for _ in range(2):
            model(picture(name, 4, seed=3))
    return model.eval()


def picture(name, batch, seed=2):
    size = 299 if name == "inception_v3" else 224
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))


def input_of(name, batch):
    if name.startswith("bert"):
        return torch.randint(0, 30000, (batch, LENGTH[name]), generator=torch.Generator().manual_seed(2))
    return picture(name, batch)


def export(name, batch, folder):
    path = folder / f"{name}-b{batch}.onnx"
    model, x = make_model(name), input_of(name, batch)
    if not path.exists():
        torch.onnx.export(model, (x,), str(path), input_names=["x"], output_names=["y"], dynamo=False, opset_version=17)
    np.save(folder / "x.npy", x.numpy())
    return path, model, x


def narae(args, *words, **extra):
    flags = ["--device", "cuda", "--cuda-libs", args.libs, "--cache-dir", str(args.out / "cache")]
    return subprocess.run([args.narae, *words, *flags], capture_output=True, text=True, **extra)


def message(ended):
    """What a command that failed says; with --json that is on stdout."""
    return (ended.stderr + ended.stdout).strip()[-600:] or f"ended with {ended.returncode}"


def relative_l2(got, want):
    got, want = got.astype(np.float64), want.astype(np.float64)
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


class Torch:
    """torch.compile, default mode, channels last, in a CUDA graph."""

    def __init__(self, model, x, precision):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        self.model = model.to("cuda", TYPE.get(precision, torch.float32))
        x = x.to("cuda")
        if x.is_floating_point():
            x = x.to(TYPE.get(precision, torch.float32)).to(memory_format=torch.channels_last)
            self.model = self.model.to(memory_format=torch.channels_last)
        call = torch.compile(self.model)
        self.x = x
        with torch.inference_mode():
            stream = torch.cuda.Stream()
            with torch.cuda.stream(stream):
                for _ in range(3):
                    call(x)
            torch.cuda.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.y = call(x)

    def ms(self, seconds=1.0):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        times, stop = [], time.time() + seconds
        while time.time() < stop:
            begin.record()
            for _ in range(20):
                self.graph.replay()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) / 20)
        return statistics.median(times)


def measure(args, name, batch, precision, folder):
    row = {"model": name, "batch": batch, "precision": precision, "device": torch.cuda.get_device_name(),
           "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}
    path, model, x = export(name, batch, folder)
    with torch.inference_mode():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        want = model.to("cuda")(x.to("cuda")).float().cpu().numpy()
    engine = folder / "model.narae"
    start = time.time()
    built = narae(args, "build", str(path), "-o", str(engine), "--precision", precision, "--opt", args.opt)
    row["build_s"] = round(time.time() - start, 2)
    if built.returncode:
        return {**row, "error": message(built)}
    ran = narae(args, "run", str(engine), "--input", f"x={folder}/x.npy", "--output-dir", str(folder / "y"), "--precision",
                precision)
    if ran.returncode:
        return {**row, "error": message(ran)}
    row["rel_l2"] = relative_l2(np.load(next((folder / "y").glob("*.npy"))), want)
    if args.stage == "check":
        explained = narae(args, "explain", str(engine), "--precision", precision, "--json")
        if explained.returncode == 0:
            row["on_host"] = len(json.loads(explained.stdout).get("reference_nodes", []))
    if args.stage == "check":
        return row if row["rel_l2"] <= TOLERANCE[precision] else {**row, "error": "outputs differ from torch in f32"}
    rival = Torch(model, x, precision)
    rival.graph.replay()
    row["torch_rel_l2"] = relative_l2(rival.y.float().cpu().numpy(), want)
    if not row["rel_l2"] <= max(TOLERANCE[precision], 1.5 * row["torch_rel_l2"]):
        return {**row, "error": "outputs differ from torch in f32"}
    ours, theirs = [], []
    for _ in range(3):
        bench = narae(args, "bench", str(engine), "--resident", "--duration", "1", "--precision", precision, "--json")
        if bench.returncode:
            return {**row, "error": message(bench)}
        ours.append(json.loads(bench.stdout)["latency_ms"]["p50"])
        theirs.append(rival.ms())
    row.update(ms=statistics.median(ours), torch_ms=statistics.median(theirs),
               ratio=statistics.median(t / o for o, t in zip(ours, theirs)))
    row["per_s"] = batch / row["ms"] * 1e3
    if args.layers:
        bench = narae(args, "bench", str(engine), "--layers", "--duration", "0.2", "--precision", precision)
        (args.out / f"{name}-b{batch}-{precision}.layers.txt").write_text(bench.stdout + bench.stderr)
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=["check", "cnn", "encoder"])
    parser.add_argument("--narae", required=True)
    parser.add_argument("--libs", default="")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--opt", default="3")
    parser.add_argument("--only", default="")
    parser.add_argument("--layers", action="store_true")
    args = parser.parse_args()
    rows_file = args.out / "rows.jsonl"
    known = [json.loads(line) for line in rows_file.read_text().splitlines()] if rows_file.exists() else []
    done = {(r["model"], r["batch"], r["precision"]) for r in known if "error" not in r}
    folder = args.out / "models"
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, batch, precision in {"check": CHECK, "cnn": CNN, "encoder": ENCODER}[args.stage]:
        if (name, batch, precision) in done or args.only not in f"{name} b{batch} {precision}":
            continue
        try:
            row = measure(args, name, batch, precision, folder)
        except Exception as error:  # one model's failure is a row, not the end
            row = {"model": name, "batch": batch, "precision": precision, "error": repr(error)[-600:]}
        failed += "error" in row
        with rows_file.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
        torch.cuda.empty_cache()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
