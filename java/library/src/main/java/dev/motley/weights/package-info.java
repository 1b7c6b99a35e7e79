// SPDX-License-Identifier: Apache-2.0

/**
 * Weights on disk: a strict, memory-mapped safetensors reader and a writer, and the diffusers
 * folder layout with its configuration files read into records. Nothing here computes with a
 * tensor; names and shapes are checked where the models are built.
 */
@NullMarked
package dev.motley.weights;

import org.jspecify.annotations.NullMarked;
