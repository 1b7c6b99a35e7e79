// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of finished trainings, and the tables made of it: a {@link dev.motley.results.TrainingRecord} beside every trained
 * model, the spread of accuracies over seeds, and the paper's Tables 2 and 3 filled from folders of such trainings, with its own
 * numbers beside. Nothing here trains or draws.
 */
@NullMarked
package dev.motley.results;

import org.jspecify.annotations.NullMarked;
