// SPDX-License-Identifier: Apache-2.0
// Matrix products and convolutions of the models' layers: ours against libtorch's operators, in alternation.
//
//   gemm_bench [--libtorch DIR] [--threads N] [--repeats N] [--group TEXT] [--best 1]
//
// GFLOP/s count the products that touch the image (2 each), not those with padding, and for an upsampling convolution those
// of the 3x3 it stands for. Percent is of the multiply-add peak measured first. With one thread (the default) time is the
// thread's CPU time, so that other load on the machine disturbs little; with more it is wall time. Ratio: libtorch's median time over ours.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "harness.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/peak.h"
#include "libtorch/call.h"
#include "libtorch/symbols.h"
#include "ops/linear.h"
#include "support/torch_ops.h"

using namespace motley;
using bench::filled;
using libtorch::Call;
using libtorch::View;

namespace {

bench::Measure measure;

// GFLOP/s of one thread that does nothing but multiply-adds on registers
double peak() {
  double fastest = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const double start = measure.seconds(), flops = kernels::multiply_adds(false);
    fastest = std::max(fastest, flops / (measure.seconds() - start) * 1e-9);
  }
  return fastest;
}

double top = 0;
std::string only;
std::vector<double> ours_total, theirs_total;

void report(const std::string& name, double flops, const bench::Body& ours, const bench::Body& theirs, int times = 1) {
  const std::vector<double> seconds = measure.of({ours, theirs});
  const double a = seconds[0], b = seconds[1];
  std::printf("| %s | %.1f | %.1f | %.0f %% | %.1f | %.2f |\n", name.c_str(), a * 1e6, flops / a * 1e-9, 100 * flops / a * 1e-9 / top,
              flops / b * 1e-9, b / a);
  std::fflush(stdout);
  ours_total.push_back(a * times);
  theirs_total.push_back(b * times);
}

void begin_group(const char* name) {
  std::printf("\n### %s\n\n| layer | us | GFLOP/s | of peak | libtorch GFLOP/s | ratio |\n|---|---|---|---|---|---|\n", name);
  ours_total.clear();
  theirs_total.clear();
}

void end_group() {
  double a = 0, b = 0;
  for (double t : ours_total) a += t;
  for (double t : theirs_total) b += t;
  std::printf("| **all (weighted by use)** | %.0f | | | | **%.2f** |\n", a * 1e6, b / a);
}

struct Layer {
  int64_t n, size, in, out, kernel, stride;
  int times = 1;  // how often the model has it
};

ops::Conv2d how_of(const Layer& l) { return ops::Conv2d::same(l.kernel, l.stride); }

double conv_flops(const Layer& l) {
  const int64_t pad = l.kernel / 2, result = (l.size + 2 * pad - l.kernel) / l.stride + 1;
  double valid = 0;  // pairs of position and tap inside the image, along one axis
  for (int64_t p = 0; p < result; ++p) {
    for (int64_t t = 0; t < l.kernel; ++t) {
      const int64_t s = p * l.stride - pad + t;
      if (s >= 0 && s < l.size) ++valid;
    }
  }
  return 2.0 * static_cast<double>(l.n * l.in * l.out) * valid * valid;
}

std::string name_of(const Layer& l, const char* what) {
  char text[96];
  std::snprintf(text, sizeof text, "%s%lldx%lld %lld->%lld @%lldx%lld%s n=%lld", what, (long long)l.kernel, (long long)l.kernel,
                (long long)l.in, (long long)l.out, (long long)l.size, (long long)l.size, l.stride > 1 ? " /2" : "", (long long)l.n);
  return text;
}

void forward(const Layer& l, bool frozen) {
  const Tensor x = filled({l.n, l.size, l.size, l.in}), w = filled({l.out, l.kernel, l.kernel, l.in});
  ops::Epilogue e;
  if (frozen) e.bias = filled({l.out});
  const ops::Weight packed = frozen ? ops::Weight(w) : ops::Weight();
  report(
      name_of(l, ""), conv_flops(l), [&] { frozen ? ops::conv2d(x, packed, how_of(l), e) : ops::conv2d(x, w, how_of(l), e); },
      [&] { test::torch::conv2d(x, w, how_of(l), e); }, l.times);
}

