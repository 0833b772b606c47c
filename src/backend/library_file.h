// SPDX-License-Identifier: Apache-2.0
// Where a loadable library of ours lies: beside the binary that holds this code, or in ../lib from there.
#pragma once

#include <string>

namespace narae {

// Empty where there is none.
std::string library_file(const std::string& file_name);

}  // namespace narae
