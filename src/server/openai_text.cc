// SPDX-License-Identifier: Apache-2.0
// POST /v1/chat/completions and /v1/completions: body -> prompts -> Requests -> Queue; the Worker's word, once a step,
// brings tokens back to the connection, which makes text of them. The one thing not to get wrong: a client that reads
// slowly holds up nobody but itself: its Sink fills, and its request waits.
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "server/json_fields.h"
#include "server/model_lookup.h"
#include "server/openai_ask.h"
#include "server/openai_call.h"
#include "server/openai_frames.h"

namespace narae {
namespace {

constexpr size_t kMostUnsent = 64 << 10;  // bytes of events that may wait for the client

// One call on its way. The Requests' callbacks keep it alive until all have ended; all but its making happens where
// the connection lives.
class TextReply : public std::enable_shared_from_this<TextReply> {
 public:
  TextReply(ExchangePtr exchange, std::shared_ptr<TextModel> model, OpenAiAsk ask, int64_t begun_ns)
      : exchange_(std::move(exchange)),
        model_(std::move(model)),
        ask_(std::move(ask)),
        frames_({exchange_->request().id, model_->name(), model_->model().tokenizer.get(), ask_.chat, ask_.logprobs,
                 ask_.include_usage}) {
    for (std::vector<int32_t>& prompt : ask_.prompts) {
      TextCall call = ask_.call;
      call.id = exchange_->request().id;
      if (ask_.echo) echoes_.push_back(model_->model().tokenizer->decode(prompt));
      call.prompt = std::move(prompt);
      const RequestPtr request = model_->make_request(std::move(call));
      readers_.push_back(std::make_unique<AnswerReader>(
          *model_->model().tokenizer, request, ask_.stops,
          [model = model_.get(), weak = std::weak_ptr<Request>(request)](int32_t branch) {
            if (const RequestPtr held = weak.lock()) model->stop_branch(held, branch);
          }));
    }
    parse_ns_ = now_ns() - begun_ns;
  }

  void submit(ServerState& state) {
    if (readers_.size() > model_->max_queue()) {
      http_fail(400, "\"prompt\" holds {} prompts, of which {} can wait at a time; send fewer", readers_.size(),
                model_->max_queue());
    }
    exchange_->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->leave();
    });
    for (size_t i = 0; i < readers_.size(); ++i) {
      const RequestPtr request = readers_[i]->request();
      const Refusal refusal = model_->submit(
          request, [self = shared_from_this()] { self->exchange_->soon([self] { self->read_guarded(); }); });
      if (refusal != Refusal::none) return refuse(refusal, i);
      state.requests.add({exchange_->request().id, model_->name(), request->trace});
    }
  }

 private:
  int64_t branches() const { return ask_.call.params.n; }

  // Those before `index` are there already: they are cancelled, and only counted when they end.
  void refuse(Refusal refusal, size_t index) {
    readers_.resize(index);
    over_ = true;
    cancel();
    throw_refusal(refusal, model_->name(), model_->max_queue());
  }

  // One that still waits ends at once, and read() may be called from here.
  void cancel() {
    std::vector<RequestPtr> requests;
    for (const auto& reader : readers_) requests.push_back(reader->request());
    for (const RequestPtr& request : requests) model_->cancel(request);
  }

  // The client has gone: the connection ends, the Requests are read to their ends for the sake of the counts.
  void leave() {
    over_ = true;
    cancel();
    if (head_sent_) {
      exchange_->part({}, true);
    } else {
      reply_error(*exchange_, openai_error, {503, "the client has left"});
    }
    read_guarded();
  }

  void read_guarded() {
    again_ = true;
    if (reading_) return;
    reading_ = true;
    while (again_) {
      const bool was_over = over_;
      again_ = false;
      guarded(*exchange_, openai_error, [this] { read(); });
      again_ |= over_ != was_over;  // what is left is read to be counted only
    }
    reading_ = false;
  }

  void read() {
    AnswerReader::Event event;
    size_t ended = 0;
    for (size_t i = 0; i < readers_.size(); ++i) {
      while (room() && readers_[i]->next(event)) tell(static_cast<int64_t>(i), event);
      ended += readers_[i]->ended();
    }
    if (ended == readers_.size()) return finish();
    if (ask_.stream && !over_ && !events_.empty()) send(false);
  }

  bool room() const { return over_ || !ask_.stream || exchange_->unsent() + events_.size() < kMostUnsent; }

