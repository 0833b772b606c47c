// SPDX-License-Identifier: Apache-2.0
#include "llm/answer_reader.h"

#include "base/error.h"
#include "llm/sampling_params.h"

namespace narae {

AnswerReader::AnswerReader(const Tokenizer& tokenizer, RequestPtr request, const std::vector<std::string>& stops,
                           std::function<void(int32_t)> stop_branch)
    : request_(std::move(request)), stop_branch_(std::move(stop_branch)) {
  const int32_t branches = dynamic_cast<const SamplingParams&>(*request_->params).n;
  for (int32_t i = 0; i < branches; ++i) branches_.push_back({TextStream(tokenizer, stops), {}, {}, {}, Finish::none});
}

void AnswerReader::add(const Piece& piece, Event& event) {
  Branch& branch = branches_.at(static_cast<size_t>(piece.branch));
  const size_t before = branch.text.size();
  const bool goes_on = branch.stream.push(piece, branch.text);
  if (piece.token >= 0) branch.logprobs.push_back(piece.logprob);
  branch.finish = branch.stream.finish();
  if (!goes_on && piece.finish == Finish::none) stop_branch_(piece.branch);
  branch.tops.insert(branch.tops.end(), piece.top.begin(), piece.top.end());
  event = {piece.branch, piece.token, piece.logprob, branch.finish, branch.text.substr(before), piece.top};
}

// Branches that nobody ended go the way of the request.
bool AnswerReader::add_end(Event& event) {
  for (size_t i = 0; i < branches_.size(); ++i) {
    if (branches_[i].finish != Finish::none) continue;
    Piece piece;
    piece.branch = static_cast<int32_t>(i);
    piece.finish = request_->out->ending().finish;
    add(piece, event);
    return true;
  }
  return false;
}

bool AnswerReader::next(Event& event) {
  for (Piece piece; !ended_;) {
    if (!request_->out->read({&piece, 1})) {
      if (!request_->out->finished()) return false;
      if (add_end(event)) return true;
      ended_ = true;
      return false;
    }
    const bool with_request =
        piece.finish == Finish::failed || piece.finish == Finish::expired || piece.finish == Finish::cancelled;
    if (with_request) continue;  // told when the request has its ending
    if (branches_.at(static_cast<size_t>(piece.branch)).finish != Finish::none) continue;  // behind a stop string
    add(piece, event);
    return true;
  }
  return false;
}

}  // namespace narae
