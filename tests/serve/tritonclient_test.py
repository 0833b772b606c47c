# SPDX-License-Identifier: Apache-2.0
"""tritonclient_test.py NARAE: PyPI's tritonclient[http], unmodified, against the server."""
import threading
import unittest

import numpy as np
import tritonclient.http as client
from tritonclient.utils import InferenceServerException

from server import Server, add_two, environment_binary, relu

BINARY = environment_binary()


def tensor(name, array, binary):
    made = client.InferInput(name, list(array.shape), {np.dtype("int32"): "INT32", np.dtype("float32"): "FP32"}[array.dtype])
    made.set_data_from_numpy(array, binary_data=binary)
    return made


class TritonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--max-batch", "64", "--max-delay-us", "500", models={"relu": relu(["N", 4]), "add_two": add_two()}).start()
        cls.url = f"127.0.0.1:{cls.server.port}"
        cls.client = client.InferenceServerClient(cls.url, concurrency=4)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.__exit__()

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("relu"))
        self.assertTrue(self.client.is_model_ready("relu", "1"))
        self.assertFalse(self.client.is_model_ready("nobody"))
        self.assertEqual(self.client.get_server_metadata()["name"], "narae")
        self.assertEqual(self.client.get_model_metadata("relu")["inputs"], [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}])
        self.assertEqual(self.client.get_model_config("relu")["input"][0]["data_type"], "TYPE_FP32")

    def test_infer_every_way(self):
        a, b = np.arange(6, dtype=np.int32).reshape(2, 3), np.full((2, 3), 7, np.int32)
        for binary_in in (False, True):
            for wanted in (None, [False, False], [True, False], [True, True]):
                outputs = wanted and [client.InferRequestedOutput(name, binary_data=binary)
                                      for name, binary in zip(("twice", "sum"), wanted)]
                result = self.client.infer("add_two", [tensor("a", a, binary_in), tensor("b", b, not binary_in)],
                                           outputs=outputs, request_id="r1", priority=3, timeout=10_000_000)
                np.testing.assert_array_equal(result.as_numpy("sum"), a + b)
                np.testing.assert_array_equal(result.as_numpy("twice"), a + a)
                self.assertEqual(result.get_response()["id"], "r1")

    def test_errors_come_as_exceptions(self):
        a = np.zeros((1, 3), np.int32)
        for model, inputs, word in (("nobody", [tensor("a", a, True)], "nobody"), ("add_two", [tensor("a", a, True)], "missing"),
                                    ("add_two", [tensor("a", a, True), tensor("z", a, True)], "z")):
            with self.assertRaises(InferenceServerException) as raised:
                self.client.infer(model, inputs)
            self.assertIn(word, raised.exception.message())

    def test_requests_join(self):
        before = self.client.get_inference_statistics("relu")["model_stats"][0]
        x = np.random.default_rng(1).standard_normal((64, 4)).astype(np.float32)
        wrong = []

        def one(thread):
            own = client.InferenceServerClient(self.url)
            for i in range(thread, 64, 16):
                for _ in range(10):
                    result = own.infer("relu", [tensor("x", x[i:i + 1], True)])
                    if not np.array_equal(result.as_numpy("y"), np.maximum(x[i:i + 1], 0)):
                        wrong.append(i)
            own.close()

        threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        after = self.client.get_inference_statistics("relu")["model_stats"][0]
        self.assertEqual(int(after["inference_count"]) - int(before["inference_count"]), 640)
        self.assertLess(int(after["execution_count"]) - int(before["execution_count"]), 640, "no two requests joined")

    def test_async(self):
        x = np.ones((1, 4), np.float32)
        pending = [self.client.async_infer("relu", [tensor("x", x * i, True)]) for i in range(8)]
        for i, one in enumerate(pending):
            np.testing.assert_array_equal(one.get_result().as_numpy("y"), x * i)

    def test_repository(self):
        names = sorted(item["name"] for item in self.client.get_model_repository_index())
        self.assertEqual(names, ["add_two", "relu"])
        self.client.unload_model("add_two")
        self.assertFalse(self.client.is_model_ready("add_two"))
        self.client.load_model("add_two")
        self.assertTrue(self.client.is_model_ready("add_two"))
        with self.assertRaises(InferenceServerException):
            self.client.load_model("nobody")

    def test_compressed_bodies_are_refused_by_name(self):
        with self.assertRaises(InferenceServerException) as raised:
            self.client.infer("relu", [tensor("x", np.ones((1, 4), np.float32), True)], request_compression_algorithm="gzip")
        self.assertIn("gzip", raised.exception.message())


if __name__ == "__main__":
    unittest.main()
