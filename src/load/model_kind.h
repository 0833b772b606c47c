// SPDX-License-Identifier: Apache-2.0
// Decoders and encoders, told apart.
#pragma once

#include "load/load_model.h"

namespace narae {

// Throws Error bad_file for a model that is not of the kind "decoder" or "encoder", naming the command for the other
// one.
void require_kind(const Graph& graph, std::string_view kind, const std::string& path);
// load_model() that requires so before anything is compiled; what an engine file holds is not looked at.
std::shared_ptr<Engine> load_kind(std::string_view kind, const std::string& path, Runtime& runtime,
                                  const LoadOptions& options, CompileReport* report);

}  // namespace narae
