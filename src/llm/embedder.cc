// SPDX-License-Identifier: Apache-2.0
#include "llm/embedder.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace narae {

std::vector<int32_t> EncoderModel::tokens(std::string_view text) const {
  if (text.size() > 16 * tokenizer->most_bytes(context)) {
    fail(ErrorCode::does_not_fit, "a text of {} bytes, far more than the context of {} tokens; cut it", text.size(),
         context);
  }
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

void EncoderModel::check(std::span<const int32_t> text) const {
  if (text.empty()) fail(ErrorCode::usage, "a text without a single token has no vector");
  if (static_cast<int64_t>(text.size()) > context) {
    fail(ErrorCode::does_not_fit, "a text of {} tokens; the model takes {}", text.size(), context);
  }
  const int32_t vocabulary = tokenizer->size();
  for (const int32_t id : text) {
    if (id < 0 || id >= vocabulary) fail(ErrorCode::usage, "token {} is none of 0 to {}", id, vocabulary - 1);
  }
}

std::pair<Tensor, Tensor> EncoderModel::padded(std::span<const std::span<const int32_t>> texts, size_t length) const {
  const Dims dims{static_cast<int64_t>(texts.size()), static_cast<int64_t>(length)};
  std::pair<Tensor, Tensor> made{Tensor::allocate(DType::i32, dims), Tensor::allocate(DType::i32, dims)};
  const int32_t padding = std::max(tokenizer->padding(), 0);
  for (size_t i = 0; i < texts.size(); ++i) {
    int32_t* const row = made.first.as<int32_t>() + i * length;
    int32_t* const seen = made.second.as<int32_t>() + i * length;
    std::fill(std::copy(texts[i].begin(), texts[i].end(), row), row + length, padding);
    std::fill(std::fill_n(seen, texts[i].size(), 1), seen + length, 0);
  }
  return made;
}

Embedder::Embedder(EncoderModel model, const std::shared_ptr<Device>& device, MemoryBudget* budget,
                   const EmbedLimits& limits)
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
  for (const std::vector<int32_t>& text : texts) model_.check(text);
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
  std::vector<std::span<const int32_t>> chosen;
  for (const size_t row : rows) chosen.emplace_back(texts[row]);
  const auto [ids, mask] = model_.padded(chosen, longest);
  const Tensor& out = session_.run({ids, mask})[0];
  const auto width = static_cast<size_t>(model_.width);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(out.as<float>() + i * width, width, vectors.as<float>() + rows[i] * width);
  }
}

}  // namespace narae
