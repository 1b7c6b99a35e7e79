// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Evaluation;

/**
 * One of a run's trainings.
 *
 * @param set what it learned from
 * @param architecture its network
 * @param seed of it
 * @param evaluation on the real test images
 */
public record TrainingRow(String set, String architecture, long seed, Evaluation evaluation) {}
