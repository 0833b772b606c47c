// SPDX-License-Identifier: Apache-2.0
// POST /v1/embeddings: texts -> rows of tokens -> Requests that join those of others -> vectors.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "serve/embedding_model.h"
#include "server/json_fields.h"
#include "server/model_lookup.h"
#include "server/openai_ask.h"
#include "server/openai_call.h"

namespace narae {
namespace {

std::string base64(const void* data, size_t size) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::string out;
  out.reserve((size + 2) / 3 * 4);
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = std::min<size_t>(size - i, 3);
    const uint32_t three =
        static_cast<uint32_t>(bytes[i]) << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= left ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void append_vector(std::string& out, const float* vector, int64_t width, bool as_base64) {
  if (as_base64) {
    out += '"' + base64(vector, static_cast<size_t>(width) * sizeof(float)) + '"';
    return;
  }
  out += '[';
  for (int64_t i = 0; i < width; ++i) fmt::format_to(std::back_inserter(out), "{}{}", i ? "," : "", vector[i]);
  out += ']';
}

// One call on its way; the Requests' callbacks keep it alive.
class EmbeddingReply : public std::enable_shared_from_this<EmbeddingReply> {
 public:
  EmbeddingReply(ExchangePtr exchange, std::shared_ptr<EmbeddingModel> model, const nlohmann::json& body)
      : exchange_(std::move(exchange)), model_(std::move(model)) {
    JsonFields fields(body);
    fields.ignore({"model", "user"});
    const std::string format = fields.take_text("encoding_format", "float");
    if (format != "float" && format != "base64") fields.wrong("encoding_format", "is neither \"float\" nor \"base64\"");
    base64_ = format == "base64";
    const int64_t width = model_->encoder().width;
    if (fields.take_integer("dimensions", width, 1, INT64_MAX) != width) {
      fields.wrong("dimensions", fmt::format("is not possible; the vectors of \"{}\" have {}", model_->name(), width));
    }
    const auto texts = read_openai_texts(fields.need("input"), "input",
                                         [&](const std::string& text) { return model_->encoder().tokens(text); });
    fields.finish();
    for (const auto& text : texts) tokens_ += static_cast<int64_t>(text.size());
    vectors_ = Tensor::allocate(DType::f32, {static_cast<int64_t>(texts.size()), width});
    parts_ = model_->make_requests(exchange_->request().id, texts);
    left_ = parts_.size();
    parse_ns_ = now_ns() - exchange_->request().received_ns;
  }

  void submit(ServerState& state) {
    exchange_->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->cancel();
    });
    for (size_t i = 0; i < parts_.size(); ++i) {
      const RequestPtr& request = parts_[i].request;
      const Refusal refusal = model_->submit(request, [held = shared_from_this(), i]() mutable {
        const auto self = std::exchange(held, nullptr);
        if (self) self->exchange_->soon([self, i] { self->ended(i); });
      });
      if (refusal != Refusal::none) return refuse(refusal);
      state.requests.add({exchange_->request().id, model_->name(), request->trace});
    }
  }

 private:
  void cancel() {
    for (const auto& part : parts_) model_->cancel(part.request);
  }

  void refuse(Refusal refusal) {
    over_ = true;
    cancel();
    throw_refusal(refusal, model_->name(), model_->options().max_queue, ", or send fewer texts at a time");
  }

  void ended(size_t index) {
    guarded(*exchange_, openai_error, [&] {
      const EmbeddingModel::Part& part = parts_[index];
      const Ending& ending = part.request->out->ending();
      model_->account(*part.request, std::exchange(parse_ns_, 0), 0);
      if (over_) return;
      if (ending.finish != Finish::done) {
        over_ = true;
        cancel();
        throw_ending(ending);
      }
      const auto width = static_cast<size_t>(vectors_.dims[1]);
      for (size_t i = 0; i < part.rows.size(); ++i) {
        std::copy_n(ending.outputs[0].as<float>() + i * width, width, vectors_.as<float>() + part.rows[i] * width);
      }
      if (--left_ == 0) answer();
    });
  }

  void answer() {
    over_ = true;
    HttpReply reply;
    std::string& text = reply.body;
    text = "{\"object\":\"list\",\"data\":[";
    for (int64_t i = 0; i < vectors_.dims[0]; ++i) {
      fmt::format_to(std::back_inserter(text), "{}{{\"object\":\"embedding\",\"index\":{},\"embedding\":", i ? "," : "",
                     i);
      append_vector(text, vectors_.as<float>() + i * vectors_.dims[1], vectors_.dims[1], base64_);
      text += '}';
    }
    fmt::format_to(std::back_inserter(text), "],\"model\":{},\"usage\":{{\"prompt_tokens\":{},\"total_tokens\":{}}}}}",
                   nlohmann::json(model_->name()).dump(), tokens_, tokens_);
    exchange_->reply(std::move(reply));
  }

  ExchangePtr exchange_;
  std::shared_ptr<EmbeddingModel> model_;
  std::vector<EmbeddingModel::Part> parts_;
  Tensor vectors_;
  size_t left_ = 0;
  int64_t tokens_ = 0, parse_ns_ = 0;
  bool base64_ = false;
  bool over_ = false;  // the client has its answer
};

void begin(ServerState& state, const ExchangePtr& exchange) {
  const nlohmann::json body = json_body(exchange->request().body);
  const std::string name = openai_model_name(body);
  if (name.empty()) http_fail(400, "\"model\" is missing; /v1/models lists them");
  const std::shared_ptr<Model> model = find_model(state, name);
  if (!model->embeddings()) {
    http_fail(400, "model \"{}\" is of kind {}: it makes no vectors of texts", name, model->kind());
  }
  submit_openai(state, exchange, *model, [&] {
    return std::make_shared<EmbeddingReply>(exchange, std::shared_ptr<EmbeddingModel>(model, model->embeddings()),
                                            body);
  });
}

}  // namespace

void add_openai_embeddings_routes(Router& router, ServerState& state) {
  add_openai_post(router, "/v1/embeddings", [&state](const ExchangePtr& exchange) { begin(state, exchange); });
}

}  // namespace narae
