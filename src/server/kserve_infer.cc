// SPDX-License-Identifier: Apache-2.0
// POST /v2/models/NAME/infer: message -> Request -> Queue; the Worker's word brings the answer back to the connection.
#include "base/clock.h"
#include "base/error.h"
#include "server/infer_message.h"
#include "server/model_lookup.h"

namespace narae {
namespace {

constexpr size_t kLongBody = 256 << 10;  // parsed off the connection's thread from here on

// One inference on its way. Kept alive by the Request's callback.
struct Inference {
  ExchangePtr exchange;
  std::shared_ptr<TensorModel> model;
  InferMessage message;
  RequestPtr request;
  int64_t parse_ns = 0;
};

void answer(Inference& inference) {
  const int64_t begin = now_ns();
  HttpReply reply;
  guarded(*inference.exchange, kserve_error, [&] {
    const Ending& ending = inference.request->out->ending();
    try {
      if (ending.finish != Finish::done) throw_ending(ending);
      reply = infer_reply(*inference.model, inference.message, ending.outputs);
    } catch (...) {
      inference.model->account(*inference.request, inference.parse_ns, now_ns() - begin);
      throw;
    }
    inference.model->account(*inference.request, inference.parse_ns, now_ns() - begin);
    inference.exchange->reply(std::move(reply));
  });
}

void submit(const std::shared_ptr<Inference>& inference) {
  // The Request holds this call and the Inference the Request: the call lets go when it is made.
  const auto on_end = [held = inference]() mutable {
    const std::shared_ptr<Inference> ended = std::exchange(held, nullptr);
    if (ended) ended->exchange->soon([ended] { answer(*ended); });
  };
  const RequestPtr request = inference->request;
  const std::weak_ptr<TensorModel> model = inference->model;
  inference->exchange->on_disconnect([request, model] {
    if (const auto held = model.lock()) held->cancel(request);
  });
  const Refusal refusal = inference->model->submit(request, on_end);
  if (refusal != Refusal::none) {
    throw_refusal(refusal, inference->model->name(), inference->model->options().max_queue);
  }
}

void infer(ServerState& state, const ExchangePtr& exchange, const std::shared_ptr<TensorModel>& model) {
  const int64_t begin = now_ns();
  auto inference = std::make_shared<Inference>();
  inference->exchange = exchange;
  inference->model = model;
  HttpRequest& request = exchange->request();
  try {
    if (!request.header("Content-Encoding").empty() && request.header("Content-Encoding") != "identity") {
      http_fail(415, "the body is encoded as \"{}\"; send it as it is", request.header("Content-Encoding"));
    }
    inference->message = parse_infer(request.body, request.header("Inference-Header-Content-Length"), *model);
    inference->request = model->make_request(std::move(inference->message.call));
    inference->message.call.id = inference->request->name;
    const std::string& id = inference->request->name.empty() ? request.id : inference->request->name;
    state.requests.add({id, model->name(), inference->request->trace});
  } catch (...) {
    model->statistics().invalid.fetch_add(1, std::memory_order_relaxed);
    throw;
  }
  std::string().swap(request.body);
  inference->parse_ns = now_ns() - begin;
  exchange->soon([inference] { guarded(*inference->exchange, kserve_error, [&] { submit(inference); }); });
}

}  // namespace

void add_kserve_infer_routes(Router& router, ServerState& state) {
  const Handler handler = [&state](const ExchangePtr& exchange, const PathValues& values) {
    const std::shared_ptr<TensorModel> model = find_tensor_model(state, values);
    if (exchange->request().body.size() < kLongBody) return infer(state, exchange, model);
    exchange->later(
        [&state, exchange, model] { guarded(*exchange, kserve_error, [&] { infer(state, exchange, model); }); });
  };
  router.add("POST", "/v2/models/{model}/infer", handler, kserve_error);
  router.add("POST", "/v2/models/{model}/versions/{version}/infer", handler, kserve_error);
}

}  // namespace narae
