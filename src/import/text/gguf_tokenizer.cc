// SPDX-License-Identifier: Apache-2.0
// GGUF's tokenizer keys. A pre-tokenizer that is not in the list below would tokenize wrongly without a sound, so it is
// refused rather than taken for another.
// Source: the GGUF specification (ggml, docs/gguf.md), section "Tokenizer".
#include "import/text/gguf_tokenizer.h"

#include "base/error.h"
#include "import/text/merge_names.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

struct PreName {
  std::string_view name;
  PreSplit split;
  bool digits_alone;
  bool compose;
  bool llama3;  // words that are tokens need no merging; texts begin with BOS unless the file says otherwise
};
constexpr PreName pre_names[] = {
    {"gpt-2", PreSplit::gpt2, false, false, false},      {"starcoder", PreSplit::gpt2, true, false, false},
    {"refact", PreSplit::gpt2, true, false, false},      {"smollm", PreSplit::gpt2, true, false, false},
    {"llama-bpe", PreSplit::llama3, false, false, true}, {"qwen2", PreSplit::qwen2, false, true, false},
};

const PreName& pre_name(std::string_view wanted) {
  std::string known;
  for (const PreName& pre : pre_names) {
    if (pre.name == wanted) return pre;
    known += (known.empty() ? "" : ", ") + std::string(pre.name);
  }
  fail(ErrorCode::bad_file, "the pre-tokenizer \"{}\" (key tokenizer.ggml.pre) is not known; known are: {}",
       shown_text(wanted), known);
}

TokenKind kind_of(int64_t type, size_t id) {
  switch (type) {
    case 1: return TokenKind::normal;
    case 2: return TokenKind::unknown;
    case 3: return TokenKind::control;
    case 4: return TokenKind::user;
    case 5: return TokenKind::unused;
    case 6: return TokenKind::byte;
    default: fail(ErrorCode::bad_file, "token {} has the unknown type {} (key tokenizer.ggml.token_type)", id, type);
  }
}

void read_tokens(const Gguf& file, TokenizerTables& tables) {
  const std::vector<std::string_view> tokens = file.texts("tokenizer.ggml.tokens");
  tables.tokens.reserve(tokens.size(), tokens.size() * 8);
  for (const std::string_view token : tokens) tables.tokens.add(token);
  tables.kinds.assign(tokens.size(), TokenKind::normal);
  if (!file.has("tokenizer.ggml.token_type")) return;
  const std::vector<int64_t> types = file.integers("tokenizer.ggml.token_type");
  if (types.size() != tokens.size()) {
    fail(ErrorCode::bad_file, "tokenizer.ggml.token_type has {} entries for {} tokens", types.size(), tokens.size());
  }
  for (size_t id = 0; id < types.size(); ++id) {
    tables.kinds[id] = kind_of(types[id], id);
    const bool added = tables.kinds[id] == TokenKind::control || tables.kinds[id] == TokenKind::user;
    if (added) tables.added.push_back({static_cast<int32_t>(id)});
  }
}

int32_t find_id(const Gguf& file, const char* name, size_t tokens) {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
  const std::optional<int64_t> id = file.find_integer(key);
  if (!id) return -1;
  if (*id < 0 || *id >= static_cast<int64_t>(tokens)) {
    fail(ErrorCode::bad_file, "{} is {}, but there are {} tokens", key, *id, tokens);
  }
  return static_cast<int32_t>(*id);
}

void read_ids(const Gguf& file, TokenizerTables& tables) {
  const auto find = [&](const char* name) { return find_id(file, name, tables.tokens.size()); };
  const bool bert = tables.model == TokenizerModel::wordpiece;
  const int32_t eos = find("eos");
  tables.begin = bert && find("cls") >= 0 ? find("cls") : find("bos");
  // The key is spelled so in files of the format's first years.
  const int32_t separator = find("seperator") >= 0 ? find("seperator") : find("separator");
  tables.end = bert && separator >= 0 ? separator : eos;
  tables.unknown = find("unknown");
  tables.padding = find("padding");
  tables.add_begin = file.find_flag("tokenizer.ggml.add_bos_token").value_or(tables.add_begin);
  tables.add_end = file.find_flag("tokenizer.ggml.add_eos_token").value_or(tables.add_end);
  for (const int32_t id : {eos, find("eot"), find("eom")}) {
    if (id >= 0) tables.stops.push_back(id);
  }
}

