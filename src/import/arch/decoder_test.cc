// SPDX-License-Identifier: Apache-2.0
// Random decoders of every architecture against transformers, from folders and from GGUF files.
#include "base/error.h"
#include "import/arch/golden_test.h"
#include "import/arch/import_model.h"
#include "import/weights/file_bytes_test.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

constexpr int64_t page_size = 4, pages = 9;

Tensor i32(Dims dims, const std::vector<int32_t>& values) {
  return Tensor::of<int32_t>(DType::i32, std::move(dims), values);
}

// The graph's states, with something in them that must never be seen.
std::vector<Tensor> make_states(const Graph& graph) {
  std::vector<Tensor> states;
  for (const Value* value : graph.states()) {
    Dims dims;
    for (const Dim& dim : value->shape()) {
      dims.push_back(dim.is_constant() ? dim.value() : dim.symbol_name() == "places" ? pages * page_size : 3);
    }
    states.push_back(Tensor::allocate(value->dtype(), dims));
    for (int64_t i = 0; i < states.back().count(); ++i) set_element(states.back(), i, 1e6);
  }
  return states;
}

// Runs ids [begin, end) of one sequence in slot 1, whose pages are 8, 7, 6 ..; logits of all rows.
Tensor run_rows(const Graph& graph, const std::vector<Tensor>& states, const Tensor& ids, int64_t begin, int64_t end) {
  std::vector<int32_t> tokens, positions, places, wanted, table;
  for (int64_t page = pages - 1; page > 0; --page) table.push_back(static_cast<int32_t>(page));
  for (int64_t i = begin; i < end; ++i) {
    tokens.push_back(ids.as<int32_t>()[i]);
    positions.push_back(static_cast<int32_t>(i));
    places.push_back(table[static_cast<size_t>(i / page_size)] * page_size + static_cast<int32_t>(i % page_size));
    wanted.push_back(static_cast<int32_t>(i - begin));
  }
  const int64_t rows = end - begin;
  std::map<std::string, Tensor> feeds{{"ids", i32({rows}, tokens)},
                                      {"slots", i32({rows}, std::vector<int32_t>(tokens.size(), 1))},
                                      {"positions", i32({rows}, positions)},
                                      {"places", i32({rows}, places)},
                                      {"row_starts", i32({2}, {0, static_cast<int32_t>(rows)})},
                                      {"lengths", i32({1}, {static_cast<int32_t>(end)})},
                                      {"page_tables", i32({1, static_cast<int64_t>(table.size())}, table)},
                                      {"wanted", i32({rows}, wanted)}};
  std::vector<Tensor> inputs;
  for (const Value* input : graph.inputs()) inputs.push_back(feeds.at(input->name()));
  return interpret(graph, inputs, {}, states)[0];
}

// A copy of a golden folder whose config.json has `from` replaced by `to`.
void write_changed(const TestFolder& folder, const std::string& model, const std::string& from, const std::string& to) {
  std::ifstream in(golden_path(model) + "/config.json");
  std::string config{std::istreambuf_iterator<char>(in), {}};
  const size_t at = config.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  folder.write("config.json", config.replace(at, from.size(), to));
  std::filesystem::copy_file(golden_path(model) + "/model.safetensors", folder.path("model.safetensors"),
                             std::filesystem::copy_options::overwrite_existing);
}

struct DecoderTest : testing::TestWithParam<const char*> {
  DecoderTest() { add_all_ops(ops); }
  // The golden folder's results, whatever kind of file holds the weights.
  std::string name() const {
    const std::string name = GetParam();
    return name.substr(0, name.find('.'));
  }
  OpTable ops;
};

TEST_P(DecoderTest, EqualsTransformers) {
  ModelOptions options;
  options.page_size = page_size;
  const std::unique_ptr<Graph> graph = import_model(golden_path(GetParam()), ops, options);
  graph->verify();
  const Tensor ids = golden(name(), "ids"), logits = golden(name(), "logits");
  const int64_t count = ids.dims[0], width = logits.dims[1];
  EXPECT_LE(difference(run_rows(*graph, make_states(*graph), ids, 0, count), logits), 1e-4);

  // In chunks, the last of one token.
  const std::vector<Tensor> states = make_states(*graph);
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 7}, {7, count - 1}, {count - 1, count}}) {
    Tensor wanted = logits;
    wanted.dims[0] = end - begin;
    wanted.data = logits.as<float>() + begin * width;
    EXPECT_LE(difference(run_rows(*graph, states, ids, begin, end), wanted), 1e-4) << begin;
  }
}

TEST(Decoder, OlderConfigurationsSayTheSameOfTheRotaryEmbedding) {
  OpTable ops;
  add_all_ops(ops);
  TestFolder folder;
  write_changed(folder, "llama_linear", R"("rope_parameters": {
    "factor": 4.0,
    "rope_theta": 10000.0,
    "rope_type": "linear"
  })",
                R"("rope_theta": 10000.0, "rope_scaling": {"factor": 4.0, "type": "linear"})");
  ModelOptions options;
  options.page_size = page_size;
  const std::unique_ptr<Graph> graph = import_model(folder.path(), ops, options);
  const Tensor ids = golden("llama_linear", "ids");
  EXPECT_LE(difference(run_rows(*graph, make_states(*graph), ids, 0, ids.count()), golden("llama_linear", "logits")),
            1e-4);
}

TEST(Decoder, RefusesByName) {
  OpTable ops;
  add_all_ops(ops);
  TestFolder folder;
  const auto says = [&](const char* model, const std::string& from, const std::string& to, const char* part) {
    write_changed(folder, model, from, to);
    try {
      import_model(folder.path(), ops);
      ADD_FAILURE() << to << " is taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  says("llama", "\"silu\"", "\"gelu\"", "hidden_act");
  says("llama", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "multiple");
  says("llama", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 1", "k_proj");
  says("llama", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "model.layers.2");
  says("llama", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1e30", "num_hidden_layers");
  says("llama", "\"head_dim\": 8", "\"head_dim\": 0", "head_dim");
  says("llama", "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": 1", "tie_word_embeddings");
  says("llama_linear", "\"linear\"", "\"dynamic\"", "dynamic");
  says("llama_linear", "\"factor\": 4.0", "\"factor\": 0", "factor");
  says("llama_linear", "\"factor\": 4.0", "\"factor\": \"4\"", "factor");
  says("llama_yarn", "\"factor\": 4.0,", "", "factor");
  says("llama_bias_llama3", "\"high_freq_factor\": 4.0", "\"high_freq_factor\": 0.5", "high_freq_factor");
  says("starcoder2", "\"gelu_pytorch_tanh\"", "\"relu\"", "hidden_act");
  says("starcoder2", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "divide");
  says("qwen2", "\"model_type\": \"qwen2\"", "\"model_type\": \"qwen3\"", "q_norm");
}

INSTANTIATE_TEST_SUITE_P(Models, DecoderTest,
                         testing::Values("llama", "llama.gguf", "llama_bias_llama3", "llama_bias_llama3.gguf",
                                         "llama_linear", "llama_yarn", "llama_yarn.gguf", "mistral", "qwen2",
                                         "qwen2.gguf", "qwen3", "qwen3.gguf", "starcoder2", "starcoder2.gguf"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace narae
