// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/**
 * A picture that was drawn and thrown away.
 *
 * @param seed the seed it was drawn with
 * @param flaw what was wrong with it
 */
public record Attempt(long seed, Flaw flaw) {}
