// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/depthwise.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/product.h"
#include "kernels/cpu/scratch.h"
#include "libtorch/parallel.h"

namespace motley::kernels {

MOTLEY_CHOOSE(depthwise, DepthwiseKernels)

namespace {

template <typename T>
const DepthwiseLoops<T>& loops();
template <>
const DepthwiseLoops<float>& loops<float>() {
  return depthwise_kernels().f32;
}
template <>
const DepthwiseLoops<bf16>& loops<bf16>() {
  return depthwise_kernels().b16;
}

// Some taps of one side of the kernel: first, first + step, ...
struct Taps {
  int64_t first, step, count;
  int64_t operator[](int64_t i) const { return first + i * step; }
  Taps flipped() const { return {first + step * (count - 1), -step, count}; }
};

// Those that reach an image of that size from one of its own pixels: all others lie in the padding everywhere.
Taps reaching(int64_t kernel, int64_t size) {
  const int64_t reach = std::min(kernel / 2, size - 1);
  return {kernel / 2 - reach, 1, 2 * reach + 1};
}

int64_t vectors(int64_t channels) { return up(channels, depthwise_kernels().lanes); }

// w (C, K, K) -> (C / lanes, rows, columns, lanes), 0 beyond C
class Packed {
 public:
  Packed(const DepthwiseShape& s, const float* w, const Taps& rows, const Taps& columns)
      : memory_(vectors(s.channels) * rows.count * columns.count * depthwise_kernels().lanes) {
    const int64_t lanes = depthwise_kernels().lanes, padded = vectors(s.channels) * lanes, size = s.kernel * s.kernel;
    for (int64_t c = 0; c < padded; ++c) {
      float* to = memory_.data() + c / lanes * rows.count * columns.count * lanes + c % lanes;
      for (int64_t i = 0; i < rows.count; ++i) {
        for (int64_t j = 0; j < columns.count; ++j, to += lanes)
          *to = c < s.channels ? w[c * size + rows[i] * s.kernel + columns[j]] : 0.0f;
      }
    }
  }
  const float* data() const { return memory_.data(); }

 private:
  Scratch memory_;
};

// Rows that are worth a thread.
int64_t grain(int64_t width, int64_t channels, int64_t taps) { return 1 + (1 << 16) / (width * channels * taps); }

// Images that one sum of products covers: by the shape alone, so that its order never depends on the number of threads.
int64_t chunk_of(int64_t images) {
  constexpr int64_t kChunks = 16;
  return up(images, kChunks);
}

}  // namespace

DepthwiseShape depthwise_shape(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t kernel, int64_t stride) {
  return {images, height, width, channels, kernel, stride, (height - 1) / stride + 1, (width - 1) / stride + 1};
}

template <typename T>
void depthwise_forward(const DepthwiseShape& s, const T* x, const float* w, const float* bias, Activation activation, T* y) {
  const Taps rows = reaching(s.kernel, s.height), columns = reaching(s.kernel, s.width);
  const Packed weights(s, w, rows, columns);
  const auto row = loops<T>().row;
  parallel_for(s.images * s.out_height, grain(s.out_width, s.channels, rows.count * columns.count), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      row({x + i / s.out_height * s.height * s.width * s.channels, s.height, s.width, s.channels, weights.data(), rows.count, columns.count,
           i % s.out_height * s.stride - rows.count / 2, -(columns.count / 2), s.stride, y + i * s.out_width * s.channels, s.out_width, 1,
           bias, activation, false});
    }
  });
}

// dx[i] = sum of dy[o] * w[t] over i + K / 2 = stride * o + t: with t = phase + stride * j a correlation of dy with the taps j in reverse,
// for each phase, whose pixels i lie `stride` apart.
template <typename T>
void depthwise_input_gradient(const DepthwiseShape& s, const T* dy, const float* w, T* dx, bool add) {
  struct Phase {
    Taps taps;      // in reverse
    int64_t pixel;  // the first of its pixels
    int64_t from;   // where in dy the first tap of that pixel lies
  };
  const auto phases = [&](int64_t size) {
    const Taps all = reaching(s.kernel, size);
    std::vector<Phase> found;
    for (int64_t phase = 0; phase < s.stride; ++phase) {
      const int64_t count = up(all.count - phase, s.stride), pixel = (phase + all.count / 2) % s.stride;
      found.push_back({Taps{all[phase], s.stride, count}.flipped(), pixel, (pixel + all.count / 2 - phase) / s.stride - (count - 1)});
    }
    if (found.back().pixel < found.front().pixel) std::swap(found.front(), found.back());
    return found;  // of the phase i comes pixel i
  };
  const std::vector<Phase> down = phases(s.height), across = phases(s.width);
  std::vector<Packed> weights;
  for (const Phase& r : down) {
    for (const Phase& c : across) weights.emplace_back(s, w, r.taps, c.taps);
  }
  const auto row = loops<T>().row;
  const int64_t taps = up(s.kernel * s.kernel, s.stride * s.stride);
  parallel_for(s.images * s.height, grain(s.width, s.channels, taps), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i % s.height, which = at % s.stride;
      const Phase& r = down[static_cast<size_t>(which)];
      for (size_t p = 0; p < across.size(); ++p) {
        const Phase& c = across[p];
        if (c.pixel >= s.width) continue;
        row({dy + i / s.height * s.out_height * s.out_width * s.channels, s.out_height, s.out_width, s.channels,
             weights[static_cast<size_t>(which) * across.size() + p].data(), r.taps.count, c.taps.count, at / s.stride + r.from, c.from, 1,
             dx + (i * s.width + c.pixel) * s.channels, (s.width - c.pixel - 1) / s.stride + 1, s.stride, nullptr, Activation::none, add});
      }
    }
  });
}

