// SPDX-License-Identifier: Apache-2.0
// narae devices: what there is to run on, and how fast it measured.
#include <fmt/ranges.h>

#include "base/error.h"
#include "model_flags.h"

namespace narae {
namespace {

struct DevicesFlags {
  ModelFlags model;
  bool no_measure = false;
};

nlohmann::ordered_json peaks_json(const Target& target) {
  if (!target.calibrated) return nullptr;
  return {{"fma_gflops_per_core", target.fma_flops / 1e9},
          {"int8_gops_per_core", target.int8_ops / 1e9},
          {"l2_gbps_per_core", target.l2_bytes_per_s / 1e9},
          {"dram_gbps", target.dram_bytes_per_s / 1e9}};
}

// The target as measured; --device, --isa and --threads belong to that device only.
Target measured(const DeviceInfo& info, const DevicesFlags& flags) {
  ModelFlags of_this = flags.model;
  of_this.device = info.name;
  if (info.name != flags.model.device) {
    of_this.isa = "auto";
    of_this.threads = 0;
  }
  Runtime runtime(runtime_options(of_this));
  if (!flags.no_measure) runtime.calibrate();
  return runtime.device()->target();
}

void say(const DeviceInfo& info, const Target& target, Console& console) {
  if (!info.available) {
    console.say("{} ({}): not available: {}", info.name, info.kind, info.reason);
    return;
  }
  console.say("{} ({}): {} cores, {} (instruction sets: {})", info.name, info.kind, target.cores, target.isa,
              fmt::join(target.features, ", "));
  console.say("  caches: {} KiB first level, {} KiB second, {} KiB third", target.l1_bytes / 1024,
              target.l2_bytes / 1024, target.l3_bytes / 1024);
  for (const std::string& library : info.libraries) console.say("  library: {}", library);
  if (!target.calibrated) return;
  console.say(
      "  measured: {:.1f} GFLOP/s f32 and {:.1f} GOP/s int8 per core, {:.1f} GB/s second level per core, {:.1f} "
      "GB/s memory",
      target.fma_flops / 1e9, target.int8_ops / 1e9, target.l2_bytes_per_s / 1e9, target.dram_bytes_per_s / 1e9);
}

void devices(const DevicesFlags& flags, Console& console) {
  auto list = nlohmann::ordered_json::array();
  DeviceOptions options;
  options.library_dirs = flags.model.library_dirs;
  for (const DeviceInfo& info : list_devices(options)) {
    const Target target = info.available ? measured(info, flags) : info.target;
    say(info, target, console);
    list.push_back({{"name", info.name},
                    {"kind", info.kind},
                    {"cores", target.cores},
                    {"isa", target.features},
                    {"chosen_isa", target.isa},
                    {"l1d_bytes", target.l1_bytes},
                    {"l2_bytes", target.l2_bytes},
                    {"l3_bytes", target.l3_bytes},
                    {"peaks", peaks_json(target)},
                    {"available", info.available},
                    {"reason", info.reason},
                    {"libraries", info.libraries}});
  }
  console.result({{"devices", std::move(list)}});
}

}  // namespace

void add_devices(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("devices", "list what models can run on, with measured peaks");
  auto flags = std::make_shared<DevicesFlags>();
  add_model_flags(*command, flags->model, console);
  command->add_flag("--no-measure", flags->no_measure, "do not measure; peaks appear only where the cache has them");
  command->footer("Peaks are measured once (a second or so) on a quiet machine and kept in --cache-dir.");
  command->callback([flags, &console] { devices(*flags, console); });
}

}  // namespace narae
