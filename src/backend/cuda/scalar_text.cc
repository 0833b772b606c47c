// SPDX-License-Identifier: Apache-2.0
// Every index is built from the item's number by divisions by constants. The one thing not to get wrong: elements past
// a row's end take part in no reduction.
#include "backend/cuda/scalar_text.h"

#include <algorithm>

#include "base/error.h"

namespace narae::cuda {
namespace {

constexpr int64_t longest_row = 32 * 1024;
constexpr int max_block = 1024;

// Neighbouring axes that every operand steps through as one become one; axes of size one go.
void collapse(ScalarSpace& space) {
  std::vector<std::vector<int64_t>*> all;
  for (auto& strides : space.inputs) all.push_back(&strides);
  for (auto& strides : space.outputs) all.push_back(&strides);
  const auto rank = static_cast<int>(space.dims.size());
  const int outer = rank - space.row_axes;
  Dims dims;
  std::vector<std::vector<int64_t>> kept(all.size());
  int rows = 0;
  const auto go = [&](int begin, int end) {
    const size_t first = dims.size();
    for (int d = begin; d < end; ++d) {
      const auto at = static_cast<size_t>(d);
      if (space.dims[at] == 1) continue;
      bool joins = dims.size() > first;
      for (size_t i = 0; i < all.size() && joins; ++i) joins = kept[i].back() == (*all[i])[at] * space.dims[at];
      if (joins) dims.back() *= space.dims[at];
      if (!joins) dims.push_back(space.dims[at]);
      for (size_t i = 0; i < all.size(); ++i) {
        if (joins) kept[i].back() = (*all[i])[at];
        if (!joins) kept[i].push_back((*all[i])[at]);
      }
    }
    if (dims.size() == first) {
      dims.push_back(1);
      for (auto& strides : kept) strides.push_back(0);
    }
    return static_cast<int>(dims.size() - first);
  };
  go(0, outer);
  if (space.row_axes > 0) rows = go(outer, rank);
  space.dims = std::move(dims);
  space.row_axes = rows;
  for (size_t i = 0; i < all.size(); ++i) *all[i] = std::move(kept[i]);
}

// Elements that one load takes of every operand: all step by one or not at all along the last axis.
int vector_width(const ScalarSpace& space) {
  int width = 8;
  const auto fit = [&](size_t operand, const std::vector<int64_t>& strides) {
    if (strides.back() != 0 && strides.back() != 1) width = 1;
    const size_t bytes = element_bytes(space, operand);
    width = std::min(width, bytes <= 2 ? 8 : bytes == 4 ? 4 : 2);
    for (size_t d = 0; d + 1 < strides.size(); ++d) {
      while (width > 1 && strides.back() == 1 && strides[d] % width != 0) width /= 2;
    }
  };
  for (size_t i = 0; i < space.inputs.size(); ++i) fit(i, space.inputs[i]);
  for (size_t i = 0; i < space.outputs.size(); ++i) fit(space.inputs.size() + i, space.outputs[i]);
  while (width > 1 && space.dims.back() % width != 0) width /= 2;
  return width;
}

// The offset of an operand from index names, "0" where it never moves.
std::string offset(const std::vector<int64_t>& strides, size_t begin, size_t end, const char* index) {
  std::string text;
  for (size_t d = begin; d < end; ++d) {
    if (strides[d] == 0) continue;
    text += fmt::format("{}{}{} * {}LL", text.empty() ? "" : " + ", index, d, strides[d]);
  }
  return text.empty() ? "0" : text;
}

// `long long i<d>` for axes [begin, end) out of the number `from`, the last axis in units of `width`.
std::string indices(const Dims& dims, size_t begin, size_t end, const char* from, const char* index, int width,
                    const char* type) {
  std::string text = fmt::format("    {} rest_{} = {};\n", type, index, from);
  for (size_t d = end; d-- > begin;) {
    const int64_t size = d + 1 == end ? dims[d] / width : dims[d];
    if (d == begin) {
      text += fmt::format("    const long long {}{} = {}rest_{};\n", index, d,
                          d + 1 == end && width > 1 ? fmt::format("{}LL * ", width) : "", index);
    } else {
      text += fmt::format("    const long long {0}{1} = {2}(rest_{0} % {3}); rest_{0} /= {3};\n", index, d,
                          d + 1 == end && width > 1 ? fmt::format("{}LL * ", width) : "", size);
    }
  }
  return text;
}

std::string parameters(const ScalarSpace& space) {
  std::string text;
  for (size_t i = 0; i < space.inputs.size(); ++i) {
    text += fmt::format("const {}* p{}, ", element_type(space, i), i);
  }
  for (size_t i = 0; i < space.outputs.size(); ++i) {
    text += fmt::format("{}* q{}, ", element_type(space, space.inputs.size() + i), i);
  }
  return text + "long long items";
}

std::string reg(uint16_t r, bool array) { return fmt::format("r{}{}", r, array ? "[e]" : ""); }

std::string pointwise_body(const ScalarSpace& space, const char* name, int width) {
  const ScalarProgram& program = space.program;
  const size_t rank = space.dims.size();
  // Items fit into 32 bits wherever the planner's sizes do; the number of items is checked at launch.
  std::string text = fmt::format(
      "extern \"C\" __global__ void __launch_bounds__(256) {}({}) {{\n"
      "  const long long item = blockIdx.x * 256LL + threadIdx.x;\n  if (item >= items) return;\n  {{\n",
      name, parameters(space));
  text += indices(space.dims, 0, rank, "static_cast<unsigned>(item)", "i", width, "unsigned");
  for (size_t i = 0; i < space.inputs.size(); ++i) {
    const std::string type = element_type(space, i);
    const std::string at = offset(space.inputs[i], 0, rank, "i");
    if (space.inputs[i].back() == 0 || width == 1) {
      text += fmt::format("    const {} a{} = p{}[{}];\n", type, i, i, at);
    } else {
      text += fmt::format("    const auto a{0} = *reinterpret_cast<const Pack<{1}, {2}>*>(p{0} + ({3}));\n", i, type,
                          width, at);
    }
  }
  for (size_t i = 0; i < space.outputs.size(); ++i) {
    text += fmt::format("    Pack<{}, {}> b{};\n", element_type(space, space.inputs.size() + i), width, i);
  }
  text += fmt::format("    #pragma unroll\n    for (int e = 0; e < {}; ++e) {{\n", width);
  for (size_t i = 0; i < space.inputs.size(); ++i) {
    const bool single = space.inputs[i].back() == 0 || width == 1;
    const char* element = single ? "" : ".v[e]";
    text += space.raw_bytes ? fmt::format("      b{0}.v[e] = a{0}{1};\n", i, element)
                            : fmt::format("      const float r{0} = load(a{0}{1});\n", i, element);
  }
  for (const ScalarInstr& instr : program.body) {
    text += fmt::format("      const float r{} = {};\n", instr.dst,
                        scalar_expression(instr, reg(instr.a, false), reg(instr.b, false), reg(instr.c, false)));
  }
  for (size_t i = 0; i < space.outputs.size() && !space.raw_bytes; ++i) {
    text += fmt::format("      store(b{}.v[e], r{});\n", i, program.outputs[i].reg);
  }
  text += "    }\n";
  for (size_t i = 0; i < space.outputs.size(); ++i) {
    text += fmt::format("    *reinterpret_cast<Pack<{0}, {1}>*>(q{2} + ({3})) = b{2};\n",
                        element_type(space, space.inputs.size() + i), width, i, offset(space.outputs[i], 0, rank, "i"));
  }
  return text + "  }\n}\n";
}

// How rows are shared out: `team` threads have a row, each `chunks` pieces of `width` elements.
struct RowShape {
  int team = 32, chunks = 1, width = 1, teams = 1;
  int per_thread() const { return chunks * width; }
};

RowShape row_shape(const ScalarSpace& space, int64_t n, int width) {
  RowShape shape;
  shape.width = width;
  const auto rank = space.dims.size();
  const bool strided = std::any_of(space.inputs.begin(), space.inputs.end(), [&](const auto& strides) {
    return strides.back() > 1 && strides[rank - static_cast<size_t>(space.row_axes) - 1] == 1;
  });
  if (strided && n <= 64) {
    shape.team = 1;  // neighbours in memory are neighbouring rows: a thread a row reads whole lines
  } else {
    while (shape.team < max_block && n > int64_t{shape.team} * std::max(8, width)) shape.team *= 2;
  }
  shape.chunks = static_cast<int>((n + int64_t{shape.team} * width - 1) / (int64_t{shape.team} * width));
  shape.teams = shape.team > 32 ? 1 : 128 / shape.team;  // longer teams meet at barriers of the whole block
  return shape;
}

class RowText {
 public:
  RowText(const ScalarSpace& space, const RowShape& shape)
      : space_(space),
        shape_(shape),
        outer_(space.dims.size() - static_cast<size_t>(space.row_axes)),
        rank_(space.dims.size()),
        n_(element_count(Dims(space.dims.begin() + static_cast<ptrdiff_t>(outer_), space.dims.end()))) {
    for (const auto& strides : space.inputs) full_.push_back(moves_in_row(strides));
    for (const ScalarInstr& instr : space.program.body) {
      const uint16_t regs[] = {instr.a, instr.b, instr.c};
      bool full = false;
      for (int k = 0; k < scalar_op_operands(instr.op); ++k) full |= full_[regs[k]];
      full_.push_back(full && !is_row_reduction(instr.op));
    }
  }