template <typename T>
void depthwise_weight_gradient(const DepthwiseShape& s, const T* dy, const T* x, float* dw) {
  const Taps rows = reaching(s.kernel, s.height), columns = reaching(s.kernel, s.width);
  const int64_t lanes = depthwise_kernels().lanes, taps = rows.count * columns.count, size = vectors(s.channels) * taps * lanes;
  const int64_t chunk = chunk_of(s.images), chunks = up(s.images, chunk);
  std::vector<double> sums(static_cast<size_t>(chunks * size), 0.0);
  const auto products = loops<T>().products;
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * chunk;
      products({x + first * s.height * s.width * s.channels, dy + first * s.out_height * s.out_width * s.channels,
                std::min(chunk, s.images - first), s.height, s.width, s.channels, s.out_height, s.out_width, rows.count, columns.count,
                s.stride, sums.data() + i * size});
    }
  });
  std::fill_n(dw, s.channels * s.kernel * s.kernel, 0.0f);
  parallel_for(s.channels, 1 + (1 << 12) / (taps * chunks), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const double* from = sums.data() + (c / lanes * taps + tap) * lanes + c % lanes;
        double sum = 0;
        for (int64_t i = 0; i < chunks; ++i) sum += from[i * size];
        dw[(c * s.kernel + rows[tap / columns.count]) * s.kernel + columns[tap % columns.count]] = static_cast<float>(sum);
      }
    }
  });
}

#define MOTLEY_INSTANTIATE(T)                                                                                      \
  template void depthwise_forward<T>(const DepthwiseShape&, const T*, const float*, const float*, Activation, T*); \
  template void depthwise_input_gradient<T>(const DepthwiseShape&, const T*, const float*, T*, bool);              \
  template void depthwise_weight_gradient<T>(const DepthwiseShape&, const T*, const T*, float*);
MOTLEY_INSTANTIATE(float)
MOTLEY_INSTANTIATE(bf16)
#undef MOTLEY_INSTANTIATE

namespace reference {
namespace {

// visit(index in y, in x, in w) for each product
template <typename Visit>
void each_product(const DepthwiseShape& s, const Visit& visit) {
  for (int64_t y = 0; y < s.images * s.out_height * s.out_width * s.channels; ++y) {
    const int64_t c = y % s.channels, column = y / s.channels % s.out_width, row = y / s.channels / s.out_width % s.out_height;
    const int64_t image = y / s.channels / s.out_width / s.out_height;
    for (int64_t tap = 0; tap < s.kernel * s.kernel; ++tap) {
      const int64_t i = row * s.stride - s.kernel / 2 + tap / s.kernel, j = column * s.stride - s.kernel / 2 + tap % s.kernel;
      if (i < 0 || j < 0 || i >= s.height || j >= s.width) continue;
      visit(y, ((image * s.height + i) * s.width + j) * s.channels + c, c * s.kernel * s.kernel + tap);
    }
  }
}

}  // namespace

void depthwise(const DepthwiseShape& s, const double* x, const double* w, const double* bias, double* y) {
  for (int64_t i = 0; i < s.images * s.out_height * s.out_width * s.channels; ++i) y[i] = bias ? bias[i % s.channels] : 0.0;
  each_product(s, [&](int64_t yi, int64_t xi, int64_t wi) { y[yi] += x[xi] * w[wi]; });
}

void depthwise_backward(const DepthwiseShape& s, const double* dy, const double* x, const double* w, double* dx, double* dw) {
  std::fill_n(dx, s.images * s.height * s.width * s.channels, 0.0);
  std::fill_n(dw, s.channels * s.kernel * s.kernel, 0.0);
  each_product(s, [&](int64_t yi, int64_t xi, int64_t wi) {
    dx[xi] += dy[yi] * w[wi];
    dw[wi] += dy[yi] * x[xi];
  });
}

}  // namespace reference
}  // namespace motley::kernels
