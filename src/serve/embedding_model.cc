// SPDX-License-Identifier: Apache-2.0
#include "serve/embedding_model.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace narae {
namespace {

// 8, 16, 24, 32, then steps of a quarter of the next lower power of two.
size_t padded_length(size_t tokens, size_t most) {
  size_t step = 8;
  while (step * 8 <= tokens) step *= 2;
  return std::min((tokens + step - 1) / step * step, most);
}

}  // namespace

EmbeddingModel::EmbeddingModel(std::string name, std::string version, EncoderModel encoder, Runtime& runtime,
                               TensorModelOptions options)
    : TensorModel(std::move(name), std::move(version), encoder.engine, runtime, std::move(options)),
      encoder_(std::move(encoder)) {}

std::vector<EmbeddingModel::Part> EmbeddingModel::make_requests(const std::string& id,
                                                                std::span<const std::vector<int32_t>> texts) const {
  std::map<size_t, std::vector<size_t>> by_length;
  for (size_t i = 0; i < texts.size(); ++i) {
    encoder_.check(texts[i]);
    by_length[padded_length(texts[i].size(), static_cast<size_t>(encoder_.context))].push_back(i);
  }
  std::vector<Part> parts;
  const auto most = static_cast<size_t>(rule().join ? options().max_batch : 1);
  for (const auto& [length, rows] : by_length) {
    for (size_t begin = 0; begin < rows.size(); begin += most) {
      Part part;
      part.rows.assign(rows.begin() + static_cast<ptrdiff_t>(begin),
                       rows.begin() + static_cast<ptrdiff_t>(std::min(begin + most, rows.size())));
      std::vector<std::span<const int32_t>> ids;
      for (const size_t row : part.rows) ids.emplace_back(texts[row]);
      auto [id_rows, mask_rows] = encoder_.padded(ids, length);
      InferCall call;
      call.id = id;
      call.inputs.push_back({graph().inputs()[0]->name(), std::move(id_rows)});
      call.inputs.push_back({graph().inputs()[1]->name(), std::move(mask_rows)});
      part.request = make_request(std::move(call));
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

}  // namespace narae
