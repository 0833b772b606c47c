// SPDX-License-Identifier: Apache-2.0
// What a Graph's metadata says of its model (import/arch/import_model.h lists the keys).
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace narae {

// Null: the metadata does not say.
const std::string* find_fact(const Graph& graph, std::string_view key);
// Throws Error bad_file where it does not say or says no number.
int64_t number_fact(const Graph& graph, std::string_view key);

}  // namespace narae
