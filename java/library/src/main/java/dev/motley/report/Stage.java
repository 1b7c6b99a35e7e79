// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * Where the time went.
 *
 * @param name such as "Generate"
 * @param seconds wall-clock time
 * @param count how many units were done
 * @param unit what was counted, in the plural, such as "images"
 */
public record Stage(String name, double seconds, long count, String unit) {}
