// SPDX-License-Identifier: Apache-2.0
// libnarae_onednn.so as the CPU's tactics see it: a table of functions, loaded when first asked for. An absent library
// is no error: its tactics then propose nothing.
#pragma once

#include <mutex>
#include <string>

#include "kernels/onednn/onednn_table.h"

namespace narae::cpu {

class OnednnLibrary {
 public:
  // Lies beside the binary that holds this code, or in ../lib from there.
  OnednnLibrary();
  // For tests: any file, any build id.
  OnednnLibrary(std::string path, std::string build_id);

  // Null where it is not there or of another build. Stays valid for the life of the process.
  const OnednnTable* table() const;
  // Why table() is null; empty where it is not.
  const std::string& reason() const;

 private:
  void load() const;
  std::string path_, build_id_;
  mutable std::once_flag once_;
  mutable const OnednnTable* table_ = nullptr;
  mutable std::string reason_;
};

// A plan of the library; frees itself.
struct OnednnPlanCloser {
  const OnednnTable* table = nullptr;
  void operator()(OnednnPlan* plan) const { table->destroy(plan); }
};

}  // namespace narae::cpu
