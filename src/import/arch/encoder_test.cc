// SPDX-License-Identifier: Apache-2.0
// A random BERT against transformers, and configurations that must be refused.
#include "base/error.h"
#include "import/arch/golden_test.h"
#include "import/arch/import_model.h"
#include "import/weights/file_bytes_test.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

struct EncoderTest : testing::Test {
  EncoderTest() { add_all_ops(ops); }
  // What is said of the random BERT when its config.json has `from` replaced by `to`.
  std::string refusal(const std::string& from, const std::string& to) {
    std::ifstream in(golden_path("bert/config.json"));
    std::string config{std::istreambuf_iterator<char>(in), {}};
    const size_t at = config.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    folder.write("config.json", config.replace(at, from.size(), to));
    try {
      import_model(folder.path(), ops);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      return error.what();
    }
    return "";
  }
  OpTable ops;
  TestFolder folder;
};

TEST_F(EncoderTest, EqualsTransformers) {
  for (const char* model : {"bert", "bert.gguf"}) {
    const std::unique_ptr<Graph> graph = import_model(golden_path(model), ops);
    graph->verify();
    const std::vector<Tensor> got = interpret(*graph, {golden("bert", "ids"), golden("bert", "mask")});
    EXPECT_LE(difference(got[0], golden("bert", "embedding")), 1e-5) << model;
  }
}

TEST_F(EncoderTest, RefusesByName) {
  std::filesystem::copy(golden_path("bert/model.safetensors"), folder.path("model.safetensors"));
  EXPECT_EQ(refusal("\"gelu\"", "\"relu\""), "");
  const auto says = [&](const char* from, const char* to, const char* part) {
    const std::string message = refusal(from, to);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  says("\"gelu\"", "\"swish\"", "hidden_act");
  says("\"hidden_size\": 32", "\"hidden_size\": 40", "[72,40]");
  says("\"hidden_size\": 32", "\"hidden_size\": \"x\"", "hidden_size");
  says("\"hidden_size\": 32", "\"hidden_size\": -32", "hidden_size");
  says("\"hidden_size\": 32", "\"hidden_size\": 18446744073709551615", "hidden_size");
  says("\"hidden_size\": 32", "\"hidden_sise\": 32", "hidden_size");
  says("\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "5 heads");
  says("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "encoder.layer.2");
  says("\"max_position_embeddings\": 24", "\"max_position_embeddings\": 25", "positions");
  says("\"model_type\": \"bert\"", "\"model_type\": \"mamba\"", "mamba");
  says("\"model_type\": \"bert\"", "\"model_type\": [1]", "model_type");
  std::filesystem::create_directory(folder.path("1_Pooling"));
  folder.write("1_Pooling/config.json", R"({"pooling_mode_max_tokens":true})");
  says("\"gelu\"", "\"gelu\"", "pooling_mode_max_tokens");
}

}  // namespace
}  // namespace narae
