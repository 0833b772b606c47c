// SPDX-License-Identifier: Apache-2.0
// NFC by utf8proc. Most texts need none: nothing below U+0300 ever changes.
#include "text/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/error.h"

namespace narae {

std::string_view composed(std::string_view text, std::string& store) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) >= 0xcc; });
  if (plain) return text;
  utf8proc_uint8_t* made = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &made, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  NARAE_CHECK(size >= 0);
  store.assign(reinterpret_cast<const char*>(made), static_cast<size_t>(size));
  return store;
}

}  // namespace narae
