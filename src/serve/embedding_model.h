// SPDX-License-Identifier: Apache-2.0
// A TensorModel over an encoder that takes texts, too: each becomes a row of ids and one of their mask, padded to one
// of a few lengths, so that the rows of different clients run together.
#pragma once

#include "llm/embedder.h"
#include "serve/tensor_model.h"

namespace narae {

class EmbeddingModel final : public TensorModel {
 public:
  EmbeddingModel(std::string name, std::string version, EncoderModel encoder, Runtime& runtime,
                 TensorModelOptions options);
  const char* kind() const override { return "embedding"; }
  EmbeddingModel* embeddings() override { return this; }

  const EncoderModel& encoder() const { return encoder_; }
  // Requests with the rows `texts` (token ids each), in the order given; a request holds texts of one padded length.
  struct Part {
    RequestPtr request;
    std::vector<size_t> rows;  // of `texts`
  };
  // Throws Error: usage for ids that are no tokens and empty texts, does_not_fit for one beyond the context.
  std::vector<Part> make_requests(const std::string& id, std::span<const std::vector<int32_t>> texts) const;

 private:
  EncoderModel encoder_;
};

}  // namespace narae
