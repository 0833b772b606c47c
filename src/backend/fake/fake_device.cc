// SPDX-License-Identifier: Apache-2.0
#include "backend/fake/fake_device.h"

#include "backend/backends.h"
#include "backend/fake/fake_tactic.h"
#include "base/error.h"

namespace narae::fake {
namespace {

class FakeBuffer final : public Buffer {
 public:
  FakeBuffer(std::shared_ptr<FakeMemory> memory, size_t bytes)
      : memory_(std::move(memory)), size_(bytes), data_(memory_->allocate(std::max<size_t>(bytes, 1))) {}
  ~FakeBuffer() override { memory_->release(data_, std::max<size_t>(size_, 1)); }
  void* data() const override { return data_; }
  size_t size() const override { return size_; }

 private:
  std::shared_ptr<FakeMemory> memory_;
  size_t size_;
  void* data_;
};

std::shared_ptr<Device> make(const DeviceOptions& options) {
  if (options.name != "fake" && options.name != "fake:0") {
    fail(ErrorCode::usage, "there is no device \"{}\": there is one fake device", options.name);
  }
  return std::make_shared<FakeDevice>();
}

std::vector<DeviceInfo> list(const DeviceOptions&) { return {{"fake", "fake", FakeDevice().target(), true, {}}}; }

}  // namespace

FakeDevice::FakeDevice() : memory_(std::make_shared<FakeMemory>()) {
  target_.device = "fake";
  target_.isa = "reference";
  target_.features = {"reference"};
  target_.dtypes = {DType::f32};
  target_.channel_block = channel_block;
  target_.cores = 1;
  tactics_.push_back(std::make_unique<FakeTactic>());
  for (const auto& tactic : tactics_) tactic_pointers_.push_back(tactic.get());
}

FakeDevice::~FakeDevice() = default;

std::unique_ptr<Buffer> FakeDevice::allocate(size_t bytes) { return std::make_unique<FakeBuffer>(memory_, bytes); }

std::unique_ptr<Kernel> FakeDevice::make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                                  const Layout& to) const {
  return make_fake_reformat(dtype, dims, from, to);
}

}  // namespace narae::fake

namespace narae {

Backend fake_backend() { return {"fake", fake::make, fake::list}; }

}  // namespace narae
