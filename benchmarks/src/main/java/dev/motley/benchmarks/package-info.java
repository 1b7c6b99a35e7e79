// SPDX-License-Identifier: Apache-2.0

/** Speed, measured with JMH: the sampler and the trainer beside the same networks run eagerly. */
package dev.motley.benchmarks;
