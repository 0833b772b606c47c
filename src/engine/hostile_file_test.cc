// SPDX-License-Identifier: Apache-2.0
// Engine files that lie with right hashes: sizes, places, types and texts that do not belong together. Loading refuses
// them, or plans anew from the portable graph; kernels never see them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "base/hash.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"
#include "graph/text.h"

namespace narae {
namespace {

const char* network = R"(graph "net" {
  symbol N 1 64
  input %0 "x" f32[N,16]
  const %1 "w" f32[16,32] normal 1
  const %2 "b" f32[32] normal 2
  %3 f32[N,32] = matmul(%0, %1)
  %4 f32[N,32] = add(%3, %2)
  %5 f32[N,32] = relu(%4)
  output %5 "y"
})";

// Lines of the directory as words; `body` is what lies between header and directory.
struct File {
  EngineHeader header;
  std::string body;
  std::vector<std::vector<std::string>> lines;

  std::vector<std::string>& line(const std::string& word) {
    for (auto& line : lines) {
      if (line[0] == word) return line;
    }
    ADD_FAILURE() << "the directory has no " << word;
    return lines[0];
  }
  // The line of a constant in a form that a tactic asked for.
  std::vector<std::string>& packed() {
    for (auto& line : lines) {
      if (line[0] == "constant" && line[5] != "plain") return line;
    }
    ADD_FAILURE() << "no constant is packed";
    return lines[0];
  }
  void replace(const std::string& from, const std::string& to) {
    ASSERT_EQ(from.size(), to.size());
    size_t at = body.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    for (; at != std::string::npos; at = body.find(from, at)) body.replace(at, from.size(), to);
  }
};

struct HostileFile : ::testing::Test {
  HostileFile() : runtime(RuntimeOptions{}) {
    Engine engine(parse_graph(network, runtime.ops()), {});
    const SymbolValues opt = opt_sizes(engine.portable(), {});
    engine.set_section(lower_engine(engine.portable().clone(), *runtime.device(), opt, EstimatedCosts()));
    save_engine(engine, *runtime.device(), path);
  }
  ~HostileFile() override { std::filesystem::remove(path); }

  // Saves the file anew after `change`, with all hashes right again.
  void forge(const std::function<void(File&)>& change) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    File file;
    std::memcpy(&file.header, bytes.data(), sizeof file.header);
    file.body = bytes.substr(sizeof file.header, file.header.directory_offset - sizeof file.header);
    std::istringstream lines(bytes.substr(file.header.directory_offset, file.header.directory_bytes));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      file.lines.emplace_back(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>());
    }
    change(file);
    std::string directory;
    for (auto& line : file.lines) {
      if (line[0] == "portable" || line[0] == "section" || line[0] == "choices") {
        const size_t last = line.size() - 1;
        const uint64_t begin = std::stoull(line[last - 2]) - sizeof file.header;
        line[last] = fmt::format("{:016x}", hash_string(file.body.substr(begin, std::stoull(line[last - 1]))));
      }
      for (size_t i = 0; i < line.size(); ++i) directory += (i ? " " : "") + line[i];
      directory += "\n";
    }
    file.header.directory_bytes = directory.size();
    file.header.directory_hash = hash_string(directory);
    file.header.file_bytes = sizeof file.header + file.body.size() + directory.size();
    std::ofstream(path, std::ios::binary)
        << std::string(reinterpret_cast<const char*>(&file.header), sizeof file.header) << file.body << directory;
  }

  // What loading, its constants included, says.
  std::string refusal() {
    try {
      const auto engine = load_engine(path, runtime);
      if (!engine->has_section()) return "planned anew";
      engine->weights().load_all(*engine->lowered().graph, engine->lowered().selection, *runtime.device());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file) << error.what();
      return error.what();
    }
    return "accepted";
  }
  void expect(const char* part) {
    const std::string text = refusal();
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("narae-hostile-{}.narae", ::getpid())).string();
  Runtime runtime;
};

TEST_F(HostileFile, AsItIsItLoads) {
  expect("accepted");
  forge([](File&) {});
  expect("accepted");
}

TEST_F(HostileFile, VersionsAndSizesOfTheWhole) {
  forge([](File& file) { file.header.version = 99; });
  expect("version 99");
  forge([](File& file) {
    file.header.version = engine_version;
    file.header.directory_offset = uint64_t{1} << 63;
  });
  expect("lies beyond the end");
}

TEST_F(HostileFile, ConstantsSmallerThanTheirReaders) {
  forge([](File& file) { file.packed()[4] = "64"; });
  expect("the engine holds 64 bytes of");
}

TEST_F(HostileFile, ConstantsOutOfPlace) {
  forge([](File& file) { file.line("leaf")[2] = "18446744073709551552"; });
  expect("lies beyond the end");
  forge([](File& file) { file.line("leaf")[2] = "65"; });
  expect("is not aligned");
  forge([](File& file) { file.line("leaf")[2] = "64", file.line("leaf")[3] = "4"; });
  expect("has 4 bytes, not");
  forge([](File& file) { file.line("leaf")[0] = "leaves"; });
  expect("unknown word \"leaves\"");
}

TEST_F(HostileFile, ConstantsOfNoValueOrType) {
  forge([](File& file) { file.line("constant")[1] = "99"; });
  expect("a constant of no value");
  forge([](File& file) { file.line("constant")[1] = "0", file.line("constant")[2] = "f31"; });
  expect("unknown element type \"f31\"");
}

TEST_F(HostileFile, GraphsThatDoNotHold) {
  forge([](File& file) { file.replace("= matmul(%0, %1)", "= matmul(%0, %9)"); });
  expect("%9 is not defined");
  forge([](File& file) { file.replace("= matmul(%0, %9)", "= matmul(%0, %4)"); });  // a cycle: its own reader
  expect("%4 is not defined");
  forge([](File& file) { file.replace("= matmul(%0, %4)", "= matmul(%1, %0)"); });
  expect("16");
  forge([](File& file) { file.replace("= matmul(%1, %0)", "= matmuI(%0, %1)"); });
  expect("there is no such op");
}

TEST_F(HostileFile, WrongTypesOfLeaves) {
  forge([](File& file) { file.replace("\"w\" f32[16,32]", "\"w\" f64[16,32]"); });
  expect("bytes, not");
}

TEST_F(HostileFile, ChoicesThatNobodyOffers) {
  forge([](File& file) {
    const auto& line = file.line("choices");
    const size_t begin = std::stoull(line[1]) - sizeof file.header;
    const size_t tab = file.body.find('\t', begin);
    file.body[tab - 1] = file.body[tab - 1] == 'x' ? 'y' : 'x';  // the tactic's name
  });
  expect("planned anew");
}

TEST_F(HostileFile, FewerChoicesThanNodes) {
  forge([](File& file) {
    auto& line = file.line("choices");
    line[2] = "0";
  });
  expect("fewer choices than nodes");
}

}  // namespace
}  // namespace narae
