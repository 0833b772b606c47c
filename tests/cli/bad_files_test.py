# SPDX-License-Identifier: Apache-2.0
"""Damaged, contradictory and hostile files, and disks that are full: the right exit code, a message that names the
culprit, never a crash, never a partial file."""
import pathlib
import subprocess
import unittest

from command import BAD_FILE, BINARY, DOES_NOT_FIT, FAILED, OK, CommandTest, no_larger_files
from onnx_file import F32, I64, model, node, ramp, small_cnn, tensor, value_info


class BadModels(CommandTest):
    def refused(self, name, data, says=()):
        return self.error(BAD_FILE, "build", self.file(name, data), "-o", "out.narae", says=[name, *says])

    def one_node(self, op, inputs, constants=(), shape=("N", 4), dtype=F32, **options):
        return model([node(op, inputs, ["y"], "culprit")], [value_info("x", dtype, shape)], [value_info("y", F32, ["N", 4])],
                     constants, **options)

    def test_truncated_anywhere(self):
        whole = small_cnn()
        for cut in [*range(0, 60, 7), *range(60, len(whole), len(whole) // 15), len(whole) - 1]:
            self.refused("cut.onnx", whole[:cut])
        self.leaves_nothing("out.narae")

    def test_bytes_changed(self):
        whole = small_cnn()
        for at in range(3, len(whole), len(whole) // 25):
            damaged = whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1:]
            code = self.narae("build", self.file("flip.onnx", damaged), "-o", "flip.narae").returncode
            self.assertIn(code, (OK, BAD_FILE, DOES_NOT_FIT), f"byte {at}")

    def test_other_kinds_of_file(self):
        self.refused("empty.onnx", b"")
        self.refused("text.onnx", b"once upon a time there was no model at all")
        self.refused("some.gguf", b"GGUF" + bytes(60), says=["GGUF"])
        self.error(BAD_FILE, "build", "gone.onnx", "-o", "out.narae", says="gone.onnx")
        self.error(BAD_FILE, "build", self.folder, "-o", "out.narae", says=str(self.folder))

    def test_cyclic(self):
        nodes = [node("Relu", ["b"], ["a"], "first"), node("Relu", ["a"], ["b"], "second"),
                 node("Add", ["x", "b"], ["y"], "third")]
        self.refused("cycle.onnx", model(nodes, [value_info("x", F32, [4])], [value_info("y", F32, [4])]))

    def test_dangling_names(self):
        self.refused("nowhere.onnx", self.one_node("Add", ["x", "nowhere"]), says=["nowhere"])
        no_output = model([node("Relu", ["x"], ["z"], "r")], [value_info("x", F32, [4])], [value_info("y", F32, [4])])
        self.refused("output.onnx", no_output, says=["y"])

    def test_wrong_types(self):
        text = self.refused("types.onnx", self.one_node("Add", ["x", "c"], [tensor("c", I64, [4], range(4))]))
        self.assertIn("culprit", text)
        self.refused("matmul.onnx", self.one_node("MatMul", ["x", "c"], [tensor("c", F32, [5, 4], ramp(20, 1))]),
                     says=["culprit"])

    def test_constants_that_lie(self):
        self.refused("short.onnx", self.one_node("Add", ["x", "c"], [tensor("c", F32, [4], raw=bytes(12))]), says=["c"])
        huge = tensor("c", F32, [1 << 40, 1 << 40], raw=bytes(16))
        self.refused("huge.onnx", self.one_node("Add", ["x", "c"], [huge]), says=["c"])
        self.refused("minus.onnx", self.one_node("Add", ["x", "c"], [tensor("c", F32, [-4], raw=bytes(16))]))

    def test_missing_external_data(self):
        away = self.one_node("Add", ["x", "c"], [tensor("c", F32, [4], external="weights.bin")])
        self.refused("external.onnx", away, says=["weights.bin"])

    def test_external_data_out_of_bounds(self):
        def external(**pairs):
            return self.one_node("Add", ["x", "c"], [tensor("c", F32, [4], external=pairs)])
        for place in ("../../etc/passwd", "/etc/passwd", "sub/../../w.bin", "", "\0", "w.bin\0.txt"):
            self.refused("outside.onnx", external(location=place), says=["leaves the model's folder"])
        self.file("w.bin", bytes(40))
        (self.folder / "sub").mkdir()
        for place in (".", "sub"):
            self.refused("folder.onnx", external(location=place), says=["regular file"])
        self.refused("far.onnx", external(location="w.bin", offset=28), says=["w.bin", "40 bytes", "offset 28"])
        self.refused("wrap.onnx", external(location="w.bin", offset=(1 << 64) - 8), says=["w.bin", "40 bytes"])
        self.refused("more.onnx", external(location="w.bin", offset=1 << 70), says=["offset", "not a size"])
        self.refused("minus.onnx", external(location="w.bin", offset=-4), says=["offset", "not a size"])
        self.refused("length.onnx", external(location="w.bin", length=12), says=["16", "12"])
        self.json("build", self.file("fits.onnx", external(location="w.bin", offset=24, length=16)), "-o", "fits.narae")

    def test_sizes_and_ranks_that_make_no_sense(self):
        self.refused("rank.onnx", self.one_node("Relu", ["x"], shape=[1] * 40), says=["rank 40"])
        self.refused("size.onnx", self.one_node("Relu", ["x"], shape=[1 << 62]), says=["too large"])
        self.refused("expand.onnx", self.one_node("Expand", ["x", "c"], [tensor("c", I64, [1], [1 << 61])], shape=(1,)),
                     says=["culprit", "no memory holds"])
        self.refused("string.onnx", self.one_node("Relu", ["x"], dtype=8), says=["x", "string"])
        self.refused("cut_attribute.onnx", self.one_node("Relu", ["x"]).replace(b"Relu", b"R\xffl\xff"), says=["UTF-8"])

    def test_missing_operators_are_all_named(self):
        nodes = [node("Frobnicate", ["x"], ["a"], "one"), node("Transmogrify", ["a"], ["b"], "two"),
                 node("Relu", ["b"], ["y"], "three")]
        data = model(nodes, [value_info("x", F32, [4])], [value_info("y", F32, [4])])
        self.refused("missing.onnx", data, says=["Frobnicate", "Transmogrify"])

    def test_profile_against_the_model(self):
        self.error(DOES_NOT_FIT, "build", self.model, "-o", "out.narae", "--max-shapes", "x:1x3x9x8", says="axis 2")
        self.error(DOES_NOT_FIT, "build", self.model, "-o", "out.narae", "--min-shapes", "x:4x3x8x8", "--max-shapes",
                   "x:2x3x8x8", says="N")
        self.leaves_nothing("out.narae")


class BadEngines(CommandTest):
    def setUp(self):
        super().setUp()
        self.json("build", self.model, "-o", "good.narae")
        self.whole = (self.folder / "good.narae").read_bytes()

    def run_code(self, data):
        self.file("bad.narae", data)
        return self.narae("run", "bad.narae", "--input", self.input, "--output-dir", "out").returncode

    def test_truncated_anywhere(self):
        for cut in [0, 1, 7, 8, 40, 63, 64, *range(100, len(self.whole), len(self.whole) // 15), len(self.whole) - 1]:
            self.file("bad.narae", self.whole[:cut])
            self.error(BAD_FILE, "run", "bad.narae", "--input", self.input, "--output-dir", "out", says="bad.narae")

    def test_bytes_changed(self):
        seen = set()
        for at in [8, 16, 24, 32, 40, *range(70, len(self.whole), len(self.whole) // 30)]:
            damaged = self.whole[:at] + bytes([self.whole[at] ^ 0x33]) + self.whole[at + 1:]
            code = self.run_code(damaged)
            self.assertIn(code, (OK, BAD_FILE), f"byte {at}")  # a changed weight cannot be told from a good one
            seen.add(code)
        self.assertIn(BAD_FILE, seen)

    def test_longer(self):
        self.assertEqual(self.run_code(self.whole + b"more"), BAD_FILE)


class FullDisks(CommandTest):
    def test_engine(self):
        size = self.json("build", self.model, "-o", "fits.narae") and (self.folder / "fits.narae").stat().st_size
        for limit in (0, 100, size // 2, size - 1):
            self.error(FAILED, "build", self.model, "-o", "full.narae", says=["full.narae", "nothing was saved"],
                       preexec_fn=no_larger_files(limit), restore_signals=False)
            self.leaves_nothing("full.narae")

    def test_older_engine_survives(self):
        self.json("build", self.model, "-o", "kept.narae")
        before = (self.folder / "kept.narae").read_bytes()
        self.error(FAILED, "build", self.model, "-o", "kept.narae", preexec_fn=no_larger_files(len(before) - 1),
                   restore_signals=False)
        self.assertEqual((self.folder / "kept.narae").read_bytes(), before)
        self.assertEqual([path.name for path in self.folder.glob("kept*")], ["kept.narae"])

    def test_outputs(self):
        self.error(FAILED, "run", self.model, "--input", self.input, "--output-dir", "out", says="0.npy",
                   preexec_fn=no_larger_files(50), restore_signals=False)
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def test_places_that_take_no_file(self):
        self.error(FAILED, "build", self.model, "-o", "/dev/full", says=["/dev/full", "regular"])
        self.assertTrue(pathlib.Path("/dev/full").is_char_device())
        self.error(FAILED, "build", self.model, "-o", "gone/x.narae", says="gone/x.narae")
        self.error(FAILED, "run", self.model, "--input", self.input, "--output-dir", self.model, says="cnn.onnx")

    def test_standard_output(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([BINARY, "devices", "--no-measure", "--json"], stdout=full, stderr=subprocess.PIPE,
                                    text=True, timeout=300)
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("standard output", result.stderr)


if __name__ == "__main__":
    unittest.main()
