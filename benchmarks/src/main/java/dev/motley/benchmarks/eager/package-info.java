// SPDX-License-Identifier: Apache-2.0

/**
 * The peers of the benchmarks: the same networks written the way a PyTorch user writes them, run
 * eagerly through JavaCPP's libtorch. Attention is {@code scaled_dot_product_attention}, the
 * memory format is the faster one, sampling runs in inference mode, and every block frees its
 * intermediates when it ends, as reference counting does in Python. Nothing here uses Motley's
 * native core.
 */
package dev.motley.benchmarks.eager;
