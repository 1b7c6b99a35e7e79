// SPDX-License-Identifier: Apache-2.0
/**
 * Whole experiments from one value: synthetic sets, a classifier trained on each, all tested on the same real images, and the
 * report that compares them. The top floor: puts the others together and computes nothing itself.
 */
@NullMarked
package dev.motley.run;

import org.jspecify.annotations.NullMarked;
