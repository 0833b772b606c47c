// SPDX-License-Identifier: Apache-2.0
#include "import/arch/decoder.h"

#include "base/error.h"
#include "import/arch/decoder_graph.h"
#include "import/arch/rotary.h"
#include "nn/decoder.h"

namespace narae {
namespace {

struct Config {
  int64_t layers, hidden, heads, kv_heads, head_size, feed_forward, context;
  double epsilon;
  bool tied;
  nn::Rotary rotary;
};

Config read_config(const Checkpoint& c, const DecoderStyle& style) {
  Config config{};
  config.layers = c.integer({"num_hidden_layers", "block_count"}, {}, 1, 1000);
  config.hidden = c.integer({"hidden_size", "embedding_length"}, {}, 1, 1 << 20);
  config.heads = c.integer({"num_attention_heads", "attention.head_count"}, {}, 1, 1 << 16);
  config.kv_heads = c.integer({"num_key_value_heads", "attention.head_count_kv"}, config.heads, 1, config.heads);
  config.head_size = c.integer({"head_dim", "attention.key_length"}, config.hidden / config.heads, 1, 1 << 16);
  config.feed_forward = c.integer({"intermediate_size", "feed_forward_length"}, {}, 1, 1 << 24);
  config.context = c.integer({"max_position_embeddings", "context_length"});
  config.epsilon = c.number({"rms_norm_eps", "attention.layer_norm_rms_epsilon"}, 1e-6);
  if (config.heads % config.kv_heads != 0) {
    fail(ErrorCode::bad_file, "{} heads are no multiple of {} heads of keys and values", config.heads, config.kv_heads);
  }
  if (c.integer({"", "attention.value_length"}, config.head_size) != config.head_size) {
    fail(ErrorCode::bad_file, "keys and values of different sizes, which Narae does not know");
  }
  c.require({"hidden_act", ""}, "silu", {"silu"});
  config.tied = c.is_gguf() ? !c.has_tensor({"", "output.weight"}) : c.flag({"tie_word_embeddings", ""}, false);
  config.rotary = read_rotary(c, config.head_size);
  config.rotary.interleaved = c.is_gguf() && style.gguf_interleaved;
  return config;
}

int64_t window_of(const Checkpoint& c, const DecoderStyle& style, int64_t layer) {
  if (!c.flag({"use_sliding_window", ""}, style.windows)) return 0;
  if (layer < c.integer({"max_window_layers", ""}, 0, 0)) return 0;
  return c.integer({"sliding_window", "attention.sliding_window"}, 0, 0);
}

nn::DecoderLayer read_layer(const Checkpoint& c, const DecoderStyle& style, const Config& config, int64_t i) {
  const auto names = [&](const char* folder, const char* gguf) {
    return Names{fmt::format("layers.{}.{}", i, folder), fmt::format("blk.{}.{}", i, gguf)};
  };
  const int64_t d = config.hidden, ff = config.feed_forward;
  const int64_t q_size = config.heads * config.head_size, kv_size = config.kv_heads * config.head_size;
  nn::DecoderLayer layer;
  nn::PagedAttention& attention = layer.attention;
  attention.q = c.linear(names("self_attn.q_proj", "attn_q"), q_size, d, style.qkv_bias);
  attention.k = c.linear(names("self_attn.k_proj", "attn_k"), kv_size, d, style.qkv_bias);
  attention.v = c.linear(names("self_attn.v_proj", "attn_v"), kv_size, d, style.qkv_bias);
  attention.out = c.linear(names("self_attn.o_proj", "attn_output"), d, q_size, style.other_bias);
  if (style.qk_norm) {
    attention.q_norm = c.rms_norm(names("self_attn.q_norm", "attn_q_norm"), config.head_size, config.epsilon);
    attention.k_norm = c.rms_norm(names("self_attn.k_norm", "attn_k_norm"), config.head_size, config.epsilon);
  }
  attention.rotary = config.rotary;
  attention.heads = config.heads;
  attention.kv_heads = config.kv_heads;
  attention.head_size = config.head_size;
  attention.window = window_of(c, style, i);
  layer.attention_norm = c.rms_norm(names("input_layernorm", "attn_norm"), d, config.epsilon);
  layer.mlp_norm = c.rms_norm(names("post_attention_layernorm", "ffn_norm"), d, config.epsilon);
  layer.mlp = {c.linear(names("mlp.gate_proj", "ffn_gate"), ff, d, style.other_bias),
               c.linear(names("mlp.up_proj", "ffn_up"), ff, d, style.other_bias),
               c.linear(names("mlp.down_proj", "ffn_down"), d, ff, style.other_bias)};
  return layer;
}

}  // namespace

std::unique_ptr<Graph> build_decoder(const Checkpoint& c, const OpTable& ops, const ModelOptions& options,
                                     const DecoderStyle& style) {
  const Config config = read_config(c, style);
  nn::Decoder decoder;
  decoder.embedding.table = c.matrix({"embed_tokens.weight", "token_embd.weight"}, config.hidden);
  const int64_t vocabulary = decoder.embedding.table.dims[0];
  for (int64_t i = 0; i < config.layers; ++i) decoder.layers.push_back(read_layer(c, style, config, i));
  decoder.norm = c.rms_norm({"norm", "output_norm"}, config.hidden, config.epsilon);
  decoder.head.weight = config.tied ? decoder.embedding.table
                                    : c.tensor({"lm_head.weight", "output.weight"}, {vocabulary, config.hidden});

  DecoderGraph made(ops, options);
  Value* logits = decoder(made.net(), made.step(), made.cache());
  return made.finish(logits, config.context, config.layers);
}

}  // namespace narae
