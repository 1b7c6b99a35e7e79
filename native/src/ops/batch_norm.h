// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cpu/activation.h"
#include "libtorch/tensor.h"

namespace motley::ops {

/// Which statistics a normalisation uses.
enum class Statistics {
  training,  // of the batch; running ones are updated; differentiable
  batch,     // of the batch; running ones are left alone; differentiable
  running
};

/// A BatchNorm2d layer: all (C) f32 but `batches` (1) i64.
struct BatchNorm {
  Tensor weight, bias, running_mean, running_var, batches;
  double eps = 1e-5;
  double momentum = 0.1;
};

/// activation(normalised x + residual?), x (N, H, W, C) of f32 or bf16; none, relu or, without a residual, hard_swish. Differentiable in x, weight, bias and residual unless
/// `statistics` is running. Takes over x, to spare the caches a third tensor: without a tape the
/// result, with one x's gradient is written over its values.
Tensor batch_norm(Tensor&& x, const BatchNorm& norm, Statistics statistics, kernels::Activation activation, const Tensor& residual = {});

}  // namespace motley::ops
