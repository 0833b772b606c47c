# SPDX-License-Identifier: Apache-2.0
"""Runs the narae command and onnxruntime on the same inputs."""
import json
import pathlib
import subprocess
import sys

import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent


class Skip(Exception):
    pass


def relative(got, want):
    """Relative L2 distance."""
    got, want = np.asarray(got, np.float64).ravel(), np.asarray(want, np.float64).ravel()
    return float(np.linalg.norm(got - want) / max(np.linalg.norm(want), 1e-30))


class Runner:
    def __init__(self, narae, shared, cache, folder, extra):
        self.narae, self.shared, self.cache, self.folder, self.extra = narae, shared, cache, folder, extra
        self.count = 0

    def shared_file(self, name):
        path = self.shared / name
        if not path.exists():
            raise Skip(f"data: {name} is not in the folder with test data")
        return path

    def wheel_file(self, name):
        path = self.cache / "models" / name
        if not path.exists():
            raise Skip(f"wheel: {name} was not fetched by the set-up")
        return path

    def unpacked(self, name):
        """A .zst file of the test data, unpacked."""
        source = self.shared_file(name)
        target = self.folder / source.stem
        if not target.exists():
            subprocess.run(["zstd", "-dqf", source, "-o", target], check=True)
        return target

    def committed(self, name):
        """An FP32 model that the repository holds."""
        return SOURCE / "tests/data/models" / name / f"{name}.onnx"

    def made(self, name, make):
        """A network written by bench/make_models.py: make(module, path) writes it."""
        path = self.folder / f"{name}.onnx"
        if not path.exists():
            sys.path.insert(0, str(SOURCE / "bench"))
            import make_models

            make(make_models, str(path))
        return path

    def generated(self, name):
        return self.made(name, lambda module, path: module.ALL[name](path))

    def light(self, name):
        """A topology with constant weights."""
        folder = self.cache / "shared" / "onnx" / "light"
        models = sorted(folder.rglob(f"*{name}*.onnx")) if folder.exists() else []
        if not models:
            self.shared_file("data/onnx/onnx-light-models.tar.zst")
            raise AssertionError(f"{name} was not unpacked by the set-up")
        return models[0]

    def command(self, *args):
        done = subprocess.run([self.narae, *map(str, args), "--json", *self.extra], capture_output=True, text=True,
                              timeout=600)
        if done.returncode != 0:
            raise AssertionError(f"narae {args[0]} ended with {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")
        return json.loads(done.stdout)

    def run(self, model, feeds, *flags):
        """Results of narae in graph order."""
        self.count += 1
        folder = self.folder / f"run{self.count}"
        folder.mkdir()
        args = []
        for i, (name, value) in enumerate(feeds.items()):
            np.save(folder / f"in{i}.npy", value)
            args += ["--input", f"{name}={folder}/in{i}.npy"]
        answer = self.command("run", model, *args, "--output-dir", folder / "out", *flags)
        return [np.load(folder / "out" / f"{i}.npy") for i in range(len(answer["outputs"]))]

    def explain(self, model, shapes, *flags):
        """shapes: input name -> dims, selected for."""
        listed = ",".join(f"{name}:{'x'.join(map(str, dims))}" for name, dims in shapes.items())
        return self.command("explain", model, *(["--shapes", listed] if listed else []), *flags)

    def session(self, model, as_written=False):
        """as_written: no graph optimisations, so that Q/DQ nodes round where the file says and nowhere else."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if as_written:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def uses_winograd(self, model, shapes):
        answer = self.command("explain", model, *shapes)
        return any("winograd" in tactic["chosen"] for tactic in answer["tactics"])

    def compare(self, model, feeds, tolerance=1e-5, winograd_tolerance=1e-3):
        """Relative L2 of every output against onnxruntime; the wider bound only where Winograd was chosen."""
        want = self.session(model).run(None, feeds)
        got = self.run(model, feeds)
        assert len(got) == len(want), f"{len(got)} outputs, not {len(want)}"
        worst = 0.0
        for a, b in zip(got, want):
            assert a.shape == b.shape and a.dtype == b.dtype, f"{a.dtype}{a.shape}, not {b.dtype}{b.shape}"
            worst = max(worst, relative(a, b))
        bound = tolerance
        if worst > bound:
            shapes = ["--opt-shapes", ",".join(f"{k}:{'x'.join(map(str, v.shape))}" for k, v in feeds.items() if v.ndim)]
            if self.uses_winograd(model, shapes):
                bound = winograd_tolerance
        assert worst <= bound, f"relative L2 {worst:.2e} against onnxruntime, more than {bound:g}"
        return f"relative L2 {worst:.1e}"
