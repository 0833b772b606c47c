# SPDX-License-Identifier: Apache-2.0
"""A `narae serve` of small models made by hand, and a client that says on the wire exactly what a test wants."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from onnx_file import F32, I32, model, node, tensor, value_info  # noqa: E402


def relu(dims):
    return model([node("Relu", ["x"], ["y"], "r")], [value_info("x", F32, dims)], [value_info("y", F32, dims)])


def add_two():
    """sum = a + b, twice = a + a; batches."""
    return model([node("Add", ["a", "b"], ["sum"], "s"), node("Add", ["a", "a"], ["twice"], "t")],
                 [value_info("a", I32, ["N", 3]), value_info("b", I32, ["N", 3])],
                 [value_info("sum", I32, ["N", 3]), value_info("twice", I32, ["N", 3])])


SLOW_SHAPE = (8, 512)


def slow(layers=400):
    """Some ten milliseconds and more a request; requests do not join."""
    rows, width = SLOW_SHAPE
    weights = tensor("w", F32, [width, width], [0.001] * (width * width))
    nodes = [node("MatMul", [f"v{i}", "w"], [f"v{i + 1}"], f"m{i}") for i in range(layers)]
    return model(nodes, [value_info("v0", F32, [rows, width])], [value_info(f"v{layers}", F32, [rows, width])], [weights])


def slow_request():
    """(path, body, headers)"""
    size = SLOW_SHAPE[0] * SLOW_SHAPE[1] * 4
    head = json.dumps({"inputs": [{"name": "v0", "datatype": "FP32", "shape": SLOW_SHAPE,
                                   "parameters": {"binary_data_size": size}}]}).encode()
    return "/v2/models/slow/infer", head + bytes(size), {"Inference-Header-Content-Length": len(head)}


class Server:
    """As a context: started, and ended by SIGTERM with exit code 0."""

    def __init__(self, binary, *flags, models=None, paths=()):
        self.scratch = tempfile.TemporaryDirectory(prefix="narae-serve-")
        self.folder = pathlib.Path(self.scratch.name)
        arguments = [str(path) for path in paths]
        for name, data in ({"relu": relu(["N", 4])} if models is None else models).items():
            path = self.folder / f"{name}.onnx"
            path.write_bytes(data)
            arguments.append(str(path))
        self.command = [binary, "serve", *arguments, "--http-port", "0", "--metrics-port", "0", "--cache-dir", "", *flags]

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the server ended: {self.process.wait()} {self.process.stderr.read()}")
        self.ready = json.loads(line)
        self.port, self.metrics_port = self.ready["http_port"], self.ready["metrics_port"]
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.end()
        finally:
            self.process.kill()
            self.process.communicate()
            self.scratch.cleanup()

    def end(self, number=signal.SIGTERM, seconds=60):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        if code != 0:
            raise AssertionError(f"exit code {code}: {self.process.stderr.read()[-3000:]}")

    def connect(self):
        return Wire(self.port)

    def call(self, method, path, body=b"", headers=None):
        """(status, headers, body) of one request on a connection of its own."""
        with self.connect() as wire:
            return wire.call(method, path, body, headers)

    def json(self, method, path, body=None, expect=200):
        data = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.call(method, path, data)
        assert status == expect, (status, answer[:500])
        return json.loads(answer) if answer else None

    def metrics(self, port=None):
        """{name with labels: value}, all of one moment."""
        with Wire(port or self.port) as wire:
            _, _, text = wire.call("GET", "/metrics")
        lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    def metric(self, name):
        return sum(value for full, value in self.metrics().items() if full.startswith(name))


class Wire:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def reset(self):
        """Leaves with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def read_until(self, mark):
        while mark not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(self.rest[:200])
            self.rest += more
        head, self.rest = self.rest.split(mark, 1)
        return head

    def answer(self):
        head = self.read_until(b"\r\n\r\n").decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        if status == 100:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, b"".join(self.chunks())
        length = int(headers["content-length"])
        while len(self.rest) < length:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(self.rest[:200])
            self.rest += more
        body, self.rest = self.rest[:length], self.rest[length:]
        return status, headers, body

    def chunks(self):
        """The parts of a chunked body, as they come."""
        while True:
            size = int(self.read_until(b"\r\n"), 16)
            while len(self.rest) < size + 2:
                more = self.socket.recv(65536)
                if not more:
                    raise EOFError(self.rest[:200])
                self.rest += more
            part, self.rest = self.rest[:size], self.rest[size + 2:]
            if size == 0:
                return
            yield part

    def events(self, method, path, body):
        """The data of server-sent events of a stream, as they come; JSON but for the last, [DONE]."""
        self.ask(method, path, json.dumps(body).encode())
        head = self.read_until(b"\r\n\r\n").decode()
        assert " 200 " in head.split("\r\n")[0] and "text/event-stream" in head, head
        text = b""
        for part in self.chunks():
            text += part
            while b"\n\n" in text:
                event, text = text.split(b"\n\n", 1)
                assert event.startswith(b"data: "), event
                yield event[6:].decode() if event[6:] == b"[DONE]" else json.loads(event[6:])
        assert text == b"", text

    def ask(self, method, path, body=b"", headers=None):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def call(self, method, path, body=b"", headers=None):
        self.ask(method, path, body, headers)
        return self.answer()

    def closed(self):
        """True when the server has closed, and sent nothing more."""
        return self.rest == b"" and self.socket.recv(1) == b""


def relu_request(values, rows=1, **more):
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, len(values) // rows], "data": values}], **more}


def environment_binary():
    return os.path.abspath(sys.argv.pop(1))
