// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/tile_epilogue.h"

#include <algorithm>
#include <array>

#include "backend/operand_placement.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

// Which axes of the result are rows and which columns.
struct Axes {
  size_t row_begin, row_end, column;
};
Axes axes_of(const TileSpace& space) {
  const size_t rank = space.dims.size();
  if (space.blocked) return {space.images + 1, rank, space.images};
  return {space.images, rank - 1, rank - 1};
}

// An operand's size along a result's axis; 1 where it has none.
int64_t size_at(const TileSpace& space, const Dims& operand, size_t axis) {
  const size_t shift = space.dims.size() - operand.size();
  return axis < shift ? 1 : operand[axis - shift];
}

}  // namespace

std::optional<ScalarClass> tile_class(const TileSpace& space, const Dims& operand) {
  if (operand.size() > space.dims.size()) return std::nullopt;
  const Axes axes = axes_of(space);
  bool all = true, none = true;
  for (size_t i = axes.row_begin; i < axes.row_end; ++i) {
    const int64_t size = size_at(space, operand, i);
    if (size == space.dims[i] && size != 1) none = false;
    if (size != space.dims[i]) all = false;
  }
  const bool by_row = !none;
  if (by_row && !all) return std::nullopt;
  const bool by_column = size_at(space, operand, axes.column) != 1;
  if (by_row) return by_column ? ScalarClass::full : ScalarClass::row;
  // With one row in all, a column that varies by image too still is a column; the same size as the tile is full.
  if (operand == space.dims) return ScalarClass::full;
  return by_column ? ScalarClass::column : ScalarClass::scalar;
}

KernelAct kernel_act(const ContractionBody& body) {
  if (!body.act) return {};
  switch (body.act->op) {
    case ScalarOp::relu: return {Act::relu};
    case ScalarOp::clip: return {Act::clip, body.act->imm[0], body.act->imm[1]};
    case ScalarOp::hard_swish: return {Act::hard_swish};
    case ScalarOp::leaky_relu: return {Act::leaky, body.act->imm[0]};
    default: NARAE_CHECK(false);
  }
  return {};
}

TileEpilogue::TileEpilogue(const ContractionBody& body, const NodeDims& dims, const TileSpace& space,
                           const ScalarSteps& steps, int64_t max_columns)
    : block_(space.block), load_mask_(steps.load[static_cast<int>(ScalarType::boolean)]) {
  max_rows_ = std::max<int64_t>(1, 2048 / std::max<int64_t>(1, max_columns));
  ScalarProgram program = body.rest;
  for (ScalarInput& input : program.inputs) {
    if (input.type == ScalarType::boolean) input.type = ScalarType::f32;
  }
  plan_ = make_epilogue_plan(program, steps, max_rows_, max_columns);
  const Layout layout =
      space.blocked ? Layout::blocked(static_cast<int>(space.images), static_cast<int>(space.block)) : Layout::plain();
  const Axes axes = axes_of(space);
  int64_t images = 1;
  for (size_t i = 0; i < space.images; ++i) images *= space.dims[i];
  for (size_t i = 1; i < body.rest_operands.size(); ++i) {
    Operand operand;
    operand.index = static_cast<size_t>(body.rest_operands[i]);
    const std::vector<int64_t> strides = operand_strides(dims.inputs[operand.index], space.dims, layout);
    const ScalarClass broadcast = body.rest.inputs[i].broadcast;
    operand.boolean = body.rest.inputs[i].type == ScalarType::boolean;
    operand.mask_offset = mask_floats_;
    if (operand.boolean) mask_floats_ += static_cast<size_t>((max_rows_ * max_columns + 15) / 16 * 16);
    operand.by_column = broadcast == ScalarClass::full || broadcast == ScalarClass::column;
    operand.block_stride = operand.by_column ? strides[axes.column] : 0;
    if (broadcast == ScalarClass::full || broadcast == ScalarClass::row) {
      // Rows lie one after another; the innermost axis that is more than one tells their distance.
      for (size_t axis = axes.row_end; axis-- > axes.row_begin;) {
        if (space.dims[axis] == 1) continue;
        operand.row_stride = strides[axis];
        break;
      }
      // With a single row in all the distance is never used, but must not look like a broadcast.
      if (operand.row_stride == 0) operand.row_stride = space.blocked ? space.block : space.dims.back();
    }
    for (int64_t image = 0; image < images; ++image) {
      int64_t rest = image, offset = 0;
      for (size_t axis = space.images; axis-- > 0;) {
        offset += rest % space.dims[axis] * strides[axis];
        rest /= space.dims[axis];
      }
      operand.image_offsets.push_back(offset);
    }
    operands_.push_back(std::move(operand));
  }
}

StepOperand TileEpilogue::operand_at(const Operand& operand, const HotTile& tile, int64_t row, int64_t rows,
                                     std::span<void* const> operands, float* masks) const {
  const int64_t offset = operand.image_offsets[static_cast<size_t>(tile.image)] + row * operand.row_stride +
                         tile.column / block_ * operand.block_stride + (operand.by_column ? tile.column % block_ : 0);
  StepOperand result;
  result.row_stride = operand.row_stride;
  if (!operand.boolean) {
    result.data = static_cast<const float*>(operands[operand.index]) + offset;
    return result;
  }
  const auto* from = static_cast<const uint8_t*>(operands[operand.index]) + offset;
  float* to = masks + operand.mask_offset;
  const int64_t columns = operand.by_column ? tile.columns : 1;
  for (int64_t i = 0; i < (operand.row_stride == 0 ? 1 : rows); ++i) {
    load_mask_(from + i * operand.row_stride, to + i * columns, columns);
  }
  result.data = to;
  if (operand.row_stride != 0) result.row_stride = columns;
  return result;
}

void TileEpilogue::run(const HotTile& tile, std::span<void* const> operands, void* scratch) const {
  std::array<StepOperand, 16> inputs;
  auto* masks = reinterpret_cast<float*>(static_cast<char*>(scratch) + plan_.scratch_bytes);
  for (int64_t done = 0; done < tile.rows; done += max_rows_) {
    const int64_t rows = std::min(max_rows_, tile.rows - done);
    for (size_t i = 0; i < operands_.size(); ++i) {
      inputs[i] = operand_at(operands_[i], tile, tile.row + done, rows, operands, masks);
    }
    float* out = tile.data + done * tile.row_stride;
    epilogue_run(plan_, out, tile.row_stride, out, tile.row_stride, inputs.data(), rows, tile.columns, scratch);
  }
}

}  // namespace narae::cpu
