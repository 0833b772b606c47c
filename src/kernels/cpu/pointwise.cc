// SPDX-License-Identifier: Apache-2.0
// Collapsing of dimensions, choice of tiles, staging of operands that a step cannot read in place.
#include "kernels/cpu/pointwise.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace narae::cpu {
namespace {

constexpr int64_t tile_elements = 1024;

struct Loops {
  std::vector<int64_t> dims;
  std::vector<std::vector<int64_t>> strides;  // per operand
};

// Sorted so that the first output is written in order, ones dropped, neighbours merged where every operand allows.
// The last `keep` dims stay last and merge only among themselves.
Loops collapse(const std::vector<int64_t>& dims, const std::vector<std::vector<int64_t>>& strides, int keep,
               size_t first_output) {
  const int rank = static_cast<int>(dims.size());
  std::vector<int> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end() - keep, [&](int a, int b) {
    return std::llabs(strides[first_output][a]) > std::llabs(strides[first_output][b]);
  });
  Loops loops;
  loops.strides.resize(strides.size());
  bool barrier = false;
  for (int k = 0; k < rank; k++) {
    const int d = order[k];
    if (k == rank - keep) barrier = true;
    if (dims[d] == 1) continue;
    bool merge = !loops.dims.empty() && !barrier;
    for (size_t o = 0; o < strides.size() && merge; o++) merge = loops.strides[o].back() == strides[o][d] * dims[d];
    barrier = false;
    if (merge) {
      loops.dims.back() *= dims[d];
      for (size_t o = 0; o < strides.size(); o++) loops.strides[o].back() = strides[o][d];
    } else {
      loops.dims.push_back(dims[d]);
      for (size_t o = 0; o < strides.size(); o++) loops.strides[o].push_back(strides[o][d]);
    }
  }
  return loops;
}

ScalarClass class_of(int64_t row_stride, int64_t column_stride, int64_t rows, int64_t columns) {
  const bool by_row = row_stride != 0 && rows > 1, by_column = column_stride != 0 && columns > 1;
  // With one row a column is the whole tile, and must count as such: it may share memory with an output.
  if (by_column) return by_row || rows == 1 ? ScalarClass::full : ScalarClass::column;
  return by_row ? ScalarClass::row : ScalarClass::scalar;
}

void choose_tiles(PointwisePlan& plan, bool whole_rows) {
  const int64_t rows = plan.rows, columns = plan.columns;
  if (whole_rows || columns <= tile_elements) {
    plan.column_tile = columns;
    plan.row_tile = std::clamp<int64_t>(tile_elements / std::max<int64_t>(columns, 1), 1, std::max<int64_t>(rows, 1));
  } else {
    const int64_t tiles = (columns + tile_elements - 1) / tile_elements;
    plan.column_tile = ((columns + tiles - 1) / tiles + 15) / 16 * 16;
    plan.row_tile = 1;
  }
  plan.row_tiles = (rows + plan.row_tile - 1) / plan.row_tile;
  plan.column_tiles = (columns + plan.column_tile - 1) / plan.column_tile;
}

PointwiseOperand describe(const PointwisePlan& plan, const Loops& loops, size_t operand, ScalarType type, bool output) {
  const std::vector<int64_t>& strides = loops.strides[operand];
  PointwiseOperand o;
  o.type = type;
  o.column_stride = strides.empty() ? 0 : strides.back();
  o.row_stride = strides.size() < 2 ? 0 : strides[strides.size() - 2];
  for (int d = 0; d < plan.outer_rank; d++) o.outer_strides[d] = strides[d];
  o.shape = class_of(o.row_stride, o.column_stride, plan.row_tile, plan.columns);
  if (output) o.shape = plan.columns > 1 && o.column_stride == 0 ? ScalarClass::row : ScalarClass::full;
  const bool gaps = o.column_stride != 1 && plan.columns > 1 && o.column_stride != 0;
  o.staged = type != ScalarType::f32 || gaps;
  return o;
}

int64_t stage_floats(const PointwisePlan& plan, ScalarClass shape) {
  const int64_t rows = shape == ScalarClass::full || shape == ScalarClass::row ? plan.row_tile : 1;
  const int64_t columns = shape == ScalarClass::full || shape == ScalarClass::column ? plan.column_tile : 1;
  return (rows * columns + 15) / 16 * 16;
}

// n elements `stride` apart, by size, into consecutive ones (or back).
template <typename T>
void gather(const uint8_t* from, int64_t stride, uint8_t* to, int64_t n) {
  const T* p = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < n; i++) reinterpret_cast<T*>(to)[i] = p[i * stride];
}
template <typename T>
void scatter(const uint8_t* from, uint8_t* to, int64_t stride, int64_t n) {
  T* p = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < n; i++) p[i * stride] = reinterpret_cast<const T*>(from)[i];
}

constexpr int64_t piece = 256;

