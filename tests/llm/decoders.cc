// SPDX-License-Identifier: Apache-2.0
// Decoders compiled with every pass and run by a Session over states: random ones against transformers' logits, trained
// ones against its greedy answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "engine/session.h"
#include "import/weights/safetensors.h"
#include "kernels/cpu/cpu_features.h"
#include "load/load_model.h"
#include "on_device.h"

namespace narae {
namespace {

constexpr int64_t page_size = 16, pages = 33;

// One sequence in slot 2, whose pages are handed out from the last to the first.
class Decoder {
 public:
  explicit Decoder(const std::string& path, const char* activations = "fp32")
      : Decoder(path, options_of(activations), {}) {}
  Decoder(const std::string& path, const RuntimeOptions& runtime, LoadOptions options) : runtime_(runtime) {
    options.model.page_size = page_size;
    engine_ = load_model(path, runtime_, options);
    states_ = std::make_shared<StateSet>(*runtime_.device(), &runtime_.budget());
    states_->set_size("places", pages * page_size);
    states_->set_size("slots", 4);
    session_ = std::make_unique<Session>(engine_, runtime_.device(), states_);
    for (int64_t page = pages - 1; page > 0; --page) table_.push_back(static_cast<int32_t>(page));
  }

  // Logits [rows, vocabulary] after each of these tokens, which follow those given before.
  Tensor next(const std::vector<int32_t>& ids) {
    const auto rows = static_cast<int32_t>(ids.size());
    std::vector<int32_t> positions, places, wanted;
    for (int32_t i = 0; i < rows; ++i) {
      const int32_t at = known_ + i;
      positions.push_back(at);
      places.push_back(table_.at(static_cast<size_t>(at / page_size)) * static_cast<int32_t>(page_size) +
                       at % page_size);
      wanted.push_back(i);
    }
    known_ += rows;
    const std::map<std::string, std::vector<int32_t>> feeds{{"ids", ids},
                                                            {"slots", std::vector<int32_t>(ids.size(), 2)},
                                                            {"positions", positions},
                                                            {"places", places},
                                                            {"row_starts", {0, rows}},
                                                            {"lengths", {known_}},
                                                            {"page_tables", table_},
                                                            {"wanted", wanted}};
    std::vector<Tensor> inputs;
    for (const Value* input : engine_->portable().inputs()) {
      const std::vector<int32_t>& values = feeds.at(input->name());
      Dims dims{static_cast<int64_t>(values.size())};
      if (input->name() == "page_tables") dims.insert(dims.begin(), 1);
      inputs.push_back(Tensor::of<int32_t>(DType::i32, dims, values));
    }
    return Tensor::copy_of(session_->run(inputs)[0]);
  }

  // Records of this kernel in the latest run.
  int64_t count(const std::string& kernel) {
    const auto& records = session_->program()->records;
    return std::count_if(records.begin(), records.end(), [&](const auto& one) { return one.what == kernel; });
  }

  std::vector<int32_t> greedy(std::vector<int32_t> ids, size_t count) {
    std::vector<int32_t> made;
    while (made.size() < count) {
      const Tensor logits = next(ids);
      const float* last = logits.as<float>() + (logits.dims[0] - 1) * logits.dims[1];
      made.push_back(static_cast<int32_t>(std::max_element(last, last + logits.dims[1]) - last));
      ids = {made.back()};
    }
    return made;
  }

