// SPDX-License-Identifier: Apache-2.0

/** The eager peers beside the results of the reference libraries: they must be the same networks. */
package dev.motley.benchmarks.eager;