void load_strided(const ScalarSteps& steps, ScalarType type, const uint8_t* from, int64_t stride, float* to,
                  int64_t n) {
  const auto load = steps.load[static_cast<int>(type)];
  const int64_t bytes = static_cast<int64_t>(scalar_type_bytes(type));
  if (stride == 1 || n == 1) return load(from, to, n);
  if (type == ScalarType::f32) return gather<uint32_t>(from, stride, reinterpret_cast<uint8_t*>(to), n);
  alignas(64) uint8_t raw[piece * 8];
  for (int64_t i = 0; i < n; i += piece) {
    const int64_t m = std::min(piece, n - i);
    const uint8_t* p = from + i * stride * bytes;
    if (bytes == 1)
      gather<uint8_t>(p, stride, raw, m);
    else if (bytes == 2)
      gather<uint16_t>(p, stride, raw, m);
    else if (bytes == 4)
      gather<uint32_t>(p, stride, raw, m);
    else
      gather<uint64_t>(p, stride, raw, m);
    load(raw, to + i, m);
  }
}

void store_strided(const ScalarSteps& steps, ScalarType type, const float* from, uint8_t* to, int64_t stride,
                   int64_t n) {
  const auto store = steps.store[static_cast<int>(type)];
  const int64_t bytes = static_cast<int64_t>(scalar_type_bytes(type));
  if (stride == 1 || n == 1) return store(from, to, n);
  if (type == ScalarType::f32) return scatter<uint32_t>(reinterpret_cast<const uint8_t*>(from), to, stride, n);
  alignas(64) uint8_t raw[piece * 8];
  for (int64_t i = 0; i < n; i += piece) {
    const int64_t m = std::min(piece, n - i);
    uint8_t* p = to + i * stride * bytes;
    store(from + i, raw, m);
    if (bytes == 1)
      scatter<uint8_t>(raw, p, stride, m);
    else if (bytes == 2)
      scatter<uint16_t>(raw, p, stride, m);
    else if (bytes == 4)
      scatter<uint32_t>(raw, p, stride, m);
    else
      scatter<uint64_t>(raw, p, stride, m);
  }
}

struct Tile {
  int64_t row, column, rows, columns;
};

const uint8_t* place(const PointwiseOperand& o, const uint8_t* base, int64_t outer_offset, const Tile& t) {
  const int64_t offset = outer_offset + t.row * o.row_stride + t.column * o.column_stride;
  return base + offset * static_cast<int64_t>(scalar_type_bytes(o.type));
}

StepOperand stage_in(const PointwisePlan& plan, const PointwiseOperand& o, const uint8_t* from, float* scratch,
                     const Tile& t) {
  if (!o.staged) return {reinterpret_cast<const float*>(from), o.row_stride, false};
  float* to = scratch + o.stage_offset;
  const int64_t bytes = static_cast<int64_t>(scalar_type_bytes(o.type));
  switch (o.shape) {
    case ScalarClass::scalar: load_strided(*plan.steps, o.type, from, 1, to, 1); return {to, 0, false};
    case ScalarClass::row: load_strided(*plan.steps, o.type, from, o.row_stride, to, t.rows); return {to, 1, false};
    case ScalarClass::column:
      load_strided(*plan.steps, o.type, from, o.column_stride, to, t.columns);
      return {to, 0, false};
    case ScalarClass::full: break;
  }
  if (o.row_stride == 1 && o.type == ScalarType::f32) {  // a transposed operand: read along its memory
    for (int64_t c = 0; c < t.columns; c++)
      for (int64_t r = 0; r < t.rows; r++)
        to[r * t.columns + c] = reinterpret_cast<const float*>(from)[r + c * o.column_stride];
  } else {
    for (int64_t r = 0; r < t.rows; r++)
      load_strided(*plan.steps, o.type, from + r * o.row_stride * bytes, o.column_stride, to + r * t.columns,
                   t.columns);
  }
  return {to, t.columns, false};
}

void stage_out(const PointwisePlan& plan, const PointwiseOperand& o, uint8_t* to, const float* scratch, const Tile& t) {
  const float* from = scratch + o.stage_offset;
  const int64_t bytes = static_cast<int64_t>(scalar_type_bytes(o.type));
  if (o.shape == ScalarClass::row) return store_strided(*plan.steps, o.type, from, to, o.row_stride, t.rows);
  for (int64_t r = 0; r < t.rows; r++)
    store_strided(*plan.steps, o.type, from + r * t.columns, to + r * o.row_stride * bytes, o.column_stride, t.columns);
}

