// SPDX-License-Identifier: Apache-2.0
// StarCoder2: layer norms in place of RMS norms, an MLP without a gate, biases everywhere. Its own modules, not those
// of the Llama family. https://arxiv.org/abs/2402.19173
#include "base/error.h"
#include "import/arch/decoder_graph.h"
#include "import/arch/rotary.h"

namespace narae {
namespace {

struct Layer {
  nn::LayerNorm attention_norm, mlp_norm;
  nn::PagedAttention attention;
  nn::Mlp mlp;
};

struct Config {
  int64_t layers, hidden, heads, kv_heads, head_size, feed_forward, context, window;
  double epsilon;
  nn::Rotary rotary;
};

Config read_config(const Checkpoint& c) {
  Config config{};
  config.layers = c.integer({"num_hidden_layers", "block_count"}, {}, 1, 1000);
  config.hidden = c.integer({"hidden_size", "embedding_length"}, {}, 1, 1 << 20);
  config.heads = c.integer({"num_attention_heads", "attention.head_count"}, {}, 1, 1 << 16);
  config.kv_heads = c.integer({"num_key_value_heads", "attention.head_count_kv"}, config.heads, 1, config.heads);
  if (config.hidden % config.heads != 0 || config.heads % config.kv_heads != 0) {
    fail(ErrorCode::bad_file, "{} heads over {} elements, {} of keys and values: they do not divide", config.heads,
         config.hidden, config.kv_heads);
  }
  config.head_size = config.hidden / config.heads;
  config.feed_forward = c.integer({"intermediate_size", "feed_forward_length"}, {}, 1, 1 << 24);
  config.context = c.integer({"max_position_embeddings", "context_length"});
  config.window = c.integer({"sliding_window", "attention.sliding_window"}, 0, 0);
  config.epsilon = c.number({"norm_epsilon", "attention.layer_norm_epsilon"}, 1e-5);
  c.require({"hidden_act", ""}, "gelu_pytorch_tanh", {"gelu_pytorch_tanh"});
  config.rotary = read_rotary(c, config.head_size);
  return config;
}

Layer read_layer(const Checkpoint& c, const Config& config, int64_t i) {
  const auto names = [&](const char* folder, const char* gguf) {
    return Names{fmt::format("layers.{}.{}", i, folder), fmt::format("blk.{}.{}", i, gguf)};
  };
  const auto linear = [&](const char* folder, const char* gguf, int64_t outputs, int64_t inputs) {
    return c.linear(names(folder, gguf), outputs, inputs, Checkpoint::Bias::if_there);
  };
  const int64_t d = config.hidden, kv_size = config.kv_heads * config.head_size;
  Layer layer;
  nn::PagedAttention& attention = layer.attention;
  attention.q = linear("self_attn.q_proj", "attn_q", d, d);
  attention.k = linear("self_attn.k_proj", "attn_k", kv_size, d);
  attention.v = linear("self_attn.v_proj", "attn_v", kv_size, d);
  attention.out = linear("self_attn.o_proj", "attn_output", d, d);
  attention.rotary = config.rotary;
  attention.heads = config.heads;
  attention.kv_heads = config.kv_heads;
  attention.head_size = config.head_size;
  attention.window = config.window;
  layer.attention_norm = c.layer_norm(names("input_layernorm", "attn_norm"), d, config.epsilon);
  layer.mlp_norm = c.layer_norm(names("post_attention_layernorm", "ffn_norm"), d, config.epsilon);
  layer.mlp = {linear("mlp.c_fc", "ffn_up", config.feed_forward, d),
               linear("mlp.c_proj", "ffn_down", d, config.feed_forward), "gelu_tanh"};
  return layer;
}

}  // namespace

std::unique_ptr<Graph> build_starcoder2(const Checkpoint& c, const OpTable& ops, const ModelOptions& options) {
  const Config config = read_config(c);
  const nn::Embedding embedding{c.matrix({"embed_tokens.weight", "token_embd.weight"}, config.hidden)};
  const nn::LayerNorm norm = c.layer_norm({"norm", "output_norm"}, config.hidden, config.epsilon);
  const bool tied = c.is_gguf() ? !c.has_tensor({"", "output.weight"}) : c.flag({"tie_word_embeddings", ""}, true);
  nn::Linear head{embedding.table, {}};
  if (!tied) head.weight = c.tensor({"lm_head.weight", "output.weight"}, embedding.table.dims);

  DecoderGraph made(ops, options);
  nn::Net& net = made.net();
  Value* x = embedding(net, nn::step_tokens(net, made.step()));
  for (int64_t i = 0; i < config.layers; ++i) {
    const Layer layer = read_layer(c, config, i);
    x = net.add(x, layer.attention(net, layer.attention_norm(net, x), made.step(), made.cache(), i));
    x = net.add(x, layer.mlp(net, layer.mlp_norm(net, x)));
  }
  net.at("wanted");
  return made.finish(head(net, norm(net, net.gather(x, made.step().wanted))), config.context, config.layers);
}

}  // namespace narae
