// SPDX-License-Identifier: Apache-2.0
#include "backend/run_choice_test.h"

#include <cmath>
#include <cstring>

#include "backend/operand_placement.h"
#include "base/error.h"

namespace narae {
namespace {

// Device memory of one operand or result.
struct Placed {
  std::shared_ptr<Buffer> buffer;
  size_t offset = 0;
  void* data() const { return buffer ? static_cast<char*>(buffer->data()) + offset : nullptr; }
};

class Runner {
 public:
  Runner(Device& device, const Node& node, const Choice& choice, const NodeDims& dims, const RunOptions& options)
      : device_(device), node_(node), choice_(choice), dims_(dims), options_(options), stream_(device.make_stream()) {}

  std::vector<Tensor> run(const std::vector<Tensor>& operands) {
    const size_t inputs = node_.inputs().size();
    places_.resize(inputs + node_.outputs().size());
    place_results();
    for (size_t i = 0; i < inputs; ++i) place_operand(i, operands[i]);
    const std::unique_ptr<Kernel> kernel = choice_.tactic->specialise(node_, choice_, dims_, device_);
    const Placed workspace = allocate(kernel->workspace_bytes());
    for (size_t i = 0; i < node_.outputs().size(); ++i) lay_result(i);
    std::vector<void*> pointers;
    for (const Placed& place : places_) pointers.push_back(place.data());
    kernel->launch(*stream_, pointers, workspace.data());
    std::vector<Tensor> results;
    for (size_t i = 0; i < node_.outputs().size(); ++i) results.push_back(fetch(i));
    return results;
  }

 private:
  Placed allocate(size_t bytes) {
    if (bytes == 0) return {};
    Placed place{device_.allocate(bytes), 0};
    const std::vector<unsigned char> poison(bytes, 0xFF);
    stream_->copy(place.data(), poison.data(), bytes);
    stream_->synchronize();
    return place;
  }
  size_t bytes_of(const Layout& layout, const Dims& dims, DType dtype) const {
    return static_cast<size_t>(layout.stored_count(dims)) * dtype_size(dtype);
  }
  void place_results() {
    for (size_t i = 0; i < node_.outputs().size(); ++i) {
      const size_t bytes = bytes_of(choice_.outputs[i], dims_.outputs[i], node_.output(i)->dtype());
      places_[node_.inputs().size() + i] = allocate(std::max<size_t>(bytes, 1));
    }
    if (!options_.aliased) return;
    std::vector<Tactic::Alias> aliases;
    choice_.tactic->aliases(node_, choice_, dims_, aliases);
    for (const Tactic::Alias& alias : aliases) {
      if (alias.input_in_output) aliases_in_.push_back(alias);
      if (!alias.input_in_output) aliases_out_.push_back(alias);
    }
  }
  void place_operand(size_t i, const Tensor& tensor) {
    if (!node_.input(i)) return;
    if (!choice_.packs[i].empty()) {
      const Tensor packed = choice_.tactic->pack(node_, choice_, i, tensor, device_.target());
      places_[i] = allocate(std::max<size_t>(packed.bytes(), 1));
      stream_->copy(places_[i].data(), packed.data, packed.bytes());
      stream_->synchronize();
      return;
    }
    const Layout& layout = choice_.inputs[i];
    places_[i] = allocate(std::max<size_t>(bytes_of(layout, tensor.dims, tensor.dtype), 1));
    for (const Tactic::Alias& alias : aliases_in_) {
      if (alias.input != static_cast<int>(i)) continue;
      places_[i] = places_[node_.inputs().size() + static_cast<size_t>(alias.output)];
      places_[i].offset += static_cast<size_t>(alias.offset);
    }
    const Placed plain = allocate(std::max<size_t>(tensor.bytes(), 1));
    stream_->copy(plain.data(), tensor.data, tensor.bytes());
    move(tensor.dtype, tensor.dims, plain, Layout::plain(), places_[i], layout);
  }
  // After the operands are there: results that take their memory.
  void lay_result(size_t i) {
    Placed& place = places_[node_.inputs().size() + i];
    const int shared = choice_.in_place[i];
    if (options_.in_place && shared >= 0) place = places_[static_cast<size_t>(shared)];
    for (const Tactic::Alias& alias : aliases_out_) {
      if (alias.output != static_cast<int>(i)) continue;
      place = places_[static_cast<size_t>(alias.input)];
      place.offset += static_cast<size_t>(alias.offset);
    }
  }
  void move(DType dtype, const Dims& dims, const Placed& from, const Layout& from_layout, const Placed& to,
            const Layout& to_layout) {
    if (from_layout == to_layout) {
      stream_->copy(to.data(), from.data(), bytes_of(to_layout, dims, dtype));
    } else {
      const std::unique_ptr<Kernel> kernel = device_.make_reformat(dtype, dims, from_layout, to_layout);
      const Placed workspace = allocate(kernel->workspace_bytes());
      void* pointers[] = {from.data(), to.data()};
      kernel->launch(*stream_, pointers, workspace.data());
      stream_->synchronize();
    }
    stream_->synchronize();
  }
  Tensor fetch(size_t i) {
    const Layout& layout = choice_.outputs[i];
    const Dims& dims = dims_.outputs[i];
    const DType dtype = node_.output(i)->dtype();
    Tensor stored = Tensor::allocate(dtype, {layout.stored_count(dims)});
    stream_->copy(stored.data, places_[node_.inputs().size() + i].data(), stored.bytes());
    stream_->synchronize();
    Tensor plain = Tensor::allocate(dtype, dims);
    relayout(dtype, dims, stored.data, layout, plain.data, Layout::plain());
    if (!padding_is_zero(layout, dims, stored)) {
      fail(ErrorCode::internal, "result {} of {} has padding lanes that are not zero", i, choice_text(choice_));
    }
    return plain;
  }

  static bool padding_is_zero(const Layout& layout, const Dims& dims, const Tensor& stored) {
    if (layout.is_plain()) return true;
    const Tensor real = Tensor::allocate(DType::u8, dims);
    if (real.bytes()) std::memset(real.data, 1, real.bytes());
    const Tensor mask = relayout(real, layout);
    for (int64_t i = 0; i < stored.count(); ++i) {
      if (!mask.as<uint8_t>()[i] && element_as_double(stored, i) != 0) return false;  // -0 is zero too
    }
    return true;
  }

  Device& device_;
  const Node& node_;
  const Choice& choice_;
  const NodeDims& dims_;
  RunOptions options_;
  std::unique_ptr<Stream> stream_;
  std::vector<Placed> places_;
  std::vector<Tactic::Alias> aliases_in_, aliases_out_;
};

}  // namespace

std::vector<Tensor> run_choice(Device& device, const Node& node, const Choice& choice, const NodeDims& dims,
                               const std::vector<Tensor>& operands, const RunOptions& options) {
  const DeviceTurn turn(device);
  return Runner(device, node, choice, dims, options).run(operands);
}

double relative_l2(const Tensor& got, const Tensor& wanted) {
  if (!is_float(wanted.dtype)) return same_contents(got, wanted) ? 0 : 1;
  double difference = 0, size = 0;
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const double a = element_as_double(got, i), b = element_as_double(wanted, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    difference += (a - b) * (a - b);
  }
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const double b = element_as_double(wanted, i);
    if (std::isfinite(b)) size += b * b;
  }
  return difference == 0 ? 0 : std::sqrt(difference / std::max(size, 1e-30));
}

}  // namespace narae
