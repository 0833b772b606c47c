// SPDX-License-Identifier: Apache-2.0
// Stages by name and, where a pre-tokenizer is a regular expression, by its exact text: a pattern that looks alike may
// cut otherwise.
#include "import/text/json_stages.h"

#include "base/error.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

constexpr std::string_view blank_mark = "\xe2\x96\x81";

struct KnownPattern {
  std::string_view text;
  PreSplit split;
};
constexpr KnownPattern known_patterns[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", PreSplit::gpt2},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", PreSplit::gpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     PreSplit::llama3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     PreSplit::qwen2},
};

std::string type_of(const Json& stage) { return stage.at("type").get<std::string>(); }

[[noreturn]] void refuse(const char* what, const std::string& type, const char* why = "is not known") {
  fail(ErrorCode::bad_file, "the {} \"{}\" {}", what, shown_text(type), why);
}

// The stages of one slot of the file, without the Sequences that hold them.
void flatten(const Json& stage, const char* list, std::vector<const Json*>& flat) {
  if (stage.is_null()) return;
  if (type_of(stage) != "Sequence") return flat.push_back(&stage);
  for (const Json& part : stage.at(list)) flatten(part, list, flat);
}

std::vector<const Json*> stages_of(const Json& file, const char* slot, const char* list) {
  std::vector<const Json*> flat;
  if (const auto found = file.find(slot); found != file.end()) flatten(*found, list, flat);
  return flat;
}

bool optional_flag(const Json& stage, const char* key, bool otherwise) {
  const auto found = stage.find(key);
  return found == stage.end() || found->is_null() ? otherwise : found->get<bool>();
}

void read_bert_normalizer(const Json& stage, TokenizerTables& tables) {
  tables.clean_text = optional_flag(stage, "clean_text", true);
  tables.split_cjk = optional_flag(stage, "handle_chinese_chars", true);
  tables.lower_case = optional_flag(stage, "lowercase", true);
  tables.strip_accents = optional_flag(stage, "strip_accents", tables.lower_case);
}

void read_normalizers(const Json& file, TokenizerTables& tables, JsonStages& stages) {
  tables.clean_text = tables.split_cjk = tables.lower_case = tables.strip_accents = false;
  for (const Json* stage : stages_of(file, "normalizer", "normalizers")) {
    const std::string type = type_of(*stage);
    if (type == "NFC") {
      tables.compose = true;
    } else if (type == "BertNormalizer") {
      read_bert_normalizer(*stage, tables);
    } else if (type == "Prepend") {
      if (stage->at("prepend").get<std::string>() != blank_mark)
        refuse("normalizer", type, "adds another text than \u2581");
      if (stages.blank_marks) refuse("normalizer", type, "stands behind Replace");
      tables.space_prefix = SpacePrefix::always;
    } else if (type == "Replace") {
      const Json& pattern = stage->at("pattern");
      if (!pattern.contains("String") || pattern.at("String").get<std::string>() != " " ||
          stage->at("content").get<std::string>() != blank_mark) {
        refuse("normalizer", type, "does another thing than to write blanks as \u2581");
      }
      stages.blank_marks = true;
    } else {
      refuse("normalizer", type);
    }
  }
}

// Metaspace; its older form has add_prefix_space instead of prepend_scheme.
void read_metaspace(const Json& stage, TokenizerTables& tables) {
  if (stage.at("replacement").get<std::string>() != blank_mark) {
    refuse("pre-tokenizer", "Metaspace", "writes blanks otherwise than \u2581");
  }
  std::string scheme = optional_flag(stage, "add_prefix_space", true) ? "always" : "never";
  if (const auto given = stage.find("prepend_scheme"); given != stage.end()) scheme = given->get<std::string>();
  if (scheme == "never") return;
  if (scheme != "always" && scheme != "first") refuse("prepend_scheme", scheme);
  if (tables.space_prefix != SpacePrefix::none) refuse("pre-tokenizer", "Metaspace", "adds a blank a second time");
  tables.space_prefix = scheme == "first" ? SpacePrefix::first : SpacePrefix::always;
  tables.space_prefix_once = true;
}

// What the stages before ByteLevel cut.
struct Cuts {
  bool digits = false;
  bool pattern = false;
};

void read_split(const Json& stage, TokenizerTables& tables, Cuts& cuts) {
  const Json& pattern = stage.at("pattern");
  if (!pattern.contains("Regex")) refuse("pre-tokenizer", "Split", "cuts at a fixed text");
  const auto regex = pattern.at("Regex").get<std::string>();
  const auto behavior = stage.at("behavior").get<std::string>();
  const bool inverted = optional_flag(stage, "invert", false);
  if (regex == "\\p{N}" && behavior == "Isolated" && !inverted && !cuts.pattern) {
    cuts.digits = true;
    return;
  }
  // A pattern that matches everywhere cuts alike whether matches are kept or, inverted, what lies between removed.
  if (!(behavior == "Isolated" && !inverted) && !(behavior == "Removed" && inverted)) {
    refuse("pre-tokenizer", "Split", "has a behavior that is not known");
  }
  for (const KnownPattern& known : known_patterns) {
    if (known.text == regex && !cuts.pattern) {
      tables.split = known.split;
      cuts.pattern = true;
      return;
    }
  }
  fail(ErrorCode::bad_file, "the pre-tokenizer \"Split\" has a pattern that is not known: {}", shown_text(regex));
}

