#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small language models and encoders with random weights, and what transformers computes with them in FP32.

    make_llm.py        writes llm/NAME/{config.json,model.safetensors,golden.safetensors} and llm/NAME.gguf beside itself

golden.safetensors: decoders `ids` i32 [T], `logits` f32 [T, V]; encoders `ids`, `mask` i32 [N, S], `embedding` f32
[N, D]. Run by `make golden`; the results are committed, so the test (src/import/arch/arch_test.cc) needs no package.
"""
import copy
import json
import pathlib
import shutil

import gguf
import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).resolve().parent / "llm"
VOCABULARY = 72

BASE = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope(kind, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **more}}


DECODERS = {
    "llama": (transformers.LlamaConfig, dict(rms_norm_eps=1e-5, tie_word_embeddings=False)),
    "llama_bias_llama3": (transformers.LlamaConfig, dict(
        attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
        **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16))),
    "llama_linear": (transformers.LlamaConfig, dict(num_key_value_heads=4, **rope("linear", factor=4.0))),
    "llama_yarn": (transformers.LlamaConfig, dict(**rope("yarn", factor=4.0, original_max_position_embeddings=16))),
    "mistral": (transformers.MistralConfig, dict(sliding_window=5, tie_word_embeddings=False)),
    "qwen2": (transformers.Qwen2Config, dict(rms_norm_eps=1e-6, tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, dict(head_dim=12, rms_norm_eps=1e-6, tie_word_embeddings=True)),
}
DECODERS["starcoder2"] = (transformers.Starcoder2Config, dict(
    sliding_window=9, norm_epsilon=1e-5, hidden_act="gelu_pytorch_tanh", tie_word_embeddings=True))
FULL = ("llama",)  # stored in FP32; the others in BF16, to stay small


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(1 + 0.1 * noise if "norm" in name.lower() and name.endswith("weight") else noise * (0.7 / p.shape[-1] ** 0.5 if p.dim() > 1 else 0.1))


def round_parameters(model):
    """To what BF16 holds; not the buffers of the rotary embedding."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.bfloat16().float())


def save(name, model, golden):
    folder = FOLDER / name
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    for extra in folder.glob("generation_config.json"):
        extra.unlink()
    save_file({k: np.ascontiguousarray(v) for k, v in golden.items()}, folder / "golden.safetensors")


def make_decoder(name, seed):
    kind, settings = DECODERS[name]
    config = kind(**{**BASE, **settings})
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    randomise(model, seed)
    if name not in FULL:
        round_parameters(model)
    ids = np.random.default_rng(seed).integers(3, VOCABULARY, 23).astype(np.int32)
    with torch.no_grad():
        logits = model(torch.from_numpy(ids).long()[None]).logits[0].numpy()
    stored = model if name in FULL else copy.deepcopy(model).to(torch.bfloat16)
    save(name, stored, {"ids": ids, "logits": logits})
    return model, config


def make_bert(seed):
    config = transformers.BertConfig(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                     num_attention_heads=4, max_position_embeddings=24)
    config._attn_implementation = "eager"
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    randomise(model, seed)
    round_parameters(model)
    rng = np.random.default_rng(seed)
    ids, mask = rng.integers(1, VOCABULARY, (3, 11)).astype(np.int32), np.ones((3, 11), np.int32)
    mask[1, 6:] = 0
    mask[2, 1:] = 0
    with torch.no_grad():
        states = model(torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()).last_hidden_state
    weights = torch.from_numpy(mask).float()[..., None]
    mean = (states * weights).sum(1) / weights.sum(1)
    save("bert", copy.deepcopy(model).to(torch.bfloat16),
         {"ids": ids, "mask": mask, "embedding": torch.nn.functional.normalize(mean).numpy()})
    make_bert_gguf(model, config)


def permuted(weight, heads):
    """Rows of each head from halves to adjacent pairs, as GGUF's llama has them."""
    out = weight.shape[0]
    return weight.reshape(heads, 2, out // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def add_tensor(writer, name, value, full):
    """Vectors stay F32, as llama.cpp's converter has it."""
    value = np.ascontiguousarray(value, np.float32)
    if value.ndim == 1 or full:
        return writer.add_tensor(name, value)
    kind = gguf.GGMLQuantizationType.BF16
    writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def gguf_name(name):
    if name == "lm_head.weight":
        return "output.weight"
    name = name.removeprefix("model.")
    if not name.startswith("layers."):
        return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight",
                "norm.bias": "output_norm.bias"}[name]
    _, layer, rest = name.split(".", 2)
    module, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{NAMES[module]}.{kind}"


def make_gguf(name, model, config):
    arch = {"mistral": "llama"}.get(config.model_type, config.model_type)
    writer = gguf.GGUFWriter(str(FOLDER / f"{name}.gguf"), arch)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    if hasattr(config, "rms_norm_eps"):
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    else:
        writer.add_layer_norm_eps(config.norm_epsilon)
    if arch == "starcoder2" and config.sliding_window:
        writer.add_sliding_window(config.sliding_window)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_rope_dimension_count(head)
    writer.add_key_length(head)
    writer.add_value_length(head)
    parameters = config.rope_parameters
    if parameters["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(parameters["rope_type"]))
        writer.add_rope_scaling_factor(parameters["factor"])
        if parameters["rope_type"] == "yarn":
            writer.add_rope_scaling_orig_ctx_len(parameters["original_max_position_embeddings"])
    if parameters["rope_type"] == "llama3":  # what each frequency is divided by
        plain = parameters["rope_theta"] ** (-np.arange(0, head, 2, dtype=np.float64) / head)
        scaled = model.model.rotary_emb.inv_freq.double().numpy()
        writer.add_tensor("rope_freqs.weight", (plain / scaled).astype(np.float32))
    seen = set()
    for key, value in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings or key in seen:
            continue
        seen.add(key)
        value = value.numpy()
        if arch == "llama" and (".q_proj" in key or ".k_proj" in key):
            value = permuted(value, config.num_attention_heads if ".q_proj" in key else config.num_key_value_heads)
        add_tensor(writer, gguf_name(key), value, name in FULL)
    finish(writer)


BERT_NAMES = {"embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
              "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
              "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
              "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
              "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}


def make_bert_gguf(model, config):
    writer = gguf.GGUFWriter(str(FOLDER / "bert.gguf"), "bert")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    for key, value in model.named_parameters():
        module, _, kind = key.rpartition(".")
        layer = ""
        if module.startswith("encoder.layer."):
            _, _, number, module = module.split(".", 3)
            layer = f"blk.{number}."
        add_tensor(writer, f"{layer}{BERT_NAMES[module]}.{kind}", value.detach().numpy(), False)
    finish(writer)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    torch.manual_seed(1)
    for seed, name in enumerate(DECODERS):
        model, config = make_decoder(name, seed + 1)
        if name not in ("llama_linear", "mistral"):
            make_gguf(name, model, config)
    make_bert(99)
    print(json.dumps({str(p.relative_to(FOLDER)): p.stat().st_size for p in sorted(FOLDER.rglob("*")) if p.is_file()}))


main()
