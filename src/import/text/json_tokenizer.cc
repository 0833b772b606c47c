// SPDX-License-Identifier: Apache-2.0
// Vocabulary, merges and added tokens of a tokenizer.json. Ids come from an untrusted file: they are bounded by the
// number of tokens before anything is sized by them.
#include "import/text/json_tokenizer.h"

#include "base/error.h"
#include "import/text/json_stages.h"
#include "import/text/merge_names.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

struct Spelled {
  std::string text;
  bool there = false;
};

// Token `id`, growing the list; at most a few holes a token.
Spelled& token_at(std::vector<Spelled>& tokens, int64_t id, size_t count, const std::string& text) {
  if (id < 0 || static_cast<uint64_t>(id) >= 4 * count + 65536) {
    fail(ErrorCode::bad_file, "the token \"{}\" has the id {}, which does not fit {} tokens", shown_text(text), id,
         count);
  }
  if (static_cast<size_t>(id) >= tokens.size()) tokens.resize(static_cast<size_t>(id) + 1);
  return tokens[static_cast<size_t>(id)];
}

void read_vocabulary(const Json& vocabulary, size_t count, std::vector<Spelled>& tokens) {
  if (!vocabulary.is_object()) fail(ErrorCode::bad_file, "model.vocab is no object");
  for (const auto& [text, id] : vocabulary.items()) {
    Spelled& token = token_at(tokens, id.get<int64_t>(), count, text);
    if (token.there) {
      fail(ErrorCode::bad_file, "\"{}\" and \"{}\" have the same id {}", shown_text(token.text), shown_text(text),
           id.get<int64_t>());
    }
    token = {text, true};
  }
}

struct Added {
  AddedToken token;
  bool special;
};

std::vector<Added> read_added(const Json& file, size_t count, std::vector<Spelled>& tokens) {
  std::vector<Added> added;
  const auto list = file.find("added_tokens");
  if (list == file.end() || list->is_null()) return added;
  for (const Json& entry : *list) {
    const auto text = entry.at("content").get<std::string>();
    const auto id = entry.at("id").get<int64_t>();
    Spelled& token = token_at(tokens, id, count, text);
    if (token.there && token.text != text) {
      fail(ErrorCode::bad_file, "the added token \"{}\" has the id {} of \"{}\"", shown_text(text), id,
           shown_text(token.text));
    }
    token = {text, true};
    added.push_back({{static_cast<int32_t>(id), entry.value("lstrip", false), entry.value("rstrip", false),
                      entry.value("single_word", false)},
                     entry.value("special", false)});
  }
  return added;
}

bool is_byte_token(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  return text.size() == 6 && text.substr(0, 3) == "<0x" && digit(text[3]) && digit(text[4]) && text[5] == '>';
}

void set_tokens(const std::vector<Spelled>& tokens, const std::vector<Added>& added, TokenizerTables& tables) {
  size_t bytes = 0;
  for (const Spelled& token : tokens) bytes += token.text.size();
  tables.tokens.reserve(tokens.size(), bytes);
  for (const Spelled& token : tokens) {
    tables.tokens.add(token.text);
    const bool byte = tables.model == TokenizerModel::char_bpe && tables.byte_fallback && is_byte_token(token.text);
    tables.kinds.push_back(!token.there ? TokenKind::unused : byte ? TokenKind::byte : TokenKind::normal);
  }
  for (const Added& one : added) {
    tables.kinds[one.token.id] = one.special ? TokenKind::control : TokenKind::user;
    tables.added.push_back(one.token);
  }
}

void read_unknown(const Json& model, const StringIndex& index, TokenizerTables& tables) {
  const auto name = model.find("unk_token");
  if (name == model.end() || name->is_null()) return;
  tables.unknown = index.find(name->get<std::string>());
  if (tables.unknown < 0) {
    fail(ErrorCode::bad_file, "model.unk_token \"{}\" is no token", shown_text(name->get<std::string>()));
  }
  TokenKind& kind = tables.kinds[tables.unknown];
  if (kind == TokenKind::normal) kind = TokenKind::unknown;
}

