// SPDX-License-Identifier: Apache-2.0
// The way of an OpenAI call that costs a model something: read in the prep pool, submitted where the connection lives.
#pragma once

#include "serve/model.h"
#include "server/router.h"

namespace narae {

// POST at `path`: `begin` runs in the prep pool.
inline void add_openai_post(Router& router, const char* path, std::function<void(const ExchangePtr&)> begin) {
  const Handler handler = [begin = std::move(begin)](const ExchangePtr& exchange, const PathValues&) {
    exchange->later([begin, exchange] { guarded(*exchange, openai_error, [&] { begin(exchange); }); });
  };
  router.add("POST", path, handler, openai_error);
}

// Submits what `make` makes of the body, a shared_ptr; one that cannot be is counted as the model's.
template <typename Make>
void submit_openai(ServerState& state, const ExchangePtr& exchange, Model& model, const Make& make) {
  decltype(make()) reply;
  try {
    reply = make();
  } catch (...) {
    model.statistics().invalid.fetch_add(1, std::memory_order_relaxed);
    throw;
  }
  std::string().swap(exchange->request().body);
  exchange->soon([&state, exchange, reply] { guarded(*exchange, openai_error, [&] { reply->submit(state); }); });
}

}  // namespace narae
