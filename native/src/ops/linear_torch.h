// SPDX-License-Identifier: Apache-2.0
// The products of linear.h through libtorch's operators: inference, any element type libtorch knows.
#pragma once

#include "ops/linear.h"

namespace motley::ops::torch {

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue = {});
Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue = {});
Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue = {});

}  // namespace motley::ops::torch
