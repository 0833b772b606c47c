// SPDX-License-Identifier: Apache-2.0
// The rest of a contraction body on the hot tile: finds, for every further operand, the part that belongs to a tile.
// The one thing not to get wrong: tiles are named by (image, row, column) of the result, so operand strides must be
// those of the same walk: blocked [N, C/b, pixels, b], or plain [images, rows, columns].
#pragma once

#include <vector>

#include "backend/contraction_body.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/epilogue.h"

namespace narae::cpu {

// The result's tiles: `images` (outermost axes, row-major) x rows x columns.
struct TileSpace {
  Dims dims;             // of the result
  size_t images = 0;     // how many leading axes count images
  bool blocked = false;  // axis `images` is columns, in blocks, and the axes after it are rows
  int64_t block = 1;
};

// Class of an operand of the body over such tiles; for contraction_body().
std::optional<ScalarClass> tile_class(const TileSpace& space, const Dims& operand);

// Act and its bounds as the kernels name them.
struct KernelAct {
  Act act = Act::none;
  float lo = 0.0f, hi = 0.0f;
};
KernelAct kernel_act(const ContractionBody& body);

class TileEpilogue {
 public:
  TileEpilogue(const ContractionBody& body, const NodeDims& dims, const TileSpace& space, const ScalarSteps& steps,
               int64_t max_columns);
  const char* error() const { return plan_.error; }
  size_t scratch_bytes() const { return plan_.scratch_bytes + mask_floats_ * sizeof(float); }
  void run(const HotTile& tile, std::span<void* const> operands, void* scratch) const;

 private:
  struct Operand {
    size_t index = 0;  // of the node
    std::vector<int64_t> image_offsets;
    int64_t row_stride = 0, block_stride = 0;  // block_stride: per `block` columns
    bool by_column = false;
    // Booleans are bytes, and brought to f32 in scratch, from this offset on.
    bool boolean = false;
    size_t mask_offset = 0;
  };
  StepOperand operand_at(const Operand& operand, const HotTile& tile, int64_t row, int64_t rows,
                         std::span<void* const> operands, float* masks) const;
  EpiloguePlan plan_;
  std::vector<Operand> operands_;  // of program inputs 1..
  int64_t block_ = 1, max_rows_ = 1;
  size_t mask_floats_ = 0;
  void (*load_mask_)(const void* source, float* out, int64_t n) = nullptr;
};

// Binds a launch's operands and a thread's scratch; must outlive the epilogue that it binds.
struct EpilogueCall {
  const TileEpilogue* epilogue = nullptr;
  std::span<void* const> operands;
  void* scratch = nullptr;
  // A GemmEpilogue or ConvEpilogue, which points at this call; operands below 0 are absent.
  template <typename Epilogue>
  Epilogue bind(const KernelAct& act, int bias, int residual) {
    const auto at = [&](int i) {
      return i < 0 ? nullptr : static_cast<const float*>(operands[static_cast<size_t>(i)]);
    };
    Epilogue bound;
    bound.bias = at(bias), bound.residual = at(residual);
    bound.act = act.act, bound.lo = act.lo, bound.hi = act.hi;
    bound.after = callback();
    return bound;
  }

 private:
  TileCallback callback() {
    if (!epilogue) return {};
    return {[](void* context, const HotTile& tile) {
              const auto& call = *static_cast<EpilogueCall*>(context);
              call.epilogue->run(tile, call.operands, call.scratch);
            },
            this};
  }
};

}  // namespace narae::cpu
