// SPDX-License-Identifier: Apache-2.0
// The Runner of a language model on one device: `forward` in the first half of a step, `sample` in the second, over one
// StateSet. Logits stay on the device between them. It runs in the Worker's thread (depth 1).
#pragma once

#include "batch/runner.h"
#include "engine/session.h"
#include "llm/language_model.h"

namespace narae {

class TokenRunner final : public Runner {
 public:
  // `states` knows the sizes `places` and `slots`.
  TokenRunner(const LanguageModel& model, std::shared_ptr<Device> device, std::shared_ptr<StateSet> states);
  void begin(Step& step) override;
  void finish(Step& step) override;
  void wait(Step&) override {}

 private:
  void copy_pages(const std::vector<Move>& moves);
  Tensor room_for(const Dims& logits);

  std::shared_ptr<Device> device_;
  std::shared_ptr<StateSet> states_;
  int64_t page_size_;
  struct PagedState {
    std::string name;
    size_t place_bytes, bytes;
  };
  std::vector<PagedState> paged_;
  Session forward_, sample_;
  std::unique_ptr<Buffer> logits_;  // where the host does not see the device's memory
  std::vector<Tensor> sample_inputs_;
};

}  // namespace narae
