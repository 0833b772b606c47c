// SPDX-License-Identifier: Apache-2.0
// A GGUF file, a Hugging Face folder or an engine file built from one -> a language model: both entries compiled,
// tokenizer and chat template read.
#pragma once

#include "llm/language_model.h"
#include "load/load_model.h"

namespace narae {

// The runtime must outlive it. Throws Error bad_file when the model is no decoder, and what load_model() throws.
LanguageModel load_language_model(const std::string& path, Runtime& runtime, const LoadOptions& options = {},
                                  CompileReport* report = nullptr);

// The same of a model that load_model() made of `path`.
LanguageModel as_language_model(std::shared_ptr<const Engine> engine, const std::string& path, Runtime& runtime);

}  // namespace narae
