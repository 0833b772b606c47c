// SPDX-License-Identifier: Apache-2.0
// Tensors from and to .npy files. NumPy knows no bfloat16: such values are written as f32, and f32 is read for them.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "load/shape_list.h"
#include "tensor/tensor.h"

namespace narae {

// A view of the mapped file (copied only where its bytes lie unaligned). Throws Error bad_file.
Tensor load_tensor(const std::string& path);
// Returns the dtype as written.
DType save_tensor(const std::string& path, const Tensor& tensor);

// The files of `--input NAME=F.npy ..` in the order of the graph's inputs; with one input NAME= may be left out. Throws
// usage naming what is missing, unknown or given twice.
std::vector<Tensor> load_inputs(const Graph& graph, const std::vector<std::string>& arguments);

// A value for every symbol of the engine's inputs: `shapes` where they speak, else the profile's opt, else usual sizes.
SymbolValues input_sizes(const Engine& engine, const ShapeList& shapes);

// Seeded standard normal values for every input of these sizes, or small whole numbers; what decides shapes agrees with
// them.
std::vector<Tensor> seeded_inputs(const Engine& engine, const ShapeList& shapes, uint64_t seed);

}  // namespace narae
