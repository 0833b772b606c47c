# SPDX-License-Identifier: Apache-2.0
"""Flags that make no sense: refused by name before anything is computed or written, never taken for something else."""
import unittest

from command import BAD_FILE, DOES_NOT_FIT, FAILED, ROOT, USAGE, CommandTest
from onnx_file import F32, I64, block, model, node, number, tensor, value_info


def axis_one():
    return block(1, "axis") + number(3, 1) + number(20, 2)


class Numbers(CommandTest):
    def refused(self, command, flag, values, says=None):
        base = {"build": ["build", self.model, "-o", "x.narae"], "bench": ["bench", self.model],
                "compare": ["compare", self.model, "--against", "out", "--input", self.input]}[command]
        for value in values:
            with self.subTest(flag=flag, value=value):
                self.error(USAGE, *base, f"{flag}={value}", says=flag if says is None else says)
        self.leaves_nothing("x.narae")

    def test_machine(self):
        self.refused("build", "--threads", ["-1", "two", "1.5", "99999999999999999999", "nan"])
        self.refused("build", "--threads", ["100000"], says="threads")
        self.refused("build", "--opt", ["-1", "6", "2.5", "max", "99999999999"])
        self.refused("build", "--seed", ["-1", "x", "1.5", "99999999999999999999"])
        self.refused("build", "--memory-limit", ["-1", "lots", "5Q", "99999999999999999999", "20000000000G", "18446744073709551615"])

    def test_what_is_not_taken_is_named_in_order(self):
        text = self.error(USAGE, "run", self.model, "one", "two", "--out", "x", says="--output-dir")
        self.assertIn("one two --out", text)
        self.error(USAGE, "build", self.model, "-o", "x.narae", "--min-shape", "x:1", says="did you mean --min-shapes?")
        self.error(USAGE, "build", self.model, "-o", "x.narae", "--activation=int8", says="did you mean --activations?")
        self.assertNotIn("did you mean", self.error(USAGE, "build", self.model, "-o", "x.narae", "--frobnicate"))

    def test_sizes_at_odds_name_both_inputs(self):
        add = self.file("add.onnx", model([node("Concat", ["a", "b"], ["y"], "join", [axis_one()])],
                                          [value_info("a", F32, ["N", 2]), value_info("b", F32, ["M", 2])],
                                          [value_info("y", F32, ["N", 4])]))
        text = self.error(DOES_NOT_FIT, "run", add, "--input", f"a={self.array('a.npy', [3, 2])}", "--input",
                          f"b={self.array('b.npy', [5, 2])}", "--output-dir", "out", says=['"a"', '"b"'])
        self.assertIn("3", text)
        self.assertIn("5", text)

    def test_weights_alone_are_no_model(self):
        weights = ROOT / "tests/data/models/tiny-qwen3/model.safetensors"
        self.error(BAD_FILE, "run", weights, "--output-dir", "out", says=["model.safetensors", "folder", "config.json"])

    def test_bench(self):
        for flag in ("--duration", "--warmup"):
            self.refused("bench", flag, ["-1", "nan", "inf", "1e300", "long"])
        self.refused("bench", "--instances", ["0", "-3", "x", "99999999999"])
        self.refused("bench", "--instances", ["100000"], says="100000")

    def test_compare(self):
        self.refused("compare", "--rel-l2", ["-1e-5", "nan", "inf", "small"])


class Names(CommandTest):
    def build(self, *flags, says, code=USAGE):
        self.error(code, "build", self.model, "-o", "x.narae", *flags, says=says)
        self.leaves_nothing("x.narae")

    def test_devices_and_instruction_sets(self):
        for device in ("", "CPU", "cpu:1", "cpu:", "cpu:x", "tpu", "cuda:99999"):
            self.build("--device", device, says=[f'"{device}"', "cpu"])
        for isa in ("", "AVX2", "avx", "avx512 "):
            self.build("--isa", isa, says=f'"{isa}"')

    def test_passes(self):
        for passes, says in (("", "none"), ("cse,", "none"), ("-", '""'), ("-cse,-", '""'), ("ALL", "ALL"), ("-all", "all")):
            self.build(*([f"--passes={passes}"] if passes else ["--passes", ""]), says=says)

    def test_shapes(self):
        for flag in ("--min-shapes", "--opt-shapes", "--max-shapes"):
            for shapes in ("x=", "x", ":", ",", "x:1x3x8x8,", ",x:1x3x8x8", "x:1x", "x:x1", "x:1xx3", "x:-1x3x8x8", "x:1,3,8,8",
                           "x:0x10x8x8 ", "x:1 x3", "x:99999999999999999999x3x8x8", "x:1e3x3x8x8"):
                self.build(f"{flag}={shapes}", says=flag)
            self.build(flag, "x:1x3x8x8,x:1x3x8x8", says=["x", "twice"])
            self.build(flag, "z:1x3x8x8", says=['"z"', '"x"'])
            self.build(flag, "x:1x3x8", says=['"x"', "[N,3,8,8]"], code=DOES_NOT_FIT)
            self.build(flag, "x:1x3x8x9", says="axis 3", code=DOES_NOT_FIT)
        self.build("--min-shapes", "x:8x3x8x8", "--opt-shapes", "x:4x3x8x8", says="N", code=DOES_NOT_FIT)
        self.error(USAGE, "bench", self.model, "--shapes=x=1", says="--shapes")
        self.error(USAGE, "explain", self.model, "--after", "sce", says="sce")
        self.error(USAGE, "explain", self.model, "--after", "cse", "--passes=-cse", says=["cse", "--passes"])
        self.json("build", self.model, "-o", "x.narae")
        self.error(USAGE, "explain", "x.narae", "--after", "cse", says=["x.narae", "engine file"])

    def test_flags(self):
        self.build("--threads", "1", "--threads", "2", says="--threads")
        self.build("-o", "y.narae", says="--output")
        for flag in ("--min-shapes", "--threads", "--cache-dir"):  # the last word: its value is missing
            left = self.narae("build", self.model, "-o", "x.narae", *([] if flag == "--cache-dir" else ["--cache-dir=c"]), flag)
            self.assertEqual((left.returncode, left.stdout), (USAGE, ""))
            self.assertIn(flag, left.stderr)
        self.build("surplus", says="surplus")
        self.build("--output-dir", "out", says="--output-dir")
        self.error(USAGE, "run", self.model, "--input", self.input, says="--output-dir")
        self.error(USAGE, "run", self.model, "--output-dir", "out", "--input", "=x.npy", says='""')
        self.error(USAGE, "compare", self.model, "--input", self.input, says="--against")
        self.assertEqual(list(self.folder.glob("out*")), [])


