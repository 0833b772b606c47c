// SPDX-License-Identifier: Apache-2.0
// What a path given to serve stands for: a model file, a Hugging Face folder, or a folder
// NAME/[config.pbtxt]/VERSION/model.* of which the highest version counts.
#pragma once

#include "serve/model_repository.h"

namespace narae {

// `argument`: [NAME=]PATH. Throws Error bad_file for a folder that is laid out otherwise.
ModelSource model_source(const std::string& argument);

}  // namespace narae
