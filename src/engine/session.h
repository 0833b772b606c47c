// SPDX-License-Identifier: Apache-2.0
// The mutable side of an Engine: bindings and Programs for the shapes seen so far, over the arena of a StateSet. Not
// thread-safe; several Sessions of one Engine on separate Devices run at once.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/memory_budget.h"
#include "engine/engine.h"

namespace narae {

// An instance's mutable device memory: its states by name, and one arena that its Sessions share, because they run in
// order, on one stream.
class StateSet {
 public:
  // The arena is taken from `budget` where one is given; it must live as long.
  explicit StateSet(Device& device, MemoryBudget* budget = nullptr)
      : device_(device), budget_(budget), stream_(device.make_stream()) {}
  Stream& stream() const { return *stream_; }
  // At least `bytes`; what it held is lost when it has to grow. Throws Error does_not_fit.
  void* reserve(size_t bytes);
  size_t size() const { return arena_ ? arena_->size() : 0; }
  // The value of a symbol in the shapes of states; before the first run.
  void set_size(const std::string& symbol, int64_t value) { sizes_[symbol] = value; }
  const SymbolValues& sizes() const { return sizes_; }
  // Memory of the state of this name, the same for every Session; not initialised when first asked for. Throws Error
  // does_not_fit.
  void* state(const std::string& name, size_t bytes);
  // What that name's memory holds: of a state of a graph at these sizes.
  size_t bytes_of(const Value& state) const;
  int64_t state_bytes() const;

 private:
  Device& device_;
  MemoryBudget* budget_;
  BudgetShare share_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Buffer> arena_;
  struct State {
    BudgetShare share;
    std::unique_ptr<Buffer> buffer;
  };
  std::map<std::string, std::unique_ptr<State>> buffers_;
  SymbolValues sizes_;
};

struct RecordTime {
  const Node* node = nullptr;  // null: reformat or copy
  std::string what;
  double seconds = 0, predicted = 0;
};

class Session {
 public:
  Session(std::shared_ptr<const Engine> engine, std::shared_ptr<Device> device,
          std::shared_ptr<StateSet> states = nullptr);
  ~Session();

  // Binds and runs. Inputs are host tensors in the graph's order, dense; the results live in the Session's own memory
  // and stay valid until the next run. Throws does_not_fit for shapes outside the profile, failed when cancelled.
  const std::vector<Tensor>& run(const std::vector<Tensor>& inputs);
  // The same with results written to the caller's host memory (dims and dtypes must be those of output_dims()).
  void run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
  // Sizes of the results for these inputs; prepares their Program.
  const std::vector<Dims>& output_dims(const std::vector<Tensor>& inputs);
  // Runs what was bound last `times` over, with the inputs as they lie on the device and the results left there: what
  // the device takes by itself. Later values may lie in an input's place; integers, which may be indices, are brought
  // there again each time once the run before has ended, so the host tensors of that run must still be what they were.
  // After a run().
  void repeat(int times);
  // One run with every record timed and the stream synchronized after each.
  std::vector<RecordTime> profile(const std::vector<Tensor>& inputs);

  // Ends a run of another thread between two records; without one it does nothing. Safe in a signal handler.
  void cancel() { cancelled_ = true; }

  const Engine& engine() const { return *engine_; }
  const Program* program() const;  // of the last shapes; null before the first run
  int64_t arena_bytes() const { return static_cast<int64_t>(states_->size()); }

 private:
  struct Prepared;
  bool same_as_last(const std::vector<Tensor>& inputs) const;
  Prepared& prepare(const std::vector<Tensor>& inputs);
  std::unique_ptr<Prepared> make_prepared(const SymbolValues& symbols);
  void bind(Prepared& prepared, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
  void resolve(Prepared& prepared);
  void execute(Prepared& prepared, std::vector<RecordTime>* times);
  void wait();
  Stream& lane(int i) const { return i == 0 ? states_->stream() : *auxiliary_[static_cast<size_t>(i) - 1]; }
  void launch(Prepared& prepared, size_t record);
  bool record(Prepared& prepared);
  void copy(Prepared& prepared, const Record& record, Stream& stream);

  std::shared_ptr<const Engine> engine_;
  std::shared_ptr<Device> device_;
  std::shared_ptr<StateSet> states_;
  std::list<std::unique_ptr<Prepared>> prepared_;   // most recently used first
  std::vector<std::unique_ptr<Stream>> auxiliary_;  // of the lanes behind the first
  bool contents_decide_ = false;                    // some input's elements decide shapes
  std::atomic<bool> cancelled_{false};
};

}  // namespace narae
