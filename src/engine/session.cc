// SPDX-License-Identifier: Apache-2.0
// Preparing may allocate and think; execute() only walks flat arrays. Operand pointers of a Program lie in one vector;
// those that change with every run (inputs, outputs) are on a patch list.
#include "engine/session.h"

#include "base/clock.h"
#include "base/error.h"
#include "ops/interpret.h"

namespace narae {
namespace {
constexpr size_t prepared_limit = 64;  // Programs kept per Session, least recently used goes first
}  // namespace

void* StateSet::reserve(size_t bytes) {
  if (bytes > size()) {
    arena_.reset();
    share_.set(budget_, static_cast<int64_t>(bytes), "the arena of intermediate values");
    arena_ = device_.allocate(bytes);
  }
  return arena_ ? arena_->data() : nullptr;
}

void* StateSet::state(const std::string& name, size_t bytes) {
  std::unique_ptr<State>& state = buffers_[name];
  if (!state) {
    auto made = std::make_unique<State>();
    made->share.set(budget_, static_cast<int64_t>(bytes), fmt::format("state \"{}\"", name));
    made->buffer = device_.allocate(bytes);
    state = std::move(made);
  }
  if (state->buffer->size() < bytes) {
    fail(ErrorCode::does_not_fit, "state \"{}\" has {} bytes, but {} are asked for", name, state->buffer->size(),
         bytes);
  }
  return state->buffer->data();
}

size_t StateSet::bytes_of(const Value& state) const {
  return static_cast<size_t>(element_count(evaluate(state.shape(), sizes_))) * dtype_size(state.dtype());
}

int64_t StateSet::state_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, state] : buffers_) bytes += state ? static_cast<int64_t>(state->buffer->size()) : 0;
  return bytes;
}

struct Session::Prepared {
  SymbolValues symbols;
  Program program;
  std::vector<void*> pointers;        // operands of all records, one after another
  std::vector<size_t> first_pointer;  // per record
  std::vector<void*> workspaces;      // per record
  struct Patch {
    size_t pointer;
    bool output;
    int index;
    int64_t offset;
  };
  std::vector<Patch> patches;
  std::vector<const void*> constants;
  std::vector<void*> inputs, outputs;  // host pointers of this run
  std::vector<Tensor> own_outputs;
  std::vector<std::unique_ptr<Event>> events;  // per record, null unless awaited
  const void* arena = nullptr;                 // what pointers were resolved against
  // Launches that the device keeps: made in the second run, because libraries get ready in the first.
  std::unique_ptr<Recording> recording;
  int runs = 0;  // since pointers were resolved; negative: cannot be kept
};

Session::Session(std::shared_ptr<const Engine> engine, std::shared_ptr<Device> device, std::shared_ptr<StateSet> states)
    : engine_(std::move(engine)), device_(std::move(device)), states_(std::move(states)) {
  if (!states_) states_ = std::make_shared<StateSet>(*device_);
  NARAE_CHECK(engine_->has_section());
  for (const SymbolSource& source : engine_->lowered().graph->symbol_sources()) contents_decide_ |= source.element >= 0;
}
Session::~Session() = default;

const Program* Session::program() const { return prepared_.empty() ? nullptr : &prepared_.front()->program; }

std::unique_ptr<Session::Prepared> Session::make_prepared(const SymbolValues& symbols) {
  const LoweredEngine& lowered = engine_->lowered();
  auto prepared = std::make_unique<Prepared>();
  prepared->symbols = symbols;
  prepared->program = make_program(*lowered.graph, lowered.selection, *device_, symbols);
  const Program& program = prepared->program;
  for (const ConstantUse& use : program.constants) {
    prepared->constants.push_back(engine_->weights().get(use, lowered.selection, *device_));
  }
  size_t pointers = 0;
  for (const Record& record : program.records) {
    prepared->first_pointer.push_back(pointers);
    pointers += record.operands.size();
  }
  prepared->pointers.assign(pointers, nullptr);
  prepared->workspaces.assign(program.records.size(), nullptr);
  prepared->inputs.assign(program.input_dims.size(), nullptr);
  prepared->outputs.assign(program.output_dims.size(), nullptr);
  prepared->events.resize(program.records.size());
  for (const int record : program.awaited) prepared->events[static_cast<size_t>(record)] = device_->make_event();
  while (static_cast<int>(auxiliary_.size()) + 1 < program.lanes) auxiliary_.push_back(device_->make_stream());
  return prepared;
}

// The steady state of a loop over one shape: nothing is looked up or allocated.
bool Session::same_as_last(const std::vector<Tensor>& inputs) const {
  if (prepared_.empty() || contents_decide_) return false;
  const std::vector<Dims>& dims = prepared_.front()->program.input_dims;
  const std::vector<Value*>& values = engine_->lowered().graph->inputs();
  if (inputs.size() != dims.size()) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != values[i]->dtype() || inputs[i].dims != dims[i]) return false;
  }
  return true;
}

