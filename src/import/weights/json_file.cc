// SPDX-License-Identifier: Apache-2.0
#include "import/weights/json_file.h"

#include <set>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

constexpr int max_depth = 64;

}  // namespace

Json parse_json(const std::string& what, std::string_view text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > max_depth) fail(ErrorCode::bad_file, "{} nests deeper than {}", what, max_depth);
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      fail(ErrorCode::bad_file, "{} holds \"{}\" twice", what, shown_text(parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::exception& error) {
    fail(ErrorCode::bad_file, "{} is no JSON: {}", what, shown_text(error.what()));
  }
}

Json read_json(const std::string& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  return parse_json(fmt::format("\"{}\"", path), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace narae
