// SPDX-License-Identifier: Apache-2.0
#include "engine/weights.h"

#include "backend/relayout.h"
#include "base/error.h"
#include "base/mapped_file.h"

namespace narae {
namespace {

// Bytes that a use reads: a file that holds fewer would let a kernel run past them. Of a constant without bytes pack()
// gives the size alone.
size_t wanted_bytes(const ConstantUse& use, const Selection& selection, const Target& target) {
  Tensor sizes;
  sizes.dtype = use.value->dtype();
  sizes.dims = static_dims(use.value->shape());
  if (use.pack.empty()) return static_cast<size_t>(use.layout.stored_count(sizes.dims)) * dtype_size(sizes.dtype);
  const Choice& choice = selection.nodes.at(use.node).choice;
  return choice.tactic->pack(*use.node, choice, use.input, sizes, target).bytes();
}

}  // namespace

Weights::~Weights() {
  if (budget_) budget_->give_back(taken_);
}

std::string Weights::form_name(const ConstantUse& use) {
  return use.pack.empty() ? use.layout.text() : "pack " + use.pack;
}

Tensor Weights::make(const ConstantUse& use, const Selection& selection, Device& device) const {
  if (source_) {
    Tensor found = source_->find(*use.value, form_name(use));
    if (found.data) {
      const size_t wanted = wanted_bytes(use, selection, device.target());
      if (found.bytes() == wanted) return found;
      fail(ErrorCode::bad_file, "the engine holds {} bytes of \"{}\" in the form {}, not {}; build it again",
           found.bytes(), use.value->name(), form_name(use), wanted);
    }
  }
  const Tensor& tensor = use.value->tensor();
  if (!tensor.data && tensor.count() > 0) {
    fail(ErrorCode::bad_file, "the engine holds no bytes of \"{}\" in the form {}; build it again", use.value->name(),
         form_name(use));
  }
  if (!use.pack.empty()) {
    const Choice& choice = selection.nodes.at(use.node).choice;
    return choice.tactic->pack(*use.node, choice, use.input, tensor, device.target());
  }
  if (!use.layout.is_plain()) return relayout(aligned(tensor), use.layout);
  return aligned(tensor);
}

const void* Weights::get(const ConstantUse& use, const Selection& selection, Device& device) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto [it, fresh] = forms_.try_emplace({use.value, form_name(use)});
  Form& form = it->second;
  if (fresh) {
    try {
      form.value = use.value;
      form.form = form_name(use);
      form.tensor = make(use, selection, device);
      if (budget_) {
        const auto bytes = static_cast<int64_t>(form.tensor.bytes());
        budget_->take(bytes, fmt::format("constant \"{}\"", use.value->name()));
        taken_ += bytes;
      }
      if (device.domain() != MemoryDomain::host) {
        form.buffer = device.allocate(std::max<size_t>(form.tensor.bytes(), 1));
        const auto stream = device.make_stream();
        stream->copy(form.buffer->data(), form.tensor.data, form.tensor.bytes());
        stream->synchronize();
      }
    } catch (...) {
      forms_.erase(it);
      throw;
    }
    const Tensor& source = use.value->tensor();
    if (source.file && form.tensor.data != source.data) source.file->release(source.data, source.bytes());
  }
  return form.buffer ? form.buffer->data() : form.tensor.data;
}

void Weights::load_all(const Graph& graph, const Selection& selection, Device& device) {
  for (const Node* node = graph.first(); node; node = node->next()) {
    const Choice& choice = selection.nodes.at(node).choice;
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* value = node->input(i);
      if (value && value->is_constant()) get({value, choice.inputs[i], choice.packs[i], node, i}, selection, device);
    }
  }
}

std::vector<Weights::Form> Weights::forms() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Form> all;
  for (const auto& [key, form] : forms_) all.push_back(form);
  return all;
}

int64_t Weights::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  int64_t sum = 0;
  for (const auto& [key, form] : forms_) sum += static_cast<int64_t>(form.tensor.bytes());
  return sum;
}

}  // namespace narae