  std::string text(const char* name) {
    const ScalarProgram& program = space_.program;
    out_ = fmt::format("extern \"C\" __global__ void __launch_bounds__({}) {}({}) {{\n", shape_.team * shape_.teams,
                       name, parameters(space_));
    out_ += "  let_successor_begin();\n";
    out_ += fmt::format(
        "  const int t = threadIdx.x % {0};\n  const long long row = blockIdx.x * {1}LL + threadIdx.x / {0};\n",
        shape_.team, shape_.teams);
    // Whole teams leave; where there are barriers below a block is one team.
    out_ += "  if (row >= items) return;\n";
    out_ += indices(space_.dims, 0, outer_, "static_cast<unsigned>(row)", "i", 1, "unsigned");
    load();
    for (const ScalarInstr& instr : program.body) instruction(instr);
    store();
    return out_ + "}\n";
  }

 private:
  bool moves_in_row(const std::vector<int64_t>& strides) const {
    return std::any_of(strides.begin() + static_cast<ptrdiff_t>(outer_), strides.end(),
                       [](int64_t stride) { return stride != 0; });
  }
  // A loop over this thread's pieces, with j the first element's number in the row.
  void open_chunks() {
    out_ += fmt::format(
        "  #pragma unroll\n  for (int k = 0; k < {}; ++k) {{\n    const unsigned j = (k * {}u + t) * {}u;\n"
        "    if (j < {}u) {{\n",
        shape_.chunks, shape_.team, shape_.width, n_);
    out_ += indices(space_.dims, outer_, rank_, fmt::format("j / {}u", shape_.width).c_str(), "j", shape_.width,
                    "unsigned");
  }
  void close_chunks() { out_ += "    }\n  }\n"; }
  std::string address(const std::vector<int64_t>& strides) const {
    return offset(strides, 0, outer_, "i") + " + " + offset(strides, outer_, rank_, "j");
  }
  bool moves_last(const std::vector<int64_t>& strides) const { return strides.back() != 0; }

