// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

/**
 * The images whose confidence fell into one of equally wide bins over (0, 1].
 *
 * @param images how many
 * @param confidence their mean confidence (softmax probability of the predicted class)
 * @param accuracy the fraction of them called right
 */
public record CalibrationBin(int images, double confidence, double accuracy) {}
