// SPDX-License-Identifier: Apache-2.0
// Which backends this build has (backends.inc), and how a Device is made by name. The only place above a backend's own
// folder that knows there are several.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/device.h"

namespace narae {

struct DeviceOptions {
  std::string name = "cpu";    // "cpu", "fake"; a number after a colon picks one of several
  int threads = 0;             // of one core set; 0: cores / sets
  std::string isa;             // empty or "auto": the best of the machine
  int set = 0, sets = 1;       // which of how many separate core sets
  bool deterministic = false;  // only kernels whose results depend on their own row
  std::string precision;       // of products and convolutions of f32, see Target; empty: f32
  std::string library_dirs;    // where the vendor's libraries of a device are looked for first, "DIR:DIR"
  std::string cache_dir;       // where a device may keep what it compiles; empty: nothing on disk
  std::string activations;     // of products with weights in blocks: "int8", or "fp32"; empty: int8
};

// One line of `narae devices`.
struct DeviceInfo {
  std::string name, kind;
  Target target;
  bool available = true;
  std::string reason;                  // why not, where it is not
  std::vector<std::string> libraries;  // loaded for it at run time, or why they are not
};

struct Backend {
  const char* name;
  std::shared_ptr<Device> (*make)(const DeviceOptions& options);
  std::vector<DeviceInfo> (*list)(const DeviceOptions& options);
  bool takes_libraries = false;  // loads libraries of a vendor at run time: library_dirs means something to it
};

const std::vector<Backend>& backends();
// Throws Error usage naming the devices there are.
std::shared_ptr<Device> make_device(const DeviceOptions& options);
std::vector<DeviceInfo> list_devices(const DeviceOptions& options = {});

}  // namespace narae
