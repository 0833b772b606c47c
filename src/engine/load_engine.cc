// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/error.h"
#include "base/hash.h"
#include "base/mapped_file.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"
#include "graph/text.h"

namespace narae {
namespace {

struct Blob {
  uint64_t offset = 0, bytes = 0;
};

// One section or the portable graph: its text and its constants by number.
struct GraphPart {
  std::string_view text;
  std::map<std::pair<int, std::string>, std::pair<Blob, DType>> constants;  // (number, form); leaves are form "plain"
};

class MappedForms final : public PackedSource {
 public:
  MappedForms(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}
  Tensor find(const Value& value, const std::string& form) const override {
    const auto it = forms_.find({&value, form});
    return it == forms_.end() ? Tensor() : it->second;
  }
  void add(const Value* value, const std::string& form, Tensor tensor) { forms_[{value, form}] = std::move(tensor); }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::pair<const Value*, std::string>, Tensor> forms_;
};

class Reader {
 public:
  Reader(std::shared_ptr<const MappedFile> file, Runtime& runtime) : file_(std::move(file)), runtime_(runtime) {}

  std::shared_ptr<Engine> run() {
    read_directory();
    auto graph = parse(portable_, true);
    auto engine = std::make_shared<Engine>(std::move(graph), profile_);
    if (!section_.text.empty()) add_section(*engine);
    return engine;
  }

 private:
  [[noreturn]] static void bad(const std::string& what) {
    fail(ErrorCode::bad_file, "{}; the file is damaged or truncated, build it again", what);
  }

  std::string_view view(const Blob& blob, const char* what) const {
    const size_t size = file_->bytes().size();
    if (blob.offset > size || blob.bytes > size - blob.offset) bad(fmt::format("the {} lies beyond the end", what));
    return {reinterpret_cast<const char*>(file_->bytes().data()) + blob.offset, blob.bytes};
  }

  void read_directory() {
    EngineHeader header;
    if (!is_engine_file(file_->bytes())) fail(ErrorCode::bad_file, "this is no engine file");
    if (file_->bytes().size() < sizeof header) bad("the header is cut off");
    std::memcpy(&header, file_->bytes().data(), sizeof header);
    if (header.version != engine_version) {
      fail(ErrorCode::bad_file, "this engine file has version {}, this Narae reads {}; build it again", header.version,
           engine_version);
    }
    if (header.file_bytes != file_->bytes().size()) {
      bad(fmt::format("the file has {} bytes, its header says {}", file_->bytes().size(), header.file_bytes));
    }
    if (header.directory_bytes > engine_directory_limit) bad("the directory is too large");
    const std::string_view directory = view({header.directory_offset, header.directory_bytes}, "directory");
    if (hash_string(directory) != header.directory_hash) bad("the directory does not match its hash");
    std::istringstream lines{std::string(directory)};
    std::string line;
    while (std::getline(lines, line)) read_line(line);
    if (portable_.text.empty()) bad("there is no graph");
  }

  std::string_view hashed_text(std::istringstream& in, const char* what) {
    Blob blob;
    std::string hash;
    if (!(in >> blob.offset >> blob.bytes >> hash)) bad(fmt::format("the {} has no place", what));
    const std::string_view text = view(blob, what);
    if (fmt::format("{:016x}", hash_string(text)) != hash) bad(fmt::format("the {} does not match its hash", what));
    return text;
  }

  void read_line(const std::string& line) {
    std::istringstream in(line);
    std::string word;
    in >> word;
    if (word == "portable") {
      portable_.text = hashed_text(in, "portable graph");
    } else if (word == "leaf") {
      int number = 0;
      Blob blob;
      if (!(in >> number >> blob.offset >> blob.bytes)) bad("a leaf has no place");
      portable_.constants[{number, "plain"}] = {blob, DType::f32};
    } else if (word == "profile") {
      std::string symbol;
      SymbolRange range;
      if (!(in >> symbol >> range.min >> range.opt >> range.max)) bad("a profile line is cut off");
      profile_.symbols[symbol] = range;
    } else if (word == "section") {
      in >> device_ >> isa_;
      section_.text = hashed_text(in, "section");
    } else if (word == "choices") {
      choices_ = hashed_text(in, "list of choices");
    } else if (word == "opt") {
      std::string symbol;
      int64_t size = 0;
      if (!(in >> symbol >> size)) bad("a size is cut off");
      opt_[symbol] = size;
    } else if (word == "constant") {
      int number = 0;
      std::string dtype, form;
      Blob blob;
      if (!(in >> number >> dtype >> blob.offset >> blob.bytes)) bad("a constant has no place");
      std::getline(in >> std::ws, form);
      section_.constants[{number, form}] = {blob, dtype_from_name(dtype)};
    } else {
      bad(fmt::format("unknown word \"{}\" in the directory", word));
    }
  }

  Tensor mapped(const Blob& blob, DType dtype, Dims dims, const char* what) const {
    const std::string_view bytes = view(blob, what);
    Tensor tensor;
    tensor.dtype = dtype;
    tensor.dims = std::move(dims);
    if (tensor.bytes() != bytes.size())
      bad(fmt::format("a {} has {} bytes, not {}", what, bytes.size(), tensor.bytes()));
    if (blob.offset % 64 != 0) bad(fmt::format("a {} is not aligned", what));
    tensor.data = const_cast<char*>(bytes.data());
    tensor.owner = file_;
    tensor.file = file_.get();
    return tensor;
  }

