// SPDX-License-Identifier: Apache-2.0
// Faults that kernels find in what operands hold (an index outside, a page that is not there): they set a flag in
// memory that the host sees, and the stream throws when it is synchronized. One flag per message, for as long as the
// device.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace narae::cuda {

class FaultFlags {
 public:
  FaultFlags();
  ~FaultFlags();
  FaultFlags(const FaultFlags&) = delete;
  FaultFlags& operator=(const FaultFlags&) = delete;

  // Where a kernel writes 1 for this message. Messages beyond the limit share the last flag, which speaks for the first
  // of them.
  int32_t* flag(const std::string& message);
  // After the device has finished. Throws Error does_not_fit with the message of a flag that is set, and clears all.
  void check();

 private:
  std::mutex mutex_;
  std::map<std::string, size_t> known_;
  std::vector<std::string> messages_;
  int32_t* flags_ = nullptr;
};

}  // namespace narae::cuda