  void load() {
    const ScalarProgram& program = space_.program;
    for (size_t i = 0; i < space_.inputs.size(); ++i) {
      if (full_[i]) {
        out_ += fmt::format("  float r{}[{}];\n", i, shape_.per_thread());
        out_ +=
            fmt::format("  #pragma unroll\n  for (int e = 0; e < {1}; ++e) r{0}[e] = 0.0f;\n", i, shape_.per_thread());
      } else {
        out_ += fmt::format("  const float r{0} = load(p{0}[{1}]);\n", i, offset(space_.inputs[i], 0, outer_, "i"));
      }
    }
    open_chunks();
    for (size_t i = 0; i < space_.inputs.size(); ++i) {
      if (!full_[i]) continue;
      const char* type = scalar_type_text(program.inputs[i].type);
      const bool wide = moves_last(space_.inputs[i]);
      out_ += fmt::format("    const auto a{0} = *reinterpret_cast<const Pack<{1}, {2}>*>(p{0} + ({3}));\n", i, type,
                          wide ? shape_.width : 1, address(space_.inputs[i]));
      out_ +=
          fmt::format("    #pragma unroll\n    for (int v = 0; v < {1}; ++v) r{0}[k * {1} + v] = load(a{0}.v[{2}]);\n",
                      i, shape_.width, wide ? "v" : "0");
    }
    close_chunks();
  }

