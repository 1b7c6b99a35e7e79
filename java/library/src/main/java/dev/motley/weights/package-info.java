// SPDX-License-Identifier: Apache-2.0

/**
 * Weights on disk. {@link dev.motley.weights.TensorFile} is named tensors in a file: strict, memory-mapped safetensors, whole or split, and
 * PyTorch's pickles. {@link dev.motley.weights.Checkpoint} is a text-to-image model in either layout, a diffusers folder or a single file,
 * with its configurations read into records; it is written, inspected and hashed here, too. Nothing here computes with a tensor, but for
 * rounding one to another type.
 */
@NullMarked
package dev.motley.weights;

import org.jspecify.annotations.NullMarked;
