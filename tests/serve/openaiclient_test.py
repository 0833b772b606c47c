# SPDX-License-Identifier: Apache-2.0
"""openaiclient_test.py NARAE: PyPI's openai, unmodified, against the server."""
import pathlib
import tempfile
import unittest

import openai

from server import ROOT, Server, environment_binary

from tiny_encoder import tiny_encoder

BINARY = environment_binary()
MODEL = "tiny-qwen3"
PROMPT = [{"role": "user", "content": "hello"}]


class OpenAiClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="narae-openai-")
        encoder = tiny_encoder(pathlib.Path(cls.scratch.name) / "bert")
        cls.server = Server(BINARY, models={}, paths=[ROOT / "tests/data/models" / MODEL, encoder]).start()
        cls.client = openai.OpenAI(base_url=f"http://127.0.0.1:{cls.server.port}/v1", api_key="none", max_retries=0)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.__exit__()
        cls.scratch.cleanup()

    def test_models(self):
        self.assertEqual([model.id for model in self.client.models.list()], ["bert", MODEL])
        self.assertEqual(self.client.models.retrieve(MODEL).owned_by, "narae")

    def test_chat(self):
        chat = self.client.chat.completions.create
        whole = chat(model=MODEL, messages=PROMPT, temperature=0, max_tokens=10, logprobs=True)
        text = whole.choices[0].message.content
        self.assertEqual(len(whole.choices[0].logprobs.content), whole.usage.completion_tokens)
        parts, usage = [], None
        for chunk in chat(model=MODEL, messages=PROMPT, temperature=0, max_completion_tokens=10, stream=True,
                          stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            parts += [choice.delta.content or "" for choice in chunk.choices]
        self.assertEqual("".join(parts), text)
        self.assertEqual(usage.completion_tokens, whole.usage.completion_tokens)
        two = chat(model=MODEL, messages=PROMPT, n=2, seed=3, max_tokens=6, temperature=1.5, extra_body={"top_k": 20})
        self.assertEqual([choice.index for choice in two.choices], [0, 1])

    def test_completions(self):
        create = self.client.completions.create
        whole = create(model=MODEL, prompt="The king", temperature=0, max_tokens=8)
        streamed = "".join(chunk.choices[0].text for chunk in
                           create(model=MODEL, prompt="The king", temperature=0, max_tokens=8, stream=True) if chunk.choices)
        self.assertEqual(streamed, whole.choices[0].text)
        self.assertEqual(len(create(model=MODEL, prompt=["The king", "a"], max_tokens=2).choices), 2)

    def test_embeddings(self):
        made = self.client.embeddings.create(model="bert", input=["abc", "narae"])
        plain = self.client.embeddings.create(model="bert", input=["abc", "narae"], encoding_format="float")
        for a, b in zip(made.data, plain.data):
            self.assertLess(max(abs(x - y) for x, y in zip(a.embedding, b.embedding)), 1e-6)

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="nobody", messages=PROMPT)
        self.assertIn("nobody", caught.exception.message)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.chat.completions.create(model=MODEL, messages=PROMPT, temperature=-3)
        self.assertIn("temperature", caught.exception.message)

    def test_leaving_a_stream(self):
        with self.client.completions.create(model=MODEL, prompt="The king", max_tokens=900, stream=True,
                                            extra_body={"ignore_eos": True}) as stream:
            next(iter(stream))
        answer = self.client.completions.create(model=MODEL, prompt="The king", temperature=0, max_tokens=4)
        self.assertTrue(answer.choices[0].text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
