// SPDX-License-Identifier: Apache-2.0

/**
 * Images with labels: packed sets in memory, readers for the real test sets (IDX, CIFAR binary,
 * class folders), and the synthetic store.
 */
@NullMarked
package dev.motley.dataset;

import org.jspecify.annotations.NullMarked;