void backward(const Layer& l, bool input) {
  const int64_t pad = l.kernel / 2, result = (l.size + 2 * pad - l.kernel) / l.stride + 1;
  const Tensor x = filled({l.n, l.size, l.size, l.in}), w = filled({l.out, l.kernel, l.kernel, l.in}),
               dy = filled({l.n, result, result, l.out});
  const Tensor dx = Tensor::empty(x.shape()), dw = Tensor::empty(w.shape());
  const kernels::ConvShape s{l.n, l.size, l.size, l.in, l.out, l.kernel, l.kernel, l.stride, pad, pad, result, result};
  auto ours = [&] {
    input ? kernels::conv_input_gradient(s, dy.data<float>(), w.data<float>(), dx.data<float>())
          : kernels::conv_weight_gradient(s, dy.data<float>(), x.data<float>(), dw.data<float>());
  };
  auto theirs = [&] {
    Call("aten::convolution_backward")
        .tensor(dy, View::channels_last)
        .tensor(x, View::channels_last)
        .tensor(w, View::channels_last)
        .none()
        .integers({l.stride, l.stride})
        .integers({pad, pad})
        .integers({1, 1})
        .boolean(false)
        .integers({0, 0})
        .integer(1)
        .booleans({input, !input, false})
        .run(2, View::channels_last);
  };
  report(name_of(l, input ? "dX " : "dW "), conv_flops(l), ours, theirs, l.times);
}

void linear(int64_t rows, int64_t depth, int64_t columns, int times = 1) {
  const Tensor x = filled({rows, depth}), w = filled({columns, depth});
  ops::Epilogue e;
  e.bias = filled({columns});
  const ops::Weight packed(w);
  char name[64];
  std::snprintf(name, sizeof name, "linear %lldx%lldx%lld", (long long)rows, (long long)depth, (long long)columns);
  report(
      name, 2.0 * static_cast<double>(rows * depth * columns), [&] { ops::linear(x, packed, e); }, [&] { test::torch::linear(x, w, e); },
      times);
}

void upsample(const Layer& l) {
  const Tensor x = filled({l.n, l.size, l.size, l.in}), w = filled({l.out, 3, 3, l.in});
  ops::Epilogue e;
  e.bias = filled({l.out});
  const ops::Weight packed(w);
  Layer big = l;
  big.size *= 2;
  report(
      name_of(l, "upsample "), conv_flops(big), [&] { ops::upsample_conv2d(x, packed, e); }, [&] { test::torch::upsample_conv2d(x, w, e); },
      l.times);
}

bool wanted(const char* group) { return only.empty() || std::strstr(group, only.c_str()) != nullptr; }

void small_unet() {
  if (!wanted("unet")) return;
  begin_group("Small UNet, 50 guidance pairs");
  for (const Layer& l :
       {Layer{100, 8, 4, 64, 3, 1}, Layer{100, 8, 64, 64, 3, 1, 6}, Layer{100, 8, 128, 64, 3, 1, 2}, Layer{100, 8, 192, 64, 3, 1},
        Layer{100, 8, 64, 64, 3, 2}, Layer{100, 4, 64, 128, 3, 1}, Layer{100, 4, 128, 128, 3, 1, 6}, Layer{100, 4, 256, 128, 3, 1, 2},
        Layer{100, 8, 64, 4, 3, 1}, Layer{100, 8, 192, 64, 1, 1}, Layer{100, 8, 64, 64, 1, 1, 6}, Layer{100, 4, 256, 128, 1, 1, 2}}) {
    forward(l, true);
  }
  upsample({100, 4, 128, 128, 3, 1});
  linear(6400, 64, 512, 3);
  linear(6400, 256, 64, 3);
  linear(6400, 64, 64, 9);
  linear(1600, 128, 1024, 3);
  linear(1600, 512, 128, 3);
  linear(7700, 96, 64, 2);
  linear(100, 64, 256, 2);
  end_group();
}

void small_vae() {
  if (!wanted("vae")) return;
  begin_group("Small VAE decoder, batch 50");
  for (const Layer& l :
       {Layer{50, 8, 4, 64, 3, 1}, Layer{50, 8, 64, 64, 3, 1, 4}, Layer{50, 16, 64, 32, 3, 1}, Layer{50, 16, 32, 32, 3, 1, 3},
        Layer{50, 32, 32, 16, 3, 1}, Layer{50, 32, 16, 16, 3, 1, 3}, Layer{50, 32, 16, 3, 3, 1}}) {
    forward(l, true);
  }
  upsample({50, 8, 64, 64, 3, 1});
  upsample({50, 16, 32, 32, 3, 1});
  end_group();
}

