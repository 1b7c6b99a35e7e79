// SPDX-License-Identifier: Apache-2.0
/**
 * Classifiers and their training from scratch: recipes, the training run with its checkpoints and metrics, and the trained
 * classifier that labels images. Uses {@code dev.motley.dataset} for its images.
 */
@NullMarked
package dev.motley.train;

import org.jspecify.annotations.NullMarked;
