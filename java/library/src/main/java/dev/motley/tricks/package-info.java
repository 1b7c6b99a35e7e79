// SPDX-License-Identifier: Apache-2.0

/**
 * What to draw: class lists, the paper's bag of tricks with its exact prompts and domains, and the
 * {@link dev.motley.tricks.GenerationPlan}, a pure and deterministic list of every image of a
 * synthetic dataset. Nothing here touches a model, a device or a file of images.
 */
@NullMarked
package dev.motley.tricks;

import org.jspecify.annotations.NullMarked;
