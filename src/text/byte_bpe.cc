// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE (GPT-2): a pre-tokenizer cuts the text into words, whose bytes are merged.
#include <array>
#include <optional>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/normal_form.h"
#include "text/segment_encoder.h"

namespace narae {
namespace {

// Normal tokens by their bytes.
struct WholeWords {
  StringTable bytes;
  std::optional<StringIndex> index;
};

class ByteBpe final : public SegmentEncoder {
 public:
  ByteBpe(const TokenizerTables& tables, const StringIndex& index)
      : rules_(listed_merges(tables, index)),
        next_word_(next_word(tables.split)),
        digits_alone_(tables.digits_alone),
        compose_(tables.compose),
        prefix_(tables.space_prefix != SpacePrefix::none) {
    bool some = false;
    for (int byte = 0; byte < 256; ++byte) {
      const int32_t id = index.find(byte_letter(static_cast<uint8_t>(byte)));
      byte_ids_[byte] = id >= 0 ? id : tables.unknown;
      some = some || id >= 0;
    }
    if (!some) fail(ErrorCode::bad_file, "no token is a single byte: this is no byte-level vocabulary");
    if (tables.whole_words_first) add_whole_words(tables);
  }

  void encode(std::string_view text, bool, EncodeScratch& scratch, std::vector<int32_t>& ids) const override {
    if (compose_) text = composed(text, scratch.text);
    if (prefix_ && text[0] != ' ') {
      scratch.other.assign(1, ' ').append(text);
      text = scratch.other;
    }
    for (size_t at = 0; at < text.size();) {
      const size_t end = digits_alone_ ? next_digit_cut(text, at) : text.size();
      const std::string_view part = text.substr(0, end);
      while (at < end) {
        const size_t word_end = next_word_(part.substr(at), 0) + at;
        encode_word(text.substr(at, word_end - at), scratch, ids);
        at = word_end;
      }
    }
  }

 private:
  void add_whole_words(const TokenizerTables& tables) {
    for (size_t id = 0; id < tables.tokens.size(); ++id) {
      std::string bytes;
      const bool word = tables.kinds[id] == TokenKind::normal && append_spelled_bytes(tables.tokens[id], bytes);
      whole_.bytes.add(word ? bytes : std::string_view());
    }
    whole_.index.emplace(whole_.bytes);
  }

  void encode_word(std::string_view word, EncodeScratch& scratch, std::vector<int32_t>& ids) const {
    if (whole_.index) {
      if (const int32_t id = whole_.index->find(word); id >= 0) {
        ids.push_back(id);
        return;
      }
    }
    // Merged where they will stay.
    const size_t before = ids.size();
    ids.resize(before + word.size());
    size_t count = before;
    for (const char c : word) {
      const int32_t id = byte_ids_[static_cast<uint8_t>(c)];
      if (id >= 0) ids[count++] = id;  // a byte without a token is left out, as the reference does
    }
    ids.resize(before + rules_.merge(ids.data() + before, count - before, scratch.merge));
  }

  MergeRules rules_;
  NextWord next_word_;
  bool digits_alone_;
  bool compose_;
  bool prefix_;
  std::array<int32_t, 256> byte_ids_;
  WholeWords whole_;
};

}  // namespace

std::unique_ptr<const SegmentEncoder> make_byte_bpe(const TokenizerTables& tables, const StringIndex& index) {
  return std::make_unique<ByteBpe>(tables, index);
}

}  // namespace narae
