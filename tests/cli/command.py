# SPDX-License-Identifier: Apache-2.0
"""What every test of the command stands on: a folder of its own, the binary, and its promises about --json."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import unittest

from json_schema import problems
from onnx_file import F32, ramp, small_cnn, write_npy

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("NARAE_COMMAND", ROOT / "build/release/narae"))
OK, FAILED, USAGE, BAD_FILE, DOES_NOT_FIT, DIFFERS = range(6)
COMMANDS = ["build", "run", "bench", "explain", "compare", "devices", "serve", "tokenize", "detokenize", "generate", "chat",
            "perplexity", "embed"]
CODES = {FAILED: "failed", USAGE: "usage", BAD_FILE: "bad_file", DOES_NOT_FIT: "does_not_fit", DIFFERS: "differs"}


def no_larger_files(limit):
    """For a child process: writing past `limit` bytes fails, as it does on a full disk."""
    def set_limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return set_limit


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="narae-cli-")
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)
        self.model = self.file("cnn.onnx", small_cnn())
        self.input = self.array("x.npy", [2, 3, 8, 8])

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def array(self, name, dims, dtype=F32):
        count = 1
        for dim in dims:
            count *= dim
        values = ramp(count, 0.01) if dtype == F32 else [index % 7 for index in range(count)]
        write_npy(self.folder / name, dtype, dims, values)
        return self.folder / name

    def narae(self, *arguments, **options):
        command = [str(BINARY), *map(str, arguments)]
        if arguments and arguments[0] in COMMANDS and not any(str(word).startswith("--cache-dir") for word in arguments):
            command += ["--cache-dir", str(self.folder / "cache")]
        result = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=300, **options)
        self.assertGreaterEqual(result.returncode, 0, f"{command} died: {result.stderr[-3000:]}")
        return result

    def conforms(self, schema, object_):
        rules = json.loads((ROOT / "docs/schemas" / f"{schema}.json").read_text())
        self.assertEqual(problems(object_, rules), [])

    def json(self, *arguments, code=OK, **options):
        """The object of a command that succeeds (or finds a difference); stdout holds nothing else."""
        result = self.narae(*arguments, "--json", **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout[-2000:]} {result.stderr[-2000:]}")
        object_ = json.loads(result.stdout)
        self.conforms(arguments[0], object_)
        return object_

    def error(self, code, *arguments, says=(), **options):
        """The message of a command that fails with `code`, told the same way with and without --json."""
        result = self.narae(*arguments, "--json", **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout[-2000:]} {result.stderr[-2000:]}")
        object_ = json.loads(result.stdout)
        self.conforms("error", object_)
        error = object_["error"]
        self.assertEqual(error["code"], CODES[code])
        text = " > ".join(error["context"] + [error["message"]])
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, text)
        self.assertNotIn("internal", text)
        return text

    def leaves_nothing(self, name):
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(name)], [])
