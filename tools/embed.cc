// SPDX-License-Identifier: Apache-2.0
// narae embed: the vector of each line of a text, by an encoder.
#include <fmt/ranges.h>

#include "load/load_encoder.h"
#include "model_flags.h"
#include "text_file.h"

namespace narae {
namespace {

struct EmbedFlags {
  ModelFlags everywhere;
  std::string model, text;
};

// A line ends at "\n" or "\r\n"; one that is empty is a text, too.
void embed(const EmbedFlags& flags, Console& console) {
  require_text(flags.text, "--text");
  const TextFile file(flags.text);
  Runtime runtime(runtime_options(flags.everywhere));
  note_activations(flags.everywhere, runtime);
  EncoderModel model = watched(load_options(flags.everywhere),
                               [&](const LoadOptions& options) { return load_encoder(flags.model, runtime, options); });
  Embedder embedder(std::move(model), runtime.device(), &runtime.budget());
  const Tensor vectors = embedder.embed(lines_of(file.text()));
  auto embeddings = nlohmann::ordered_json::array();
  for (int64_t i = 0; i < vectors.dims[0]; ++i) {
    const float* const row = vectors.as<float>() + i * vectors.dims[1];
    embeddings.push_back(std::vector<float>(row, row + vectors.dims[1]));
    if (!console.json) console.say("{}", fmt::join(row, row + vectors.dims[1], " "));
  }
  console.result({{"embeddings", std::move(embeddings)}});
}

}  // namespace

void add_embed(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("embed", "vectors of texts by an encoder");
  auto flags = std::make_shared<EmbedFlags>();
  command->add_option("MODEL", flags->model, "a .gguf file, a Hugging Face folder or an engine file made of one")
      ->required();
  command->add_option("--text", flags->text, "file with a text a line, in UTF-8")->required();
  add_model_flags(*command, flags->everywhere, console);
  command->footer("Example:\n  narae embed minilm --text sentences.txt --json");
  command->callback([flags, &console] { embed(*flags, console); });
}

}  // namespace narae
