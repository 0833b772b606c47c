// SPDX-License-Identifier: Apache-2.0
#include "backend/rope_kv_problem.h"

#include <algorithm>

namespace narae {
namespace {

class BodyReader {
 public:
  BodyReader(const Node& node, const NodeDims& dims) : body_(*node.bodies()[0]), node_(node), dims_(dims) {}

  std::optional<RopeKvProblem> read() {
    for (const Node* inner = body_.first(); inner; inner = inner->next()) {
      if (inner->is("rope") ? !take_rope(*inner) : !inner->is("kv_write") || !take_write(*inner)) return std::nullopt;
    }
    if (!rope_) return std::nullopt;
    for (size_t i = 0; i < body_.outputs().size(); ++i) {
      if (!take_result(i)) return std::nullopt;
    }
    return std::move(problem_);
  }

 private:
  int operand(const Value* inner) const {
    const auto at = std::find(body_.inputs().begin(), body_.inputs().end(), inner);
    return at == body_.inputs().end() ? -1 : static_cast<int>(at - body_.inputs().begin());
  }
  bool take_rope(const Node& rope) {
    const int positions = operand(rope.input(1)), frequencies = operand(rope.input(2));
    if (positions < 0 || frequencies < 0) return false;
    if (rope_) {
      return rope_->input(1) == rope.input(1) && rope_->input(2) == rope.input(2) &&
             rope_->attribute_box()->text() == rope.attribute_box()->text();
    }
    rope_ = &rope;
    problem_.positions = static_cast<size_t>(positions), problem_.frequencies = static_cast<size_t>(frequencies);
    problem_.rows = dims_.inputs[problem_.positions][0];
    problem_.pairs = dims_.inputs[problem_.frequencies][0];
    problem_.rope = rope.attributes<RopeAttributes>();
    return true;
  }
  bool take_write(const Node& write) {
    const int targets = operand(write.input(2));
    if (targets < 0 || (write_ && write_->input(2) != write.input(2))) return false;
    write_ = &write;
    problem_.targets = static_cast<size_t>(targets);
    return true;
  }
  bool take_result(size_t i) {
    const Node* made = body_.outputs()[i]->producer();
    if (!made) return false;
    RopePart part;
    part.output = node_.inputs().size() + i;
    part.to = body_.outputs()[i]->dtype();
    const Value* x = made->output();
    if (made->is("kv_write")) {
      part.state = operand(made->input(0));
      if (part.state < 0) return false;
      part.places = dims_.inputs[static_cast<size_t>(part.state)][0];
      x = made->input(1);
    }
    part.turned = x->producer() && x->producer()->is("rope");
    if (part.turned) x = x->producer()->input(0);
    const int from = operand(x);
    if (from < 0 || x->rank() != 3) return false;
    part.from = x->dtype();
    part.x = static_cast<size_t>(from);
    part.heads = dims_.inputs[part.x][1], part.width = dims_.inputs[part.x][2];
    if (dims_.inputs[part.x][0] != problem_.rows || (part.turned && 2 * problem_.pairs > part.width)) return false;
    problem_.heads += part.heads;
    problem_.width = std::max(problem_.width, part.width);
    problem_.parts.push_back(part);
    return true;
  }

  const Graph& body_;
  const Node& node_;
  const NodeDims& dims_;
  const Node *rope_ = nullptr, *write_ = nullptr;
  RopeKvProblem problem_;
};

}  // namespace

std::optional<RopeKvProblem> rope_kv_problem(const Node& node, const NodeDims& dims) {
  if (!node.is("fused")) return std::nullopt;
  return BodyReader(node, dims).read();
}

}  // namespace narae