void run_one(const PointwisePlan& plan, const void* const* inputs, void* const* outputs, float* scratch,
             const int64_t* outer, const Tile& t) {
  StepOperand in[max_pointwise_operands];
  TileOutput out[max_pointwise_operands];
  auto offset_of = [&](const PointwiseOperand& o) {
    int64_t offset = 0;
    for (int d = 0; d < plan.outer_rank; d++) offset += outer[d] * o.outer_strides[d];
    return offset;
  };
  for (size_t i = 0; i < plan.inputs.size(); i++) {
    const PointwiseOperand& o = plan.inputs[i];
    in[i] = stage_in(plan, o, place(o, static_cast<const uint8_t*>(inputs[i]), offset_of(o), t), scratch, t);
  }
  for (size_t k = 0; k < plan.outputs.size(); k++) {
    const PointwiseOperand& o = plan.outputs[k];
    if (o.staged) {
      out[k] = {scratch + o.stage_offset, o.shape == ScalarClass::row ? 1 : t.columns};
    } else {
      const uint8_t* p = place(o, static_cast<const uint8_t*>(outputs[k]), offset_of(o), t);
      out[k] = {reinterpret_cast<float*>(const_cast<uint8_t*>(p)), o.row_stride};
    }
  }
  run_tile(plan.program, in, out, scratch, t.rows, t.columns);
  for (size_t k = 0; k < plan.outputs.size(); k++) {
    const PointwiseOperand& o = plan.outputs[k];
    if (!o.staged) continue;
    const uint8_t* p = place(o, static_cast<const uint8_t*>(outputs[k]), offset_of(o), t);
    stage_out(plan, o, const_cast<uint8_t*>(p), scratch, t);
  }
}

}  // namespace

PointwisePlan make_pointwise_plan(const ScalarProgram& program, const ScalarSteps& steps,
                                  const std::vector<int64_t>& dims,
                                  const std::vector<std::vector<int64_t>>& input_strides,
                                  const std::vector<std::vector<int64_t>>& output_strides, int row_dims) {
  PointwisePlan plan;
  plan.steps = &steps;
  std::vector<std::vector<int64_t>> strides = input_strides;
  strides.insert(strides.end(), output_strides.begin(), output_strides.end());
  const bool whole_rows = has_row_reduction(program);
  if (strides.size() > max_pointwise_operands) plan.error = "the body has more than 64 operands";
  if (output_strides.empty()) plan.error = "the body has no output";
  if (whole_rows && row_dims > static_cast<int>(dims.size())) plan.error = "more row dims than dims";
  if (plan.error) return plan;

  const int keep = whole_rows ? row_dims : 0;
  Loops loops = collapse(dims, strides, keep, input_strides.size());
  if (whole_rows) {
    int64_t row = 1, inner = loops.dims.empty() ? 1 : loops.dims.back();
    for (int d = 0; d < keep; d++) row *= dims[dims.size() - 1 - d];
    if (row == 1) {  // the row dims were ones and are gone: put one back
      loops.dims.push_back(1);
      for (auto& s : loops.strides) s.push_back(0);
      inner = 1;
    }
    if (inner != row) plan.error = "the row dims of an operand do not collapse into one";
  }
  const int rank = static_cast<int>(loops.dims.size());
  if (rank > max_pointwise_dims + 2) plan.error = "the operands do not collapse to 10 dims";
  if (plan.error) return plan;

  plan.columns = rank > 0 ? loops.dims[rank - 1] : 1;
  plan.rows = rank > 1 ? loops.dims[rank - 2] : 1;
  plan.outer_rank = std::max(rank - 2, 0);
  int64_t outer = 1;
  for (int d = 0; d < plan.outer_rank; d++) outer *= plan.outer_dims[d] = loops.dims[d];
  if (outer * plan.rows * plan.columns == 0) return plan;
  choose_tiles(plan, whole_rows);
  plan.tasks = outer * plan.row_tiles * plan.column_tiles;

  std::vector<ScalarClass> in_classes, out_classes;
  for (size_t i = 0; i < program.inputs.size(); i++) {
    plan.inputs.push_back(describe(plan, loops, i, program.inputs[i].type, false));
    in_classes.push_back(plan.inputs.back().shape);
  }
  for (size_t k = 0; k < program.outputs.size(); k++) {
    plan.outputs.push_back(describe(plan, loops, program.inputs.size() + k, program.outputs[k].type, true));
    out_classes.push_back(plan.outputs.back().shape);
  }
  plan.program = make_tile_program(program, steps, in_classes, out_classes, plan.row_tile, plan.column_tile);
  plan.error = plan.program.error;
  int64_t floats = plan.program.scratch_floats;
  for (auto* list : {&plan.inputs, &plan.outputs})
    for (PointwiseOperand& o : *list)
      if (o.staged) o.stage_offset = floats, floats += stage_floats(plan, o.shape);
  plan.scratch_bytes = static_cast<size_t>(floats) * sizeof(float);
  return plan;
}

void pointwise_run(const PointwisePlan& plan, const void* const* inputs, void* const* outputs, void* scratch,
                   int64_t task_begin, int64_t task_end) {
  for (int64_t task = task_begin; task < task_end; task++) {
    int64_t rest = task;
    Tile t;
    t.column = rest % plan.column_tiles * plan.column_tile;
    rest /= plan.column_tiles;
    t.row = rest % plan.row_tiles * plan.row_tile;
    rest /= plan.row_tiles;
    t.columns = std::min(plan.column_tile, plan.columns - t.column);
    t.rows = std::min(plan.row_tile, plan.rows - t.row);
    int64_t outer[max_pointwise_dims] = {};
    for (int d = plan.outer_rank; d-- > 0;) {
      outer[d] = rest % plan.outer_dims[d];
      rest /= plan.outer_dims[d];
    }
    run_one(plan, inputs, outputs, static_cast<float*>(scratch), outer, t);
  }
}

}  // namespace narae::cpu
