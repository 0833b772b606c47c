// SPDX-License-Identifier: Apache-2.0
#include "load/model_facts.h"

#include <charconv>

#include "base/error.h"

namespace narae {

const std::string* find_fact(const Graph& graph, std::string_view key) {
  for (const auto& [name, text] : graph.metadata()) {
    if (name == key) return &text;
  }
  return nullptr;
}

int64_t number_fact(const Graph& graph, std::string_view key) {
  const std::string* text = find_fact(graph, key);
  int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) {
    fail(ErrorCode::bad_file, "the model does not say its \"{}\"", key);
  }
  return value;
}

}  // namespace narae
