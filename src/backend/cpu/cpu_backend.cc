// SPDX-License-Identifier: Apache-2.0
// The CPU's line in backends.inc: cuts the usable cores into core sets.
#include "backend/backends.h"
#include "backend/cpu/cpu_device.h"
#include "backend/cpu/onednn_library.h"
#include "base/error.h"

namespace narae {
namespace {

std::shared_ptr<Device> make(const DeviceOptions& options) {
  if (options.name != "cpu" && options.name != "cpu:0") {
    fail(ErrorCode::usage, "there is no device \"{}\": all cores are one device, cpu", options.name);
  }
  if (!options.precision.empty() && options.precision != "fp32") {
    fail(ErrorCode::usage, "the cpu computes in fp32, not {}", options.precision);
  }
  cpu::CpuOptions cpu;
  cpu.isa = options.isa;
  cpu.threads = options.threads;
  cpu.deterministic = options.deterministic;
  cpu.int8_activations = options.activations != "fp32";
  const cpu::CoreSet all = cpu::detect_cores();
  const auto count = static_cast<int>(all.cores.size());
  if (options.sets < 1 || options.sets > count) {
    fail(ErrorCode::usage, "{} core sets asked for, {} cores are usable: ask for {} at most", options.sets, count,
         count);
  }
  cpu.cores.full_quota = all.full_quota;
  const int each = count / options.sets;
  for (int i = 0; i < each; ++i) cpu.cores.cores.push_back(all.cores[static_cast<size_t>(options.set * each + i)]);
  if (options.threads > each) {
    fail(ErrorCode::usage, "{} threads asked for, a core set has {} usable cores: ask for {} at most{}",
         options.threads, each, each, options.sets > 1 ? ", or for fewer instances" : "");
  }
  return std::make_shared<cpu::CpuDevice>(std::move(cpu));
}

std::vector<DeviceInfo> list(const DeviceOptions&) {
  const cpu::CpuDevice device(cpu::CpuOptions{});
  const cpu::OnednnLibrary onednn;
  std::string onednn_text = onednn.table() ? fmt::format("oneDNN {}", onednn.table()->version)
                                           : fmt::format("no oneDNN: {}", onednn.reason());
  return {{"cpu", "cpu", device.target(), true, {}, {std::move(onednn_text)}}};
}

}  // namespace

Backend cpu_backend() { return {"cpu", make, list}; }

}  // namespace narae