Session::Prepared& Session::prepare(const std::vector<Tensor>& inputs) {
  if (same_as_last(inputs)) return *prepared_.front();
  const Graph& graph = *engine_->lowered().graph;
  const SymbolValues symbols = bind_symbols(graph, inputs, states_->sizes());
  for (auto it = prepared_.begin(); it != prepared_.end(); ++it) {
    if ((*it)->symbols != symbols) continue;
    if (it != prepared_.begin()) prepared_.splice(prepared_.begin(), prepared_, it);
    return *prepared_.front();
  }
  engine_->check_profile(symbols);
  prepared_.push_front(make_prepared(symbols));
  if (prepared_.size() > prepared_limit) prepared_.pop_back();
  return *prepared_.front();
}

// Pointers into the arena and constants; again whenever the arena moved.
void Session::resolve(Prepared& prepared) {
  const Program& program = prepared.program;
  auto* arena = static_cast<std::byte*>(states_->reserve(static_cast<size_t>(program.arena_bytes)));
  if (prepared.arena == arena && arena) return;
  prepared.patches.clear();
  if (prepared.arena != arena) {
    prepared.recording.reset();
    prepared.runs = 0;
  }
  for (size_t r = 0; r < program.records.size(); ++r) {
    const Record& record = program.records[r];
    for (size_t i = 0; i < record.operands.size(); ++i) {
      const size_t pointer = prepared.first_pointer[r] + i;
      if (record.operands[i] < 0) continue;
      int64_t offset;
      const Slot& root = program.slots[static_cast<size_t>(program.root(record.operands[i], &offset))];
      if (root.place == SlotPlace::arena) {
        prepared.pointers[pointer] = arena + root.offset + offset;
      } else if (root.place == SlotPlace::constant) {
        const auto* constant = static_cast<const std::byte*>(prepared.constants[static_cast<size_t>(root.index)]);
        prepared.pointers[pointer] = const_cast<std::byte*>(constant + offset);
      } else if (root.place == SlotPlace::state) {
        auto* state = states_->state(root.value->name(), static_cast<size_t>(root.bytes));
        prepared.pointers[pointer] = static_cast<std::byte*>(state) + offset;
      } else {
        prepared.patches.push_back({pointer, root.place == SlotPlace::output, root.index, offset});
      }
    }
    prepared.workspaces[r] = record.workspace_offset < 0 ? nullptr : arena + record.workspace_offset;
  }
  prepared.arena = arena;
}

void Session::bind(Prepared& prepared, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  resolve(prepared);
  for (size_t i = 0; i < inputs.size(); ++i) prepared.inputs[i] = inputs[i].data;
  for (size_t i = 0; i < outputs.size(); ++i) prepared.outputs[i] = outputs[i].data;
  for (const Prepared::Patch& patch : prepared.patches) {
    const auto& from = patch.output ? prepared.outputs : prepared.inputs;
    prepared.pointers[patch.pointer] = static_cast<std::byte*>(from[static_cast<size_t>(patch.index)]) + patch.offset;
  }
}

void Session::copy(Prepared& prepared, const Record& record, Stream& stream) {
  const Slot& slot = prepared.program.slots[static_cast<size_t>(record.operands[0])];
  const auto r = static_cast<size_t>(&record - prepared.program.records.data());
  void* on_device = prepared.pointers[prepared.first_pointer[r]];
  const auto external = static_cast<size_t>(record.external);
  if (record.kind == RecordKind::copy_in) {
    stream.copy(on_device, prepared.inputs[external], static_cast<size_t>(slot.bytes));
  } else {
    stream.copy(prepared.outputs[external], on_device, static_cast<size_t>(slot.bytes));
  }
}

// Keeps the launches of a Program that has copies at both ends only, and one lane between. False where the device does
// not, or where some step works on the host.
bool Session::record(Prepared& prepared) {
  if (prepared.recording || prepared.runs < 0) return prepared.recording != nullptr;
  if (prepared.runs++ == 0) return false;
  const std::vector<Record>& records = prepared.program.records;
  bool possible = device_->domain() != MemoryDomain::host && device_->auxiliary_lanes() == 0, left = false;
  for (const Record& record : records) {
    possible = possible && (record.kind != RecordKind::launch || (!left && !record.kernel->on_host()));
    left = left || record.kind == RecordKind::copy_out;
  }
  prepared.runs = -1;
  Stream& stream = lane(0);
  if (!possible || !stream.begin_recording()) return false;
  try {
    for (size_t r = 0; r < records.size(); ++r) {
      if (records[r].kind != RecordKind::launch) continue;
      void* const* operands = prepared.pointers.data() + prepared.first_pointer[r];
      records[r].kernel->launch(stream, {operands, records[r].operands.size()}, prepared.workspaces[r]);
    }
  } catch (const Error&) {
    stream.end_recording();
    return false;
  }
  prepared.recording = stream.end_recording();
  return prepared.recording != nullptr;
}

