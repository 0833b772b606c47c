// SPDX-License-Identifier: Apache-2.0
// make_seeds OUT GOLDEN.txt..: the first inputs of the graph_text and engine fuzzers, made anew from the golden graphs
// so that they never go stale. An engine's seed is its directory, a NUL, and what follows the header (engine_fuzz.cc).
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"
#include "graph/text.h"

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  fmt::print("{}: {} bytes\n", path.string(), bytes.size());
}

// Every graph of a golden file, from its first line to the brace that closes it.
std::vector<std::string> graphs_of(const std::string& text) {
  std::vector<std::string> graphs;
  for (size_t begin = text.find("\ngraph "); begin != std::string::npos; begin = text.find("\ngraph ", begin + 1)) {
    const size_t end = text.find("\n}", begin);
    if (end != std::string::npos) graphs.push_back(text.substr(begin + 1, end + 2 - begin) + "\n");
  }
  return graphs;
}

std::string engine_seed(const std::string& file) {
  narae::EngineHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  const std::string directory = file.substr(header.directory_offset, header.directory_bytes);
  return std::regex_replace(directory, std::regex("\\b[0-9a-f]{16}\\b"), "@") + '\0' +
         file.substr(sizeof header, header.directory_offset - sizeof header);
}

void make(const fs::path& out, const std::string& name, const std::string& text, narae::Runtime& runtime) {
  write(out / "graph_text" / name, text);
  try {
    narae::Engine engine(narae::parse_graph(text, runtime.ops()), {});
    const narae::SymbolValues opt = narae::opt_sizes(engine.portable(), {});
    engine.set_section(narae::lower_engine(engine.portable().clone(), *runtime.device(), opt, narae::EstimatedCosts()));
    const std::string path = (out / "whole.narae").string();
    narae::save_engine(engine, *runtime.device(), path);
    write(out / "engine" / name, engine_seed(bytes_of(path)));
  } catch (const narae::Error& error) {
    fmt::print("{} makes no engine: {}\n", name, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path out = argv[1];
  fs::create_directories(out / "graph_text");
  fs::create_directories(out / "engine");
  narae::RuntimeOptions options;
  options.threads = 1;
  narae::Runtime runtime(options);
  for (int i = 2; i < argc; ++i) {
    int number = 0;
    for (const std::string& graph : graphs_of(bytes_of(argv[i]))) {
      make(out, fmt::format("{}-{}", fs::path(argv[i]).stem().string(), number++), graph, runtime);
    }
  }
  if (fs::exists(out / "whole.narae")) fs::rename(out / "whole.narae", out / "engine" / "whole");
  return 0;
}
