// SPDX-License-Identifier: Apache-2.0
// Unicode normalisation of whole texts (UAX 15).
#pragma once

#include <string>
#include <string_view>

namespace narae {

// `text` in NFC. It may come back itself, when nothing is to do, else it lies in `store`. Valid UTF-8 only.
std::string_view composed(std::string_view text, std::string& store);

}  // namespace narae
