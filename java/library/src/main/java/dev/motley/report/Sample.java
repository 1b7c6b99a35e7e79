// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * One synthetic image of the sample grid.
 *
 * @param className its row
 * @param trick its column; columns stand in the order of their first sample
 * @param prompt what was asked for
 * @param guidance the guidance scale
 * @param picture the image
 */
public record Sample(
    String className, String trick, String prompt, double guidance, Picture picture) {}