void read_byte_level(const Json& stage, TokenizerTables& tables, const Cuts& cuts) {
  const bool own_pattern = optional_flag(stage, "use_regex", true);
  if (own_pattern && cuts.pattern) refuse("pre-tokenizer", "ByteLevel", "cuts a second time (use_regex)");
  if (!cuts.pattern) tables.split = own_pattern ? PreSplit::gpt2 : PreSplit::none;
  tables.digits_alone = cuts.digits;
  if (!optional_flag(stage, "add_prefix_space", true)) return;
  if (cuts.pattern || cuts.digits) refuse("pre-tokenizer", "ByteLevel", "adds a blank to each part (add_prefix_space)");
  tables.space_prefix = SpacePrefix::always;
}

void read_pre_tokenizers(const Json& file, TokenizerTables& tables, JsonStages& stages) {
  Cuts cuts;
  for (const Json* stage : stages_of(file, "pre_tokenizer", "pretokenizers")) {
    const std::string type = type_of(*stage);
    if (stages.byte_level || stages.bert_words) refuse("pre-tokenizer", type, "stands behind the last that is known");
    if (type == "ByteLevel") {
      read_byte_level(*stage, tables, cuts);
      stages.byte_level = true;
    } else if (type == "Digits") {
      if (!optional_flag(*stage, "individual_digits", false)) refuse("pre-tokenizer", type, "keeps numbers whole");
      if (cuts.pattern) refuse("pre-tokenizer", type, "stands behind Split");
      cuts.digits = true;
    } else if (type == "Split") {
      read_split(*stage, tables, cuts);
    } else if (type == "Metaspace") {
      read_metaspace(*stage, tables);
      stages.blank_marks = true;
    } else if (type == "BertPreTokenizer") {
      stages.bert_words = true;
    } else {
      refuse("pre-tokenizer", type);
    }
  }
  if ((cuts.digits || cuts.pattern) && !stages.byte_level)
    refuse("pre-tokenizer", "Split", "is not followed by ByteLevel");
}

int32_t id_of(const Json& number) {
  const auto id = number.get<int64_t>();
  if (id < 0 || id > INT32_MAX) fail(ErrorCode::bad_file, "{} is no token id", id);
  return static_cast<int32_t>(id);
}

void set_around(int32_t& id, bool& add, int32_t value, const std::string& type) {
  if (add) refuse("post-processor", type, "puts more than one token before or behind a text");
  id = value;
  add = true;
}

void read_template(const Json& stage, TokenizerTables& tables) {
  bool before = true;
  for (const Json& part : stage.at("single")) {
    if (part.contains("Sequence")) {
      if (!before) refuse("post-processor", "TemplateProcessing", "repeats the text");
      before = false;
      continue;
    }
    const auto name = part.at("SpecialToken").at("id").get<std::string>();
    const Json& ids = stage.at("special_tokens").at(name).at("ids");
    if (ids.size() != 1) refuse("post-processor", "TemplateProcessing", "has a special token of several ids");
    set_around(before ? tables.begin : tables.end, before ? tables.add_begin : tables.add_end, id_of(ids.at(0)),
               "TemplateProcessing");
  }
}

void read_post_processors(const Json& file, TokenizerTables& tables) {
  for (const Json* stage : stages_of(file, "post_processor", "processors")) {
    const std::string type = type_of(*stage);
    if (type == "ByteLevel") continue;  // moves offsets only
    if (type == "TemplateProcessing") {
      read_template(*stage, tables);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      set_around(tables.begin, tables.add_begin, id_of(stage->at("cls").at(1)), type);
      set_around(tables.end, tables.add_end, id_of(stage->at("sep").at(1)), type);
    } else {
      refuse("post-processor", type);
    }
  }
}

void check_decoders(const Json& file) {
  for (const Json* stage : stages_of(file, "decoder", "decoders")) {
    const std::string type = type_of(*stage);
    bool known = false;
    for (const char* one : {"ByteLevel", "WordPiece", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"}) {
      known = known || type == one;
    }
    if (!known) refuse("decoder", type);
  }
}

}  // namespace

JsonStages read_json_stages(const Json& file, TokenizerTables& tables) {
  JsonStages stages;
  read_normalizers(file, tables, stages);
  read_pre_tokenizers(file, tables, stages);
  read_post_processors(file, tables);
  check_decoders(file);
  return stages;
}

}  // namespace narae
