// SPDX-License-Identifier: Apache-2.0
// The products of ops/linear.h through libtorch's operators, to compare with.
#pragma once

#include "ops/linear.h"

namespace motley::test::torch {

using ops::Conv2d;
using ops::Epilogue;

Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2d& how, const Epilogue& epilogue = {});
Tensor upsample_conv2d(const Tensor& x, const Tensor& w, const Epilogue& epilogue = {});
Tensor linear(const Tensor& x, const Tensor& w, const Epilogue& epilogue = {});

}  // namespace motley::test::torch
