// SPDX-License-Identifier: Apache-2.0
// A network of the pipeline that runs on Narae: the whole of this example that knows the library.
#pragma once

#include <narae/narae.hpp>
#include <string>

#include "net.h"

namespace ocr {

class NaraeNet : public Net {
 public:
  // Compiles (or loads) `path`. Throws narae::Error; std::runtime_error when it is no network of one f32 input.
  NaraeNet(narae::Runtime& runtime, const std::string& path, const narae::BuildOptions& options);

  View run(const float* data, const Shape& shape) override;

  const narae::Engine& engine() const { return engine_; }

 private:
  narae::Engine engine_;
  narae::Session session_;
};

}  // namespace ocr
