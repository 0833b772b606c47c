// SPDX-License-Identifier: Apache-2.0
// One folder of the ONNX backend tests: model.onnx and test_data_set_N/{input,output}_M.pb.
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace narae {

struct NodeDataSet {
  std::vector<Tensor> inputs;  // in graph order
  std::vector<Tensor> wanted;
};

struct NodeCase {
  std::string name;                   // "test_abs"
  std::string model;                  // path of model.onnx
  std::vector<std::string> op_types;  // distinct, of the whole graph
  bool wanted_by_value = true;        // false: random, only shapes and types are compared
};

// The cases under `folder`, sorted by name.
std::vector<NodeCase> find_node_cases(const std::string& folder);

// Throws Error bad_file where the data cannot be represented (strings, sequences, small types).
std::vector<NodeDataSet> read_data_sets(const NodeCase& node_case);

// Empty where equal by ONNX's own rule, |got - want| <= atol + 1e-3 |want| and NaN = NaN (its atol is 1e-7); else what
// differs.
std::string difference(const Tensor& got, const Tensor& want, bool by_value, double atol);

}  // namespace narae
