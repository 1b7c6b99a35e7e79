// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Mistake;

/**
 * A mistake with the image it was made on.
 *
 * @param mistake what was said and what is true
 * @param picture the test image
 */
public record MistakePicture(Mistake mistake, Picture picture) {}
