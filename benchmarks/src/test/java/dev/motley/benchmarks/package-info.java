// SPDX-License-Identifier: Apache-2.0

/** The benchmarks' own checks: both sides compute the same, and the summary says what was measured. */
package dev.motley.benchmarks;
