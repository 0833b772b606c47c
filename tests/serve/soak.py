# SPDX-License-Identifier: Apache-2.0
"""soak.py NARAE [SECONDS]: random traffic on a server of all kinds of models, with cancels, reloads and disconnects. In the
end every request sent was answered or refused, or its client left; no page is held, and memory has not grown."""
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

from server import ROOT, Server, relu, relu_request

from tiny_encoder import tiny_encoder

TEXT, CLIENTS = "tiny-qwen3", 10


class Client(threading.Thread):
    def __init__(self, server, number, end):
        super().__init__()
        self.server, self.random, self.end = server, random.Random(number), end
        self.counts = {"sent": 0, "answered": 0, "refused": 0, "left": 0}
        self.problems = []

    def run(self):
        while time.monotonic() < self.end and not self.problems:
            try:
                with self.server.connect() as wire:
                    for _ in range(self.random.randrange(1, 20)):
                        if not self.one(wire):
                            break
            except Exception as error:  # whatever it is, it is what the soak is for
                self.problems.append(f"{type(error).__name__}: {error}")

    def one(self, wire):
        """False: the connection is gone."""
        kind = self.random.choice(["infer", "infer", "embed", "completion", "stream", "stream", "leave", "wrong", "change"])
        if kind in ("stream", "leave"):
            return self.stream(wire, leaves=kind == "leave")
        path, body = {
            "infer": lambda: ("/v2/models/relu/infer", relu_request([1, -2, 3, -4] * self.random.randrange(1, 4))),
            "embed": lambda: ("/v1/embeddings", {"model": "bert", "input": ["narae " * self.random.randrange(1, 3)] * self.random.randrange(1, 9)}),
            "completion": lambda: ("/v1/completions", self.text_body()),
            "wrong": lambda: self.random.choice([("/v1/completions", {"model": TEXT, "prompt": 7}), ("/v1/nothing", {}),
                                                 ("/v2/models/relu/infer", {"inputs": 3}),
                                                 ("/v1/chat/completions", {"model": TEXT, "messages": []})]),
            "change": lambda: (f"/v2/repository/models/{self.random.choice(['relu', 'bert', TEXT])}/"
                               f"{self.random.choice(['load', 'load', 'unload'])}", {}),
        }[kind]()
        if kind == "change" and self.random.random() < 0.9:
            return True
        if kind == "infer":
            rows = len(body["inputs"][0]["data"]) // 4
            body["inputs"][0]["shape"] = [rows, 4]
        self.counts["sent"] += 1
        status, _, answer = wire.call("POST", path, json.dumps(body).encode())
        if kind == "change" and path.endswith("unload"):
            self.counts["sent"] += 1
            status, _, answer = wire.call("POST", path.replace("unload", "load"), b"")
            self.counts["answered"] += 1
        if status == 200 and kind != "wrong":
            self.counts["answered"] += 1
        elif status in (503, 404 if kind == "wrong" else 503) or (status == 400 and kind == "wrong"):
            self.counts["refused"] += 1
            json.loads(answer)["error"]
        else:
            self.problems.append(f"{kind}: {status} {answer[:300]}")
        return True

    def text_body(self, **more):
        return {"model": TEXT, "prompt": "The king " * self.random.randrange(1, 30), "max_tokens": self.random.randrange(1, 60),
                "temperature": self.random.choice([0, 1.2]), "n": self.random.choice([1, 1, 1, 3]), "ignore_eos": True, **more}

    def stream(self, wire, leaves):
        self.counts["sent"] += 1
        wire.ask("POST", "/v1/completions", json.dumps(self.text_body(stream=True)).encode())
        if leaves and self.random.random() < 0.3:
            wire.reset()
            self.counts["left"] += 1
            return False
        status = int(wire.read_until(b"\r\n").split()[1])
        head = wire.read_until(b"\r\n\r\n").decode().lower()
        if status == 503:
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            while len(wire.rest) < length:
                wire.rest += wire.socket.recv(65536)
            wire.rest = wire.rest[length:]
            self.counts["refused"] += 1
            return True
        if status != 200:
            self.problems.append(f"stream: {status}")
        told = b""
        for part in wire.chunks():
            told += part
            if leaves:
                wire.reset()
                self.counts["left"] += 1
                return False
        self.counts["answered"] += 1
        if not told.endswith(b"data: [DONE]\n\n"):
            self.problems.append(f"the stream ended with {told[-200:]}")
        return True


def soak(binary, seconds):
    with tempfile.TemporaryDirectory(prefix="narae-soak-") as scratch:
        encoder = tiny_encoder(pathlib.Path(scratch) / "bert")
        with Server(binary, "--max-queue", "24", "--max-batch", "6", "--kv-pages", "60", "--max-delay-us", "300",
                    paths=[ROOT / "tests/data/models" / TEXT, encoder]) as server:
            begin = time.monotonic()
            clients = [Client(server, number, begin + seconds) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            resident = []
            while any(client.is_alive() for client in clients):
                time.sleep(min(seconds / 20, 15))
                resident.append(server.metric("process_resident_memory_bytes") / 1e6)
                print(f"{time.monotonic() - begin:6.0f} s  {resident[-1]:7.1f} MB  "
                      f"{sum(client.counts['sent'] for client in clients)} sent", flush=True)
            for client in clients:
                client.join()
            total = {name: sum(client.counts[name] for client in clients) for name in clients[0].counts}
            problems = [problem for client in clients for problem in client.problems]
            if total["sent"] != total["answered"] + total["refused"] + total["left"]:
                problems.append("sent is not answered, refused and left together")
            for name in ("narae_kv_pages_used", "narae_running_sequences", "nv_inference_pending_request_count"):
                for _ in range(100):
                    if server.metric(name) == 0:
                        break
                    time.sleep(0.1)
                else:
                    problems.append(f"{name} is {server.metric(name)} when all is over")
            settled, last = max(resident[len(resident) // 4:len(resident) // 2] or resident), max(resident[-3:])
            print(f"{total}, resident {settled:.1f} MB after a while, {last:.1f} MB in the end")
            if last > 1.1 * settled + 8:
                problems.append(f"memory has grown from {settled:.1f} to {last:.1f} MB")
    for problem in problems:
        print("FAILED:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(soak(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 600))
