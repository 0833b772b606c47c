// SPDX-License-Identifier: Apache-2.0
// The engine file (.narae): portable graph, its leaves, and sections per target, mapped at load. Version 1:
//
//   header   "NARAEENG", u32 version, u32 0, u64 file bytes, u64 directory offset, bytes and hash (little-endian)
//   blobs    texts and constants, each aligned to 64 bytes (large ones to a page)
//   directory  lines of text: portable / profile / leaf / section / choices / constant with offsets into the file
//
// A file is hostile until proved otherwise: every offset is checked, texts are hashed, errors name what is wrong.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/runtime.h"

namespace narae {

// Writes all or nothing. The section's constants are brought into run-time form first, on `device`.
void save_engine(const Engine& engine, Device& device, const std::string& path);

// Maps the file. The result has a section when the file holds one whose instruction set and tactics are those of the
// runtime's device; else only the portable graph. Throws Error bad_file.
std::shared_ptr<Engine> load_engine(const std::string& path, Runtime& runtime);

// True when the bytes begin like an engine file.
bool is_engine_file(std::span<const std::byte> bytes);

}  // namespace narae
