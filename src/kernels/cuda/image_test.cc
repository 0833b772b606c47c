// SPDX-License-Identifier: Apache-2.0
// Pooling, resizing and depthwise convolution against float64 loops.
#include "kernels/cuda/image.h"

#include <algorithm>

#include "kernels/cuda/device_test.h"

namespace narae::cuda {
namespace {

struct Image {
  int64_t n, c, h, w;
  bool last;
  size_t at(int64_t i, int64_t k, int64_t y, int64_t x) const {
    return static_cast<size_t>(last ? ((i * h + y) * w + x) * c + k : ((i * c + k) * h + y) * w + x);
  }
  int64_t count() const { return n * c * h * w; }
};

struct Window {
  int64_t k, stride, dilation, before, after;
  int64_t out(int64_t in, bool ceil) const {
    const int64_t room = in + before + after - (k - 1) * dilation - 1;
    return (room + (ceil ? stride - 1 : 0)) / stride + 1;
  }
};

TEST(CudaImage, Pool) {
  NARAE_NEEDS_GPU();
  for (const Window& w : {Window{3, 2, 1, 1, 1}, {2, 2, 1, 0, 0}, {3, 1, 2, 2, 2}, {5, 3, 1, 0, 2}, {9, 1, 1, 0, 0}}) {
    for (int form = 0; form < 32; ++form) {
      const bool last = form & 1, average = form & 2, include = form & 4, ceil = form & 8;
      const DType type = form & 16 ? DType::f16 : DType::f32;
      const Image in{2, form & 4 ? 24 : 5, 9, 11, last}, out{2, in.c, w.out(9, ceil), w.out(11, ceil), last};
      const std::vector<float> x = rounded(normals(in.count(), 1), type);
      std::vector<double> expected(static_cast<size_t>(out.count()));
      for (int64_t i = 0; i < out.count(); ++i) {
        const int64_t ox = i % out.w, oy = i / out.w % out.h, c = i / out.w / out.h % out.c,
                      n = i / out.w / out.h / out.c;
        double sum = 0, high = -INFINITY, inside = 0, padded = 0;
        for (int64_t r = 0; r < w.k; ++r) {
          for (int64_t s = 0; s < w.k; ++s) {
            const int64_t iy = oy * w.stride - w.before + r * w.dilation,
                          ix = ox * w.stride - w.before + s * w.dilation;
            if (iy < in.h + w.after && ix < in.w + w.after) ++padded;
            if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
            const double v = x[in.at(n, c, iy, ix)];
            sum += v, high = std::max(high, v), ++inside;
          }
        }
        expected[out.at(n, c, oy, ox)] = average ? sum / std::max(1.0, include ? padded : inside) : high;
      }
      DeviceArray dx(x, type), dy(expected.size() * static_cast<size_t>(bytes_of(type)));
      PoolArgs a;
      a.x = dx.get(), a.y = dy.get(), a.type = type, a.kind = average ? PoolKind::average : PoolKind::max;
      a.channels_last = last, a.count_include_pad = include, a.n = 2, a.c = in.c, a.ih = in.h, a.iw = in.w,
      a.oh = out.h, a.ow = out.w;
      a.kh = a.kw = w.k, a.stride_h = a.stride_w = w.stride, a.dilation_h = a.dilation_w = w.dilation;
      a.pad_top = a.pad_left = w.before, a.pad_bottom = a.pad_right = w.after;
      ASSERT_EQ(pool(a, nullptr), cudaSuccess);
      const std::vector<float> y = dy.floats(type);
      for (size_t i = 0; i < y.size(); ++i) {
        if (std::isinf(expected[i])) {
          ASSERT_EQ(y[i], expected[i]) << i;
          continue;
        }
        ASSERT_NEAR(y[i], expected[i], type == DType::f32 ? 1e-5 : 3e-3)
            << "window " << w.k << " form " << form << " at " << i;
      }
    }
  }
}

TEST(CudaImage, Resize) {
  NARAE_NEEDS_GPU();
  for (const bool last : {false, true}) {
    for (const int64_t taps : {1, 2, 4}) {
      for (const DType type : real_types) {
        const Image in{2, last ? 16 : 3, 5, 7, last}, out{2, in.c, 9, 4, last};
        std::mt19937 random(1);
        const auto places = [&](int64_t count, int64_t size) {
          std::vector<int32_t> result(static_cast<size_t>(count * taps));
          for (int32_t& p : result) p = static_cast<int32_t>(random() % static_cast<uint32_t>(size));
          return result;
        };
        const std::vector<int32_t> rows = places(9, 5), columns = places(4, 7);
        const std::vector<float> x = rounded(normals(in.count(), 1), type), row_weights = normals(9 * taps, 2),
                                 column_weights = normals(4 * taps, 3);
        const bool weighted = taps > 1;
        std::vector<double> expected(static_cast<size_t>(out.count()));
        for (int64_t i = 0; i < out.count(); ++i) {
          const int64_t ox = i % 4, oy = i / 4 % 9, c = i / 36 % in.c, n = i / 36 / in.c;
          double sum = 0;
          for (int64_t r = oy * taps; r < (oy + 1) * taps; ++r) {
            for (int64_t s = ox * taps; s < (ox + 1) * taps; ++s) {
              const auto rr = static_cast<size_t>(r), ss = static_cast<size_t>(s);
              sum += x[in.at(n, c, rows[rr], columns[ss])] *
                     (weighted ? static_cast<double>(row_weights[rr]) * column_weights[ss] : 1.0);
            }
          }
          expected[out.at(n, c, oy, ox)] = sum;
        }
        DeviceArray dx(x, type), dy(expected.size() * static_cast<size_t>(bytes_of(type))), drows(rows),
            dcolumns(columns), drw(row_weights), dcw(column_weights);
        ResizeArgs a;
        a.x = dx.get(), a.y = dy.get(), a.type = type, a.channels_last = last, a.n = 2, a.c = in.c;
        a.rows = {5, 9, taps, drows.as<int32_t>(), weighted ? drw.as<float>() : nullptr};
        a.columns = {7, 4, taps, dcolumns.as<int32_t>(), weighted ? dcw.as<float>() : nullptr};
        ASSERT_EQ(resize(a, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(dy.floats(type), expected), tolerance(type)) << taps << " last " << last;
      }
    }
  }
}

double act_on(Act act, double x) {
  switch (act) {
    case Act::none: return x;
    case Act::clip: return std::min(std::max(x, 0.0), 6.0);
    case Act::silu: return x / (1 + std::exp(-x));
    case Act::hard_swish: return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case Act::sigmoid: return 1 / (1 + std::exp(-x));
    case Act::gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  }
  return x;
}

TEST(CudaImage, Depthwise) {
  NARAE_NEEDS_GPU();
  int number = 0;
  for (const Window& w : {Window{3, 1, 1, 1, 1},
                          {3, 2, 1, 0, 1},
                          {5, 1, 1, 2, 2},
                          {5, 2, 1, 1, 2},
                          {7, 1, 1, 3, 3},
                          {3, 1, 2, 2, 2},
                          {2, 3, 1, 0, 0},
                          {7, 2, 1, 3, 3}}) {
    for (const int64_t c : {5, 40}) {
      for (const DType type : real_types) {
        const Image in{2, c, 13, 10, true}, out{2, c, w.out(13, false), w.out(10, false), true};
        const auto act = static_cast<Act>(number++ % 6);
        const std::vector<float> x = rounded(normals(in.count(), 1), type),
                                 f = rounded(normals(w.k * w.k * c, 2), type), bias = normals(c, 3),
                                 residual = rounded(normals(out.count(), 4), type);
        std::vector<double> expected(static_cast<size_t>(out.count()));
        for (int64_t i = 0; i < out.count(); ++i) {
          const int64_t k = i % c, ox = i / c % out.w, oy = i / c / out.w % out.h, n = i / c / out.w / out.h;
          double sum = bias[static_cast<size_t>(k)];
          for (int64_t r = 0; r < w.k; ++r) {
            for (int64_t s = 0; s < w.k; ++s) {
              const int64_t iy = oy * w.stride - w.before + r * w.dilation,
                            ix = ox * w.stride - w.before + s * w.dilation;
              if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
              sum += static_cast<double>(x[in.at(n, k, iy, ix)]) * f[static_cast<size_t>((r * w.k + s) * c + k)];
            }
          }
          expected[static_cast<size_t>(i)] = act_on(act, sum) + residual[static_cast<size_t>(i)];
        }
        DeviceArray dx(x, type), df(f, type), dbias(bias), dresidual(residual, type),
            dy(expected.size() * static_cast<size_t>(bytes_of(type)));
        DwconvArgs a;
        a.x = dx.get(), a.w = df.get(), a.bias = dbias.get(), a.residual = dresidual.get(), a.y = dy.get(),
        a.type = type;
        a.act = act, a.hi = 6, a.n = 2, a.c = c, a.ih = in.h, a.iw = in.w, a.oh = out.h, a.ow = out.w,
        a.kh = a.kw = w.k;
        a.stride_h = a.stride_w = w.stride, a.dilation_h = a.dilation_w = w.dilation, a.pad_top = a.pad_left = w.before;
        ASSERT_EQ(dwconv(a, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(dy.floats(type), expected), tolerance(type)) << w.k << "/" << w.stride << " c " << c;
      }
    }
  }
}

}  // namespace
}  // namespace narae::cuda
