// SPDX-License-Identifier: Apache-2.0
// Deterministic runs, bit for bit: logits of sequences that meet in steps of random company and random chunks equal
// those of each sequence alone, token by token. On several instruction sets and thread counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <random>

#include "engine/session.h"
#include "kernels/cpu/cpu_features.h"
#include "load/load_model.h"

namespace narae {
namespace {

constexpr int64_t page_size = 4, pages_each = 12;
constexpr int32_t sequences = 5;

struct Chunk {
  int32_t sequence;
  std::vector<int32_t> ids;
};

class Steps {
 public:
  Steps(std::shared_ptr<Engine> engine, Runtime& runtime) : engine_(std::move(engine)) {
    auto states = std::make_shared<StateSet>(*runtime.device(), &runtime.budget());
    states->set_size("places", page_size * (pages_each * sequences + 1));
    states->set_size("slots", sequences + 1);
    session_ = std::make_unique<Session>(engine_, runtime.device(), states);
  }
  // Logits [tokens, vocabulary], in the order of the chunks.
  Tensor operator()(const std::vector<Chunk>& chunks) {
    std::map<std::string, std::vector<int32_t>> feeds;
    feeds["row_starts"] = {0};
    for (const Chunk& chunk : chunks) {
      int32_t& known = known_[static_cast<size_t>(chunk.sequence)];
      for (const int32_t id : chunk.ids) {
        feeds["wanted"].push_back(static_cast<int32_t>(feeds["ids"].size()));
        feeds["ids"].push_back(id);
        feeds["slots"].push_back(chunk.sequence + 1);
        feeds["positions"].push_back(known);
        feeds["places"].push_back(page(chunk.sequence, known / page_size) * page_size + known % page_size);
        ++known;
      }
      feeds["row_starts"].push_back(static_cast<int32_t>(feeds["ids"].size()));
      feeds["lengths"].push_back(known);
      for (int32_t i = 0; i < pages_each; ++i) feeds["page_tables"].push_back(page(chunk.sequence, i));
    }
    std::vector<Tensor> inputs;
    for (const Value* input : engine_->portable().inputs()) {
      const std::vector<int32_t>& values = feeds.at(input->name());
      Dims dims{static_cast<int64_t>(values.size())};
      if (input->name() == "page_tables") dims = {static_cast<int64_t>(chunks.size()), pages_each};
      inputs.push_back(Tensor::of<int32_t>(DType::i32, dims, values));
    }
    return Tensor::copy_of(session_->run(inputs)[0]);
  }

 private:
  // Pages of a sequence lie apart from each other.
  static int32_t page(int32_t sequence, int64_t index) {
    return static_cast<int32_t>(index * sequences + sequence + 1);
  }
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
  std::vector<int32_t> known_ = std::vector<int32_t>(sequences, 0);
};

using Case = std::tuple<std::string, std::string, int64_t>;  // model, instruction set, rows that it is selected for

class RowMixes : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto& [name, isa, rows] = GetParam();
    path_ = name == "SmolLM2" ? NARAE_CACHE "/models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
                              : NARAE_SOURCE "/tests/" + name;
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "wheel: " << path_ << " was not fetched by the set-up";
    RuntimeOptions options;
    options.isa = isa, options.threads = 2, options.deterministic = true;
    if (isa != "auto" && !cpu::supports_isa(cpu::detect_cpu_features(), isa))
      GTEST_SKIP() << "hardware: this machine has no " << isa;
    runtime_ = std::make_unique<Runtime>(options);
    LoadOptions load;
    load.model.page_size = page_size;
    // Tiles for one row would each hold one row, and nothing could differ.
    load.first_sizes = [rows = rows](const Graph& graph) {
      SymbolValues sizes;
      for (const Dim& symbol : graph.symbols()) sizes.emplace(symbol.symbol_name(), rows);
      return sizes;
    };
    engine_ = load_model(path_, *runtime_, load);
  }
  std::string path_;
  std::unique_ptr<Runtime> runtime_;
  std::shared_ptr<Engine> engine_;
};

TEST_P(RowMixes, BitsOfEachAlone) {
  std::mt19937 random(5);
  std::vector<std::vector<int32_t>> ids(sequences);
  std::vector<std::vector<float>> alone(sequences);
  int64_t words = 0;
  for (int32_t s = 0; s < sequences; ++s) {
    for (uint32_t i = 0, count = 20 + random() % 20; i < count; ++i)
      ids[s].push_back(static_cast<int32_t>(random() % 70));
    Steps steps(engine_, *runtime_);
    for (const int32_t id : ids[s]) {
      const Tensor row = steps({{s, {id}}});
      words = row.count();
      alone[s].insert(alone[s].end(), row.as<float>(), row.as<float>() + words);
    }
  }
  for (int round = 0; round < 3; ++round) {
    Steps steps(engine_, *runtime_);
    std::vector<size_t> at(sequences, 0);
    for (size_t left = 1; left > 0;) {
      std::vector<Chunk> chunks;
      for (int32_t s = 0; s < sequences; ++s) {
        if (at[s] == ids[s].size() || random() % 3 == 0) continue;
        const size_t most = std::min<size_t>(ids[s].size() - at[s], random() % 2 ? 1 : 17), count = 1 + random() % most;
        const auto from = ids[s].begin() + static_cast<ptrdiff_t>(at[s]);
        chunks.push_back({s, {from, from + static_cast<ptrdiff_t>(count)}});
      }
      std::shuffle(chunks.begin(), chunks.end(), random);
      left = chunks.size() + static_cast<size_t>(std::inner_product(
                                 at.begin(), at.end(), ids.begin(), 0, std::plus<>(),
                                 [](size_t done, const auto& all) { return done < all.size() ? 1 : 0; }));
      if (chunks.empty()) continue;
      const Tensor logits = steps(chunks);
      const float* row = logits.as<float>();
      for (const Chunk& chunk : chunks) {
        for (size_t i = 0; i < chunk.ids.size(); ++i, row += words) {
          const float* wanted = alone[chunk.sequence].data() + static_cast<int64_t>(at[chunk.sequence]++) * words;
          ASSERT_EQ(std::memcmp(row, wanted, static_cast<size_t>(words) * sizeof(float)), 0)
              << "round " << round << " sequence " << chunk.sequence << " token " << at[chunk.sequence] - 1;
        }
      }
    }
    for (int32_t s = 0; s < sequences; ++s) EXPECT_EQ(at[s], ids[s].size());
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name =
      std::get<0>(info.param) + "_" + std::get<1>(info.param) + "_" + std::to_string(std::get<2>(info.param));
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tiny, RowMixes,
                         testing::Combine(testing::Values("data/models/tiny-qwen3", "golden/llm/llama_bias_llama3",
                                                          "golden/llm/mistral", "golden/llm/qwen2.gguf"),
                                          testing::Values("auto", "avx2", "portable"), testing::Values(1, 24)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Real, RowMixes, testing::Values(Case{"SmolLM2", "auto", 24}), case_name);

}  // namespace
}  // namespace narae
