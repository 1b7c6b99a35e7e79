// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

/**
 * One line of {@code metrics.jsonl}.
 *
 * @param epoch from 0
 * @param learningRate of the epoch
 * @param loss mean training loss over the epoch's images, as they were when each batch was seen
 * @param accuracy share of right answers in the same passes, in [0, 1]
 * @param seconds spent on the epoch
 * @param imagesPerSecond images seen per second
 */
public record EpochMetrics(
    int epoch,
    double learningRate,
    double loss,
    double accuracy,
    double seconds,
    double imagesPerSecond) {}
