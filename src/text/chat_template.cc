// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/template_interpreter.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

// Depth is bounded by TemplateValue's own limit only after the recursion, so it is counted here too.
TemplateValue value_of(const Json& json, int depth) {
  if (depth > 90) fail(ErrorCode::usage, "messages and tools are nested at most 90 deep");
  switch (json.type()) {
    case Json::value_t::boolean: return json.get<bool>();
    case Json::value_t::number_integer: return json.get<int64_t>();
    case Json::value_t::number_float: return json.get<double>();
    case Json::value_t::string: return json.get_ref<const std::string&>();
    case Json::value_t::number_unsigned: {
      const auto number = json.get<uint64_t>();
      if (number > INT64_MAX) fail(ErrorCode::usage, "the number {} needs more than 64 bits", number);
      return static_cast<int64_t>(number);
    }
    case Json::value_t::array: {
      std::vector<TemplateValue> items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(value_of(item, depth + 1));
      return TemplateValue::list(std::move(items));
    }
    case Json::value_t::object: {
      TemplateMap map;
      for (const auto& [key, value] : json.items()) {
        TemplateValue made = value_of(value, depth + 1);
        map.depth = std::max(map.depth, 1 + made.depth());
        map.items.emplace_back(key, std::move(made));
      }
      return TemplateValue::map(std::move(map));
    }
    default: return TemplateValue::None{};
  }
}

}  // namespace

std::string ChatTemplate::render(const Json& context, std::time_t now, const ChatTemplateLimits& limits) const {
  NARAE_CHECK(context.is_object());
  const TemplateValue values = value_of(context, 0);
  return TemplateInterpreter(limits.steps, now).render(block_, *values.map());
}

}  // namespace narae
