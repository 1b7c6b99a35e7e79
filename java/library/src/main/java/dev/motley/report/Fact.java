// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * One line about the run: a version, a hash, the machine.
 *
 * @param name such as "Diffusion model"
 * @param value as it is to be shown
 */
public record Fact(String name, String value) {}
