// SPDX-License-Identifier: Apache-2.0
// Graph + Selection + sizes -> Program: slots and records in order, aliases, lanes, lifetimes, places. The kernel of an
// alias still copies when the planner could not arrange the alias, so nothing here has to succeed.
#include "plan/program.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "graph/updates.h"
#include "plan/lanes.h"

namespace narae {

int Program::root(int slot, int64_t* offset) const {
  int64_t sum = 0;
  int at = slot;
  while (slots[static_cast<size_t>(at)].parent >= 0) {
    sum += slots[static_cast<size_t>(at)].offset;
    at = slots[static_cast<size_t>(at)].parent;
  }
  if (offset) *offset = sum;
  return at;
}

namespace {

// Of a node all of whose results are empty.
class NoWork final : public Kernel {
 public:
  void launch(Stream&, std::span<void* const>, void*) const override {}
};

class ProgramBuilder {
 public:
  ProgramBuilder(const Graph& graph, const Selection& selection, Device& device, const SymbolValues& sizes)
      : graph_(graph),
        selection_(selection),
        device_(device),
        sizes_(sizes),
        direct_(device.domain() == MemoryDomain::host) {}

  Program run() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      program_.output_dims.push_back(evaluate(graph_.outputs()[i]->shape(), sizes_));
    }
    add_inputs();
    add_states();
    reserve_outputs();
    for (const Node* node = graph_.first(); node; node = node->next()) add_node(*node);
    finish_outputs();
    assign_lanes(program_, device_.auxiliary_lanes());
    set_lifetimes();
    share_in_place();
    set_lifetimes();
    note_aliases();
    place();
    return std::move(program_);
  }

 private:
  Slot& slot(int i) { return program_.slots[static_cast<size_t>(i)]; }

  int new_slot(const Value* value, const Layout& layout) {
    Slot made;
    made.value = value;
    made.layout = layout;
    made.dims = evaluate(value->shape(), sizes_);
    made.bytes = layout.stored_count(made.dims) * static_cast<int64_t>(dtype_size(value->dtype()));
    program_.slots.push_back(std::move(made));
    return static_cast<int>(program_.slots.size()) - 1;
  }

  Record& new_record(RecordKind kind) {
    program_.records.emplace_back();
    program_.records.back().kind = kind;
    return program_.records.back();
  }

