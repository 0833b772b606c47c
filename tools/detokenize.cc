// SPDX-License-Identifier: Apache-2.0
// narae detokenize: the text that token ids stand for.
#include "import/text/read_tokenizer.h"
#include "model_flags.h"
#include "text/tokenizer.h"
#include "text_file.h"

namespace narae {
namespace {

struct DetokenizeFlags {
  ModelFlags everywhere;
  std::string model;
  std::string ids;
  bool specials = false;
};

void detokenize(const DetokenizeFlags& flags, Console& console) {
  const std::vector<int32_t> ids = parse_ids(flags.ids);
  const std::string text = load_tokenizer(flags.model)->decode(ids, flags.specials);
  console.line(text);
  console.result({{"text", text}});
}

}  // namespace

void add_detokenize(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("detokenize", "text of token ids");
  auto flags = std::make_shared<DetokenizeFlags>();
  command->add_option("MODEL", flags->model, "a .gguf file, a Hugging Face folder or a tokenizer.json")->required();
  command->add_option("--ids", flags->ids, "token ids, 1,2,3")->required();
  command->add_flag("--special", flags->specials, "show special tokens as the vocabulary spells them");
  add_model_flags(*command, flags->everywhere, console);
  command->callback([flags, &console] { detokenize(*flags, console); });
}

}  // namespace narae
