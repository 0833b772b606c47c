// SPDX-License-Identifier: Apache-2.0
// GET /v1/models and /v1/models/NAME: what the OpenAI protocol can ask.
#include <ctime>
#include <nlohmann/json.hpp>

#include "serve/embedding_model.h"
#include "serve/text_model.h"
#include "server/model_lookup.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

Json model_json(Model& model, int64_t since) {
  Json json = {{"id", model.name()}, {"object", "model"}, {"created", since}, {"owned_by", "narae"}};
  json["kind"] = model.kind();
  json["max_model_len"] = model.text() ? model.text()->context() : model.embeddings()->encoder().context;
  return json;
}

bool is_listed(Model& model) { return model.text() || model.embeddings(); }

}  // namespace

void add_openai_models_routes(Router& router, ServerState& state) {
  const int64_t since = std::time(nullptr);
  router.add(
      "GET", "/v1/models",
      [&state, since](const ExchangePtr& exchange, const PathValues&) {
        Json list = Json::array();
        for (const auto& model : state.repository.ready()) {
          if (is_listed(*model)) list.push_back(model_json(*model, since));
        }
        reply_json(*exchange, {{"object", "list"}, {"data", list}});
      },
      openai_error);
  router.add(
      "GET", "/v1/models/{model}",
      [&state, since](const ExchangePtr& exchange, const PathValues& values) {
        const std::shared_ptr<Model> model = find_model(state, values);
        if (!is_listed(*model)) http_fail(404, "model \"{}\" takes tensors; see /v2/models/NAME", model->name());
        reply_json(*exchange, model_json(*model, since));
      },
      openai_error);
}

}  // namespace narae
