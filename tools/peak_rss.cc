// SPDX-License-Identifier: Apache-2.0
#include "peak_rss.h"

#include <fstream>
#include <string>

namespace narae {

int64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace narae
