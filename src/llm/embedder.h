// SPDX-License-Identifier: Apache-2.0
// Texts to vectors by an encoder. The one thing not to get wrong: tokens of padding are masked, so a text's vector does
// not depend on what it shares a batch with.
#pragma once

#include <span>
#include <string_view>

#include "engine/session.h"
#include "text/tokenizer.h"

namespace narae {

// An encoder as load/ hands it over: inputs ids and mask i32 [N, S], output f32 [N, width] of length 1 each.
struct EncoderModel {
  std::shared_ptr<const Engine> engine;
  std::shared_ptr<const Tokenizer> tokenizer;
  int64_t context = 0;  // tokens of a text, [CLS] and [SEP] among them
  int64_t width = 0;

  // The ids of a text as the model was trained: [CLS] and [SEP] around it, cut at the context. Any thread. Throws Error
  // usage when it is not UTF-8.
  std::vector<int32_t> tokens(std::string_view text) const;
  // Throws Error: usage for a text without a token and ids that are no tokens, does_not_fit beyond the context.
  void check(std::span<const int32_t> text) const;
  // The inputs ids and mask i32 [texts, length] of texts that are no longer than that.
  std::pair<Tensor, Tensor> padded(std::span<const std::span<const int32_t>> texts, size_t length) const;
};

struct EmbedLimits {
  size_t max_batch = 32;
  size_t max_tokens = 4096;  // of a batch, padding among them; a longer text is a batch of its own
};

// One thread at a time. Texts of like length share a batch, padded to its longest.
class Embedder {
 public:
  // The arena is taken from `budget` where one is given; it and the device's runtime must live as long.
  Embedder(EncoderModel model, const std::shared_ptr<Device>& device, MemoryBudget* budget,
           const EmbedLimits& limits = {});

  const EncoderModel& model() const { return model_; }
  // f32 [texts, width], of texts or of their tokens(), in the order given.
  Tensor embed(std::span<const std::string_view> texts);
  Tensor embed_tokens(std::span<const std::vector<int32_t>> texts);

 private:
  void run_batch(std::span<const std::vector<int32_t>> texts, std::span<const size_t> rows, Tensor& vectors);

  EncoderModel model_;
  EmbedLimits limits_;
  Session session_;
};

}  // namespace narae