  void instruction(const ScalarInstr& instr) {
    if (is_row_reduction(instr.op)) return reduction(instr);
    const auto operand = [&](uint16_t r) { return reg(r, full_[r]); };
    const std::string value = scalar_expression(instr, operand(instr.a), operand(instr.b), operand(instr.c));
    if (!full_[instr.dst]) {
      out_ += fmt::format("  const float r{} = {};\n", instr.dst, value);
      return;
    }
    out_ += fmt::format("  float r{0}[{1}];\n  #pragma unroll\n  for (int e = 0; e < {1}; ++e) r{0}[e] = {2};\n",
                        instr.dst, shape_.per_thread(), value);
  }

  void reduction(const ScalarInstr& instr) {
    const bool sums = instr.op == ScalarOp::row_sum || instr.op == ScalarOp::row_mean;
    const char* join = sums ? "s_add" : instr.op == ScalarOp::row_max ? "s_max" : "s_min";
    if (!full_[instr.a]) {  // the same value all along the row
      const std::string same =
          instr.op == ScalarOp::row_sum ? fmt::format("r{} * {}.0f", instr.a, n_) : fmt::format("r{}", instr.a);
      out_ += fmt::format("  const float r{} = {};\n", instr.dst, same);
      return;
    }
    out_ += fmt::format("  float r{} = {};\n", instr.dst,
                        sums                            ? "0.0f"
                        : instr.op == ScalarOp::row_max ? "-inf()"
                                                        : "inf()");
    out_ += fmt::format(
        "  #pragma unroll\n  for (int e = 0; e < {0}; ++e) {{\n"
        "    if ((e / {1} * {2}u + t) * {1}u < {3}u) r{4} = {5}(r{4}, r{6}[e]);\n  }}\n",
        shape_.per_thread(), shape_.width, shape_.team, n_, instr.dst, join, instr.a);
    if (shape_.team > 1) {
      out_ += fmt::format("  r{0} = team_reduce<{1}>(r{0}, {2}, {3});\n", instr.dst, shape_.team,
                          sums                            ? "0.0f"
                          : instr.op == ScalarOp::row_max ? "-inf()"
                                                          : "inf()",
                          fmt::format("[](float a, float b) {{ return {}(a, b); }}", join));
    }
    if (instr.op == ScalarOp::row_mean) out_ += fmt::format("  r{} /= {}.0f;\n", instr.dst, n_);
  }

