// SPDX-License-Identifier: Apache-2.0
// Any bytes as the body of an inference: an error of the client, or a request whose tensors are what they say. The
// first two bytes are the length of the JSON before binary tensors; 0xFFFF: it is all JSON.
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "graph/text.h"
#include "server/infer_message.h"

namespace {

constexpr const char* kModel = R"(graph "g" {
  symbol N 0 1000000
  input %a "a" f32[N,3]
  input %b "b" i32[N]
  input %c "c" bool[N,2]
  %y f32[N,3] = relu(%a) from "y"
  %z i32[N] = abs(%b) from "z"
  %w bool[N,2] = logical_not(%c) from "w"
  output %y "y"
  output %z "z"
  output %w "w"
}
)";

// One for all inputs: its Worker waits, nothing is pushed.
struct Served {
  Served()
      : runtime([] {
          narae::RuntimeOptions options;
          options.threads = 1;
          return options;
        }()) {
    auto engine = std::make_shared<narae::Engine>(narae::parse_graph(kModel, runtime.ops()), narae::Profile{});
    engine->set_section(narae::lower_engine(engine->portable().clone(), *runtime.device(),
                                            narae::opt_sizes(engine->portable(), {}), narae::EstimatedCosts()));
    model = std::make_unique<narae::TensorModel>("g", "1", engine, runtime, narae::TensorModelOptions{});
  }
  narae::Runtime runtime;
  std::unique_ptr<narae::TensorModel> model;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Served served;
  if (size < 2) return 0;
  const unsigned length = data[0] + 256u * data[1];
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  try {
    narae::InferMessage message =
        narae::parse_infer(body, length == 0xFFFF ? std::string() : std::to_string(length), *served.model);
    const narae::RequestPtr request = served.model->make_request(std::move(message.call));
    std::vector<narae::Tensor> outputs;
    for (const narae::Tensor& tensor : request->in.tensors) outputs.push_back(tensor);
    narae::infer_reply(*served.model, message, outputs);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) __builtin_trap();
  } catch (const narae::HttpError&) {
  }
  return 0;
}
