// SPDX-License-Identifier: Apache-2.0
// A picture of the arena over one run: records from left to right, addresses from top to bottom.
#pragma once

#include <string>

#include "plan/program.h"

namespace narae {

// One self-contained SVG; a box's tooltip names its value, bytes and records.
std::string arena_svg(const Program& program, const std::string& title);

}  // namespace narae