  void store() {
    const ScalarProgram& program = space_.program;
    bool any = false;
    for (size_t i = 0; i < space_.outputs.size(); ++i) {
      const uint16_t r = program.outputs[i].reg;
      if (moves_in_row(space_.outputs[i])) {
        any = true;
        continue;
      }
      out_ += fmt::format("  if (t == 0) store(q{}[{}], {});\n", i, offset(space_.outputs[i], 0, outer_, "i"),
                          full_[r] ? fmt::format("r{}[0]", r) : fmt::format("r{}", r));
    }
    if (!any) return;
    open_chunks();
    for (size_t i = 0; i < space_.outputs.size(); ++i) {
      if (!moves_in_row(space_.outputs[i])) continue;
      const uint16_t r = program.outputs[i].reg;
      out_ += fmt::format(
          "    Pack<{0}, {1}> b{2};\n    #pragma unroll\n    for (int v = 0; v < {1}; ++v) store(b{2}.v[v], {3});\n",
          scalar_type_text(program.outputs[i].type), shape_.width, i,
          full_[r] ? fmt::format("r{}[k * {} + v]", r, shape_.width) : fmt::format("r{}", r));
      out_ += fmt::format("    *reinterpret_cast<Pack<{0}, {1}>*>(q{2} + ({3})) = b{2};\n",
                          scalar_type_text(program.outputs[i].type), shape_.width, i, address(space_.outputs[i]));
    }
    close_chunks();
  }

  const ScalarSpace& space_;
  RowShape shape_;
  size_t outer_, rank_;
  int64_t n_;
  std::vector<bool> full_;
  std::string out_;
};

constexpr const char* team_reduce = R"(
__device__ __forceinline__ float s_add(float a, float b) { return a + b; }
template <int team, class Join>
__device__ __forceinline__ float team_reduce(float x, float none, Join join) {
  constexpr int lanes = team < 32 ? team : 32;
  #pragma unroll
  for (int step = lanes / 2; step > 0; step /= 2) x = join(x, __shfl_xor_sync(0xffffffffu, x, step));
  if constexpr (team > 32) {  // a block is one team here
    __shared__ float parts[32];
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    x = none;
    #pragma unroll
    for (int i = 0; i < team / 32; ++i) x = join(x, parts[i]);
  }
  return x;
}
)";

}  // namespace

size_t element_bytes(const ScalarSpace& space, size_t operand) {
  if (space.raw_bytes) return space.raw_bytes;
  const size_t inputs = space.inputs.size();
  return scalar_type_bytes(operand < inputs ? space.program.inputs[operand].type
                                            : space.program.outputs[operand - inputs].type);
}

std::string element_type(const ScalarSpace& space, size_t operand) {
  if (space.raw_bytes) return fmt::format("raw{}", space.raw_bytes);
  const size_t inputs = space.inputs.size();
  return scalar_type_text(operand < inputs ? space.program.inputs[operand].type
                                           : space.program.outputs[operand - inputs].type);
}

ScalarText scalar_text(const ScalarSpace& given) {
  ScalarSpace space = given;
  collapse(space);
  ScalarText made;
  made.text = scalar_prelude();
  if (space.row_axes == 0) {
    made.items = element_count(space.dims);
    made.width = vector_width(space);
    if (made.width > 1) made.text += pointwise_body(space, "vector_body", made.width);
    made.text += pointwise_body(space, "body", 1);
    return made;
  }
  const size_t outer = space.dims.size() - static_cast<size_t>(space.row_axes);
  const int64_t n = element_count(Dims(space.dims.begin() + static_cast<ptrdiff_t>(outer), space.dims.end()));
  if (n > longest_row) return {};
  made.items = element_count(Dims(space.dims.begin(), space.dims.begin() + static_cast<ptrdiff_t>(outer)));
  made.width = vector_width(space);
  made.text += team_reduce;
  const RowShape shape = row_shape(space, n, made.width);
  if (shape.team == 1) made.width = 1;
  if (shape.team * shape.teams > max_block) return {};
  made.threads = shape.team * shape.teams;
  made.items_per_block = shape.teams;
  if (made.width > 1) made.text += RowText(space, shape).text("vector_body");
  RowShape single = shape;
  single.width = 1;
  single.chunks = static_cast<int>((n + single.team - 1) / single.team);
  made.text += RowText(space, single).text("body");
  return made;
}

}  // namespace narae::cuda
