// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a model, whatever the model was loaded from.
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "text/tokenizer.h"

namespace narae {

// `graph`: what load_model() made of `path`. An engine file holds no tokenizer: it knows what it was built from (fact
// "source"). Throws Error bad_file that says where to put what is not there.
std::unique_ptr<const Tokenizer> tokenizer_of(const Graph& graph, const std::string& path);

}  // namespace narae
