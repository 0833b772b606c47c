// SPDX-License-Identifier: Apache-2.0
// Real vocabularies against ids made by Hugging Face tokenizers: 46 texts each, every id. Vocabularies with other
// pre-tokenizers are refused by name.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace narae {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> texts_of(const std::string& path) {
  const std::string separator = "\n__ggml_vocab_test__\n";
  const std::string all = bytes_of(path);
  std::vector<std::string> texts;
  for (size_t at = 0; at < all.size();) {
    const size_t end = all.find(separator, at);
    texts.push_back(all.substr(at, end - at));
    at = end + separator.size();
  }
  return texts;
}

std::vector<std::vector<int32_t>> ids_of(const std::string& path) {
  std::vector<std::vector<int32_t>> lines;
  std::istringstream all(bytes_of(path));
  for (std::string line; std::getline(all, line);) {
    std::istringstream numbers(line);
    lines.emplace_back(std::istream_iterator<int32_t>(numbers), std::istream_iterator<int32_t>());
  }
  return lines;
}

class TokenizerVectors : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(path_)) {
      GTEST_SKIP() << "data: there is no " << path_ << " (make setup unpacks it from ../shared/data/tokenizers)";
    }
  }
  const std::string name_ = GetParam();
  const std::string path_ = fmt::format("{}/shared/tokenizers/ggml-vocab-{}.gguf", NARAE_CACHE, name_);
  const std::string vectors_ = fmt::format("{}/data/tokenizers/ggml-vocab-{}.gguf", NARAE_SHARED, name_);
};

class KnownVocabulary : public TokenizerVectors {};

TEST_P(KnownVocabulary, GivesEveryId) {
  const auto loaded = load_tokenizer(path_);
  const Tokenizer& tokenizer = *loaded;
  const auto texts = texts_of(vectors_ + ".inp");
  const auto wanted = ids_of(vectors_ + ".out");
  ASSERT_EQ(texts.size(), 46u);
  ASSERT_EQ(wanted.size(), 46u);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int32_t> ids = tokenizer.encode(texts[i]);
    EXPECT_EQ(ids, wanted[i]) << "text " << i << ": " << texts[i];
    if (tokenizer.model() == TokenizerModel::wordpiece) continue;  // does not keep its texts
    EXPECT_EQ(tokenizer.decode(ids), texts[i]);
    std::string streamed;
    Detokenizer detokenizer(tokenizer);
    for (const int32_t id : ids) {
      detokenizer.push(id, streamed);
      EXPECT_EQ(texts[i].substr(0, streamed.size()), streamed);  // nothing to be taken back
    }
    detokenizer.flush(streamed);
    EXPECT_EQ(streamed, texts[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, KnownVocabulary,
                         testing::Values("gpt-2", "starcoder", "refact", "llama-spm", "phi-3", "bert-bge"));

class OtherVocabulary : public TokenizerVectors {};

TEST_P(OtherVocabulary, IsRefusedByName) {
  try {
    load_tokenizer(path_);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    EXPECT_NE(error.message().find('"' + name_ + '"'), std::string::npos) << error.what();
    EXPECT_NE(error.message().find("llama-bpe"), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, OtherVocabulary,
                         testing::Values("deepseek-coder", "deepseek-llm", "falcon", "mpt"));

}  // namespace
}  // namespace narae