void read_byte_bpe(const Gguf& file, TokenizerTables& tables) {
  const std::optional<std::string_view> name = file.find_text("tokenizer.ggml.pre");
  if (!name) fail(ErrorCode::bad_file, "the key tokenizer.ggml.pre is missing: how words are cut is not known");
  const PreName& pre = pre_name(*name);
  tables.model = TokenizerModel::byte_bpe;
  tables.split = pre.split;
  tables.digits_alone = pre.digits_alone;
  tables.compose = pre.compose;
  tables.whole_words_first = tables.add_begin = pre.llama3;
  const StringIndex index(tables.tokens);
  const std::vector<std::string_view> merges = file.texts("tokenizer.ggml.merges");
  tables.merges.reserve(merges.size());
  for (const std::string_view merge : merges) tables.merges.push_back(named_merge(merge, index));
}

void refuse_other_pre(const Gguf& file, std::initializer_list<std::string_view> known) {
  const std::optional<std::string_view> name = file.find_text("tokenizer.ggml.pre");
  if (!name) return;
  for (const std::string_view one : known) {
    if (*name == one) return;
  }
  fail(ErrorCode::bad_file, "the pre-tokenizer \"{}\" (key tokenizer.ggml.pre) is not known for this model",
       shown_text(*name));
}

void read_char_bpe(const Gguf& file, TokenizerTables& tables) {
  refuse_other_pre(file, {"default"});
  if (file.find_flag("tokenizer.ggml.remove_extra_whitespaces").value_or(false)) {
    fail(ErrorCode::bad_file, "tokenizer.ggml.remove_extra_whitespaces is not supported");
  }
  tables.model = TokenizerModel::char_bpe;
  tables.add_begin = true;
  tables.scores = file.numbers("tokenizer.ggml.scores");
  const bool prefix = file.find_flag("tokenizer.ggml.add_space_prefix").value_or(true);
  tables.space_prefix = prefix ? SpacePrefix::always : SpacePrefix::none;
}

void read_wordpiece(const Gguf& file, TokenizerTables& tables) {
  refuse_other_pre(file, {"default", "bert-bge"});
  tables.model = TokenizerModel::wordpiece;
  tables.add_begin = tables.add_end = true;
  tables.continuation.clear();
  tables.word_start = "\xe2\x96\x81";
}

// Files without a vocabulary, such as ones made for measuring, are run by token ids.
TokenizerTables ids_only(const Gguf& file) {
  TokenizerTables tables;
  tables.model = TokenizerModel::none;
  const Dims& dims = file.weights().at("token_embd.weight").dims;
  if (dims.size() != 2 || dims[0] < 1 || dims[0] > int64_t{1} << 26) {
    fail(ErrorCode::bad_file, "token_embd.weight is {}; its rows are no number of tokens", dims_text(dims));
  }
  tables.tokens.reserve(static_cast<size_t>(dims[0]), static_cast<size_t>(dims[0]) * 8);
  for (int64_t id = 0; id < dims[0]; ++id) tables.tokens.add(fmt::format("<{}>", id));
  tables.kinds.assign(static_cast<size_t>(dims[0]), TokenKind::normal);
  read_ids(file, tables);
  return tables;
}

}  // namespace

TokenizerTables gguf_tokenizer(const Gguf& file) {
  return with_context([&] { return fmt::format("tokenizer of \"{}\"", file.path()); },
                      [&] {
                        const std::string_view model = file.text("tokenizer.ggml.model");
                        if (model == "none") return ids_only(file);
                        TokenizerTables tables;
                        read_tokens(file, tables);
                        if (model == "gpt2") {
                          read_byte_bpe(file, tables);
                        } else if (model == "llama") {
                          read_char_bpe(file, tables);
                        } else if (model == "bert") {
                          read_wordpiece(file, tables);
                        } else {
                          fail(ErrorCode::bad_file,
                               "the tokenizer model \"{}\" (key tokenizer.ggml.model) is not known; known are: gpt2, "
                               "llama, bert, none",
                               shown_text(model));
                        }
                        read_ids(file, tables);
                        tables.chat_template = file.find_text("tokenizer.chat_template").value_or("");
                        return tables;
                      });
}

}  // namespace narae
