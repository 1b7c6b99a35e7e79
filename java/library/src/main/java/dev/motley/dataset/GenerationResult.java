// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/**
 * What a run of the generator did.
 *
 * @param images in the store
 * @param resumed images that an earlier run had stored
 * @param drawn images drawn by this run, repetitions included
 * @param copied images taken from other stores
 * @param redone pictures thrown away for being not finite or of one colour
 * @param seconds of this run
 */
public record GenerationResult(
    int images, int resumed, int drawn, int copied, int redone, double seconds) {}
