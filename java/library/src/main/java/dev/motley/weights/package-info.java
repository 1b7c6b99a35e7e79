// SPDX-License-Identifier: Apache-2.0

/**
 * Weights on disk: strict, memory-mapped readers of safetensors, whole or sharded, and of PyTorch
 * checkpoints, whose pickles are read as data only; a safetensors writer; and the diffusers folder
 * layout with its configuration files read into records. Nothing here computes with a
 * tensor; names and shapes are checked where the models are built.
 */
@NullMarked
package dev.motley.weights;

import org.jspecify.annotations.NullMarked;