  // Constants whose bytes are not there as they are (only packed) get a tensor without data, where that is allowed.
  std::unique_ptr<Graph> parse(const GraphPart& part, bool complete) const {
    return parse_graph(part.text, runtime_.ops(), [&](std::string_view leaf, DType dtype, const Dims& dims) {
      int number = -1;
      if (std::sscanf(std::string(leaf).c_str(), "c%d", &number) != 1) bad("a constant has a strange name");
      int64_t bytes = static_cast<int64_t>(dtype_size(dtype));
      for (const int64_t dim : dims) {
        if (dim < 0 || __builtin_mul_overflow(bytes, dim, &bytes)) bad("a constant has an impossible size");
      }
      const auto it = part.constants.find({number, "plain"});
      if (it != part.constants.end()) return mapped(it->second.first, dtype, dims, "constant");
      const bool is_small = element_count(dims) <= PrintOptions().inline_limit;  // the text holds those itself
      if (complete || is_small || (!is_float(dtype) && bytes <= 512))
        bad(fmt::format("constant c{} is missing", number));
      Tensor tensor;
      tensor.dtype = dtype;
      tensor.dims = dims;
      return tensor;
    });
  }

  // False where the section cannot be used here: another instruction set, or tactics that changed since.
  bool read_choices(const Graph& graph, Device& device, Selection& selection) const {
    std::istringstream lines{std::string(choices_)};
    std::string line;
    for (const Node* node = graph.first(); node; node = node->next()) {
      if (!std::getline(lines, line)) bad("there are fewer choices than nodes");
      std::vector<std::string> fields;
      std::istringstream in(line);
      for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
      fields.resize(8);
      NodeChoice chosen;
      Choice& choice = chosen.choice;
      for (const Tactic* tactic : device.tactics()) {
        if (fields[0] == tactic->name() && fields[1] == std::to_string(tactic->revision())) choice.tactic = tactic;
      }
      if (!choice.tactic) return false;
      choice.config = fields[2];
      chosen.seconds = std::strtod(fields[3].c_str(), nullptr);
      auto split = [](const std::string& text, char end, auto add) {
        std::istringstream parts(text);
        for (std::string part; std::getline(parts, part, end);) add(part);
      };
      split(fields[4], ',', [&](const std::string& part) { choice.inputs.push_back(Layout::parse(part)); });
      split(fields[5], ',', [&](const std::string& part) { choice.outputs.push_back(Layout::parse(part)); });
      split(fields[6], ';', [&](const std::string& part) { choice.packs.push_back(part); });
      split(fields[7], ',', [&](const std::string& part) { choice.in_place.push_back(std::atoi(part.c_str())); });
      if (!is_offered(*node, choice, device)) return false;
      selection.seconds += chosen.seconds;
      selection.nodes.emplace(node, std::move(chosen));
    }
    return true;
  }

  // What a file says must be something the tactic itself would propose for this node: a forged layout or config would
  // otherwise reach kernels.
  bool is_offered(const Node& node, const Choice& choice, Device& device) const {
    std::vector<Choice> offers;
    choice.tactic->propose(node, node_dims(node, opt_), device.target(), offers);
    return std::any_of(offers.begin(), offers.end(), [&](const Choice& offer) {
      return offer.config == choice.config && offer.inputs == choice.inputs && offer.outputs == choice.outputs &&
             offer.packs == choice.packs && offer.in_place == choice.in_place;
    });
  }

  // Every symbol that a node or a body can ask for has a value, and one that it allows.
  void check_sizes(const Graph& graph) const {
    for (const Dim& symbol : graph.symbols()) {
      const auto it = opt_.find(symbol.symbol_name());
      if (it == opt_.end() || it->second < symbol.low() || it->second > symbol.high())
        bad(fmt::format("the size to tune {} for is missing or out of its bounds", symbol.text()));
    }
    for (const Node* node = graph.first(); node; node = node->next()) {
      for (const auto& body : node->bodies()) check_sizes(*body);
    }
  }

  void add_section(Engine& engine) {
    Device& device = *runtime_.device();
    if (device_ != device.target().device || isa_ != device.target().isa) return;
    auto lowered = std::make_unique<LoweredEngine>();
    lowered->graph = parse(section_, false);
    check_sizes(*lowered->graph);
    if (!read_choices(*lowered->graph, device, lowered->selection)) return;
    auto forms = std::make_shared<MappedForms>(file_);
    std::vector<const Value*> constants;
    for (const auto& value : lowered->graph->values()) {
      if (value->is_constant()) constants.push_back(value.get());
    }
    for (const auto& [key, place] : section_.constants) {
      if (key.first < 0 || key.first >= static_cast<int>(constants.size())) bad("a constant of no value");
      const size_t element = dtype_size(place.second);
      if (place.first.bytes % element) bad("a constant's bytes are no whole elements");
      forms->add(constants[static_cast<size_t>(key.first)], key.second,
                 mapped(place.first, place.second, {static_cast<int64_t>(place.first.bytes / element)}, "constant"));
    }
    engine.weights().set_source(std::move(forms));
    lowered->target = device.target();
    lowered->opt = opt_;
    engine.set_section(std::move(lowered));
  }

  std::shared_ptr<const MappedFile> file_;
  Runtime& runtime_;
  GraphPart portable_, section_;
  Profile profile_;
  SymbolValues opt_;
  std::string device_, isa_;
  std::string_view choices_;
};

}  // namespace

bool is_engine_file(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof engine_magic && std::memcmp(bytes.data(), engine_magic, sizeof engine_magic) == 0;
}

std::shared_ptr<Engine> load_engine(const std::string& path, Runtime& runtime) {
  return with_context([&] { return fmt::format("engine \"{}\"", path); },
                      [&] { return Reader(MappedFile::open(path), runtime).run(); });
}

}  // namespace narae
