// SPDX-License-Identifier: Apache-2.0
// Millions of random events over the Worker and the TokenBatcher, on the hash model: arrivals, cancels, holds, slow
// readers, shared prefixes, preemptions, pools that shrink, steps that fail, at depth 1 to 3.
#include "llm/hash_model_test.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>

#include "backend/fake/fake_device.h"
#include "batch/worker.h"
#include "llm/token_batcher.h"

namespace narae {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int worlds = 60;
#else
constexpr int worlds = 1500;
#endif
constexpr int events_per_world = 2000;

using Random = std::mt19937;
int pick(Random& random, int least, int most) {
  return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
}
bool chance(Random& random, int percent) { return pick(random, 1, 100) <= percent; }

// Runs work when it is awaited, and at random some of what follows.
class LateList final : public LateWork {
 public:
  explicit LateList(Random& random) : random_(random) {}
  void enqueue(std::function<void()> work) override { items_.push_back({0, std::move(work)}); }
  void mark(uint64_t step) override { items_.push_back({step, {}}); }
  void run_until(uint64_t step) override {
    while (!items_.empty() && (done_ < step || chance(random_, 30))) {
      if (items_.front().work) items_.front().work();
      done_ = std::max(done_, items_.front().step);
      items_.pop_front();
    }
  }
  int32_t* memory(size_t count) override {
    memory_.emplace_back(count, -7);
    return memory_.back().data();
  }

 private:
  struct Item {
    uint64_t step;
    std::function<void()> work;
  };
  Random& random_;
  std::deque<Item> items_;
  std::deque<std::vector<int32_t>> memory_;
  uint64_t done_ = 0;
};

// The checking device: memory that the host cannot touch, work that runs when a stream is awaited.
class FakeWork final : public LateWork {
 public:
  explicit FakeWork(Random&) : stream_(device_.make_stream()) {}
  void enqueue(std::function<void()> work) override {
    static_cast<fake::FakeStream&>(*stream_).enqueue(std::move(work));
  }
  void mark(uint64_t step) override {
    events_.emplace_back(step, device_.make_event());
    stream_->record(*events_.back().second);
  }
  void run_until(uint64_t step) override {
    const auto host = device_.make_stream();
    while (!events_.empty() && events_.front().first <= step) {
      host->wait(*events_.front().second);
      events_.pop_front();
    }
    host->synchronize();
  }
  int32_t* memory(size_t count) override {
    buffers_.push_back(device_.allocate(count * sizeof(int32_t)));
    return static_cast<int32_t*>(buffers_.back()->data());
  }

 private:
  fake::FakeDevice device_;
  std::unique_ptr<Stream> stream_;
  std::deque<std::pair<uint64_t, std::unique_ptr<Event>>> events_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

struct VirtualClock final : Clock {
  Time now() const override { return time; }
  Time time = 0;
};

struct Client {
  RequestPtr request;
  bool reads = true, failed_step = false, done = false;
  std::vector<std::vector<int32_t>> got;  // by branch
  std::vector<Finish> ends;
};

// What is asked for in one run.
struct Weather {
  int errors = 0, cancels = 5, holds = 10, slow_readers = 10, shrinks = 2, deadlines = 3;  // per cent
};

TokenBatchOptions random_options(Random& random) {
  TokenBatchOptions options;
  options.vocabulary = pick(random, 5, 40);
  options.context = pick(random, 12, 64);
  options.max_batch = pick(random, 1, 6);
  options.step_tokens = options.max_batch + pick(random, 1, 16);
  options.groups = {{"kv", pick(random, 1, 8), 0}};
  const int32_t page_size = options.groups[0].page_size;
  const auto longest = static_cast<int32_t>((options.context + page_size - 1) / page_size);
  options.groups[0].pages = pick(random, longest / 2 + 2, longest * (options.max_batch + 1) + 2);
  if (chance(random, 30)) options.groups.push_back({"second", page_size, options.groups[0].pages + 3});
  options.prefix_cache = chance(random, 75);
  options.admission = std::array{0.0, 0.5, 1.0}[random() % 3];
  options.late_inputs = chance(random, 70);
  options.patience = 3000;
  if (chance(random, 30)) options.slots = options.max_batch + 1;
  return options;
}

template <typename Device>
class World {
 public:
  World(unsigned seed, const Weather& weather)
      : random_(seed),
        weather_(weather),
        options_(random_options(random_)),
        depth_(static_cast<size_t>(pick(random_, 1, 3))),
        device_(random_),
        queue_(std::make_shared<Queue>(QueueLimits{20, 1000})),
        batcher_(options_),
        runner_(device_, options_.groups[0].pages, options_.groups[0].page_size, batcher_.slots(),
                static_cast<int32_t>(options_.vocabulary)),
        worker_(queue_, 0, batcher_, runner_, clock_, depth_) {
    runner_.before = [this](const Step& step, int) {
      if (!chance(random_, 1) || !chance(random_, 10 * weather_.errors)) return;
      for (const Row& row : step.rows) broken_.push_back(row.sequence->request.get());
      fail(ErrorCode::failed, "a step broke");
    };
    for (int i = 0; i < 3; ++i) prefixes_.push_back(random_tokens(pick(random_, 1, 20)));
  }

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      event();
      clock_.time += pick(random_, 0, 20);
    }
    finish();
  }
  int64_t answered = 0, preemptions = 0, cached = 0;

