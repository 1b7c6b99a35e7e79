// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

/** Of images: the native core has the channels last, ONNX first. */
enum Layout {
  NHWC,
  NCHW
}
