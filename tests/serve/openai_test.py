# SPDX-License-Identifier: Apache-2.0
"""openai_test.py NARAE: the OpenAI endpoints on the wire, with a tiny language model and a tiny encoder. What is told in
a stream is what is told at once; who is refused, leaves or does not read harms nobody else."""
import base64
import json
import math
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server import ROOT, Server, environment_binary, relu

from json_schema import problems
from tiny_encoder import tiny_encoder

BINARY = environment_binary()
MODEL = ROOT / "tests/data/models/tiny-qwen3"
GOLDEN = json.loads((MODEL / "golden.json").read_text())["cases"]
CHAT, COMPLETIONS, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
GREEDY = {"model": "tiny-qwen3", "temperature": 0, "ignore_eos": True}


def wait_until(check, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.02)


class OpenAi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="narae-openai-")
        encoder = tiny_encoder(pathlib.Path(cls.scratch.name) / "bert")
        cls.server = Server(BINARY, "--max-batch", "8", "--max-queue", "64", "--kv-pages", "200", "--page-size", "8",
                            models={"relu": relu(["N", 4])}, paths=[MODEL, encoder]).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.scratch.cleanup()

    def complete(self, expect=200, path=COMPLETIONS, **members):
        return self.server.json("POST", path, GREEDY | members, expect)

    def text_of(self, case, tokens):
        answer = self.complete(prompt=case["prompt_ids"], max_tokens=tokens)
        return answer["choices"][0]["text"]

    def refused(self, status, words, path=COMPLETIONS, **members):
        body = {"prompt": "a"} if path == COMPLETIONS else {"messages": [{"role": "user", "content": "a"}]}
        error = self.complete(status, path, **(body | members))["error"]
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, error["message"])
        self.assertEqual(set(error), {"message", "type", "param", "code"})

    def test_models(self):
        self.assertEqual({m["name"]: m["kind"] for m in self.server.ready["models"]},
                         {"relu": "tensor", "tiny-qwen3": "text", "bert": "embedding"})
        listed = self.server.json("GET", "/v1/models")
        self.assertEqual(listed["object"], "list")
        self.assertEqual([(m["id"], m["object"], m["kind"]) for m in listed["data"]],
                         [("bert", "model", "embedding"), ("tiny-qwen3", "model", "text")])
        self.assertGreater(self.server.json("GET", "/v1/models/tiny-qwen3")["max_model_len"], 100)
        self.assertEqual(self.server.json("GET", "/v1/models/relu", expect=404)["error"]["type"], "not_found_error")
        self.assertEqual(self.server.json("GET", "/v2/models/tiny-qwen3")["parameters"]["kind"], "text")
        self.assertEqual(self.server.call("GET", "/v2/models/tiny-qwen3/ready")[0], 200)
        self.assertEqual(self.server.call("POST", "/v2/models/tiny-qwen3/infer", b"{}")[0], 400)

    def test_completion_is_the_reference_and_streams_alike(self):
        for case in GOLDEN:
            whole = self.complete(prompt=case["prompt"], max_tokens=20, logprobs=0)
            self.assertEqual(whole["object"], "text_completion")
            choice = whole["choices"][0]
            self.assertEqual(choice["finish_reason"], "length")
            self.assertEqual(whole["usage"]["prompt_tokens"], len(case["prompt_ids"]))
            self.assertEqual(whole["usage"]["completion_tokens"], 20)
            self.assertEqual(whole["usage"]["total_tokens"], len(case["prompt_ids"]) + 20)
            self.assertEqual(len(choice["logprobs"]["tokens"]), 20)
            self.assertTrue(all(value <= 1e-6 for value in choice["logprobs"]["token_logprobs"]))
            # The same tokens again as a prompt: what follows is what the reference has.
            more = self.complete(prompt=case["prompt_ids"] + case["greedy_ids"][:10], max_tokens=10)
            self.assertTrue(choice["text"].endswith(more["choices"][0]["text"]), (choice, more))
            with self.server.connect() as wire:
                body = GREEDY | {"prompt": case["prompt"], "max_tokens": 20, "stream": True,
                                 "stream_options": {"include_usage": True}}
                *events, usage, done = wire.events("POST", COMPLETIONS, body)
                self.assertEqual(done, "[DONE]")
                self.assertEqual(usage["choices"], [])
                self.assertEqual(usage["usage"]["completion_tokens"], 20)
                self.assertEqual("".join(e["choices"][0]["text"] for e in events), choice["text"])
                self.assertEqual([e["choices"][0]["finish_reason"] for e in events], [None] * (len(events) - 1) + ["length"])
                self.assertTrue(all(e["usage"] is None and e["id"] == usage["id"] for e in events))
                # The connection goes on.
                self.assertEqual(wire.call("GET", "/v2/health/live")[0], 200)

    def test_chat(self):
        body = {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "he"},
                                                                                               {"type": "text", "text": "llo"}]}]}
        whole = self.complete(path=CHAT, max_tokens=12, logprobs=True, **body)
        self.assertEqual(whole["object"], "chat.completion")
        message = whole["choices"][0]["message"]
        self.assertEqual(message["role"], "assistant")
        content = whole["choices"][0]["logprobs"]["content"]
        self.assertEqual(len(content), 12)
        self.assertEqual(b"".join(bytes(one["bytes"]) for one in content).decode("utf-8", "replace"), message["content"])
        text = "<|system|>\ns\n<|user|>\nhello\n<|assistant|>\n"
        self.assertEqual(self.complete(prompt=text, max_tokens=12)["choices"][0]["text"], message["content"])
        with self.server.connect() as wire:
            *events, done = wire.events("POST", CHAT, GREEDY | body | {"max_completion_tokens": 12, "stream": True})
        self.assertEqual(events[0]["choices"][0]["delta"], {"role": "assistant", "content": ""})
        self.assertEqual("".join(e["choices"][0]["delta"].get("content", "") for e in events), message["content"])
        self.assertEqual(events[-1]["choices"][0]["finish_reason"], "length")
        self.assertEqual(events[0]["object"], "chat.completion.chunk")

    def test_choices_prompts_seeds_and_stops(self):
        hot = {"temperature": 1.2, "prompt": "The king", "max_tokens": 10}
        first = self.complete(n=3, seed=5, **hot)
        self.assertEqual([c["index"] for c in first["choices"]], [0, 1, 2])
        texts = [c["text"] for c in first["choices"]]
        self.assertEqual(len(set(texts)), 3)
        self.assertEqual([c["text"] for c in self.complete(n=3, seed=5, **hot)["choices"]], texts)
        self.assertEqual(self.complete(seed=5, **hot)["choices"][0]["text"], texts[0])
        unseeded = {self.complete(**hot)["choices"][0]["text"] for _ in range(6)}
        self.assertGreater(len(unseeded), 1)
        with self.server.connect() as wire:
            told = ["", "", ""]
            for event in wire.events("POST", COMPLETIONS, GREEDY | hot | {"n": 3, "seed": 5, "stream": True}):
                for choice in event["choices"] if event != "[DONE]" else []:
                    told[choice["index"]] += choice["text"]
        self.assertEqual(told, texts)
        prompts = [case["prompt"] for case in GOLDEN]
        together = self.complete(prompt=prompts, max_tokens=8)["choices"]
        self.assertEqual([c["text"] for c in together], [self.complete(prompt=p, max_tokens=8)["choices"][0]["text"] for p in prompts])
        long = self.complete(prompt=prompts[0], max_tokens=20)["choices"][0]["text"]
        stop = long[6:9]
        for how in (stop, [stop, "nothing such"]):
            choice = self.complete(prompt=prompts[0], max_tokens=20, stop=how)["choices"][0]
            self.assertEqual((choice["text"], choice["finish_reason"]), (long[:long.find(stop)], "stop"))
        echoed = self.complete(prompt=prompts[0], max_tokens=20, echo=True)["choices"][0]["text"]
        self.assertTrue(echoed.endswith(long) and echoed.strip().startswith(prompts[0].strip()), echoed)
        forced = self.complete(prompt=prompts[0], max_tokens=3, logit_bias={"42": 100}, logprobs=0)["choices"][0]
        self.assertEqual(len(set(forced["logprobs"]["tokens"])), 1)

    def test_top_logprobs(self):
        """N likeliest tokens for each place: ordered, the greedy choice first, the same streamed, in company and for n."""
        said = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}
        for count in (0, 1, 20):
            body = {**said, "logprobs": True, "top_logprobs": count, "n": 2}
            whole = [c["logprobs"]["content"] for c in self.complete(path=CHAT, **body)["choices"]]
            self.assertEqual(whole[0], whole[1])
            for place in whole[0]:
                top = place["top_logprobs"]
                self.assertEqual(len(top), count)
                values = [one["logprob"] for one in top]
                self.assertEqual(values, sorted(values, reverse=True))
                self.assertEqual(len({(one["token"], tuple(one["bytes"]), one["logprob"]) for one in top}), count)
                self.assertEqual(top[:1], [{key: place[key] for key in ("token", "logprob", "bytes")}][:count])
                self.assertLess(sum(math.exp(value) for value in values), 1 + 1e-4)
            told = [[], []]
            with self.server.connect() as wire:
                for event in wire.events("POST", CHAT, GREEDY | body | {"stream": True}):
                    for choice in event["choices"] if event != "[DONE]" else []:
                        told[choice["index"]] += (choice["logprobs"] or {"content": []})["content"]
            self.assertEqual(told, whole)
        logprobs = self.complete(prompt=GOLDEN[0]["prompt"], max_tokens=20, logprobs=3)["choices"][0]["logprobs"]
        plain = self.complete(prompt=GOLDEN[0]["prompt"], max_tokens=20, logprobs=0)["choices"][0]["logprobs"]
        self.assertIsNone(plain["top_logprobs"])
        self.assertEqual({**plain, "top_logprobs": None}, {**logprobs, "top_logprobs": None})
        for token, value, top in zip(logprobs["tokens"], logprobs["token_logprobs"], logprobs["top_logprobs"], strict=True):
            self.assertEqual((top[token], max(top.values())), (value, value))
            self.assertLessEqual(len(top), 3)
        # A token that is forced is told beside the likeliest, by what the model thinks of it.
        forced = self.complete(prompt="The king", max_tokens=2, logit_bias={"42": 100}, logprobs=2)["choices"][0]["logprobs"]
        for token, value, top in zip(forced["tokens"], forced["token_logprobs"], forced["top_logprobs"]):
            self.assertEqual((top[token], len(top)), (value, 3))
        many = self.complete(prompt=[case["prompt"] for case in GOLDEN], max_tokens=20, logprobs=3)["choices"]
        self.assertEqual(many[0]["logprobs"], logprobs)

    def test_many_at_once_are_as_alone(self):
        wanted = [self.text_of(case, 16) for case in GOLDEN]
        wrong = []

        def ask(number):
            case = number % len(GOLDEN)
            with self.server.connect() as wire:
                for turn in range(6):
                    body = GREEDY | {"prompt": GOLDEN[case]["prompt_ids"], "max_tokens": 16, "stream": turn % 2 == 1}
                    if turn % 2:
                        events = list(wire.events("POST", COMPLETIONS, body))
                        text = "".join(e["choices"][0]["text"] for e in events[:-1])
                    else:
                        text = json.loads(wire.call("POST", COMPLETIONS, json.dumps(body).encode())[2])["choices"][0]["text"]
                    if text != wanted[case]:
                        wrong.append((number, turn, text))

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_refused(self):
        for path in (COMPLETIONS, CHAT):
            self.refused(404, "nobody", path, model="nobody")
            self.refused(400, "kind tensor", path, model="relu")
            self.refused(400, "/v1/embeddings", path, model="bert")
            self.refused(400, '"model"', path, model=7)
            self.refused(400, "temperature", path, temperature=-1)
            self.refused(400, "temperature", path, temperature="hot")
            self.refused(400, "top_p", path, top_p=1.5)
            self.refused(400, "max_tokens", path, max_tokens=0)
            self.refused(400, "max_tokens", path, max_tokens=2 ** 70)
            self.refused(400, '"n"', path, n=0)
            self.refused(400, "n is", path, n=1000)
            self.refused(400, "stop", path, stop=[7])
            self.refused(400, "stop", path, stop="")
            self.refused(400, "logit_bias", path, logit_bias={"x": 1})
            self.refused(400, "logit_bias", path, logit_bias={"99999999": 1})
            self.refused(400, "stream_options", path, stream_options={"include_usage": True})
            self.refused(400, "surplus", path, surplus=1)
            self.refused(400, "response_format", path, response_format={"type": "json_object"})
            self.refused(400, "tools", path, tools=[{"type": "function"}])
        for wrong in (21, -1, 1.5, "3", True):
            self.refused(400, "top_logprobs", CHAT, logprobs=True, top_logprobs=wrong)
            self.refused(400, "logprobs", logprobs=wrong)
        self.refused(400, ["top_logprobs", '"logprobs": true'], CHAT, top_logprobs=2)
        self.refused(400, "messages", CHAT, messages=[])
        self.refused(400, "role", CHAT, messages=[{"content": "a"}])
        self.refused(400, "image_url", CHAT, messages=[{"role": "user", "content": [{"type": "image_url"}]}])
        self.refused(400, '"prompt" is missing', prompt=None)
        self.refused(400, "prompt", prompt=[])
        self.refused(400, "no token", prompt=[1, -5])
        self.refused(400, "999999", prompt=[1, 999999])
        self.refused(400, "context", prompt="a " * 20000)
        for body in (b"", b"[]", b"{", b'{"prompt": "\xff"}', b"[" * 100000):
            status, _, answer = self.server.call("POST", COMPLETIONS, body)
            self.assertEqual(status, 400)
            self.assertIn("message", json.loads(answer)["error"])
        deep = "[" * 100000 + "]" * 100000
        for member in ("max_tokens", "model", "logit_bias", "prompt", "response_format"):
            status, _, answer = self.server.call("POST", COMPLETIONS, f'{{"{member}": {deep}}}'.encode())
            self.assertEqual(status, 400)
            self.assertIn("nested", json.loads(answer)["error"]["message"])
        self.refused(400, "stop", stop="x" * 2000)
        self.refused(400, "stop_token_ids", stop_token_ids=[1] * 1000)
        self.refused(400, "logit_bias", logit_bias={str(i): 1 for i in range(2000)})
        self.refused(400, "logit_bias", logit_bias={" 7": 1})
        self.refused(400, "bytes", prompt="a " * 3000000)
        self.refused(400, "wait", prompt=["a"] * 100)
        self.refused(504, "deadline", timeout_ms=1, max_tokens=900)
        self.assertEqual(self.server.call("GET", CHAT)[0], 405)
        self.assertIn("message", self.server.json("GET", "/v1/nothing", expect=404)["error"])
        self.assertTrue(self.complete(prompt="The king", max_tokens=2, user="me", model=None)["choices"][0]["text"])

    def test_embeddings(self):
        ask = lambda value, **more: self.server.json("POST", EMBEDDINGS, {"model": "bert", "input": value, **more})  # noqa: E731
        texts = ["abc", "narae", "a", "the quick brown fox jumps"]
        together = ask(texts)
        self.assertEqual([one["index"] for one in together["data"]], [0, 1, 2, 3])
        self.assertGreater(together["usage"]["prompt_tokens"], 12)
        for text, one in zip(texts, together["data"]):
            alone = ask(text)["data"][0]["embedding"]
            self.assertLess(max(abs(a - b) for a, b in zip(alone, one["embedding"])), 1e-5)
            self.assertAlmostEqual(sum(x * x for x in alone), 1, 4)
            packed = base64.b64decode(ask(text, encoding_format="base64")["data"][0]["embedding"])
            unpacked = struct.unpack(f"<{len(packed) // 4}f", packed)
            self.assertLess(max(abs(a - b) for a, b in zip(alone, unpacked)), 1e-5)
        self.assertEqual(len(ask([[2, 5, 3], [2, 6, 7, 3]])["data"]), 2)
        many = ask(["abc"] * 100)["data"]
        self.assertEqual([one["index"] for one in many], list(range(100)))
        for words, body in (("input", {}), ("input", {"input": []}), ("input", {"input": 7}), ("token 99", {"input": [99, 2]}),
                            ("encoding_format", {"input": "a", "encoding_format": "int8"}),
                            ("dimensions", {"input": "a", "dimensions": 7}), ("surplus", {"input": "a", "surplus": 1})):
            answer = self.server.json("POST", EMBEDDINGS, {"model": "bert"} | body, 400)
            self.assertIn(words, answer["error"]["message"])
        self.assertIn("kind text", self.server.json("POST", EMBEDDINGS, {"model": "tiny-qwen3", "input": "a"}, 400)["error"]["message"])
        infer = {"inputs": [{"name": n, "datatype": "INT32", "shape": [1, 3], "data": d} for n, d in (("ids", [2, 5, 3]), ("mask", [1, 1, 1]))]}
        vector = self.server.json("POST", "/v2/models/bert/infer", infer)["outputs"][0]["data"]
        self.assertLess(max(abs(a - b) for a, b in zip(vector, ask([2, 5, 3])["data"][0]["embedding"])), 1e-5)

    def test_who_leaves_is_cancelled(self):
        body = GREEDY | {"prompt": "The king", "max_tokens": 900, "n": 16}
        before = self.server.metric("nv_inference_request_failure")
        for stream in (True, False):
            wire = self.server.connect()
            if stream:
                events = wire.events("POST", COMPLETIONS, body | {"stream": True})
                next(events)
            else:
                wire.ask("POST", COMPLETIONS, json.dumps(body).encode())
                wait_until(lambda: self.server.metric("narae_running_sequences") >= 1)
            wire.reset()
            wait_until(lambda: self.server.metric("narae_running_sequences") == 0)
        wait_until(lambda: self.server.metric("nv_inference_request_failure") == before + 2)
        self.assertEqual(self.server.metric("narae_kv_pages_used"), 0)

    def test_who_leaves_while_it_waits(self):
        with Server(BINARY, "--max-batch", "1", models={}, paths=[MODEL]) as server:
            body = GREEDY | {"prompt": "The king", "max_tokens": 900}
            first = server.connect()
            first.ask("POST", COMPLETIONS, json.dumps(body | {"n": 16}).encode())  # seconds
            wait_until(lambda: server.metric("narae_running_sequences") > 0)
            for prompts in ("The king", ["The king", "a", "b"]):
                for stream in (True, False):
                    with server.connect() as wire:
                        wire.ask("POST", COMPLETIONS, json.dumps(body | {"prompt": prompts, "stream": stream}).encode())
                        wait_until(lambda: server.metric("nv_inference_pending_request_count") > 0)
                        wire.reset()
                    wait_until(lambda: server.metric("nv_inference_pending_request_count") == 0)
            first.reset()
            wait_until(lambda: server.metric('nv_inference_request_failure{model="tiny-qwen3",version="1",reason="CANCELED"}') == 9)

    def test_of_several_prompts_all_are_answered_or_none(self):
        with Server(BINARY, "--max-batch", "1", "--max-queue", "4", models={}, paths=[MODEL]) as server:
            body = GREEDY | {"prompt": ["a", "b", "c"], "max_tokens": 200}
            answers = []

            def ask():
                status, _, answer = server.call("POST", COMPLETIONS, json.dumps(body).encode())
                answers.append((status, json.loads(answer)))

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertLessEqual({status for status, _ in answers}, {200, 503})
            for status, answer in answers:
                if status == 200:
                    self.assertEqual([choice["finish_reason"] for choice in answer["choices"]], ["length"] * 3)
                else:
                    self.assertIn("full", answer["error"]["message"])

    def test_who_leaves_behind_a_second_request(self):
        before = self.server.metric("nv_inference_request_failure")
        with self.server.connect() as wire:
            wire.ask("POST", COMPLETIONS, json.dumps(GREEDY | {"prompt": "The king", "max_tokens": 900, "n": 16}).encode())
            wire.send(b"GET /v2/health/live HTTP/1.1\r\n\r\n")
            wait_until(lambda: self.server.metric("narae_running_sequences") > 0)
        wait_until(lambda: self.server.metric("nv_inference_request_failure") == before + 1)

    def test_shared_prompts_are_counted_once(self):
        usage = self.complete(prompt="The king " * 20, n=4, max_tokens=2)["usage"]
        self.assertLessEqual(usage["prompt_tokens_details"]["cached_tokens"], usage["prompt_tokens"])
        before = self.server.metric("nv_inference_first_response_histogram_ms_count")
        self.complete(prompt="The king " * 20, n=16, max_tokens=2)
        self.assertEqual(self.server.metric("nv_inference_first_response_histogram_ms_count"), before + 1)

    def test_who_does_not_read_harms_nobody(self):
        wires = [self.server.connect() for _ in range(4)]
        for wire in wires:
            wire.ask("POST", COMPLETIONS, json.dumps(GREEDY | {"prompt": "The king", "max_tokens": 700, "stream": True}).encode())
        text = self.text_of(GOLDEN[0], 16)
        for wire in wires:
            self.assertIn(b" 200 ", wire.read_until(b"\r\n\r\n"))
            told = b"".join(wire.chunks())
            self.assertTrue(told.endswith(b"data: [DONE]\n\n"), told[-200:])
            self.assertEqual(told.count(b'"finish_reason":"length"'), 1)
            wire.__exit__()
        self.assertEqual(self.text_of(GOLDEN[0], 16), text)

    def test_timeline_and_metrics(self):
        with self.server.connect() as wire:
            _, headers, answer = wire.call("POST", COMPLETIONS, json.dumps(GREEDY | {"prompt": "The king", "max_tokens": 3}).encode(),
                                           {"X-Request-Id": "my-own-7"})
            self.assertEqual(headers["x-request-id"], "my-own-7")
            self.assertEqual(json.loads(answer)["id"], "cmpl-my-own-7")
            _, headers, _ = wire.call("GET", "/v2/health/live")
            self.assertEqual(len(headers["x-request-id"]), 16)
        told = self.server.json("GET", "/v2/requests/my-own-7")
        self.assertEqual(told["model"], "tiny-qwen3")
        events = [mark["event"] for mark in told["timeline"]]
        self.assertEqual([events[0], events[-1]], ["queued", "ended"])
        self.assertTrue({"taken", "scheduled", "first token"} < set(events), events)
        times = [mark["at_us"] for mark in told["timeline"]]
        self.assertEqual(times, sorted(times))
        self.assertIn("X-Request-Id", self.server.json("GET", "/v2/requests/nobody", expect=404)["error"])
        metrics = self.server.metrics()
        labels = '{model="tiny-qwen3",version="1"}'
        self.assertGreater(metrics["narae_generation_tokens_total" + labels], 2)
        self.assertGreater(metrics["nv_inference_first_response_histogram_ms_count" + labels], 0)
        self.assertEqual(metrics["narae_kv_pages_total" + labels], 199)
        self.assertNotIn('narae_kv_pages_total{model="relu",version="1"}', metrics)


    def command(self, *arguments):
        ran = subprocess.run([BINARY, *arguments, "--json"], capture_output=True, text=True, timeout=120)
        return ran.returncode, json.loads(ran.stdout)

    def test_load_and_explain_request(self):
        url = f"http://127.0.0.1:{self.server.port}"
        rules = json.loads((ROOT / "docs/schemas/load.json").read_text())
        for kind, model in (("chat", "tiny-qwen3"), ("completion", "tiny-qwen3"), ("embed", "bert"), ("infer", "relu")):
            code, told = self.command("load", url, "--kind", kind, "--model", model, "--concurrency", "2", "--duration", "0.3",
                                      "--max-tokens", "5")
            self.assertEqual((code, problems(told, rules)), (0, []), told)
            self.assertEqual(told["sent"], told["answered"], told)
            self.assertEqual("tokens_per_s" in told and told["tokens_per_s"] > 0, kind in ("chat", "completion"))
        code, told = self.command("load", url, "--model", "tiny-qwen3", "--duration", "0.1")
        self.assertEqual(code, 2)
        self.assertIn("--kind", told["error"]["message"])
        with self.server.connect() as wire:
            _, headers, _ = wire.call("POST", COMPLETIONS, json.dumps(GREEDY | {"prompt": "The king", "max_tokens": 3}).encode())
        code, told = self.command("explain", "request", url, headers["x-request-id"])
        self.assertEqual(code, 0, told)
        self.assertEqual(told["timeline"][-1]["event"], "ended")
        self.assertEqual(self.command("explain", "request", url, "nobody")[0], 1)
        self.assertEqual(self.command("explain", "request", url, "no/body")[0], 2)


class Limits(unittest.TestCase):
    def test_full_queue_and_drain(self):
        with Server(BINARY, "--max-batch", "1", "--max-queue", "2", models={}, paths=[MODEL]) as server:
            body = json.dumps(GREEDY | {"prompt": "The king", "max_tokens": 900, "stream": True}).encode()
            wires = [server.connect() for _ in range(12)]
            for wire in wires:  # at once: one runs, some wait, the rest is refused
                wire.ask("POST", COMPLETIONS, body)
            wait_until(lambda: server.metric("nv_inference_request_failure") > 0)
            server.process.send_signal(signal.SIGTERM)
            refused = 0
            for wire in wires:
                status, headers, answer = wire.answer()
                if status == 503:
                    refused += 1
                    self.assertEqual(headers["retry-after"], "1")
                    self.assertIn("full", json.loads(answer)["error"]["message"])
                else:
                    self.assertEqual(status, 200)
                    self.assertTrue(answer.endswith(b"data: [DONE]\n\n"), answer[-300:])
                wire.__exit__()
            self.assertTrue(0 < refused < len(wires), refused)
            self.assertEqual(server.process.wait(60), 0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests/cli"))
    unittest.main(verbosity=1)
