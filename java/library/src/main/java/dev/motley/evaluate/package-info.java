// SPDX-License-Identifier: Apache-2.0

/**
 * How good a classifier is on labelled images, from its logits alone: accuracy with its interval,
 * per class, confusions, calibration and the most confident mistakes. An {@link
 * dev.motley.evaluate.Evaluation} holds all of it for both ways of normalising, running statistics
 * and batch statistics, and is kept as JSON beside the model. Nothing here touches native code.
 */
@NullMarked
package dev.motley.evaluate;

import org.jspecify.annotations.NullMarked;