 private:
  std::vector<int32_t> random_tokens(int count) {
    std::vector<int32_t> tokens;
    tokens.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) tokens.push_back(pick(random_, 0, static_cast<int>(options_.vocabulary) - 1));
    return tokens;
  }

  void event() {
    const int kind = pick(random_, 0, 99);
    if (kind < 15) {
      push();
    } else if (kind < 35) {
      if (!clients_.empty()) read(clients_[random_() % clients_.size()], pick(random_, 1, 8));
    } else if (kind < 38) {
      lift_some();
    } else if (kind < 40) {
      if (!clients_.empty() && chance(random_, 10 * weather_.cancels)) {
        const RequestPtr& request = clients_[random_() % clients_.size()].request;
        if (chance(random_, 70)) {
          queue_->cancel(request, clock_.time);
        } else {
          queue_->stop_branch(request, pick(random_, 0, 3));
        }
      }
    } else if (kind < 41) {
      if (chance(random_, 10 * weather_.shrinks)) batcher_.resize(pick(random_, 2, options_.groups[0].pages + 4));
    } else {
      turn();
    }
    batcher_.audit();
  }

  std::shared_ptr<SamplingParams> random_params() {
    auto params = std::make_shared<SamplingParams>();
    params->max_tokens = pick(random_, 1, 24);
    params->temperature = static_cast<float>(pick(random_, 0, 2));
    params->seed = random_();
    params->top_logprobs = static_cast<int32_t>(params->seed % 3);
    if (chance(random_, 20)) params->n = pick(random_, 2, 4);
    if (chance(random_, 30)) params->stop_ids = random_tokens(pick(random_, 1, 2));
    if (chance(random_, 20)) params->min_tokens = pick(random_, 0, static_cast<int>(params->max_tokens));
    if (chance(random_, 10)) params->repetition_penalty = chance(random_, 50) ? 2.0f : 0.5f;
    if (chance(random_, 10)) params->presence_penalty = 0.5f;
    if (chance(random_, 10)) params->frequency_penalty = 0.25f;
    if (chance(random_, 10)) params->logit_bias = {{random_tokens(1)[0], -2}, {random_tokens(1)[0], 3}};
    if (chance(random_, 15)) params->constraint = std::make_shared<ParityConstraint>();
    return params;
  }

  void push() {
    Client client;
    client.request = std::make_shared<Request>();
    Request& request = *client.request;
    request.id = ++next_id_;
    if (chance(random_, 70)) request.in.tokens = prefixes_[random_() % prefixes_.size()];
    const std::vector<int32_t> tail = random_tokens(pick(random_, chance(random_, 20) ? 0 : 1, 20));
    request.in.tokens.insert(request.in.tokens.end(), tail.begin(), tail.end());
    const auto params = random_params();
    request.params = params;
    request.priority = pick(random_, 0, 2);
    request.salt = random_() % 5 ? 0 : 1;
    request.holds = chance(random_, weather_.holds) ? hold_grammar : 0;
    if (chance(random_, weather_.deadlines)) request.deadline = clock_.time + pick(random_, 10, 2000);
    client.reads = !chance(random_, weather_.slow_readers);
    request.out = std::make_shared<Sink>(static_cast<size_t>(pick(random_, 1, 10)), static_cast<size_t>(params->n));
    client.got.resize(static_cast<size_t>(params->n));
    client.ends.resize(client.got.size(), Finish::none);
    if (queue_->push(client.request, clock_.time) == Refusal::none) clients_.push_back(std::move(client));
  }

  void lift_some() {
    for (Client& client : clients_) {
      if (chance(random_, 40)) queue_->lift(client.request, hold_grammar);
    }
  }

  void turn() {
    const uint64_t steps = worker_.steps();
    if (!worker_.turn()) {
      for (const TokenSequence* sequence : batcher_.sequences())
        NARAE_CHECK(sequence->holds != 0);  // else it could run
    } else if (worker_.steps() > steps) {
      check_progress();
    }
  }

  // The oldest that nothing holds must be in a step again after a few others.
  void check_progress() {
    const TokenSequence* oldest = nullptr;
    for (const TokenSequence* sequence : batcher_.sequences()) {
      if (!sequence->holds) {
        oldest = sequence;
        break;
      }
    }
    const bool stuck = oldest && oldest->age == oldest_age_ && oldest->last_step == oldest_step_ && !oldest->in_flight;
    stuck_ = stuck ? stuck_ + 1 : 0;
    oldest_age_ = oldest ? oldest->age : 0;
    oldest_step_ = oldest ? oldest->last_step : 0;
    NARAE_CHECK(stuck_ <= 2 * static_cast<int>(depth_));
  }

  void read(Client& client, int most) {
    if (!client.reads && !closing_) return;
    Piece pieces[8];
    const size_t count = client.request->out->read({pieces, static_cast<size_t>(most)});
    for (size_t i = 0; i < count; ++i) {
      const Piece& piece = pieces[i];
      const auto branch = static_cast<size_t>(piece.branch);
      NARAE_CHECK(client.ends.at(branch) == Finish::none);  // nothing after the end
      if (piece.token >= 0) client.got[branch].push_back(piece.token);
      const auto& params = static_cast<const SamplingParams&>(*client.request->params);
      NARAE_CHECK(piece.top.size() == (piece.token >= 0 && params.top_logprobs > 0));
      for (const TokenLogprob& top : piece.top) {
        NARAE_CHECK(top.token == piece.token && top.logprob == piece.logprob);
      }
      client.ends[branch] = piece.finish;
    }
    if (client.request->out->finished()) check_answer(client);
  }

  void check_answer(Client& client) {
    if (std::exchange(client.done, true)) return;
    const Request& request = *client.request;
    const auto& params = static_cast<const SamplingParams&>(*request.params);
    const Ending& ending = request.out->ending();
    answered += 1;
    preemptions += ending.preemptions;
    cached += ending.cached_tokens;
    int64_t tokens = 0;
    if (ending.finish == Finish::failed && client.got[0].empty() && client.ends[0] == Finish::none) {
      return;  // refused
    }
    for (size_t branch = 0; branch < client.got.size(); ++branch) {
      const std::vector<int32_t>& got = client.got[branch];
      tokens += static_cast<int64_t>(got.size());
      Finish finish = Finish::none;
      const int64_t most =
          std::min<int64_t>(options_.context, std::max<int64_t>(request.in.tokens.size() + 1, 0) + 1000);
      const int64_t limit = std::min(most, static_cast<int64_t>(request.in.tokens.size()) + params.max_tokens);
      const std::vector<int32_t> wanted = hash_answer(request.in.tokens, params, static_cast<int32_t>(branch),
                                                      static_cast<int32_t>(options_.vocabulary), limit, finish);
      NARAE_CHECK(got.size() <= wanted.size() && std::equal(got.begin(), got.end(), wanted.begin()));
      const Finish end = client.ends[branch];
      const bool told = request.stopped >> branch & 1;  // by its reader
      if (end == Finish::stop && !told) NARAE_CHECK(finish == Finish::stop && got.size() == wanted.size());
      if (end == Finish::length) NARAE_CHECK(got.size() == wanted.size() || shrunk_limit(request, got.size()));
      if (end == Finish::none) NARAE_CHECK(ending.finish == Finish::cancelled || ending.finish == Finish::expired);
      if (ending.finish == Finish::stop || ending.finish == Finish::length) {
        NARAE_CHECK(end == Finish::stop || end == Finish::length);
      }
    }
    NARAE_CHECK(tokens == ending.new_tokens);
    if (ending.finish == Finish::cancelled) NARAE_CHECK(request.cancelled);
    if (ending.finish == Finish::expired) NARAE_CHECK(request.deadline != never || !client.reads || ending.error);
    const bool broke = ending.error && ending.error->message() == "a step broke";
    if (broke) NARAE_CHECK(std::find(broken_.begin(), broken_.end(), &request) != broken_.end());
  }
  // With few pages an answer ends where all of them are full.
  bool shrunk_limit(const Request& request, size_t got) const {
    const auto length = static_cast<int64_t>(request.in.tokens.size() + got);
    return length < options_.context && length % options_.groups[0].page_size == 0;
  }

  void finish() {
    closing_ = true;
    queue_->close();
    int idle = 0;
    while (batcher_.live() > 0 || queue_->size() > 0) {
      for (Client& client : clients_) {
        queue_->lift(client.request, hold_grammar);
        read(client, 8);
      }
      const bool moved = worker_.turn();
      batcher_.audit();
      clock_.time += 10;
      idle = moved ? 0 : idle + 1;
      NARAE_CHECK(idle < 50);  // refused requests make no step
    }
    for (Client& client : clients_) {
      for (int i = 0; i < 50 && !client.done; ++i) read(client, 8);
      NARAE_CHECK(client.done);
    }
    while (worker_.turn()) continue;  // what is in flight for nobody
    batcher_.audit();
    NARAE_CHECK(batcher_.pages_in_use() == 0);
  }

  Random random_;
  Weather weather_;
  TokenBatchOptions options_;
  size_t depth_;
  VirtualClock clock_;
  Device device_;
  std::shared_ptr<Queue> queue_;
  TokenBatcher batcher_;
  HashRunner runner_;
  Worker worker_;
  std::vector<std::vector<int32_t>> prefixes_;
  std::vector<Client> clients_;
  std::vector<const Request*> broken_;
  uint64_t next_id_ = 0, oldest_age_ = 0, oldest_step_ = 0;
  int stuck_ = 0;
  bool closing_ = false;
};

template <typename Device>
void run_worlds(unsigned first, int count, int events, const Weather& weather) {
  int64_t answered = 0, preemptions = 0, cached = 0;
  for (unsigned seed = first; seed < first + static_cast<unsigned>(count); ++seed) {
    try {
      World<Device> world(seed, weather);
      world.run(events);
      answered += world.answered;
      preemptions += world.preemptions;
      cached += world.cached;
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what();
    }
  }
  EXPECT_GT(answered, count);
  EXPECT_GT(preemptions, 0);
  EXPECT_GT(cached, 0);
}

TEST(HashModel, AnswersAreThoseOfTheRequestAlone) { run_worlds<LateList>(1, worlds, events_per_world, {}); }

TEST(HashModel, StepsThatFailHarmNobodyElse) {
  Weather weather;
  weather.errors = 10;
  run_worlds<LateList>(10'000, worlds / 3, events_per_world, weather);
}

TEST(HashModel, CalmWeather) { run_worlds<LateList>(20'000, worlds / 3, events_per_world, {0, 0, 0, 0, 0, 0}); }

TEST(HashModel, OnTheCheckingDevice) { run_worlds<FakeWork>(30'000, std::max(worlds / 100, 3), 500, {}); }

}  // namespace
}  // namespace narae
