// SPDX-License-Identifier: Apache-2.0
// A GGUF file, a Hugging Face folder or an engine file built from one -> an encoder of texts: compiled, its tokenizer
// read.
#pragma once

#include "llm/embedder.h"
#include "load/load_model.h"

namespace narae {

// The runtime must outlive it. Throws Error bad_file when the model is no encoder or its vocabulary not the
// tokenizer's, and what load_model() throws.
EncoderModel load_encoder(const std::string& path, Runtime& runtime, const LoadOptions& options = {},
                          CompileReport* report = nullptr);

// The same of a model that load_model() made of `path`.
EncoderModel as_encoder(std::shared_ptr<const Engine> engine, const std::string& path);

}  // namespace narae