class Places(CommandTest):
    def test_folders_given_as_files(self):
        folder = self.folder / "folder"
        folder.mkdir()
        for arguments in (["run", folder, "--input", self.input, "--output-dir", "out"], ["bench", folder], ["explain", folder],
                          ["compare", folder, "--against", "out", "--input", self.input]):
            self.error(BAD_FILE, *arguments, says=[str(folder), "config.json"])
        self.error(BAD_FILE, "run", self.model, "--input", folder, "--output-dir", "out", says=[str(folder), "regular file"])
        self.error(FAILED, "build", self.model, "-o", folder, says=[str(folder), "regular file"])
        self.error(FAILED, "explain", self.model, "--svg", folder, says=str(folder))
        self.error(BAD_FILE, "compare", self.model, "--against", folder, "--input", self.input, says="0.npy")
        self.assertEqual(list(folder.iterdir()), [])

    def test_pipes_are_not_waited_for(self):
        import os
        os.mkfifo(self.folder / "pipe")
        self.error(BAD_FILE, "run", "pipe", "--input", self.input, "--output-dir", "out", says="regular file")
        self.error(BAD_FILE, "run", self.model, "--input", "pipe", "--output-dir", "out", says="regular file")

    def test_places_that_cannot_be_written(self):
        self.error(FAILED, "build", self.model, "-o", "/proc/x.narae", says="/proc/x.narae")
        self.error(FAILED, "run", self.model, "--input", self.input, "--output-dir", "/proc/out", says="/proc/out")
        self.error(FAILED, "explain", self.model, "--svg", "gone/a.svg", says="gone/a.svg")
        self.error(FAILED, "build", self.model, "-o", "x.narae", "--cache-dir=cnn.onnx", says="cnn.onnx")
        self.error(USAGE, "build", self.model, "-o", "", says="--output")
        self.error(USAGE, "run", self.model, "--input", self.input, "--output-dir", "", says="--output-dir")
        self.leaves_nothing("x.narae")

    def test_the_model_is_never_written_over(self):
        before = self.model.read_bytes()
        (self.folder / "link.onnx").symlink_to(self.model)
        for place in ("cnn.onnx", "./cnn.onnx", "link.onnx"):
            self.error(USAGE, "build", self.model, "-o", place, says=[place, "model itself"])
        self.assertEqual(self.model.read_bytes(), before)
        self.assertTrue((self.folder / "link.onnx").is_symlink())

    def test_a_second_output_that_finds_no_room(self):
        nodes = [node("Relu", ["x"], ["small"], "first"), node("Concat", ["x"] + ["c"] * 8, ["large"], "second",
                                                                [b"\x0a\x04axis\x18\x00\xa0\x01\x02"])]
        data = model(nodes, [value_info("x", F32, [4])], [value_info("small", F32, [4]), value_info("large", F32, [404])],
                     [tensor("c", F32, [50], range(50))])
        self.file("two.onnx", data)
        self.array("four.npy", [4])
        from command import no_larger_files
        text = self.error(FAILED, "run", "two.onnx", "--input", "four.npy", "--output-dir", "out", says="1.npy",
                          preexec_fn=no_larger_files(300), restore_signals=False)
        self.assertIn("nothing was saved", text)
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["0.npy"])


class Inputs(CommandTest):
    def test_dtypes_and_counts(self):
        data = model([node("Add", ["a", "b"], ["y"], "sum")], [value_info("a", I64, [4]), value_info("b", I64, [4])],
                     [value_info("y", I64, [4])])
        self.file("sum.onnx", data)
        self.array("f.npy", [4])
        self.array("i.npy", [4], I64)
        run = ["run", "sum.onnx", "--output-dir", "out"]
        self.error(USAGE, *run, "--input", "a=i.npy", says=['"b"', "i64"])
        self.error(USAGE, *run, "--input", "i.npy", says="NAME=F.npy")
        self.error(DOES_NOT_FIT, *run, "--input", "a=i.npy", "--input", "b=f.npy", says=['"b"', "i64", "f32"])
        self.error(BAD_FILE, *run, "--input", "a=i.npy", "--input", "b=", says='"b"')
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