void read_merges(const Json& model, const StringIndex& index, TokenizerTables& tables) {
  const Json& merges = model.at("merges");
  if (!merges.is_array()) fail(ErrorCode::bad_file, "model.merges is no list");
  tables.merges.reserve(merges.size());
  for (const Json& merge : merges) {
    if (merge.is_string()) {
      tables.merges.push_back(named_merge(merge.get_ref<const std::string&>(), index));
    } else {
      if (merge.size() != 2) fail(ErrorCode::bad_file, "a merge of {} tokens", merge.size());
      tables.merges.push_back(
          named_merge(merge.at(0).get_ref<const std::string&>(), merge.at(1).get_ref<const std::string&>(), index));
    }
  }
}

void refuse_text(const Json& model, const char* key) {
  const auto found = model.find(key);
  if (found == model.end() || found->is_null()) return;
  if (!found->is_string() || !found->get_ref<const std::string&>().empty()) {
    fail(ErrorCode::bad_file, "model.{} is not supported", key);
  }
}

// Old files have no type.
std::string model_type(const Json& model) {
  if (const auto type = model.find("type"); type != model.end()) return type->get<std::string>();
  return model.contains("merges") ? "BPE" : model.contains("max_input_chars_per_word") ? "WordPiece" : "(without type)";
}

void set_bpe(const Json& model, const JsonStages& stages, TokenizerTables& tables) {
  if (stages.byte_level && !stages.blank_marks) {
    tables.model = TokenizerModel::byte_bpe;
  } else if (stages.blank_marks && !stages.byte_level && !stages.bert_words && !tables.compose) {
    tables.model = TokenizerModel::char_bpe;
  } else {
    fail(ErrorCode::bad_file, "the model \"BPE\" is known with the pre-tokenizer ByteLevel, or with blanks as \u2581");
  }
  refuse_text(model, "continuing_subword_prefix");
  refuse_text(model, "end_of_word_suffix");
  if (model.contains("dropout") && !model.at("dropout").is_null() && model.at("dropout").get<double>() != 0) {
    fail(ErrorCode::bad_file, "model.dropout is not supported: it makes ids random");
  }
  tables.whole_words_first = model.value("ignore_merges", false);
  tables.byte_fallback = model.value("byte_fallback", false);
  tables.fuse_unknown = model.value("fuse_unk", false);
  if (tables.whole_words_first && tables.model == TokenizerModel::char_bpe) {
    fail(ErrorCode::bad_file, "model.ignore_merges is not supported without ByteLevel");
  }
}

void set_wordpiece(const Json& model, const JsonStages& stages, TokenizerTables& tables) {
  if (!stages.bert_words || tables.compose) {
    fail(ErrorCode::bad_file, "the model \"WordPiece\" is known with the pre-tokenizer BertPreTokenizer only");
  }
  tables.model = TokenizerModel::wordpiece;
  tables.continuation = model.value("continuing_subword_prefix", "##");
  const auto longest = model.value("max_input_chars_per_word", int64_t{100});
  if (longest < 1 || longest > INT32_MAX) {
    fail(ErrorCode::bad_file, "model.max_input_chars_per_word is {}", longest);
  }
  tables.longest_word = static_cast<int32_t>(longest);
}

TokenizerTables read(const Json& file) {
  if (!file.is_object()) fail(ErrorCode::bad_file, "the file is no JSON object");
  const Json& model = file.at("model");
  const std::string type = model_type(model);
  TokenizerTables tables;
  const JsonStages stages = read_json_stages(file, tables);
  if (type == "BPE") {
    set_bpe(model, stages, tables);
  } else if (type == "WordPiece") {
    set_wordpiece(model, stages, tables);
  } else {
    fail(ErrorCode::bad_file, "the tokenizer model \"{}\" is not known; known are: BPE, WordPiece", shown_text(type));
  }
  const Json& vocabulary = model.at("vocab");
  const size_t count = vocabulary.size() + (file.contains("added_tokens") ? file.at("added_tokens").size() : 0);
  std::vector<Spelled> tokens;
  read_vocabulary(vocabulary, count, tokens);
  const std::vector<Added> added = read_added(file, count, tokens);
  set_tokens(tokens, added, tables);
  const StringIndex index(tables.tokens);
  read_unknown(model, index, tables);
  if (type == "BPE") read_merges(model, index, tables);
  return tables;
}

}  // namespace

TokenizerTables json_tokenizer(std::string_view text) {
  const Json file = parse_json("the file", text);
  try {
    return read(file);
  } catch (const Json::exception& error) {
    fail(ErrorCode::bad_file, "the file is not as tokenizer.json is written: {}", shown_text(error.what()));
  }
}

}  // namespace narae
