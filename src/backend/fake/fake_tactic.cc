// SPDX-License-Identifier: Apache-2.0
// Kernels copy operands to plain host tensors, run the reference, and lay the results out; so they are right whatever
// memory is shared. Costs vary from node to node, so that selection mixes layouts.
#include "backend/fake/fake_tactic.h"

#include <algorithm>
#include <cstring>

#include "backend/fake/fake_stream.h"
#include "backend/reference_tactic.h"
#include "backend/relayout.h"
#include "base/error.h"
#include "base/hash.h"
#include "ops/concat.h"

namespace narae::fake {
namespace {

constexpr const char* packed_form = "inverted";
constexpr size_t workspace_bytes = 192;

bool may_block(const Value& value, const Dims& dims) {
  return value.dtype() == DType::f32 && dims.size() == 4 && dims[1] > 1;
}

// Constants travel with all bits inverted: whoever reads them as they are reads nonsense.
void invert(void* data, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(data)[i] ^= 0xFF;
}

class FakeKernel final : public Kernel {
 public:
  FakeKernel(const Node& node, const Choice& choice, const NodeDims& dims)
      : node_(node), choice_(choice), dims_(dims), reference_(node, dims) {}
  size_t workspace_bytes() const override { return fake::workspace_bytes; }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    static_cast<FakeStream&>(stream).enqueue([this, pointers = std::vector<void*>(operands.begin(), operands.end()),
                                              workspace] { run(pointers, workspace); });
  }

 private:
  Tensor read(size_t i, const void* data) const {
    const Value& value = *node_.input(i);
    Tensor plain = Tensor::allocate(value.dtype(), dims_.inputs[i]);
    if (!choice_.packs[i].empty()) {
      if (plain.bytes()) std::memcpy(plain.data, data, plain.bytes());
      invert(plain.data, plain.bytes());
      return plain;
    }
    check_padding(value.dtype(), dims_.inputs[i], choice_.inputs[i], data,
                  fmt::format("operand {} of \"{}\"", i, node_.label()));
    relayout(value.dtype(), dims_.inputs[i], data, choice_.inputs[i], plain.data, Layout::plain());
    return plain;
  }
  void run(const std::vector<void*>& pointers, void* workspace) const {
    const size_t inputs = node_.inputs().size();
    std::vector<Tensor> tensors(pointers.size());
    std::vector<void*> host(pointers.size(), nullptr);
    for (size_t i = 0; i < inputs; ++i) {
      if (node_.input(i)) tensors[i] = read(i, pointers[i]);
    }
    // After the operands are read: a workspace that overlaps one is found by whoever reads it next.
    std::memset(workspace, poison_byte, fake::workspace_bytes);
    for (size_t i = 0; i < node_.outputs().size(); ++i) {
      tensors[inputs + i] = Tensor::allocate(node_.output(i)->dtype(), dims_.outputs[i]);
    }
    for (size_t i = 0; i < pointers.size(); ++i) host[i] = tensors[i].data;
    reference_.run(host);
    for (size_t i = 0; i < node_.outputs().size(); ++i) {
      relayout(node_.output(i)->dtype(), dims_.outputs[i], host[inputs + i], Layout::plain(), pointers[inputs + i],
               choice_.outputs[i]);
    }
  }

  const Node& node_;
  Choice choice_;
  NodeDims dims_;
  BoundReference reference_;
};

class FakeReformat final : public Kernel {
 public:
  FakeReformat(DType dtype, Dims dims, const Layout& from, const Layout& to)
      : dtype_(dtype), dims_(std::move(dims)), from_(from), to_(to) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    static_cast<FakeStream&>(stream).enqueue([this, from = operands[0], to = operands[1]] {
      check_padding(dtype_, dims_, from_, from, "the operand of a reformat");
      Tensor plain = Tensor::allocate(dtype_, dims_);
      relayout(dtype_, dims_, from, from_, plain.data, Layout::plain());
      relayout(dtype_, dims_, plain.data, Layout::plain(), to, to_);
    });
  }

