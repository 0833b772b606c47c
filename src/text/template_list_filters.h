// SPDX-License-Identifier: Apache-2.0
// Jinja's filters over lists, as template_filters.cc lists them.
#pragma once

#include "text/template_interpreter.h"

namespace narae {

#define NARAE_LIST_FILTER(name) \
  TemplateValue name##_filter(TemplateInterpreter& in, const TemplateValue& value, TemplateArguments& arguments);
NARAE_LIST_FILTER(joined)
NARAE_LIST_FILTER(first)
NARAE_LIST_FILTER(last)
NARAE_LIST_FILTER(list)
NARAE_LIST_FILTER(items)
NARAE_LIST_FILTER(dictsort)
NARAE_LIST_FILTER(map)
NARAE_LIST_FILTER(select)
NARAE_LIST_FILTER(reject)
NARAE_LIST_FILTER(selectattr)
NARAE_LIST_FILTER(rejectattr)
NARAE_LIST_FILTER(unique)
NARAE_LIST_FILTER(reverse)
NARAE_LIST_FILTER(sort)
NARAE_LIST_FILTER(sum)
NARAE_LIST_FILTER(min)
NARAE_LIST_FILTER(max)
#undef NARAE_LIST_FILTER

}  // namespace narae
