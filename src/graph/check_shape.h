// SPDX-License-Identifier: Apache-2.0
// What every shape of a Graph must be, whoever makes it: files do, so nothing behind this check sees sizes that
// overflow.
#pragma once

#include "tensor/dim.h"

namespace narae {

// Throws Error bad_file for a rank above 16, a size that is negative for certain or one beyond Dim::no_limit.
void check_shape(const Shape& shape);

}  // namespace narae
