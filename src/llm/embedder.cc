// SPDX-License-Identifier: Apache-2.0
#include "llm/embedder.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace narae {

std::vector<int32_t> EncoderModel::tokens(std::string_view text) const {
  const EncodeOptions options = tokenizer->defaults();
  std::vector<int32_t> ids = tokenizer->encode(text, options);
  const auto most = static_cast<size_t>(context);
  if (ids.size() > most) {
    const int32_t last = options.end ? ids.back() : ids[most - 1];
    ids.resize(most);
    ids.back() = last;
  }
  return ids;
}

Embedder::Embedder(EncoderModel model, std::shared_ptr<Device> device, MemoryBudget* budget, const EmbedLimits& limits)
    : model_(std::move(model)),
      limits_(limits),
      session_(model_.engine, device, std::make_shared<StateSet>(*device, budget)) {
  if (limits.max_batch < 1 || limits.max_tokens < 1) fail(ErrorCode::usage, "a batch must hold at least one text");
}

Tensor Embedder::embed(std::span<const std::string_view> texts) {
  std::vector<std::vector<int32_t>> ids;
  ids.reserve(texts.size());
  for (const std::string_view text : texts) ids.push_back(model_.tokens(text));
  return embed_tokens(ids);
}

Tensor Embedder::embed_tokens(std::span<const std::vector<int32_t>> texts) {
  const int32_t vocabulary = model_.tokenizer->size();
  for (const std::vector<int32_t>& text : texts) {
    if (text.empty()) fail(ErrorCode::usage, "a text without a single token has no vector");
    if (static_cast<int64_t>(text.size()) > model_.context) {
      fail(ErrorCode::does_not_fit, "a text of {} tokens; the model takes {}", text.size(), model_.context);
    }
    for (const int32_t id : text) {
      if (id < 0 || id >= vocabulary) fail(ErrorCode::usage, "token {} is none of 0 to {}", id, vocabulary - 1);
    }
  }
  Tensor vectors = Tensor::allocate(DType::f32, {static_cast<int64_t>(texts.size()), model_.width});
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a].size() < texts[b].size(); });
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && end - begin < limits_.max_batch &&
           (end - begin + 1) * texts[order[end]].size() <= limits_.max_tokens) {
      ++end;
    }
    run_batch(texts, std::span(order).subspan(begin, end - begin), vectors);
    begin = end;
  }
  return vectors;
}

void Embedder::run_batch(std::span<const std::vector<int32_t>> texts, std::span<const size_t> rows, Tensor& vectors) {
  const size_t longest = texts[rows.back()].size();  // they are sorted
  const Dims dims{static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)};
  const Tensor ids = Tensor::allocate(DType::i32, dims), mask = Tensor::allocate(DType::i32, dims);
  const int32_t padding = std::max(model_.tokenizer->padding(), 0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::vector<int32_t>& text = texts[rows[i]];
    int32_t* const row = ids.as<int32_t>() + i * longest;
    int32_t* const seen = mask.as<int32_t>() + i * longest;
    std::fill(std::copy(text.begin(), text.end(), row), row + longest, padding);
    std::fill(std::fill_n(seen, text.size(), 1), seen + longest, 0);
  }
  const Tensor& out = session_.run({ids, mask})[0];
  const auto width = static_cast<size_t>(model_.width);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(out.as<float>() + i * width, width, vectors.as<float>() + rows[i] * width);
  }
}

}  // namespace narae