void Session::repeat(int times) {
  NARAE_CHECK(!prepared_.empty());
  Prepared& prepared = *prepared_.front();
  const DeviceTurn turn(*device_);
  const bool kept = record(prepared) || record(prepared);
  const std::vector<Record>& records = prepared.program.records;
  std::vector<size_t> indices;  // copies that are made again
  for (size_t r = 0; r < records.size(); ++r) {
    if (records[r].kind != RecordKind::copy_in) continue;
    const Slot& slot = prepared.program.slots[static_cast<size_t>(records[r].operands[0])];
    if (is_integer(slot.value->dtype())) indices.push_back(r);
  }
  for (int i = 0; i < times; ++i) {
    // The host waits: on an H100 copies queued behind a recording were seen to overtake it.
    if (i > 0 && !indices.empty()) wait();
    for (const size_t r : indices) launch(prepared, r);
    if (kept) {
      lane(0).replay(*prepared.recording);
      continue;
    }
    for (size_t r = 0; r < records.size(); ++r) {
      if (records[r].kind == RecordKind::launch) launch(prepared, r);
    }
  }
  wait();
}

void Session::wait() {
  lane(0).synchronize();
  for (const auto& stream : auxiliary_) stream->synchronize();
}

void Session::launch(Prepared& prepared, size_t r) {
  const Program& program = prepared.program;
  const Record& record = program.records[r];
  Stream& stream = lane(record.lane);
  for (const int wait : record.waits) stream.wait(*prepared.events[static_cast<size_t>(wait)]);
  void* const* operands = prepared.pointers.data() + prepared.first_pointer[r];
  if (record.kind == RecordKind::launch) {
    record.kernel->launch(stream, {operands, record.operands.size()}, prepared.workspaces[r]);
  } else {
    copy(prepared, record, stream);
  }
  for (const int dead : record.dead) {
    const Slot& slot = program.slots[static_cast<size_t>(dead)];
    stream.discard(static_cast<std::byte*>(const_cast<void*>(prepared.arena)) + slot.offset,
                   static_cast<size_t>(slot.bytes));
  }
  if (prepared.events[r]) stream.record(*prepared.events[r]);
}

void Session::execute(Prepared& prepared, std::vector<RecordTime>* times) {
  const Program& program = prepared.program;
  cancelled_ = false;
  const DeviceTurn turn(*device_);
  if (!times && record(prepared)) {
    Stream& stream = lane(0);
    for (const Record& record : program.records) {
      if (record.kind == RecordKind::copy_in) copy(prepared, record, stream);
    }
    stream.replay(*prepared.recording);
    for (const Record& record : program.records) {
      if (record.kind == RecordKind::copy_out) copy(prepared, record, stream);
    }
    return wait();
  }
  for (size_t r = 0; r < program.records.size(); ++r) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      wait();
      fail(ErrorCode::failed, "the run was cancelled");
    }
    const double start = times ? now_seconds() : 0;
    launch(prepared, r);
    if (times) {
      wait();
      const Record& record = program.records[r];
      times->push_back({record.node, record.what, now_seconds() - start, record.seconds});
    }
  }
  wait();
}

const std::vector<Tensor>& Session::run(const std::vector<Tensor>& inputs) {
  Prepared& prepared = prepare(inputs);
  if (prepared.own_outputs.empty()) {
    const Graph& graph = *engine_->lowered().graph;
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      prepared.own_outputs.push_back(Tensor::allocate(graph.outputs()[i]->dtype(), prepared.program.output_dims[i]));
    }
  }
  bind(prepared, inputs, prepared.own_outputs);
  execute(prepared, nullptr);
  return prepared.own_outputs;
}

void Session::run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  Prepared& prepared = prepare(inputs);
  const Graph& graph = *engine_->lowered().graph;
  if (outputs.size() != graph.outputs().size()) {
    fail(ErrorCode::does_not_fit, "memory for {} results instead of {}", outputs.size(), graph.outputs().size());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].dims != prepared.program.output_dims[i]) {
      fail(ErrorCode::does_not_fit, "the memory of output {} is {}, the result {}", i, dims_text(outputs[i].dims),
           dims_text(prepared.program.output_dims[i]));
    }
    if (outputs[i].dtype != graph.outputs()[i]->dtype()) {
      fail(ErrorCode::does_not_fit, "output {} is {}, not {}", i, dtype_name(graph.outputs()[i]->dtype()),
           dtype_name(outputs[i].dtype));
    }
  }
  bind(prepared, inputs, outputs);
  execute(prepared, nullptr);
}

const std::vector<Dims>& Session::output_dims(const std::vector<Tensor>& inputs) {
  return prepare(inputs).program.output_dims;
}

std::vector<RecordTime> Session::profile(const std::vector<Tensor>& inputs) {
  run(inputs);  // outputs exist and caches are warm
  Prepared& prepared = prepare(inputs);
  bind(prepared, inputs, prepared.own_outputs);
  std::vector<RecordTime> times;
  times.reserve(prepared.program.records.size());
  execute(prepared, &times);
  return times;
}

}  // namespace narae
