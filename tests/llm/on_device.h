// SPDX-License-Identifier: Apache-2.0
// For tests that run on several devices.
#pragma once

#include <string>

#include "backend/backends.h"

namespace narae {

// Why this device is not there; empty: it is.
inline std::string why_absent(const std::string& name) {
  std::string reason = "there is no " + name;
  for (const DeviceInfo& info : list_devices()) {
    if (info.name != name) continue;
    if (info.available) return {};
    reason = info.reason;
  }
  return reason;
}

}  // namespace narae
