// SPDX-License-Identifier: Apache-2.0
#include "narae_net.h"

#include <stdexcept>

namespace ocr {

NaraeNet::NaraeNet(narae::Runtime& runtime, const std::string& path, const narae::BuildOptions& options)
    : engine_(narae::Engine::build(runtime, path, options)), session_(engine_) {
  const auto inputs = engine_.inputs();
  if (inputs.size() != 1 || inputs[0].dtype != NARAE_F32)
    throw std::runtime_error("\"" + path + "\" is no network of one f32 input");
}

View NaraeNet::run(const float* data, const Shape& shape) {
  session_.bind(0, data, shape);
  session_.run();
  const narae::TensorView output = session_.output(0);
  return {output.as<float>().data(), Shape(output.shape().begin(), output.shape().end())};
}

}  // namespace ocr
