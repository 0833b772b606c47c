// SPDX-License-Identifier: Apache-2.0
// BERT encoders that embed sentences (MiniLM and the like): the tokens' last states, their mean over the mask or the
// first, divided by its length. https://arxiv.org/abs/1810.04805, https://arxiv.org/abs/1908.10084
#include "base/error.h"
#include "import/arch/import_model.h"
#include "import/arch/pooling.h"
#include "nn/encoder_attention.h"
#include "ops/lp_norm.h"
#include "ops/slice.h"

namespace narae {
namespace {

struct Layer {
  nn::EncoderAttention attention;
  nn::LayerNorm attention_norm;
  nn::Mlp mlp;
  nn::LayerNorm mlp_norm;

  Value* operator()(nn::Net& net, Value* x, Value* bias) const {
    x = attention_norm(net, net.add(x, attention(net, x, bias)));
    return mlp_norm(net, net.add(x, mlp(net, x)));
  }
};

struct Config {
  int64_t layers, hidden, heads, feed_forward, vocabulary, positions, types;
  double epsilon;
  std::string activation;
};

Config read_config(const Checkpoint& c) {
  Config config{};
  config.layers = c.integer({"num_hidden_layers", "block_count"}, {}, 1, 1000);
  config.hidden = c.integer({"hidden_size", "embedding_length"}, {}, 1, 1 << 20);
  config.heads = c.integer({"num_attention_heads", "attention.head_count"}, {}, 1, 1 << 16);
  config.feed_forward = c.integer({"intermediate_size", "feed_forward_length"}, {}, 1, 1 << 24);
  config.positions = c.integer({"max_position_embeddings", "context_length"});
  config.epsilon = c.number({"layer_norm_eps", "attention.layer_norm_epsilon"}, 1e-12);
  if (config.hidden % config.heads != 0) {
    fail(ErrorCode::bad_file, "{} heads do not divide a width of {}", config.heads, config.hidden);
  }
  c.require({"position_embedding_type", ""}, "absolute", {"absolute"});
  c.require({"hidden_act", ""}, "gelu", {"gelu", "gelu_new", "relu"});
  const std::string activation = c.text({"hidden_act", ""}, "gelu");
  config.activation = activation == "gelu_new" ? "gelu_tanh" : activation;
  return config;
}

Layer read_layer(const Checkpoint& c, const Config& config, int64_t i) {
  const auto names = [&](const char* folder, const char* gguf) {
    return Names{fmt::format("encoder.layer.{}.{}", i, folder), fmt::format("blk.{}.{}", i, gguf)};
  };
  const auto linear = [&](const Names& name, int64_t outputs, int64_t inputs) {
    return c.linear(name, outputs, inputs, Checkpoint::Bias::always);
  };
  const int64_t d = config.hidden;
  Layer layer;
  layer.attention.heads = config.heads;
  layer.attention.q = linear(names("attention.self.query", "attn_q"), d, d);
  layer.attention.k = linear(names("attention.self.key", "attn_k"), d, d);
  layer.attention.v = linear(names("attention.self.value", "attn_v"), d, d);
  layer.attention.out = linear(names("attention.output.dense", "attn_output"), d, d);
  layer.attention_norm = c.layer_norm(names("attention.output.LayerNorm", "attn_output_norm"), d, config.epsilon);
  layer.mlp = {linear(names("intermediate.dense", "ffn_up"), config.feed_forward, d),
               linear(names("output.dense", "ffn_down"), d, config.feed_forward), config.activation};
  layer.mlp_norm = c.layer_norm(names("output.LayerNorm", "layer_output_norm"), d, config.epsilon);
  return layer;
}

// Word, position and type of each token; one sentence is of type 0 throughout.
Value* embed(nn::Net& net, const Checkpoint& c, const Config& config, Value* ids) {
  const auto table = [&](const char* folder, const char* gguf) {
    const Names names{fmt::format("embeddings.{}.weight", folder), fmt::format("{}.weight", gguf)};
    return nn::Embedding{c.matrix(names, config.hidden)};
  };
  const nn::Embedding words = table("word_embeddings", "token_embd");
  const nn::Embedding positions = table("position_embeddings", "position_embd");
  const nn::Embedding types = table("token_type_embeddings", "token_types");
  if (positions.table.dims[0] < config.positions) {
    fail(ErrorCode::bad_file, "tensor \"{}\" holds {} positions, but the configuration says {}", positions.table.name,
         positions.table.dims[0], config.positions);
  }
  net.graph().metadata().emplace_back("vocabulary", std::to_string(words.table.dims[0]));
  Value* x = net.add(words(net, ids), positions(net, net.iota(ids->shape()[1])));
  x = net.add(x, types(net, net.builder().constant_i64({0})));
  return c.layer_norm({"embeddings.LayerNorm", "token_embd_norm"}, config.hidden, config.epsilon)(net, x);
}

Value* pool(nn::Net& net, Value* x, Value* mask, Pooling pooling) {
  net.at("pooling");
  if (pooling == Pooling::first) {
    x = net.gather(net.transpose(x, {1, 0, 2}), net.builder().scalar(0, DType::i64));
  } else {
    const Shape& shape = mask->shape();
    Value* weights = net.reshape(mask, {shape[0], shape[1], Dim(1)});
    Value* count = net.builder().op("max", {net.reduce_sum(weights, 1, false), net.builder().scalar(1e-9)});
    x = net.builder().op("div", {net.reduce_sum(net.mul(x, weights), 1, false), count});
  }
  return net.builder().op("lp_norm", {x}, LpNormAttributes{1, 2});
}

}  // namespace

std::unique_ptr<Graph> build_bert(const Checkpoint& c, const OpTable& ops, const ModelOptions&) {
  const Config config = read_config(c);
  auto graph = std::make_unique<Graph>(ops, "bert");
  nn::Net net(*graph);
  const Dim batch = graph->new_symbol("N", 0), length = graph->new_symbol("S", 1, config.positions);
  Value* ids = graph->add_input("ids", DType::i32, {batch, length});
  Value* mask = net.cast(graph->add_input("mask", DType::i32, {batch, length}), DType::f32);

  Value* x = embed(net, c, config, ids);
  net.at("mask");  // -1e30 where a token is padding: its weight is exactly 0
  Value* bias = net.mul(net.sub(mask, net.builder().scalar(1)), 1e30);
  bias = net.reshape(bias, {batch, Dim(1), Dim(1), length});
  for (int64_t i = 0; i < config.layers; ++i) x = read_layer(c, config, i)(net, x, bias);
  graph->add_output(pool(net, x, mask, read_pooling(c)), "embedding");

  graph->metadata().emplace_back("kind", "encoder");
  graph->metadata().emplace_back("context", std::to_string(config.positions));
  graph->metadata().emplace_back("layers", std::to_string(config.layers));
  return graph;
}

}  // namespace narae
