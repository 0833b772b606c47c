// SPDX-License-Identifier: Apache-2.0
// Another runtime's results for a model, through a Python script: nothing of it is linked.
#pragma once

#include <string>
#include <vector>

namespace narae {

struct ForeignValue {
  std::string name, node, file;
};

struct ForeignResults {
  std::vector<std::string> outputs;  // .npy files in the model's order
  std::vector<ForeignValue> values;  // intermediate ones, in the order they are computed
};

// Runs compare_onnxruntime.py; files go into `folder`. `python` empty: the one that `make setup` made, else python3.
// Throws Error failed with the remedy when there is no Python or no onnxruntime.
ForeignResults run_onnxruntime(const std::string& model, const std::vector<std::string>& inputs,
                               const std::string& folder, const std::string& python);

}  // namespace narae