  void tell(int64_t prompt, const AnswerReader::Event& event) {
    if (over_ || !ask_.stream) return;
    if (event.finish == Finish::failed || event.finish == Finish::expired || event.finish == Finish::cancelled) {
      return break_off(readers_[static_cast<size_t>(prompt)]->request()->out->ending());
    }
    const int64_t choice = prompt * branches() + event.branch;
    if (begun_.insert(choice).second) {
      events_ += frames_.begin(choice);
      if (ask_.echo) events_ += frames_.text_chunk(choice, echoes_[static_cast<size_t>(prompt)]);
    }
    events_ += frames_.chunk(choice, event);
  }

  // An error after the head has gone is an event of the stream.
  void break_off(const Ending& ending) {
    over_ = true;
    cancel();
    if (!head_sent_) throw_ending(ending);
    events_ += frames_.error(openai_error(500, ending.error ? ending.error->what() : "the request was cancelled"));
    events_ += "data: [DONE]\n\n";
    send(true);
  }

  void send(bool last) {
    if (head_sent_) return exchange_->part(std::exchange(events_, {}), last);
    head_sent_ = true;
    HttpReply head;
    head.type = "text/event-stream; charset=utf-8";
    head.headers.emplace_back("Cache-Control", "no-cache");
    head.body = std::exchange(events_, {});
    exchange_->on_sent([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->read_guarded();
    });
    exchange_->begin_parts(std::move(head));
    if (last) exchange_->part({}, true);
  }

  // Everything has ended. The Requests let go of this.
  void finish() {
    OpenAiUsage usage;
    const auto readers = std::move(readers_);
    readers_.clear();
    const Ending* broken = nullptr;
    for (const auto& reader : readers) {
      const Request& request = *reader->request();
      model_->account(request, std::exchange(parse_ns_, 0));
      const Ending& ending = request.out->ending();
      if (ending.finish != Finish::stop && ending.finish != Finish::length) broken = &ending;
      usage.prompt += ending.prompt_tokens;
      usage.completion += ending.new_tokens;
      usage.cached += ending.cached_tokens;
    }
    if (over_) return;
    over_ = true;
    if (broken) throw_ending(*broken);
    if (ask_.stream) {
      events_ += frames_.end(usage);
      return send(true);
    }
    for (size_t i = 0; i < readers.size(); ++i) {
      for (const AnswerReader::Branch& branch : readers[i]->branches()) {
        frames_.add_choice(branch, ask_.echo ? echoes_[i] : "");
      }
    }
    HttpReply reply;
    reply.body = frames_.whole(usage);
    exchange_->reply(std::move(reply));
  }

  ExchangePtr exchange_;
  std::shared_ptr<TextModel> model_;
  OpenAiAsk ask_;
  OpenAiFrames frames_;
  std::vector<std::unique_ptr<AnswerReader>> readers_;  // a prompt each
  std::vector<std::string> echoes_;
  std::set<int64_t> begun_;  // choices
  std::string events_;       // not given to the exchange yet
  int64_t parse_ns_ = 0;
  bool head_sent_ = false, reading_ = false, again_ = false;
  bool over_ = false;  // the client has its last word
};

std::shared_ptr<TextModel> find_text_model(const ServerState& state, const nlohmann::json& body) {
  std::string name = openai_model_name(body);
  if (name.empty()) {
    for (const auto& model : state.repository.ready()) {
      if (!model->text()) continue;
      if (!name.empty()) http_fail(400, "\"model\" is missing; /v1/models lists them");
      name = model->name();
    }
    if (name.empty()) http_fail(400, "\"model\" is missing, and no model here continues text");
  }
  const std::shared_ptr<Model> model = find_model(state, name);
  if (!model->text()) {
    http_fail(400, "model \"{}\" is of kind {}: it does not continue text{}", name, model->kind(),
              model->embeddings() ? "; ask it at /v1/embeddings" : "");
  }
  return {model, model->text()};
}

void begin(ServerState& state, const ExchangePtr& exchange, bool chat) {
  const int64_t begun_ns = exchange->request().received_ns;
  const nlohmann::json body = json_body(exchange->request().body);
  const std::shared_ptr<TextModel> model = find_text_model(state, body);
  submit_openai(state, exchange, *model, [&] {
    const uint64_t seed = hash_string(exchange->request().id, static_cast<uint64_t>(begun_ns)) >> 1;
    return std::make_shared<TextReply>(exchange, model, read_openai_ask(body, chat, *model, seed), begun_ns);
  });
}

}  // namespace

void add_openai_text_routes(Router& router, ServerState& state) {
  for (const bool chat : {true, false}) {
    add_openai_post(router, chat ? "/v1/chat/completions" : "/v1/completions",
                    [&state, chat](const ExchangePtr& exchange) { begin(state, exchange, chat); });
  }
}

}  // namespace narae
