// SPDX-License-Identifier: Apache-2.0
// Prometheus text of the models, under Triton's names where Triton has one (docs: Triton, "Metrics").
#pragma once

#include <string>

#include "serve/model_repository.h"

namespace narae {

// What the server itself counts; every request that was read is answered or refused, once.
struct ServerCounters {
  std::atomic<uint64_t> connections{0}, requests{0}, answered{0}, refused{0}, disconnected{0};
};

std::string metrics_text(const ModelRepository& repository, const ServerCounters& counters);

}  // namespace narae
