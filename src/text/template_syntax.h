// SPDX-License-Identifier: Apache-2.0
// The tree of a chat template. One struct for all expressions and one for all statements; `kind` says which parts mean
// what. Its depth is bounded when it is built, so it may be walked by recursion.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template_value.h"

namespace narae {

struct TemplateExpression;
struct TemplateStatement;
using ExpressionPtr = std::unique_ptr<TemplateExpression>;
using TemplateBlock = std::vector<std::unique_ptr<TemplateStatement>>;

struct TemplateExpression {
  enum class Kind {
    constant,     // value
    name,         // text
    list,         // parts
    tuple,        // parts
    map,          // parts: key, value, key, value ..
    attribute,    // parts[0] . text
    item,         // parts[0] [ parts[1] ]
    slice,        // parts[0] [ parts[1] : parts[2] : parts[3] ], absent ones null
    call,         // parts[0] ( others; the last keywords.size() of them by name )
    filter,       // parts[0] | text ( others, as in a call )
    test,         // parts[0] is text ( others )
    negative,     // parts[0]
    positive,     // parts[0]
    not_,         // parts[0]
    and_,         // parts[0], parts[1]
    or_,          // parts[0], parts[1]
    arithmetic,   // parts[0] text parts[1]
    concat,       // parts, joined as texts
    compare,      // parts[0] keywords[0] parts[1] keywords[1] parts[2] ..
    conditional,  // parts[0] if parts[1] else parts[2] (null: undefined)
  };
  Kind kind = Kind::constant;
  int line = 0, depth = 1;
  std::string text;
  TemplateValue value;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> keywords;
};

struct TemplateStatement {
  enum class Kind {
    data,       // text
    output,     // expressions[0]
    if_,        // expressions[i] -> blocks[i]; one more block: else
    for_,       // names in expressions[0] (if expressions[1], may be null): blocks[0], else blocks[1]
    set,        // names = expressions[0]; with `text`: names[0].text = ..
    set_block,  // names[0] = blocks[0]; expressions[0] (may be null): filters over the name "" that stands for it
    macro,      // text(names): blocks[0]; defaults of the last names: expressions
    call,       // expressions[0] is a call; caller(names) gives blocks[0]; defaults: the other expressions
    filter,     // expressions[0]: filters over the name ""; blocks[0]
    with,       // names[i] = expressions[i]: blocks[0]
    scope,      // blocks[0] with names of its own
    break_,
    continue_,
  };
  Kind kind = Kind::data;
  int line = 0;
  std::string text;
  std::vector<std::string> names;
  std::vector<ExpressionPtr> expressions;
  std::vector<TemplateBlock> blocks;
};

// Throws Error bad_file with the line, also for tags that chat templates have no use for (include, import, extends ..).
TemplateBlock parse_template(std::string_view source);

}  // namespace narae