const std::vector<Layer>& resnet50() {
  static const std::vector<Layer> layers = {
      {128, 32, 3, 64, 7, 2, 1},                                                                                            // stem
      {128, 8, 64, 64, 1, 1, 1},    {128, 8, 64, 64, 3, 1, 3},   {128, 8, 64, 256, 1, 1, 4},   {128, 8, 256, 64, 1, 1, 2},  // layer1
      {128, 8, 256, 128, 1, 1, 1},  {128, 8, 128, 128, 3, 2, 1}, {128, 4, 128, 512, 1, 1, 4},  {128, 8, 256, 512, 1, 2, 1},
      {128, 4, 512, 128, 1, 1, 3},  {128, 4, 128, 128, 3, 1, 3},  // layer2
      {128, 4, 512, 256, 1, 1, 1},  {128, 4, 256, 256, 3, 2, 1}, {128, 2, 256, 1024, 1, 1, 6}, {128, 4, 512, 1024, 1, 2, 1},
      {128, 2, 1024, 256, 1, 1, 5}, {128, 2, 256, 256, 3, 1, 5},  // layer3
      {128, 2, 1024, 512, 1, 1, 1}, {128, 2, 512, 512, 3, 2, 1}, {128, 1, 512, 2048, 1, 1, 3}, {128, 2, 1024, 2048, 1, 2, 1},
      {128, 1, 2048, 512, 1, 1, 2}, {128, 1, 512, 512, 3, 1, 2}};  // layer4
  return layers;
}

void resnet() {
  if (wanted("resnet-forward")) {
    begin_group("ResNet50@32, batch 128: forward (weights packed on the way)");
    for (const Layer& l : resnet50()) forward(l, false);
    end_group();
  }
  if (wanted("resnet-dx")) {
    begin_group("ResNet50@32, batch 128: input gradient");
    for (const Layer& l : resnet50()) {
      if (l.in > 3) backward(l, true);
    }
    end_group();
  }
  if (wanted("resnet-dw")) {
    begin_group("ResNet50@32, batch 128: weight gradient");
    for (const Layer& l : resnet50()) backward(l, false);
    end_group();
  }
}

void full_size() {
  if (!wanted("sd14")) return;
  begin_group("Stable Diffusion 1.4, one guidance pair");
  for (const Layer& l :
       {Layer{2, 64, 4, 320, 3, 1}, Layer{2, 64, 320, 320, 3, 1}, Layer{2, 32, 640, 640, 3, 1}, Layer{2, 16, 1280, 1280, 3, 1},
        Layer{2, 8, 1280, 1280, 3, 1}, Layer{2, 64, 320, 4, 3, 1}, Layer{2, 64, 640, 320, 1, 1}}) {
    forward(l, true);
  }
  upsample({2, 32, 640, 640, 3, 1});
  linear(8192, 320, 2560);
  linear(8192, 1280, 320);
  linear(8192, 320, 320);
  end_group();
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = MOTLEY_DEFAULT_LIBTORCH;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--libtorch") directory = argv[i + 1];
    if (key == "--threads") measure.threads = std::atoi(argv[i + 1]);
    if (key == "--repeats") measure.repeats = std::atoi(argv[i + 1]);
    if (key == "--best") measure.best = std::atoi(argv[i + 1]) != 0;
    if (key == "--group") only = argv[i + 1];
  }
  setenv("OPENBLAS_NUM_THREADS", std::to_string(measure.threads).c_str(), 1);  // libtorch's matrix products have threads of their own
  libtorch::load(directory);
  libtorch::set_threads(measure.threads);
  top = peak() * measure.threads;
  std::printf("%s, %s, libtorch %s, %d thread(s), %s of %d alternations; multiply-add peak %.1f GFLOP/s\n", kernels::cpu_brand(),
              kernels::name_of(kernels::isa()), libtorch::version().c_str(), measure.threads, measure.best ? "best" : "medians",
              measure.repeats, top);
  small_unet();
  small_vae();
  resnet();
  full_size();
  return 0;
}
