// SPDX-License-Identifier: Apache-2.0
// What a build tells a C caller, who may cancel it.
#pragma once

#include <string>

#include "base/progress.h"
#include "narae/narae.h"

namespace narae::api {

class CallbackProgress final : public Progress {
 public:
  CallbackProgress(narae_progress_fn call, void* user) : call_(call), user_(user) {}
  void report(std::string_view stage, long done, long total) override {
    if (call_ && call_(user_, std::string(stage).c_str(), done, total) != 0) cancelled_ = true;
  }
  bool cancelled() override { return cancelled_; }

 private:
  narae_progress_fn call_;
  void* user_;
  bool cancelled_ = false;
};

}  // namespace narae::api