 private:
  static RuntimeOptions options_of(const char* activations) {
    RuntimeOptions options;
    options.activations = activations;
    return options;
  }
  Runtime runtime_;
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<StateSet> states_;
  std::unique_ptr<Session> session_;
  std::vector<int32_t> table_;
  int32_t known_ = 0;
};

class RandomDecoder : public testing::TestWithParam<const char*> {
 protected:
  std::string model() const { return std::string(NARAE_SOURCE "/tests/golden/llm/") + GetParam(); }
  void expect_golden(Decoder& decoder, double tolerance) const;
};

// A prompt in two chunks, then token by token; the tolerance is a share of the largest logit.
void RandomDecoder::expect_golden(Decoder& decoder, double tolerance) const {
  const std::string model = this->model();
  const WeightTable golden = open_safetensors(model.substr(0, model.find(".gguf")) + "/golden.safetensors");
  const Tensor ids = golden.at("ids").data, logits = golden.at("logits").data;
  const int32_t* first = ids.as<int32_t>();
  double largest = 0;
  for (int64_t i = 0; i < logits.count(); ++i) largest = std::max<double>(largest, std::abs(logits.as<float>()[i]));
  for (int64_t begin = 0; begin < ids.count();) {
    const int64_t end = begin < 16 ? std::min<int64_t>(begin + 9, ids.count()) : begin + 1;
    const Tensor got = decoder.next({first + begin, first + end});
    for (int64_t i = 0; i < got.count(); ++i) {
      ASSERT_NEAR(got.as<float>()[i], logits.as<float>()[begin * got.dims[1] + i], tolerance * largest)
          << begin << " " << i;
    }
    begin = end;
  }
}

TEST_P(RandomDecoder, EqualsTransformers) {
  Decoder decoder(model());
  expect_golden(decoder, 1e-4);
}

TEST_P(RandomDecoder, EqualsTransformersOnTheGpu) {
  if (const std::string reason = why_absent("cuda"); !reason.empty()) GTEST_SKIP() << "hardware: " << reason;
  // f32 beside weights in blocks keeps 16 bits.
  for (const auto& [precision, kept, tolerance] :
       {std::tuple{"fp32", DType::f32, 2e-4}, {"fp16", DType::f16, 1e-2}, {"bf16", DType::bf16, 6e-2}}) {
    SCOPED_TRACE(precision);
    RuntimeOptions runtime;
    runtime.device = "cuda", runtime.precision = precision;
    LoadOptions load;
    load.model.kv = kept;
    Decoder decoder(model(), runtime, load);
    expect_golden(decoder, tolerance);
    EXPECT_GT(decoder.count("linear"), 0);
    EXPECT_EQ(decoder.count("rope"), 2);
    EXPECT_EQ(decoder.count("host_step"), 0);
  }
}

// Rotations and KV writes as one body give the bits that they give one by one, whatever the keys and values are kept
// in.
TEST_P(RandomDecoder, FusedRotationsAndWritesAreBitsOfEachAlone) {
  for (const char* isa : {"portable", "avx2", "avx512"}) {
    if (!cpu::supports_isa(cpu::detect_cpu_features(), isa)) continue;
    for (const DType kept : {DType::f32, DType::f16, DType::bf16}) {
      RuntimeOptions runtime;
      runtime.isa = isa, runtime.threads = 2;
      LoadOptions whole, apart;
      whole.model.kv = apart.model.kv = kept;
      apart.compile.passes.selection = PassSelection::parse("-fuse_rope_kv");
      Decoder fused(model(), runtime, whole), split(model(), runtime, apart);
      for (const std::vector<int32_t>& ids :
           {std::vector<int32_t>{3, 70, 9, 4, 5, 6, 7, 8, 9, 10, 11}, {5}, {6}, {7, 8, 9}}) {
        const Tensor a = fused.next(ids), b = split.next(ids);
        ASSERT_EQ(std::memcmp(a.data, b.data, a.bytes()), 0) << isa << " " << dtype_name(kept);
      }
      EXPECT_EQ(fused.count("rope_kv"), 2);
      EXPECT_EQ(split.count("rope_kv"), 0);
      EXPECT_EQ(split.count("kv"), fused.count("kv") + 4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RandomDecoder,
                         testing::Values("llama", "llama_bias_llama3", "llama_linear", "llama_yarn.gguf", "mistral",
                                         "qwen2", "qwen3.gguf", "starcoder2", "starcoder2.gguf"));

class TinyModel : public testing::TestWithParam<const char*> {};

TEST_P(TinyModel, AnswersAsTransformers) {
  const std::string folder = std::string(NARAE_SHARED "/models/") + GetParam();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "data: there is no " << folder;
  const auto golden = nlohmann::json::parse(std::ifstream(folder + "/golden.json"));
  for (const auto& one : golden["cases"]) {
    const std::vector<int32_t> prompt = one["prompt_ids"], wanted = one["greedy_ids"];
    Decoder decoder(folder);
    const Tensor logits = decoder.next(prompt);
    const float* last = logits.as<float>() + (logits.dims[0] - 1) * logits.dims[1];
    for (size_t i = 0; i < one["top5_ids"].size(); ++i) {
      EXPECT_NEAR(last[one["top5_ids"][i].get<int>()], one["top5_logits"][i].get<float>(), 1e-3) << one["prompt"];
    }
    EXPECT_EQ(Decoder(folder).greedy(prompt, wanted.size()), wanted) << one["prompt"];
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TinyModel, testing::Values("tiny-llama", "tiny-llama-draft", "tiny-qwen3"));

// `1, 2, 3, 4, 5, 6,` goes on with 7; every choice on the way is clear by at least 1.9.
TEST(SmolLM2, CountsOn) {
  const std::string path = NARAE_CACHE "/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "wheel: " << path << " was not fetched by the set-up";
  const std::vector<int32_t> prompt{33, 28, 216, 34, 28, 216, 35, 28, 216, 36, 28, 216, 37, 28, 216, 38, 28};
  Decoder decoder(path);
  const Tensor logits = decoder.next(prompt);
  const float* last = logits.as<float>() + (logits.dims[0] - 1) * logits.dims[1];
  EXPECT_NEAR(last[216], 21.774, 0.01);
  EXPECT_NEAR(last[284], 18.090, 0.01);
  const std::vector<int32_t> wanted{216, 39,  28, 216, 40, 28,  216, 41, 28, 216, 33, 32,
                                    28,  216, 33, 33,  28, 216, 33,  34, 28, 216, 33, 35};
  EXPECT_EQ(Decoder(path).greedy(prompt, wanted.size()), wanted);
  EXPECT_EQ(Decoder(path, "int8").greedy(prompt, wanted.size()), wanted);
}

}  // namespace
}  // namespace narae