 private:
  DType dtype_;
  Dims dims_;
  Layout from_, to_;
};

}  // namespace

void check_padding(DType dtype, const Dims& dims, const Layout& layout, const void* data, std::string_view what) {
  if (layout.is_plain()) return;
  const Tensor real = Tensor::allocate(DType::u8, dims);
  if (real.bytes()) std::memset(real.data, 1, real.bytes());
  const Tensor lanes = relayout(real, layout);
  Tensor stored;
  stored.data = const_cast<void*>(data), stored.dtype = dtype, stored.dims = lanes.dims;
  for (int64_t i = 0; i < lanes.count(); ++i) {
    if (lanes.as<uint8_t>()[i] || element_as_double(stored, i) == 0) continue;
    fail(ErrorCode::internal, "{} has a padding lane that is not zero (element {} of its memory)", what, i);
  }
}

std::unique_ptr<Kernel> make_fake_reformat(DType dtype, const Dims& dims, const Layout& from, const Layout& to) {
  return std::make_unique<FakeReformat>(dtype, dims, from, to);
}

void FakeTactic::propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const {
  Choice plain = plain_choice(this, node, "plain");
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const bool packs = node.input(i) && node.input(i)->is_constant() && dims.inputs[i].size() > 1;
    if (packs) plain.packs[i] = packed_form;
  }
  Choice blocked = plain_choice(this, node, "blocked");
  bool differs = false;
  const Layout layout = Layout::blocked(1, channel_block);
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    if (node.input(i) && may_block(*node.input(i), dims.inputs[i])) blocked.inputs[i] = layout, differs = true;
  }
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    if (may_block(*node.output(i), dims.outputs[i])) blocked.outputs[i] = layout, differs = true;
  }
  for (Choice* choice : {&plain, &blocked}) {
    for (size_t o = 0; o < node.outputs().size() && node.op().has(op_pointwise); ++o) {
      for (size_t i = 0; i < node.inputs().size() && choice->in_place[o] < 0; ++i) {
        if (node.input(i)->is_constant() || node.input(i)->dtype() != node.output(o)->dtype()) continue;
        if (dims.inputs[i] == dims.outputs[o]) choice->in_place[o] = static_cast<int>(i);
      }
    }
  }
  out.push_back(std::move(plain));
  if (differs) out.push_back(std::move(blocked));
}

double FakeTactic::estimate(const Node& node, const Choice& choice, const NodeDims&, const Target&) const {
  if (node.op().has(op_view)) return 0;
  return 1e-6 * static_cast<double>(1 + hash_bytes(node.label().data(), node.label().size(), choice.config.size()) % 9);
}

void FakeTactic::aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const {
  if (choice.config != "plain") return;
  if (node.op().has(op_view)) out.push_back({0, 0, false, 0});
  if (!node.is("concat")) return;
  int64_t axis = node.attributes<ConcatAttributes>().axis;
  if (axis < 0) axis += node.output(0)->rank();
  const Dims& result = dims.outputs[0];
  if (!std::all_of(result.begin(), result.begin() + axis, [](int64_t size) { return size == 1; })) return;
  int64_t offset = 0;
  for (size_t i = 0; i < dims.inputs.size(); ++i) {
    if (!node.input(i)->is_constant()) out.push_back({static_cast<int>(i), 0, true, offset});
    offset += element_count(dims.inputs[i]) * static_cast<int64_t>(dtype_size(node.output(0)->dtype()));
  }
}

Tensor FakeTactic::pack(const Node&, const Choice&, size_t, const Tensor& constant, const Target&) const {
  if (!constant.data) return Tensor::allocate(constant.dtype, constant.dims);
  Tensor packed = Tensor::copy_of(constant);
  invert(packed.data, packed.bytes());
  return packed;
}

std::unique_ptr<Kernel> FakeTactic::specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                               Device&) const {
  return std::make_unique<FakeKernel>(node, choice, dims);
}

}  // namespace narae::fake
