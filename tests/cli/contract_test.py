# SPDX-License-Identifier: Apache-2.0
"""docs/cli.md: flags, keys (docs/schemas) and exit codes of every command, on a model made here."""
import json
import pathlib
import re
import unittest

from command import BAD_FILE, BINARY, COMMANDS, DIFFERS, DOES_NOT_FIT, FAILED, OK, ROOT, USAGE, CommandTest
from onnx_file import F32, F64, model, node, ramp, read_npy, tensor, value_info, write_npy

EVERYWHERE = ["--json", "--device", "--threads", "--isa", "--opt", "--passes", "--deterministic", "--seed",
              "--memory-limit", "--cache-dir"]


class Contract(CommandTest):
    def test_help_names_every_flag_of_the_contract(self):
        text = (ROOT / "docs/cli.md").read_text()
        for command in COMMANDS:
            lines = re.findall(rf"^{command} (?!LLM|request)(.*)$", text, re.M)
            promised = set(EVERYWHERE)
            for line in lines:
                promised |= set(re.findall(r"--[a-z0-9][a-z0-9-]*", line))
            shown = self.narae(command, "--help")
            self.assertEqual(shown.returncode, OK)
            missing = {flag for flag in promised if flag not in shown.stdout}
            self.assertEqual(missing, set(), command)
        overview = self.narae("--help").stdout
        for command in COMMANDS:
            self.assertIn(command, overview)
        self.assertRegex(self.narae("--version").stdout, r"^\d+\.\d+\.\d+\n$")

    def test_usage(self):
        self.error(USAGE, "run", self.model, "--output-dir", "out", "--no-such-flag", says="--no-such-flag")
        self.error(USAGE, "run", self.model, says="--output-dir")
        self.error(USAGE, "run", says="MODEL")
        self.error(USAGE, "quantize", self.model, says="quantize")
        self.error(USAGE, "build", self.model, "-o", "x", "--opt", "9", says="--opt")
        self.error(USAGE, "build", self.model, "-o", "x", "--passes=-nonsense", says=["nonsense", "dead_code"])
        self.error(USAGE, "build", self.model, "-o", "x", "--isa", "z80", says="z80")
        self.error(USAGE, "build", self.model, "-o", "x", "--device", "abacus", says=["abacus", "cpu"])
        self.error(USAGE, "build", self.model, "-o", "x", "--threads", "100000", says="threads")
        self.error(USAGE, "build", self.model, "-o", "x", "--max-shapes", "x:1xa", says="x:1xa")
        self.error(USAGE, "build", self.model, "-o", "x", "--max-shapes", "q:1x3x8x8", says=["q", "x"])
        self.error(USAGE, "explain", self.model, "--after", "nonsense", says="nonsense")
        self.error(USAGE, "run", self.model, "--output-dir", "out", says=["x", "f32", "[N,3,8,8]"])
        self.error(USAGE, "run", self.model, "--input", f"q={self.input}", "--output-dir", "out", says="q")
        self.error(USAGE, "run", self.model, "--input", self.input, "--input", self.input, "--output-dir", "out",
                   says="twice")
        self.assertEqual(self.narae().returncode, USAGE)
        self.leaves_nothing("x.part")

    def test_build_then_run_equals_run(self):
        built = self.json("build", self.model, "-o", "cnn.narae", "--min-shapes", "x:1x3x8x8", "--max-shapes",
                          "x:4x3x8x8")
        self.assertTrue((self.folder / built["file"]).is_file())
        self.assertGreaterEqual(built["arena_bytes"], built["arena_lower_bound_bytes"])
        self.assertGreater(built["weights_bytes"], 2000)
        results = []
        for model in (self.model, "cnn.narae"):
            ran = self.json("run", model, "--input", f"x={self.input}", "--output-dir", "out")
            self.assertEqual([(o["name"], o["dtype"], o["shape"]) for o in ran["outputs"]], [("y", "f32", [2, 5])])
            results.append(read_npy(self.folder / "out/0.npy"))
        self.assertEqual(results[0], results[1])
        self.assertTrue(any(results[0][2]))
        self.error(USAGE, "build", "cnn.narae", "-o", "again.narae", "--max-shapes", "x:9x3x8x8", says="engine file")
        self.array("five.npy", [5, 3, 8, 8])
        self.error(DOES_NOT_FIT, "run", "cnn.narae", "--input", "five.npy", "--output-dir", "out", says=["5", "[1, 4]"])

    def test_plain_text(self):
        result = self.narae("run", self.model, "--input", self.input, "--output-dir", "out")
        self.assertEqual((result.returncode, result.stdout.count("y: f32 [2,5]")), (OK, 1))
        result = self.narae("run", "gone.onnx", "--output-dir", "out")
        self.assertEqual((result.returncode, result.stdout), (BAD_FILE, ""))
        self.assertIn("gone.onnx", result.stderr)

    def test_passes_and_levels_agree(self):
        want = None
        for flags in (["--passes", "none"], ["--opt", "0"], ["--opt", "3"], ["--keep-bodies"], ["--threads", "1"]):
            self.json("run", self.model, "--input", self.input, "--output-dir", "out", *flags)
            values = read_npy(self.folder / "out/0.npy")[2]
            want = want or values
            self.assertLess(max(abs(a - b) for a, b in zip(values, want)), 1e-5 * max(map(abs, want)), flags)
        self.assertTrue(list((self.folder / "cache").glob("timings-*")))

    def test_bench(self):
        flags = ["--duration", "0.05", "--warmup", "0", "--shapes", "x:3x3x8x8", "--seed", "7"]
        plain = self.json("bench", self.model, *flags)
        self.assertGreaterEqual(plain["runs"], 1)
        ms = plain["latency_ms"]
        self.assertTrue(0 < ms["min"] <= ms["p50"] <= ms["p90"] <= ms["p99"])
        self.assertNotIn("layers", plain)
        layers = self.json("bench", self.model, *flags, "--layers")["layers"]
        self.assertIn("conv", " ".join(layer["name"] for layer in layers))
        self.error(DOES_NOT_FIT, "bench", self.model, "--shapes", "x:3x4x8x8", says=["axis 1", "3"])
        self.error(USAGE, "bench", self.model, "--instances", "4096", says="4096")

    def test_explain(self):
        told = self.json("explain", self.model, "--svg", "arena.svg", "--shapes", "x:2x3x8x8")
        self.assertEqual(told["sizes"].get("N"), 2)
        self.assertEqual(len(told["tactics"]), len(re.findall(r"^  %\d.* = ", told["graph"], re.M)))
        for node in told["tactics"]:
            self.assertIn(node["chosen"], [candidate["name"] for candidate in node["candidates"]])
        memory = told["memory"]
        self.assertEqual(memory["arena_bytes"], max(r["offset"] + r["bytes"] for r in memory["regions"]))
        self.assert_apart(memory["regions"])
        svg = (self.folder / "arena.svg").read_text()
        self.assertEqual(svg.count("<title>"), len(memory["regions"]))
        some = told["passes"][-1]["name"]
        after = self.json("explain", self.model, "--after", some)
        self.assertEqual([g["after"] for g in after["graphs"]], [some])
        every = self.json("explain", self.model, "--after", "all")["graphs"]
        self.assertEqual([g["after"] for g in every], [p["name"] for p in told["passes"]])
        self.assertEqual(self.json("explain", self.model, "--passes", "none")["passes"], [])

    def assert_apart(self, regions):
        """No two values that live at one time share bytes."""
        for i, a in enumerate(regions):
            for b in regions[:i]:
                together = a["first"] <= b["last"] and b["first"] <= a["last"]
                shared = a["offset"] < b["offset"] + b["bytes"] and b["offset"] < a["offset"] + a["bytes"]
                self.assertFalse(together and shared and a["bytes"] and b["bytes"], (a, b))

    def test_compare(self):
        self.json("run", self.model, "--input", self.input, "--output-dir", "out")
        base = ["compare", self.model, "--input", self.input]
        same = self.json(*base, "--against", "out", "--rel-l2", "0")
        self.assertEqual((same["first_divergence"], same["outputs"][0]["rel_l2"]), (None, 0))
        self.json("build", self.model, "-o", "cnn.narae")
        self.json(*base, "--against", "cnn.narae")
        values = read_npy(self.folder / "out/0.npy")[2]
        write_npy(self.folder / "out/0.npy", F32, [2, 5], [values[0] + 1] + values[1:])
        differs = self.json(*base, "--against", "out", code=DIFFERS)
        self.assertEqual(differs["first_divergence"]["value"], "y")
        self.assertAlmostEqual(differs["outputs"][0]["max_abs"], 1, places=5)
        write_npy(self.folder / "out/0.npy", F32, [1, 10], values)
        self.assertIn("shape", self.json(*base, "--against", "out", code=DIFFERS)["outputs"][0]["note"])
        self.error(BAD_FILE, *base, "--against", "gone.narae", says="gone.narae")
        self.error(FAILED, *base, "--against", "onnxruntime", "--python", "/nonexistent/python",
                   says=["/nonexistent/python", "make setup"])

    def test_compare_near_zero(self):
        """What is small beside --abs passes, unless the same bits are asked for."""
        self.json("run", self.model, "--input", self.input, "--output-dir", "out")
        values = read_npy(self.folder / "out/0.npy")[2]
        write_npy(self.folder / "out/0.npy", F32, [2, 5], [values[0] + 5e-7] + values[1:])
        base = ["compare", self.model, "--input", self.input, "--against", "out", "--rel-l2"]
        self.assertIsNone(self.json(*base, "1e-9")["first_divergence"])
        self.json(*base, "1e-9", "--abs", "1e-8", code=DIFFERS)
        self.json(*base, "0", code=DIFFERS)
        self.assertIsNone(self.json(*base, "0", "--abs", "1e-6")["first_divergence"])

    def test_compare_knows_that_eight_bits_round(self):
        nodes = [node("QuantizeLinear", ["x", "s"], ["q"], "q"), node("DequantizeLinear", ["q", "s"], ["y"], "d")]
        eight = self.file("qdq.onnx", model(nodes, [value_info("x", F32, [1, 8])], [value_info("y", F32, [1, 8])],
                                            [tensor("s", F32, [], [0.1])]))
        x = self.array("q.npy", [1, 8])
        (self.folder / "want").mkdir()
        write_npy(self.folder / "want/0.npy", F32, [1, 8], ramp(8, 0.0101))
        told = self.json("compare", eight, "--input", x, "--against", "want", code=DIFFERS)
        self.assertIn("--rel-l2 0.01", told["hint"])
        self.assertNotIn("hint", self.json("compare", eight, "--input", x, "--against", "want", "--rel-l2", "0.01", code=DIFFERS))
        self.assertNotIn("hint", self.json("compare", self.model, "--input", self.input, "--against", "want", code=DIFFERS))

    def test_explain_reads_well(self):
        self.json("build", self.model, "-o", "cnn.narae")
        for path in (self.model, "cnn.narae"):
            lines = self.narae("explain", path).stdout.splitlines()
            headings = [line.split(" ")[0] for line in lines if line in ("passes", "fusions") or line.startswith("bodies")]
            for heading in headings:  # none without anything below it
                at = next(i for i, line in enumerate(lines) if line.split(" ")[0] == heading)
                self.assertTrue(lines[at + 1].startswith("  "), lines)
            self.assertIn("passes" if path == self.model else "passes: none ran", lines)
            self.assertIn("estimated", next(line for line in lines if line.startswith("tactics")))
            seen = set()
            for line in lines:
                if not line.startswith("      "):
                    seen = set()
                elif "workspace" in line:
                    self.assertNotIn(line.split()[0], seen)
                    seen.add(line.split()[0])

    def test_compare_with_onnxruntime(self):
        python = ROOT / ".venv/bin/python"
        if not python.exists():
            self.skipTest("wheel: there is no .venv with onnxruntime (make setup makes it)")
        base = ["compare", self.model, "--input", self.input, "--against", "onnxruntime"]
        self.assertIsNone(self.json(*base)["first_divergence"])
        self.conforms("compare", json.loads(self.narae(*base, "--json", "--rel-l2", "0").stdout))

    def test_devices(self):
        listed = self.json("devices", "--no-measure")["devices"]
        cpu = next(device for device in listed if device["kind"] == "cpu")
        self.assertGreaterEqual(cpu["cores"], 1)
        self.assertIn(cpu["chosen_isa"], cpu["isa"])
        for isa in cpu["isa"]:
            self.json("run", self.model, "--input", self.input, "--output-dir", "out", "--isa", isa)

    def test_every_device_runs_the_model(self):
        self.json("run", self.model, "--input", self.input, "--output-dir", "want")
        for device in self.json("devices", "--no-measure")["devices"]:
            if device["available"]:
                self.json("compare", self.model, "--device", device["name"], "--against", "want", "--input", self.input)

    def test_wrong_inputs(self):
        run = ["run", self.model, "--output-dir", "out", "--input"]
        self.array("double.npy", [2, 3, 8, 8], F64)
        self.error(DOES_NOT_FIT, *run, "double.npy", says=["x", "f32", "f64"])
        self.array("flat.npy", [2, 192])
        self.error(DOES_NOT_FIT, *run, "flat.npy", says=["x", "[N,3,8,8]", "[2,192]"])
        self.array("wide.npy", [2, 3, 8, 9])
        self.error(DOES_NOT_FIT, *run, "wide.npy", says="axis 3")
        self.error(BAD_FILE, *run, "gone.npy", says="gone.npy")
        whole = pathlib.Path(self.input).read_bytes()
        self.file("cut.npy", whole[:-1])
        self.error(BAD_FILE, *run, "cut.npy", says="cut.npy")
        self.error(DOES_NOT_FIT, *run, self.input, "--memory-limit", "2K", says="memory limit of 2048")

    def test_binary_is_where_the_contract_says(self):
        self.assertEqual(BINARY.name, "narae")


if __name__ == "__main__":
    unittest.main()