  void add_inputs() {
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const Value* value = graph_.inputs()[i];
      const int made = new_slot(value, Layout::plain());
      program_.input_dims.push_back(slot(made).dims);
      forms_[value].push_back(made);
      if (direct_) {
        slot(made).place = SlotPlace::input;
        slot(made).index = static_cast<int>(i);
      } else {
        Record& record = new_record(RecordKind::copy_in);
        record.operands = {made};
        record.external = static_cast<int>(i);
      }
    }
  }

  void add_states() {
    for (size_t i = 0; i < graph_.states().size(); ++i) {
      const Value* value = graph_.states()[i];
      const int made = new_slot(value, Layout::plain());
      slot(made).place = SlotPlace::state;
      slot(made).index = static_cast<int>(i);
      forms_[value] = {made};
    }
  }

  // Results that some node makes are written where the caller wants them, when that memory is the device's own.
  void reserve_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const Value* value = graph_.outputs()[i];
      if (direct_ && value->producer() && !output_of_.count(value)) output_of_[value] = static_cast<int>(i);
    }
  }

  int constant_slot(const Value* value, const Layout& layout, const std::string& pack, const Node& node, size_t input) {
    const std::string key = pack.empty() ? layout.text() : "pack " + pack;
    auto [it, fresh] = constant_slots_.try_emplace({value, key}, -1);
    if (fresh) {
      it->second = new_slot(value, pack.empty() ? layout : Layout::plain());
      slot(it->second).place = SlotPlace::constant;
      slot(it->second).index = static_cast<int>(program_.constants.size());
      program_.constants.push_back({value, layout, pack, &node, input});
    }
    return it->second;
  }

  // The value in this layout; makes a reformat record when there is none yet.
  int form(const Value* value, const Layout& layout) {
    std::vector<int>& forms = forms_.at(value);
    for (const int known : forms) {
      if (slot(known).layout == layout) return known;
    }
    const int from = forms.front();
    const int to = new_slot(value, layout);
    forms_.at(value).push_back(to);
    reformat(from, to);
    return to;
  }

  void reformat(int from, int to) {
    Record& record = new_record(RecordKind::launch);
    record.kernel =
        device_.make_reformat(slot(from).value->dtype(), slot(from).dims, slot(from).layout, slot(to).layout);
    record.operands = {from, to};
    record.what = "reformat " + slot(from).layout.text() + " -> " + slot(to).layout.text();
  }

  struct Launch {
    const Choice* choice;
    std::unique_ptr<Kernel> kernel;
  };

  Launch launch_of(const Node& node, const NodeDims& dims) {
    const Choice& selected = selection_.nodes.at(&node).choice;
    if (std::all_of(dims.outputs.begin(), dims.outputs.end(), [](const Dims& d) { return element_count(d) == 0; })) {
      return {&selected, std::make_unique<NoWork>()};
    }
    return with_context([&] { return fmt::format("node \"{}\" ({})", node.label(), node.op().name); },
                        [&]() -> Launch {
                          try {
                            return {&selected, selected.tactic->specialise(node, selected, dims, device_)};
                          } catch (const Error& error) {
                            if (error.code() != ErrorCode::does_not_fit || selected.tactic->is_reference()) throw;
                          }
                          const Choice& other = choice_here(node, dims);
                          return {&other, other.tactic->specialise(node, other, dims, device_)};
                        });
  }

  // What was selected need not cover all other sizes: an image may become empty on the way. Packed forms exist for the
  // selected choice only; the last tactic covers everything.
  const Choice& choice_here(const Node& node, const NodeDims& dims) {
    const EstimatedCosts costs;
    std::vector<Candidate> offers = candidates_for(node, device_, sizes_, costs);
    const Candidate* best = nullptr;
    for (const Candidate& offer : offers) {
      const std::vector<std::string>& packs = offer.choice.packs;
      if (!std::all_of(packs.begin(), packs.end(), [](const std::string& pack) { return pack.empty(); })) continue;
      if (!best || offer.seconds < best->seconds) best = &offer;
    }
    std::vector<Choice> last;
    if (!best) device_.tactics().back()->propose(node, dims, device_.target(), last);
    program_.others.push_back(best ? best->choice : last.at(0));
    return program_.others.back();
  }

  void add_node(const Node& node) {
    const NodeDims dims = node_dims(node, sizes_);
    auto [taken, kernel] = launch_of(node, dims);
    const Choice& choice = *taken;
    std::vector<int> operands;
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* value = node.input(i);
      if (!value) {
        operands.push_back(-1);
      } else if (value->is_constant()) {
        operands.push_back(constant_slot(value, choice.inputs[i], choice.packs[i], node, i));
      } else {
        operands.push_back(form(value, choice.inputs[i]));
      }
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Value* value = node.output(i);
      const int made = new_slot(value, choice.outputs[i]);
      const auto output = output_of_.find(value);
      if (const int state = updated_state(node, i); state >= 0) {
        const auto from = static_cast<size_t>(state);
        NARAE_CHECK(choice.inputs[from].is_plain() && choice.outputs[i].is_plain());
        set_parent(made, operands[from], 0);
      } else if (output != output_of_.end() && choice.outputs[i].is_plain()) {
        slot(made).place = SlotPlace::output;
        slot(made).index = output->second;
      }
      forms_[value] = {made};
      operands.push_back(made);
    }
    std::vector<Tactic::Alias> aliases;
    choice.tactic->aliases(node, choice, dims, aliases);
    for (const Tactic::Alias& alias : aliases) {
      add_alias(alias, operands[static_cast<size_t>(alias.input)],
                operands[node.inputs().size() + static_cast<size_t>(alias.output)]);
    }
    aliases_.push_back({program_.records.size(), node.inputs().size(), std::move(aliases)});
    Record& record = new_record(RecordKind::launch);
    record.kernel = std::move(kernel);
    record.operands = std::move(operands);
    record.node = &node;
    record.what = choice.config.empty() ? choice.tactic->name() : choice.tactic->name() + ("/" + choice.config);
    record.seconds = selection_.nodes.at(&node).seconds;
    in_place_.push_back({static_cast<int>(program_.records.size()) - 1, choice.in_place, node.inputs().size()});
  }

  bool is_free(int s) { return slot(s).parent < 0 && slot(s).place == SlotPlace::arena; }

  void add_alias(const Tactic::Alias& alias, int input, int output) {
    if (input < 0) return;
    if (alias.input_in_output) {
      if (is_free(input) && program_.root(output) != input) set_parent(input, output, alias.offset);
      return;
    }
    if (is_free(output)) {
      if (program_.root(input) != output) set_parent(output, input, alias.offset);
    } else if (alias.offset == 0 && is_free(input) && slot(input).bytes == slot(output).bytes) {
      set_parent(input, output, 0);  // the result must lie elsewhere, so the operand goes there
    }
  }

  void set_parent(int child, int parent, int64_t offset) {
    slot(child).parent = parent;
    slot(child).offset = offset;
  }

  // Which of the aliases asked for came true, told from where the slots ended up.
  void note_aliases() {
    for (const auto& [index, inputs, aliases] : aliases_) {
      Record& record = program_.records[index];
      record.aliased.assign(record.operands.size(), false);
      for (const Tactic::Alias& alias : aliases) {
        const auto input = static_cast<size_t>(alias.input), output = inputs + static_cast<size_t>(alias.output);
        if (record.operands[input] < 0) continue;
        int64_t from, to;
        const int home = program_.root(record.operands[input], &from);
        if (home != program_.root(record.operands[output], &to)) continue;
        if ((alias.input_in_output ? to : from) + alias.offset != (alias.input_in_output ? from : to)) continue;
        record.aliased[alias.input_in_output ? input : output] = true;
      }
    }
  }

  // Outputs that are not yet where the caller wants them: other layouts, repeated values, inputs and constants.
  void finish_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const Value* value = graph_.outputs()[i];
      if (value->is_constant() && !forms_.count(value)) {
        const Node* nobody = nullptr;
        const int made = new_slot(value, Layout::plain());
        slot(made).place = SlotPlace::constant;
        slot(made).index = static_cast<int>(program_.constants.size());
        program_.constants.push_back({value, Layout::plain(), {}, nobody, 0});
        forms_[value] = {made};
      }
      const int first = forms_.at(value).front();
      const Slot& have = slot(first);
      if (have.place == SlotPlace::output && have.index == static_cast<int>(i)) continue;
      if (direct_) {
        const int to = new_slot(value, Layout::plain());
        slot(to).place = SlotPlace::output;
        slot(to).index = static_cast<int>(i);
        reformat(first, to);
      } else {
        const int plain = form(value, Layout::plain());
        Record& record = new_record(RecordKind::copy_out);
        record.operands = {plain};
        record.external = static_cast<int>(i);
      }
    }
  }

  void set_lifetimes() {
    for (Slot& s : program_.slots) s.first = s.last = -1;
    for (size_t r = 0; r < program_.records.size(); ++r) {
      for (const int operand : program_.records[r].operands) {
        for (int at = operand; at >= 0; at = slot(at).parent) {
          if (slot(at).first < 0) slot(at).first = static_cast<int>(r);
          slot(at).last = static_cast<int>(r);
        }
      }
    }
  }

  // A result takes over the memory of an operand that nobody needs afterwards.
  void share_in_place() {
    std::vector<int> children(program_.slots.size(), 0);
    for (const Slot& s : program_.slots) {
      if (s.parent >= 0) ++children[static_cast<size_t>(s.parent)];
    }
    const Ordering ordering(program_);
    for (const auto& [record, in_place, inputs] : in_place_) {
      for (size_t i = 0; i < in_place.size(); ++i) {
        if (in_place[i] < 0) continue;
        const auto& operands = program_.records[static_cast<size_t>(record)].operands;
        const int from = operands[static_cast<size_t>(in_place[i])], to = operands[inputs + i];
        if (from < 0 || !is_free(to) || slot(from).bytes != slot(to).bytes) continue;
        int64_t offset;
        const int root = program_.root(from, &offset);
        const Slot& home = slot(root);
        if (home.place != SlotPlace::arena || home.bytes != slot(from).bytes || offset != 0) continue;
        if (home.last != record || !ordering.last_reader(root, record)) continue;
        // Not where another operand shows the same memory: a kernel reads its other operands in any order.
        const auto shares = [&](int operand) { return operand >= 0 && program_.root(operand) == root; };
        if (std::count_if(operands.begin(), operands.begin() + static_cast<long>(inputs), shares) > 1) continue;
        set_parent(to, from, 0);
        for (int at = from; at >= 0; at = slot(at).parent) slot(at).last = std::max(slot(at).last, slot(to).last);
      }
    }
  }

  // The records that touch each block.
  std::vector<std::vector<int>> block_users(const std::vector<int>& owner) {
    std::unordered_map<int, size_t> block_of;
    std::vector<std::vector<int>> users(owner.size());
    for (size_t i = 0; i < owner.size(); ++i) {
      if (owner[i] >= 0) {
        block_of[owner[i]] = i;
      } else {
        users[i].push_back(-1 - owner[i]);
      }
    }
    for (size_t r = 0; r < program_.records.size(); ++r) {
      for (const int operand : program_.records[r].operands) {
        if (operand < 0) continue;
        const auto it = block_of.find(program_.root(operand));
        if (it != block_of.end()) users[it->second].push_back(static_cast<int>(r));
      }
    }
    return users;
  }

  void place() {
    std::vector<MemoryBlock> blocks;
    std::vector<int> owner;  // slot, or -1 - record for a workspace
    for (size_t i = 0; i < program_.slots.size(); ++i) {
      const Slot& s = program_.slots[i];
      if (s.place != SlotPlace::arena || s.parent >= 0 || s.first < 0) continue;
      blocks.push_back({s.bytes, s.first, s.last});
      owner.push_back(static_cast<int>(i));
    }
    for (size_t r = 0; r < program_.records.size(); ++r) {
      const Record& record = program_.records[r];
      const int64_t bytes = record.kernel ? static_cast<int64_t>(record.kernel->workspace_bytes()) : 0;
      if (bytes == 0) continue;
      blocks.push_back({bytes, static_cast<int>(r), static_cast<int>(r)});
      owner.push_back(-1 - static_cast<int>(r));
    }
    MemoryPlan plan;
    if (program_.lanes > 1) {
      const Ordering ordering(program_);
      const auto users = block_users(owner);
      plan = plan_memory(blocks, [&](int a, int b) {
        for (const int x : users[static_cast<size_t>(a)]) {
          for (const int y : users[static_cast<size_t>(b)]) {
            if (!ordering.before(x, y)) return false;
          }
        }
        return true;
      });
    } else {
      plan = plan_memory(blocks);
    }
    for (size_t i = 0; i < owner.size(); ++i) {
      if (owner[i] >= 0) {
        slot(owner[i]).offset = plan.offsets[i];
        program_.records[static_cast<size_t>(blocks[i].last)].dead.push_back(owner[i]);
      } else {
        program_.records[static_cast<size_t>(-1 - owner[i])].workspace_offset = plan.offsets[i];
      }
    }
    if (program_.lanes > 1) {
      for (Record& record : program_.records) record.dead.clear();  // another lane may still read: not decided here
    }
    program_.arena_bytes = plan.arena_bytes;
    program_.lower_bound_bytes = plan.lower_bound_bytes;
  }

  struct InPlace {
    int record;
    std::vector<int> of;
    size_t inputs;
  };
  struct Aliases {
    size_t record, inputs;
    std::vector<Tactic::Alias> wanted;
  };
  const Graph& graph_;
  const Selection& selection_;
  Device& device_;
  const SymbolValues& sizes_;
  bool direct_;
  Program program_;
  std::unordered_map<const Value*, std::vector<int>> forms_;
  std::unordered_map<const Value*, int> output_of_;
  std::map<std::pair<const Value*, std::string>, int> constant_slots_;
  std::vector<InPlace> in_place_;
  std::vector<Aliases> aliases_;
};

}  // namespace

Program make_program(const Graph& graph, const Selection& selection, Device& device, const SymbolValues& sizes) {
  return ProgramBuilder(graph, selection, device, sizes).run();
}

}  // namespace narae
