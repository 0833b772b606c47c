// SPDX-License-Identifier: Apache-2.0
// `is NAME`: Jinja's tests.
#include <cmath>

#include "base/error.h"
#include "text/python_text.h"
#include "text/template_interpreter.h"

namespace narae {
namespace {

using In = TemplateInterpreter;
using Arguments = TemplateArguments;

bool whole(const TemplateValue& value, int64_t& out) {
  if (!as_integer(value, out)) fail(ErrorCode::bad_file, "this test is for an int, not a {}", value.type_name());
  return true;
}

bool divisible(const TemplateValue& value, const TemplateValue& by) {
  int64_t a = 0, b = 0;
  whole(value, a);
  whole(by, b);
  if (b == 0) fail(ErrorCode::bad_file, "division by zero");
  return b == -1 || a % b == 0;
}

bool same_object(const TemplateValue& a, const TemplateValue& b) {
  if (a.is_none() || a.as<bool>()) {
    return a.is_none() ? b.is_none() : b.as<bool>() && *a.as<bool>() == *b.as<bool>();
  }
  if (a.list() || a.map()) return a.list() == b.list() && a.map() == b.map();
  return false;
}

bool has_case(const TemplateValue& value, In& in, bool upper) {
  const std::string text = in.text(value);
  return (upper ? to_upper(text) : to_lower(text)) == text && to_upper(text) != to_lower(text);
}

const TemplateValue& other(Arguments& arguments) { return arguments.need(0, "other"); }

using Test = bool (*)(In&, const TemplateValue&, Arguments&);
struct NamedTest {
  const char* name;
  Test run;
};

#define NARAE_TEST(name, ...)                                                                          \
  {                                                                                                    \
    name, [](In& in, const TemplateValue& value, Arguments& arguments) -> bool { return __VA_ARGS__; } \
  }
constexpr NamedTest kTests[] = {
    NARAE_TEST("defined", !value.is_undefined()),
    NARAE_TEST("undefined", value.is_undefined()),
    NARAE_TEST("none", value.is_none()),
    NARAE_TEST("string", value.is_text()),
    NARAE_TEST("mapping", value.map() != nullptr),
    NARAE_TEST("sequence", value.list() || value.map() || value.is_text() || value.is_undefined()),
    NARAE_TEST("iterable", value.list() || value.map() || value.is_text() || value.is_undefined()),
    NARAE_TEST("number", is_number(value)),
    NARAE_TEST("integer", value.as<int64_t>() != nullptr),
    NARAE_TEST("float", value.as<double>() != nullptr),
    NARAE_TEST("boolean", value.as<bool>() != nullptr),
    NARAE_TEST("true", value.as<bool>() && value.truth()),
    NARAE_TEST("false", value.as<bool>() && !value.truth()),
    NARAE_TEST("callable", value.as<TemplateValue::Function>() != nullptr),
    NARAE_TEST("odd", !divisible(value, int64_t{2})),
    NARAE_TEST("even", divisible(value, int64_t{2})),
    NARAE_TEST("divisibleby", divisible(value, arguments.need(0, "num"))),
    NARAE_TEST("upper", has_case(value, in, true)),
    NARAE_TEST("lower", has_case(value, in, false)),
    NARAE_TEST("sameas", same_object(value, other(arguments))),
    NARAE_TEST("in", in.contains(arguments.need(0, "seq"), value)),
    NARAE_TEST("eq", template_equal(value, other(arguments), in.budget())),
    NARAE_TEST("equalto", template_equal(value, other(arguments), in.budget())),
    NARAE_TEST("ne", !template_equal(value, other(arguments), in.budget())),
    NARAE_TEST("lt", template_less(value, other(arguments), in.budget())),
    NARAE_TEST("lessthan", template_less(value, other(arguments), in.budget())),
    NARAE_TEST("gt", template_less(other(arguments), value, in.budget())),
    NARAE_TEST("greaterthan", template_less(other(arguments), value, in.budget())),
    NARAE_TEST("le", !template_less(other(arguments), value, in.budget())),
    NARAE_TEST("ge", !template_less(value, other(arguments), in.budget())),
};
#undef NARAE_TEST

}  // namespace

bool TemplateInterpreter::test(const std::string& name, const TemplateValue& value, TemplateArguments& arguments) {
  for (const NamedTest& test : kTests) {
    if (name != test.name) continue;
    const bool out = test.run(*this, value, arguments);
    arguments.done();
    return out;
  }
  fail(ErrorCode::bad_file, "the test 'is {}' is not known in chat templates", name);
}

}  // namespace narae
