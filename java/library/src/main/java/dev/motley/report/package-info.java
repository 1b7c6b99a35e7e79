// SPDX-License-Identifier: Apache-2.0

/**
 * The report of a run: one HTML file that needs no network, reads well on a phone and in the dark,
 * and is the same for the same data. {@link dev.motley.report.ReportData} says what goes in, {@link
 * dev.motley.report.Report} writes it. Each section of the page is one class; {@code Html} escapes.
 */
@NullMarked
package dev.motley.report;

import org.jspecify.annotations.NullMarked;
