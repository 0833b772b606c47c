// SPDX-License-Identifier: Apache-2.0
// What stands behind the opaque handles. Each is a share of what it needs, so handles can be freed in any order.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime.h"
#include "engine/session.h"
#include "narae/narae.h"

namespace narae::api {

narae_dtype to_c(DType dtype);
// Throws Error usage for a number that is none.
DType from_c(narae_dtype dtype);

// An input or output as C sees it; pointers into itself, so it stays where it is.
struct ValueInfo {
  explicit ValueInfo(const Value& value, const std::string& name);
  ValueInfo(const ValueInfo&) = delete;
  ValueInfo& operator=(const ValueInfo&) = delete;
  narae_value_info view() const;

  std::string name;
  narae_dtype dtype;
  std::vector<int64_t> dims;
  std::vector<std::string> texts;
  std::vector<const char*> symbols;
};

struct EngineState {
  std::shared_ptr<Runtime> runtime;  // goes last: the engine's weights are in its memory account
  std::shared_ptr<Engine> engine;
  std::vector<std::unique_ptr<ValueInfo>> inputs, outputs;
  double load_ms = 0;
};

}  // namespace narae::api

struct narae_runtime {
  std::shared_ptr<narae::Runtime> runtime;
};

struct narae_engine {
  std::shared_ptr<narae::api::EngineState> state;
};

struct narae_session {
  std::shared_ptr<narae::api::EngineState> state;
  std::unique_ptr<narae::Session> session;
  std::vector<narae::Tensor> inputs;
  std::vector<bool> bound;
  const std::vector<narae::Tensor>* outputs = nullptr;  // of the last run; null after a failure
  narae_session_stats stats = NARAE_SESSION_STATS_INIT;
  std::atomic<bool> cancel_requested{false};
};
