// SPDX-License-Identifier: Apache-2.0
// What the ops of a model cost, for their profile (profile.h). A layer's kind does not tell how many images went through it.
#pragma once

#include <initializer_list>

#include "kernels/cpu/conv.h"
#include "ops/attention.h"
#include "ops/linear.h"
#include "ops/profile.h"

namespace motley::ops {

/// "3x3 320->640 /2 @64x64": kernel, channels, stride, size of the image that it is laid over.
Work conv_work(const kernels::ConvShape& s, const Tensor& x, int64_t weight_bytes, const Shape& result, const Epilogue& epilogue);
/// The same for the convolution of a doubled image: "320->320 @64x64", the size of the result.
Work upsample_work(const kernels::ConvShape& s, const Tensor& x, int64_t weight_bytes, const Shape& result, const Epilogue& epilogue);
/// "320->2560 x4096": channels and rows of an image.
Work linear_work(const kernels::ConvShape& s, const Tensor& x, int64_t weight_bytes, const Shape& result, const Epilogue& epilogue);
/// "8x40 @4096", or "8x40 @4096 to 77": heads and their size, queries and keys.
Work attention_work(const HeadView& q, const HeadView& k, int64_t heads, int64_t head_size);
/// Of the gradient of self_attention: four products, and the weights once more.
Work attention_backward_work(const Tensor& qkv, int64_t heads);
/// Of an op that only passes memory; its shape is that of y but for the number of images: "320 @64x64", "320 x4096" or "320".
Work passing_work(const Tensor& y, std::initializer_list<const Tensor*> moved);

/// Bytes of a weight as stored.
int64_t weight_bytes(const Weight& w);

}  // namespace motley::ops
