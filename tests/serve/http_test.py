# SPDX-License-Identifier: Apache-2.0
"""http_test.py NARAE: the server on the wire. What is asked rightly is answered; what is not is refused with the status
and the words it should have, and the next request on another connection is answered as if nothing had been."""
import json
import struct
import subprocess
import threading
import time
import unittest

from server import ROOT, Server, Wire, add_two, environment_binary, relu, relu_request, slow, slow_request

from json_schema import problems

BINARY = environment_binary()
INFER = "/v2/models/relu/infer"


def schema(name):
    return json.loads((ROOT / "docs/schemas" / f"{name}.json").read_text())


def binary_request(data, size=None, shape=(1, 4), **members):
    tensor = {"name": "x", "datatype": "FP32", "shape": list(shape),
              "parameters": {"binary_data_size": len(data) if size is None else size}}
    head = json.dumps({"inputs": [tensor | members]}).encode()
    return head + data, {"Inference-Header-Content-Length": len(head)}


class Basics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--max-batch", "8", models={
            "relu": relu(["N", 4]), "add_two": add_two(), "fixed": relu([2, 4]), "square": relu(["N", "N"])}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def refused(self, status, words, body, headers=None, path=INFER, method="POST"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        got, _, answer = self.server.call(method, path, data, headers)
        self.assertEqual(got, status, answer[:400])
        message = json.loads(answer)["error"]
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, message)
        self.assertNotIn("internal", message)
        self.assertEqual(self.answered([-1, 2, 3, -4]), [0, 2, 3, 0])

    def answered(self, values):
        return self.server.json("POST", INFER, relu_request(values))["outputs"][0]["data"]

    def test_ready_line(self):
        ready = self.server.ready
        self.assertEqual(problems(ready, schema("serve")), [])
        self.assertEqual(ready["event"], "ready")
        self.assertEqual(ready["pid"], self.server.process.pid)
        self.assertEqual([(m["name"], m["state"]) for m in ready["models"]],
                         [("add_two", "READY"), ("fixed", "READY"), ("relu", "READY"), ("square", "READY")])

    def test_health_and_metadata(self):
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/relu/ready", "/v2/models/relu/versions/1/ready"):
            self.assertEqual(self.server.call("GET", path)[0], 200, path)
        self.assertEqual(self.server.json("GET", "/v2")["name"], "narae")
        meta = self.server.json("GET", "/v2/models/add_two")
        self.assertEqual([i["name"] for i in meta["inputs"]], ["a", "b"])
        self.assertEqual(meta["outputs"][1], {"name": "twice", "datatype": "INT32", "shape": [-1, 3]})
        self.assertEqual(meta["parameters"]["dynamic_batching"], "on")
        for name, why in (("fixed", "is 2, not a free size"), ("square", "depends on the batch")):
            parameters = self.server.json("GET", f"/v2/models/{name}")["parameters"]
            self.assertEqual(parameters["dynamic_batching"], "off")
            self.assertIn(why, parameters["dynamic_batching_reason"])

    def test_infer_in_json(self):
        answer = self.server.json("POST", INFER, relu_request([-1, 2.5, 3, -4], id="seven"))
        self.assertEqual(answer, {"model_name": "relu", "model_version": "1", "id": "seven", "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [1, 4], "data": [0.0, 2.5, 3.0, 0.0]}]})
        nested = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 4], "data": [[1, 2, 3, 4], [-5, 6, -7, 8]]}]}
        self.assertEqual(self.server.json("POST", INFER, nested)["outputs"][0]["data"], [1, 2, 3, 4, 0, 6, 0, 8])

    def test_infer_in_binary_with_outputs_chosen(self):
        a, b = struct.pack("<6i", *range(6)), struct.pack("<6i", *range(10, 16))
        tensors = [{"name": name, "datatype": "INT32", "shape": [2, 3], "parameters": {"binary_data_size": 24}} for name in "ba"]
        head = json.dumps({"inputs": tensors, "outputs": [{"name": "twice", "parameters": {"binary_data": True}}, {"name": "sum"}]}).encode()
        status, headers, body = self.server.call("POST", "/v2/models/add_two/infer", head + b + a,
                                                 {"inference-header-content-length": len(head)})
        self.assertEqual(status, 200, body)
        length = int(headers["inference-header-content-length"])
        outputs = json.loads(body[:length])["outputs"]
        self.assertEqual([o["name"] for o in outputs], ["twice", "sum"])
        self.assertEqual(outputs[1]["data"], [10, 12, 14, 16, 18, 20])
        self.assertEqual(struct.unpack("<6i", body[length:]), (0, 2, 4, 6, 8, 10))
        self.assertEqual(outputs[0]["parameters"], {"binary_data_size": 24})

    def test_wrong_tensors_are_named(self):
        good = relu_request([1, 2, 3, 4])
        with_input = lambda **change: {"inputs": [good["inputs"][0] | change]}  # noqa: E731
        self.refused(400, ['"z"', '"x"'], with_input(name="z"))
        self.refused(400, '"x" is missing', {"inputs": []})
        self.refused(400, "there twice", {"inputs": good["inputs"] * 2})
        self.refused(400, "FP33", with_input(datatype="FP33"))
        self.refused(400, "BYTES", with_input(datatype="BYTES"))
        self.refused(400, "f32", with_input(datatype="INT32"))
        self.refused(400, "[1,5]", with_input(shape=[1, 5], data=[1] * 5))
        self.refused(400, "4 elements", with_input(shape=[1, 5]))
        self.refused(400, "-1", with_input(shape=[-1, 4]))
        self.refused(400, "no size", with_input(shape=["1", 4]))
        self.refused(400, "bytes than can be counted", with_input(shape=[2 ** 40, 2 ** 40]))
        self.refused(400, "bytes than can be counted", with_input(shape=[2 ** 62, 0, 2 ** 62]))
        self.refused(400, "no size", with_input(shape=[2 ** 64 - 1, 1]))
        self.refused(400, "shape", with_input(shape=[1] * 99))
        self.refused(400, "no rows", with_input(shape=[0, 4], data=[]))
        self.refused(400, "--max-batch", with_input(shape=[9, 4], data=[1] * 36))
        self.refused(400, "element 1", with_input(data=[1, "2", 3, 4]))
        self.refused(400, "element 3", with_input(data=[1, 2, 3, None]))
        self.refused(400, "element 0", with_input(data=[1e300, 2, 3, 4]))
        self.refused(400, "nested", with_input(data=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]))
        self.refused(400, "either", with_input(parameters={"binary_data_size": 16}))
        self.refused(400, "shared_memory_region", with_input(parameters={"shared_memory_region": "r"}))
        self.refused(400, '"q"', good | {"outputs": [{"name": "q"}]})
        self.refused(400, "twice", good | {"outputs": [{"name": "y"}, {"name": "y"}]})
        self.refused(400, "classification", good | {"outputs": [{"name": "y", "parameters": {"classification": 3}}]})
        self.refused(400, "sequence_id", good | {"parameters": {"sequence_id": 7}})
        self.refused(400, "timeout", good | {"parameters": {"timeout": "soon"}})
        self.refused(400, "surplus", good | {"surplus": 1})
        self.refused(400, "\"id\"", good | {"id": 7})
        self.refused(400, "does not fit", {"inputs": [{"name": "a", "datatype": "INT32", "shape": [1, 3], "data": [2 ** 31, 2, 3]}]},
                     path="/v2/models/add_two/infer")
        self.refused(400, "rows", {"inputs": [{"name": n, "datatype": "INT32", "shape": [r, 3], "data": [1] * 3 * r}
                                             for n, r in (("a", 1), ("b", 2))]}, path="/v2/models/add_two/infer")

    def test_wrong_bodies(self):
        for body, word in ((b"", "JSON"), (b"{", "JSON"), (b"[]", "object"), (b"\xff\xfe{}", "JSON"), (b"null", "object"),
                           (b'{"inputs": 3}', "list"), (b'{"inputs": [3]}', "object"), (b"[" * 100000, "JSON"),
                           (b'{"inputs":' + b"[" * 50000 + b"]" * 50000 + b"}", "nested"), (b'{"inputs": [{}]}', '"name"'),
                           (b'{"inputs": [{"name": "x"}]}', "datatype"), (b"{} trailing", "JSON"), (b"1e999999", "range"), (b'{"id": "\xff"}', "JSON")):
            self.refused(400, word, body)
        data = struct.pack("<4f", 1, 2, 3, 4)
        for size, word in ((15, "15 bytes"), (17, "17"), (-1, "-1"), (2 ** 63, "whole number"), ("16", "whole number")):
            body, headers = binary_request(data, size)
            self.refused(400, word, body, headers)
        body, headers = binary_request(data)
        self.refused(400, "behind the last input", body + b"more", headers)
        for length in ("-1", "99999", "x", "1e2", "18446744073709551617", ""):
            expected = 400
            self.refused(expected, "", body, {"Inference-Header-Content-Length": length})
        self.refused(415, "gzip", b"{}", {"Content-Encoding": "gzip"})

    def test_paths(self):
        self.refused(404, "nothing", {}, path="/v2/modelz")
        self.refused(404, "no model", relu_request([1]), path="/v2/models/other/infer")
        self.refused(404, "version", relu_request([1]), path="/v2/models/relu/versions/7/infer")
        self.refused(405, "POST", b"", method="GET")
        for path in ("/v2/models/..%2f..%2fetc%2fpasswd", "/v2/models/%00", "/../../etc/passwd", "/v2/models/" + "a" * 5000,
                     "/v2/repository/models/..%2F/load", "//", "/v2//models", "/%2e%2e/x"):
            for method in ("GET", "POST"):
                status, _, _ = self.server.call(method, path)
                self.assertIn(status, (404, 405), path)
        self.refused(400, "'%'", b"", path="/v2/models/%zz", method="GET")
        self.assertEqual(self.server.call("GET", "/v2/models/relu/?a=b")[0], 200)
        status, headers, body = self.server.call("HEAD", "/v2/health/ready")
        self.assertEqual((status, body), (200, b""))

    def test_wire(self):
        cases = [(b"nonsense\r\n\r\n", 400), (b"GET / HTTP/9.9\r\n\r\n", 400), (b"GET /v2 HTTP/1.1\r\nno colon\r\n\r\n", 400),
                 (b"GET /v2 HTTP/1.1\r\nX: " + b"y" * 40000 + b"\r\n\r\n", 431), (b"\x00\x01\x02\x03\r\n\r\n", 400),
                 (b"POST %b HTTP/1.1\r\nContent-Length: -1\r\n\r\n" % INFER.encode(), 400),
                 (b"POST %b HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n" % INFER.encode(), 400),
                 (b"POST %b HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n" % INFER.encode(), 413),
                 (b"POST %b HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" % INFER.encode(), 400),
                 (b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" % INFER.encode(), 400)]
        for data, expected in cases:
            with self.server.connect() as wire:
                wire.send(data)
                status, headers, body = wire.answer()
                self.assertEqual(status, expected, data[:60])
                self.assertIn("error", json.loads(body))
                self.assertTrue(wire.closed())
        self.assertEqual(self.answered([1, -1, 1, -1]), [1, 0, 1, 0])

    def test_one_connection_many_requests(self):
        body = json.dumps(relu_request([1, -2, 3, -4])).encode()
        with self.server.connect() as wire:
            for _ in range(50):
                self.assertEqual(wire.call("POST", INFER, body)[0], 200)
            for _ in range(20):  # all at once, answered in order
                wire.ask("POST", INFER, body)
                wire.ask("GET", "/v2/models/none")
            self.assertEqual([wire.answer()[0] for _ in range(40)], [200, 404] * 20)
            wire.send(f"POST {INFER} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            self.assertEqual(wire.answer()[0], 100)
            wire.send(body)
            self.assertEqual(wire.answer()[0], 200)
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
            wire.send(f"POST {INFER} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks)
            self.assertEqual(wire.answer()[0], 200)
        with self.server.connect() as wire:
            status, headers, _ = wire.call("GET", "/v2", headers={"Connection": "close"})
            self.assertEqual(status, 200)
            self.assertTrue(wire.closed())

    def test_repository(self):
        index = self.server.json("POST", "/v2/repository/index")
        self.assertEqual({item["name"]: item["state"] for item in index}["fixed"], "READY")
        self.server.json("POST", "/v2/repository/models/fixed/unload")
        self.refused(503, "not ready", relu_request([1] * 8, 2), path="/v2/models/fixed/infer")
        self.assertEqual(self.server.call("GET", "/v2/models/fixed/ready")[0], 503)
        unloaded = [i for i in self.server.json("POST", "/v2/repository/index") if i["name"] == "fixed"][0]
        self.assertEqual((unloaded["state"], unloaded["reason"]), ("UNAVAILABLE", "unloaded"))
        self.server.json("POST", "/v2/repository/models/fixed/load", {})
        self.assertEqual(self.server.json("POST", "/v2/models/fixed/infer", relu_request([-1, 2] * 4, 2))["outputs"][0]["data"],
                         [0, 2] * 4)
        self.refused(404, "no model", {}, path="/v2/repository/models/nobody/load")
        self.refused(400, "config", {"parameters": {"config": "{}"}}, path="/v2/repository/models/fixed/load")
        self.refused(400, "JSON", b"[1", path="/v2/repository/models/fixed/load")
        path = self.server.folder / "fixed.onnx"
        good = path.read_bytes()
        path.write_bytes(good[:40])
        try:
            self.refused(400, "fixed", {}, path="/v2/repository/models/fixed/load")
            self.assertEqual(self.server.call("GET", "/v2/models/fixed/ready")[0], 200, "the old one stays")
        finally:
            path.write_bytes(good)

    def test_statistics_and_metrics(self):
        before = self.server.json("GET", "/v2/models/add_two/stats")["model_stats"][0]
        tensors = [{"name": n, "datatype": "INT32", "shape": [3, 3], "data": [1] * 9} for n in "ab"]
        for _ in range(4):
            self.server.json("POST", "/v2/models/add_two/infer", {"inputs": tensors})
        after = self.server.json("GET", "/v2/models/stats")["model_stats"][0]
        self.assertEqual(after["name"], "add_two")
        self.assertEqual(after["inference_count"] - before["inference_count"], 12)
        for key in ("success", "queue", "compute_infer"):
            self.assertEqual(after["inference_stats"][key]["count"] - before["inference_stats"][key]["count"], 4)
        self.assertGreaterEqual(self.server.metric('nv_inference_count{model="add_two"'), 12)
        self.assertGreater(self.server.metric("process_resident_memory_bytes"), 1e6)


class Limits(unittest.TestCase):
    def test_full_queue_is_refused_at_once_and_counts_add_up(self):
        with Server(BINARY, "--max-queue", "4", models={"slow": slow(), "relu": relu(["N", 4])}) as server:
            path, body, headers = slow_request()
            statuses, lock = [], threading.Lock()

            def client():
                with server.connect() as wire:
                    for _ in range(6):
                        status, answer_headers, answer = wire.call("POST", path, body, headers)
                        with lock:
                            statuses.append(status)
                        if status == 503:
                            assert answer_headers["retry-after"] == "1" and b"queue" in answer, (answer_headers, answer)

            threads = [threading.Thread(target=client) for _ in range(24)]
            for thread in threads:
                thread.start()
            self.assertEqual(server.json("POST", INFER, relu_request([1, -1, 2, -2]))["outputs"][0]["data"], [1, 0, 2, 0])
            for thread in threads:
                thread.join()
            self.assertEqual(len(statuses), 24 * 6)
            self.assertEqual(set(statuses), {200, 503})
            self.assertEqual(server.metric('nv_inference_request_success{model="slow"'), statuses.count(200))
            self.assertEqual(server.metric('nv_inference_request_failure{model="slow",version="1",reason="REJECTED"'),
                             statuses.count(503))

    def test_body_limit_and_slow_clients(self):
        with Server(BINARY, "--max-body", "10000", "--stall-seconds", "2", "--header-seconds", "2") as server:
            status, _, body = server.call("POST", INFER, b" " * 10001)
            self.assertEqual(status, 413)
            self.assertIn("10000", json.loads(body)["error"])
            with server.connect() as header, server.connect() as halted, server.connect() as other:
                header.send(b"GET /v2 HT")
                halted.send(f"POST {INFER} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
                self.assertEqual(other.call("POST", INFER, json.dumps(relu_request([1, 2, 3, 4])).encode())[0], 200)
                for wire in (header, halted):
                    try:
                        self.assertEqual(wire.answer()[0], 408)
                    except (EOFError, ConnectionResetError):
                        pass  # closed without a word is as good
                    self.assertTrue(wire.socket.recv(1) == b"")

    def test_whoever_does_not_read_is_left(self):
        with Server(BINARY, "--stall-seconds", "2", "--max-batch", "4096") as server:
            rows = 4000
            body = json.dumps(relu_request([1.5] * rows * 4, rows)).encode()
            with server.connect() as wire:
                for _ in range(300):  # answers pile up until nothing more fits
                    wire.socket.settimeout(0.5)
                    try:
                        wire.ask("POST", INFER, body)
                    except OSError:
                        break
                else:
                    self.fail("the server never stopped reading")
                deadline = time.time() + 30
                while time.time() < deadline:
                    if server.metric("narae_http_requests_total") and self.gone(wire):
                        break
                else:
                    self.fail("the connection is still there")
            self.assertEqual(server.json("POST", INFER, relu_request([1, -1, 2, -2]))["outputs"][0]["data"], [1, 0, 2, 0])

    @staticmethod
    def gone(wire):
        """The server's end is closed: sending fails soon."""
        try:
            wire.socket.settimeout(0.5)
            wire.socket.sendall(b"x")
            time.sleep(0.2)
            wire.socket.sendall(b"x")
        except TimeoutError:
            return False
        except OSError:
            return True
        return False

    def test_disconnects_cancel(self):
        with Server(BINARY, models={"slow": slow(), "relu": relu(["N", 4])}) as server:
            path, body, headers = slow_request()
            asked = 0
            for _ in range(3):
                wires = [server.connect() for _ in range(30)]
                for wire in wires:
                    wire.ask("POST", path, body, headers)
                asked += 30
                while server.metric('nv_inference_pending_request_count{model="slow"') + self.ended(server) < asked - 1:
                    time.sleep(0.01)  # all are read, one may be under way
                for wire in wires:
                    wire.reset()
            deadline = time.time() + 60
            while server.metric('nv_inference_pending_request_count{model="slow"') and time.time() < deadline:
                time.sleep(0.05)
            status, _, _ = server.call("POST", path, body, headers)
            self.assertEqual(status, 200)
            counts = server.metrics()
            cancelled = counts['nv_inference_request_failure{model="slow",version="1",reason="CANCELED"}']
            self.assertGreater(cancelled, 0, "nobody noticed that the clients had left")
            self.assertEqual(self.ended(server), asked + 1)
            self.assertLess(counts['nv_inference_exec_count{model="slow",version="1"}'], asked + 1)
            self.assertGreaterEqual(server.metric("narae_http_disconnected_total"), cancelled)

    @staticmethod
    def ended(server):
        return sum(value for name, value in server.metrics().items()
                   if name.startswith(("nv_inference_request_success", "nv_inference_request_failure")) and '"slow"' in name)

    def test_term_answers_what_is_there(self):
        server = Server(BINARY, models={"slow": slow()}).start()
        try:
            path, body, headers = slow_request()
            wires = [server.connect() for _ in range(8)]
            idle = server.connect()
            for wire in wires:
                wire.ask("POST", path, body, headers)
            time.sleep(0.3)
            server.process.terminate()
            self.assertEqual([wire.answer()[0] for wire in wires], [200] * 8)
            self.assertTrue(idle.closed())
            self.assertEqual(server.process.wait(30), 0)
            for wire in wires + [idle]:
                wire.socket.close()
        finally:
            server.__exit__()


class Starting(unittest.TestCase):
    def narae(self, *arguments):
        return subprocess.run([BINARY, "serve", *arguments, "--http-port", "0", "--metrics-port", "0", "--cache-dir", "",
                               "--json"], capture_output=True, text=True, timeout=120)

    def test_folder_of_a_model_repository(self):
        with Server(BINARY) as plain:
            folder = plain.folder / "mine"
            (folder / "3").mkdir(parents=True)
            (folder / "12").mkdir()
            (folder / "3/model.onnx").write_bytes(b"old")
            (folder / "12/model.onnx").write_bytes(relu(["N", 4]))
            (folder / "config.pbtxt").write_text('name: "mine"\nmax_batch_size: 2\ndynamic_batching { max_queue_delay_microseconds: 100 }\n')
            server = Server(BINARY)
            server.command[2] = str(folder)
            with server:
                meta = server.json("GET", "/v2/models/mine")
                self.assertEqual(meta["versions"], ["12"])
                self.assertEqual((meta["parameters"]["max_batch"], meta["parameters"]["max_delay_us"]), (2, 100))
            (folder / "config.pbtxt").write_text("ensemble_scheduling { }\n")
            result = self.narae(str(folder))
            self.assertEqual(result.returncode, 3)
            self.assertIn("ensemble_scheduling", json.loads(result.stdout)["error"]["message"])

    def test_what_cannot_start_says_why(self):
        with Server(BINARY) as server:
            model = str(server.folder / "relu.onnx")
            for arguments, code, word in (((model, model), 2, "NAME=PATH"), (("/nowhere.onnx",), 3, "nowhere"),
                                          ((model, "--host", "nohost"), 2, "--host"), ((model, "--max-batch", "0"), 2, "max-batch"),
                                          ((model, "--instances", "1000"), 2, "")):
                result = self.narae(*arguments)
                self.assertEqual(result.returncode, code, result.stdout + result.stderr)
                self.assertIn(word, result.stdout)
            taken = subprocess.run([BINARY, "serve", model, "--http-port", str(server.port), "--cache-dir", "", "--json"],
                                   capture_output=True, text=True, timeout=120)
            self.assertEqual(taken.returncode, 1)
            self.assertIn(str(server.port), json.loads(taken.stdout)["error"]["message"])

    def test_load_counts_what_it_sent(self):
        with Server(BINARY) as server:
            result = subprocess.run([BINARY, "load", f"http://127.0.0.1:{server.port}", "--model", "relu", "--concurrency", "4",
                                     "--duration", "1", "--json"], capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr)
            tally = json.loads(result.stdout)
            self.assertEqual(problems(tally, schema("load")), [])
            self.assertGreater(tally["answered"], 10)
            self.assertEqual(tally["sent"], tally["answered"] + tally["refused"] + tally["failed"])
            self.assertEqual(tally["failed"], 0)
            self.assertEqual(server.metric("nv_inference_request_success"), tally["answered"])
            counts = server.metrics()  # itself read, not yet answered
            self.assertEqual(counts["narae_http_requests_total"],
                             counts["narae_http_answered_total"] + counts["narae_http_refused_total"] + 1)

    def test_metrics_port_has_metrics_alone(self):
        with Server(BINARY) as server, Wire(server.metrics_port) as wire:
            self.assertIn("narae_http_requests_total", server.metrics(server.metrics_port))
            self.assertEqual(wire.call("POST", "/v2/repository/models/relu/unload")[0], 404)
            self.assertEqual(server.call("GET", "/v2/models/relu/ready")[0], 200)


if __name__ == "__main__":
    unittest.main()
