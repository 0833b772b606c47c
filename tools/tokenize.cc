// SPDX-License-Identifier: Apache-2.0
// narae tokenize: the ids of a text, by a model's own tokenizer.
#include <fmt/ranges.h>

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "model_flags.h"
#include "text/tokenizer.h"
#include "text_file.h"

namespace narae {
namespace {

struct TokenizeFlags {
  ModelFlags everywhere;
  std::string model, text;
  bool begin = false, specials = false;
};

void tokenize(const TokenizeFlags& flags, Console& console) {
  require_text(flags.text, "--text");
  const std::unique_ptr<const Tokenizer> tokenizer = load_tokenizer(flags.model);
  const TextFile file(flags.text);
  EncodeOptions options;
  options.specials = flags.specials;
  if (flags.begin) {
    if (tokenizer->begin() < 0) fail(ErrorCode::usage, "--bos: this tokenizer has no token to begin a text with");
    options.begin = true;
    options.end = tokenizer->defaults().end;
  }
  const std::vector<int32_t> ids = tokenizer->encode(file.text(), options);
  console.say("{}", fmt::join(ids, ","));
  console.result({{"ids", ids}});
}

}  // namespace

void add_tokenize(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("tokenize", "token ids of a text");
  auto flags = std::make_shared<TokenizeFlags>();
  command->add_option("MODEL", flags->model, "a .gguf file, a Hugging Face folder or a tokenizer.json")->required();
  command->add_option("--text", flags->text, "file with the text, in UTF-8")->required();
  command->add_flag("--bos", flags->begin,
                    "begin with the model's first token, and end with its last where it has one");
  command->add_flag("--special", flags->specials, "special tokens written out in the text become their ids");
  add_model_flags(*command, flags->everywhere, console);
  command->callback([flags, &console] { tokenize(*flags, console); });
}

}  // namespace narae
