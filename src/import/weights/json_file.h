// SPDX-License-Identifier: Apache-2.0
// JSON files that come with models. A heavy header: include it in .cc files only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace narae {

using Json = nlohmann::json;

// Both refuse a key that an object holds twice and nesting deeper than 64: Error bad_file beginning with `what`.
Json parse_json(const std::string& what, std::string_view text);
Json read_json(const std::string& path);

}  // namespace narae
