// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.util.Optional;

/**
 * What a run of the generator did.
 *
 * @param images in the store
 * @param resumed images of the plan that an earlier run had stored or left out
 * @param drawn images drawn by this run, repetitions included
 * @param copied images taken, or left out as they were, from other stores
 * @param redone pictures of this run that were thrown away and drawn again: not finite, of one colour, or flagged
 * @param seconds of this run
 * @param safety what the safety checker did to the whole store, earlier runs and copies included; empty where nothing is checked
 */
public record GenerationResult(
    int images, int resumed, int drawn, int copied, int redone, double seconds, Optional<SafetySummary> safety) {}
