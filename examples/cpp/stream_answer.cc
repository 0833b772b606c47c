// SPDX-License-Identifier: Apache-2.0
// Asks a language model and prints the answer as it comes.
//   stream_answer MODEL QUESTION [TOKENS]      MODEL: a .gguf file or a Hugging Face folder
#include <cstdio>
#include <cstdlib>
#include <narae/executor.hpp>

namespace {

// A text between quotes as JSON wants it.
std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      json += code;
    } else {
      json += c;
    }
  }
  return json + '"';
}

void answer(const std::string& model, const std::string& question, long tokens) {
  narae::Runtime runtime;
  narae::Executor executor(runtime, model);
  narae::Sampling sampling;
  sampling.temperature = 0;
  sampling.max_tokens = tokens;
  const narae::Prompt prompt = executor.info().has_chat
                                   ? narae::Prompt::messages(R"([{"role":"user","content":)" + quoted(question) + "}]")
                                   : narae::Prompt::text(question);
  narae::Request request = executor.enqueue(prompt, sampling, [](const narae::Piece& piece) {
    std::fwrite(piece.text.data(), 1, piece.text.size(), stdout);
    std::fflush(stdout);
    return true;
  });
  request.wait();
  const narae_request_stats stats = request.stats();
  std::printf("\n(%lld tokens, the first after %.0f ms, all after %.0f ms)\n", static_cast<long long>(stats.new_tokens),
              stats.first_token_ms, stats.total_ms);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: %s MODEL QUESTION [TOKENS]\n", argv[0]);
    return 2;
  }
  try {
    answer(argv[1], argv[2], argc > 3 ? std::atol(argv[3]) : 64);
    return 0;
  } catch (const narae::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.status();
  }
}
