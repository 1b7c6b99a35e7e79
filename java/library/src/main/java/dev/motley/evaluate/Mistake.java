// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

/**
 * An image called wrong.
 *
 * @param image its index in the test set
 * @param label its true class
 * @param predicted what it was called
 * @param confidence the softmax probability given to that, in [0, 1]
 */
public record Mistake(int image, int label, int predicted, double confidence) {}
