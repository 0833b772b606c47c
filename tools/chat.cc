// SPDX-License-Identifier: Apache-2.0
// narae chat: a conversation on a terminal, a line of stdin a turn. What was said before is in the prefix cache.
#include <iostream>

#include "answers.h"
#include "base/error.h"
#include "llm/prompt.h"

namespace narae {
namespace {

struct ChatFlags {
  LlmFlags llm;
  SamplingFlags sampling;
  std::string system;
};

void chat(const ChatFlags& flags, Console& console) {
  if (console.json) fail(ErrorCode::usage, "chat speaks to people; use `generate --chat F.json --json`");
  Runtime runtime(runtime_options(flags.llm.everywhere));
  const auto executor = make_executor(flags.llm, load_llm(flags.llm, runtime), runtime, 1);
  Answers answers(*executor, flags.sampling.stops);
  auto messages = nlohmann::ordered_json::array();
  if (!flags.system.empty()) messages.push_back({{"role", "system"}, {"content", flags.system}});
  uint64_t seed = flags.llm.everywhere.seed;
  console.piece("> ");
  for (std::string line; std::getline(std::cin, line); console.piece("> ")) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    messages.push_back({{"role", "user"}, {"content", line}});
    const auto ask =
        answers.ask(chat_prompt(executor->model(), messages), sampling_of(flags.sampling, executor->model(), seed++),
                    [&](std::string_view text) { console.piece(text); });
    const auto result = result_of(answers.next());
    console.say("\n({} tokens, first after {:.0f} ms, {:.1f} tokens/s, {} of the prompt were cached)",
                ask->stream->ids().size(), result.at("first_token_ms").get<double>(),
                result.at("decode_tokens_per_s").get<double>(), result.at("cached_tokens").get<int64_t>());
    messages.push_back({{"role", "assistant"}, {"content", ask->text}});
  }
  console.line("");
}

}  // namespace

void add_chat(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("chat", "a conversation with a language model");
  auto flags = std::make_shared<ChatFlags>();
  flags->sampling.params.max_tokens = 512;
  add_llm(*command, flags->llm, console);
  add_sampling(*command, flags->sampling);
  command->add_option("--system", flags->system, "what the model is told before the conversation");
  command->footer("Example:\n  narae chat smollm2.gguf --temperature 0.7");
  command->callback([flags, &console] { chat(*flags, console); });
}

}  // namespace narae
